/* Writes a trace: checks and numbers events, fills blocks, compresses and stores them. */
#include "workloads/writer.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "workloads/bytes.h"
#include "workloads/checksum.h"
#include "workloads/encoder.h"
#include "workloads/format.h"
#include "workloads/names.h"
#include "workloads/packer.h"
#include "workloads/touched.h"
#include "workloads/translate.h"

/* Texts of one kind and how many of them are in the file already. */
struct writer_names {
    uint32_t tag;
    uint32_t written;
    struct names names;
};

struct trace_writer {
    struct packer packer;
    struct encoder encoder;
    struct translate objects;
    bool translates; /* the caller has numbers of its own for objects */
    struct writer_names labels, sites;
    struct touched_list touched;
    struct array head;
};

static int writer_no_memory(struct err *err)
{
    return err_set(err, ENOMEM, "no memory left to write a trace");
}

static int writer_names(struct trace_writer *writer, struct writer_names *names, struct err *err)
{
    uint32_t first = names->written, count = names->names.count - first;
    if (!count)
        return 0;
    const char *text = names_at(&names->names, first);
    size_t bytes = names->names.used - (size_t)(text - (const char *)names->names.text.at);
    names->written = names->names.count;
    return packer_chunk(&writer->packer, names->tag, text, bytes, count, err);
}

/* The block under way. The encoder goes on in other memory where another thread packs it. */
static int writer_streams(struct trace_writer *writer, struct err *err)
{
    struct encoder *encoder = &writer->encoder;
    struct packer_block block = {.count = (uint32_t)encoder_pending(encoder)};
    for (int i = 0; i < CODEC_STREAMS; i++) {
        block.begin[i] = encoder->begin[i];
        block.used[i] = (uint32_t)(encoder->row.at[i] - encoder->begin[i]);
    }
    encoder_count(encoder);
    encoder_clear(encoder);
    return packer_block(&writer->packer, &block, err);
}

int trace_writer_block(struct trace_writer *writer, struct err *err)
{
    struct err own = {0};
    err = err ? err : &own;
    int failed = writer_names(writer, &writer->labels, err);
    if (!failed)
        failed = writer_names(writer, &writer->sites, err);
    return failed || !encoder_pending(&writer->encoder) ? failed : writer_streams(writer, err);
}

void trace_writer_split(struct trace_writer *writer)
{
    if (!encoder_double(&writer->encoder))
        packer_split(&writer->packer);
}

/* One chunk also where every page was touched: that is known then. */
static int writer_touched(struct trace_writer *writer, struct err *err)
{
    struct touched_list *list = &writer->touched;
    struct array raw = {0};
    uint64_t before = 0;
    size_t at = 0;
    int failed = 0;
    if (!writer->encoder.summary.touch_looks && !list->count)
        return 0;
    touched_settle(list);
    do {
        size_t count =
            list->count - at < FORMAT_TOUCHED_MOST ? list->count - at : FORMAT_TOUCHED_MOST;
        if (array_reserve(&raw, (count + 1) * TOUCHED_ENTRY))
            return writer_no_memory(err);
        size_t bytes = touched_pack(list, at, count, &before, raw.at);
        failed = packer_chunk(&writer->packer, FORMAT_TOUCHED, raw.at, bytes, (uint32_t)count, err);
        at += count;
    } while (!failed && at < list->count);
    array_release(&raw);
    return failed;
}

static int writer_footer(struct trace_writer *writer, struct err *err)
{
    uint64_t fields[sizeof(struct trace_summary) / 8];
    writer->encoder.summary.touched_sum = writer->packer.touched_sum;
    memcpy(fields, &writer->encoder.summary, sizeof fields);
    enum { COUNT = sizeof fields / sizeof *fields };
    uint8_t raw[8 + sizeof fields], trailer[FORMAT_TRAILER_BYTES];
    bytes_put64(raw, writer->packer.sum);
    for (size_t i = 0; i < COUNT; i++)
        bytes_put64(raw + 8 + 8 * i, fields[i]);
    bytes_put64(trailer, writer->packer.output.written);
    memcpy(trailer + 8, FORMAT_END, 8);
    int failed = packer_chunk(&writer->packer, FORMAT_FOOTER, raw, sizeof raw, COUNT, err);
    return failed ? failed : output_write(&writer->packer.output, trailer, sizeof trailer, err);
}

