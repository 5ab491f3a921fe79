/* The C library's own trace of its malloc, as the tracing branch writes it: records of 64 bytes. */
#include "workloads/bytes.h"
#include "workloads/import/importer.h"

enum { RAW_RECORD = 64 };

enum raw_type {
    RAW_UNUSED,
    RAW_MALLOC,
    RAW_CALLOC,
    RAW_FREE,
    RAW_REALLOC,
    RAW_MEMALIGN,
    RAW_VALLOC,
    RAW_PVALLOC,
    RAW_POSIX_MEMALIGN,
    RAW_MAGIC = 255
};

static enum import_verdict raw_record(const uint8_t *record, struct repair_operation *operation)
{
    uint32_t type = bytes_get32(record + 4) & 255;
    uint64_t given = bytes_get64(record + 8);
    *operation = (struct repair_operation){.thread = bytes_get32(record),
                                           .address = bytes_get64(record + 16),
                                           .size = bytes_get64(record + 24)};
    switch (type) {
    case RAW_UNUSED:
    case RAW_MAGIC:
        return IMPORT_NOTHING;
    case RAW_MALLOC:
        return IMPORT_OPERATION;
    case RAW_CALLOC:
        operation->kind = TRACE_CALLOC;
        return IMPORT_OPERATION;
    case RAW_FREE:
        operation->kind = TRACE_FREE;
        operation->address = operation->size = 0;
        operation->before = given;
        return IMPORT_OPERATION;
    case RAW_REALLOC:
        operation->kind = TRACE_REALLOC;
        operation->before = given;
        return IMPORT_OPERATION;
    case RAW_MEMALIGN:
    case RAW_POSIX_MEMALIGN:
        return import_align(operation, bytes_get64(record + 32)) ? IMPORT_OPERATION : IMPORT_BAD;
    case RAW_VALLOC:
    case RAW_PVALLOC:
        return import_align(operation, 4096) ? IMPORT_OPERATION : IMPORT_BAD;
    default:
        return IMPORT_BAD;
    }
}

/* Addresses and sizes of this world, and at least one operation among the first records. */
static bool raw_recognise(const char *start, size_t length)
{
    bool any = false;
    if (length < RAW_RECORD)
        return false;
    for (size_t at = 0; at + RAW_RECORD <= length && at < 64 * RAW_RECORD; at += RAW_RECORD) {
        struct repair_operation operation;
        enum import_verdict verdict = raw_record((const uint8_t *)start + at, &operation);
        if (verdict == IMPORT_BAD || operation.address >> 48 || operation.before >> 48)
            return false;
        any |= verdict == IMPORT_OPERATION;
    }
    return any;
}

static uint32_t raw_columns(const char *start, size_t length)
{
    (void)start;
    (void)length;
    return TRACE_HAS_THREADS;
}

static int raw_read(struct import *import, struct source *source, struct err *err)
{
    size_t got;
    const uint8_t *record;
    int failed = 0;
    while (!failed && (record = source_bytes(source, RAW_RECORD, &got)) && got == RAW_RECORD) {
        struct repair_operation operation;
        enum import_verdict verdict = raw_record(record, &operation);
        if (verdict == IMPORT_OPERATION)
            failed = import_operation(import, &operation, err);
        else if (verdict == IMPORT_BAD)
            import_bad(import, "a record of an unknown type", 27);
    }
    if (!failed && got)
        import_cut(import, "the last record is not whole");
    return failed;
}

const struct importer importer_glibc_raw = {
    .name = "glibc_raw",
    .source = "glibc malloc trace",
    .losses = "The trace has no time.",
    .recognise = raw_recognise,
    .columns = raw_columns,
    .read = raw_read,
};
