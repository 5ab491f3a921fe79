/* The files that go with a cell. */
#include "harness/artefacts.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

#include "harness/census_json.h"
#include "results/strip.h"

/* Lines of the percentile table for each halving of the distance to 100 %. */
enum { HGRM_TICKS = 5 };

typedef void artefact_writer(FILE *out, const void *what);

static int artefacts_write(struct store *store, const char *kind, const struct cell_result *result,
                           const char *ending, artefact_writer *write, const void *what,
                           struct err *err)
{
    char name[STORE_NAME];
    FILE *out = store_begin_file(store, kind, store_cell_name(name, result), ending, err);
    if (!out)
        return -err->code;
    write(out, what);
    return store_end_file(store, out, err);
}

/* An unknown count is an empty field. */
static void artefacts_print_count(FILE *out, uint64_t count, char end)
{
    if (count != COUNT_UNKNOWN)
        fprintf(out, "%" PRIu64, count);
    fputc(end, out);
}

/* Latencies of all kinds and sizes, and what the clock's own cost is of each. */
struct artefacts_calls {
    const struct histogram *all;
    double clock_cost_ns;
};

static void artefacts_print_hgrm(FILE *out, const void *what)
{
    const struct artefacts_calls *calls = what;
    histogram_print(out, calls->all, HGRM_TICKS);
    fprintf(out, "#[ClockCost = %12.3f, part of every Value]\n", calls->clock_cost_ns);
}

/* Of few records a far percentile would be the maximum under another name. */
static double artefacts_percentile(const struct histogram *histogram, double percentile)
{
    return histogram_reaches(histogram, percentile)
               ? (double)histogram_percentile(histogram, percentile)
               : REAL_UNKNOWN;
}

/* What a line of the class table tells of its calls, in the order of its columns; percentiles that
 * nothing lies beyond are unknown. */
static const struct artefacts_figure {
    const char *name;
    double percentile;
} artefacts_figures[] = {
    {"mean", -1},   {"p50", 50},      {"p90", 90},        {"p99", 99},
    {"p999", 99.9}, {"p9999", 99.99}, {"p99999", 99.999}, {"max", 100},
};
enum { ARTEFACTS_FIGURES = sizeof artefacts_figures / sizeof *artefacts_figures };

static double artefacts_figure(const struct histogram *histogram, double percentile)
{
    if (percentile < 0)
        return histogram_mean(histogram);
    return percentile < 100 ? artefacts_percentile(histogram, percentile) : (double)histogram->max;
}

/* An unknown value is an empty field. Only a mean has more than whole nanoseconds. */
static void artefacts_print_figures(FILE *out, const struct histogram *histogram, double less_ns)
{
    for (size_t i = 0; i < ARTEFACTS_FIGURES; i++) {
        double percentile = artefacts_figures[i].percentile;
        double value = latency_net_ns(artefacts_figure(histogram, percentile), less_ns);
        fputc(',', out);
        if (!isnan(value))
            fprintf(out, "%.*f", less_ns > 0 || percentile < 0 ? 1 : 0, value);
    }
}

struct artefacts_classes {
    const struct latency_area *area;
    double clock_cost_ns;
};

static void artefacts_print_class(FILE *out, const struct artefacts_classes *classes, unsigned kind,
                                  unsigned class)
{
    const struct histogram *histogram = &classes->area->histograms[kind][class];
    if (histogram->total == 0)
        return;
    fprintf(out, "%s,", latency_kind_names[kind]);
    if (class < SIZE_CLASSES - 1)
        fprintf(out, "%" PRIu64, size_class_limits[class]);
    fprintf(out, ",%" PRIu64, histogram->total);
    artefacts_print_figures(out, histogram, 0);
    fprintf(out, ",%.1f", classes->clock_cost_ns);
    artefacts_print_figures(out, histogram, classes->clock_cost_ns);
    fputc('\n', out);
}

/* `up_to` is the class's largest size, empty for the last class. */
static void artefacts_print_classes(FILE *out, const void *what)
{
    fputs("operation,up_to,count", out);
    for (size_t i = 0; i < ARTEFACTS_FIGURES; i++)
        fprintf(out, ",%s_ns", artefacts_figures[i].name);
    fputs(",clock_cost_ns", out);
    for (size_t i = 0; i < ARTEFACTS_FIGURES; i++)
        fprintf(out, ",%s_net_ns", artefacts_figures[i].name);
    fputc('\n', out);
    for (unsigned kind = 0; kind < LATENCY_KINDS; kind++)
        for (unsigned class = 0; class < SIZE_CLASSES; class ++)
            artefacts_print_class(out, what, kind, class);
}

