#!/usr/bin/env bats
# bench exec: real programs give the same output on every backend as on the C library's malloc.

bats_require_minimum_version 1.5.0
setup() { cd "$BATS_TEST_TMPDIR"; }

backends() {
    sed -nE 's/^BACKEND\(([a-z_]+),.*/\1/p' "$BATS_TEST_DIRNAME/../../allocators/list.h" |
        tr _ - | grep -vx -e null -e system
}

# same COMMAND...: the same output and status on every backend as on system.
same() {
    "$BENCH" exec -a system -- "$@" >want 2>/dev/null
    [ -s want ]
    local name
    for name in $(backends); do
        "$BENCH" exec -a "$name" -- "$@" >got 2>err || { echo "$name: status $?"; cat err; false; }
        cmp want got || { echo "$name: other output"; false; }
        grep -q "^bench exec: $name: wall .* peak resident" err || { cat err; false; }
    done
}

@test "python3" {
    same python3 -c '
import json
data = [{"id": i, "name": "n%d" % i, "tags": list(range(i % 17))} for i in range(20000)]
text = json.dumps(data)
print(len(text), sum(len(x["tags"]) for x in json.loads(text)))'
}

@test "python3 with every object through malloc" {
    export PYTHONMALLOC=malloc
    same python3 -c 'print(sum(len(str(i)) for i in range(100000)))'
}

@test "perl" {
    same perl -e 'my %h; $h{$_ % 5000} .= "x$_" for 1..60000; print join(",", map { length $h{$_} } sort keys %h), "\n"'
}

@test "sqlite3" {
    same sqlite3 :memory: 'create table t(a integer primary key, b text);
        with recursive n(i) as (select 1 union all select i+1 from n where i < 20000)
        insert into t select i, hex(i*7919) from n; create index tb on t(b);
        select count(*), sum(length(b)), min(b), max(b) from t;'
}

@test "a compiler, with the processes it starts" {
    printf '#include <stdio.h>\nint main(void) { for (int i = 0; i < 9; i++) printf("%%d ", i * i); return 0; }\n' >p.c
    same gcc -O2 -S -o - p.c
}

@test "git" {
    git init -q r
    cd r
    for i in $(seq 30); do
        seq "$i" 400 >"f$((i % 5))"
        git add .
        git -c user.name=n -c user.email=e@invalid commit -qm "c $i"
    done
    same git log -p --stat
}

@test "threads and C++" {
    cat >p.cc <<'CC'
#include <iostream>
#include <map>
#include <string>
#include <thread>
#include <vector>
struct alignas(64) wide { char bytes[64]; };
int main()
{
    std::vector<std::thread> threads;
    std::vector<long> sums(4);
    for (int t = 0; t < 4; t++)
        threads.emplace_back([t, &sums] {
            std::map<std::string, std::vector<wide>> map;
            for (int i = 0; i < 4000; i++)
                map[std::to_string(i % 300)].resize(i % 40 + 1);
            for (auto &entry : map)
                for (auto &w : entry.second)
                    sums[t] += reinterpret_cast<size_t>(&w) % 64 == 0;
        });
    for (auto &thread : threads)
        thread.join();
    for (long sum : sums)
        std::cout << sum << "\n";
}
CC
    g++ -std=c++17 -O1 -pthread -o p p.cc
    same ./p
}

@test "fork: parent and child go on with their own copies" {
    same perl -e '$| = 1; my @a = map { "x" x $_ } 1..300;
        for my $c (1..5) { my $p = fork; if (!$p) { @a = map { $_ . $c } @a; exit(length(join "", @a) == 45450 ? 0 : 1) } waitpid $p, 0; print $? }
        print length(join "", @a), "\n"'
}

@test "output, status and signals pass through" {
    run "$BENCH" exec -a bump -- sh -c 'echo out; exit 7'
    [ "$status" = 7 ]
    [[ "$output" == *out* ]]
    run "$BENCH" exec -a bump -- sh -c 'kill -TERM $$'
    [ "$status" = 143 ]
    "$BENCH" exec -a bump -- echo only >out 2>/dev/null
    [ "$(cat out)" = only ]
}

@test "a program that ignores the preload is an error, not a figure" {
    printf 'int main(void) { return 0; }\n' >s.c
    gcc -static -o s s.c
    run "$BENCH" exec -a bump -- ./s
    [ "$status" = 1 ]
    [[ "$output" == *"ignored the preload"* ]]
}

@test "what cannot run a program says why" {
    run "$BENCH" exec -a null -- true
    [ "$status" = 2 ]
    [[ "$output" == *"no real memory"* ]]
    run "$BENCH" exec -a so:/nonexistent.so -- true
    [ "$status" = 2 ]
    [[ "$output" == *"/nonexistent.so"* ]]
    run -127 "$BENCH" exec -a bump -- ./nosuch
    [ "$status" = 127 ]
    run "$BENCH" exec -a bump
    [ "$status" = 2 ]
    [[ "$output" == *"no command"* ]]
}

@test "installed external allocators and tunables" {
    local name
    for name in jemalloc mimalloc tcmalloc tbbmalloc system:MALLOC_ARENA_MAX=1; do
        run "$BENCH" exec -a "$name" -- python3 -c 'import os; print(6 * 7, os.environ.get("MALLOC_ARENA_MAX"))'
        [ "$status" = 0 ] || { echo "$output"; false; }
        [[ "$output" == *42* ]]
    done
    [[ "$output" == *"42 1"* ]]
}
