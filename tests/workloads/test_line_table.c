/* Source lines: of this very program, and of tables that are damaged. */
#include "workloads/line_table.h"

#include <elf.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit.h"

extern const char __executable_start[];

static const char *image; /* this program's file */
static size_t image_bytes;

static int map_self(void **state)
{
    (void)state;
    struct stat status;
    int file = open("/proc/self/exe", O_RDONLY);
    assert_int_equal(fstat(file, &status), 0);
    image_bytes = (size_t)status.st_size;
    image = mmap(NULL, image_bytes, PROT_READ, MAP_PRIVATE, file, 0);
    close(file);
    return image == MAP_FAILED;
}

static struct line_section section(const char *name)
{
    const Elf64_Ehdr *header = (const void *)image;
    const Elf64_Shdr *list = (const void *)(image + header->e_shoff);
    const char *names = image + list[header->e_shstrndx].sh_offset;
    for (size_t i = 0; i < header->e_shnum; i++)
        if (strcmp(names + list[i].sh_name, name) == 0)
            return (struct line_section){(const uint8_t *)image + list[i].sh_offset,
                                         list[i].sh_size};
    return (struct line_section){NULL, 0};
}

static struct line_sections sections(void)
{
    return (struct line_sections){section(".debug_line"), section(".debug_line_str"),
                                  section(".debug_str")};
}

/* Where the caller's call stands, as it is in the file. */
static __attribute__((noinline)) uint64_t here(void)
{
    return (uint64_t)((const char *)__builtin_return_address(0) - __executable_start) - 1;
}

static void a_call_is_found_where_it_stands(void **state)
{
    (void)state;
    const struct line_sections of_self = sections();
    struct line_table *table = line_table_read(&of_self);
    uint32_t found;
    assert_non_null(table);
    uint64_t address = here(), line = __LINE__;
    const char *file = line_table_find(table, address, &found);
    assert_non_null(file);
    assert_string_equal(file, "test_line_table.c");
    assert_int_equal(found, line);
    assert_null(line_table_find(table, 0, &found));
    assert_null(line_table_find(table, UINT64_MAX, &found));
    line_table_destroy(table);
}

static void without_a_table_nothing_is_known(void **state)
{
    (void)state;
    const struct line_sections none = {{NULL, 0}, {NULL, 0}, {NULL, 0}};
    uint32_t line;
    assert_null(line_table_read(&none));
    assert_null(line_table_find(NULL, 1, &line));
    line_table_destroy(NULL);
}

static void a_damaged_table_is_read_as_far_as_it_goes(void **state)
{
    (void)state;
    struct line_sections damaged = sections();
    size_t bytes = damaged.line.bytes < 20000 ? damaged.line.bytes : 20000;
    uint8_t *copy = malloc(bytes);
    damaged.line = (struct line_section){copy, bytes};
    for (unsigned round = 0; round < 300; round++) {
        srand(round);
        memcpy(copy, sections().line.at, bytes);
        for (unsigned i = 0; i < 1 + round % 40; i++)
            copy[(size_t)rand() % (i % 2 ? bytes : 200)] = (uint8_t)rand();
        damaged.line.bytes = round % 3 ? bytes : 1 + (size_t)rand() % bytes;
        struct line_table *table = line_table_read(&damaged);
        for (uint64_t address = 0; address < 100000; address += 777) {
            uint32_t line = 0;
            const char *file = line_table_find(table, address, &line);
            assert_true(!file || (strlen(file) > 0 && line > 0));
        }
        line_table_destroy(table);
    }
    free(copy);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_call_is_found_where_it_stands),
        cmocka_unit_test(without_a_table_nothing_is_known),
        cmocka_unit_test(a_damaged_table_is_read_as_far_as_it_goes),
    };
    return cmocka_run_group_tests(tests, map_self, NULL);
}
