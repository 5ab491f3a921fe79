/* A file that is not finished goes when a signal ends the program: Ctrl-C, SIGTERM or SIGHUP.
 *
 * A thread of its own waits for these signals meanwhile, so that nothing has to be done in a
 * handler, and reading from a pipe that says nothing is ended, too. Signals that somebody else
 * looks after, by a handler or by holding them back, or that are ignored, are left alone. */
#ifndef WORKLOADS_UNFINISHED_H
#define WORKLOADS_UNFINISHED_H

struct unfinished;

/* Holds such signals back until the file at `path` (copied) is there to be watched or it is known
 * that it will not be: one that comes meanwhile does its work then. Threads must be created after
 * this. NULL where there is nothing to wait for. */
struct unfinished *unfinished_hold(const char *path);

/* From now on such a signal removes the file and then ends the program as it would have anyway.
 * NULL is nothing. */
void unfinished_watch(struct unfinished *unfinished);

/* The file is whole or gone, or was never there: signals do what they did before. NULL is nothing.
 */
void unfinished_release(struct unfinished *unfinished);

#endif
