/* What the trace format costs: bytes, and nanoseconds to decode and to encode an event.
 *
 *     trace_speed FILE.trace... */
#include <stdio.h>
#include <stdlib.h>

#include "harness/base/clock.h"
#include "workloads/reader.h"
#include "workloads/writer.h"

static void quit(const struct err *err)
{
    fprintf(stderr, "trace_speed: %s\n", err->text);
    exit(2);
}

/* The best of five passes over all blocks. */
static double decode_ns(struct trace_reader *reader, uint64_t *events)
{
    struct trace_block block;
    struct err err;
    double best = 0;
    for (int pass = 0; pass < 5; pass++) {
        uint64_t begun = clock_ns(), seen = 0, sizes = 0;
        int more;
        while ((more = trace_reader_next(reader, &block, &err)) == 1) {
            seen += block.count;
            sizes += block.size[block.count - 1];
        }
        double ns = (double)(clock_ns() - begun) / (double)(seen ? seen : 1);
        __asm__ volatile("" : : "r"(sizes));
        if (more < 0 || trace_reader_rewind(reader, &err))
            quit(&err);
        best = best > 0 && best < ns ? best : ns;
        *events = seen;
    }
    return best;
}

static uint64_t copy(struct trace_reader *reader, struct trace_writer *writer)
{
    struct trace_block block;
    struct err err = {0};
    uint64_t spent = 0;
    while (trace_reader_next(reader, &block, &err) == 1) {
        uint64_t begun = clock_ns();
        for (size_t i = 0; i < block.count; i++) {
            struct trace_event event = trace_block_at(&block, i);
            if (trace_writer_add(writer, &event, &err))
                quit(&err);
        }
        spent += clock_ns() - begun;
    }
    return spent;
}

static uint64_t encode_ns(struct trace_reader *reader)
{
    struct trace_writer *writer;
    struct err err = {0};
    if (trace_writer_create(&writer, "/dev/null", trace_reader_origin(reader), &err))
        quit(&err);
    uint64_t spent = copy(reader, writer);
    if (trace_writer_finish(writer, &err))
        quit(&err);
    return spent;
}

static void report(const char *path)
{
    struct trace_reader *reader;
    struct err err;
    uint64_t events;
    if (trace_reader_open(&reader, path, &err))
        quit(&err);
    FILE *file = fopen(path, "rb");
    if (!file || fseek(file, 0, SEEK_END))
        exit(2);
    double bytes = (double)ftell(file), decode = decode_ns(reader, &events);
    double encode = (double)encode_ns(reader) / (double)(events ? events : 1);
    printf("%-40s %9llu events  %6.3f bytes/event  decode %5.2f ns  encode %5.2f ns\n", path,
           (unsigned long long)events, bytes / (double)(events ? events : 1), decode, encode);
    fclose(file);
    trace_reader_close(reader);
}

int main(int argc, char **argv)
{
    for (int i = 1; i < argc; i++)
        report(argv[i]);
    return 0;
}
