/* A file that has its name only when it is whole: written as PATH.part, synced and renamed. */
#ifndef WORKLOADS_OUTPUT_H
#define WORKLOADS_OUTPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "harness/base/err.h"
#include "workloads/unfinished.h"

struct output {
    int fd;
    char *path;    /* owned */
    char *part;    /* owned; NULL for what cannot be renamed: standard output, a device, a pipe */
    bool replaces; /* PATH was there before */
    bool in_haste; /* to be finished without waiting for the disk: output_sync does so later */
    struct unfinished *unfinished; /* owned; NULL where nothing removes the part file */
    uint64_t written;
};

/* Whether PATH is there, or being written: what is made of its name must have another one. */
bool output_is_taken(const char *path);

/* The first of STEM.trace, STEM-2.trace, … that is not taken: the caller's. NULL where all are, or
 * there is no memory left. */
char *output_free_path(const char *stem);

/* "-" is standard output. A part file that is there is another program's, which holds a lock on it,
 * or what was left of one that was killed: it is kept, nothing is opened, and the sentence says
 * which it is. Until the output is finished or abandoned, a
 * signal that ends the program removes the part file; threads that are there already must hold such
 * signals back. */
int output_open(struct output *output, const char *path, struct err *err);

/* All of it, or the sentence names the file, what it was written up to and why. */
int output_write(struct output *output, const void *data, size_t length, struct err *err);

/* Syncs, closes and renames; on failure the part file is removed, unless there is now a PATH that
 * was not there before: then both are kept. */
int output_finish(struct output *output, struct err *err);

/* Waits until a file that was finished in haste is on the disk; one that was moved is left alone,
 * as is a device.
 */
int output_sync(const char *path, struct err *err);

/* Closes and removes the part file. */
void output_abandon(struct output *output);

#endif
