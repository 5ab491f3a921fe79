/* Damaged recordings and traces by the thousand, the same ones each time: every importer, the
 * reader and every trace tool either makes a whole trace of what it is given or says why not.
 *
 * HEAPBENCH_FUZZ_ROUNDS=N makes N of each kind instead of a few, HEAPBENCH_FUZZ_SEED=N others. */
#include "tests/unit.h"

#include <fcntl.h>
#include <glob.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "harness/base/rng.h"
#include "workloads/bytes.h"
#include "workloads/checksum.h"
#include "workloads/edit.h"
#include "workloads/format.h"
#include "workloads/import/import.h"
#include "workloads/import/importer.h"
#include "workloads/statistics.h"

enum { ROOM = 1 << 16, ROUNDS = 20, FILES = 40, PATCHES = 5 };

struct sample {
    size_t bytes;
    const char *format; /* NULL: of none */
    uint8_t at[ROOM];
};

struct fuzz {
    struct rng rng;
    unsigned rounds;
    size_t count;
    struct sample samples[FILES];
    struct sample mutant;
};

static char in_path[64], out_path[64], again_path[64];

/* In memory where there are files in memory. */
static int fresh_file(char path[64], const char *name)
{
    snprintf(path, 64, "%s/heapbench-fuzz-%s-XXXXXX",
             access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp", name);
    return mkstemp(path);
}

static void load(struct sample *sample, const char *path)
{
    int fd = open(path, O_RDONLY);
    ssize_t got = read(fd, sample->at, sizeof sample->at / 2);
    close(fd);
    assert_true(got >= 0);
    sample->bytes = (size_t)got;
}

static void store(const struct sample *sample, const char *path)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    assert_int_equal(write(fd, sample->at, sample->bytes), (ssize_t)sample->bytes);
    close(fd);
}

/* --- mutants --- */

static void put(struct sample *sample, size_t at, const void *bytes, size_t length)
{
    if (sample->bytes + length > sizeof sample->at)
        return;
    memmove(sample->at + at + length, sample->at + at, sample->bytes - at);
    memcpy(sample->at + at, bytes, length);
    sample->bytes += length;
}

static void drop(struct sample *sample, size_t at, size_t length)
{
    memmove(sample->at + at, sample->at + at + length, sample->bytes - at - length);
    sample->bytes -= length;
}

static const char *const words[] = {"18446744073709551615",
                                    "-1",
                                    "0x",
                                    "ffffffffffffffff",
                                    "\n",
                                    " ",
                                    "(nil)",
                                    "(",
                                    ")",
                                    "#",
                                    "= ",
                                    "<unfinished ...>",
                                    "\r\n",
                                    "|",
                                    "@ x < 0x10\n",
                                    "\xff\xff\xff\xff\x7f"};

/* One damage at a random place; from `other` comes what is spliced in. */
static void damage(struct sample *sample, const struct sample *other, struct rng *rng)
{
    size_t at = rng_below(rng, sample->bytes + 1), left = sample->bytes - at;
    size_t length = 1 + rng_below(rng, left && rng_below(rng, 2) ? (left < 64 ? left : 64) : 4);
    const char *word = words[rng_below(rng, sizeof words / sizeof *words)];
    uint8_t copy[64];
    length = length > left ? left : length;
    switch (rng_below(rng, 8)) {
    case 0:
    case 1:
        if (left)
            sample->at[at] ^= (uint8_t)(1u << rng_below(rng, 8));
        return;
    case 2:
        if (left)
            sample->at[at] = (uint8_t)rng_next(rng);
        return;
    case 3:
        drop(sample, at, length);
        return;
    case 4:
        memcpy(copy, sample->at + at, length);
        put(sample, rng_below(rng, sample->bytes + 1), copy, length);
        return;
    case 5:
        put(sample, at, word, strlen(word));
        return;
    case 6:
        at = other->bytes > 64 ? rng_below(rng, other->bytes - 64) : 0;
        put(sample, rng_below(rng, sample->bytes + 1), other->at + at,
            other->bytes > 64 ? 1 + rng_below(rng, 64) : other->bytes);
        return;
    default:
        if (rng_below(rng, 3) == 0)
            sample->bytes = at;
    }
}

static const struct sample *mutate(struct fuzz *fuzz, const struct sample *from)
{
    fuzz->mutant = *from;
    for (uint64_t i = 0; i <= rng_below(&fuzz->rng, PATCHES); i++)
        damage(&fuzz->mutant, &fuzz->samples[rng_below(&fuzz->rng, fuzz->count)], &fuzz->rng);
    return &fuzz->mutant;
}

/* --- what must hold --- */

