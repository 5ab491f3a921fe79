/* Numbered texts. */
#include "workloads/names.h"

#include <errno.h>
#include <string.h>

int names_reserve(struct names *names, uint64_t count, uint64_t bytes)
{
    if (array_reserve(&names->text, bytes) ||
        array_reserve(&names->starts, count * sizeof(uint32_t)))
        return -ENOMEM;
    return 0;
}

int names_add(struct names *names, const char *text, size_t length)
{
    if (length >= UINT32_MAX - names->used || names->count == UINT32_MAX)
        return -ENOMEM;
    if (array_reserve(&names->text, names->used + length + 1) ||
        array_reserve(&names->starts, (names->count + (size_t)1) * sizeof(uint32_t)))
        return -ENOMEM;
    char *to = (char *)names->text.at + names->used;
    memcpy(to, text, length);
    to[length] = '\0';
    ((uint32_t *)names->starts.at)[names->count++] = names->used;
    names->used += (uint32_t)length + 1;
    return 0;
}

const char *names_at(const struct names *names, uint32_t number)
{
    if (number >= names->count)
        return NULL;
    return (const char *)names->text.at + ((const uint32_t *)names->starts.at)[number];
}

uint32_t names_find(const struct names *names, const char *text)
{
    uint32_t number = 0;
    while (number < names->count && strcmp(names_at(names, number), text) != 0)
        number++;
    return number;
}

void names_release(struct names *names)
{
    array_release(&names->text);
    array_release(&names->starts);
    *names = (struct names){0};
}
