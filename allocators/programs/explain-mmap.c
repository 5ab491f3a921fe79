/* Shows what mapping a page and writing to it do to a process: its virtual size, its resident set,
 * and the line of /proc/self/maps that holds the page, at each stage. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* Neighbours of the same kind are one mapping to the kernel, and one line of maps; with no swap
 * reserved for it the page is of another kind than what lies beside it, and the line its own. */
#define EXPLAIN_FLAGS (MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE)

struct figures {
    long vsz_kib, rss_kib;
    char mapping[512]; /* the line of /proc/self/maps; "" when there is none */
};

/* The number after `field` in a file of /proc; -1: not there. */
static long explain_field(const char *path, const char *field)
{
    FILE *file = fopen(path, "r");
    char line[256];
    long value = -1;
    while (file && value < 0 && fgets(line, sizeof line, file))
        if (strncmp(line, field, strlen(field)) == 0)
            value = strtol(line + strlen(field), NULL, 10);
    if (file)
        fclose(file);
    return value;
}

static void explain_mapping(const void *page, char *line, int length)
{
    FILE *file = fopen("/proc/self/maps", "r");
    unsigned long low, high, at = (unsigned long)page;
    while (file && fgets(line, length, file))
        if (sscanf(line, "%lx-%lx", &low, &high) == 2 && low <= at && at < high) {
            fclose(file);
            return;
        }
    if (file)
        fclose(file);
    line[0] = '\0';
}

/* smaps_rollup counts the page tables; VmRSS of /proc/self/status may lag by some pages. */
static void explain_measure(const void *page, struct figures *out)
{
    out->vsz_kib = explain_field("/proc/self/status", "VmSize:");
    explain_mapping(page, out->mapping, sizeof out->mapping);
    out->rss_kib = explain_field("/proc/self/smaps_rollup", "Rss:");
}

/* The figures now, and how they moved since `before` (NULL: the first stage). */
static void explain_print(const char *title, const struct figures *now,
                          const struct figures *before)
{
    printf("%s\n  VSZ    %ld KiB", title, now->vsz_kib);
    if (before)
        printf(" (%+ld)", now->vsz_kib - before->vsz_kib);
    printf("\n  RSS    %ld KiB", now->rss_kib);
    if (before)
        printf(" (%+ld)", now->rss_kib - before->rss_kib);
    printf("\n  maps   %s", now->mapping[0] ? now->mapping : "(no such mapping yet)\n");
}

static void explain_pause(int pausing)
{
    if (!pausing)
        return;
    printf("  process %d: look with  ps -o pid,vsz,rss -p %d  and press Enter\n", (int)getpid(),
           (int)getpid());
    fflush(stdout);
    for (int key = 0; key != '\n' && key != EOF;)
        key = getchar();
}

static int explain_usage(FILE *out, int status)
{
    fprintf(out, "Usage: explain-mmap [--pause]\n"
                 "What mapping a page and writing to it do to VSZ and RSS.\n"
                 "  --pause   wait for Enter at each stage, so that ps can look\n");
    return status;
}

int main(int argc, char **argv)
{
    int pausing = argc == 2 && strcmp(argv[1], "--pause") == 0;
    if (argc == 2 && strcmp(argv[1], "--help") == 0)
        return explain_usage(stdout, 0);
    if (argc > 2 || (argc == 2 && !pausing))
        return explain_usage(stderr, 2);

    struct figures start, mapped, written;
    explain_measure(NULL, &written); /* once for nothing: what measuring itself touches is there */
    printf("Each figure is that of this process, %d, read by itself.\n\n", (int)getpid());
    explain_measure(NULL, &start);
    explain_print("At the start", &start, NULL);
    printf("  The program, its libraries and its stack: VSZ counts every address it may use, RSS\n"
           "  only the pages of them that are in memory.\n");
    explain_pause(pausing);

    size_t bytes = (size_t)sysconf(_SC_PAGESIZE);
    explain_measure(NULL, &start);
    char *page = mmap(NULL, bytes, PROT_READ | PROT_WRITE, EXPLAIN_FLAGS, -1, 0);
    if (page == MAP_FAILED) {
        perror("explain-mmap: mmap");
        return 1;
    }
    explain_measure(page, &mapped);
    explain_print("After mapping a page", &mapped, &start);
    printf("  VSZ grew by the page, since its addresses may be used now; RSS did not grow for it,\n"
           "  since no memory stands behind a page before it is first touched.\n");
    explain_pause(pausing);

    explain_measure(page, &mapped);
    memset(page, 'x', bytes);
    explain_measure(page, &written);
    explain_print("After writing to the page", &written, &mapped);
    printf("  VSZ did not move: the addresses were there already. RSS grew by the page: the write\n"
           "  faulted, and the kernel put a zeroed page of memory behind the address.\n");
    explain_pause(pausing);
    return munmap(page, bytes) != 0;
}