/* "munmap:1 madvise:2" */
static void artefacts_print_system_calls(FILE *out, const struct worst_call *call)
{
    for (size_t i = 0; i < WORST_SYSTEM_CALLS && call->numbers[i].count; i++) {
        const char *name = system_call_name(call->numbers[i].number);
        fputs(i ? " " : "", out);
        if (name)
            fprintf(out, "%s:%" PRIu32, name, call->numbers[i].count);
        else
            fprintf(out, "%" PRIu32 ":%" PRIu32, call->numbers[i].number, call->numbers[i].count);
    }
}

static void artefacts_print_worst_call(FILE *out, const struct worst_call *call)
{
    artefacts_print_count(out, call->ns, ',');
    artefacts_print_count(out, call->event, ',');
    artefacts_print_count(out, call->thread, ',');
    fprintf(out, "%s,", latency_kind_names[call->kind]);
    artefacts_print_count(out, call->size, ',');
    artefacts_print_count(out, call->switches, ',');
    artefacts_print_count(out, call->again_ns, ',');
    artefacts_print_count(out, call->page_faults, ',');
    artefacts_print_count(out, call->system_calls, ',');
    artefacts_print_system_calls(out, call);
    fprintf(out, ",%s,%s\n", cause_names[worst_cause(call)], worst_core(call));
}

static void artefacts_print_worst(FILE *out, const void *what)
{
    struct worst worst = ((const struct latency_area *)what)->worst;
    worst_order_by_time(&worst);
    fputs("latency_ns,event,thread,operation,size,switches,again_ns,page_faults,system_calls,"
          "system_call_names,cause,core\n",
          out);
    for (size_t i = 0; i < worst.count; i++)
        artefacts_print_worst_call(out, &worst.calls[i]);
}

static void artefacts_percentiles(const struct histogram *all, struct cell_result *result)
{
    if (all->total == 0)
        return;
    result->p50_ns = artefacts_percentile(all, 50);
    result->p90_ns = artefacts_percentile(all, 90);
    result->p99_ns = artefacts_percentile(all, 99);
    result->p999_ns = artefacts_percentile(all, 99.9);
    result->p9999_ns = artefacts_percentile(all, 99.99);
    result->p99999_ns = artefacts_percentile(all, 99.999);
    result->max_ns = (double)all->max;
}

static void artefacts_own_max(const struct latency_area *area, struct cell_result *result)
{
    uint64_t own_ns = worst_own_ns(&area->worst);
    if (own_ns != WORST_UNKNOWN)
        result->own_max_ns = (double)own_ns;
}

int artefacts_latency(struct store *store, const struct latency_area *area,
                      struct cell_result *result, struct err *err)
{
    struct histogram *all = calloc(1, sizeof *all);
    if (!all)
        return err_set(err, ENOMEM, "no memory for a histogram");
    for (unsigned kind = 0; kind < LATENCY_KINDS; kind++)
        for (unsigned class = 0; class < SIZE_CLASSES; class ++)
            histogram_add(all, &area->histograms[kind][class]);
    artefacts_percentiles(all, result);
    artefacts_own_max(area, result);
    const struct artefacts_classes classes = {area, result->clock_cost_ns};
    const struct artefacts_calls calls = {all, result->clock_cost_ns};
    int status =
        artefacts_write(store, "latency", result, ".hgrm", artefacts_print_hgrm, &calls, err);
    if (status == 0)
        status = artefacts_write(store, "latency", result, ".csv", artefacts_print_classes,
                                 &classes, err);
    if (status == 0)
        status = artefacts_write(store, "latency", result, ".worst.csv", artefacts_print_worst,
                                 area, err);
    free(all);
    return status;
}

static void artefacts_print_series(FILE *out, const void *what)
{
    const struct memory_area *area = what;
    fputs("event,time_ns,allocated,live,usable,held,resident,lazyfree,rss,vsz,blocks\n", out);
    for (size_t i = 0; i < area->samples; i++) {
        const struct cell_sample *sample = &area->sample[i];
        const uint64_t counts[] = {
            sample->event, sample->time_ns,  sample->allocated, sample->live, sample->usable,
            sample->held,  sample->resident, sample->lazyfree,  sample->rss,  sample->vsz};
        for (size_t j = 0; j < sizeof counts / sizeof *counts; j++)
            artefacts_print_count(out, counts[j], ',');
        artefacts_print_count(out, sample->blocks, '\n');
    }
}

/* A map's shares of cells of `bytes`, in order; NaN is not known. */
typedef double artefacts_share(const void *map, size_t i, bool live);

