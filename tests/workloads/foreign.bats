# Quirks of recordings that real tools wrote.

setup() {
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

@test "memory_replay: bytes present behind the times, a thread's end, alignments that are no power of two" {
    printf '%s\n' '9: free 0x0' '10: malloc 0x1000 16 100 110' '10: realloc 0x2000 0x1000 32 120 130 4096' \
        '11: free 0x2000 140 150 -1' '11: thread_done 0x0 160' '10: memalign 3000 100 8 170 180' \
        '10: calloc 0x0 18446744073709551615 2 181 182' '10: free 3000 190 200 12' > r.txt
    run import r.txt
    [ "${lines[2]}" = "2 20 t1 realloc #0 32" ]
    [ "${lines[3]}" = "3 40 t2 free #0" ]
    [ "${lines[4]}" = "4 70 t1 aligned #0 8 align 128" ]
    [ "${lines[6]}" = "6 90 t1 free #0" ]
    [ "$(info bad_records)" -eq 0 ]
    [ "$(info failed_calls)" -eq 1 ]
}

@test "times that go back are counted" {
    printf '%s\n' '1: malloc 0x10 1 100 101' '2: malloc 0x20 1 90 91' '1: malloc 0x30 1 110 111' > r.txt
    run import r.txt
    [ "${lines[1]}" = "1 0 t1 malloc #1 1" ]
    [ "$(info backward_times)" -eq 1 ]
    "$BENCH" trace info t.trace | grep -q "times put right *1$"
}

@test "what editors and people add: byte order mark, comments, empty lines, CRLF, no end of the last line" {
    printf '\xef\xbb\xbf# of mine\r\n\r\n1: malloc 0xABC0 16\r\n# on it goes\r\n1: free 0xabc0' > r.txt
    run import r.txt
    [ "${#lines[@]}" -eq 2 ]
    [ "$(info end_live_blocks)" -eq 0 ]
    [ "$(info bad_records)" -eq 0 ]
    grep -q "the last line has no end" warnings
    printf '# by hand\n\n100\n2\n# operations\n3\n1\n\na 0 5\na 1 6\n\nf 0' > r.rep
    run import r.rep
    [ "${#lines[@]}" -eq 3 ]
    [ ! -s warnings ]
    printf '# copied\n= Start\n@ ./a b:(f\xc3\xbc n+0x1)[0x1] + 0x10 0x5\n= End\n' > m.txt
    run import m.txt
    [ "$output" = "0 t0 malloc #0 5" ]
}

@test "a line that is far too long costs nothing but itself" {
    {
        printf 'v 10400 3\nX '
        head -c $((256 * 1024 - 2)) /dev/zero | tr '\0' x
        printf '+ 99 1 77\n+ 10 1 5500\n- 5500\n+ 1 1 1'
        head -c 3000000 /dev/zero
        printf '\n+ 20 1 5500\n'
    } > h.txt
    run import h.txt
    [ "${#lines[@]}" -eq 3 ]
    [ "${lines[2]}" = "2 0 t0 malloc #0 32" ]
    [ "$(info bad_records)" -eq 1 ]
}

@test "heaptrack: before there were numbers of file formats" {
    printf 'v 10200\nx /usr/bin/thing\nX thing\nt 7f00 0\n+ 10 1 5500\n- 5500\n' > h.txt
    run import h.txt
    [ "${lines[0]}" = "0 0 t0 malloc #0 16 site 1" ]
    [ "$(info bad_records)" -eq 0 ]
}

@test "heaptrack: what follows an operation on its line is damage" {
    printf 'v 10400 3\n+ 10 1 5500zz\n+ 10 1 5500\n- 5500 7\n- 5500\n' > h.txt
    run import h.txt
    [ "${#lines[@]}" -eq 2 ]
    [ "$(info bad_records)" -eq 2 ]
}

@test "valgrind: results on later lines, remarks within, a calloc that overflows" {
    cat > v.txt <<'END'
--7-- _Znwm(120)_ZdlPvm(0x0)
--7--  = 0x10
--7-- malloc(18446744073709551615)Argument 'size' of function malloc has a fishy (possibly negative) value: -1
==7==    at 0x48417B4: malloc (in /usr/libexec/valgrind/vgpreload_memcheck-amd64-linux.so)
--7--  = 0x0
--7-- calloc(18446744073709551615,18446744073709551615)malloc(7) = 0x20
--8-- malloc(9)
--7-- malloc(8)malloc(6) = 0x30
--7--  = 0x40
--8--  = 0x10
--7-- realloc(0x20,0)free(0x20)
--7--  = 0
--7-- free(0x10)
--8-- free(0x10)
--7-- malloc(5)
END
    run import v.txt
    [ "${lines[1]}" = "1 t0 malloc #0 120" ]
    [ "${lines[4]}" = "4 t0 malloc #1 7" ]
    [ "${lines[5]}" = "5 t0 malloc #2 6" ]
    [ "${lines[6]}" = "6 t0 malloc #3 8" ]
    [ "${lines[7]}" = "7 t1 malloc #4 9" ]
    [ "${#lines[@]}" -eq 11 ]
    [ "$(info failed_calls)" -eq 2 ]
    [ "$(info repairs)" -eq 0 ]
    [ "$(info bad_records)" -eq 0 ]
    grep -q "1 call has no result" warnings
}

@test "ltrace: its options' columns, calls that never return, reallocarray, system calls in front" {
    for i in $(seq 60); do echo "1055 10:20:51.689650 [0x7f0a33ef3c47] SYS_brk($i) = 0x562bde66d000"; done > l.txt
    cat >> l.txt <<'END'
1055 10:20:52.071916 [0x562bb6eb734d] malloc(-1) = nil
[pid 1055]  0.000120 libc.so->reallocarray(0, 10, 10) = 0x50
1055 a->realloc(0x50, 9 <unfinished ...>
1056 a->malloc(3 <no return ...>
1055 <... realloc resumed> ) = 0x60 <0.000033>
1055 a->free(0x60 <no return ...>
1055 +++ killed by SIGKILL +++
END
    run import l.txt
    [ "${lines[1]}" = "1 t0 malloc #0 100" ]
    [ "${lines[2]}" = "2 t0 realloc #0 9" ]
    [ "${lines[3]}" = "3 t0 free #0" ]
    [ "$(info failed_calls)" -eq 1 ]
    [ "$(info repairs)" -eq 0 ]
    [ "$(info bad_records)" -eq 0 ]
    grep -q "1 call has no result" warnings
}

@test "ltrace: C++, mangled or not, with and without the calls within" {
    printf '%s\n' '7 _Znwm(4, 0x7ffe, 0, 0) = 0x1000' '7 x->_ZnwmSt11align_val_t(128, 64, 1, 1) = 0x2000' \
        '7 _ZdlPvm(0x1000, 4, 0, 0) = 0' '7 _ZdlPvmSt11align_val_t(0x2000, 128, 64, 5) = 0' > m.txt
    printf '%s\n' '7 x->operator new(unsigned long)(4, 0x7ffe, 0, 0 <unfinished ...>' '7 malloc@libc.so.6(4) = 0x1000' \
        '7 <... operator new(unsigned long) resumed> ) = 0x1000' \
        '7 operator new(unsigned long, std::align_val_t)(128, 64, 1, 1 <unfinished ...>' '7 aligned_alloc@libc.so.6(64, 128 <unfinished ...>' \
        '8 malloc(0 <unfinished ...>' '7 <... aligned_alloc resumed> ) = 0x2000' '7 <... operator new(unsigned long, std::align_val_t) resumed> ) = 0x2000' \
        '7 operator delete(void*, unsigned long)(0x1000, 4, 0, 0 <unfinished ...>' '7 free@libc.so.6(0x1000) = <void>' \
        '7 <... operator delete(void*, unsigned long) resumed> ) = 0' '7 operator delete[](void*)(0x2000, 0, 0, 0) = 0' > d.txt
    for file in m d; do
        import $file.txt > got
        diff got - <<'EOF'
0 t0 malloc #0 4
1 t0 aligned #1 128 align 64
2 t0 free #0
3 t0 free #1
EOF
        [ "$(info bad_records)" -eq 0 ]
        [ "$(info repairs)" -eq 0 ]
    done
}

@test "ltrace: a call that the caller and the library show is one" {
    printf '%s\n' 'malloc(7 <unfinished ...>' 'malloc@libc.so.6(7) = 0x1000' '<... malloc resumed> ) = 0x1000' \
        'free(0x1000 <unfinished ...>' 'free@libc.so.6(0x1000) = <void>' '<... free resumed> ) = <void>' > r.txt
    run import r.txt
    [ "$output" = "0 t0 malloc #0 7"$'\n'"1 t0 free #0" ]
    [ "$(info repairs)" -eq 0 ]
}

@test "logalloc: threads beyond 32 bits, NULL as nil" {
    printf '%s\n' '10 140737353971520 malloc(16)=0x10' '10 145032321267712 free((nil))' \
        '10 149327288563904 malloc(1)=(nil)' '11 140737353971520 malloc(3)=0x10' > l.txt
    run import l.txt
    [ "$(info threads)" -eq 4 ]
    [ "$(info failed_calls)" -eq 1 ]
    [ "$(info bad_records)" -eq 0 ]
}

@test "lttng: several processes, all names printed, a cut line" {
    at='(+0.000000001) h lttng_ust_libc:'
    printf '%s\n' "[00:00:01.500000000] ${at}malloc: { cpu_id = 0 }, { vpid = 5, vtid = 6 }, { size = 3, ptr = 0x10 }" \
        "[00:00:01.600000000] ${at}malloc: { cpu_id = 0 }, { vpid = 7, vtid = 8 }, { size = 4, ptr = 0x10 }" \
        'timestamp = 2026-11-21 00:00:01.700000000, delta = +0.1, trace:hostname = vm, name = lttng_ust_libc:free, stream.packet.context = { cpu_id = 0 }, stream.event.context = { vpid = 7, vtid = 8 }, event.fields = { ptr = 0x10 }' > b.txt
    printf '%s' "[00:00:01.800000000] ${at}free: { cpu_id = 0 }, { vpid = 5, vtid = 6 }, { ptr = 0x1" >> b.txt
    run import b.txt
    [ "${#lines[@]}" -eq 3 ]
    [ "${lines[2]}" = "2 200000000 t1 free #1" ]
    [ "$(info repairs)" -eq 0 ]
    [ "$(info cut_tails)" -eq 1 ]
}

@test "lttng: a thread's name that looks like fields, contexts that change and come back" {
    for vtid in 6 6 7 6; do
        n=$((${n:-0} + 1))
        printf '%s\n' "[00:00:01.${n}00000000] (+0.1) h lttng_ust_libc:malloc: { cpu_id = 0 }, { procname = \"a, vtid = 9 \\\" { size = 7, ptr = 0x70\", vpid = 5, vtid = $vtid }, { size = $n, ptr = 0x${n}0 }"
    done > b.txt
    printf '%s\n' '[00:00:01.500000000] (+0.1) h lttng_ust_libc:realloc: { cpu_id = 0 }, { vpid = 5, vtid = 6 }, { in_ptr = 0x10, size = 9, ptr = 0x10 }' >> b.txt
    run import b.txt
    [ "${lines[1]}" = "1 100000000 t0 malloc #1 2" ]
    [ "${lines[2]}" = "2 200000000 t1 malloc #2 3" ]
    [ "${lines[3]}" = "3 300000000 t0 malloc #3 4" ]
    [ "${lines[4]}" = "4 400000000 t0 realloc #0 9" ]
    [ "$(info bad_records)" -eq 0 ]
}

@test "processes whose numbers have the same low bits have their own addresses" {
    printf '%s\n' '--70000-- malloc(7) = 0x1000' '--4464-- free(0x1000)' '--70000-- free(0x1000)' > v.txt
    printf '%s\n' '70000 1 malloc(7)=0x1000' '4464 1 free(0x1000)' '70000 1 free(0x1000)' > l.txt
    at='[00:00:00.000000000] (+0.1) h lttng_ust_libc:'
    printf '%s\n' "${at}malloc: { cpu_id = 0 }, { vpid = 70000 }, { size = 7, ptr = 0x1000 }" \
        "${at}free: { cpu_id = 0 }, { vpid = 4464 }, { ptr = 0x1000 }" "${at}free: { cpu_id = 0 }, { vpid = 70000 }, { ptr = 0x1000 }" > t.txt
    for file in v l t; do
        run import $file.txt
        [ "${#lines[@]}" -eq 2 ]
        [ "$(info orphan_frees)" -eq 1 ]
    done
}

@test "lttng: dates, over months and a leap day" {
    for date in 2023-12-31 2024-01-01 2024-02-28 2024-03-01 2024-03-04; do
        n=$((${n:-0} + 1))
        echo "[$date 12:00:00.000000000] (+0.1) h lttng_ust_libc:malloc: { cpu_id = 0 }, { size = $n, ptr = 0x${n}0 }"
    done > d.txt
    import d.txt | awk '{ day = int($2 / 86400000000000); print day }' | tr '\n' ' ' > days
    [ "$(cat days)" = "0 1 59 61 64 " ]
    [ "$(info backward_times)" -eq 0 ]
}

@test "lttng: more threads than are remembered, in turn" {
    awk 'BEGIN { for (i = 0; i < 9000; i++) printf "[00:00:0%d.%09d] (+0.1) h lttng_ust_libc:malloc: { cpu_id = %d }, { vpid = 5, vtid = %d }, { size = %d, ptr = 0x%X }\n",
                     1 + i / 5000, i % 5000, i % 8, 100 + i % 1500, i + 1, 16777216 + i * 65536 }' > r.txt
    import r.txt | awk '{ time = NR <= 5000 ? NR - 1 : 1000000000 + NR - 5001
                          if ($2 != time || $3 != "t" (NR - 1) % 1500 || $6 != NR) exit 1 } END { if (NR != 9000) exit 1 }'
}

@test "addresses of any length, and what only looks like one" {
    printf '%s\n' '1: malloc 0xFFFFfffffffffff0 16' '1: malloc 0x00000000123456789abcdef0 16' '1: free 0xfffffffffffffff0' \
        '1: malloc 0x11234567890abcdef 16' '1: malloc 0x1234567g 16' '1: malloc 0x@2345678 16' '1: malloc 0x123456:8 16' \
        '1: free 0x123456789abcdef0' > r.txt
    run import r.txt
    [ "${lines[2]}" = "2 t0 free #0" ]
    [ "${lines[3]}" = "3 t0 free #1" ]
    [ "${#lines[@]}" -eq 4 ]
    [ "$(info bad_records)" -eq 4 ]
}

@test "decimal numbers of any length, at a line's end or before it" {
    number=
    for digit in 1 2 3 4 5 6 7 8 9 0 1 2 3 4; do
        number+=$digit
        echo "1: malloc 0x0 $number"
        echo "1: malloc 0x0 $number $number $number"
    done > r.txt
    printf '%s\n' '1: malloc 0x0 18446744073709551615' '1: malloc 0x0 18446744073709551616' \
        '1: malloc 0x0 000000000000000000007' '1: malloc 0x0 1234567:' '1: malloc 0x0 12345678/ ' >> r.txt
    import r.txt | awk '{ print $NF }' > got
    awk '$NF < 18446744073709551615 { print $4 }' r.txt | head -n 28 > wanted
    printf '18446744073709551615\n000000000000000000007\n' | sed 's/^0*//' >> wanted
    diff got wanted
    [ "$(info bad_records)" -eq 3 ]
}

@test "lttng: fields in any order, a payload of several words" {
    line='[00:00:01.000000001] h lttng_ust_libc:'
    printf '%s\n' "${line}calloc: { cpu_id = 0 }, { nmemb = 2, size = 8, ptr = 0x1000 }" \
        "${line}calloc: { cpu_id = 0 }, { ptr = 0x2000, size = 8, nmemb = 3 }" \
        "${line}realloc: { cpu_id = 0 }, { in_ptr = 0x1000, size = 80, ptr = 0x3000 }" \
        "${line}realloc: { cpu_id = 0 }, { size = 90, ptr = 0x4000, in_ptr = 0x2000 }" \
        "${line}memalign: { cpu_id = 0 }, { alignment = 64, size = 7, ptr = 0x5000 }" \
        "${line}free: { cpu_id = 0 }, { in_ptr = 0x5000 }" > l.txt
    import l.txt | cut -d' ' -f 3- > got
    diff got - <<'EOF'
t0 calloc #0 16
t0 calloc #1 24
t0 realloc #0 80
t0 realloc #1 90
t0 aligned #2 7 align 64
EOF
    [ "$(info bad_records)" -eq 1 ]
}

@test "ltrace: NULL, and times that are no processes" {
    printf '%s\n' '14:59:59.130338 malloc(12 <unfinished ...>' '15:00:00.130610 <... malloc resumed> ) = 0x1000' \
        '1782133300.310000 realloc(NULL, 80) = 0x2000' '  0.000041 calloc(4, 4) = NULL' '10:00:00 free(NULL) = <void>' > l.txt
    run import l.txt
    [ "$output" = $'0 t0 malloc #0 12\n1 t0 malloc #1 80\n2 t0 calloc! - 16\n3 t0 free -' ]
    [ "$(info bad_records)" -eq 0 ]
}

@test "valgrind: lines with the time in front" {
    printf '%s\n' '--00:00:00:01.518 12145-- malloc(472) = 0x4B0C040' '==00:00:00:01.600 12145== a remark' \
        '--01:23:59:59.999 12146-- memalign(alignment 64, size 100) = 0x4B0C040' '--00:00:00:02.000 12145-- free(0x4B0C040)' > v.txt
    run import v.txt
    [ "$output" = $'0 t0 malloc #0 472\n1 t1 aligned #1 100 align 64\n2 t0 free #0' ]
    [ "$(info repairs)" -eq 0 ]
}

@test "mtrace: a log whose beginning is missing" {
    printf '%s\n' 'n/lib:[0x7f]) + 0x10' '@ ./a.out:[0x80484c1] + 0x1000 0x32' '- 0x1000' > m.txt
    run import m.txt
    [ "$output" = $'0 t0 malloc #0 50\n1 t0 free #0' ]
    [ "$(info bad_records)" -eq 1 ]
}

@test "logalloc: arenas" {
    printf '%s\n' '1 2 moz_arena_malloc(1,32)=0x10' '1 2 moz_arena_realloc(1,0x10,64)=0x20' \
        '1 2 moz_arena_calloc(1,3,4)=0x30' '1 2 moz_arena_memalign(1,64,9)=0x40' '1 2 moz_create_arena_with_params(0x7f)=1' \
        '1 2 moz_arena_free(1,0x20)' '1 2 moz_arena_free()' > a.txt
    run import a.txt
    [ "$output" = $'0 t0 malloc #0 32\n1 t0 realloc #0 64\n2 t0 calloc #1 12\n3 t0 aligned #2 9 align 64\n4 t0 free #0' ]
    [ "$(info bad_records)" -eq 1 ]
}

@test "lines that span the blocks in which a file is read are whole, packed or not" {
    awk 'BEGIN { for (i = 1; i < 30000; i++) printf "%d: malloc 0x%x %d\n", i % 7, 4096 + 16 * i, i * i }' > r.txt
    import r.txt | awk '{ if ($4 != "#" NR - 1 || $5 != NR * NR) exit 1 } END { if (NR != 29999) exit 1 }'
    "$BENCH" trace dump t.trace > plain
    for tool in gzip zstd xz; do
        $tool -c < r.txt > r.packed
        import r.packed | cmp - plain
        [ "$(info bad_records)" -eq 0 ]
    done
}

@test "shmheap: comments, a cut line" {
    printf '# mine\n2 4096 10\n0 0 | 0 1\n# on\n3 0 1 10 | 3 1 2 6\n4 1 1 | 4 1' > s.txt
    run import s.txt
    [ "${#lines[@]}" -eq 3 ]
    [ "$(info bad_records)" -eq 0 ]
    [ "$(info cut_tails)" -eq 1 ]
}

@test "an archive of several files: the first is read, the rest told; folders are none; tar is refused" {
    python3 - <<'END'
import zipfile
with zipfile.ZipFile("two.zip", "w") as z:
    z.writestr("folder/", "")
    z.writestr("folder/a.txt", "1: malloc 0x10 5\n")
    z.writestr("folder/b.txt", "1: malloc 0x10 6\n")
END
    run import two.zip
    [ "$output" = "0 t0 malloc #0 5" ]
    grep -q "holds more than one file" warnings
    echo '1: malloc 0x10 5' > a.txt
    tar -czf one.tgz a.txt
    run "$BENCH" import one.tgz -o no.trace
    [ "$status" -eq 2 ]
    [[ "$output" == *"one.tgz is a tar archive: unpack it"* ]]
    [ ! -e no.trace ]
}

@test "an archive whose checksum does not fit is told of, several gzip files in one are not" {
    python3 - <<'END'
import gzip, zipfile
text = b"".join(b"1: malloc 0x%x 5\n" % (16 * i) for i in range(1, 9))
def damage(name):
    with open(name, "rb") as f:
        packed = f.read()
    with open(name, "wb") as f:
        f.write(packed.replace(b"0x30 5", b"0x30 6"))
with open("d.gz", "wb") as f:
    f.write(gzip.compress(text, 0))
with open("twice.gz", "wb") as f:
    f.write(gzip.compress(gzip.compress(text)))
with open("two.gz", "wb") as f:
    f.write(gzip.compress(text[:64], 0) + gzip.compress(text[64:], 0))
with zipfile.ZipFile("d.zip", "w") as z:
    z.writestr("a.txt", text)
damage("d.gz")
damage("d.zip")
END
    for name in d.gz d.zip; do
        import $name
        [ "$(info events)" -eq 8 ]
        [ "$(info cut_tails)" -eq 1 ]
        grep -q "damaged inside its archive" warnings
    done
    for name in two.gz twice.gz; do
        import $name
        [ "$(info events)" -eq 8 ]
        [ ! -s warnings ]
    done
}

@test "what is no recording is named for what it is" {
    run "$BENCH" import . -o t.trace
    [ "$status" -eq 2 ]
    [[ "$output" == *"is a folder"* ]]
    echo '1: malloc 0x10 5' > r.txt
    import r.txt
    run "$BENCH" import t.trace -o u.trace
    [ "$status" -eq 2 ]
    [[ "$output" == *"is a trace already"* ]]
    run "$BENCH" trace cut --thread 18446744073709551615 t.trace -o u.trace
    [ "$status" -eq 2 ]
    [[ "$output" == *"no trace has a thread"* ]]
    run "$BENCH" trace anonymize --round-sizes 2T t.trace -o u.trace
    [ "$status" -eq 2 ]
    [[ "$output" == *"larger than any block"* ]]
}

@test "heaptrack: a tail cut within a line that is no operation is told of" {
    printf 'v 10400 3\n+ 10 1 5500\nt 7f0' > h.txt
    run import h.txt
    [ "${#lines[@]}" -eq 1 ]
    [ "$(info cut_tails)" -eq 1 ]
}

@test "lttng: times as cycles of its clock" {
    printf '%s\n' '[00000036990061018252] (+????????????) vm lttng_ust_libc:malloc: { cpu_id = 1 }, { size = 1, ptr = 0x10 }' \
        '[00000036990061018352] (+000000000100) vm lttng_ust_libc:free: { cpu_id = 1 }, { ptr = 0x10 }' > b.txt
    run import b.txt
    [ "${lines[1]}" = "1 100 t0 free #0" ]
}

@test "the recording itself is not overwritten, and a pipe in a list of modules is not waited for" {
    echo '1: malloc 0x10 5' > r.txt
    run "$BENCH" import r.txt -o r.txt
    [ "$status" -eq 2 ]
    [[ "$output" == *"name another file"* ]]
    [ "$(cat r.txt)" = "1: malloc 0x10 5" ]
    mkfifo pipe
    printf 'v 10400 3\nx 4 pipe\nm 4 pipe 0 1000 1000\nt 1001 0\n+ 10 1 5500\n' > h.txt
    run timeout 60 "$BENCH" import h.txt -o t.trace
    [ "$status" -eq 0 ]
}

@test "a realloc that fails releases nothing" {
    printf '%s\n' '= Start' '@ a + 0x10 0x1' '@ a + 0x10 0x2' '@ a ! 0x10 0x7fffffffffffffff' > m.txt
    run import m.txt
    [ "${lines[0]}" = "0 t0 malloc #0 1" ]
    [ "${lines[2]}" = "2 t0 malloc #0 2" ]
    [ "$(info double_allocations)" -eq 1 ]
    [ "$(info end_live_blocks)" -eq 1 ]
}

@test "mtrace: lines whose ends were lost are told apart; a piece that is no operation counts" {
    printf '%s\n' '= Start' '@ ./a@b:(f+0x5)[0x1] + 0x1000 0x10@ ./a:(f+0x5)[0x2] + 0x2000 0x20@ ./a:[0x3] - 0x1000' \
        '@ ./a:(f+0x5)[0x1@ ./a:(f+0x9)[0x4] < 0x2000@ ./a:(f+0x9)[0x4] > 0x3000 0x30' '@ ./a:[0x5] - 0x3000' > m.txt
    run import m.txt
    [ "$output" = $'0 t0 malloc #0 16\n1 t0 malloc #1 32\n2 t0 free #0\n3 t0 realloc #1 48\n4 t0 free #1' ]
    [ "$(info bad_records)" -eq 1 ]
    grep -q "line 3 .*'@ ./a:(f+0x5)\[0x1'" warnings
}

@test "valgrind: lines whose ends were lost are told apart" {
    printf '%s\n' '--7-- malloc(5) = 0xA0--7-- malloc(6) = 0xB0' '--7-- free(0xA0)--7-- free(0xB0)' > v.txt
    run import v.txt
    [ "$output" = $'0 t0 malloc #0 5\n1 t0 malloc #1 6\n2 t0 free #0\n3 t0 free #1' ]
}

@test "valgrind: a call behind a remark or the program's own words on a line is taken" {
    printf '%s\n' '--7-- REDIR: 0x4 (libc.so.6:malloc) redirected to 0x5 (malloc)--7-- malloc(5) = 0xA0' \
        'of 3-x---7-- malloc(6)==7== Warning: set address range perms: large range' '--7--  = 0xB0' \
        '--7-- Reading syms from /x--7-- free(0xA0)--7-- free(0xB0)' '--7-- Reading syms from /y (0x7)' > v.txt
    run import v.txt
    [ "$output" = $'0 t0 malloc #0 5\n1 t0 malloc #1 6\n2 t0 free #0\n3 t0 free #1' ]
    [ "$(info bad_records)" -eq 0 ]
}

@test "ltrace and lttng: a line that is two is not taken for one" {
    printf '%s\n' '41 a->malloc(5)   = 0x10 <0.000123>' '41 a->malloc(6) = 0x2041 a->malloc(7)    = 0x30' \
        '41 a->malloc(8 <unfinished ...>41 a->malloc(9) = 0x40' '41 a->free(0x10) = <void>' > l.txt
    run import l.txt
    [ "$output" = $'0 t0 malloc #0 5\n1 t0 free #0' ]
    [ "$(info bad_records)" -eq 2 ]
    for size in 1 2 3; do
        printf '[0.00000000%d] h lttng_ust_libc:malloc: { cpu_id = 0 }, { size = %d, ptr = 0x%d0 }' $size $size $size
        [ $size -eq 2 ] || echo
    done > u.txt
    run import u.txt
    [ "$output" = "0 0 t0 malloc #0 1" ]
    [ "$(info bad_records)" -eq 1 ]
}
