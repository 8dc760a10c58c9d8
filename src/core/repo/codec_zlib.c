/* SPDX-License-Identifier: PostgreSQL */
#include "base/lib.h"
#include "codec_in.h"

#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#define GZIP_WRAPPER 16 /* zlib: added to the window bits, asks for the gzip format */

#define Z_LIST(X)                                                                              \
    X(pack, deflate)                                                                           \
    X(pack_end, deflateEnd)                                                                    \
    X(pack_init, deflateInit2_)                                                                \
    X(unpack, inflate)                                                                         \
    X(unpack_end, inflateEnd)                                                                  \
    X(unpack_init, inflateInit2_)                                                              \
    X(unpack_reset, inflateReset)                                                              \
    X(error, zError)

struct z_api {
    Z_LIST(LIB_MEMBER)
};

static const char *const z_symbols[] = {Z_LIST(LIB_SYMBOL)};

static const struct lib z_lib = {"libz.so.1", "Install zlib (Debian: apt install zlib1g).",
                                 ERR_CONFIG, z_symbols, sizeof z_symbols / sizeof z_symbols[0]};

struct zlib {
    struct codec base;
    struct z_api api;
    z_stream z;
};

static bool failed(const struct codec *c, int rc, struct err *err)
{
    return rc == Z_MEM_ERROR ? codec_no_memory(err)
                             : codec_damaged(c, ((const struct zlib *)c)->api.error(rc), err);
}

static struct codec *zlib_new(const struct codec_start *start, struct err *err)
{
    struct zlib *c = codec_base_new(sizeof *c, start, err);
    int rc;

    if (!c || !lib_load(&z_lib, &c->api, err)) {
        free(c);
        return NULL;
    }
    rc = start->way == CODEC_PACK
             ? c->api.pack_init(&c->z, start->level, Z_DEFLATED, MAX_WBITS + GZIP_WRAPPER, 8,
                                Z_DEFAULT_STRATEGY, ZLIB_VERSION, (int)sizeof c->z)
             : c->api.unpack_init(&c->z, MAX_WBITS + GZIP_WRAPPER, ZLIB_VERSION,
                                  (int)sizeof c->z);
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
        c->api.pack_end(&c->z);
    } else {
        c->api.unpack_end(&c->z);
    }
    free(c);
}

/* Between these two the library may work on what is left. */
static void lend(struct zlib *c, const struct codec_turn *t)
{
    /* zlib reads through a pointer that is not const for historical reasons. */
    c->z.next_in = (Bytef *)(uintptr_t)t->in;
    c->z.avail_in = CODEC_GIVE(t->left);
    c->z.next_out = (Bytef *)t->out;
    c->z.avail_out = CODEC_GIVE(t->room);
}

static enum codec_step take_back(struct zlib *c, struct codec_turn *t, int rc, struct err *err)
{
    codec_turn_on(t, CODEC_GIVE(t->left) - c->z.avail_in, CODEC_GIVE(t->room) - c->z.avail_out);
    if (rc == Z_STREAM_END) {
        return STEP_END;
    }
    if (rc == Z_OK || rc == Z_BUF_ERROR) {
        return STEP_ON;
    }
    failed(&c->base, rc, err);
    return STEP_FAILED;
}

static enum codec_step pack(struct codec *base, struct codec_turn *t, enum codec_input last,
                            struct err *err)
{
    struct zlib *c = (struct zlib *)base;
    bool is_all = last == CODEC_LAST && t->left <= CODEC_GIVE_MAX;

    lend(c, t);
    return take_back(c, t, c->api.pack(&c->z, is_all ? Z_FINISH : Z_NO_FLUSH), err);
}

static enum codec_step unpack(struct codec *base, struct codec_turn *t, struct err *err)
{
    struct zlib *c = (struct zlib *)base;

    lend(c, t);
    return take_back(c, t, c->api.unpack(&c->z, Z_NO_FLUSH), err);
}

static bool again(struct codec *base, struct err *err)
{
    int rc = ((struct zlib *)base)->api.unpack_reset(&((struct zlib *)base)->z);

    return rc == Z_OK || failed(base, rc, err);
}

static const struct codec_lib lib = {pack, unpack, again};

static bool zlib_run(struct codec *base, struct str *in, enum codec_input last,
                     struct codec_out *out, struct err *err)
{
    return codec_loop(base, &lib, in, last, out, err);
}

const struct codec_ops codec_zlib = {zlib_new, zlib_run, zlib_free};
