/* SPDX-License-Identifier: PostgreSQL */
#include "base/lib.h"
#include "codec_in.h"

#include <bzlib.h>
#include <stdlib.h>

#define BZ2_LIST(X)                                                                            \
    X(pack, BZ2_bzCompress)                                                                    \
    X(pack_end, BZ2_bzCompressEnd)                                                             \
    X(pack_init, BZ2_bzCompressInit)                                                           \
    X(unpack, BZ2_bzDecompress)                                                                \
    X(unpack_end, BZ2_bzDecompressEnd)                                                         \
    X(unpack_init, BZ2_bzDecompressInit)

struct bz2_api {
    BZ2_LIST(LIB_MEMBER)
};

static const char *const bz2_symbols[] = {BZ2_LIST(LIB_SYMBOL)};

static const struct lib bz2_lib = {
    "libbz2.so.1", "Install bzip2 (Debian: apt install libbz2-1.0).", ERR_CONFIG, bz2_symbols,
    sizeof bz2_symbols / sizeof bz2_symbols[0]};

struct bzip2 {
    struct codec base;
    struct bz2_api api;
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
        c->api.unpack_end(&c->z);
        c->is_open = false;
    }
    rc = c->api.unpack_init(&c->z, 0, 0);
    c->is_open = rc == BZ_OK;
    return c->is_open || failed(&c->base, rc, err);
}

static struct codec *bzip2_new(const struct codec_start *start, struct err *err)
{
    struct bzip2 *c = codec_base_new(sizeof *c, start, err);
    int rc;

    if (!c || !lib_load(&bz2_lib, &c->api, err)) {
        free(c);
        return NULL;
    }
    if (start->way == CODEC_PACK) {
        rc = c->api.pack_init(&c->z, start->level, 0, 0);
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
        c->api.pack_end(&c->z);
    } else if (c->is_open) {
        c->api.unpack_end(&c->z);
    }
    free(c);
}

/* Between these two the library may work on what is left. */
static void lend(struct bzip2 *c, const struct codec_turn *t)
{
    /* libbz2 reads through a pointer that is not const for historical reasons. */
    c->z.next_in = (char *)(uintptr_t)t->in;
    c->z.avail_in = CODEC_GIVE(t->left);
    c->z.next_out = t->out;
    c->z.avail_out = CODEC_GIVE(t->room);
}

static void take_back(struct bzip2 *c, struct codec_turn *t)
{
    codec_turn_on(t, CODEC_GIVE(t->left) - c->z.avail_in, CODEC_GIVE(t->room) - c->z.avail_out);
}

static enum codec_step pack(struct codec *base, struct codec_turn *t, enum codec_input last,
                            struct err *err)
{
    struct bzip2 *c = (struct bzip2 *)base;
    bool is_all = last == CODEC_LAST && t->left <= CODEC_GIVE_MAX;
    int rc;

    lend(c, t);
    rc = c->api.pack(&c->z, is_all ? BZ_FINISH : BZ_RUN);
    take_back(c, t);
    if (rc == BZ_STREAM_END) {
        return STEP_END;
    }
    if (rc == BZ_RUN_OK || rc == BZ_FINISH_OK) {
        return STEP_ON;
    }
    failed(base, rc, err);
    return STEP_FAILED;
}

static enum codec_step unpack(struct codec *base, struct codec_turn *t, struct err *err)
{
    struct bzip2 *c = (struct bzip2 *)base;
    int rc;

    lend(c, t);
    rc = c->api.unpack(&c->z);
    take_back(c, t);
    if (rc == BZ_OK || rc == BZ_STREAM_END) {
        return rc == BZ_OK ? STEP_ON : STEP_END;
    }
    failed(base, rc, err);
    return STEP_FAILED;
}

static bool again(struct codec *base, struct err *err)
{
    return restart((struct bzip2 *)base, err);
}

static const struct codec_lib lib = {pack, unpack, again};

static bool bzip2_run(struct codec *base, struct str *in, enum codec_input last,
                      struct codec_out *out, struct err *err)
{
    return codec_loop(base, &lib, in, last, out, err);
}

const struct codec_ops codec_bzip2 = {bzip2_new, bzip2_run, bzip2_free};
