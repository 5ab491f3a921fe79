/* The censuses of a cell as JSON. */
#include "harness/census_json.h"

static void census_put(json_t *object, const char *name, uint64_t value)
{
    json_object_set_new(object, name,
                        value == UINT64_MAX ? json_null() : json_integer((json_int_t)value));
}

static json_t *census_json_sizes(const struct holes *holes)
{
    json_t *list = json_array();
    for (size_t bin = 0; bin < PROFILE_BINS; bin++) {
        if (!holes->bin_count[bin])
            continue;
        json_t *item = json_object();
        census_put(item, "size", profile_bin_low(bin));
        census_put(item, "holes", holes->bin_count[bin]);
        census_put(item, "bytes", holes->bin_bytes[bin]);
        json_array_append_new(list, item);
    }
    return list;
}

/* Up to the first size that no extent can hold. */
static json_t *census_json_unusable(const struct holes *holes)
{
    json_t *list = json_array();
    for (size_t i = 0; i < HOLE_REQUESTS && holes->bytes; i++) {
        json_t *item = json_object();
        census_put(item, "size", hole_request(i));
        json_object_set_new(item, "unusable", json_real(holes_unusable(holes, i)));
        json_object_set_new(item, "too_small", json_real(holes_too_small(holes, i)));
        json_array_append_new(list, item);
        if (hole_request(i) > holes->largest)
            break;
    }
    return list;
}

static json_t *census_json_holes(const struct holes *holes)
{
    json_t *out = json_object();
    census_put(out, "count", holes->count);
    census_put(out, "bytes", holes->bytes);
    census_put(out, "largest", holes->largest);
    json_object_set_new(out, "outside_largest", json_real(holes_outside_largest(holes)));
    json_object_set_new(out, "sizes", census_json_sizes(holes));
    json_object_set_new(out, "unusable", census_json_unusable(holes));
    return out;
}

static json_t *census_json_classes(const struct census *census)
{
    json_t *list = json_array();
    for (size_t bin = 0; bin < PROFILE_BINS; bin++) {
        const struct census_class *class = &census->classes[bin];
        if (!class->blocks)
            continue;
        json_t *item = json_object();
        census_put(item, "smallest", class->smallest);
        census_put(item, "largest", class->largest);
        census_put(item, "blocks", class->blocks);
        census_put(item, "requested", class->requested);
        census_put(item, "usable", class->usable);
        json_array_append_new(list, item);
    }
    return list;
}

static json_t *census_json_pages(const struct census *census)
{
    json_t *out = json_object(), *shares = json_array();
    for (size_t i = 0; i < CENSUS_SHARES; i++)
        json_array_append_new(shares, json_integer((json_int_t)census->pages[i]));
    census_put(out, "resident", census->resident_pages);
    census_put(out, "live_bytes", census->resident_live);
    json_object_set_new(out, "by_live_share", shares);
    return out;
}

static json_t *census_json_moment(const struct census *census, const char *name)
{
    json_t *out = json_object();
    json_object_set_new(out, "moment", json_string(name));
    census_put(out, "event", census->event);
    census_put(out, "blocks", census->blocks);
    census_put(out, "live", census->live);
    census_put(out, "usable", census->usable);
    census_put(out, "anonymous", census->anonymous);
    census_put(out, "huge", census->huge);
    if (census->held_known) {
        census_put(out, "held", census->held);
        census_put(out, "seam_bytes", census->seam_bytes);
        census_put(out, "empty_bytes", census->empty_bytes);
        json_object_set_new(out, "holes", census_json_holes(&census->holes));
    }
    if (census->pages_known)
        json_object_set_new(out, "pages", census_json_pages(census));
    json_object_set_new(out, "classes", census_json_classes(census));
    if (census->walked) {
        json_object_set_new(out, "walk_free", census_json_holes(&census->walk_holes));
        census_put(out, "walk_meta_bytes", census->walk_meta);
    }
    return out;
}

json_t *census_json(const struct census *census)
{
    json_t *moments = json_array();
    for (int i = 0; i < CENSUS_MOMENTS; i++)
        if (census[i].taken)
            json_array_append_new(moments, census_json_moment(&census[i], census_moment_names[i]));
    return json_pack("{s:o}", "moments", moments);
}
