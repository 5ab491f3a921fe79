/* The contract of allocator.h, held against every line of list.h, under every layer and under
 * stacks of layers. A new line is covered as it is.
 *
 * Usage: test_conformance [FILTER], such as 'first-fit*'. */
#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "allocators/library.h"
#include "allocators/registry.h"
#include "allocators/spec.h"
#include "tests/allocators/support/ledger.h"
#include "tests/allocators/support/sanitized.h"
#include "tests/unit.h"

struct subject {
    struct spec spec;
    struct allocator table; /* as the outermost layer has it */
};

/* ---- a heap for one test ----------------------------------------------------------------------
 */

struct fixture {
    struct region region;
    struct heap *heap;
    struct ledger *ledger;
};

static void fixture_open(struct fixture *fixture, void **state, size_t limit)
{
    const struct subject *subject = *state;
    struct err err = {0};
    bool wants_region = subject->spec.backend->scope == SCOPE_HEAP;
    fixture->region = (struct region){0};
    if (wants_region && region_init(&fixture->region, REGION_DEFAULT, &err) < 0)
        fail_msg("%s", err.text);
    fixture->region.limit = limit;
    if (spec_create_in(&subject->spec, wants_region ? &fixture->region : NULL, NULL, &fixture->heap,
                       &err) < 0)
        fail_msg("%s", err.text);
    fixture->ledger = ledger_create(fixture->heap);
}

static void fixture_close(struct fixture *fixture)
{
    heap_destroy(fixture->heap);
    region_release(&fixture->region);
    ledger_destroy(fixture->ledger);
}

static void prove_sound(struct heap *heap)
{
    char why[256] = "";
    int checked = heap_check(heap, why, sizeof why);
    if (checked != 0 && checked != -ENOTSUP)
        fail_msg("check: %s", why);
}

/* ---- what a table has, by which the checks are chosen -----------------------------------------
 */

static bool is_any(const struct allocator *table)
{
    (void)table;
    return true;
}

static bool is_real(const struct allocator *table)
{
    return !allocator_has(table, ALLOCATOR_NOT_REAL);
}

static bool is_freeing(const struct allocator *table)
{
    return is_real(table) && !allocator_has(table, ALLOCATOR_NO_FREE);
}

static bool is_limited(const struct allocator *table)
{
    return is_real(table) && table->scope == SCOPE_HEAP;
}

static bool is_walked(const struct allocator *table)
{
    return is_real(table) && table->walk;
}

static bool is_checked(const struct allocator *table)
{
    return is_real(table) && table->check;
}

static bool is_threaded(const struct allocator *table)
{
    return is_real(table) && table->threads != THREADS_ONE;
}

static bool is_aligning(const struct allocator *table)
{
    return is_real(table) && table->alloc_aligned;
}

/* ---- the checks -------------------------------------------------------------------------------
 */

static void its_table_is_sound(void **state)
{
    const struct subject *subject = *state;
    const char *flaw = allocator_flaw(&subject->table);
    if (flaw)
        fail_msg("%s: %s", subject->spec.text, flaw);
}

static void blocks_are_aligned_apart_and_kept(void **state)
{
    struct fixture fixture;
    fixture_open(&fixture, state, SIZE_MAX);
    for (size_t size = 1; size <= 600; size++)
        assert_true(ledger_alloc(fixture.ledger, size));
    for (size_t size = 1000; size < 2000000; size = size * 3 / 2)
        assert_true(ledger_alloc(fixture.ledger, size));
    ledger_prove(fixture.ledger);
    prove_sound(fixture.heap);
    ledger_free_all(fixture.ledger);
    fixture_close(&fixture);
}

static void zalloc_zeroes(void **state)
{
    struct fixture fixture;
    fixture_open(&fixture, state, SIZE_MAX);
    for (int round = 0; round < 3; round++) {
        for (size_t size = 1; size < 300000; size += size / 2 + 1)
            assert_true(ledger_zalloc(fixture.ledger, size));
        ledger_free_all(fixture.ledger); /* what comes next finds dirty memory */
    }
    fixture_close(&fixture);
}

