#!/usr/bin/env bats
# Allocators are measured inside a process whose malloc may be under test: nothing of ours calls it.

bats_require_minimum_version 1.5.0

@test "only system calls malloc, and nothing calls what allocates" {
    functions='malloc|calloc|realloc|reallocarray|free|memalign|posix_memalign|aligned_alloc'
    functions+='|strdup|strndup|asprintf|vasprintf|fopen|fdopen|getline|opendir|dlopen|dlsym|qsort'
    run -0 nm -A --undefined-only "$BUILD/liballocators.a" "$BUILD/libbase.a"
    callers=$(grep -E " U ($functions)(@.*)?$" <<<"$output" | grep -v ':system.c.o:' || true)
    [ -z "$callers" ] || { echo "$callers"; false; }
}

@test "only the region and the shared heap's object map memory" {
    run -0 nm -A --undefined-only "$BUILD/liballocators.a"
    callers=$(grep -E " U (mmap|mmap64|sbrk|brk)(@.*)?$" <<<"$output" |
        grep -vE ':(region|library|object)\.c\.o:' || true)
    [ -z "$callers" ] || { echo "$callers"; false; }
}
