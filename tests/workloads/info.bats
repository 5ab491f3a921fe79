#!/usr/bin/env bats
# What trace info tells, on traces whose every figure is worked out by hand.

setup() {
    cd "$BATS_TEST_TMPDIR"
    "$BENCH" import "$BATS_TEST_DIRNAME/support/eight.txt" -o r.trace
}

# told PYTHON: an expression over what the JSON of t.trace says
told() {
    "$BENCH" trace info --json "${2-r.trace}" | python3 -c '
import json, sys
t = json.load(sys.stdin)
got = eval(sys.argv[1])
assert got is True, got' "$1"
}

@test "threads: who did what, and whose blocks were resized and freed by others" {
    told 't["cross_thread_frees"] == 2 and t["cross_thread_resizes"] == 1'
    told '[list(row.values()) for row in t["by_thread"]] == [[0, 4, 4, 130, 0, 0], [1, 4, 1, 20, 3, 2]] or t["by_thread"]'
    "$BENCH" trace info r.trace | grep -q "cross-thread frees *2 (66.7 % of blocks freed)"
    "$BENCH" trace info r.trace | grep -qE "t1 +4 +1 +20 B +3 +2$"
}

@test "lifetimes in operations and in time" {
    told '[(b["from"], b["count"]) for b in t["lifetimes"]] == [(1, 1), (2, 1), (4, 1)] or t["lifetimes"]'
    told '[(b["from"], b["count"]) for b in t["lifetimes_ns"]] == [(512, 1), (2048, 1), (4096, 1)] or t["lifetimes_ns"]'
    "$BENCH" generate glibc-simple:calls=100 -o g.trace
    told 't["lifetimes_ns"] is None' g.trace
}

@test "size classes lose so much of what is asked for, and of what lives at the peak" {
    told '[t["size_classes"][k] for k in ("requested_bytes", "lost_bytes", "lost_bytes_powers_of_two")] == [150, 42, 58] or t["size_classes"]'
    told '[t["size_classes"]["at_peak_" + k] for k in ("bytes", "lost_bytes", "lost_bytes_powers_of_two")] == [120, 24, 40] or t["size_classes"]'
    "$BENCH" trace info r.trace | grep -qF "lose 20.0 % of what is live at the peak to rounding; powers of two lose 33.3 %"
    # 300 sizes come and go; only blocks of 1,000 bytes stay.
    { for i in $(seq 300); do printf '1: malloc 0x%x0 %d\n1: free 0x%x0\n' $i $((i * 16)) $i; done
      for i in $(seq 300 349); do printf '1: malloc 0x%x0 1000\n' $i; done; } > p.txt
    "$BENCH" import p.txt -o p.trace
    told 't["size_classes"]["at_peak_best_sizes"] == [1008] and t["size_classes"]["at_peak_best_lost_bytes"] == 400 or t["size_classes"]' p.trace
}

@test "call sites: what lived at the peak, by the caller that is no allocator" {
    printf '%s\n' 'v 10400 2' 's one' 's file.c' 's xmalloc' 's two' 'i 7f00 2 1' 'i 7f01 2 3' 'i 7f02 2 4' \
        't 1 0' 't 2 1' 't 3 0' 'a 64 1' 'a 32 2' 'a c8 3' '+ 0' '+ 1' '- 1' '+ 2' '- 2' > h.txt
    "$BENCH" import h.txt -o h.trace
    told '[(s["site"].split(" ")[0], s["at_peak_bytes"], s["calls"], s["requested_bytes"]) for s in t["call_sites"]] == [("two", 200, 1, 200), ("one", 100, 2, 150)] or t["call_sites"]' h.trace
    "$BENCH" trace info h.trace | grep -qE "200 B +66.7% +1 +200 B +two"
}

@test "a cut's duration is its own" {
    "$BENCH" trace cut --from 4 r.trace -o c.trace
    "$BENCH" trace info c.trace | grep -q "duration  *3.00 us, from 4.00 us after the start on"
    told 't["first_ns"] == 4000 and t["duration_ns"] == 7000' c.trace
}

@test "info and dump into a file, which is whole or not there" {
    for command in "info" "info --json" "dump" "dump --json"; do
        "$BENCH" trace $command r.trace > plain
        "$BENCH" trace $command -o out r.trace
        cmp plain out
        run "$BENCH" trace $command -o /dev/full r.trace
        [ "$status" -eq 2 ]
        [[ "$output" == *"/dev/full"*"free some space"* ]]
        run "$BENCH" trace $command -o none/out r.trace
        [ "$status" -eq 2 ]
    done
    run "$BENCH" trace dump -o out none.trace
    [ "$status" -eq 2 ]
    cmp plain out
}

@test "marks have their labels in JSON, too" {
    "$BENCH" generate ramp-decay:blocks=10,rounds=1 -o g.trace
    diff <("$BENCH" trace dump g.trace | sed -n 's/.* mark //p') \
        <("$BENCH" trace dump --json g.trace | sed -n 's/.*"label": "\(.*\)"}/\1/p')
    [ "$("$BENCH" trace dump --json g.trace | grep -c '"label"')" -ge 2 ]
}
