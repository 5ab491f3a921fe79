/* C++ names as a person writes them. */
#include "workloads/demangle.h"

#include <dlfcn.h>
#include <string.h>

/* The Itanium C++ ABI's function, which every C++ library of Linux has. */
static void demangle_look(struct demangle *demangle)
{
    static const char *const libraries[] = {"libstdc++.so.6", "libc++abi.so.1"};
    demangle->looked = true;
    for (size_t i = 0; i < sizeof libraries / sizeof *libraries && !demangle->library; i++)
        demangle->library = dlopen(libraries[i], RTLD_LAZY | RTLD_LOCAL);
    void *found = demangle->library ? dlsym(demangle->library, "__cxa_demangle") : NULL;
    memcpy(&demangle->readable, &found, sizeof found);
}

char *demangle(struct demangle *demangle, const char *name)
{
    int status;
    if (strncmp(name, "_Z", 2) != 0)
        return NULL;
    if (!demangle->looked)
        demangle_look(demangle);
    return demangle->readable ? demangle->readable(name, NULL, NULL, &status) : NULL;
}

void demangle_release(struct demangle *demangle)
{
    if (demangle->library)
        dlclose(demangle->library);
    *demangle = (struct demangle){0};
}
