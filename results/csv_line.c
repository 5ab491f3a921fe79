/* Lines of our own CSV files. */
#include "results/csv_line.h"

#include <string.h>

bool csv_line_read(FILE *file, struct csv_line *line)
{
    char text[CSV_CELLS * CSV_CELL];
    if (!fgets(text, sizeof text, file))
        return false;
    line->count = 0;
    for (const char *at = text; line->count < CSV_CELLS;) {
        size_t length = strcspn(at, ",\r\n");
        snprintf(line->cells[line->count++], CSV_CELL, "%.*s", (int)length, at);
        if (at[length] != ',')
            break;
        at += length + 1;
    }
    return true;
}

size_t csv_line_find(const struct csv_line *head, const char *name)
{
    size_t column = 0;
    while (column < head->count && strcmp(head->cells[column], name) != 0)
        column++;
    return column;
}
