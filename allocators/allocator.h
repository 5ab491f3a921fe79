/* What an allocator is here: a constant table of hooks, and heaps that begin with a pointer to it.
 *
 * A backend is one file that defines one table (`const struct allocator allocator_first_fit`) and
 * one line in list.h. A hook that is NULL means "does not have it"; heap_*() below then does the
 * documented default. Nobody but heap_*() and the layers calls a hook.
 *
 * `ref` is what alloc returned: a pointer for most backends, a virtual address or a handle for
 * others, told apart from the memory only by resolve(). */
#ifndef ALLOCATORS_ALLOCATOR_H
#define ALLOCATORS_ALLOCATOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "harness/base/err.h"
#include "harness/base/options.h"

struct region;
struct allocator;

/* Every backend's heap begins with this. */
struct heap {
    const struct allocator *ops;
};

enum allocator_threads {
    THREADS_ONE,   /* callers serialise (the harness lays the `locked` layer over it) */
    THREADS_OWNER, /* the thread that created the heap allocates, anyone frees */
    THREADS_ANY,   /* any thread, any call */
};

enum allocator_scope {
    SCOPE_HEAP,    /* any number of heaps, each in a region of its own */
    SCOPE_PROCESS, /* one for the process, like malloc; create() is called once, with no region */
};

/* Only what no hook shows. */
enum allocator_flag {
    ALLOCATOR_NO_FREE = 1 << 0,        /* free() does nothing: memory only grows */
    ALLOCATOR_NOT_REAL = 1 << 1,       /* blocks overlap or cannot be written (null) */
    ALLOCATOR_WALK_TILES = 1 << 2,     /* the spans of walk() tile their areas exactly */
    ALLOCATOR_FORK_SAFE = 1 << 3,      /* a forked child may go on using its copy */
    ALLOCATOR_PROCESS_SHARED = 1 << 4, /* attach() works: several processes, one heap */
    ALLOCATOR_NOT_TIMED = 1 << 5,      /* a layer that makes timings meaningless */
    ALLOCATOR_REFUSES = 1 << 6,        /* a layer that lets allocations fail on purpose */
};

struct heap_config {
    struct region *region;            /* empty and private to this heap; NULL for SCOPE_PROCESS */
    const union option_value *values; /* one a row of the table's options, in order */
    const char *name;                 /* of a process-shared heap, else NULL */
};

/* What a backend says of itself; UINT64_MAX where it does not know. Never believed, only compared.
 */
struct heap_stats {
    uint64_t live_blocks;
    uint64_t live_bytes;     /* usable bytes of live blocks */
    uint64_t free_bytes;     /* in free blocks */
    uint64_t metadata_bytes; /* headers and tables, in band and out */
    uint64_t held_bytes;     /* taken from the region or the system */
};

enum span_kind {
    SPAN_AREA, /* a stretch that the following spans lie in */
    SPAN_USED, /* a live block: header and padding included if in band */
    SPAN_FREE, /* a free block */
    SPAN_META, /* bookkeeping */
};

struct span {
    enum span_kind kind;
    const char *start;
    size_t size;     /* bytes of address space taken */
    const char *ref; /* SPAN_USED: the block's address as resolve() gives it, else NULL */
    size_t usable;   /* SPAN_USED: what the block can hold, else 0 */
};

/* Non-zero stops the walk. */
typedef int heap_visitor(void *arg, const struct span *span);

struct allocator {
    const char *name;
    const char *summary; /* one line for `bench list` */
    size_t align;        /* every resolved pointer is a multiple; a power of two */
    enum allocator_threads threads;
    enum allocator_scope scope;
    unsigned flags;                   /* enum allocator_flag */
    const struct option_row *options; /* NULL: none */

    /* Required. create: 0 and *out owned by the caller, or -errno with a sentence and *out
     * untouched; its bookkeeping comes from the region, never from malloc. destroy: live blocks are
     * allowed; everything is released except the region. */
    int (*create)(const struct heap_config *config, struct heap **out, struct err *err);
    void (*destroy)(struct heap *heap);
    void *(*alloc)(struct heap *heap, size_t size);
    void (*free)(struct heap *heap, void *ref);

