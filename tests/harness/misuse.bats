#!/usr/bin/env bats
# bench exec: calls that malloc's interface forbids end no program and damage no block, and are told.

bats_require_minimum_version 1.5.0
setup_file() {
    gcc -w -O1 -fno-builtin -pthread -o "$BATS_FILE_TMPDIR/misuse" \
        "$BATS_TEST_DIRNAME/programs/misuse.c"
}
setup() {
    [ -z "${SANITIZE-}" ] || skip "a sanitizer's malloc cannot be replaced by another"
    cd "$BATS_FILE_TMPDIR"
}

backends() {
    sed -nE 's/^BACKEND\(([a-z_]+),.*/\1/p' "$BATS_TEST_DIRNAME/../../allocators/list.h" |
        tr _ - | grep -vx -e null -e system
}

# survives SPEC THREADS: the program sees every call fail as it should, and each of them is counted.
survives() {
    local keeps=
    [[ $1 != bump* ]] || keeps=keeps
    run -0 --separate-stderr "$BENCH" exec -a "$1" -- ./misuse "$2" $keeps
    [[ "$output" =~ ^start$'\n'end\ ([0-9]+)$ ]] || { echo "$1: $output"; false; }
    [[ "$stderr" == *"heapbench: ${BASH_REMATCH[1]} calls with a pointer at which no live block began"* ]] ||
        { echo "$1: $stderr"; false; }
}

@test "on every backend, with one thread and several" {
    local name
    for name in $(backends) ostep:coalesce=0 ostep:fit=best pagemgr:fit=best shmheap:lock=0; do
        survives "$name" 0
        survives "$name" 3
    done
}

@test "under every layer" {
    local name
    for name in $(backends) system; do survives "$name+checked" 2; done
    for name in first-fit+locked buddy+moving mems+delay:delay=1ns shmheap+faulty \
        mymalloc+locked+checked ostep+checked+locked mems+checked+moving; do
        survives "$name" 2
    done
}

@test "the first calls are told one by one, by kind, in each process" {
    cat >kinds.c <<'C'
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>
int main(void)
{
    char local[64], *volatile block = malloc(100), *volatile other = malloc(100);
    free(local);
    if (fork() == 0) {
        free(other + 32);
        return 0;
    }
    wait(NULL);
    free(block);
    free(block);
    realloc(block, 7);
    free(local);
    for (int i = 0; i < 20; i++)
        free(other + 16);
    free(other);
    puts("end");
}
C
    gcc -w -fno-builtin -o kinds kinds.c
    local name
    for name in $(backends); do
        [ "$name" != bump ] || continue
        run -0 --separate-stderr "$BENCH" exec -a "$name" -- ./kinds
        [ "$output" = end ]
        grep '^heapbench:' <<<"$stderr" >told
        [ "$(sed -E 's/0x[0-9a-f]+/P/g; s/block of [0-9]+/block of N/' told | uniq -c | sed 's/^ *//')" = \
"1 heapbench: free(P): foreign pointer: no memory of this heap is there; nothing is done
1 heapbench: free(P): interior pointer: 32 bytes into the block of N bytes at P; nothing is done
1 heapbench: 1 call with a pointer at which no live block began
1 heapbench: free(P): double free: the memory there is free already; nothing is done
1 heapbench: realloc(P): freed pointer: the memory there is free already; nothing is done
1 heapbench: free(P): foreign pointer: no memory of this heap is there; nothing is done
4 heapbench: free(P): interior pointer: 16 bytes into the block of N bytes at P; nothing is done
1 heapbench: 24 calls with a pointer at which no live block began" ] || { echo "$name"; cat told; false; }
    done
}

@test "checked names the block that was freed twice" {
    printf '#include <stdlib.h>\nint main(void) { char *volatile b = malloc(21); free(b); free(b); return realloc(b, 9) != 0; }\n' >b.c
    gcc -w -fno-builtin -o b b.c
    local name
    for name in first-fit mems shmheap system; do
        run -0 --separate-stderr "$BENCH" exec -a "$name+checked" -- ./b
        [[ "$stderr" == *"double free of the block of 21 bytes at 0x"*" (2 faults in all)"* ]] ||
            { echo "$name: $stderr"; false; }
    done
}

@test "a heap that cannot be is refused before the program starts" {
    local spec
    for spec in mems:start=0 mems:page=3 pagemgr:pages=0 buddy:min=7 null+checked; do
        run -2 --separate-stderr "$BENCH" exec -a "$spec" -- touch started
        [ ! -e started ]
        [[ "$stderr" == "bench exec: "* ]]
    done
    run -2 "$BENCH" exec -a mems:start=0 -- true
    [ "$output" = "bench exec: mems: start=0 cannot be: block 0 would be no block" ]
}
