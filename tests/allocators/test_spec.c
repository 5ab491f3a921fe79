/* Allocator specs: what is read, what is refused and in which words, and where lists are cut. */
#include "allocators/spec.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "allocators/library.h"
#include "tests/unit.h"

static struct spec spec;
static struct err err;

static void parse(const char *text)
{
    if (spec_parse(&spec, text, &err) < 0)
        fail_msg("%s", err.text);
    assert_string_equal(spec.text, text);
}

static void refuse(const char *text, const char *sentence)
{
    assert_true(spec_parse(&spec, text, &err) < 0);
    assert_string_equal(err.text, sentence);
}

static void names_layers_and_options_are_read(void **state)
{
    (void)state;
    parse("bump");
    assert_ptr_equal(spec.backend, &allocator_bump);
    assert_int_equal(spec.layer_count, 0);
    assert_null(spec.library);
    parse("bump+locked+faulty:every=3,seed=9");
    assert_int_equal(spec.layer_count, 2);
    assert_ptr_equal(spec.layers[0], &layer_locked);
    assert_ptr_equal(spec.layers[1], &layer_faulty);
    assert_int_equal(spec.layer_values[1][0].number, 3);
    assert_int_equal(spec.layer_values[1][3].number, 9);
}

static void capitals_are_environment_variables(void **state)
{
    (void)state;
    parse("system:MALLOC_ARENA_MAX=1,GLIBC_TUNABLES=glibc.malloc.mmap_max=0:x=y");
    assert_int_equal(spec.variable_count, 2);
    assert_string_equal(spec.variables[0], "MALLOC_ARENA_MAX=1");
    assert_string_equal(spec.variables[1], "GLIBC_TUNABLES=glibc.malloc.mmap_max=0:x=y");
    parse("jemalloc:MALLOC_CONF=a:1\\,b:2\\,c\\d");
    assert_ptr_equal(spec.backend, &allocator_system);
    assert_string_equal(spec.library, "libjemalloc.so.2");
    assert_string_equal(spec.package, "libjemalloc2");
    assert_string_equal(spec.variables[0], "MALLOC_CONF=a:1,b:2,c\\d");
}

static void a_path_may_hold_what_specs_are_made_of(void **state)
{
    (void)state;
    parse("so:/opt/g++/a=b:c/libfoo.so");
    assert_ptr_equal(spec.backend, &allocator_system);
    assert_string_equal(spec.library, "/opt/g++/a=b:c/libfoo.so");
    assert_null(spec.package);
    parse("so:/opt/g++/libfoo.so+locked+checked:FOO=1");
    assert_string_equal(spec.library, "/opt/g++/libfoo.so");
    assert_int_equal(spec.layer_count, 2);
    assert_ptr_equal(spec.layers[1], &layer_checked);
    assert_string_equal(spec.variables[0], "FOO=1");
    parse("so:/opt/a\\,b.so");
    assert_string_equal(spec.library, "/opt/a,b.so");
}

static void a_refusal_names_the_part_and_the_nearest(void **state)
{
    (void)state;
    refuse("bmup", "there is no allocator 'bmup'; the nearest is 'bump' (bench list shows all)");
    refuse("", "an allocator's name is missing (bench list shows all)");
    refuse(":x=1", "an allocator's name is missing (bench list shows all)");
    refuse("jemaloc:A=1",
           "there is no allocator 'jemaloc'; the nearest is 'jemalloc' (bench list shows all)");
    refuse("bump+chekced", "bump+chekced: there is no layer 'chekced'; the nearest is 'checked' "
                           "(bench list shows all)");
    refuse("bump+", "bump+: there is no layer '' (bench list shows all)");
    refuse("bump+faulty:evry=1", "bump+faulty:evry=1: there is no option 'evry'; the nearest is "
                                 "'every' (bench list shows all)");
    refuse("bump+faulty:every=x", "faulty: option every: 'x' is not a whole number");
    refuse("bump+faulty:every", "bump+faulty:every: 'every' is not of the form option=value");
    refuse("bump:", "bump:: '' is not of the form option=value");
    refuse("bump:min=3", "bump:min=3: it has no options, so not 'min' either (environment "
                         "variables are written in capitals)");
    refuse("so:", "so:: a path follows so:, as in so:/usr/lib/libfoo.so");
    refuse("system:LD_PRELOAD=x", "system:LD_PRELOAD=x: a library to preload is written so:PATH");
    refuse("bump+locked+locked+locked+locked+locked",
           "bump+locked+locked+locked+locked+locked: more than 4 layers");
}

