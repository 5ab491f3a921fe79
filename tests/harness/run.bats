#!/usr/bin/env bats
# bench run: cells, tables, resuming, and what happens when something is wrong.

setup() {
    cd "$BATS_TEST_TMPDIR"
    { printf '20000\n200\n400\n1\n'
      for i in $(seq 0 199); do echo "a $i $((16 + i * 7 % 900))"; done
      for i in $(seq 0 199); do echo "f $i"; done; } >small.rep
    "$BENCH" import small.rep -o small.trace
}

lines() { wc -l <"$1" | tr -d ' '; }

@test "a run measures every cell once and prints every column" {
    run "$BENCH" run -a null,system,bump -n 3 -o out small.trace
    [ "$status" = 0 ]
    for column in ns/op relative p50 p99 p99.9 max 'RSS' 'VSZ' faults internal external; do
        [[ "$output" == *"$column"* ]] || { echo "no $column in $output"; false; }
    done
    [ "$(lines out/cells.jsonl)" = $((3 * (3 + 3 + 1))) ]
    [ "$(cut -d'"' -f1-60 out/cells.jsonl | sort -u | wc -l)" = 21 ]
    [ -s out/run.json ]
    [ -s out/traces/small.json ]
}

@test "the table as JSON has the fields that scripts rely on" {
    "$BENCH" run -a system -n 1 -o out --json small.trace >table.json
    python3 - <<'PY'
import json
row = json.load(open("table.json"))["rows"][0]
want = """trace allocator status ns_per_op relative relative_low relative_high p50_ns p99_ns p999_ns max_ns
peak_rss_bytes peak_vsz_bytes rss_over_live peak_held_bytes peak_live_bytes internal_fragmentation
external_fragmentation jw4 page_faults failed_allocations repetitions""".split()
missing = [name for name in want if name not in row]
assert not missing, missing
assert row["status"] == "ok" and row["repetitions"] == 1 and row["ns_per_op"] > 0, row
PY
}

@test "the turns of a repetition are told, as needed or as asked for, and kept when a run is resumed" {
    "$BENCH" run -a system,bump -n 2 -p throughput -o needed small.trace >/dev/null
    [ "$(grep -c '"turns":8,' needed/cells.jsonl)" = 4 ]
    "$BENCH" run -a system -n 2 -p throughput,latency --turns 3 -o asked small.trace >/dev/null
    [ "$(grep throughput asked/cells.jsonl | grep -c '"turns":3,')" = 2 ]
    [ "$(grep latency asked/cells.jsonl | grep -c '"turns":1,')" = 2 ]
    sed -i 1d asked/cells.jsonl
    "$BENCH" run --resume asked >/dev/null
    [ "$(grep throughput asked/cells.jsonl | grep -c '"turns":3,')" = 2 ]
}

@test "after kill -9 a resumed run does the rest, and nothing twice" {
    # Just as a cell's line has been written.
    run strace -o writes.txt -e trace=pwrite64 -e inject=pwrite64:signal=KILL:when=20 \
        "$BENCH" run -a null,system,bump -n 10 -o out small.trace
    local before; before=$(lines out/cells.jsonl)
    [ "$before" -ge 15 ]
    [ "$before" -lt 63 ]
    head -n "$before" out/cells.jsonl >kept
    printf '{"allocator":"system","trace":"sm' >>out/cells.jsonl
    run "$BENCH" run --resume out
    [ "$status" = 0 ]
    [ "$(lines out/cells.jsonl)" = $((3 * (10 + 10 + 1))) ]
    head -n "$before" out/cells.jsonl | cmp - kept
    python3 - <<'PY'
import json
keys = [tuple(json.loads(l)[k] for k in ("allocator", "trace", "pass", "repetition")) for l in open("out/cells.jsonl")]
assert len(keys) == len(set(keys)) == 63
PY
    run "$BENCH" run --resume out
    [ "$status" = 0 ]
    [ "$(lines out/cells.jsonl)" = 63 ]
}

@test "Ctrl-C keeps what is finished and says how to go on" {
    "$BENCH" run -a null,system,bump -n 5000 -o out small.trace >table 2>messages &
    local pid=$!
    while [ ! -s out/cells.jsonl ]; do sleep 0.02; done
    kill -TERM "$pid"
    local status=0
    wait "$pid" || status=$?
    [ "$status" = 1 ]
    grep -q 'bench run --resume out' messages
    python3 -c 'import json; [json.loads(l) for l in open("out/cells.jsonl")]'
}

@test "what is printed where nobody listens goes into no file of the run" {
    run bash -c '"$BENCH" run -a system,bump -n 1 -p memory -o out small.trace 2>&1 >&-'
    [ "$status" = 1 ]
    [[ "$output" == *"the table could not be written"* ]]
    python3 -c 'import json; assert [json.loads(line)["status"] for line in open("out/cells.jsonl")] == ["ok"] * 2'
    run bash -c '"$BENCH" report --format html out 2>&1 >&-'
    [ "$status" = 1 ]
    [[ "$output" == *"Bad file descriptor"* ]]
    run bash -c '"$BENCH" --help 2>&1 >&-'
    [ "$status" = 1 ]
}

@test "a trace may come from a pipe, and go into one that is read" {
    run bash -c '"$BENCH" run -a system -n 1 -p throughput -o out <(cat small.trace) <(cat small.trace)'
    [ "$status" = 0 ]
    [ "$(ls out/traces/*.trace | wc -l)" = 2 ]
    mkfifo pipe
    cat small.trace >pipe &
    run "$BENCH" run -a system -n 1 -p throughput -o named pipe
    [ "$status" = 0 ]
    [ -s named/traces/pipe.trace ]
    run timeout 60 "$BENCH" record -o pipe -- true
    [ "$status" = 2 ]
    [[ "$output" == *"nobody reads the pipe pipe"* ]]
    [ -p pipe ]
}

@test "a trace may come from standard input" {
    run bash -c '"$BENCH" run -a system -n 1 -p throughput -o out - <small.trace'
    [ "$status" = 0 ]
    [ -s out/traces/stdin.trace ]
}

@test "a workload is generated into the run, and a run of it can be resumed" {
    run bash -c '"$BENCH" run -a system,bump -n 1 -p throughput -o out --json larson:rounds=1,blocks=50 >table.json'
    [ "$status" = 0 ]
    [ "$(ls out/traces/*.trace | wc -l)" = 1 ]
    head -n 1 out/cells.jsonl >one
    mv one out/cells.jsonl
    run "$BENCH" run --resume out
    [ "$status" = 0 ]
    [ "$(lines out/cells.jsonl)" = 2 ]
    # It has the name it was asked for by, also when the run goes on.
    [ "$(grep -c '"trace":"larson:rounds=1,blocks=50"' out/cells.jsonl)" = 2 ]
    run "$BENCH" run -a system -o out2 larson:nonsense=1
    [ "$status" = 2 ]
    [[ "$output" == *nonsense* ]]
    run "$BENCH" run -a system -o out2 larsn:rounds=1
    [ "$status" = 2 ]
    [[ "$output" == *"'larsn:rounds=1'"*"nearest is 'larson'"* ]]
}

@test "an unknown allocator is answered with the nearest" {
    run "$BENCH" run -a sistem -o out small.trace
    [ "$status" = 2 ]
    [[ "$output" == *"sistem"*"system"* ]]
    [ ! -e out ]
}

@test "wrong options, passes and counts are refused with a sentence" {
    run "$BENCH" run -a '' small.trace
    [ "$status" = 2 ]
    [[ "$output" == *"the list of allocators is empty"* ]]
    for wrong in "-p speed" "-n 0" "-n x" "--touch some" "--timeout soon" "--threads many" "--turns 0" "--turns few"; do
        run "$BENCH" run -a system -o out $wrong small.trace
        [ "$status" = 2 ] || { echo "$wrong: $status $output"; false; }
        [ ! -e out ]
    done
    run "$BENCH" run
    [ "$status" = 2 ]
    [[ "$output" == *"no trace was named"* ]]
}

@test "a damaged, cut or foreign trace is named and refused" {
    local size; size=$(stat -c %s small.trace)
    head -c $((size - 7)) small.trace >cut.trace
    printf 'not a trace at all, but long enough to be one' >wrong.trace
    for bad in cut.trace wrong.trace missing.trace; do
        run "$BENCH" run -a system -o out "$bad"
        [ "$status" = 2 ] || { echo "$bad: $status $output"; false; }
        [[ "$output" == *"$bad"* ]]
    done
}

@test "a flipped byte in the middle is a failed row that names the offset, not a figure" {
    local size; size=$(stat -c %s small.trace)
    python3 - "$size" <<'PY'
import sys
data = bytearray(open("small.trace", "rb").read())
data[len(data) // 2] ^= 0x10
open("flipped.trace", "wb").write(data)
PY
    run "$BENCH" run -a system -n 1 -o out flipped.trace
    [ "$status" != 0 ]
    [[ "$output" == *"flipped.trace"* ]]
}

@test "an output folder that cannot be written, or that holds a run, is refused" {
    run "$BENCH" run -a system -n 1 -o /proc/heapbench small.trace
    [ "$status" = 2 ]
    [[ "$output" == *"/proc/heapbench"* ]]
    "$BENCH" run -a system -n 1 -p throughput -o out small.trace
    run "$BENCH" run -a system -n 1 -p throughput -o out small.trace
    [ "$status" = 2 ]
    [[ "$output" == *"--resume"* ]]
}

@test "a trace that changed is not mixed into an old run" {
    "$BENCH" run -a system -n 1 -p throughput -o out small.trace
    sed -i 's/^a 0 16$/a 0 17/' small.rep
    rm small.trace
    "$BENCH" import small.rep -o small.trace
    run "$BENCH" run --resume out
    [ "$status" = 2 ]
    [[ "$output" == *"has changed"* ]]
}

@test "a run of one pass shows no table of the others, and one that measures nothing fails" {
    "$BENCH" run -a system -n 1 -p throughput -o time small.trace >time.txt
    "$BENCH" run -a system -n 1 -p memory -o memory small.trace >memory.txt
    [ "$(grep -c '^  allocator ' time.txt)" = 1 ]
    grep -q '^  allocator *ns/op ' time.txt
    [ "$(grep -c '^  allocator ' memory.txt)" = 1 ]
    grep -q '^  allocator *peak RSS ' memory.txt
    run "$BENCH" run -a first-fit --processes 2 -n 1 -p throughput -o none small.trace
    [ "$status" = 1 ]
    [[ "$output" == *"nothing was measured"* ]]
}

@test "output that cannot be written is a failure, of any command" {
    "$BENCH" run -a system,bump -n 1 -p throughput -o out small.trace >/dev/null
    local command
    for command in "list" "preflight" "trace info small.trace" "trace dump small.trace" "report out" \
        "compare out:system out:bump" "run -a system -n 1 -p throughput -o again small.trace"; do
        run bash -c '"$BENCH" '"$command"' 2>&1 >/dev/full'
        [ "$status" = 1 ] || { echo "$command: $status"; false; }
        [[ "$output" == *"No space left on device"* ]]
    done
}

@test "help and version that cannot be written are failures too, of every command" {
    local command place
    for command in --help --version "trace --help" "trace info --help" "run --usage" \
        $("$BENCH" --help | sed -n 's/^  \([a-z]*\) .*/\1/p'); do
        [[ "$command" == *--* ]] || command+=" --help"
        for place in "/dev/full:No space left on device" "&-:Bad file descriptor"; do
            run bash -c '"$BENCH" '"$command"' 2>&1 >'"${place%:*}"
            [ "$status" = 1 ] || { echo "$command: $status"; false; }
            [[ "$output" == *": cannot write its output: ${place#*:}" ]]
        done
    done
}

@test "a limit on the size of files is told as a full disk is" {
    run bash -c 'ulimit -f 2; "$BENCH" run -n 1 -p throughput -a system -o limited small.trace'
    [ "$status" = 2 ]
    [[ "$output" == *"run.json: File too large"* ]]
}

@test "a folder of any name is told so that a shell takes it for that name" {
    local folder=$'it\'s $(touch broken) `id`\n"2'
    "$BENCH" generate sawtooth:teeth=1,blocks=9 -o few.trace
    "$BENCH" run -a null -n 1 -p throughput -o "$folder" few.trace 2>said.txt
    grep -q 'bench report --format html -o report.html ' said.txt
    [ "$(grep -c '' said.txt)" -le 3 ]
    eval "set -- $(sed -n 's/.*bench report --format html -o report.html //p' said.txt)"
    [ "$#" = 1 ]
    [ "$1" = "$folder" ]
    [ ! -e broken ]
    "$BENCH" run -a null -n 1 -p throughput -o "it's" few.trace 2>said.txt
    eval "set -- $(sed -n 's/.*bench report --format html -o report.html //p' said.txt)"
    [ "$1" = "it's" ]
    "$BENCH" run -a null -n 1 -p throughput -o plain few.trace 2>said.txt
    grep -q 'results in plain; figures and all: bench report --format html -o report.html plain$' said.txt
}
