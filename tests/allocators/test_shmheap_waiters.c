/* The death of a process at any instruction of a call upon a shared-memory heap while others wait
 * in the lock: they go on, and so does who comes later.
 *
 * Three take part: the victim, which is led instruction by instruction and killed; a waiter, which
 * sleeps in the lock meanwhile; and the test itself, which takes the lock wherever the victim
 * leaves it free for an instant, so that the lock is another's when the victim dies. */
#include "tests/unit.h"

#include <sched.h>
#include <signal.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tests/allocators/support/sanitized.h"
#include "tests/allocators/support/shared.h"
#include "tests/allocators/support/stepped.h"

enum { PATIENCE_MS = 20000 };

/* ---- the heap and the calls ------------------------------------------------------------------ */

enum { OBJECTS = 6, WORDS = 8, FREED = 3 };

struct stage {
    shmheap_memory_handle heap;
    size_t *objects[OBJECTS];
};

static struct stage stage_set(void)
{
    struct stage stage = {shmheap_create(shared_fresh_name(), 4096), {NULL}};
    for (size_t i = 0; i < OBJECTS; i++) {
        stage.objects[i] = shmheap_alloc(stage.heap, WORDS * sizeof(size_t));
        words_fill(stage.objects[i], WORDS, i);
    }
    shmheap_free(stage.heap, stage.objects[FREED - 1]);
    return stage;
}

static void call_alloc(const void *stage)
{
    if (!shmheap_alloc(((const struct stage *)stage)->heap, 40))
        _exit(1);
}

static void call_free(const void *stage)
{
    shmheap_free(((const struct stage *)stage)->heap,
                 ((const struct stage *)stage)->objects[FREED]);
}

static void call_grow(const void *stage)
{
    if (!shmheap_alloc(((const struct stage *)stage)->heap, 9000))
        _exit(1);
}

/* What the backend does besides, upon the object in front of a hole. */
enum { BEFORE_HOLE = FREED - 2 };

static void call_resize(const struct stage *stage, uint64_t words)
{
    struct shm_heap *inside = shared_inside(stage->heap);
    uint64_t offset = shared_offset(stage->heap, stage->objects[BEFORE_HOLE]);
    if (!shm_heap_lock(inside) ||
        !shm_heap_resize(inside, offset, shm_heap_units(words * sizeof(size_t), SPACE_UNIT)))
        _exit(1);
    shm_heap_unlock(inside);
}

static void call_shorten(const void *stage)
{
    call_resize(stage, WORDS / 2);
}

static void call_lengthen(const void *stage)
{
    call_resize(stage, WORDS + WORDS / 2);
}

static void call_trim(const void *argument)
{
    const struct stage *stage = argument;
    struct shm_heap *inside = shared_inside(stage->heap);
    uint64_t offset = shared_offset(stage->heap, stage->objects[FREED]);
    if (!shm_heap_lock(inside))
        _exit(1);
    shm_heap_trim(inside, offset, 2 * SPACE_UNIT, 3);
    shm_heap_unlock(inside);
}

/* Frees an object, and dies when it is free but not joined. */
static pid_t half_free(const struct stage *stage)
{
    const struct shm_heap *inside = shared_inside(stage->heap);
    uint64_t at = shared_offset(stage->heap, stage->objects[FREED]) / SPACE_UNIT - 1;
    pid_t child = stepped_start(call_free, stage);
    while (space_is_live(&inside->space, at))
        assert_true(stepped_step(child));
    return child;
}

/* ---- the other two --------------------------------------------------------------------------- */

static unsigned word_of(const struct stage *stage)
{
    return shared_lock_word(shared_inside(stage->heap));
}

/* A process that has gone to sleep in the lock, which is held. */
static pid_t waiter_start(const struct stage *stage)
{
    pid_t waiter = fork();
    if (waiter == 0) {
        size_t *object = shmheap_alloc(stage->heap, 16);
        if (object)
            shmheap_free(stage->heap, object);
        _exit(object == NULL);
    }
    while (!(word_of(stage) & SHARED_WAITERS) || !stepped_sleeps(waiter))
        continue;
    return waiter;
}

