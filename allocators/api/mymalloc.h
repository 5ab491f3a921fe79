/* mymalloc: buddy allocation inside pages, four pages mapped at a time.
 *
 * A chunk has 8 bytes of header and a payload of 4088, 2040, 1016, 504, 248, 120, 56 or 24 bytes,
 * the smallest that fits; larger requests get whole pages of their own. Payloads are 16-byte
 * aligned. A live chunk's size is negative, a free one is linked into the bin of its size; free
 * buddies join, up to a page. Mappings that are empty go back to the system, but for some that the
 * next requests find: of a heap that is nearly empty about 1 MiB, else up to 8 MiB and a quarter of
 * what is in use. One heap a process, one thread. Link with libheapbench.a. */
#ifndef MYMALLOC_H
#define MYMALLOC_H

#include <unistd.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Begins an empty heap. While there is one nothing changes but one line on stderr. */
void mymalloc_init(void);

/* Returns everything to the system, live blocks or not; mymalloc_init may follow. */
void mymalloc_destroy(void);

/* `size` bytes, or NULL: size is not positive, there is no memory, or no mymalloc_init. */
void *mymalloc(int size);

/* Frees a block. Any pointer that is no live block (NULL, interior, foreign, freed already) changes
 * nothing and is named in one line on stderr; so is a block whose end, or whose header, was written
 * over: it is not used again. */
void myfree(void *ptr);

#ifdef __cplusplus
}
#endif

#endif
