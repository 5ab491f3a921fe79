/* Packs and writes chunks, blocks of events on a thread of their own where that is asked for. */
#include "workloads/packer.h"

#define ZSTD_STATIC_LINKING_ONLY
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <zstd.h>

#include "workloads/bytes.h"
#include "workloads/checksum.h"
#include "workloads/format.h"

/* Levels of zstd. 9 saves a tenth of the bytes for five times the time. What hardly repeats itself
 * is mostly packed by the frequencies of its bytes: looking for repetitions would cost twice as
 * much and save nothing. */
enum { PACKER_LEVEL = 3, PACKER_LEVEL_POOR = 1, PACKER_POOR = 3 };

/* One block is on its way at most. */
struct packer_beside {
    pthread_t thread;
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    bool pending, over;
    struct packer_block block;
    int failed;
    struct err err;
};

/* --- packing --- */

/* Packs `raw` bytes at `from` into `stored` at `at`, and moves `at` past them. */
static int packer_pack(struct packer *packer, int level, size_t *at, const void *from, size_t raw,
                       struct err *err)
{
    size_t most = ZSTD_compressBound(raw);
    if (array_reserve(&packer->stored, *at + most))
        return err_set(err, ENOMEM, "no memory left to write a trace");
    size_t stored =
        ZSTD_compressCCtx(packer->zstd, (uint8_t *)packer->stored.at + *at, most, from, raw, level);
    if (ZSTD_isError(stored))
        return err_set(err, EIO, "cannot compress a block: %s", ZSTD_getErrorName(stored));
    *at += stored;
    return 0;
}

/* Puts the head before the `stored` bytes that follow it, and writes both. */
static int packer_store(struct packer *packer, uint32_t tag, size_t stored, size_t raw,
                        uint32_t count, struct err *err)
{
    uint8_t *head = packer->stored.at;
    bytes_put32(head, tag);
    bytes_put32(head + 4, (uint32_t)stored);
    bytes_put32(head + 8, (uint32_t)raw);
    bytes_put32(head + 12, count);
    uint64_t sum = checksum64(head + FORMAT_CHUNK_BYTES, stored, checksum64(head, 16, 0));
    bytes_put64(head + 16, sum);
    if (tag == FORMAT_BLOCK)
        packer->sum = checksum64(head + 16, 8, packer->sum);
    if (tag == FORMAT_TOUCHED)
        packer->touched_sum = checksum64(head + 16, 8, packer->touched_sum);
    return output_write(&packer->output, head, FORMAT_CHUNK_BYTES + stored, err);
}

/* A directory of the streams, then each packed by itself, so that each has its own statistics. */
static int packer_streams(struct packer *packer, const struct packer_block *block, struct err *err)
{
    size_t at = FORMAT_CHUNK_BYTES + FORMAT_DIRECTORY_BYTES * CODEC_STREAMS, raw = 0;
    if (array_reserve(&packer->stored, at))
        return err_set(err, ENOMEM, "no memory left to write a trace");
    for (int i = 0; i < CODEC_STREAMS; i++) {
        size_t used = block->used[i], from = at;
        int level = packer->poor[i] ? PACKER_LEVEL_POOR : PACKER_LEVEL;
        if (used && packer_pack(packer, level, &at, block->begin[i], used, err))
            return -err->code;
        packer->poor[i] = (at - from) * PACKER_POOR > used;
        uint8_t *entry =
            (uint8_t *)packer->stored.at + FORMAT_CHUNK_BYTES + FORMAT_DIRECTORY_BYTES * i;
        bytes_put32(entry, (uint32_t)used);
        bytes_put32(entry + 4, (uint32_t)(at - from));
        raw += used;
    }
    return packer_store(packer, FORMAT_BLOCK, at - FORMAT_CHUNK_BYTES, raw, block->count, err);
}

/* --- the thread --- */

static void *packer_run(void *arg)
{
    struct packer *packer = arg;
    struct packer_beside *beside = packer->beside;
    pthread_mutex_lock(&beside->mutex);
    for (;;) {
        while (!beside->pending && !beside->over)
            pthread_cond_wait(&beside->changed, &beside->mutex);
        if (!beside->pending)
            break;
        pthread_mutex_unlock(&beside->mutex);
        int failed = packer_streams(packer, &beside->block, &beside->err);
        pthread_mutex_lock(&beside->mutex);
        beside->failed = failed;
        beside->pending = false;
        pthread_cond_signal(&beside->changed);
    }
    pthread_mutex_unlock(&beside->mutex);
    return NULL;
}

int packer_split(struct packer *packer)
{
    if (packer->beside)
        return 0;
    struct packer_beside *beside = calloc(1, sizeof *beside);
    if (!beside)
        return -ENOMEM;
    packer->beside = beside;
    pthread_mutex_init(&beside->mutex, NULL);
    pthread_cond_init(&beside->changed, NULL);
    if (pthread_create(&beside->thread, NULL, packer_run, packer) == 0)
        return 0;
    packer->beside = NULL;
    free(beside);
    return -ENOMEM;
}

int packer_settle(struct packer *packer, struct err *err)
{
    struct packer_beside *beside = packer->beside;
    if (!beside)
        return 0;
    pthread_mutex_lock(&beside->mutex);
    while (beside->pending)
        pthread_cond_wait(&beside->changed, &beside->mutex);
    pthread_mutex_unlock(&beside->mutex);
    return beside->failed ? err_set(err, beside->err.code, "%s", beside->err.text) : 0;
}

static void packer_hand_over(struct packer_beside *beside, const struct packer_block *block)
{
    pthread_mutex_lock(&beside->mutex);
    beside->block = *block;
    beside->pending = true;
    pthread_cond_signal(&beside->changed);
    pthread_mutex_unlock(&beside->mutex);
}

static void packer_join(struct packer *packer)
{
    struct packer_beside *beside = packer->beside;
    pthread_mutex_lock(&beside->mutex);
    beside->over = true;
    pthread_cond_signal(&beside->changed);
    pthread_mutex_unlock(&beside->mutex);
    pthread_join(beside->thread, NULL);
    packer->beside = NULL;
    free(beside);
}

/* --- all of it --- */

int packer_init(struct packer *packer)
{
    packer->zstd = ZSTD_createCCtx();
    return packer->zstd ? 0 : -ENOMEM;
}

void packer_release(struct packer *packer)
{
    if (packer->beside)
        packer_join(packer);
    array_release(&packer->stored);
    ZSTD_freeCCtx(packer->zstd);
}

int packer_chunk(struct packer *packer, uint32_t tag, const void *from, size_t raw, uint32_t count,
                 struct err *err)
{
    size_t at = FORMAT_CHUNK_BYTES;
    int failed = packer_settle(packer, err);
    if (!failed)
        failed = packer_pack(packer, PACKER_LEVEL, &at, from, raw, err);
    return failed ? failed : packer_store(packer, tag, at - FORMAT_CHUNK_BYTES, raw, count, err);
}

int packer_block(struct packer *packer, const struct packer_block *block, struct err *err)
{
    int failed = packer_settle(packer, err);
    if (failed)
        return failed;
    if (!packer->beside)
        return packer_streams(packer, block, err);
    packer_hand_over(packer->beside, block);
    return 0;
}
