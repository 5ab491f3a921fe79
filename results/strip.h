/* A row of shares as short text: one letter a share, an equal stretch as its length and the letter.
 *
 * 'A' is nothing, 'z' all, and B … y are the fiftieths between them; '-' is not known. "3A2y" is
 * three times nothing and twice almost all; in Python re.findall("([0-9]*)([A-Za-z-])", text). */
#ifndef RESULTS_STRIP_H
#define RESULTS_STRIP_H

#include <stddef.h>
#include <stdio.h>

struct strip {
    FILE *out;
    char letter; /* of the stretch under way */
    unsigned long length;
};

/* Shares below 0 and above 1 count as those; NaN is not known. */
void strip_add(struct strip *strip, double share);
void strip_end(struct strip *strip);

/* Reads at most `room` shares; what follows damage is left out. Returns how many. The share of a
 * letter is the middle of what it stands for. */
size_t strip_read(const char *text, float *shares, size_t room);

#endif