static void realloc_keeps_the_prefix(void **state)
{
    static const size_t sizes[] = {1,   40,  17,    4000, 3999,   16,    100000, 300000,
                                   150, 151, 50000, 1,    700000, 65536, 64,     63};
    struct fixture fixture;
    fixture_open(&fixture, state, SIZE_MAX);
    struct ledger *ledger = fixture.ledger;
    assert_true(ledger_alloc(ledger, 24));
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        assert_true(ledger_alloc(ledger, 24)); /* so that it cannot always grow in place */
        assert_true(ledger_realloc(ledger, ledger->count - 2, sizes[i]));
        ledger_prove(ledger);
    }
    prove_sound(fixture.heap);
    ledger_free_all(ledger);
    fixture_close(&fixture);
}

static void large_alignments_hold(void **state)
{
    struct fixture fixture;
    fixture_open(&fixture, state, SIZE_MAX);
    for (size_t align = 8; align <= 1 << 20; align *= 2) {
        assert_true(ledger_alloc_aligned(fixture.ledger, align, 1));
        assert_true(ledger_alloc(fixture.ledger, 30));
        assert_true(ledger_alloc_aligned(fixture.ledger, align, 5000));
    }
    ledger_prove(fixture.ledger);
    prove_sound(fixture.heap);
    ledger_free_all(fixture.ledger);
    fixture_close(&fixture);
}

static void sizes_that_overflow_are_refused(void **state)
{
    static const size_t sizes[] = {SIZE_MAX,         SIZE_MAX - 1,     SIZE_MAX - 15,
                                   SIZE_MAX - 31,    SIZE_MAX - 63,    SIZE_MAX - 4096,
                                   SIZE_MAX / 2 + 1, SIZE_MAX / 2 - 8, SIZE_MAX / 4};
    struct fixture fixture;
    fixture_open(&fixture, state, SIZE_MAX);
    struct ledger *ledger = fixture.ledger;
    assert_true(ledger_alloc(ledger, 100));
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        assert_false(ledger_alloc(ledger, sizes[i]));
        assert_false(ledger_zalloc(ledger, sizes[i]));
        assert_false(ledger_realloc(ledger, 0, sizes[i]));
        assert_false(heap_can_align(fixture.heap->ops, 4096) &&
                     ledger_alloc_aligned(ledger, 4096, sizes[i]));
    }
    assert_true(ledger_alloc(ledger, 200));
    ledger_prove(ledger);
    prove_sound(fixture.heap);
    ledger_free_all(ledger);
    fixture_close(&fixture);
}

enum { EXHAUSTION_LIMIT = 5 << 20, EXHAUSTION_SIZE = 3000 };

static size_t fill(struct ledger *ledger, size_t size)
{
    size_t before = ledger->count;
    while (ledger->count < LEDGER_BLOCKS && ledger_alloc(ledger, size))
        ;
    assert_true(ledger->count < LEDGER_BLOCKS);
    return ledger->count - before;
}

static void exhaustion_is_survived(void **state)
{
    struct fixture fixture;
    fixture_open(&fixture, state, EXHAUSTION_LIMIT);
    struct ledger *ledger = fixture.ledger;
    size_t first = fill(ledger, EXHAUSTION_SIZE);
    assert_true(first > 0);
    assert_true(fixture.region.committed_peak <= EXHAUSTION_LIMIT);
    ledger_realloc(ledger, 0, 20 * EXHAUSTION_SIZE);
    ledger_prove(ledger);
    prove_sound(fixture.heap);
    ledger_free_all(ledger);
    if (is_freeing(fixture.heap->ops)) {
        size_t again = fill(ledger, EXHAUSTION_SIZE);
        if (again + first / 10 < first)
            fail_msg("of %zu blocks freed, only %zu could be allocated again", first, again);
        ledger_prove(ledger);
        prove_sound(fixture.heap);
        ledger_free_all(ledger);
    }
    fixture_close(&fixture);
}

