/* Where the dynamic loader would find a library (ld.so(8); the cache's layout: glibc's
 * sysdeps/generic/dl-cache.h, "new" format). */
#include "allocators/library.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define LIBRARY_CACHE "/etc/ld.so.cache"
#define LIBRARY_CACHE_MAGIC "glibc-ld.so.cache1.1"

static const char *const library_folders[] = {
    "/lib/" HEAPBENCH_MULTIARCH,
    "/usr/lib/" HEAPBENCH_MULTIARCH,
    "/lib64",
    "/usr/lib64",
    "/lib",
    "/usr/lib",
};

struct library_cache {
    char magic[20];
    uint32_t count;
    uint32_t unused[6];
};

struct library_cache_row {
    int32_t flags;
    uint32_t key; /* offsets from the start of the cache */
    uint32_t value;
    uint32_t unused[3];
};

static const char *library_flaw_of_header(const Elf64_Ehdr *header, ssize_t bytes)
{
    Elf64_Ehdr own;
    int self = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    ssize_t own_bytes = self < 0 ? -1 : read(self, &own, sizeof own);
    if (self >= 0)
        close(self);
    if (bytes < (ssize_t)sizeof *header || memcmp(header->e_ident, ELFMAG, SELFMAG) != 0 ||
        header->e_type != ET_DYN)
        return "it is not a shared object";
    if (own_bytes == (ssize_t)sizeof own &&
        (own.e_machine != header->e_machine || own.e_ident[EI_CLASS] != header->e_ident[EI_CLASS]))
        return "it is built for another machine";
    return NULL;
}

const char *library_flaw(const char *path)
{
    Elf64_Ehdr header;
    if (strpbrk(path, " :"))
        return "the loader splits preloads at blanks and colons; move it to a folder without them";
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0)
        return strerror(errno);
    ssize_t bytes = read(file, &header, sizeof header);
    close(file);
    return library_flaw_of_header(&header, bytes);
}

static bool library_try(const char *folder, size_t folder_length, const char *soname, char *path,
                        size_t length)
{
    int written = snprintf(path, length, "%.*s/%s", (int)folder_length, folder, soname);
    return written > 0 && (size_t)written < length && !library_flaw(path);
}

static bool library_find_in_path(const char *folders, const char *soname, char *path, size_t length)
{
    while (folders && *folders) {
        size_t folder = strcspn(folders, ":;");
        if (folder && library_try(folders, folder, soname, path, length))
            return true;
        folders += folder + (folders[folder] != '\0');
    }
    return false;
}

/* The string at an offset of the cache, or "" when it does not end inside. */
static const char *library_cache_text(const char *cache, size_t bytes, uint32_t offset)
{
    return offset < bytes && memchr(cache + offset, '\0', bytes - offset) ? cache + offset : "";
}

static bool library_find_in_rows(const char *cache, size_t bytes, const char *soname, char *path,
                                 size_t length)
{
    const struct library_cache *head = (const void *)cache;
    const struct library_cache_row *rows = (const void *)(head + 1);
    if (bytes < sizeof *head || memcmp(head->magic, LIBRARY_CACHE_MAGIC, sizeof head->magic) != 0)
        return false;
    if (head->count > (bytes - sizeof *head) / sizeof *rows)
        return false;
    for (uint32_t i = 0; i < head->count; i++) {
        if (strcmp(library_cache_text(cache, bytes, rows[i].key), soname) != 0)
            continue;
        const char *found = library_cache_text(cache, bytes, rows[i].value);
        if (snprintf(path, length, "%s", found) < (int)length && !library_flaw(path))
            return true;
    }
    return false;
}

static bool library_find_in_cache(const char *soname, char *path, size_t length)
{
    struct stat stat;
    bool found = false;
    int file = open(LIBRARY_CACHE, O_RDONLY | O_CLOEXEC);
    if (file < 0)
        return false;
    if (fstat(file, &stat) == 0 && stat.st_size > 0) {
        size_t bytes = (size_t)stat.st_size;
        void *cache = mmap(NULL, bytes, PROT_READ, MAP_PRIVATE, file, 0);
        if (cache != MAP_FAILED) {
            found = library_find_in_rows(cache, bytes, soname, path, length);
            munmap(cache, bytes);
        }
    }
    close(file);
    return found;
}

const char *library_find(const char *soname, char *path, size_t length)
{
    if (library_find_in_path(getenv("LD_LIBRARY_PATH"), soname, path, length) ||
        library_find_in_cache(soname, path, length))
        return path;
    for (size_t i = 0; i < sizeof library_folders / sizeof *library_folders; i++)
        if (library_try(library_folders[i], strlen(library_folders[i]), soname, path, length))
            return path;
    return NULL;
}
