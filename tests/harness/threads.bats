#!/usr/bin/env bats
# Threads: one a recorded thread, what they wait for, and what becomes of them.

setup() {
    cd "$BATS_TEST_TMPDIR"
    "$BENCH" generate larson:threads=3,blocks=40,replace=300,rounds=2 -o crowd.trace
    # The thread sanitizer's own memory grows with the replay, and would be told as the harness's.
    memory=,memory
    [ "${SANITIZE-}" != thread ] || memory=
}

python() { python3 - "$@"; }

@test "every recorded thread has one of its own, or as many as are asked for replay them" {
    "$BENCH" run -a system,null -n 1 -p throughput,latency -o out crowd.trace >/dev/null
    "$BENCH" run -a system -n 1 -p throughput,latency --threads 2 -o two crowd.trace >/dev/null
    "$BENCH" run -a system -n 1 -p throughput,latency --threads 1 -o one crowd.trace >/dev/null
    "$BENCH" trace info --json crowd.trace >info.json
    python <<'PY'
import json
events = json.load(open("info.json"))["events"]
for folder, threads in (("out", 6), ("two", 2), ("one", 1)):
    for line in open(folder + "/cells.jsonl"):
        cell = json.loads(line)
        assert cell["status"] == "ok", cell
        assert cell["threads_recorded"] == 6 and cell["threads_replayed"] == threads, cell
        assert cell["operations"] == events == cell["allocations"] + cell["frees"], cell
        assert cell["waits"] <= cell["handovers"], cell
        assert (cell["handovers"] > 0) == (threads > 1), cell
        assert 0 <= cell["wait_share"] and 0 <= cell["idle_share"] < 1, cell
PY
}

@test "faults, switches, migrations and waiting for cores are told of all threads and processes, in every pass" {
    "$BENCH" run -a shmheap -n 1 -p throughput,latency$memory,verify -o threads crowd.trace >/dev/null
    "$BENCH" run -a shmheap -n 1 -p throughput,latency,verify --processes 3 -o processes crowd.trace >/dev/null
    "$BENCH" run -a shmheap -n 1 -p throughput,latency$memory,verify --threads 1 -o one crowd.trace >/dev/null
    python <<'PY'
import json, os
told = os.path.exists("/proc/self/sched")
count = 0
for folder in ("threads", "processes", "one"):
    for line in open(folder + "/cells.jsonl"):
        cell = json.loads(line)
        assert cell["status"] == "ok", cell
        count += 1
        for name in ("page_faults", "major_faults", "context_switches", "involuntary_switches", "cpu_ns",
                     "delayed_ns"):
            assert cell[name] is not None, (folder, name, cell)
        assert (cell["migrations"] is not None) == told, cell
        assert cell["involuntary_switches"] <= cell["context_switches"], cell
        # Those that have nothing left to do sleep until the others have.
        assert folder == "one" or cell["context_switches"] > 0, cell
        assert cell["cpu_ns"] > 0, cell
assert count in (9, 11), count
PY
}

@test "a heap for one thread is locked, and the row says so" {
    "$BENCH" run -a first-fit,first-fit+locked -n 1 -p throughput$memory,verify -o out crowd.trace >/dev/null
    python <<'PY'
import json
for line in open("out/cells.jsonl"):
    cell = json.loads(line)
    assert cell["status"] == "ok", cell
    said = "+locked" in cell["detail"]
    assert said == (cell["allocator"] == "first-fit" and cell["pass"] != "memory"), cell
PY
}

@test "in the timed region there is no system call but the waits that are counted" {
    [ -z "${SANITIZE-}" ] || skip "a sanitizer's malloc cannot be replaced by another"
    local pass
    for pass in throughput latency; do
        strace -f -o calls.txt "$BENCH" run -a null -n 1 -p $pass --turns 1 --touch none -o $pass crowd.trace
        python $pass <<'PY'
import json, re, sys
cell = json.loads(open(sys.argv[1] + "/cells.jsonl").readline())
lines = open("calls.txt").read().splitlines()
# The clock itself is read by the vDSO; the thread's own time is read just before it is started and
# just after it is stopped. Of the latency pass, the first worker is the timed one.
read = [i for i, line in enumerate(lines) if "CLOCK_THREAD_CPUTIME_ID" in line]
assert len(read) >= 2, lines[-10:]
first, end = read[-2:] if sys.argv[1] == "throughput" else read[:2]
parent = lines[0].split()[0]
calls = [l for l in lines[first + 1:end] if re.match(r"\d+ +\w+\(", l) and l.split()[0] != parent]
foreign = [l for l in calls if not re.search(r" (futex|sched_yield)\(", l)]
assert not foreign, foreign
lanes, waits = cell["threads_replayed"], cell["waits"]
futex = [l for l in calls if "futex(" in l]
assert len([l for l in futex if "FUTEX_WAKE" in l]) <= waits + lanes, (len(futex), waits)
assert len([l for l in futex if "FUTEX_WAIT" in l]) <= waits + 2 * lanes, (len(futex), waits)
assert len([l for l in calls if "sched_yield" in l]) <= 2 * waits, (len(calls), waits)
assert cell["handovers"] > 0
PY
    done
}

