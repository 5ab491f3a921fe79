/* Where commands write what they tell. */
#include <errno.h>
#include <string.h>

#include "harness/commands/text_output.h"

static ssize_t text_write(void *cookie, const char *bytes, size_t length)
{
    struct text_output *text = cookie;
    if (!text->err.code)
        output_write(&text->output, bytes, length, &text->err);
    return text->err.code ? 0 : (ssize_t)length;
}

int text_output_open(struct text_output *text, const char *path, struct err *err)
{
    *text = (struct text_output){.file = stdout};
    if (!path || strcmp(path, "-") == 0)
        return 0;
    int failed = output_open(&text->output, path, err);
    if (failed)
        return failed;
    text->file = fopencookie(text, "w", (cookie_io_functions_t){.write = text_write});
    if (text->file)
        return 0;
    output_abandon(&text->output);
    return err_set(err, ENOMEM, "no memory left to write %.200s", path);
}

int text_output_close(struct text_output *text, struct err *err)
{
    if (text->file == stdout)
        return 0;
    fclose(text->file);
    if (!text->err.code)
        return output_finish(&text->output, err);
    output_abandon(&text->output);
    return err_set(err, text->err.code, "%s", text->err.text);
}

void text_output_abandon(struct text_output *text)
{
    if (text->file == stdout)
        return;
    fclose(text->file);
    output_abandon(&text->output);
}
