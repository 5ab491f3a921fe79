/* Explains a trace on one allocator after the other. */
#include "harness/explain/explaining.h"

#include <errno.h>
#include <stdlib.h>

#include "harness/explain/record.h"
#include "harness/explain/words.h"

static int explaining_keep(struct explaining *explaining, const struct explaining_found *found,
                           struct err *err)
{
    json_array_append_new(explaining->moments, record_moment(&found->breakdown, found->holders));
    if (!explaining->store)
        return 0;
    json_t *line = record_line(&found->breakdown, found->holders);
    int failed = breakdown_append(explaining->store, line, err);
    json_decref(line);
    return failed;
}

static char *explaining_words(const struct explaining *explaining,
                              const struct explaining_found *found, const struct holders *holders)
{
    char *text = NULL;
    size_t length, place = (size_t)(found - explaining->found);
    FILE *out = open_memstream(&text, &length);
    if (!out)
        err_no_memory("words");
    if (explaining->leaves_out)
        words_of_gain(out, &explaining->before[place], &found->breakdown);
    else
        words_of_moment(out, &found->breakdown, holders, &explaining->sites,
                        explaining->inquiry.events);
    fclose(out);
    return text;
}

static int explaining_visit(void *arg, const struct moment *moment, const struct scene *scene,
                            const struct moments_area *at, struct err *err)
{
    (void)err;
    struct explaining *explaining = arg;
    const struct inquiry *inquiry = &explaining->inquiry;
    struct explaining_found *found = &explaining->found[moment - inquiry->moments];
    struct holders holders;
    record_scene(&found->breakdown, inquiry, moment, scene, at);
    if (explaining->leaves_out)
        without_describe(explaining->without, found->breakdown.without,
                         sizeof found->breakdown.without);
    found->reached = true;
    holders_find(&holders, scene, &explaining->sites, at);
    found->holders = record_holders(&holders, &explaining->sites, inquiry->times);
    found->text = explaining_words(explaining, found, &holders);
    holders_release(&holders);
    return 0;
}

/* A moment that was not reached is a result too. */
static void explaining_note_failure(struct explaining *explaining, size_t place)
{
    struct explaining_found *found = &explaining->found[place];
    const struct inquiry *inquiry = &explaining->inquiry;
    record_failure(&found->breakdown, inquiry, &inquiry->moments[place], &inquiry->result);
    bool leaves_out = explaining->leaves_out;
    if (leaves_out)
        without_describe(explaining->without, found->breakdown.without,
                         sizeof found->breakdown.without);
    explaining->leaves_out = false;
    found->text = explaining_words(explaining, found, NULL);
    explaining->leaves_out = leaves_out;
    if (!record_status_is_fine(inquiry->result.status))
        explaining->failed = true;
}

/* Tells all of a replay's moments; `failed` is how it ended. */
static int explaining_tell(struct explaining *explaining, int failed, struct err *err)
{
    bool ended = !failed || failed == -ECANCELED;
    int unkept = 0;
    for (size_t i = 0; i < explaining->inquiry.count; i++) {
        struct explaining_found *found = &explaining->found[i];
        if (ended && !found->reached)
            explaining_note_failure(explaining, i);
        if (found->text && explaining->out)
            fputs(found->text, explaining->out);
        if (found->text && !unkept)
            unkept = explaining_keep(explaining, found, ended ? err : NULL);
        if (!explaining->leaves_out)
            explaining->before[i] = found->breakdown;
        free(found->text);
        json_decref(found->holders);
        *found = (struct explaining_found){0};
    }
    if (explaining->out)
        fflush(explaining->out);
    return ended ? unkept : failed;
}

int explaining_allocator(struct explaining *explaining, const char *spec,
                         const struct moments_request *left_out, struct err *err)
{
    struct inquiry *inquiry = &explaining->inquiry;
    inquiry->cell.allocator = spec;
    explaining->leaves_out = false;
    int failed = inquiry_resolve(inquiry, err);
    if (!failed)
        failed = inquiry_ask(inquiry, NULL, explaining_visit, explaining, err);
    bool whole = !failed;
    failed = explaining_tell(explaining, failed, err);
    if (failed || !whole || !left_out)
        return failed;
    explaining->leaves_out = true;
    failed = inquiry_ask(inquiry, left_out, explaining_visit, explaining, err);
    return explaining_tell(explaining, failed, err);
}
