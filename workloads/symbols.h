/* Names for code addresses of a recorded program, from the symbol tables of its files. */
#ifndef WORKLOADS_SYMBOLS_H
#define WORKLOADS_SYMBOLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct symbols;

/* NULL when memory ran out. */
struct symbols *symbols_create(void);
void symbols_destroy(struct symbols *symbols);

/* The file `path` is mapped at start … end, its addresses shifted by `bias`; it takes the place of
 * what was there before. Its table is read when it is first needed, unless the file here is not
 * `known` to be that one. 0 or -ENOMEM. */
int symbols_add(struct symbols *symbols, uint64_t start, uint64_t end, uint64_t bias,
                const char *path, bool known);

/* A stretch of a file that is loaded, as its program headers have it. */
struct symbols_segment {
    uint64_t address, size;
};

/* Whether the file at `path` has these segments, in this order: else it is another one. */
bool symbols_is_file(const char *path, const struct symbols_segment *segments, size_t count);

/* "function+0x1f [file]", "[file]+0x1234" without a symbol, "0x…" for code of no file; and behind
 * it " (source.c:123)" where the file was compiled with -g. Functions of C++ are as a person writes
 * them (demangle.h), others as the linker names them; files are without their folders. */
void symbols_describe(struct symbols *symbols, uint64_t address, char *text, size_t length);

enum { SYMBOLS_FRAME = 300 }; /* bytes of text that a frame has at most */

/* The frames of a stack, a line each, as many as there is room for. */
void symbols_describe_stack(struct symbols *symbols, const uint64_t *addresses, size_t count,
                            char *text, size_t length);

#endif
