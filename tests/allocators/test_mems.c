/* MeMS's classic interface: its text sentence by sentence, and a linear reference. */
#include "tests/unit.h"

#include <errno.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "harness/base/rng.h"
#include "mems.h"
#include "tests/allocators/support/capture.h"
#include "tests/allocators/support/sanitized.h"

static void *mems_address(uintptr_t address)
{
    return (void *)address;
}

static const char *mems_printed(void)
{
    capture_begin(STDOUT_FILENO);
    mems_print_stats();
    return capture_end();
}

static void mems_prints_what_the_text_shows(void **state)
{
    (void)state;
    static const char empty[] = "----- MeMS SYSTEM STATS -----\n"
                                "Pages used:\t0\n"
                                "Space unused:\t0\n"
                                "Main Chain Length:\t0\n"
                                "Sub-chain Length array: []\n"
                                "-----------------------------\n";
    assert_string_equal(mems_printed(), empty);
    mems_init();
    assert_string_equal(mems_printed(), empty);
    assert_ptr_equal(mems_malloc(1000), mems_address(1000));
    assert_string_equal(mems_printed(), "----- MeMS SYSTEM STATS -----\n"
                                        "MAIN[1000:5095]-> P[1000:1999] <-> H[2000:5095] <-> NULL\n"
                                        "Pages used:\t1\n"
                                        "Space unused:\t3096\n"
                                        "Main Chain Length:\t1\n"
                                        "Sub-chain Length array: [2, ]\n"
                                        "-----------------------------\n");
    mems_finish();
    assert_string_equal(mems_printed(), empty);
}

/* Ten arrays of 250 ints fill two mappings and a half; a freed one is reused in part. */
static void mems_follows_the_chains(void **state)
{
    (void)state;
    mems_init();
    for (uintptr_t i = 0; i < 10; i++)
        assert_ptr_equal(mems_malloc(1000), mems_address(1000 + i / 4 * 4096 + i % 4 * 1000));
    mems_free(mems_address(4000));
    assert_ptr_equal(mems_malloc(600), mems_address(4000));
    assert_string_equal(
        mems_printed(),
        "----- MeMS SYSTEM STATS -----\n"
        "MAIN[1000:5095]-> P[1000:1999] <-> P[2000:2999] <-> P[3000:3999] <-> P[4000:4599] <-> "
        "H[4600:5095] <-> NULL\n"
        "MAIN[5096:9191]-> P[5096:6095] <-> P[6096:7095] <-> P[7096:8095] <-> P[8096:9095] <-> "
        "H[9096:9191] <-> NULL\n"
        "MAIN[9192:13287]-> P[9192:10191] <-> P[10192:11191] <-> H[11192:13287] <-> NULL\n"
        "Pages used:\t3\n"
        "Space unused:\t2688\n"
        "Main Chain Length:\t3\n"
        "Sub-chain Length array: [5, 5, 3, ]\n"
        "-----------------------------\n");
    mems_finish();
}

static void mems_takes_exact_pages_and_holes(void **state)
{
    (void)state;
    mems_init();
    char *page = mems_malloc(4096), *pages = mems_malloc(8192), *more = mems_malloc(4097);
    assert_ptr_equal(page, mems_address(1000));
    assert_ptr_equal(pages, page + 4096);
    assert_ptr_equal(more, pages + 8192);
    assert_ptr_equal(mems_malloc(4095), more + 4097);
    mems_free(pages);
    assert_ptr_equal(mems_malloc(8192), pages);
    assert_non_null(strstr(mems_printed(), "MAIN[5096:13287]-> P[5096:13287] <-> NULL\n"));
    assert_non_null(strstr(mems_printed(), "Pages used:\t5\nSpace unused:\t0\n"));
    mems_finish();
}

static void mems_merges_inside_a_mapping_only(void **state)
{
    (void)state;
    mems_init();
    char *a = mems_malloc(2048), *b = mems_malloc(2048), *c = mems_malloc(2048);
    mems_free(a);
    mems_free(c);
    mems_free(b);
    assert_non_null(strstr(mems_printed(), "MAIN[1000:5095]-> H[1000:5095] <-> NULL\n"
                                           "MAIN[5096:9191]-> H[5096:9191] <-> NULL\n"));
    assert_ptr_equal(mems_malloc(4097), mems_address(9192));
    assert_ptr_equal(mems_malloc(4096), a);
    mems_finish();
}

