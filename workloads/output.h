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
    char *path; /* owned */
    char *part; /* owned; NULL for what cannot be renamed: standard output, a device, a pipe */
    struct unfinished *unfinished; /* owned; NULL where nothing removes the part file */
    uint64_t written;
};

/* "-" is standard output. Until it is finished or abandoned, a signal that ends the program removes
 * the part file; threads that are there already must hold such signals back. */
int output_open(struct output *output, const char *path, struct err *err);

/* All of it, or the sentence names the file, what it was written up to and why. */
int output_write(struct output *output, const void *data, size_t length, struct err *err);

/* Syncs, closes and renames; on failure the part file is removed. */
int output_finish(struct output *output, struct err *err);

/* Closes and removes the part file. */
void output_abandon(struct output *output);

#endif
