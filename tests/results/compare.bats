# bench compare as a gate.

setup_file() {
    "$BUILD/tests/make-run" "$BATS_FILE_TMPDIR/run"
}

setup() {
    cd "$BATS_TEST_TMPDIR"
    for folder in base new; do
        mkdir "$folder"
        cp "$BATS_FILE_TMPDIR/run/run.json" "$BATS_FILE_TMPDIR/run/cells.jsonl" "$folder"
    done
}

# slow FACTOR: tcmalloc on redis takes that many times as long in the new run.
slow() {
    python3 - "$1" <<'PYTHON'
import json, sys
lines = [json.loads(line) for line in open("new/cells.jsonl")]
with open("new/cells.jsonl", "w") as out:
    for cell in lines:
        if cell["allocator"] == "tcmalloc" and cell["trace"] == "redis" and cell["ns_per_op"]:
            cell["ns_per_op"] *= float(sys.argv[1])
        print(json.dumps(cell), file=out)
PYTHON
}

@test "a run against its copy: no difference shown, the gate holds" {
    run "$BENCH" compare --fail-above 1% base new
    [ "$status" -eq 0 ]
    [[ "$output" == *"no difference shown"* ]]
    [[ "$output" == *"gate: 0 figures"* ]]
}

@test "the gate fails above the threshold and outside the interval, and names the figure" {
    slow 1.2
    run "$BENCH" compare --fail-above 5 base new
    [ "$status" -eq 1 ]
    [ "$(grep -c 'FAILS THE GATE' <<<"$output")" -eq 1 ]
    run "$BENCH" compare base new
    [ "$status" -eq 0 ]
}

@test "a difference below the threshold passes, however sure it is" {
    slow 1.2
    run "$BENCH" compare --fail-above 30% base new
    [ "$status" -eq 0 ]
}

@test "a difference inside the interval passes, however small the threshold" {
    slow 1.002
    run "$BENCH" compare --fail-above 0 base new
    [ "$status" -eq 0 ]
}

@test "getting faster never fails" {
    slow 0.5
    run "$BENCH" compare --fail-above 0% base new
    [ "$status" -eq 0 ]
    [[ "$output" == *" less"* ]]
}

@test "what crashed in the new run only is a failure" {
    sed -i '0,/"allocator":"buddy"/s/\("allocator":"buddy".*"status":\)"ok"/\1"crashed"/' new/cells.jsonl
    run "$BENCH" compare base new
    [ "$status" -eq 1 ]
    [[ "$output" == *"buddy on python3-json: crashed"* ]]
}

@test "an allocator that refuses allocations in the new run only is a failure" {
    sed -i '0,/"allocator":"buddy"/s/\("allocator":"buddy".*"failed_allocations":\)0/\17/' new/cells.jsonl
    run "$BENCH" compare base new
    [ "$status" -eq 1 ]
    [[ "$output" == *"buddy on python3-json: refused 7 allocations (throughput pass), but not in the base"* ]]
}

# edit FOLDER PYTHON: changes its run.json (`run`), and its cells, in which a trace `old` is now `new`.
edit() {
    python3 - "$@" <<'PYTHON'
import json, sys
folder, change, *names = sys.argv[1:]
run = json.load(open(folder + "/run.json"))
traces = {trace["name"]: trace for trace in run["traces"]}
exec(change)
json.dump(run, open(folder + "/run.json", "w"))
if names:
    cells = open(folder + "/cells.jsonl").read()
    open(folder + "/cells.jsonl", "w").write(cells.replace('"%s"' % names[0], '"%s"' % names[1]))
PYTHON
}

@test "a trace that is called otherwise in the other run is known by its checksum" {
    edit base 'traces["redis"]["checksum"] = "00ab"'
    edit new 'traces["redis"].update(checksum="00ab", name="larson:threads=2")' redis larson:threads=2
    run "$BENCH" compare base new
    [ "$status" -eq 0 ]
    [[ "$output" == *$'redis, buddy\n    (in the new run the same trace, by its checksum, is called larson:threads=2)\n'* ]]
    edit new 'traces["larson:threads=2"]["threads"] = 2'
    run "$BENCH" compare base new
    [ "$status" -eq 0 ]
    [[ "$output" == *"python3-json, buddy"* && "$output" != *"redis"* ]]
}

@test "that a trace of the same name is another one is said" {
    edit new 'traces["redis"]["checksum"] = "00ab"'
    run "$BENCH" compare base new
    [ "$status" -eq 0 ]
    [[ "$output" == *$'redis, buddy\n    ! not the same trace in both runs'* ]]
    [[ "$output" != *$'python3-json, buddy\n    !'* ]]
}

@test "two allocators of one run" {
    run "$BENCH" compare base:system base:tlsf
    [ "$status" -eq 0 ]
    [[ "$output" == *"system (base) and tlsf (new)"* ]]
    run "$BENCH" compare --fail-above 5 base:tlsf base:system
    [ "$status" -eq 1 ]
}

@test "RUN is the longest prefix that is a run, even with a colon in it" {
    mv base od:d
    run "$BENCH" compare od:d:system od:d:tlsf
    [ "$status" -eq 0 ]
}

@test "wrong usage and unreadable input are status 2" {
    run "$BENCH" compare base
    [ "$status" -eq 2 ]
    run "$BENCH" compare base:system new
    [ "$status" -eq 2 ]
    run "$BENCH" compare base nowhere
    [ "$status" -eq 2 ]
    [[ "$output" == *"not the folder of a run"* ]]
    run "$BENCH" compare base:nope new:nope
    [ "$status" -eq 2 ]
    [[ "$output" == *"no allocator 'nope'"* ]]
    run "$BENCH" compare --fail-above lots base new
    [ "$status" -eq 2 ]
}

@test "what was measured once cannot fail the gate, and that is said" {
    for folder in base new; do
        grep '"repetition":0' "$folder/cells.jsonl" >cells && mv cells "$folder/cells.jsonl"
    done
    slow 3
    run "$BENCH" compare --fail-above 5 base new
    [ "$status" -eq 0 ]
    [[ "$output" == *"the gate could not fail"* ]]
}
