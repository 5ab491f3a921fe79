#!/usr/bin/env bats
# The latency pass: its percentiles, and what is said of the slowest calls.

setup() {
    cd "$BATS_TEST_TMPDIR"
    { for i in $(seq 300); do printf '1: malloc 0x%x %d\n' $((i * 4096)) $((i % 90 + 8)); done
      echo '1: malloc 0x7000000 100000000'
      echo '1: free 0x7000000'
      for i in $(seq 300); do printf '1: free 0x%x\n' $((i * 4096)); done; } >large.txt
    "$BENCH" import large.txt -o large.trace
}

@test "the free of a large block is found, with its place, its system call and its page faults" {
    [ -z "${SANITIZE-}" ] || skip "a sanitizer's free does not give back what it frees"
    "$BENCH" run -a system,first-fit -p latency -n 1 -o out large.trace
    python3 - <<'PY'
import csv, glob
def worst(name):
    [path] = glob.glob(f"out/latency/*.{name}.latency.0.worst.csv")
    return list(csv.DictReader(open(path)))
rows = worst("system")
assert len(rows) == 64, len(rows)
times = [int(row["latency_ns"]) for row in rows]
assert times == sorted(times, reverse=True), times
[free] = [row for row in rows if row["event"] == "301"]
assert free["operation"] == "free" and free["size"] == "100000000", free
assert "munmap:1" in free["system_call_names"], free
# Other work on the core may have doubled its time, or put it to sleep.
def cause(row, else_):
    if row["core"] == "slept":
        return "lock" if row["system_calls"] == row["page_faults"] == "0" else "lock of its own or the kernel's"
    if int(row["latency_ns"]) // 2 > int(row["again_ns"]) + 1000:
        return "core taken away" if row["core"] == "taken" else "not the allocator"
    return else_
assert free["cause"] == cause(free, "system call"), free
quiet = [row for row in rows if row["system_calls"] == "0" and row["page_faults"] == "0"]
assert quiet and all(row["cause"] == cause(row, "the allocator's own work") for row in quiet), rows
rows = worst("first-fit")
assert [row for row in rows if row["system_calls"] == "0"], rows
PY
}

