# bench record: programs that end hard, or take away what a recorder might lean on.

bats_require_minimum_version 1.5.0
setup_file() {
    gcc -D_GNU_SOURCE -O1 -w -o "$BATS_FILE_TMPDIR/ends" "$BATS_TEST_DIRNAME/programs/ends.c" -ldl
}

setup() {
    cd "$BATS_TEST_TMPDIR"
    ends=$BATS_FILE_TMPDIR/ends
}

# holds NUMBER [TRACE]: as many allocations, each freed, nothing lost.
holds() {
    "$BENCH" trace info --json "${2:-t.trace}" | python3 -c '
import json, sys
info = json.load(sys.stdin)
kinds = info["by_kind"]
if [kinds["malloc"], kinds["free"], info["lost_events"], info["repairs"]] != [int(sys.argv[1])] * 2 + [0, 0]:
    sys.exit(f"{kinds} {info}")' "$1"
}

# after STATUS HOW NUMBER [OPTION...]: the program ends so, and its trace holds so much.
after() {
    rm -f t.trace t.*.trace
    run --separate-stderr "$BENCH" record "${@:4}" -o t.trace -- "$ends" "$2"
    [ "$status" -eq "$1" ]
    holds "$3"
}

@test "signals that end a program" {
    after 139 segv 1000
    after 143 term 1000
    after 134 abort 1000
    after 139 segv 1000 --times --stacks
}

@test "a program that forbids itself what the recorder would need is recorded on without, or told of" {
    for option in --follow --stacks --times; do
        after 0 forbidding 301002 $option
        [[ "$stderr" == *"forbade itself system calls (seccomp)"* ]]
        [ $option = --times ] || after 0 strict 301000 $option
    done
    run --separate-stderr -0 "$BENCH" record --order=counter -o u.trace -- "$ends" strict
    [[ "$stderr" == *"u.trace: 2,000 events, 600,000 lost"* ]]
    rm t.trace
    run --separate-stderr -159 "$BENCH" record -o t.trace -- "$ends" forbidding-unseen
    [[ "$stderr" == *"forbidden itself (seccomp), maybe one of the recorder's"* ]]
    "$BENCH" trace info --json t.trace | grep -Eq '"malloc": 1[0-9]{3},'
}

@test "a recorder that is stopped is waited for, one that is dead is not" {
    "$BENCH" record -o u.trace -- "$ends" orphaned 3>&- & # beside the other: both take a while
    after 0 stopped 301000
    [[ "$stderr" == *"threads waited"* ]]
    wait $! || [ $? = 137 ]
    for _ in $(seq 250); do [ ! -e over ] || break; sleep 0.02; done
    [ -e over ]
    [ -e u.trace.part ]
}

@test "no descriptors, no root, other rights, no room in limits" {
    after 0 closed 301000
    after 0 limited 301000
    after 0 limited 301000 --stacks
    [ "$(id -u)" -eq 0 ] || skip "needs root for the rest"
    after 0 jailed 301000
    after 0 other-user 301000
}

@test "small stacks: the program's own, a coroutine's" {
    (ulimit -s 128 && after 0 plain 1000 && after 0 vfork 2000 --follow)
    after 0 narrow 3000
    after 0 narrow 3000 --stacks
}

@test "children: told when they are left out, recorded with --follow" {
    for how in vfork spawn; do
        after 0 $how 2000
        [[ "$stderr" == *"1 child process was not recorded"*"--follow"* ]]
        after 0 $how 2000 --follow
        [[ "$stderr" != *"not recorded"* ]]
        holds 1000 t.*.trace
    done
}

@test "no room for the recorder itself: told, and the program does not run" {
    [ -z "${SANITIZE-}" ] || skip "a sanitizer needs room itself"
    local refused=0
    for memory in 30000 35000 40000 45000 50000 55000; do
        rm -f t.trace
        run --separate-stderr bash -c 'ulimit -v "$1" && exec "$BENCH" record -o t.trace -- echo run' . $memory
        [ ! -e t.trace.part ]
        [ $status = 0 ] && continue
        [[ "$stderr" != *"bug at"* ]]
        [ $status != 2 ] || { refused=1; [ -z "$output" ]; }
    done
    [ $refused = 1 ]
}

