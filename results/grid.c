/* A table of texts in aligned columns. */
#include "results/grid.h"

#include "results/text.h"

static size_t grid_width(char (*cells)[GRID_TEXT], size_t rows, size_t columns, size_t column)
{
    size_t width = 0;
    for (size_t row = 0; row < rows; row++) {
        size_t here = text_columns(cells[row * columns + column]);
        width = here > width ? here : width;
    }
    return width;
}

static void grid_cell(FILE *out, const char *text, size_t width, int to_the_left)
{
    size_t blanks = width - text_columns(text);
    text_spaces(out, to_the_left ? 0 : blanks);
    text_plain(out, text);
    text_spaces(out, to_the_left ? blanks : 0);
}

void grid_print(FILE *out, char (*cells)[GRID_TEXT], size_t rows, size_t columns)
{
    for (size_t row = 0; row < rows; row++) {
        for (size_t column = 0; column < columns; column++) {
            fputs("  ", out);
            grid_cell(out, cells[row * columns + column], grid_width(cells, rows, columns, column),
                      column == 0);
        }
        fputc('\n', out);
    }
}
