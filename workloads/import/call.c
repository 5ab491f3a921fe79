/* Calls of allocation functions as text. */
#include "workloads/import/call.h"

bool call_form(const char *name, size_t length, enum call_form *form)
{
    static const struct {
        const char *name;
        enum call_form form;
    } forms[] = {{"malloc", CALL_MALLOC},          {"free", CALL_FREE},
                 {"calloc", CALL_CALLOC},          {"realloc", CALL_REALLOC},
                 {"memalign", CALL_ALIGNED},       {"aligned_alloc", CALL_ALIGNED},
                 {"posix_memalign", CALL_ALIGNED}, {"valloc", CALL_PAGE},
                 {"pvalloc", CALL_PAGE},           {"cfree", CALL_FREE}};
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++)
        if (strlen(forms[i].name) == length && memcmp(forms[i].name, name, length) == 0) {
            *form = forms[i].form;
            return true;
        }
    if (length < 5 || memcmp(name, "_Z", 2) != 0 ||
        (name[3] != 'w' && name[3] != 'a' && name[3] != 'l'))
        return false;
    bool aligned = memmem(name, length, "align_val_t", 11);
    *form = name[2] == 'n' ? (aligned ? CALL_SIZE_ALIGNED : CALL_MALLOC) : CALL_FREE;
    return name[2] == 'n' || name[2] == 'd';
}

static bool call_number(struct scan *scan, uint64_t *value)
{
    *value = 0;
    if (scan_text(scan, "nil") || scan_text(scan, "(nil)"))
        return true;
    return scan_char(scan, '#') ? scan_decimal(scan, value) : scan_number(scan, value);
}

bool call_numbers(struct scan *scan, struct call *call)
{
    call->count = 0;
    while (!scan_done(scan) && *scan->at != ')' && *scan->at != '<') {
        uint64_t value;
        if (strchr(" ,\t", *scan->at) ||
            ((*scan->at | 32) >= 'a' && (*scan->at | 32) <= 'z' && *scan->at != 'n')) {
            scan->at++;
            continue;
        }
        if (!call_number(scan, &value))
            return false;
        if (call->count < CALL_NUMBERS)
            call->numbers[call->count++] = value;
    }
    return true;
}

static bool call_alignment(uint64_t align, struct repair_operation *operation)
{
    operation->kind = TRACE_ALIGNED;
    if (!align || align & (align - 1))
        return false;
    operation->align_log2 = (uint8_t)__builtin_ctzll(align);
    return true;
}

bool call_operation(const struct call *call, uint64_t address, struct repair_operation *operation)
{
    static const unsigned needed[] = {1, 2, 2, 2, 2, 1, 1};
    const uint64_t *numbers = call->numbers;
    if (call->count < needed[call->form])
        return false;
    operation->address = address;
    operation->kind = TRACE_MALLOC;
    operation->size = numbers[needed[call->form] - 1];
    switch (call->form) {
    case CALL_MALLOC:
        return true;
    case CALL_CALLOC:
        operation->kind = TRACE_CALLOC;
        return !__builtin_mul_overflow(numbers[0], numbers[1], &operation->size) || !address;
    case CALL_REALLOC:
        operation->kind = TRACE_REALLOC;
        operation->before = numbers[0];
        return true;
    case CALL_ALIGNED:
        return call_alignment(numbers[0], operation);
    case CALL_SIZE_ALIGNED:
        operation->size = numbers[0];
        return call_alignment(numbers[1], operation);
    case CALL_PAGE:
        return call_alignment(4096, operation);
    case CALL_FREE:
        operation->kind = TRACE_FREE;
        operation->before = numbers[0];
        operation->address = operation->size = 0;
        return true;
    }
    return false;
}
