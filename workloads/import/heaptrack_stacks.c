/* Call stacks of a heaptrack file. */
#include "workloads/import/heaptrack_stacks.h"

#include <stdio.h>

enum {
    HEAPTRACK_SEGMENTS = 16, /* of a file; the first tell it from others */
    HEAPTRACK_STRINGS = 3,   /* the version from which on strings tell their length */
};

/* Numbers of strings count from 1, 0 is none. */
struct heaptrack_place {
    uint64_t address;
    uint32_t file, function;
};

struct heaptrack_node {
    uint64_t place; /* raw: an address; interpreted: number of a place from 1 */
    uint32_t caller;
    uint32_t site; /* 0: not asked for yet */
};

static bool stacks_number(struct scan *line, uint64_t *value)
{
    scan_blanks(line);
    return scan_hex(line, value);
}

/* Optional fields at a line's end are 0. */
static uint32_t stacks_optional(struct scan *line)
{
    uint64_t value;
    return stacks_number(line, &value) && value <= UINT32_MAX ? (uint32_t)value : 0;
}

static enum import_verdict stacks_no_memory(struct heaptrack_stacks *stacks)
{
    stacks->no_memory = true;
    return IMPORT_BAD;
}

/* Older formats end a string by a blank or the line's end. */
static bool stacks_string(const struct heaptrack_stacks *stacks, struct scan *line, bool last,
                          struct scan *string)
{
    uint64_t length;
    const char *word;
    size_t letters;
    scan_blanks(line);
    if (stacks->version >= HEAPTRACK_STRINGS) {
        if (!scan_hex(line, &length) || !scan_char(line, ' ') ||
            (size_t)(line->end - line->at) < length)
            return false;
        *string = scan_over(line->at, length);
    } else if (last) {
        *string = *line;
    } else {
        scan_word(line, &word, &letters);
        *string = scan_over(word, letters);
    }
    line->at = string->end;
    return true;
}

static enum import_verdict stacks_add_string(struct heaptrack_stacks *stacks, struct scan line)
{
    struct scan string;
    if (!stacks_string(stacks, &line, true, &string))
        return IMPORT_BAD;
    return names_add(&stacks->strings, string.at, (size_t)(string.end - string.at))
               ? stacks_no_memory(stacks)
               : IMPORT_NOTHING;
}

static struct symbols *stacks_symbols(struct heaptrack_stacks *stacks)
{
    if (!stacks->symbols && !(stacks->symbols = symbols_create()))
        stacks->no_memory = true;
    return stacks->symbols;
}

/* What was told of frames may be wrong from now on. */
static void stacks_forget_frames(struct heaptrack_stacks *stacks)
{
    table_release(&stacks->frames);
    names_release(&stacks->frame_texts);
}

/* The program itself is called x; what is on this machine under a file's name may be another one.
 */
static enum import_verdict stacks_add_file(struct heaptrack_stacks *stacks, struct scan line)
{
    struct symbols_segment segments[HEAPTRACK_SEGMENTS];
    struct scan name;
    uint64_t bias, end = 0;
    size_t count = 0;
    if (!stacks_string(stacks, &line, false, &name))
        return IMPORT_BAD;
    if (!stacks_number(&line, &bias))
        return IMPORT_NOTHING; /* "m -": the list begins anew */
    for (struct symbols_segment *at = segments; count < HEAPTRACK_SEGMENTS; at++, count++) {
        if (!stacks_number(&line, &at->address) || !stacks_number(&line, &at->size))
            break;
        end = at->address + at->size > end ? at->address + at->size : end;
    }
    char path[4096];
    bool is_program = name.end - name.at == 1 && *name.at == 'x' && stacks->strings.count;
    snprintf(path, sizeof path, "%.*s", (int)(name.end - name.at), name.at);
    const char *file = is_program ? names_at(&stacks->strings, 0) : path;
    if (!count || end > UINT64_MAX - bias)
        return IMPORT_BAD;
    if (!stacks_symbols(stacks))
        return IMPORT_BAD;
    stacks_forget_frames(stacks);
    return symbols_add(stacks->symbols, bias + segments[0].address, bias + end, bias, file,
                       symbols_is_file(file, segments, count))
               ? stacks_no_memory(stacks)
               : IMPORT_NOTHING;
}

static enum import_verdict stacks_add_place(struct heaptrack_stacks *stacks, struct scan line)
{
    struct heaptrack_place place = {0};
    if (!stacks_number(&line, &place.address))
        return IMPORT_BAD;
    place.file = stacks_optional(&line);
    place.function = stacks_optional(&line);
    if (!stacks->place_count)
        stacks_forget_frames(stacks);
    if (array_reserve(&stacks->places, (stacks->place_count + (size_t)1) * sizeof place))
        return stacks_no_memory(stacks);
    ((struct heaptrack_place *)stacks->places.at)[stacks->place_count++] = place;
    return IMPORT_NOTHING;
}

