/* A program of another C library than glibc (musl) loads the recorder all the same, and refuses to
 * run where that asks for what it has not: so this is asked for weakly. Nothing is recorded there.
 */
#ifndef WORKLOADS_RECORD_FOREIGN_H
#define WORKLOADS_RECORD_FOREIGN_H

#include <dlfcn.h>
#include <gnu/libc-version.h>
#include <stdbool.h>
#include <sys/single_threaded.h>

extern void *__libc_stack_end; /* the loader's: where the main thread's stack begins */

/* What pthread_atfork is made of. */
int __register_atfork(void (*before)(void), void (*parent)(void), void (*child)(void), void *owner);

#pragma weak gnu_get_libc_version
#pragma weak __libc_single_threaded
#pragma weak __libc_stack_end
#pragma weak __register_atfork
#pragma weak _dl_find_object
#pragma weak dladdr1

static inline bool foreign(void)
{
    return !gnu_get_libc_version;
}

#endif
