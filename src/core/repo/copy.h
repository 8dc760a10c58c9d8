/* SPDX-License-Identifier: PostgreSQL */
/* copy.h - one file to another place, with proof that the bytes are those that were kept.
 *
 * Proof    With a digest the source is read once; what is summed up is what is written. Where
 *          the file system can share blocks (FICLONE) the file is cloned and then read.
 *          Without a digest the kernel copies (copy_file_range).
 * Again    COPY_RECHECK: a file that is there already with the right size and sum (or, without
 *          a digest, the source's bytes) stays; anything else is written anew.
 * Safety   Neither end is followed when it is a link; only regular files.
 * Sync     Tells the struct sync what was written; nothing is durable before sync_finish().
 * Told     wrote() of a file is told of each piece of it as it is written, 128 KiB to some MiB, and
 *          ends the copy by false, with the reason. A clone, and a file that is there already, are
 *          not told piece by piece.
 * Threads  Any number at a time; the struct sync is only read. About 256 KiB of stack.
 * Errors   ERR_FORMAT names a source whose size or sum is not as promised; ERR_IO.
 */
#ifndef REPO_COPY_H
#define REPO_COPY_H

#include "barkeep/err.h"
#include "base/digest.h"
#include "repo/sync.h"

#include <sys/stat.h>

enum copy_over { COPY_NEW, COPY_RECHECK };
enum copy_way { COPY_BYTES, COPY_CLONE };

struct copy_owner {
    bool change; /* chown what is made; needs root */
    uid_t uid;
    gid_t gid;
};

struct copy_rules { /* the same for all files of a tree */
    enum copy_over over;
    enum copy_way way;
    struct copy_owner owner;
    const struct sync *sync;
};

struct copy_file {
    const char *from, *to;
    const char *name; /* for messages, NULL: from */
    bool sized;
    uint64_t size; /* when sized: what it must be */
    enum digest_kind kind;
    const uint8_t *sum;                                        /* not for DIGEST_NONE */
    bool (*wrote)(void *ctx, uint64_t bytes, struct err *err); /* may be NULL */
    void *ctx;
};

/* *bytes: size of the file, also when it was left as it is. */
MUST_CHECK bool copy_file(const struct copy_rules *rules, const struct copy_file *file,
                          uint64_t *bytes, struct err *err);

/* Can files below these two directories share blocks? Tries it with a file of its own at `to`,
 * from `sample`. */
enum copy_way copy_way_between(const char *sample, const char *to_dir);

/* The sum of a file that stays where it is; same errors. */
MUST_CHECK bool copy_check(const struct copy_file *file, struct err *err);

/* mkdir with exactly that mode and owner; one that is there is fine. */
MUST_CHECK bool copy_dir(const char *path, mode_t mode, const struct copy_owner *owner,
                         struct err *err);

#endif
