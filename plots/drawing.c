/* One figure under way: data files in a scratch folder, and gnuplot started there. */
#include "plots/drawing.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "plots/assets.h"
#include "results/text.h"

int drawing_begin(struct drawing *drawing, struct err *err)
{
    const char *root = getenv("TMPDIR");
    *drawing = (struct drawing){0};
    int length = snprintf(drawing->folder, sizeof drawing->folder, "%s/heapbench-figure-XXXXXX",
                          root && *root ? root : "/tmp");
    if (length >= (int)sizeof drawing->folder || !mkdtemp(drawing->folder)) {
        int code = errno;
        err_set(err, code, "%s: %s; set TMPDIR to a folder that can be written to", drawing->folder,
                strerror(code));
        drawing->folder[0] = '\0';
        return -code;
    }
    return 0;
}

static void drawing_path(char path[300], const struct drawing *drawing, const char *name)
{
    snprintf(path, 300, "%s/%s", drawing->folder, name);
}

void drawing_end(struct drawing *drawing)
{
    DIR *folder = *drawing->folder ? opendir(drawing->folder) : NULL;
    if (!folder)
        return;
    for (struct dirent *entry; (entry = readdir(folder));)
        unlinkat(dirfd(folder), entry->d_name, 0);
    closedir(folder);
    rmdir(drawing->folder);
}

FILE *drawing_open(struct drawing *drawing, const char *name, struct err *err)
{
    char path[300];
    drawing_path(path, drawing, name);
    FILE *file = fopen(path, "we");
    if (!file)
        err_set(err, errno, "%s: %s", path, strerror(errno));
    return file;
}

int drawing_close(FILE *file, struct err *err)
{
    errno = ENOSPC;
    bool failed = ferror(file) || fflush(file) != 0;
    int code = errno;
    fclose(file);
    return failed ? err_set(err, code,
                            "a figure's data could not be written: %s; free some space, or set "
                            "TMPDIR to a folder that has it",
                            strerror(code))
                  : 0;
}

void drawing_set(struct drawing *drawing, const char *name, double value)
{
    size_t used = strlen(drawing->settings);
    int length = snprintf(drawing->settings + used, sizeof drawing->settings - used, "%s=%.10g;",
                          name, value);
    if (length >= (int)(sizeof drawing->settings - used))
        BUG("too many settings for one figure");
}

void drawing_text(FILE *file, const char *text, size_t columns)
{
    size_t written = 0, length = text_columns(text);
    for (; *text; text++) {
        unsigned char c = (unsigned char)*text;
        bool begins = (c & 0xc0) != 0x80;
        if (begins && columns && ++written == columns && length > columns) {
            fputs("…", file);
            return;
        }
        if (c < 0x20 || c == 0x7f)
            fputc('?', file);
        else if (c == '"')
            fputs("″", file);
        else if (c == '\\')
            fputs("∖", file);
        else
            fputc(c, file);
    }
}

static int drawing_write_script(struct drawing *drawing, const char *name, const char *text,
                                struct err *err)
{
    FILE *file = drawing_open(drawing, name, err);
    if (!file)
        return -err->code;
    fputs(text, file);
    return drawing_close(file, err);
}

/* Only what gnuplot needs: no start-up file, no paths and no habits of the user. */
static int drawing_spawn(const struct drawing *drawing, pid_t *child)
{
    char path[4200], home[4200], settings[DRAWING_SETTINGS + 4];
    const char *search = getenv("PATH"), *owner = getenv("HOME");
    snprintf(path, sizeof path, "PATH=%s", search ? search : "/usr/local/bin:/usr/bin:/bin");
    snprintf(home, sizeof home, "HOME=%s", owner ? owner : "/");
    snprintf(settings, sizeof settings, "%s", drawing->settings);
    char *const environment[] = {path, home, "LC_ALL=C.UTF-8", NULL};
    char *const arguments[] = {"gnuplot", "-d", "-e", settings, "style.gp", "figure.gp", NULL};
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addchdir_np(&actions, drawing->folder);
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
    posix_spawn_file_actions_addopen(&actions, 2, "messages", O_WRONLY | O_CREAT | O_TRUNC, 0600);
    int code = posix_spawnp(child, "gnuplot", &actions, NULL, arguments, environment);
    posix_spawn_file_actions_destroy(&actions);
    return code;
}

static int drawing_complain(const struct drawing *drawing, struct err *err)
{
    char path[300], line[300], last[300] = "it drew nothing";
    drawing_path(path, drawing, "messages");
    FILE *messages = fopen(path, "re");
    while (messages && fgets(line, sizeof line, messages))
        if (strstr(line, "line ") && !strstr(line, "warning:"))
            snprintf(last, sizeof last, "%s", line);
    if (messages)
        fclose(messages);
    last[strcspn(last, "\n")] = '\0';
    return err_set(err, EIO, "gnuplot could not draw the figure: %s", last);
}

static int drawing_gnuplot(struct drawing *drawing, struct err *err)
{
    pid_t child;
    int status, code = drawing_spawn(drawing, &child);
    if (code == ENOENT)
        return err_set(err, ENOENT,
                       "gnuplot is not installed, so there are no figures; install it (apt-get "
                       "install gnuplot-nox) and draw them with 'bench plot'");
    if (code)
        return err_set(err, code, "gnuplot could not be started: %s", strerror(code));
    while (waitpid(child, &status, 0) < 0)
        if (errno != EINTR)
            return err_set(err, errno, "gnuplot was lost: %s", strerror(errno));
    return status == 0 ? 0 : drawing_complain(drawing, err);
}

static size_t drawing_copy_bytes(FILE *file, FILE *out)
{
    char bytes[65536];
    size_t got, all = 0;
    while ((got = fread(bytes, 1, sizeof bytes, file)) > 0) {
        fwrite(bytes, 1, got, out);
        all += got;
    }
    return all;
}

/* The cells of a map are enlarged as they are: a browser would blend each with its neighbours, and
 * so show values that nobody measured. */
static size_t drawing_copy_svg(FILE *file, FILE *out)
{
    static const char image[] = "<image ";
    char *line = NULL;
    size_t room = 0, all = 0;
    for (ssize_t got; (got = getline(&line, &room, file)) > 0; all += (size_t)got) {
        const char *rest = line;
        for (const char *at; (at = strstr(rest, image)); rest = at + sizeof image - 1)
            fprintf(out, "%.*s%sstyle='image-rendering:pixelated' ", (int)(at - rest), rest, image);
        fputs(rest, out);
    }
    free(line);
    return all;
}

static int drawing_copy(const struct drawing *drawing, enum figure_terminal terminal, FILE *out,
                        struct err *err)
{
    char path[300];
    size_t all = 0;
    drawing_path(path, drawing, "figure.out");
    FILE *file = fopen(path, "re");
    if (file) {
        all = terminal == FIGURE_SVG ? drawing_copy_svg(file, out) : drawing_copy_bytes(file, out);
        fclose(file);
    }
    return all ? 0 : drawing_complain(drawing, err);
}

int drawing_render(struct drawing *drawing, enum figure_terminal terminal, const char *script,
                   FILE *out, struct err *err)
{
    drawing_set(drawing, "terminal", terminal);
    int failed = drawing_write_script(drawing, "style.gp", asset_style_gp, err);
    if (!failed)
        failed = drawing_write_script(drawing, "figure.gp", script, err);
    if (!failed)
        failed = drawing_gnuplot(drawing, err);
    return failed ? failed : drawing_copy(drawing, terminal, out, err);
}
