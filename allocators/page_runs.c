/* Runs of whole pages; see the header. */
#include "allocators/page_runs.h"

#include <errno.h>
#include <sys/mman.h>

enum {
    EXACT_PAGES = 32,     /* longest run with a bin of its own length */
    KEEP_PAGES = 2048,    /* dirty pages that are kept, */
    KEEP_FEW = 256,       /* or only these and eight times what is taken or was just freed: */
    KEEP_FEW_SHIFT = 3,   /* a heap that became nearly empty does not need them, */
    KEEP_SHIFT = 2,       /* and so many of the taken ones: a quarter */
    GIVE_BACK_PAGES = 64, /* shorter runs are not worth a system call and a mapping */
    CREDIT_PAGES = 32768, /* that may go back to begin with */
    CREDIT_SHIFT = 3,     /* and so many of those that are taken: an eighth */
    STEP_PAGES = 16,      /* the least that is committed at once */
    STEP_SHIFT = 4,       /* and a sixteenth of what there is */
    HUGE_PAGES = REGION_HUGE / RUN_PAGE,
    HUGE_FROM = 2 * HUGE_PAGES,   /* from this frontier on the steps are huge pages */
    HUGE_UNTIL = 16 * HUGE_PAGES, /* longer runs behind this page get none */
    FILL_PAGES = 64,              /* a longer run may not be used as a whole */
};

static struct run_bins *runs_bins(struct page_runs *runs, uint8_t kind)
{
    return &runs->bins[kind == RUN_CLEAN];
}

/* Longer runs never have a smaller bin. */
static unsigned runs_bin(size_t pages)
{
    if (pages <= EXACT_PAGES)
        return (unsigned)pages - 1;
    unsigned log2 = 63 - (unsigned)__builtin_clzll(pages);
    unsigned bin = EXACT_PAGES + (log2 - 5) * 4 + (unsigned)(pages >> (log2 - 2) & 3);
    return bin < RUN_BINS ? bin : RUN_BINS - 1;
}

static void runs_tag(struct page_runs *runs, uint32_t first, size_t pages, uint8_t kind)
{
    struct run_page *last = &runs->page[first + pages - 1];
    last->pages = (uint32_t)pages;
    last->kind = pages > 1 && kind >= RUN_USED ? RUN_NONE : kind;
    runs->page[first].pages = (uint32_t)pages;
    runs->page[first].kind = kind;
}

static void runs_link(struct page_runs *runs, uint32_t first)
{
    struct run_page *page = &runs->page[first];
    struct run_bins *bins = runs_bins(runs, page->kind);
    unsigned bin = runs_bin(page->pages);
    page->prev = 0;
    page->next = bins->head[bin];
    if (page->next)
        runs->page[page->next].prev = first;
    bins->head[bin] = first;
    bins->map[bin / 64] |= UINT64_C(1) << (bin % 64);
    if (page->kind == RUN_DIRTY)
        runs->dirty += page->pages;
}

static void runs_unlink(struct page_runs *runs, uint32_t first)
{
    struct run_page *page = &runs->page[first];
    struct run_bins *bins = runs_bins(runs, page->kind);
    unsigned bin = runs_bin(page->pages);
    if (page->next)
        runs->page[page->next].prev = page->prev;
    if (page->prev)
        runs->page[page->prev].next = page->next;
    else if ((bins->head[bin] = page->next) == 0)
        bins->map[bin / 64] &= ~(UINT64_C(1) << (bin % 64));
    if (page->kind == RUN_DIRTY)
        runs->dirty -= page->pages;
}

/* The first non-empty bin at or after `bin`; RUN_BINS: none. */
static unsigned runs_next_bin(const struct run_bins *bins, unsigned bin)
{
    for (unsigned word = bin / 64; word < RUN_BINS / 64; word++) {
        uint64_t map = bins->map[word];
        if (word == bin / 64)
            map &= ~UINT64_C(0) << (bin % 64);
        if (map)
            return word * 64 + (unsigned)__builtin_ctzll(map);
    }
    return RUN_BINS;
}

