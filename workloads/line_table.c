/* Runs the line number programs of .debug_line and keeps their rows by address. */
#include "workloads/line_table.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* ---- reading; beyond the end everything is zero ---------------------------------------------- */

struct line_reader {
    const uint8_t *at, *end;
    bool wide; /* offsets take eight bytes */
};

static uint64_t line_number(struct line_reader *reader, size_t bytes)
{
    uint64_t value = 0;
    if ((size_t)(reader->end - reader->at) < bytes) {
        reader->at = reader->end;
        return 0;
    }
    for (size_t i = 0; i < bytes; i++)
        value |= (uint64_t)reader->at[i] << (8 * i);
    reader->at += bytes;
    return value;
}

static void line_skip(struct line_reader *reader, uint64_t bytes)
{
    uint64_t left = (uint64_t)(reader->end - reader->at);
    reader->at += bytes < left ? bytes : left;
}

static uint64_t line_offset(struct line_reader *reader)
{
    return line_number(reader, reader->wide ? 8 : 4);
}

static uint64_t line_uleb(struct line_reader *reader)
{
    uint64_t value = 0;
    for (unsigned shift = 0; reader->at < reader->end; shift += 7) {
        uint8_t byte = *reader->at++;
        if (shift < 64)
            value |= (uint64_t)(byte & 127) << shift;
        if (byte < 128)
            break;
    }
    return value;
}

static int64_t line_sleb(struct line_reader *reader)
{
    uint64_t value = 0;
    unsigned shift = 0;
    uint8_t byte = 0;
    while (reader->at < reader->end) {
        byte = *reader->at++;
        if (shift < 64)
            value |= (uint64_t)(byte & 127) << shift;
        shift += 7;
        if (byte < 128)
            break;
    }
    if (byte & 64 && shift < 64)
        value |= UINT64_MAX << shift;
    return (int64_t)value;
}

static const char *line_text(struct line_reader *reader)
{
    const uint8_t *text = reader->at;
    const uint8_t *zero = memchr(text, 0, (size_t)(reader->end - text));
    reader->at = zero ? zero + 1 : reader->end;
    return zero ? (const char *)text : "";
}

static const char *line_section_text(const struct line_section *section, uint64_t offset)
{
    if (offset >= section->bytes || !memchr(section->at + offset, 0, section->bytes - offset))
        return "";
    return (const char *)section->at + offset;
}

/* ---- rows ------------------------------------------------------------------------------------ */

/* From this address on the code is of this line; line 0 ends a stretch. */
struct line_row {
    uint64_t address;
    const char *file; /* within the sections */
    uint32_t line;
    uint32_t order; /* in which it was read */
};

struct line_table {
    struct line_row *rows;
    size_t count, room;
    bool full; /* memory ran out */
};

static void line_emit(struct line_table *table, uint64_t address, const char *file, uint64_t line)
{
    if (table->count == table->room && !table->full) {
        size_t room = table->room ? 2 * table->room : 1024;
        struct line_row *grown = reallocarray(table->rows, room, sizeof *grown);
        table->full = !grown;
        table->rows = grown ? grown : table->rows;
        table->room = grown ? room : table->room;
    }
    if (!table->full)
        table->rows[table->count] =
            (struct line_row){address, file, (uint32_t)line, (uint32_t)table->count};
    table->count += !table->full;
}

/* Ends a sequence. Rows that begin where it ends cover nothing, and an end sorts before them. */
static void line_end(struct line_table *table, uint64_t address)
{
    const struct line_row *rows = table->rows;
    while (table->count && rows[table->count - 1].line && rows[table->count - 1].address == address)
        table->count--;
    if (table->count && rows[table->count - 1].line)
        line_emit(table, address, "", 0);
}

/* An end comes before a beginning at the same address. */
static int line_compare(const void *left, const void *right)
{
    const struct line_row *a = left, *b = right;
    if (a->address != b->address)
        return a->address < b->address ? -1 : 1;
    if (!a->line != !b->line)
        return a->line ? 1 : -1;
    return (a->order > b->order) - (a->order < b->order);
}

/* ---- a unit's header ------------------------------------------------------------------------- */

enum { LINE_FILES = 4096 }; /* of a unit; more are not told apart */

struct line_unit {
    const struct line_sections *sections;
    struct line_reader reader; /* of the program */
    uint16_t version;
    uint8_t least; /* length of an instruction */
    int8_t base;
    uint8_t range, opcodes;
    const uint8_t *lengths; /* of the standard opcodes' operands */
    const char *files[LINE_FILES];
    size_t file_count;
};

