/* A small table in the spool, by process number. */
#include "workloads/record/await.h"

#include <string.h>

#include "workloads/record/record.h"

enum { AWAIT_PLACES = 16 }; /* one behind the other, where a process may be */

static struct spool_awaited *await_find(pid_t pid, int32_t holds)
{
    struct spool_awaited *awaited = record_spool->awaited;
    for (unsigned i = 0; i < AWAIT_PLACES; i++) {
        struct spool_awaited *place = &awaited[((uint32_t)pid + i) % SPOOL_AWAITED];
        if (atomic_load(&place->pid) == holds)
            return place;
    }
    return NULL;
}

void await_program(pid_t pid, const char *name)
{
    const char *slash = strrchr(name, '/');
    struct spool_awaited *place = await_find(pid, 0);
    int32_t none = 0;
    if (!place || !atomic_compare_exchange_strong(&place->pid, &none, pid))
        return; /* one that is not told of */
    strncpy(place->program, slash ? slash + 1 : name, sizeof place->program - 1);
}

/* Whoever begins has its number in the table of images before it takes it out of this one. */
void await_spawned(pid_t pid, const char *name, uint32_t images)
{
    await_program(pid, name);
    uint32_t count = atomic_load(&record_spool->images);
    for (uint32_t i = images; i < count && i < SPOOL_IMAGES; i++)
        if (atomic_load(&record_spool->image[i].pid) == pid)
            await_over(pid);
}

void await_over(pid_t pid)
{
    struct spool_awaited *place;
    while ((place = await_find(pid, pid)))
        atomic_store(&place->pid, 0);
}