/* A free run of at least `pages`: of a bin's first run the length is checked, in every higher bin
 * all of them fit. 0: none. */
static uint32_t runs_find(const struct page_runs *runs, const struct run_bins *bins, size_t pages)
{
    unsigned bin = runs_bin(pages);
    uint32_t first = bins->head[bin];
    if (first && runs->page[first].pages >= pages)
        return first;
    if (bin + 1 >= RUN_BINS || (bin = runs_next_bin(bins, bin + 1)) == RUN_BINS)
        return 0;
    return bins->head[bin];
}

/* Puts a free run into its bin, merged with its neighbours of the same kind; returns its start. */
static uint32_t runs_free(struct page_runs *runs, uint32_t first, size_t pages, uint8_t kind)
{
    uint32_t next = first + (uint32_t)pages;
    if (next < runs->top && runs->page[next].kind == kind) {
        runs_unlink(runs, next);
        pages += runs->page[next].pages;
    }
    if (runs->page[first - 1].kind == kind) {
        uint32_t before = runs->page[first - 1].pages;
        runs->page[first].kind = kind;
        first -= before;
        runs_unlink(runs, first);
        pages += before;
    }
    runs_tag(runs, first, pages, kind);
    runs_link(runs, first);
    return first;
}

/* In the region. */
static size_t runs_offset(const struct page_runs *runs, uint32_t page)
{
    return (size_t)(page_runs_address(runs, page) - runs->region->base);
}

static void runs_give_back(struct page_runs *runs, uint32_t first)
{
    size_t pages = runs->page[first].pages;
    runs_unlink(runs, first);
    region_decommit(runs->region, runs_offset(runs, first), pages << RUN_PAGE_LOG2);
    runs_free(runs, first, pages, RUN_CLEAN);
}

static int runs_commit(struct page_runs *runs, uint32_t first, size_t pages)
{
    return region_commit(runs->region, runs_offset(runs, first), pages << RUN_PAGE_LOG2);
}

/* The table down to `frontier`. */
static int runs_commit_table(struct page_runs *runs, uint32_t frontier)
{
    size_t bytes = ((size_t)frontier * sizeof *runs->page + RUN_PAGE - 1) & ~(size_t)(RUN_PAGE - 1);
    if (bytes <= runs->table_bytes)
        return 0;
    size_t offset = (size_t)((char *)runs->page - runs->region->base) + runs->table_bytes;
    int status = region_commit(runs->region, offset, bytes - runs->table_bytes);
    if (status == 0)
        runs->table_bytes = bytes;
    return status;
}

/* Pages to commit when `pages` are needed. */
static size_t runs_step(const struct page_runs *runs, size_t pages)
{
    size_t step = runs->frontier >> STEP_SHIFT;
    step = step > STEP_PAGES ? step : STEP_PAGES;
    return pages > step ? pages : step;
}

/* Where the frontier goes when it must reach `least`: huge pages are only filled by the kernel
 * where the whole of one is committed. */
static uint32_t runs_next_frontier(const struct page_runs *runs, size_t least)
{
    size_t target = runs->frontier + runs_step(runs, least - runs->frontier);
    if (target >= HUGE_FROM) {
        size_t skew = page_runs_number(runs, NULL) & (HUGE_PAGES - 1);
        target = ((target - skew + HUGE_PAGES - 1) & ~(size_t)(HUGE_PAGES - 1)) + skew;
    }
    return (uint32_t)(target < runs->limit ? target : runs->limit);
}

static int runs_advance(struct page_runs *runs, uint32_t frontier)
{
    uint32_t from = runs->frontier;
    if (runs_commit_table(runs, frontier) < 0 || runs_commit(runs, from, frontier - from) < 0)
        return -ENOMEM;
    runs->frontier = frontier;
    if (frontier < HUGE_FROM)
        runs->filled = frontier;
    return 0;
}

/* The huge page that the top has come into is filled, but not for a run which may never be used as
 * a whole: that one's first touches may, where they are not too many, and it is no longer than all
 * that is before it. One that is would be a table, of which here and there a page is used. */
