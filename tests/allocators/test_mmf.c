/* The classic interface of mapped files. */
#include "tests/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <errno.h>
#include <sys/resource.h>

#include "allocators/api/mmf.h"
#include "tests/allocators/support/capture.h"

static void a_mapped_file_is_shared_and_really_unmapped(void **state)
{
    (void)state;
    char path[] = "/tmp/heapbench-test-XXXXXX";
    close(mkstemp(path));
    unlink(path);
    char *first = mmf_create_or_open(path, 8192), *second = mmf_create_or_open(path, 8192);
    assert_non_null(first);
    assert_ptr_not_equal(first, second);
    first[8191] = 42;
    assert_int_equal(second[8191], 42);
    assert_true(mappings_of_tests() == 2);
    struct stat status;
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_size, 8192);
    assert_null(mmf_create_or_open(path, 4096));
    assert_null(mmf_create_or_open(path, 16384));
    mmf_close(first, 8192);
    mmf_close(second, 8192);
    assert_int_equal(mappings_of_tests(), 0);
    first = mmf_create_or_open(path, 8192);
    assert_int_equal(first[8191], 42);
    mmf_close(first, 8192);
    unlink(path);
}

/* A name that no other test has. */
static const char *no_file(void)
{
    static char path[64];
    snprintf(path, sizeof path, "/tmp/heapbench-test-none.%d", (int)getpid());
    return path;
}

static void bad_mappings_are_refused(void **state)
{
    (void)state;
    assert_null(mmf_create_or_open(NULL, 4096));
    assert_null(mmf_create_or_open("/tmp", 4096));
    assert_null(mmf_create_or_open("/dev/null", 4096));
    assert_null(mmf_create_or_open("/there/is/no/such/folder", 4096));
    assert_null(mmf_create_or_open(no_file(), 0));
    assert_null(mmf_create_or_open(no_file(), SIZE_MAX));
    char *page = aligned_alloc(4096, 8192);
    memset(page, 3, 8192);
    capture_begin(STDERR_FILENO);
    mmf_close(NULL, 4096);
    mmf_close(page, 4096);
    mmf_close(page + 1, 4096);
    mmf_close(page, 0);
    mmf_close(page, SIZE_MAX);
    assert_int_equal(capture_end_lines(), 5);
    assert_int_equal(page[4095], 3);
    free(page);
}

static void assert_not_made(size_t size, int error)
{
    const char *path = no_file();
    errno = 0;
    assert_null(mmf_create_or_open(path, size));
    assert_int_equal(errno, error);
    assert_int_equal(access(path, F_OK), -1);
}

static void a_file_too_long_is_refused_and_not_left_behind(void **state)
{
    (void)state;
    struct rlimit before;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    assert_not_made((size_t)1 << 62, EFBIG);
    setrlimit(RLIMIT_FSIZE, &(struct rlimit){10000, before.rlim_max});
    assert_not_made(12288, EFBIG);
    setrlimit(RLIMIT_FSIZE, &before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_mapped_file_is_shared_and_really_unmapped),
        cmocka_unit_test(bad_mappings_are_refused),
        cmocka_unit_test(a_file_too_long_is_refused_and_not_left_behind),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
