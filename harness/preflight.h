/* What on this machine makes figures doubtful, and what to do about it. */
#ifndef HARNESS_PREFLIGHT_H
#define HARNESS_PREFLIGHT_H

#include <jansson.h>
#include <stddef.h>
#include <stdio.h>

enum { PREFLIGHT_MOST = 24 };

struct doubt {
    const char *name;   /* short: "load" */
    char what[200];     /* what was seen and what it does, in a sentence without its full stop */
    const char *remedy; /* the same */
};

struct preflight {
    size_t count;
    struct doubt doubts[PREFLIGHT_MOST];
};

/* Adds what the files of the kernel say, read under `root` ("" for those of this machine). What
 * cannot be read is no doubt. */
void preflight_machine(struct preflight *preflight, const char *root);

/* That of this machine, what this process may not do, and how it was built. */
void preflight_look(struct preflight *preflight);

/* One line for before a run: the names, and how to learn more. Nothing where there is no doubt. */
void preflight_warn(FILE *out, const struct preflight *preflight);

/* Each with its remedy. */
void preflight_print(FILE *out, const struct preflight *preflight);

/* A new array of {name, what, remedy}. */
json_t *preflight_json(const struct preflight *preflight);

#endif
