/* Calls whose results are still to come: in a log of several threads or processes, other lines
 * stand between a call and its result. */
#ifndef WORKLOADS_PENDING_H
#define WORKLOADS_PENDING_H

#include "workloads/import/call.h"
#include "workloads/import/importer.h"

enum { PENDING_ROOM = 256 };

struct pending_call {
    uint64_t who; /* process or thread */
    struct call call;
    bool settled; /* the call was brought in; its result says nothing more */
};

/* A zeroed struct is an empty one. */
struct pending {
    struct pending_call calls[PENDING_ROOM]; /* the oldest first */
    unsigned count;
    uint64_t forgotten; /* for want of room */
};

void pending_add(struct pending *pending, uint64_t who, const struct call *call);

/* The newest call of `who`, or NULL; valid until one is added or taken. */
struct pending_call *pending_newest(struct pending *pending, uint64_t who);

/* Takes out the newest call of `who`, with `form` only one of that form; false: there is none. */
bool pending_take(struct pending *pending, uint64_t who, const enum call_form *form,
                  struct pending_call *taken);

/* At the end of the source: says how many calls never had a result. */
void pending_tell(const struct pending *pending, struct import *import);

#endif