static void runs_fill(struct page_runs *runs, size_t pages)
{
    size_t from = runs_offset(runs, runs->filled), held = runs_offset(runs, runs->frontier);
    size_t end = region_huge_from(runs->region, runs_offset(runs, runs->top));
    end = end < held ? end : held;
    if (pages <= FILL_PAGES)
        region_fill_huge(runs->region, from, end - from);
    else if (runs->top <= HUGE_UNTIL && 2 * pages <= runs->top)
        region_prefer_huge(runs->region, from, end - from);
    runs->filled = (uint32_t)page_runs_number(runs, runs->region->base + end);
}

/* Fresh pages from the top; 0: no memory. */
static uint32_t runs_take_top(struct page_runs *runs, size_t pages)
{
    if (pages > runs->limit - runs->top)
        return 0;
    size_t least = runs->top + pages;
    if (least > runs->frontier && runs_advance(runs, runs_next_frontier(runs, least)) < 0 &&
        runs_advance(runs, (uint32_t)least) < 0)
        return 0;
    uint32_t first = runs->top;
    runs->top += (uint32_t)pages;
    if (runs->top > runs->filled)
        runs_fill(runs, pages);
    return first;
}

/* The free run `first` becomes a taken one of `pages`; what is left stays free. */
static void runs_cut(struct page_runs *runs, uint32_t first, size_t pages)
{
    size_t rest = runs->page[first].pages - pages;
    uint8_t kind = runs->page[first].kind;
    runs_unlink(runs, first);
    if (rest == 0)
        return;
    runs_tag(runs, first + (uint32_t)pages, rest, kind);
    runs_link(runs, first + (uint32_t)pages);
}

/* Commits the front of the clean run `first`, `pages` of it and some more, which stay free. */
static int runs_refill(struct page_runs *runs, uint32_t first, size_t pages)
{
    size_t has = runs->page[first].pages, step = runs_step(runs, pages);
    step = step < has ? step : has;
    if (runs_commit(runs, first, step) < 0) {
        step = pages;
        if (runs_commit(runs, first, step) < 0)
            return -ENOMEM;
    }
    runs_cut(runs, first, step);
    runs_tag(runs, first, pages, RUN_USED);
    if (step > pages)
        runs_free(runs, first + (uint32_t)pages, step - pages, RUN_DIRTY);
    return 0;
}

/* The front of a clean run that is at least `pages` long, together with the dirty run before it if
 * that is too short by itself, and would be of less and less use. 0: no memory. */
static uint32_t runs_take_clean(struct page_runs *runs, size_t pages)
{
    uint32_t first = runs_find(runs, runs_bins(runs, RUN_CLEAN), pages);
    if (first == 0)
        return 0;
    const struct run_page *last = &runs->page[first - 1];
    uint32_t before = last->kind == RUN_DIRTY && last->pages < pages ? last->pages : 0;
    if (runs_refill(runs, first, pages - before) < 0)
        return 0;
    if (before) {
        runs_unlink(runs, first - before);
        runs->page[first - 1].kind = runs->page[first].kind = RUN_NONE;
    }
    return first - before;
}

static uint32_t runs_take_free(struct page_runs *runs, size_t pages)
{
    uint32_t first = runs_find(runs, runs_bins(runs, RUN_DIRTY), pages);
    if (first) {
        runs_cut(runs, first, pages);
        return first;
    }
    return runs_take_clean(runs, pages);
}

int page_runs_init(struct page_runs *runs, struct region *region, size_t offset)
{
    size_t pages = (region->reserved - offset) >> RUN_PAGE_LOG2;
    if (region->reserved < offset || pages < 4 || pages > UINT32_MAX / 2)
        return -ENOMEM;
    size_t table = (pages * sizeof(struct run_page) + RUN_PAGE - 1) & ~(size_t)(RUN_PAGE - 1);
    *runs = (struct page_runs){
        .region = region,
        .page = (struct run_page *)(region->base + offset),
        .base = region->base + offset + table - RUN_PAGE,
        .limit = (uint32_t)(pages - (table >> RUN_PAGE_LOG2)) + 1,
        .top = 1,
        .frontier = 1,
        .credit = CREDIT_PAGES,
    };
    return runs_commit_table(runs, 1);
}