static int writer_header(struct trace_writer *writer, const struct trace_origin *origin,
                         struct err *err)
{
    const char *const strings[FORMAT_STRINGS] = {origin->program, origin->arguments,
                                                 origin->host,    origin->tool,
                                                 origin->source,  origin->losses};
    size_t text = 0;
    for (int i = 0; i < FORMAT_STRINGS; i++)
        text += strlen(strings[i] ? strings[i] : "") + 1;
    if (text > FORMAT_TEXT_MOST)
        return err_set(err, E2BIG,
                       "the origin's texts take %zu bytes, more than %d: leave the "
                       "arguments out",
                       text, FORMAT_TEXT_MOST);
    size_t bytes = FORMAT_HEADER_BYTES + text;
    if (array_reserve(&writer->head, bytes + 8))
        return writer_no_memory(err);
    uint8_t *raw = writer->head.at, *at = raw + FORMAT_HEADER_BYTES;
    memcpy(raw, FORMAT_MAGIC, FORMAT_MAGIC_BYTES);
    bytes_put32(raw + 8, FORMAT_VERSION);
    bytes_put32(raw + 12, origin->columns);
    bytes_put64(raw + 16, origin->recorded_at);
    bytes_put32(raw + 24, (uint32_t)text);
    bytes_put32(raw + 28, 0);
    for (int i = 0; i < FORMAT_STRINGS; i++)
        at = (uint8_t *)stpcpy((char *)at, strings[i] ? strings[i] : "") + 1;
    bytes_put64(at, checksum64(raw, bytes, 0));
    return output_write(&writer->packer.output, raw, bytes + 8, err);
}

static void writer_release(struct trace_writer *writer)
{
    packer_release(&writer->packer); /* first, as it may still read what the encoder wrote */
    encoder_release(&writer->encoder);
    translate_release(&writer->objects);
    names_release(&writer->labels.names);
    names_release(&writer->sites.names);
    touched_release(&writer->touched);
    array_release(&writer->head);
    free(writer);
}

static int writer_init(struct trace_writer *writer, uint32_t columns)
{
    int failed = packer_init(&writer->packer);
    writer->labels.tag = FORMAT_LABEL;
    writer->sites.tag = FORMAT_SITE;
    return encoder_init(&writer->encoder, columns) || failed ? -ENOMEM : 0;
}

int trace_writer_create(struct trace_writer **out, const char *path,
                        const struct trace_origin *origin, struct err *err)
{
    struct trace_writer *writer = calloc(1, sizeof *writer);
    if (!writer)
        return writer_no_memory(err);
    int failed = writer_init(writer, origin->columns)
                     ? writer_no_memory(err)
                     : output_open(&writer->packer.output, path, err);
    if (!failed && (failed = writer_header(writer, origin, err)))
        output_abandon(&writer->packer.output);
    if (failed)
        writer_release(writer);
    else
        *out = writer;
    return failed;
}

/* Nobody writes any more then. */
static void writer_abandon(struct trace_writer *writer)
{
    packer_settle(&writer->packer, NULL);
    output_abandon(&writer->packer.output);
}

void trace_writer_haste(struct trace_writer *writer)
{
    writer->packer.output.in_haste = true;
}

int trace_writer_finish(struct trace_writer *writer, struct err *err)
{
    struct err own = {0};
    int failed = trace_writer_block(writer, &own);
    if (!failed) /* the footer tells of the last block too */
        failed = packer_settle(&writer->packer, &own);
    if (!failed)
        failed = writer_touched(writer, &own);
    if (!failed)
        failed = writer_footer(writer, &own);
    if (failed)
        writer_abandon(writer);
    else
        failed = output_finish(&writer->packer.output, &own);
    writer_release(writer);
    return failed ? err_set(err, own.code, "%s", own.text) : 0;
}

void trace_writer_abandon(struct trace_writer *writer)
{
    writer_abandon(writer);
    writer_release(writer);
}

static int writer_refuse(struct trace_writer *writer, const char *why,
                         const struct trace_event *event, struct err *err)
{
    uint64_t events = trace_writer_summary(writer)->events;
    return err_set(err, EINVAL, "event %llu %s (kind %u, object %u, size %llu, thread %u)",
                   (unsigned long long)events, why, event->kind, event->object,
                   (unsigned long long)event->size, event->thread);
}

/* What is wrong with an event whatever is live, or NULL. */
static const char *writer_flaw(const struct trace_writer *writer, const struct trace_event *event)
{
    bool failed = event->flags & TRACE_FAILED;
    if (event->kind >= TRACE_KINDS || event->flags & ~TRACE_FAILED)
        return "has an unknown kind or flag";
    if (event->kind != TRACE_ALIGNED ? event->align_log2 : event->align_log2 > 63)
        return "has an alignment that it cannot have";
    if (failed && event->kind >= TRACE_FREE)
        return "failed, which a free or a mark cannot";
    if (event->kind == TRACE_MARK && event->object >= writer->labels.names.count)
        return "is a mark without a label";
    if (event->kind <= TRACE_ALIGNED && !failed && event->size >> 48)
        return "succeeded with a size beyond any address space";
    if (event->touched_pages && (failed || event->kind >= TRACE_FREE))
        return "has touched pages, but no block";
    if (writer->encoder.columns & TRACE_HAS_TIMES && event->time_ns < writer->encoder.time_ns)
        return "is earlier than the one before it";
    return NULL;
}

