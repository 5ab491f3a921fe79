/* From cells to rows, and from rows to text. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "results/answer.h"
#include "results/column.h"
#include "results/table.h"
#include "tests/results/support/run.h"
#include "tests/unit.h"

static const char *const two[] = {"fast", "slow:a=1,b", NULL};

/* null is below both, slow is exactly 1.5 times fast in every block. */
static struct store *example(char folder[RUN_FOLDER])
{
    static const double null[] = {2, 3, 2, 2, 2, 2}, fast[] = {10, 12, 10, 11, 10, 10},
                        slow[] = {15, 18, 15, 16.5, 15, 15};
    struct store *store = run_begin(folder, two, 6);
    run_throughput(store, "null", null, 6);
    run_throughput(store, two[0], fast, 6);
    run_throughput(store, two[1], slow, 6);
    const char *const all[] = {"null", two[0], two[1]};
    for (int i = 0; i < 3; i++) {
        for (uint64_t repetition = 0; repetition < 6; repetition++) {
            struct cell_result latency = run_cell(all[i], "latency", repetition);
            latency.p50_ns = 20;
            latency.p99_ns = 100 + (double)repetition;
            latency.p999_ns = 1000;
            latency.max_ns = 5000 + (double)repetition;
            latency.clock_cost_ns = 20 + (i == 2) * (double)repetition;
            run_append(store, &latency);
        }
        struct cell_result memory = run_cell(all[i], "memory", 0);
        memory.peak_rss_bytes = 3 << 20;
        memory.peak_vsz_bytes = 5 << 20;
        memory.peak_live_bytes = 2 << 20;
        memory.rss_over_live = 1.5;
        memory.internal_fragmentation = 0.125;
        memory.external_fragmentation = 0.25;
        memory.page_faults = 1234;
        run_append(store, &memory);
    }
    return store;
}

static const struct row *row_of(const struct row *rows, size_t count, const char *allocator)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(rows[i].allocator, allocator) == 0)
            return &rows[i];
    fail_msg("no row for %s", allocator);
    return NULL;
}

static char *printed(const struct row *rows, size_t count, enum table_format format)
{
    char *text;
    size_t length;
    FILE *out = open_memstream(&text, &length);
    table_print(out, rows, count, format);
    fclose(out);
    return text;
}

static void rows_hold_medians_and_relations(void **state)
{
    (void)state;
    char folder[RUN_FOLDER];
    struct store *store = example(folder);
    size_t count;
    struct row *rows = table_rows(store, &count);
    assert_int_equal(count, 3);
    assert_string_equal(rows[0].allocator, "null");
    const struct row *fast = row_of(rows, count, two[0]), *slow = row_of(rows, count, two[1]);
    assert_true(fast->ns_per_op == 10 && fast->relative == 1);
    assert_true(slow->ns_per_op == 15 && slow->relative == 1.5);
    assert_true(slow->relative_low == 1.5 && slow->relative_high == 1.5);
    assert_float_equal(rows[0].relative, 0.2, 1e-12);
    assert_int_equal(rows[0].real, 0);
    assert_float_equal(fast->p99_ns, 102.5, 1e-9);
    assert_float_equal(fast->max_ns, 5005, 1e-9);
    assert_float_equal(fast->p99_net_ns, 82.5, 1e-9);
    assert_float_equal(fast->max_net_ns, 4985, 1e-9);
    /* Nothing is quicker than nothing, and what is unknown stays so. */
    assert_float_equal(slow->clock_cost_ns, 22.5, 1e-9);
    assert_true(slow->p50_net_ns == 0 && isnan(slow->p9999_net_ns));
    assert_int_equal(fast->peak_rss_bytes, 3 << 20);
    assert_int_equal(fast->page_faults, 1234);
    assert_int_equal(fast->repetitions, 6);
    assert_string_equal(fast->status, "ok");
    free(rows);
    run_end(store, folder);
}

/* It is the quickest, and yet the others are not measured against it. */
static void what_never_frees_is_no_competitor(void **state)
{
    (void)state;
    static const char *const specs[] = {"bump", "right", NULL};
    static const double times[][2] = {{5, 5}, {10, 10}};
    char folder[RUN_FOLDER];
    struct store *store = run_begin(folder, specs, 2);
    for (int i = 0; i < 2; i++)
        run_throughput(store, specs[i], times[i], 2);
    size_t count;
    struct row *rows = table_rows(store, &count);
    for (size_t i = 0; i < count; i++)
        strcpy(rows[i].status, "ok");
    struct row *bump = &rows[1];
    assert_true(bump->real && !bump->frees && rows[2].frees);
    assert_true(bump->relative == 0.5 && rows[2].relative == 1);
    char *text = printed(rows, count, TABLE_TEXT);
    assert_non_null(strstr(text, "0.50 no free"));
    assert_non_null(strstr(text, "'no free' of what never"));
    free(text);
    free(rows);
    run_end(store, folder);
}

