/* SPDX-License-Identifier: PostgreSQL */
#include "base/lib.h"
#include "codec_in.h"

#include <lz4frame.h>
#include <stdlib.h>
#include <string.h>

#define PIECE 65536 /* packed at once */

#define LZ4_LIST(X)                                                                            \
    X(pack_begin, LZ4F_compressBegin)                                                          \
    X(pack_bound, LZ4F_compressBound)                                                          \
    X(pack_end, LZ4F_compressEnd)                                                              \
    X(pack_more, LZ4F_compressUpdate)                                                          \
    X(new_packer, LZ4F_createCompressionContext)                                               \
    X(new_unpacker, LZ4F_createDecompressionContext)                                           \
    X(unpack, LZ4F_decompress)                                                                 \
    X(free_packer, LZ4F_freeCompressionContext)                                                \
    X(free_unpacker, LZ4F_freeDecompressionContext)                                            \
    X(error_name, LZ4F_getErrorName)                                                           \
    X(is_error, LZ4F_isError)

struct lz4_api {
    LZ4_LIST(LIB_MEMBER)
};

static const char *const lz4_symbols[] = {LZ4_LIST(LIB_SYMBOL)};

static const struct lib lz4_lib = {"liblz4.so.1", "Install lz4 (Debian: apt install liblz4-1).",
                                   ERR_CONFIG, lz4_symbols,
                                   sizeof lz4_symbols / sizeof lz4_symbols[0]};

struct lz4 {
    struct codec base;
    struct lz4_api api;
    LZ4F_preferences_t prefs;
    LZ4F_cctx *pack;
    LZ4F_dctx *unpack;
    bool begun;
    struct codec_stage stage; /* pack */
    size_t stage_cap;
};

static bool failed(const struct codec *base, size_t rc, struct err *err)
{
    const char *why = ((const struct lz4 *)base)->api.error_name(rc);

    return strcmp(why, "ERROR_allocation_failed") == 0 ? codec_no_memory(err)
                                                       : codec_damaged(base, why, err);
}

static void lz4_free(struct codec *base)
{
    struct lz4 *c = (struct lz4 *)base;

    c->api.free_packer(c->pack);
    c->api.free_unpacker(c->unpack);
    free(c->stage.p);
    free(c);
}

static bool packer_new(struct lz4 *c, int level)
{
    c->prefs.compressionLevel = level;
    c->prefs.frameInfo.contentChecksumFlag = LZ4F_contentChecksumEnabled;
    c->prefs.frameInfo.blockSizeID = LZ4F_max256KB;
    c->stage_cap = c->api.pack_bound(PIECE, &c->prefs) + LZ4F_HEADER_SIZE_MAX;
    c->stage.p = malloc(c->stage_cap);
    return c->stage.p && !c->api.is_error(c->api.new_packer(&c->pack, LZ4F_VERSION));
}

static struct codec *lz4_new(const struct codec_start *start, struct err *err)
{
    struct lz4 *c = codec_base_new(sizeof *c, start, err);
    bool ok;

    if (!c || !lib_load(&lz4_lib, &c->api, err)) {
        free(c);
        return NULL;
    }
    ok = start->way == CODEC_PACK
             ? packer_new(c, start->level)
             : !c->api.is_error(c->api.new_unpacker(&c->unpack, LZ4F_VERSION));
    if (!ok) {
        codec_no_memory(err);
        lz4_free(&c->base);
        return NULL;
    }
    return &c->base;
}

/* The next bytes into the stage: the header, a piece, or the end. */
static bool stage_next(struct lz4 *c, struct str *in, enum codec_input last, struct err *err)
{
    size_t rc, give = in->n < PIECE ? in->n : PIECE;

    c->stage.at = c->stage.n = 0;
    if (!c->begun) {
        rc = c->api.pack_begin(c->pack, c->stage.p, c->stage_cap, &c->prefs);
        give = 0;
        c->begun = true;
    } else if (give) {
        rc = c->api.pack_more(c->pack, c->stage.p, c->stage_cap, in->p, give, NULL);
    } else if (last == CODEC_LAST) {
        rc = c->api.pack_end(c->pack, c->stage.p, c->stage_cap, NULL);
        c->base.done = true;
    } else {
        return true;
    }
    if (c->api.is_error(rc)) {
        return failed(&c->base, rc, err);
    }
    *in = str_skip(*in, give);
    c->stage.n = rc;
    return true;
}

static bool pack(struct lz4 *c, struct str *in, enum codec_input last, struct codec_out *out,
                 struct err *err)
{
    while (codec_drain(&c->stage, out) && !c->base.done && (in->n || last == CODEC_LAST)) {
        if (!stage_next(c, in, last, err)) {
            return false;
        }
    }
    return true;
}

static bool unpack(struct lz4 *c, struct str *in, enum codec_input last, struct codec_out *out,
                   struct err *err)
{
    while (out->got < out->cap && (in->n || !c->base.done)) {
        size_t used = in->n, given = out->cap - out->got;
        size_t rc =
            c->api.unpack(c->unpack, (char *)out->p + out->got, &given, in->p, &used, NULL);

        if (c->api.is_error(rc)) {
            return failed(&c->base, rc, err);
        }
        c->base.done = rc == 0;
        out->got += given;
        *in = str_skip(*in, used);
        if (!used && !given) {
            break; /* wants more input */
        }
    }
    if (last == CODEC_LAST && !c->base.done && in->n == 0 && out->got < out->cap) {
        return codec_too_early(&c->base, err);
    }
    return true;
}

static bool lz4_run(struct codec *base, struct str *in, enum codec_input last,
                    struct codec_out *out, struct err *err)
{
    struct lz4 *c = (struct lz4 *)base;

    return c->pack ? pack(c, in, last, out, err) : unpack(c, in, last, out, err);
}

const struct codec_ops codec_lz4 = {lz4_new, lz4_run, lz4_free};
