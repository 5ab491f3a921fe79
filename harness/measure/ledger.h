/* The harness's own account of what is live, so that no allocator need be believed. */
#ifndef HARNESS_MEASURE_LEDGER_H
#define HARNESS_MEASURE_LEDGER_H

#include <stddef.h>
#include <stdint.h>

#include "harness/base/err.h"

/* A live block. */
struct ledger_entry {
    uint64_t size;   /* requested */
    uint64_t usable; /* what the block could hold; `size` where the allocator does not tell; 0: the
                        object is not live */
};

struct ledger {
    struct ledger_entry *entries; /* one an object number; owned */
    size_t objects;
    uint64_t align;     /* to which `rounded` rounds; a power of two */
    uint64_t requested; /* bytes, in all */
    uint64_t live;      /* R */
    uint64_t usable;    /* U */
    uint64_t rounded;   /* L: every live block's size rounded up to the alignment */
    uint64_t blocks;
    uint64_t peak_live, peak_usable, peak_rounded;
    uint64_t largest; /* `rounded` size of a block, ever */
};

/* Mapped and touched through harness/base/pages.h. */
int ledger_init(struct ledger *ledger, size_t objects, uint64_t align, struct err *err);
void ledger_release(struct ledger *ledger);

/* `object` was not live, and is now. */
void ledger_add(struct ledger *ledger, uint32_t object, uint64_t size, uint64_t usable);

/* `object` was live, and is gone. */
void ledger_remove(struct ledger *ledger, uint32_t object);

/* A reallocation that succeeded: the peaks see the new block in the old one's place. */
void ledger_resize(struct ledger *ledger, uint32_t object, uint64_t size, uint64_t usable);

#endif
