/* What is written is read: random streams of every kind of event, to the last field. */
#include "tests/unit.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "harness/base/rng.h"
#include "workloads/reader.h"
#include "workloads/writer.h"

enum { MOST_LIVE = 3000 };

/* A random, possible program: the caller's numbers are scattered over 32 bits. */
struct program {
    struct rng rng;
    uint32_t live[MOST_LIVE];
    uint32_t count, next;
    uint64_t time_ns;
    uint32_t labels, sites;
};

static uint32_t program_pick(struct program *program, bool take)
{
    uint32_t place = (uint32_t)rng_below(&program->rng, program->count);
    uint32_t object = program->live[place];
    if (take)
        program->live[place] = program->live[--program->count];
    return object;
}

static struct trace_event program_next(struct program *program)
{
    struct rng *rng = &program->rng;
    struct trace_event event = {.thread = (uint32_t)rng_below(rng, 7) * 1000003u,
                                .time_ns = program->time_ns += rng_below(rng, 1 << 20),
                                .site = (uint32_t)rng_below(rng, program->sites + 1)};
    event.kind = (uint8_t)rng_below(rng, TRACE_KINDS);
    event.size = event.kind <= TRACE_ALIGNED ? rng_next(rng) >> (16 + rng_below(rng, 48)) : 0;
    event.object = TRACE_NO_OBJECT;
    bool fails = rng_below(rng, 50) == 0 && event.kind <= TRACE_ALIGNED;
    if (event.kind == TRACE_MARK)
        event.object = (uint32_t)rng_below(rng, program->labels);
    else if (event.kind == TRACE_FREE && program->count && rng_below(rng, 50))
        event.object = program_pick(program, true);
    else if (event.kind == TRACE_REALLOC) {
        if (!program->count)
            return program_next(program);
        event.object = program_pick(program, false);
    } else if (event.kind != TRACE_FREE) {
        event.align_log2 = event.kind == TRACE_ALIGNED ? (uint8_t)rng_below(rng, 20) : 0;
        if (!fails && program->count == MOST_LIVE)
            return program_next(program);
        if (!fails)
            program->live[program->count++] = event.object = program->next += 7919;
    }
    event.flags = fails ? TRACE_FAILED : 0;
    if (event.kind <= TRACE_ALIGNED && !fails && rng_below(rng, 3))
        event.touched_pages = (uint32_t)(rng_next(rng) >> (32 + rng_below(rng, 32))) | 1;
    return event;
}

static void program_init(struct program *program, uint64_t seed)
{
    *program = (struct program){.labels = 2, .sites = 3};
    rng_init(&program->rng, seed);
}

static const struct trace_origin origin = {.program = "p",
                                           .arguments = "-a b",
                                           .host = "h",
                                           .tool = "t",
                                           .source = "generated",
                                           .losses = "none at all",
                                           .recorded_at = 123456789,
                                           .columns = TRACE_HAS_TIMES | TRACE_HAS_SITES |
                                                      TRACE_HAS_THREADS};

static char path[] = "/tmp/heapbench-round-XXXXXX";

static void write_program(size_t events, uint64_t seed)
{
    struct trace_writer *writer;
    struct err err;
    struct program program;
    program_init(&program, seed);
    assert_int_equal(trace_writer_create(&writer, path, &origin, &err), 0);
    assert_int_equal(trace_writer_label(writer, "start"), 0);
    assert_int_equal(trace_writer_label(writer, "load"), 1);
    assert_int_equal(trace_writer_label(writer, "start"), 0);
    for (uint32_t i = 1; i <= program.sites; i++)
        assert_int_equal(trace_writer_site(writer, "main\nstart"), i);
    for (size_t i = 0; i < events; i++) {
        struct trace_event event = program_next(&program);
        if (trace_writer_add(writer, &event, &err))
            fail_msg("%s", err.text);
    }
    trace_writer_summary(writer)->lost_events = 42;
    assert_int_equal(trace_writer_finish(writer, &err), 0);
}

/* The trace's numbers stand for the program's, one to one while an object lives. */
struct pairing {
    uint32_t theirs[MOST_LIVE];
};

static void same_object(struct pairing *pairing, const struct trace_event *asked,
                        const struct trace_event *got)
{
    if (asked->kind == TRACE_MARK || asked->object == TRACE_NO_OBJECT) {
        assert_int_equal(got->object, asked->object);
        return;
    }
    assert_true(got->object < MOST_LIVE);
    if (asked->kind != TRACE_FREE && asked->kind != TRACE_REALLOC) {
        assert_int_equal(pairing->theirs[got->object], 0);
        pairing->theirs[got->object] = asked->object;
    }
    assert_int_equal(pairing->theirs[got->object], asked->object);
    if (asked->kind == TRACE_FREE)
        pairing->theirs[got->object] = 0;
}

