/* Reading a trace for those who only want its operations. */
#include "tests/allocators/support/events.h"

#include <stdbool.h>

#include "workloads/reader.h"

static bool events_is_call(const struct trace_event *event)
{
    return !(event->flags & TRACE_FAILED) && event->object != TRACE_NO_OBJECT &&
           event->kind != TRACE_MARK;
}

int events_each(const char *path, uint64_t events, events_visitor *visit, void *arg,
                struct err *err)
{
    struct trace_reader *reader;
    struct trace_block block;
    int status = trace_reader_open(&reader, path, err);
    if (status)
        return status;
    while (events && (status = trace_reader_next(reader, &block, err)) > 0) {
        for (size_t i = 0; i < block.count && events && status >= 0; i++, events--) {
            struct trace_event event = trace_block_at(&block, i);
            if (events_is_call(&event))
                status = visit(arg, event, err);
        }
        if (status < 0)
            break;
    }
    trace_reader_close(reader);
    return status < 0 ? status : 0;
}
