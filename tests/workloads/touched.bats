#!/usr/bin/env bats
# What a program touched of its large blocks: recorded, carried along, replayed.

bats_require_minimum_version 1.5.0
setup_file() {
    gcc -D_GNU_SOURCE -O0 -w -pthread -o "$BATS_FILE_TMPDIR/touches" "$BATS_TEST_DIRNAME/programs/touches.c"
}

setup() {
    cd "$BATS_TEST_TMPDIR"
    touches=$BATS_FILE_TMPDIR/touches
}

record() { "$BENCH" record -o t.trace "$@" 2>/dev/null; }

# touched TRACE KIND: the pages told of its blocks of at least 1 MiB, in their order; - where nothing is.
touched() {
    "$BENCH" trace dump --json "$1" | python3 -c '
import json, sys
events = map(json.loads, sys.stdin)
print(*(event["touched_pages"] or "-" for event in events
        if event["kind"] in sys.argv[1].split(",") and event["size"] >= 1 << 20 and not event["failed"]))' "${2:-malloc,calloc,aligned,realloc}"
}

info() {
    "$BENCH" trace info --json "$1" | python3 -c 'import json, sys; print(json.load(sys.stdin)[sys.argv[1]])' "$2"
}

# 1 MiB and, unless the block is aligned to a page, the page in which it begins.
@test "freed, kept to the end, from calloc, aligned, freed by another thread, ended by _exit and quick_exit" {
    for mode in keep calloc hand-over _exit quick_exit errno; do
        rm -f t.trace
        record -- "$touches" $mode
        [ "$(touched t.trace)" = 257 ]
    done
    [ "$(info t.trace partly_touched_blocks)" = 1 ]
    [ "$(info t.trace untouched_bytes)" = $(((64 << 20) - 257 * 4096)) ]
    rm t.trace
    record -- "$touches" aligned
    [ "$(touched t.trace)" = 256 ]
    "$BENCH" trace info t.trace | grep -q "touched .*1 only in part, 63.0 MiB never touched"
}

@test "a resized block is told of before and after; a resize that fails changes nothing" {
    record -- "$touches" resize
    [ "$(touched t.trace malloc)" = 257 ]
    read -r pages <<<"$(touched t.trace realloc)"
    ((pages >= 768 && pages <= 772))
}

@test "the pages of an earlier block do not count, and calloc gives zeros" {
    record -- "$touches" recycle
    for pages in $(touched t.trace calloc) $(touched t.trace malloc); do
        [ "$pages" = - ] || ((pages >= 25 && pages <= 27))
    done
    [ "$(touched t.trace malloc | tr -dc - | wc -c)" = 10 ]
}

@test "of very many large blocks some are looked at" {
    record -- "$touches" churn
    looks=$(info t.trace touch_looks)
    ((looks > 1000 && looks < 200000))
    ((looks <= $(info t.trace large_blocks)))
    "$BENCH" trace info t.trace | grep -E ' known of [0-9,]+ of [0-9,]+ large blocks: '
}

@test "huge blocks of a moment are known, too" {
    record -- "$touches" huge
    [ "$(info t.trace large_blocks)" = 60 ]
    (($(info t.trace touch_looks) >= 50))
    [ "$(touched t.trace | tr ' ' '\n' | grep -cx 257)" -ge 50 ]
}

# As many pages as were written, or also those that were read where the kernel does not tell them apart.
@test "pages that were only read are not the program's memory" {
    record -- "$touches" read
    pages=$(touched t.trace)
    ((pages >= 3900 && pages <= 4400 || pages >= 8190 && pages <= 8194))
}