static void line_add_file(struct line_unit *unit, const char *path)
{
    const char *slash = strrchr(path, '/');
    if (unit->file_count < LINE_FILES)
        unit->files[unit->file_count++] = slash ? slash + 1 : path;
}

/* Forms of the entries of a table of files (DWARF 5, 7.5.6). */
enum {
    FORM_DATA2 = 0x05,
    FORM_DATA4 = 0x06,
    FORM_DATA8 = 0x07,
    FORM_STRING = 0x08,
    FORM_BLOCK = 0x09,
    FORM_DATA1 = 0x0b,
    FORM_STRP = 0x0e,
    FORM_UDATA = 0x0f,
    FORM_DATA16 = 0x1e,
    FORM_LINE_STRP = 0x1f,
};

/* Reads an attribute; its text, or NULL where it is none. An unknown form ends the reading. */
static const char *line_attribute(struct line_unit *unit, struct line_reader *reader, uint64_t form)
{
    switch (form) {
    case FORM_STRING:
        return line_text(reader);
    case FORM_LINE_STRP:
        return line_section_text(&unit->sections->line_str, line_offset(reader));
    case FORM_STRP:
        return line_section_text(&unit->sections->str, line_offset(reader));
    case FORM_DATA1:
    case FORM_DATA2:
    case FORM_DATA4:
    case FORM_DATA8:
    case FORM_DATA16:
        line_skip(reader, form == FORM_DATA1   ? 1
                          : form == FORM_DATA2 ? 2
                          : form == FORM_DATA4 ? 4
                          : form == FORM_DATA8 ? 8
                                               : 16);
        return NULL;
    case FORM_UDATA:
        line_uleb(reader);
        return NULL;
    case FORM_BLOCK:
        line_skip(reader, line_uleb(reader));
        return NULL;
    default:
        reader->at = reader->end;
        return NULL;
    }
}

/* A table of directories or files of version 5. */
static void line_entries(struct line_unit *unit, struct line_reader *reader, bool files)
{
    enum { PATH = 1, FORMATS = 16 };
    uint64_t content[FORMATS], forms[FORMATS], formats = line_number(reader, 1);
    if (formats > FORMATS) {
        reader->at = reader->end;
        return;
    }
    for (uint64_t i = 0; i < formats; i++) {
        content[i] = line_uleb(reader);
        forms[i] = line_uleb(reader);
    }
    uint64_t count = line_uleb(reader);
    for (uint64_t entry = 0; entry < count && reader->at < reader->end; entry++) {
        const char *path = "";
        for (uint64_t i = 0; i < formats; i++) {
            const char *text = line_attribute(unit, reader, forms[i]);
            if (content[i] == PATH && text)
                path = text;
        }
        if (files)
            line_add_file(unit, path);
    }
}

/* The same of versions 2 to 4, where files count from 1. */
static void line_old_entries(struct line_unit *unit, struct line_reader *reader)
{
    while (reader->at < reader->end && *line_text(reader))
        continue;
    line_add_file(unit, "");
    for (const char *path; reader->at < reader->end && *(path = line_text(reader));) {
        line_add_file(unit, path);
        for (int i = 0; i < 3; i++) /* folder, time, length */
            line_uleb(reader);
    }
}

/* Leaves the reader at the program. False where it is of no known version. */
static bool line_header(struct line_unit *unit)
{
    struct line_reader *reader = &unit->reader;
    unit->version = (uint16_t)line_number(reader, 2);
    if (unit->version < 2 || unit->version > 5)
        return false;
    if (unit->version == 5)
        line_skip(reader, 2); /* sizes of addresses and segments */
    uint64_t length = line_offset(reader);
    struct line_reader tables = *reader;
    line_skip(reader, length);
    tables.end = reader->at;
    unit->least = (uint8_t)line_number(&tables, 1);
    line_skip(&tables, unit->version >= 4 ? 2 : 1); /* operations an instruction; is_stmt */
    unit->base = (int8_t)line_number(&tables, 1);
    unit->range = (uint8_t)line_number(&tables, 1);
    unit->opcodes = (uint8_t)line_number(&tables, 1);
    unit->lengths = tables.at;
    line_skip(&tables, unit->opcodes ? unit->opcodes - 1u : 0);
    if (!unit->range || !unit->opcodes || tables.at == tables.end)
        return false;
    if (unit->version < 5) {
        line_old_entries(unit, &tables);
    } else {
        line_entries(unit, &tables, false);
        line_entries(unit, &tables, true);
    }
    return true;
}

/* ---- its program ----------------------------------------------------------------------------- */

