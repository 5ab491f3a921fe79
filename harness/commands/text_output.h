/* What a command tells: on standard output, or into a file that has its name only when it is whole.
 */
#ifndef HARNESS_COMMANDS_TEXT_OUTPUT_H
#define HARNESS_COMMANDS_TEXT_OUTPUT_H

#include <stdio.h>

#include "workloads/output.h"

/* Stays where it is while it is open. */
struct text_output {
    FILE *file;
    struct output output; /* where it is no standard output */
    struct err err;       /* of the first write that failed */
};

/* `path` NULL or "-": standard output, whose failure is told where all commands' are. */
int text_output_open(struct text_output *text, const char *path, struct err *err);

/* Finishes the file, or tells why it could not be written. */
int text_output_close(struct text_output *text, struct err *err);

/* Leaves what was there before as it is. */
void text_output_abandon(struct text_output *text);

#endif