    /* Optional. */
    void *(*zalloc)(struct heap *heap, size_t size);
    void *(*realloc)(struct heap *heap, void *ref, size_t old_size, size_t size);
    void *(*alloc_aligned)(struct heap *heap, size_t align, size_t size);
    size_t (*usable_size)(struct heap *heap, void *ref);
    void *(*resolve)(struct heap *heap, void *ref);
    void *(*ref_of)(struct heap *heap, void *pointer);
    bool (*owns)(struct heap *heap, const void *pointer);
    int (*attach)(const char *name, struct heap **out, struct err *err);
    int (*thread_enter)(struct heap *heap);
    void (*thread_leave)(struct heap *heap);
    size_t (*trim)(struct heap *heap);
    void (*stats)(struct heap *heap, struct heap_stats *out);
    int (*walk)(struct heap *heap, heap_visitor *visit, void *arg);
    int (*check)(struct heap *heap, char *why, size_t length);
};

/* The tables that list.h lists. */
#define BACKEND(symbol, file) extern const struct allocator allocator_##symbol;
#include "allocators/list.h"

/* NULL, or the sentence that says what is wrong with a table (a missing hook, an alignment that is
 * no power of two, resolve without ref_of, …). */
const char *allocator_flaw(const struct allocator *allocator);

static inline bool allocator_has(const struct allocator *allocator, enum allocator_flag flag)
{
    return (allocator->flags & (unsigned)flag) != 0;
}

/* ---- the thin layer: the only callers of the hooks ------------------------------------------- */

/* At least `size` > 0 bytes aligned to the table's `align`, disjoint from every live block, or
 * NULL: a result, counted by the caller, not an error. */
static inline void *heap_alloc(struct heap *heap, size_t size)
{
    return heap->ops->alloc(heap, size);
}

/* `ref` is live and of this heap. */
static inline void heap_free(struct heap *heap, void *ref)
{
    heap->ops->free(heap, ref);
}

/* The memory of a live ref, or of an interior address of one. */
static inline void *heap_resolve(struct heap *heap, void *ref)
{
    return heap->ops->resolve ? heap->ops->resolve(heap, ref) : ref;
}

/* The ref of a live block from the pointer that resolve gave for it. */
static inline void *heap_ref_of(struct heap *heap, void *pointer)
{
    return heap->ops->ref_of ? heap->ops->ref_of(heap, pointer) : pointer;
}

/* Whether the memory of a live block begins at `pointer`, which may be any address: asked on behalf
 * of programs, whose pointers nobody vouches for. In constant time; reads nothing but the heap's
 * own. True without the hook. The heap is quiet. */
static inline bool heap_owns(struct heap *heap, const void *pointer)
{
    return !heap->ops->owns || heap->ops->owns(heap, pointer);
}

/* alloc, and the first `size` bytes are zero. Without the hook: alloc and memset. */
void *heap_zalloc(struct heap *heap, size_t size);

/* The first min(old_size, size) bytes are kept; on NULL the old block is intact. `old_size` as last
 * requested. Without the hook: alloc, copy, free ("realloc: emulated" in a result). */
void *heap_realloc(struct heap *heap, void *ref, size_t old_size, size_t size);

/* `align` is a power of two. Not above the table's: plain alloc. Above it and without the hook:
 * NULL with errno ENOTSUP; callers ask heap_can_align first. */
void *heap_alloc_aligned(struct heap *heap, size_t align, size_t size);
bool heap_can_align(const struct allocator *allocator, size_t align);

/* At least what was requested, all of it writable; without the hook `size`, what was requested. */
size_t heap_usable_size(struct heap *heap, void *ref, size_t size);

int heap_thread_enter(struct heap *heap); /* 0 or -errno */
void heap_thread_leave(struct heap *heap);

/* Bytes given back to the region or the system; 0 without the hook. The heap is quiet. */
size_t heap_trim(struct heap *heap);

/* Every field is UINT64_MAX that the backend does not fill. The heap is quiet. */
void heap_stats(struct heap *heap, struct heap_stats *out);

/* AREA spans and inside each USED, FREE and META in address order. The visitor does not call into
 * the heap. 0 all seen, 1 stopped, -ENOTSUP without the hook, else -errno. The heap is quiet. */
int heap_walk(struct heap *heap, heap_visitor *visit, void *arg);

/* 0; -EUCLEAN and a sentence of what is damaged; -ENOTSUP without the hook. Never aborts or prints.
 */
int heap_check(struct heap *heap, char *why, size_t length);

void heap_destroy(struct heap *heap);

#endif