@test "reports name the slowest calls, and take nothing from a file for markup" {
    "$BENCH" run -a first-fit,null -p latency -n 1 -o out large.trace
    "$BENCH" report out >report.txt
    grep -q '^Slowest calls of large, in latency repetition 0$' report.txt
    grep -qE '^  null: of the 64 slowest [0-9]+ were not the allocator.s doing' report.txt
    grep -q 'latency: the clock.s own cost is part of each: a call that does nothing is told as ' report.txt
    sed -i '2s/[^,]*$/<script>alert(1)<\/script>\x1b[31m/' out/latency/*first-fit*.worst.csv
    "$BENCH" report out >report.txt
    ! grep -q "$(printf '\033')" report.txt || false
    "$BENCH" report --format html -o report.html out
    grep -q '&lt;script&gt;alert(1)' report.html
    ! grep -q '<script' report.html || false
    grep -q '<summary>Latency by operation and size' report.html
    [ "$(grep -c '^<h4>' report.html)" = 2 ]
    rm -r out/latency # of a run that is kept for its tables
    "$BENCH" report --format html -o report.html out
    ! grep -q '<summary>Latency by operation and size' report.html || false
    ! grep -q '^<h4>' report.html || false
}

@test "a percentile that no operation lies beyond is null, and the maximum is not" {
    "$BENCH" run -a system -p latency -n 1 --json -o out large.trace >table.json
    python3 - <<'PY'
import json
[cell] = [json.loads(line) for line in open("out/cells.jsonl")]
assert cell["operations"] == 602
assert cell["p50_ns"] <= cell["p90_ns"] <= cell["p99_ns"] <= cell["max_ns"], cell
assert cell["p999_ns"] is None and cell["p9999_ns"] is None and cell["p99999_ns"] is None, cell
assert cell["clock"] in ("counter", "system") and cell["clock_cost_ns"] > 0, cell
[row] = json.load(open("table.json"))["rows"]
assert row["p999_ns"] is None and row["max_ns"] == cell["max_ns"], row
PY
}

@test "every latency is told raw and less what the clock itself costs" {
    "$BENCH" run -a system -p latency -n 1 --json -o out large.trace >table.json
    "$BENCH" report --format csv out >table.csv
    python3 - <<'PY'
import csv, glob, json
[row] = json.load(open("table.json"))["rows"]
[line] = csv.DictReader(open("table.csv"))
cost = row["clock_cost_ns"]
names = [name for name in row if name.endswith("_net_ns")]
assert len(names) == 7, names
for name in names:
    raw = row[name.replace("_net_ns", "_ns")]
    assert (row[name] is None) == (raw is None) == (line[name] == ""), (name, row)
    if raw is not None:
        assert abs(row[name] - max(0, raw - cost)) < 1e-9 * (raw + 100) + 1e-6, (name, row)
        assert abs(row[name] - float(line[name])) < 1e-9 * (raw + 100) + 1e-6, (name, line)
last = open(glob.glob("out/latency/*.hgrm")[0]).read().splitlines()[-1]
assert last.startswith("#[ClockCost = ") and abs(float(last.split()[2].strip(",")) - cost) < 0.01, last
classes = list(csv.DictReader(open(glob.glob("out/latency/*0.csv")[0])))
assert len(classes) >= 4 and sum(int(c["count"]) for c in classes) == 602, classes
for c in classes:
    for name in ("mean", "p50", "p90", "p99", "p999", "p9999", "p99999", "max"):
        raw, net = c[name + "_ns"], c[name + "_net_ns"]
        assert (raw == "") == (net == ""), (name, c)
        if raw:
            assert abs(float(net) - max(0, float(raw) - float(c["clock_cost_ns"]))) < 0.11, (name, c)
PY
    "$BENCH" report out >report.txt
    grep -q '^large: latency of a call less what the clock itself costs$' report.txt
    "$BENCH" report --format html -o report.html out
    grep -q 'net p99</th>' report.html
    grep -q '<br><span class="net">' report.html
    ! grep -q 'net ns' report.html || false
}

@test "an external library's calls are seen too" {
    [ -z "${SANITIZE-}" ] || skip "a sanitizer's malloc cannot be replaced by another"
    cat >slow.c <<'C'
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>
static char space[512 << 20];
static size_t used;
/* Every 100th call asks the system for a page and gives it back. */
void *malloc(size_t size)
{
    static int calls;
    if (++calls % 100 == 0)
        for (int i = 0; i < 100; i++)
            munmap(mmap(0, 1 << 12, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), 1 << 12);
    char *block = space + used;
    used += (size + 31) & ~(size_t)15;
    return block;
}
void free(void *block) { (void)block; }
void *calloc(size_t count, size_t size) { return malloc(count * size); }
void *realloc(void *block, size_t size) { return block ? memcpy(malloc(size), block, size) : malloc(size); }
C
    gcc -shared -fPIC -O1 -w -fno-builtin -o slow.so slow.c
    "$BENCH" run -a "so:$PWD/slow.so" -p latency -n 1 -o out large.trace
    python3 - <<'PY'
import csv, glob
[path] = glob.glob("out/latency/*.worst.csv")
rows = [row for row in csv.DictReader(open(path)) if row["system_calls"] != "0"]
assert len(rows) == 3, rows
assert all(row["system_call_names"] == "mmap:100 munmap:100" for row in rows), rows
assert len({(int(row["event"]) + 1) % 100 for row in rows}) == 1, rows
PY
}

