/* The classic pagemgr interface: one page, told apart by two bits a granule of 8 bytes.
 *
 * `used` marks every granule of a live chunk, `start` the first of each. 512 granules are 8 words:
 * a search looks at each free run of the page once, whatever the policy. */
#include "allocators/api/alloc.h"

#include <stdbool.h>
#include <stdint.h>

#include "allocators/classic/export.h"

enum { GRANULES = PAGESIZE / MINALLOC, WORDS = GRANULES / 64 };

static struct {
    char *page; /* NULL: not initialised */
    enum alloc_fit fit;
    unsigned cursor; /* next fit: the granule after the last allocation, never inside a run */
    uint64_t used[WORDS];
    uint64_t start[WORDS];
} manager;

struct run {
    unsigned first, count; /* granules; count 0: none */
};

/* The first granule at or after `from` whose bit in `bits` is `value`; GRANULES: none. */
static unsigned pagemgr_scan(const uint64_t *bits, unsigned from, bool value)
{
    for (unsigned word = from / 64; word < WORDS; word++) {
        uint64_t match = value ? bits[word] : ~bits[word];
        if (word == from / 64)
            match &= ~UINT64_C(0) << (from % 64);
        if (match)
            return word * 64 + (unsigned)__builtin_ctzll(match);
    }
    return GRANULES;
}

static bool pagemgr_better(const struct run *run, const struct run *best)
{
    if (best->count == 0)
        return true;
    switch (manager.fit) {
    case ALLOC_BEST_FIT:
        return run->count < best->count;
    case ALLOC_WORST_FIT:
        return run->count > best->count;
    case ALLOC_NEXT_FIT:
        return best->first < manager.cursor && run->first >= manager.cursor;
    default:
        return false;
    }
}

static struct run pagemgr_find(unsigned count)
{
    struct run best = {0, 0};
    for (unsigned at = 0; at < GRANULES;) {
        struct run run = {pagemgr_scan(manager.used, at, false), 0};
        at = pagemgr_scan(manager.used, run.first, true);
        run.count = at - run.first;
        if (run.count >= count && pagemgr_better(&run, &best))
            best = run;
    }
    return best;
}

static bool pagemgr_is_used(unsigned granule)
{
    return manager.used[granule / 64] >> (granule % 64) & 1;
}

static void pagemgr_mark(unsigned first, unsigned count, bool used)
{
    for (unsigned granule = first; granule < first + count; granule++) {
        uint64_t bit = UINT64_C(1) << (granule % 64);
        manager.used[granule / 64] &= ~bit;
        manager.used[granule / 64] |= used ? bit : 0;
    }
    uint64_t bit = UINT64_C(1) << (first % 64);
    manager.start[first / 64] &= ~bit;
    manager.start[first / 64] |= used ? bit : 0;
}

/* To the start of the free run that it stands in. */
static void pagemgr_settle_cursor(void)
{
    while (manager.cursor > 0 && manager.cursor < GRANULES && !pagemgr_is_used(manager.cursor) &&
           !pagemgr_is_used(manager.cursor - 1))
        manager.cursor--;
}

EXPORT int init_alloc(void)
{
    if (manager.page)
        return 1;
    void *page = mmap(NULL, PAGESIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (page == MAP_FAILED)
        return 1;
    memset(manager.used, 0, sizeof manager.used);
    memset(manager.start, 0, sizeof manager.start);
    manager.cursor = 0;
    manager.page = page;
    return 0;
}

EXPORT int cleanup(void)
{
    if (!manager.page || munmap(manager.page, PAGESIZE) != 0)
        return 1;
    manager.page = NULL;
    return 0;
}

EXPORT char *alloc(int size)
{
    if (!manager.page || size <= 0 || size > PAGESIZE || size % MINALLOC != 0)
        return NULL;
    unsigned count = (unsigned)size / MINALLOC;
    struct run run = pagemgr_find(count);
    if (run.count == 0)
        return NULL;
    pagemgr_mark(run.first, count, true);
    manager.cursor = run.first + count;
    return manager.page + run.first * MINALLOC;
}

EXPORT void dealloc(char *chunk)
{
    uintptr_t offset = (uintptr_t)chunk - (uintptr_t)manager.page;
    unsigned first = (unsigned)(offset / MINALLOC);
    if (!manager.page || offset >= PAGESIZE || offset % MINALLOC != 0 ||
        !(manager.start[first / 64] >> (first % 64) & 1)) {
        classic_complain("pagemgr: dealloc(%p): no live chunk begins there", (void *)chunk);
        return;
    }
    unsigned free_at = pagemgr_scan(manager.used, first, false);
    unsigned next_at =
        first + 1 < GRANULES ? pagemgr_scan(manager.start, first + 1, true) : GRANULES;
    pagemgr_mark(first, (free_at < next_at ? free_at : next_at) - first, false);
    pagemgr_settle_cursor();
}

EXPORT int alloc_set_fit(enum alloc_fit fit)
{
    if ((unsigned)fit > ALLOC_NEXT_FIT)
        return 1;
    manager.fit = fit;
    return 0;
}
