#!/usr/bin/env bats
# bench record: what a program allocates, no more and no less, however it ends.

bats_require_minimum_version 1.5.0
setup_file() {
    for program in calls exchange stacks; do
        gcc -D_GNU_SOURCE -O2 -w -rdynamic -pthread -o "$BATS_FILE_TMPDIR/$program" \
            "$BATS_TEST_DIRNAME/programs/$program.c" -ldl
    done
}

setup() {
    cd "$BATS_TEST_TMPDIR"
    calls=$BATS_FILE_TMPDIR/calls
    exchange=$BATS_FILE_TMPDIR/exchange
}

# record ARGUMENT...: into t.trace; its status in $status.
record() { run --separate-stderr "$BENCH" record -o t.trace "$@"; }

# has TRACE FIELD=NUMBER...: as trace info tells them; kinds of operations by their names.
has() {
    "$BENCH" trace info --json "$1" | python3 -c '
import json, sys
info = json.load(sys.stdin)
info.update(info["by_kind"])
for want in sys.argv[1:]:
    name, number = want.split("=")
    if info[name] != int(number):
        sys.exit(f"{name} is {info[name]}, not {number}")' "${@:2}"
}

@test "output and status are passed through, the last line tells events and cost" {
    run --separate-stderr -7 "$BENCH" record -o t.trace -- sh -c 'echo out; exit 7'
    [ "$output" = out ]
    [[ "${stderr_lines[-1]}" == "bench record: t.trace: "*" events, "*" bytes an event, "*" %" ]]
}

@test "several traces are told one by one, and what they are together" {
    run --separate-stderr -0 "$BENCH" record --follow -o t.trace -- sh -c 'ls; exit 0'
    for trace in t.trace t.*.trace; do
        events=$("$BENCH" trace info --json "$trace" | python3 -c 'import json, sys; print(format(json.load(sys.stdin)["events"], ","))')
        [[ "$stderr" == *"bench record: $trace: $events events, 0 lost"* ]]
    done
    [[ "${stderr_lines[-1]}" == "bench record: all 2 traces: "*" events, "*" bytes an event, "* ]]
}

@test "what making the trace cost is stored in it, and shown" {
    record -- "$calls" plain
    for cost in program_wall_ns drain_ns late_ns; do
        [ "$("$BENCH" trace info --json t.trace | grep "\"$cost\":" | tr -dc 0-9)" -gt 0 ]
    done
    "$BENCH" trace info t.trace | grep -q 'made a trace *beside it, .* of processor time, events done .* after it'
}

@test "a parent that ignores the ends of its children" {
    ignoring=(timeout -s KILL 60 perl -e '$SIG{CHLD} = "IGNORE"; exec @ARGV')
    run --separate-stderr -7 "${ignoring[@]}" "$BENCH" record -o t.trace -- sh -c 'exit 7'
    run --separate-stderr -0 "${ignoring[@]}" "$BENCH" run -n 1 -p throughput -a system -o out t.trace
    grep -q '"status":"ok"' out/cells.jsonl
}

@test "an existing file is never overwritten" {
    echo mine >t.trace
    run --separate-stderr -2 "$BENCH" record -o t.trace -- true
    [[ "$stderr" == *"t.trace exists"* ]]
    [ "$(cat t.trace)" = mine ]
    ln -s nowhere link.trace
    run --separate-stderr -2 "$BENCH" record -o link.trace -- true
    [[ "$stderr" == *"link.trace exists"* ]]
    [ "$(readlink link.trace)" = nowhere ]
}

@test "the default name is the program's, the next one where that exists" {
    "$BENCH" record -- true
    "$BENCH" record -- true
    [ -f true.trace ]
    [ -f true-2.trace ]
    ln -s nowhere true-3.trace
    "$BENCH" record -- true
    [ -f true-4.trace ]
}

@test "a recording that is under way keeps its name" {
    mkfifo in
    "$BENCH" record -- cat <in >/dev/null 2>err 3>&- &
    bench=$!
    exec 9>in
    until [ -e cat.trace.part ]; do sleep 0.02; done
    run --separate-stderr -2 "$BENCH" record -o cat.trace -- true
    [[ "$stderr" == *"cat.trace.part is being written"* ]]
    "$BENCH" record -- cat /dev/null
    exec 9>&-
    wait "$bench"
    has cat.trace lost_events=0 repairs=0
    has cat-2.trace lost_events=0 repairs=0
}

