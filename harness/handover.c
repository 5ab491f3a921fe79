/* The spool's file through a socket, and who it is that asks, as this process numbers it. */
#include "harness/handover.h"

#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

enum { HANDOVER_WAITING = 64, HANDOVER_PAUSE_NS = 10000000 };

/* Who connects is expected to ask at once. */
static bool handover_is_asked(int peer, const struct spool *spool)
{
    char text[SPOOL_PATH];
    struct timeval patience = {.tv_sec = 1};
    setsockopt(peer, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    return recv(peer, text, sizeof text, MSG_WAITALL) == sizeof text &&
           memcmp(text, spool->path, sizeof text) == 0;
}

static void handover_send(int peer, int file)
{
    struct ucred who = {0};
    socklen_t length = sizeof who;
    getsockopt(peer, SOL_SOCKET, SO_PEERCRED, &who, &length);
    _Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof file)] = {0};
    struct iovec text = {&who.pid, sizeof who.pid};
    struct msghdr message = {.msg_iov = &text,
                             .msg_iovlen = 1,
                             .msg_control = control,
                             .msg_controllen = sizeof control};
    struct cmsghdr *head = CMSG_FIRSTHDR(&message);
    head->cmsg_level = SOL_SOCKET;
    head->cmsg_type = SCM_RIGHTS;
    head->cmsg_len = CMSG_LEN(sizeof file);
    memcpy(CMSG_DATA(head), &file, sizeof file);
    sendmsg(peer, &message, MSG_NOSIGNAL);
}

/* The next who asks; negative once nobody is served any more. What is wrong with one of them is no
 * reason to leave the others alone, and descriptors that are short come back. */
static int handover_accept(const struct handover *handover)
{
    const struct timespec pause = {.tv_nsec = HANDOVER_PAUSE_NS};
    while (!atomic_load(&handover->over)) {
        int peer = accept4(handover->socket, NULL, NULL, SOCK_CLOEXEC);
        if (peer >= 0)
            return peer;
        nanosleep(&pause, NULL);
    }
    return -1;
}

static void *handover_serve(void *arg)
{
    struct handover *handover = arg;
    int peer;
    while ((peer = handover_accept(handover)) >= 0) {
        if (handover_is_asked(peer, handover->spool))
            handover_send(peer, handover->spool->file);
        close(peer);
    }
    return NULL;
}

static int handover_listen(const char *where)
{
    struct sockaddr_un address;
    socklen_t length = spool_address(&address, where);
    int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (listener >= 0 && bind(listener, (struct sockaddr *)&address, length) == 0 &&
        listen(listener, HANDOVER_WAITING) == 0)
        return listener;
    if (listener >= 0)
        close(listener);
    return -1;
}

void handover_begin(struct handover *handover, const struct spool *spool)
{
    *handover = (struct handover){.spool = spool, .socket = handover_listen(spool->path)};
    if (handover->socket < 0 ||
        pthread_create(&handover->thread, NULL, handover_serve, handover) == 0)
        return;
    close(handover->socket);
    handover->socket = -1;
}

/* Shutting the socket down ends the accept. */
void handover_end(struct handover *handover)
{
    if (handover->socket < 0)
        return;
    atomic_store(&handover->over, true);
    shutdown(handover->socket, SHUT_RDWR);
    pthread_join(handover->thread, NULL);
    close(handover->socket);
}
