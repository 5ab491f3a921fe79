#!/usr/bin/env bats
# bench exec: real programs give the same output on every backend as on the C library's malloc.

bats_require_minimum_version 1.5.0
setup() {
    [ -z "${SANITIZE-}" ] || skip "a sanitizer's malloc cannot be replaced by another"
    cd "$BATS_TEST_TMPDIR"
}
teardown() { [ ! -S s ] || redis-cli -s s shutdown nosave || true; }

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

@test "operator new of an allocator that the program is linked with gives way" {
    local library
    library=$(/sbin/ldconfig -p | awk '/libtcmalloc_minimal.so.4/ { print $NF; exit }')
    [ -n "$library" ]
    cat >new.cc <<'CC'
#include <cstdlib>
#include <dlfcn.h>
#include <iostream>
#include <new>
int main()
{
    void *(*one)(size_t) = &operator new;
    Dl_info info;
    dladdr((void *)one, &info);
    std::cout << info.dli_fname << "\n";
    char *a = static_cast<char *>(operator new(100)), *b = static_cast<char *>(malloc(100));
    std::cout << (std::labs(a - b) < 1 << 20 ? "one heap" : "two heaps") << "\n";
    try {
        char *volatile most = new char[static_cast<size_t>(-1) / 4];
        std::cout << static_cast<void *>(most) << "\n";
    } catch (const std::bad_alloc &) {
        std::cout << "no memory\n";
    }
    if (!new (std::nothrow) char[static_cast<size_t>(-1) / 4])
        std::cout << "none\n";
    void *wide = operator new(1000, std::align_val_t(256));
    std::cout << reinterpret_cast<size_t>(wide) % 256 << "\n";
    operator delete(wide, std::align_val_t(256));
    operator delete(a);
    free(b);
}
CC
    g++ -std=c++17 -O1 -w -o new new.cc -Wl,--no-as-needed "$library"
    local allocator
    for allocator in system first-fit; do
        run "$BENCH" exec -a $allocator -- ./new
        [[ "${lines[0]}" != *tcmalloc* ]] || { echo "$allocator: $output"; false; }
        [ "${lines[*]:1:4}" = "one heap no memory none 0" ] || { echo "$allocator: $output"; false; }
    done
    run "$BENCH" exec -a jemalloc -- ./new
    [[ "${lines[0]}" == *jemalloc* ]]
}

@test "fork: parent and child go on with their own copies" {
    same perl -e '$| = 1; my @a = map { "x" x $_ } 1..300;
        for my $c (1..5) { my $p = fork; if (!$p) { @a = map { $_ . $c } @a; exit(length(join "", @a) == 45450 ? 0 : 1) } waitpid $p, 0; print $? }
        print length(join "", @a), "\n"'
}

@test "fork handlers of other libraries may allocate, whatever else runs" {
    cat >handlers.c <<'C'
#include <pthread.h>
#include <stdlib.h>
static void handler(void) { free(malloc(1000)); }
__attribute__((constructor)) static void watch(void) { pthread_atfork(handler, handler, handler); }
void handlers(void) {}
C
    cat >forks.c <<'C'
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>
void handlers(void);
static int stop;
static void *churn(void *arg)
{
    while (!__atomic_load_n(&stop, __ATOMIC_RELAXED))
        free(malloc(100));
    return arg;
}
int main(void)
{
    pthread_t thread[2];
    int good = 0, status;
    handlers();
    for (int i = 0; i < 2; i++)
        pthread_create(&thread[i], 0, churn, 0);
    for (int i = 0; i < 100; i++) {
        if (fork() == 0) {
            alarm(20);
            free(malloc(5000));
            _exit(0);
        }
        wait(&status);
        good += status == 0;
    }
    __atomic_store_n(&stop, 1, __ATOMIC_RELAXED);
    for (int i = 0; i < 2; i++)
        pthread_join(thread[i], 0);
    printf("%d\n", good);
}
C
    gcc -fno-builtin -shared -fPIC -o libhandlers.so handlers.c
    gcc -fno-builtin -pthread -o forks forks.c -L. -lhandlers -Wl,-rpath,"$PWD"
    for name in first-fit shmheap; do
        run -0 --separate-stderr timeout 60 "$BENCH" exec -a "$name" -- ./forks
        [ "$output" = 100 ]
    done
}

