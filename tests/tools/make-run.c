/* make-run DIR [hostile]: writes a run folder without measuring anything, for tests of what reads
 * one. Every figure is made up by a seeded generator; "hostile" names allocators and a trace by
 * what a shell, gnuplot or a browser could be tricked with. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "harness/base/rng.h"
#include "results/breakdown.h"
#include "results/store.h"
#include "results/strip.h"

enum { REPEAT = 7, SAMPLES = 600, COLUMNS = 256, ROWS = 200, OPERATIONS = 1000000 };

static const char *const plain[] = {
    "null",  "bump", "system",   "first-fit", "best-fit", "next-fit",  "worst-fit",
    "buddy", "tlsf", "jemalloc", "mimalloc",  "tcmalloc", "tbbmalloc",
};

static const char *const tricky[] = {
    "null",
    "$(touch pwned)",
    "`touch pwned`",
    "<script>alert(1)</script>",
    "a\"b'c",
    "so:/tmp/x y\n\\\"; system \"touch pwned\" #",
    "@x %s {/Symbol a}_^&amp;",
    "\xc3\xa9t\xc3\xa9 \xff\xfe",
};

/* In place of the C library's: a made-up run need not outlive a crash, and is written sooner. */
int fsync(int file)
{
    (void)file;
    return 0;
}

static void fail(const struct err *err)
{
    fprintf(stderr, "make-run: %s\n", err->text);
    exit(1);
}

static double share(struct rng *rng)
{
    return (double)rng_below(rng, 1 << 20) / (1 << 20);
}

static struct cell_result cell_of(const char *allocator, const char *trace, const char *pass,
                                  uint64_t repetition)
{
    struct cell_result cell;
    cell_result_clear(&cell);
    snprintf(cell.allocator, sizeof cell.allocator, "%s", allocator);
    snprintf(cell.trace, sizeof cell.trace, "%s", trace);
    snprintf(cell.pass, sizeof cell.pass, "%s", pass);
    strcpy(cell.status, "ok");
    cell.repetition = repetition;
    cell.operations = OPERATIONS;
    cell.failed_allocations = 0;
    return cell;
}

static void append(struct store *store, const struct cell_result *cell)
{
    struct err err = {0};
    if (store_append(store, cell, &err) < 0)
        fail(&err);
}

static FILE *begin(struct store *store, const char *kind, const struct cell_result *cell,
                   const char *ending)
{
    struct err err = {0};
    char name[STORE_NAME];
    FILE *file = store_begin_file(store, kind, store_cell_name(name, cell), ending, &err);
    if (!file)
        fail(&err);
    return file;
}

static void end(struct store *store, FILE *file)
{
    struct err err = {0};
    if (store_end_file(store, file, &err) < 0)
        fail(&err);
}

static void add_throughput(struct store *store, const char *allocator, const char *trace, double ns,
                           struct rng *rng)
{
    for (uint64_t i = 0; i < REPEAT; i++) {
        struct cell_result cell = cell_of(allocator, trace, "throughput", i);
        cell.ns_per_op = ns * (1 + 0.04 * share(rng));
        append(store, &cell);
    }
}

/* A tail that falls off as a power of the distance to 100 %. */
static double tail(double ns, double rest)
{
    return ns * (0.8 + 0.2 * pow(rest, -0.25)) / pow(rest, 0.4);
}

/* Small blocks are quick and many; of few calls there are no far percentiles. */
static void add_classes(struct store *store, const struct cell_result *cell, double ns)
{
    static const char *const operations[] = {"free", "malloc", "calloc", "realloc"};
    static const int ends[] = {16, 256, 32768};
    FILE *file = begin(store, "latency", cell, ".csv");
    fputs("operation,up_to,count,mean_ns,p50_ns,p90_ns,p99_ns,p999_ns,p9999_ns,p99999_ns,max_ns,"
          "clock_cost_ns\n",
          file);
    for (int i = 0; i < 4; i++)
        for (int j = 0; j < 4; j++) {
            double base = ns * (1 + i) * (1 + j);
            fputs(operations[i], file);
            fputc(',', file);
            if (j < 3)
                fprintf(file, "%d", ends[j]);
            fprintf(file, ",%d,%.1f,%.0f,%.0f,%.0f", j < 3 ? 100000 : 500, base, tail(base, 0.5),
                    tail(base, 0.1), tail(base, 0.01));
            fprintf(file, j < 3 ? ",%.0f,%.0f,,%.0f,11.0\n" : ",,,,%.0f,11.0\n",
                    tail(base, j < 3 ? 1e-3 : 2e-3), tail(base, 1e-4), tail(base, 1e-5));
        }
    end(store, file);
}

