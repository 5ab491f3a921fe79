# Recordings of every foreign format, good and damaged.

setup() {
    fixtures="$BATS_TEST_DIRNAME/fixtures"
    cd "$BATS_TEST_TMPDIR"
}

# import FILE: its operations as text into $output
import() {
    "$BENCH" import "$1" -o t.trace 2>warnings && "$BENCH" trace dump t.trace
}

# info KEY: one figure of the trace
info() {
    "$BENCH" trace info --json t.trace | grep -m1 "\"$1\":" | tr -dc '0-9.'
}

@test ".rep, classic: realloc, free(-1)" {
    run import "$fixtures/classic.rep"
    [ "$status" -eq 0 ]
    [ "${lines[0]}" = "0 t0 malloc #0 512" ]
    [ "${lines[2]}" = "2 t0 realloc #0 640" ]
    [ "${lines[6]}" = "6 t0 free -" ]
    [ "$(info source_events)" -eq 8 ]
    [ "$(info peak_live_bytes)" -eq 784 ]
    [ "$(info repairs)" -eq 0 ]
    "$BENCH" trace info t.trace | grep -q "neither alignment nor calloc"
}

@test ".rep, the form with the peak, and the one with threads" {
    run import "$fixtures/peak.rep"
    [ "$status" -eq 0 ]
    [ "$(info peak_live_bytes)" -eq 528 ]
    run import "$fixtures/threads.rep"
    [ "$status" -eq 0 ]
    [ "$(info threads)" -eq 2 ]
    [ "$(info cross_thread_frees)" -eq 2 ]
}

@test ".rep, cut and with a bad line: what is whole is kept, the rest told" {
    run import "$fixtures/cut.rep"
    [ "$status" -eq 0 ]
    [ "$(info source_events)" -eq 3 ]
    [ "$(info bad_records)" -eq 1 ]
    [ "$(info cut_tails)" -eq 1 ]
    grep -q "line 7 .*'xyzzy'" warnings
    grep -q "declares 8 operations, 3 follow" warnings
}

@test ".rep: two header lines without threads; more operations than the header declares" {
    printf '2\n4\na 0 8\na 1 9\nf 0\nf 1\n' > two.rep
    run import two.rep
    [ "$output" = $'0 t0 malloc #0 8\n1 t0 malloc #1 9\n2 t0 free #0\n3 t0 free #1' ]
    [ ! -s warnings ]
    echo 'a 0 7' >> two.rep
    run import two.rep
    [ "${lines[4]}" = "4 t0 malloc #1 7" ]
    [ "$(info cut_tails)" -eq 0 ]
    grep -q "declares 4 operations, 5 follow; all is in the trace" warnings
}

@test "memory_replay: every call, failed ones, threads" {
    run import "$fixtures/memory_replay.txt"
    [ "$status" -eq 0 ]
    [ "${lines[1]}" = "1 t1 calloc #1 32" ]
    [ "${lines[2]}" = "2 t0 aligned #2 100 align 64" ]
    [ "${lines[3]}" = "3 t0 realloc #0 2048" ]
    [ "${lines[4]}" = "4 t1 malloc #3 10" ]
    [ "${lines[5]}" = "5 t0 malloc! - 4096" ]
    [ "${lines[6]}" = "6 t0 realloc! #0 99999999" ]
    [ "${lines[9]}" = "9 t0 free -" ]
    [ "$(info source_events)" -eq 12 ]
    [ "$(info repairs)" -eq 0 ]
}

@test "memory_replay: packed by zip, gzip, zstd, and from standard input" {
    cp "$fixtures/memory_replay.txt" r.txt
    import r.txt > plain
    gzip -k r.txt && zstd -q r.txt
    for packed in r.txt.gz r.txt.zst; do
        import $packed | diff - plain
    done
    if command -v zip > /dev/null; then
        zip -q r.zip r.txt && import r.zip | diff - plain
    fi
    "$BENCH" import - -o t.trace < r.txt
    "$BENCH" trace dump t.trace | diff - plain
}