static void text_shows_every_column(void **state)
{
    (void)state;
    char folder[RUN_FOLDER];
    struct store *store = example(folder);
    size_t count;
    struct row *rows = table_rows(store, &count);
    char *text = printed(rows, count, TABLE_TEXT);
    assert_non_null(strstr(text, "perl: 1,000,000 operations, at most 2.00 MiB live\n"));
    assert_non_null(
        strstr(text, "  allocator   ns/op    relative      p50     p99    p99.9      max"));
    assert_non_null(strstr(text, "  null         2.00  0.20 floor  20.0 ns"));
    assert_non_null(
        strstr(text, "  slow:a=1,b   15.0       1.50!  20.0 ns  102 ns  1.00 us  5.00 us"));
    assert_non_null(
        strstr(text, "  allocator   peak RSS  peak VSZ  RSS/live  internal  external  faults"));
    assert_non_null(
        strstr(text, "  fast        3.00 MiB  5.00 MiB      1.50    12.5 %    25.0 %   1,234"));
    assert_non_null(strstr(
        text,
        "  ! noisy: the repetitions spread: null by 50 %, fast by 20 %, slow:a=1,b by 20 %;"));
    for (char *line = text; (line = strchr(line, '\n')); line++)
        assert_true(strcspn(line + 1, "\n") <= 100);
    free(text);
    free(rows);
    run_end(store, folder);
}

static const struct column *column_named(const char *title)
{
    for (size_t i = 0; i < column_count; i++)
        if (strcmp(columns[i].title, title) == 0)
            return &columns[i];
    fail_msg("no column %s", title);
    return NULL;
}

static void marks_tell_the_floor_from_what_a_layer_slows(void **state)
{
    (void)state;
    static const char *const aside[] = {"null", "first-fit+checked", "null+delay:ns=5"};
    static const char *const marks[] = {"0.50 floor", "0.50 layer", "0.50 layer"};
    struct row row;
    char text[COLUMN_TEXT];
    for (size_t i = 0; i < 3; i++) {
        row_clear(&row);
        strcpy(row.allocator, aside[i]);
        row.relative = 0.5;
        row.real = 0;
        column_named("relative")->write(text, &row);
        assert_string_equal(text, marks[i]);
    }
    /* A layer that costs next to nothing takes part. */
    strcpy(row.allocator, "mems+moving");
    row.real = 1;
    column_named("relative")->write(text, &row);
    assert_string_equal(text, "0.50");
}

static void json_names_every_promised_figure(void **state)
{
    (void)state;
    static const char *const names[] = {
        "trace",
        "allocator",
        "status",
        "ns_per_op",
        "relative",
        "relative_low",
        "relative_high",
        "p50_ns",
        "p99_ns",
        "p999_ns",
        "max_ns",
        "peak_rss_bytes",
        "peak_vsz_bytes",
        "rss_over_live",
        "peak_held_bytes",
        "peak_live_bytes",
        "internal_fragmentation",
        "external_fragmentation",
        "jw4",
        "page_faults",
        "failed_allocations",
        "repetitions",
    };
    char folder[RUN_FOLDER];
    struct store *store = example(folder);
    char *text;
    size_t length;
    FILE *out = open_memstream(&text, &length);
    answer_json(out, &store, 1);
    fclose(out);
    json_t *table = json_loads(text, 0, NULL);
    const json_t *list = json_object_get(table, "rows");
    assert_int_equal(json_array_size(list), 3);
    const json_t *slow = json_array_get(list, 2);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        assert_non_null(json_object_get(slow, names[i]));
    assert_true(json_real_value(json_object_get(slow, "relative")) == 1.5);
    assert_int_equal(json_integer_value(json_object_get(slow, "peak_rss_bytes")), 3 << 20);
    assert_true(json_is_null(json_object_get(slow, "jw4")));
    assert_true(json_is_null(json_object_get(slow, "peak_held_bytes")));
    json_decref(table);
    free(text);
    run_end(store, folder);
}

static void csv_quotes_what_needs_it(void **state)
{
    (void)state;
    char folder[RUN_FOLDER];
    struct store *store = example(folder);
    size_t count;
    struct row *rows = table_rows(store, &count);
    snprintf(rows[2].detail, sizeof rows[2].detail, "a \"b\"\nc");
    char *text = printed(rows, count, TABLE_CSV);
    assert_memory_equal(text, "run,trace,allocator,real,status,detail,operations,ns_per_op,", 59);
    assert_non_null(
        strstr(text, ",perl,\"slow:a=1,b\",1,ok,\"a \"\"b\"\"\nc\",1000000,15,1.5,1.5,1.5,"));
    free(text);
    free(rows);
    run_end(store, folder);
}

