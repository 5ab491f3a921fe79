/* The one list of generators: GENERATOR(symbol), one file each. */
#ifndef WORKLOADS_GENERATE_LIST_H
#define WORKLOADS_GENERATE_LIST_H

#define GENERATORS(GENERATOR)                                                                      \
    GENERATOR(mymalloc_loop)                                                                       \
    GENERATOR(larson)                                                                              \
    GENERATOR(threadtest)                                                                          \
    GENERATOR(xmalloc)                                                                             \
    GENERATOR(cache_scratch)                                                                       \
    GENERATOR(cache_thrash)                                                                        \
    GENERATOR(glibc_simple)                                                                        \
    GENERATOR(sawtooth)                                                                            \
    GENERATOR(ramp_decay)                                                                          \
    GENERATOR(vectors)                                                                             \
    GENERATOR(first_fit_adversary)                                                                 \
    GENERATOR(best_fit_adversary)                                                                  \
    GENERATOR(profile)

#endif
