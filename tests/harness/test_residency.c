/* Which pages are resident, against memory whose pages the test has touched itself. */
#include "harness/measure/residency.h"

#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "tests/unit.h"

enum { PAGE = 4096, PAGES = 10000, RUNS = 8 };

struct runs {
    size_t count;
    struct {
        uint64_t start, end;
    } at[RUNS];
};

static int note(void *arg, uint64_t start, uint64_t end)
{
    struct runs *runs = arg;
    assert_true(runs->count < RUNS);
    runs->at[runs->count].start = start;
    runs->at[runs->count++].end = end;
    return 0;
}

static void touched_pages_are_resident(void **state)
{
    (void)state;
    char *pages = mmap(NULL, (size_t)PAGES * PAGE, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    int pagemap = open("/proc/self/pagemap", O_RDONLY);
    assert_true(pages != MAP_FAILED && pagemap >= 0);
    /* A huge page would make more resident than is touched. */
    madvise(pages, (size_t)PAGES * PAGE, MADV_NOHUGEPAGE);
    /* Across the end of what is read at once, the first page, and the last. */
    memset(pages, 1, PAGE);
    memset(pages + (size_t)4090 * PAGE, 1, (size_t)10 * PAGE);
    memset(pages + (size_t)(PAGES - 1) * PAGE, 1, PAGE);
    struct runs runs = {0};
    uint64_t base = (uintptr_t)pages;
    assert_int_equal(resident_visit(pagemap, base, base + (uint64_t)PAGES * PAGE, note, &runs), 0);
    assert_int_equal(runs.count, 3);
    assert_int_equal(runs.at[0].start, base);
    assert_int_equal(runs.at[0].end, base + PAGE);
    assert_int_equal(runs.at[1].start, base + 4090 * PAGE);
    assert_int_equal(runs.at[1].end, base + 4100 * PAGE);
    assert_int_equal(runs.at[2].start, base + (PAGES - 1) * PAGE);
    madvise(pages, (size_t)5 * PAGE, MADV_DONTNEED);
    runs.count = 0;
    assert_int_equal(resident_visit(pagemap, base, base + 5 * PAGE, note, &runs), 0);
    assert_int_equal(runs.count, 0);
    close(pagemap);
    munmap(pages, (size_t)PAGES * PAGE);
}

static int add(void *arg, uint64_t start, uint64_t end)
{
    *(uint64_t *)arg += end - start;
    return 0;
}

/* What is mapped after the baseline was taken is held, and what the visits add up to is what
 * maps_held says. */
static void what_is_visited_is_what_is_held(void **state)
{
    (void)state;
    static struct intervals baseline;
    uint64_t before = 0, visited = 0, held = 0, resident = 0;
    int pagemap = open("/proc/self/pagemap", O_RDONLY);
    assert_int_equal(maps_baseline(&baseline), 0);
    maps_held(&baseline, &before);
    char *pages = mmap(NULL, 64 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    memset(pages, 1, 3 * PAGE);
    assert_int_equal(held_visit(&baseline, add, &visited), 0);
    assert_int_equal(maps_held(&baseline, &held), 0);
    assert_int_equal(residency_visit(pagemap, &baseline, add, &resident), 0);
    assert_int_equal(visited, held);
    assert_int_equal(held - before, 64 * PAGE);
    assert_in_range(resident, 3 * PAGE, held);
    munmap(pages, 64 * PAGE);
    close(pagemap);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(touched_pages_are_resident),
        cmocka_unit_test(what_is_visited_is_what_is_held),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
