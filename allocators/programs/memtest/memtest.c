/* The OSTEP memory manager at work, through libmem.so:
 *
 *   LD_LIBRARY_PATH=build:$LD_LIBRARY_PATH build/memtest
 *
 * prints what expected_output.txt holds. Addresses are relative to the region (0x0 is what Mem_Init
 * returned), so that the output is the same wherever the region is; with --absolute they are not,
 * and Mem_Dump prints for itself. Exits with 1 when a call does not do what it should. */
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "mem.h"

static char *region;
static int absolute;
static int failures;

/* Mem_Dump prints absolute addresses: its output is read back and each is made relative. */
static void memtest_relative(FILE *from)
{
    char line[128];
    void *address;
    rewind(from);
    while (fgets(line, sizeof line, from))
        if (sscanf(line, "address: %p", &address) == 1)
            printf("address: 0x%lx\n", (unsigned long)((char *)address - region));
        else
            fputs(line, stdout);
}

static void memtest_dump(void)
{
    if (absolute) {
        Mem_Dump();
        return;
    }
    FILE *file = tmpfile();
    fflush(stdout);
    int out = dup(STDOUT_FILENO);
    if (!file || out < 0 || dup2(fileno(file), STDOUT_FILENO) < 0) {
        perror("memtest: cannot catch the output of Mem_Dump (try --absolute)");
        failures++;
        return;
    }
    Mem_Dump();
    fflush(stdout);
    dup2(out, STDOUT_FILENO);
    close(out);
    memtest_relative(file);
    fclose(file);
}

static void memtest_expect(int right, const char *what)
{
    if (right)
        return;
    printf("ERROR: %s\n", what);
    failures++;
}

static char *memtest_alloc(int size)
{
    char *block = Mem_Alloc(size);
    if (!block)
        printf("Mem_Alloc(%d): NULL\n", size);
    else if (absolute)
        printf("Mem_Alloc(%d): %p\n", size, (void *)block);
    else
        printf("Mem_Alloc(%d): 0x%lx\n", size, (unsigned long)(block - region));
    return block;
}

static void memtest_free(const char *what, void *block, int expected)
{
    int status = Mem_Free(block);
    printf("Mem_Free of %s: %d\n", what, status);
    memtest_expect(status == expected, "that is not what Mem_Free should return");
}

/* The text's own example: three blocks of 100 out of 4096, the second freed. */
static void memtest_example(void)
{
    char *first = memtest_alloc(100);
    memtest_dump();
    char *second = memtest_alloc(100), *third = memtest_alloc(100);
    strcpy(first, "one");
    strcpy(third, "three");
    memtest_dump();
    memtest_free("the second block", second, 0);
    memtest_dump();
    memtest_free("the second block again", second, -1);
    memtest_free("an address inside the first block", first + 8, -1);
    memtest_free("an address outside the region", &failures, -1);
    memtest_free("NULL", NULL, 0);
    memtest_expect(strcmp(first, "one") == 0 && strcmp(third, "three") == 0,
                   "a live block changed");
}

static void memtest_limits(void)
{
    char *small = memtest_alloc(40);
    memtest_expect(small != NULL, "a block of 40 fits the freed one of 100");
    memtest_dump();
    char *large = memtest_alloc(3764);
    memtest_expect(large != NULL, "a block of 3764 takes the last one exactly");
    memtest_dump();
    memtest_expect(memtest_alloc(100) == NULL, "nothing is left for a block of 100");
    memtest_expect(memtest_alloc(0) == NULL, "no block has 0 bytes");
    memtest_free("the block of 3764", large, 0);
    memtest_dump();
}

int main(int argc, char **argv)
{
    absolute = argc > 1 && strcmp(argv[1], "--absolute") == 0;
    region = Mem_Init(4096);
    if (!region) {
        fprintf(stderr, "memtest: Mem_Init(4096) found no memory\n");
        return 1;
    }
    printf("Mem_Init(4096): the head of the free list\n");
    memtest_dump();
    memtest_example();
    memtest_limits();
    memtest_expect(Mem_Init(4096) == NULL, "there is one region for the life of the process");
    return failures != 0;
}
