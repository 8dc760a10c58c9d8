/* SPDX-License-Identifier: PostgreSQL */
#include "codec.h"

#include "base/bug.h"

#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#define GZIP_WRAPPER 16 /* zlib: added to the window bits, asks for the gzip format */

static const struct {
    const char *name;
    bool can;
    const char *magic;
    size_t n;
} kinds[] = {
    [CODEC_NONE] = {"", true, "", 0},
    [CODEC_BZIP2] = {"bzip2", false, "BZh", 3},
    [CODEC_GZIP] = {"gzip", true, "\x1f\x8b\x08", 3},
    [CODEC_LZ4] = {"lz4", false, "\x04\x22\x4d\x18", 4},
    [CODEC_SNAPPY] = {"snappy", false, "\xff\x06\x00\x00sNaPpY", 10},
    [CODEC_XZ] = {"xz", false,
                  "\xfd"
                  "7zXZ\0",
                  6},
    [CODEC_ZSTD] = {"zstd", false, "\x28\xb5\x2f\xfd", 4},
};

#define KINDS (sizeof kinds / sizeof kinds[0])

const char *codec_name(enum codec_kind kind)
{
    return kinds[kind].name;
}

bool codec_can(enum codec_kind kind)
{
    return kinds[kind].can;
}

enum codec_kind codec_detect(const void *head, size_t n)
{
    for (size_t i = 0; i < KINDS; i++) {
        if (kinds[i].n && n >= kinds[i].n && memcmp(head, kinds[i].magic, kinds[i].n) == 0) {
            return (enum codec_kind)i;
        }
    }
    return CODEC_NONE;
}

struct codec {
    enum codec_way way;
    bool done; /* unpack: at the end of a member; pack: everything is out */
    z_stream z;
};

struct codec *codec_new(enum codec_kind kind, enum codec_way way, int level, struct err *err)
{
    struct codec *c = calloc(1, sizeof *c);
    int rc;

    BUG_IF(kind == CODEC_NONE || !codec_can(kind));
    if (!c) {
        err_set(err, ERR_MEMORY, "", "", "out of memory");
        return NULL;
    }
    c->way = way;
    rc = way == CODEC_PACK ? deflateInit2(&c->z, level, Z_DEFLATED, MAX_WBITS + GZIP_WRAPPER, 8,
                                          Z_DEFAULT_STRATEGY)
                           : inflateInit2(&c->z, MAX_WBITS + GZIP_WRAPPER);
    if (rc != Z_OK) {
        err_set(err, rc == Z_MEM_ERROR ? ERR_MEMORY : ERR_FORMAT, "", "gzip", "%s", zError(rc));
        free(c);
        return NULL;
    }
    return c;
}

void codec_free(struct codec *c)
{
    if (!c) {
        return;
    }
    if (c->way == CODEC_PACK) {
        deflateEnd(&c->z);
    } else {
        inflateEnd(&c->z);
    }
    free(c);
}

static bool damaged(int rc, struct err *err)
{
    if (rc == Z_MEM_ERROR) {
        return err_set(err, ERR_MEMORY, "", "", "out of memory");
    }
    return err_set(err, ERR_FORMAT, "Look for another copy of this file.", "",
                   "damaged gzip data: %s", zError(rc));
}

static bool pack(struct codec *c, enum codec_input last, struct err *err)
{
    int rc;

    if (c->done) {
        return true;
    }
    rc = deflate(&c->z, last == CODEC_LAST ? Z_FINISH : Z_NO_FLUSH);
    c->done = rc == Z_STREAM_END;
    return rc == Z_OK || rc == Z_STREAM_END || rc == Z_BUF_ERROR ? true : damaged(rc, err);
}

/* A file may consist of several members, one after the other. */
static bool unpack(struct codec *c, enum codec_input last, struct err *err)
{
    while (c->z.avail_out && (c->z.avail_in || !c->done)) {
        uInt in = c->z.avail_in, out = c->z.avail_out;
        int rc;

        if (c->done) {
            rc = inflateReset(&c->z);
            if (rc != Z_OK) {
                return damaged(rc, err);
            }
            c->done = false;
        }
        rc = inflate(&c->z, Z_NO_FLUSH);
        if (rc == Z_STREAM_END) {
            c->done = true;
        } else if (rc != Z_OK && rc != Z_BUF_ERROR) {
            return damaged(rc, err);
        } else if (in == c->z.avail_in && out == c->z.avail_out) {
            break; /* wants more input */
        }
    }
    if (last == CODEC_LAST && !c->done && c->z.avail_in == 0 && c->z.avail_out) {
        return err_set(err, ERR_FORMAT, "Look for another copy of this file.", "",
                       "gzip data ends too early");
    }
    return true;
}

bool codec_run(struct codec *c, struct str *in, enum codec_input last, struct codec_out *out,
               struct err *err)
{
    uInt give = in->n > 1u << 30 ? 1u << 30 : (uInt)in->n;
    uInt room = out->cap > 1u << 30 ? 1u << 30 : (uInt)out->cap;
    bool ok;

    /* zlib reads through a pointer that is not const for historical reasons. */
    c->z.next_in = (Bytef *)(uintptr_t)in->p;
    c->z.avail_in = give;
    c->z.next_out = out->p;
    c->z.avail_out = room;
    ok = c->way == CODEC_PACK ? pack(c, last, err) : unpack(c, last, err);
    *in = str_skip(*in, give - c->z.avail_in);
    out->got = room - c->z.avail_out;
    return ok;
}
