/* gnuplot's SVG, fit to stand with others in one HTML file. */
#include "plots/svg.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

/* Length of what introduces an id at `text`, 0 if nothing does. */
static size_t svg_introduces_id(const char *text)
{
    static const char *const before[] = {" id=\"", " id='", "url(#", "href=\"#", "href='#"};
    for (size_t i = 0; i < sizeof before / sizeof *before; i++)
        if (strncmp(text, before[i], strlen(before[i])) == 0)
            return strlen(before[i]);
    return 0;
}

void svg_inline(FILE *out, const char *svg, const char *prefix)
{
    const char *at = strstr(svg, "<svg");
    bool in_tag = false;
    while (at && *at) {
        /* Text is left alone: gnuplot writes a '<' in it as &lt;. */
        in_tag = *at == '<' || (in_tag && *at != '>');
        size_t length = in_tag ? svg_introduces_id(at) : 0;
        if (length) {
            fprintf(out, "%.*s%s", (int)length, at, prefix);
            at += length;
        } else
            fputc(*at++, out);
    }
}
