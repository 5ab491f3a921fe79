/* Symbol tables of ELF files: .symtab, of the file's separate debug file where that is installed,
 * else .dynsym. */
#include "workloads/symbols.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "workloads/line_table.h"

#include "workloads/demangle.h"

struct symbol {
    uint64_t address, size;
    const char *name; /* within the mapped file */
    char *readable;   /* owned; NULL: as the name is, or not asked for yet */
};

struct module {
    uint64_t start, end, bias;
    char *path;
    bool read;
    struct symbol *table; /* by address */
    size_t count;
    struct line_table *lines; /* NULL: none */
    void *file;               /* mapped */
    size_t bytes;
};

struct symbols {
    struct module *modules;
    size_t count;
    struct demangle demangle;
};

struct symbols *symbols_create(void)
{
    return calloc(1, sizeof(struct symbols));
}

static void module_release(struct module *module)
{
    line_table_destroy(module->lines);
    if (module->file)
        munmap(module->file, module->bytes);
    for (size_t i = 0; i < module->count; i++)
        free(module->table[i].readable);
    free(module->table);
    free(module->path);
}

void symbols_destroy(struct symbols *symbols)
{
    if (!symbols)
        return;
    for (size_t i = 0; i < symbols->count; i++)
        module_release(&symbols->modules[i]);
    demangle_release(&symbols->demangle);
    free(symbols->modules);
    free(symbols);
}

int symbols_add(struct symbols *symbols, uint64_t start, uint64_t end, uint64_t bias,
                const char *path, bool known)
{
    size_t kept = 0;
    for (size_t i = 0; i < symbols->count; i++)
        if (symbols->modules[i].start < end && start < symbols->modules[i].end)
            module_release(&symbols->modules[i]);
        else
            symbols->modules[kept++] = symbols->modules[i];
    symbols->count = kept;
    struct module *grown = realloc(symbols->modules, (kept + 1) * sizeof *grown);
    char *copy = strdup(path);
    if (grown)
        symbols->modules = grown;
    if (!grown || !copy) {
        free(copy);
        return -ENOMEM;
    }
    grown[symbols->count++] =
        (struct module){.start = start, .end = end, .bias = bias, .path = copy, .read = !known};
    return 0;
}

/* --- ELF; every offset is checked, the file may be anything --- */

static const void *elf_at(const struct module *module, uint64_t offset, uint64_t bytes)
{
    if (offset > module->bytes || bytes > module->bytes - offset || offset % 4)
        return NULL;
    return (const char *)module->file + offset;
}

static const Elf64_Shdr *elf_section(const struct module *module, size_t number)
{
    const Elf64_Ehdr *header = elf_at(module, 0, sizeof *header);
    if (!header || number >= header->e_shnum || header->e_shentsize != sizeof(Elf64_Shdr))
        return NULL;
    return elf_at(module, header->e_shoff + number * sizeof(Elf64_Shdr), sizeof(Elf64_Shdr));
}

static const Elf64_Shdr *elf_find(const struct module *module, uint32_t type)
{
    const Elf64_Shdr *section;
    for (size_t i = 0; (section = elf_section(module, i)); i++)
        if (section->sh_type == type)
            return section;
    return NULL;
}

static bool elf_map(struct module *module, const char *path)
{
    struct stat status;
    int file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (file < 0)
        return false;
    bool is_file = fstat(file, &status) == 0 && S_ISREG(status.st_mode) && status.st_size > 0;
    void *mapped =
        is_file ? mmap(NULL, (size_t)status.st_size, PROT_READ, MAP_PRIVATE, file, 0) : MAP_FAILED;
    close(file);
    if (mapped == MAP_FAILED)
        return false;
    if (module->file)
        munmap(module->file, module->bytes);
    module->file = mapped;
    module->bytes = (size_t)status.st_size;
    const Elf64_Ehdr *header = elf_at(module, 0, sizeof *header);
    return header && memcmp(header->e_ident, ELFMAG, SELFMAG) == 0 &&
           header->e_ident[EI_CLASS] == ELFCLASS64;
}

