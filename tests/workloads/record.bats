#!/usr/bin/env bats
# bench record: what a program allocates, no more and no less, however it ends.

bats_require_minimum_version 1.5.0
setup() { cd "$BATS_TEST_TMPDIR"; }

# info FIELD: of t.trace
info() { "$BENCH" trace info --json t.trace | python3 -c "import json, sys; print(json.load(sys.stdin)['$1'])"; }

@test "output and status are passed through, the last line tells events and cost" {
    run --separate-stderr -7 "$BENCH" record -o t.trace -- sh -c 'echo out; exit 7'
    [ "$output" = out ]
    [[ "${stderr_lines[-1]}" == "bench record: t.trace: "*" events, "*" bytes an event, "*" %" ]]
}

@test "an existing file is never overwritten" {
    echo mine >t.trace
    run --separate-stderr -2 "$BENCH" record -o t.trace -- true
    [[ "$stderr" == *"t.trace exists"* ]]
    [ "$(cat t.trace)" = mine ]
}

@test "the default name is the program's, the next one where that exists" {
    "$BENCH" record -- true
    "$BENCH" record -- true
    [ -f true.trace ] && [ -f true-2.trace ]
}

@test "a program that is not there, an output that cannot be written" {
    run --separate-stderr -127 "$BENCH" record -o t.trace -- no-such-program
    [[ "$stderr" == *"no-such-program cannot be started"* ]]
    [ ! -e t.trace ] && [ ! -e t.trace.part ]
    run --separate-stderr -2 "$BENCH" record -o no/such/folder.trace -- true
    [[ "$stderr" == *"no/such/folder.trace"* ]]
}

@test "a static program: the sentence says why there is nothing" {
    echo 'int main(void) { return 0; }' >p.c
    gcc -static -o p p.c
    run --separate-stderr -0 "$BENCH" record -o t.trace -- ./p
    [[ "$stderr" == *"ignored the recorder"*"statically"* ]]
}
