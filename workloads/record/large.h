/* Large live blocks of the recorded program, and how much of each it touches.
 *
 * Asked of the kernel (mincore) when a block ends. So that what is resident then is what the
 * program touched since the block began, pages that were resident from a block before are discarded
 * when one begins: their contents mean nothing, or are zero. A program that begins and ends very
 * many large blocks is not looked at so closely, so that at most a twentieth of its processor time
 * goes into this: then what was resident before counts as touched, or nothing is told of a block of
 * a short life.
 *
 * Lies in memory that fork wipes: a child's trace does not hold what the child inherited. */
#ifndef WORKLOADS_RECORD_LARGE_H
#define WORKLOADS_RECORD_LARGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { LARGE_MARKS = 4096 };

/* By where a block begins, to the least size of large ones: how many large blocks begin there. */
extern _Atomic uint16_t large_marks[LARGE_MARKS];

/* The process begins to be recorded, after fork anew. */
void large_open(void);

/* A block that was allocated, its first `kept` bytes holding something already, the rest nothing or
 * zeros. Keeps errno, as all of these do. */
void large_begin(void *pointer, size_t size, size_t kept);

/* The block is about to be freed or resized: tells how much of it was touched. The size it began
 * with, 0: it is not known. */
size_t large_end(const void *pointer);

/* The process is about to end or to become another program. */
void large_end_all(void);

#endif
