/* One process of the shared heap's runners: carries out commands on the heap and prints what the
 * exercises' text shows. */
#ifndef ALLOCATORS_PROGRAMS_PLAYER_H
#define ALLOCATORS_PROGRAMS_PLAYER_H

#include <semaphore.h>
#include <stdbool.h>
#include <stddef.h>

#include "shmheap.h"

enum command_kind {
    COMMAND_CONNECT,
    COMMAND_DISCONNECT,
    COMMAND_READ,
    COMMAND_ALLOC,
    COMMAND_FREE
};

struct command {
    enum command_kind kind;
    unsigned line; /* of the input, for complaints */
    size_t player; /* which process */
    size_t object; /* which id */
    size_t count;  /* COMMAND_ALLOC: numbers */
    size_t first;  /* COMMAND_ALLOC: the first of them */
};

struct object {
    bool live;
    shmheap_object_handle handle;
    size_t count;
};

/* What all processes of a runner share, besides the heap. */
struct board {
    const char *program;
    char name[64]; /* of the heap */
    sem_t output;  /* held while a line is printed: lines of any length stay whole */
    bool finished; /* the runner removes the name itself */
    size_t objects;
    struct object object[];
};

/* Reads commands from one pipe and answers each by a byte (0 done, 1 failed, the sentence is
 * written) until the pipe ends; removes the heap's name if the runner did not finish.
 * Does not return. */
void player_run(struct board *board, size_t number, int commands, int answers)
    __attribute__((noreturn));

#endif
