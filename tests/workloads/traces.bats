#!/usr/bin/env bats
# The bundled recordings are what their README says, whole, and within their limits.

setup() { cd "$BATS_TEST_DIRNAME/../../workloads/traces"; }

@test "every recording is in the README with its figures, and the other way round" {
    python3 - "$BENCH" <<'PY'
import glob, json, re, subprocess, sys
rows = {m[0]: [c.strip() for c in line.split("|")] for line in open("README.md") if (m := re.findall(r"^\| \[([^]]+)\]", line))}
traces = {path[:-6] for path in glob.glob("*.trace")}
assert rows.keys() == traces, rows.keys() ^ traces
total = 0
for name in sorted(traces):
    info = json.loads(subprocess.run([sys.argv[1], "trace", "info", "--json", name + ".trace"], capture_output=True, check=True).stdout)
    told = [int(rows[name][i].replace(",", "")) for i in (4, 5, 6, 7)]
    assert told == [info[k] for k in ("events", "threads", "cross_thread_frees", "peak_live_bytes")], (name, told)
    assert info["lost_events"] == 0 and info["repairs"] == 0, name
    assert 200_000 <= info["events"] <= 5_000_000, name
    total += info["file_bytes"]
assert len(traces) >= 8 and total <= 24_000_000, total
PY
}

@test "no recording tells of the machine it was made on" {
    for trace in *.trace; do
        run "$BENCH" trace info "$trace"
        [ "$status" = 0 ]
        [[ "$output" != *"  host "* ]]
        [[ "$output" != *"  arguments "* ]]
    done
}

@test "the quick subset exists and is at most 3 million operations" {
    local total=0
    while read -r trace; do
        total=$((total + $("$BENCH" trace info --json "$trace" | python3 -c 'import json, sys; print(json.load(sys.stdin)["events"])')))
    done <quick.txt
    [ "$total" -gt 0 ]
    [ "$total" -le 3000000 ]
}

@test "the recipe knows every recording, and says so of what it does not know" {
    for trace in *.trace; do
        grep -q "^${trace%.trace}|" record-all
    done
    run ./record-all nosuch
    [ "$status" != 0 ]
    [[ "$output" == *nosuch* ]]
}
