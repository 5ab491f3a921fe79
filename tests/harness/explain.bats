#!/usr/bin/env bats
# bench explain: the parts add up to the resident size, to the page, for every kind of allocator.
bats_require_minimum_version 1.5.0

setup() {
    cd "$BATS_TEST_TMPDIR"
    traces="$BATS_TEST_DIRNAME/../../workloads/traces"
}

# check PYTHON: of the moments in out.json, as `moments`.
check() {
    python3 - "$1" <<'PY'
import json, sys
moments = json.load(open("out.json"))["moments"]
exec(sys.argv[1])
PY
}

@test "parts add up to RSS at every moment, inside and outside views agree" {
    [ -z "${SANITIZE-}" ] || skip "a sanitizer's malloc cannot be replaced by another"
    "$BENCH" explain "$traces/git-log.trace" --json \
        -a system,jemalloc,mimalloc,tcmalloc,first-fit,buddy,ostep,shmheap >out.json
    check '
assert len(moments) == 8 * 3, len(moments)
for m in moments:
    p, inside, beside = m["parts"], m["inside"], m["not_resident"]
    assert m["status"] == "ok", m
    assert sum(p.values()) == m["sum"] == m["rss_bytes"], m
    assert m["detail"] == "", m
    assert p["payload"] + beside["touched_not_yet"] == m["live_bytes"], m
    assert m["metadata_told"] == (m["allocator"] in ("first-fit", "buddy", "ostep", "shmheap")), m
    if m["metadata_told"]:
        assert inside["inside_blocks"] == m["live_blocks"], m
        free = p["free_in_live_pages"] + p["free_pages"] + p["unused_pages"] + p["lazy_free"]
        assert inside["inside_free"] == free, m
        assert inside["inside_used"] + inside["inside_metadata"] <= \
            p["payload"] + p["rounding"] + p["metadata"], m
peaks = {m["allocator"]: m for m in moments if m["at"] == "peak-live"}
assert {m["live_bytes"] for m in peaks.values()} == {1129434}, peaks
assert {m["event"] for m in peaks.values()} == {265688}, peaks
'
}
