/* Calls without a result so far: few at a time, so they are searched one by one. */
#include "workloads/import/pending.h"

static void pending_remove(struct pending *pending, unsigned place)
{
    struct pending_call *at = &pending->calls[place];
    memmove(at, at + 1, (--pending->count - place) * sizeof *at);
}

void pending_add(struct pending *pending, uint64_t who, const struct call *call)
{
    if (pending->count == PENDING_ROOM) {
        pending->forgotten += !pending->calls[0].settled;
        pending_remove(pending, 0);
    }
    pending->calls[pending->count++] = (struct pending_call){.who = who, .call = *call};
}

struct pending_call *pending_newest(struct pending *pending, uint64_t who)
{
    for (unsigned i = pending->count; i-- > 0;)
        if (pending->calls[i].who == who)
            return &pending->calls[i];
    return NULL;
}

bool pending_take(struct pending *pending, uint64_t who, const enum call_form *form,
                  struct pending_call *taken)
{
    for (unsigned i = pending->count; i-- > 0;) {
        const struct pending_call *at = &pending->calls[i];
        if (at->who != who || (form && at->call.form != *form))
            continue;
        *taken = *at;
        pending_remove(pending, i);
        return true;
    }
    return false;
}

void pending_tell(const struct pending *pending, struct import *import)
{
    uint64_t open = pending->forgotten;
    for (unsigned i = 0; i < pending->count; i++)
        open += !pending->calls[i].settled;
    if (open)
        import_cut(import, "%llu %s no result, left out", (unsigned long long)open,
                   open == 1 ? "call has" : "calls have");
}
