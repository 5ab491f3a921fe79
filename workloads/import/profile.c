/* Size profiles, "size, alloc_rate, live_count" as fleetbench publishes them: a distribution, from
 * which a workload with that steady state is generated. */
#include <errno.h>
#include <stdlib.h>

#include "workloads/generate/steady.h"
#include "workloads/import/importer.h"

enum { PROFILE_BYTES = 16 << 20 };

/* A number with or without fraction and exponent. */
static bool profile_number(struct scan *scan)
{
    const char *first;
    scan_blanks(scan);
    for (first = scan->at; !scan_done(scan) && strchr("0123456789.eE+-", *scan->at) && *scan->at;)
        scan->at++;
    return scan->at > first && *first >= '0' && *first <= '9' && scan_blanks(scan);
}

static bool profile_row(struct scan line)
{
    return profile_number(&line) && scan_char(&line, ',') && profile_number(&line) &&
           scan_char(&line, ',') && profile_number(&line) && scan_done(&line);
}

/* A header with the least ordinary of the names, or a row. */
static bool profile_recognise(const char *start, size_t length)
{
    struct scan text = scan_over(start, length), line;
    return scan_line(&text, &line) &&
           (profile_row(line) || memmem(line.at, (size_t)(line.end - line.at), "alloc_rate", 10));
}

static uint32_t profile_columns(const char *start, size_t length)
{
    (void)start;
    (void)length;
    return 0;
}

/* The whole file as text; profiles are small. */
static char *profile_text(struct source *source, size_t *length)
{
    char *text = malloc(PROFILE_BYTES);
    size_t got;
    const uint8_t *bytes;
    *length = 0;
    while (text && *length < PROFILE_BYTES - SOURCE_LINE &&
           (bytes = source_bytes(source, SOURCE_LINE, &got)) && got) {
        memcpy(text + *length, bytes, got);
        *length += got;
    }
    return text;
}

static int profile_from(struct import *import, char *text, size_t length, struct err *err)
{
    static const struct profile_amount amount = {.percent = 100, .events = 2000000, .seed = 1};
    struct generation generation = {.writer = import_writer(import)};
    FILE *file = length ? fmemopen(text, length, "r") : NULL;
    if (!file)
        return err_set(err, ENOMEM, "no memory left to read a size profile");
    numbering_init(&generation.numbering);
    int failed = profile_generate(&generation, file, "the profile", &amount, err);
    numbering_release(&generation.numbering);
    fclose(file);
    if (generation_failed(&generation))
        return err_set(err, generation.err.code, "%s", generation.err.text);
    return failed;
}

static int profile_read(struct import *import, struct source *source, struct err *err)
{
    size_t length;
    char *text = profile_text(source, &length);
    if (length >= PROFILE_BYTES - SOURCE_LINE) {
        free(text);
        return err_set(err, EFBIG, "a size profile of more than %d MiB is none",
                       PROFILE_BYTES >> 20);
    }
    int failed = text ? profile_from(import, text, length, err)
                      : err_set(err, ENOMEM, "no memory left to read a size profile");
    free(text);
    return failed;
}

const struct importer importer_profile = {
    .name = "profile",
    .source = "size profile",
    .losses =
        "The source is a distribution, not a recording: sizes, rates and live counts are its, "
        "the order of operations and the lifetimes are drawn at random, and there are no "
        "threads, alignment, calloc, realloc or times.",
    .in_order = true,
    .recognise = profile_recognise,
    .columns = profile_columns,
    .read = profile_read,
};
