/* SPDX-License-Identifier: PostgreSQL */
#include "codec_in.h"

#include <stdlib.h>
#include <zstd.h>
#include <zstd_errors.h>

struct zstd {
    struct codec base;
    ZSTD_CCtx *pack;
    ZSTD_DCtx *unpack;
};

static bool failed(const struct codec *c, size_t rc, struct err *err)
{
    return ZSTD_getErrorCode(rc) == ZSTD_error_memory_allocation
               ? codec_no_memory(err)
               : codec_damaged(c, ZSTD_getErrorName(rc), err);
}

static void zstd_free(struct codec *base)
{
    struct zstd *c = (struct zstd *)base;

    ZSTD_freeCCtx(c->pack);
    ZSTD_freeDCtx(c->unpack);
    free(c);
}

static struct codec *zstd_new(const struct codec_start *start, struct err *err)
{
    struct zstd *c = codec_base_new(sizeof *c, start, err);
    size_t rc = 0;

    if (!c) {
        return NULL;
    }
    if (start->way == CODEC_UNPACK) {
        c->unpack = ZSTD_createDCtx();
    } else if ((c->pack = ZSTD_createCCtx()) != NULL) {
        rc = ZSTD_CCtx_setParameter(c->pack, ZSTD_c_compressionLevel, start->level);
        if (!ZSTD_isError(rc)) {
            rc = ZSTD_CCtx_setParameter(c->pack, ZSTD_c_checksumFlag, 1);
        }
    }
    if ((!c->pack && !c->unpack) || ZSTD_isError(rc)) {
        if (ZSTD_isError(rc)) {
            failed(&c->base, rc, err);
        } else {
            codec_no_memory(err);
        }
        zstd_free(&c->base);
        return NULL;
    }
    return &c->base;
}

static bool pack(struct zstd *c, ZSTD_inBuffer *in, enum codec_input last, ZSTD_outBuffer *out,
                 struct err *err)
{
    while (!c->base.done && out->pos < out->size &&
           (in->pos < in->size || last == CODEC_LAST)) {
        size_t rc = ZSTD_compressStream2(c->pack, out, in,
                                         last == CODEC_LAST ? ZSTD_e_end : ZSTD_e_continue);

        if (ZSTD_isError(rc)) {
            return failed(&c->base, rc, err);
        }
        c->base.done = last == CODEC_LAST && rc == 0;
    }
    return true;
}

static bool unpack(struct zstd *c, ZSTD_inBuffer *in, enum codec_input last,
                   ZSTD_outBuffer *out, struct err *err)
{
    while (out->pos < out->size && (in->pos < in->size || !c->base.done)) {
        size_t had = in->pos, gave = out->pos;
        size_t rc = ZSTD_decompressStream(c->unpack, out, in);

        if (ZSTD_isError(rc)) {
            return failed(&c->base, rc, err);
        }
        c->base.done = rc == 0;
        if (had == in->pos && gave == out->pos) {
            break; /* wants more input */
        }
    }
    if (last == CODEC_LAST && !c->base.done && in->pos == in->size && out->pos < out->size) {
        return codec_too_early(&c->base, err);
    }
    return true;
}

static bool zstd_run(struct codec *base, struct str *in, enum codec_input last,
                     struct codec_out *out, struct err *err)
{
    struct zstd *c = (struct zstd *)base;
    ZSTD_inBuffer from = {in->p, in->n, 0};
    ZSTD_outBuffer to = {out->p, out->cap, 0};
    bool ok = c->pack ? pack(c, &from, last, &to, err) : unpack(c, &from, last, &to, err);

    *in = str_skip(*in, from.pos);
    out->got = to.pos;
    return ok;
}

const struct codec_ops codec_zstd = {zstd_new, zstd_run, zstd_free};