static void what_failed_is_a_row_with_its_sentence(void **state)
{
    (void)state;
    static const char *const names[] = {"good", "crash", "absent", NULL};
    static const double good[] = {10, 10};
    char folder[RUN_FOLDER];
    struct store *store = run_begin(folder, names, 2);
    run_throughput(store, "good", good, 2);
    struct cell_result cell = run_cell("crash", "throughput", 0);
    cell.ns_per_op = 1;
    run_append(store, &cell);
    cell = run_cell("crash", "throughput", 1);
    strcpy(cell.status, "crashed");
    strcpy(cell.detail, "signal 11 after 99 operations");
    run_append(store, &cell);
    size_t count;
    struct row *rows = table_rows(store, &count);
    const struct row *crash = row_of(rows, count, "crash");
    assert_string_equal(crash->status, "crashed");
    assert_string_equal(
        crash->detail,
        "signal 11 after 99 operations; in 1 of 2 cells, first in the throughput pass");
    assert_string_equal(row_of(rows, count, "absent")->status, "not measured");
    assert_string_equal(row_of(rows, count, "good")->status, "incomplete");
    assert_non_null(strstr(row_of(rows, count, "good")->detail, "--resume"));
    /* Fast until it crashed is not the fastest. */
    assert_true(row_of(rows, count, "good")->relative == 1);
    char *text = printed(rows, count, TABLE_TEXT);
    assert_non_null(strstr(text, "  absent     not measured\n"));
    assert_non_null(strstr(text, "  ! crash: crashed: signal 11 after 99 operations"));
    free(text);
    free(rows);
    run_end(store, folder);
}

static void failing_to_serve_is_not_winning(void **state)
{
    (void)state;
    static const char *const names[] = {"good", "refuses", NULL};
    char folder[RUN_FOLDER];
    struct store *store = run_begin(folder, names, 1);
    struct cell_result cell = run_cell("good", "throughput", 0);
    cell.ns_per_op = 10;
    run_append(store, &cell);
    cell = run_cell("refuses", "throughput", 0);
    cell.ns_per_op = 1;
    cell.failed_allocations = 500;
    run_append(store, &cell);
    cell = run_cell("refuses", "latency", 0);
    run_append(store, &cell);
    cell = run_cell("refuses", "memory", 0);
    run_append(store, &cell);
    size_t count;
    struct row *rows = table_rows(store, &count);
    const struct row *refuses = row_of(rows, count, "refuses");
    assert_true(row_of(rows, count, "good")->relative == 1);
    assert_string_equal(refuses->status, "refused allocations");
    assert_false(record_status_is_fine(refuses->status));
    assert_non_null(strstr(refuses->detail, "500 allocations failed"));
    assert_true(refuses->ns_per_op == 1);
    char *text = printed(rows, count, TABLE_TEXT);
    assert_non_null(strstr(text, "0.10 less"));
    free(text);
    free(rows);
    run_end(store, folder);
}

static void wide_terminals_get_one_table(void **state)
{
    (void)state;
    char folder[RUN_FOLDER], *wide, *narrow;
    struct store *store = example(folder);
    size_t count, length;
    struct row *rows = table_rows(store, &count);
    FILE *out = open_memstream(&wide, &length);
    table_print_text(out, rows, count, 140);
    fclose(out);
    out = open_memstream(&narrow, &length);
    table_print_text(out, rows, count, 80);
    fclose(out);
    assert_non_null(strstr(wide, "max  peak RSS"));
    assert_null(strstr(narrow, "max  peak RSS"));
    for (char *line = narrow; (line = strchr(line, '\n')); line++)
        assert_true(strcspn(line + 1, "\n") <= 80);
    free(wide);
    free(narrow);
    free(rows);
    run_end(store, folder);
}

/* Counters that a machine has not got take no room in its tables. */
/* The published example, where a third of the peak is live when most is first held; and a heap that
 * takes 64 MiB before anything is live, of which at most 32 MiB are used. */
static void a_ratio_to_next_to_nothing_is_not_shown(void **state)
{
    (void)state;
    char text[COLUMN_TEXT];
    struct row row;
    row_clear(&row);
    column_named("JW3")->write(text, &row);
    assert_string_equal(text, "-");
    row.jw3 = 640.0 / 250 - 1;
    row.jw4 = 640.0 / 400 - 1;
    column_named("JW3")->write(text, &row);
    assert_string_equal(text, "156.0 %");
    row.jw3 = (64 << 20) / 24e3 - 1;
    row.jw4 = 1;
    column_named("JW3")->write(text, &row);
    assert_string_equal(text, "no load");
    row.jw3 = REAL_UNKNOWN; /* nothing at all was live then */
    column_named("JW3")->write(text, &row);
    assert_string_equal(text, "no load");
    strcpy(row.allocator, "mimalloc");
    strcpy(row.trace, "t");
    strcpy(row.status, "ok");
    char *details;
    size_t length;
    FILE *out = open_memstream(&details, &length);
    table_print_details(out, &row, 1);
    fclose(out);
    assert_non_null(strstr(details, "less than 5 % of the peak"));
    free(details);
    char *markdown = printed(&row, 1, TABLE_MARKDOWN), *csv = printed(&row, 1, TABLE_CSV);
    assert_non_null(strstr(markdown, "less than 5 % of the peak"));
    assert_null(strstr(csv, "no load"));
    free(markdown);
    free(csv);
}