static enum import_verdict stacks_add_node(struct heaptrack_stacks *stacks, struct scan line)
{
    struct heaptrack_node node = {0};
    uint64_t caller;
    if (!stacks_number(&line, &node.place) || !stacks_number(&line, &caller) ||
        caller > stacks->node_count)
        return IMPORT_BAD;
    node.caller = (uint32_t)caller;
    if (array_reserve(&stacks->nodes, (stacks->node_count + (size_t)1) * sizeof node))
        return stacks_no_memory(stacks);
    ((struct heaptrack_node *)stacks->nodes.at)[stacks->node_count++] = node;
    return IMPORT_NOTHING;
}

enum import_verdict heaptrack_stacks_take(struct heaptrack_stacks *stacks, char kind,
                                          struct scan line)
{
    switch (kind) {
    case 'm':
        return stacks_add_file(stacks, line);
    case 'i':
        return stacks_add_place(stacks, line);
    case 't':
        return stacks_add_node(stacks, line);
    default:
        return stacks_add_string(stacks, line);
    }
}

static const char *stacks_text(const struct heaptrack_stacks *stacks, uint32_t number)
{
    const char *text = number ? names_at(&stacks->strings, number - 1) : NULL;
    return text && *text ? text : NULL;
}

/* As symbols_describe says it; the place is there. */
static void stacks_describe_place(const struct heaptrack_stacks *stacks, uint64_t number,
                                  char *text, size_t length)
{
    const struct heaptrack_place *place = (struct heaptrack_place *)stacks->places.at + number - 1;
    const char *function = stacks_text(stacks, place->function);
    const char *file = stacks_text(stacks, place->file), *slash = file ? strrchr(file, '/') : NULL;
    file = slash ? slash + 1 : file;
    if (function)
        snprintf(text, length, "%.200s [%.80s]", function, file ? file : "?");
    else
        snprintf(text, length, "0x%llx [%.80s]", (unsigned long long)place->address,
                 file ? file : "?");
}

/* Most frames are of many stacks. NULL: no memory. */
static const char *stacks_frame(struct heaptrack_stacks *stacks, uint64_t place)
{
    char text[SYMBOLS_FRAME - 1];
    if (stacks->place_count && (!place || place > stacks->place_count))
        return "?";
    struct table_slot *slot = table_enter(&stacks->frames, place + (place != UINT64_MAX));
    if (!slot)
        return NULL;
    if (!slot->value) {
        if (stacks->place_count)
            stacks_describe_place(stacks, place, text, sizeof text);
        else if (stacks_symbols(stacks))
            symbols_describe(stacks->symbols, place, text, sizeof text);
        else
            return NULL;
        if (names_add(&stacks->frame_texts, text, strlen(text)))
            return NULL;
        slot->value = stacks->frame_texts.count;
    }
    return names_at(&stacks->frame_texts, (uint32_t)slot->value - 1);
}

static uint32_t stacks_new_site(struct heaptrack_stacks *stacks, const uint64_t *frames,
                                size_t count)
{
    char text[HEAPTRACK_CALLERS * SYMBOLS_FRAME];
    char *at = text;
    for (size_t i = 0; i < count; i++) {
        const char *frame = stacks_frame(stacks, frames[i]);
        if (!frame) {
            stacks->no_memory = true;
            return 0;
        }
        if (i)
            *at++ = '\n';
        at = stpcpy(at, frame);
    }
    return at > text ? trace_writer_site(stacks->writer, text) : 0;
}

uint32_t heaptrack_stacks_site(struct heaptrack_stacks *stacks, uint64_t number)
{
    uint64_t frames[HEAPTRACK_CALLERS], hash = 1;
    size_t count = 0;
    if (!number || number > stacks->node_count)
        return 0;
    struct heaptrack_node *nodes = stacks->nodes.at, *asked = &nodes[number - 1];
    if (asked->site)
        return asked->site;
    for (; number && count < HEAPTRACK_CALLERS; number = nodes[number - 1].caller) {
        frames[count] = nodes[number - 1].place;
        hash = (hash ^ frames[count++]) * UINT64_C(0x9e3779b97f4a7c15);
        hash ^= hash >> 32;
    }
    struct table_slot *slot = table_enter(&stacks->sites, hash | 1);
    if (!slot) {
        stacks->no_memory = true;
        return 0;
    }
    if (!slot->value)
        slot->value = stacks_new_site(stacks, frames, count);
    return asked->site = (uint32_t)slot->value;
}

void heaptrack_stacks_release(struct heaptrack_stacks *stacks)
{
    stacks_forget_frames(stacks);
    names_release(&stacks->strings);
    symbols_destroy(stacks->symbols);
    array_release(&stacks->places);
    array_release(&stacks->nodes);
    table_release(&stacks->sites);
}