static void nothing_is_live_in_the_end(void **state)
{
    struct fixture fixture;
    struct heap_stats stats;
    struct rng rng;
    fixture_open(&fixture, state, SIZE_MAX);
    rng_init(&rng, 5);
    for (int i = 0; i < 2000; i++)
        ledger_step(fixture.ledger, &rng, 300, 20000);
    heap_stats(fixture.heap, &stats);
    if (stats.live_blocks != UINT64_MAX)
        assert_int_equal(stats.live_blocks, fixture.ledger->count);
    if (stats.held_bytes != UINT64_MAX && fixture.heap->ops->scope == SCOPE_HEAP)
        assert_int_equal(stats.held_bytes, fixture.region.committed);
    ledger_free_all(fixture.ledger);
    ledger_prove_walk(fixture.ledger);
    heap_stats(fixture.heap, &stats);
    assert_true(stats.live_blocks == 0 || stats.live_blocks == UINT64_MAX);
    assert_true(stats.live_bytes == 0 || stats.live_bytes == UINT64_MAX);
    fixture_close(&fixture);
}

static int stop_at_once(void *arg, const struct span *span)
{
    (void)span;
    ++*(int *)arg;
    return 1;
}

static void spans_tile_their_areas(void **state)
{
    struct fixture fixture;
    struct rng rng;
    int seen = 0;
    fixture_open(&fixture, state, SIZE_MAX);
    rng_init(&rng, 7);
    ledger_prove_walk(fixture.ledger);
    for (int i = 0; i < 200; i++) {
        size_t align = i % 8 ? 8 : 256;
        if (heap_can_align(fixture.heap->ops, align))
            assert_true(ledger_alloc_aligned(fixture.ledger, align, 1 + rng_below(&rng, 9000)));
    }
    ledger_prove_walk(fixture.ledger);
    for (int i = 0; i < 10 && is_freeing(fixture.heap->ops); i++) {
        for (int step = 0; step < 100; step++)
            ledger_step(fixture.ledger, &rng, 400, 50000);
        ledger_prove_walk(fixture.ledger);
    }
    assert_int_equal(heap_walk(fixture.heap, stop_at_once, &seen), 1);
    assert_int_equal(seen, 1);
    fixture_close(&fixture);
}

/* Whether the bytes just before a block are the backend's own. */
static int has_header(void *arg, const struct span *span)
{
    bool *header = arg;
    *header |= span->kind == SPAN_USED && span->ref >= span->start + 8;
    return 0;
}

static bool has_layer(const struct spec *spec, const struct layer *layer)
{
    for (size_t i = 0; i < spec->layer_count; i++)
        if (spec->layers[i] == layer)
            return true;
    return false;
}

static void damage_is_found(void **state)
{
    const struct subject *subject = *state;
    struct fixture fixture;
    char why[256] = "", saved[8];
    bool header = has_layer(&subject->spec, &layer_checked);
    fixture_open(&fixture, state, SIZE_MAX);
    for (int i = 0; i < 5; i++)
        assert_true(ledger_alloc(fixture.ledger, 40));
    assert_int_equal(heap_check(fixture.heap, why, sizeof why), 0);
    if (!header)
        heap_walk(fixture.heap, has_header, &header);
    if (header) {
        char *zone = fixture.ledger->blocks[2].memory - sizeof saved;
        memcpy(saved, zone, sizeof saved);
        memset(zone, 0x7f, sizeof saved);
        assert_int_equal(heap_check(fixture.heap, why, sizeof why), -EUCLEAN);
        assert_true(strlen(why) > 10);
        memcpy(zone, saved, sizeof saved);
    }
    prove_sound(fixture.heap);
    ledger_free_all(fixture.ledger);
    fixture_close(&fixture);
}

