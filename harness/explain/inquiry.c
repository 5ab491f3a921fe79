/* Asks one allocator on one trace what its heap looked like at some moments. */
#include "harness/explain/inquiry.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness/base/units.h"
#include "harness/measure/area.h"
#include "workloads/reader.h"

/* RSS is looked at so often in the longest trace when its peak is looked for, and statm is off by
 * at most so many bytes (each core counts some pages by itself). */
enum { INQUIRY_LOOKS = 2000000, INQUIRY_LAG = 1 << 20 };

static const struct {
    const char *name;
    enum moment_kind kind;
} moment_names[] = {
    {"peak-rss", MOMENT_PEAK_RSS}, {"peak-live", MOMENT_PEAK_LIVE}, {"end", MOMENT_END}};

int moment_parse(struct moment *moment, const char *text, struct err *err)
{
    *moment = (struct moment){.event = UINT64_MAX, .time_ns = UINT64_MAX};
    snprintf(moment->at, sizeof moment->at, "%s", text);
    for (size_t i = 0; i < sizeof moment_names / sizeof *moment_names; i++) {
        moment->kind = moment_names[i].kind;
        if (strcmp(text, moment_names[i].name) == 0)
            return 0;
    }
    moment->kind = MOMENT_EVENT;
    if (units_parse_count(text, &moment->event, NULL) == 0)
        return 0;
    moment->kind = MOMENT_TIME;
    if (units_parse_time(text, &moment->time_ns, NULL) == 0)
        return 0;
    return err_set(err, EINVAL,
                   "there is no moment '%.60s': it is peak-rss, peak-live, end, the number of an "
                   "event, or a time such as 200ms",
                   text);
}

int inquiry_open(struct inquiry *inquiry, struct err *err)
{
    struct trace_reader *reader;
    int failed = trace_reader_open(&reader, inquiry->cell.trace_path, err);
    if (failed)
        return failed;
    const struct trace_summary *summary = trace_reader_summary(reader);
    inquiry->times = trace_reader_origin(reader)->columns & TRACE_HAS_TIMES;
    if (summary) {
        inquiry->events = summary->events;
        inquiry->duration_ns = summary->duration_ns;
    } else {
        failed = err_set(err, EINVAL,
                         "%s has no footer: it was cut off; 'bench trace cut' saves its whole part",
                         inquiry->cell.trace_path);
    }
    trace_reader_close(reader);
    return failed;
}

/* ---- a replay ---- */

/* The moment that the replay rests at, until what the walk tells has been added. */
struct inquiry_replay {
    struct inquiry *inquiry;
    const struct moments_request *request;
    inquiry_visitor *visit;
    void *arg;
    struct scene scene;
    struct moments_area *found; /* what a looking replay found, or NULL */
};

static int inquiry_tell(struct inquiry_replay *replay, const struct moments_area *at,
                        struct err *err)
{
    int failed = 0;
    uint64_t rest = at->rest - (at->step == MOMENTS_WALKED);
    for (size_t i = 0; i < at->request.stops && !failed; i++)
        if (at->request.stop[i].reached == rest)
            failed =
                replay->visit(replay->arg, &replay->inquiry->moments[i], &replay->scene, at, err);
    scene_release(&replay->scene);
    return failed;
}

static int inquiry_attend(void *arg, pid_t worker, const struct area *area, int shared,
                          struct err *err)
{
    struct inquiry_replay *replay = arg;
    const struct moments_area *at = &area->moments;
    int failed = at->step == MOMENTS_AS_IT_IS
                     ? scene_read(&replay->scene, worker, area, shared, err)
                     : scene_walked(&replay->scene, area, shared, err);
    if (failed || (at->walks && at->step == MOMENTS_AS_IT_IS))
        return failed;
    return inquiry_tell(replay, at, err);
}

static int inquiry_replay(struct inquiry_replay *replay, struct err *err)
{
    struct inquiry *inquiry = replay->inquiry;
    const struct cell_moments moments = {
        .request = replay->request,
        .attend = replay->visit ? inquiry_attend : NULL,
        .arg = replay,
        .found = replay->found,
    };
    inquiry->cell.pass = PASS_MOMENTS;
    inquiry->cell.moments = &moments;
    int failed = cell_measure(&inquiry->cell, NULL, inquiry->interrupted, &inquiry->result, err);
    inquiry->cell.moments = NULL;
    scene_release(&replay->scene);
    if (!failed && strcmp(inquiry->result.status, "ok") != 0)
        failed = err_set(err, ECANCELED, "%s: %s", inquiry->cell.allocator, inquiry->result.status);
    return failed;
}

