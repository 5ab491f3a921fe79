/* Names for files: safe in any shell, path or script, and never shared by two specs. */
#include <inttypes.h>
#include <string.h>

#include "results/store.h"
#include "results/text.h"

/* FNV-1a, 64 bits (Fowler, Noll & Vo). */
static uint64_t name_hash(const char *text)
{
    uint64_t hash = 0xcbf29ce484222325u;
    for (; *text; text++)
        hash = (hash ^ (unsigned char)*text) * 0x100000001b3u;
    return hash;
}

static bool name_is_safe(const char *text, size_t place)
{
    static const char safe[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._+=-";
    /* A leading dot hides a file, a leading dash is an option. */
    return strchr(safe, text[place]) && !(place == 0 && strchr(".-", text[place]));
}

/* Three of them and a repetition make a cell's name. */
enum { NAME_KEPT = 58, NAME_HASHED = 1 + 16 };
_Static_assert(2 * (NAME_KEPT + NAME_HASHED) + 16 + 20 + 4 <= STORE_NAME, "a cell's name fits");

const char *store_slug(char out[STORE_NAME], const char *raw)
{
    /* As it comes back from cells.jsonl, so that the name is found again. */
    char text[sizeof((struct cell_result *)0)->allocator];
    text_repair(text, sizeof text, raw);
    size_t at = 0;
    bool changed = !*text;
    for (; text[at] && at < NAME_KEPT; at++) {
        bool safe = name_is_safe(text, at);
        out[at] = safe ? text[at] : '_';
        changed |= !safe;
    }
    out[at] = '\0';
    if (changed || text[at])
        snprintf(out + at, STORE_NAME - at, "-%016" PRIx64, name_hash(text));
    return out;
}

const char *store_cell_name(char out[STORE_NAME], const struct cell_result *cell)
{
    char trace[STORE_NAME], allocator[STORE_NAME];
    snprintf(out, STORE_NAME, "%.75s.%.75s.%.15s.%" PRIu64, store_slug(trace, cell->trace),
             store_slug(allocator, cell->allocator), cell->pass, cell->repetition);
    return out;
}
