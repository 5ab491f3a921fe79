/* operator new and delete. Those of the C++ library come through malloc and free, which are
 * recorded already; those of an allocator that the program links (jemalloc, tcmalloc, mimalloc)
 * mostly do not. Each function shows which it is at its first call that does not
 * fail: by whether a record was made meanwhile.
 *
 * A call that ends by an exception failed. What it takes to see one pass is the C++ library's, and
 * is looked for there alone: where that is not loaded from the start nothing is seen. */
#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

#include "workloads/record/record.h"

__asm__(".weak __gcc_personality_v0\n.weak _Unwind_Resume");

enum cxx_way { CXX_UNKNOWN, CXX_THROUGH_MALLOC, CXX_DIRECT };

/* The next function in the loader's order, or that of a C++ library which only a plug-in brought.
 */
static void cxx_find(void *slot, const char *name)
{
    void *found = dlsym(RTLD_NEXT, name);
    void *library = found ? NULL : dlopen("libstdc++.so.6", RTLD_NOLOAD | RTLD_LAZY);
    if (library)
        found = dlsym(library, name);
    memcpy(slot, &found, sizeof found);
}

/* The thread's place among its records. */
struct cxx_place {
    const struct spool_chunk *chunk;
    uint32_t taken;
};

static inline struct cxx_place cxx_place(void)
{
    const struct stream *stream = record_stream;
    const struct spool_chunk *chunk = stream ? stream->chunk : NULL;
    return (struct cxx_place){chunk, chunk ? chunk->taken : 0};
}

enum cxx_sought { CXX_FREE, CXX_ALLOCATION, CXX_FAILURE };

/* Whether a record is what the function can have been passed on for. */
static bool cxx_is_call(uint64_t head, enum cxx_sought sought)
{
    if ((head & 7) == SPOOL_CONTROL || (sought == CXX_FREE) != ((head & 7) == SPOOL_FREE))
        return false;
    return (sought == CXX_FAILURE) == !spool_pointer(head);
}

/* Where the program has an operator new of its own, the C++ library's other forms end in that: what
 * these hand out is not known to be a block of its own. */
static bool cxx_is_replaced(void)
{
    Dl_info first, own;
    void *found = dlsym(RTLD_DEFAULT, "_Znwm");
    return found && dladdr(found, &first) && dladdr(&record_spool, &own) &&
           first.dli_fbase != own.dli_fbase;
}

/* A signal handler that frees nothing may have made records, too. */
static enum cxx_way cxx_way(struct cxx_place before, enum cxx_sought sought)
{
    struct cxx_place after = cxx_place();
    if (cxx_is_replaced())
        return CXX_THROUGH_MALLOC;
    if (!after.chunk || before.chunk != after.chunk)
        return CXX_UNKNOWN; /* the next call shows it */
    for (uint32_t at = before.taken; at < after.taken && at < SPOOL_WORDS;
         at += spool_words(after.chunk->words[at]))
        if (cxx_is_call(after.chunk->words[at], sought))
            return CXX_THROUGH_MALLOC;
    return CXX_DIRECT;
}

static inline enum cxx_way cxx_load(const _Atomic int *way)
{
    return (enum cxx_way)atomic_load_explicit(way, memory_order_relaxed);
}

/* A call of operator new, on its way. */
struct cxx_call {
    struct cxx_place before;
    const _Atomic int *way;
    size_t size, align; /* align 0: as malloc */
    bool over;
};

/* It is left, by an exception where it is not over. */
static void cxx_leave(struct cxx_call *call)
{
    if (call->over)
        return;
    enum cxx_way way = cxx_load(call->way);
    if (way == CXX_UNKNOWN)
        way = cxx_way(call->before, CXX_FAILURE);
    if (way == CXX_DIRECT)
        record_event(call->align ? SPOOL_ALIGNED : SPOOL_MALLOC, NULL, call->size, call->align);
}

