/* The policies place every block where their naive references do. */
#include <glob.h>
#include <stdio.h>

#include "harness/base/rng.h"
#include "tests/allocators/support/sanitized.h"
#include "tests/allocators/support/twin.h"
#include "tests/unit.h"

enum {
    OPERATIONS = 1000000 / SANITIZED_LISTS,
    TRACE_EVENTS = 200000 / SANITIZED_LISTS,
    CHECK_EVERY = 50000,
};

/* Sizes that a random program asks for. */
struct mix {
    const char *name;
    size_t live; /* blocks, around which the heap breathes */
    size_t (*size)(struct rng *rng);
};

static size_t size_small(struct rng *rng)
{
    return 1 + rng_below(rng, 200);
}

/* Any magnitude up to 64 KiB, all equally likely. */
static size_t size_any(struct rng *rng)
{
    return 1 + rng_below(rng, (uint64_t)1 << rng_below(rng, 17));
}

static size_t size_few(struct rng *rng)
{
    static const size_t sizes[] = {24, 40, 40, 56, 104, 520, 1032, 4104};
    return sizes[rng_below(rng, 8)];
}

/* Around the border of what is large, and around page sizes. */
static size_t size_border(struct rng *rng)
{
    static const size_t around[] = {1992, 2008, 2024, 2040, 2056, 4088, 8184, 65528};
    return around[rng_below(rng, 8)] + rng_below(rng, 32) - 16;
}

/* Blocks that are given back to the system when free, among small ones. */
static size_t size_huge(struct rng *rng)
{
    return rng_below(rng, 4) ? size_small(rng) : 1 + rng_below(rng, 3 << 20);
}

static const struct mix mixes[] = {
    {"small", 600, size_small},   {"any", 400, size_any},   {"few", 1500, size_few},
    {"border", 300, size_border}, {"huge", 120, size_huge},
};

static int step(struct twin *twin, const struct mix *mix, struct rng *rng, size_t objects,
                struct err *err)
{
    size_t object = rng_below(rng, objects);
    bool live = object < twin->room && twin->objects[object].ref;
    uint64_t choice = rng_below(rng, 16);
    if (live && choice < 3)
        return twin_realloc(twin, object, mix->size(rng), err);
    if (live)
        return twin_free(twin, object, err);
    if (choice == 0)
        return twin_alloc_aligned(twin, object, (size_t)32 << rng_below(rng, 9), mix->size(rng),
                                  err);
    return twin_alloc(twin, object, mix->size(rng), err);
}

/* The number of objects swings, so that heaps grow, break up and fall. */
static int run(struct twin *twin, const struct mix *mix, size_t steps, struct err *err)
{
    struct rng rng;
    rng_init(&rng, mix->live);
    for (size_t i = 0; i < steps; i++) {
        size_t phase = i / 10000 % 4, objects = mix->live * 2 >> (phase == 3 ? 2 : phase / 2);
        int error = step(twin, mix, &rng, objects, err);
        for (size_t extra = objects; !error && i % 10000 == 0 && extra < twin->room; extra++)
            error = twin_free(twin, extra, err);
        if (!error && i % CHECK_EVERY == 0)
            error = twin_check(twin, err);
        if (error)
            return error;
    }
    for (size_t object = 0; object < twin->room; object++)
        twin_free(twin, object, err);
    return twin_check(twin, err);
}

static void random_operations_are_placed_alike(void **state)
{
    const char *policy = *state;
    size_t count = sizeof mixes / sizeof *mixes;
    for (size_t i = 0; i < count; i++) {
        struct twin twin;
        struct err err = {0};
        int error = twin_open(&twin, policy, &err);
        if (!error)
            error = run(&twin, &mixes[i], OPERATIONS / count, &err);
        twin_close(&twin);
        if (error)
            fail_msg("%s sizes: %s", mixes[i].name, err.text);
    }
}

static void traces_are_placed_alike(void **state)
{
    glob_t files;
    if (glob("workloads/traces/*.trace", 0, NULL, &files) != 0)
        fail_msg("there is no trace in workloads/traces");
    for (size_t i = 0; i < files.gl_pathc; i++) {
        struct twin twin;
        struct err err = {0};
        int error = twin_open(&twin, *state, &err);
        if (!error)
            error = twin_replay(&twin, files.gl_pathv[i], TRACE_EVENTS, &err);
        twin_close(&twin);
        if (error)
            fail_msg("%s: %s", files.gl_pathv[i], err.text);
    }
    globfree(&files);
}

int main(void)
{
    struct CMUnitTest tests[64];
    char names[64][64];
    size_t count = 0;
    for (const char *const *policy = twin_policies; *policy; policy++) {
        void (*const functions[])(void **) = {random_operations_are_placed_alike,
                                              traces_are_placed_alike};
        static const char *const what[] = {"random operations", "traces"};
        for (int i = 0; i < 2; i++) {
            snprintf(names[count], sizeof names[count], "%s: %s", *policy, what[i]);
            tests[count] = (struct CMUnitTest){names[count], functions[i], NULL, NULL,
                                               (void *)(uintptr_t)*policy};
            count++;
        }
    }
    return _cmocka_run_group_tests("placement", tests, count, NULL, NULL);
}
