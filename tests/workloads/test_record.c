/* record.h: the stamps that a thread's records are read with are those that they were given,
 * whatever a signal handler recorded in between. */
#include "tests/unit.h"

#include <signal.h>
#include <string.h>
#include <ucontext.h>

#include "harness/base/rng.h"
#include "workloads/intake.h"
#include "workloads/record/record.h"

enum {
    RECORDS_MOST = 400000, /* of one run */
    CHUNKS = 80,
    AFTER = 4,                   /* calls behind the one that was interrupted */
    MANY = SPOOL_WORDS + 100,    /* records of a handler: more than a chunk takes */
    FREES_MOST = SPOOL_STEPS + 4 /* of other threads between two records */
};

/* The stub of what real programs are linked with. */
__thread struct stream *record_stream;
struct spool_control *record_spool;
uint32_t record_depth;

/* A record's stamp is one of those between. */
struct bracket {
    uint64_t above, most;
};

static struct fixture {
    struct spool spool;
    struct intake intake;
    uint32_t threads;
    struct stream stream;
    struct rng rng;
    struct bracket bracket[RECORDS_MOST];
    uint32_t records, seen;
    uint32_t each; /* records that a handler makes */
    volatile sig_atomic_t chosen, steps, busy;
} fixture;

struct stream *record_refill(void)
{
    fixture.busy++;
    uint32_t number = atomic_fetch_add(&record_spool->fresh, 1);
    assert_true(number < CHUNKS);
    spool_chunk_at(record_spool, number)->taken = 0;
    assert_int_equal(intake_add(&fixture.intake, number), 0);
    fixture.stream.chunk = spool_chunk_at(record_spool, number);
    fixture.busy--;
    return &fixture.stream;
}

static uint64_t sequence(void)
{
    return atomic_load(&record_spool->sequence);
}

/* What other threads do. */
static void others(void)
{
    if (rng_below(&fixture.rng, 4) == 0)
        atomic_fetch_add(&record_spool->sequence, 2 * rng_below(&fixture.rng, FREES_MOST));
}

/* A call of any kind, whose address is its number. */
static void record(void (*around)(enum spool_kind, uint64_t, uint32_t))
{
    static const uint8_t kinds[] = {SPOOL_FREE,   SPOOL_FREE,    SPOOL_FREE,   SPOOL_MALLOC,
                                    SPOOL_MALLOC, SPOOL_RELEASE, SPOOL_RESIZE, SPOOL_ALIGNED};
    enum spool_kind kind = kinds[rng_below(&fixture.rng, sizeof kinds)];
    bool large = spool_allocates(kind) && rng_below(&fixture.rng, 10) == 0;
    uint64_t size = !spool_allocates(kind) ? 0 : large ? 5000 : 48;
    fixture.busy++;
    others();
    uint32_t number = fixture.records++;
    assert_true(number < RECORDS_MOST);
    struct bracket *bracket = &fixture.bracket[number];
    bracket->above = sequence();
    fixture.busy--;
    around(kind, size, number + 1);
    bracket->most = sequence() + 1;
}

static void plainly(enum spool_kind kind, uint64_t size, uint32_t number)
{
    void *pointer = (void *)((uintptr_t)number << 4 | (number % 50 == 0 ? 8 : 0));
    record_event_at(0, kind, pointer, size, kind == SPOOL_ALIGNED ? number % 2 * 16 : 0);
}

/* Not below a sanitizer that takes locks between instructions. */
#if defined(__x86_64__) && !defined(__SANITIZE_THREAD__)
#define STEPS 1
enum { TRAP = 1 << 8 };

static void handle(int signal, siginfo_t *info, void *context)
{
    (void)signal;
    (void)info;
    if (fixture.busy || fixture.steps++ != fixture.chosen)
        return;
    ((ucontext_t *)context)->uc_mcontext.gregs[REG_EFL] &= ~TRAP;
    for (uint32_t i = 0; i < fixture.each; i++)
        record(plainly);
}

