/* Ctrl-C: a flag that those look at who have something to finish first. */
#ifndef HARNESS_INTERRUPT_H
#define HARNESS_INTERRUPT_H

/* From now on SIGINT, SIGTERM and SIGHUP make what is returned true instead of ending the program.
 */
const volatile int *interrupt_catch(void);

#endif