static void waiter_goes_on(pid_t waiter, const char *what, unsigned steps)
{
    int status = -1;
    for (int ms = 0; ms < PATIENCE_MS; ms++) {
        for (int i = 0; i < 100; i++)
            if (waitpid(waiter, &status, WNOHANG) == waiter) {
                assert_int_equal(status, 0);
                return;
            }
        nanosleep(&(struct timespec){0, 1000000}, NULL);
    }
    kill(waiter, SIGKILL);
    waitpid(waiter, &status, 0);
    fail_msg("%s: a waiter sleeps for ever after a death at instruction %u", what, steps);
}

static void stage_is_sound(const struct stage *stage)
{
    void *object = shmheap_alloc(stage->heap, 24);
    assert_non_null(object);
    shmheap_free(stage->heap, object);
    shared_assert_sound(stage->heap);
    assert_false(word_of(stage) & SHARED_OWNER);
    for (size_t i = 0; i < OBJECTS; i++)
        if (i != FREED && i != FREED - 1)
            assert_true(
                words_are_filled(stage->objects[i], i == BEFORE_HOLE ? WORDS / 2 : WORDS, i));
}

/* ---- the victim ------------------------------------------------------------------------------ */

/* Who has the lock when the victim comes. */
enum holder {
    NOBODY,
    DEAD,     /* a process that died in it */
    DYING,    /* the same, but it dies when the victim and the waiter sleep */
    RELEASING /* the test, until the victim and the waiter sleep */
};

struct play {
    const char *what;
    enum holder holder;
    void (*call)(const void *);
};

static const struct play plays[] = {
    {"a hole is split", NOBODY, call_alloc},
    {"a hole is joined", NOBODY, call_free},
    {"the heap grows", NOBODY, call_grow},
    {"the heap is repaired", DEAD, call_alloc},
    {"an object is shortened", NOBODY, call_shorten},
    {"an object is lengthened", NOBODY, call_lengthen},
    {"both ends are cut off", NOBODY, call_trim},
    {"woken by a release", RELEASING, call_alloc},
    {"woken by a death", DYING, call_alloc},
};

struct victim {
    pid_t victim, waiter; /* 0: none yet */
};

/* The victim sleeps in the lock before the waiter does, and is woken. */
static struct victim victim_wake(const struct play *play, const struct stage *stage)
{
    struct shm_heap *inside = shared_inside(stage->heap);
    pid_t dying = play->holder == DYING ? half_free(stage) : 0;
    assert_true(dying || shm_heap_lock(inside));
    pid_t victim = stepped_start(play->call, stage);
    enum stepped now;
    while ((now = stepped_step_or_sleep(victim)) == STEPPED_ON)
        continue;
    assert_int_equal(now, STEPPED_ASLEEP);
    pid_t waiter = waiter_start(stage);
    if (dying)
        stepped_kill(dying);
    else
        shm_heap_unlock(inside);
    while (!stepped_is_awake(victim))
        continue;
    return (struct victim){victim, waiter};
}

static struct victim victim_start(const struct play *play, const struct stage *stage)
{
    if (play->holder == DYING || play->holder == RELEASING)
        return victim_wake(play, stage);
    if (play->holder == DEAD)
        stepped_kill(half_free(stage));
    return (struct victim){stepped_start(play->call, stage), 0};
}

/* The waiter comes as soon as the victim has the lock. */
static bool victim_step(struct victim *victim, const struct stage *stage)
{
    bool on = stepped_step(victim->victim);
    if (!victim->waiter && word_of(stage) & SHARED_OWNER)
        victim->waiter = waiter_start(stage);
    return on;
}

/* ---- where deaths differ --------------------------------------------------------------------- */

enum { STEPS_MOST = 8192, STEPS_MANY = 1000, STRIDE = 8, SEEN_MOST = 1 << 18 };

struct locks {
    struct stepped_locks of_victim;
    unsigned word;
};

/* What a death leaves: the heap, and what the kernel knows of the victim's locks. */
struct seen {
    struct locks locks;
    char heap[SEEN_MOST];
};

static bool seen_renew(void *seen, const void *now, size_t bytes)
{
    bool changed = memcmp(seen, now, bytes) != 0;
    if (changed)
        memcpy(seen, now, bytes);
    return changed;
}

enum change { UNCHANGED, HEAP_CHANGED, LOCKS_CHANGED };