static void what_is_too_long_or_too_much_is_refused(void **state)
{
    (void)state;
    char text[2 * SPEC_TEXT], cut[SPEC_TEXT];
    memset(text, 'a', sizeof text);
    text[sizeof text - 1] = '\0';
    assert_int_equal(spec_parse(&spec, text, &err), -ENAMETOOLONG);
    assert_string_equal(spec_next(text, cut), "");
    assert_int_equal(spec_parse(&spec, cut, &err), -ENAMETOOLONG);
    memcpy(text, "so:/", 4);
    text[SPEC_TEXT - 2] = '\0';
    assert_int_equal(spec_parse(&spec, text, &err), 0);

    strcpy(text, "system:A=1");
    for (int i = 1; i < SPEC_VARIABLES; i++)
        strcat(text, ",A=1");
    assert_int_equal(spec_parse(&spec, text, &err), 0);
    strcat(text, ",A=1");
    assert_int_equal(spec_parse(&spec, text, &err), -EINVAL);
}

static void a_list_is_cut_where_specs_begin(void **state)
{
    (void)state;
    static const char *const parts[] = {"bump",    "buddy:min=32,max=64", "system:A=b\\,c,D=e:f",
                                        "so:/x=y", "so:/z:A=1",           "",
                                        "jemalloc"};
    const char *list = "bump,buddy:min=32,max=64,system:A=b\\,c,D=e:f,so:/x=y,so:/z:A=1,,jemalloc,";
    char out[SPEC_TEXT];
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        list = spec_next(list, out);
        assert_non_null(list);
        assert_string_equal(out, parts[i]);
    }
    assert_null(spec_next(list, out));
    assert_null(spec_next("", out));
}

/* MALLOC_CONF separates its settings by commas, too. */
static void settings_of_a_variable_stay_together(void **state)
{
    (void)state;
    static const char *const parts[] = {
        "jemalloc:MALLOC_CONF=narenas:1,dirty_decay_ms:0,prof:false",
        "system",
        "jemalloc:MALLOC_CONF=narenas:1,A=x",
        "buddy:64",
        "jemalloc:A=1",
        "so:/b",
        "system",
        "narenas:1"};
    const char *list = "jemalloc:MALLOC_CONF=narenas:1,dirty_decay_ms:0,prof:false,system,"
                       "jemalloc:MALLOC_CONF=narenas:1,A=x,buddy:64,jemalloc:A=1,so:/b,system,"
                       "narenas:1";
    char out[SPEC_TEXT];
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        list = spec_next(list, out);
        assert_non_null(list);
        assert_string_equal(out, parts[i]);
    }
    parse("jemalloc:MALLOC_CONF=narenas:1,dirty_decay_ms:0,A=x\\,y,B=2");
    assert_int_equal(spec.variable_count, 3);
    assert_string_equal(spec.variables[0], "MALLOC_CONF=narenas:1,dirty_decay_ms:0");
    assert_string_equal(spec.variables[1], "A=x,y");
    assert_string_equal(spec.variables[2], "B=2");
    assert_int_equal(spec_parse(&spec, "buddy:min=32,narenas:1", &err), -EINVAL);
    assert_int_equal(spec_parse(&spec, "system:A=1,narenas", &err), -EINVAL);
}

static void libraries_are_found_as_the_loader_finds_them(void **state)
{
    (void)state;
    char path[4096];
    assert_non_null(library_find("libc.so.6", path, sizeof path));
    assert_null(library_flaw(path));
    assert_null(library_find("libno-such-thing.so.1", path, sizeof path));
    assert_null(library_find("libc.so.6", path, 5));

    parse("so:libc.so.6");
    assert_non_null(spec_library_path(&spec, path, sizeof path, &err));
    parse("so:libno-such-thing.so.1");
    assert_null(spec_library_path(&spec, path, sizeof path, &err));
    assert_string_equal(err.text, "so:libno-such-thing.so.1: the loader finds no "
                                  "libno-such-thing.so.1; write its path, as in "
                                  "so:/usr/lib/libfoo.so");
}