/* A request is too large for the stack. */
static struct moments_request *inquiry_request(const struct moments_request *left_out)
{
    struct moments_request *request = calloc(1, sizeof *request);
    if (!request)
        err_no_memory("a request");
    if (left_out)
        *request = *left_out;
    request->stops = 0;
    return request;
}

/* ---- the peaks ---- */

static int inquiry_look(struct inquiry *inquiry, uint64_t exact_above, struct moments_area *found,
                        struct err *err)
{
    struct moments_request *request = inquiry_request(NULL);
    request->stride = inquiry->events / INQUIRY_LOOKS + 1;
    request->exact_above = exact_above;
    struct inquiry_replay replay = {.inquiry = inquiry, .request = request, .found = found};
    int failed = inquiry_replay(&replay, err);
    free(request);
    return failed;
}

/* First by statm; then again, exactly where that was near its peak. */
static int inquiry_find_peaks(struct inquiry *inquiry, struct moments_area *found, struct err *err)
{
    int failed = inquiry_look(inquiry, UINT64_MAX, found, err);
    struct moments_peak rough = found->peak_rss;
    if (!failed)
        failed = inquiry_look(inquiry, rough.bytes > INQUIRY_LAG ? rough.bytes - INQUIRY_LAG : 0,
                              found, err);
    if (!failed && found->peak_rss.bytes == 0)
        found->peak_rss = rough;
    inquiry->peak_rss = found->peak_rss.bytes;
    return failed;
}

static int inquiry_check_moment(const struct inquiry *inquiry, const struct moment *moment,
                                struct err *err)
{
    char text[UNITS_TEXT];
    if (moment->kind == MOMENT_EVENT && moment->event > inquiry->events)
        return err_set(err, EINVAL,
                       "%s has %" PRIu64 " events, so there is no moment after %" PRIu64,
                       inquiry->cell.trace_name, inquiry->events, moment->event);
    if (moment->kind != MOMENT_TIME)
        return 0;
    if (!inquiry->times)
        return err_set(
            err, EINVAL,
            "%s has no time stamps, so '%s' cannot be found in it: give the number of an "
            "event, or record it anew with 'bench record --times'",
            inquiry->cell.trace_name, moment->at);
    if (moment->time_ns > inquiry->duration_ns)
        return err_set(err, EINVAL, "%s lasts %s, so there is no moment at %s",
                       inquiry->cell.trace_name,
                       units_format_time(text, (double)inquiry->duration_ns), moment->at);
    return 0;
}

static void inquiry_set_peaks(struct inquiry *inquiry, const struct moments_area *found)
{
    for (size_t i = 0; i < inquiry->count; i++) {
        struct moment *moment = &inquiry->moments[i];
        if (moment->kind == MOMENT_PEAK_RSS)
            moment->event = found->peak_rss.event;
        else if (moment->kind == MOMENT_PEAK_LIVE)
            moment->event = found->peak_live.event;
        else if (moment->kind == MOMENT_END)
            moment->event = inquiry->events;
    }
}

int inquiry_resolve(struct inquiry *inquiry, struct err *err)
{
    bool peaks = false;
    inquiry->peak_rss = COUNT_UNKNOWN;
    for (size_t i = 0; i < inquiry->count; i++) {
        int failed = inquiry_check_moment(inquiry, &inquiry->moments[i], err);
        if (failed)
            return failed;
        enum moment_kind kind = inquiry->moments[i].kind;
        peaks |= kind == MOMENT_PEAK_RSS || kind == MOMENT_PEAK_LIVE;
    }
    struct moments_area *found = calloc(1, sizeof *found);
    if (!found)
        return err_set(err, ENOMEM, "no memory for the peaks of a replay");
    int failed = peaks ? inquiry_find_peaks(inquiry, found, err) : 0;
    if (!failed)
        inquiry_set_peaks(inquiry, found);
    free(found);
    return failed;
}

int inquiry_ask(struct inquiry *inquiry, const struct moments_request *left_out,
                inquiry_visitor *visit, void *arg, struct err *err)
{
    struct moments_request *request = inquiry_request(left_out);
    request->stops = inquiry->count;
    for (size_t i = 0; i < inquiry->count; i++) {
        const struct moment *moment = &inquiry->moments[i];
        request->stop[i] = (struct moments_stop){
            .event = moment->event,
            .time_ns = moment->kind == MOMENT_TIME ? moment->time_ns : UINT64_MAX,
        };
    }
    struct inquiry_replay replay = {
        .inquiry = inquiry, .request = request, .visit = visit, .arg = arg};
    int failed = inquiry_replay(&replay, err);
    free(request);
    return failed;
}
