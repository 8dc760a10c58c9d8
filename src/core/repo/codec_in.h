/* SPDX-License-Identifier: PostgreSQL */
/* codec_in.h - what the kinds of codec.h share among themselves: each begins with a struct
 * codec and has one table of three functions.
 */
#ifndef REPO_CODEC_IN_H
#define REPO_CODEC_IN_H

#include "codec.h"

struct codec_start {
    const char *name;
    enum codec_way way;
    int level;
    const struct codec_custom *custom;
};

struct codec_ops {
    struct codec *(*make)(const struct codec_start *start, struct err *err);
    bool (*run)(struct codec *c, struct str *in, enum codec_input last, struct codec_out *out,
                struct err *err);
    void (*close)(struct codec *c);               /* frees it */
    void (*heed)(struct codec *c, int cancel_fd); /* NULL: never waits */
};

struct codec {
    const struct codec_ops *ops;
    const char *name;
    enum codec_way way;
    bool done; /* unpack: at the end of a member; pack: everything is out */
};

extern const struct codec_ops codec_zlib, codec_bzip2, codec_xz, codec_zstd, codec_lz4,
    codec_snappy, codec_filter;

/* Zeroed, with the common part filled; NULL: ERR_MEMORY. */
void *codec_base_new(size_t size, const struct codec_start *start, struct err *err);

bool codec_damaged(const struct codec *c, const char *why, struct err *err);
bool codec_too_early(const struct codec *c, struct err *err);
bool codec_no_memory(struct err *err);

/* Packed or unpacked bytes that found no room yet. */
struct codec_stage {
    char *p;
    size_t at, n;
};
/* Moves what fits into *out; true when all of it went. */
bool codec_drain(struct codec_stage *s, struct codec_out *out);

#endif
