#!/usr/bin/env bats
# A cell whose allocator is broken, missing or unfit is a row that says so, never the end of a run.

setup() {
    cd "$BATS_TEST_TMPDIR"
    { printf '20000\n100\n500\n1\n'
      for i in $(seq 0 99); do echo "a $i $((20 + i * 13 % 500))"; done
      for i in $(seq 0 99); do echo "r $i $((40 + i * 29 % 900))"; done
      for i in $(seq 0 99); do echo "f $i"; done
      for i in $(seq 0 99); do echo "a $i 48"; done
      for i in $(seq 0 99); do echo "f $i"; done; } >small.rep
    "$BENCH" import small.rep -o small.trace
    { for i in $(seq 200); do printf '1: calloc 0x%x 4 %d\n' $((i * 4096)) $((i % 50 + 8)); done
      for i in $(seq 200); do printf '1: free 0x%x\n' $((i * 4096)); done; } >zero.txt
    "$BENCH" import zero.txt -o zero.trace
    printf '1: memalign 0x10000 4096 100\n1: malloc 0x20000 64\n1: free 0x10000\n1: free 0x20000\n' >aligned.txt
    "$BENCH" import aligned.txt -o aligned.trace
}

broken() { # KIND: libbroken-KIND.so
    gcc -shared -fPIC -O1 -w -fno-builtin -DBREAK="$1" -o "broken-$1.so" \
        "$BATS_TEST_DIRNAME/libraries/broken.c"
}

row() { # FIELD: of the first row of table.json
    python3 -c 'import json, sys; print(json.load(open("table.json"))["rows"][0][sys.argv[1]])' "$1"
}

@test "a worker that was built from other sources is named, and measures nothing" {
    python3 - "$BUILD/bench-worker" <<'PY'
import os, subprocess, sys
area = os.memfd_create("area", 0)
os.write(area, b"\x01" * (1 << 20))
assert subprocess.call([sys.argv[1], str(area)], pass_fds=[area]) == 3
os.lseek(area, 0, os.SEEK_SET)
assert os.read(area, 1 << 20) == b"\x01" * (1 << 20)
PY
    mkdir beside
    cp "$BENCH" beside
    printf '#!/bin/sh\nexit 3\n' >beside/bench-worker
    chmod +x beside/bench-worker
    run beside/bench run -a system -p memory -o other small.trace
    [ "$status" = 1 ]
    [[ "$output" == *"built from other sources"* ]]
}

@test "a library that ends the process as it is loaded is a row that says so, whatever the status" {
    [ -z "${SANITIZE-}" ] || skip "a sanitizer's malloc cannot be replaced by another"
    printf '%s\n' 'void _exit(int);' '__attribute__((constructor)) static void leave(void) { _exit(3); }' \
        'void *malloc(unsigned long n) { (void)n; return 0; }' 'void free(void *p) { (void)p; }' >leave.c
    gcc -shared -fPIC -w -fno-builtin -o leave.so leave.c
    run bash -c '"$BENCH" run -a "so:$PWD/leave.so,system" -n 1 -p throughput -o out --json small.trace >table.json'
    [ "$status" = 1 ]
    [[ "$(row status)" == "failed: the worker ended by itself, status 3 before the replay" ]]
    grep -q "the library ended the process as it was loaded" out/cells.jsonl
    [[ "$output" != *"bug of ours"* ]]
    grep -c '"status":"ok"' out/cells.jsonl
}

@test "a crashing allocator is a row with the signal and the place, and the others are measured" {
    [ -z "${SANITIZE-}" ] || skip "a sanitizer's malloc cannot be replaced by another"
    broken CRASH
    run bash -c '"$BENCH" run -a "so:$PWD/broken-CRASH.so,system" -n 1 -o out --json small.trace >table.json'
    [ "$status" = 1 ]
    [[ "$(row status)" == *crash*SEGV* ]] || { row status; false; }
    python3 - <<'PY'
import json
rows = json.load(open("table.json"))["rows"]
assert [r["status"] for r in rows][1] == "ok" and rows[1]["ns_per_op"] > 0, rows
assert rows[0]["ns_per_op"] is None, rows[0]
PY
}

