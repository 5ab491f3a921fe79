/* The registry, and the sentence that tells an unsound table. */
#include "allocators/registry.h"

#include <string.h>

#include "tests/unit.h"

static void names_are_found_and_unique(void **state)
{
    (void)state;
    for (size_t i = 0; i < registry_backends(); i++) {
        const char *name = registry_backend(i)->name;
        assert_ptr_equal(registry_find_backend(name), registry_backend(i));
        assert_null(registry_find_external(name));
        assert_null(registry_find_layer(name));
    }
    for (size_t i = 0; i < registry_externals(); i++)
        assert_ptr_equal(registry_find_external(registry_external(i)->name), registry_external(i));
    for (size_t i = 0; i < registry_layers(); i++)
        assert_ptr_equal(registry_find_layer(registry_layer(i)->name), registry_layer(i));
    assert_null(registry_find_backend("bump+checked"));
    assert_null(registry_find_external(""));
}

/* An option that a backend and a layer both had could be given to the backend alone. */
static void options_of_layers_are_their_own(void **state)
{
    (void)state;
    for (size_t l = 0; l < registry_layers(); l++)
        for (size_t i = 0; i < options_count(registry_layer(l)->options); i++)
            for (size_t b = 0; b < registry_backends(); b++) {
                const struct option_row *rows = registry_backend(b)->options;
                for (size_t j = 0; j < options_count(rows); j++)
                    assert_string_not_equal(rows[j].name, registry_layer(l)->options[i].name);
            }
}

static void *resolve(struct heap *heap, void *ref)
{
    (void)heap;
    return ref;
}

static int enter(struct heap *heap)
{
    (void)heap;
    return 0;
}

static const struct option_row bad_default[] = {{"size", OPTION_SIZE, "big", "bytes", NULL}, {0}};
static const struct option_row no_help[] = {{"size", OPTION_SIZE, "1", NULL, NULL}, {0}};
static const struct option_row no_choices[] = {{"fit", OPTION_CHOICE, NULL, "policy", NULL}, {0}};

static void an_unsound_table_is_told(void **state)
{
    (void)state;
    const struct allocator sound = allocator_bump;
    assert_null(allocator_flaw(&sound));
#define FLAW(change, word)                                                                         \
    do {                                                                                           \
        struct allocator bad = sound;                                                              \
        bad.change;                                                                                \
        assert_non_null(allocator_flaw(&bad));                                                     \
        assert_non_null(strstr(allocator_flaw(&bad), word));                                       \
    } while (0)
    FLAW(name = NULL, "name");
    FLAW(name = "a+b", "name");
    FLAW(summary = "", "summary");
    FLAW(align = 24, "power of two");
    FLAW(align = 0, "power of two");
    FLAW(alloc = NULL, "missing");
    FLAW(destroy = NULL, "missing");
    FLAW(resolve = resolve, "ref_of");
    FLAW(ref_of = resolve, "ref_of");
    FLAW(thread_enter = enter, "thread_leave");
    FLAW(walk = NULL, "WALK_TILES");
    FLAW(flags |= ALLOCATOR_PROCESS_SHARED, "attach");
    FLAW(options = bad_default, "default");
    FLAW(options = no_help, "help");
    FLAW(options = no_choices, "choices");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_found_and_unique),
        cmocka_unit_test(options_of_layers_are_their_own),
        cmocka_unit_test(an_unsound_table_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
