/* What the sanitizers are told of the tests. */
const char *__asan_default_options(void);
const char *__tsan_default_options(void);
const char *__tsan_default_suppressions(void);

/* A request that is too large gives NULL under the sanitizers, too, as malloc's contract has it. */
const char *__asan_default_options(void)
{
    return "allocator_may_return_null=1";
}

const char *__tsan_default_options(void)
{
    return "allocator_may_return_null=1";
}

/* A robust mutex that a timed wait got from a dead owner is held, which the sanitizer's timedlock
 * does not know (its trylock and its lock do). */
const char *__tsan_default_suppressions(void)
{
    return "mutex:shm_heap_unlock";
}