struct line_state {
    uint64_t address, file, line;
};

enum {
    LINE_COPY = 1,
    LINE_ADVANCE_PC,
    LINE_ADVANCE_LINE,
    LINE_SET_FILE,
    LINE_CONST_ADD_PC = 8,
    LINE_FIXED_ADVANCE_PC,
    LINE_END_SEQUENCE = 1, /* extended */
    LINE_SET_ADDRESS,
};

static void line_row(const struct line_unit *unit, const struct line_state *state,
                     struct line_table *table)
{
    const char *file = state->file < unit->file_count ? unit->files[state->file] : "";
    line_emit(table, state->address, file, state->line);
}

static void line_extended(struct line_unit *unit, struct line_state *state,
                          struct line_table *table)
{
    struct line_reader *reader = &unit->reader, operand = *reader;
    uint64_t length = line_uleb(reader);
    operand = *reader;
    line_skip(reader, length);
    operand.end = reader->at;
    uint64_t opcode = line_number(&operand, 1);
    if (opcode == LINE_END_SEQUENCE) {
        line_end(table, state->address);
        *state = (struct line_state){0, 1, 1};
    } else if (opcode == LINE_SET_ADDRESS) {
        state->address = line_number(&operand, (size_t)(operand.end - operand.at) == 8 ? 8 : 4);
    }
}

static void line_standard(struct line_unit *unit, uint8_t opcode, struct line_state *state,
                          struct line_table *table)
{
    struct line_reader *reader = &unit->reader;
    switch (opcode) {
    case LINE_COPY:
        line_row(unit, state, table);
        break;
    case LINE_ADVANCE_PC:
        state->address += line_uleb(reader) * unit->least;
        break;
    case LINE_ADVANCE_LINE:
        state->line += (uint64_t)line_sleb(reader);
        break;
    case LINE_SET_FILE:
        state->file = line_uleb(reader);
        break;
    case LINE_CONST_ADD_PC:
        state->address += (255u - unit->opcodes) / unit->range * unit->least;
        break;
    case LINE_FIXED_ADVANCE_PC:
        state->address += line_number(reader, 2);
        break;
    default:
        for (uint8_t i = 0; i < unit->lengths[opcode - 1]; i++)
            line_uleb(reader);
    }
}

static void line_run(struct line_unit *unit, struct line_table *table)
{
    struct line_state state = {0, 1, 1};
    struct line_reader *reader = &unit->reader;
    while (reader->at < reader->end && !table->full) {
        uint8_t opcode = *reader->at++;
        if (opcode == 0) {
            line_extended(unit, &state, table);
        } else if (opcode < unit->opcodes) {
            line_standard(unit, opcode, &state, table);
        } else {
            unsigned step = opcode - unit->opcodes;
            state.address += step / unit->range * unit->least;
            state.line += (uint64_t)(int64_t)(unit->base + (int)(step % unit->range));
            line_row(unit, &state, table);
        }
    }
}

/* ---- the table ------------------------------------------------------------------------------- */

static void line_read_units(struct line_table *table, struct line_unit *unit,
                            const struct line_sections *sections)
{
    struct line_reader all = {sections->line.at, sections->line.at + sections->line.bytes, false};
    while (all.at < all.end && !table->full) {
        uint64_t length = line_number(&all, 4);
        all.wide = length == UINT32_MAX;
        if (all.wide)
            length = line_number(&all, 8);
        *unit = (struct line_unit){.sections = sections, .reader = all};
        line_skip(&all, length);
        unit->reader.end = all.at;
        if (line_header(unit))
            line_run(unit, table);
    }
}

struct line_table *line_table_read(const struct line_sections *sections)
{
    struct line_table *table = calloc(1, sizeof *table);
    struct line_unit *unit = calloc(1, sizeof *unit);
    if (table && unit && sections->line.at)
        line_read_units(table, unit, sections);
    free(unit);
    if (table && table->count) {
        qsort(table->rows, table->count, sizeof *table->rows, line_compare);
        return table;
    }
    line_table_destroy(table);
    return NULL;
}

void line_table_destroy(struct line_table *table)
{
    if (table)
        free(table->rows);
    free(table);
}

const char *line_table_find(const struct line_table *table, uint64_t address, uint32_t *line)
{
    size_t low = 0, high = table ? table->count : 0;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (table->rows[middle].address <= address)
            low = middle + 1;
        else
            high = middle;
    }
    const struct line_row *row = low ? &table->rows[low - 1] : NULL;
    if (!row || !row->line || !*row->file)
        return NULL;
    *line = row->line;
    return row->file;
}
