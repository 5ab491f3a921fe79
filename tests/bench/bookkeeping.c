/* Whole traces: what does the bookkeeping of each backend cost, of what is promised?
 *
 *     bench-bookkeeping [-a SPEC,...] TRACE...
 *
 * Printed are, when the heap was fullest and when most was above the promise, the bytes of
 * bookkeeping, what is promised then, and how far it is above it. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tests/allocators/support/burden.h"

enum { LOOKS_EVERY = 2003 };

static void print(const char *when, const struct burden *burden, const struct burden_moment *at)
{
    printf("  %s %9llu: %8llu blocks %9.0f KiB held %8.0f KiB bookkeeping %+9.0f KiB", when,
           (unsigned long long)at->step, (unsigned long long)at->live_blocks,
           (double)at->held_bytes / 1024, (double)at->metadata_bytes / 1024, at->excess / 1024);
    printf(" (%.2f)", (double)at->metadata_bytes / burden_promised(burden, at));
}

static int measure(const char *spec, const char *path)
{
    struct burden burden;
    struct err err = {0};
    const char *slash = strrchr(path, '/');
    int error = burden_open(&burden, spec, LOOKS_EVERY, &err);
    if (!error)
        error = burden_replay(&burden, path, UINT64_MAX, &err);
    printf("%-16s %-28s", slash ? slash + 1 : path, spec);
    if (error) {
        printf("  %s\n", err.text);
    } else {
        print("full at", &burden, &burden.fullest);
        print("worst at", &burden, &burden.worst);
        printf("\n");
    }
    burden_close(&burden);
    return error;
}

int main(int argc, char **argv)
{
    const char *specs = "first-fit,best-fit,next-fit,worst-fit,buddy,mymalloc,pagemgr,"
                        "pagemgr:fit=best,mems,ostep,ostep:fit=best,ostep:coalesce=0,shmheap";
    int option, failed = 0;
    while ((option = getopt(argc, argv, "a:")) != -1) {
        if (option != 'a')
            return 2;
        specs = optarg;
    }
    for (int i = optind; i < argc; i++) {
        char spec[SPEC_TEXT];
        for (const char *next = specs; (next = spec_next(next, spec)) != NULL;)
            failed |= measure(spec, argv[i]) != 0;
    }
    return failed;
}
