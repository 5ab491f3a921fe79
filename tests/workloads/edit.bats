# Other traces from traces, and generated ones.

setup() {
    cd "$BATS_TEST_TMPDIR"
    "$BENCH" import "$BATS_TEST_DIRNAME/support/eight.txt" -o r.trace
}

dump() {
    "$BENCH" trace dump "$1"
}

info() {
    "$BENCH" trace info --json "$1" | grep -m1 "\"$2\":" | tr -dc '0-9.'
}

@test "cut by events: what lives at the beginning is allocated first" {
    "$BENCH" trace cut --from 4 --to 7 r.trace -o c.trace
    dump c.trace > got
    diff got - <<'EOF'
0 4000 t0 malloc #0 20
1 4000 t1 aligned #1 30 align 64
2 4000 t1 realloc #0 40
3 5000 t1 malloc #2 50
4 6000 t0 free #2
EOF
    "$BENCH" trace info c.trace | grep -q "allocated first"
}

@test "cut: what was resized is a plain block of its new size; a cut is said to be one once" {
    printf '%s\n' '1: memalign 0x1000 64 30' '1: calloc 0x2000 1 20' '1: realloc 0x3000 0x1000 40' \
        '1: realloc 0x2000 0x2000 50' '1: free 0x3000' '1: free 0x2000' > z.txt
    "$BENCH" import z.txt -o z.trace
    "$BENCH" trace cut --from 4 z.trace -o c.trace
    "$BENCH" trace cut --from 1 c.trace -o cc.trace
    for trace in c cc; do
        dump $trace.trace | diff - <(printf '%s\n' '0 t0 malloc #0 40' '1 t0 malloc #1 50' '2 t0 free #0' '3 t0 free #1')
        [ "$("$BENCH" trace info $trace.trace | grep -o 'This is a cut' | wc -l)" -eq 1 ]
    done
}

@test "cut by time, and by thread" {
    "$BENCH" trace cut --after 3us --before 6us r.trace -o c.trace
    [ "$(info c.trace events)" -eq 6 ]
    "$BENCH" trace cut --thread 1 r.trace -o c.trace
    dump c.trace > got
    diff got - <<'EOF'
0 1000 t0 malloc #0 20
1 4000 t1 realloc #0 40
2 7000 t0 free #0
EOF
    run "$BENCH" trace cut --from 7 --to 4 r.trace -o no.trace
    [ "$status" -eq 2 ]
    [ ! -e no.trace ]
}

# refused SENTENCE COMMAND...: status 2, that sentence, and no trace is left
refused() {
    local sentence=$1
    shift
    run "$BENCH" "$@" -o no.trace
    [ "$status" -eq 2 ]
    [[ "$output" == *"$sentence"* ]]
    [ ! -e no.trace ]
    [ ! -e no.trace.part ]
}

@test "what would leave an empty trace, or one unchanged, is refused with what there is" {
    refused "no thread 2: its threads are 0 to 1" trace cut --thread 0 --thread 2 r.trace
    refused "no thread 2: its threads are 0 to 1" trace cut --thread 2 - < r.trace
    refused "operations are 0 to 7, the last 7.00 us after the start" trace cut --from 8 r.trace
    refused "operations are 0 to 7, the last 7.00 us after the start" trace cut --after 1s r.trace
    refused "the end of r.trace: its operations are" trace cut --from 8 r.trace
    refused "from operation 7 up to and without operation 4" trace cut --from 7 --to 4 r.trace
    refused "after 3.00 us and before 2.00 us" trace cut --after 3us --before 2us r.trace
    refused "--from: 'x' is not a whole number" trace cut --from x r.trace
    refused "no operation in that stretch" trace cut --after 3100ns --before 3900ns r.trace
    refused "the threads asked for have no blocks in that stretch" trace cut --to 1 --thread 1 r.trace
    refused "2 to 10000" trace scale --copies 1 r.trace
    refused "no multiples of 0" trace anonymize --round-sizes 0 r.trace
    refused "no multiples of 0" trace anonymize --round-times 0 r.trace
    refused "standard input is one trace" trace merge - - < r.trace
    refused "no operation at all" generate threadtest:rounds=0
    refused "no operation at all" generate ramp-decay:blocks=0
    "$BENCH" generate glibc-simple:calls=1000 -o plain.trace
    refused "plain.trace has no times" trace anonymize --round-times 1ms plain.trace
    refused "plain.trace has no times: cut it by operations (--from, --to)" trace cut --after 1s plain.trace
    refused "plain.trace has no thread 3, only thread 0" trace cut --thread 3 plain.trace
    gzip -c r.trace > r.gz
    refused "r.gz is packed by gzip: unpack a trace first (gzip -d)" trace cut r.gz
    run "$BENCH" trace dump --sites plain.trace
    [ "$status" -eq 2 ]
    [[ "$output" == *"no call sites: bench record --stacks"* ]]
}