static void artefacts_print_strip(FILE *out, const void *map, size_t from, size_t count,
                                  artefacts_share *share)
{
    for (int live = 1; live >= 0; live--) {
        struct strip strip = {.out = out};
        fputs(live ? ", \"live\": \"" : ", \"resident\": \"", out);
        for (size_t i = from; i < from + count; i++)
            strip_add(&strip, share(map, i, live));
        strip_end(&strip);
        fputc('"', out);
    }
}

/* A row of the heap map under way. */
struct artefacts_row {
    const struct heapmap *map;
    uint16_t row;
};

static double artefacts_heap_share(const void *what, size_t column, bool live)
{
    const struct artefacts_row *at = what;
    const struct heapmap_load *load = &at->map->shown[column][at->row];
    double bytes = (double)heapmap_row_bytes(at->map);
    if (live)
        return (double)load->live / bytes;
    return at->map->residency_known[column] ? (double)load->resident / bytes : NAN;
}

static void artefacts_print_map(FILE *out, const void *what)
{
    const struct memory_area *area = what;
    const struct heapmap *map = &area->map;
    uint16_t order[HEAPMAP_ROWS];
    heapmap_order(map, order);
    fprintf(out, "{\"bytes\": %" PRIu64 ",\n \"events\": [", heapmap_row_bytes(map));
    for (uint32_t column = 0; column < map->columns; column++)
        fprintf(out, "%s%" PRIu64, column ? "," : "", map->events[column]);
    fputs("],\n \"rows\": [", out);
    for (uint32_t i = 0; i < map->rows; i++) {
        const struct artefacts_row row = {map, order[i]};
        fprintf(out, "%s\n  {\"address\": \"0x%" PRIx64 "\"", i ? "," : "",
                heapmap_row_address(map, order[i]));
        artefacts_print_strip(out, &row, 0, map->columns, artefacts_heap_share);
        fputc('}', out);
    }
    fputs("]}\n", out);
}

/* The page map of a moment. */
struct artefacts_pages {
    const struct page_map *map;
    uint64_t event;
};

static uint64_t artefacts_cell_bytes(const struct page_map *map)
{
    return (uint64_t)CENSUS_PAGE << map->cell_log2;
}

static double artefacts_page_share(const void *what, size_t cell, bool live)
{
    const struct page_map *map = what;
    uint64_t bytes = live ? map->live[cell] : map->resident[cell];
    return (double)bytes / (double)artefacts_cell_bytes(map);
}

/* A row is a stretch of cells without a gap. */
static void artefacts_print_pages(FILE *out, const void *what)
{
    const struct artefacts_pages *pages = what;
    const struct page_map *map = pages->map;
    uint64_t bytes = artefacts_cell_bytes(map);
    fprintf(out, "{\"bytes\": %" PRIu64 ", \"event\": %" PRIu64 ",\n \"rows\": [", bytes,
            pages->event);
    for (uint32_t from = 0, count; from < map->cells; from += count) {
        for (count = 1;
             from + count < map->cells && map->address[from + count] == map->address[from] + count;)
            count++;
        fprintf(out, "%s\n  {\"address\": \"0x%" PRIx64 "\"", from ? "," : "",
                map->address[from] * bytes);
        artefacts_print_strip(out, map, from, count, artefacts_page_share);
        fputc('}', out);
    }
    fputs("]}\n", out);
}

static int artefacts_pages(struct store *store, const struct memory_area *area,
                           const struct cell_result *result, struct err *err)
{
    int status = 0;
    for (size_t i = 0; i < CENSUS_MOMENTS && status == 0; i++) {
        const struct artefacts_pages pages = {&area->pages[i], area->census[i].event};
        char ending[32];
        snprintf(ending, sizeof ending, ".%s.json", census_moment_names[i]);
        if (pages.map->cells > 0)
            status = artefacts_write(store, "pagemap", result, ending, artefacts_print_pages,
                                     &pages, err);
    }
    return status;
}

static void artefacts_print_census(FILE *out, const void *what)
{
    const struct memory_area *area = what;
    json_t *json = census_json(area->census);
    json_dumpf(json, out, JSON_COMPACT | JSON_REAL_PRECISION(6));
    fputc('\n', out);
    json_decref(json);
}

int artefacts_memory(struct store *store, const struct memory_area *area,
                     const struct cell_result *result, struct err *err)
{
    int status =
        artefacts_write(store, "series", result, ".csv", artefacts_print_series, area, err);
    if (status == 0 && area->map.columns > 0)
        status = artefacts_write(store, "heapmap", result, ".json", artefacts_print_map, area, err);
    if (status == 0)
        status = artefacts_pages(store, area, result, err);
    if (status == 0 && area->census[0].taken)
        status =
            artefacts_write(store, "census", result, ".json", artefacts_print_census, area, err);
    return status;
}
