/* pagemgr's classic interface: its text sentence by sentence, and a linear reference. */
#include "tests/unit.h"

#include "alloc.h"
#include "harness/base/rng.h"
#include "tests/allocators/support/capture.h"

static void pagemgr_takes_and_gives_the_whole_page(void **state)
{
    (void)state;
    assert_int_equal(init_alloc(), 0);
    char *page = alloc(PAGESIZE);
    assert_non_null(page);
    memset(page, 1, PAGESIZE);
    assert_null(alloc(MINALLOC));
    dealloc(page);
    for (int i = 0; i < PAGESIZE / MINALLOC; i++) {
        char *chunk = alloc(MINALLOC);
        assert_ptr_equal(chunk, page + i * MINALLOC);
        memset(chunk, i, MINALLOC);
    }
    assert_null(alloc(MINALLOC));
    for (int i = 0; i < PAGESIZE / MINALLOC; i++)
        dealloc(page + i * MINALLOC);
    assert_ptr_equal(alloc(PAGESIZE), page);
    assert_int_equal(cleanup(), 0);
}

static void pagemgr_refuses_bad_sizes(void **state)
{
    (void)state;
    static const int bad[] = {0, -8, -1, 1, 7, 9, 12, 4095, 4097, 4104, INT32_MAX, INT32_MIN};
    assert_int_equal(init_alloc(), 0);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_null(alloc(bad[i]));
    assert_non_null(alloc(PAGESIZE));
    assert_int_equal(cleanup(), 0);
}

static void pagemgr_splits_and_merges(void **state)
{
    (void)state;
    assert_int_equal(init_alloc(), 0);
    char *a = alloc(1024), *b = alloc(1024), *c = alloc(1024), *d = alloc(1024);
    assert_null(alloc(8));
    dealloc(b);
    char *half = alloc(512);
    assert_ptr_equal(half, b);
    assert_ptr_equal(alloc(512), b + 512);
    dealloc(half);
    dealloc(b + 512);
    dealloc(a);
    dealloc(d);
    assert_null(alloc(2056));
    dealloc(c);
    assert_ptr_equal(alloc(4096), a);
    assert_int_equal(cleanup(), 0);
}

static void pagemgr_serves_nothing_without_a_page(void **state)
{
    (void)state;
    assert_null(alloc(8));
    assert_int_not_equal(cleanup(), 0);
    assert_int_equal(init_alloc(), 0);
    char *chunk = alloc(8);
    strcpy(chunk, "kept");
    assert_int_not_equal(init_alloc(), 0);
    assert_string_equal(chunk, "kept");
    assert_ptr_equal(alloc(8), chunk + 8);
    assert_int_equal(cleanup(), 0);
    assert_null(alloc(8));
    assert_int_not_equal(cleanup(), 0);
}

static void pagemgr_complain_once(char *pointer)
{
    capture_begin(STDERR_FILENO);
    dealloc(pointer);
    assert_int_equal(capture_end_lines(), 1);
}

static void pagemgr_survives_bad_pointers(void **state)
{
    (void)state;
    char outside[64];
    pagemgr_complain_once(outside);
    assert_int_equal(init_alloc(), 0);
    char *a = alloc(64), *b = alloc(64);
    memset(a, 'a', 64);
    memset(b, 'b', 64);
    pagemgr_complain_once(NULL);
    pagemgr_complain_once(outside);
    pagemgr_complain_once(a + 8);
    pagemgr_complain_once(a + 1);
    pagemgr_complain_once(a - 8);
    pagemgr_complain_once(a + PAGESIZE);
    pagemgr_complain_once(b + 64);
    dealloc(a);
    pagemgr_complain_once(a);
    for (int i = 0; i < 64; i++)
        assert_int_equal(b[i], 'b');
    assert_ptr_equal(alloc(64), a);
    assert_ptr_equal(alloc(4096 - 128), b + 64);
    assert_int_equal(cleanup(), 0);
    pagemgr_complain_once(a);
}

static void pagemgr_leaks_no_page(void **state)
{
    (void)state;
    size_t before = mappings_bytes();
    for (int i = 0; i < 100000; i++) {
        assert_int_equal(init_alloc(), 0);
        assert_non_null(alloc(8 * (1 + i % 512)));
        assert_int_equal(cleanup(), 0);
    }
    assert_int_equal(mappings_bytes(), before);
}

