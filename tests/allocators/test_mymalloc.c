/* mymalloc's classic interface: bins, layout, buddies, large requests, bad calls. */
#include "tests/unit.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "allocators/spec.h"
#include "harness/base/rng.h"
#include "mymalloc.h"
#include "tests/allocators/support/capture.h"
#include "tests/allocators/support/sanitized.h"

static int header_size(const void *payload)
{
    int size;
    memcpy(&size, (const char *)payload - 8, sizeof size);
    return size;
}

static void mymalloc_rounds_to_its_bins(void **state)
{
    (void)state;
    static const int bins[] = {24, 56, 120, 248, 504, 1016, 2040, 4088};
    mymalloc_init();
    for (int bin = 0, size = 1; bin < 8; bin++)
        for (; size <= bins[bin]; size++) {
            char *payload = mymalloc(size);
            assert_non_null(payload);
            assert_int_equal((uintptr_t)payload % 16, 0);
            assert_int_equal(header_size(payload), -bins[bin]);
            memset(payload, 0xff, (size_t)size);
            myfree(payload);
            assert_true(header_size(payload) >= 0);
        }
    mymalloc_destroy();
}

/* Chunks begin 8 bytes into their page, at a multiple of their size from there; two small ones in a
 * row are buddies. */
static void mymalloc_halves(void **state)
{
    (void)state;
    mymalloc_init();
    for (int turn = 0; turn < 10; turn++)
        for (int size = 24; size <= 4088; size = 2 * size + 8) {
            uintptr_t chunk = (uintptr_t)mymalloc(size) - 8;
            assert_int_equal((chunk - 8) % 4096 % (uintptr_t)(size + 8), 0);
        }
    mymalloc_destroy();
    mymalloc_init();
    for (int size = 24; size < 4088; size = 2 * size + 8)
        assert_non_null(mymalloc(size));
    char *one = mymalloc(24), *two = mymalloc(24);
    assert_ptr_equal(two, one + 32);
    mymalloc_destroy();
}

/* What was given out as the smallest chunks is whole pages again. */
static void mymalloc_joins_up_to_pages(void **state)
{
    (void)state;
    enum { COUNT = 20000 };
    static char *block[COUNT];
    char *low = NULL, *high = NULL;
    mymalloc_init();
    for (int i = 0; i < COUNT; i++) {
        block[i] = mymalloc(24);
        low = !low || block[i] < low ? block[i] : low;
        high = block[i] > high ? block[i] : high;
    }
    for (int i = 0; i < COUNT; i++)
        myfree(block[i * 7919 % COUNT]);
    for (int i = 0; i < COUNT / 128 / 4 * 3; i++) {
        char *page = mymalloc(4088);
        assert_true(page >= low && page + 4000 <= high);
    }
    mymalloc_destroy();
}

static void mymalloc_gives_large_requests_whole_pages(void **state)
{
    (void)state;
    mymalloc_init();
    for (int size = 4089; size < 3000000; size = size * 3 / 2 + 1) {
        char *payload = mymalloc(size), *behind = mymalloc(24);
        assert_non_null(payload);
        assert_int_equal((uintptr_t)payload % 16, 0);
        assert_true(-header_size(payload) >= size && -header_size(payload) < size + 4096);
        memset(payload, 0x5a, (size_t)size);
        memset(behind, 0x11, 24);
        assert_int_equal((unsigned char)payload[size - 1], 0x5a);
        myfree(behind);
        myfree(payload);
        /* Reused: the same size fits, one that is larger must not be put there. */
        payload = mymalloc(size);
        memset(payload, 0x5a, (size_t)size);
        myfree(payload);
        assert_ptr_equal(mymalloc(size), payload);
        char *larger = mymalloc(4 * size);
        memset(larger, 1, 4 * (size_t)size);
        assert_int_equal((unsigned char)payload[size - 1], 0x5a);
        myfree(larger);
        myfree(payload);
    }
    char *most = mymalloc(INT_MAX);
    assert_true(!most || header_size(most) < -INT_MAX + 8);
    mymalloc_destroy();
}

