/* What bench trace info tells, as JSON. */
#include "harness/commands/info.h"

#include <inttypes.h>
#include <stdio.h>

static json_t *info_count(uint64_t value)
{
    return json_integer((json_int_t)value);
}

static void info_set(json_t *object, const char *name, uint64_t value)
{
    json_object_set_new(object, name, info_count(value));
}

static json_t *info_json_origin(const struct trace_origin *origin)
{
    json_t *out = json_object();
    const struct {
        const char *name, *text;
    } texts[] = {{"program", origin->program},
                 {"arguments", origin->arguments},
                 {"host", origin->host},
                 {"tool", origin->tool},
                 {"source", origin->source}};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        json_t *text = json_string(texts[i].text);
        json_object_set_new(out, texts[i].name, text ? text : json_null());
    }
    info_set(out, "recorded_at", origin->recorded_at);
    json_object_set_new(out, "has_times", json_boolean(origin->columns & TRACE_HAS_TIMES));
    json_object_set_new(out, "has_sites", json_boolean(origin->columns & TRACE_HAS_SITES));
    json_object_set_new(out, "has_threads", json_boolean(origin->columns & TRACE_HAS_THREADS));
    return out;
}

static json_t *info_json_bins(const uint64_t *bins)
{
    json_t *out = json_array();
    for (unsigned bin = 0; bin < STATISTICS_BINS; bin++)
        if (bins[bin]) {
            json_t *row = json_object();
            info_set(row, "from", statistics_bin_low(bin));
            info_set(row, "to", statistics_bin_high(bin));
            info_set(row, "count", bins[bin]);
            json_array_append_new(out, row);
        }
    return out;
}

static json_t *info_json_sizes(const struct size_classes *classes)
{
    json_t *sizes = json_array();
    for (unsigned i = 0; i < classes->count; i++)
        json_array_append_new(sizes, info_count(classes->size[i]));
    return sizes;
}

static json_t *info_json_classes(const struct info *info)
{
    json_t *out = json_object();
    json_object_set_new(out, "sizes", info_json_sizes(&info->classes));
    info_set(out, "requested_bytes", info->requests.bytes);
    info_set(out, "lost_bytes", info->requests.lost);
    info_set(out, "lost_bytes_powers_of_two", info->requests.lost_by_powers);
    info_set(out, "at_peak_bytes", info->peak.bytes);
    info_set(out, "at_peak_lost_bytes", info->peak.lost);
    info_set(out, "at_peak_lost_bytes_powers_of_two", info->peak.lost_by_powers);
    json_object_set_new(out, "at_peak_best_sizes", info_json_sizes(&info->peak_classes));
    info_set(out, "at_peak_best_lost_bytes", info->peak_classes.lost);
    return out;
}

static json_t *info_json_threads(const struct info *info)
{
    const struct statistics_thread *threads = info->statistics->threads.at;
    json_t *out = json_array();
    for (uint64_t i = 0; i < info->summary->threads; i++) {
        json_t *row = json_object();
        info_set(row, "thread", i);
        info_set(row, "operations", threads[i].operations);
        info_set(row, "allocations", threads[i].allocations);
        info_set(row, "requested_bytes", threads[i].bytes);
        info_set(row, "frees", threads[i].frees);
        info_set(row, "cross_thread_frees", threads[i].foreign_frees);
        json_array_append_new(out, row);
    }
    return out;
}

static json_t *info_json_sites(const struct info *info)
{
    json_t *out = json_array();
    for (size_t i = 0; i < info->site_count; i++) {
        json_t *row = json_object(), *label = json_string(info->sites[i].label);
        json_object_set_new(row, "site", label ? label : json_null());
        info_set(row, "at_peak_bytes", info->sites[i].at_peak);
        info_set(row, "calls", info->sites[i].calls);
        info_set(row, "requested_bytes", info->sites[i].bytes);
        json_array_append_new(out, row);
    }
    return out;
}

