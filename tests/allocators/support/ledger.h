/* What a test knows of a heap by itself: every live block with its size and contents, against which
 * the heap is held. */
#ifndef TESTS_LEDGER_H
#define TESTS_LEDGER_H

#include "allocators/allocator.h"
#include "harness/base/rng.h"

struct block {
    void *ref;
    char *memory; /* what resolve gave */
    size_t size;  /* as last requested */
    uint64_t seed;
};

enum { LEDGER_BLOCKS = 1 << 14 };

struct ledger {
    struct heap *heap;
    size_t count;
    uint64_t seeds;
    struct block blocks[LEDGER_BLOCKS];
};

/* An empty ledger (mapped, not allocated: the heap may be malloc itself) and its end. */
struct ledger *ledger_create(struct heap *heap);
void ledger_destroy(struct ledger *ledger);

/* Each allocates, proves the alignment (and zeroes), fills the block with a pattern of its own and
 * enters it. False: the heap gave NULL. Anything wrong fails the running test. */
bool ledger_alloc(struct ledger *ledger, size_t size);
bool ledger_zalloc(struct ledger *ledger, size_t size);
bool ledger_alloc_aligned(struct ledger *ledger, size_t align, size_t size);

/* Proves that the contents are as they were written, then frees. */
void ledger_free(struct ledger *ledger, size_t place);
void ledger_free_all(struct ledger *ledger);

/* Proves the contents before and the prefix after; when the heap gives NULL, that nothing changed.
 */
bool ledger_realloc(struct ledger *ledger, size_t place, size_t size);

/* Proves all contents, and that no two blocks share a byte of what they may use. */
void ledger_prove(struct ledger *ledger);

/* Proves the walk law: spans lie in order in their areas (end to end where the table says so), and
 * the USED ones are exactly the ledger's blocks. Nothing to prove without walk. */
void ledger_prove_walk(struct ledger *ledger);

/* One random operation among at most `most` blocks of at most `largest` bytes. */
void ledger_step(struct ledger *ledger, struct rng *rng, size_t most, size_t largest);

/* Writes and compares the pattern of a seed. */
void pattern_write(char *memory, size_t size, uint64_t seed);
bool pattern_holds(const char *memory, size_t size, uint64_t seed);

#endif
