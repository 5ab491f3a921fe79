#!/usr/bin/env bats
# Steady states of size profiles: what is reached, and which CSVs are understood.

setup() {
    cd "$BATS_TEST_TMPDIR"
}

info() {
    "$BENCH" trace info --json "$1" | grep -m1 "\"$2\":" | tr -dc '0-9.'
}

# profile TEXT: into p.csv, and p.trace from it
profile() {
    printf "$1" > p.csv
    "$BENCH" generate "profile:file=p.csv,events=${2-1000}" -o p.trace
}

# live: "count size" of what lives at the end
live() {
    "$BENCH" trace dump p.trace | awk '$3 == "malloc" { size[$4] = $5; live[$5]++ }
        $3 == "free" { live[size[$4]]-- }
        END { for (s in live) if (live[s]) print live[s], s }' | sort -n -k 2
}

@test "a size profile reaches its live counts" {
    profile 'size,alloc_rate,live_count\n8, 100.5, 20.4\n64, 10, 30.2\n4096, 1e-1, 2.5\n'
    [ "$("$BENCH" trace dump p.trace | grep -c ' malloc .* 8$')" -gt 400 ]
    live | { read -r count size; [ "$size" -eq 8 ] && [ "$count" -eq 20 ]
             read -r count size; [ "$size" -eq 64 ] && [ "$count" -eq 30 ]
             read -r count size; [ "$size" -eq 4096 ] && [ "$count" -ge 2 ] && [ "$count" -le 3 ]; }
    [ "$(info p.trace events)" -le 1056 ]
}

@test "a count that no whole number meets is met over time, at its rate" {
    profile '64, 3, 0.25\n8, 1, 5\n' 40000
    "$BENCH" trace dump p.trace | awk '$3 == "malloc" { size[$4] = $5; live[$5]++; made[$5]++ }
        $3 == "free" { live[size[$4]]-- }
        $3 != "mark" { sum += live[64] }
        END { share = made[64] / (made[64] + made[8])
              print sum / NR, share
              exit !(sum / NR > 0.3 && sum / NR < 0.6 && share > 0.74 && share < 0.76) }'
}

@test "shares of blocks too large to be there fall to the next smaller ones" {
    profile '1000000000, 0, 0.001\n400000, 0, 0.3\n300000, 0, 0.3\n200000, 0, 0.3\n16, 0, 100\n'
    [ "$(live | tr '\n' ' ')" = "100 16 1 200000 1 300000 1 400000 " ]
}

@test "CSVs as people write them" {
    profile '8,1,20\n64,1,30\n'
    live > plain
    for text in 'size,alloc_rate,live_count\n8,1,20\n64,1,30\n' '\xef\xbb\xbfSize,Alloc_Rate,Live_Count\r\n8,1,20\r\n\r\n64,1,30\r\n' \
        '"live_count","size","note","alloc_rate"\n"20","8","a ""word"", or two","1"\n30,64,,1\n' \
        '# a comment\n8 ,\t1e0, 2e1\n6.4e1,1.0,30.000' '64,1,30\n8,1,20\n'; do
        profile "$text"
        live | diff plain - || { printf "$text"; false; }
        "$BENCH" import --format profile p.csv -o p.trace
    done
}

# refuses SENTENCE TEXT
refuses() {
    printf "$2" > p.csv
    run "$BENCH" generate profile:file=p.csv -o no.trace
    echo "$output"
    [ "$status" -eq 2 ]
    [[ "$output" == *"$1"* ]]
    [ ! -e no.trace ]
}

@test "what is wrong with a CSV is told with its line" {
    refuses "line 2 of p.csv has a negative live_count, '-3'" '8,1,20\n64,1,-3\n'
    refuses "line 1 of p.csv has 2 fields instead of 3" '8, 1\n'
    refuses "line 2 of p.csv has 2 fields instead of 3" 'size,alloc_rate,live_count\n8, 1\n'
    refuses "line 1 of p.csv has 4 fields instead of 3" '8, 1, 2, 3\n'
    refuses "line 1 of p.csv has 1 field instead of 3" '8; 1; 2\n'
    refuses "line 1 of p.csv names no column 'live_count'; the nearest is 'livecount'" 'size,alloc_rate,livecount\n8,1,2\n'
    refuses "line 1 of p.csv names no column 'size'" 'size;alloc_rate;live_count\n8;1;2\n'
    refuses "line 1 of p.csv has the live_count '1e99999999999999999999': more than" '8, 1, 1e99999999999999999999\n'
    refuses "line 1 of p.csv has the size '1e13': more than" '1e13, 1, 1\n'
    refuses "line 1 of p.csv has the size '1.5': bytes are whole" '1.5, 1, 1\n'
    refuses "line 1 of p.csv has the alloc_rate 'nan', which is no number" '1, nan, 1\n'
    refuses "line 1 of p.csv has the alloc_rate '', which is no number" '1,,1\n'
    refuses "line 1 of p.csv has the alloc_rate '0x10', which is no number" '1,0x10,1\n'
    refuses "holds no rows" ''
    refuses "holds no rows" 'size,alloc_rate,live_count\n'
    refuses "leaves no block" '8,1,0\n'
    refuses "the rates add up to too much" "$(for i in $(seq 20); do printf '%s,1e9,1\\n' "$i"; done)"
    run "$BENCH" generate profile:file=. -o no.trace
    [ "$status" -eq 2 ]
    [[ "$output" == *"cannot read .: Is a directory"* ]]
    printf '8, 1, 16777.216\n' > p.csv
    run "$BENCH" generate profile:file=p.csv,percent=1099511627777 -o no.trace
    [ "$status" -eq 2 ]
    [[ "$output" == *"too many, live"* ]]
}
