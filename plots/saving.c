/* A figure as a file. */
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "plots/figures.h"

/* A file that is not finished is not left behind. */
static int saving_keep(FILE *file, const char *unfinished, const char *path, int failed,
                       struct err *err)
{
    errno = ENOSPC;
    bool written = !ferror(file) && fflush(file) == 0;
    int code = errno;
    fclose(file);
    if (!failed && !written)
        failed = err_set(err, code, "%s: %s; free some space, or choose another folder with -o",
                         path, strerror(code));
    if (!failed && rename(unfinished, path) < 0)
        failed = err_set(err, errno, "%s: %s", path, strerror(errno));
    if (failed)
        unlink(unfinished);
    return failed;
}

static int saving_refused(const char *path, struct err *err)
{
    return err_set(err, errno, "%s: %s; choose another folder with -o", path, strerror(errno));
}

int figure_save(size_t figure, enum figure_terminal terminal, const struct figure_options *options,
                const struct store *store, const char *trace, const char *folder, char **path,
                struct err *err)
{
    char slug[STORE_NAME], *unfinished;
    store_slug(slug, figure_subject(figure, store, trace));
    if (asprintf(path, "%s/%s.%s.%s", folder, figure_name(figure), slug,
                 figure_terminals[terminal]) < 0 ||
        asprintf(&unfinished, "%s.part", *path) < 0)
        err_no_memory("a path");
    int failed = 0;
    if (mkdir(folder, 0777) < 0 && errno != EEXIST)
        failed = saving_refused(folder, err);
    FILE *file = failed ? NULL : fopen(unfinished, "we");
    if (file) {
        failed = figure_draw(figure, terminal, options, store, trace, file, err);
        failed = saving_keep(file, unfinished, *path, failed, err);
    } else if (!failed) {
        failed = saving_refused(*path, err);
    }
    free(unfinished);
    return failed;
}
