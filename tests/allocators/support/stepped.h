/* Processes that are led through a call instruction by instruction. */
#ifndef TESTS_ALLOCATORS_STEPPED_H
#define TESTS_ALLOCATORS_STEPPED_H

#include <stdbool.h>
#include <sys/types.h>

/* Whether processes may be traced here. */
bool stepped_is_allowed(void);

/* A child that stands before `call`; it stops after it, too. */
pid_t stepped_start(void (*call)(const void *), const void *argument);

/* One instruction. False when the call is over. */
bool stepped_step(pid_t child);

/* The same for an instruction that may put the child to sleep. */
enum stepped { STEPPED_ON, STEPPED_ASLEEP, STEPPED_OVER };
enum stepped stepped_step_or_sleep(pid_t child);

/* After STEPPED_ASLEEP: whether the child was woken since, and stands after the instruction. */
bool stepped_is_awake(pid_t child);

/* What the kernel will find of the locks that the child holds, takes or releases. */
struct stepped_locks {
    long list, pending;
};
struct stepped_locks stepped_locks(pid_t child);

void stepped_kill(pid_t child);

/* Whether a process, traced or not, sleeps. */
bool stepped_sleeps(pid_t process);

#endif
