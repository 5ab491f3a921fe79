/* The one list of allocators, read by the compiler and by CMake. To add one: a file and a line.
 *
 * BACKEND(symbol, file): `const struct allocator allocator_<symbol>` in allocators/<file>.
 * EXTERNAL(name, library, package, summary): the C library's malloc replaced by preloading
 * `library`. LAYER(symbol, file): `const struct layer layer_<symbol>` in allocators/layers/<file>.
 */
#ifndef BACKEND
#define BACKEND(symbol, file)
#endif
#ifndef EXTERNAL
#define EXTERNAL(name, library, package, summary)
#endif
#ifndef LAYER
#define LAYER(symbol, file)
#endif

BACKEND(null, null.c)
BACKEND(bump, bump.c)
BACKEND(system, system.c)
BACKEND(first_fit, first-fit.c)
BACKEND(best_fit, best-fit.c)
BACKEND(next_fit, next-fit.c)
BACKEND(worst_fit, worst-fit.c)
BACKEND(buddy, buddy.c)
BACKEND(mymalloc, mymalloc.c)
BACKEND(pagemgr, pagemgr.c)
BACKEND(mems, mems.c)
BACKEND(ostep, ostep.c)
BACKEND(shmheap, shmheap.c)

EXTERNAL("jemalloc", "libjemalloc.so.2", "libjemalloc2", "jemalloc, preloaded")
EXTERNAL("mimalloc", "libmimalloc.so.2", "libmimalloc2.0", "mimalloc, preloaded")
EXTERNAL("tcmalloc", "libtcmalloc_minimal.so.4", "libtcmalloc-minimal4",
         "gperftools tcmalloc, preloaded")
EXTERNAL("tbbmalloc", "libtbbmalloc_proxy.so.2", "libtbbmalloc2",
         "oneTBB's scalable allocator, preloaded")

LAYER(checked, checked.c)
LAYER(locked, locked.c)
LAYER(faulty, faulty.c)
LAYER(delay, delay.c)
LAYER(moving, moving.c)

#undef BACKEND
#undef EXTERNAL
#undef LAYER
