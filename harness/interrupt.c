/* Ctrl-C. */
#include "harness/interrupt.h"

#include <signal.h>
#include <stddef.h>

/* The one writable global of the program: a signal handler has no other way to tell. */
static volatile int interrupted;

static void interrupt_note(int number)
{
    (void)number;
    interrupted = 1;
}

const volatile int *interrupt_catch(void)
{
    struct sigaction action = {.sa_handler = interrupt_note};
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGHUP, &action, NULL);
    return &interrupted;
}