static void add_latency(struct store *store, const char *allocator, const char *trace, double ns,
                        struct rng *rng)
{
    for (uint64_t i = 0; i < REPEAT; i++) {
        struct cell_result cell = cell_of(allocator, trace, "latency", i);
        double base = ns * (1 + 0.1 * share(rng));
        cell.p50_ns = tail(base, 0.5);
        cell.p99_ns = tail(base, 0.01);
        cell.p999_ns = tail(base, 0.001);
        cell.max_ns = tail(base, 1.0 / OPERATIONS);
        cell.clock_cost_ns = 11;
        FILE *file = begin(store, "latency", &cell, ".hgrm");
        fputs("       Value   Percentile   TotalCount 1/(1-Percentile)\n\n", file);
        for (double rest = 1; rest > 1.0 / OPERATIONS; rest /= 1.15)
            fprintf(file, "%12.3f %2.12f %10.0f %14.2f\n", floor(tail(base, rest)), 1 - rest,
                    (1 - rest) * OPERATIONS, 1 / rest);
        fprintf(file, "%12.3f %2.12f %10d %14s\n", cell.max_ns, 1.0, OPERATIONS, "inf");
        fputs("#[Mean = 0, StdDeviation = 0]\n", file);
        end(store, file);
        add_classes(store, &cell, base);
        append(store, &cell);
    }
}

/* A heap that grows and shrinks, and is never given back. */
static void add_map(struct store *store, const struct cell_result *cell, double waste,
                    struct rng *rng)
{
    FILE *map = begin(store, "heapmap", cell, ".json");
    fputs("{\"bytes\": 4096, \"events\": [0", map);
    for (int column = 1; column < COLUMNS; column++)
        fprintf(map, ",%d", column * 3000);
    fputs("], \"rows\": [", map);
    for (int row = 0; row < ROWS; row++) {
        struct strip strip = {.out = map};
        int gap = row > ROWS / 2 ? 512 : 0;
        fprintf(map, "%s{\"address\": \"0x%x\", \"live\": \"", row ? "," : "", (row + gap) * 4096);
        for (int column = 0; column < COLUMNS; column++) {
            double top = ROWS * sin(3.0 * column / COLUMNS);
            strip_add(&strip, row < top ? 1 - waste * share(rng) * 1.5 : 0);
        }
        strip_end(&strip);
        int first = (int)(asin((double)row / ROWS) * COLUMNS / 3);
        fprintf(map, "\", \"resident\": \"%dA%dz\"}", first + 1, COLUMNS - first - 1);
    }
    fputs("]}\n", map);
    end(store, map);
}

static void add_page_map(struct store *store, const struct cell_result *cell, double waste,
                         struct rng *rng)
{
    FILE *map = begin(store, "pagemap", cell, ".peak-live.json");
    fputs("{\"bytes\": 4096, \"event\": 5, \"rows\": [", map);
    for (int stretch = 0; stretch < 12; stretch++) {
        struct strip live = {.out = map};
        fprintf(map, "%s{\"address\": \"0x%x\", \"live\": \"", stretch ? "," : "",
                stretch * 0x100000);
        for (int page = 0; page < 200; page++)
            strip_add(&live, 1 - waste * share(rng) * 1.5);
        strip_end(&live);
        fputs("\", \"resident\": \"190z10A\"}", map);
    }
    fputs("]}\n", map);
    end(store, map);
}

