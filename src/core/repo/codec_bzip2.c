/* SPDX-License-Identifier: PostgreSQL */
#include "codec_in.h"

#include <bzlib.h>
#include <stdlib.h>

#define GIVE_MAX (1u << 30)

struct bzip2 {
    struct codec base;
    bz_stream z;
    bool is_open; /* unpack: z is between Init and End */
};

static bool failed(const struct codec *c, int rc, struct err *err)
{
    return rc == BZ_MEM_ERROR ? codec_no_memory(err)
                              : codec_damaged(c,
                                              rc == BZ_DATA_ERROR         ? "wrong checksum"
                                              : rc == BZ_DATA_ERROR_MAGIC ? "no bzip2 header"
                                                                          : "refused by libbz2",
                                              err);
}

static bool restart(struct bzip2 *c, struct err *err)
{
    int rc;

    if (c->is_open) {
        BZ2_bzDecompressEnd(&c->z);
        c->is_open = false;
    }
    rc = BZ2_bzDecompressInit(&c->z, 0, 0);
    c->is_open = rc == BZ_OK;
    return c->is_open || failed(&c->base, rc, err);
}

static struct codec *bzip2_new(const struct codec_start *start, struct err *err)
{
    struct bzip2 *c = codec_base_new(sizeof *c, start, err);
    int rc;

    if (!c) {
        return NULL;
    }
    if (start->way == CODEC_PACK) {
        rc = BZ2_bzCompressInit(&c->z, start->level, 0, 0);
        if (rc == BZ_OK || failed(&c->base, rc, err)) {
            return &c->base;
        }
    } else if (restart(c, err)) {
        return &c->base;
    }
    free(c);
    return NULL;
}

static void bzip2_free(struct codec *base)
{
    struct bzip2 *c = (struct bzip2 *)base;

    if (base->way == CODEC_PACK) {
        BZ2_bzCompressEnd(&c->z);
    } else if (c->is_open) {
        BZ2_bzDecompressEnd(&c->z);
    }
    free(c);
}

static bool pack(struct bzip2 *c, enum codec_input last, struct err *err)
{
    while (!c->base.done && c->z.avail_out && (c->z.avail_in || last == CODEC_LAST)) {
        int rc = BZ2_bzCompress(&c->z, last == CODEC_LAST ? BZ_FINISH : BZ_RUN);

        if (rc != BZ_RUN_OK && rc != BZ_FINISH_OK && rc != BZ_STREAM_END) {
            return failed(&c->base, rc, err);
        }
        c->base.done = rc == BZ_STREAM_END;
    }
    return true;
}

static bool unpack(struct bzip2 *c, enum codec_input last, struct err *err)
{
    while (c->z.avail_out && (c->z.avail_in || !c->base.done)) {
        unsigned in = c->z.avail_in, out = c->z.avail_out;
        int rc;

        if (c->base.done) {
            bz_stream at = c->z;

            if (!restart(c, err)) {
                return false;
            }
            c->z.next_in = at.next_in;
            c->z.avail_in = at.avail_in;
            c->z.next_out = at.next_out;
            c->z.avail_out = at.avail_out;
            c->base.done = false;
        }
        rc = BZ2_bzDecompress(&c->z);
        if (rc == BZ_STREAM_END) {
            c->base.done = true;
        } else if (rc != BZ_OK) {
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

static bool bzip2_run(struct codec *base, struct str *in, enum codec_input last,
                      struct codec_out *out, struct err *err)
{
    struct bzip2 *c = (struct bzip2 *)base;
    unsigned give = in->n > GIVE_MAX ? GIVE_MAX : (unsigned)in->n;
    unsigned room = out->cap > GIVE_MAX ? GIVE_MAX : (unsigned)out->cap;
    bool ok;

    /* libbz2 reads through a pointer that is not const for historical reasons. */
    c->z.next_in = (char *)(uintptr_t)in->p;
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

const struct codec_ops codec_bzip2 = {bzip2_new, bzip2_run, bzip2_free};
