/* What a call writes to stdout or stderr, and how many mappings the process has. */
#ifndef TESTS_ALLOCATORS_CAPTURE_H
#define TESTS_ALLOCATORS_CAPTURE_H

#include <stddef.h>

/* From here on what goes to `descriptor` (1 or 2) is caught. One capture at a time. */
void capture_begin(int descriptor);

/* Ends it; the text, terminated, valid until the next capture. */
const char *capture_end(void);

/* Ends it; the lines that were written. */
size_t capture_end_lines(void);

/* Lines of /proc/self/maps, and their bytes. */
size_t mappings_count(void);
size_t mappings_bytes(void);

/* Those of files and objects whose names hold "heapbench-test". */
size_t mappings_of_tests(void);

#endif