static void trim_takes_nothing_live(void **state)
{
    struct fixture fixture;
    struct rng rng;
    fixture_open(&fixture, state, SIZE_MAX);
    struct ledger *ledger = fixture.ledger;
    rng_init(&rng, 11);
    for (int i = 0; i < 300; i++)
        assert_true(ledger_alloc(ledger, 1 + rng_below(&rng, 30000)));
    for (int i = 0; i < 200; i++)
        ledger_free(ledger, rng_below(&rng, ledger->count));
    heap_trim(fixture.heap);
    ledger_prove(ledger);
    prove_sound(fixture.heap);
    for (int i = 0; i < 200; i++)
        assert_true(ledger_zalloc(ledger, 1 + rng_below(&rng, 30000)));
    ledger_free_all(ledger);
    heap_trim(fixture.heap);
    assert_true(ledger_alloc(ledger, 100000));
    prove_sound(fixture.heap);
    ledger_free_all(ledger);
    fixture_close(&fixture);
}

static void it_can_be_destroyed_full_and_made_again(void **state)
{
    for (int round = 0; round < 4; round++) {
        struct fixture fixture;
        fixture_open(&fixture, state, SIZE_MAX);
        for (size_t size = 1; size < 100000; size = size * 2 + 1)
            if (is_real(fixture.heap->ops))
                assert_true(ledger_alloc(fixture.ledger, size));
            else
                assert_non_null(heap_alloc(fixture.heap, size));
        if (fixture.heap->ops->scope == SCOPE_PROCESS)
            ledger_free_all(fixture.ledger);
        fixture_close(&fixture);
    }
}

static void random_operations_are_survived(void **state)
{
    for (uint64_t seed = 1; seed <= 3; seed++) {
        struct fixture fixture;
        struct rng rng;
        fixture_open(&fixture, state, SIZE_MAX);
        rng_init(&rng, seed);
        for (int i = 0; i < 2000; i++) {
            ledger_step(fixture.ledger, &rng, 100 * seed, (size_t)128 << (3 * seed));
            if (i % 500 != 499)
                continue;
            ledger_prove(fixture.ledger);
            if (is_freeing(fixture.heap->ops))
                ledger_prove_walk(fixture.ledger);
            prove_sound(fixture.heap);
        }
        ledger_free_all(fixture.ledger);
        fixture_close(&fixture);
    }
}

/* ---- threads: blocks change hands through slots, so that most are freed by another thread -------
 */

enum { HAMMER_THREADS = 4, HAMMER_SLOTS = 64, HAMMER_STEPS = 5000 };

struct hammer {
    struct heap *heap;
    _Atomic(struct block *) slots[HAMMER_SLOTS];
    struct block blocks[HAMMER_THREADS][HAMMER_STEPS];
    pthread_barrier_t start;
    atomic_int faults;
};

struct hand {
    struct hammer *hammer;
    int thread; /* 0: the one that created the heap */
};

static void hammer_take(struct hammer *hammer, struct block *block)
{
    if (!block)
        return;
    if (!pattern_holds(heap_resolve(hammer->heap, block->ref), block->size, block->seed))
        hammer->faults++;
    heap_free(hammer->heap, block->ref);
}

static struct block *hammer_make(struct hammer *hammer, struct block *block, struct rng *rng)
{
    block->size = 1 + rng_below(rng, rng_below(rng, 64) ? 120 : 20000);
    block->seed = rng_next(rng);
    block->ref = heap_alloc(hammer->heap, block->size);
    if (!block->ref) {
        hammer->faults++;
        return NULL;
    }
    pattern_write(heap_resolve(hammer->heap, block->ref), block->size, block->seed);
    return block;
}

static void *hammer_run(void *arg)
{
    struct hand *hand = arg;
    struct hammer *hammer = hand->hammer;
    int thread = hand->thread;
    struct rng rng;
    rng_init(&rng, 100 + (uint64_t)thread);
    bool allocates = thread == 0 || hammer->heap->ops->threads == THREADS_ANY;
    if (thread && heap_thread_enter(hammer->heap))
        hammer->faults++;
    pthread_barrier_wait(&hammer->start);
    for (int i = 0; i < HAMMER_STEPS; i++) {
        struct block *made =
            allocates ? hammer_make(hammer, &hammer->blocks[thread][i], &rng) : NULL;
        hammer_take(hammer, atomic_exchange(&hammer->slots[rng_below(&rng, HAMMER_SLOTS)], made));
    }
    if (thread)
        heap_thread_leave(hammer->heap);
    return NULL;
}

