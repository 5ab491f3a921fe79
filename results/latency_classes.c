/* Latency by operation and size class. */
#include "results/latency_classes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "results/csv_line.h"
#include "results/series.h"

static const char *const latency_columns[LATENCY_FIGURES] = {
    [LATENCY_P50] = "p50_ns",   [LATENCY_P90] = "p90_ns",     [LATENCY_P99] = "p99_ns",
    [LATENCY_P999] = "p999_ns", [LATENCY_P9999] = "p9999_ns", [LATENCY_P99999] = "p99999_ns",
    [LATENCY_MAX] = "max_ns",
};

/* What the line holds in the column of that name, "" where there is none. */
static const char *latency_field(const struct csv_line *head, const struct csv_line *line,
                                 const char *name)
{
    size_t column = csv_line_find(head, name);
    return column < head->count && column < line->count ? line->cells[column] : "";
}

static uint64_t latency_count(const char *text, uint64_t missing)
{
    char *end;
    uint64_t count = strtoull(text, &end, 10);
    return end == text ? missing : count;
}

static double latency_time(const char *text)
{
    char *end;
    double ns = strtod(text, &end);
    return end == text || !(ns >= 0) ? NAN : ns;
}

static struct latency_class latency_class_of(const struct csv_line *head,
                                             const struct csv_line *line)
{
    struct latency_class class = {
        .up_to = latency_count(latency_field(head, line, "up_to"), UINT64_MAX),
        .count = latency_count(latency_field(head, line, "count"), 0),
    };
    snprintf(class.operation, sizeof class.operation, "%.15s",
             latency_field(head, line, "operation"));
    for (size_t i = 0; i < LATENCY_FIGURES; i++)
        class.ns[i] = latency_time(latency_field(head, line, latency_columns[i]));
    return class;
}

size_t latency_classes_read(const struct store *store, const struct cell_result *cell,
                            struct latency_class classes[LATENCY_CLASSES_MOST])
{
    struct csv_line head, line;
    size_t count = 0;
    FILE *file = series_open(store, "latency", cell, ".csv");
    if (!file)
        return 0;
    if (csv_line_read(file, &head))
        while (count < LATENCY_CLASSES_MOST && csv_line_read(file, &line)) {
            classes[count] = latency_class_of(&head, &line);
            count += classes[count].count > 0;
        }
    fclose(file);
    return count;
}
