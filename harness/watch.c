/* The peak of a program's heap, from outside and without a gap. */
#include "harness/watch.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "allocators/preload/mappings.h"
#include "harness/measure/proc.h"
#include "harness/siblings.h"

/* A look that shows a growth of less than a 256th is not worth its time. */
enum { WATCH_FINENESS = 256, WATCH_LEAST = 16 << 10 };

int watch_init(struct watch *watch, struct err *err)
{
    *watch = (struct watch){.listener = -1, .channel = {-1, -1}, .log = -1};
    int failed =
        sibling_path("libheapbench-mappings.so", watch->library, sizeof watch->library, err);
    if (failed)
        return failed;
    watch->log = memfd_create("heapbench-mappings", MFD_CLOEXEC);
    if (watch->log < 0 ||
        socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, watch->channel) < 0)
        failed = err_set(err, errno, "a program cannot be watched: %s", strerror(errno));
    if (failed)
        watch_release(watch);
    return failed;
}

static void watch_close(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

void watch_release(struct watch *watch)
{
    watch_close(&watch->listener);
    watch_close(&watch->channel[0]);
    watch_close(&watch->channel[1]);
    watch_close(&watch->log);
    ranges_release(&watch->own);
}

/* --- the child's side --- */

#define WATCH_LOAD(field)                                                                          \
    BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (unsigned)offsetof(struct seccomp_data, field))
#define WATCH_IS(value, yes) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, yes, 0)

/* The listener, or -1. The filter outlives exec, and needs that no program gains rights by it. */
static int watch_filter(void)
{
    struct sock_filter code[] = {
        WATCH_LOAD(nr),
        WATCH_IS(SYS_munmap, 8),
        WATCH_IS(SYS_madvise, 7),
        WATCH_IS(SYS_mremap, 6),
        WATCH_IS(SYS_brk, 5),
        WATCH_IS(SYS_exit_group, 4),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_mmap, 0, 2),
        WATCH_LOAD(args[3]),
        BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, MAP_FIXED, 1, 0),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF),
    };
    struct sock_fprog program = {.len = sizeof code / sizeof *code, .filter = code};
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    return (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER,
                        &program);
}

/* A descriptor goes through a socket; without one the parent finds the socket empty. */
static void watch_send(int channel, int listener)
{
    char byte = 0, room[CMSG_SPACE(sizeof listener)] = {0};
    struct iovec part = {.iov_base = &byte, .iov_len = 1};
    struct msghdr message = {
        .msg_iov = &part, .msg_iovlen = 1, .msg_control = room, .msg_controllen = sizeof room};
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof listener);
    memcpy(CMSG_DATA(header), &listener, sizeof listener);
    sendmsg(channel, &message, 0);
}

void watch_enter(const struct watch *watch)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%ld/fd/%d", (long)getppid(), watch->log);
    setenv(MAPPINGS_ENVIRONMENT, path, 1);
    int listener = watch_filter();
    if (listener >= 0)
        watch_send(watch->channel[1], listener);
}

/* --- the parent's side --- */

static int watch_receive(int channel)
{
    int listener = -1;
    char byte, room[CMSG_SPACE(sizeof listener)];
    struct iovec part = {.iov_base = &byte, .iov_len = 1};
    struct msghdr message = {
        .msg_iov = &part, .msg_iovlen = 1, .msg_control = room, .msg_controllen = sizeof room};
    if (recvmsg(channel, &message, MSG_CMSG_CLOEXEC) <= 0)
        return -1;
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    if (header && header->cmsg_type == SCM_RIGHTS)
        memcpy(&listener, CMSG_DATA(header), sizeof listener);
    return listener;
}

void watch_begin(struct watch *watch, pid_t pid)
{
    watch->pid = pid;
    watch->listener = watch_receive(watch->channel[0]);
    watch->by_calls = watch->listener >= 0;
}

int watch_poll_fd(const struct watch *watch)
{
    return watch->listener;
}

static void watch_hear(struct watch *watch, const struct mappings_record *record)
{
    uint64_t end = record->start + record->length;
    if (record->pid != watch->pid) {
        watch->processes += record->kind == MAPPINGS_START;
    } else if (record->kind == MAPPINGS_START) {
        ranges_release(&watch->own);
        watch->peak = (struct residents){0};
        watch->peak_rss = watch->beside = 0;
        watch->begun = false;
    } else if (record->kind == MAPPINGS_MAPPED) {
        ranges_add(&watch->own, record->start, end);
    } else {
        ranges_remove(&watch->own, record->start, end);
    }
}

static void watch_listen(struct watch *watch)
{
    struct mappings_record records[64];
    ssize_t got;
    while ((got = pread(watch->log, records, sizeof records, (off_t)watch->log_read)) >=
           (ssize_t)sizeof *records) {
        size_t count = (size_t)got / sizeof *records;
        for (size_t i = 0; i < count; i++)
            watch_hear(watch, &records[i]);
        watch->log_read += count * sizeof *records;
    }
}

static void watch_look(struct watch *watch)
{
    char path[64];
    struct proc_sizes sizes;
    struct residents now;
    snprintf(path, sizeof path, "/proc/%d/statm", (int)watch->pid);
    if (proc_sizes_of(path, &sizes) < 0)
        return;
    watch_listen(watch);
    watch->peak_rss = sizes.rss > watch->peak_rss ? sizes.rss : watch->peak_rss;
    uint64_t heap = watch->peak.heap, slack = heap / WATCH_FINENESS;
    slack = slack > WATCH_LEAST ? slack : WATCH_LEAST;
    if (watch->begun && sizes.rss - sizes.shared < watch->beside + heap + slack)
        return;
    if (residents_read(watch->pid, &watch->own, &now) < 0)
        return;
    watch->looks++;
    if (!watch->begun)
        watch->absent_before = now.absent;
    watch->begun = true;
    now.absent -= now.absent < watch->absent_before ? now.absent : watch->absent_before;
    watch->beside = sizes.rss - sizes.shared - now.heap;
    if (now.heap > watch->peak.heap)
        watch->peak = now;
}

static bool watch_is_first(const struct watch *watch, pid_t thread)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/task/%d", (int)watch->pid, (int)thread);
    return thread == watch->pid || access(path, F_OK) == 0;
}

void watch_serve(struct watch *watch)
{
    if (watch->listener < 0) {
        watch_look(watch);
        return;
    }
    struct seccomp_notif call = {0};
    if (ioctl(watch->listener, SECCOMP_IOCTL_NOTIF_RECV, &call) < 0)
        return;
    if (watch_is_first(watch, (pid_t)call.pid))
        watch_look(watch);
    struct seccomp_notif_resp answer = {.id = call.id, .flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE};
    ioctl(watch->listener, SECCOMP_IOCTL_NOTIF_SEND, &answer);
}

void watch_end(struct watch *watch)
{
    watch_listen(watch);
}