@test "a hanging allocator is timed out" {
    [ -z "${SANITIZE-}" ] || skip "a sanitizer's malloc cannot be replaced by another"
    broken HANG
    run bash -c '"$BENCH" run -a "so:$PWD/broken-HANG.so" -n 1 -p throughput --timeout 500ms -o out --json small.trace >table.json'
    [ "$status" = 1 ]
    [[ "$(row status)" == *"timed out"* ]] || { row status; false; }
}

@test "an allocator that ends the process is a row" {
    broken EXIT
    run bash -c '"$BENCH" run -a "so:$PWD/broken-EXIT.so" -n 1 -p throughput -o out --json small.trace >table.json'
    [ "$status" = 1 ]
    [ "$(row status)" != ok ]
    [ "$(row ns_per_op)" = None ]
}

@test "the verify pass finds overlap, misalignment, lost contents and dirty calloc" {
    [ -z "${SANITIZE-}" ] || skip "a sanitizer's malloc cannot be replaced by another"
    local kind trace
    for kind in OVERLAP MISALIGN FORGET DIRTY; do
        broken "$kind"
        trace=small.trace
        [ "$kind" != DIRTY ] || trace=zero.trace
        run bash -c "\"$BENCH\" run -a 'so:$PWD/broken-$kind.so' -p verify -o out-$kind --json $trace >table.json"
        [ "$status" = 1 ] || { echo "$kind: $status $output"; false; }
        [ "$(row faults_found)" -gt 0 ] || { echo "$kind: nothing found"; false; }
    done
    run bash -c '"$BENCH" run -a "system,first-fit" -p verify -o good --json zero.trace >table.json'
    [ "$status" = 0 ]
    [ "$(row faults_found)" = 0 ]
}

@test "a library without malloc, or none at all, is never passed off as glibc" {
    echo 'int nothing;' >n.c
    gcc -shared -fPIC -o nothing.so n.c
    run bash -c '"$BENCH" run -a "so:$PWD/nothing.so" -n 1 -p throughput -o out --json small.trace >table.json'
    [ "$status" = 1 ]
    [[ "$(row status)" == failed* ]] || { row status; false; }
    [ "$(row ns_per_op)" = None ]
    echo text >text.so
    run bash -c '"$BENCH" run -a "so:$PWD/text.so" -n 1 -p throughput -o out2 --json small.trace >table.json'
    [ "$status" != 0 ]
    run bash -c '"$BENCH" run -a "so:/nonexistent.so" -n 1 -p throughput -o out3 small.trace'
    [ "$status" != 0 ]
    [[ "$output" == *"/nonexistent.so"* ]]
}

@test "a calloc of memory that nobody had before touches none of it, on every backend" {
    printf '1: calloc 0x10000 1 67108864\n1: free 0x10000\n' >large.txt
    "$BENCH" import large.txt -o large.trace
    "$BENCH" run -a bump,first-fit,best-fit,next-fit,worst-fit,buddy,mymalloc,pagemgr,mems,ostep,shmheap \
        -p memory --touch first -o out large.trace
    python3 - <<'PY'
import json
cells = [json.loads(line) for line in open("out/cells.jsonl")]
assert len(cells) == 11, cells
for cell in cells:
    assert cell["status"] == "ok" and cell["peak_rss_bytes"] < 1 << 20, cell
PY
}

@test "what dies under a memory limit names the limit, before what it said itself" {
    [ -z "${SANITIZE-}" ] || skip "a sanitizer's malloc cannot be replaced by another"
    # It maps 1 GiB at once, and does not look whether it got it.
    gcc -shared -fPIC -O1 -w -fno-builtin -DBREAK=CRASH -o dies.so "$BATS_TEST_DIRNAME/libraries/broken.c"
    cat >gives_up.c <<'C'
#include <string.h>
#include <unistd.h>
__attribute__((constructor)) static void up(void)
{
    char said[600];
    memset(said, 'x', sizeof said);
    write(2, said, sizeof said);
    _exit(9);
}
void *malloc(unsigned long size) { return 0; }
void free(void *at) {}
C
    gcc -shared -fPIC -O1 -w -fno-builtin -o gives_up.so gives_up.c
    "$BENCH" run -a "so:$PWD/dies.so,so:$PWD/gives_up.so" -n 1 -p memory --memory-limit 1G -o limited small.trace || true
    "$BENCH" run -a "so:$PWD/dies.so" -n 1 -p memory -o free small.trace || true
    python3 - <<'PY'
import json
cells = [json.loads(line) for line in open("limited/cells.jsonl")]
assert len(cells) == 2 and all(cell["status"] != "ok" for cell in cells), cells
for cell in cells:
    assert "it may map 1.00 GiB, which may be why: a larger --memory-limit" in cell["detail"], cell
assert any("room; xxx" in cell["detail"] for cell in cells), cells
alone = json.loads(open("free/cells.jsonl").readline())
assert alone["status"].startswith("crashed") and "memory-limit" not in alone["detail"], alone
PY
    "$BENCH" report limited >said.txt
    tr -s ' \n' ' ' <said.txt | grep -q 'dies.so: crashed: SIGSEGV after 0 operations: it may map 1.00 GiB'
    run head -1 said.txt
    [ "$output" = small ]
}

