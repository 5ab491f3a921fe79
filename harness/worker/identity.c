/* Who answers malloc in this process? A preload that the loader ignored must not become a row of
 * the C library's figures under another name. */
#include <dlfcn.h>
#include <elf.h>
#include <link.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "harness/worker/worker.h"

/* Finds the build id among the notes of a loaded object; false when it has none. */
static bool identity_note(const char *notes, size_t size, char *text, size_t length)
{
    const char *end = notes + size;
    while (notes + sizeof(ElfW(Nhdr)) <= end) {
        const ElfW(Nhdr) *note = (const void *)notes;
        const char *name = notes + sizeof *note;
        const unsigned char *bytes = (const unsigned char *)name + ((note->n_namesz + 3u) & ~3u);
        notes = (const char *)bytes + ((note->n_descsz + 3u) & ~3u);
        if (note->n_type != NT_GNU_BUILD_ID || note->n_namesz != 4 || memcmp(name, "GNU", 4) != 0)
            continue;
        for (size_t i = 0; i < note->n_descsz && 2 * i + 3 <= length; i++)
            snprintf(text + 2 * i, 3, "%02x", bytes[i]);
        return true;
    }
    return false;
}

/* `image` is the address an object is loaded at, where its ELF header stands. */
static void identity_build_id(const char *image, char *text, size_t length)
{
    const ElfW(Ehdr) *header = (const void *)image;
    const ElfW(Phdr) *segments = (const void *)(image + header->e_phoff);
    ElfW(Addr) lowest = 0;
    for (int i = 0; i < header->e_phnum; i++)
        if (segments[i].p_type == PT_LOAD) {
            lowest = segments[i].p_vaddr - segments[i].p_offset;
            break;
        }
    for (int i = 0; i < header->e_phnum; i++)
        if (segments[i].p_type == PT_NOTE && identity_note(image + (segments[i].p_vaddr - lowest),
                                                           segments[i].p_memsz, text, length))
            return;
}

/* Which object a function of this process is of. */
typedef void identity_function(void);
static Dl_info identity_owner(identity_function *function)
{
    void *address;
    Dl_info info = {0};
    memcpy(&address, &function, sizeof address);
    if (!dladdr(address, &info))
        info.dli_fname = "";
    return info;
}

#define OWNER(function) identity_owner((identity_function *)(function))

static bool identity_same_file(const char *one, const char *other)
{
    struct stat a, b;
    return stat(one, &a) == 0 && stat(other, &b) == 0 && a.st_dev == b.st_dev &&
           a.st_ino == b.st_ino;
}

static void identity_describe(struct worker *worker, const Dl_info *owner)
{
    struct cell_result *result = worker->result;
    snprintf(result->allocator_object, sizeof result->allocator_object, "%s", owner->dli_fname);
    if (owner->dli_fbase)
        identity_build_id(owner->dli_fbase, result->build_id, sizeof result->build_id);
}

/* A library that answers some of the calls would be handed blocks it never gave out. */
static int identity_check_whole(struct worker *worker, const Dl_info *owner)
{
    const struct {
        const char *name;
        Dl_info owner;
        bool needed;
    } calls[] = {
        {"free", OWNER(free), true},
        {"calloc", OWNER(calloc), worker_summary(worker)->by_kind[TRACE_CALLOC] > 0},
        {"realloc", OWNER(realloc), worker_summary(worker)->by_kind[TRACE_REALLOC] > 0},
        {"posix_memalign", OWNER(posix_memalign),
         worker_summary(worker)->by_kind[TRACE_ALIGNED] > 0},
    };
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++)
        if (calls[i].needed && calls[i].owner.dli_fbase != owner->dli_fbase)
            return worker_refuse(worker, "skipped: half an allocator",
                                 "malloc is of %s, but %s, which the trace needs, is of %s",
                                 owner->dli_fname, calls[i].name, calls[i].owner.dli_fname);
    return 0;
}

static int identity_check_preload(struct worker *worker, const Dl_info *owner)
{
    const char *library = worker->area->request.library;
    Dl_info libc = OWNER(getpid);
    if (identity_same_file(owner->dli_fname, library) || owner->dli_fbase != libc.dli_fbase)
        return identity_check_whole(worker, owner);
    return worker_refuse(worker, "failed: the preload did not take",
                         "malloc in the worker is that of %s: %s was ignored by the loader or "
                         "does not define malloc",
                         owner->dli_fname, library);
}

int identity_check(struct worker *worker)
{
    Dl_info owner = OWNER(malloc), self = OWNER(identity_check);
    worker->usable_known = true;
    if (worker->spec.backend->scope == SCOPE_HEAP) {
        snprintf(worker->result->allocator_object, sizeof worker->result->allocator_object,
                 "built-in %s", worker->spec.backend->name);
        if (self.dli_fbase)
            identity_build_id(self.dli_fbase, worker->result->build_id,
                              sizeof worker->result->build_id);
        return 0;
    }
    identity_describe(worker, &owner);
    worker->usable_known = OWNER(malloc_usable_size).dli_fbase == owner.dli_fbase;
    return worker->area->request.library[0] ? identity_check_preload(worker, &owner) : 0;
}