static void mymalloc_complains(void *pointer)
{
    capture_begin(STDERR_FILENO);
    myfree(pointer);
    assert_int_equal(capture_end_lines(), 1);
}

static void mymalloc_refuses_bad_calls(void **state)
{
    (void)state;
    char outside[64] = {0};
    assert_null(mymalloc(8));
    mymalloc_complains(outside);
    capture_begin(STDERR_FILENO);
    mymalloc_destroy();
    assert_int_equal(capture_end_lines(), 1);
    mymalloc_init();
    capture_begin(STDERR_FILENO);
    mymalloc_init();
    assert_int_equal(capture_end_lines(), 1);
    assert_null(mymalloc(0));
    assert_null(mymalloc(-1));
    assert_null(mymalloc(INT_MIN));
    char *a = mymalloc(100), *b = mymalloc(100), *large = mymalloc(100000);
    memset(a, 0, 100);
    memset(b, 'b', 100);
    memset(large, 0, 100000);
    memcpy(a + 8, b - 8, 8);
    memcpy(large + 8, b - 8, 8);
    mymalloc_complains(NULL);
    mymalloc_complains(outside);
    mymalloc_complains(outside + 16);
    mymalloc_complains(a + 16);
    mymalloc_complains(a + 1);
    mymalloc_complains(a - 16);
    mymalloc_complains(large + 16);
    mymalloc_complains(large + 4096);
    mymalloc_complains((void *)-16);
    mymalloc_complains((void *)((uintptr_t)a ^ (uintptr_t)1 << 40));
    myfree(a);
    mymalloc_complains(a);
    myfree(large);
    mymalloc_complains(large);
    for (int i = 0; i < 100; i++)
        assert_int_equal(b[i], 'b');
    mymalloc_destroy();
    assert_null(mymalloc(8));
    mymalloc_complains(b);
}

static void mymalloc_report_overrun(int size, int byte, int length)
{
    mymalloc_init();
    char *block = mymalloc(size);
    memset(block + size, byte, (size_t)length);
    mymalloc_complains(block);
    for (int i = 0; i < 2000; i++) {
        char *next = mymalloc(1 + i % 300);
        assert_non_null(next);
        assert_true(next != block);
    }
    mymalloc_destroy();
}

/* Past the end of every kind of chunk, into the header or all of what follows; the heap goes on. */
static void mymalloc_reports_overruns(void **state)
{
    (void)state;
    static const int sizes[] = {24, 56, 120, 504, 2040, 4088};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        for (int byte = 0; byte < 256; byte += 85) {
            mymalloc_report_overrun(sizes[i], byte, 1);
            mymalloc_report_overrun(sizes[i], byte, 8);
            mymalloc_report_overrun(sizes[i], byte, 24);
            mymalloc_report_overrun(3 * 4096 - 24, byte, 1);
        }
}

static unsigned long resident_pages(void)
{
    unsigned long pages = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    assert_non_null(file);
    assert_int_equal(fscanf(file, "%*u %lu", &pages), 1);
    fclose(file);
    return pages;
}

static void mymalloc_gives_memory_back(void **state)
{
    (void)state;
    enum { COUNT = 20000 };
    static char *block[COUNT];
    for (int count = COUNT; count >= COUNT / 16; count /= 2) { /* 80 MB ... 5 MB */
        size_t before = mappings_bytes();
        mymalloc_init();
        for (int i = 0; i < count; i++)
            memset(block[i] = mymalloc(4000), 1, 4000);
        unsigned long most = resident_pages();
        for (int i = 0; i < count; i++)
            myfree(block[i]);
        if (!sanitized)
            assert_true(most - resident_pages() > (unsigned long)count / 2);
        mymalloc_destroy();
        assert_int_equal(mappings_bytes(), before);
    }
}