@test "a memory limit makes failed allocations, not a dead run" {
    [ -z "${SANITIZE-}" ] || skip "a sanitizer's malloc cannot be replaced by another"
    run bash -c '"$BENCH" run -a first-fit -n 1 -p throughput --memory-limit 20M -o out --json small.trace >table.json'
    [ "$status" = 0 ]
    printf '1: malloc 0x1000 64\n1: malloc 0x100000 60000000\n1: free 0x1000\n1: free 0x100000\n' >big.txt
    "$BENCH" import big.txt -o big.trace
    run bash -c '"$BENCH" run -a first-fit -n 1 -p throughput --memory-limit 20M -o less --json big.trace >table.json'
    [ "$status" = 1 ]
    [ "$(row status)" = "refused allocations" ]
    [ "$(row failed_allocations)" = 1 ]
    [[ "$(row detail)" == "1 allocation failed, so "*"a larger --memory-limit gives it room" ]] || { row detail; false; }
    run "$BENCH" report less
    [[ "$output" == *"refused allocations: 1 allocation failed"* ]]
    run bash -c '"$BENCH" run -a first-fit+faulty:every=2 -n 1 -p throughput -o asked --json big.trace >table.json'
    [ "$status" = 0 ]
    [ "$(row status)" = ok ]
}

@test "alignment is served, and every installed external allocator proves itself" {
    [ -z "${SANITIZE-}" ] || skip "a sanitizer's malloc cannot be replaced by another"
    "$BENCH" run -n 1 -p throughput,verify -o out --json aligned.trace >table.json
    python3 - <<'PY'
import json
for line in open("out/cells.jsonl"):
    cell = json.loads(line)
    name = cell["allocator"]
    if cell["status"] == "ok" and name in ("jemalloc", "mimalloc", "tcmalloc", "tbbmalloc"):
        assert name in cell["allocator_object"], cell
rows = json.load(open("table.json"))["rows"]
for row in rows:
    assert row["status"] == "ok" or row["status"].startswith("skipped"), row
PY
}

@test "tunables reach the allocator" {
    [ -z "${SANITIZE-}" ] || skip "a sanitizer's malloc cannot be replaced by another"
    "$BENCH" run -a 'system,system:MALLOC_TOP_PAD_=16777216' -p memory -o out --json small.trace >table.json
    python3 - <<'PY'
import json
rows = json.load(open("table.json"))["rows"]
assert rows[1]["peak_held_bytes"] > rows[0]["peak_held_bytes"] + 8 * 2**20, rows
PY
}

@test "no system call and no fault of ours in the timed region" {
    [ -z "${SANITIZE-}" ] || skip "a sanitizer's malloc cannot be replaced by another"
    strace -f -o calls.txt "$BENCH" run -a null -n 1 -p throughput --touch none -o out small.trace
    python3 - <<'PY'
import json, re
cell = json.loads(open("out/cells.jsonl").readline())
assert cell["page_faults"] <= 1, cell["page_faults"]
# The worker's last calls: the clock is read by the vDSO, so between the usage read before and after
# the replay nothing may stand but how long it waited for the core, read with the usage before.
lines = [l for l in open("calls.txt") if "getrusage" in l or "exit_group" in l or re.search(r"\b(mmap|brk|read|openat)\(", l)]
usage = [i for i, l in enumerate(lines) if "getrusage" in l]
assert len(usage) >= 2, lines[-10:]
assert all(re.search(r"/proc/\w+/sched|\bread\(", l) for l in lines[usage[-2] + 1:usage[-1]]), lines[usage[-2]:usage[-1] + 1]
PY
}

