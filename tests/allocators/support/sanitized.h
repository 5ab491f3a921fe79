/* What tests must know of the sanitizers they may be built with. */
#ifndef TESTS_SANITIZED_H
#define TESTS_SANITIZED_H

#include <stdbool.h>

#ifndef __has_feature
#define __has_feature(feature) 0
#endif

/* A sanitizer brings a malloc of its own: none can be preloaded beside it. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) ||                               \
    __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
static const bool sanitized = true;
#else
static const bool sanitized = false;
#endif

/* Rounds are fewer by this under the thread sanitizer, which makes memory and fork slow, and, where
 * long lists are searched, by the second one under the address sanitizer too. */
#if defined(__SANITIZE_THREAD__) || __has_feature(thread_sanitizer)
enum { SANITIZED_SCALE = 10, SANITIZED_LISTS = 10 };
#elif defined(__SANITIZE_ADDRESS__) || __has_feature(address_sanitizer)
enum { SANITIZED_SCALE = 1, SANITIZED_LISTS = 4 };
#else
enum { SANITIZED_SCALE = 1, SANITIZED_LISTS = 1 };
#endif

#endif
