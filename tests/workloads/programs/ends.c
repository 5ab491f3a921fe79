/* ends HOW: allocates, then takes away from the recorder what it might lean on, or comes to an end;
 * where it can it allocates on. */
#include <dlfcn.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <spawn.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>

enum { FEW = 1000, MANY = 300000 }; /* more than the chunks that a thread holds */

static const char *self;

static void work(int count)
{
    for (int i = 0; i < count; i++) {
        char *volatile block = malloc(10 + i % 100);
        block[0] = 1;
        free(block);
    }
}

static void end_segv(void)
{
    *(volatile int *)0 = 1;
}

static void end_term(void)
{
    raise(SIGTERM);
}

static void run_vfork(void)
{
    if (vfork() == 0) {
        execl(self, self, "plain", (char *)NULL);
        _exit(127);
    }
    wait(NULL);
    work(FEW);
}

static void run_spawn(void)
{
    pid_t child;
    char *arguments[] = {(char *)self, "plain", NULL};
    posix_spawn(&child, self, NULL, NULL, arguments, environ);
    waitpid(child, NULL, 0);
    work(FEW);
}

static char *const bare[] = {NULL};
static char *const plain[] = {"ends", "plain", NULL};

static void bare_child(void (*become)(void))
{
    if (fork() == 0) {
        become();
        _exit(127);
    }
    wait(NULL);
}

static void become_bare(void)
{
    execve(self, plain, bare);
}

static void become_null(void)
{
    execve(self, plain, NULL);
}

static void become_cleared(void)
{
    clearenv();
    execv(self, plain);
}

static void run_bare_execve(void)
{
    bare_child(become_bare);
}

static void run_bare_null(void)
{
    bare_child(become_null);
}

static void run_bare_clear(void)
{
    bare_child(become_cleared);
}

static void run_bare_vfork(void)
{
    if (vfork() == 0) {
        execve(self, plain, bare);
        _exit(127);
    }
    wait(NULL);
}

static void run_bare_spawn(void)
{
    pid_t child;
    posix_spawn(&child, self, NULL, NULL, plain, bare);
    waitpid(child, NULL, 0);
}

static void run_bare_spawnp(void)
{
    pid_t child;
    posix_spawnp(&child, self, NULL, NULL, plain, bare);
    waitpid(child, NULL, 0);
}

static void run_no_exec(void)
{
    work(FEW / 2);
    execl("/nowhere/else", "else", (char *)NULL);
    work(FEW - FEW / 2);
}

static void become_daemon(void)
{
    if (fork())
        _exit(0);
    setsid();
    if (fork())
        _exit(0);
}

static void run_daemon(void)
{
    become_daemon();
    usleep(300000);
    work(FEW);
}

/* For a minute at most: outlives who started the program. */
static void run_survivor(void)
{
    pid_t starter = getppid();
    become_daemon();
    for (int i = 0; i < 6000 && kill(starter, 0) == 0; i++)
        usleep(10000);
    work(FEW);
}

static void run_other_user(void)
{
    if (setgroups(0, NULL) || setgid(65534) || setuid(65534))
        exit(9);
    work(MANY);
}

static void run_closed(void)
{
    for (int file = 3; file < 1024; file++)
        close(file);
    for (int i = 0; i < 10; i++)
        open("/dev/null", O_RDWR);
    work(MANY);
    for (int file = 3; file < 13; file++)
        if (write(file, "x", 1) != 1)
            exit(9);
}

static void run_jailed(void)
{
    if (chroot(".") || chdir("/"))
        exit(9);
    work(MANY);
}

static void run_limited(void)
{
    const struct rlimit files = {3, 3}, memory = {0, 0};
    setrlimit(RLIMIT_NOFILE, &files);
    setrlimit(RLIMIT_AS, &memory);
    setrlimit(RLIMIT_FSIZE, &memory);
    work(MANY);
}

static void work_with_large(void)
{
    work(FEW);
    for (int i = 0; i < FEW; i++) {
        char *volatile block = malloc(200000);
        free(block);
    }
}

