#!/usr/bin/env bats
# bench list: what can be measured.

bats_require_minimum_version 1.5.0

# query EXPRESSION: of the JSON tree `d`.
query() {
    "$BENCH" list --json | python3 -c "import json, sys; d = json.load(sys.stdin); print($1)"
}

@test "every line of list.h is there, in order" {
    lines=$(sed -nE 's/^(BACKEND|EXTERNAL)\("?([a-z0-9_]+).*/\2/p' \
        "$BATS_TEST_DIRNAME/../../allocators/list.h" | tr _ -)
    [ "$lines" = "$(query '"\n".join(a["name"] for a in d["allocators"])')" ]
}

@test "what an allocator can do follows from its table" {
    [ "$(query '[a["capabilities"] for a in d["allocators"] if a["name"] == "null"]')" = \
        "[['zalloc', 'realloc', 'alloc_aligned']]" ]
    [ "$(query '[a["flags"] for a in d["allocators"] if a["name"] == "bump"]')" = \
        "[['no_free', 'walk_tiles', 'fork_safe']]" ]
    [ "$(query '[o["name"] for l in d["layers"] if l["name"] == "faulty" for o in l["options"]]')" = \
        "['every', 'after', 'random', 'seed']" ]
}

@test "a library that is missing is a row that says so" {
    installed='all(a["installed"] == (a.get("path") is not None) for a in d["allocators"] if a["kind"] == "external")'
    [ "$(query "$installed")" = True ]
    [ "$(query 'all(a["package"].startswith("lib") for a in d["allocators"] if a["kind"] == "external")')" = True ]
}

@test "the text form names the same allocators" {
    run -0 --separate-stderr "$BENCH" list
    [ -z "$stderr" ]
    for name in $(query '" ".join(a["name"] for a in d["allocators"] + d["layers"])'); do
        grep -q "^$name " <<<"$output"
    done
}

# argp sets an option with a long argument apart, and its text without indentation.
@test "the help of every command has an example, in lines that are laid out" {
    local command
    for command in $("$BENCH" --help | awk '/^  [a-z]/ { print $1 }') \
        "trace info" "trace dump" "trace cut" "trace scale" "trace merge" "trace anonymize"; do
        run -0 "$BENCH" $command --help
        [[ "$output" == *"Example"* ]]
        run -0 awk 'length > 80 || /^ {10,}--/ || (/^ +bench / && / --?[a-z]+$/)' <<<"$output"
        [ -z "$output" ] || { echo "$command: $output"; false; }
        # A line of an example is whole.
        run -0 awk '/^Examples?:/ { on = 1; next } /^$/ { on = 0 } on && /^[a-z\/-]/' \
            < <("$BENCH" $command --help)
        [ -z "$output" ] || { echo "$command: $output"; false; }
    done
}

@test "a mistyped option is answered with the nearest one, of any command" {
    local command
    for command in run list "trace info"; do
        run -2 --separate-stderr "$BENCH" $command --jsno=3 x
        [ "$stderr" = "bench $command: there is no option '--jsno'; the nearest is 'json' (bench $command --help lists all)" ]
    done
    run -2 --separate-stderr "$BENCH" run --zzzzzzzz x
    [ "$stderr" = "bench run: there is no option '--zzzzzzzz' (bench run --help lists all)" ]
    # Beginnings, values, and what belongs to a program are nobody's mistake here.
    run -2 --separate-stderr "$BENCH" run --rep 3
    [[ "$stderr" == *"no trace was named"* ]]
    run -2 --separate-stderr "$BENCH" run -o --jsno
    [[ "$stderr" == *"no trace was named"* ]]
    run --separate-stderr "$BENCH" exec -a system -- true --jsno
    [[ "$stderr" != *"no option"* ]]
}

@test "help has an example, and wrong usage ends with 2" {
    run -0 "$BENCH" list --help
    [[ "$output" == *"Example:"* ]]
    run -2 --separate-stderr "$BENCH" list --jsn
    [[ "$stderr" == *"jsn"* ]]
    run -2 --separate-stderr "$BENCH" list everything
    [[ "$stderr" == *"everything"* ]]
}

@test "a full disk is an error" {
    run -1 bash -c '"$BENCH" list --json >/dev/full'
    [[ "$output" == *"No space left"* ]]
}
