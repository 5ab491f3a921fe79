/* The shared-memory heap when shared memory is exhausted: no room is a result, never a signal. */
#include "tests/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/allocators/support/shared.h"

enum {
    FULL_AT = 2 << 20,
    ROOMY = 80 << 20,
    LARGE = 72 << 20,
    OBJECTS = 4096,
    BYTES = 1000,
    NOT_ALLOWED = 77
};

static bool write_to(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");
    return file && fputs(text, file) >= 0 && fclose(file) == 0;
}

/* Files belong to a user and a group that the namespace knows. */
static bool own_namespace(void)
{
    char user[32], group[32];
    snprintf(user, sizeof user, "0 %u 1", getuid());
    snprintf(group, sizeof group, "0 %u 1", getgid());
    if (unshare(CLONE_NEWNS) == 0)
        return true;
    return unshare(CLONE_NEWUSER | CLONE_NEWNS) == 0 && write_to("/proc/self/setgroups", "deny") &&
           write_to("/proc/self/uid_map", user) && write_to("/proc/self/gid_map", group);
}

/* This process sees shared memory of a size of its own. */
static bool small_memory(int bytes)
{
    char size[32];
    snprintf(size, sizeof size, "size=%d", bytes);
    return own_namespace() && mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
           mount("tmpfs", "/dev/shm", "tmpfs", 0, size) == 0;
}

static void fill_memory(void)
{
    static const char page[4096];
    int file = shm_open("/filler", O_RDWR | O_CREAT, 0600);
    while (write(file, page, sizeof page) == sizeof page)
        continue;
    close(file);
}

/* Allocates and writes until there is no more; returns how many. */
static int use_up(shmheap_memory_handle heap, char **objects)
{
    int count = 0;
    while (count < OBJECTS && (objects[count] = shmheap_alloc(heap, BYTES)) != NULL)
        memset(objects[count++], 1, BYTES);
    return count;
}

static bool goes_on(shmheap_memory_handle heap)
{
    static char *objects[OBJECTS];
    int first = use_up(heap, objects);
    if (first == 0 || first == OBJECTS || errno != ENOMEM)
        return false;
    for (int i = 0; i < first; i++)
        shmheap_free(heap, objects[i]);
    if (use_up(heap, objects) != first || space_flaw(&shared_inside(heap)->space))
        return false;
    shm_unlink("/filler");
    return shmheap_alloc(heap, BYTES) != NULL;
}

/* The heap has its length, but not all of its memory, when others take the rest. */
static int others_fill_memory(void)
{
    if (!small_memory(FULL_AT))
        return NOT_ALLOWED;
    shmheap_memory_handle heap = shmheap_create(shared_fresh_name(), FULL_AT / 2);
    fill_memory();
    return !goes_on(heap);
}

static int memory_is_full_from_the_start(void)
{
    if (!small_memory(FULL_AT))
        return NOT_ALLOWED;
    fill_memory();
    errno = 0;
    return !shared_is_nothing(shmheap_create(shared_fresh_name(), 4096)) || errno != ENOSPC ||
           shm_open(shared_name(), O_RDONLY, 0) >= 0;
}

/* Of an object that is larger than most heaps all is there, too. */
static int others_fill_memory_beside_a_large_object(void)
{
    if (!small_memory(ROOMY))
        return NOT_ALLOWED;
    shmheap_memory_handle heap = shmheap_create(shared_fresh_name(), FULL_AT / 2);
    char *large = shmheap_alloc(heap, LARGE);
    fill_memory();
    if (!large || shmheap_alloc(heap, LARGE))
        return 1;
    memset(large, 1, LARGE);
    return space_flaw(&shared_inside(heap)->space) != NULL;
}

static void survives(int (*body)(void))
{
    pid_t child = fork();
    if (child == 0)
        _exit(body());
    int status = shared_wait_for(child);
    if (WIFEXITED(status) && WEXITSTATUS(status) == NOT_ALLOWED)
        skip();
    assert_int_equal(status, 0);
}

static void a_heap_in_memory_that_others_fill(void **state)
{
    (void)state;
    survives(others_fill_memory);
}

static void a_large_object_in_memory_that_others_fill(void **state)
{
    (void)state;
    survives(others_fill_memory_beside_a_large_object);
}

static void a_heap_in_full_memory(void **state)
{
    (void)state;
    survives(memory_is_full_from_the_start);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_heap_in_memory_that_others_fill),
        cmocka_unit_test(a_large_object_in_memory_that_others_fill),
        cmocka_unit_test(a_heap_in_full_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
