/* Names for code addresses of a recorded program, from the symbol tables of its files. */
#ifndef WORKLOADS_SYMBOLS_H
#define WORKLOADS_SYMBOLS_H

#include <stddef.h>
#include <stdint.h>

struct symbols;

/* NULL when memory ran out. */
struct symbols *symbols_create(void);
void symbols_destroy(struct symbols *symbols);

/* The file `path` is mapped at start … end, its addresses shifted by `bias`; it takes the place of
 * what was there before. Its table is read when it is first needed. 0 or -ENOMEM. */
int symbols_add(struct symbols *symbols, uint64_t start, uint64_t end, uint64_t bias,
                const char *path);

/* "function+0x1f [file]", "[file]+0x1234" without a symbol, "0x…" for code of no file. Functions
 * are as the linker names them; files without their folders. */
void symbols_describe(struct symbols *symbols, uint64_t address, char *text, size_t length);

#endif