@test "a crash in any thread is a row that names how far all were" {
    [ -z "${SANITIZE-}" ] || skip "a sanitizer's malloc cannot be replaced by another"
    gcc -shared -fPIC -O1 -w -fno-builtin -DBREAK=CRASH -DAFTER=400 -o late.so \
        "$BATS_TEST_DIRNAME/libraries/broken.c"
    run "$BENCH" run -a "so:$PWD/late.so" -n 1 -p throughput,latency,memory,verify -o out crowd.trace
    [ "$status" = 1 ]
    python <<'PY'
import json, re
cells = [json.loads(line) for line in open("out/cells.jsonl")]
assert len({cell["pass"] for cell in cells}) == 4, cells
for cell in cells:
    found = re.fullmatch(r"crashed: SIGSEGV after ([0-9,]+) operations", cell["status"])
    assert found, cell
    assert 380 < int(found[1].replace(",", "")) < 1400, cell
PY
}

@test "threads that verify call at once, and find a lock that is missing; in the recorded order they cannot" {
    [ -z "${SANITIZE-}" ] || skip "a sanitizer's malloc cannot be replaced by another"
    local library="$BATS_TEST_DIRNAME/libraries/racy.c" order
    "$BENCH" generate larson:threads=2,blocks=40,replace=60000,rounds=1 -o two.trace
    gcc -shared -fPIC -O1 -w -fno-builtin -o racy.so "$library"
    gcc -shared -fPIC -O1 -w -fno-builtin -DLOCKED -o guarded.so "$library"
    run "$BENCH" run -a "so:$PWD/racy.so,so:$PWD/guarded.so" -p verify -o parallel two.trace
    [ "$status" = 1 ]
    "$BENCH" run -a "so:$PWD/racy.so,so:$PWD/guarded.so" -p verify --order as-recorded -o as-recorded two.trace
    python <<'PY'
import json, re
for folder in ("parallel", "as-recorded"):
    for line in open(folder + "/cells.jsonl"):
        cell = json.loads(line)
        assert cell["order"] == folder and cell["threads_replayed"] == 2, cell
        if folder == "as-recorded" or "guarded" in cell["allocator"]:
            how = "calling at once" if folder == "parallel" else "taking turns as recorded"
            assert cell["status"] == "ok" and cell["faults_found"] == 0, cell
            assert cell["detail"] == "verified with 2 threads " + how, cell
            assert cell["verified_blocks"] == 120080, cell
        else:
            assert re.match("failed: [0-9]+ of [0-9]+ blocks were wrong|crashed", cell["status"]), cell
            assert re.match(r"thread [01], its operation \d+: byte \d+ of the block of \d+ bytes at 0x",
                            cell["detail"]), cell
            assert cell["faults_found"] > 0, cell
PY
    # A run is resumed with the order it was begun with.
    sed -i '$d' as-recorded/cells.jsonl
    "$BENCH" run --resume as-recorded
    [ "$(grep -cE '"order": ?"as-recorded"' as-recorded/cells.jsonl)" = 2 ]
    run "$BENCH" run -a system -p verify --order any -o wrong two.trace
    [ "$status" = 2 ]
    [[ "$output" == *"--order is parallel or as-recorded, not 'any'"* ]]
}

@test "memory is taken in the recorded order: twice the same, and the harness does not grow" {
    [ -z "${SANITIZE-}" ] || skip "a sanitizer's malloc cannot be replaced by another"
    for folder in a b; do
        "$BENCH" run -a system,first-fit -p memory -o $folder crowd.trace >/dev/null
    done
    "$BENCH" trace info --json crowd.trace >info.json
    python <<'PY'
import csv, glob, json
info = json.load(open("info.json"))
for line in open("a/cells.jsonl"):
    cell = json.loads(line)
    assert cell["status"] == "ok" and cell["threads_replayed"] == 6, cell
    assert "own memory" not in cell["detail"] and "account" not in cell["detail"], cell["detail"]
    assert cell["peak_live_bytes"] == info["peak_live_bytes"], cell
names = sorted(glob.glob("a/series/*.csv"))
assert len(names) == 2
for name in names:
    first, second = ([(r["event"], r["live"], r["usable"]) for r in csv.DictReader(open(n))]
                     for n in (name, name.replace("a/", "b/", 1)))
    assert first == second
PY
}

