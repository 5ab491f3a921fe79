/* pagemgr, mems and ostep as backends: a million random operations each against references that
 * look at one segment after the other, and pagemgr with one page against its classic interface. */
#include "tests/unit.h"

#include <stdio.h>
#include <string.h>

#include "alloc.h"
#include "allocators/region.h"
#include "allocators/spec.h"
#include "harness/base/rng.h"

enum { SEGMENTS = 1 << 15, LIVE = 300 };
enum fit { FIRST, BEST, WORST, NEXT };

/* In granules of 16 bytes; `order` of a free ostep block: larger ones come first in the list. */
struct segment {
    size_t start, size;
    long order;
    int used, mapping;
};

struct model {
    enum fit fit;
    int coalesce;   /* also across a mapping's ends */
    size_t mapping; /* granules a page; 0: there is a top */
    size_t header;  /* bytes */
    size_t limit;   /* granules; pagemgr counts the top as a hole */
    int by_list;    /* the list's order, not that of addresses */
    size_t top;
    long latest;   /* order of the head */
    long rover;    /* next fit, by list: searches begin with what is not before it */
    size_t cursor; /* next fit, by address */
    int mappings;
    size_t count;
    struct segment segment[SEGMENTS];
};

static void model_insert(struct model *model, size_t at, struct segment segment)
{
    assert_true(model->count < SEGMENTS);
    memmove(&model->segment[at + 1], &model->segment[at],
            (model->count - at) * sizeof(struct segment));
    model->segment[at] = segment;
    model->count++;
}

static void model_remove(struct model *model, size_t at)
{
    model->count--;
    memmove(&model->segment[at], &model->segment[at + 1],
            (model->count - at) * sizeof(struct segment));
}

/* Whether `a` comes before `b` in the order of searching. */
static int model_before(const struct model *model, const struct segment *a, const struct segment *b)
{
    return model->by_list ? a->order > b->order : a->start < b->start;
}

/* Next fit: whether the search comes to `segment` before it turns round. */
static int model_ahead(const struct model *model, const struct segment *segment)
{
    return model->by_list ? segment->order <= model->rover : segment->start >= model->cursor;
}

static int model_better(const struct model *model, const struct segment *a, const struct segment *b)
{
    if (model->fit == BEST && a->size != b->size)
        return a->size < b->size;
    if (model->fit == WORST && a->size != b->size)
        return a->size > b->size;
    if (model->fit == NEXT && model_ahead(model, a) != model_ahead(model, b))
        return model_ahead(model, a);
    return model_before(model, a, b);
}

/* The place of the segment to take; count: the top. */
static size_t model_find(const struct model *model, size_t size)
{
    struct segment top = {model->top, 0, 0, 0, 0};
    const struct segment *best = NULL;
    if (model->limit)
        top.size = model->limit - model->top;
    if (top.size >= size)
        best = &top;
    for (size_t i = 0; i < model->count; i++) {
        const struct segment *segment = &model->segment[i];
        if (!segment->used && segment->size >= size &&
            (!best || model_better(model, segment, best)))
            best = segment;
    }
    return !best || best == &top ? model->count : (size_t)(best - model->segment);
}

static void model_take_top(struct model *model, size_t size)
{
    size_t page = model->mapping ? model->mapping : 1, bytes = (size + page - 1) / page * page;
    model_insert(model, model->count,
                 (struct segment){model->top, bytes, 0, 0, model->mapping ? model->mappings++ : 0});
    model->top += bytes;
}

static size_t model_alloc(struct model *model, size_t bytes)
{
    size_t size = (bytes + model->header + 15) / 16, at = model_find(model, size);
    int from_top = at == model->count;
    if (from_top)
        model_take_top(model, size);
    struct segment *segment = &model->segment[at], rest = *segment;
    segment->used = 1;
    segment->size = size;
    rest.start += size;
    rest.size -= size;
    model->cursor = rest.start;
    if (!from_top)
        model->rover = rest.order;
    size_t start = segment->start;
    if (rest.size > 0)
        model_insert(model, at + 1, rest);
    return start;
}

/* Joins the free segment `at` with the next one if that is free too. */
static void model_join(struct model *model, size_t at)
{
    struct segment *one = &model->segment[at], *two = one + 1;
    if (at + 1 >= model->count || one->used || two->used || one->mapping != two->mapping)
        return;
    one->size += two->size;
    one->order = model->latest;
    model_remove(model, at + 1);
}

static void model_settle(struct model *model, size_t at)
{
    struct segment *segment = &model->segment[at];
    size_t end = segment->start + segment->size;
    if (model->coalesce && !model->mapping && end == model->top) {
        model->top = segment->start;
        end = model->limit;
        model->count--;
    }
    if (model->cursor > segment->start && model->cursor < end)
        model->cursor = segment->start;
}

static void model_free(struct model *model, size_t start)
{
    size_t at = 0;
    while (model->segment[at].start != start)
        at++;
    model->segment[at].used = 0;
    model->segment[at].order = ++model->latest;
    if (model->coalesce) {
        model_join(model, at);
        if (at > 0 && !model->segment[at - 1].used &&
            model->segment[at - 1].mapping == model->segment[at].mapping)
            model_join(model, --at);
    }
    model_settle(model, at);
}

/* ---- in step --------------------------------------------------------------------------------- */

struct pair {
    struct spec spec;
    struct region region;
    struct heap *heap;
    struct model model;
    char *origin; /* where granule 0 would be handed out */
};

static void pair_check(const struct pair *pair)
{
    char why[256] = "";
    if (heap_check(pair->heap, why, sizeof why) != 0)
        fail_msg("%s", why);
}

