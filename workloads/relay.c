/* A thread that encodes, and the batches on their way to it. */
#include "workloads/relay.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>

#include "workloads/encoder.h"

enum { RELAY_EXPECT = 16 }; /* events before an object is needed, it is fetched */

struct relay_thread {
    struct trace_writer *writer;
    struct encoder *encoder; /* the writer's */
    pthread_t thread;
    pthread_mutex_t mutex;
    pthread_cond_t handed_over, taken;
    uint64_t handed, done; /* batches */
    bool over;
    int failed;
    struct err err;
    uint32_t counts[RELAY_AHEAD];
    struct trace_event batches[RELAY_AHEAD][RELAY_BATCH];
};

/* --- the thread --- */

static bool relay_is_free(const struct trace_event *event)
{
    return event->kind == TRACE_FREE && event->object != TRACE_NO_OBJECT;
}

static int relay_encode(struct relay_thread *thread, const struct trace_event *event)
{
    struct encoder *encoder = thread->encoder;
    bool plain = event->kind <= TRACE_CALLOC && !event->flags;
    if (!plain && !relay_is_free(event))
        return trace_writer_add(thread->writer, event, &thread->err);
    int failed =
        plain ? encoder_allocate(encoder, event->kind, event->thread, event->size, event->site,
                                 event->time_ns)
              : encoder_free(encoder, event->thread, event->object, event->site, event->time_ns);
    if (failed)
        return err_set(&thread->err, ENOMEM, "no memory left to write a trace");
    return encoder_is_full(encoder) ? trace_writer_block(thread->writer, &thread->err) : 0;
}

static int relay_encode_all(struct relay_thread *thread, const struct trace_event *events,
                            uint32_t count)
{
    int failed = 0;
    for (uint32_t i = 0; i < count && !failed; i++) {
        uint32_t ahead = i + RELAY_EXPECT;
        if (ahead < count && relay_is_free(&events[ahead]))
            __builtin_prefetch(encoder_object(thread->encoder, events[ahead].object), 1);
        failed = relay_encode(thread, &events[i]);
    }
    return failed;
}

/* With the mutex held. */
static bool relay_waits(struct relay_thread *thread)
{
    while (thread->handed == thread->done && !thread->over)
        pthread_cond_wait(&thread->handed_over, &thread->mutex);
    return thread->handed != thread->done;
}

static void *relay_run(void *arg)
{
    struct relay_thread *thread = arg;
    int failed = 0;
    pthread_mutex_lock(&thread->mutex);
    while (relay_waits(thread)) {
        uint32_t at = (uint32_t)(thread->done % RELAY_AHEAD);
        pthread_mutex_unlock(&thread->mutex);
        if (!failed)
            failed = relay_encode_all(thread, thread->batches[at], thread->counts[at]);
        pthread_mutex_lock(&thread->mutex);
        thread->failed = failed;
        thread->done++;
        pthread_cond_signal(&thread->taken);
    }
    pthread_mutex_unlock(&thread->mutex);
    return NULL;
}

/* --- who hands over --- */

/* The free numbers in the order in which the encoder will take them. */
static int relay_number(struct relay *relay, const struct encoder *encoder)
{
    struct numbering *numbering = &relay->numbering;
    numbering_init(numbering);
    if (array_reserve(&numbering->links, encoder->ready * sizeof(uint32_t)))
        return -ENOMEM;
    for (uint32_t i = 0; i < encoder->ready; i++) {
        const struct encoder_object *object = encoder_object(encoder, i);
        numbering_links(numbering)[i] = object->thread ? NUMBERING_LIVE : i + 1 + object->position;
        numbering->live += object->thread != 0;
    }
    numbering->head = encoder->head;
    numbering->ready = encoder->ready;
    return 0;
}

static void relay_release(struct relay *relay)
{
    numbering_release(&relay->numbering);
    free(relay->thread);
    *relay = (struct relay){0};
}

static int relay_start(struct relay_thread *thread)
{
    pthread_mutex_init(&thread->mutex, NULL);
    pthread_cond_init(&thread->handed_over, NULL);
    pthread_cond_init(&thread->taken, NULL);
    return pthread_create(&thread->thread, NULL, relay_run, thread) ? -ENOMEM : 0;
}

int relay_open(struct relay *relay, struct trace_writer *writer)
{
    struct encoder *encoder = trace_writer_encoder(writer);
    *relay = (struct relay){.events = encoder_events(encoder)};
    relay->thread = calloc(1, sizeof *relay->thread);
    if (!relay->thread)
        return -ENOMEM;
    relay->thread->writer = writer;
    relay->thread->encoder = encoder;
    relay->batch = relay->thread->batches[0];
    if (!relay_number(relay, encoder) && !relay_start(relay->thread))
        return 0;
    relay_release(relay);
    return -ENOMEM;
}

/* Hands over what there is and waits until no more than `most` batches are on their way. */
static int relay_hand_over(struct relay *relay, uint64_t most, struct err *err)
{
    struct relay_thread *thread = relay->thread;
    pthread_mutex_lock(&thread->mutex);
    if (relay->count) {
        thread->counts[thread->handed++ % RELAY_AHEAD] = relay->count;
        pthread_cond_signal(&thread->handed_over);
    }
    while (thread->handed - thread->done > most)
        pthread_cond_wait(&thread->taken, &thread->mutex);
    int failed = thread->failed;
    relay->batch = thread->batches[thread->handed % RELAY_AHEAD];
    pthread_mutex_unlock(&thread->mutex);
    relay->count = 0;
    return failed ? err_set(err, thread->err.code, "%s", thread->err.text) : 0;
}

int relay_turn(struct relay *relay, struct err *err)
{
    return relay_hand_over(relay, RELAY_AHEAD - 1, err);
}

int relay_settle(struct relay *relay, struct err *err)
{
    return relay_hand_over(relay, 0, err);
}

int relay_close(struct relay *relay, struct err *err)
{
    struct relay_thread *thread = relay->thread;
    int failed = relay_settle(relay, err);
    pthread_mutex_lock(&thread->mutex);
    thread->over = true;
    pthread_cond_signal(&thread->handed_over);
    pthread_mutex_unlock(&thread->mutex);
    pthread_join(thread->thread, NULL);
    relay_release(relay);
    return failed;
}
