/* Where bench trace writes what it tells. */
#include <errno.h>
#include <string.h>

#include "harness/commands/commands.h"
#include "harness/commands/trace.h"

static ssize_t text_write(void *cookie, const char *bytes, size_t length)
{
    struct trace_text *text = cookie;
    if (!text->err.code)
        output_write(&text->output, bytes, length, &text->err);
    return text->err.code ? 0 : (ssize_t)length;
}

int trace_text_open(struct trace_text *text, const char *path, struct err *err)
{
    *text = (struct trace_text){.file = stdout};
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

int trace_text_close(struct trace_text *text, struct err *err)
{
    if (text->file == stdout)
        return 0;
    fclose(text->file);
    if (!text->err.code)
        return output_finish(&text->output, err);
    output_abandon(&text->output);
    return err_set(err, text->err.code, "%s", text->err.text);
}

int trace_refused(const char *name, const struct err *err)
{
    fprintf(stderr, "bench trace %s: %s\n", name, err->text);
    return STATUS_USAGE;
}
