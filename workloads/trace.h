/* The trace: a program's allocation operations in order, without a single address.
 *
 * An operation names an object by number. Numbers are dense and recycled: a table of `objects`
 * entries is enough to replay a trace of any length. A number may be taken again only after the
 * object that had it was freed. */
#ifndef WORKLOADS_TRACE_H
#define WORKLOADS_TRACE_H

#include <stddef.h>
#include <stdint.h>

enum trace_kind {
    TRACE_MALLOC,
    TRACE_CALLOC,
    TRACE_REALLOC, /* object keeps its number, whether or not it moved */
    TRACE_ALIGNED, /* any of posix_memalign, aligned_alloc, memalign, valloc, aligned new */
    TRACE_FREE,
    TRACE_MARK, /* a phase mark; `object` is its place among the header's labels */
    TRACE_KINDS
};

enum { TRACE_KIND_ROOM = 8 }; /* kinds that the format has room for */

enum trace_flag {
    TRACE_FAILED = 1, /* the call returned NULL: malloc, calloc, aligned have TRACE_NO_OBJECT; a
                         failed realloc leaves its object as it was */
};

#define TRACE_NO_OBJECT UINT32_MAX /* free(NULL), or an allocation that failed */

struct trace_event {
    uint8_t kind;       /* enum trace_kind */
    uint8_t flags;      /* enum trace_flag */
    uint8_t align_log2; /* of an aligned allocation, else 0 */
    uint32_t thread;    /* 0, 1, … in order of first appearance */
    uint32_t object;
    uint32_t site;          /* call site number, 0: unknown */
    uint32_t touched_pages; /* what was touched of the block until its next realloc, free, or the
                               end, of an allocation or resize: see struct trace_touched; 0: all of
                               it, or not known */
    uint64_t size;          /* bytes requested; 0 is recorded as 0; 0 for free and mark */
    uint64_t time_ns; /* since the recording's start; 0 throughout where the trace has no times */
};

enum trace_column {
    TRACE_HAS_TIMES = 1 << 0,
    TRACE_HAS_SITES = 1 << 1,
    TRACE_HAS_THREADS = 1 << 2, /* threads are known (else everything is thread 0) */
};

/* Where a trace comes from and what it cannot tell; borrowed strings, "" where unknown. */
struct trace_origin {
    const char *program;   /* name without its folder */
    const char *arguments; /* as given, or "" (left out by default: they may hold secrets) */
    const char *host;
    const char *tool;   /* "heapbench 0.1.0" */
    const char *source; /* "recorded", "android memory_replay", "malloc-lab .rep", "generated", … */
    const char *losses;   /* one sentence: what the source could not hold; "" nothing */
    uint64_t recorded_at; /* seconds since 1970, 0 unknown */
    uint32_t columns;     /* enum trace_column */
};

/* Known once the last event is written; in the footer as it stands here, so that fields are only
 * ever added at the end (an older footer gives 0); rebuilt by scanning (tally.h) if that is lost.
 */
