/* What a call writes to stdout or stderr, and how many mappings the process has. */
#include "tests/allocators/support/capture.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static int capture_descriptor, capture_saved, capture_file;
static char capture_text[1 << 16];

static void capture_check(int value)
{
    if (value >= 0)
        return;
    perror("capture");
    abort();
}

void capture_begin(int descriptor)
{
    fflush(NULL);
    capture_descriptor = descriptor;
    capture_check(capture_saved = dup(descriptor));
    capture_check(capture_file = memfd_create("capture", 0));
    capture_check(dup2(capture_file, descriptor));
}

const char *capture_end(void)
{
    fflush(NULL);
    capture_check(dup2(capture_saved, capture_descriptor));
    ssize_t length = pread(capture_file, capture_text, sizeof capture_text - 1, 0);
    capture_check((int)length);
    capture_text[length] = '\0';
    close(capture_saved);
    close(capture_file);
    return capture_text;
}

size_t capture_end_lines(void)
{
    size_t lines = 0;
    for (const char *at = capture_end(); *at; at++)
        lines += *at == '\n';
    return lines;
}

static void mappings_read(size_t *count, size_t *bytes)
{
    static char buffer[4096]; /* no allocation of stdio's may show up in the figure */
    FILE *file = fopen("/proc/self/maps", "r");
    char line[512];
    unsigned long low, high;
    *count = *bytes = 0;
    if (!file)
        return;
    setvbuf(file, buffer, _IOFBF, sizeof buffer);
    while (fgets(line, sizeof line, file))
        if (sscanf(line, "%lx-%lx", &low, &high) == 2) {
            ++*count;
            *bytes += high - low;
        }
    fclose(file);
}

size_t mappings_count(void)
{
    size_t count, bytes;
    mappings_read(&count, &bytes);
    return count;
}

size_t mappings_bytes(void)
{
    size_t count, bytes;
    mappings_read(&count, &bytes);
    return bytes;
}

size_t mappings_of_tests(void)
{
    char line[512];
    size_t count = 0;
    FILE *maps = fopen("/proc/self/maps", "r");
    capture_check(maps ? 0 : -1);
    while (fgets(line, sizeof line, maps))
        count += strstr(line, "heapbench-test") != NULL;
    fclose(maps);
    return count;
}
