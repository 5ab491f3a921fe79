#!/usr/bin/env bats
# What is said of the machine, before a run and in its results.

setup() {
    cd "$BATS_TEST_TMPDIR"
    printf '1: malloc 0x10000 100\n1: free 0x10000\n' >two.txt
    "$BENCH" import two.txt -o two.trace
}

@test "the same doubts are told alone, before a run, in its results and in the report" {
    "$BENCH" preflight >said.txt
    "$BENCH" preflight --json >said.json
    "$BENCH" run -a system -n 1 -p throughput -o out two.trace 2>progress.txt
    "$BENCH" report --format html -o report.html out
    python3 - <<'PY'
import html, json
stored = json.load(open("out/run.json"))["preflight"]
alone = json.load(open("said.json"))["doubts"]
names = lambda doubts: {doubt["name"] for doubt in doubts} - {"load"}   # which comes and goes
assert names(stored) == names(alone), (stored, alone)
page, before, text = open("report.html").read(), open("progress.txt").read(), open("said.txt").read()
for doubt in stored:
    assert doubt["what"] and doubt["remedy"], doubt
    assert html.escape(doubt["remedy"], quote=True).replace("&#x27;", "&#39;") in page, doubt
    assert doubt["name"] in before, before
for doubt in alone:
    assert doubt["name"] in text or doubt["name"] == "load", text
assert bool(stored) == ("bench preflight" in before), before
PY
}

@test "a process that is limited is told so" {
    (ulimit -S -v 4000000 && "$BENCH" preflight) >said.txt || skip "a sanitizer needs more"
    grep -q '^memory limit: the address space is limited to 4096000000 bytes' said.txt
}

@test "the environment is in the result, and does not reach the allocator" {
    MALLOC_ARENA_MAX=3 GLIBC_TUNABLES=glibc.malloc.mmap_threshold=4096 \
        "$BENCH" run -a system -n 1 -p memory -o out two.trace
    python3 - <<'PY'
import json
run = json.load(open("out/run.json"))
machine = run["machine"]
assert machine["environment"]["MALLOC_ARENA_MAX"] == "3", machine
assert machine["environment"]["GLIBC_TUNABLES"] == "glibc.malloc.mmap_threshold=4096", machine
for name in ("cpu", "cores", "memory_bytes", "kernel", "libc", "transparent_hugepage", "governor",
             "overcommit_memory", "clocksource", "compiler", "build_flags"):
    assert name in machine, name
assert machine["kernel"] and machine["libc"].startswith("glibc 2.") and machine["build_flags"], machine
assert run["heapbench"] and all(trace["checksum"] for trace in run["traces"]), run
PY
    run strace -f -e trace=execve -v -s 500 -o calls.txt env MALLOC_ARENA_MAX=3 ASAN_OPTIONS=detect_leaks=0 \
        "$BENCH" run -a system -n 1 -p throughput -o strace two.trace
    [ "$status" = 0 ]
    grep bench-worker calls.txt | grep -v MALLOC_ARENA_MAX
}

@test "an argument that it does not take is named" {
    run "$BENCH" preflight somewhere
    [ "$status" -eq 2 ]
    [[ "$output" == *"it takes no argument, so not 'somewhere' either"* ]]
}
