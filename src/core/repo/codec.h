/* SPDX-License-Identifier: PostgreSQL */
/* codec.h - WAL files squeezed and unsqueezed as they stream by.
 *
 * A kind is found by the first bytes of a file. Kinds that this build only recognises (bzip2,
 * xz, zstd, lz4, snappy) are named in messages and kept as they are; codec_can() tells.
 *
 * Ownership  codec_new() / codec_free(); the buffers are the caller's.
 * Errors     ERR_FORMAT for damaged input, ERR_MEMORY.
 * Source     RFC 1952 (gzip); the magic numbers of the formats.
 */
#ifndef REPO_CODEC_H
#define REPO_CODEC_H

#include "barkeep/err.h"
#include "barkeep/str.h"

#include <stddef.h>
#include <stdint.h>

/* In the order in which Barman tries the magic numbers. */
enum codec_kind {
    CODEC_NONE,
    CODEC_BZIP2,
    CODEC_GZIP,
    CODEC_LZ4,
    CODEC_SNAPPY,
    CODEC_XZ,
    CODEC_ZSTD,
};

#define CODEC_MAGIC_LEN 10 /* bytes that codec_detect() wants to see, fewer at end of file */

const char *codec_name(enum codec_kind kind); /* "gzip", "" for none */
bool codec_can(enum codec_kind kind);
enum codec_kind codec_detect(const void *head, size_t n);

enum codec_way { CODEC_PACK, CODEC_UNPACK };

struct codec;

/* level 1 .. 9, only for CODEC_PACK. kind must be one that codec_can(), and not CODEC_NONE. */
struct codec *codec_new(enum codec_kind kind, enum codec_way way, int level, struct err *err);
void codec_free(struct codec *c);

enum codec_input { CODEC_MORE_COMES, CODEC_LAST };

struct codec_out {
    void *p;
    size_t cap;
    size_t got;
};

/* Takes from *in (moving it forward) and fills out->p up to out->cap. got 0 with *in used up:
 * feed more, or, after CODEC_LAST, finished. Input that ends inside a stream is ERR_FORMAT. */
MUST_CHECK bool codec_run(struct codec *c, struct str *in, enum codec_input last,
                          struct codec_out *out, struct err *err);

#endif
