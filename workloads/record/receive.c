/* The recorder hands the spool over through a socket (harness/handover.h). */
#include "workloads/record/receive.h"

#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "workloads/record/spool.h"

enum { RECEIVE_SECONDS = 2 };

static int receive_connect(const char *where)
{
    struct sockaddr_un address;
    socklen_t length = spool_address(&address, where);
    struct timeval patience = {.tv_sec = RECEIVE_SECONDS};
    int socket_fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (socket_fd < 0)
        return -1;
    setsockopt(socket_fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    if (connect(socket_fd, (struct sockaddr *)&address, length) == 0)
        return socket_fd;
    close(socket_fd);
    return -1;
}

static int receive_file(int socket_fd, pid_t *pid)
{
    _Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(int))];
    struct iovec text = {pid, sizeof *pid};
    struct msghdr message = {.msg_iov = &text,
                             .msg_iovlen = 1,
                             .msg_control = control,
                             .msg_controllen = sizeof control};
    if (recvmsg(socket_fd, &message, MSG_CMSG_CLOEXEC) != sizeof *pid)
        return -1;
    const struct cmsghdr *head = CMSG_FIRSTHDR(&message);
    if (!head || head->cmsg_type != SCM_RIGHTS)
        return -1;
    int file;
    memcpy(&file, CMSG_DATA(head), sizeof file);
    return file;
}

int receive_spool(const char *where, pid_t *pid)
{
    pid_t own;
    char text[SPOOL_PATH] = "";
    strncpy(text, where, sizeof text - 1);
    int socket_fd = receive_connect(text);
    if (socket_fd < 0)
        return -1;
    bool asked = send(socket_fd, text, sizeof text, MSG_NOSIGNAL) == sizeof text;
    int file = asked ? receive_file(socket_fd, pid ? pid : &own) : -1;
    close(socket_fd);
    return file;
}