/* What changed since the last call. */
static enum change seen_change(struct seen *seen, const struct stage *stage, pid_t victim)
{
    const struct shm_heap *heap = shared_inside(stage->heap);
    struct locks locks = {stepped_locks(victim), word_of(stage)};
    bool locks_changed = seen_renew(&seen->locks, &locks, sizeof locks), changed = false;
    char *end = seen->heap;
    for (unsigned i = 0; i < SHM_HEAP_STRETCHES; i++) {
        size_t at, bytes = shm_heap_stretch(heap, i, shm_heap_size(heap), &at);
        assert_true(end + bytes <= seen->heap + SEEN_MOST);
        changed |= seen_renew(end, (const char *)heap + at, bytes);
        end += bytes;
    }
    return locks_changed ? LOCKS_CHANGED : changed ? HEAP_CHANGED : UNCHANGED;
}

/* Notes after which steps something has changed: deaths between differ in nothing. Where it was the
 * locks, the step before is noted, too: a system call may stand between. Returns the steps of the
 * whole call. */
static unsigned play_mark(const struct play *play, enum change *marks)
{
    static struct seen seen;
    struct stage stage = stage_set();
    struct victim victim = victim_start(play, &stage);
    unsigned steps = 0;
    memset(marks, 0, STEPS_MOST * sizeof *marks);
    seen_change(&seen, &stage, victim.victim);
    marks[0] = LOCKS_CHANGED;
    while (victim_step(&victim, &stage)) {
        assert_true(++steps < STEPS_MOST);
        marks[steps] = seen_change(&seen, &stage, victim.victim);
        if (marks[steps] == LOCKS_CHANGED)
            marks[steps - 1] = LOCKS_CHANGED;
    }
    stepped_kill(victim.victim);
    if (victim.waiter)
        waiter_goes_on(victim.waiter, play->what, steps);
    shmheap_destroy(shared_name(), stage.heap);
    return steps;
}

/* ---- deaths ---------------------------------------------------------------------------------- */

/* Whether there was a choice: the lock was nobody's when the victim died. */
static bool play_die(const struct play *play, unsigned steps, bool grabbing)
{
    struct stage stage = stage_set();
    struct shm_heap *inside = shared_inside(stage.heap);
    struct victim victim = victim_start(play, &stage);
    for (unsigned i = 0; i < steps && victim_step(&victim, &stage); i++)
        continue;
    bool free = !(word_of(&stage) & SHARED_OWNER);
    bool grabbed = grabbing && free && shm_heap_lock(inside);
    stepped_kill(victim.victim);
    if (grabbed)
        shm_heap_unlock(inside);
    if (victim.waiter)
        waiter_goes_on(victim.waiter, play->what, steps);
    stage_is_sound(&stage);
    shmheap_destroy(shared_name(), stage.heap);
    return free;
}

static unsigned play_die_everywhere(const struct play *play, unsigned stride)
{
    static enum change marks[STEPS_MOST];
    unsigned deaths = 0, marked = 0, steps = play_mark(play, marks);
    for (unsigned at = 0; at <= steps; at++) {
        bool all = steps <= STEPS_MANY && marks[at] == LOCKS_CHANGED;
        if (!all && (marks[at] == UNCHANGED || marked++ % stride))
            continue;
        deaths++;
        if (play_die(play, at, false)) {
            deaths++;
            play_die(play, at, true);
        }
    }
    print_message("%s: %u instructions, %u deaths\n", play->what, steps, deaths);
    return deaths;
}

static void who_waits_goes_on_after_a_death_at_every_instruction(void **state)
{
    unsigned stride = *(unsigned *)*state;
    if (sanitized || !stepped_is_allowed())
        skip();
    for (size_t i = 0; i < sizeof plays / sizeof *plays; i++)
        assert_true(play_die_everywhere(&plays[i], stride) > 3);
}

/* The argument, if any, is the stride over what is not all died at: the changes of the heap, and in
 * long calls all. 1 leaves none out. */
int main(int argc, char **argv)
{
    unsigned stride = argc > 1 ? (unsigned)atoi(argv[1]) : STRIDE;
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(sched_getcpu(), &one);
    sched_setaffinity(0, sizeof one, &one); /* steps are quicker so */
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_prestate(who_waits_goes_on_after_a_death_at_every_instruction, &stride),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
