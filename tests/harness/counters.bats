#!/usr/bin/env bats
# Hardware counters, from the unit to the table: with a worker that has one as the test wants it.

setup() {
    cd "$BATS_TEST_TMPDIR"
    "$BENCH" generate ramp-decay:blocks=8000,rounds=2 -o decay.trace
    mkdir beside
    cp "$BENCH" "$BUILD/tests/counting/bench-worker" beside
}

@test "counts an operation are those of the windows, less those of an empty one, scaled up" {
    for on_unit in 1000 400; do
        beside/bench run -a "null:PMU=$((2000 + on_unit)),bump:PMU=$((2000 + on_unit))" -n 1 -p throughput --json -o "out$on_unit" \
            decay.trace >table.json
        python3 - <<'PY'
import json
for row in json.load(open("table.json"))["rows"]:
    figures = [row[name + "_per_op"] * row["operations"]
               for name in ("cycles", "instructions", "cache_misses", "tlb_misses")]
    windows = round(figures[0] / 1e6)
    assert windows >= 1, row
    for i, figure in enumerate(figures):
        assert abs(figure - windows * (i + 1) * 1e6) < 100, (i, figure, windows)
PY
    done
    grep -qE '"counters": ?"user and kernel"' out400/cells.jsonl
    beside/bench report out400 | grep -q 'cycles/op  instr/op  LLC miss/op  dTLB miss/op'
}

@test "counters that cannot be had are missing, with the reason and the remedy, and never 0" {
    # EPERM, ENOENT, EACCES, and others that have the unit all the time
    for case in "1:CAP_PERFMON" "2:performance monitoring unit" "13:kernel.perf_event_paranoid=2" \
        "2000:kernel.nmi_watchdog=0"; do
        rm -rf out
        beside/bench run -a "null:PMU=${case%%:*}" -n 1 -p throughput --json -o out decay.trace >table.json
        python3 - "${case#*:}" <<'PY'
import json, sys
[cell] = [json.loads(line) for line in open("out/cells.jsonl")]
assert cell["status"] == "ok" and cell["counters"].startswith("not available: "), cell
assert sys.argv[1] in cell["counters"], cell["counters"]
[row] = json.load(open("table.json"))["rows"]
assert row["cycles_per_op"] is None and row["tlb_misses_per_op"] is None, row
PY
    done
}