static void add_census(struct store *store, const struct cell_result *cell, double waste)
{
    FILE *file = begin(store, "census", cell, ".json");
    fprintf(file,
            "{\"moments\": [{\"moment\": \"peak-live\", \"event\": 5, \"blocks\": 1000, "
            "\"live\": 100000, \"usable\": %.0f, \"anonymous\": 1000, \"huge\": 10, "
            "\"holes\": {\"count\": 66, \"bytes\": 7296, \"largest\": 4096, \"sizes\": "
            "[{\"size\": 16, \"holes\": 40, \"bytes\": 640}, {\"size\": 4096, \"holes\": 1, "
            "\"bytes\": 4096}], \"unusable\": [{\"size\": 16, \"unusable\": 0, \"too_small\": "
            "0}, {\"size\": 8192, \"unusable\": 1, \"too_small\": 1}]}, \"pages\": "
            "{\"resident\": 24, \"live_bytes\": 50000, \"by_live_share\": [1, 0, 0, 2, 3, 4, 5, "
            "1, 0, 0, 6, 2]}, \"classes\": [{\"smallest\": 24, \"largest\": 24, \"blocks\": 9, "
            "\"requested\": 100, \"usable\": 216}]}]}\n",
            100000 * (1 + 0.3 * waste));
    end(store, file);
}

/* The real program, watched. */
static void add_program(struct store *store, const char *allocator, const char *trace, double heap,
                        struct rng *rng)
{
    for (uint64_t i = 0; i < 3; i++) {
        struct cell_result cell = cell_of(allocator, trace, "watch", i);
        cell.heap_bytes = (uint64_t)(heap * (1 + 0.01 * share(rng)));
        cell.own_bytes = 3000000;
        cell.stack_bytes = cell.data_bytes = cell.processes = 0;
        cell.file_bytes = 4000000;
        append(store, &cell);
    }
}

static void add_memory(struct store *store, const char *allocator, const char *trace, double waste,
                       struct rng *rng)
{
    struct cell_result cell = cell_of(allocator, trace, "memory", 0);
    FILE *series = begin(store, "series", &cell, ".csv");
    double held = 0, peak_live = 0, peak = 0;
    fputs("event,time_ns,allocated,live,usable,held,resident,lazyfree,rss,vsz,blocks\n", series);
    for (int i = 0; i <= SAMPLES; i++) {
        double at = (double)i / SAMPLES;
        double live = 4e6 * (sin(3 * at) + 0.3 * fabs(sin(25 * at))) + 2e4 * share(rng);
        double usable = live * (1 + 0.3 * waste);
        held = fmax(held * 0.998, usable * (1 + waste));
        double resident = held * (0.85 + 0.15 * share(rng));
        peak_live = fmax(peak_live, live);
        peak = fmax(peak, resident);
        fprintf(series, "%d,,%.0f,%.0f,%.0f,%.0f,%.0f,,%.0f,%.0f,%d\n", i * (OPERATIONS / SAMPLES),
                1e8 * at, live, usable, held, resident, resident + 2e6, held * 1.5 + 5e6, i);
    }
    end(store, series);
    add_map(store, &cell, waste, rng);
    add_page_map(store, &cell, waste, rng);
    add_census(store, &cell, waste);
    cell.peak_live_bytes = (uint64_t)peak_live;
    cell.base_heap_bytes = 100000;
    cell.peak_rss_bytes = (uint64_t)peak;
    cell.peak_vsz_bytes = (uint64_t)(peak * 1.5 + 5e6);
    cell.peak_held_bytes = (uint64_t)(peak * 1.1);
    cell.rss_over_live = peak / peak_live;
    cell.internal_fragmentation = 1 - 1 / (1 + 0.3 * waste);
    cell.external_fragmentation = 1 - 1 / (1 + waste);
    cell.jw4 = cell.rss_over_live - 1;
    cell.page_faults = (uint64_t)(peak / 4096);
    append(store, &cell);
    add_program(store, allocator, trace, peak * (0.85 + 0.3 * share(rng)), rng);
}

static void add_split(struct store *store, const char *allocator, const char *trace, double waste)
{
    static const char *const moments[] = {"peak-rss", "end"};
    for (size_t i = 0; i < 2; i++) {
        struct breakdown split;
        struct err err = {0};
        breakdown_clear(&split);
        snprintf(split.allocator, sizeof split.allocator, "%s", allocator);
        snprintf(split.trace, sizeof split.trace, "%s", trace);
        snprintf(split.at, sizeof split.at, "%s", moments[i]);
        snprintf(split.status, sizeof split.status, "ok");
        split.payload = split.live_bytes = i ? 1 << 20 : 40 << 20;
        split.rounding = (uint64_t)(0.2 * waste * (double)split.payload);
        split.free_in_live_pages = 2 * split.rounding;
        split.free_pages = split.rounding + i * 4096;
        split.unused_pages = 65536;
        split.lazy_free = split.metadata = 4096;
        split.rest_of_process = 9 << 20;
        split.sum = split.rss_bytes = breakdown_sum(&split);
        json_t *line = record_to_json(breakdown_fields, breakdown_field_count, &split);
        if (breakdown_append(store, line, &err) < 0)
            fail(&err);
        json_decref(line);
    }
}