@test "a child has its own, exec tells of the blocks before it, a killed program of none" {
    record --follow -- "$touches" fork
    [ "$(touched t.trace)" = 257 ]
    [ "$(touched t.*.trace)" = 513 ]
    rm ./*.trace
    for way in exec execl execle execlp; do
        rm -f t.trace
        record -- "$touches" $way
        [ "$(touched t.trace)" = "257 257" ]
    done
    rm t.trace
    record -- "$touches" kill || true
    [ "$(touched t.trace)" = - ]
    [ "$(info t.trace touch_looks)" = 0 ]
    [ "$(info t.trace end_signal)" = 9 ]
    "$BENCH" trace info t.trace | grep -q "ended by *signal 9 (Killed): .*touched of the large blocks that lived then"
    "$BENCH" trace anonymize t.trace -o a.trace
    "$BENCH" trace scale a.trace -o s.trace
    "$BENCH" trace cut --to 1 s.trace -o c.trace
    [ "$(info a.trace end_signal) $(info s.trace end_signal)" = "9 9" ]
    [ "$(info c.trace end_signal)" = 0 ]
}

@test "an allocator that the program links or preloads" {
    [ -z "${SANITIZE-}" ] || skip "a sanitizer's malloc cannot be replaced by another"
    library=$(/sbin/ldconfig -p | awk '/libjemalloc.so.2/ { print $NF; exit }')
    [ -n "$library" ] || skip "jemalloc is not installed"
    LD_PRELOAD=$library record -- "$touches" free
    [[ "$(touched t.trace)" == 25[67] ]]
    printf '#include <string.h>\nint main() { char *p = new char[64 << 20]; memset(p, 1, 1 << 20); delete[] p; }\n' >n.cpp
    g++ -O0 -o n n.cpp -Wl,--no-as-needed -l:libjemalloc.so.2
    rm t.trace
    record -- ./n
    [[ "$(touched t.trace)" == 25[67] ]]
}

@test "cut, scaled, merged and anonymized traces carry it along" {
    record -- "$touches" resize
    resized=$(touched t.trace realloc)
    "$BENCH" trace scale --copies 2 t.trace -o s.trace
    [ "$(touched s.trace)" = "257 257 $resized $resized" ]
    "$BENCH" trace merge t.trace s.trace -o m.trace
    [ "$(touched m.trace malloc)" = "257 257 257" ]
    "$BENCH" trace anonymize --round-sizes 4096 t.trace -o a.trace
    [ "$(touched a.trace)" = "257 $resized" ]
    "$BENCH" trace cut --from 2 t.trace -o c.trace
    [ "$(touched c.trace)" = "$resized" ]
    for trace in s m a c; do
        [ "$(info $trace.trace touch_looks)" -gt 0 ]
    done
}

@test "replayed: only what was touched, in every pass and with threads; the rows say so" {
    [ -z "${SANITIZE-}" ] || skip "a sanitizer's malloc cannot be replaced by another"
    record -- "$touches" resize
    "$BENCH" trace scale --copies 2 t.trace -o s.trace
    "$BENCH" run -n 1 -p throughput,memory -a system,first-fit -o out t.trace s.trace >/dev/null 2>&1
    "$BENCH" run -p memory --touch page -a system -o page t.trace >/dev/null 2>&1
    python3 - <<'PYTHON'
import json
cells = [json.loads(line) for line in open("out/cells.jsonl")]
assert len(cells) == 8
for cell in cells:
    copies = 1 if cell["trace"] == "t" else 2
    assert cell["status"] == "ok" and cell["touch"] == "recorded", cell
    # Where a block moves when it grows, its contents are copied whole.
    if cell["pass"] == "memory" and (copies == 1 or cell["allocator"] == "system"):
        assert 3 << 20 <= cell["peak_rss_bytes"] / copies < 3.2 * (1 << 20), cell
page, = (json.loads(line) for line in open("page/cells.jsonl"))
assert page["touch"] == "page" and page["peak_rss_bytes"] > 128 << 20
assert json.load(open("out/run.json"))["touch"] == "recorded"
PYTHON
}

@test "a trace that does not tell is replayed by the page, also where recorded is asked for" {
    "$BENCH" generate sawtooth -o g.trace 2>/dev/null
    "$BENCH" run -p memory --touch recorded -a system -o out g.trace >/dev/null 2>&1
    grep -q '"touch":"page"' out/cells.jsonl
    grep -q '"touch": *"page"' out/run.json
    run -2 "$BENCH" run --touch some g.trace
    [[ "$output" == *"none, first, page, all or recorded, not 'some'"* ]]
}