@test "dump: call sites as JSON" {
    printf '%s\n' 'v 10400 2' 's f"one' 's file.c' 'i 7f00 2 1' 't 1 0' 'a 10 1' '+ 0' '- 0' > h.txt
    "$BENCH" import h.txt -o h.trace
    [ "$("$BENCH" trace dump --sites --json h.trace)" = '{"site": 1, "frames": ["f\"one [file.c]"]}' ]
}

@test "dump: names cannot write to the terminal" {
    printf '%s\n' 'v 10400 2' $'s \e[31mone\tf' 's file.c' 'i 7f00 2 1' 't 1 0' 'a 10 1' '+ 0' '- 0' > h.txt
    "$BENCH" import h.txt -o h.trace
    "$BENCH" trace dump --sites h.trace > got
    [ "$(tail -n 1 got)" = '  ?[31mone?f [file.c]' ]
}

@test "scale: copies with objects and threads of their own" {
    "$BENCH" trace scale --copies 3 r.trace -o s.trace
    [ "$(info s.trace events)" -eq 24 ]
    [ "$(info s.trace threads)" -eq 6 ]
    [ "$(info s.trace peak_live_bytes)" -eq $((3 * $(info r.trace peak_live_bytes))) ]
}

@test "merge: by time where all have times, else at an even pace" {
    "$BENCH" trace merge r.trace r.trace -o m.trace
    [ "$(info m.trace events)" -eq 16 ]
    [ "$(info m.trace threads)" -eq 4 ]
    [ "$(dump m.trace | awk '{ print $2 }' | sort -n -c && echo sorted)" = sorted ]
    "$BENCH" generate threadtest:blocks=8,rounds=1 -o g.trace
    "$BENCH" trace merge r.trace g.trace -o m.trace
    [ "$(info m.trace events)" -eq 24 ]
}

@test "merge: an even pace, also of a trace that has lost its end; a stream tells no length" {
    "$BENCH" generate threadtest:blocks=100000,rounds=1,threads=1 -o g.trace
    "$BENCH" generate glibc-simple:calls=1000 -o s.trace
    head -c $(($(stat -c %s g.trace) * 3 / 4)) g.trace > part.trace
    run "$BENCH" trace merge part.trace s.trace -o m.trace
    [ "$status" -eq 2 ]
    [[ "$output" == *"part.trace is damaged at offset"* ]]
    # Halfway through the one, the other is halfway too.
    dump m.trace | awk '{ n[$2]++; if (NR == half) for (t in n) at[t] = n[t] }
        END { for (t in n) { share = at[t] / n[t]; print t, share; if (share < 0.49 || share > 0.51) exit 1 } }' \
        half=$(($(info m.trace events) / 2))
    run bash -c '"$BENCH" trace merge - s.trace -o n.trace < <(cat g.trace)'
    [ "$status" -eq 2 ]
    [[ "$output" == *"standard input cannot be read twice"*"write it to a file first"* ]]
    [ ! -e n.trace ]
    cat r.trace | "$BENCH" trace merge - r.trace -o n.trace
    "$BENCH" trace merge - s.trace -o n.trace < g.trace
}

@test "merge: what each source lacks is said once" {
    printf '1\n1\n1\n1\na 0 5\n' > s.rep
    "$BENCH" import s.rep -o s.trace
    "$BENCH" trace merge s.trace r.trace s.trace -o m.trace
    [ "$("$BENCH" trace info m.trace | grep '^ *losses' | grep -o "neither alignment nor calloc" | wc -l)" -eq 1 ]
    "$BENCH" trace info m.trace | grep -q "losses .*Several recordings as one, each at an even pace"
}

