/* The environment a result was measured in: it is part of the result. */
#ifndef HARNESS_MACHINE_H
#define HARNESS_MACHINE_H

#include <jansson.h>

/* A new object: cpu, cores, memory, kernel, libc, transparent huge pages, frequency governor, load,
 * clock, variables that steer allocators, compiler and flags. What cannot be read is null. */
json_t *machine_json(void);

#endif