uint32_t page_runs_take(struct page_runs *runs, size_t pages)
{
    if (pages >= runs->limit)
        return 0;
    uint32_t first = runs_take_free(runs, pages);
    if (first == 0)
        first = runs_take_top(runs, pages);
    if (first == 0 && page_runs_trim(runs, 0) > 0) /* which joins them with those given back */
        first = runs_take_free(runs, pages);
    if (first == 0)
        return 0;
    runs->taken += pages;
    runs->credit += pages >> CREDIT_SHIFT;
    runs_tag(runs, first, pages, RUN_USED);
    return first;
}

/* Dirty pages that stay when `pages` of them have just been freed. */
static size_t runs_keep(const struct page_runs *runs, size_t pages)
{
    size_t few = KEEP_FEW + ((runs->taken + pages) << KEEP_FEW_SHIFT);
    return (few < KEEP_PAGES ? few : KEEP_PAGES) + (runs->taken >> KEEP_SHIFT);
}

/* Only what is long enough by now: neighbours that are freed one after the other have merged. */
static void runs_settle(struct page_runs *runs, uint32_t first, size_t keep)
{
    size_t pages = runs->page[first].pages;
    if (runs->dirty <= keep || pages > runs->credit ||
        pages < GIVE_BACK_PAGES + (keep >> KEEP_SHIFT))
        return;
    runs->credit -= pages;
    runs_give_back(runs, first);
}

void page_runs_give(struct page_runs *runs, uint32_t first)
{
    size_t pages = runs->page[first].pages;
    runs->taken -= pages;
    runs_settle(runs, runs_free(runs, first, pages, RUN_DIRTY), runs_keep(runs, pages));
}

void page_runs_shorten(struct page_runs *runs, uint32_t first, size_t pages)
{
    size_t rest = runs->page[first].pages - pages;
    if (rest == 0)
        return;
    uint8_t kind = runs->page[first].kind;
    runs_tag(runs, first, pages, kind);
    runs_tag(runs, first + (uint32_t)pages, rest, RUN_USED);
    page_runs_give(runs, first + (uint32_t)pages);
}

uint32_t page_runs_behead(struct page_runs *runs, uint32_t first, size_t pages)
{
    uint32_t rest = first + (uint32_t)pages;
    runs_tag(runs, rest, runs->page[first].pages - pages, RUN_USED);
    runs_tag(runs, first, pages, RUN_USED);
    page_runs_give(runs, first);
    return rest;
}

bool page_runs_extend(struct page_runs *runs, uint32_t first, size_t pages)
{
    size_t have = runs->page[first].pages;
    uint32_t next = first + (uint32_t)have;
    if (pages <= have)
        return true;
    size_t more = pages - have;
    if (next == runs->top) {
        if (runs_take_top(runs, more) == 0)
            return false;
    } else {
        uint8_t kind = runs->page[next].kind;
        if ((kind != RUN_DIRTY && kind != RUN_CLEAN) || runs->page[next].pages < more ||
            (kind == RUN_CLEAN && runs_commit(runs, next, more) < 0))
            return false;
        runs_cut(runs, next, more);
        runs->page[next].kind = RUN_NONE;
    }
    runs->taken += more;
    runs_tag(runs, first, pages, runs->page[first].kind);
    return true;
}

size_t page_runs_trim(struct page_runs *runs, size_t keep)
{
    struct run_bins *bins = runs_bins(runs, RUN_DIRTY);
    size_t before = runs->dirty;
    while (runs->dirty > keep) {
        unsigned word = RUN_BINS / 64;
        while (bins->map[--word] == 0)
            ;
        unsigned bin = word * 64 + 63 - (unsigned)__builtin_clzll(bins->map[word]);
        runs_give_back(runs, bins->head[bin]);
    }
    return (before - runs->dirty) << RUN_PAGE_LOG2;
}