static void pair_run(const char *spec, const struct model *model, size_t largest, int steps)
{
    static struct pair pair;
    static struct {
        void *ref;
        size_t start;
    } live[LIVE];
    size_t lives = 0;
    struct rng rng;
    struct err err = {0};
    pair.model = *model;
    if (spec_parse(&pair.spec, spec, &err) != 0 ||
        region_init(&pair.region, REGION_DEFAULT, &err) ||
        spec_create(&pair.spec, &pair.region, NULL, &pair.heap, &err) != 0)
        fail_msg("%s", err.text);
    rng_init(&rng, 42);
    for (int step = 0; step < steps; step++) {
        /* The heap breathes: it fills, and empties to a few blocks, again and again. */
        size_t want = step / 20000 % 2 ? 40 : 60;
        if (lives > 0 && (lives == LIVE || rng_below(&rng, 100) >= want)) {
            size_t pick = (size_t)rng_below(&rng, lives);
            heap_free(pair.heap, live[pick].ref);
            model_free(&pair.model, live[pick].start);
            live[pick] = live[--lives];
            continue;
        }
        size_t size = 1 + (size_t)rng_below(&rng, rng_below(&rng, 8) ? 200 : largest);
        void *ref = heap_alloc(pair.heap, size);
        assert_non_null(ref);
        char *memory = heap_resolve(pair.heap, ref);
        live[lives].ref = ref;
        live[lives].start = model_alloc(&pair.model, size);
        if (step == 0)
            pair.origin = memory;
        if (memory != pair.origin + 16 * live[lives].start)
            fail_msg("%s, step %d: offset %td, the reference says %zu", spec, step,
                     memory - pair.origin, 16 * live[lives].start);
        lives++;
        if (step % 50000 == 0)
            pair_check(&pair);
    }
    pair_check(&pair);
    heap_destroy(pair.heap);
    region_release(&pair.region);
}

static const char *const fit_names[] = {"first", "best", "worst", "next"};

static void pagemgr_places_exactly(void **state)
{
    (void)state;
    for (enum fit fit = FIRST; fit <= NEXT; fit++) {
        char spec[64];
        snprintf(spec, sizeof spec, "pagemgr:pages=200,fit=%s", fit_names[fit]);
        const struct model model = {.fit = fit, .coalesce = 1, .limit = 200 * 4096 / 16};
        pair_run(spec, &model, 3000, 1000000);
    }
}

static void mems_places_exactly(void **state)
{
    (void)state;
    const struct model model = {.coalesce = 1, .mapping = 4096 / 16};
    pair_run("mems", &model, 20000, 1000000);
    const struct model paged = {.coalesce = 1, .mapping = 16384 / 16};
    pair_run("mems:page=16k,start=1", &paged, 100000, 200000);
}

static void ostep_places_exactly(void **state)
{
    (void)state;
    for (int coalesce = 0; coalesce < 2; coalesce++)
        for (enum fit fit = FIRST; fit <= NEXT; fit++) {
            char spec[64];
            snprintf(spec, sizeof spec, "ostep:coalesce=%d,fit=%s", coalesce, fit_names[fit]);
            const struct model model = {
                .fit = fit, .coalesce = coalesce, .header = 8, .by_list = 1, .rover = -1};
            pair_run(spec, &model, 3000, coalesce ? 1000000 : 40000);
        }
}

/* With one page the backend hands out what the classic interface does. */
static void pagemgr_is_its_classic_interface(void **state)
{
    (void)state;
    for (enum fit fit = FIRST; fit <= NEXT; fit++) {
        struct spec spec;
        struct region region;
        struct heap *heap;
        struct err err = {0};
        struct rng rng;
        char text[64], *chunk[300], *origin = NULL, *page = NULL;
        void *ref[300];
        size_t lives = 0;
        snprintf(text, sizeof text, "pagemgr:pages=1,fit=%s", fit_names[fit]);
        assert_int_equal(spec_parse(&spec, text, &err), 0);
        assert_int_equal(region_init(&region, REGION_DEFAULT, &err), 0);
        assert_int_equal(spec_create(&spec, &region, NULL, &heap, &err), 0);
        assert_int_equal(alloc_set_fit((enum alloc_fit)fit), 0);
        assert_int_equal(init_alloc(), 0);
        rng_init(&rng, fit);
        for (int step = 0; step < 100000; step++) {
            if (lives > 0 && rng_below(&rng, 100) < 48) {
                size_t pick = (size_t)rng_below(&rng, lives--);
                dealloc(chunk[pick]);
                heap_free(heap, ref[pick]);
                chunk[pick] = chunk[lives];
                ref[pick] = ref[lives];
                continue;
            }
            int size = 16 * (1 + (int)rng_below(&rng, rng_below(&rng, 8) ? 6 : 100));
            chunk[lives] = alloc(size);
            ref[lives] = heap_alloc(heap, (size_t)size);
            if (step == 0) {
                page = chunk[lives];
                origin = ref[lives];
            }
            assert_true(!chunk[lives] == !ref[lives]);
            if (chunk[lives])
                if (chunk[lives] - page != (char *)ref[lives] - origin)
                    fail_msg("%s, step %d, %d bytes: offset %td, the classic interface says %td",
                             text, step, size, (char *)ref[lives] - origin, chunk[lives] - page);
            lives += chunk[lives] != NULL;
        }
        assert_int_equal(cleanup(), 0);
        heap_destroy(heap);
        region_release(&region);
    }
    assert_int_equal(alloc_set_fit(ALLOC_FIRST_FIT), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pagemgr_places_exactly),
        cmocka_unit_test(mems_places_exactly),
        cmocka_unit_test(ostep_places_exactly),
        cmocka_unit_test(pagemgr_is_its_classic_interface),
    };
    return cmocka_run_group_tests_name("classic backends", tests, NULL, NULL);
}