# Of what is written of a trace so far.
events() {
    local text
    text=$("$BENCH" trace info --json "$1" 2>&1) || true
    if [[ "$text" =~ \"events\":\ ([0-9]+) ]]; then echo "${BASH_REMATCH[1]}"; else echo 0; fi
}

@test "what a killed recorder left is kept, told of, and can be read" {
    "$BENCH" record -o t.trace -- /usr/bin/perl -e '
        for (1..400000) { $s = ($s * 16807 + 7) % 2147483647; $a[$s % 9000] = "x" x ($s / 7 % 3000) }
        $| = 1; print "up\n"; sleep 60' >out 2>err 3>&- &
    bench=$!
    # However late the recorder is: the program waits.
    until [ "$(events t.trace.part)" -gt 100000 ]; do sleep 0.1; done
    record -- true
    [ "$status" = 2 ]
    [[ "$stderr" == *"t.trace.part is being written"* ]]
    program=$(pgrep -P "$bench")
    kill -KILL "$bench" "$program"
    wait "$bench" || true
    cp t.trace.part before
    record -- true
    [ "$status" = 2 ]
    [[ "$stderr" == *"t.trace.part was left unfinished"*"bench trace info"* ]]
    cmp t.trace.part before
    run --separate-stderr -2 "$BENCH" trace info --json t.trace.part
    [[ "$stderr" == *"events before it are whole"* ]]
    [ "$(events t.trace.part)" -gt 100000 ]
}

@test "a program that is not there, an output that cannot be written" {
    PATH=/usr/bin:/bin run --separate-stderr -127 "$BENCH" record -o t.trace -- no-such-program
    [[ "$stderr" == *"no-such-program cannot be started"* ]]
    [ ! -e t.trace ]
    [ ! -e t.trace.part ]
    run --separate-stderr -2 "$BENCH" record -o no/such/folder.trace -- true
    [[ "$stderr" == *"no/such/folder.trace"* ]]
}

@test "a static program: the sentence says why there is nothing" {
    echo 'int main(void) { return 0; }' >p.c
    gcc -static -o p p.c
    run --separate-stderr -0 "$BENCH" record -o t.trace -- ./p
    [[ "$stderr" == *"ignored the recorder"*"statically"* ]]
}

@test "the recorder asks for nothing that keeps a program of another C library from running" {
    library=$BUILD/libheapbench-record.so
    [ "$(readelf -d "$library" | grep -c NEEDED)" = 1 ]
    readelf -d "$library" | grep -q 'NEEDED.*libc\.so'
    # What glibc alone has is weak, and the loader's own functions are not called.
    [ -z "$(nm -D --undefined-only "$library" | grep -E ' U (_dl_|__libc_|__register_|__tls_get_addr|_Unwind|gnu_)')" ]
}

@test "every function is one operation, a failure too" {
    record -- "$calls" kinds
    [ "$status" = 0 ]
    has t.trace malloc=102 calloc=101 realloc=201 aligned=501 free=801 failed_calls=4 threads=1 \
        lost_events=0 repairs=0 end_live_blocks=0
}

@test "an alignment that is no power of two: what it becomes" {
    printf '%s\n' '#include <malloc.h>' '#include <stdlib.h>' 'static volatile size_t odd = 48;' \
        'int main(void) { free(memalign(odd, 100)); free(aligned_alloc(odd / 2, 100)); }' >p.c
    gcc -O0 -w -o p p.c
    record -- ./p
    [ "$("$BENCH" trace dump t.trace | sed -n 's/.*aligned.*align //p' | tr '\n' ' ')" = "64 32 " ]
}

@test "a C++ program with an operator new of its own: what that takes from malloc, and no more" {
    cat >p.cpp <<'END'
#include <cstdlib>
static char *slab;
static std::size_t left;
void *operator new(std::size_t size) {
    size = (size + 15) / 16 * 16;
    if (left < size)
        slab = static_cast<char *>(std::malloc(left = 4096));
    left -= size;
    return slab + left;
}
void operator delete(void *) noexcept {}
void operator delete(void *, std::size_t) noexcept {}
int main() {
    for (int i = 0; i < 256; i++) {
        char *volatile row = new char[32];
        delete[] row;
    }
}
END
    g++ -O1 -w -o p p.cpp
    record -- ./p
    has t.trace repairs=0
    "$BENCH" trace dump t.trace | awk '$3 == "malloc" && $5 == 4096 { slabs++ } END { exit slabs != 2 }'
    [[ "$stderr" != *"was not seen"* ]]
}

@test "the ends of a program: return, _exit, quick_exit, SIGKILL" {
    for end in plain:0 _exit:4 quick_exit:3 kill:137; do
        rm -f t.trace
        record -- "$calls" "${end%:*}"
        [ "$status" = "${end#*:}" ]
        has t.trace malloc=3000 free=3000 lost_events=0 repairs=0
    done
}

@test "exec goes on in the same trace, behind a mark and without the old blocks" {
    record -- "$calls" exec
    has t.trace malloc=6000 mark=1 end_live_blocks=0 repairs=0
    "$BENCH" trace dump t.trace | grep -q 'mark exec calls'
    # The old blocks end where the last of the old image's operations was, not at time 0.
    rm t.trace
    record --times -- "$calls" exec
    [[ "$stderr" == *"needs the processor's counter"* ]] || has t.trace malloc=6000 mark=1 end_live_blocks=0
}

@test "a program that becomes another user is recorded on" {
    other=(setpriv --reuid=65534 --clear-groups)
    "${other[@]}" test -r "$(dirname "$BENCH")/libheapbench-record.so" || skip "cannot become a user who may read it"
    record -- "${other[@]}" /usr/bin/perl -e '$h{$_} = "x" x $_ for 1..5000; print scalar keys %h'
    [ "$output" = 5000 ]
    "$BENCH" trace dump t.trace | grep -q 'mark exec perl'
    has t.trace lost_events=0
}

@test "fork: the child is left out" {
    record -- "$calls" fork
    has t.trace malloc=1001 free=1001 threads=1 lost_events=0 repairs=0
    [ "$(ls *.trace*)" = t.trace ]
}

@test "fork with --follow: the child has a trace of its own" {
    record --follow -- "$calls" fork
    has t.trace malloc=1001 free=1001 repairs=0
    child=$(ls t.*.trace)
    has "$child" malloc=2000 free=2000 threads=1 lost_events=0
}

@test "forks while a thread is in the allocator" {
    record -- "$calls" fork-threads
    [ "$status" = 0 ]
    has t.trace threads=2 repairs=0
}

@test "children of a moment: none is forgotten with --follow, whoever ends last" {
    record --follow -- "$calls" brood
    [ "$status" = 0 ]
    rm t.trace
    children=(t.*.trace)
    [ ${#children[@]} = 40 ]
    for child in "${children[@]}"; do
        has "$child" malloc=50 free=50 lost_events=0
    done
}

@test "a hundred threads at once, again and again: each is one" {
    record -- "$calls" crowd
    has t.trace threads=2001 malloc=20000 lost_events=0 repairs=0
}

@test "blocks that threads give back before the next has them: in that order from the first thread on" {
    for order in sequence counter; do
        rm -f t.trace
        record --order=$order -- "$calls" gifts
        [ "$status" = 0 ]
        has t.trace threads=101 lost_events=0 repairs=0
    done
}

@test "threads that wait for room: nothing is lost, however often others are quicker" {
    [ -z "$SANITIZE" ] || skip "a sanitizer needs room itself"
    ulimit -v 120000
    run --separate-stderr -0 taskset -c "$(taskset -pc $$ | grep -o '[0-9]*$')" "$BENCH" record --order=counter -o t.trace -- "$calls" rush
    has t.trace malloc=2400000 lost_events=0 repairs=0
}

@test "threads come and go: each counted once, its last frees its own" {
    record -- "$calls" threads
    has t.trace malloc=100000 threads=101 lost_events=0 repairs=0
}

@test "signals, and a handler that calls the allocator" {
    record -- "$calls" signals
    [ "$output" -gt 0 ]
    has t.trace free=2000000 malloc=1 lost_events=0
    rm t.trace
    record -- "$calls" signals-allocating
    has t.trace free=$((2000000 + output)) malloc=1 lost_events=0
}

@test "a signal behind any of its instructions, and a handler that fills the room a call took" {
    # More than a chunk of the spool holds.
    STEP_RECORDS=8200 record -- "$calls" signals-stepped
    read -r -a count <<<"$output"
    has t.trace realloc="${count[0]}" free="${count[1]}" lost_events=0
}

@test "a signal behind any of its instructions, and a handler whose records are earlier than the call's" {
    record --times -- "$calls" signals-stepped
    [[ "$stderr" != *"needs the processor's counter"* ]] || skip "times need the processor's counter"
    [ "$status" = 0 ]
    read -r -a count <<<"$output"
    has t.trace realloc="${count[0]}" free="${count[1]}" lost_events=0 repairs=0
}

@test "a signal behind any of its instructions, and a handler whose child goes on with the call" {
    for option in --order=sequence --follow; do
        rm -f t.*trace
        record $option -- "$calls" forks-stepped
        [ "$status" = 0 ]
        read -r -a count <<<"$output"
        has t.trace realloc="${count[0]}" free="${count[1]}" threads=1 lost_events=0 repairs=0
    done
}

@test "errno is the program's" {
    record -- "$calls" errno
    [ "$status" = 0 ]
    has t.trace malloc=100001 failed_calls=1
}

@test "threads that exchange blocks: no address is given out twice, in either order of records" {
    local count
    for order in sequence counter; do
        for threads in 2 4; do
            rm -f t.trace
            record --order=$order -- "$exchange" $threads 200000
            read -r -a count <<<"$output"
            has t.trace realloc="${count[1]}" threads=$((threads + 1)) lost_events=0 repairs=0
        done
    done
}

@test "early start-up: interpreters and a C++ program, also with an allocator of its own" {
    record -- /usr/bin/perl -e 'my %h = map { $_ => "x" x $_ } 1..500; print scalar %h'
    [ "$output" = 500 ]
    has t.trace repairs=0 lost_events=0
    rm t.trace
    PYTHONMALLOC=malloc record -- /usr/bin/python3 -c 'print(sum(len(str(i)) for i in range(9999)))'
    [ "$output" = 38886 ]
    has t.trace repairs=0 lost_events=0
    cat >p.cpp <<'END'
#include <cstdio>
#include <map>
#include <string>
struct alignas(64) wide { char bytes[64]; };
int main() {
    std::map<int, std::string> m;
    for (int i = 0; i < 1000; i++)
        m[i] = std::string(100, 'x');
    wide *volatile w = new wide;
    delete w;
    std::puts("ok");
}
END
    # Their operator new does not go through malloc, the C++ library's does: once each.
    for own in "" -l:libjemalloc.so.2 -l:libtcmalloc_minimal.so.4; do
        g++ -O2 -std=c++17 -o p p.cpp -Wl,--no-as-needed $own || continue
        rm t.trace
        record -- ./p
        [ "$output" = ok ]
        has t.trace repairs=0 lost_events=0
        "$BENCH" trace info --json t.trace | python3 -c '
import json, sys
kinds = json.load(sys.stdin)["by_kind"]
assert 2000 <= kinds["malloc"] < 2010 and kinds["aligned"] == 1 and 2000 <= kinds["free"] < 2010, kinds'
    done
}

@test "operator new that fails: one failed call, whoever it belongs to" {
    cat >p.cpp <<'END'
#include <cstdio>
#include <new>
static volatile std::size_t big = std::size_t(1) << 61;
template <class Call> static int fails(Call call) {
    try { return !call(); } catch (std::bad_alloc &) { return 1; }
}
int main(int count, char **) {
    for (int i = 0; count > 1 && i < 10; i++) // else the first call of each kind fails
        delete new (std::nothrow) int, delete[] new int[2], delete new int;
    int failed = 0;
    for (int i = 0; i < 10; i++)
        failed += fails([] { return operator new(big); }) + fails([] { return operator new[](big); }) +
                  fails([] { return operator new(big, std::nothrow); }) +
                  fails([] { return operator new(big, std::align_val_t(64)); });
    std::printf("%d\n", failed);
}
END
    for own in "" -l:libjemalloc.so.2 -l:libtcmalloc_minimal.so.4 -l:libtbbmalloc_proxy.so.2; do
        g++ -std=c++17 -w -o p p.cpp -Wl,--no-as-needed $own || continue
        for arguments in "" warm; do
            rm -f t.trace
            record -- ./p $arguments
            [ "$output" = 40 ]
            has t.trace failed_calls=40 aligned=10 lost_events=0 repairs=0
        done
    done
}

@test "call stacks: the callers, with and without a frame pointer, as deep as asked for" {
    record --stacks -- "$BATS_FILE_TMPDIR/stacks"
    [ "$status" = 0 ]
    has t.trace repairs=0 lost_events=0
    # The program prints the frames that the C library's own unwinder sees, for its own calls. Those of
    # libraries without names, as of a C library whose symbols are not installed, begin with a bracket.
    "$BENCH" trace dump --sites t.trace | sed 's/^  \(.*\)+0x.* \[stacks\]$/  \1/' |
        awk '/^site/ { first = 1; next } first { mine = $1 == "leaf"; first = 0 } mine && NF == 1 && $1 !~ /^\[/ { print $1 }' >ours
    diff <(echo "$output") ours
    rm t.trace
    record --stacks=2 -- "$BATS_FILE_TMPDIR/stacks"
    [ "$("$BENCH" trace dump --sites t.trace | awk '/^site/ { n = 0; next } ++n > most { most = n } END { print most }')" = 2 ]
    run --separate-stderr -2 "$BENCH" record --stacks=999 -o u.trace -- true
    [[ "$stderr" == *"from 1 to 64"* ]]
}

@test "call stacks of threads, forks and interpreters" {
    record --stacks -- "$exchange" 4 20000
    has t.trace repairs=0 lost_events=0
    "$BENCH" trace dump --sites t.trace | grep -q 'exchange+'
    rm t.trace
    record --stacks --follow -- "$calls" fork
    has t.trace malloc=1001 repairs=0
    "$BENCH" trace dump --sites t.*.trace | grep -q 'main+'
    rm t.trace
    PYTHONMALLOC=malloc record --stacks -- /usr/bin/python3 -c 'import json; print(len(json.dumps(list(range(9999)))))'
    [ "$status" = 0 ]
    has t.trace repairs=0 lost_events=0
    "$BENCH" trace dump --sites t.trace | grep -q 'Py_BytesMain'
}

@test "call stacks: C++ functions are named as a person writes them" {
    cat >p.cpp <<'END'
#include <vector>
namespace shop { __attribute__((noinline)) std::vector<int> order(int n) { return std::vector<int>(n); } }
int main() { return shop::order(100)[7]; }
END
    g++ -O1 -rdynamic -o p p.cpp
    record --stacks -- ./p
    "$BENCH" trace dump --sites t.trace | grep -q 'shop::order(int)+0x.* \[p\]'
}

@test "terminated from outside: what was recorded is there" {
    "$BENCH" record -o t.trace -- /usr/bin/perl -e '$x{$_} = $_ for 1..1000; $| = 1; print "up\n"; sleep 60' >out 2>err 3>&- &
    bench=$!
    until grep -q up out; do sleep 0.05; done
    kill -TERM "$bench"
    status=0
    wait "$bench" || status=$?
    [ "$status" = 143 ]
    has t.trace lost_events=0 repairs=0
}

@test "a full disk: at the start the program is not run, later its output is its own" {
    ln -s /dev/full t.trace
    record -- echo run
    [ "$status" = 2 ]
    [ -z "$output" ]
    [[ "$stderr" == *"t.trace"*"No space left on device"* ]]
    rm t.trace
    mkfifo t.trace
    head -c 3000 t.trace >/dev/null 3>&- &
    exec 9>t.trace # once somebody reads it
    record -- /usr/bin/perl -e '
        for (1..400000) { $s = ($s * 16807 + 7) % 2147483647; $a[$s % 9000] = "x" x ($s / 7 % 3000) }
        print "done"'
    exec 9>&-
    [ "$output" = "done" ]
    [ "$status" = 1 ]
    [[ "$stderr" == *"t.trace"*"Broken pipe"* ]]
}
