/* The region: an exact account, the limit, and what the kernel says of the same pages. */
#include "allocators/region.h"

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit.h"

static struct region region;
static size_t page;

static int open_region(void **state)
{
    (void)state;
    page = region_page();
    return region_init(&region, 1000 * page - 1, NULL);
}

static int close_region(void **state)
{
    (void)state;
    region_release(&region);
    return 0;
}

static void a_reservation_is_rounded_up_and_empty(void **state)
{
    (void)state;
    assert_int_equal(region.reserved, 1000 * page);
    assert_int_equal(region.committed, 0);
    assert_int_equal((uintptr_t)region.base % page, 0);
}

static void the_account_is_exact(void **state)
{
    (void)state;
    assert_int_equal(region_commit(&region, 0, 10 * page), 0);
    assert_int_equal(region_commit(&region, 20 * page, 5 * page), 0);
    assert_int_equal(region.committed, 15 * page);
    region_decommit(&region, 2 * page, 3 * page);
    assert_int_equal(region.committed, 12 * page);
    assert_int_equal(region.committed_peak, 15 * page);
    region_discard(&region, 20 * page, 5 * page);
    assert_int_equal(region.committed, 12 * page);
    assert_int_equal(region.calls, 1 + 2 + 2 + 1);
}

static void what_was_given_back_comes_again_as_zero(void **state)
{
    (void)state;
    assert_int_equal(region_commit(&region, 0, 2 * page), 0);
    memset(region.base, 1, 2 * page);
    region_decommit(&region, 0, page);
    region_discard(&region, page, page);
    assert_int_equal(region.base[page], 0);
    assert_int_equal(region_commit(&region, 0, page), 0);
    assert_int_equal(region.base[0], 0);
}

static void a_commit_above_the_limit_is_refused(void **state)
{
    (void)state;
    region.limit = 4 * page;
    assert_int_equal(region_commit(&region, 0, 5 * page), -ENOMEM);
    assert_int_equal(region_commit(&region, 0, 4 * page), 0);
    assert_int_equal(region_commit(&region, 4 * page, page), -ENOMEM);
    assert_int_equal(region.committed, 4 * page);
    region_decommit(&region, 0, page);
    assert_int_equal(region_commit(&region, 4 * page, page), 0);
    region.limit = 0; /* lowered below what is held: nothing more */
    assert_int_equal(region_commit(&region, 8 * page, page), -ENOMEM);
}

static void a_commit_outside_is_refused(void **state)
{
    (void)state;
    assert_int_equal(region_commit(&region, 999 * page, 2 * page), -ENOMEM);
    assert_int_equal(region_commit(&region, 1001 * page, page), -ENOMEM);
    assert_int_equal(region_commit(&region, page, SIZE_MAX - page + 1), -ENOMEM);
    assert_int_equal(region.committed, 0);
}

/* Writable private bytes inside the region, as the kernel counts them. */
static size_t writable_bytes(void)
{
    size_t bytes = 0;
    char line[512];
    FILE *maps = fopen("/proc/self/maps", "r");
    assert_non_null(maps);
    while (fgets(line, sizeof line, maps)) {
        unsigned long start, end;
        char rights[5];
        if (sscanf(line, "%lx-%lx %4s", &start, &end, rights) == 3 && strcmp(rights, "rw-p") == 0 &&
            start >= (uintptr_t)region.base && end <= (uintptr_t)region.base + region.reserved)
            bytes += end - start;
    }
    fclose(maps);
    return bytes;
}

static void the_kernel_agrees(void **state)
{
    (void)state;
    assert_int_equal(writable_bytes(), 0);
    assert_int_equal(region_commit(&region, 3 * page, 50 * page), 0);
    region_decommit(&region, 10 * page, 7 * page);
    assert_int_equal(writable_bytes(), region.committed);
}

static void what_is_retired_reads_as_zero_and_is_not_held(void **state)
{
    (void)state;
    assert_int_equal(region_commit(&region, 0, 4 * page), 0);
    memset(region.base, 1, 4 * page);
    region_retire(&region, page, 2 * page);
    assert_int_equal(region.committed, 2 * page);
    assert_int_equal(writable_bytes(), region.committed);
    assert_int_equal(region.base[page] + region.base[3 * page - 1], 0);
    assert_int_equal(region.base[page - 1] + region.base[3 * page], 2);
    assert_int_equal(region_commit(&region, page, page), 0);
    region.base[page] = 1;
    assert_int_equal(region.committed, 3 * page);
}