@test "children where processes have other numbers, and the recorder none" {
    for own in -pf "-pf --mount-proc"; do
        unshare $own true 2>/dev/null || skip "needs the right to make a PID namespace"
        rm -f t.*trace
        run --separate-stderr -0 "$BENCH" record --follow -o t.trace -- unshare $own "$ends" spawn
        children=(t.*.trace)
        [ ${#children[@]} = 2 ]
        holds 2000 "${children[0]}" || holds 2000 "${children[1]}"
        holds 1000 "${children[0]}" || holds 1000 "${children[1]}"
    done
}

@test "a program that takes its environment away is recorded on, itself and its children" {
    run --separate-stderr -0 "$BENCH" record -o t.trace -- env -i LD_PRELOAD= A=b "$ends" plain
    holds_mark 'exec ends'
    [[ "$stderr" != *"the recorder is not in"* ]]
    for how in execve vfork spawn spawnp clear null; do
        rm -f t.*trace
        run --separate-stderr -0 "$BENCH" record --follow -o t.trace -- "$ends" bare-$how
        holds 1000 t.*.trace
    done
    # One that is not recorded gets the environment that it was to have.
    rm -f t.trace
    run --separate-stderr -0 "$BENCH" record -o t.trace -- "$ends" bare-vfork
    [[ "$stderr" != *"not recorded"* ]]
}

@test "a recorder that is recorded keeps what it records" {
    [ -z "$SANITIZE" ] || skip "a sanitizer must be the first library of a program"
    for follow in "" --follow; do
        rm -f *.trace
        run --separate-stderr -0 "$BENCH" record $follow -o outer.trace -- "$BENCH" record -o t.trace -- "$ends" plain
        holds 1000
        [[ "$stderr" != *"recorder is not in"* ]]
    done
}

@test "children that cannot be recorded: named, linked statically or out of reach" {
    echo 'int main(void) { return 0; }' > static.c
    gcc -static -o static static.c
    cp static other
    run --separate-stderr -0 "$BENCH" record --follow -o t.trace -- sh -c "./static; $ends plain; ./other; true"
    [[ "$stderr" == *"not in "*" and 1 more, which child processes became"* ]]
    run --separate-stderr -0 "$BENCH" record --follow -o u.trace -- "$ends" spawn
    [[ "$stderr" != *"not in"* ]]
    unshare -pfn --mount-proc true 2>/dev/null || skip "needs the right to make namespaces"
    run --separate-stderr -0 "$BENCH" record --follow -o v.trace -- unshare -pfn --mount-proc "$ends" plain
    [[ "$stderr" == *"not in ends, which"*"out of reach"* ]]
}

@test "a device takes the traces of all processes, a pipe but one" {
    ln -s /dev/null t.trace
    run --separate-stderr -0 "$BENCH" record --follow -o t.trace -- "$ends" spawn
    [[ "$stderr" == *"all 2 traces"* ]]
    [ "$(echo t.*)" = t.trace ]
    rm t.trace
    mkfifo t.trace
    run --separate-stderr -2 "$BENCH" record --follow -o t.trace -- echo run
    [ -z "$output" ]
    [[ "$stderr" == *"t.trace is a pipe"*"--follow"* ]]
}

# holds_mark LABEL: the trace's only mark is that.
holds_mark() {
    [ "$("$BENCH" trace dump t.trace | sed -n 's/.* mark //p')" = "$1" ]
}

@test "a program that becomes one that cannot be recorded: told, and the trace says so" {
    echo 'int main(void) { return 3; }' > static.c
    gcc -static -o static static.c
    run --separate-stderr -3 "$BENCH" record -o t.trace -- env ./static
    [[ "$stderr" == *"the program became static, which the recorder is not in"*"missing from t.trace"* ]]
    holds_mark 'exec static, not recorded'
    "$BENCH" trace info t.trace | grep -q 'cut off *exec static, not recorded'
    [ "$("$BENCH" trace info --json t.trace | grep -c '"unrecorded_exec": 1')" = 1 ]
    [ "$("$BENCH" trace info --json t.trace | grep -c '"end_live_blocks": 0')" = 1 ]
    # One that could not be started changes nothing.
    after 0 no-exec 2000
    [[ "$stderr" != *"the recorder is not in"* ]]
}

@test "a daemon: told when it runs on, waited for with --follow" {
    after 0 survivor 1000
    [[ "$stderr" == *"run on, unrecorded"* ]]
    after 0 daemon 1000 --follow
    [[ "$stderr" != *"run on"* ]]
    holds 1000 t.*.trace
}

@test "a library that is opened with RTLD_DEEPBIND is recorded as any" {
    printf '#include <stdlib.h>\nvoid *deep(size_t n) { return malloc(n); }\n' > deep.c
    gcc -shared -fPIC -o deep.so deep.c
    run --separate-stderr -0 "$BENCH" record -o t.trace -- "$ends" deep
    [[ "$stderr" != *"was not seen"* ]]
    "$BENCH" trace info --json t.trace | python3 -c '
import json, sys
kinds = json.load(sys.stdin)["by_kind"]
sys.exit(min(kinds["malloc"], kinds["free"]) < 2000)' # half of them through the library
}

@test "allocations past the recorder are told: of libc by name, a malloc of the program's" {
    run --separate-stderr -0 "$BENCH" record -o t.trace -- "$ends" past
    [[ "$stderr" == *"1,000 frees were of blocks whose allocation was not seen"* ]]
    cat > own.c <<'END'
#include <stddef.h>
static char pool[1 << 20];
static size_t used;
void *malloc(size_t n) { used += n + 15 & ~15; return pool + used - (n + 15 & ~15); }
void free(void *p) {}
int main(void) { for (int i = 0; i < 100; i++) free(malloc(i)); }
END
    gcc -O0 -w -o own own.c
    run --separate-stderr -0 "$BENCH" record -o own.trace -- ./own
    [[ "$stderr" == *"own has a malloc of its own"* ]]
    [[ "$stderr" != *"no allocation was seen"* ]]
    # A script's blocks do not hide that the program it becomes has none in the trace.
    run --separate-stderr -0 "$BENCH" record -o became.trace -- sh -c 'exec ./own'
    [[ "$stderr" == *"own has a malloc of its own, which the recorder does not see: "* ]]
    run -0 "$BENCH" trace info became.trace
    [[ "$output" == *"the program has a malloc of its own"* ]]
    run --separate-stderr -0 "$BENCH" record --follow -o all.trace -- sh -c './own; ./own; true'
    [[ "$stderr" == *"own (2 of 3 processes) has a malloc of its own"* ]]
}

@test "a program at a fixed address that takes malloc's has none of its own" {
    echo '#include <stdlib.h>
    int main(void) { void *(*volatile take)(size_t) = malloc; for (int i = 1; i <= 100; i++) free(take(i)); }' > fixed.c
    gcc -no-pie -fno-pie -O1 -w -o fixed fixed.c
    run --separate-stderr -0 "$BENCH" record -o fixed.trace -- ./fixed
    [[ "$stderr" != *"of its own"* ]]
    holds 100 fixed.trace
}
