/* The run folder: nothing finished is lost, nothing is half there. */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "results/store.h"
#include "tests/unit.h"

struct folder {
    char path[64], run[80], cells[96];
};

static int setup(void **state)
{
    struct folder *folder = calloc(1, sizeof *folder);
    strcpy(folder->path, "/tmp/heapbench-store-XXXXXX");
    assert_non_null(mkdtemp(folder->path));
    snprintf(folder->run, sizeof folder->run, "%s/a/run", folder->path);
    snprintf(folder->cells, sizeof folder->cells, "%s/cells.jsonl", folder->run);
    *state = folder;
    return 0;
}

static int teardown(void **state)
{
    struct folder *folder = *state;
    char command[128];
    snprintf(command, sizeof command, "rm -rf %s", folder->path);
    int status = system(command);
    free(folder);
    return status;
}

static struct cell_result cell_of(const char *allocator, uint64_t repetition)
{
    struct cell_result cell;
    cell_result_clear(&cell);
    snprintf(cell.allocator, sizeof cell.allocator, "%s", allocator);
    strcpy(cell.trace, "perl");
    strcpy(cell.pass, "throughput");
    strcpy(cell.status, "ok");
    cell.repetition = repetition;
    cell.operations = 12345678901;
    cell.ns_per_op = 12.25;
    return cell;
}

static struct store *created(const struct folder *folder, size_t cells)
{
    struct store *store;
    struct err err;
    json_t *run = json_pack("{s:s}", "heapbench", "test");
    assert_int_equal(store_create(&store, folder->run, run, &err), 0);
    json_decref(run);
    for (size_t i = 0; i < cells; i++) {
        struct cell_result cell = cell_of("system", i);
        assert_int_equal(store_append(store, &cell, &err), 0);
    }
    return store;
}

static void cells_come_back(void **state)
{
    struct store *store = created(*state, 3);
    struct err err;
    store_close(store);
    const struct folder *folder = *state;
    assert_int_equal(store_open(&store, folder->run, false, &err), 0);
    assert_string_equal(store_warning(store), "");
    assert_int_equal(store_cell_count(store), 3);
    const struct cell_result *cell = store_cell(store, 2);
    assert_string_equal(cell->allocator, "system");
    assert_int_equal(cell->repetition, 2);
    assert_int_equal(cell->operations, 12345678901);
    assert_true(cell->ns_per_op == 12.25);
    assert_true(cell->peak_rss_bytes == COUNT_UNKNOWN);
    assert_true(isnan(cell->p99_ns));
    assert_true(store_has(store, "system", "perl", "throughput", 2));
    assert_false(store_has(store, "system", "perl", "throughput", 3));
    assert_false(store_has(store, "system", "perl", "memory", 2));
    assert_string_equal(json_string_value(json_object_get(store_run(store), "heapbench")), "test");
    store_close(store);
}

static void a_cut_tail_is_overwritten(void **state)
{
    const struct folder *folder = *state;
    struct store *store = created(folder, 3);
    struct err err;
    store_close(store);
    struct stat whole;
    assert_int_equal(stat(folder->cells, &whole), 0);
    assert_int_equal(truncate(folder->cells, whole.st_size - 7), 0);

    assert_int_equal(store_open(&store, folder->run, true, &err), 0);
    assert_non_null(strstr(store_warning(store), "cut short"));
    assert_int_equal(store_cell_count(store), 2);
    assert_false(store_has(store, "system", "perl", "throughput", 2));
    struct cell_result again = cell_of("system", 2);
    assert_int_equal(store_append(store, &again, &err), 0);
    store_close(store);

    struct stat mended;
    assert_int_equal(stat(folder->cells, &mended), 0);
    assert_int_equal(mended.st_size, whole.st_size);
    assert_int_equal(store_open(&store, folder->run, false, &err), 0);
    assert_string_equal(store_warning(store), "");
    assert_int_equal(store_cell_count(store), 3);
    store_close(store);
}

static void a_damaged_line_costs_only_itself(void **state)
{
    const struct folder *folder = *state;
    struct store *store = created(folder, 1);
    struct err err;
    store_close(store);
    FILE *cells = fopen(folder->cells, "a");
    fputs("{\"allocator\": \"x\", \"repetition\": \"three\"}\n{{{\n", cells);
    fclose(cells);
    assert_int_equal(store_open(&store, folder->run, true, &err), 0);
    assert_non_null(strstr(store_warning(store), "line 3"));
    struct cell_result more = cell_of("system", 1);
    assert_int_equal(store_append(store, &more, &err), 0);
    store_close(store);
    assert_int_equal(store_open(&store, folder->run, false, &err), 0);
    assert_int_equal(store_cell_count(store), 2);
    store_close(store);
}

static void a_killed_writer_loses_nothing(void **state)
{
    const struct folder *folder = *state;
    int told[2];
    assert_int_equal(pipe(told), 0);
    pid_t child = fork();
    if (child == 0) {
        struct store *store = created(folder, 0);
        for (uint64_t i = 0;; i++) {
            struct cell_result cell = cell_of("system", i);
            if (store_append(store, &cell, NULL) < 0 || write(told[1], &i, sizeof i) < 0)
                _exit(1);
        }
    }
    uint64_t last = 0;
    while (last < 20)
        assert_int_equal(read(told[0], &last, sizeof last), sizeof last);
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    close(told[1]);
    while (read(told[0], &last, sizeof last) == sizeof last)
        ;
    close(told[0]);

    struct store *store;
    struct err err;
    assert_int_equal(store_open(&store, folder->run, true, &err), 0);
    assert_in_range(store_cell_count(store), last + 1, last + 2);
    for (uint64_t i = 0; i <= last; i++)
        assert_true(store_has(store, "system", "perl", "throughput", i));
    store_close(store);
}

