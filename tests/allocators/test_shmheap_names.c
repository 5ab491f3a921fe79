/* The objects behind the names of shared-memory heaps: whose they are, what is left behind, and
 * what is no heap. */
#include "tests/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "tests/allocators/support/capture.h"
#include "tests/allocators/support/shared.h"

static void nothing_is_left_behind(void **state)
{
    (void)state;
    for (int round = 0; round < 200; round++) {
        shmheap_memory_handle heap = shmheap_create(shared_fresh_name(), 4096);
        shmheap_memory_handle more = shmheap_connect(shared_name());
        assert_non_null(shmheap_alloc(more, 100));
        assert_true(mappings_of_tests() > 0);
        shmheap_disconnect(more);
        shmheap_destroy(shared_name(), heap);
        assert_int_equal(mappings_of_tests(), 0);
        assert_int_equal(shm_open(shared_name(), O_RDWR, 0), -1);
    }
}

static void the_object_is_the_owner_s_alone(void **state)
{
    (void)state;
    struct stat status;
    mode_t mask = umask(0);
    shmheap_memory_handle heap = shmheap_create(shared_fresh_name(), 4096);
    umask(mask);
    int file = shm_open(shared_name(), O_RDONLY, 0);
    assert_int_equal(fstat(file, &status), 0);
    close(file);
    assert_int_equal(status.st_mode & 07777, 0600);
    assert_true(status.st_blocks * 512 < 256 * 1024);
    shmheap_destroy(shared_name(), heap);
}

static void a_taken_name_is_refused_and_kept(void **state)
{
    (void)state;
    shmheap_memory_handle heap = shmheap_create(shared_fresh_name(), 4096);
    errno = 0;
    assert_true(shared_is_nothing(shmheap_create(shared_name(), 4096)));
    assert_int_equal(errno, EEXIST);
    assert_non_null(shmheap_alloc(heap, 8));
    shmheap_memory_handle again = shmheap_connect(shared_name());
    assert_false(shared_is_nothing(again));
    shmheap_disconnect(again);
    shmheap_destroy(shared_name(), heap);
}

static void destroy_removes_no_other_name(void **state)
{
    (void)state;
    char other_name[64], pipe_name[64], pipe_path[80];
    snprintf(pipe_name, sizeof pipe_name, "%s-pipe", shared_fresh_name());
    snprintf(pipe_path, sizeof pipe_path, "/dev/shm%s", pipe_name);
    shmheap_memory_handle other = shmheap_create(strcpy(other_name, shared_fresh_name()), 4096);
    shmheap_memory_handle heap = shmheap_create(shared_fresh_name(), 4096);
    assert_int_equal(mkfifo(pipe_path, 0600), 0);
    capture_begin(STDERR_FILENO);
    shmheap_destroy(other_name, heap);
    shmheap_destroy(NULL, heap);
    shmheap_destroy("/heapbench-test-there-is-none", heap);
    shmheap_destroy("", heap);
    shmheap_destroy(pipe_name, heap);
    assert_int_equal(capture_end_lines(), 5);
    unlink(pipe_path);
    assert_non_null(shmheap_alloc(heap, 8));
    shmheap_destroy(shared_name(), heap);
    shmheap_destroy(other_name, other);
}

/* Connects to an object with these contents and this length. */
static bool is_refused(const void *contents, size_t bytes, off_t length)
{
    int file = shm_open(shared_fresh_name(), O_RDWR | O_CREAT | O_EXCL, 0600);
    assert_int_equal(pwrite(file, contents, bytes, 0), bytes);
    assert_int_equal(ftruncate(file, length), 0);
    close(file);
    errno = 0;
    shmheap_memory_handle heap = shmheap_connect(shared_name());
    bool refused = shared_is_nothing(heap) && errno == EINVAL;
    if (!shared_is_nothing(heap))
        shmheap_disconnect(heap);
    shm_unlink(shared_name());
    return refused;
}

/* The head of a fresh heap; the name is free again. */
static struct shm_heap a_head(void)
{
    shmheap_memory_handle heap = shmheap_create(shared_fresh_name(), 4096);
    struct shm_heap head;
    memcpy(&head, shared_inside(heap), sizeof head);
    shmheap_destroy(shared_name(), heap);
    return head;
}

static void connect_refuses_what_is_no_heap(void **state)
{
    (void)state;
    struct shm_heap head = a_head();
    off_t length = (off_t)head.data_at + 4096;
    assert_false(is_refused(&head, sizeof head, length));
    assert_true(is_refused("", 0, 0));
    assert_true(is_refused("hello", 5, 5));
    assert_true(is_refused("hello", 5, length));
    assert_true(is_refused("", 0, (off_t)1 << 42));
    assert_true(is_refused(&head, sizeof head, sizeof head));
    assert_true(is_refused(&head, sizeof head, length - 4096));
    assert_true(is_refused(&head, sizeof head, length - 1));
    assert_true(is_refused(&head, sizeof head, (off_t)1 << 42));
    assert_true(shared_is_nothing(shmheap_connect("/heapbench-test-there-is-none")));
    assert_int_equal(errno, ENOENT);
}

static void connect_refuses_a_head_with_one_thing_wrong(void **state)
{
    (void)state;
    const struct shm_heap head = a_head();
    struct shm_heap wrong[8];
    for (size_t i = 0; i < 8; i++)
        wrong[i] = head;
    wrong[0].magic[0] ^= 1;
    wrong[1].version++;
    wrong[2].lock_bytes++;
    wrong[3].data_at += 4096;
    wrong[4].space.capacity = UINT64_MAX;
    wrong[5].space.units = head.space.capacity + 1;
    wrong[6].space.part_at[3] += 64;
    wrong[7].space.top = head.space.units + 1;
    for (size_t i = 0; i < 8; i++)
        assert_true(is_refused(&wrong[i], sizeof wrong[i], (off_t)head.data_at + 4096));
}

/* Makes heaps under one name, one after another, until it is killed. */
__attribute__((noreturn)) static void make_for_ever(void)
{
    for (;;)
        shmheap_destroy(shared_name(), shmheap_create(shared_name(), 4096));
}

static void a_name_is_that_of_a_whole_heap_or_none(void **state)
{
    (void)state;
    enum { DEATHS = 100, LOOKS = 20 };
    unsigned found = 0;
    shared_fresh_name();
    for (int death = 0; death < DEATHS; death++) {
        pid_t maker = fork();
        if (maker == 0)
            make_for_ever();
        for (int look = 0; look <= LOOKS; look++) {
            if (look == LOOKS) { /* what it leaves */
                kill(maker, SIGKILL);
                assert_int_equal(shared_wait_for(maker), SIGKILL);
            }
            nanosleep(&(struct timespec){0, 10000}, NULL);
            errno = 0;
            shmheap_memory_handle heap = shmheap_connect(shared_name());
            assert_true(!shared_is_nothing(heap) || errno == ENOENT);
            if (shared_is_nothing(heap))
                continue;
            found++;
            assert_non_null(shmheap_alloc(heap, 8));
            shmheap_disconnect(heap);
        }
        shm_unlink(shared_name());
    }
    assert_true(found > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_left_behind),
        cmocka_unit_test(the_object_is_the_owner_s_alone),
        cmocka_unit_test(a_taken_name_is_refused_and_kept),
        cmocka_unit_test(destroy_removes_no_other_name),
        cmocka_unit_test(a_name_is_that_of_a_whole_heap_or_none),
        cmocka_unit_test(connect_refuses_what_is_no_heap),
        cmocka_unit_test(connect_refuses_a_head_with_one_thing_wrong),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