@test "several numbers of threads are several traces of one load, and a figure" {
    "$BENCH" run -a system -n 1 -p throughput --threads 1,2,3 -o out --json \
        larson:blocks=40,replace=300,rounds=2 crowd.trace >table.json
    python <<'PY'
import json
want = {"%sthreads=%d" % (load, n): n for n in (1, 2, 3)
        for load in ("larson:blocks=40,replace=300,rounds=2,", "crowd:")}
cells = [json.loads(line) for line in open("out/cells.jsonl")]
assert len(cells) == 6
assert {c["trace"]: c["threads_replayed"] for c in cells} == want, cells
# A workload is generated for its number of threads; a recording is folded.
recorded = {c["trace"]: c["threads_recorded"] for c in cells}
assert [recorded[name] for name in sorted(recorded)] == [6, 6, 6, 2, 4, 6], recorded
PY
    head -n 3 out/cells.jsonl >kept
    cp kept out/cells.jsonl
    run "$BENCH" run --resume out
    [ "$status" = 0 ]
    [ "$(wc -l <out/cells.jsonl)" = 6 ]
    run bash -c '"$BENCH" plot --figure scaling -o figures out 2>messages'
    [ "$status" = 0 ]
    [ "${#lines[@]}" = 2 ]
    [ ! -s messages ]
    grep -q '>system<' figures/scaling.crowd.svg
    grep -q 'crowd: throughput against threads' figures/scaling.crowd.svg
    for wrong in "--threads 1,1" "--threads 1,,2" "--threads 1,x" "--threads 0"; do
        run "$BENCH" run -a system -o wrong $wrong crowd.trace
        [ "$status" = 2 ] || { echo "$wrong: $status"; false; }
    done
}

@test "processes share a heap that can be shared, and others are rows that say so" {
    "$BENCH" run -a shmheap,first-fit -n 1 -p throughput,latency$memory,verify --processes 3 -o out \
        crowd.trace >/dev/null 3>&- &
    local bench=$!
    wait "$bench"
    python <<'PY'
import json
cells = [json.loads(line) for line in open("out/cells.jsonl")]
assert len(cells) in (6, 8)
for cell in cells:
    if cell["allocator"] == "first-fit":
        assert cell["status"].startswith("skipped") and "not shared" in cell["detail"], cell
        continue
    assert cell["status"] == "ok" and cell["threads_replayed"] == 3, cell
    # The memory of one process is measured: that of several would be counted several times.
    assert cell["processes_replayed"] == (1 if cell["pass"] == "memory" else 3), cell
    if cell["pass"] == "verify":
        assert cell["order"] == "parallel" and "3 processes calling at once" in cell["detail"], cell
        assert cell["faults_found"] == 0 and cell["verified_blocks"] > 1000, cell
    if cell["pass"] == "throughput":
        assert cell["handovers"] > 0, cell
    # Every process has pages of the heap to see for the first time.
    if cell["processes_replayed"] == 3:
        assert cell["page_faults"] >= 3, cell
PY
    [ -z "$(ls /dev/shm | grep -E "^heapbench-$bench-" || true)" ]
    run "$BENCH" run -a shmheap --processes 2 --threads 2 -o wrong crowd.trace
    [ "$status" = 2 ]
}

@test "more threads than a trace has are no figure of their own" {
    printf '1: malloc 0x10000 100\n1: free 0x10000\n2: malloc 0x20000 9\n' >two.txt
    "$BENCH" import two.txt -o two.trace
    "$BENCH" run -a system,null -n 1 -p throughput --threads 4,1,2,as-recorded -o out two.trace sawtooth:teeth=1,blocks=9 2>said.txt >/dev/null
    grep -qx 'bench run: two.trace has 2 threads, so that no 4 can replay it' said.txt
    grep -qx 'bench run: sawtooth:teeth=1,blocks=9 has 1 thread, so that no 2 can replay it' said.txt
    python <<'PY'
import json
cells = [json.loads(line) for line in open("out/cells.jsonl")]
seen = sorted((cell["trace"], cell["threads_replayed"]) for cell in cells if cell["allocator"] == "system")
assert seen == [("sawtooth:teeth=1,blocks=9,threads=1", 1), ("sawtooth:teeth=1,blocks=9,threads=as-recorded", 1),
                ("two:threads=1", 1), ("two:threads=2", 2), ("two:threads=as-recorded", 2)], seen
PY
    "$BENCH" run --resume out >/dev/null
    "$BENCH" run -a system -n 1 -p throughput --threads 4 -o one two.trace 2>said.txt >/dev/null
    grep -q 'has 2 threads' said.txt
}