static void a_full_disk_keeps_what_is_finished(void **state)
{
    const struct folder *folder = *state;
    struct store *store = created(folder, 2);
    struct err err = {0};
    struct stat before, after;
    assert_int_equal(stat(folder->cells, &before), 0);
    struct rlimit kept, tight;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &kept), 0);
    tight = (struct rlimit){(rlim_t)before.st_size + 100, kept.rlim_max};
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &tight), 0);
    struct cell_result cell = cell_of("system", 2);
    int failed = store_append(store, &cell, &err);
    FILE *series = store_begin_file(store, "series", "x", ".csv", &err);
    assert_non_null(series);
    for (int i = 0; i < 5000; i++)
        fputs("all work and no play\n", series);
    struct err full = {0};
    int unwritten = store_end_file(store, series, &full);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &kept), 0);

    assert_int_not_equal(failed, 0);
    assert_non_null(strstr(err.text, "cells.jsonl"));
    assert_non_null(strstr(err.text, "free some space"));
    assert_int_not_equal(unwritten, 0);
    assert_non_null(strstr(full.text, "series/x.csv"));
    assert_int_equal(stat(folder->cells, &after), 0);
    assert_int_equal(before.st_size, after.st_size);
    assert_int_equal(store_cell_count(store), 2);
    assert_int_equal(store_append(store, &cell, &err), 0);
    store_close(store);
}

static void a_file_is_whole_or_not_there(void **state)
{
    const struct folder *folder = *state;
    struct store *store = created(folder, 0);
    struct err err;
    char path[160];
    snprintf(path, sizeof path, "%s/series/one.csv", folder->run);
    FILE *file = store_begin_file(store, "series", "one", ".csv", &err);
    FILE *other = store_begin_file(store, "series", "two", ".csv", &err);
    assert_non_null(file);
    assert_non_null(other);
    fputs("event\n", file);
    assert_int_equal(access(path, F_OK), -1);
    assert_int_equal(store_end_file(store, file, &err), 0);
    assert_int_equal(access(path, F_OK), 0);
    store_close(store);
    snprintf(path, sizeof path, "ls -A %s/series | wc -l | grep -qx 1", folder->run);
    assert_int_equal(system(path), 0);
}

static void a_run_is_not_overwritten(void **state)
{
    const struct folder *folder = *state;
    struct store *store = created(folder, 1), *second;
    struct err err = {0};
    json_t *run = json_object();
    assert_int_not_equal(store_create(&second, folder->run, run, &err), 0);
    assert_non_null(strstr(err.text, "--resume"));
    json_decref(run);
    assert_int_not_equal(store_open(&second, folder->run, true, &err), 0);
    assert_non_null(strstr(err.text, "another bench"));
    store_close(store);
    assert_int_not_equal(store_open(&second, folder->path, false, &err), 0);
    assert_non_null(strstr(err.text, "not the folder of a run"));
}

static void an_unwritable_folder_is_named(void **state)
{
    (void)state;
    struct store *store;
    struct err err = {0};
    json_t *run = json_object();
    assert_int_not_equal(store_create(&store, "/proc/nowhere/run", run, &err), 0);
    assert_non_null(strstr(err.text, "/proc/nowhere"));
    assert_non_null(strstr(err.text, "-o"));
    json_decref(run);
}

static void names_are_safe_and_distinct(void **state)
{
    (void)state;
    static const char *const specs[] = {
        "system",
        "system:A=1",
        "system:A_1",
        "system_A=1",
        "so:/x/y.so",
        "so:/x_y.so",
        "$(touch x)",
        "`touch x`",
        "../..",
        "",
        ".",
        "-rf",
        "a b",
        "a\nb",
        ("a\xff"
         "b"),
    };
    enum { SPECS = sizeof specs / sizeof *specs };
    char names[SPECS][STORE_NAME];
    for (size_t i = 0; i < SPECS; i++) {
        struct cell_result cell = cell_of(specs[i], 0);
        store_cell_name(names[i], &cell);
        assert_int_equal(strspn(names[i], "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                          "0123456789._+=-"),
                         strlen(names[i]));
        for (size_t j = 0; j < i; j++)
            assert_string_not_equal(names[i], names[j]);
    }
    assert_string_equal(names[0], "perl.system.throughput.0");
}

static void long_names_differ_by_their_ends(void **state)
{
    (void)state;
    char text[400], one[STORE_NAME], two[STORE_NAME];
    memset(text, 'a', sizeof text);
    text[399] = '\0';
    store_slug(one, text);
    text[398] = 'b';
    store_slug(two, text);
    assert_string_not_equal(one, two);
    assert_true(strlen(one) < 80);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(cells_come_back, setup, teardown),
        cmocka_unit_test_setup_teardown(a_cut_tail_is_overwritten, setup, teardown),
        cmocka_unit_test_setup_teardown(a_damaged_line_costs_only_itself, setup, teardown),
        cmocka_unit_test_setup_teardown(a_killed_writer_loses_nothing, setup, teardown),
        cmocka_unit_test_setup_teardown(a_full_disk_keeps_what_is_finished, setup, teardown),
        cmocka_unit_test_setup_teardown(a_file_is_whole_or_not_there, setup, teardown),
        cmocka_unit_test_setup_teardown(a_run_is_not_overwritten, setup, teardown),
        cmocka_unit_test(an_unwritable_folder_is_named),
        cmocka_unit_test(names_are_safe_and_distinct),
        cmocka_unit_test(long_names_differ_by_their_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
