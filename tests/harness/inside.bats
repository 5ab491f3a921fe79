#!/usr/bin/env bats
# Nothing of the harness's own is in what it measures.

setup() {
    cd "$BATS_TEST_TMPDIR"
    "$BENCH" generate ramp-decay:blocks=8000,rounds=2 -o decay.trace
}

# The system calls in the timed regions of the worker, one a line: what stands between the reading of
# the thread's processor time before a region and that behind it.
regions() { # CALLS
    python3 - "$1" <<'PY'
import re, sys
inside, regions = set(), 0
for line in open(sys.argv[1]):
    found = re.match(r"(\d+) +(\w+)\((.*)", line)
    if not found:
        continue
    process, call, rest = found.groups()
    if call == "clock_gettime" and "CLOCK_THREAD_CPUTIME_ID" in rest:
        regions += process in inside
        inside ^= {process}
    elif process in inside:
        print(call)
assert regions > 0, "no region was found"
PY
}

@test "no system call of ours stands in a timed region" {
    [ -z "${SANITIZE-}" ] || skip "a sanitizer makes system calls of its own"
    local allocator pass
    for pass in throughput latency; do
        for allocator in null bump; do
            strace -f -o calls.txt "$BENCH" run -a "$allocator" -n 1 -p "$pass" -o "$allocator-$pass" decay.trace
            regions calls.txt >inside.txt
            # bump takes its memory from the system as it goes.
            [ "$allocator" != bump ] || sed -i '/^mprotect$/d' inside.txt
            [ ! -s inside.txt ] || { echo "$allocator, $pass:"; sort inside.txt | uniq -c; false; }
        done
        strace -f -o calls.txt "$BENCH" run -a system -n 1 -p "$pass" -o "system-$pass" decay.trace
        regions calls.txt >inside.txt
        run grep -vE '^(brk|mmap|munmap|mremap|madvise|mprotect|getrandom)$' inside.txt
        [ "$status" = 1 ] || { echo "system, $pass: $output"; false; }
    done
}

@test "a harness that grows in the replay is a failed cell that says by how much" {
    mkdir beside
    cp "$BENCH" "$BUILD/tests/growing/bench-worker" beside
    run beside/bench run -a system -p memory --json -o out decay.trace
    [ "$status" = 1 ]
    python3 - <<'PY'
import json
cell = json.loads(open("out/cells.jsonl").readline())
assert cell["status"] == "failed: the harness itself grew", cell["status"]
grown = int(cell["detail"].split()[0])
assert grown > 0 and grown % 4096 == 0, cell["detail"]
PY
    "$BENCH" run -a system -p memory -o good decay.trace
}

@test "the resident memory that is told is that of a program that only replays" {
    [ -z "${SANITIZE-}" ] || skip "a sanitizer's own memory grows with the heap"
    local bare
    bare=$("$BUILD/tests/bench-bare-replay" decay.trace | sed -n 's/^peak P \([0-9]*\) bytes.*/\1/p')
    "$BENCH" run -a system -p memory --threads 1 -o out decay.trace
    python3 - "$bare" <<'PY'
import json, sys
told, bare = json.loads(open("out/cells.jsonl").readline())["peak_rss_bytes"], int(sys.argv[1])
assert abs(told / bare - 1) < 0.05, (told, bare)
PY
}

@test "no fault of ours falls into a timed region, in any thread" {
    [ -z "${SANITIZE-}" ] || skip "a sanitizer faults in memory of its own"
    "$BENCH" generate larson:threads=3,blocks=40,replace=300,rounds=2 -o crowd.trace
    "$BENCH" run -a null -n 1 -p throughput,latency -o out decay.trace crowd.trace
    python3 - <<'PY'
import json
cells = [json.loads(line) for line in open("out/cells.jsonl")]
assert len(cells) == 4 and all(cell["page_faults"] == 0 for cell in cells), [cell["page_faults"] for cell in cells]
PY
}
