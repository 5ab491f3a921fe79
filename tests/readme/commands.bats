#!/usr/bin/env bats
# Every command of the README works as it is written, in its order.

@test "the README's commands" {
    [ -z "${SANITIZE-}" ] || skip "a sanitizer's malloc cannot be replaced by another"
    local source=$BATS_TEST_DIRNAME/../..
    cd "$BATS_TEST_TMPDIR"
    ln -s "$BUILD" build
    ln -s "$(realpath "$source/workloads")" workloads
    # The lines of the sh blocks; ./quickstart is what runs this test.
    awk '/^```sh$/ { on = 1; next } /^```$/ { on = 0 } on' "$source/README.md" | grep -v '^\./quickstart' >commands
    [ "$(wc -l <commands)" -ge 15 ]
    while IFS= read -r line; do
        run bash -c "$line"
        [ "$status" = 0 ] || { printf '%s\nstatus %s\n%s\n' "$line" "$status" "$output"; false; }
    done <commands
    [ -s report.html ]
    [ -s figures/time-memory.sqlite.png ]
    [ "$(wc -l <mine/cells.jsonl)" = $((3 * (6 + 6 + 1))) ]
}

@test "what the README names exists" {
    cd "$BATS_TEST_DIRNAME/../.."
    local path
    for path in $(grep -oE '\]\(([A-Za-z][^)]*)\)' README.md | tr -d '])(') \
        $(grep -oE '`(allocators|workloads|harness|results)/[a-z/_.-]+`' README.md | tr -d '`'); do
        [ -e "$path" ] || { echo "$path"; false; }
    done
}

@test "the README shows the table that bench run prints" {
    cd "$BATS_TEST_DIRNAME/../.."
    for column in ns/op relative p50 p99 p99.9 max 'peak RSS' 'peak VSZ' RSS/live internal external faults; do
        grep -q -- "$column" README.md
    done
}

@test "every figure is read in the README as in the reports" {
    "$BENCH" list --json >"$BATS_TEST_TMPDIR/list.json"
    python3 - "$BATS_TEST_TMPDIR/list.json" "$BATS_TEST_DIRNAME/../../README.md" <<'PYTHON'
import json, sys
readme = open(sys.argv[2]).read()
figures = json.load(open(sys.argv[1]))["figures"]
assert len(figures) >= 15
for figure in figures:
    line = "| %s | %s |\n" % (figure["name"], figure["reading"])
    assert line in readme, line
PYTHON
}