static void what_is_not_committed_cannot_be_touched(void **state)
{
    (void)state;
    int status;
    assert_int_equal(region_commit(&region, 0, page), 0);
    pid_t child = fork();
    if (child == 0) {
        signal(SIGSEGV, SIG_DFL);
        *(volatile char *)(region.base + page) = 1;
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_false(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static void a_limit_leaves_half_of_itself_to_the_program(void **state)
{
    (void)state;
    struct rlimit old, low;
    assert_int_equal(getrlimit(RLIMIT_AS, &old), 0);
    assert_int_equal(region_default(), REGION_DEFAULT);
    low = (struct rlimit){(rlim_t)9 << 30, old.rlim_max};
    if (setrlimit(RLIMIT_AS, &low) != 0)
        skip();
    size_t under = region_default();
    setrlimit(RLIMIT_AS, &old);
    assert_int_equal(under, (size_t)4 << 30);
}

static void a_region_too_large_is_an_error_with_a_sentence(void **state)
{
    (void)state;
    struct region other = {0};
    struct err err = {0};
    assert_int_equal(region_init(&other, (size_t)1 << 62, &err), -ENOMEM);
    assert_non_null(strstr(err.text, "4398046511104 MiB"));
    assert_int_equal(region_init(&other, 0, &err), -EINVAL);
    assert_int_equal(region_init(&other, SIZE_MAX, &err), -EINVAL);
    region_release(&other); /* a zeroed region is nothing to release */
}

/* Pages of the region from `offset` on that are there. */
static size_t resident(const struct region *of, size_t offset, size_t bytes)
{
    static unsigned char there[4096];
    size_t count = 0;
    assert_true(bytes / page <= sizeof there);
    assert_int_equal(mincore(of->base + offset, bytes, there), 0);
    for (size_t i = 0; i < bytes / page; i++)
        count += there[i] & 1;
    return count;
}

static void only_whole_huge_pages_are_filled_and_only_while_they_come_soon(void **state)
{
    (void)state;
    struct region large;
    assert_int_equal(region_init(&large, 4 * REGION_HUGE, NULL), 0);
    assert_int_equal(region_commit(&large, 0, 4 * REGION_HUGE), 0);
    size_t from = region_huge_from(&large, page);
    assert_int_equal((uintptr_t)(large.base + from) % REGION_HUGE, 0);
    assert_true(from >= page && from < page + REGION_HUGE);
    region_fill_huge(&large, from + page, REGION_HUGE); /* ends within the next one */
    region_fill_huge(&large, from, REGION_HUGE - page);
    assert_int_equal(resident(&large, 0, 4 * REGION_HUGE), 0);
    large.huge_debt = 1000;
    assert_false(region_likes_huge(&large));
    region_fill_huge(&large, from, REGION_HUGE);
    assert_int_equal(resident(&large, 0, 4 * REGION_HUGE), 0);
    large.huge_debt = 0;
    uint64_t calls = large.calls;
    assert_true(region_likes_huge(&large));
    region_fill_huge(&large, from, REGION_HUGE + page);
    assert_int_equal(large.calls, calls + 2);
    assert_int_equal(resident(&large, 0, from), 0);
    assert_int_equal(resident(&large, from + REGION_HUGE, 3 * REGION_HUGE - from), 0);
    assert_int_equal(large.base[from], 0);
    large.base[from] = 1;
    region_release(&large);
}

int main(void)
{
#define IN_REGION(test) cmocka_unit_test_setup_teardown(test, open_region, close_region)
    const struct CMUnitTest tests[] = {
        IN_REGION(a_reservation_is_rounded_up_and_empty),
        IN_REGION(the_account_is_exact),
        IN_REGION(what_was_given_back_comes_again_as_zero),
        IN_REGION(what_is_retired_reads_as_zero_and_is_not_held),
        IN_REGION(a_commit_above_the_limit_is_refused),
        IN_REGION(a_commit_outside_is_refused),
        IN_REGION(the_kernel_agrees),
        IN_REGION(what_is_not_committed_cannot_be_touched),
        cmocka_unit_test(a_limit_leaves_half_of_itself_to_the_program),
        cmocka_unit_test(only_whole_huge_pages_are_filled_and_only_while_they_come_soon),
        cmocka_unit_test(a_region_too_large_is_an_error_with_a_sentence),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
