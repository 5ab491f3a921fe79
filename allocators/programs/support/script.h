/* The runner of the shared heap's exercises 2 to 4.
 *
 * Standard input: "P S B" (processes, bytes of the heap, object ids), then a line a command, or a
 * set of commands between bars:
 *   0 p      process p connects            3 p b s  p allocates object b of s numbers (8 bytes
 * each) 1 p      p disconnects                 4 p b    p frees object b 2 p b    p reads and
 * prints object b What is written into objects is one running count over the whole input. */
#ifndef ALLOCATORS_PROGRAMS_SCRIPT_H
#define ALLOCATORS_PROGRAMS_SCRIPT_H

#include <stdbool.h>

/* Runs the input; the program's exit status. `sets`: bars are allowed. */
int script_run(const char *program, bool sets);

#endif
