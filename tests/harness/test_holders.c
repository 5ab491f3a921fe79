/* Who holds the pages: drawn by hand; and call sites by their names. */
#include "harness/explain/holders.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/unit.h"
#include "workloads/writer.h"

#define BASE UINT64_C(0x100000)

/* Page 0: two blocks of 48 of site 1 and one of 64 of site 2. Page 1: one of site 1. Page 2: half
 * live. Pages 3 and 4: the end of a large block of site 2, sparse; page 5 absent. */
static struct moments_block drawn[] = {
    {.address = BASE, .size = 48, .usable = 48, .event = 0, .site = 1},
    {.address = BASE + 64, .size = 48, .usable = 48, .event = 10, .site = 1},
    {.address = BASE + 128, .size = 64, .usable = 64, .event = 20, .site = 2},
    {.address = BASE + 4096, .size = 48, .usable = 48, .event = 30, .site = 1},
    {.address = BASE + 2 * 4096, .size = 2048, .usable = 2048, .event = 40, .site = 1},
    {.address = BASE + 3 * 4096 + 3500, .size = 1000, .usable = 1000, .event = 50, .site = 2},
    {.address = BASE + 5 * 4096, .size = 10, .usable = 10, .event = 60, .site = 2},
};
enum { DRAWN = sizeof drawn / sizeof *drawn };

static const uint8_t states[] = {PAGE_RESIDENT, PAGE_RESIDENT, PAGE_RESIDENT,
                                 PAGE_RESIDENT, PAGE_RESIDENT, PAGE_ABSENT};
static const struct view_stretch stretch = {BASE, 6, states, 0};

static void holders_are_ranked_by_what_they_keep(void **state)
{
    (void)state;
    struct view_block blocks[DRAWN];
    for (size_t i = 0; i < DRAWN; i++)
        blocks[i] = (struct view_block){drawn[i].address, drawn[i].size, drawn[i].usable};
    const struct scene scene = {
        .blocks = drawn,
        .block_count = DRAWN,
        .view = {.blocks = blocks, .block_count = DRAWN, .stretches = &stretch, .stretch_count = 1},
    };
    uint32_t labels[] = {1, 2};
    const struct sites sites = {.labels = labels, .count = 2};
    struct moments_area *at = calloc(1, sizeof *at);
    at->event = 101;
    struct holders holders;
    holders_find(&holders, &scene, &sites, at);
    assert_int_equal(holders.pages, 4);
    assert_int_equal(holders.count, 3);
    const struct holder *first = &holders.list[0], *second = &holders.list[1];
    /* The large block's two pages are its own. */
    assert_int_equal(first->label, 2);
    assert_int_equal(first->blocks, 1);
    assert_int_equal(first->resident_bytes, 2 * 4096);
    assert_int_equal(first->alone_bytes, 2 * 4096);
    assert_int_equal(first->pages, 2);
    assert_int_equal(first->live_bytes, 1000);
    assert_int_equal(first->age_events, 50);
    /* A page is shared equally among its blocks: two thirds of one, and one. */
    assert_int_equal(second->label, 1);
    assert_int_equal(second->blocks, 3);
    assert_int_equal(second->resident_bytes, 1366 + 1365 + 4096);
    assert_int_equal(second->alone_bytes, 4096);
    assert_int_equal(second->pages, 2);
    assert_int_equal(second->size_low, 48);
    assert_int_equal(second->size_high, 48);
    assert_int_equal(second->age_events, 90);
    assert_int_equal(second->oldest_events, 100);
    assert_int_equal(holders.list[2].resident_bytes, 1365);
    assert_int_equal(holders.list[2].alone_bytes, 0);
    uint64_t kept = 0;
    for (size_t i = 0; i < holders.count; i++)
        kept += holders.list[i].resident_bytes;
    assert_int_equal(kept, 4 * 4096);
    holders_release(&holders);
    free(at);
}

static const char *const stacks[] = {
    "xmalloc+0x9 [conf] (conf.c:3)\nparse_config+0xe [conf] (conf.c:9)\nmain+0x29 [conf]",
    "operator new(unsigned long)+0x18 [libstdc++.so.6]\nread_file (conf.c:12)\nmain+0x29 [conf]",
    "parse_config+0x2e [conf] (conf.c:9)\nmain+0x77 [conf]",
    "malloc_info+0x1 [a]\ng_realloc+0x2 [b]",
    ("void std::vector<int, std::allocator<int> >::_M_fill<int>(int)+0x1 [b]\n"
     "ns::list<std::allocator<int> >::add(int, char)+0x20 [b]"),
};
enum { STACKS = sizeof stacks / sizeof *stacks };

static void write_sites(const char *path)
{
    struct trace_writer *writer;
    struct err err;
    const struct trace_origin origin = {.program = "",
                                        .arguments = "",
                                        .host = "",
                                        .tool = "",
                                        .source = "",
                                        .losses = "",
                                        .columns = TRACE_HAS_SITES};
    assert_int_equal(trace_writer_create(&writer, path, &origin, &err), 0);
    for (uint32_t i = 0; i < STACKS; i++) {
        struct trace_event event = {.kind = TRACE_MALLOC, .object = i, .size = 8};
        event.site = trace_writer_site(writer, stacks[i]);
        assert_int_equal(trace_writer_add(writer, &event, &err), 0);
    }
    assert_int_equal(trace_writer_finish(writer, &err), 0);
}

static void a_site_is_named_by_who_wanted_the_memory(void **state)
{
    (void)state;
    char path[64];
    struct sites sites;
    snprintf(path, sizeof path, "/tmp/heapbench-sites.%d", (int)getpid());
    write_sites(path);
    assert_int_equal(sites_read(&sites, path, NULL), 0);
    unlink(path);
    assert_int_equal(sites.count, STACKS);
    assert_string_equal(sites.names[sites_label(&sites, 1)], "parse_config (conf.c:9)");
    assert_string_equal(sites.names[sites_label(&sites, 2)], "read_file (conf.c:12)");
    assert_int_equal(sites_label(&sites, 3), sites_label(&sites, 1));
    assert_string_equal(sites.names[sites_label(&sites, 4)], "malloc_info+0x1 [a]");
    assert_string_equal(sites.names[sites_label(&sites, 5)],
                        "ns::list<std::allocator<int> >::add(int, char)+0x20 [b]");
    assert_string_equal(sites.names[sites_label(&sites, 6)], "");
    static const struct {
        const char *text;
        size_t matches;
        uint8_t bits;
    } cases[] = {
        {"parse_config", 2, 0x0a}, {"parse_config (conf.c:9)", 2, 0x0a},
        {"conf.c:9", 2, 0x0a},     {"conf.c:3", 1, 0x02},
        {"conf.c", 0, 0},          {"ns::list<std::allocator<int> >::add", 1, 0x20},
        {"read_file", 1, 0x04},    {"read_file (conf.c:12)", 1, 0x04},
        {"main", 3, 0x0e},         {"xmalloc", 1, 0x02},
        {"parse", 0, 0},           {"", 0, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        uint8_t bits[2] = {0};
        assert_int_equal(sites_match(&sites, cases[i].text, bits, 16), cases[i].matches);
        assert_int_equal(bits[0], cases[i].bits);
    }
    sites_release(&sites);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(holders_are_ranked_by_what_they_keep),
        cmocka_unit_test(a_site_is_named_by_who_wanted_the_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
