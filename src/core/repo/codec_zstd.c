/* SPDX-License-Identifier: PostgreSQL */
#include "base/lib.h"
#include "codec_in.h"

#include <stdlib.h>
#include <zstd.h>
#include <zstd_errors.h>

#define ZSTD_LIST(X)                                                                           \
    X(set, ZSTD_CCtx_setParameter)                                                             \
    X(pack, ZSTD_compressStream2)                                                              \
    X(new_packer, ZSTD_createCCtx)                                                             \
    X(new_unpacker, ZSTD_createDCtx)                                                           \
    X(unpack, ZSTD_decompressStream)                                                           \
    X(free_packer, ZSTD_freeCCtx)                                                              \
    X(free_unpacker, ZSTD_freeDCtx)                                                            \
    X(error_code, ZSTD_getErrorCode)                                                           \
    X(error_name, ZSTD_getErrorName)                                                           \
    X(is_error, ZSTD_isError)

struct zstd_api {
    ZSTD_LIST(LIB_MEMBER)
};

static const char *const zstd_symbols[] = {ZSTD_LIST(LIB_SYMBOL)};

static const struct lib zstd_lib = {"libzstd.so.1",
                                    "Install zstd (Debian: apt install libzstd1).", ERR_CONFIG,
                                    zstd_symbols, sizeof zstd_symbols / sizeof zstd_symbols[0]};

struct zstd {
    struct codec base;
    struct zstd_api api;
    ZSTD_CCtx *pack;
    ZSTD_DCtx *unpack;
};

static bool failed(const struct codec *base, size_t rc, struct err *err)
{
    const struct zstd *c = (const struct zstd *)base;

    return c->api.error_code(rc) == ZSTD_error_memory_allocation
               ? codec_no_memory(err)
               : codec_damaged(base, c->api.error_name(rc), err);
}

static void zstd_free(struct codec *base)
{
    struct zstd *c = (struct zstd *)base;

    c->api.free_packer(c->pack);
    c->api.free_unpacker(c->unpack);
    free(c);
}

static struct codec *zstd_new(const struct codec_start *start, struct err *err)
{
    struct zstd *c = codec_base_new(sizeof *c, start, err);
    size_t rc = 0;

    if (!c || !lib_load(&zstd_lib, &c->api, err)) {
        free(c);
        return NULL;
    }
    if (start->way == CODEC_UNPACK) {
        c->unpack = c->api.new_unpacker();
    } else if ((c->pack = c->api.new_packer()) != NULL) {
        rc = c->api.set(c->pack, ZSTD_c_compressionLevel, start->level);
        if (!c->api.is_error(rc)) {
            rc = c->api.set(c->pack, ZSTD_c_checksumFlag, 1);
        }
    }
    if ((!c->pack && !c->unpack) || c->api.is_error(rc)) {
        if (c->api.is_error(rc)) {
            failed(&c->base, rc, err);
        } else {
            codec_no_memory(err);
        }
        zstd_free(&c->base);
        return NULL;
    }
    return &c->base;
}

static enum codec_step turned(struct zstd *c, struct codec_turn *t, const ZSTD_inBuffer *in,
                              const ZSTD_outBuffer *out, size_t rc, struct err *err)
{
    codec_turn_on(t, in->pos, out->pos);
    if (!c->api.is_error(rc)) {
        return rc == 0 ? STEP_END : STEP_ON;
    }
    failed(&c->base, rc, err);
    return STEP_FAILED;
}

static enum codec_step pack(struct codec *base, struct codec_turn *t, enum codec_input last,
                            struct err *err)
{
    struct zstd *c = (struct zstd *)base;
    ZSTD_inBuffer in = {t->in, t->left, 0};
    ZSTD_outBuffer out = {t->out, t->room, 0};
    size_t rc =
        c->api.pack(c->pack, &out, &in, last == CODEC_LAST ? ZSTD_e_end : ZSTD_e_continue);
    enum codec_step step = turned(c, t, &in, &out, rc, err);

    return step == STEP_END && last != CODEC_LAST ? STEP_ON : step;
}

static enum codec_step unpack(struct codec *base, struct codec_turn *t, struct err *err)
{
    struct zstd *c = (struct zstd *)base;
    ZSTD_inBuffer in = {t->in, t->left, 0};
    ZSTD_outBuffer out = {t->out, t->room, 0};
    size_t rc = c->api.unpack(c->unpack, &out, &in);

    return turned(c, t, &in, &out, rc, err);
}

static const struct codec_lib lib = {pack, unpack, NULL};

static bool zstd_run(struct codec *base, struct str *in, enum codec_input last,
                     struct codec_out *out, struct err *err)
{
    return codec_loop(base, &lib, in, last, out, err);
}

const struct codec_ops codec_zstd = {zstd_new, zstd_run, zstd_free};