/* ---- the reference: one byte a granule, looked at one after the other ---- */

enum { CELLS = PAGESIZE / MINALLOC };

struct reference {
    unsigned char used[CELLS];
    int cursor;
};

static int reference_run(const struct reference *page, int at)
{
    int count = 0;
    while (at + count < CELLS && !page->used[at + count])
        count++;
    return count;
}

static int reference_next(const struct reference *page, int cells)
{
    for (int at = page->cursor; at < CELLS; at++)
        if (reference_run(page, at) >= cells && (at == 0 || page->used[at - 1]))
            return at;
    for (int at = 0; at < CELLS; at++)
        if (reference_run(page, at) >= cells)
            return at;
    return -1;
}

static void reference_free(struct reference *page, int at, int cells)
{
    memset(page->used + at, 0, (size_t)cells);
    while (page->cursor > 0 && page->cursor < CELLS && !page->used[page->cursor] &&
           !page->used[page->cursor - 1])
        page->cursor--;
}

static int reference_find(const struct reference *page, int cells, enum alloc_fit fit)
{
    int best = -1, best_run = 0;
    if (fit == ALLOC_NEXT_FIT)
        return reference_next(page, cells);
    for (int at = 0; at < CELLS;) {
        int run = reference_run(page, at);
        if (run >= cells && (best < 0 || (fit == ALLOC_BEST_FIT && run < best_run) ||
                             (fit == ALLOC_WORST_FIT && run > best_run))) {
            best = at;
            best_run = run;
        }
        at += run + 1;
    }
    return best;
}

static void pagemgr_places_like_the_reference(enum alloc_fit fit, uint64_t seed)
{
    struct reference page = {{0}, 0};
    struct rng rng;
    rng_init(&rng, seed);
    int length[CELLS] = {0}, live[CELLS], lives = 0;
    assert_int_equal(alloc_set_fit(fit), 0);
    assert_int_equal(init_alloc(), 0);
    char *base = alloc(PAGESIZE);
    dealloc(base);
    assert_int_equal(cleanup(), 0);
    assert_int_equal(init_alloc(), 0);
    for (int step = 0; step < 250000; step++) {
        if (lives > 0 && rng_below(&rng, 100) < 48) {
            int pick = (int)rng_below(&rng, (uint64_t)lives), at = live[pick];
            dealloc(base + at * MINALLOC);
            reference_free(&page, at, length[at]);
            live[pick] = live[--lives];
            continue;
        }
        int cells = 1 + (int)rng_below(&rng, rng_below(&rng, 8) ? 12 : 100);
        int at = reference_find(&page, cells, fit);
        char *chunk = alloc(cells * MINALLOC);
        if (step == 0)
            base = chunk;
        assert_ptr_equal(chunk, at < 0 ? NULL : base + at * MINALLOC);
        if (at < 0)
            continue;
        memset(page.used + at, 1, (size_t)cells);
        page.cursor = at + cells;
        length[at] = cells;
        live[lives++] = at;
    }
    assert_int_equal(cleanup(), 0);
}

static void pagemgr_places_exactly(void **state)
{
    (void)state;
    pagemgr_places_like_the_reference(ALLOC_FIRST_FIT, 1);
    pagemgr_places_like_the_reference(ALLOC_BEST_FIT, 2);
    pagemgr_places_like_the_reference(ALLOC_WORST_FIT, 3);
    pagemgr_places_like_the_reference(ALLOC_NEXT_FIT, 4);
    assert_int_not_equal(alloc_set_fit((enum alloc_fit)17), 0);
    assert_int_equal(alloc_set_fit(ALLOC_FIRST_FIT), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pagemgr_takes_and_gives_the_whole_page),
        cmocka_unit_test(pagemgr_refuses_bad_sizes),
        cmocka_unit_test(pagemgr_splits_and_merges),
        cmocka_unit_test(pagemgr_serves_nothing_without_a_page),
        cmocka_unit_test(pagemgr_survives_bad_pointers),
        cmocka_unit_test(pagemgr_leaks_no_page),
        cmocka_unit_test(pagemgr_places_exactly),
    };
    return cmocka_run_group_tests_name("pagemgr", tests, NULL, NULL);
}
