/* Calls of a program with a pointer at which no live block begins: they do nothing, and the program
 * goes on. It is told of the first ones, one line on stderr each, and of their number when it ends.
 *
 * No allocation; what is told is written out by the caller's own hand, with no lock held. */
#ifndef ALLOCATORS_PRELOAD_MISUSE_H
#define ALLOCATORS_PRELOAD_MISUSE_H

#include "allocators/allocator.h"

enum { MISUSE_TOLD = 8, MISUSE_TEXT = 224 };

struct misuse {
    uint64_t calls;
};

/* Counts a call, and puts what is wrong with `pointer` into words; false, and no words, when enough
 * of them were told. The heap is quiet. */
bool misuse_note(struct misuse *misuse, struct heap *heap, const char *call, const void *pointer,
                 char text[MISUSE_TEXT]);

/* The sentence for the end of a program; false: there is nothing to tell. */
bool misuse_sum(const struct misuse *misuse, char text[MISUSE_TEXT]);

#endif
