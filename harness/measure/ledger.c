/* The harness's own account of what is live. */
#include "harness/measure/ledger.h"

#include <errno.h>

#include "harness/base/pages.h"

int ledger_init(struct ledger *ledger, size_t objects, uint64_t align, struct err *err)
{
    *ledger = (struct ledger){.objects = objects, .align = align};
    ledger->entries = pages_map(objects * sizeof *ledger->entries);
    if (!ledger->entries)
        return err_set(err, errno, "no memory for a ledger of %zu objects", objects);
    return 0;
}

void ledger_release(struct ledger *ledger)
{
    pages_unmap(ledger->entries, ledger->objects * sizeof *ledger->entries);
}

static uint64_t ledger_rounded(const struct ledger *ledger, uint64_t size)
{
    return (size + ledger->align - 1) & ~(ledger->align - 1);
}

static uint64_t larger(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

void ledger_add(struct ledger *ledger, uint32_t object, uint64_t size, uint64_t usable)
{
    ledger->entries[object] = (struct ledger_entry){size, usable};
    ledger->requested += size;
    ledger->live += size;
    ledger->usable += usable;
    ledger->rounded += ledger_rounded(ledger, size);
    ledger->largest = larger(ledger->largest, ledger_rounded(ledger, size));
    ledger->blocks++;
    ledger->peak_live = larger(ledger->peak_live, ledger->live);
    ledger->peak_usable = larger(ledger->peak_usable, ledger->usable);
    ledger->peak_rounded = larger(ledger->peak_rounded, ledger->rounded);
}

void ledger_remove(struct ledger *ledger, uint32_t object)
{
    struct ledger_entry *entry = &ledger->entries[object];
    ledger->live -= entry->size;
    ledger->usable -= entry->usable;
    ledger->rounded -= ledger_rounded(ledger, entry->size);
    ledger->blocks--;
    entry->usable = 0;
}

void ledger_resize(struct ledger *ledger, uint32_t object, uint64_t size, uint64_t usable)
{
    ledger_remove(ledger, object);
    ledger_add(ledger, object, size, usable);
}
