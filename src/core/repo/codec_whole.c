/* SPDX-License-Identifier: PostgreSQL */
/* Packing all at once: gzip by libdeflate, zstd and lz4 by their own calls for that. */
#include "base/bug.h"
#include "base/lib.h"
#include "codec_in.h"

#include <libdeflate.h>
#include <lz4frame.h>
#include <stdlib.h>
#include <zstd.h>

#define DEFLATE_LIST(X)                                                                        \
    X(new_packer, libdeflate_alloc_compressor)                                                 \
    X(free_packer, libdeflate_free_compressor)                                                 \
    X(bound, libdeflate_gzip_compress_bound)                                                   \
    X(pack, libdeflate_gzip_compress)                                                          \
    X(new_unpacker, libdeflate_alloc_decompressor)                                             \
    X(free_unpacker, libdeflate_free_decompressor)                                             \
    X(unpack, libdeflate_gzip_decompress_ex)

#define ZSTD_LIST(X)                                                                           \
    X(new_packer, ZSTD_createCCtx)                                                             \
    X(free_packer, ZSTD_freeCCtx)                                                              \
    X(set, ZSTD_CCtx_setParameter)                                                             \
    X(bound, ZSTD_compressBound)                                                               \
    X(pack, ZSTD_compress2)                                                                    \
    X(is_error, ZSTD_isError)                                                                  \
    X(error_name, ZSTD_getErrorName)

#define LZ4_LIST(X)                                                                            \
    X(bound, LZ4F_compressFrameBound)                                                          \
    X(pack, LZ4F_compressFrame)                                                                \
    X(is_error, LZ4F_isError)                                                                  \
    X(error_name, LZ4F_getErrorName)

struct deflate_api {
    DEFLATE_LIST(LIB_MEMBER)
};
struct zstd_api {
    ZSTD_LIST(LIB_MEMBER)
};
struct lz4_api {
    LZ4_LIST(LIB_MEMBER)
};

static const char *const deflate_symbols[] = {DEFLATE_LIST(LIB_SYMBOL)};
static const char *const zstd_symbols[] = {ZSTD_LIST(LIB_SYMBOL)};
static const char *const lz4_symbols[] = {LZ4_LIST(LIB_SYMBOL)};

static const struct lib deflate_lib = {
    "libdeflate.so.0", "Install libdeflate (Debian: apt install libdeflate0).", ERR_CONFIG,
    deflate_symbols, sizeof deflate_symbols / sizeof deflate_symbols[0]};
static const struct lib zstd_lib = {"libzstd.so.1",
                                    "Install zstd (Debian: apt install libzstd1).", ERR_CONFIG,
                                    zstd_symbols, sizeof zstd_symbols / sizeof zstd_symbols[0]};
static const struct lib lz4_lib = {"liblz4.so.1", "Install lz4 (Debian: apt install liblz4-1).",
                                   ERR_CONFIG, lz4_symbols,
                                   sizeof lz4_symbols / sizeof lz4_symbols[0]};

struct whole_ops {
    bool (*open)(struct codec_whole *w, int level, struct err *err);
    void (*close)(struct codec_whole *w);
    size_t (*bound)(const struct codec_whole *w, size_t n);
    size_t (*pack)(struct codec_whole *w, struct str in, struct codec_out *out,
                   const char **why); /* 0: failed */
};

struct codec_whole {
    const struct whole_ops *ops;
    enum codec_kind kind;
    struct deflate_api deflate;
    struct libdeflate_compressor *deflater;
    struct zstd_api zstd;
    ZSTD_CCtx *cctx;
    struct lz4_api lz4;
    LZ4F_preferences_t prefs;
};

/* --- gzip --- */

static bool deflate_open(struct codec_whole *w, int level, struct err *err)
{
    if (!lib_load(&deflate_lib, &w->deflate, err)) {
        return false;
    }
    w->deflater = w->deflate.new_packer(level);
    return w->deflater || codec_no_memory(err);
}

static void deflate_close(struct codec_whole *w)
{
    if (w->deflater) {
        w->deflate.free_packer(w->deflater);
    }
}

static size_t deflate_bound(const struct codec_whole *w, size_t n)
{
    return w->deflate.bound(w->deflater, n);
}

static size_t deflate_pack(struct codec_whole *w, struct str in, struct codec_out *out,
                           const char **why)
{
    *why = "no room";
    return w->deflate.pack(w->deflater, in.p, in.n, out->p, out->cap);
}

/* --- zstd --- */

