/* Bookkeeping, headers included, costs at most 16 bytes a live block and 7 % of what the heap holds
 * at that moment; of mems 64 bytes a segment. */
#include <glob.h>
#include <stdio.h>
#include <string.h>

#include "tests/allocators/support/burden.h"
#include "tests/allocators/support/sanitized.h"
#include "tests/unit.h"

enum {
    BLOCKS = 40000 / SANITIZED_SCALE,
    EVENTS = 200000 / SANITIZED_SCALE,
    LOOK_EVERY = 5003,
    STAY = 4000,            /* one in so many objects */
    FIRST_PAGES = 64 << 10, /* bytes: the first page of each table; */
    BUDDY_PAGES = 96 << 10, /* of buddy, which has one an order */
};

/* One that joins no blocks (ostep:coalesce=0) has free blocks without number to tell of. */
static const char *const specs[] = {
    "first-fit",         "best-fit",       "next-fit", "worst-fit",      "buddy",
    "buddy:min=16",      "mymalloc",       "pagemgr",  "mems",           "pagemgr:fit=best",
    "pagemgr:fit=worst", "ostep",          "shmheap",  "ostep:fit=next", "ostep:fit=best",
    "ostep:fit=worst",   "shmheap:lock=0",
};

static void assert_light(const struct burden *burden, const char *stream)
{
    const struct burden_moment *worst = &burden->worst;
    bool buddy = strcmp(burden->spec.backend->name, "buddy") == 0;
    if (worst->excess > (buddy ? BUDDY_PAGES : FIRST_PAGES))
        fail_msg("%s, operation %llu: %llu bytes of bookkeeping, %.0f more than promised, for %llu "
                 "blocks in %llu bytes",
                 stream, (unsigned long long)worst->step, (unsigned long long)worst->metadata_bytes,
                 worst->excess, (unsigned long long)worst->live_blocks,
                 (unsigned long long)worst->held_bytes);
}

/* The heap fills, most blocks go in no order, and so again: what is told of the full one must not
 * stay with what is left of it. */
static int tides(struct burden *burden, struct err *err)
{
    struct rng rng;
    int error = 0;
    rng_init(&rng, BLOCKS);
    for (int tide = 0; tide < 2; tide++) {
        for (size_t i = 0; i < BLOCKS && !error; i++)
            error =
                burden_set(burden, i, 1 + rng_below(&rng, (uint64_t)16 << rng_below(&rng, 7)), err);
        for (size_t i = 0; i < BLOCKS && !error; i++)
            error = burden_set(burden, rng_below(&rng, BLOCKS), 0, err);
        for (size_t i = BLOCKS / 20; i < BLOCKS && !error; i++)
            error = burden_set(burden, i, 0, err);
    }
    return error;
}

static void tides_leave_little_behind(void **state)
{
    struct burden burden;
    struct err err = {0};
    int error = burden_open(&burden, *state, LOOK_EVERY, &err);
    if (!error)
        error = tides(&burden, &err);
    if (error)
        fail_msg("%s", err.text);
    assert_light(&burden, "tides");
    burden_close(&burden);
}

/* Also when the program ends early, and a few blocks stay everywhere. */
static void traces_cost_little(void **state)
{
    glob_t files;
    if (glob("workloads/traces/*.trace", 0, NULL, &files) != 0)
        fail_msg("there is no trace in workloads/traces");
    for (size_t i = 0; i < files.gl_pathc; i++) {
        struct burden burden;
        struct err err = {0};
        int error = burden_open(&burden, *state, LOOK_EVERY, &err);
        if (!error)
            error = burden_replay(&burden, files.gl_pathv[i], EVENTS, &err);
        if (!error)
            error = burden_ebb(&burden, STAY, &err);
        if (error)
            fail_msg("%s: %s", files.gl_pathv[i], err.text);
        assert_light(&burden, files.gl_pathv[i]);
        burden_close(&burden);
    }
    globfree(&files);
}

int main(void)
{
    enum { SPECS = sizeof specs / sizeof *specs };
    struct CMUnitTest tests[2 * SPECS];
    char names[2 * SPECS][64];
    for (size_t i = 0; i < SPECS; i++) {
        void *spec = (void *)(uintptr_t)specs[i];
        snprintf(names[2 * i], sizeof *names, "%s: tides", specs[i]);
        snprintf(names[2 * i + 1], sizeof *names, "%s: traces", specs[i]);
        tests[2 * i] =
            (struct CMUnitTest){names[2 * i], tides_leave_little_behind, NULL, NULL, spec};
        tests[2 * i + 1] =
            (struct CMUnitTest){names[2 * i + 1], traces_cost_little, NULL, NULL, spec};
    }
    return _cmocka_run_group_tests("bookkeeping", tests, 2 * SPECS, NULL, NULL);
}