@test "a signal handler may end the program in the middle of a call" {
    cat >ends.c <<'C'
#include <signal.h>
#include <stdlib.h>
#include <sys/time.h>
static void end(int signal)
{
    static int n;
    if (signal && ++n > 100)
        exit(5);
}
int main(void)
{
    signal(SIGALRM, end);
    setitimer(ITIMER_REAL, &(struct itimerval){{0, 500}, {0, 500}}, 0);
    for (;;)
        free(malloc(3000));
}
C
    gcc -fno-builtin -o ends ends.c
    for name in first-fit ostep first-fit+checked; do
        run -5 --separate-stderr timeout 60 "$BENCH" exec -a "$name" -- ./ends
    done
}

@test "a limit on the address space leaves room for heap and program, and a replay" {
    local name
    for name in $(backends); do
        run -0 --separate-stderr bash -c 'ulimit -v 600000; "$@"' - "$BENCH" exec -a "$name" -- perl -e 'print length("x" x 5000000)'
        [ "$output" = 5000000 ] || { echo "$name: $stderr"; false; }
    done
    run -0 --separate-stderr "$BENCH" exec -a first-fit -- bash -c 'ulimit -v 600000; perl -e "print 6 * 7"'
    [ "$output" = 42 ]
    (ulimit -v 600000; "$BENCH" run -a first-fit,pagemgr -n 1 -p throughput -o limited mymalloc-loop:largest=1000)
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

@test "a signal that is sent to bench goes to the program" {
    local name
    for name in TERM HUP QUIT; do
        "$BENCH" exec -a buddy -- perl -e '$SIG{'"$name"'} = sub { print "got it\n"; exit 9 }; open F, ">ready"; close F; sleep 60' >out 2>err 3>&- &
        until [ -e ready ]; do sleep 0.05; done
        rm ready
        kill -"$name" $!
        wait $! || [ $? = 9 ]
        [ "$(cat out)" = "got it" ]
        grep -q '^bench exec: buddy: wall' err
    done
}

@test "a program at a fixed address, where malloc's address is that of a jump of its own" {
    cat >fixed.c <<'C'
#include <stdlib.h>
void *(*const take)(size_t) = malloc;
int main(void)
{
    free(take(100));
    return take == malloc ? 6 : 1;
}
C
    gcc -O0 -fno-builtin -fno-pic -no-pie -o fixed fixed.c
    readelf -W --dyn-syms fixed | grep -q '4[0-9a-f]* .* UND malloc@'
    local name
    for name in system first-fit jemalloc system+checked best-fit+checked jemalloc+locked; do
        run -6 --separate-stderr "$BENCH" exec -a "$name" -- ./fixed
    done
}

@test "a program that ignores the preload is an error, not a figure" {
    printf 'int main(void) { return 0; }\n' >s.c
    gcc -static -o s s.c
    run "$BENCH" exec -a bump -- ./s
    [ "$status" = 1 ]
    [[ "$output" == *"ignored the preload"* ]]
}

@test "a malloc of the program's own, and a library without one" {
    cat >own.c <<'C'
#include <stddef.h>
void *__libc_malloc(size_t);
void *malloc(size_t size) { return __libc_malloc(size); }
int main(void) { return malloc(9) == 0; }
C
    gcc -w -fno-builtin -rdynamic -o own own.c
    run -1 "$BENCH" exec -a first-fit -- ./own
    [[ "$output" == *"came from"*"/own, not from"*"a malloc of its own"* ]]
    printf 'int nothing;\n' >n.c
    gcc -shared -fPIC -o nothing.so n.c
    run -1 "$BENCH" exec -a so:./nothing.so -- true
    [[ "$output" == *"nothing.so: the preload was ignored: it defines no malloc"* ]]
}

@test "other preloads are left out, and that is told" {
    run -0 --separate-stderr env LD_PRELOAD=libm.so.6 "$BENCH" exec -a buddy -- sh -c 'echo "$LD_PRELOAD"'
    [[ "$output" != *libm* ]]
    [[ "$stderr" == *"LD_PRELOAD=libm.so.6 is not passed on"* ]]
}

@test "a limit on the size of files is the program's own affair" {
    run bash -c 'ulimit -f 4; "$BENCH" exec -a first-fit -- head -c 100000 /dev/zero >zeros'
    [ "$status" = 153 ]
}

@test "a folder at whose name the loader splits preloads is named" {
    mkdir 'my tools'
    cp "$BENCH" "${BENCH%/*}"/libheapbench-{preload,witness,record}.so 'my tools'
    cp "$(gcc -print-file-name=libc.so.6)" 'my tools/own.so'
    for words in 'record -o t.trace' 'exec -a first-fit' 'exec -a jemalloc' 'fidelity -o told -a system'; do
        run --separate-stderr -2 'my tools/bench' $words -- true
        [[ "$stderr" == *"/my tools/libheapbench-"*".so cannot be preloaded: the loader splits"*"move it to a folder without them"* ]]
    done
    [ ! -e t.trace ]
    [ ! -e told ]
    run --separate-stderr -2 "$BENCH" exec -a "so:$PWD/my tools/own.so" -- true
    [[ "$stderr" == *"/my tools/own.so cannot be preloaded: the loader splits"* ]]
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

@test "system is the C library's malloc also where a program is linked with another" {
    cat >own.c <<'C'
#include <stddef.h>
void *__libc_malloc(size_t);
int own_calls;
void *malloc(size_t size) { own_calls++; return __libc_malloc(size); }
C
    cat >linked.c <<'C'
#include <stdio.h>
#include <stdlib.h>
extern int own_calls;
int main(void) { void *volatile block = malloc(9); puts(block && own_calls ? "its own" : "another"); }
C
    gcc -w -fno-builtin -shared -fPIC -o libown.so own.c
    gcc -w -o linked linked.c -L. -lown -Wl,-rpath,"$PWD"
    [ "$(./linked)" = "its own" ]
    local name
    for name in system system:MALLOC_ARENA_MAX=1 first-fit; do
        run -0 --separate-stderr "$BENCH" exec -a "$name" -- ./linked
        [ "$output" = another ]
    done
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

@test "layers over the C library's malloc, a preloaded one and a backend" {
    local name
    for name in system+checked jemalloc+checked tcmalloc+locked+checked first-fit+checked buddy+faulty; do
        run -0 --separate-stderr "$BENCH" exec -a "$name" -- python3 -c 'print(sum(len(str(i)) for i in range(20000)))'
        [ "$output" = 88890 ]
        [[ "$stderr" != *overrun* ]]
    done
}

@test "checked tells what a program did wrong, when it ends" {
    cat >bad.c <<'C'
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
int main(int argc, char **argv)
{
    char *volatile block = malloc(21);
    if (argc > 1)
        block[21] = 1;
    else
        free(block);
    free(block);
    puts("end");
    return 3;
}
C
    gcc -w -o bad bad.c
    local name
    for name in system+checked first-fit+checked shmheap+checked; do
        run -3 --separate-stderr "$BENCH" exec -a "$name" -- ./bad overrun
        [ "$output" = end ]
        [[ "$stderr" == *"overrun: the bytes behind the block of 21 bytes"* ]]
        run -3 --separate-stderr "$BENCH" exec -a "$name" -- ./bad
        [[ "$stderr" == *"double free of the block of 21 bytes"* ]]
    done
}

@test "malloc's contract: alignment, errno, nothing, too much" {
    cat >m.c <<'C'
#include <errno.h>
#include <malloc.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#define MUST(condition) if (!(condition)) printf("line %d: %s\n", __LINE__, #condition)
int main(void)
{
    static char *kept[200];
    volatile size_t huge = SIZE_MAX - 100;
    void *out = &huge;
    for (size_t i = 0; i < 200; i++) {
        kept[i] = malloc(i * 7);
        MUST(kept[i] && (i * 7 < 16 || (uintptr_t)kept[i] % 16 == 0));
        MUST(malloc_usable_size(kept[i]) >= i * 7);
        memset(kept[i], (int)i, i * 7);
    }
    for (size_t align = 8; align <= 1 << 16; align *= 2) {
        char *block = memalign(align, 100);
        MUST(block && (uintptr_t)block % align == 0);
        memset(block, 1, malloc_usable_size(block));
        block = realloc(block, 5000);
        MUST(block && block[99] == 1 && (uintptr_t)block % 16 == 0);
        free(block);
        MUST(posix_memalign(&out, align, 33) == 0 && (uintptr_t)out % align == 0);
        free(out);
    }
    for (size_t i = 0; i < 200; i++) {
        kept[i] = realloc(kept[i], i * 9 + 1);
        for (size_t j = 0; j < i * 7; j++)
            MUST(kept[i][j] == (char)i);
        free(kept[i]);
    }
    errno = 0;
    MUST(malloc(huge) == NULL && errno == ENOMEM);
    errno = 0;
    MUST(calloc(huge, 2) == NULL && errno == ENOMEM);
    errno = 0;
    MUST(reallocarray(NULL, huge, 2) == NULL && errno == ENOMEM);
    char *block = malloc(10);
    errno = 0;
    MUST(realloc(block, huge) == NULL && errno == ENOMEM);
    errno = 7;
    free(block);
    MUST(errno == 7);
    for (size_t align = 0; align < 5000; align = align * 3 + 3) {
        size_t power = 1;
        while (power < align)
            power *= 2;
        char *odd = aligned_alloc(align, 10), *older = memalign(align, 10);
        MUST(odd && (uintptr_t)odd % power == 0 && older && (uintptr_t)older % power == 0);
        free(odd);
        free(older);
    }
    errno = 0;
    MUST(aligned_alloc(SIZE_MAX, 1) == NULL && errno == EINVAL);
    errno = 7;
    MUST(posix_memalign(&out, 3, 1) == EINVAL && posix_memalign(&out, 64, huge) == ENOMEM);
    MUST(errno == 7);
    char *none = malloc(0), *other = malloc(0);
    MUST(none && other && none != other);
    MUST(realloc(none, 0) == NULL);
    free(other);
    char *page = valloc(10), *pages = pvalloc(10);
    MUST((uintptr_t)page % 4096 == 0 && (uintptr_t)pages % 4096 == 0);
    MUST(malloc_usable_size(pages) >= 4096 && malloc_usable_size(NULL) == 0);
    char *zero = calloc(1000, 3);
    for (int i = 0; i < 3000; i++)
        MUST(zero[i] == 0);
    puts("end");
}
C
    gcc -w -O1 -o m m.c
    local name
    for name in $(backends) system+checked first-fit+checked; do
        run -0 --separate-stderr "$BENCH" exec -a "$name" -- ./m
        [ "$output" = end ] || { echo "$name: $output"; false; }
    done
}

@test "a library that is opened with RTLD_DEEPBIND, from where its opener's runpath leads" {
    mkdir -p hidden
    cat >deep.c <<'C'
#include <stdlib.h>
#include <string.h>
void *deep_make(void) { return strdup("deep"); }
void deep_free(void *p) { free(p); }
C
    cat >m.c <<'C'
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
int main(void)
{
    void *deep = dlopen("libdeep.so", RTLD_LAZY | RTLD_DEEPBIND);
    if (!deep)
        return puts(dlerror()), 1;
    puts("opened");
    for (int i = 0; i < 1000; i++) {
        free(((void *(*)(void))dlsym(deep, "deep_make"))());
        ((void (*)(void *))dlsym(deep, "deep_free"))(malloc(i));
    }
    puts("end");
}
C
    gcc -shared -fPIC -o hidden/libdeep.so deep.c
    gcc -w -O1 -o m m.c "-Wl,-rpath,$PWD/hidden"
    same ./m
}

@test "the preload exports malloc and its kin, and nothing else" {
    run -0 nm -D --defined-only "$BUILD/libheapbench-preload.so"
    [ "$(awk '{ print $3 }' <<<"$output" | sort | tr '\n' ' ')" = "aligned_alloc calloc free malloc malloc_usable_size memalign posix_memalign pvalloc realloc reallocarray valloc " ]
}

@test "redis under load" {
    command -v redis-server || skip "redis-server is not installed"
    local name socket="$BATS_TEST_TMPDIR/s"
    for name in $(backends); do
        "$BENCH" exec -a "$name" -- redis-server --port 0 --unixsocket "$socket" --save '' >log 2>&1 3>&- &
        for _ in $(seq 100); do redis-cli -s "$socket" ping >/dev/null 2>&1 && break; sleep 0.05; done
        redis-benchmark -s "$socket" -n 2000 -c 10 -d 300 -r 500 -q -t set,get,lpush,lrange_100 >/dev/null
        redis-cli -s "$socket" eval 'for i = 1, 3000 do redis.call("set", "k" .. i, string.rep("v", i % 97)) end
            local sum = 0; for i = 1, 3000 do sum = sum + #redis.call("get", "k" .. i) end; return sum' 0 >got
        [ "$(cat got)" = 143775 ] || { echo "$name: $(cat got)"; false; }
        redis-cli -s "$socket" shutdown nosave
        wait $!
        grep -q "^bench exec: $name: wall" log
    done
}
