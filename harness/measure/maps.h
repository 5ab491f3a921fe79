/* What a process has mapped, from the text of /proc/PID/maps, and how much of it a heap holds.
 * Nothing here allocates: the worker reads its own while an allocator is under test. */
#ifndef HARNESS_MEASURE_MAPS_H
#define HARNESS_MEASURE_MAPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct mapping {
    uint64_t start, end;
    char rights[5];   /* "rw-p" */
    uint64_t inode;   /* 0: anonymous */
    const char *name; /* "[heap]", a path, or ""; not terminated: name_length bytes */
    size_t name_length;
};

/* One line of `length` bytes, its newline left out. False when it is no line of maps. */
bool mapping_parse(struct mapping *mapping, const char *line, size_t length);

/* Whether the name begins with `prefix`. */
bool mapping_is_named(const struct mapping *mapping, const char *prefix);

/* Private, writable, of no file, and not the main stack: what an allocator's memory looks like. */
bool mapping_is_heap(const struct mapping *mapping);

/* A shared heap's object: shared, writable, under /dev/shm. */
bool mapping_is_shared_heap(const struct mapping *mapping);

/* Non-zero stops. */
typedef int mapping_visitor(void *arg, const struct mapping *mapping);

/* Reads a file like /proc/self/maps from its beginning. 0 all seen, 1 stopped, -errno. */
int maps_read(const char *path, mapping_visitor *visit, void *arg);

/* Address intervals, in order and disjoint: what was mapped before the allocator did anything. */
enum { INTERVALS_MAX = 128 };
struct intervals {
    size_t count;
    struct {
        uint64_t start, end;
    } at[INTERVALS_MAX];
};

/* Later than all before (maps are in order); beyond the room for them, the last one is stretched,
 * which can only make a heap look smaller by what lay between. */
void intervals_add(struct intervals *intervals, uint64_t start, uint64_t end);

/* Bytes of [start, end) that lie in no interval. */
uint64_t intervals_outside(const struct intervals *intervals, uint64_t start, uint64_t end);

/* Makes resident what this process has mapped of files to read or to execute: code and constants,
 * so that a page of them that is first used in a replay is neither a fault nor a byte of the
 * heap's. */
void maps_touch_files(void);

/* The heap-like mappings of this process now. */
int maps_baseline(struct intervals *baseline);

/* H: bytes of heap-like mappings that the baseline does not cover, and of shared heaps. */
int maps_held(const struct intervals *baseline, uint64_t *held);

#endif
