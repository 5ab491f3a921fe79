#!/usr/bin/env bats
# bench explain: the parts add up to the resident size, to the page, for every kind of allocator.
bats_require_minimum_version 1.5.0

setup() {
    cd "$BATS_TEST_TMPDIR"
    traces="$BATS_TEST_DIRNAME/../../workloads/traces"
}

# check PYTHON: of the moments in out.json, as `moments`.
check() {
    python3 - "$1" <<'PY'
import json, sys
moments = json.load(open("out.json"))["moments"]
exec(sys.argv[1])
PY
}

@test "parts add up to RSS at every moment, inside and outside views agree" {
    [ -z "${SANITIZE-}" ] || skip "a sanitizer's malloc cannot be replaced by another"
    "$BENCH" explain "$traces/git-log.trace" --json \
        -a system,jemalloc,mimalloc,tcmalloc,first-fit,ostep,shmheap >out.json
    check '
assert len(moments) == 7 * 3, len(moments)
for m in moments:
    p, inside, beside = m["parts"], m["inside"], m["not_resident"]
    assert m["status"] == "ok", m
    assert sum(p.values()) == m["sum"] == m["rss_bytes"], m
    assert m["detail"] == "", m
    assert p["payload"] + beside["touched_not_yet"] == m["live_bytes"], m
    assert m["metadata_told"] == (m["allocator"] in ("first-fit", "ostep", "shmheap")), m
    if m["metadata_told"]:
        assert inside["inside_blocks"] == m["live_blocks"], m
        free = p["free_in_live_pages"] + p["free_pages"] + p["unused_pages"] + p["lazy_free"]
        assert inside["inside_free"] == free, m
        assert inside["inside_used"] + inside["inside_metadata"] <= \
            p["payload"] + p["rounding"] + p["metadata"], m
peaks = {m["allocator"]: m for m in moments if m["at"] == "peak-live"}
assert {m["live_bytes"] for m in peaks.values()} == {1129434}, peaks
assert {m["event"] for m in peaks.values()} == {265688}, peaks
'
}

config() { # a recording in which small blocks keep pages
    gcc -g -O1 -fno-omit-frame-pointer -o config "$BATS_TEST_DIRNAME/programs/config.c"
    "$BENCH" record --stacks --times -o config.trace -- ./config 2>/dev/null
}

@test "who holds the pages, and what would be gained without them" {
    [ -z "${SANITIZE-}" ] || skip "a sanitizer's malloc cannot be recorded"
    config
    "$BENCH" explain config.trace --at end --without parse_config --json >out.json
    check '
with_, without = moments
holder = with_["holders"][0]
assert holder["site"].startswith("parse_config (config.c:"), holder
assert (holder["blocks"], holder["size_low"], holder["size_high"]) == (1000, 48, 48), holder
assert holder["resident_bytes"] == holder["alone_bytes"] == 4096 * holder["pages"], holder
assert holder["pages"] == with_["sparse_pages"] > 900, with_
assert 20e6 < holder["age_ns"] <= holder["oldest_ns"] < 60e9, holder
assert without["without"] == "parse_config" and without["live_blocks"] == 0, without
heap = [m["sum"] - m["parts"]["rest_of_process"] for m in moments]
assert heap[0] - heap[1] > 3e6, heap
'
    run "$BENCH" explain config.trace --at end --without 40-48
    [ "$status" = 0 ]
    [[ "$output" == *"1,000 blocks of 48 bytes from parse_config (config.c:"*"s old, keep 3."*"MiB resident"* ]]
    [[ "$output" == *"without 40-48: 0 of 1,000 live blocks are left"*"would be gained"* ]]
    run "$BENCH" explain config.trace --at end --without main
    [[ "$output" == *"without main: 0 of 1,000 live"* ]]
}

@test "a moment by its time, and the same one by its event" {
    [ -z "${SANITIZE-}" ] || skip "a sanitizer's malloc cannot be recorded"
    config
    # Between allocating all and freeing the first the program sleeps.
    local pause
    pause=$("$BENCH" trace dump config.trace | awk '$1 == 1999 { t = $2 } $1 == 2000 { printf "%d", (t + $2) / 2 }')
    "$BENCH" explain config.trace --at "${pause}ns" --at 2000,2001 --json >out.json
    check '
assert [m["event"] for m in moments] == [2000, 2000, 2001], moments
assert moments[0]["parts"] == moments[1]["parts"], moments
assert [m["live_blocks"] for m in moments] == [2000, 2000, 1999], moments
assert moments[0]["time_ns"] == moments[1]["time_ns"] < moments[2]["time_ns"] - 10e6, moments
'
}

@test "a limit on files takes nothing but what pages once held" {
    "$BENCH" generate larson:threads=1,rounds=1 -o small.trace
    (ulimit -f 100000 && "$BENCH" explain small.trace -a first-fit --at end --json >out.json)
    check '
[m] = moments
assert m["sum"] == m["rss_bytes"] and m["parts"]["unused_pages"] == 0, m
'
}

@test "threads stop together, and the moment is as recorded" {
    "$BENCH" generate larson:threads=4,rounds=1 -o threads.trace
    "$BENCH" explain threads.trace -a first-fit --at 1000 --json >out.json
    check '
[m] = moments
assert m["sum"] == m["rss_bytes"] and m["event"] == 1000, m
assert m["inside"]["inside_blocks"] == m["live_blocks"] > 0, m
'
}