@test "every pass names the very operation of a crash: the harness called malloc not once before" {
    [ -z "${SANITIZE-}" ] || skip "a sanitizer's malloc cannot be replaced by another"
    gcc -shared -fPIC -O1 -w -fno-builtin -DBREAK=CRASH -DAFTER=160 -o late.so \
        "$BATS_TEST_DIRNAME/libraries/broken.c"
    local pass
    for pass in throughput latency memory verify; do
        "$BENCH" run -a "so:$PWD/late.so" -n 1 -p $pass -o "out-$pass" small.trace || true
        python3 - "out-$pass" <<'PY'
import json, sys
cell = json.loads(open(sys.argv[1] + "/cells.jsonl").readline())
assert cell["status"] == "crashed: SIGSEGV after 159 operations", cell["status"]
PY
    done
}

@test "a crash in a later window is counted from the beginning" {
    [ -z "${SANITIZE-}" ] || skip "a sanitizer's malloc cannot be replaced by another"
    gcc -shared -fPIC -O1 -w -fno-builtin -DBREAK=CRASH -DAFTER=300000 -o later.so \
        "$BATS_TEST_DIRNAME/libraries/broken.c"
    "$BENCH" generate ramp-decay:blocks=310000,rounds=1 -o long.trace
    "$BENCH" run -a "so:$PWD/later.so" -n 1 -p throughput,verify --memory-limit 2G -o limited long.trace || true
    "$BENCH" run -a "so:$PWD/later.so" -n 1 -p throughput -o alone long.trace || true
    cat limited/cells.jsonl alone/cells.jsonl >cells.jsonl
    python3 - <<'PY'
import json
cells = [json.loads(line) for line in open("cells.jsonl")]
assert len(cells) == 3 and {cell["status"] for cell in cells} == {cells[0]["status"]}, cells
assert cells[0]["status"] == "crashed: SIGSEGV after 299,999 operations", cells[0]["status"]
PY
}

@test "what an allocator said before it gave up is told" {
    [ -z "${SANITIZE-}" ] || skip "a sanitizer's malloc cannot be replaced by another"
    printf '#include <stdlib.h>\n#include <unistd.h>\nvoid *malloc(size_t n)\n{\n    (void)n;\n    write(2, "heap corrupted\\n", 15);\n    abort();\n}\nvoid free(void *p)\n{\n    (void)p;\n}\n' >talk.c
    gcc -shared -fPIC -O1 -w -fno-builtin -o talk.so talk.c
    run "$BENCH" run -a "so:$PWD/talk.so" -n 1 -p throughput -o out aligned.trace
    grep -q '"status": *"skipped' out/cells.jsonl
    grep -q '"detail": *"malloc is of .* posix_memalign' out/cells.jsonl || { cat out/cells.jsonl; false; }
    printf '2000\n1\n2\n1\na 0 20\nf 0\n' >plain.rep
    "$BENCH" import plain.rep -o plain.trace
    run "$BENCH" run -a "so:$PWD/talk.so" -n 1 -p throughput -o out2 plain.trace
    grep -q 'crashed: SIGABRT after 0 operations' out2/cells.jsonl || { cat out2/cells.jsonl; false; }
    grep -q '"detail": *"heap corrupted"' out2/cells.jsonl
}

