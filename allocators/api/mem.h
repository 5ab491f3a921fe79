/* OSTEP memory manager: one region, a free list of headers inside it.
 *
 * Each block begins with a header of 8 bytes: int size, and an int that is the magic number 1234567
 * in a live block and, in a free one, where the next free header is: its distance from the start of
 * the region, 0 after the last (a header at the very start counts as one region further on). The
 * first block of the list that is large enough is taken, what is left of it keeps its place in the
 * list if it can hold a header and a byte, and a freed block becomes the head. Sizes are taken as
 * they are, without alignment; free neighbours are not merged. One region a process, one thread.
 * Link with libheapbench.a or libmem.so. */
#ifndef MEM_H
#define MEM_H

#ifdef __cplusplus
extern "C" {
#endif

/* Maps a region of `size` bytes, rounded up to pages, and returns the head of the free list, which
 * is the address of the region's first header. NULL when size is not positive, when there is no
 * memory, or when there is a region already: there is one for the life of the process. */
void *Mem_Init(int size);

/* `size` bytes, or NULL: size is not positive, no free block is that large, or no Mem_Init. */
void *Mem_Alloc(int size);

/* 0 when the block is freed, or `ptr` is NULL; -1, and nothing is changed, when `ptr` is no live
 * block (interior, foreign, freed already). Never reads through a pointer it does not know. */
int Mem_Free(void *ptr);

/* Prints the free list from its head to stdout: the address of each header, and its size. */
void Mem_Dump(void);

#ifdef __cplusplus
}
#endif

#endif
