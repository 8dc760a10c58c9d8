/* SPDX-License-Identifier: PostgreSQL */
/* gzip, by zlib as a stream and by libdeflate all at once. */
#include "codec_in.h"

#include <libdeflate.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#define GZIP_WRAPPER 16 /* zlib: added to the window bits, asks for the gzip format */
#define GIVE_MAX     (1u << 30)

struct zlib {
    struct codec base;
    z_stream z;
};

static bool failed(const struct codec *c, int rc, struct err *err)
{
    return rc == Z_MEM_ERROR ? codec_no_memory(err) : codec_damaged(c, zError(rc), err);
}

static struct codec *zlib_new(const struct codec_start *start, struct err *err)
{
    struct zlib *c = codec_base_new(sizeof *c, start, err);
    int rc;

    if (!c) {
        return NULL;
    }
    rc = start->way == CODEC_PACK
             ? deflateInit2(&c->z, start->level, Z_DEFLATED, MAX_WBITS + GZIP_WRAPPER, 8,
                            Z_DEFAULT_STRATEGY)
             : inflateInit2(&c->z, MAX_WBITS + GZIP_WRAPPER);
    if (rc != Z_OK) {
        failed(&c->base, rc, err);
        free(c);
        return NULL;
    }
    return &c->base;
}

static void zlib_free(struct codec *base)
{
    struct zlib *c = (struct zlib *)base;

    if (base->way == CODEC_PACK) {
        deflateEnd(&c->z);
    } else {
        inflateEnd(&c->z);
    }
    free(c);
}

static bool pack(struct zlib *c, enum codec_input last, struct err *err)
{
    int rc;

    if (c->base.done) {
        return true;
    }
    rc = deflate(&c->z, last == CODEC_LAST ? Z_FINISH : Z_NO_FLUSH);
    c->base.done = rc == Z_STREAM_END;
    return rc == Z_OK || rc == Z_STREAM_END || rc == Z_BUF_ERROR ? true
                                                                 : failed(&c->base, rc, err);
}

/* A file may consist of several members, one after the other. */
static bool unpack(struct zlib *c, enum codec_input last, struct err *err)
{
    while (c->z.avail_out && (c->z.avail_in || !c->base.done)) {
        uInt in = c->z.avail_in, out = c->z.avail_out;
        int rc;

        if (c->base.done) {
            rc = inflateReset(&c->z);
            if (rc != Z_OK) {
                return failed(&c->base, rc, err);
            }
            c->base.done = false;
        }
        rc = inflate(&c->z, Z_NO_FLUSH);
        if (rc == Z_STREAM_END) {
            c->base.done = true;
        } else if (rc != Z_OK && rc != Z_BUF_ERROR) {
            return failed(&c->base, rc, err);
        } else if (in == c->z.avail_in && out == c->z.avail_out) {
            break; /* wants more input */
        }
    }
    if (last == CODEC_LAST && !c->base.done && c->z.avail_in == 0 && c->z.avail_out) {
        return codec_too_early(&c->base, err);
    }
    return true;
}

static bool zlib_run(struct codec *base, struct str *in, enum codec_input last,
                     struct codec_out *out, struct err *err)
{
    struct zlib *c = (struct zlib *)base;
    uInt give = in->n > GIVE_MAX ? GIVE_MAX : (uInt)in->n;
    uInt room = out->cap > GIVE_MAX ? GIVE_MAX : (uInt)out->cap;
    bool ok;

    /* zlib reads through a pointer that is not const for historical reasons. */
    c->z.next_in = (Bytef *)(uintptr_t)in->p;
    c->z.avail_in = give;
    c->z.next_out = out->p;
    c->z.avail_out = room;
    if (give < in->n) {
        last = CODEC_MORE_COMES;
    }
    ok = base->way == CODEC_PACK ? pack(c, last, err) : unpack(c, last, err);
    *in = str_skip(*in, give - c->z.avail_in);
    out->got = room - c->z.avail_out;
    return ok;
}

const struct codec_ops codec_zlib = {zlib_new, zlib_run, zlib_free};

static bool is_gzip(enum codec_kind kind)
{
    return kind == CODEC_GZIP || kind == CODEC_PIGZ || kind == CODEC_PYGZIP;
}

size_t codec_whole_bound(enum codec_kind kind, size_t n)
{
    return is_gzip(kind) ? libdeflate_gzip_compress_bound(NULL, n) : 0;
}

bool codec_pack_whole(enum codec_kind kind, int level, struct str in, struct codec_out *out,
                      struct err *err)
{
    struct libdeflate_compressor *c = libdeflate_alloc_compressor(level);

    if (!c) {
        return codec_no_memory(err);
    }
    out->got = libdeflate_gzip_compress(c, in.p, in.n, out->p, out->cap);
    libdeflate_free_compressor(c);
    return out->got > 0 || err_set(err, ERR_FORMAT, "", codec_name(kind), "no room");
}

bool codec_unpack_whole(enum codec_kind kind, struct str in, struct codec_out *out)
{
    struct libdeflate_decompressor *d;
    enum libdeflate_result rc;
    size_t used = 0;

    out->got = 0;
    if (!is_gzip(kind) || !(d = libdeflate_alloc_decompressor())) {
        return false;
    }
    rc = libdeflate_gzip_decompress_ex(d, in.p, in.n, out->p, out->cap, &used, &out->got);
    libdeflate_free_decompressor(d);
    return rc == LIBDEFLATE_SUCCESS && used == in.n;
}
