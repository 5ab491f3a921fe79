/* A generated trace from beginning to end. */
#include "workloads/generate/generate.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness/base/nearest.h"
#include "workloads/generate/generation.h"
#include "workloads/generate/list.h"

#define GENERATOR_EXTERN(symbol) extern const struct generator generator_##symbol;
GENERATORS(GENERATOR_EXTERN)

#define GENERATOR_ADDRESS(symbol) &generator_##symbol,
const struct generator *const generators[] = {GENERATORS(GENERATOR_ADDRESS) NULL};

static void generation_add(struct generation *generation, const struct trace_event *event)
{
    if (!generation_failed(generation))
        trace_writer_add(generation->writer, event, &generation->err);
}

uint32_t generation_malloc(struct generation *generation, uint32_t thread, uint64_t size)
{
    if (generation_failed(generation))
        return 0;
    if (numbering_reserve(&generation->numbering, 1)) {
        err_set(&generation->err, ENOMEM, "no memory left for the objects of a workload");
        return 0;
    }
    uint32_t object = numbering_take(&generation->numbering);
    generation_add(generation,
                   &(struct trace_event){
                       .kind = TRACE_MALLOC, .thread = thread, .object = object, .size = size});
    return object;
}

void generation_realloc(struct generation *generation, uint32_t thread, uint32_t object,
                        uint64_t size)
{
    generation_add(generation,
                   &(struct trace_event){
                       .kind = TRACE_REALLOC, .thread = thread, .object = object, .size = size});
}

void generation_free(struct generation *generation, uint32_t thread, uint32_t object)
{
    if (generation_failed(generation))
        return;
    numbering_give(&generation->numbering, object);
    generation_add(generation,
                   &(struct trace_event){.kind = TRACE_FREE, .thread = thread, .object = object});
}

void generation_mark(struct generation *generation, const char *label)
{
    uint32_t number = trace_writer_label(generation->writer, label);
    generation_add(generation, &(struct trace_event){.kind = TRACE_MARK, .object = number});
}

uint32_t *generation_objects(uint64_t count, struct err *err)
{
    uint32_t *objects = count <= SIZE_MAX / 8 ? calloc(count ? count : 1, sizeof *objects) : NULL;
    if (!objects)
        err_set(err, ENOMEM, "no memory left for a workload of %llu blocks",
                (unsigned long long)count);
    return objects;
}

int generation_refuse(struct err *err, const char *option, const char *why)
{
    return err_set(err, EINVAL, "option %s: %s", option, why);
}

static const struct generator *generate_find(const char *name, struct err *err)
{
    struct nearest nearest = nearest_to(name);
    for (size_t i = 0; generators[i]; i++) {
        if (strcmp(generators[i]->name, name) == 0)
            return generators[i];
        nearest_offer(&nearest, generators[i]->name);
    }
    err_set(err, EINVAL, "there is no workload '%.80s'%s (bench list names all)", name,
            nearest_hint(&nearest).text);
    return NULL;
}

/* `text` is taken apart: "option=value,option=value". */
static int generate_options(const struct generator *generator, char *text,
                            union option_value *values, struct err *err)
{
    int failed = options_default(generator->options, values, err);
    char *rest = text;
    for (char *part; !failed && rest && (part = strsep(&rest, ","));) {
        char *value = strchr(part, '=');
        if (!value)
            return err_set(err, EINVAL, "%s: '%.80s' is no option=value", generator->name, part);
        *value = '\0';
        failed = options_assign(generator->options, values, generator->name, part, value + 1, err);
    }
    return failed;
}

static int generate_into(struct trace_writer *writer, const struct generator *generator,
                         const union option_value *values, struct err *err)
{
    struct generation generation = {.writer = writer};
    numbering_init(&generation.numbering);
    struct err why = {0};
    int failed = generator->run(&generation, values, &why);
    numbering_release(&generation.numbering);
    if (generation_failed(&generation))
        return err_set(err, generation.err.code, "%s", generation.err.text);
    if (failed)
        return err_set(err, -failed, "%s: %s", generator->name, why.text);
    const struct trace_summary *summary = trace_writer_summary(writer);
    return summary->events > summary->by_kind[TRACE_MARK]
               ? 0
               : err_set(err, EINVAL,
                         "%s: with these options there is no operation at all: raise "
                         "one that is 0 or too small",
                         generator->name);
}

static int generate_write(const struct generator *generator, const union option_value *values,
                          const char *workload, const char *path, struct err *err)
{
    const struct trace_origin origin = {.program = generator->name,
                                        .arguments = workload,
                                        .tool = "heapbench " HEAPBENCH_VERSION,
                                        .source = "generated",
                                        .columns = TRACE_HAS_THREADS};
    struct trace_writer *writer;
    int failed = trace_writer_create(&writer, path, &origin, err);
    if (failed)
        return failed;
    failed = generate_into(writer, generator, values, err);
    if (!failed)
        return trace_writer_finish(writer, err);
    trace_writer_abandon(writer);
    return failed;
}

bool generate_takes_threads(const char *workload)
{
    size_t length = strcspn(workload, ":");
    if (strstr(workload + length, "threads="))
        return false;
    for (size_t i = 0; generators[i]; i++)
        if (strncmp(generators[i]->name, workload, length) == 0 && !generators[i]->name[length])
            for (const struct option_row *row = generators[i]->options; row && row->name; row++)
                if (strcmp(row->name, "threads") == 0)
                    return true;
    return false;
}

int generate(const char *workload, const char *path, struct err *err)
{
    union option_value values[OPTIONS_MAX];
    char *text = strdup(workload), *options = text;
    if (!text)
        return err_set(err, ENOMEM, "no memory left to read '%.80s'", workload);
    const char *name = strsep(&options, ":");
    const struct generator *generator = generate_find(name, err);
    int failed = generator ? generate_options(generator, options, values, err) : -EINVAL;
    if (!failed)
        failed = generate_write(generator, values, workload, path, err);
    free(text);
    return failed;
}
