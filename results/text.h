/* Text from outside (specs, names, paths, sentences), made safe for where it goes. */
#ifndef RESULTS_TEXT_H
#define RESULTS_TEXT_H

#include <stddef.h>
#include <stdio.h>

/* Copies `text` into out[length] as valid UTF-8: bytes that are not become \xNN, and the copy is
 * cut between characters. Returns `out`. */
const char *text_repair(char *out, size_t length, const char *text);

/* Columns that `text` (UTF-8) takes on a terminal, every character counted as one. */
size_t text_columns(const char *text);

/* Writes `text` with everything that HTML treats specially replaced, and control characters as
 * U+FFFD. Fit for element content and quoted attributes. */
void text_html(FILE *out, const char *text);

/* Writes `text` so that Markdown shows it as it is, on one line, also inside a table. */
void text_markdown(FILE *out, const char *text);

/* Writes `text` as one CSV field (RFC 4180): quoted where it has to be. */
void text_csv(FILE *out, const char *text);

/* Writes `text` on one line for a terminal: control characters (line ends, escape sequences) as
 * '?'. */
void text_plain(FILE *out, const char *text);

#endif
