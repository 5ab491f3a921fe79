/* What a trace asks for, as histograms. */
#include "workloads/profile.h"

#include <errno.h>
#include <string.h>

#include "harness/base/pages.h"

struct profile_object {
    uint64_t born; /* event number + 1, 0: not live */
    uint64_t size;
};

size_t profile_bin(uint64_t value)
{
    if (value < 8)
        return (size_t)value;
    unsigned log2 = 63 - (unsigned)__builtin_clzll(value);
    return 8 + (log2 - 3) * 4 + ((value >> (log2 - 2)) & 3);
}

uint64_t profile_bin_low(size_t bin)
{
    if (bin < 8)
        return bin;
    unsigned log2 = 3 + (unsigned)(bin - 8) / 4;
    return (UINT64_C(4) + (bin - 8) % 4) << (log2 - 2);
}

unsigned profile_power(uint64_t value)
{
    return value ? 64 - (unsigned)__builtin_clzll(value) : 0;
}

int profile_init(struct profile *profile, uint64_t objects, struct err *err)
{
    memset(profile, 0, sizeof *profile);
    profile->object_count = objects;
    profile->objects = pages_map_lazy(objects * sizeof *profile->objects);
    if (!profile->objects)
        return err_set(err, ENOMEM, "no memory for a table of %llu objects",
                       (unsigned long long)objects);
    return 0;
}

void profile_release(struct profile *profile)
{
    pages_unmap(profile->objects, profile->object_count * sizeof *profile->objects);
    profile->objects = NULL;
}

static void profile_count_size(struct profile *profile, uint64_t size)
{
    size_t bin = profile_bin(size);
    profile->sizes[bin]++;
    profile->size_bytes[bin] += size;
}

static void profile_end(struct profile *profile, const struct profile_object *object,
                        uint64_t lifetime)
{
    struct profile_lives *lives =
        &profile->lives[profile_power(object->size)][profile_power(lifetime)];
    profile->lifetimes[profile_bin(lifetime)]++;
    lives->count++;
    lives->bytes += object->size;
}

void profile_add(struct profile *profile, const struct trace_block *block)
{
    for (size_t i = 0; i < block->count; i++) {
        uint8_t kind = block->kind[i];
        uint32_t object = block->object[i];
        if (kind == TRACE_MARK || object >= profile->object_count || block->flags[i] & TRACE_FAILED)
            continue;
        struct profile_object *it = &profile->objects[object];
        if (kind == TRACE_FREE) {
            profile_end(profile, it, block->first + i + 1 - it->born);
            it->born = 0;
            continue;
        }
        it->size = block->size[i];
        profile_count_size(profile, block->size[i]);
        if (kind != TRACE_REALLOC)
            it->born = block->first + i + 1;
    }
}

void profile_finish(struct profile *profile)
{
    for (uint64_t i = 0; i < profile->object_count; i++)
        profile->never_freed += profile->objects[i].born != 0;
}
