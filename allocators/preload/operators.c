/* operator new and delete through malloc and free, for programs that are linked with an allocator
 * which has its own (jemalloc, tcmalloc, mimalloc): loaded before it, these keep the program's
 * objects on the allocator that was asked for. An allocator that is preloaded itself comes first,
 * and answers with its own. What new does when memory is gone is left to the C++ library. */
#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

static void *operators_next(const char *name)
{
    static const char *const libraries[] = {"libstdc++.so.6", "libc++.so.1"};
    void *found = NULL;
    for (size_t i = 0; !found && i < sizeof libraries / sizeof *libraries; i++) {
        void *library = dlopen(libraries[i], RTLD_NOLOAD | RTLD_LAZY);
        found = library ? dlsym(library, name) : NULL;
    }
    return found;
}

/* The handler is asked, and an exception thrown, which passes through without harm: nothing is held
 * here. */
#define OPERATORS_FAIL(symbol, parameters, arguments)                                              \
    do {                                                                                           \
        void *(*next)parameters;                                                                   \
        void *found = operators_next(symbol);                                                      \
        memcpy(&next, &found, sizeof next);                                                        \
        return next ? next arguments : NULL;                                                       \
    } while (0)

#define OPERATORS_NEW(symbol, parameters, arguments)                                               \
    void *symbol parameters;                                                                       \
    void *symbol parameters                                                                        \
    {                                                                                              \
        void *pointer = malloc(size ? size : 1);                                                   \
        if (pointer)                                                                               \
            return pointer;                                                                        \
        OPERATORS_FAIL(#symbol, parameters, arguments);                                            \
    }

#define OPERATORS_ALIGNED(symbol, parameters, arguments)                                           \
    void *symbol parameters;                                                                       \
    void *symbol parameters                                                                        \
    {                                                                                              \
        void *pointer = aligned_alloc(align, size ? size : 1);                                     \
        if (pointer)                                                                               \
            return pointer;                                                                        \
        OPERATORS_FAIL(#symbol, parameters, arguments);                                            \
    }

/* C++ passes more: sizes, alignments, tags, of which free needs none. */
#define OPERATORS_DELETE(symbol)                                                                   \
    void symbol(void *pointer);                                                                    \
    void symbol(void *pointer)                                                                     \
    {                                                                                              \
        free(pointer);                                                                             \
    }

#pragma GCC visibility push(default)

/* Names as the linker has them: n new, d delete, l one, a array; m size, v pointer. */
OPERATORS_NEW(_Znwm, (size_t size), (size))
OPERATORS_NEW(_Znam, (size_t size), (size))
OPERATORS_NEW(_ZnwmRKSt9nothrow_t, (size_t size, const void *tag), (size, tag))
OPERATORS_NEW(_ZnamRKSt9nothrow_t, (size_t size, const void *tag), (size, tag))
OPERATORS_ALIGNED(_ZnwmSt11align_val_t, (size_t size, size_t align), (size, align))
OPERATORS_ALIGNED(_ZnamSt11align_val_t, (size_t size, size_t align), (size, align))
OPERATORS_ALIGNED(_ZnwmSt11align_val_tRKSt9nothrow_t, (size_t size, size_t align, const void *tag),
                  (size, align, tag))
OPERATORS_ALIGNED(_ZnamSt11align_val_tRKSt9nothrow_t, (size_t size, size_t align, const void *tag),
                  (size, align, tag))
OPERATORS_DELETE(_ZdlPv)
OPERATORS_DELETE(_ZdaPv)
OPERATORS_DELETE(_ZdlPvm)
OPERATORS_DELETE(_ZdaPvm)
OPERATORS_DELETE(_ZdlPvRKSt9nothrow_t)
OPERATORS_DELETE(_ZdaPvRKSt9nothrow_t)
OPERATORS_DELETE(_ZdlPvSt11align_val_t)
OPERATORS_DELETE(_ZdaPvSt11align_val_t)
OPERATORS_DELETE(_ZdlPvmSt11align_val_t)
OPERATORS_DELETE(_ZdaPvmSt11align_val_t)
OPERATORS_DELETE(_ZdlPvSt11align_val_tRKSt9nothrow_t)
OPERATORS_DELETE(_ZdaPvSt11align_val_tRKSt9nothrow_t)
