#!/usr/bin/env bats
# The runners of the shared heap's exercises print what their text shows.

bats_require_minimum_version 1.5.0
setup() {
    cd "$BATS_TEST_TMPDIR"
    ls /dev/shm >before
}

# refused PROGRAM SENTENCE: the input on stdin ends with status 1 and that sentence, and leaves nothing.
refused() {
    run --separate-stderr "$BUILD/$1"
    [ "$status" -eq 1 ]
    [[ "$stderr" == *"$2"* ]] || { echo "$stderr"; false; }
    left_nothing
}

# No new name of a runner that is gone; other tests may be running theirs, and kill them.
left_nothing() {
    local pid tries
    for pid in $(ls /dev/shm | grep -vxFf before | sed -nE 's/^heapbench-(ex1-)?([0-9]+)-.*/\2/p'); do
        for tries in $(seq 1200); do
            if kill -0 "$pid" || ! is_named "$pid"; then break; fi
            sleep 0.05
        done
        [ "$tries" -lt 1200 ] || { ls /dev/shm; false; }
    done
}

is_named() { ls /dev/shm | grep -qE "^heapbench-(ex1-)?$1-"; }

@test "mmf-demo: both children see the other's data" {
    for size in 4096 8192 1048576; do
        run "$BUILD/mmf-demo" "$size"
        [ "$status" -eq 0 ]
        [ "$output" = "Child A received data successfully
Child B received data successfully" ]
    done
    export TMPDIR="$PWD/files"
    mkdir files
    "$BUILD/mmf-demo" 4096
    [ -z "$(ls files)" ]
}

@test "mmf-demo: no size, a wrong size, no folder" {
    for size in "" 0 4095 -4096 4k 99999999999999999999; do
        run --separate-stderr "$BUILD/mmf-demo" $size
        [ "$status" -ne 0 ]
        [[ "$stderr" == *"multiple of"* ]]
    done
    TMPDIR=/there/is/none run --separate-stderr "$BUILD/mmf-demo" 4096
    [ "$status" -ne 0 ]
    [[ "$stderr" == *"/there/is/none"* ]]
}

@test "shmheap-ex1: every reader sees the object" {
    run "$BUILD/shmheap-ex1" 10
    [ "$status" -eq 0 ]
    [ "$(grep -cxE 'Child \[pid = [0-9]+\] received data successfully' <<<"$output")" -eq 10 ]
    [ "$(sort -u <<<"$output" | wc -l)" -eq 10 ]
    for readers in "" 0 -1 x 1x; do
        run --separate-stderr "$BUILD/shmheap-ex1" $readers
        [ "$status" -ne 0 ]
        [[ "$stderr" == *"number of readers"* ]]
    done
    left_nothing
}

@test "shmheap-ex2: the text's sample, to the byte" {
    run --separate-stderr "$BUILD/shmheap-ex2" <<'IN'
3 4096 3
0 0
3 0 0 10
2 0 0
0 1
2 1 0
3 1 1 6
2 0 1
2 0 0
4 0 0
3 0 0 9
2 1 0
0 2
2 2 0
2 2 1
3 2 2 1
2 0 2
4 2 2
4 2 0
4 2 1
IN
    [ "$status" -eq 0 ]
    [ -z "$stderr" ]
    cat >want <<'OUT'
#0: Connected
#0: Allocated at offset 16: 0 1 2 3 4 5 6 7 8 9
#0: Read: 0 1 2 3 4 5 6 7 8 9
#1: Connected
#1: Read: 0 1 2 3 4 5 6 7 8 9
#1: Allocated at offset 104: 10 11 12 13 14 15
#0: Read: 10 11 12 13 14 15
#0: Read: 0 1 2 3 4 5 6 7 8 9
#0: Freed at offset: 16
#0: Allocated at offset 16: 16 17 18 19 20 21 22 23 24
#1: Read: 16 17 18 19 20 21 22 23 24
#2: Connected
#2: Read: 16 17 18 19 20 21 22 23 24
#2: Read: 10 11 12 13 14 15
#2: Allocated at offset 160: 25
#0: Read: 25
#2: Freed at offset: 160
#2: Freed at offset: 16
#2: Freed at offset: 104
OUT
    diff want <(echo "$output")
    left_nothing
}

# Sets of the text's third exercise. The order inside a set is free, so sets are compared sorted.
sample3() {
    cat <<'IN'
6 8192 6
0 0|0 1|0 2|0 3|0 4|0 5
3 0 0 10|3 1 1 10|3 2 2 10|3 3 3 10|3 4 4 10|3 5 5 10
2 0 1|2 1 2|2 2 3|2 3 4|2 4 5|2 5 0
4 1 3
3 3 3 2
2 1 3 | 2 0 4
1 0|1 1|1 2|1 3|1 4|1 5
IN
}

@test "shmheap-ex3: sets are executed by different processes at once" {
    sample3 | "$BUILD/shmheap-ex3" >got
    [ "$(wc -l <got)" -eq 28 ]
    diff <(printf '#%d: Connected\n' 0 1 2 3 4 5) <(sed -n 1,6p got | sort)
    # Six objects of 80 bytes, one after another, whoever came first.
    diff <(printf '%d\n' 16 104 192 280 368 456) \
        <(sed -n 7,12p got | sed -E 's/.*offset ([0-9]+):.*/\1/' | sort -n)
    for i in 0 1 2 3 4 5; do
        numbers="$(seq -s ' ' $((10 * i)) $((10 * i + 9)))"
        grep -qE "^#$i: Allocated at offset [0-9]+: $numbers\$" <(sed -n 7,12p got)
        grep -qx "#$(((i + 5) % 6)): Read: $numbers" <(sed -n 13,18p got)
    done
    freed="$(sed -nE '19s/^#1: Freed at offset: ([0-9]+)$/\1/p' got)"
    [ "$(sed -n 20p got)" = "#3: Allocated at offset $freed: 60 61" ]
    diff <(printf '#0: Read: 40 41 42 43 44 45 46 47 48 49\n#1: Read: 60 61\n') <(sed -n 21,22p got | sort)
    diff <(printf '#%d: Disconnected\n' 0 1 2 3 4 5) <(sed -n 23,28p got | sort)
    left_nothing
}

@test "shmheap-ex4: the heap grows under all processes" {
    {
        echo "4 4096 40"
        echo "0 0|0 1|0 2|0 3"
        for i in $(seq 0 4 36); do
            echo "3 0 $i 5000|3 1 $((i + 1)) 3000|3 2 $((i + 2)) 1|3 3 $((i + 3)) 100"
        done
        for i in $(seq 0 4 36); do
            echo "2 3 $i|2 2 $((i + 1))|2 1 $((i + 2))|2 0 $((i + 3))"
        done
        for i in $(seq 0 4 36); do echo "4 1 $i|4 2 $((i + 1))|4 3 $((i + 2))|4 0 $((i + 3))"; done
        echo "3 2 0 100000"
    } | "$BUILD/shmheap-ex4" >got
    [ "$(grep -c Allocated got)" -eq 41 ]
    [ "$(grep -c Read got)" -eq 40 ]
    diff <(grep Allocated got | cut -d: -f3- | head -40 | sort) <(grep Read got | cut -d: -f3- | sort)
    tail -1 got | grep -q '^#2: Allocated at offset 16: 81010 '
    left_nothing
}

@test "invalid input is a sentence and a status" {
    refused shmheap-ex2 "the input is empty" </dev/null
    refused shmheap-ex2 "first line" <<<"3 4096"
    refused shmheap-ex2 "first line" <<<"a b c"
    refused shmheap-ex2 "first line" <<<"1 -4096 2"
    refused shmheap-ex2 "processes are possible" <<<"0 4096 3"
    refused shmheap-ex2 "processes are possible" <<<"1000000 4096 3"
    refused shmheap-ex2 "objects are possible" <<<"1 4096 10000001"
    refused shmheap-ex2 "cannot be created" <<<"1 0 3"
    refused shmheap-ex2 "line 2: \"7 0\" is no command" <<<$'1 4096 3\n7 0'
    refused shmheap-ex2 "is no command" <<<$'1 4096 3\n0'
    refused shmheap-ex2 "is no command" <<<$'1 4096 3\n0 0 0'
    refused shmheap-ex2 "no process 1" <<<$'1 4096 3\n0 1'
    refused shmheap-ex2 "no object 3" <<<$'1 4096 3\n0 0\n3 0 3 1'
    refused shmheap-ex2 "line 3: object 2 is not allocated" <<<$'1 4096 3\n0 0\n2 0 2'
    refused shmheap-ex2 "not allocated" <<<$'1 4096 3\n0 0\n4 0 2'
    refused shmheap-ex2 "allocated already" <<<$'1 4096 3\n0 0\n3 0 2 1\n3 0 2 1'
    refused shmheap-ex2 "cannot be allocated" <<<$'1 4096 3\n0 0\n3 0 2 18446744073709551615'
    refused shmheap-ex2 "at least one" <<<$'1 4096 3\n0 0\n3 0 2 0'
    refused shmheap-ex2 "is not connected" <<<$'1 4096 3\n3 0 2 1'
    refused shmheap-ex2 "connected already" <<<$'1 4096 3\n0 0\n0 0'
    refused shmheap-ex2 "is not connected" <<<$'1 4096 3\n1 0'
    refused shmheap-ex2 "are for shmheap-ex3" <<<$'2 4096 3\n0 0|0 1'
    refused shmheap-ex3 "is no command" <<<$'2 4096 3\n0 0||0 1'
}

@test "a killed runner leaves no name behind" {
    mkfifo input
    "$BUILD/shmheap-ex3" <input >got &
    runner=$!
    exec 7>input
    printf '2 4096 3\n0 0|0 1\n' >&7
    until [ "$(wc -l <got)" -eq 2 ]; do sleep 0.05; done
    is_named $runner
    kill -9 $runner
    for _ in $(seq 1200); do is_named $runner || break; sleep 0.05; done
    ! is_named $runner || false
    exec 7>&-
}