static void add_statistics(struct store *store, const char *trace)
{
    struct err err = {0};
    char slug[STORE_NAME];
    FILE *file = store_begin_file(store, "traces", store_slug(slug, trace), ".json", &err);
    if (!file)
        fail(&err);
    fprintf(file, "{\"events\": %d, \"sizes\": [", OPERATIONS);
    for (int log2 = 3; log2 < 21; log2++)
        for (int part = 4; part < 8; part++) {
            double size = part * pow(2, log2 - 2), count = 1e6 / (1 + pow(fabs(log2 - 5.3), 2.5));
            fprintf(file, "%s{\"size\": %.0f, \"count\": %.0f, \"bytes\": %.0f}",
                    log2 + part > 7 ? "," : "", size, count * (part == 4 ? 2 : 1), count * size);
        }
    fputs("], \"lifetimes\": [{\"operations\": 1, \"count\": 5000}", file);
    for (int log2 = 3; log2 < 20; log2++)
        fprintf(file, ",{\"operations\": %d, \"count\": %d}", 1 << log2, 90000 / log2);
    fputs("], \"lifetimes_by_size\": [{\"size\": 16, \"operations\": 64, \"count\": 9, "
          "\"bytes\": 200}], \"never_freed\": 12}\n",
          file);
    end(store, file);
}

static json_t *describe(const char *const *names, size_t count, const char *const *traces)
{
    json_t *allocators = json_array(), *list = json_array();
    for (size_t i = 0; i < count; i++) {
        /* As a name that is no UTF-8 comes into run.json. */
        json_t *name = json_string(names[i]);
        json_array_append_new(
            allocators,
            json_pack("{s:o, s:b}", "spec", name ? name : json_string("?"), "real", i != 0));
    }
    for (; *traces; traces++)
        json_array_append_new(list,
                              json_pack("{s:s, s:s, s:s, s:i}", "name", *traces, "path",
                                        "nowhere.trace", "checksum", "0", "events", OPERATIONS));
    return json_pack("{s:s, s:[ss], s:s, s:o, s:o, s:[sss], s:i, s:s, s:i, s:{s:s, s:i, s:s}}",
                     "heapbench", "0.0", "command", "bench", "run", "started",
                     "2026-01-01T00:00:00Z", "allocators", allocators, "traces", list, "passes",
                     "throughput", "latency", "memory", "repeat", REPEAT, "touch", "page", "seed",
                     1, "machine", "cpu", "<made up>", "cores", 2, "kernel", "Linux");
}

int main(int argc, char **argv)
{
    static const char *const traces[] = {"python3-json", "redis", NULL};
    static const char *const odd_traces[] = {"<b>$(touch pwned)`id`", NULL};
    bool hostile = argc > 2 && strcmp(argv[2], "hostile") == 0;
    const char *const *names = hostile ? tricky : plain, *const *where =
                                                             hostile ? odd_traces : traces;
    size_t count = hostile ? sizeof tricky / sizeof *tricky : sizeof plain / sizeof *plain;
    struct store *store;
    struct err err = {0};
    if (argc < 2) {
        fputs("Usage: make-run DIR [hostile]\n", stderr);
        return 2;
    }
    json_t *run = describe(names, count, where);
    if (store_create(&store, argv[1], run, &err) < 0)
        fail(&err);
    json_decref(run);
    struct rng rng;
    rng_init(&rng, 7);
    for (; *where; where++) {
        add_statistics(store, *where);
        for (size_t i = 0; i < count; i++) {
            double ns = i == 0 ? 2 : 12 + 4 * (double)(i * 5 % count) + 3 * share(&rng);
            double waste = i == 1 ? 3 : 0.05 + 0.09 * (double)(i * 3 % count);
            add_throughput(store, names[i], *where, ns, &rng);
            add_latency(store, names[i], *where, ns, &rng);
            add_memory(store, names[i], *where, waste, &rng);
            add_split(store, names[i], *where, waste);
        }
    }
    store_close(store);
    return 0;
}