@test "anonymize: no word of the origin, rounded sizes and times" {
    "$BENCH" generate sawtooth:teeth=1,blocks=10,stay=0 -o g.trace
    grep -aq sawtooth g.trace
    "$BENCH" trace anonymize --round-sizes 64 g.trace -o a.trace
    if grep -aq sawtooth a.trace; then false; fi
    [ -z "$(dump a.trace | awk '$3 == "malloc" && $5 % 64')" ]
    "$BENCH" trace anonymize --round-times 2us r.trace -o a.trace
    [ "$(dump a.trace | awk '{ print $2 }' | tr '\n' ' ')" = "0 0 2000 2000 4000 4000 6000 6000 " ]
}

@test "anonymize: nothing of a recording's words is left, packed or not" {
    printf '#include <stdlib.h>\nvoid *confidential(void) { return malloc(9); }\nint main(void) { free(confidential()); }\n' > p.c
    gcc -O0 -g -rdynamic -o undisclosed p.c
    "$BENCH" record --stacks --times --arguments -o s.trace -- ./undisclosed --password=hunter2 2> err
    "$BENCH" trace anonymize s.trace -o a.trace
    cat > words.py <<'EOF'
import subprocess, sys
data = every = open(sys.argv[1], "rb").read()
at = data.find(b"\x28\xb5\x2f\xfd")
while at >= 0:
    every += subprocess.run(["zstd", "-dcq"], input=data[at:], capture_output=True).stdout
    at = data.find(b"\x28\xb5\x2f\xfd", at + 4)
print(sum(every.count(word) for word in (b"confidential", b"undisclosed", b"hunter2", b"main", b"libc")))
EOF
    [ "$(python3 words.py s.trace)" -gt 4 ]
    [ "$(python3 words.py a.trace)" -eq 0 ]
    [ "$(info a.trace recorded_at)" -eq 0 ]
    [ "$(info a.trace program_wall_ns)" -eq 0 ]
}

@test "editors stream: from standard input to standard output" {
    "$BENCH" trace cut - -o - < r.trace | "$BENCH" trace dump - > got
    dump r.trace | diff - got
}

# The program waits for input, its output begun, until the signal comes.
interrupted() {
    mkfifo in
    exec 9<> in
    # Who writes must not hold the pipe's other end too: nothing would end a write that nobody reads.
    { echo '= Start' && yes '@ x + 0x10 0x10' | head -n 10000; } 2> writer >in 9>&- 3>&- &
    env --default-signal=$1 "$BENCH" "${@:2}" -o o.trace < in 3>&- 9>&- &
    pid=$!
    until [ -e o.trace.part ]; do
        kill -0 $pid
        sleep 0.01
    done
    kill -s $1 $pid
    status=0
    wait $pid || status=$?
    exec 9>&-
    rm in
    [ ! -e o.trace.part ]
    [ ! -e o.trace ]
}

@test "a signal that ends a command takes its unfinished file along" {
    for signal in INT TERM HUP USR2; do
        interrupted $signal import -
        [ "$status" -eq $((128 + $(kill -l $signal))) ]
    done
    ignored() {
        trap '' INT
        "$BENCH" generate threadtest:blocks=100000,rounds=10 -o i.trace &
        kill -s INT $!
        wait $!
    }
    ignored
    [ -s i.trace ]
}

@test "a damaged trace is edited as far as it is whole, and told" {
    "$BENCH" generate threadtest:blocks=100000,rounds=1 -o g.trace
    head -c $(($(stat -c %s g.trace) / 2)) g.trace > cut.trace
    run "$BENCH" trace cut cut.trace -o c.trace
    [ "$status" -eq 2 ]
    [[ "$output" == *"damaged at offset"* ]]
    [ $(($(info c.trace events) % 65536)) -eq 0 ]
    [ "$(info c.trace events)" -gt 0 ]
    run "$BENCH" trace info cut.trace
    [ "$status" -eq 2 ]
    [[ "$output" == *"131,072"* || "$output" == *"65,536"* ]]
}

