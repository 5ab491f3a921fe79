/* What is wrong with a pointer, in words. */
#include "allocators/preload/misuse.h"

#include <stdio.h>
#include <string.h>

struct misuse_search {
    const char *pointer;
    struct span found; /* start NULL: in none */
};

static int misuse_visit(void *arg, const struct span *span)
{
    struct misuse_search *search = arg;
    size_t offset = (uintptr_t)search->pointer - (uintptr_t)span->start;
    if (span->kind == SPAN_AREA || offset >= span->size)
        return 0;
    search->found = *span;
    return 1;
}

enum { MISUSE_WHAT = MISUSE_TEXT - 64 };

static void misuse_describe_inside(const struct span *block, const char *pointer,
                                   char what[MISUSE_WHAT])
{
    bool before = pointer < block->ref;
    size_t bytes = (size_t)(before ? block->ref - pointer : pointer - block->ref);
    snprintf(what, MISUSE_WHAT, "interior pointer: %zu bytes %s the block of %zu bytes at %p",
             bytes, before ? "before, in the header of" : "into", block->usable,
             (const void *)block->ref);
}

static void misuse_describe(const struct misuse_search *search, const char *call,
                            char what[MISUSE_WHAT])
{
    const struct span *found = &search->found;
    bool freeing = strcmp(call, "free") == 0;
    if (!found->start)
        snprintf(what, MISUSE_WHAT, "foreign pointer: no memory of this heap is there");
    else if (found->kind == SPAN_FREE)
        snprintf(what, MISUSE_WHAT, "%s: the memory there is free already",
                 freeing ? "double free" : "freed pointer");
    else if (found->kind == SPAN_META)
        snprintf(what, MISUSE_WHAT, "foreign pointer: the heap's own tables are there");
    else
        misuse_describe_inside(found, search->pointer, what);
}

bool misuse_note(struct misuse *misuse, struct heap *heap, const char *call, const void *pointer,
                 char text[MISUSE_TEXT])
{
    struct misuse_search search = {.pointer = pointer};
    char what[MISUSE_WHAT];
    if (misuse->calls++ >= MISUSE_TOLD)
        return false;
    if (heap_walk(heap, misuse_visit, &search) < 0)
        snprintf(what, MISUSE_WHAT, "bad pointer: no live block begins there");
    else
        misuse_describe(&search, call, what);
    snprintf(text, MISUSE_TEXT, "%s(%p): %s; nothing is done", call, pointer, what);
    return true;
}

bool misuse_sum(const struct misuse *misuse, char text[MISUSE_TEXT])
{
    if (misuse->calls == 0)
        return false;
    snprintf(text, MISUSE_TEXT, "%llu call%s with a pointer at which no live block began",
             (unsigned long long)misuse->calls, misuse->calls == 1 ? "" : "s");
    return true;
}
