#!/usr/bin/env bats
# The data flows one way: no include line points back.

# may FOLDER ALLOWED: every project include in FOLDER begins with one of ALLOWED (a|b|c).
may() {
    local folder=$1 allowed=$2 back
    [ -n "$(find "$folder" -name '*.[ch]')" ]
    back=$(grep -rnE --include='*.[ch]' '#include "(harness|allocators|workloads|results|plots)/' "$folder" |
        grep -vE "#include \"($allowed)" || true)
    [ -z "$back" ] || { echo "$back"; false; }
}

@test "base includes nothing of ours" { may harness/base 'harness/base/'; }
@test "allocators include base only" { may allocators 'harness/base/|allocators/'; }
@test "workloads include base only" { may workloads 'harness/base/|workloads/'; }
@test "results include base only" { may results 'harness/base/|results/'; }
@test "plots include base and results only" { may plots 'harness/base/|results/|plots/'; }

@test "no backend maps memory but through the region" {
    local backends
    backends=$(sed -nE 's/^BACKEND\([a-z_]+, ([a-z-]+\.c)\).*/allocators\/\1/p' allocators/list.h)
    [ -n "$backends" ]
    run grep -nE '\b(mmap|munmap|mprotect|madvise|sbrk)\(' $backends
    [ "$status" = 1 ] || { echo "$output"; false; }
}

# bats passes over a line that is a negation, and over the first part of A && B, unless it is the last.
@test "every line of a test can fail" {
    run bash -c "grep -rnE --include='*.bats' '^ *! |^ *\[.*\] && \[' tests | grep -v '|| false\$'"
    [ "$status" = 1 ] || { echo "$output"; false; }
}
