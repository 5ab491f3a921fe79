/* Calls of allocation functions as text. */
#include "workloads/import/call.h"

/* The four of nearly all calls. */
static bool call_form_usual(const char *name, size_t length, enum call_form *form)
{
    bool is_usual = true;
    if (length == 4 && memcmp(name, "free", 4) == 0)
        *form = CALL_FREE;
    else if (length == 6 && memcmp(name, "malloc", 6) == 0)
        *form = CALL_MALLOC;
    else if (length == 6 && memcmp(name, "calloc", 6) == 0)
        *form = CALL_CALLOC;
    else if (length == 7 && memcmp(name, "realloc", 7) == 0)
        *form = CALL_REALLOC;
    else
        is_usual = false;
    return is_usual;
}

bool call_form(const char *name, size_t length, enum call_form *form)
{
    static const struct {
        const char *name;
        enum call_form form;
    } forms[] = {{"memalign", CALL_ALIGNED},
                 {"aligned_alloc", CALL_ALIGNED},
                 {"posix_memalign", CALL_ALIGNED},
                 {"valloc", CALL_PAGE},
                 {"pvalloc", CALL_PAGE},
                 {"cfree", CALL_FREE},
                 {"reallocarray", CALL_REALLOCARRAY},
                 {"free_sized", CALL_FREE},
                 {"free_aligned_sized", CALL_FREE}};
    if (call_form_usual(name, length, form))
        return true;
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

bool call_odd_number(struct scan *scan, uint64_t *value)
{
    *value = 0;
    if (scan_text(scan, "nil") || scan_text(scan, "(nil)") || scan_text(scan, "NULL"))
        return true;
    if (scan_char(scan, '#'))
        return scan_decimal(scan, value);
    bool negative = scan_char(scan, '-'), good = scan_number(scan, value);
    *value = negative ? -*value : *value;
    return good;
}

static bool call_is_letter(char c)
{
    return (unsigned)((c | 32) - 'a') < 26 || c == '_';
}

/* A word that is no number: it says what one is, or is a name. */
static bool call_pass_word(struct scan *scan)
{
    struct scan ahead = *scan;
    while (!scan_done(&ahead) && (call_is_letter(*ahead.at) || (unsigned)(*ahead.at - '0') < 10))
        ahead.at++;
    size_t length = (size_t)(ahead.at - scan->at);
    bool nothing = (length == 3 && memcmp(scan->at, "nil", 3) == 0) ||
                   (length == 4 && memcmp(scan->at, "NULL", 4) == 0);
    if (nothing || !length || !call_is_letter(*scan->at))
        return false;
    *scan = ahead;
    return true;
}

bool call_numbers(struct scan *scan, struct call *call)
{
    call->count = 0;
    while (!scan_done(scan) && *scan->at != ')' && *scan->at != '<') {
        uint64_t value;
        char c = *scan->at;
        if (c == ' ' || c == ',' || c == '\t') {
            scan->at++;
            continue;
        }
        bool is_digit = (unsigned)(c - '0') < 10;
        if (!is_digit && call_pass_word(scan))
            continue;
        if (!call_number(scan, &value))
            return false;
        if (call->count < CALL_NUMBERS)
            call->numbers[call->count++] = value;
    }
    return true;
}

static bool call_array(uint64_t count, struct repair_operation *operation)
{
    return !__builtin_mul_overflow(count, operation->size, &operation->size) || !operation->address;
}

bool call_operation(const struct call *call, uint64_t address, struct repair_operation *operation)
{
    static const unsigned needed[] = {1, 2, 2, 3, 2, 2, 1, 1};
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
        return call_array(numbers[0], operation);
    case CALL_REALLOC:
    case CALL_REALLOCARRAY:
        operation->kind = TRACE_REALLOC;
        operation->before = numbers[0];
        return call->form == CALL_REALLOC || call_array(numbers[1], operation);
    case CALL_ALIGNED:
        return import_align(operation, numbers[0]);
    case CALL_SIZE_ALIGNED:
        operation->size = numbers[0];
        return import_align(operation, numbers[1]);
    case CALL_PAGE:
        return import_align(operation, 4096);
    case CALL_FREE:
        operation->kind = TRACE_FREE;
        operation->before = numbers[0];
        operation->address = operation->size = 0;
        return true;
    }
    return false;
}
