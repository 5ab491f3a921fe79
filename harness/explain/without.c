/* What is left out of a replay to see what would be gained. */
#include "harness/explain/without.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness/base/units.h"

int without_add(struct without *without, const char *text, struct err *err)
{
    if (without->count == WITHOUT_MAX)
        return err_set(err, E2BIG, "at most %d things are left out at a time", WITHOUT_MAX);
    without->texts[without->count++] = text;
    return 0;
}

const char *without_describe(const struct without *without, char *out, size_t length)
{
    size_t at = 0;
    *out = '\0';
    for (size_t i = 0; i < without->count && at < length; i++)
        at += (size_t)snprintf(out + at, length - at, "%s%s", i ? " and " : "", without->texts[i]);
    return out;
}

/* "48", "4k", or "33-48". */
static bool without_is_size(const char *text, uint64_t *low, uint64_t *high)
{
    char first[64];
    size_t length = strcspn(text, "-");
    if (length >= sizeof first)
        return false;
    memcpy(first, text, length);
    first[length] = '\0';
    if (units_parse_size(first, low, NULL) < 0)
        return false;
    *high = *low;
    return !text[length] || units_parse_size(text + length + 1, high, NULL) == 0;
}

static int without_take(struct moments_request *request, const struct sites *sites,
                        const char *text, const char *trace, struct err *err)
{
    uint64_t low, high;
    if (!without_is_size(text, &low, &high)) {
        if (sites_match(sites, text, request->site, MOMENTS_SITES) > 0)
            return 0;
        return err_set(err, EINVAL,
                       "'%.100s' is no size, and no call site of %.200s%s; 'bench trace dump "
                       "--sites' shows them",
                       text, trace,
                       sites->count ? " has that name" : ", which was recorded without --stacks");
    }
    if (request->sizes == MOMENTS_SIZES)
        return err_set(err, E2BIG, "at most %d sizes are left out at a time", MOMENTS_SIZES);
    request->size[request->sizes].low = low;
    request->size[request->sizes++].high = high;
    return 0;
}

int without_request(const struct without *without, const struct sites *sites, const char *trace,
                    struct moments_request **out, struct err *err)
{
    *out = NULL;
    if (without->count == 0)
        return 0;
    struct moments_request *request = calloc(1, sizeof *request);
    if (!request)
        return err_set(err, ENOMEM, "no memory for what is left out");
    request->leaves_out = true;
    int failed = 0;
    for (size_t i = 0; i < without->count && !failed; i++)
        failed = without_take(request, sites, without->texts[i], trace, err);
    if (failed)
        free(request);
    else
        *out = request;
    return failed;
}
