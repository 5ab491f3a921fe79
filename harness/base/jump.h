/* A call that ends in a jump, so that what is called finds its caller's caller in its own place. */
#ifndef HARNESS_BASE_JUMP_H
#define HARNESS_BASE_JUMP_H

/* Before the return that calls a function of the same type, and before the function that returns
 * so. With gcc such calls are jumps where it optimises. */
#if defined __clang__
#define JUMP __attribute__((musttail))
#define JUMPS
#else
#define JUMP
#define JUMPS __attribute__((optimize("O2"), no_sanitize("address", "thread", "undefined")))
#endif

#endif
