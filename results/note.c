/* What has to be said beside a table. */
#include "results/note.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "harness/base/units.h"

#define NOTE_NOISY_SPREAD 0.10

enum { NOTE_TEXT = 4096 };

bool note_is_noisy(const struct row *row)
{
    return row->spread > NOTE_NOISY_SPREAD;
}

static void note_append(char text[NOTE_TEXT], const char *more)
{
    size_t used = strlen(text);
    snprintf(text + used, NOTE_TEXT - used, "%s", more);
}

/* "system 23 %, buddy 14 %; close …" */
static bool note_noise(const struct row *rows, size_t count, char text[NOTE_TEXT])
{
    size_t noisy = 0;
    text[0] = '\0';
    for (size_t i = 0; i < count; i++) {
        char one[sizeof rows->allocator + 32];
        if (!note_is_noisy(&rows[i]))
            continue;
        snprintf(one, sizeof one, "%s%s by %.0f %%", noisy++ ? ", " : "", rows[i].allocator,
                 100 * rows[i].spread);
        note_append(text, one);
    }
    note_append(text, "; close what else is running, or repeat more often with -n");
    return noisy > 0;
}

/* The rows were measured on one machine, so that one figure stands for all. */
static bool note_clock(const struct row *rows, size_t count, char text[NOTE_TEXT])
{
    size_t i = 0;
    char cost[UNITS_TEXT];
    while (i < count && isnan(rows[i].clock_cost_ns))
        i++;
    if (i < count)
        snprintf(text, NOTE_TEXT,
                 "the clock's own cost is part of each: a call that does nothing "
                 "is told as %s",
                 units_format_time(cost, rows[i].clock_cost_ns));
    return i < count;
}

static bool note_has_threads(const struct row *row)
{
    return row->threads_recorded != COUNT_UNKNOWN && row->threads_recorded > 1 &&
           row->threads_replayed != COUNT_UNKNOWN;
}

/* How the recorded threads were replayed; what they waited is told from the least to the most. */
static bool note_threads(const struct row *rows, size_t count, char text[NOTE_TEXT])
{
    const struct row *some = NULL;
    double least = INFINITY, most = -1;
    for (size_t i = 0; i < count; i++) {
        if (!note_has_threads(&rows[i]))
            continue;
        some = &rows[i];
        least = fmin(least, rows[i].wait_share);
        most = fmax(most, rows[i].wait_share);
    }
    if (!some)
        return false;
    bool processes = some->processes_replayed != COUNT_UNKNOWN && some->processes_replayed > 1;
    int used = snprintf(text, NOTE_TEXT, "%llu in the trace, %llu %s",
                        (unsigned long long)some->threads_recorded,
                        (unsigned long long)some->threads_replayed,
                        processes ? "processes in the replay" : "in the replay");
    if (most >= 0 && some->threads_replayed > 1)
        snprintf(text + used, NOTE_TEXT - (size_t)used,
                 ", where %.0f to %.0f %% of their time was waiting for one another's blocks "
                 "(wait_share)",
                 100 * least, 100 * most);
    return true;
}

void note_each(const struct row *rows, size_t count,
               void (*say)(void *arg, const char *subject, const char *text), void *arg)
{
    char text[NOTE_TEXT];
    for (size_t i = 0; i < count; i++) {
        bool ok = strcmp(rows[i].status, "ok") == 0;
        if (ok && !*rows[i].detail)
            continue;
        snprintf(text, sizeof text, "%s%s%s", ok ? "" : rows[i].status,
                 ok || !*rows[i].detail ? "" : ": ", rows[i].detail);
        say(arg, rows[i].allocator, text);
    }
    if (note_threads(rows, count, text))
        say(arg, "threads", text);
    if (note_clock(rows, count, text))
        say(arg, "latency", text);
    if (note_noise(rows, count, text))
        say(arg, "noisy: the repetitions spread", text);
}
