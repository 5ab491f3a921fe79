/* Reads a trace as a stream of blocks. All its memory is mapped through harness/base/pages.h, none
 * is malloc'ed: the worker reads with it under any preloaded allocator. */
#ifndef WORKLOADS_READER_H
#define WORKLOADS_READER_H

#include "harness/base/err.h"
#include "workloads/trace.h"

struct trace_reader;

/* `path` is a trace file, or "-" for standard input. The sentence of a failure says whether the
 * file is missing, no trace, of a newer version, or damaged, and at which offset. */
int trace_reader_open(struct trace_reader **out, const char *path, struct err *err);
void trace_reader_close(struct trace_reader *reader);

/* The path, or "standard input", for sentences. Lives as long as the reader. */
const char *trace_reader_name(const struct trace_reader *reader);

/* Lives as long as the reader. */
const struct trace_origin *trace_reader_origin(const struct trace_reader *reader);

/* From the footer, or NULL where there is none to be read (a stream, a cut file). */
const struct trace_summary *trace_reader_summary(const struct trace_reader *reader);

/* A phase mark's label and a call site's description (frames as lines, the innermost first); NULL
 * for a number that no block up to here uses. Borrowed until the next block is read. */
const char *trace_reader_label(const struct trace_reader *reader, uint32_t number);
const char *trace_reader_site(const struct trace_reader *reader, uint32_t number);

/* Checksum over the whole stream of blocks, as stored: the trace's identity in results. 0 before
 * the end was seen where there is no footer. */
uint64_t trace_reader_checksum(const struct trace_reader *reader);

/* Bytes of the file; of a stream, what was read so far. */
uint64_t trace_reader_bytes(const struct trace_reader *reader);

/* 1 and a block, 0 at the proper end, or -errno: every whole block before the damage has been
 * handed out, and the sentence names the offset. */
int trace_reader_next(struct trace_reader *reader, struct trace_block *block, struct err *err);

/* Touches the memory that blocks are decoded into, for a process that must not grow. */
void trace_reader_settle_columns(struct trace_reader *reader);

/* Times and sites are not wanted: blocks come without them, and faster. Before the first block. */
void trace_reader_narrow(struct trace_reader *reader);

/* Decodes on into words, for a reader that was narrowed. 1 with words, or with a block of one event
 * that no word can tell, or with neither where the room is used up or only free(NULL) came; 0 and
 * -errno as trace_reader_next, which is not called any more until a rewind. What the block does to
 * the size of its object is for the caller to note in the words' `sizes`, and to refuse where that
 * object is not live. */
int trace_reader_next_words(struct trace_reader *reader, struct trace_words *words,
                            struct trace_block *block, struct err *err);

/* Back to the first block (not for a stream). */
int trace_reader_rewind(struct trace_reader *reader, struct err *err);

#endif
