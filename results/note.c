/* What has to be said beside a table. */
#include "results/note.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "harness/base/clause.h"
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
    if (most >= 0 && some->threads_replayed > 1) {
        char from[32] = "";
        least = round(100 * least);
        most = round(100 * most);
        if (least < most)
            snprintf(from, sizeof from, "%.0f to ", least);
        snprintf(text + used, NOTE_TEXT - (size_t)used,
                 ", where %s%.0f %% of their time was waiting for one another's blocks "
                 "(wait_share)",
                 from, most);
    }
    return true;
}

static bool note_is_ok(const struct row *row)
{
    return strcmp(row->status, "ok") == 0;
}

/* What holds for so many rows is said once for all of them. */
enum { NOTE_SHARED = 3 };

static size_t note_rows_with(const struct row *rows, size_t count, const char *clause,
                             size_t length)
{
    size_t found = 0;
    for (size_t i = 0; i < count; i++)
        found += note_is_ok(&rows[i]) && clause_has(rows[i].detail, clause, length);
    return found;
}

/* What is said of this row alone. */
static bool note_own(const struct row *rows, size_t count, const struct row *row,
                     char text[NOTE_TEXT])
{
    text[0] = '\0';
    if (!note_is_ok(row)) {
        snprintf(text, NOTE_TEXT, "%s%s%s", row->status, *row->detail ? ": " : "", row->detail);
        return true;
    }
    const char *rest;
    for (const char *clause = row->detail; *clause; clause = rest) {
        size_t length = clause_first(clause, &rest);
        if (note_rows_with(rows, count, clause, length) < NOTE_SHARED)
            clause_add(text, NOTE_TEXT, "%.*s", (int)length, clause);
    }
    return *text;
}

static void note_shared(const struct row *rows, size_t count, const struct row *row, note_say *say,
                        void *arg)
{
    char subject[64], text[NOTE_TEXT];
    const char *rest;
    for (const char *clause = row->detail; note_is_ok(row) && *clause; clause = rest) {
        size_t length = clause_first(clause, &rest);
        size_t others = note_rows_with(row, count - (size_t)(row - rows), clause, length);
        if (others < NOTE_SHARED || others < note_rows_with(rows, count, clause, length))
            continue;
        snprintf(subject, sizeof subject, "%zu of %zu allocators", others, count);
        snprintf(text, sizeof text, "%.*s", (int)length, clause);
        say(arg, subject, text);
    }
}

void note_each(const struct row *rows, size_t count, note_say *say, void *arg)
{
    char text[NOTE_TEXT];
    for (size_t i = 0; i < count; i++)
        if (note_own(rows, count, &rows[i], text))
            say(arg, rows[i].allocator, text);
    for (size_t i = 0; i < count; i++)
        note_shared(rows, count, &rows[i], say, arg);
    if (note_threads(rows, count, text))
        say(arg, "threads", text);
    if (note_clock(rows, count, text))
        say(arg, "latency", text);
    if (note_noise(rows, count, text))
        say(arg, "noisy: the repetitions spread", text);
}