struct trace_summary {
    uint64_t events;
    uint64_t by_kind[TRACE_KIND_ROOM];
    uint64_t failed_calls;
    uint64_t objects; /* size of the object table a replay needs */
    uint64_t threads;
    uint64_t peak_live_bytes; /* requested bytes */
    uint64_t peak_live_blocks;
    uint64_t peak_event; /* the first event after which live bytes are at their peak */
    uint64_t end_live_bytes;
    uint64_t end_live_blocks;
    uint64_t total_bytes; /* requested in all */
    uint64_t cross_thread_frees;
    uint64_t max_align; /* largest alignment asked for, 0 none */
    uint64_t duration_ns;
    uint64_t source_events; /* allocation operations a foreign source held, 0: not foreign */
    uint64_t lost_events;   /* dropped by the recorder */
    uint64_t repairs;       /* orphan frees, double allocations, inversions mended on import */
    uint64_t orphan_frees, double_allocations, inversions; /* the repairs by kind */
    uint64_t bad_records; /* lines or records of a foreign source that could not be understood */
    uint64_t cut_tails;   /* 1 where a foreign source ends before its end */
    /* of a recorded program, with the recorder in it; 0 unknown */
    uint64_t program_wall_ns, program_cpu_ns;
    uint64_t recorder_ns;     /* the recorder's share of that at least: what its calls were tried
                                 out to cost when nothing else wanted the caches */
    uint64_t backward_times;  /* operations of a foreign source that have the time of one before
                                 them, since their own lay before it */
    uint64_t touch_looks;     /* lives of large blocks after which the recorder looked what had been
                                 touched; 0: the trace knows nothing of that */
    uint64_t touched_sum;     /* over the checksums of the chunks that tell it; 0: not summed */
    uint64_t unrecorded_exec; /* 1 where the program became another one without the recorder, which
                                 the last mark names */
    uint64_t drain_ns;   /* processor time of turning the recording into the trace, beside it */
    uint64_t late_ns;    /* from the program's end until only the footer was still to be written */
    uint64_t end_signal; /* that ended the program, 0 none: what was touched of the blocks that
                            lived then is not known */
    uint64_t own_malloc; /* 1 where the program has a malloc of its own, whose blocks are missing */
};

/* A block of which not every page was touched. */
struct trace_touched {
    uint64_t event; /* that allocated or resized it */
    uint32_t pages; /* of 4 KiB, the one in which the block begins included: at least 1 */
};

enum { TRACE_TOUCHED_PAGE = 4096 };

/* A decoded stretch of the trace as columns; an absent column is NULL. Valid until the next call.
 */
struct trace_block {
    size_t count;
    uint64_t first; /* number of its first event in the trace */
    const uint8_t *kind;
    const uint8_t *flags;
    const uint8_t *align_log2;
    const uint32_t *thread;
    const uint32_t *object;
    const uint64_t *size;
    const uint64_t *time_ns;             /* NULL without times */
    const uint32_t *site;                /* NULL without sites */
    const struct trace_touched *touched; /* of these events, in their order */
    size_t touched_count;
};

/* A decoded stretch for a replay, of calls that succeeded: a word is object << 32 | size << 3 |
 * code, where the code is 0 for a free and the kind + 1 else; a request for 0 bytes is one for 1. A
 * realloc is followed by a word with the old size, an aligned allocation by one with the alignment.
 * free(NULL) is left out. */
struct trace_words {
    uint64_t *at;      /* borrowed; where the next word goes */
    size_t room;       /* words from there on */
    uint32_t *threads; /* borrowed; where the next operation's thread goes; NULL: not wanted */
    uint64_t *sizes;   /* borrowed; of objects, 0 of those that are not live; zeroed at first */
    uint32_t objects;  /* numbers that `sizes` has room for */
    size_t operations; /* those that were written are added */
    uint64_t by_kind[TRACE_KIND_ROOM]; /* likewise */
};

enum { TRACE_WORD_CODE_BITS = 3, TRACE_WORD_SIZES = 1 << 29, TRACE_WORDS_MOST = 2 };

/* All but touched_pages. */
static inline struct trace_event trace_block_at(const struct trace_block *block, size_t i)
{
    return (struct trace_event){
        .kind = block->kind[i],
        .flags = block->flags[i],
        .align_log2 = block->align_log2[i],
        .thread = block->thread[i],
        .object = block->object[i],
        .site = block->site ? block->site[i] : 0,
        .size = block->size[i],
        .time_ns = block->time_ns ? block->time_ns[i] : 0,
    };
}

/* What was touched of event `i`, a block's events being asked about in order; `*cursor` is 0 at the
 * block's beginning. */
static inline uint32_t trace_block_touched(const struct trace_block *block, size_t i,
                                           size_t *cursor)
{
    const struct trace_touched *next = block->touched + *cursor;
    if (*cursor == block->touched_count || next->event != block->first + i)
        return 0;
    ++*cursor;
    return next->pages;
}

#endif
