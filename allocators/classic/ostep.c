/* The classic OSTEP memory manager: headers and the free list in the region, and a map beside it.
 *
 * The map has a bit a byte of the region: a live block begins here. A magic number alone would take
 * a forged header, or a `next` that happens to equal it, for a live block. */
#include "allocators/api/mem.h"

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "allocators/classic/export.h"

enum { MAGIC = 1234567 };

struct header {
    int size;            /* of what follows it */
    uint32_t magic_next; /* MAGIC, or the offset of the next free header */
};

static struct {
    char *base;    /* NULL: no Mem_Init yet */
    uint32_t size; /* of the region */
    uint32_t head; /* offset of the first free header, as in a header; 0: none */
    uint32_t free; /* blocks in the list: a program that writes over headers may close a ring */
    uint8_t *live; /* a bit a byte: a live block's header begins there */
} mem;

/* Blocks begin at any byte, so headers are copied in and out. */
static struct header mem_read(uint32_t offset)
{
    struct header header;
    memcpy(&header, mem.base + offset, sizeof header);
    return header;
}

static void mem_write(uint32_t offset, int size, uint32_t magic_next)
{
    struct header header = {size, magic_next};
    memcpy(mem.base + offset, &header, sizeof header);
}

/* A link is never 0 but at the end of the list: the region's first byte is `size`. */
static uint32_t mem_link(uint32_t offset)
{
    return offset ? offset : mem.size;
}
static uint32_t mem_follow(uint32_t link)
{
    return link == mem.size ? 0 : link;
}

static bool mem_is_live(uint32_t offset)
{
    return mem.live[offset / 8] >> offset % 8 & 1;
}

/* The link itself, if what it leads to can be a free block; 0, the end of the list, if a program
 * has written over a header. */
static uint32_t mem_sane(uint32_t link)
{
    uint32_t offset = mem_follow(link);
    if (link == 0 || offset >= mem.size - sizeof(struct header) || mem_is_live(offset))
        return 0;
    int size = mem_read(offset).size;
    return size > 0 && (uint32_t)size <= mem.size - sizeof(struct header) - offset ? link : 0;
}

static void mem_mark(uint32_t offset, bool live)
{
    uint8_t bit = (uint8_t)(1u << offset % 8);
    mem.live[offset / 8] =
        (uint8_t)(live ? mem.live[offset / 8] | bit : mem.live[offset / 8] & ~bit);
}

/* The link that points to a free block is the head or in the block before it. */
static void mem_set_link(uint32_t before, uint32_t link)
{
    if (before == UINT32_MAX)
        mem.head = link;
    else
        mem_write(before, mem_read(before).size, link);
}

EXPORT void *Mem_Init(int size)
{
    long page = sysconf(_SC_PAGESIZE);
    if (mem.base || size <= 0)
        return NULL;
    size_t bytes = ((size_t)size + (size_t)page - 1) / (size_t)page * (size_t)page;
    void *base = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (base == MAP_FAILED)
        return NULL;
    void *live = mmap(NULL, bytes / 8, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (live == MAP_FAILED) {
        munmap(base, bytes);
        return NULL;
    }
    mem.base = base;
    mem.live = live;
    mem.size = (uint32_t)bytes;
    mem.head = mem_link(0);
    mem.free = 1;
    mem_write(0, (int)(bytes - sizeof(struct header)), 0);
    return base;
}

/* The block at `offset` becomes live with `size` bytes; what is left takes its place in the list.
 */
static void mem_take(uint32_t before, uint32_t offset, int size)
{
    struct header header = mem_read(offset);
    int rest = header.size - size - (int)sizeof header;
    if (rest > 0) {
        uint32_t left = offset + (uint32_t)sizeof header + (uint32_t)size;
        mem_write(left, rest, header.magic_next);
        mem_set_link(before, mem_link(left));
    } else {
        mem_set_link(before, header.magic_next);
        mem.free--;
        size = header.size;
    }
    mem_write(offset, size, MAGIC);
    mem_mark(offset, true);
}

EXPORT void *Mem_Alloc(int size)
{
    if (!mem.base || size <= 0)
        return NULL;
    uint32_t before = UINT32_MAX, left = mem.free;
    for (uint32_t link = mem.head; left > 0 && (link = mem_sane(link)) != 0;
         link = mem_read(before).magic_next, left--) {
        uint32_t offset = mem_follow(link);
        if (mem_read(offset).size >= size) {
            mem_take(before, offset, size);
            return mem.base + offset + sizeof(struct header);
        }
        before = offset;
    }
    return NULL;
}

EXPORT int Mem_Free(void *ptr)
{
    if (!ptr)
        return 0;
    uintptr_t offset = (uintptr_t)ptr - (uintptr_t)mem.base - sizeof(struct header);
    if (!mem.base || offset >= mem.size || !mem_is_live((uint32_t)offset))
        return -1;
    struct header header = mem_read((uint32_t)offset);
    if (header.magic_next != MAGIC)
        return -1;
    mem_mark((uint32_t)offset, false);
    mem_write((uint32_t)offset, header.size, mem.head);
    mem.head = mem_link((uint32_t)offset);
    mem.free++;
    return 0;
}

EXPORT void Mem_Dump(void)
{
    uint32_t left = mem.free;
    printf("\nFree memory: \n");
    for (uint32_t link = mem.head; left > 0 && (link = mem_sane(link)) != 0; left--) {
        struct header header = mem_read(mem_follow(link));
        printf("address: %p\n\nsize: %d\n\n\n", (void *)(mem.base + mem_follow(link)), header.size);
        link = header.magic_next;
    }
}
