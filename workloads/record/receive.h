/* The spool for a process that may not open it, as it has become another user, or cannot, as it
 * does not see the recorder: one in a container. */
#ifndef WORKLOADS_RECORD_RECEIVE_H
#define WORKLOADS_RECORD_RECEIVE_H

#include <sys/types.h>

/* Asks the recorder for the file whose environment text is `where`. A descriptor, or negative.
 * `pid` is this process as the recorder sees it; NULL: that is known. */
int receive_spool(const char *where, pid_t *pid);

#endif