static void mems_gets_physical_addresses(void **state)
{
    (void)state;
    mems_init();
    int *v = mems_malloc(250 * sizeof(int)), *w = mems_malloc(100000);
    int *p = mems_get(&v[1]);
    p[0] = 200;
    assert_int_equal(((int *)mems_get(v))[1], 200);
    memset(mems_get(w), 7, 100000);
    assert_ptr_equal(mems_get((char *)w + 99999), (char *)mems_get(w) + 99999);
    assert_ptr_equal((char *)mems_get((char *)v + 999), (char *)mems_get(v) + 999);
    assert_null(mems_get((char *)v + 1000));
    assert_null(mems_get((char *)w + 100000));
    assert_null(mems_get(mems_address(999)));
    assert_null(mems_get(NULL));
    assert_null(mems_get(mems_address(UINTPTR_MAX)));
    mems_free(v);
    assert_null(mems_get(v));
    assert_ptr_equal(mems_malloc(1000), v);
    assert_int_equal(((int *)mems_get(v))[1], 200);
    mems_finish();
    assert_null(mems_get(v));
}

static void mems_starts_where_it_is_told(void **state)
{
    (void)state;
    mems_set_start(0);
    mems_init();
    errno = 0;
    assert_null(mems_malloc(100));
    assert_int_equal(errno, 0);
    assert_non_null(mems_get(NULL));
    assert_ptr_equal(mems_malloc(100), mems_address(100));
    capture_begin(STDERR_FILENO);
    mems_free(NULL);
    assert_int_equal(capture_end_lines(), 0);
    assert_null(mems_get(NULL));
    assert_null(mems_malloc(100));
    assert_non_null(mems_get(NULL));
    mems_finish();
    mems_set_start(UINTPTR_MAX - 5000);
    mems_init();
    assert_ptr_equal(mems_malloc(10), mems_address(UINTPTR_MAX - 5000));
    errno = 0;
    assert_null(mems_malloc(4096));
    assert_int_equal(errno, ENOMEM);
    mems_finish();
    mems_set_start(1000);
}

static void mems_honours_the_page_size(void **state)
{
    (void)state;
    static const size_t sizes[] = {1, 64, 1000, 4096, 8192, 65536};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        mems_init_paged(sizes[i]);
        char *a = mems_malloc(1), *b = mems_malloc(2 * sizes[i]), *c = mems_malloc(sizes[i] + 1);
        assert_ptr_equal(b, a + sizes[i]);
        assert_ptr_equal(c, b + 2 * sizes[i]);
        memset(mems_get(b), 1, 2 * sizes[i]);
        memset(mems_get(c), 2, sizes[i] + 1);
        assert_int_equal(*((char *)mems_get(c - 1)), 1);
        mems_finish();
    }
}

static void mems_refuses_bad_calls(void **state)
{
    (void)state;
    assert_null(mems_malloc(10));
    capture_begin(STDERR_FILENO);
    mems_free(mems_address(1000));
    mems_finish();
    mems_init_paged(0);
    assert_int_equal(capture_end_lines(), 3);
    mems_init();
    char *a = mems_malloc(100), *b = mems_malloc(100);
    memset(mems_get(b), 'b', 100);
    assert_null(mems_malloc(0));
    assert_null(mems_malloc(SIZE_MAX));
    assert_null(mems_malloc(SIZE_MAX - 4096));
    assert_null(mems_malloc(SIZE_MAX / 2));
    capture_begin(STDERR_FILENO);
    mems_init();
    mems_free(NULL);
    mems_free(a + 1);
    mems_free(b + 100);
    mems_free(&errno);
    mems_free(mems_get(b));
    assert_int_equal(capture_end_lines(), 6);
    mems_free(a);
    capture_begin(STDERR_FILENO);
    mems_free(a);
    assert_int_equal(capture_end_lines(), 1);
    assert_int_equal(((char *)mems_get(b))[99], 'b');
    assert_ptr_equal(mems_malloc(100), a);
    mems_finish();
}

static void mems_leaks_no_page(void **state)
{
    (void)state;
    size_t before = mappings_bytes();
    for (int i = 0; i < 2000; i++) {
        mems_init();
        for (int j = 0; j < 50; j++)
            assert_non_null(mems_malloc(1000));
        mems_free(mems_address(2000));
        mems_finish();
    }
    assert_int_equal(mappings_bytes(), before);
}

