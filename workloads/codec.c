/* What encoder and decoder share. */
#include "workloads/codec.h"

#include <errno.h>
#include <string.h>

#include "harness/base/pages.h"

int codec_init(struct codec *codec, uint32_t columns)
{
    *codec = (struct codec){.columns = columns};
    numbering_init(&codec->numbering);
    codec->lanes = pages_map_lazy(CODEC_LANES * sizeof *codec->lanes);
    return codec->lanes ? 0 : -ENOMEM;
}

void codec_release(struct codec *codec)
{
    numbering_release(&codec->numbering);
    pages_unmap(codec->lanes, CODEC_LANES * sizeof *codec->lanes);
    codec->lanes = NULL;
}

int codec_settle(struct codec *codec, uint32_t objects, uint64_t threads)
{
    size_t lanes = threads < CODEC_LANES ? (size_t)threads : CODEC_LANES;
    memset(codec->lanes, 0, lanes * sizeof *codec->lanes);
    return numbering_reserve(&codec->numbering, objects + CODEC_STRETCH);
}