static bool writer_allocates(const struct trace_event *event)
{
    return event->kind == TRACE_MALLOC || event->kind == TRACE_CALLOC ||
           event->kind == TRACE_ALIGNED;
}

/* The trace's number for the caller's. */
static uint32_t writer_find(const struct trace_writer *writer, uint32_t object)
{
    if (writer->translates)
        return translate_find(&writer->objects, object);
    return encoder_is_live(&writer->encoder, object) ? object : TRANSLATE_NONE;
}

/* From now on the caller's numbers are not the trace's; all before the newest were. */
static int writer_translate(struct trace_writer *writer, uint32_t newest)
{
    const struct encoder *encoder = &writer->encoder;
    int failed = 0;
    for (uint32_t i = 0; i < encoder->row.ready && !failed; i++)
        if (i != newest && encoder_is_live(encoder, i))
            failed = translate_enter(&writer->objects, i, i);
    writer->translates = true;
    return failed;
}

/* Puts the trace's number for the caller's into `event`; the sentence says what no program can do.
 */
static const char *writer_resolve(struct trace_writer *writer, struct trace_event *event)
{
    if (event->kind == TRACE_MARK ||
        (event->kind == TRACE_FREE && event->object == TRACE_NO_OBJECT))
        return NULL;
    bool live = event->object != TRACE_NO_OBJECT;
    uint32_t dense = live ? writer_find(writer, event->object) : TRANSLATE_NONE;
    if (writer_allocates(event)) {
        if (event->flags & TRACE_FAILED)
            event->object = TRACE_NO_OBJECT;
        else if (dense != TRANSLATE_NONE)
            return "allocates an object that is live already";
        else if (!live)
            return "allocates without an object and without having failed";
        return NULL;
    }
    if (dense == TRANSLATE_NONE)
        return "names an object that is not live";
    event->object = dense;
    return NULL;
}

/* Enters or takes out the caller's number, as the event allocates or frees. */
static int writer_account(struct trace_writer *writer, const struct trace_event *asked,
                          const struct trace_event *event)
{
    if (event->object == TRACE_NO_OBJECT)
        return 0;
    bool allocates = writer_allocates(event);
    if (!writer->translates) {
        if (!allocates || asked->object == event->object)
            return 0;
        if (writer_translate(writer, event->object))
            return -ENOMEM;
    }
    if (allocates)
        return translate_enter(&writer->objects, asked->object, event->object);
    if (event->kind == TRACE_FREE)
        translate_leave(&writer->objects, asked->object);
    return 0;
}

int trace_writer_add(struct trace_writer *writer, const struct trace_event *event, struct err *err)
{
    /* Field by field: callers have just stored them so, and a wider load would have to wait. */
    struct trace_event own = {.kind = event->kind,
                              .flags = event->flags,
                              .align_log2 = event->align_log2,
                              .thread = event->thread,
                              .object = event->object,
                              .site = event->site,
                              .size = event->size,
                              .time_ns = event->time_ns};
    const char *flaw = writer_flaw(writer, event);
    if (!flaw)
        flaw = writer_resolve(writer, &own);
    if (flaw)
        return writer_refuse(writer, flaw, event, err);
    if (__builtin_expect(event->touched_pages, 0) &&
        trace_writer_touched(writer, encoder_events(&writer->encoder), event->touched_pages))
        return writer_no_memory(err);
    if (own.kind >= TRACE_FREE)
        own.size = 0;
    if (encoder_put(&writer->encoder, &own) || writer_account(writer, event, &own))
        return writer_no_memory(err);
    return encoder_is_full(&writer->encoder) ? trace_writer_block(writer, err) : 0;
}

struct encoder *trace_writer_encoder(struct trace_writer *writer)
{
    return &writer->encoder;
}

int trace_writer_touched(struct trace_writer *writer, uint64_t event, uint32_t pages)
{
    return touched_add(&writer->touched, event, pages);
}

uint32_t trace_writer_label(struct trace_writer *writer, const char *text)
{
    struct names *names = &writer->labels.names;
    uint32_t number = names_find(names, text);
    if (number == names->count && names_add(names, text, strlen(text)))
        return TRACE_NO_OBJECT;
    return number;
}

uint32_t trace_writer_site(struct trace_writer *writer, const char *text)
{
    struct names *names = &writer->sites.names;
    return names_add(names, text, strlen(text)) ? 0 : names->count;
}

bool trace_writer_is_live(const struct trace_writer *writer, uint32_t object)
{
    return writer_find(writer, object) != TRANSLATE_NONE;
}

struct trace_summary *trace_writer_summary(struct trace_writer *writer)
{
    encoder_count(&writer->encoder);
    return &writer->encoder.summary;
}