static uint64_t read_all(const char *path, struct trace_summary *summary, bool whole)
{
    struct trace_reader *reader;
    struct trace_block block;
    struct err err = {0};
    int got;
    uint64_t events = 0;
    if (trace_reader_open(&reader, path, &err)) {
        assert_false(whole);
        assert_true(err.text[0]);
        return 0;
    }
    while ((got = trace_reader_next(reader, &block, &err)) == 1)
        events += block.count;
    if (whole && got)
        fail_msg("what was written cannot be read: %s", err.text);
    assert_true(got == 0 || err.text[0]);
    if (got == 0 && trace_reader_summary(reader))
        *summary = *trace_reader_summary(reader);
    trace_reader_close(reader);
    return events;
}

/* Every operation of the source became an event, or was an orphan. */
static void expect_all_kept(const struct trace_summary *sum)
{
    assert_true(sum->events + sum->orphan_frees >= sum->source_events);
    if (sum->source_events)
        assert_true(sum->events <= sum->source_events + sum->double_allocations + sum->inversions);
}

/* Lines of memory_replay that hold anything but a thread's end. */
static uint64_t replay_lines(const struct sample *sample)
{
    uint64_t lines = 0;
    struct scan text = scan_over((const char *)sample->at, sample->bytes), line;
    if (sample->bytes >= 3 && memcmp(sample->at, "\xef\xbb\xbf", 3) == 0)
        text.at += 3;
    while (scan_line(&text, &line))
        lines += !scan_done(&line) && *line.at != '#' &&
                 !memmem(line.at, (size_t)(line.end - line.at), "thread_done", 11);
    return lines;
}

static void expect_all_told(const struct sample *sample, const struct trace_summary *sum)
{
    uint64_t told = sum->source_events + sum->bad_records + sum->cut_tails;
    if (told < replay_lines(sample))
        fail_msg("%llu of %llu lines are accounted for", (unsigned long long)told,
                 (unsigned long long)replay_lines(sample));
}

static void import_mutant(struct fuzz *fuzz, const struct sample *from)
{
    struct import_report report;
    struct trace_summary sum = {0};
    struct err err = {0};
    const char *format = rng_below(&fuzz->rng, 4) ? from->format : NULL;
    const struct sample *mutant = mutate(fuzz, from);
    store(mutant, in_path);
    if (import_file(in_path, format, out_path, &report, &err)) {
        assert_true(err.text[0]);
        return;
    }
    uint64_t events = read_all(out_path, &sum, true);
    assert_int_equal(events, sum.events);
    expect_all_kept(&sum);
    if (format && strcmp(format, "memory_replay") == 0)
        expect_all_told(mutant, &sum);
}

static void imports(void **state)
{
    struct fuzz *fuzz = *state;
    for (size_t i = 0; i < fuzz->count; i++)
        for (unsigned round = 0; round < fuzz->rounds && fuzz->samples[i].format; round++)
            import_mutant(fuzz, &fuzz->samples[i]);
}

/* --- traces --- */

/* Makes all checksums right again, so that damage reaches what is behind them. */
static void reseal(struct sample *trace)
{
    uint8_t *all = trace->at;
    if (trace->bytes < FORMAT_HEADER_BYTES + 8)
        return;
    uint64_t at = FORMAT_HEADER_BYTES + (uint64_t)bytes_get32(all + 24);
    if (at + 8 > trace->bytes)
        return;
    bytes_put64(all + at, checksum64(all, at, 0));
    for (at += 8; at + FORMAT_CHUNK_BYTES <= trace->bytes;) {
        uint64_t stored = bytes_get32(all + at + 4), body = at + FORMAT_CHUNK_BYTES;
        if (stored > trace->bytes - body)
            return;
        bytes_put64(all + at + 16, checksum64(all + body, stored, checksum64(all + at, 16, 0)));
        at = body + stored;
    }
}

/* The result of an editor, if there is any, is whole, whatever the source. */
static void edited(int failed, const struct err *err)
{
    struct trace_summary sum = {0};
    assert_true(!failed || err->text[0]);
    if (access(again_path, F_OK) == 0) {
        uint64_t events = read_all(again_path, &sum, true);
        assert_int_equal(events, sum.events);
        unlink(again_path);
    } else
        assert_true(failed);
}

static void edit_all(struct rng *rng)
{
    uint32_t thread = (uint32_t)rng_below(rng, 3);
    struct err err = {0};
    const struct edit_cut cut = {.first = rng_below(rng, 5),
                                 .end = rng_below(rng, 2) ? UINT64_MAX : rng_below(rng, 30),
                                 .after_ns = rng_below(rng, 2) ? 0 : rng_below(rng, 1000000),
                                 .before_ns = UINT64_MAX,
                                 .threads = &thread,
                                 .thread_count = rng_below(rng, 2)};
    const struct edit_anonymize how = {rng_below(rng, 100), rng_below(rng, 100)};
    const char *const both[] = {in_path, out_path};
    edited(edit_cut(in_path, again_path, &cut, &err), &err);
    edited(edit_scale(in_path, again_path, 1 + (uint32_t)rng_below(rng, 3), &err), &err);
    edited(edit_merge(both, 2, again_path, &err), &err);
    edited(edit_anonymize(in_path, again_path, &how, &err), &err);
}

