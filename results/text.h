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

/* Writes `text` as one word of a shell's, so that a command that holds it can be copied: as it is
 * where it is plain, else in quotes, control characters too as 'bash' reads them. */
void text_shell(FILE *out, const char *text);

void text_spaces(FILE *out, size_t count);

/* Writes words up to the width, further lines indented, and ends the line. The line stands at
 * column `at` already. */
void text_wrap(FILE *out, const char *text, size_t at, size_t indent, size_t width);

/* Columns of the terminal that `out` is, else TEXT_WIDTH. */
enum { TEXT_WIDTH = 100 };
size_t text_width(FILE *out);

#endif
