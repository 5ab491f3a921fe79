/* Call stacks, each told to the drain once and then named by a number. */
#ifndef WORKLOADS_RECORD_STACKS_H
#define WORKLOADS_RECORD_STACKS_H

#include <stdbool.h>
#include <stdint.h>

enum { STACKS_DEPTH_MOST = 64 };

/* The table, in memory that fork wipes. Once a process image. */
bool stacks_begin(void);

/* What a thread remembers is a new thread's from here on: it has another stack, and where the old
 * one was there may be nothing. NULL: there is nothing yet. */
struct stacks_thread;
void stacks_renew(struct stacks_thread *thread);

/* The number of the stack of the hook whose frame pointer is `frame`; 0: unknown. */
uint32_t stacks_site(const void *frame);

#endif
