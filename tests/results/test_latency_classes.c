/* The class table of a latency cell, read back, and what other tools may have made of it. */
#include "results/latency_classes.h"

#include <stdio.h>
#include <string.h>

#include "tests/results/support/run.h"
#include "tests/unit.h"

static const char *const one[] = {"some", NULL};

struct table {
    char folder[RUN_FOLDER];
    struct store *store;
    struct latency_class classes[LATENCY_CLASSES_MOST];
    size_t count;
};

/* Reads `text` as the table of a cell; NULL: there is none. */
static void read_table(struct table *table, const char *text)
{
    struct err err = {0};
    char name[STORE_NAME];
    table->store = run_begin(table->folder, one, 1);
    struct cell_result cell = run_cell("some", "latency", 0);
    if (text) {
        FILE *file =
            store_begin_file(table->store, "latency", store_cell_name(name, &cell), ".csv", &err);
        assert_non_null(file);
        fputs(text, file);
        assert_int_equal(store_end_file(table->store, file, &err), 0);
    }
    table->count = latency_classes_read(table->store, &cell, table->classes);
    run_end(table->store, table->folder);
}

static void figures_are_found_by_the_names_of_their_columns(void **state)
{
    (void)state;
    static struct table table;
    read_table(&table, "max_ns,operation,new,count,up_to,p50_ns,p999_ns,clock_cost_ns,p50_net_ns\n"
                       "900,malloc,x,12,64,30,,20.0,10.0\n"
                       "70,free,x,3,,20,60,20.0,0.0\r\n");
    assert_int_equal(table.count, 2);
    const struct latency_class *malloc_class = &table.classes[0], *free_class = &table.classes[1];
    assert_string_equal(malloc_class->operation, "malloc");
    assert_int_equal(malloc_class->up_to, 64);
    assert_int_equal(malloc_class->count, 12);
    assert_true(malloc_class->ns[LATENCY_P50] == 30 && malloc_class->ns[LATENCY_MAX] == 900);
    assert_true(isnan(malloc_class->ns[LATENCY_P999]) && isnan(malloc_class->ns[LATENCY_P90]));
    assert_true(free_class->up_to == UINT64_MAX && free_class->ns[LATENCY_P999] == 60);
}

static void what_is_no_table_has_no_classes(void **state)
{
    (void)state;
    static struct table table;
    static const char *const texts[] = {NULL, "", "operation,up_to,count\n", "\n\n\n",
                                        "operation,count\nmalloc,many\nfree,-\n"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        read_table(&table, texts[i]);
        assert_int_equal(table.count, 0);
    }
}

static void a_table_that_is_too_long_is_cut(void **state)
{
    (void)state;
    static struct table table;
    static char text[200000];
    size_t used = (size_t)snprintf(text, sizeof text, "operation,count,p50_ns\n");
    for (int i = 0; i < 100; i++)
        used +=
            (size_t)snprintf(text + used, sizeof text - used, "%0*d,%d,nan\n", 20 + i, i, i + 1);
    read_table(&table, text);
    assert_int_equal(table.count, LATENCY_CLASSES_MOST);
    assert_int_equal(strlen(table.classes[5].operation), sizeof table.classes->operation - 1);
    assert_true(isnan(table.classes[5].ns[LATENCY_P50]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(figures_are_found_by_the_names_of_their_columns),
        cmocka_unit_test(what_is_no_table_has_no_classes),
        cmocka_unit_test(a_table_that_is_too_long_is_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