@test "memory_replay: times count from the first and never go back" {
    run import "$fixtures/memory_replay_times.txt"
    [ "${lines[1]}" = "1 200 t1 malloc #1 32" ]
    [ "${lines[3]}" = "3 1000 t0 free #0" ]
}

@test "memory_replay, damaged: each flaw is counted by its kind" {
    run import "$fixtures/memory_replay_damaged.txt"
    [ "$status" -eq 0 ]
    [ "$(info double_allocations)" -eq 1 ]
    [ "$(info orphan_frees)" -eq 1 ]
    [ "$(info inversions)" -eq 1 ]
    [ "$(info repairs)" -eq 3 ]
    [ "$(info bad_records)" -eq 4 ]
    [ "$(info cut_tails)" -eq 1 ]
    [ "$(info end_live_blocks)" -eq 0 ]
    grep -q "line 9 " warnings
}

@test "a gzip file that is cut: what came before is kept, and it is told" {
    for i in $(seq 1 9000); do echo "1: malloc 0x$((i * 16)) $((i * 7919 % 10007))"; done > big.txt
    gzip big.txt && head -c 20000 big.txt.gz > cut.txt.gz
    run import cut.txt.gz
    [ "$status" -eq 0 ]
    [ "$(info cut_tails)" -eq 1 ]
    [ "$(info events)" -gt 100 ]
    grep -q "damaged inside its archive" warnings
}

@test "a gzip file that is cut: whatever can be unpacked is there" {
    for i in $(seq 1 9000); do echo "1: malloc 0x$((i * 16)) $((i * 7919 % 10007))"; done > big.txt
    gzip -k big.txt
    for bytes in 100 3000 20000; do
        head -c $bytes big.txt.gz > cut.txt.gz
        gzip -dc cut.txt.gz > rest.txt 2>gzip.txt || true
        cmp -n "$(stat -c %s rest.txt)" rest.txt big.txt
        import cut.txt.gz >/dev/null
        [ "$(info events)" -ge "$(wc -l <rest.txt)" ]
        [ "$(info cut_tails)" -eq 1 ]
        grep -q "truncated" warnings
    done
    [ "$(info events)" -gt 3000 ]
}

@test "heaptrack, raw: milliseconds, no threads" {
    run import "$fixtures/heaptrack_raw.txt"
    [ "$status" -eq 0 ]
    [ "${lines[0]}" = "0 0 t0 malloc #0 16 site 1" ]
    [ "${lines[1]}" = "1 10000000 t0 malloc #1 32 site 1" ]
    [ "${lines[3]}" = "3 10000000 t0 malloc #0 48 site 1" ]
    [ "${#lines[@]}" -eq 6 ]
    [ "$("$BENCH" trace dump --sites t.trace | head -2 | tail -1)" = "  0x7f00" ]
    "$BENCH" trace info t.trace | grep -q "knows no threads"
    if grep -aq secret t.trace; then false; fi
}

@test "heaptrack, interpreted: frees by class, one orphan" {
    run import "$fixtures/heaptrack_interpreted.txt"
    [ "$status" -eq 0 ]
    [ "${lines[1]}" = "1 0 t0 malloc #1 32 site 2" ]
    [ "${lines[3]}" = "3 20000000 t0 free #2" ]
    [ "$("$BENCH" trace dump --sites t.trace | head -5 | tr '\n' '|')" = \
        "site 1|  main [thing]|site 2|  work() [lib.so]|  main [thing]|" ]
    [ "$(info orphan_frees)" -eq 1 ]
    [ "$(info end_live_blocks)" -eq 0 ]
}