/* A coroutine's stack of one page, and nothing below it. */
static void run_narrow(void)
{
    static ucontext_t here, coroutine;
    const size_t page = 4096;
    char *stack = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (mprotect(stack, page, PROT_NONE) || getcontext(&coroutine))
        exit(9);
    coroutine.uc_stack = (stack_t){.ss_sp = stack + page, .ss_size = page};
    coroutine.uc_link = &here;
    makecontext(&coroutine, work_with_large, 0);
    swapcontext(&here, &coroutine);
}

/* Nothing is allowed but what the allocator takes, and the end. */
static void forbid(int (*prctl)(int, ...))
{
    struct sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_brk, 5, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_mmap, 4, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_munmap, 3, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_exit_group, 2, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_exit, 1, 0),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {sizeof filter / sizeof *filter, filter};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
        prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program))
        raise(SIGSYS);
}

static void run_forbidding(void)
{
    char *volatile block = malloc(200000);
    forbid(prctl);
    free(block);
    work(MANY);
    block = malloc(200000);
    free(block);
}

static void run_strict(void)
{
    syscall(SYS_seccomp, SECCOMP_SET_MODE_STRICT, 0, NULL);
    work(MANY);
    syscall(SYS_exit, 0);
}

/* Past the recorder. */
static void run_forbidding_unseen(void)
{
    forbid((int (*)(int, ...))dlsym(dlopen("libc.so.6", RTLD_NOW), "prctl"));
    char *volatile block = malloc(200000);
    free(block);
}

/* More than there is room for, while the recorder stands still; `then` is what ends that. */
static void while_stopped(const char *then)
{
    char command[200];
    snprintf(command, sizeof command, "kill -STOP %d; (sleep 2.5; %s) &", (int)getppid(), then);
    unsetenv("LD_PRELOAD");
    system(command);
    work(MANY);
}

static void run_stopped(void)
{
    char then[100];
    snprintf(then, sizeof then, "kill -CONT %d", (int)getppid());
    while_stopped(then);
}

/* Ends by itself, or is stuck for ever. */
static void run_orphaned(void)
{
    char then[100];
    snprintf(then, sizeof then, "kill -KILL %d", (int)getppid());
    while_stopped(then);
    creat("over", 0600);
}

static void free_all_of(void *(*allocate)(size_t))
{
    for (int i = 0; i < FEW; i++)
        free(allocate(10));
}

static void run_deep(void)
{
    void *library = dlopen("./deep.so", RTLD_NOW | RTLD_DEEPBIND);
    free_all_of((void *(*)(size_t))dlsym(library, "deep"));
}

static void run_past(void)
{
    free_all_of((void *(*)(size_t))dlsym(dlopen("libc.so.6", RTLD_NOW), "malloc"));
}

int main(int count, char **arguments)
{
    static const struct {
        const char *name;
        void (*run)(void);
    } ways[] = {{"segv", end_segv},
                {"term", end_term},
                {"abort", abort},
                {"vfork", run_vfork},
                {"spawn", run_spawn},
                {"daemon", run_daemon},
                {"survivor", run_survivor},
                {"closed", run_closed},
                {"other-user", run_other_user},
                {"jailed", run_jailed},
                {"limited", run_limited},
                {"narrow", run_narrow},
                {"forbidding", run_forbidding},
                {"strict", run_strict},
                {"forbidding-unseen", run_forbidding_unseen},
                {"stopped", run_stopped},
                {"orphaned", run_orphaned},
                {"deep", run_deep},
                {"past", run_past},
                {"bare-execve", run_bare_execve},
                {"bare-null", run_bare_null},
                {"bare-clear", run_bare_clear},
                {"bare-vfork", run_bare_vfork},
                {"bare-spawn", run_bare_spawn},
                {"bare-spawnp", run_bare_spawnp},
                {"no-exec", run_no_exec}};
    self = arguments[0];
    work(FEW);
    for (size_t i = 0; count > 1 && i < sizeof ways / sizeof *ways; i++)
        if (strcmp(arguments[1], ways[i].name) == 0)
            ways[i].run();
    return 0;
}
