/* The slowest calls of a run. */
#include "results/slowest.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "harness/base/units.h"
#include "results/asked.h"
#include "results/series.h"
#include "results/text.h"

/* A line of latency/CELL.worst.csv; UINT64_MAX where it has none. */
struct slowest_call {
    uint64_t latency_ns;
    uint64_t event;
    uint64_t thread;
    char operation[16];
    uint64_t size;
    uint64_t switches;
    uint64_t again_ns;
    uint64_t page_faults;
    uint64_t system_calls;
    char system_call_names[128];
    char cause[40];
    char core[8]; /* whether its thread kept it, "" where that is not told */
};

enum { SLOWEST_MOST = 64 };

/* ---- reading --------------------------------------------------------------------------------- */

/* Takes the text before the next comma; what does not fit is cut. */
static const char *slowest_text(const char *at, char *out, size_t length)
{
    size_t whole = strcspn(at, ",\r\n");
    snprintf(out, length, "%.*s", (int)whole, at);
    return at + whole + (at[whole] == ',');
}

static const char *slowest_count(const char *at, uint64_t *count)
{
    char text[24], *end;
    at = slowest_text(at, text, sizeof text);
    uint64_t number = strtoull(text, &end, 10);
    *count = end == text ? UINT64_MAX : number;
    return at;
}

/* False for a line that is none of ours. */
static bool slowest_take(const char *at, struct slowest_call *call)
{
    at = slowest_count(at, &call->latency_ns);
    at = slowest_count(at, &call->event);
    at = slowest_count(at, &call->thread);
    at = slowest_text(at, call->operation, sizeof call->operation);
    at = slowest_count(at, &call->size);
    at = slowest_count(at, &call->switches);
    at = slowest_count(at, &call->again_ns);
    at = slowest_count(at, &call->page_faults);
    at = slowest_count(at, &call->system_calls);
    at = slowest_text(at, call->system_call_names, sizeof call->system_call_names);
    at = slowest_text(at, call->cause, sizeof call->cause);
    slowest_text(at, call->core, sizeof call->core);
    return call->latency_ns != UINT64_MAX && call->event != UINT64_MAX &&
           call->size != UINT64_MAX && *call->cause;
}

/* Returns how many there are, the slowest first; 0 without the file. */
static size_t slowest_read(const struct store *store, const struct cell_result *cell,
                           struct slowest_call calls[SLOWEST_MOST])
{
    char line[1024];
    size_t count = 0;
    FILE *file = series_open(store, "latency", cell, ".worst.csv");
    if (!file)
        return 0;
    if (fgets(line, sizeof line, file))
        while (count < SLOWEST_MOST && fgets(line, sizeof line, file))
            count += slowest_take(line, &calls[count]);
    fclose(file);
    return count;
}

const struct cell_result *slowest_cell(const struct store *store, const char *allocator,
                                       const char *trace)
{
    for (size_t i = 0; i < store_cell_count(store); i++) {
        const struct cell_result *cell = store_cell(store, i);
        if (strcmp(cell->pass, "latency") == 0 && strcmp(cell->status, "ok") == 0 &&
            strcmp(cell->allocator, allocator) == 0 && strcmp(cell->trace, trace) == 0)
            return cell;
    }
    return NULL;
}

/* ---- telling --------------------------------------------------------------------------------- */

static bool slowest_was_disturbed(const struct slowest_call *call)
{
    return strcmp(call->cause, "not the allocator") == 0 ||
           strcmp(call->cause, "core taken away") == 0;
}

static void slowest_print_call(FILE *out, const struct slowest_call *call)
{
    char time[UNITS_TEXT], size[UNITS_TEXT];
    fprintf(out, "    %9s  %s of %s, event %" PRIu64 ": ",
            units_format_time(time, (double)call->latency_ns), call->operation,
            units_format_size(size, call->size), call->event);
    text_plain(out, call->cause);
    if (*call->system_call_names) {
        fputs(" (", out);
        text_plain(out, call->system_call_names);
        fputc(')', out);
    }
    if (call->page_faults != UINT64_MAX && call->page_faults > 0)
        fprintf(out, ", %" PRIu64 " page fault%s", call->page_faults,
                call->page_faults > 1 ? "s" : "");
    fputc('\n', out);
}

static void slowest_print_cell(FILE *out, const struct store *store, const struct cell_result *cell)
{
    enum { SHOWN = 3 };
    struct slowest_call calls[SLOWEST_MOST];
    size_t count = slowest_read(store, cell, calls), disturbed = 0, shown = 0;
    for (size_t i = 0; i < count; i++)
        disturbed += slowest_was_disturbed(&calls[i]);
    if (count == 0)
        return;
    fputs("  ", out);
    text_plain(out, cell->allocator);
    fprintf(out, ": of the %zu slowest %zu were not the allocator's doing%s\n", count, disturbed,
            disturbed < count ? "; then" : "");
    for (size_t i = 0; i < count && shown < SHOWN; i++)
        if (!slowest_was_disturbed(&calls[i])) {
            slowest_print_call(out, &calls[i]);
            shown++;
        }
}

static void slowest_print_trace(FILE *out, const struct store *store, const char *trace,
                                const char *const *allocators)
{
    bool begun = false;
    for (; *allocators; allocators++) {
        const struct cell_result *cell = slowest_cell(store, *allocators, trace);
        if (!cell)
            continue;
        if (!begun) {
            fputs("\nSlowest calls of ", out);
            text_plain(out, trace);
            fprintf(out, ", in latency repetition %" PRIu64 "\n", cell->repetition);
        }
        begun = true;
        slowest_print_cell(out, store, cell);
    }
}

void slowest_print(FILE *out, const struct store *store)
{
    const char **allocators = asked_allocators(store), **traces = asked_traces(store);
    for (const char **trace = traces; *trace; trace++)
        slowest_print_trace(out, store, *trace, allocators);
    free(allocators);
    free(traces);
}
