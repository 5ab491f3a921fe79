#!/usr/bin/env bats
# bench fidelity: a real program beside the replay of its recording.

bats_require_minimum_version 1.5.0
setup() {
    [ -z "${SANITIZE-}" ] || skip "a sanitizer's malloc cannot be replaced by another"
    cd "$BATS_TEST_TMPDIR"
    cat >p.c <<'C'
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
/* 24 MiB through malloc, given back before the end; 8 MiB of its own; 1 MiB of stack. */
static void deep(void)
{
    volatile char stack[1 << 20];
    for (size_t i = 0; i < sizeof stack; i += 1024)
        stack[i] = 1;
}
int main(int argc, char **argv)
{
    enum { BLOCKS = 24 << 10 };
    static void *blocks[BLOCKS];
    memset(mmap(NULL, 8 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), 1, 8 << 20);
    deep();
    for (int i = 0; i < BLOCKS; i++)
        memset(blocks[i] = malloc(1000), 1, 1000);
    for (int i = 0; i < BLOCKS; i++)
        free(blocks[i]);
    if (argc > 1 && strcmp(argv[1], "child") == 0 && fork() == 0)
        execl("/bin/true", "true", (char *)NULL);
    wait(NULL);
    if (argc > 1 && strcmp(argv[1], "fail") == 0)
        abort();
    return 0;
}
C
    gcc -O1 -w -o p p.c
}

@test "heap, own memory and stacks of a real program are told apart, and the replay foretells the heap" {
    run -0 --separate-stderr "$BENCH" fidelity -n 1 -a system,jemalloc,first-fit -o out --json -- ./p child
    python3 - "$output" <<'PYTHON'
import json, sys
result = json.loads(sys.argv[1])
assert [row["allocator"] for row in result["rows"]] == ["system", "jemalloc", "first-fit"]
for row in result["rows"]:
    assert row["status"] == "ok" and row["repetitions"] == 1, row
    assert 24e6 < row["heap_bytes"] < 28e6, row
    assert abs(row["error"]) < 0.1, row
    assert 8 << 20 <= row["own_bytes"] < 8.2 * (1 << 20), row
    assert 1 << 20 <= row["stack_bytes"] < 1.2 * (1 << 20), row
    assert row["peak_rss_bytes"] > row["heap_bytes"] + row["own_bytes"] + row["stack_bytes"], row
    assert row["processes"] == 1, row
    assert row["cpu_ns"] > 0 and row["replayed_ns"] > 0, row
PYTHON
    cmp <("$BENCH" report --format json out | python3 -c 'import json, sys; print(len(json.load(sys.stdin)["rows"]))') <(echo 3)
    [ "$(python3 -c 'import json; print(len(json.load(open("out/fidelity.json"))["rows"]))')" = 3 ]
    [ "$(grep -c '"pass":"watch"' out/cells.jsonl)" = 3 ]
}

@test "pages that the program left untouched: foretold as recorded, and explained where all are touched" {
    cat >u.c <<'C'
#include <stdlib.h>
#include <string.h>
int main(void)
{
    for (int i = 0; i < 64; i++)
        memset(malloc(256 << 10), 1, 64 << 10);
}
C
    gcc -O0 -w -o u u.c
    run -0 --separate-stderr "$BENCH" fidelity -n 1 -a system,first-fit,jemalloc -o recorded --json -- ./u
    python3 - "$output" <<'PYTHON'
import json, sys
for row in json.loads(sys.argv[1])["rows"]:
    assert abs(row["error"]) < 0.1 and row["touch"] == "recorded" and not row["why"], row
PYTHON
    run -0 --separate-stderr "$BENCH" fidelity -n 1 -a system,first-fit --touch page -o out --json -- ./u
    python3 - "$output" <<'PYTHON'
import json, sys
for row in json.loads(sys.argv[1])["rows"]:
    assert row["error"] > 2.5 and row["touch"] == "page", row
    assert 0.95 < row["untouched_bytes"] / (64 * 192 * 1024) < 1.05, row
    assert "every page" in row["why"] and "never touched" in row["why"], row
    assert abs(row["paced_bytes"] / row["replayed_bytes"] - 1) < 0.05, row
PYTHON
    # Nothing is left to explain where only what the program may have touched is.
    run -0 --separate-stderr "$BENCH" fidelity -n 1 -a system --touch first -o first -- ./u
    [[ "$output" != *"every page"* ]]
}

@test "the memory pass can keep the program's pace" {
    "$BENCH" record --times -o timed.trace -- ./p 2>/dev/null
    "$BENCH" record -o bare.trace -- ./p 2>/dev/null
    run -0 --separate-stderr "$BENCH" run -p memory --pace as-recorded -a system -o out timed.trace bare.trace
    [[ "$output" == *"the trace has no times, so it was replayed at full speed"* ]]
    [ "$(grep -c '"pace":"as-recorded"' out/cells.jsonl)" = 1 ]
    run -2 "$BENCH" run --pace slow timed.trace
    [[ "$output" == *"--pace is full or as-recorded"* ]]
}

@test "the table says how many pairs are in the same order" {
    run -0 --separate-stderr "$BENCH" fidelity -n 1 -a system,system:MALLOC_TOP_PAD_=67108864 -o out -- ./p
    [[ "$output" == *allocator*heap*replayed*error* ]]
    [[ "$output" == *"order by peak heap"* ]]
    [[ "$stderr" == *"results in out"* ]]
}

@test "a command that fails, dies, hangs or does not exist is a sentence or a row" {
    run -1 --separate-stderr "$BENCH" fidelity -a system -o a -- ./p fail
    [[ "$stderr" == *"died: SIGABRT while it was recorded"* ]]
    run -2 --separate-stderr "$BENCH" fidelity -a system -o b -- ./nosuch
    [[ "$stderr" == *"./nosuch cannot be started"* ]]
    run -2 --separate-stderr "$BENCH" fidelity -a system
    [[ "$stderr" == *"no command"* ]]
    # Fails on one allocator only.
    run -1 --separate-stderr "$BENCH" fidelity -n 1 -a system,first-fit -o c -- \
        sh -c '[ -z "$HEAPBENCH_ALLOCATOR" ] || [ "$HEAPBENCH_ALLOCATOR" = system ] || { echo "no $HEAPBENCH_ALLOCATOR" >&2; exit 3; }'
    [[ "$output" == *"first-fit: failed: exit status 3: no first-fit"* ]]
    run -1 --separate-stderr "$BENCH" fidelity -n 1 -a system --timeout 0.3 -o d -- \
        sh -c '[ -z "$HEAPBENCH_ALLOCATOR" ] || exec sleep 10'
    [[ "$output" == *"timed out: 0.3 s"* ]]
    run -1 --separate-stderr "$BENCH" fidelity -n 1 -a system,so:/nonexistent.so -o e -- ./p
    [[ "$output" == *"so:/nonexistent.so: skipped: not installed"* ]]
}