static bool zstd_open(struct codec_whole *w, int level, struct err *err)
{
    if (!lib_load(&zstd_lib, &w->zstd, err)) {
        return false;
    }
    w->cctx = w->zstd.new_packer();
    if (!w->cctx) {
        return codec_no_memory(err);
    }
    return (!w->zstd.is_error(w->zstd.set(w->cctx, ZSTD_c_compressionLevel, level)) &&
            !w->zstd.is_error(w->zstd.set(w->cctx, ZSTD_c_checksumFlag, 1))) ||
           err_set(err, ERR_CONFIG, "", codec_name(w->kind), "refuses level %d", level);
}

static void zstd_close(struct codec_whole *w)
{
    if (w->cctx) {
        w->zstd.free_packer(w->cctx);
    }
}

static size_t zstd_bound(const struct codec_whole *w, size_t n)
{
    return w->zstd.bound(n);
}

static size_t zstd_pack(struct codec_whole *w, struct str in, struct codec_out *out,
                        const char **why)
{
    size_t n = w->zstd.pack(w->cctx, out->p, out->cap, in.p, in.n);

    *why = w->zstd.error_name(n);
    return w->zstd.is_error(n) ? 0 : n;
}

/* --- lz4 --- */

static bool lz4_open(struct codec_whole *w, int level, struct err *err)
{
    w->prefs.compressionLevel = level;
    w->prefs.frameInfo.contentChecksumFlag = LZ4F_contentChecksumEnabled;
    w->prefs.frameInfo.blockSizeID = LZ4F_max256KB;
    return lib_load(&lz4_lib, &w->lz4, err);
}

static void lz4_close(struct codec_whole *w)
{
    (void)w;
}

static size_t lz4_bound(const struct codec_whole *w, size_t n)
{
    return w->lz4.bound(n, &w->prefs);
}

static size_t lz4_pack(struct codec_whole *w, struct str in, struct codec_out *out,
                       const char **why)
{
    size_t n = w->lz4.pack(out->p, out->cap, in.p, in.n, &w->prefs);

    *why = w->lz4.error_name(n);
    return w->lz4.is_error(n) ? 0 : n;
}

/* --- all --- */

static const struct whole_ops deflate_ops = {deflate_open, deflate_close, deflate_bound,
                                             deflate_pack};
static const struct whole_ops zstd_ops = {zstd_open, zstd_close, zstd_bound, zstd_pack};
static const struct whole_ops lz4_ops = {lz4_open, lz4_close, lz4_bound, lz4_pack};

static const struct whole_ops *ops_of(enum codec_kind kind)
{
    switch (kind) {
    case CODEC_GZIP:
    case CODEC_PIGZ:
    case CODEC_PYGZIP:
        return &deflate_ops;
    case CODEC_ZSTD:
        return &zstd_ops;
    case CODEC_LZ4:
        return &lz4_ops;
    default:
        return NULL;
    }
}

bool codec_has_whole(enum codec_kind kind)
{
    return ops_of(kind) != NULL;
}

struct codec_whole *codec_whole_new(enum codec_kind kind, int level, struct err *err)
{
    struct codec_whole *w = calloc(1, sizeof *w);

    if (!w) {
        codec_no_memory(err);
        return NULL;
    }
    w->kind = kind;
    w->ops = ops_of(kind);
    BUG_IF(!w->ops);
    if (!w->ops->open(w, level, err)) {
        codec_whole_free(w);
        return NULL;
    }
    return w;
}

void codec_whole_free(struct codec_whole *w)
{
    if (w) {
        w->ops->close(w);
        free(w);
    }
}

size_t codec_whole_bound(const struct codec_whole *w, size_t n)
{
    return w->ops->bound(w, n);
}

bool codec_whole_pack(struct codec_whole *w, struct str in, struct codec_out *out,
                      struct err *err)
{
    const char *why;

    out->got = w->ops->pack(w, in, out, &why);
    return out->got > 0 || err_set(err, ERR_FORMAT, "", codec_name(w->kind), "%s", why);
}

bool codec_whole_unpack(enum codec_kind kind, struct str in, struct codec_out *out)
{
    struct deflate_api api;
    struct libdeflate_decompressor *d;
    enum libdeflate_result rc;
    struct err unheard;
    size_t used = 0;

    out->got = 0;
    if (ops_of(kind) != &deflate_ops || !lib_load(&deflate_lib, &api, &unheard) ||
        !(d = api.new_unpacker())) {
        return false;
    }
    rc = api.unpack(d, in.p, in.n, out->p, out->cap, &used, &out->got);
    api.free_unpacker(d);
    return rc == LIBDEFLATE_SUCCESS && used == in.n;
}
