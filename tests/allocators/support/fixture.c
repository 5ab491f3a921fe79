/* A heap for one test of an allocator that a spec names. */
#include "tests/allocators/support/fixture.h"

#include <errno.h>

#include "tests/unit.h"

void fixture_open(struct fixture *fixture, void **state, size_t limit)
{
    const struct subject *subject = *state;
    struct err err = {0};
    bool wants_region = subject->spec.backend->scope == SCOPE_HEAP;
    fixture->region = (struct region){0};
    if (wants_region && region_init(&fixture->region, REGION_DEFAULT, &err) < 0)
        fail_msg("%s", err.text);
    fixture->region.limit = limit;
    if (spec_create_in(&subject->spec, wants_region ? &fixture->region : NULL, NULL, &fixture->heap,
                       &err) < 0)
        fail_msg("%s", err.text);
    fixture->ledger = ledger_create(fixture->heap);
}

void fixture_close(struct fixture *fixture)
{
    heap_destroy(fixture->heap);
    region_release(&fixture->region);
    ledger_destroy(fixture->ledger);
}

void fixture_prove_sound(const struct fixture *fixture)
{
    char why[256] = "";
    int checked = heap_check(fixture->heap, why, sizeof why);
    if (checked != 0 && checked != -ENOTSUP)
        fail_msg("check: %s", why);
}

bool subject_has_layer(const struct spec *spec, const struct layer *layer)
{
    for (size_t i = 0; i < spec->layer_count; i++)
        if (spec->layers[i] == layer)
            return true;
    return false;
}
