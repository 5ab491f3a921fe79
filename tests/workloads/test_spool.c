/* spool.h: how far ahead a program may be, and what becomes of the memory. */
#include "tests/unit.h"

#include <sys/stat.h>

#include "workloads/spool.h"

enum { TAKEN_MOST = 2000, KEPT = 256 };

struct program {
    struct spool spool;
    uint32_t chunks[TAKEN_MOST]; /* numbers */
    uint32_t count;
    bool drained; /* all the time */
};

static uint64_t plenty(void)
{
    return UINT64_C(1) << 40;
}

static uint64_t nothing(void)
{
    return 0;
}

static int set_up(void **state)
{
    static struct program program;
    program = (struct program){.count = 0};
    *state = &program;
    return spool_create(&program.spool, NULL);
}

static int tear_down(void **state)
{
    struct program *program = *state;
    spool_destroy(&program->spool);
    return 0;
}

/* As the recorded program does it (record/refill.c); false where it would have to wait. */
static bool take(struct program *program)
{
    struct spool_control *control = program->spool.control;
    uint32_t chunk = spool_pop(control, &control->free_list);
    if (!chunk && atomic_load(&control->fresh) < atomic_load(&control->allocated))
        chunk = atomic_fetch_add(&control->fresh, 1) + 1;
    if (!chunk)
        return false;
    atomic_fetch_add(&control->held, 1);
    memset((void *)spool_chunk_at(control, chunk - 1)->words, 0xff, sizeof(uint64_t) * SPOOL_WORDS);
    spool_chunk_at(control, chunk - 1)->taken = SPOOL_WORDS;
    program->chunks[program->count++] = chunk - 1;
    return true;
}

/* Takes until there are `most` or no more come, the spool being extended all the time. */
static void take_all(struct program *program, uint32_t most)
{
    do {
        atomic_fetch_add(&program->spool.control->returned, program->drained);
        spool_extend(&program->spool);
    } while (program->count < most && take(program));
}

static void give_all_back(struct program *program)
{
    while (program->count)
        spool_give_back(&program->spool, program->chunks[--program->count]);
    spool_wake(&program->spool);
}

static uint64_t memory(const struct program *program)
{
    struct stat file;
    assert_int_equal(fstat(program->spool.file, &file), 0);
    return (uint64_t)file.st_blocks * 512;
}

static void ahead_as_far_as_memory_goes(void **state)
{
    struct program *program = *state;
    program->spool.spare = plenty;
    take_all(program, TAKEN_MOST);
    assert_int_equal(program->count, TAKEN_MOST);
    assert_false(program->spool.full);
}

static void no_memory_to_spare(void **state)
{
    struct program *program = *state;
    program->spool.spare = nothing;
    program->drained = true; /* or it would look as if a record were in the way */
    take_all(program, TAKEN_MOST);
    assert_in_range(program->count, KEPT, 2 * KEPT);
    assert_true(program->spool.full);
    give_all_back(program);
    spool_extend(&program->spool);
    assert_false(program->spool.full);
}

static void memory_goes_back_and_comes_again(void **state)
{
    struct program *program = *state;
    program->spool.spare = plenty;
    take_all(program, TAKEN_MOST);
    uint64_t most = memory(program);
    give_all_back(program);
    assert_int_equal(program->spool.control->held, 0);
    assert_true(program->spool.control->cold > TAKEN_MOST / 2);
    assert_true(memory(program) < most / 2);
    take_all(program, TAKEN_MOST);
    assert_int_equal(program->count, TAKEN_MOST);
    assert_int_equal(program->spool.control->cold, 0);
}

static void chunks_come_back_empty(void **state)
{
    struct program *program = *state;
    program->spool.spare = plenty;
    take_all(program, TAKEN_MOST);
    give_all_back(program);
    struct spool_control *control = program->spool.control;
    uint32_t fresh = atomic_load(&control->fresh), full = 0;
    for (uint32_t i = 0; i < fresh; i++)
        for (uint32_t word = 0; word < SPOOL_WORDS; word++)
            full += spool_chunk_at(control, i)->words[word] != 0;
    assert_int_equal(full, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(ahead_as_far_as_memory_goes, set_up, tear_down),
        cmocka_unit_test_setup_teardown(no_memory_to_spare, set_up, tear_down),
        cmocka_unit_test_setup_teardown(memory_goes_back_and_comes_again, set_up, tear_down),
        cmocka_unit_test_setup_teardown(chunks_come_back_empty, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
