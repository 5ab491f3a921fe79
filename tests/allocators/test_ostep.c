/* The OSTEP memory manager's classic interface, and a linear reference. There is one region for the
 * life of a process, so each test runs in a child. */
#include "tests/unit.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "harness/base/rng.h"
#include "mem.h"
#include "tests/allocators/support/capture.h"

/* Ends the child with the line that failed. */
#define ENSURE(condition)                                                                          \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition);                        \
            _exit(1);                                                                              \
        }                                                                                          \
    } while (0)

static void in_child(void (*test)(void))
{
    pid_t child = fork();
    if (child == 0) {
        test();
        _exit(0);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

static const char *dumped(void)
{
    capture_begin(STDOUT_FILENO);
    Mem_Dump();
    return capture_end();
}

static const char *block_line(const char *base, int offset, int size)
{
    static char text[4][80];
    static int turn;
    turn = (turn + 1) % 4;
    snprintf(text[turn], sizeof text[turn], "address: %p\n\nsize: %d\n\n\n",
             (const void *)(base + offset), size);
    return text[turn];
}

static void ensure_dump(const char *first, const char *second)
{
    char expected[256];
    snprintf(expected, sizeof expected, "\nFree memory: \n%s%s", first, second);
    ENSURE(strcmp(dumped(), expected) == 0);
}

static int header_word(const char *block, int which)
{
    int word;
    memcpy(&word, block - 8 + 4 * which, sizeof word);
    return word;
}

/* 4096 is 4088; after 100, 3980; after three, 3764; the second freed: 100 and 3764. */
static void the_texts_arithmetic(void)
{
    char *base = Mem_Init(4096);
    ensure_dump(block_line(base, 0, 4088), "");
    char *one = Mem_Alloc(100);
    ENSURE(one == base + 8);
    ENSURE(header_word(one, 0) == 100 && header_word(one, 1) == 1234567);
    ensure_dump(block_line(base, 108, 3980), "");
    ENSURE(header_word(base + 116, 1) == 0);
    char *two = Mem_Alloc(100), *three = Mem_Alloc(100);
    ENSURE(two == base + 116 && three == base + 224);
    ensure_dump(block_line(base, 324, 3764), "");
    ENSURE(Mem_Free(two) == 0);
    ENSURE(header_word(two, 0) == 100 && header_word(two, 1) == 324);
    ensure_dump(block_line(base, 108, 100), block_line(base, 324, 3764));
}

static void blocks_are_exact(void)
{
    char *base = Mem_Init(1);
    ENSURE(Mem_Alloc(4089) == NULL);
    char *all = Mem_Alloc(4088);
    ENSURE(all == base + 8);
    ensure_dump("", "");
    ENSURE(Mem_Alloc(1) == NULL);
    ENSURE(Mem_Free(all) == 0);
    ensure_dump(block_line(base, 0, 4088), "");
    /* What is left must hold a header and a byte: with 9 bytes it does, with 8 it stays. */
    ENSURE(Mem_Alloc(4088 - 9) == all);
    ensure_dump(block_line(base, 4087, 1), "");
    char *byte = Mem_Alloc(1);
    ENSURE(byte == base + 4095);
    *byte = 'x';
    ENSURE(Mem_Free(all) == 0);
    ENSURE(Mem_Alloc(4088 - 9 - 8) == all);
    ensure_dump("", "");
    ENSURE(header_word(all, 0) == 4088 - 9);
}

/* A freed block is the head, also the one at the start of the region; neighbours stay apart. */
static void freed_blocks_go_to_the_head(void)
{
    char *base = Mem_Init(4096);
    char *a = Mem_Alloc(13), *b = Mem_Alloc(13);
    ENSURE(b == base + 29);
    ENSURE(Mem_Free(a) == 0);
    ensure_dump(block_line(base, 0, 13), block_line(base, 42, 4046));
    ENSURE(Mem_Free(b) == 0);
    char expected[256];
    snprintf(expected, sizeof expected, "\nFree memory: \n%s%s%s", block_line(base, 21, 13),
             block_line(base, 0, 13), block_line(base, 42, 4046));
    ENSURE(strcmp(dumped(), expected) == 0);
    ENSURE(Mem_Alloc(26) == base + 50);
    ENSURE(Mem_Alloc(2) == b && Mem_Alloc(2) == b + 10 && Mem_Alloc(2) == a);
}

static void bad_calls(void)
{
    int outside = 0;
    ENSURE(Mem_Alloc(10) == NULL);
    ENSURE(Mem_Free(&outside) == -1);
    ENSURE(Mem_Free(NULL) == 0);
    ENSURE(Mem_Init(0) == NULL && Mem_Init(-4096) == NULL && Mem_Init(INT_MIN) == NULL);
    ENSURE(strcmp(dumped(), "\nFree memory: \n") == 0);
    char *base = Mem_Init(4096);
    ENSURE(base != NULL && Mem_Init(4096) == NULL);
    ENSURE(Mem_Alloc(0) == NULL && Mem_Alloc(-1) == NULL && Mem_Alloc(INT_MIN) == NULL &&
           Mem_Alloc(INT_MAX) == NULL && Mem_Alloc(INT_MAX - 4) == NULL);
    char *a = Mem_Alloc(64), *b = Mem_Alloc(64);
    memset(a, 0, 64);
    int forged[2] = {8, 1234567};
    memcpy(a + 16, forged, sizeof forged);
    ENSURE(Mem_Free(a + 24) == -1);
    ENSURE(Mem_Free(a + 1) == -1 && Mem_Free(base) == -1 && Mem_Free(base + 4096) == -1 &&
           Mem_Free(base + 4104) == -1);
    void *gap = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    ENSURE(Mem_Free(gap) == -1 && Mem_Free((void *)8) == -1 && Mem_Free((void *)-8) == -1);
    ENSURE(Mem_Free(a) == 0 && Mem_Free(a) == -1);
    ENSURE(Mem_Free(b) == 0 && Mem_Free(b) == -1);
}

/* A free block whose `next` is the magic number is still free. */
static void a_link_that_equals_the_magic_number(void)
{
    char *base = Mem_Init(2000000);
    char *head = Mem_Alloc(1234567 - 8);
    char *rest = Mem_Alloc(10), *last = Mem_Alloc(10);
    ENSURE(rest == base + 1234567 + 8 && last != NULL);
    ENSURE(Mem_Free(rest) == 0 && Mem_Free(head) == 0);
    ENSURE(header_word(head, 1) == 1234567);
    ENSURE(Mem_Free(head) == -1);
    ENSURE(Mem_Alloc(1234567 - 8) == head);
}

/* ---- the reference: the free list as an array, head first ---- */

enum { BLOCKS = 8000, REGION = 1 << 13 };

struct model_block {
    int offset, size;
};

struct model {
    struct model_block list[BLOCKS];
    int count;
};

static int model_alloc(struct model *model, int size, int *taken)
{
    for (int at = 0; at < model->count; at++) {
        struct model_block *block = &model->list[at];
        if (block->size < size)
            continue;
        int offset = block->offset, rest = block->size - size - 8;
        *taken = rest > 0 ? size : block->size;
        if (rest > 0) {
            *block = (struct model_block){offset + 8 + size, rest};
        } else {
            memmove(block, block + 1, (size_t)(model->count - at - 1) * sizeof *block);
            model->count--;
        }
        return offset;
    }
    return -1;
}

static void model_free(struct model *model, struct model_block block)
{
    ENSURE(model->count < BLOCKS);
    memmove(model->list + 1, model->list, (size_t)model->count * sizeof block);
    model->list[0] = block;
    model->count++;
}

static void places_exactly(void)
{
    static struct model model;
    static struct model_block live[BLOCKS];
    size_t lives = 0;
    struct rng rng;
    rng_init(&rng, 11);
    char *base = Mem_Init(REGION);
    model.list[model.count++] = (struct model_block){0, REGION - 8};
    for (int step = 0; step < 500000; step++) {
        if (lives > 0 && rng_below(&rng, 2)) {
            size_t pick = (size_t)rng_below(&rng, lives);
            ENSURE(Mem_Free(base + live[pick].offset + 8) == 0);
            model_free(&model, live[pick]);
            live[pick] = live[--lives];
        } else {
            struct model_block block = {0, 0};
            int size = 1 + (int)rng_below(&rng, 150);
            block.offset = model_alloc(&model, size, &block.size);
            char *got = Mem_Alloc(size);
            ENSURE(got == (block.offset < 0 ? NULL : base + block.offset + 8));
            if (block.offset >= 0)
                live[lives++] = block;
        }
    }
}

/* A block that was freed is written to: its link leads back to the head of the list. */
static void a_ring_of_links(void)
{
    char *base = Mem_Init(4096);
    char *first = Mem_Alloc(100), *second = Mem_Alloc(100);
    ENSURE(Mem_Free(first) == 0 && Mem_Free(second) == 0);
    int head = (int)(second - 8 - base);
    memcpy(first - 4, &head, sizeof head);
    ENSURE(Mem_Alloc(2000) == NULL);
    ENSURE(strstr(dumped(), block_line(base, head, 100)));
    ENSURE(Mem_Alloc(100) == second);
    ENSURE(Mem_Alloc(100) == first);
    ENSURE(Mem_Alloc(100) == NULL); /* not `second` again */
}

/* Whatever a program writes over the headers, no call goes astray. */
static void headers_written_over(void)
{
    static const unsigned char fills[] = {0xff, 0x7f, 0x01, 0x00};
    const size_t bytes = 65536;
    char *base = Mem_Init((int)bytes), *blocks[8];
    for (int i = 0; i < 8; i++)
        blocks[i] = Mem_Alloc(100 + i);
    for (int i = 0; i < 8; i += 2)
        Mem_Free(blocks[i]);
    for (size_t i = 0; i < sizeof fills; i++) {
        memset(base, fills[i], bytes);
        ENSURE(Mem_Free(blocks[1]) == -1);
        ENSURE(Mem_Alloc(200) == NULL);
        ensure_dump("", "");
    }
}

#define CHILD_TEST(name)                                                                           \
    static void test_##name(void **state)                                                          \
    {                                                                                              \
        (void)state;                                                                               \
        in_child(name);                                                                            \
    }
CHILD_TEST(the_texts_arithmetic)
CHILD_TEST(blocks_are_exact)
CHILD_TEST(freed_blocks_go_to_the_head)
CHILD_TEST(bad_calls)
CHILD_TEST(a_link_that_equals_the_magic_number)
CHILD_TEST(a_ring_of_links)
CHILD_TEST(headers_written_over)
CHILD_TEST(places_exactly)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_texts_arithmetic),
        cmocka_unit_test(test_blocks_are_exact),
        cmocka_unit_test(test_freed_blocks_go_to_the_head),
        cmocka_unit_test(test_bad_calls),
        cmocka_unit_test(test_a_link_that_equals_the_magic_number),
        cmocka_unit_test(test_a_ring_of_links),
        cmocka_unit_test(test_headers_written_over),
        cmocka_unit_test(test_places_exactly),
    };
    return cmocka_run_group_tests_name("ostep", tests, NULL, NULL);
}
