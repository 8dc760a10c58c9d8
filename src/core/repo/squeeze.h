/* SPDX-License-Identifier: PostgreSQL */
/* squeeze.h - one stream compressed on several workers, its order kept, in bounded memory.
 *
 * The stream is cut into blocks of SQUEEZE_BLOCK bytes; each becomes a gzip member, a zstd or
 * an lz4 frame of its own, and gzip, zstd, lz4 and tar read them one after the other as one
 * file. Blocks are packed side by side, a lane for each, and written in their order by whoever
 * feeds the stream. CODEC_NONE writes what comes.
 *
 * Memory   (2 x lanes + 1) blocks, in and out.
 * Threads  new and free in the thread of the verb; begin, put, end in one thread, which may be
 *          another.
 * Errors   ERR_IO of the file; ERR_CANCEL.
 */
#ifndef REPO_SQUEEZE_H
#define REPO_SQUEEZE_H

#include "barkeep/task.h"
#include "repo/codec.h"
#include "repo/sync.h"

#define SQUEEZE_BLOCK ((size_t)2 * 1024 * 1024)

struct squeeze_spec {
    const struct task *task;
    enum codec_kind kind;
    int level;         /* of the kind's own range */
    unsigned lanes;    /* 1 or more */
    struct sync *sync; /* told what was written; may be NULL (a pipe) */
};

struct squeeze;

MUST_CHECK struct squeeze *squeeze_new(const struct squeeze_spec *spec, struct err *err);
void squeeze_free(struct squeeze *s); /* NULL is fine; after end, or to give up */

/* The stream that follows goes to fd; what: its name for messages, as long as it lasts. */
void squeeze_begin(struct squeeze *s, int fd, const char *what);
MUST_CHECK bool squeeze_put(struct squeeze *s, const void *p, size_t n, struct err *err);
/* All of it written; *bytes: how many, compressed. An empty stream is an empty file. */
MUST_CHECK bool squeeze_end(struct squeeze *s, uint64_t *bytes, struct err *err);

#endif