static void threads_share_it(void **state)
{
    static struct hammer hammer;
    struct fixture fixture;
    pthread_t threads[HAMMER_THREADS];
    struct hand hands[HAMMER_THREADS];
    fixture_open(&fixture, state, SIZE_MAX);
    memset(&hammer, 0, sizeof hammer);
    hammer.heap = fixture.heap;
    pthread_barrier_init(&hammer.start, NULL, HAMMER_THREADS);
    for (int i = HAMMER_THREADS - 1; i >= 0; i--) {
        hands[i] = (struct hand){&hammer, i};
        if (i)
            assert_int_equal(pthread_create(&threads[i], NULL, hammer_run, &hands[i]), 0);
    }
    hammer_run(&hands[0]);
    for (int i = 1; i < HAMMER_THREADS; i++)
        pthread_join(threads[i], NULL);
    for (int i = 0; i < HAMMER_SLOTS; i++)
        hammer_take(&hammer, hammer.slots[i]);
    pthread_barrier_destroy(&hammer.start);
    assert_int_equal(hammer.faults, 0);
    prove_sound(fixture.heap);
    fixture_close(&fixture);
}

/* ---- external allocators: this program again, with the library preloaded ------------------------
 */

static void preloaded_run(const char *library, int output)
{
    char program[] = "/proc/self/exe", filter[] = "system*";
    char *arguments[] = {program, filter, NULL};
    setenv("LD_PRELOAD", library, 1);
    dup2(output, STDOUT_FILENO);
    dup2(output, STDERR_FILENO);
    execv(program, arguments);
    _exit(127);
}

/* The library's own malloc, not another under its name, must have answered. */
static void preloaded_prove(const char *library)
{
    Dl_info owner;
    void *symbol = dlsym(RTLD_DEFAULT, "malloc");
    if (dladdr(symbol, &owner) == 0 || !strstr(owner.dli_fname, strrchr(library, '/')))
        exit(EXIT_FAILURE);
}

static void a_library_answers_as_system_does(void **state)
{
    const struct external *external = *state;
    char path[4096], line[512];
    if (sanitized || !library_find(external->library, path, sizeof path))
        skip();
    FILE *output = tmpfile();
    int status;
    pid_t child = fork();
    if (child == 0)
        preloaded_run(path, fileno(output));
    assert_int_equal(waitpid(child, &status, 0), child);
    rewind(output);
    while (status && fgets(line, sizeof line, output))
        print_error("%s", line);
    fclose(output);
    assert_int_equal(status, 0);
}

/* ---- the suite: checks × subjects
 * ---------------------------------------------------------------- */

static const struct check {
    const char *name;
    void (*run)(void **state);
    bool (*applies)(const struct allocator *table);
} checks[] = {
    {"its table is sound", its_table_is_sound, is_any},
    {"destroyed full and made again", it_can_be_destroyed_full_and_made_again, is_any},
    {"aligned, apart, kept", blocks_are_aligned_apart_and_kept, is_real},
    {"zalloc zeroes", zalloc_zeroes, is_real},
    {"realloc keeps the prefix", realloc_keeps_the_prefix, is_real},
    {"large alignments", large_alignments_hold, is_aligning},
    {"sizes that overflow", sizes_that_overflow_are_refused, is_real},
    {"exhaustion", exhaustion_is_survived, is_limited},
    {"nothing live in the end", nothing_is_live_in_the_end, is_freeing},
    {"spans tile their areas", spans_tile_their_areas, is_walked},
    {"damage is found", damage_is_found, is_checked},
    {"trim takes nothing live", trim_takes_nothing_live, is_real},
    {"random operations", random_operations_are_survived, is_real},
    {"threads share it", threads_share_it, is_threaded},
};

