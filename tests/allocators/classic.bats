#!/usr/bin/env bats
# The classic interfaces as a user of the originals meets them: headers, archive, programs.
bats_require_minimum_version 1.5.0

headers="alloc.h mems.h mem.h mymalloc.h"

setup() {
    cd "$BATS_TEST_TMPDIR"
    api="$OLDPWD/allocators/api"
    programs="$OLDPWD/allocators/programs"
}

@test "each header compiles alone as C99, C11 and C++" {
    for header in $headers; do
        printf '#include "%s"\n' "$header" >alone.c
        cp alone.c alone.cc
        for standard in c99 c11 gnu11 c17; do
            cc -std=$standard -Wall -Wextra -Wpedantic -Werror -I"$api" -c alone.c -o alone.o
        done
        for standard in c++98 c++11 c++17; do
            if [ $standard = c++98 ] && [ $header = mems.h ]; then continue; fi # <stdint.h>, C++11
            c++ -std=$standard -Wall -Wextra -Wpedantic -Werror -I"$api" -c alone.cc -o alone.o
        done
    done
}

@test "the headers bring in what programs written for the originals take from them" {
    printf '#include "mymalloc.h"\nint main(void) { return getpagesize() < 0; }\n' >my.c
    printf '#include "mems.h"\nint main(void) { printf("%%d", getpid()); return munmap(0, 0) ? 0 : 0; }\n' >me.c
    cc -Werror -I"$api" -c my.c
    cc -Werror -I"$api" -c me.c
}

@test "all headers and the archive serve one program, beside its own names" {
    cat >all.c <<'C'
#include "alloc.h"
#include "mem.h"
#include "mems.h"
#include "mymalloc.h"
int region_init = 1, err_set = 2, page_runs_take = 3, manager = 4;
int main(void)
{
    mems_init();
    mymalloc_init();
    if (init_alloc() || !Mem_Init(100))
        return 1;
    return !(alloc(8) && Mem_Alloc(8) && mems_malloc(8) && mymalloc(8));
}
C
    cc -std=c99 -I"$api" all.c "$BUILD/libheapbench.a" ${SANITIZE:+-fsanitize=$SANITIZE} -o all
    ./all
}

@test "each interface links alone, whatever the program calls its own functions" {
    cat >alone.c <<'C'
#include "mymalloc.h"
char *alloc(int size) { return mymalloc(size); }
void dealloc(char *p) { myfree(p); }
int Mem_Free(void *p) { return p != 0; }
int main(void)
{
    mymalloc_init();
    dealloc(alloc(10));
    return Mem_Free(0);
}
C
    cc -I"$api" alone.c "$BUILD/libheapbench.a" ${SANITIZE:+-fsanitize=$SANITIZE} -o alone
    ./alone
}

@test "the archive defines the interfaces and nothing else" {
    nm -g --defined-only "$BUILD/libheapbench.a" |
        awk 'NF == 3 && $3 !~ /^(DW\.|__asan|__odr_asan|__start|__stop)/ { print $3 }' | sort >defined
    printf '%s\n' init_alloc cleanup alloc dealloc alloc_set_fit \
        mems_init_paged mems_set_start mems_finish mems_malloc mems_free mems_print_stats mems_get \
        Mem_Init Mem_Alloc Mem_Free Mem_Dump \
        mymalloc_init mymalloc_destroy mymalloc myfree | sort >known
    # The interfaces of the shared-memory heap are named after themselves.
    grep -vE '^(shmheap|mmf)_' defined >classic
    diff known classic
}

@test "the archive allocates from the system only" {
    for member in pagemgr mems ostep mymalloc; do
        ar p "$BUILD/libheapbench.a" $member.o >member.o
        run ! grep -E ' U (malloc|calloc|realloc|free|brk|sbrk)$' <(nm member.o)
    done
}

@test "a page size set by the program reaches the archive" {
    cat >paged.c <<'C'
#include "mems.h"
int main(void)
{
    mems_init();
    mems_malloc(100);
    mems_print_stats();
    return 0;
}
C
    cc -DPAGE_SIZE=8192 -I"$api" paged.c "$BUILD/libheapbench.a" ${SANITIZE:+-fsanitize=$SANITIZE} -o paged
    run ./paged
    [ "${lines[1]}" = "MAIN[1000:9191]-> P[1000:1099] <-> H[1100:9191] <-> NULL" ]
}

@test "memtest prints what is expected of it, through LD_LIBRARY_PATH" {
    LD_LIBRARY_PATH="$BUILD:$LD_LIBRARY_PATH" "$BUILD/memtest" >output
    diff "$programs/memtest/expected_output.txt" output
    nm -D --defined-only "$BUILD/libmem.so" | grep -q ' T Mem_Alloc'
}

@test "explain-mmap shows VSZ moving with the mapping and RSS with the write" {
    [ -z "${SANITIZE-}" ] || skip "a sanitizer touches memory of its own in between"
    "$BUILD/explain-mmap" >output
    cat output
    [ "$(grep -c '^  maps ' output)" -eq 3 ]
    for line in $(sed -nE 's/^  maps +([0-9a-f]+)-([0-9a-f]+) .*/0x\2-0x\1/p' output); do
        [ $((line)) -eq "$(getconf PAGESIZE)" ] # the page alone, not joined with its neighbours
    done
    grep -A1 'After mapping' output | grep -q '(+4)'
    grep -A2 'After mapping' output | grep -q 'RSS .*(+0)'
    grep -A1 'After writing' output | grep -q '(+0)'
    grep -A2 'After writing' output | grep -q 'RSS .*(+4)'
    printf '\n\n\n' | "$BUILD/explain-mmap" --pause | grep -q 'ps -o pid,vsz,rss'
    run "$BUILD/explain-mmap" --nonsense
    [ "$status" -eq 2 ]
}

@test "mymalloc-table prints a row for each n" {
    run "$BUILD/mymalloc-table" 2 10000
    [ "$status" -eq 0 ]
    [ "${#lines[@]}" -eq 4 ]
    [[ "${lines[3]}" =~ ^[[:space:]]+10000[[:space:]] ]]
    run "$BUILD/mymalloc-table" 0
    [ "$status" -eq 2 ]
}
