/* A child process of which the parent learns whether its exec succeeded. */
#ifndef HARNESS_START_H
#define HARNESS_START_H

#include <sys/types.h>

/* Forks. The child calls `become`, which ends in exec and returns only if that failed, with the
 * errno. Returns 0 once the child is another program, else the errno of fork or exec (the child is
 * reaped then). */
int start_child(int (*become)(void *arg), void *arg, pid_t *child);

#endif