static void same_event(const struct trace_event *asked, const struct trace_event *got)
{
    assert_int_equal(got->kind, asked->kind);
    assert_int_equal(got->flags, asked->flags);
    assert_int_equal(got->align_log2, asked->align_log2);
    assert_int_equal(got->size, asked->size);
    assert_int_equal(got->time_ns, asked->time_ns);
    assert_int_equal(got->site, asked->site);
}

static void read_program(struct trace_reader *reader, size_t events, uint64_t seed)
{
    struct program program;
    static struct pairing pairing;
    memset(&pairing, 0, sizeof pairing);
    uint32_t threads[8], known = 0;
    program_init(&program, seed);
    struct trace_block block;
    struct err err;
    size_t seen = 0;
    while (trace_reader_next(reader, &block, &err) == 1) {
        assert_int_equal(block.first, seen);
        for (size_t i = 0, touched = 0; i < block.count; i++, seen++) {
            struct trace_event asked = program_next(&program), got = trace_block_at(&block, i);
            assert_int_equal(trace_block_touched(&block, i, &touched), asked.touched_pages);
            same_event(&asked, &got);
            same_object(&pairing, &asked, &got);
            if (got.thread == known)
                threads[known++] = asked.thread;
            assert_true(got.thread < known);
            assert_int_equal(threads[got.thread], asked.thread);
        }
    }
    assert_int_equal(seen, events);
    assert_int_equal(trace_reader_next(reader, &block, &err), 0);
}

static void round_trip(size_t events, uint64_t seed)
{
    struct trace_reader *reader;
    struct err err;
    write_program(events, seed);
    if (trace_reader_open(&reader, path, &err))
        fail_msg("%s", err.text);
    const struct trace_summary *summary = trace_reader_summary(reader);
    assert_non_null(summary);
    assert_int_equal(summary->events, events);
    assert_int_equal(summary->lost_events, 42);
    uint64_t sum = trace_reader_checksum(reader);
    read_program(reader, events, seed);
    assert_int_equal(trace_reader_checksum(reader), sum);
    if (events > 100) {
        assert_string_equal(trace_reader_label(reader, 1), "load");
        assert_string_equal(trace_reader_site(reader, 3), "main\nstart");
        assert_null(trace_reader_label(reader, 2));
        assert_null(trace_reader_site(reader, 0));
    }
    assert_int_equal(trace_reader_rewind(reader, &err), 0);
    read_program(reader, events, seed);
    assert_string_equal(trace_reader_origin(reader)->losses, "none at all");
    assert_int_equal(trace_reader_origin(reader)->recorded_at, 123456789);
    trace_reader_close(reader);
}

static void random_streams_come_back(void **state)
{
    (void)state;
    static const size_t lengths[] = {0, 1, 2, 1000, 8192, 65535, 65536, 65537, 300000};
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++)
        round_trip(lengths[i], i + 1);
}

/* The events of a trace one by one, free(NULL) left out. */
struct stream {
    struct trace_reader *reader;
    struct trace_block block;
    size_t next;
};

static bool stream_next(struct stream *stream, struct trace_event *event)
{
    do {
        if (stream->next == stream->block.count) {
            stream->next = stream->block.count = 0;
            if (trace_reader_next(stream->reader, &stream->block, NULL) != 1)
                return false;
        }
        *event = trace_block_at(&stream->block, stream->next++);
    } while (event->kind == TRACE_FREE && event->object == TRACE_NO_OBJECT);
    return true;
}

/* Returns the word behind those of the event, whose object had `old` bytes. */
static const uint64_t *same_word(const uint64_t *word, const struct trace_event *event,
                                 uint64_t old)
{
    uint64_t size = event->kind == TRACE_FREE ? 0 : event->size ? event->size : 1;
    unsigned code = event->kind == TRACE_FREE ? 0 : event->kind + 1u;
    assert_false(event->flags);
    assert_true(*word++ == ((uint64_t)event->object << 32 | size << TRACE_WORD_CODE_BITS | code));
    if (event->kind == TRACE_REALLOC)
        assert_true(*word++ == old);
    if (event->kind == TRACE_ALIGNED)
        assert_true(*word++ == (uint64_t)1 << event->align_log2);
    return word;
}

static void note_size(uint64_t *size, const struct trace_event *event)
{
    if (event->kind != TRACE_MARK && !event->flags)
        *size = event->kind == TRACE_FREE ? 0 : event->size ? event->size : 1;
}

enum { WORDS = 5000 };

