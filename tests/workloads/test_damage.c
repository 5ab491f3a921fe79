/* Damaged traces: every whole block before the damage is handed out, then a sentence with the
 * offset; whatever the bytes, nothing is read or handed out beyond its bounds. */
#include "tests/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "harness/base/rng.h"
#include "workloads/bytes.h"
#include "workloads/checksum.h"
#include "workloads/format.h"
#include "workloads/reader.h"
#include "workloads/writer.h"

enum { ROOM = 1 << 21, LIVE = 500 };

static char whole_path[] = "/tmp/heapbench-whole-XXXXXX";
static char damaged_path[] = "/tmp/heapbench-damaged-XXXXXX";
static uint8_t whole[ROOM];
static size_t whole_bytes;

static void write_trace(size_t events)
{
    const struct trace_origin origin = {.columns = TRACE_HAS_TIMES | TRACE_HAS_SITES,
                                        .program = "victim"};
    struct trace_writer *writer;
    struct rng rng;
    static bool live[LIVE];
    memset(live, 0, sizeof live);
    rng_init(&rng, 7);
    assert_int_equal(trace_writer_create(&writer, whole_path, &origin, NULL), 0);
    uint32_t label = trace_writer_label(writer, "phase");
    trace_writer_site(writer, "main");
    for (size_t i = 0; i < events; i++) {
        uint32_t object = (uint32_t)rng_below(&rng, LIVE);
        struct trace_event event = {.object = object,
                                    .thread = (uint32_t)rng_below(&rng, 3),
                                    .time_ns = i * 1000,
                                    .site = (uint32_t)rng_below(&rng, 2),
                                    .size = rng_below(&rng, 5000),
                                    .kind = TRACE_MALLOC};
        if (live[object])
            event.kind = i % 5 ? TRACE_FREE : TRACE_REALLOC;
        else if (i % 97 == 0)
            event =
                (struct trace_event){.kind = TRACE_MARK, .object = label, .time_ns = event.time_ns};
        if (event.kind != TRACE_MARK)
            live[object] = event.kind != TRACE_FREE;
        if (event.kind < TRACE_FREE && i % 3)
            event.touched_pages = (uint32_t)i;
        assert_int_equal(trace_writer_add(writer, &event, NULL), 0);
    }
    assert_int_equal(trace_writer_finish(writer, NULL), 0);
}

static void read_whole(void)
{
    int fd = open(whole_path, O_RDONLY);
    ssize_t got = read(fd, whole, sizeof whole);
    close(fd);
    assert_true(got > 0 && got < ROOM);
    whole_bytes = (size_t)got;
}

static void write_damaged(const uint8_t *bytes, size_t length)
{
    int fd = open(damaged_path, O_WRONLY | O_TRUNC);
    assert_int_equal(write(fd, bytes, length), (ssize_t)length);
    close(fd);
}

/* What a reader hands out must be safe to index with; returns the events or -1 at a failed open. */
static long read_all(struct err *err)
{
    struct trace_reader *reader;
    struct trace_block block;
    err->code = 0;
    err->text[0] = '\0';
    if (trace_reader_open(&reader, damaged_path, err))
        return -1;
    long seen = 0;
    static uint8_t live[1 << 20];
    memset(live, 0, sizeof live);
    while (trace_reader_next(reader, &block, err) == 1) {
        for (size_t i = 0; i < block.count; i++, seen++) {
            struct trace_event event = trace_block_at(&block, i);
            assert_true(event.kind < TRACE_KINDS);
            assert_true(event.align_log2 < 64);
            if (event.kind == TRACE_MARK || event.object == TRACE_NO_OBJECT)
                continue;
            assert_true(event.object < sizeof live);
            bool names = event.kind == TRACE_FREE || event.kind == TRACE_REALLOC;
            assert_int_equal(live[event.object], names);
            live[event.object] = event.kind != TRACE_FREE;
        }
    }
    trace_reader_close(reader);
    return seen;
}

/* The same of words; returns how many operations they tell, or -1 at a failed open. */
static long read_words(struct err *err)
{
    enum { OBJECTS = 1 << 12, WORDS = 4096 };
    static uint64_t memory[WORDS], sizes[OBJECTS];
    struct trace_reader *reader;
    struct trace_block odd;
    struct trace_words words = {.sizes = sizes, .objects = OBJECTS};
    memset(sizes, 0, sizeof sizes);
    err->code = 0;
    if (trace_reader_open(&reader, damaged_path, err))
        return -1;
    trace_reader_narrow(reader);
    for (words.at = memory, words.room = WORDS;
         trace_reader_next_words(reader, &words, &odd, err) == 1;
         words.at = memory, words.room = WORDS) {
        assert_true(words.at <= memory + WORDS);
        if (odd.count && odd.object[0] < OBJECTS)
            sizes[odd.object[0]] = odd.size[0];
    }
    trace_reader_close(reader);
    return (long)words.operations;
}

static void expect_damage(const struct err *err)
{
    assert_int_not_equal(err->code, 0);
    if (!strstr(err->text, "offset") && !strstr(err->text, "no heapbench trace") &&
        !strstr(err->text, "version"))
        fail_msg("no place in: %s", err->text);
}

