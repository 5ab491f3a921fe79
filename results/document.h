/* results/README.md: what a run folder holds, from the same lists as the code. */
#ifndef RESULTS_DOCUMENT_H
#define RESULTS_DOCUMENT_H

#include <stdio.h>

void document_write(FILE *out);

#endif
