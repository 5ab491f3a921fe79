/* A small seeded generator, the same stream on every machine: xoshiro256**, seeded by splitmix64
 * (Blackman & Vigna, "Scrambled linear pseudorandom number generators", 2021). Integer only. */
#ifndef HARNESS_BASE_RNG_H
#define HARNESS_BASE_RNG_H

#include <stdint.h>

struct rng {
    uint64_t state[4];
};

static inline void rng_init(struct rng *rng, uint64_t seed)
{
    for (int i = 0; i < 4; i++) {
        uint64_t z = seed += 0x9e3779b97f4a7c15u;
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
        z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
        rng->state[i] = z ^ (z >> 31);
    }
}

static inline uint64_t rng_next(struct rng *rng)
{
    uint64_t *s = rng->state;
    uint64_t x = s[1] * 5;
    uint64_t result = ((x << 7) | (x >> 57)) * 9;
    uint64_t t = s[1] << 17;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = (s[3] << 45) | (s[3] >> 19);
    return result;
}

/* Uniform in [0, bound); bound > 0 (Lemire's multiply-shift; bias below 2^-32 for small bounds). */
static inline uint64_t rng_below(struct rng *rng, uint64_t bound)
{
    __extension__ typedef unsigned __int128 wide;
    return (uint64_t)(((wide)rng_next(rng) * bound) >> 64);
}

#endif
