/* A row of shares as short text. */
#include "results/strip.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>

enum { STRIP_BETWEEN = 50, STRIP_ALL = STRIP_BETWEEN + 1, STRIP_UNKNOWN = '-' };

static char strip_letter(double share)
{
    int level = isnan(share) ? -1
                : share <= 0 ? 0
                : share >= 1 ? STRIP_ALL
                             : 1 + (int)(share * STRIP_BETWEEN);
    return (char)(level < 0 ? STRIP_UNKNOWN : level < 26 ? 'A' + level : 'a' + level - 26);
}

static double strip_share(char letter)
{
    int level = isupper(letter) ? letter - 'A' : letter - 'a' + 26;
    return letter == STRIP_UNKNOWN ? NAN
           : level == 0            ? 0
           : level == STRIP_ALL    ? 1
                                   : (level - 0.5) / STRIP_BETWEEN;
}

void strip_end(struct strip *strip)
{
    if (strip->length > 2)
        fprintf(strip->out, "%lu", strip->length);
    else if (strip->length == 2)
        fputc(strip->letter, strip->out);
    if (strip->length)
        fputc(strip->letter, strip->out);
    strip->length = 0;
}

void strip_add(struct strip *strip, double share)
{
    char letter = strip_letter(share);
    if (letter != strip->letter)
        strip_end(strip);
    strip->letter = letter;
    strip->length++;
}

size_t strip_read(const char *text, float *shares, size_t room)
{
    size_t count = 0;
    while (*text && count < room) {
        char *after = (char *)(size_t)text;
        unsigned long length = isdigit((unsigned char)*text) ? strtoul(text, &after, 10) : 1;
        if (!isascii(*after) || (!isalpha((unsigned char)*after) && *after != STRIP_UNKNOWN))
            break;
        for (; length > 0 && count < room; length--)
            shares[count++] = (float)strip_share(*after);
        text = after + 1;
    }
    return count;
}
