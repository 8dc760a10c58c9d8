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

/* The loop that zlib, libbz2 and libzstd want: a step takes some input, gives some output, and
 * says whether a member is at its end. */
struct codec_turn {
    const char *in;
    size_t left;
    char *out;
    size_t room;
};
enum codec_step { STEP_FAILED, STEP_ON, STEP_END };
struct codec_lib {
    /* END: everything is out, which it is only after the last input. */
    enum codec_step (*pack)(struct codec *c, struct codec_turn *t, enum codec_input last,
                            struct err *err);
    enum codec_step (*unpack)(struct codec *c, struct codec_turn *t, struct err *err);
    /* Get ready for another member; NULL: the library does so by itself. */
    bool (*again)(struct codec *c, struct err *err);
};
/* codec_ops.run by such a library. */
bool codec_loop(struct codec *c, const struct codec_lib *lib, struct str *in,
                enum codec_input last, struct codec_out *out, struct err *err);
/* A step took and gave so many bytes. */
void codec_turn_on(struct codec_turn *t, size_t taken, size_t given);
/* What zlib and libbz2 count with has 32 bits. */
#define CODEC_GIVE_MAX ((size_t)1 << 30)
#define CODEC_GIVE(n)  ((unsigned)((n) > CODEC_GIVE_MAX ? CODEC_GIVE_MAX : (n)))

/* Packed or unpacked bytes that found no room yet. */
struct codec_stage {
    char *p;
    size_t at, n;
};
/* Moves what fits into *out; true when all of it went. */
bool codec_drain(struct codec_stage *s, struct codec_out *out);

#endif
