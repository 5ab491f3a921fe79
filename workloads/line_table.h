/* Source lines of code addresses, from the .debug_line section of a file that was compiled with -g
 * (DWARF 2 to 5, chapter 6.2). */
#ifndef WORKLOADS_LINE_TABLE_H
#define WORKLOADS_LINE_TABLE_H

#include <stddef.h>
#include <stdint.h>

/* A section as it lies in the file; NULL and 0 where there is none. */
struct line_section {
    const uint8_t *at;
    size_t bytes;
};

struct line_sections {
    struct line_section line;     /* .debug_line */
    struct line_section line_str; /* .debug_line_str */
    struct line_section str;      /* .debug_str */
};

struct line_table;

/* Owned by the caller; the sections are borrowed for as long as it lives. They may hold anything:
 * what cannot be understood is left out. NULL where nothing is known, or memory ran out. */
struct line_table *line_table_read(const struct line_sections *sections);
void line_table_destroy(struct line_table *table);

/* The file, without its folder, that the code at `address` was compiled from, and the line; NULL
 * where it is not known. */
const char *line_table_find(const struct line_table *table, uint64_t address, uint32_t *line);

#endif
