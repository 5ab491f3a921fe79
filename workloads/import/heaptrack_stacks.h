/* Call stacks of a heaptrack file: nodes that name an address and the node of their caller. */
#ifndef WORKLOADS_HEAPTRACK_STACKS_H
#define WORKLOADS_HEAPTRACK_STACKS_H

#include "workloads/import/importer.h"
#include "workloads/names.h"
#include "workloads/symbols.h"
#include "workloads/table.h"

enum { HEAPTRACK_CALLERS = 16 }; /* of a stack, the innermost, that are brought over */

/* A zeroed struct with `writer` and `version` set is an empty one. */
struct heaptrack_stacks {
    struct trace_writer *writer; /* borrowed */
    uint64_t version;        /* of the format: strings have their length before them from 3 on */
    struct names strings;    /* interpreted: functions and files; raw: the program's path */
    struct symbols *symbols; /* raw: where the files were mapped */
    struct array places;     /* interpreted: struct heaptrack_place */
    struct array nodes;      /* struct heaptrack_node */
    uint32_t place_count, node_count;
    struct table frames; /* a frame's number in `frame_texts` + 1, by its place */
    struct names frame_texts;
    struct table sites; /* the trace's number, by a hash of the frames that are kept */
    bool no_memory;
};

/* A line of kind x, m, s, i or t, its kind having been read. */
enum import_verdict heaptrack_stacks_take(struct heaptrack_stacks *stacks, char kind,
                                          struct scan line);

/* The trace's number for the stack of node `node` (from 1), 0 where there is none. */
uint32_t heaptrack_stacks_site(struct heaptrack_stacks *stacks, uint64_t node);

void heaptrack_stacks_release(struct heaptrack_stacks *stacks);

#endif
