/* Which object owns malloc in this process. */
#ifndef ALLOCATORS_PRELOAD_OWNER_H
#define ALLOCATORS_PRELOAD_OWNER_H

#include <dlfcn.h>
#include <link.h>
#include <stdbool.h>
#include <string.h>

/* Looking a name up by an object's handle goes on to what the object needs. */
static inline bool owner_is(const struct link_map *object, Dl_info *owner)
{
    void *handle = dlopen(object->l_name, RTLD_LAZY | RTLD_NOLOAD);
    void *function = handle ? dlsym(handle, "malloc") : NULL;
    bool owns =
        function && dladdr(function, owner) && strcmp(owner->dli_fname, object->l_name) == 0;
    if (handle)
        dlclose(handle);
    return owns;
}

/* In a program at a fixed address, malloc's address may be that of the program's own jump to it:
 * then the symbol is undefined there, and the first of the objects behind that has it is meant. */
static inline bool owner_find(Dl_info *owner)
{
    const ElfW(Sym) *symbol = NULL;
    const struct link_map *object = NULL;
    void *function = dlsym(RTLD_DEFAULT, "malloc");
    if (!function || !dladdr1(function, owner, (void **)&symbol, RTLD_DL_SYMENT))
        return false;
    if (symbol && symbol->st_shndx != SHN_UNDEF)
        return true;
    if (!dladdr1(function, owner, (void **)&object, RTLD_DL_LINKMAP))
        return false;
    do
        object = object->l_next;
    while (object && !owner_is(object, owner));
    return object;
}

#endif
