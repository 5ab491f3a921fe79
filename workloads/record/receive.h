/* The spool for a process that may not open it: one that has become another user. */
#ifndef WORKLOADS_RECORD_RECEIVE_H
#define WORKLOADS_RECORD_RECEIVE_H

/* Asks the recorder for the file whose environment text is `where`. A descriptor, or negative. */
int receive_spool(const char *where);

#endif