bool symbols_is_file(const char *path, const struct symbols_segment *segments, size_t count)
{
    struct module module = {0};
    const Elf64_Ehdr *header = elf_map(&module, path) ? module.file : NULL;
    size_t met = 0;
    for (size_t i = 0; header && i < header->e_phnum; i++) {
        const Elf64_Phdr *part =
            elf_at(&module, header->e_phoff + i * sizeof(Elf64_Phdr), sizeof(Elf64_Phdr));
        if (!part ||
            (part->p_type == PT_LOAD && (met == count || part->p_vaddr != segments[met].address ||
                                         part->p_memsz != segments[met].size)))
            header = NULL;
        else
            met += part->p_type == PT_LOAD;
    }
    module_release(&module);
    return header && met == count;
}

/* The note's place in /usr/lib/debug/.build-id, where a -dbgsym package puts the symbols. */
static bool elf_debug_path(const struct module *module, char path[128])
{
    const Elf64_Shdr *section;
    for (size_t i = 0; (section = elf_section(module, i)); i++) {
        const Elf64_Nhdr *note = elf_at(module, section->sh_offset, sizeof *note);
        if (section->sh_type != SHT_NOTE || !note || note->n_type != NT_GNU_BUILD_ID ||
            note->n_namesz != 4 || note->n_descsz < 3 || note->n_descsz > 32)
            continue;
        const uint8_t *id = elf_at(module, section->sh_offset + sizeof *note + 4, note->n_descsz);
        int length = id ? sprintf(path, "/usr/lib/debug/.build-id/%02x/", id[0]) : 0;
        for (uint32_t k = 1; id && k < note->n_descsz; k++)
            length += sprintf(path + length, "%02x", id[k]);
        strcpy(path + length, ".debug");
        return id != NULL;
    }
    return false;
}

static int symbol_compare(const void *a, const void *b)
{
    const struct symbol *x = a, *y = b;
    return (x->address > y->address) - (x->address < y->address);
}

static void module_read_table(struct module *module, const Elf64_Shdr *section)
{
    const Elf64_Shdr *strings = elf_section(module, section->sh_link);
    const Elf64_Sym *symbols = elf_at(module, section->sh_offset, section->sh_size);
    const char *names = strings ? elf_at(module, strings->sh_offset & ~(uint64_t)3, 0) : NULL;
    if (!names || !symbols || strings->sh_offset > module->bytes ||
        strings->sh_size > module->bytes - strings->sh_offset || !strings->sh_size)
        return;
    names = (const char *)module->file + strings->sh_offset;
    size_t count = section->sh_size / sizeof *symbols;
    if (names[strings->sh_size - 1] || !(module->table = calloc(count + 1, sizeof(struct symbol))))
        return;
    for (size_t i = 0; i < count; i++) {
        int type = ELF64_ST_TYPE(symbols[i].st_info);
        if ((type == STT_FUNC || type == STT_GNU_IFUNC) && symbols[i].st_value &&
            symbols[i].st_name < strings->sh_size)
            module->table[module->count++] = (struct symbol){.address = symbols[i].st_value,
                                                             .size = symbols[i].st_size,
                                                             .name = names + symbols[i].st_name};
    }
    qsort(module->table, module->count, sizeof *module->table, symbol_compare);
}

/* The section of that name; compressed ones are not read. */
static struct line_section elf_named(const struct module *module, const char *name)
{
    const Elf64_Ehdr *header = elf_at(module, 0, sizeof *header);
    const Elf64_Shdr *names = header ? elf_section(module, header->e_shstrndx) : NULL, *section;
    size_t length = strlen(name) + 1;
    for (size_t i = 0; names && (section = elf_section(module, i)); i++) {
        uint64_t at = names->sh_offset + section->sh_name;
        if (at > module->bytes || length > module->bytes - at ||
            memcmp((const char *)module->file + at, name, length) != 0)
            continue;
        if (section->sh_flags & SHF_COMPRESSED || section->sh_type == SHT_NOBITS ||
            section->sh_offset > module->bytes ||
            section->sh_size > module->bytes - section->sh_offset)
            break;
        return (struct line_section){(const uint8_t *)module->file + section->sh_offset,
                                     section->sh_size};
    }
    return (struct line_section){NULL, 0};
}