enum { CHECKS = sizeof checks / sizeof *checks, SUBJECTS_MAX = 400, NAME_LENGTH = SPEC_TEXT + 64 };

struct suite {
    size_t subjects;
    struct subject *subject[SUBJECTS_MAX];
    size_t tests;
    struct CMUnitTest test[SUBJECTS_MAX * CHECKS];
    char names[SUBJECTS_MAX * CHECKS][NAME_LENGTH];
};

static struct suite suite;

/* Guarding blocks that are not memory is refused; every other pair must work. */
static bool suite_is_impossible(const struct spec *spec)
{
    return !is_real(spec->backend) && has_layer(spec, &layer_checked);
}

/* The table of the outermost layer is known once a heap exists. */
static void suite_add(const char *backend, const char *layers)
{
    char text[SPEC_TEXT];
    struct err err = {0};
    struct region region;
    struct heap *heap;
    struct subject *subject = calloc(1, sizeof *subject);
    snprintf(text, sizeof text, "%s%s", backend, layers);
    int failed = spec_parse(&subject->spec, text, &err);
    if (!failed)
        failed = spec_create(&subject->spec, &region, NULL, &heap, &err);
    if (failed && suite_is_impossible(&subject->spec)) {
        free(subject);
        return;
    }
    if (failed) {
        fprintf(stderr, "%s: %s\n", text, err.text);
        exit(EXIT_FAILURE);
    }
    subject->table = *heap->ops;
    heap_destroy(heap);
    region_release(&region);
    suite.subject[suite.subjects++] = subject;
    for (size_t i = 0; i < CHECKS; i++) {
        if (!checks[i].applies(&subject->table))
            continue;
        char *name = suite.names[suite.tests];
        snprintf(name, NAME_LENGTH, "%s: %s", text, checks[i].name);
        suite.test[suite.tests++] = (struct CMUnitTest){name, checks[i].run, NULL, NULL, subject};
    }
}

/* Every value of an option that has few. */
static void suite_add_option(const char *backend, const struct option_row *row)
{
    char text[SPEC_TEXT];
    const char *at = row->type == OPTION_CHOICE ? row->choices
                     : row->type == OPTION_FLAG ? "0|1"
                                                : "";
    while (*at) {
        size_t word = strcspn(at, "|");
        snprintf(text, sizeof text, ":%s=%.*s", row->name, (int)word, at);
        suite_add(backend, text);
        at += word + (at[word] == '|');
    }
}

static void suite_add_backend(const struct allocator *backend)
{
    char layer[64];
    suite_add(backend->name, "");
    for (size_t i = 0; i < registry_layers(); i++) {
        snprintf(layer, sizeof layer, "+%s", registry_layer(i)->name);
        suite_add(backend->name, layer);
    }
    for (size_t i = 0; i < options_count(backend->options); i++)
        suite_add_option(backend->name, &backend->options[i]);
    suite_add(backend->name, "+checked+locked");
    suite_add(backend->name, "+locked+faulty+checked");
}

static void suite_add_external(const struct external *external)
{
    char *name = suite.names[suite.tests];
    snprintf(name, NAME_LENGTH, "%s: answers as system does", external->name);
    suite.test[suite.tests++] = (struct CMUnitTest){name, a_library_answers_as_system_does, NULL,
                                                    NULL, (void *)(uintptr_t)external};
}

int main(int argc, char **argv)
{
    const char *preloaded = getenv("LD_PRELOAD");
    if (preloaded && *preloaded == '/')
        preloaded_prove(preloaded);
    for (size_t i = 0; i < registry_backends(); i++)
        suite_add_backend(registry_backend(i));
    for (size_t i = 0; i < registry_externals(); i++)
        suite_add_external(registry_external(i));
    if (argc > 1)
        cmocka_set_test_filter(argv[1]);
    return _cmocka_run_group_tests("conformance", suite.test, suite.tests, NULL, NULL);
}
