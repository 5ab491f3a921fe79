/* Shared-memory heaps with names of their own, and what is inside them. */
#include "tests/allocators/support/shared.h"

#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit.h"

static char shared_last[64];

const char *shared_fresh_name(void)
{
    static unsigned serial;
    snprintf(shared_last, sizeof shared_last, "/heapbench-test-%d-%u", (int)getpid(), serial++);
    return shared_last;
}

const char *shared_name(void)
{
    return shared_last;
}

size_t shared_offset(shmheap_memory_handle heap, const void *pointer)
{
    return (size_t)((const char *)pointer - (const char *)shmheap_underlying(heap));
}

struct shm_heap *shared_inside(shmheap_memory_handle heap)
{
    return ((struct shm_object *)heap.object)->heap;
}

void shared_assert_sound(shmheap_memory_handle heap)
{
    const char *flaw = shm_heap_flaw(shm_object_heap(heap.object));
    if (flaw)
        fail_msg("%s", flaw);
}

bool shared_is_nothing(shmheap_memory_handle heap)
{
    static const shmheap_memory_handle nothing;
    return memcmp(&heap, &nothing, sizeof heap) == 0 && shmheap_underlying(heap) == NULL;
}

shmheap_memory_handle shared_connect_elsewhere(unsigned number)
{
    mmap(NULL, (number * 7 + 1) << 20, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return shmheap_connect(shared_name());
}

unsigned shared_lock_word(const struct shm_heap *heap)
{
    return __atomic_load_n((const unsigned *)(const void *)&heap->lock, __ATOMIC_ACQUIRE);
}

bool shared_died_inside(const struct shm_heap *heap)
{
    return (shared_lock_word(heap) & SHARED_OWNER_DIED) != 0;
}

int shared_wait_for(pid_t child)
{
    int status = -1;
    assert_int_equal(waitpid(child, &status, 0), child);
    return status;
}

void words_fill(size_t *object, size_t words, size_t value)
{
    for (size_t i = 0; i < words; i++)
        object[i] = value + i;
}

bool words_are_filled(const size_t *object, size_t words, size_t value)
{
    for (size_t i = 0; i < words; i++)
        if (object[i] != value + i)
            return false;
    return true;
}
