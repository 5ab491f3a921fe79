/* Writes a trace, event by event, streaming: memory grows with live objects, not with length.
 *
 * The caller names live objects by any number of its own below 2^32-1 that no other live object
 * has, and threads by any numbers; the writer gives out the trace's own dense ones. It refuses what
 * no program can do (freeing or resizing what is not live, taking a live number again): those are
 * the caller's to repair and count. */
#ifndef WORKLOADS_WRITER_H
#define WORKLOADS_WRITER_H

#include <stdbool.h>

#include "harness/base/err.h"
#include "workloads/trace.h"

struct encoder;
struct trace_writer;

/* Writes to `path` + ".part" and renames at finish, so a half-written trace never has the real
 * name; "-" is standard output. The origin is copied. */
int trace_writer_create(struct trace_writer **out, const char *path,
                        const struct trace_origin *origin, struct err *err);

/* Whether a live object has that number of the caller's. */
bool trace_writer_is_live(const struct trace_writer *writer, uint32_t object);

int trace_writer_add(struct trace_writer *writer, const struct trace_event *event, struct err *err);

/* For a caller whose numbers are the trace's and whose events are sure to be possible, the way
 * around trace_writer_add: its encoder (encoder.h), whose block must be written once it is full.
 * Borrowed. */
struct encoder *trace_writer_encoder(struct trace_writer *writer);
int trace_writer_block(struct trace_writer *writer, struct err *err);

/* From here on blocks are packed and written by another thread, where there can be one. A failure
 * is told with the next block. */
void trace_writer_split(struct trace_writer *writer);

/* The number of a phase label (the same for the same text); TRACE_NO_OBJECT when memory ran out. */
uint32_t trace_writer_label(struct trace_writer *writer, const char *text);

/* Describes the next call site and returns its number: 1, 2, …; 0 when memory ran out. Frames of a
 * stack are lines, the innermost first. Events may name it only afterwards. */
uint32_t trace_writer_site(struct trace_writer *writer, const char *text);

/* What was touched of the block that an event allocated or resized, known only later: as
 * touched_pages of the event, 0: all. Told several times, the most counts. 0 or -ENOMEM. */
int trace_writer_touched(struct trace_writer *writer, uint64_t event, uint32_t pages);

/* The summary so far; the caller may set touch_looks, source_events, lost_events, repairs and the
 * repairs by kind, which the writer does not count itself. Borrowed. */
struct trace_summary *trace_writer_summary(struct trace_writer *writer);

/* At the finish the disk is not waited for: output_sync is for the caller to call. */
void trace_writer_haste(struct trace_writer *writer);

/* Writes what is left and the footer, syncs and renames; then, as on abandon, the writer is gone.
 */
int trace_writer_finish(struct trace_writer *writer, struct err *err);

/* Removes the unfinished file. */
void trace_writer_abandon(struct trace_writer *writer);

#endif