/* One that scripts count on comes with its group, without a figure too, where people read text. */
static void promised_columns_come_with_their_group(void **state)
{
    (void)state;
    struct row row;
    row_clear(&row);
    row.p50_ns = 20;
    const struct columns_shown text = columns_shown(&row, 1, COLUMN_TIME | COLUMN_MEMORY, true);
    assert_int_equal(text.count, 4); /* p50, p99, p99.9, max */
    const struct columns_shown page = columns_shown(&row, 1, COLUMN_TIME | COLUMN_MEMORY, false);
    assert_int_equal(page.count, 1);
    assert_ptr_equal(page.at[0], text.at[0]);
}

static void optional_columns_come_with_their_figures(void **state)
{
    (void)state;
    static const char *const names[] = {"a", NULL};
    for (int counted = 0; counted < 2; counted++) {
        char folder[RUN_FOLDER];
        struct store *store = run_begin(folder, names, 1);
        struct cell_result cell = run_cell("a", "throughput", 0);
        cell.ns_per_op = 10;
        if (counted)
            cell.tlb_misses_per_op = 0.125;
        run_append(store, &cell);
        size_t count;
        struct row *rows = table_rows(store, &count);
        assert_true(isnan(rows[0].cycles_per_op));
        for (int format = TABLE_TEXT; format <= TABLE_MARKDOWN; format++) {
            char *text = printed(rows, count, (enum table_format)format);
            assert_null(strstr(text, "cycles/op"));
            assert_int_equal(strstr(text, "dTLB miss/op") != NULL, counted);
            assert_int_equal(strstr(text, "0.125") != NULL, counted);
            free(text);
        }
        free(rows);
        run_end(store, folder);
    }
}

/* A run of the verify pass alone has a status a row, in each format. */
static void rows_without_figures_tell_their_status(void **state)
{
    (void)state;
    struct row row;
    row_clear(&row);
    strcpy(row.allocator, "buddy");
    strcpy(row.trace, "t");
    strcpy(row.status, "ok");
    char *text = printed(&row, 1, TABLE_TEXT), *markdown = printed(&row, 1, TABLE_MARKDOWN);
    assert_non_null(strstr(text, "  allocator\n  buddy      ok\n"));
    assert_non_null(strstr(markdown, "| allocator | status |\n| --- | --- |\n| buddy | ok |\n"));
    free(text);
    free(markdown);
}

static void hostile_names_stay_text(void **state)
{
    (void)state;
    static const char *const names[] = {"so:/x|<script>`id`\n\033[2J", NULL};
    static const double values[] = {10, 10};
    char folder[RUN_FOLDER];
    struct store *store = run_begin(folder, names, 2);
    run_throughput(store, names[0], values, 2);
    size_t count;
    struct row *rows = table_rows(store, &count);
    char *markdown = printed(rows, count, TABLE_MARKDOWN), *text = printed(rows, count, TABLE_TEXT);
    assert_null(strstr(markdown, "<script"));
    assert_non_null(strstr(markdown, "so:/x\\|&#60;script&#62;\\`id\\`"));
    assert_null(strchr(text, '\033'));
    free(markdown);
    free(text);
    free(rows);
    run_end(store, folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_hold_medians_and_relations),
        cmocka_unit_test(what_never_frees_is_no_competitor),
        cmocka_unit_test(text_shows_every_column),
        cmocka_unit_test(marks_tell_the_floor_from_what_a_layer_slows),
        cmocka_unit_test(json_names_every_promised_figure),
        cmocka_unit_test(csv_quotes_what_needs_it),
        cmocka_unit_test(what_failed_is_a_row_with_its_sentence),
        cmocka_unit_test(failing_to_serve_is_not_winning),
        cmocka_unit_test(wide_terminals_get_one_table),
        cmocka_unit_test(a_ratio_to_next_to_nothing_is_not_shown),
        cmocka_unit_test(promised_columns_come_with_their_group),
        cmocka_unit_test(optional_columns_come_with_their_figures),
        cmocka_unit_test(rows_without_figures_tell_their_status),
        cmocka_unit_test(hostile_names_stay_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