/* `call` runs the next function, `instead` stands in where there is none at all. */
#define CXX_NEW(symbol, parameters, call, instead, align)                                          \
    void *symbol parameters;                                                                       \
    void *symbol parameters                                                                        \
    {                                                                                              \
        static void *(*next)parameters;                                                            \
        static _Atomic int way;                                                                    \
        if (!next)                                                                                 \
            cxx_find(&next, #symbol);                                                              \
        if (!next)                                                                                 \
            return instead;                                                                        \
        if (cxx_load(&way) == CXX_THROUGH_MALLOC)                                                  \
            return next call;                                                                      \
        __attribute__((cleanup(cxx_leave))) struct cxx_call now = {cxx_place(), &way, size, align, \
                                                                   false};                         \
        void *pointer = next call;                                                                 \
        now.over = pointer;                                                                        \
        if (pointer && cxx_load(&way) == CXX_UNKNOWN)                                              \
            atomic_store(&way, cxx_way(now.before, CXX_ALLOCATION));                               \
        if (pointer && cxx_load(&way) == CXX_DIRECT)                                               \
            record_event((align) ? SPOOL_ALIGNED : SPOOL_MALLOC, pointer, size, align);            \
        return pointer;                                                                            \
    }

/* The first call's record alone comes after it. */
#define CXX_DELETE(symbol, parameters, call)                                                       \
    void symbol parameters;                                                                        \
    void symbol parameters                                                                         \
    {                                                                                              \
        static void(*next) parameters;                                                             \
        static _Atomic int way;                                                                    \
        if (!next)                                                                                 \
            cxx_find(&next, #symbol);                                                              \
        if (!next) {                                                                               \
            free(pointer);                                                                         \
            return;                                                                                \
        }                                                                                          \
        enum cxx_way now = cxx_load(&way);                                                         \
        if (now == CXX_DIRECT)                                                                     \
            record_event(SPOOL_FREE, pointer, 0, 0);                                               \
        struct cxx_place before = cxx_place();                                                     \
        next call;                                                                                 \
        if (now != CXX_UNKNOWN || !pointer)                                                        \
            return;                                                                                \
        atomic_store(&way, now = cxx_way(before, CXX_FREE));                                       \
        if (now == CXX_DIRECT)                                                                     \
            record_event(SPOOL_FREE, pointer, 0, 0);                                               \
    }

#pragma GCC visibility push(default)

/* Names as the linker has them: n new, d delete, l one, a array; m size, v pointer. */
CXX_NEW(_Znwm, (size_t size), (size), malloc(size), 0)
CXX_NEW(_Znam, (size_t size), (size), malloc(size), 0)
CXX_NEW(_ZnwmRKSt9nothrow_t, (size_t size, const void *tag), (size, tag), malloc(size), 0)
CXX_NEW(_ZnamRKSt9nothrow_t, (size_t size, const void *tag), (size, tag), malloc(size), 0)
CXX_NEW(_ZnwmSt11align_val_t, (size_t size, size_t align), (size, align),
        aligned_alloc(align, size), align)
CXX_NEW(_ZnamSt11align_val_t, (size_t size, size_t align), (size, align),
        aligned_alloc(align, size), align)
CXX_NEW(_ZnwmSt11align_val_tRKSt9nothrow_t, (size_t size, size_t align, const void *tag),
        (size, align, tag), aligned_alloc(align, size), align)
CXX_NEW(_ZnamSt11align_val_tRKSt9nothrow_t, (size_t size, size_t align, const void *tag),
        (size, align, tag), aligned_alloc(align, size), align)

CXX_DELETE(_ZdlPv, (void *pointer), (pointer))
CXX_DELETE(_ZdaPv, (void *pointer), (pointer))
CXX_DELETE(_ZdlPvm, (void *pointer, size_t size), (pointer, size))
CXX_DELETE(_ZdaPvm, (void *pointer, size_t size), (pointer, size))
CXX_DELETE(_ZdlPvRKSt9nothrow_t, (void *pointer, const void *tag), (pointer, tag))
CXX_DELETE(_ZdaPvRKSt9nothrow_t, (void *pointer, const void *tag), (pointer, tag))
CXX_DELETE(_ZdlPvSt11align_val_t, (void *pointer, size_t align), (pointer, align))
CXX_DELETE(_ZdaPvSt11align_val_t, (void *pointer, size_t align), (pointer, align))
CXX_DELETE(_ZdlPvmSt11align_val_t, (void *pointer, size_t size, size_t align),
           (pointer, size, align))
CXX_DELETE(_ZdaPvmSt11align_val_t, (void *pointer, size_t size, size_t align),
           (pointer, size, align))
CXX_DELETE(_ZdlPvSt11align_val_tRKSt9nothrow_t, (void *pointer, size_t align, const void *tag),
           (pointer, align, tag))
CXX_DELETE(_ZdaPvSt11align_val_tRKSt9nothrow_t, (void *pointer, size_t align, const void *tag),
           (pointer, align, tag))