static void what_cannot_be_preloaded_is_told(void **state)
{
    (void)state;
    char path[4096];
    parse("so:/nowhere/libfoo.so");
    assert_null(spec_library_path(&spec, path, sizeof path, &err));
    assert_non_null(strstr(err.text, "/nowhere/libfoo.so cannot be preloaded: No such file"));
    parse("so:/etc/passwd");
    assert_null(spec_library_path(&spec, path, sizeof path, &err));
    assert_non_null(strstr(err.text, "it is not a shared object"));
    parse("so:/");
    assert_null(spec_library_path(&spec, path, sizeof path, &err));
    assert_non_null(strstr(err.text, "it is not a shared object"));
}

/* A library of LD_LIBRARY_PATH comes before the cache; one of another machine is passed over. */
static void the_search_path_comes_first(void **state)
{
    (void)state;
    char folder[] = "/tmp/heapbench-XXXXXX", libc[4096], copy[64], bad[64], found[4096];
    assert_non_null(library_find("libc.so.6", libc, sizeof libc));
    assert_non_null(mkdtemp(folder));
    snprintf(copy, sizeof copy, "%s/libc.so.6", folder);
    snprintf(bad, sizeof bad, "%s/libm.so.6", folder);
    assert_int_equal(symlink(libc, copy), 0);
    assert_int_equal(symlink("/etc/passwd", bad), 0);
    setenv("LD_LIBRARY_PATH", folder, 1);
    assert_string_equal(library_find("libc.so.6", found, sizeof found), copy);
    assert_string_not_equal(library_find("libm.so.6", found, sizeof found), bad);
    unsetenv("LD_LIBRARY_PATH");
    unlink(copy);
    unlink(bad);
    rmdir(folder);
}

static void a_heap_is_made_from_a_spec(void **state)
{
    (void)state;
    struct region region;
    struct heap *heap;
    parse("bump+locked+faulty:after=2");
    assert_int_equal(spec_create(&spec, &region, NULL, &heap, &err), 0);
    assert_int_equal(region.reserved, REGION_DEFAULT);
    assert_non_null(heap_alloc(heap, 1));
    assert_non_null(heap_alloc(heap, 1));
    assert_null(heap_alloc(heap, 1));
    heap_destroy(heap);
    region_release(&region);

    parse("system");
    assert_int_equal(spec_create(&spec, &region, NULL, &heap, &err), 0);
    assert_null(region.base);
    heap_destroy(heap);
    region_release(&region);
}

static void a_heap_that_cannot_be_made_leaves_no_region(void **state)
{
    (void)state;
    struct region region;
    struct heap *heap = NULL;
    parse("null+checked");
    assert_int_equal(spec_create(&spec, &region, NULL, &heap, &err), -EINVAL);
    assert_null(region.base);
    assert_null(heap);
    assert_non_null(strstr(err.text, "not memory"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_layers_and_options_are_read),
        cmocka_unit_test(capitals_are_environment_variables),
        cmocka_unit_test(a_path_may_hold_what_specs_are_made_of),
        cmocka_unit_test(a_refusal_names_the_part_and_the_nearest),
        cmocka_unit_test(what_is_too_long_or_too_much_is_refused),
        cmocka_unit_test(a_list_is_cut_where_specs_begin),
        cmocka_unit_test(settings_of_a_variable_stay_together),
        cmocka_unit_test(libraries_are_found_as_the_loader_finds_them),
        cmocka_unit_test(what_cannot_be_preloaded_is_told),
        cmocka_unit_test(the_search_path_comes_first),
        cmocka_unit_test(a_heap_is_made_from_a_spec),
        cmocka_unit_test(a_heap_that_cannot_be_made_leaves_no_region),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