static void every_flipped_byte_is_found(void **state)
{
    (void)state;
    struct err err;
    write_trace(120);
    read_whole();
    write_damaged(whole, whole_bytes);
    assert_int_equal(read_all(&err), 120);
    assert_int_equal(err.code, 0);
    for (size_t i = 0; i < whole_bytes; i++) {
        whole[i] ^= (uint8_t)(1u << i % 8);
        write_damaged(whole, whole_bytes);
        long seen = read_all(&err);
        whole[i] ^= (uint8_t)(1u << i % 8);
        bool trailer = i >= whole_bytes - FORMAT_TRAILER_BYTES;
        if (seen == 120 && trailer)
            continue;
        expect_damage(&err);
        assert_true(seen <= 120);
    }
}

static void every_cut_is_found(void **state)
{
    (void)state;
    struct err err;
    write_trace(200000);
    read_whole();
    size_t step = whole_bytes / 100;
    for (size_t length = 0; length < whole_bytes - FORMAT_TRAILER_BYTES; length += step) {
        write_damaged(whole, length);
        long seen = read_all(&err);
        expect_damage(&err);
        assert_true(seen == -1 || (seen < 200000 && seen % FORMAT_BLOCK_EVENTS == 0) ||
                    seen == 200000);
    }
}

/* The offset of the nth chunk, from the header on. */
static size_t chunk_at(unsigned n)
{
    size_t at = FORMAT_HEADER_BYTES + bytes_get32(whole + 24) + 8;
    while (n--)
        at += FORMAT_CHUNK_BYTES + bytes_get32(whole + at + 4);
    return at;
}

static void whole_blocks_before_the_damage_come_out(void **state)
{
    (void)state;
    struct err err;
    char wanted[40];
    write_trace(200000);
    read_whole();
    size_t third = chunk_at(4); /* label, site, two blocks before it */
    whole[third + 100] ^= 1;
    write_damaged(whole, whole_bytes);
    assert_int_equal(read_all(&err), 2 * FORMAT_BLOCK_EVENTS);
    snprintf(wanted, sizeof wanted, "offset %zu ", third);
    assert_non_null(strstr(err.text, wanted));
    assert_non_null(strstr(err.text, "131072 events before it are whole"));
}

static void a_missing_block_is_noticed(void **state)
{
    (void)state;
    struct err err;
    write_trace(200000);
    read_whole();
    size_t from = chunk_at(5), to = chunk_at(6);
    memmove(whole + from, whole + to, whole_bytes - to);
    write_damaged(whole, whole_bytes - (to - from));
    read_all(&err);
    expect_damage(&err);
}

/* Makes the checksum of a chunk in `bytes` that of what stands there now. */
static void reseal(uint8_t *bytes, size_t chunk)
{
    uint32_t stored = bytes_get32(bytes + chunk + 4);
    uint64_t head = checksum64(bytes + chunk, 16, 0);
    bytes_put64(bytes + chunk + 16, checksum64(bytes + chunk + FORMAT_CHUNK_BYTES, stored, head));
}

/* Damage that the checksums confirm: random bytes in place of packed streams, resealed. */
static void resealed_nonsense_stays_in_bounds(void **state)
{
    (void)state;
    struct err err;
    struct rng rng;
    rng_init(&rng, 3);
    write_trace(3000);
    read_whole();
    static uint8_t copy[ROOM];
    size_t block = chunk_at(2), stored = bytes_get32(whole + block + 4);
    for (int round = 0; round < 700; round++) {
        memcpy(copy, whole, whole_bytes);
        for (uint64_t i = 0; i <= rng_below(&rng, 4); i++)
            copy[block + FORMAT_CHUNK_BYTES + rng_below(&rng, stored)] = (uint8_t)rng_next(&rng);
        reseal(copy, block);
        write_damaged(copy, whole_bytes);
        assert_true(read_all(&err) <= 3000);
        assert_int_equal(!!err.code, memcmp(copy, whole, whole_bytes) != 0);
        assert_true(read_words(&err) <= 3000);
    }
}

/* Room is made for what a block says it is; its streams together must not be longer, though each of
 * them were not. */
static void a_block_is_no_longer_than_it_says(void **state)
{
    (void)state;
    struct err err;
    write_trace(3000);
    read_whole();
    size_t block = chunk_at(2);
    bytes_put32(whole + block + 8, bytes_get32(whole + block + 8) - 1);
    reseal(whole, block);
    write_damaged(whole, whole_bytes);
    assert_int_equal(read_all(&err), 0);
    assert_non_null(strstr(err.text, "a stream longer than its block"));
    assert_int_equal(read_words(&err), 0);
    assert_non_null(strstr(err.text, "a stream longer than its block"));
}

static uint32_t chunk_tag(size_t at)
{
    return bytes_get32(whole + at);
}