/* Words of any number at a time, and what they cannot tell as blocks between them. */
static size_t same_words(struct trace_reader *reader, struct stream *stream, bool with_threads)
{
    static uint64_t memory[WORDS], sizes[MOST_LIVE], known[MOST_LIVE];
    static uint32_t threads[WORDS];
    struct trace_words words = {.sizes = sizes, .objects = MOST_LIVE};
    struct trace_event event;
    struct trace_block odd;
    struct rng rng;
    size_t operations = 0, odds = 0;
    memset(sizes, 0, sizeof sizes);
    memset(known, 0, sizeof known);
    rng_init(&rng, 6);
    for (;;) {
        words.at = memory;
        words.room = 2 + rng_below(&rng, WORDS - 2);
        words.threads = with_threads ? threads : NULL;
        const uint32_t *thread = threads;
        if (trace_reader_next_words(reader, &words, &odd, NULL) != 1)
            break;
        for (const uint64_t *word = memory; word < words.at; operations++) {
            assert_true(stream_next(stream, &event));
            word = same_word(word, &event, known[event.object]);
            note_size(&known[event.object], &event);
            assert_true(!with_threads || *thread++ == event.thread);
        }
        assert_true(odd.count <= 1);
        if (odd.count == 1) {
            struct trace_event got = trace_block_at(&odd, 0);
            assert_true(stream_next(stream, &event));
            event.time_ns = event.site = 0;
            same_event(&event, &got);
            assert_int_equal(event.object, got.object);
            if (event.object < MOST_LIVE) {
                note_size(&known[event.object], &event);
                note_size(&sizes[event.object], &event);
            }
            odds++;
        }
        assert_memory_equal(sizes, known, sizeof sizes);
    }
    assert_false(stream_next(stream, &event));
    assert_int_equal(words.operations, operations);
    for (unsigned kind = 0; kind < TRACE_MARK; kind++)
        operations -= words.by_kind[kind];
    assert_int_equal(operations, 0);
    assert_true(odds > 0);
    return words.operations;
}

static void words_tell_what_columns_do(void **state)
{
    (void)state;
    struct trace_reader *reader;
    struct stream stream = {0};
    write_program(100000, 5);
    assert_int_equal(trace_reader_open(&stream.reader, path, NULL), 0);
    assert_int_equal(trace_reader_open(&reader, path, NULL), 0);
    trace_reader_narrow(reader);
    uint64_t sum = trace_reader_checksum(stream.reader);
    for (int with_threads = 0; with_threads < 2; with_threads++) {
        assert_true(same_words(reader, &stream, with_threads) > 10000);
        assert_int_equal(trace_reader_checksum(reader), sum);
        assert_int_equal(trace_reader_rewind(reader, NULL), 0);
        assert_int_equal(trace_reader_rewind(stream.reader, NULL), 0);
    }
    trace_reader_close(reader);
    trace_reader_close(stream.reader);
}

/* What is told of some events only later, in any order and several times. */
static void the_most_that_was_touched_counts(void **state)
{
    (void)state;
    static const struct trace_touched told[] = {{3, 7}, {1, 5}, {3, 9}, {2, 4},
                                                {2, 0}, {3, 8}, {0, 0}};
    static const uint32_t expected[] = {0, 5, 0, 9};
    struct trace_writer *writer;
    struct trace_reader *reader;
    struct trace_block block;
    size_t cursor = 0;
    assert_int_equal(trace_writer_create(&writer, path, &origin, NULL), 0);
    for (uint32_t i = 0; i < 4; i++) {
        struct trace_event event = {.object = i, .size = 1 << 20};
        assert_int_equal(trace_writer_add(writer, &event, NULL), 0);
    }
    for (size_t i = 0; i < sizeof told / sizeof *told; i++)
        assert_int_equal(trace_writer_touched(writer, told[i].event, told[i].pages), 0);
    assert_int_equal(trace_writer_finish(writer, NULL), 0);
    assert_int_equal(trace_reader_open(&reader, path, NULL), 0);
    assert_int_equal(trace_reader_next(reader, &block, NULL), 1);
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(trace_block_touched(&block, i, &cursor), expected[i]);
    assert_int_equal(trace_reader_next(reader, &block, NULL), 0);
    trace_reader_close(reader);
}

static int make_path(void **state)
{
    (void)state;
    int fd = mkstemp(path);
    return fd < 0 ? -1 : close(fd);
}

static int remove_path(void **state)
{
    (void)state;
    return unlink(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(random_streams_come_back),
                                       cmocka_unit_test(words_tell_what_columns_do),
                                       cmocka_unit_test(the_most_that_was_touched_counts)};
    return cmocka_run_group_tests(tests, make_path, remove_path);
}