static void stepped(enum spool_kind kind, uint64_t size, uint32_t number)
{
    fixture.steps = 0;
    __asm__ volatile("pushfq; orq %0, (%%rsp); popfq" : : "i"(TRAP) : "cc", "memory");
    plainly(kind, size, number);
    __asm__ volatile("pushfq; andq %0, (%%rsp); popfq" : : "i"(~TRAP) : "cc", "memory");
}
#endif

/* The records in the chunks so far, each with a stamp of its bracket. */
static void take_all(void)
{
    while (intake_look(&fixture.intake, false) == INTAKE_RECORD) {
        const struct intake_record *record = &fixture.intake.next;
        uint64_t number = record->pointer >> 4;
        assert_in_range(number, 1, fixture.records);
        const struct bracket *bracket = &fixture.bracket[number - 1];
        assert_in_range(record->stamp, bracket->above + 1, bracket->most);
        intake_take(&fixture.intake);
        fixture.seen++;
    }
    assert_int_equal(fixture.seen, fixture.records);
}

static int set_up(void **state)
{
    (void)state;
    memset(&fixture, 0, sizeof fixture);
    rng_init(&fixture.rng, 7);
    fixture.stream = (struct stream){.stamped = 1, .counted = RECORD_UNKNOWN};
    fixture.intake = (struct intake){.spool = &fixture.spool, .threads = &fixture.threads};
    if (spool_create(&fixture.spool, NULL))
        return -1;
    record_spool = fixture.spool.control;
    while (atomic_load(&record_spool->allocated) < CHUNKS) {
        atomic_store(&record_spool->held, atomic_load(&record_spool->allocated));
        spool_extend(&fixture.spool);
    }
    record_stream = &fixture.stream;
    record_refill();
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    intake_release(&fixture.intake);
    spool_destroy(&fixture.spool);
    return 0;
}

static void stamps_are_read_as_given(void **state)
{
    (void)state;
    for (int i = 0; i < RECORDS_MOST / 2; i++)
        record(plainly);
    take_all();
}

/* Nearly all that a thread beside another one records takes one word. */
static void records_are_short(void **state)
{
    (void)state;
    enum { EVENTS = 5000 };
    for (int i = 0; i < EVENTS; i++) {
        atomic_fetch_add(&record_spool->sequence, 2 * (SPOOL_STEPS - 2));
        record_event_at(0, i % 2 ? SPOOL_FREE : SPOOL_MALLOC, (void *)(uintptr_t)16, 48, 0);
    }
    assert_in_range(fixture.stream.chunk->taken, EVENTS, EVENTS + 8);
}

#if defined(STEPS)
/* Behind each instruction of a call in turn; of the chunk's last words, too. */
static void interrupt(uint32_t each)
{
    fixture.each = each;
    fixture.chosen = -1;
    do {
        fixture.chosen++;
        record(stepped);
        for (int i = 0; i < AFTER; i++)
            record(plainly);
    } while (fixture.steps > fixture.chosen);
}

static void handlers_change_no_stamp(void **state)
{
    (void)state;
    struct sigaction act = {.sa_sigaction = handle, .sa_flags = SA_SIGINFO};
    sigaction(SIGTRAP, &act, NULL);
    for (int round = 0; round < 9; round++)
        interrupt(1 + (uint32_t)round % 3);
    while (atomic_load(&record_spool->fresh) < CHUNKS / 4)
        interrupt(MANY / 10);
    signal(SIGTRAP, SIG_DFL);
    take_all();
}
#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(stamps_are_read_as_given, set_up, tear_down),
        cmocka_unit_test_setup_teardown(records_are_short, set_up, tear_down),
#if defined(STEPS)
        cmocka_unit_test_setup_teardown(handlers_change_no_stamp, set_up, tear_down),
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
