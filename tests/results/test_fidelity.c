/* How well a replay foretold a program: from cells made by hand. */
#include "results/fidelity.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/results/support/run.h"
#include "tests/unit.h"

enum { MIB = 1 << 20 };

/* Three runs: heaps of 1 % more each, times of 1 ms more each. */
static void add(struct store *store, const char *allocator, double heap_mib, double replayed_mib,
                uint64_t cpu_ms, uint64_t replayed_ms)
{
    for (uint64_t i = 0; i < 3; i++) {
        struct cell_result watch = run_cell(allocator, FIDELITY_WATCH, i);
        watch.heap_bytes = (uint64_t)(heap_mib * MIB * (0.99 + 0.01 * (double)i));
        watch.own_bytes = watch.stack_bytes = watch.data_bytes = watch.file_bytes = MIB;
        watch.processes = 2;
        run_append(store, &watch);
        struct cell_result program = run_cell(allocator, FIDELITY_PROGRAM, i);
        program.cpu_ns = (cpu_ms + i) * 1000000;
        run_append(store, &program);
        struct cell_result replay = run_cell(allocator, "throughput", i);
        replay.cpu_ns = replayed_ms * 1000000;
        run_append(store, &replay);
    }
    struct cell_result memory = run_cell(allocator, "memory", 0);
    memory.base_heap_bytes = MIB;
    memory.peak_rss_bytes = (uint64_t)(replayed_mib * MIB) - MIB;
    memory.peak_live_bytes = 11 * MIB;
    memory.threads_recorded = 1;
    strcpy(memory.touch, "page");
    strcpy(memory.pace, "full");
    run_append(store, &memory);
}

static const char *const three[] = {"a", "b", "c", NULL};

static const struct fidelity_row *row_of(const struct fidelity *fidelity, const char *allocator)
{
    for (size_t i = 0; i < fidelity->count; i++)
        if (strcmp(fidelity->rows[i].allocator, allocator) == 0)
            return &fidelity->rows[i];
    fail_msg("no row of %s", allocator);
    return NULL;
}

static void errors_are_against_the_median_run(void **state)
{
    (void)state;
    char folder[RUN_FOLDER];
    struct store *store = run_begin(folder, three, 3);
    add(store, "a", 10, 10.5, 100, 10);
    struct fidelity fidelity = fidelity_of(store, "perl");
    const struct fidelity_row *row = row_of(&fidelity, "a");
    assert_true(fabs(row->heap_bytes - 10 * MIB) < 2);
    assert_true(fabs(row->heap_spread - 0.02) < 1e-6);
    assert_true(fabs(row->replayed_bytes - 10.5 * MIB) < 2);
    assert_true(fabs(row->error - 0.05) < 1e-6);
    assert_true(row->cpu_ns == 101e6 && row->replayed_ns == 10e6);
    assert_int_equal(row->repetitions, 3);
    assert_false(fidelity_is_off(row));
    assert_string_equal(row->why, "");
    assert_true(isnan(row_of(&fidelity, "b")->error));
    fidelity_release(&fidelity);
    run_end(store, folder);
}

/* b and c are 4 % apart: no order. Between a and the others the replay is right once and wrong
 * once. */
static void only_real_differences_have_an_order(void **state)
{
    (void)state;
    char folder[RUN_FOLDER];
    struct store *store = run_begin(folder, three, 3);
    add(store, "a", 10, 10, 100, 10);
    add(store, "b", 12.5, 9, 102, 50); /* times overlap */
    add(store, "c", 13, 14, 110, 5);   /* slower, and foretold faster */
    struct fidelity fidelity = fidelity_of(store, "perl");
    assert_int_equal(fidelity.memory.pairs, 2);
    assert_int_equal(fidelity.memory.same, 1);
    assert_string_equal(fidelity.memory.wrong, "a before b");
    assert_int_equal(fidelity.time.pairs, 2);
    assert_int_equal(fidelity.time.same, 0);
    assert_string_equal(fidelity.time.wrong, "a before c, b before c");
    json_t *json = fidelity_json(&fidelity);
    const json_t *memory = json_object_get(json_object_get(json, "orders"), "memory");
    assert_int_equal(json_integer_value(json_object_get(memory, "same")), 1);
    json_decref(json);
    fidelity_release(&fidelity);
    run_end(store, folder);
}