@test "with a run its settings are used, and what is found is kept in it and drawn" {
    "$BENCH" generate larson:threads=1,rounds=1 -o small.trace
    "$BENCH" run -a null,first-fit,buddy -p memory --touch none -o out small.trace >/dev/null 2>&1
    "$BENCH" explain out --trace small -a first-fit --json >out.json
    check '
assert [m["at"] for m in moments] == ["peak-rss", "peak-live", "end"], moments
assert all(m["touch"] == "none" and m["sum"] == m["rss_bytes"] for m in moments), moments
assert moments[1]["not_resident"]["touched_not_yet"] > 0, moments
'
    [ "$(wc -l <out/split.jsonl)" = 3 ]
    grep -q '>first-fit<' out/plots/split.small.svg
    # Without -a all that give memory; a line that was cut off does not spoil those after it.
    printf '{"cut' >>out/split.jsonl
    "$BENCH" explain out --at end -o figures >/dev/null
    [ "$(wc -l <out/split.jsonl)" = 6 ]
    grep -q '>buddy<' figures/split.small.svg
    run ! grep -q '>null<' figures/split.small.svg
    run "$BENCH" explain out --trace other
    [ "$status" = 2 ]
    # A trace alone, and a run made for it.
    "$BENCH" explain small.trace -a first-fit --at end -o new >/dev/null
    "$BENCH" plot --figure split --terminal dumb new | grep -q first-fit
}

@test "what cannot be explained is told in a sentence" {
    "$BENCH" generate larson:threads=1,rounds=1 -o small.trace
    "$BENCH" run -a first-fit -n 1 -p memory -o run small.trace >/dev/null
    run "$BENCH" explain run --trace smal
    [ "$status" = 2 ]
    [[ "$output" == *"run has no trace 'smal'"*"nearest is 'small'"* ]]
    run "$BENCH" explain run -a first-fit --at 99999999
    [ "$status" = 2 ]
    [[ "$output" != *"the figure is"* ]]
    run "$BENCH" explain small.trace -a first-fit --at 99999999
    [ "$status" = 2 ]
    [[ "$output" == *"no moment after 99999999"* ]]
    run "$BENCH" explain small.trace -a first-fit --at 1h
    [ "$status" = 2 ]
    [[ "$output" == *"--times"* || "$output" == *"lasts"* ]]
    run "$BENCH" explain small.trace -a first-fit --at noon
    [ "$status" = 2 ]
    [[ "$output" == *"peak-rss, peak-live, end"* ]]
    run "$BENCH" explain small.trace -a first-fit --without parse_config
    [ "$status" = 2 ]
    [[ "$output" == *"without --stacks"* ]]
    run "$BENCH" explain small.trace -a no-such
    [ "$status" = 2 ]
    run "$BENCH" explain "$BATS_TEST_TMPDIR"
    [ "$status" = 2 ]
    [[ "$output" == *"not the folder of a run"* ]]
    run "$BENCH" explain
    [ "$status" = 2 ]
    run "$BENCH" explain small.trace -a null,first-fit --at end
    [ "$status" = 0 ]
    [[ "$output" == *"skipped: not a real allocator"*"small on first-fit, end"* ]]
    run "$BENCH" explain small.trace -a so:/nowhere/lib.so --at end
    [ "$status" = 1 ]
    [[ "$output" == *"not installed"* ]]
}

@test "pages of zeros are nobody's, and lazily freed ones are told apart" {
    [ -z "${SANITIZE-}" ] || skip "a sanitizer's malloc cannot be replaced by another"
    gcc -shared -fPIC -O1 -fno-builtin -o lazy.so "$BATS_TEST_DIRNAME/libraries/lazy.c"
    { printf '20000\n200\n260\n1\n'
      for i in $(seq 0 99); do echo "a $i 10000"; done
      for i in $(seq 0 59); do echo "f $i"; done
      for i in $(seq 100 199); do echo "a $i 3000"; done; } >lazy.rep
    "$BENCH" import lazy.rep -o lazy.trace
    "$BENCH" explain lazy.trace -a "so:$PWD/lazy.so" --at end --json >out.json
    check '
[m] = moments
p = m["parts"]
assert m["sum"] == m["rss_bytes"] and p["payload"] == m["live_bytes"] == 40 * 10000 + 100 * 3000, m
assert 59 * 3 * 4096 <= p["lazy_free"] <= 60 * 3 * 4096, m
assert p["lazy_free"] + p["free_pages"] == 60 * 3 * 4096, m
'
    # What is read and not written is not resident.
    "$BENCH" explain lazy.trace -a "so:$PWD/lazy.so" --at end --touch first --json >out.json
    check '
[m] = moments
assert m["sum"] == m["rss_bytes"], m
assert m["not_resident"]["touched_not_yet"] == 40 * (10000 - 4096 + 64), m
assert m["parts"]["payload"] + m["not_resident"]["touched_not_yet"] == m["live_bytes"], m
'
}

@test "an allocator that crashes before the moment is told, and the next one is explained" {
    [ -z "${SANITIZE-}" ] || skip "a sanitizer's malloc cannot be replaced by another"
    gcc -shared -fPIC -O1 -w -fno-builtin -DBREAK=CRASH -o crash.so \
        "$BATS_TEST_DIRNAME/libraries/broken.c"
    run "$BENCH" explain "$traces/git-log.trace" -a "so:$PWD/crash.so,system" --at 1 --at end
    [ "$status" = 1 ]
    [[ "$output" == *"crashed: SIGSEGV"* ]]
    [[ "$output" == *"git-log on system, end"* ]]
}