@test "every workload is generated, the same each time, and frees what it should" {
    workloads=$("$BENCH" list --json | awk '/"workloads"/,/"figures"/' | grep -o '"name": "[a-z-]*"' | cut -d'"' -f4)
    for name in mymalloc-loop larson threadtest xmalloc cache-scratch cache-thrash glibc-simple \
        sawtooth ramp-decay vectors first-fit-adversary; do
        [[ "$workloads" == *"$name"* ]]
        "$BENCH" generate $name -o a.trace
        "$BENCH" generate $name -o b.trace
        cmp a.trace b.trace
        [ "$(info a.trace events)" -gt 50000 ]
    done
}

@test "the generated stream is the same bit for bit on any machine" {
    printf '8, 10, 20\n64, 1, 5\n' > p.csv
    while read -r workload sum; do
        "$BENCH" generate "$workload" -o g.trace
        [ "$(dump g.trace | md5sum | cut -c1-32)" = "$sum" ] || { echo "$workload"; false; }
    done <<'END'
larson:threads=2,blocks=10,replace=10,rounds=2,seed=7 9763022f50c59cac2daab51f76846bf0
larson:threads=3,blocks=20,replace=50,rounds=2,seed=3 0837d3c45e7cf3e30a5903cc58e3dc21
ramp-decay:blocks=100,rounds=1,seed=7 1553a05354acc1318a93cb15aa611911
mymalloc-loop:largest=1000 ef158290130c0e632e115e4b8b0136a0
threadtest:threads=3,blocks=30,rounds=2 08d06ec87b5cf9d6d9c4c58c09e38e59
xmalloc:rounds=5,seed=4 61d77a3753760b4aaa0b7283048eca3e
cache-scratch:rounds=20 27d7ece40bf258350b0860c2bee7ba32
cache-thrash:rounds=20 dac6029c36bd667af0c20ef2fbcbce9d
glibc-simple:calls=300 c98193aad13aafa23e70f777cab794b1
sawtooth:teeth=2,blocks=40,seed=9 25a86bd8cd8d9283ee472d0282c4f255
vectors:growths=300,seed=2 44f2b309fddcaab41953417e18592ce4
first-fit-adversary:live=256,largest=16 842fb4322e0a6af1ba37f2949161d5ad
best-fit-adversary:live=60,largest=12 e036348b39855fb4a1f74ed08bd940a6
profile:file=p.csv,events=200,seed=3 f09b43bf694699f2b9e128f049ddf93a
END
}

@test "the adversaries drive the backends themselves beyond nine tenths of their bounds" {
    # M (log2 n / 2 + 1) - n + 1 and (M - 4 n + 11) (n - 2) units of 32 bytes
    while read -r policy workload bound; do
        "$BENCH" run "$workload" -a "$policy" -p memory -n 1 --json -o run-$policy > rows 2> err
        peak=$(grep -o '"peak_resident_bytes": [0-9]*' rows | tr -dc 0-9)
        echo "$policy: $peak of $((32 * bound))"
        [ $((10 * peak)) -ge $((9 * 32 * bound)) ]
    done <<'END'
first-fit first-fit-adversary:live=4096,largest=64 16321
best-fit best-fit-adversary:live=300,largest=32 5490
END
}

@test "mistyped workloads and options are answered with the nearest" {
    run "$BENCH" generate larsom -o no.trace
    [ "$status" -eq 2 ]
    [[ "$output" == *"the nearest is 'larson'"* ]]
    run "$BENCH" generate larson:thread=3 -o no.trace
    [ "$status" -eq 2 ]
    [[ "$output" == *"the nearest is 'threads'"* ]]
    run "$BENCH" generate larson:threads=0 -o no.trace
    [ "$status" -eq 2 ]
    [ ! -e no.trace ]
    [ ! -e no.trace.part ]
    timeout 60 "$BENCH" generate ramp-decay:blocks=9,halvings=18446744073709551615 -o h.trace
    run "$BENCH" generate threadtest -o /dev/full
    [ "$status" -eq 2 ]
    [[ "$output" == *"/dev/full"*"free some space"* ]]
    run "$BENCH" trace inof r.trace
    [ "$status" -eq 2 ]
    [[ "$output" == *"the nearest is 'info'"* ]]
}