static void take_statistics(void)
{
    static struct statistics statistics;
    struct trace_reader *reader;
    struct err err = {0};
    if (trace_reader_open(&reader, in_path, &err))
        return;
    memset(&statistics, 0, sizeof statistics);
    statistics_scan(&statistics, reader, &err);
    statistics_release(&statistics);
    trace_reader_close(reader);
}

static void traces(void **state)
{
    struct fuzz *fuzz = *state;
    struct import_report report;
    static struct sample good;
    for (size_t i = 0; i < fuzz->count; i++) {
        struct trace_summary sum = {0};
        if (!fuzz->samples[i].format)
            continue;
        store(&fuzz->samples[i], in_path);
        if (import_file(in_path, fuzz->samples[i].format, out_path, &report, NULL))
            continue;
        load(&good, out_path);
        for (unsigned round = 0; round < fuzz->rounds / 2; round++) {
            struct sample *mutant = (struct sample *)mutate(fuzz, &good);
            if (round % 4)
                reseal(mutant);
            store(mutant, in_path);
            read_all(in_path, &sum, false);
            take_statistics();
            edit_all(&fuzz->rng);
        }
    }
}

/* --- samples --- */

static const char *format_of(const char *path)
{
    static const char *const formats[][2] = {
        {".rep", "rep"},         {"heaptrack", "heaptrack"}, {"logalloc", "logalloc"},
        {"ltrace", "ltrace"},    {"lttng", "lttng"},         {"memory_replay", "memory_replay"},
        {"mtrace", "mtrace"},    {"profile", "profile"},     {"shmheap", "shmheap"},
        {"valgrind", "valgrind"}};
    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++)
        if (strstr(path, formats[i][0]))
            return formats[i][1];
    return NULL;
}

static void raw_record(struct sample *sample, uint32_t thread, uint8_t type, uint64_t given,
                       uint64_t result, uint64_t size, uint64_t size2)
{
    uint8_t record[64] = {0};
    bytes_put32(record, thread);
    bytes_put32(record + 4, type);
    bytes_put64(record + 8, given);
    bytes_put64(record + 16, result);
    bytes_put64(record + 24, size);
    bytes_put64(record + 32, size2);
    put(sample, sample->bytes, record, sizeof record);
}

static void binary_samples(struct fuzz *fuzz)
{
    static const uint8_t workload[] =
        "\x08\x03\x09\x01\x0a\x02\x0b\x0b\x0b\x1b\x01"
        "\x02\x01\x81\x00\x03\x02\x10\x04\x03\x02\x20\x06\x01\x01\x0c\x02"
        "\x0c\x02\x10\x20\x07\x01\x05\x01\x0d\x01\x05\x0e\x03\x05\x05\x02\x01";
    struct sample *wl = &fuzz->samples[fuzz->count++], *raw = &fuzz->samples[fuzz->count++];
    wl->format = "glibc_wl";
    put(wl, 0, workload, sizeof workload - 1);
    raw->format = "glibc_raw";
    raw_record(raw, 7, 255, 0, 0, 0, 0);
    raw_record(raw, 7, 1, 0, 0x1000, 100, 0);
    raw_record(raw, 8, 2, 0, 0x2000, 50, 0);
    raw_record(raw, 7, 4, 0x1000, 0x3000, 200, 0);
    raw_record(raw, 7, 5, 0, 0x1000, 64, 32);
    raw_record(raw, 8, 3, 0x2000, 0, 0, 0);
}

static int prepare(void **state)
{
    static struct fuzz fuzz;
    const char *rounds = getenv("HEAPBENCH_FUZZ_ROUNDS"), *seed = getenv("HEAPBENCH_FUZZ_SEED");
    glob_t found;
    int paths[] = {fresh_file(in_path, "in"), fresh_file(out_path, "out"),
                   fresh_file(again_path, "again")};
    if (glob("tests/workloads/fixtures/*", 0, NULL, &found))
        return -1;
    for (size_t i = 0; i < found.gl_pathc && fuzz.count < FILES - 2; i++) {
        struct sample *sample = &fuzz.samples[fuzz.count++];
        load(sample, found.gl_pathv[i]);
        sample->format = format_of(found.gl_pathv[i]);
    }
    globfree(&found);
    binary_samples(&fuzz);
    fuzz.rounds = rounds ? (unsigned)strtoul(rounds, NULL, 10) : ROUNDS;
    rng_init(&fuzz.rng, seed ? strtoull(seed, NULL, 10) : 1);
    *state = &fuzz;
    return close(paths[0]) | close(paths[1]) | close(paths[2]) | unlink(again_path);
}

static int tidy(void **state)
{
    (void)state;
    return unlink(in_path) | unlink(out_path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(imports),
        cmocka_unit_test(traces),
    };
    return cmocka_run_group_tests(tests, prepare, tidy);
}
