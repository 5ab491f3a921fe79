/* Which object owns malloc in this process. */
#ifndef ALLOCATORS_PRELOAD_OWNER_H
#define ALLOCATORS_PRELOAD_OWNER_H

#include <dlfcn.h>
#include <link.h>
#include <stdbool.h>

/* In a program at a fixed address, malloc's address may be that of the program's own jump to it:
 * then the symbol is undefined there, and the next object that has it is meant. */
static inline bool owner_find(Dl_info *owner)
{
    const ElfW(Sym) *symbol = NULL;
    void *function = dlsym(RTLD_DEFAULT, "malloc");
    if (!function || !dladdr1(function, owner, (void **)&symbol, RTLD_DL_SYMENT))
        return false;
    if (symbol && symbol->st_shndx != SHN_UNDEF)
        return true;
    function = dlsym(RTLD_NEXT, "malloc");
    return function && dladdr(function, owner);
}

#endif
