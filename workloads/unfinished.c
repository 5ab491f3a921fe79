/* Waiting for what would leave a file unfinished. */
#include "workloads/unfinished.h"

#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Sent to the thread that waits, it ends the waiting; from elsewhere it ends the program as ever.
 */
enum { UNFINISHED_DONE = SIGUSR2 };

struct unfinished {
    pthread_t thread;
    bool is_watched;  /* `thread` waits */
    sigset_t before;  /* what was held back when it began */
    sigset_t signals; /* what ends the program if nobody holds it back, and the end of waiting */
    char path[];
};

static void unfinished_end(const struct unfinished *unfinished, int number)
{
    sigset_t own;
    unlink(unfinished->path);
    sigemptyset(&own);
    sigaddset(&own, number);
    pthread_sigmask(SIG_UNBLOCK, &own, NULL);
    raise(number);
}

static void *unfinished_wait(void *context)
{
    const struct unfinished *unfinished = context;
    siginfo_t info;
    while (sigwaitinfo(&unfinished->signals, &info) < 0)
        ;
    bool is_own = info.si_signo == UNFINISHED_DONE && info.si_pid == getpid();
    if (!is_own)
        unfinished_end(unfinished, info.si_signo);
    return NULL;
}

/* Whether the signals hold any that would end the program. */
static bool unfinished_choose(const sigset_t *held, sigset_t *signals)
{
    static const int candidates[] = {SIGINT, SIGTERM, SIGHUP};
    bool any = false;
    sigemptyset(signals);
    sigaddset(signals, UNFINISHED_DONE);
    for (size_t i = 0; i < sizeof candidates / sizeof *candidates; i++) {
        struct sigaction now;
        if (sigismember(held, candidates[i]) || sigaction(candidates[i], NULL, &now) != 0 ||
            now.sa_handler != SIG_DFL)
            continue;
        sigaddset(signals, candidates[i]);
        any = true;
    }
    return any;
}

/* The signals are held back in all threads, so that only the one that waits gets them. */
struct unfinished *unfinished_hold(const char *path)
{
    size_t length = strlen(path) + 1;
    struct unfinished *unfinished = malloc(sizeof *unfinished + length);
    if (!unfinished)
        return NULL;
    unfinished->is_watched = false;
    memcpy(unfinished->path, path, length);
    pthread_sigmask(SIG_BLOCK, NULL, &unfinished->before);
    if (unfinished_choose(&unfinished->before, &unfinished->signals)) {
        pthread_sigmask(SIG_BLOCK, &unfinished->signals, NULL);
        return unfinished;
    }
    free(unfinished);
    return NULL;
}

void unfinished_watch(struct unfinished *unfinished)
{
    if (!unfinished)
        return;
    unfinished->is_watched =
        pthread_create(&unfinished->thread, NULL, unfinished_wait, unfinished) == 0;
    if (!unfinished->is_watched)
        pthread_sigmask(SIG_SETMASK, &unfinished->before, NULL);
}

void unfinished_release(struct unfinished *unfinished)
{
    if (!unfinished)
        return;
    if (unfinished->is_watched) {
        pthread_kill(unfinished->thread, UNFINISHED_DONE);
        pthread_join(unfinished->thread, NULL);
    }
    pthread_sigmask(SIG_SETMASK, &unfinished->before, NULL);
    free(unfinished);
}