/* Of a block longer than all before it only what is touched is there, also if it shall be zero. */
static void mymalloc_leaves_large_blocks_untouched(void **state)
{
    (void)state;
    enum { STEP = 2 << 20 };
    static const size_t sizes[] = {4 * STEP, 6 * STEP};
    struct region region = {0};
    struct spec spec;
    struct heap *heap;
    assert_int_equal(spec_parse(&spec, "mymalloc", NULL), 0);
    assert_int_equal(spec_create(&spec, &region, NULL, &heap, NULL), 0);
    unsigned long before = resident_pages();
    for (int turn = 0; turn < 2; turn++) {
        char *block = turn ? heap_alloc(heap, sizes[turn]) : heap_zalloc(heap, sizes[turn]);
        assert_non_null(block);
        for (size_t at = STEP / 2; at < sizes[turn]; at += STEP)
            block[at] = 1;
    }
    if (!sanitized)
        assert_true(resident_pages() - before < 200);
    heap_destroy(heap);
    region_release(&region);
}

static void mymalloc_leaks_no_page(void **state)
{
    (void)state;
    size_t before = mappings_bytes();
    for (int i = 0; i < 2000; i++) {
        mymalloc_init();
        for (int j = 1; j < 6000; j += 100)
            assert_non_null(mymalloc(j));
        mymalloc_destroy();
    }
    assert_int_equal(mappings_bytes(), before);
}

/* Every live block keeps what was written into it, whatever happens around it. */
/* Blocks of 10,000 bytes until there are no more; freed again. */
static int mymalloc_fill(void)
{
    enum { MOST = 4000 };
    static char *block[MOST];
    int count = 0;
    while (count < MOST && (block[count] = mymalloc(10000)))
        memset(block[count++], 1, 10000);
    for (int i = 0; i < count; i++)
        myfree(block[i]);
    return count < MOST ? count : -1;
}

/* Under a limit on the address space there is a heap of what the limit leaves. In a child, since a
 * limit cannot be taken back. */
static void mymalloc_lives_under_a_limit(void **state)
{
    (void)state;
    if (sanitized)
        skip(); /* the sanitizer's own address space is above any limit */
    pid_t child = fork();
    if (child == 0) {
        size_t limit = mappings_bytes() + (8 << 20);
        if (setrlimit(RLIMIT_AS, &(struct rlimit){limit, limit}) != 0)
            _exit(2);
        mymalloc_init();
        int count = mymalloc_fill();
        _exit(count < 100 || mymalloc_fill() != count);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

static void mymalloc_keeps_blocks_apart(void **state)
{
    (void)state;
    enum { LIVE = 2000 };
    static struct {
        unsigned char *at;
        int size;
    } live[LIVE];
    struct rng rng;
    rng_init(&rng, 3);
    mymalloc_init();
    for (int step = 0; step < 1000000; step++) {
        size_t pick = (size_t)rng_below(&rng, LIVE);
        unsigned char mark = (unsigned char)pick;
        if (live[pick].at) {
            assert_int_equal(live[pick].at[0], mark);
            assert_int_equal(live[pick].at[live[pick].size - 1], mark);
            myfree(live[pick].at);
            live[pick].at = NULL;
        } else {
            int size = 1 + (int)rng_below(&rng, rng_below(&rng, 50) ? 300 : 30000);
            live[pick].at = mymalloc(size);
            live[pick].size = size;
            live[pick].at[0] = live[pick].at[size - 1] = mark;
        }
    }
    mymalloc_destroy();
    memset(live, 0, sizeof live);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mymalloc_rounds_to_its_bins),
        cmocka_unit_test(mymalloc_halves),
        cmocka_unit_test(mymalloc_joins_up_to_pages),
        cmocka_unit_test(mymalloc_gives_large_requests_whole_pages),
        cmocka_unit_test(mymalloc_refuses_bad_calls),
        cmocka_unit_test(mymalloc_reports_overruns),
        cmocka_unit_test(mymalloc_gives_memory_back),
        cmocka_unit_test(mymalloc_leaves_large_blocks_untouched),
        cmocka_unit_test(mymalloc_leaks_no_page),
        cmocka_unit_test(mymalloc_lives_under_a_limit),
        cmocka_unit_test(mymalloc_keeps_blocks_apart),
    };
    return cmocka_run_group_tests_name("mymalloc", tests, NULL, NULL);
}
