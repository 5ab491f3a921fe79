#!/usr/bin/env bats
# Nothing of the harness's own is in what it measures.

setup() {
    cd "$BATS_TEST_TMPDIR"
    "$BENCH" generate ramp-decay:blocks=8000,rounds=2 -o decay.trace
}

# The system calls in the timed regions of the worker, one a line: what stands between the reading of
# the kernel's counts before a region and that behind it.
regions() { # CALLS
    python3 - "$1" <<'PY'
import collections, re, sys
reads = collections.Counter()   # of /proc/self/sched, by process: the odd ones begin a region
opening, inside, regions = set(), set(), 0
for line in open(sys.argv[1]):
    found = re.match(r"(\d+) +(\w+)\((.*)", line)
    if not found:
        continue
    process, call, rest = found.groups()
    if process in inside and call == "getrusage":
        inside.discard(process)
        regions += 1
    elif process in inside:
        print(call)
    elif call == "openat" and "/proc/self/sched" in rest:
        reads[process] += 1
        opening.add(process)
    if process in opening and (call == "close" or (call == "openat" and "ENOENT" in rest)):
        opening.discard(process)
        if reads[process] % 2:
            inside.add(process)
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
        run grep -vE '^(brk|mmap|munmap|mremap|madvise|mprotect)$' inside.txt
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