static void a_large_error_is_explained(void **state)
{
    (void)state;
    char folder[RUN_FOLDER];
    struct store *store = run_begin(folder, three, 3);
    add(store, "a", 10, 14, 100, 10);
    struct cell_result untouched = run_cell("b", FIDELITY_UNTOUCHED, 0);
    untouched.absent_bytes = 3 * MIB;
    run_append(store, &untouched);
    for (uint64_t i = 0; i < 3; i++) {
        struct cell_result unsampled = run_cell("a", "throughput", i);
        unsampled.peak_rss_bytes = 10 * MIB;
        run_append(store, &unsampled);
    }
    struct cell_result paced = run_cell("a", FIDELITY_PACED, 0);
    paced.peak_rss_bytes = 12 * MIB;
    paced.base_heap_bytes = 0;
    run_append(store, &paced);
    struct fidelity fidelity = fidelity_of(store, "perl");
    const struct fidelity_row *row = row_of(&fidelity, "a");
    assert_true(fidelity_is_off(row));
    assert_non_null(strstr(row->why, "at least 3.00 MiB"));
    assert_non_null(strstr(row->why, "+10.0 %"));
    assert_non_null(strstr(row->why, "at least 1.00 MiB of the live blocks were never touched"));
    assert_non_null(strstr(row->why, "given back by the clock"));
    assert_non_null(strstr(row->why, "+20.0 %"));
    assert_non_null(
        strstr(row->why, "samples makes the replay slow: without them the error is +10.0 %"));
    fidelity_release(&fidelity);
    run_end(store, folder);
}

/* What is told of touched pages leaves the small blocks. */
static void a_recording_that_tells_is_not_blamed_for_every_page(void **state)
{
    (void)state;
    char folder[RUN_FOLDER];
    struct store *store = run_begin(folder, three, 3);
    add(store, "a", 10, 14, 100, 10);
    struct cell_result memory = run_cell("b", "memory", 0);
    memory.peak_rss_bytes = 14 * MIB;
    memory.base_heap_bytes = 0;
    strcpy(memory.touch, "recorded");
    run_append(store, &memory);
    struct cell_result watch = run_cell("b", FIDELITY_WATCH, 0);
    watch.heap_bytes = 10 * MIB;
    run_append(store, &watch);
    struct cell_result bare = run_cell("b", FIDELITY_BARE, 0);
    bare.peak_rss_bytes = 9 * MIB;
    bare.base_heap_bytes = 0;
    run_append(store, &bare);
    struct fidelity fidelity = fidelity_of(store, "perl");
    const struct fidelity_row *row = row_of(&fidelity, "b");
    assert_non_null(strstr(row->why, "blocks below 32 KiB"));
    assert_non_null(strstr(row->why, "-10.0 %"));
    assert_null(strstr(row->why, "touches every page, and the program"));
    assert_null(strstr(row_of(&fidelity, "a")->why, "32 KiB"));
    fidelity_release(&fidelity);
    run_end(store, folder);
}

static void what_failed_is_said(void **state)
{
    (void)state;
    char folder[RUN_FOLDER], *text;
    size_t length;
    struct store *store = run_begin(folder, three, 3);
    struct cell_result warned = run_cell("a", FIDELITY_WATCH, 3);
    strcpy(warned.detail, "its peak may have been missed");
    run_append(store, &warned);
    add(store, "a", 10, 10, 100, 10);
    struct cell_result program = run_cell("b", FIDELITY_PROGRAM, 0);
    strcpy(program.status, "died: SIGSEGV");
    strcpy(program.detail, "last\x1b words");
    run_append(store, &program);
    struct fidelity fidelity = fidelity_of(store, "perl");
    FILE *out = open_memstream(&text, &length);
    fidelity_print(out, &fidelity);
    fclose(out);
    assert_string_equal(row_of(&fidelity, "b")->status, "died: SIGSEGV");
    assert_non_null(strstr(text, "! b: died: SIGSEGV: last? words"));
    assert_non_null(strstr(text, "! a: its peak may have been missed"));
    assert_non_null(strstr(text, "2 other processes"));
    free(text);
    fidelity_release(&fidelity);
    run_end(store, folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(errors_are_against_the_median_run),
        cmocka_unit_test(only_real_differences_have_an_order),
        cmocka_unit_test(a_large_error_is_explained),
        cmocka_unit_test(a_recording_that_tells_is_not_blamed_for_every_page),
        cmocka_unit_test(what_failed_is_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
