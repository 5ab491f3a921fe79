/* Run folders made by hand. */
#include "tests/results/support/run.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit.h"

struct store *run_begin(char folder[RUN_FOLDER], const char *const *allocators, int repeat)
{
    struct store *store;
    struct err err = {0};
    char root[] = "/tmp/heapbench-run-XXXXXX";
    assert_non_null(mkdtemp(root));
    snprintf(folder, RUN_FOLDER, "%s", root);
    json_t *list = json_pack("[{s:s, s:b}]", "spec", "null", "real", 0);
    for (; *allocators; allocators++)
        json_array_append_new(list, json_pack("{s:s, s:b, s:b}", "spec", *allocators, "real", 1,
                                              "frees", strcmp(*allocators, "bump") != 0));
    json_t *run = json_pack("{s:s, s:o, s:[{s:s}], s:[sss], s:i, s:i}", "heapbench", "test",
                            "allocators", list, "traces", "name", "perl", "passes", "throughput",
                            "latency", "memory", "repeat", repeat, "seed", 1);
    assert_non_null(run);
    if (store_create(&store, folder, run, &err) != 0)
        fail_msg("%s", err.text);
    json_decref(run);
    return store;
}

void run_end(struct store *store, const char *folder)
{
    char command[RUN_FOLDER + 16];
    store_close(store);
    snprintf(command, sizeof command, "rm -r '%s'", folder);
    assert_int_equal(system(command), 0);
}

struct cell_result run_cell(const char *allocator, const char *pass, uint64_t repetition)
{
    struct cell_result cell;
    cell_result_clear(&cell);
    snprintf(cell.allocator, sizeof cell.allocator, "%s", allocator);
    snprintf(cell.pass, sizeof cell.pass, "%s", pass);
    strcpy(cell.trace, "perl");
    strcpy(cell.status, "ok");
    cell.repetition = repetition;
    cell.operations = 1000000;
    cell.failed_allocations = 0;
    return cell;
}

void run_append(struct store *store, const struct cell_result *cell)
{
    struct err err = {0};
    if (store_append(store, cell, &err) != 0)
        fail_msg("%s", err.text);
}

void run_throughput(struct store *store, const char *allocator, const double *ns_per_op,
                    size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct cell_result cell = run_cell(allocator, "throughput", i);
        cell.ns_per_op = ns_per_op[i];
        run_append(store, &cell);
    }
}