@test "heaptrack, raw: names from the program's files, unless those are others by now" {
    cat >p.c <<'END'
#include <stdio.h>
#include <stdlib.h>
void order(void) { free(malloc(1)); }
int main(void) { printf("%lx\n", (unsigned long)order); }
END
    gcc -no-pie -o p p.c
    at=$(printf %x $((0x$(./p) + 1)))
    segments=$(LC_ALL=C readelf -lW p | awk '$1 == "LOAD" { print substr($3, 3), substr($6, 3) }' | xargs)
    for other in "" 9; do
        printf 'v 10400 3\nx %x %s\nm 1 x 0 %s%s\nt %s 0\n+ 1 1 5500\n- 5500\n' \
            $((${#PWD} + 2)) "$PWD/p" "$segments" "$other" "$at" >h.txt
        import h.txt
        "$BENCH" trace dump --sites t.trace | sed -n 2p >>frames
        rm t.trace
    done
    [ "$(sed -n 1p frames)" = "  order+0x1 [p]" ]
    [ "$(sed -n 2p frames)" = "  [p]+0x$at" ]
}

@test "heaptrack of a newer format is refused" {
    run "$BENCH" import "$fixtures/heaptrack_newer.txt" -o t.trace
    [ "$status" -eq 2 ]
    [[ "$output" == *"file format 4"* ]]
    [ ! -e t.trace ]
    [ ! -e t.trace.part ]
}

@test "mtrace: blanks in places, realloc pairs, failures, an inversion" {
    run import "$fixtures/mtrace.txt"
    [ "$status" -eq 0 ]
    [ "${lines[0]}" = "0 t0 malloc #0 16" ]
    [ "${lines[1]}" = "1 t0 malloc #1 0" ]
    [ "${lines[2]}" = "2 t0 realloc #0 32" ]
    [ "${lines[3]}" = "3 t0 realloc! #0 1152921504606846976" ]
    [ "${lines[4]}" = "4 t0 malloc! - 1152921504606846976" ]
    [ "${lines[5]}" = "5 t0 free #0" ]
    [ "${lines[6]}" = "6 t0 malloc #0 48" ]
    [ "$(info inversions)" -eq 1 ]
    [ "$(info end_live_blocks)" -eq 0 ]
}

@test "ltrace: unfinished and resumed calls, other functions, failures" {
    run import "$fixtures/ltrace.txt"
    [ "$status" -eq 0 ]
    [ "${lines[2]}" = "2 t0 malloc #2 20" ]
    [ "${lines[3]}" = "3 t1 free #0" ]
    [ "${lines[4]}" = "4 t0 malloc #0 16" ]
    [ "${lines[6]}" = "6 t0 aligned #3 100 align 64" ]
    [ "$(info orphan_frees)" -eq 1 ]
    [ "$(info failed_calls)" -eq 1 ]
    [ "$(info double_allocations)" -eq 0 ]
}

@test "valgrind: C and C++ between other lines" {
    run import "$fixtures/valgrind.txt"
    [ "$status" -eq 0 ]
    [ "${lines[1]}" = "1 t0 realloc #0 20" ]
    [ "${lines[2]}" = "2 t0 malloc #1 5" ]
    [ "${lines[3]}" = "3 t0 free #0" ]
    [ "${lines[6]}" = "6 t0 aligned #3 128 align 64" ]
    [ "$(info bad_records)" -eq 0 ]
    [ "$(info failed_calls)" -eq 1 ]
}

@test "logalloc, raw and munged: processes have their own addresses" {
    run import "$fixtures/logalloc.txt"
    [ "$status" -eq 0 ]
    [ "$(info repairs)" -eq 0 ]
    [ "$(info threads)" -eq 3 ]
    [ "$(info end_live_blocks)" -eq 2 ]
    run import "$fixtures/logalloc_munged.txt"
    [ "$status" -eq 0 ]
    [ "$(info end_live_blocks)" -eq 0 ]
}

@test "lttng: times over midnight, vtid" {
    run import "$fixtures/lttng.txt"
    [ "$status" -eq 0 ]
    [ "${lines[1]}" = "1 50000000 t1 calloc #1 24" ]
    [ "${lines[3]}" = "3 200000000 t0 aligned #2 50 align 64" ]
    [ "${lines[4]}" = "4 300000000 t1 free #0" ]
}

@test "shmheap runner input: sets between bars, elements of eight bytes" {
    run import "$fixtures/shmheap.txt"
    [ "$status" -eq 0 ]
    [ "${lines[0]}" = "0 t0 malloc #0 80" ]
    [ "${lines[2]}" = "2 t1 free #0" ]
    [ "$(info bad_records)" -eq 1 ]
}

@test "a size profile becomes its steady state" {
    "$BENCH" import "$fixtures/profile.csv" -o t.trace
    [ "$(info peak_live_blocks)" -eq 53 ]
    "$BENCH" trace info t.trace | grep -q "a distribution"
}

# record THREAD TYPE PTR1 PTR2 SIZE SIZE2: 64 bytes of the C library's trace
record() {
    for field in "$1" "$2"; do printf "\\x$(printf %02x "$field")\\0\\0\\0"; done
    for field in "$3" "$4" "$5" "$6"; do
        printf "\\x$(printf %02x $((field & 255)))\\x$(printf %02x $((field >> 8)))\\0\\0\\0\\0\\0\\0"
    done
    printf '\0%.0s' $(seq 24)
}

@test "glibc's raw trace: every type, a cut record" {
    {
        record 7 255 0 0 0 0
        record 7 1 0 4096 100 0
        record 8 2 0 8192 50 0
        record 7 4 4096 12288 200 0
        record 7 5 0 4096 64 32
        record 8 3 8192 0 0 0
        printf 'cut'
    } > raw
    run import raw
    [ "$status" -eq 0 ]
    [ "${lines[1]}" = "1 t1 calloc #1 50" ]
    [ "${lines[2]}" = "2 t0 realloc #0 200" ]
    [ "${lines[3]}" = "3 t0 aligned #2 64 align 32" ]
    [ "${lines[4]}" = "4 t1 free #1" ]
    [ "$(info cut_tails)" -eq 1 ]
}

# Two threads: the second frees what the first allocated, after a synchronisation.
workload='\x08\x03\x09\x01\x0a\x02\x0b\x0b\x0b\x16\x01'

@test "glibc's workload: threads wait for one another" {
    printf "$workload"'\x02\x01\x81\x00\x06\x01\x0c\x02\x10\x20\x01\x07\x01\x05\x01\x01' > wl
    run import wl
    [ "$status" -eq 0 ]
    [ "${lines[0]}" = "0 t0 malloc #0 128" ]
    [ "${lines[1]}" = "1 t0 aligned #1 32 align 16" ]
    [ "${lines[2]}" = "2 t1 free #0" ]
}

@test "glibc's workload, damaged: threads that all wait, a cut stream, places beyond the end" {
    printf "$workload"'\x02\x01\x81\x00\x07\x01\x0c\x02\x10\x20\x01\x07\x01\x05\x01' > wl
    run import wl
    [ "$status" -eq 0 ]
    [ "$(info events)" -eq 3 ]
    [ "$(info bad_records)" -eq 1 ]
    [ "$(info cut_tails)" -eq 1 ]
    printf '\x08\x03\x09\x01\x0a\x01\x0b\x7f\x01' > wl
    run "$BENCH" import wl -o t.trace
    [ "$status" -eq 2 ]
    [[ "$output" == *"beyond its end"* ]]
}

@test "what is no recording is refused, and nothing is left behind" {
    echo "hello" > text && : > empty && head -c 3000 /dev/zero > zeros
    for file in text empty zeros nix; do
        run "$BENCH" import $file -o no.trace
        [ "$status" -eq 2 ]
        [[ "$output" == *"$file"* ]]
        [ ! -e no.trace ]
        [ ! -e no.trace.part ]
    done
    run "$BENCH" import --format repp text -o no.trace
    [ "$status" -eq 2 ]
    [[ "$output" == *"the nearest is 'rep'"* ]]
    run "$BENCH" import --format mtrace text -o no.trace
    [ "$status" -eq 2 ]
    [ ! -e no.trace ]
}

@test "every format survives every cut of its fixture" {
    for fixture in "$fixtures"/*; do
        size=$(stat -c %s "$fixture")
        for part in 1 3 5 7; do
            head -c $((size * part / 8)) "$fixture" > part
            run "$BENCH" import part -o p.trace
            [ "$status" -eq 0 ] || [ "$status" -eq 2 ]
        done
    done
}
