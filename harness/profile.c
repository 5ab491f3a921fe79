/* A trace's statistics as JSON. */
#include "harness/profile.h"

#include <errno.h>

#include "workloads/profile.h"
#include "workloads/reader.h"

static void profile_put(json_t *object, const char *name, uint64_t value)
{
    json_object_set_new(object, name, json_integer((json_int_t)value));
}

static json_t *profile_summary_json(const struct trace_summary *summary)
{
    json_t *out = json_object();
    profile_put(out, "events", summary->events);
    profile_put(out, "objects", summary->objects);
    profile_put(out, "threads", summary->threads);
    profile_put(out, "peak_live_bytes", summary->peak_live_bytes);
    profile_put(out, "peak_live_blocks", summary->peak_live_blocks);
    profile_put(out, "peak_event", summary->peak_event);
    profile_put(out, "total_bytes", summary->total_bytes);
    profile_put(out, "duration_ns", summary->duration_ns);
    profile_put(out, "cross_thread_frees", summary->cross_thread_frees);
    profile_put(out, "lost_events", summary->lost_events);
    profile_put(out, "repairs", summary->repairs);
    return out;
}

static json_t *profile_bins_json(const char *key, const uint64_t *counts, const uint64_t *bytes)
{
    json_t *list = json_array();
    for (size_t bin = 0; bin < PROFILE_BINS; bin++) {
        if (!counts[bin])
            continue;
        json_t *item = json_object();
        profile_put(item, key, profile_bin_low(bin));
        profile_put(item, "count", counts[bin]);
        if (bytes)
            profile_put(item, "bytes", bytes[bin]);
        json_array_append_new(list, item);
    }
    return list;
}

static json_t *profile_lives_json(const struct profile *profile)
{
    json_t *list = json_array();
    for (unsigned size = 0; size < PROFILE_POWERS; size++)
        for (unsigned life = 0; life < PROFILE_POWERS; life++) {
            const struct profile_lives *lives = &profile->lives[size][life];
            if (!lives->count)
                continue;
            json_t *item = json_object();
            profile_put(item, "size", size ? UINT64_C(1) << (size - 1) : 0);
            profile_put(item, "operations", life ? UINT64_C(1) << (life - 1) : 0);
            profile_put(item, "count", lives->count);
            profile_put(item, "bytes", lives->bytes);
            json_array_append_new(list, item);
        }
    return list;
}

static int profile_fill(struct profile *profile, struct trace_reader *reader, struct err *err)
{
    struct trace_block block;
    int got;
    while ((got = trace_reader_next(reader, &block, err)) > 0)
        profile_add(profile, &block);
    profile_finish(profile);
    return got;
}

static json_t *profile_json(const struct profile *profile, const struct trace_reader *reader)
{
    const struct trace_origin *origin = trace_reader_origin(reader);
    json_t *out = profile_summary_json(trace_reader_summary(reader));
    json_object_set_new(out, "program", json_string(origin->program));
    json_object_set_new(out, "source", json_string(origin->source));
    json_object_set_new(out, "losses", json_string(origin->losses));
    json_object_set_new(out, "sizes",
                        profile_bins_json("size", profile->sizes, profile->size_bytes));
    json_object_set_new(out, "lifetimes",
                        profile_bins_json("operations", profile->lifetimes, NULL));
    json_object_set_new(out, "lifetimes_by_size", profile_lives_json(profile));
    profile_put(out, "never_freed", profile->never_freed);
    return out;
}

int profile_read(const char *trace_path, json_t **out, struct err *err)
{
    struct profile profile;
    struct trace_reader *reader;
    int failed = trace_reader_open(&reader, trace_path, err);
    if (failed)
        return failed;
    const struct trace_summary *summary = trace_reader_summary(reader);
    if (!summary)
        failed = err_set(err, EINVAL,
                         "%s has no footer: it was cut off; 'bench trace cut' saves its whole part",
                         trace_path);
    if (!failed)
        failed = profile_init(&profile, summary->objects, err);
    if (!failed) {
        failed = profile_fill(&profile, reader, err);
        *out = failed ? NULL : profile_json(&profile, reader);
        profile_release(&profile);
    }
    trace_reader_close(reader);
    return failed;
}

int profile_write(struct store *store, const char *name, const json_t *profile, struct err *err)
{
    char slug[STORE_NAME];
    FILE *file = store_begin_file(store, "traces", store_slug(slug, name), ".json", err);
    if (!file)
        return -err->code;
    json_dumpf(profile, file, JSON_INDENT(1));
    fputc('\n', file);
    return store_end_file(store, file, err);
}