@test "a preloaded allocator counts all processors, and is measured on one, or with threads on all" {
    [ -z "${SANITIZE-}" ] || skip "a sanitizer's malloc cannot be replaced by another"
    cat >count.c <<'C'
#define _GNU_SOURCE
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
static int counted;
static int count(void)
{
    cpu_set_t set;
    return sched_getaffinity(0, sizeof set, &set) ? -1 : CPU_COUNT(&set);
}
__attribute__((constructor)) static void begin(void) { counted = count(); }
void *malloc(size_t n)
{
    char text[64];
    write(2, text, snprintf(text, sizeof text, "%d, then %d\n", counted, count()));
    abort();
}
void free(void *p) {}
C
    gcc -shared -fPIC -O1 -w -fno-builtin -o count.so count.c
    printf '2000\n1\n2\n1\na 0 20\nf 0\n' >plain.rep
    "$BENCH" import plain.rep -o plain.trace
    "$BENCH" run -a "so:$PWD/count.so" -n 1 -p throughput -o out plain.trace || true
    grep -q "\"detail\": *\"$(nproc), then 1\"" out/cells.jsonl || { cat out/cells.jsonl; false; }
    "$BENCH" generate larson:threads=2,rounds=1,blocks=10 -o larson.trace
    "$BENCH" run -a "so:$PWD/count.so" -n 1 -p throughput,memory -o out2 larson.trace || true
    [ "$(grep -c "\"detail\": *\"$(nproc), then $(nproc)\"" out2/cells.jsonl)" = 2 ] ||
        { cat out2/cells.jsonl; false; }
}

@test "the memory pass finds nothing of the harness's own, and the region agrees with the kernel" {
    "$BENCH" run -a null,system,first-fit,best-fit,buddy,bump -p memory -o out small.trace >/dev/null
    python3 - <<'PY'
import json
for line in open("out/cells.jsonl"):
    cell = json.loads(line)
    assert cell["status"] == "ok", cell
    assert "own memory" not in cell["detail"] and "account" not in cell["detail"], cell["detail"]
PY
}

@test "a peak and its sums are those of the trace" {
    # A sanitizer's malloc maps at its start what it holds.
    local allocators=system,first-fit
    [ -z "${SANITIZE-}" ] || allocators=first-fit,best-fit
    "$BENCH" run -a "$allocators" -p memory -o out small.trace >/dev/null
    "$BENCH" trace info --json small.trace >info.json
    python3 - <<'PY'
import csv, glob, json, re
info = json.load(open("info.json"))
for line in open("out/cells.jsonl"):
    cell = json.loads(line)
    assert cell["peak_live_bytes"] == info["peak_live_bytes"], (cell, info)
    assert cell["peak_live_bytes"] <= cell["peak_usable_bytes"] <= cell["peak_held_bytes"]
    assert cell["operations"] == cell["allocations"] + cell["reallocations"] + cell["frees"]
for name in glob.glob("out/series/*.csv"):
    rows = list(csv.DictReader(open(name)))
    assert max(int(r["live"]) for r in rows) == info["peak_live_bytes"]
    assert all(int(r["live"]) <= int(r["usable"]) <= int(r["held"]) for r in rows)
    assert int(rows[-1]["event"]) == info["events"] and int(rows[-1]["blocks"]) == 0
def expand(text):
    return "".join(letter * int(number or 1) for number, letter in re.findall("([0-9]*)([A-Za-z-])", text))
maps = [json.load(open(name)) for name in glob.glob("out/heapmap/*.json")]
assert len(maps) == 2
for heap in maps:
    addresses = [int(row["address"], 16) for row in heap["rows"]]
    assert addresses == sorted(set(addresses)) and all(a % heap["bytes"] == 0 for a in addresses)
    for row in heap["rows"]:
        assert len(expand(row["live"])) == len(expand(row["resident"])) == len(heap["events"])
        assert "-" not in row["live"] + row["resident"]
    assert any("z" in row["resident"] for row in heap["rows"])
for name in glob.glob("out/census/*.json"):
    moments = {m["moment"]: m for m in json.load(open(name))["moments"]}
    assert list(moments) == ["25%", "50%", "75%", "peak-live", "end"]
    assert moments["peak-live"]["live"] == info["peak_live_bytes"] and moments["end"]["blocks"] == 0
    for m in moments.values():
        # Blocks, holes, seams and mappings without a block are all that is held.
        assert m["usable"] + m["holes"]["bytes"] + m["seam_bytes"] + m["empty_bytes"] == m["held"], m
        assert sum(m["pages"]["by_live_share"]) == m["pages"]["resident"]
        assert m["pages"]["live_bytes"] <= m["live"] <= m["usable"]
        if "walk_free" in m and m["blocks"]:
            assert m["holes"]["bytes"] <= m["walk_free"]["bytes"] + m["walk_meta_bytes"], m
assert len(glob.glob("out/census/*.json")) == 2 and len(glob.glob("out/pagemap/*.peak-live.json")) == 2
PY
}
