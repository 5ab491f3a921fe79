/* The limit upon a process's files, which is answered by a signal where one is too long. */
#ifndef ALLOCATORS_FILE_LIMIT_H
#define ALLOCATORS_FILE_LIMIT_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/resource.h>

/* Whether this process may make a file of `length` bytes. */
static inline bool file_limit_allows(uint64_t length)
{
    struct rlimit limit;
    return getrlimit(RLIMIT_FSIZE, &limit) != 0 || length <= limit.rlim_cur;
}

#endif
