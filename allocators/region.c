/* Memory for backends: one reserved stretch, committed in parts. */
#include "allocators/region.h"

#include <errno.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <time.h>

size_t region_page(void)
{
    return getauxval(AT_PAGESZ);
}

size_t region_default(void)
{
    struct rlimit limit;
    size_t bytes = REGION_DEFAULT;
    if (getrlimit(RLIMIT_AS, &limit) == 0)
        while (bytes > limit.rlim_cur / 2 && bytes > region_page())
            bytes /= 2;
    return bytes;
}

int region_init(struct region *region, size_t bytes, struct err *err)
{
    size_t mask = region_page() - 1;
    size_t reserved = (bytes + mask) & ~mask;
    if (reserved == 0)
        return err_set(err, EINVAL, "a region of %zu bytes cannot be reserved", bytes);
    void *base =
        mmap(NULL, reserved, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (base == MAP_FAILED)
        return err_set(err, errno, "cannot reserve %zu MiB of address space: %s (see ulimit -v)",
                       reserved >> 20, strerror(errno));
    *region = (struct region){.base = base, .reserved = reserved, .limit = SIZE_MAX, .calls = 1};
    return 0;
}

void region_release(struct region *region)
{
    if (region->base)
        munmap(region->base, region->reserved);
    *region = (struct region){0};
}

int region_commit(struct region *region, size_t offset, size_t bytes)
{
    if (offset > region->reserved || bytes > region->reserved - offset)
        return -ENOMEM;
    if (region->committed > region->limit || bytes > region->limit - region->committed)
        return -ENOMEM;
    region->calls++;
    if (mprotect(region->base + offset, bytes, PROT_READ | PROT_WRITE) < 0)
        return -ENOMEM;
    region->committed += bytes;
    if (region->committed > region->committed_peak)
        region->committed_peak = region->committed;
    return 0;
}

static void region_give(struct region *region, size_t offset, size_t bytes, int rights)
{
    region->calls += 2;
    /* Contents first: should the kernel refuse another mapping, the pages are gone all the same. */
    madvise(region->base + offset, bytes, MADV_DONTNEED);
    mprotect(region->base + offset, bytes, rights);
    region->committed -= bytes;
}

void region_decommit(struct region *region, size_t offset, size_t bytes)
{
    region_give(region, offset, bytes, PROT_NONE);
}

void region_retire(struct region *region, size_t offset, size_t bytes)
{
    region_give(region, offset, bytes, PROT_READ);
}

void region_discard(struct region *region, size_t offset, size_t bytes)
{
    region->calls++;
    madvise(region->base + offset, bytes, MADV_DONTNEED);
}

/* ---- huge pages ------------------------------------------------------------------------------ */

/* A slow one loses what so many quick ones gain. */
enum { HUGE_SLOW_NS = 1000000, HUGE_SLOW_LOSES = 6 };

size_t region_huge_from(const struct region *region, size_t offset)
{
    return offset + (-(uintptr_t)(region->base + offset) & (REGION_HUGE - 1));
}

bool region_likes_huge(const struct region *region)
{
    return region->huge_debt < 2 * HUGE_SLOW_LOSES;
}

/* Of this thread: what a host does for it is in that, what others do is not. */
static int64_t huge_clock(void)
{
    struct timespec now = {0};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static void region_fill_one(struct region *region, char *page)
{
    int64_t begun = huge_clock();
    region->calls += 2;
    madvise(page, REGION_HUGE, MADV_HUGEPAGE);
    madvise(page, REGION_HUGE, MADV_POPULATE_WRITE);
    if (huge_clock() - begun >= HUGE_SLOW_NS)
        region->huge_debt += HUGE_SLOW_LOSES;
    else if (region->huge_debt > 0)
        region->huge_debt--;
}

void region_prefer_huge(struct region *region, size_t offset, size_t bytes)
{
    if (!region_likes_huge(region))
        return;
    region->calls++;
    madvise(region->base + offset, bytes, MADV_HUGEPAGE);
}

void region_fill_huge(struct region *region, size_t offset, size_t bytes)
{
    size_t end = offset + bytes;
    for (offset = region_huge_from(region, offset);
         offset + REGION_HUGE <= end && region_likes_huge(region); offset += REGION_HUGE)
        region_fill_one(region, region->base + offset);
}
