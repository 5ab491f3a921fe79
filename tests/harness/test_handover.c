/* A spool is handed over although taking in one who asks fails now and then. */
#include "tests/unit.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "harness/handover.h"

static _Atomic int failures; /* to come */

int accept4(int listener, __SOCKADDR_ARG address, socklen_t *length, int flags)
{
    static const int reasons[] = {EMFILE, ECONNABORTED, EINTR};
    int failure = atomic_load(&failures);
    if (failure) {
        atomic_store(&failures, failure - 1);
        errno = reasons[failure - 1];
        return -1;
    }
    return (int)syscall(SYS_accept4, listener, address.__sockaddr__, length, flags);
}

/* Bytes that came with a file, or -1. */
static ssize_t ask(const struct spool *spool, char *control, size_t room)
{
    struct sockaddr_un address;
    socklen_t length = spool_address(&address, spool->path);
    pid_t pid;
    struct iovec text = {&pid, sizeof pid};
    struct msghdr message = {
        .msg_iov = &text, .msg_iovlen = 1, .msg_control = control, .msg_controllen = room};
    int peer = socket(AF_UNIX, SOCK_STREAM, 0);
    assert_int_equal(connect(peer, (struct sockaddr *)&address, length), 0);
    assert_int_equal(send(peer, spool->path, sizeof spool->path, 0), sizeof spool->path);
    ssize_t got = recvmsg(peer, &message, 0);
    close(peer);
    return got > 0 && message.msg_controllen ? got : -1;
}

static void those_who_ask_are_served_on(void **state)
{
    (void)state;
    struct spool spool = {.file = memfd_create("spool", 0)};
    struct handover handover;
    _Alignas(8) char control[64];
    snprintf(spool.path, sizeof spool.path, "/proc/%d/fd/test:secret", (int)getpid());
    atomic_store(&failures, 3);
    handover_begin(&handover, &spool);
    assert_true(handover.socket >= 0);
    for (int i = 0; i < 3; i++)
        assert_int_equal(ask(&spool, control, sizeof control), sizeof(pid_t));
    handover_end(&handover);
    close(spool.file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(those_who_ask_are_served_on)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
