/* What a program that only replays would show.
 *
 *     bench-bare-replay TRACE
 *
 * The trace is decoded into plain arrays in shared memory; then a child calls malloc, calloc,
 * realloc and free as it says, from one thread, touching a byte of each page, and nothing else. Its
 * resident size is read from outside: at 2,000 moments from before the first call to
 * behind the last, exactly, and at its peak as the kernel keeps it (VmHWM). `bench run -a system
 * -p memory --threads 1` must report the same P (peak_rss_bytes), within a twentieth. */
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/personality.h>
#include <sys/wait.h>
#include <unistd.h>

#include "harness/base/pages.h"
#include "harness/measure/maps.h"
#include "harness/measure/player.h"
#include "harness/measure/proc.h"
#include "harness/measure/window.h"

enum { LOOKS = 2000 };

struct bare {
    struct window window;
    void **refs;
    int ready[2], go[2]; /* pipes: from and to the child */
};

static void fail(const char *sentence)
{
    fprintf(stderr, "bare-replay: %s\n", sentence);
    exit(EXIT_FAILURE);
}

static void bare_read(struct bare *bare, const char *path)
{
    struct trace_reader *reader;
    struct err err;
    if (trace_reader_open(&reader, path, &err) < 0)
        fail(err.text);
    if (!trace_reader_summary(reader))
        fail("the trace has no footer");
    size_t capacity = window_capacity(trace_reader_summary(reader), SIZE_MAX);
    uint64_t *words = pages_map(capacity * sizeof *words);
    if (!words || window_init(&bare->window, reader, words, capacity, false, &err) < 0)
        fail("no memory for the trace");
    if (window_fill(&bare->window, &err) < 0)
        fail(err.text);
    bare->refs = pages_map((bare->window.objects + (size_t)1) * sizeof(void *));
    if (!bare->refs)
        fail("no memory for the table of live objects");
}

/* Programs ask aligned_alloc for less than a pointer's alignment, which posix_memalign refuses. */
static void *bare_aligned(size_t align, size_t size)
{
    void *block;
    align = align < sizeof block ? sizeof block : align;
    return posix_memalign(&block, align, size) == 0 ? block : NULL;
}

static void *bare_allocate(const struct operation *operation, void *old)
{
    switch (operation->kind) {
    case OP_CALLOC:
        return calloc(1, operation->size);
    case OP_REALLOC:
        return realloc(old, operation->size);
    case OP_ALIGNED:
        return bare_aligned(operation->extra, operation->size);
    default:
        return malloc(operation->size);
    }
}

static void bare_tell(int fd)
{
    if (write(fd, "", 1) != 1)
        _exit(EXIT_FAILURE);
}

static void bare_await(int fd)
{
    char byte;
    if (read(fd, &byte, 1) != 1)
        _exit(EXIT_FAILURE);
}

/* Until the parent has looked. */
static void bare_pause(const struct bare *bare)
{
    bare_tell(bare->ready[1]);
    bare_await(bare->go[0]);
}

/* Stops for its parent every so often. */
static void bare_replay(const struct bare *bare)
{
    size_t stride = bare->window.operations / LOOKS + 1, left = stride;
    const uint64_t *op = bare->window.words, *end = op + bare->window.count;
    while (op < end) {
        struct operation operation;
        op = op_read(op, &operation);
        if (left-- == 0) {
            bare_pause(bare);
            left = stride - 1;
        }
        void **ref = &bare->refs[operation.object];
        if (operation.kind == OP_FREE) {
            free(*ref);
            continue;
        }
        *ref = bare_allocate(&operation, *ref);
        size_t from = operation.kind == OP_REALLOC ? operation.extra : 0;
        if (!*ref)
            _exit(EXIT_FAILURE);
        touch_block(*ref, from, operation.size, TOUCH_PAGE);
    }
}

/* A forked child has shared pages in its resident size only once it has used them. */
static void bare_map(const struct bare *bare)
{
    enum { PAGE_WORDS = 512 };
    for (size_t i = 0; i < bare->window.count; i += PAGE_WORDS)
        (void)*(const volatile uint64_t *)&bare->window.words[i];
    for (size_t i = 0; i <= bare->window.objects; i += PAGE_WORDS)
        *(void *volatile *)&bare->refs[i] = NULL;
    maps_touch_files();
}

static void bare_child(const struct bare *bare)
{
    bare_map(bare);
    bare_pause(bare);
    bare_replay(bare);
    bare_pause(bare);
    _exit(EXIT_SUCCESS);
}

static uint64_t bare_figure(pid_t child, const char *file, const char *name)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/%s", (int)child, file);
    return proc_kilobytes(path, name);
}

static void bare_reset_peak(pid_t child)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/clear_refs", (int)child);
    int fd = open(path, O_WRONLY);
    if (fd < 0 || write(fd, "5", 1) != 1)
        fail("the peak of the resident size cannot be reset");
    close(fd);
}

/* The kernel's running counters may be off by some dozen pages a core, and the peak that it keeps
 * is made of them; its page tables are not. */
static void bare_measure(const struct bare *bare, pid_t child)
{
    bare_await(bare->ready[0]);
    uint64_t base = bare_figure(child, "smaps_rollup", "Rss:"), last = base, most = 0;
    uint64_t kept = 0;
    bare_reset_peak(child);
    bare_tell(bare->go[1]);
    char byte;
    while (read(bare->ready[0], &byte, 1) == 1) {
        last = bare_figure(child, "smaps_rollup", "Rss:");
        most = last > most ? last : most;
        kept = bare_figure(child, "status", "VmHWM:") - base;
        bare_tell(bare->go[1]);
    }
    printf("%zu operations, resident before: %" PRIu64 " bytes\n", bare->window.operations, base);
    printf("peak P %" PRIu64 " bytes (%" PRIu64 " at one of %d moments, %" PRIu64
           " as the kernel keeps it)\n",
           most - base > kept ? most - base : kept, most - base, LOOKS, kept);
    printf("end  P %" PRIu64 " bytes\n", last - base);
}

int main(int argc, char **argv)
{
    struct bare bare;
    if (argc != 2)
        fail("usage: bench-bare-replay TRACE");
    if (!(personality(0xffffffff) & ADDR_NO_RANDOMIZE) && personality(ADDR_NO_RANDOMIZE) >= 0)
        execv("/proc/self/exe", argv);
    bare_read(&bare, argv[1]);
    if (pipe(bare.ready) < 0 || pipe(bare.go) < 0)
        fail("no pipe to a child");
    pid_t child = fork();
    if (child == 0)
        bare_child(&bare);
    close(bare.ready[1]);
    bare_measure(&bare, child);
    int status;
    if (waitpid(child, &status, 0) != child || status != 0)
        fail("the replay ended before the trace: an allocation failed");
    return EXIT_SUCCESS;
}
