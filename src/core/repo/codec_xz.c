/* SPDX-License-Identifier: PostgreSQL */
#include "base/lib.h"
#include "codec_in.h"

#include <lzma.h>
#include <stdlib.h>

#define UNPACK_MEMORY (UINT64_C(512) << 20) /* level 9 wants 65 MiB; more is no file of ours */

#define LZMA_LIST(X)                                                                           \
    X(code, lzma_code)                                                                         \
    X(easy_encoder, lzma_easy_encoder)                                                         \
    X(end, lzma_end)                                                                           \
    X(stream_decoder, lzma_stream_decoder)

struct lzma_api {
    LZMA_LIST(LIB_MEMBER)
};

static const char *const lzma_symbols[] = {LZMA_LIST(LIB_SYMBOL)};

static const struct lib lzma_lib = {"liblzma.so.5",
                                    "Install xz (Debian: apt install liblzma5).", ERR_CONFIG,
                                    lzma_symbols, sizeof lzma_symbols / sizeof lzma_symbols[0]};

struct xz {
    struct codec base;
    struct lzma_api api;
    lzma_stream z;
};

static bool failed(const struct codec *c, lzma_ret rc, struct err *err)
{
    switch (rc) {
    case LZMA_MEM_ERROR:
        return codec_no_memory(err);
    case LZMA_MEMLIMIT_ERROR:
        return codec_damaged(c, "asks for more than 512 MiB", err);
    case LZMA_FORMAT_ERROR:
        return codec_damaged(c, "no xz header", err);
    case LZMA_OPTIONS_ERROR:
        return codec_damaged(c, "unknown filter", err);
    case LZMA_DATA_ERROR:
        return codec_damaged(c, "wrong checksum", err);
    case LZMA_BUF_ERROR:
        return codec_too_early(c, err);
    default:
        return codec_damaged(c, "refused by liblzma", err);
    }
}

static struct codec *xz_new(const struct codec_start *start, struct err *err)
{
    struct xz *c = codec_base_new(sizeof *c, start, err);
    lzma_ret rc;

    if (!c || !lib_load(&lzma_lib, &c->api, err)) {
        free(c);
        return NULL;
    }
    c->z = (lzma_stream)LZMA_STREAM_INIT;
    rc = start->way == CODEC_PACK
             ? c->api.easy_encoder(&c->z, (uint32_t)start->level, LZMA_CHECK_CRC64)
             : c->api.stream_decoder(&c->z, UNPACK_MEMORY, LZMA_CONCATENATED);
    if (rc != LZMA_OK) {
        failed(&c->base, rc, err);
        free(c);
        return NULL;
    }
    return &c->base;
}

static void xz_free(struct codec *base)
{
    struct xz *c = (struct xz *)base;

    c->api.end(&c->z);
    free(c);
}

static bool xz_run(struct codec *base, struct str *in, enum codec_input last,
                   struct codec_out *out, struct err *err)
{
    struct xz *c = (struct xz *)base;
    lzma_ret rc = LZMA_OK;

    c->z.next_in = (const uint8_t *)in->p;
    c->z.avail_in = in->n;
    c->z.next_out = out->p;
    c->z.avail_out = out->cap;
    /* Without progress it says so twice: the first time it may only want more input. */
    while (!base->done && rc == LZMA_OK && c->z.avail_out &&
           (c->z.avail_in || last == CODEC_LAST)) {
        rc = c->api.code(&c->z, last == CODEC_LAST ? LZMA_FINISH : LZMA_RUN);
        base->done = rc == LZMA_STREAM_END;
    }
    if (rc != LZMA_OK && rc != LZMA_STREAM_END) {
        return failed(base, rc, err);
    }
    if (base->done && c->z.avail_in) {
        return codec_damaged(base, "something follows the data", err);
    }
    *in = str_skip(*in, in->n - c->z.avail_in);
    out->got = out->cap - c->z.avail_out;
    return true;
}

const struct codec_ops codec_xz = {xz_new, xz_run, xz_free};