/* As above, in what was touched. */
static void resealed_touched_pages_stay_in_bounds(void **state)
{
    (void)state;
    struct err err;
    struct rng rng;
    rng_init(&rng, 5);
    write_trace(3000);
    read_whole();
    static uint8_t copy[ROOM];
    size_t chunk = chunk_at(3), stored = bytes_get32(whole + chunk + 4);
    assert_int_equal(chunk_tag(chunk), FORMAT_TOUCHED);
    for (int round = 0; round < 300; round++) {
        memcpy(copy, whole, whole_bytes);
        bytes_put32(copy + chunk + 12, (uint32_t)rng_below(&rng, 4000));
        copy[chunk + FORMAT_CHUNK_BYTES + rng_below(&rng, stored)] ^= (uint8_t)rng_below(&rng, 256);
        reseal(copy, chunk);
        write_damaged(copy, whole_bytes);
        assert_true(read_all(&err) <= 3000);
        assert_int_equal(!!err.code, memcmp(copy, whole, whole_bytes) != 0);
    }
}

/* Cut out, with the trailer as it would be then. */
static void touched_pages_that_are_gone_are_missed(void **state)
{
    (void)state;
    struct err err;
    write_trace(3000);
    read_whole();
    static uint8_t copy[ROOM];
    size_t chunk = chunk_at(3), length = FORMAT_CHUNK_BYTES + bytes_get32(whole + chunk + 4);
    assert_int_equal(chunk_tag(chunk), FORMAT_TOUCHED);
    memcpy(copy, whole, chunk);
    memcpy(copy + chunk, whole + chunk + length, whole_bytes - chunk - length);
    uint8_t *trailer = copy + whole_bytes - length - FORMAT_TRAILER_BYTES;
    bytes_put64(trailer, bytes_get64(trailer) - length);
    write_damaged(copy, whole_bytes - length);
    read_all(&err);
    assert_int_equal(err.code, EBADMSG);
    assert_non_null(strstr(err.text, "touched pages are missing"));
}

/* Pages of a free, and of events that are not there. */
static void touched_pages_of_no_block_are_refused(void **state)
{
    (void)state;
    static const uint64_t wrong[] = {1, 2, UINT64_MAX};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        const struct trace_origin origin = {.program = "victim"};
        struct trace_writer *writer;
        struct err err;
        assert_int_equal(trace_writer_create(&writer, damaged_path, &origin, NULL), 0);
        assert_int_equal(trace_writer_add(writer, &(struct trace_event){.size = 9}, NULL), 0);
        assert_int_equal(trace_writer_add(writer, &(struct trace_event){.kind = TRACE_FREE}, NULL),
                         0);
        assert_int_equal(trace_writer_touched(writer, wrong[i], 3), 0);
        assert_int_equal(trace_writer_finish(writer, NULL), 0);
        read_all(&err);
        assert_int_equal(err.code, EBADMSG);
        assert_non_null(strstr(err.text, "touched pages"));
    }
    struct trace_writer *writer;
    assert_int_equal(trace_writer_create(&writer, damaged_path, &(struct trace_origin){0}, NULL),
                     0);
    assert_int_equal(
        trace_writer_add(
            writer, &(struct trace_event){.size = 9, .flags = TRACE_FAILED, .touched_pages = 1},
            NULL),
        -EINVAL);
    trace_writer_abandon(writer);
}

static void other_files_are_refused(void **state)
{
    (void)state;
    struct err err;
    write_damaged((const uint8_t *)"100000\n5\n10\n1\na 0 10\n", 21);
    assert_int_equal(read_all(&err), -1);
    assert_non_null(strstr(err.text, "is no heapbench trace"));
    assert_non_null(strstr(err.text, "bench import"));
    write_trace(10);
    read_whole();
    bytes_put32(whole + 8, FORMAT_VERSION + 1);
    write_damaged(whole, whole_bytes);
    assert_int_equal(read_all(&err), -1);
    assert_non_null(strstr(err.text, "version 2"));
    struct trace_reader *reader;
    assert_int_not_equal(trace_reader_open(&reader, "/nonexistent/x.trace", &err), 0);
    assert_non_null(strstr(err.text, "/nonexistent/x.trace"));
}

static int make_paths(void **state)
{
    (void)state;
    int a = mkstemp(whole_path), b = mkstemp(damaged_path);
    return a < 0 || b < 0 ? -1 : close(a) | close(b);
}

static int remove_paths(void **state)
{
    (void)state;
    return unlink(whole_path) | unlink(damaged_path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_flipped_byte_is_found),
        cmocka_unit_test(every_cut_is_found),
        cmocka_unit_test(whole_blocks_before_the_damage_come_out),
        cmocka_unit_test(a_missing_block_is_noticed),
        cmocka_unit_test(resealed_nonsense_stays_in_bounds),
        cmocka_unit_test(a_block_is_no_longer_than_it_says),
        cmocka_unit_test(resealed_touched_pages_stay_in_bounds),
        cmocka_unit_test(touched_pages_that_are_gone_are_missed),
        cmocka_unit_test(touched_pages_of_no_block_are_refused),
        cmocka_unit_test(other_files_are_refused),
    };
    return cmocka_run_group_tests(tests, make_paths, remove_paths);
}
