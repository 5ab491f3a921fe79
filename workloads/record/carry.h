/* The recorder goes on into the program that this one becomes, also where that gets an environment
 * of its own (env -i, clearenv): what the loader and the recorder need is put back into it.
 *
 * Async-signal-safe and without allocation: the caller may be a child of vfork, which is in its
 * parent's memory, or a signal handler. */
#ifndef WORKLOADS_RECORD_CARRY_H
#define WORKLOADS_RECORD_CARRY_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Remembers what is needed, from this process's own environment. Once, when the spool is found. */
void carry_open(const char *where);

/* That text. */
const char *carry_where(void);

/* Bytes that carry_fill needs to put it into `variables` (may be NULL). 0: they are as they should
 * be, the program is none that is recorded, or is another recorder's, or they are too many for a
 * caller's stack. */
size_t carry_bytes(char *const variables[]);

/* The variables with what is needed, in `memory` of so many bytes. */
char *const *carry_fill(void *memory, char *const variables[]);

/* Notes what the process is about to become, so that it can be told where that has no recorder;
 * carry_stays takes it back, when it did not. errno is kept. */
void carry_becomes(const char *path, char *const argv[], char *const variables[]);
void carry_stays(void);

/* Likewise a process that was started, when `images` were begun. */
void carry_spawned(pid_t pid, const char *file, uint32_t images, char *const variables[]);
uint32_t carry_images(void);

#endif
