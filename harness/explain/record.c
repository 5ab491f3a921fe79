/* A moment of a replay as a result. */
#include "harness/explain/record.h"

#include <stdio.h>
#include <string.h>

#include "harness/measure/parts.h"

static void record_name(struct breakdown *breakdown, const struct inquiry *inquiry,
                        const struct moment *moment)
{
    breakdown_clear(breakdown);
    snprintf(breakdown->allocator, sizeof breakdown->allocator, "%s", inquiry->cell.allocator);
    snprintf(breakdown->trace, sizeof breakdown->trace, "%s", inquiry->cell.trace_name);
    snprintf(breakdown->at, sizeof breakdown->at, "%s", moment->at);
    snprintf(breakdown->touch, sizeof breakdown->touch, "%s", touch_names[inquiry->cell.touch]);
}

static void record_parts(struct breakdown *breakdown, const struct scene *scene)
{
    struct parts parts;
    const struct image *image = &scene->image;
    parts_of(&scene->view, &parts);
    breakdown->payload = parts.payload;
    breakdown->rounding = parts.rounding;
    breakdown->free_in_live_pages = parts.free_in_live_pages;
    breakdown->free_pages = parts.free_pages;
    breakdown->unused_pages = parts.unused_pages;
    breakdown->lazy_free = parts.lazy_free;
    breakdown->metadata = parts.metadata;
    breakdown->rest_harness = image->rest.harness;
    breakdown->rest_code = image->rest.code;
    breakdown->rest_data = image->rest.other;
    breakdown->rest_of_process = image->rest.harness + image->rest.code + image->rest.other;
    breakdown->touched_not_yet = parts.touched_not_yet;
    breakdown->swapped = parts.swapped;
    breakdown->returned = parts.returned;
    breakdown->reserved = parts.reserved + image->reserved;
    breakdown->live_pages = parts.live_pages;
    breakdown->sparse_pages = parts.sparse_pages;
    breakdown->huge_bytes = image->huge_bytes;
    breakdown->rss_bytes = image->rss;
    breakdown->sum = breakdown_sum(breakdown);
}

static void record_inside(struct breakdown *breakdown, const struct scene_inside *inside)
{
    breakdown->metadata_told = inside->known;
    if (!inside->known)
        return;
    breakdown->inside_blocks = inside->used_blocks;
    breakdown->inside_used = inside->used_resident;
    breakdown->inside_free = inside->free_resident;
    breakdown->inside_metadata = inside->metadata_resident;
}

void record_scene(struct breakdown *breakdown, const struct inquiry *inquiry,
                  const struct moment *moment, const struct scene *scene,
                  const struct moments_area *at)
{
    record_name(breakdown, inquiry, moment);
    snprintf(breakdown->status, sizeof breakdown->status, "ok");
    breakdown->event = moment->kind == MOMENT_TIME ? at->event : moment->event;
    breakdown->time_ns = inquiry->times ? at->time_ns : COUNT_UNKNOWN;
    breakdown->live_bytes = at->live;
    breakdown->live_blocks = at->live_blocks;
    breakdown->rounding_told = at->usable_known;
    breakdown->usable_bytes = at->usable_known ? at->usable : COUNT_UNKNOWN;
    breakdown->base_rss_bytes = at->base_rss;
    breakdown->peak_rss_bytes = inquiry->peak_rss;
    record_parts(breakdown, scene);
    record_inside(breakdown, &scene->inside);
    if (breakdown->sum != breakdown->rss_bytes)
        snprintf(breakdown->detail, sizeof breakdown->detail,
                 "the parts differ from the RSS by %lld bytes: this kernel's pagemap and smaps do "
                 "not agree",
                 (long long)(breakdown->sum - breakdown->rss_bytes));
}

void record_failure(struct breakdown *breakdown, const struct inquiry *inquiry,
                    const struct moment *moment, const struct cell_result *result)
{
    record_name(breakdown, inquiry, moment);
    snprintf(breakdown->status, sizeof breakdown->status, "%s", result->status);
    snprintf(breakdown->detail, sizeof breakdown->detail, "%s", result->detail);
}

/* ---- JSON ---- */

static void record_put(json_t *object, const char *name, uint64_t count)
{
    json_object_set_new(object, name, json_integer((json_int_t)count));
}

static json_t *record_holder(const struct holder *holder, const struct sites *sites, bool times)
{
    json_t *object = json_object();
    const char *name = holder->label ? sites->names[holder->label] : NULL;
    json_t *site = name ? json_string(name) : NULL;
    json_object_set_new(object, "site", site ? site : json_null());
    record_put(object, "thread", holder->thread);
    record_put(object, "blocks", holder->blocks);
    record_put(object, "size_low", holder->size_low);
    record_put(object, "size_high", holder->size_high);
    record_put(object, "live_bytes", holder->live_bytes);
    record_put(object, "pages", holder->pages);
    record_put(object, "resident_bytes", holder->resident_bytes);
    record_put(object, "alone_bytes", holder->alone_bytes);
    record_put(object, "age_events", holder->age_events);
    record_put(object, "oldest_events", holder->oldest_events);
    if (times) {
        record_put(object, "age_ns", holder->age_ns);
        record_put(object, "oldest_ns", holder->oldest_ns);
    }
    return object;
}

json_t *record_holders(const struct holders *holders, const struct sites *sites, bool times)
{
    json_t *list = json_array();
    for (size_t i = 0; i < holders->count && i < RECORD_HOLDERS; i++)
        json_array_append_new(list, record_holder(&holders->list[i], sites, times));
    return list;
}

json_t *record_line(const struct breakdown *breakdown, json_t *holders)
{
    json_t *object = record_to_json(breakdown_fields, breakdown_field_count, breakdown);
    if (holders)
        json_object_set(object, "holders", holders);
    return object;
}

/* Moves the fields of a group into an object of their own. */
static void record_nest(json_t *object, const char *name, const struct field *fields, size_t count)
{
    json_t *group = json_object();
    for (size_t i = 0; i < count; i++) {
        json_object_set(group, fields[i].name, json_object_get(object, fields[i].name));
        json_object_del(object, fields[i].name);
    }
    json_object_set_new(object, name, group);
}

json_t *record_moment(const struct breakdown *breakdown, json_t *holders)
{
    json_t *object = record_line(breakdown, holders);
    record_nest(object, "parts", breakdown_part_fields, breakdown_part_count);
    record_nest(object, "not_resident", breakdown_beside_fields, breakdown_beside_count);
    record_nest(object, "rest", breakdown_rest_fields, breakdown_rest_count);
    record_nest(object, "inside", breakdown_inside_fields, breakdown_inside_count);
    return object;
}
