/* One operation in so many, wherever it stands. */
#include "harness/measure/marks.h"

#include <stdlib.h>

#include "tests/unit.h"

enum { OPERATIONS = 100000 };

/* Words of all lengths, and handovers, which are no operations. Returns how many words. */
static size_t fill(uint64_t *words)
{
    size_t count = 0;
    for (uint64_t i = 0; i < OPERATIONS; i++) {
        if (i % 7 == 0)
            words[count++] = i << 32 | OP_TAKE;
        words[count++] = i << 32 | 8 << OP_KIND_BITS | (i % 5 ? OP_MALLOC : OP_REALLOC);
        if (i % 5 == 0)
            words[count++] = 16;
        if (i % 11 == 0)
            words[count++] = i << 32 | OP_GIVE;
    }
    return count;
}

static void marks_are_operations_at_random_distances(void **state)
{
    (void)state;
    static uint64_t words[4 * OPERATIONS];
    static const unsigned rows[] = {2, 3, 10, 100, 1000};
    size_t count = fill(words);
    for (size_t row = 0; row < sizeof rows / sizeof *rows; row++) {
        unsigned every = rows[row];
        struct mark *marks = malloc(marks_room(count, every) * sizeof *marks);
        struct rng rng;
        rng_init(&rng, 1);
        size_t marked = marks_choose(marks, &rng, every, words, words + count);
        assert_in_range(marked, OPERATIONS / every * 3 / 4, OPERATIONS / every * 5 / 4 + 1);
        size_t shortest = SIZE_MAX, longest = 0;
        for (size_t i = 0; i < marked; i++) {
            /* The object of each operation is its number. */
            assert_int_equal(op_object(words[marks[i].word]), marks[i].number);
            assert_false(op_is_handover(words[marks[i].word]));
            if (i == 0)
                continue;
            size_t distance = marks[i].number - marks[i - 1].number;
            shortest = distance < shortest ? distance : shortest;
            longest = distance > longest ? distance : longest;
        }
        assert_true(shortest >= 1 && longest <= 2 * every - 1 && shortest < longest);
        free(marks);
    }
}

static void nothing_has_no_marks(void **state)
{
    (void)state;
    struct mark marks[64];
    struct rng rng;
    uint64_t word = OP_FREE;
    rng_init(&rng, 1);
    assert_int_equal(marks_choose(marks, &rng, 10, &word, &word), 0);
    assert_true(marks_room(0, 10) <= 64);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(marks_are_operations_at_random_distances),
        cmocka_unit_test(nothing_has_no_marks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