static void module_read_lines(struct module *module)
{
    const struct line_sections sections = {elf_named(module, ".debug_line"),
                                           elf_named(module, ".debug_line_str"),
                                           elf_named(module, ".debug_str")};
    module->lines = line_table_read(&sections);
}

static void module_read(struct module *module)
{
    char debug[128];
    module->read = true;
    if (!elf_map(module, module->path))
        return;
    const Elf64_Shdr *section = elf_find(module, SHT_SYMTAB);
    if (!section && elf_debug_path(module, debug) && access(debug, R_OK) == 0)
        section = elf_map(module, debug) ? elf_find(module, SHT_SYMTAB) : NULL;
    if (!section && elf_map(module, module->path))
        section = elf_find(module, SHT_DYNSYM);
    if (section)
        module_read_table(module, section);
    module_read_lines(module);
}

/* The last symbol that begins at or before `address`, if it reaches so far. */
static struct symbol *module_symbol(const struct module *module, uint64_t address)
{
    size_t low = 0, high = module->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (module->table[middle].address <= address)
            low = middle + 1;
        else
            high = middle;
    }
    struct symbol *symbol = low ? &module->table[low - 1] : NULL;
    bool inside = symbol && (!symbol->size || address - symbol->address < symbol->size);
    return inside ? symbol : NULL;
}

static const char *symbol_name(struct symbols *symbols, struct symbol *symbol)
{
    if (!symbol->readable)
        symbol->readable = demangle(&symbols->demangle, symbol->name);
    return symbol->readable ? symbol->readable : symbol->name;
}

/* Behind what the text holds already, if there is room. */
static void module_describe_line(const struct module *module, uint64_t address, char *text,
                                 size_t length)
{
    uint32_t line;
    char where[128];
    const char *source = line_table_find(module->lines, address, &line);
    size_t used = strlen(text);
    if (source && (size_t)snprintf(where, sizeof where, " (%s:%u)", source, (unsigned)line) <
                      (length - used < sizeof where ? length - used : sizeof where))
        strcpy(text + used, where);
}

void symbols_describe(struct symbols *symbols, uint64_t address, char *text, size_t length)
{
    struct module *module = NULL;
    /* A return address belongs to the call before it. */
    for (size_t i = 0; i < symbols->count && !module; i++)
        if (address - 1 >= symbols->modules[i].start && address - 1 < symbols->modules[i].end)
            module = &symbols->modules[i];
    if (!module) {
        snprintf(text, length, "0x%llx", (unsigned long long)address);
        return;
    }
    if (!module->read)
        module_read(module);
    const char *slash = strrchr(module->path, '/');
    const char *file = slash ? slash + 1 : module->path;
    uint64_t at = address - module->bias;
    struct symbol *symbol = module_symbol(module, at - 1);
    if (symbol)
        snprintf(text, length, "%.200s+0x%llx [%s]", symbol_name(symbols, symbol),
                 (unsigned long long)(at - symbol->address), file);
    else
        snprintf(text, length, "[%s]+0x%llx", file, (unsigned long long)at);
    module_describe_line(module, at - 1, text, length);
}

void symbols_describe_stack(struct symbols *symbols, const uint64_t *addresses, size_t count,
                            char *text, size_t length)
{
    size_t used = 0;
    *text = '\0';
    for (size_t i = 0; i < count && used + SYMBOLS_FRAME < length; i++) {
        if (i)
            text[used++] = '\n';
        symbols_describe(symbols, addresses[i], text + used, SYMBOLS_FRAME - 1);
        used += strlen(text + used);
    }
}
