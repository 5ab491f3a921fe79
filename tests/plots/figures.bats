# bench plot and bench report on a stored run.
bats_require_minimum_version 1.5.0

setup_file() {
    "$BUILD/tests/make-run" "$BATS_FILE_TMPDIR/run"
    "$BUILD/tests/make-run" "$BATS_FILE_TMPDIR/odd" hostile
    # Whoever runs what a name says runs these.
    mkdir "$BATS_FILE_TMPDIR/bin"
    for command in touch id; do
        printf '#!/bin/sh\n: >"%s/pwned"\n' "$BATS_FILE_TMPDIR" >"$BATS_FILE_TMPDIR/bin/$command"
        chmod +x "$BATS_FILE_TMPDIR/bin/$command"
    done
    # One run twice: the hardest for what is to be unique.
    cd "$BATS_FILE_TMPDIR"
    PATH="$PWD/bin:$PATH" "$BENCH" report --format html -o odd.html odd odd
}

setup() {
    run_folder="$BATS_FILE_TMPDIR/run"
}

@test "every figure of every trace is drawn, with the points in it" {
    run "$BENCH" plot -o "$BATS_TEST_TMPDIR/out" "$run_folder"
    [ "$status" -eq 0 ]
    [ "${#lines[@]}" -eq 30 ]
    cd "$BATS_TEST_TMPDIR/out"
    for name in system jemalloc tbbmalloc; do
        for figure in time-memory footprint memory latency calls fragmentation heapmap pagemap unusable \
            occupancy classes split fidelity; do
            grep -q ">$name<" "$figure.redis.svg"
        done
    done
    # Points with names, a line an allocator, a map an allocator and their legend, bars.
    [ "$(grep -c "<use xlink:href='#gpPt" time-memory.redis.svg)" -ge 12 ]
    [ "$(grep -c "<use xlink:href='#gpPt" fidelity.redis.svg)" -ge 13 ]
    [ "$(grep -c '<path .*M[0-9.]*,[0-9.]* L' latency.redis.svg)" -ge 13 ]
    # A slowest call for each of the sixteen classes of an allocator, and no stroke that is not known.
    [ "$(grep -c "<use xlink:href='#gpPt5'" calls.redis.svg)" -ge $((13 * 16)) ]
    ! grep -qi 'nan' calls.redis.svg || false
    [ "$(grep -c '<image' heapmap.redis.svg)" -eq 13 ]
    [ "$(grep -c '<image' pagemap.redis.svg)" -eq 13 ]
    # Cells are enlarged as they are, not blended with their neighbours.
    [ "$(grep -c "<image style='image-rendering:pixelated' " heapmap.redis.svg)" -eq 13 ]
    [ "$(grep -c '<polygon' sizes.redis.svg)" -ge 50 ]
    [ "$(grep -c '<polygon' split.redis.svg)" -ge $((13 * 2 * 6)) ]
    [ "$(grep -c "stroke='rgb(  0, 114, 178)'\|rgb(0, 114, 178)" footprint.redis.svg)" -ge 12 ]
}

@test "other terminals: png, pdf, text" {
    "$BENCH" plot --terminal png --figure latency --trace redis -o "$BATS_TEST_TMPDIR" "$run_folder"
    [ "$(head -c 4 "$BATS_TEST_TMPDIR/latency.redis.png" | tail -c 3)" = PNG ]
    "$BENCH" plot --terminal pdf --figure sizes --trace redis -o "$BATS_TEST_TMPDIR" "$run_folder"
    [ "$(head -c 4 "$BATS_TEST_TMPDIR/sizes.redis.pdf")" = %PDF ]
    run "$BENCH" plot --terminal dumb --figure time-memory --trace redis "$run_folder"
    [ "$status" -eq 0 ]
    [[ "$output" == *jemalloc* ]]
}

@test "some of the allocators, another axis, another moment" {
    cd "$BATS_TEST_TMPDIR"
    "$BENCH" plot --figure memory --against bytes -a system,jemalloc --trace redis -o out "$run_folder"
    grep -q '>system<' out/memory.redis.svg
    grep -q 'requested in all' out/memory.redis.svg
    run ! grep -q '>tcmalloc<' out/memory.redis.svg
    "$BENCH" plot --figure heapmap -a system --trace redis -o out "$run_folder"
    [ "$(grep -c '<image' out/heapmap.redis.svg)" -eq 2 ]
    # The made-up run knows neither times nor another moment.
    run "$BENCH" plot --figure memory --against time --trace redis -o out "$run_folder"
    [ "$status" -eq 1 ]
    run "$BENCH" plot --figure occupancy --moment end --trace redis -o out "$run_folder"
    [ "$status" -eq 1 ]
    for wrong in "--against space" "--moment now"; do
        run "$BENCH" plot $wrong "$run_folder"
        [ "$status" -eq 2 ]
    done
}

@test "without gnuplot the sentence names the package, and no half file is left" {
    mkdir "$BATS_TEST_TMPDIR/empty" "$BATS_TEST_TMPDIR/out"
    PATH="$BATS_TEST_TMPDIR/empty" run "$BENCH" plot -o "$BATS_TEST_TMPDIR/out" "$run_folder"
    [ "$status" -eq 1 ]
    [[ "$output" == *"apt-get install gnuplot-nox"* ]]
    [ -z "$(ls -A "$BATS_TEST_TMPDIR/out")" ]
    PATH="$BATS_TEST_TMPDIR/empty" run "$BENCH" report --format html -o "$BATS_TEST_TMPDIR/r.html" "$run_folder"
    [ "$status" -eq 1 ]
    grep -q "gnuplot-nox" "$BATS_TEST_TMPDIR/r.html"
    grep -q "<td>" "$BATS_TEST_TMPDIR/r.html"
}

@test "a figure that cannot be drawn is named with its trace" {
    mkdir "$BATS_TEST_TMPDIR/bad" "$BATS_TEST_TMPDIR/out"
    printf '#!/bin/sh\necho "figure.gp" line 7: no such thing >&2\nexit 1\n' > "$BATS_TEST_TMPDIR/bad/gnuplot"
    chmod +x "$BATS_TEST_TMPDIR/bad/gnuplot"
    PATH="$BATS_TEST_TMPDIR/bad" run "$BENCH" plot --figure footprint -o "$BATS_TEST_TMPDIR/out" "$run_folder"
    [ "$status" -eq 1 ]
    [[ "$output" == "bench plot: footprint of "*": gnuplot could not draw the figure: figure.gp line 7"* ]]
}

@test "a figure whose pass was not measured says so and the others are drawn" {
    cp -r "$run_folder" "$BATS_TEST_TMPDIR/part"
    rm -r "$BATS_TEST_TMPDIR/part/latency" "$BATS_TEST_TMPDIR/part/traces"
    run "$BENCH" plot --trace redis -a system -o "$BATS_TEST_TMPDIR/out" "$BATS_TEST_TMPDIR/part"
    [ "$status" -eq 0 ]
    [[ "$output" == *"latency of redis: the run holds nothing"* ]]
    [ -s "$BATS_TEST_TMPDIR/out/heapmap.redis.svg" ]
}

@test "a figure whose pass was not asked for names the pass, and a colon in a trace's name is no label" {
    cd "$BATS_TEST_TMPDIR"
    "$BENCH" run -a system,first-fit -n 2 --turns 1 -p throughput -o quick threadtest:threads=1,blocks=10,rounds=20
    run "$BENCH" plot --figure memory -o out quick
    [ "$status" -eq 1 ]
    [[ "$output" == *"nothing that it could show; not asked for were the passes latency,memory" ]]
    "$BENCH" report --format html -o quick.html quick
    grep -q "Seen on the trace threadtest:threads=1" quick.html
}

@test "figures of what other commands measure are not missed, but told of when asked for" {
    cp -r "$run_folder" "$BATS_TEST_TMPDIR/part"
    rm "$BATS_TEST_TMPDIR/part/split.jsonl"
    sed -i '/"pass":"watch"/d' "$BATS_TEST_TMPDIR/part/cells.jsonl"
    cd "$BATS_TEST_TMPDIR"
    run --separate-stderr "$BENCH" plot --trace redis -a system -o out part
    [ "$status" -eq 0 ]
    [ -z "$stderr" ]
    [ "${#lines[@]}" -eq 13 ]
    for figure in split:explain fidelity:fidelity; do
        run "$BENCH" plot --trace redis --figure "${figure%:*}" -o out part
        [ "$status" -eq 1 ]
        [[ "$output" == *"'${figure%:*}'"*"'bench ${figure#*:}'"* ]]
    done
    # Asked for, and nothing of this allocator.
    run "$BENCH" plot --trace redis --figure latency -a nobody -o out "$run_folder"
    [ "$status" -eq 2 ]
    [[ "$output" == *"has no allocator"* ]]
}

@test "wrong names are answered with the nearest" {
    run "$BENCH" plot --figure heap-map "$run_folder"
    [ "$status" -eq 2 ]
    [[ "$output" == *"nearest is 'heapmap'"* ]]
    run "$BENCH" plot --trace nope "$run_folder"
    [ "$status" -eq 2 ]
    run "$BENCH" plot "$BATS_TEST_TMPDIR/nothing"
    [ "$status" -eq 2 ]
    [[ "$output" == *"not the folder of a run"* ]]
    run "$BENCH" plot --terminal gif "$run_folder"
    [ "$status" -eq 2 ]
}

@test "hostile names reach no shell, no script and no markup" {
    cd "$BATS_FILE_TMPDIR"
    PATH="$PWD/bin:$PATH"
    "$BENCH" plot -o out odd
    "$BENCH" report --format md -o odd.md odd
    [ ! -e pwned ]
    run ! grep -l '<script' odd.html odd.md out/*
    grep -qF '$(touch pwned)' out/latency.*.svg
    grep -qF '`touch pwned`' out/latency.*.svg
    grep -qF '&lt;script&gt;alert(1)&lt;/script&gt;' odd.html
    python3 - out/*.svg <<'PYTHON'
import sys, xml.etree.ElementTree
for name in sys.argv[1:]:
    xml.etree.ElementTree.parse(name)
PYTHON
}

@test "the HTML report is one file that fetches nothing and whose ids are unique" {
    python3 - "$BATS_FILE_TMPDIR/odd.html" <<'PYTHON'
import html.parser, sys
class Check(html.parser.HTMLParser):
    ids, refs, figures, captions, titles, open_tags = set(), set(), 0, 0, 0, []
    def handle_starttag(self, tag, attrs):
        assert tag not in ("script", "link", "iframe", "object"), tag
        if tag not in ("meta", "link", "br", "img"):
            self.open_tags.append(tag)
        self.figures += tag == "figure"
        self.captions += tag == "figcaption"
        self.titles += tag == "caption"
        for key, value in attrs:
            assert not key.startswith("on"), key
            if key == "id":
                assert value not in self.ids, value
                self.ids.add(value)
            if key in ("href", "xlink:href"):
                assert value.startswith(("#", "data:image/png;base64,")), value
                if value.startswith("#"):
                    self.refs.add(value[1:])
            if key == "src":
                raise AssertionError(value)
    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        if self.open_tags and self.open_tags[-1] == tag:
            self.open_tags.pop()
    def handle_endtag(self, tag):
        assert self.open_tags.pop() == tag, tag
check = Check()
check.feed(open(sys.argv[1], encoding="utf-8").read())
assert check.refs <= check.ids, check.refs - check.ids
assert check.captions == 30 and check.titles == 6, (check.captions, check.titles)
assert check.figures == 30, check.figures
assert not check.open_tags, check.open_tags
PYTHON
}

@test "text, CSV and JSON tell the same" {
    "$BENCH" report "$run_folder" | grep -q '  jemalloc '
    "$BENCH" report --format csv "$run_folder" >"$BATS_TEST_TMPDIR/r.csv"
    "$BENCH" report --format json "$run_folder" >"$BATS_TEST_TMPDIR/r.json"
    python3 - "$BATS_TEST_TMPDIR/r.csv" "$BATS_TEST_TMPDIR/r.json" <<'PYTHON'
import csv, json, sys
table = list(csv.DictReader(open(sys.argv[1], newline="")))
rows = json.load(open(sys.argv[2]))["rows"]
assert len(table) == len(rows) == 26
for line, row in zip(table, rows):
    assert line.keys() == row.keys()
    for key, value in row.items():
        if value is None:
            assert line[key] == ""
        elif isinstance(value, str):
            assert line[key] == value
        else:
            assert abs(float(line[key]) - value) <= 1e-9 * abs(value)
PYTHON
}

@test "a report of several traces begins with what would help on each" {
    "$BENCH" report --format html -o "$BATS_TEST_TMPDIR/r.html" "$run_folder"
    "$BENCH" report --format md -o "$BATS_TEST_TMPDIR/r.md" "$run_folder"
    python3 - "$BATS_TEST_TMPDIR" <<'PYTHON'
import re, sys
page = open(sys.argv[1] + "/r.html").read()
table = re.search('<table class="words">.*?</table>', page, re.S).group().replace("\u00a0", " ")
rows = re.findall('<tr><th><a href="#(.*?)">(.*?)</a></th>(.*?)</tr>', table)
assert [row[1] for row in rows] == ["python3-json", "redis"], rows
for link, trace, cells in rows:
    assert f'id="{link}"' in page
    at_no_price, for_time, for_memory, against = re.findall("<td>(.*?)</td>", cells)
    assert re.fullmatch("jemalloc: -[0-9]+ % time, -[0-9]+ % memory", at_no_price), at_no_price
    assert re.fullmatch(r"tlsf: -[0-9]+ % time, \+[0-9]+ % memory", for_time), for_time
    assert for_memory == "-" and against == "system"
assert page.count("<li><b>Better in both</b>: against system, jemalloc takes") == 2
assert open(sys.argv[1] + "/r.md").read().count("* **Better in both**: against system") == 2
PYTHON
}

@test "a full disk keeps the older report" {
    echo old >"$BATS_TEST_TMPDIR/r.html"
    run bash -c "ulimit -f 10; trap '' XFSZ; '$BENCH' report --format json -o '$BATS_TEST_TMPDIR/r.html' '$run_folder'"
    [ "$status" -eq 1 ]
    [[ "$output" == *"r.html.part"*"ulimit -f"* ]]
    [ "$(cat "$BATS_TEST_TMPDIR/r.html")" = old ]
}

@test "a report into a device or a pipe is written there, and leaves it what it was" {
    cd "$BATS_TEST_TMPDIR"
    "$BENCH" report --format csv "$run_folder" > plain
    ln -s /dev/full full
    run "$BENCH" report --format csv -o full "$run_folder"
    [ "$status" -eq 1 ]
    [[ "$output" == *"free some space"* ]]
    [ -c full ]
    mkfifo pipe
    cat pipe > got 3>&- &
    exec 9> pipe # once somebody reads it
    "$BENCH" report --format csv -o pipe "$run_folder"
    exec 9>&-
    wait $!
    cmp plain got
    [ -p pipe ]
    "$BENCH" report --format csv -o - "$run_folder" | cmp - plain
}

@test "an interruption keeps the figures that are finished and the older report, and nothing else" {
    cd "$BATS_TEST_TMPDIR"
    mkdir scratch
    export TMPDIR=$PWD/scratch
    # Each as it begins its third figure.
    interrupted() { strace -o calls.txt -e trace=/^mkdir -e inject=/^mkdir:signal=TERM:when="$1" "$BENCH" "${@:2}"; }
    run interrupted 4 plot -o out "$run_folder"
    [ "$status" = 1 ]
    [[ "$output" == *'bench plot: interrupted'* ]]
    ls out/*.svg
    echo old >r.html
    run interrupted 3 report --format html -o r.html "$run_folder"
    [ "$status" = 1 ]
    [ "$(cat r.html)" = old ]
    [ -z "$(ls scratch)" ]
    [ -z "$(ls out | grep part)" ]
    [ ! -e r.html.part ]
}

@test "help shows an example" {
    for command in plot report compare; do
        run "$BENCH" "$command" --help
        [ "$status" -eq 0 ]
        [[ "$output" == *"bench $command "*results/* ]]
    done
}

@test "a report has no column that no allocator has a figure for" {
    cd "$BATS_TEST_TMPDIR"
    cp -r "$run_folder" timed
    grep '"pass":"throughput"' "$run_folder/cells.jsonl" >timed/cells.jsonl
    python3 -c 'import json; run = json.load(open("timed/run.json")); run["passes"] = ["throughput"]; json.dump(run, open("timed/run.json", "w"))'
    rm -rf timed/latency timed/series timed/heapmap
    "$BENCH" report --format html -o timed.html timed
    grep -q '>ns/op</th>' timed.html
    grep -q '<dt>relative</dt>' timed.html
    grep -q 'time over the fastest' timed.html
    run ! grep -qE '>(p50|peak RSS|peak VSZ|peak RSS over live)</th>' timed.html
    run ! grep -q '<dt>p50</dt>' timed.html
}

@test "a run in which nothing was ever live has its report too" {
    [ -z "${SANITIZE-}" ] || skip "a sanitizer does not fit below the limit"
    cd "$BATS_TEST_TMPDIR"
    printf '1: malloc 0x100000 60000000\n1: free 0x100000\n' >big.txt
    "$BENCH" import big.txt -o big.trace
    run "$BENCH" run -a first-fit -n 1 -p memory --memory-limit 20M -o refused big.trace
    [[ "$output" == *"refused allocations: 1 allocation failed"* ]]
    "$BENCH" report --format html -o r.html refused
    [[ "$(cat r.html)" == *"The machine and the run"* ]]
}

@test "what never frees is drawn, but neither on the front nor advised" {
    cd "$BATS_TEST_TMPDIR"
    cp -r "$run_folder" hoards
    python3 - <<'PYTHON'
import json
run = json.load(open("hoards/run.json"))
for allocator in run["allocators"]:
    allocator["frees"] = allocator["spec"] != "tlsf"
json.dump(run, open("hoards/run.json", "w"))
PYTHON
    "$BENCH" plot --figure time-memory --trace redis -o frees "$run_folder"
    "$BENCH" plot --figure time-memory --trace redis -o less hoards
    # The fastest is where the front begins.
    front() { grep -o "stroke='rgb(200, 200, 200)' *d='M[0-9.]*" "$1/time-memory.redis.svg"; }
    front frees >frees.txt
    front less >less.txt
    run ! cmp frees.txt less.txt
    grep -q '>tlsf<' less/time-memory.redis.svg
    "$BENCH" report hoards >said.txt
    grep -q 'Not considered: .*tlsf (never frees)' said.txt
    run ! grep -E 'against system, tlsf' said.txt
}