/* In a child, since a limit on the address space cannot be taken back. */
static void mems_fits_small_blocks_into_few_mebibytes(void **state)
{
    (void)state;
    if (sanitized)
        skip(); /* the sanitizer's own address space is above any limit */
    pid_t child = fork();
    if (child == 0) {
        size_t limit = mappings_bytes() + (4 << 20);
        if (setrlimit(RLIMIT_AS, &(struct rlimit){limit, limit}) != 0)
            _exit(2);
        mems_init();
        for (int i = 0; i < 10000; i++)
            if (!mems_malloc(40))
                _exit(1);
        _exit(0);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

/* Where nothing is left, a hole of just the size needs no memory, and one that is larger takes the
 * node that a free left over. */
static int mems_recovers_in_child(void)
{
    size_t limit = mappings_bytes() + (4 << 20), full = 0;
    if (setrlimit(RLIMIT_AS, &(struct rlimit){limit, limit}) != 0)
        return 2;
    mems_init();
    while (mems_malloc(50000))
        full++;
    while (mems_malloc(100))
        continue;
    if (full < 10 || errno != ENOMEM)
        return 3;
    mems_free(mems_address(1000));
    if (mems_malloc(50000) != mems_address(1000))
        return 4;
    mems_finish();
    mems_init();
    while (mems_malloc(50000))
        full--;
    return full ? 5 : 0;
}

static void mems_recovers_from_exhaustion(void **state)
{
    (void)state;
    if (sanitized)
        skip(); /* as above */
    pid_t child = fork();
    if (child == 0)
        _exit(mems_recovers_in_child());
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

/* ---- the reference: segments in an array, looked at one after the other ---- */

enum { SEGMENTS = 4000, PAGE_BYTES = 1000 };

struct model_segment {
    uintptr_t start;
    size_t size;
    int mapping;
    int hole;
};

struct model {
    struct model_segment segment[SEGMENTS];
    int count, mappings;
    uintptr_t end;
};

static void model_insert(struct model *model, int at, struct model_segment segment)
{
    assert_true(model->count < SEGMENTS);
    memmove(&model->segment[at + 1], &model->segment[at],
            (size_t)(model->count - at) * sizeof segment);
    model->segment[at] = segment;
    model->count++;
}

static void model_remove(struct model *model, int at)
{
    model->count--;
    memmove(&model->segment[at], &model->segment[at + 1],
            (size_t)(model->count - at) * sizeof model->segment[0]);
}

static uintptr_t model_malloc(struct model *model, size_t size)
{
    int at = 0;
    while (at < model->count && !(model->segment[at].hole && model->segment[at].size >= size))
        at++;
    if (at == model->count) {
        size_t bytes = (size + PAGE_BYTES - 1) / PAGE_BYTES * PAGE_BYTES;
        model_insert(model, at, (struct model_segment){model->end, bytes, model->mappings++, 1});
        model->end += bytes;
    }
    struct model_segment *found = &model->segment[at], rest = *found;
    found->hole = 0;
    found->size = size;
    rest.start += size;
    rest.size -= size;
    if (rest.size > 0)
        model_insert(model, at + 1, rest);
    return model->segment[at].start;
}

static void model_merge(struct model *model, int at)
{
    if (at < 0 || at + 1 >= model->count)
        return;
    struct model_segment *one = &model->segment[at], *two = one + 1;
    if (!one->hole || !two->hole || one->mapping != two->mapping)
        return;
    one->size += two->size;
    model_remove(model, at + 1);
}

static void model_free(struct model *model, uintptr_t start)
{
    int at = 0;
    while (model->segment[at].start != start)
        at++;
    model->segment[at].hole = 1;
    model_merge(model, at);
    model_merge(model, at - 1);
}

static size_t model_unused(const struct model *model)
{
    size_t unused = 0;
    for (int at = 0; at < model->count; at++)
        unused += model->segment[at].hole ? model->segment[at].size : 0;
    return unused;
}

static void mems_places_exactly(void **state)
{
    (void)state;
    static struct model model;
    static uintptr_t live[SEGMENTS];
    size_t lives = 0;
    struct rng rng;
    rng_init(&rng, 7);
    model = (struct model){.end = 1000};
    mems_init_paged(PAGE_BYTES);
    for (int step = 0; step < 1000000; step++) {
        if (lives > 0 && (lives == 300 || rng_below(&rng, 2))) {
            size_t pick = (size_t)rng_below(&rng, lives);
            mems_free(mems_address(live[pick]));
            model_free(&model, live[pick]);
            live[pick] = live[--lives];
        } else {
            size_t size = 1 + (size_t)rng_below(&rng, rng_below(&rng, 16) ? 200 : 5000);
            uintptr_t expected = model_malloc(&model, size);
            assert_ptr_equal(mems_malloc(size), mems_address(expected));
            live[lives++] = expected;
        }
    }
    char expected[64];
    snprintf(expected, sizeof expected, "Space unused:\t%zu\n", model_unused(&model));
    assert_non_null(strstr(mems_printed(), expected));
    mems_finish();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mems_prints_what_the_text_shows),
        cmocka_unit_test(mems_follows_the_chains),
        cmocka_unit_test(mems_takes_exact_pages_and_holes),
        cmocka_unit_test(mems_merges_inside_a_mapping_only),
        cmocka_unit_test(mems_gets_physical_addresses),
        cmocka_unit_test(mems_starts_where_it_is_told),
        cmocka_unit_test(mems_honours_the_page_size),
        cmocka_unit_test(mems_refuses_bad_calls),
        cmocka_unit_test(mems_leaks_no_page),
        cmocka_unit_test(mems_fits_small_blocks_into_few_mebibytes),
        cmocka_unit_test(mems_recovers_from_exhaustion),
        cmocka_unit_test(mems_places_exactly),
    };
    return cmocka_run_group_tests_name("mems", tests, NULL, NULL);
}
