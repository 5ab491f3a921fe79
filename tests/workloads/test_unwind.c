/* unwind.h: every walk gives what the compiler's own unwinder gives, though only what has changed
 * since the walk before is looked at. */
#include "tests/unit.h"

#include <alloca.h>
#include <stdlib.h>
#include <string.h>
#include <unwind.h>

#include "harness/base/rng.h"
#include "workloads/record/unwind.h"

enum { WALKS = 20000, DEPTH_MOST = 40 };

static struct fixture {
    struct unwind unwind;
    struct rng rng;
    unsigned walks, deepest;
    volatile int after; /* keeps calls from becoming jumps */
} fixture;

static void tell(uintptr_t start, uintptr_t end, uintptr_t bias, const char *path)
{
    (void)start, (void)end, (void)bias, (void)path;
}

static uint64_t hash_of(uint32_t count)
{
    uint64_t hash = 0;
    for (uint32_t i = 0; i < count; i++)
        hash = hash * UINT64_C(0x9e3779b97f4a7c15) + fixture.unwind.frames[i].pc;
    return hash;
}

/* What the compiler's unwinder finds; backtrace() would find itself, too, where a sanitizer stands
 * in for it. */
struct trail {
    uintptr_t pc[UNWIND_FRAMES];
    int count;
};

static _Unwind_Reason_Code trail_add(struct _Unwind_Context *frame, void *arg)
{
    struct trail *trail = arg;
    uintptr_t pc = _Unwind_GetIP(frame);
    if (!pc || trail->count == UNWIND_FRAMES)
        return _URC_END_OF_STACK;
    trail->pc[trail->count++] = pc;
    return _URC_NO_REASON;
}

/* Stands for a hook: the walk begins with its caller. */
__attribute__((noinline)) static void walk(void)
{
    struct trail expected = {.count = 0};
    _Unwind_Backtrace(trail_add, &expected);
    int count = expected.count - 1;
    unwind(&fixture.unwind, __builtin_frame_address(0), tell);
    assert_int_equal(fixture.unwind.count, count);
    for (int i = 0; i < count; i++)
        assert_true(fixture.unwind.frames[count - 1 - i].pc == expected.pc[1 + i]);
    assert_true(fixture.unwind.frames[count - 1].hash == hash_of(fixture.unwind.count));
    fixture.walks++;
    fixture.deepest = (unsigned)count > fixture.deepest ? (unsigned)count : fixture.deepest;
}

static void dive(unsigned depth);

/* The same functions at the same places, called from elsewhere. */
__attribute__((noinline)) static void left(unsigned depth)
{
    dive(depth);
    fixture.after++;
}

__attribute__((noinline)) static void right(unsigned depth)
{
    dive(depth);
    fixture.after--;
}

__attribute__((noinline)) static void wide(unsigned depth)
{
    size_t size = 16 * (1 + rng_below(&fixture.rng, 8));
    char *room = alloca(size);
    memset(room, 1, size);
    dive(depth);
    fixture.after += room[size - 1];
}

/* Through frames of the C library, which have no frame pointer. */
static int compare(const void *a, const void *b)
{
    dive(*(const unsigned *)a);
    return *(const int *)a - *(const int *)b;
}

__attribute__((noinline)) static void sorted(unsigned depth)
{
    unsigned depths[] = {depth + 2, depth + 1, depth};
    qsort(depths, 3, sizeof *depths, compare);
    fixture.after += (int)depths[0];
}

/* Goes on to the end of its depth, or turns back before. */
__attribute__((noinline)) static void dive(unsigned depth)
{
    walk();
    while (depth < DEPTH_MOST && rng_below(&fixture.rng, 8) && fixture.walks < WALKS)
        switch (rng_below(&fixture.rng, 5)) {
        case 0:
            left(depth + 1);
            break;
        case 1:
            right(depth + 1);
            break;
        case 2:
            wide(depth + 1);
            break;
        case 3:
            sorted(depth + 1);
            break;
        default:
            walk();
        }
    fixture.after++;
}

static void test_like_the_library(void **state)
{
    (void)state;
    rng_init(&fixture.rng, 7);
    while (fixture.walks < WALKS)
        dive(0);
    assert_true(fixture.deepest > DEPTH_MOST);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_like_the_library),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
