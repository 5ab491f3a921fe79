/* Programs that the children of a recorded program become, awaited until the recorder is heard of
 * in them: it is in none that is linked statically, has other rights, or cannot reach the spool.
 *
 * Async-signal-safe and without allocation, as carry.h. */
#ifndef WORKLOADS_RECORD_AWAIT_H
#define WORKLOADS_RECORD_AWAIT_H

#include <stdint.h>
#include <sys/types.h>

/* The process `pid`, as it sees itself, is about to become that. */
void await_program(pid_t pid, const char *name);

/* A process that was started as that, when `images` of them were begun: it may be heard of by now.
 */
void await_spawned(pid_t pid, const char *name, uint32_t images);

/* It is heard of, or is to stay what it is. */
void await_over(pid_t pid);

#endif