static json_t *info_json_repairs(const struct trace_summary *sum)
{
    json_t *out = json_object();
    info_set(out, "orphan_frees", sum->orphan_frees);
    info_set(out, "double_allocations", sum->double_allocations);
    info_set(out, "inversions", sum->inversions);
    return out;
}

static void info_json_summary(json_t *out, const struct trace_summary *sum)
{
    const struct {
        const char *name;
        uint64_t value;
    } fields[] = {{"events", sum->events},
                  {"source_events", sum->source_events},
                  {"threads", sum->threads},
                  {"objects", sum->objects},
                  {"peak_live_bytes", sum->peak_live_bytes},
                  {"peak_live_blocks", sum->peak_live_blocks},
                  {"peak_event", sum->peak_event},
                  {"end_live_bytes", sum->end_live_bytes},
                  {"end_live_blocks", sum->end_live_blocks},
                  {"total_bytes", sum->total_bytes},
                  {"cross_thread_frees", sum->cross_thread_frees},
                  {"failed_calls", sum->failed_calls},
                  {"max_align", sum->max_align},
                  {"duration_ns", sum->duration_ns},
                  {"lost_events", sum->lost_events},
                  {"bad_records", sum->bad_records},
                  {"cut_tails", sum->cut_tails},
                  {"repairs", sum->repairs},
                  {"backward_times", sum->backward_times},
                  {"program_wall_ns", sum->program_wall_ns},
                  {"program_cpu_ns", sum->program_cpu_ns},
                  {"recorder_ns", sum->recorder_ns},
                  {"drain_ns", sum->drain_ns},
                  {"late_ns", sum->late_ns},
                  {"unrecorded_exec", sum->unrecorded_exec},
                  {"end_signal", sum->end_signal},
                  {"own_malloc", sum->own_malloc},
                  {"touch_looks", sum->touch_looks}};
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
        info_set(out, fields[i].name, fields[i].value);
    json_t *kinds = json_object();
    for (int i = 0; i < TRACE_KINDS; i++)
        info_set(kinds, info_kinds[i], sum->by_kind[i]);
    json_object_set_new(out, "by_kind", kinds);
    json_object_set_new(out, "repairs_by_kind", info_json_repairs(sum));
}

json_t *info_json(const struct info *info)
{
    json_t *out = json_object(), *path = json_string(info->path),
           *losses = json_string(info->origin->losses);
    char checksum[24];
    snprintf(checksum, sizeof checksum, "%016" PRIx64, trace_reader_checksum(info->reader));
    json_object_set_new(out, "trace", path ? path : json_null());
    info_json_summary(out, info->summary);
    info_set(out, "first_ns", info->statistics->first_ns);
    info_set(out, "cross_thread_resizes", info->statistics->cross_thread_resizes);
    info_set(out, "large_blocks", info->statistics->large);
    info_set(out, "partly_touched_blocks", info->statistics->partly_touched);
    info_set(out, "untouched_bytes", info->statistics->untouched_bytes);
    info_set(out, "file_bytes", info->file_bytes);
    json_object_set_new(out, "bytes_per_event", json_real(info_bytes_per_event(info)));
    json_object_set_new(out, "checksum", json_string(checksum));
    json_object_set_new(out, "origin", info_json_origin(info->origin));
    json_object_set_new(out, "losses", losses ? losses : json_null());
    json_object_set_new(out, "sizes", info_json_bins(info->statistics->sizes));
    json_object_set_new(out, "lifetimes", info_json_bins(info->statistics->lifetimes));
    json_object_set_new(out, "lifetimes_ns",
                        info->origin->columns & TRACE_HAS_TIMES
                            ? info_json_bins(info->statistics->lifetimes_ns)
                            : json_null());
    json_object_set_new(out, "by_thread", info_json_threads(info));
    json_object_set_new(out, "call_sites", info_json_sites(info));
    json_object_set_new(out, "size_classes", info_json_classes(info));
    return out;
}