@test "sampled calls leave a throughput, and are one in so many" {
    "$BENCH" generate ramp-decay:blocks=8000,rounds=2 -o decay.trace
    "$BENCH" run -a system,first-fit -p latency --latency-sample 50 -n 2 --json -o out decay.trace >table.json
    sed -i '$d' out/cells.jsonl
    "$BENCH" run --resume out
    python3 - <<'PY'
import csv, glob, json
cells = [json.loads(line) for line in open("out/cells.jsonl")]
assert len(cells) == 4 and all(cell["latency_sample"] == 50 for cell in cells), cells
for cell in cells:
    assert cell["ns_per_op"] > 0 and cell["p50_ns"] > 0 and cell["own_max_ns"] is not None, cell
for path in glob.glob("out/latency/*[0-9].csv"):
    timed = sum(int(row["count"]) for row in csv.DictReader(open(path)))
    assert 0.7 < timed * 50 / cells[0]["operations"] < 1.4, (path, timed)
rows = json.load(open("table.json"))["rows"]
assert sorted(row["relative"] for row in rows)[0] == 1, rows
PY
    printf '1: malloc 0x10000 100\n2: malloc 0x20000 100\n1: free 0x20000\n2: free 0x10000\n' >two.txt
    for i in $(seq 400); do printf '%d: malloc 0x%x 64\n%d: free 0x%x\n' $((i % 3)) $((i * 4096)) $(((i + 1) % 3)) $((i * 4096)); done >>two.txt
    "$BENCH" import two.txt -o two.trace
    "$BENCH" run -a system -p latency --latency-sample 5 -n 1 -o threads two.trace
    python3 - <<'PY'
import csv, glob, json
[cell] = [json.loads(line) for line in open("threads/cells.jsonl")]
assert cell["status"] == "ok" and cell["operations"] == 804 and cell["threads_replayed"] == 3, cell
timed = sum(int(row["count"]) for row in csv.DictReader(open(glob.glob("threads/latency/*0.csv")[0])))
assert 80 < timed < 300, timed
PY
    run "$BENCH" run -a system --latency-sample 0 two.trace
    [ "$status" = 2 ]
}

@test "calls that slept for a lock are told from those that worked or lost their core" {
    [ -z "${SANITIZE-}" ] || skip "a sanitizer's malloc cannot be replaced by another"
    "$BENCH" generate larson:threads=2,blocks=40,replace=15000,rounds=1 -o two.trace
    local library="$BATS_TEST_DIRNAME/libraries/contended.c"
    gcc -shared -fPIC -O1 -w -fno-builtin -o locked.so "$library"
    gcc -shared -fPIC -O1 -w -fno-builtin -DALONE -o alone.so "$library"
    "$BENCH" run -a "so:$PWD/locked.so,so:$PWD/alone.so" -p latency -n 1 -o out two.trace
    python3 - <<'PY'
import csv, glob, json
cells = {"locked" if "locked" in c["allocator"] else "alone": c
         for c in (json.loads(line) for line in open("out/cells.jsonl"))}
assert all(c["status"] == "ok" and c["threads_replayed"] == 2 for c in cells.values()), cells
if cells["locked"]["calls_slept"] is None:
    print("# the kernel does not tell")
    raise SystemExit
# Sleeping there is, now and then, when the kernel moves a page.
assert cells["locked"]["calls_slept"] > 2 * cells["alone"]["calls_slept"], cells
for name in cells:
    [path] = glob.glob(f"out/latency/*{name}*.worst.csv")
    rows = list(csv.DictReader(open(path)))
    assert len(rows) == 64, rows
    for row in rows:
        cause, core = row["cause"], row["core"]
        assert core in ("kept", "taken", "slept"), row
        assert (cause == "lock") == (core == "slept"), row
        assert core == "taken" or cause != "core taken away", row
        assert cause != "not the allocator", row
PY
    "$BENCH" report out | grep -q ': lock$\|the allocator.s own work$\|other threads or interrupts$'
}

@test "the slowest calls of processes are made again too" {
    "$BENCH" generate larson:threads=3,blocks=40,replace=300,rounds=2 -o crowd.trace
    "$BENCH" run -a shmheap -p latency -n 1 --processes 3 -o out crowd.trace
    python3 - <<'PY'
import csv, glob, json
cell = json.loads(open("out/cells.jsonl").readline())
assert cell["status"] == "ok" and cell["processes_replayed"] == 3, cell
rows = list(csv.DictReader(open(glob.glob("out/latency/*.worst.csv")[0])))
assert len(rows) == 64 and len({row["thread"] for row in rows}) > 1, rows
for row in rows:
    assert row["again_ns"] and row["page_faults"] != "" and row["cause"] != "not known", row
# The first block in each process is on a page that it has not seen yet.
assert any(row["page_faults"] != "0" for row in rows), rows
PY
}
