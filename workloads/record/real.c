/* Finds the next allocation functions, and serves the few calls that come before they are found. */
#include "workloads/record/real.h"

#include <dlfcn.h>
#include <link.h>
#include <string.h>

struct real real;

_Alignas(16) char real_arena[REAL_ARENA_BYTES];
static size_t arena_used;

/* dlsym returns an object pointer; POSIX, not ISO C, says that a function pointer fits into it. */
static void real_look_up(void *slot, const char *name)
{
    void *found = dlsym(RTLD_NEXT, name);
    memcpy(slot, &found, sizeof found);
}

bool real_find(void)
{
    static bool under_way;
    if (under_way)
        return false;
    under_way = true;
    struct real found;
#define REAL_LOOK_UP(result, name, arguments) real_look_up(&found.name, #name);
    REAL_FUNCTIONS(REAL_LOOK_UP)
    real = found;
    under_way = false;
    return true;
}

/* What a program that is linked to a fixed address has in a function's place to compare it by is no
 * definition. */
bool real_is_hidden(void)
{
    Dl_info first, own;
    const ElfW(Sym) *symbol = NULL;
    void *found = dlsym(RTLD_DEFAULT, "malloc");
    return found && dladdr(&real, &own) &&
           dladdr1(found, &first, (void **)(uintptr_t)&symbol, RTLD_DL_SYMENT) &&
           first.dli_fbase != own.dli_fbase && symbol && symbol->st_shndx != SHN_UNDEF;
}

void *real_bootstrap(size_t size, size_t align)
{
    uintptr_t at = ((uintptr_t)real_arena + arena_used + align - 1) & ~(uintptr_t)(align - 1);
    size_t used = at - (uintptr_t)real_arena;
    if (used > sizeof real_arena || size > sizeof real_arena - used)
        return NULL;
    arena_used = used + size;
    return (void *)at;
}

size_t real_bootstrap_room(const void *pointer)
{
    return (size_t)(real_arena + sizeof real_arena - (const char *)pointer);
}
