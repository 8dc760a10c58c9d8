/* SPDX-License-Identifier: PostgreSQL */
/* kept_pack.h - a kept backup that is stored as archives: what is there, and reading it through
 * once, member by member, without unpacking it anywhere.
 *
 *     data/base.tar  .tar.gz  .tar.lz4  .tar.zst  .tar.bz2 ...  and  .gpg  behind each
 *     data/<oid>.tar...                                         a tablespace
 *
 *     file -> [gpg] -> [the codec its first bytes tell] -> tar -> sums, and whoever listens
 *
 * How it is compressed is seen from its bytes, not from its name. Every member's size and sum
 * is held against the manifest when the archive has ended: a reader that wants nothing on the
 * disk (verify-backup) and one that extracts (restore) differ in their events only.
 *
 * Threads  kept_pack_read() in any thread, one archive each. gpg runs on a lane beside.
 * Errors   ERR_FORMAT: damage, named by archive and member; what gpg says.
 */
#ifndef ENGINE_KEPT_PACK_H
#define ENGINE_KEPT_PACK_H

#include "barkeep/arena.h"
#include "barkeep/task.h"
#include "engine/sums.h"
#include "repo/gpg.h"
#include "repo/tar.h"

struct kept_archive {
    uint32_t oid; /* 0: the base */
    const char *path;
    const char *name; /* "base.tar.gz" */
    uint64_t size;    /* on the disk */
};

/* Those of a data directory, the base first; *n 0: it is not stored as archives. */
MUST_CHECK bool kept_pack_list(struct arena *a, const char *data_dir,
                               const struct kept_archive **list, size_t *n, struct err *err);

struct kept_pack_read {
    const struct task *task;
    const struct gpg *gpg; /* for archives that are encrypted */
    const struct kept_archive *list;
    size_t n;
    size_t at;                  /* the archive to read */
    const char *manifest;       /* path; NULL: nothing to hold it against */
    enum digest_kind checksums; /* of that manifest */
    const char *spool;          /* directory for the spool of sums */
    /* May be NULL. false stops. */
    struct tar_events events;
    /* NULL: the first wrong file is the error. */
    void (*fault)(void *ctx, const char *path, enum sums_fault fault);
    uint64_t bytes; /* out: of its files */
};

MUST_CHECK bool kept_pack_read(struct kept_pack_read *r, struct err *err);

/* "pg_tblspc/16385/" of a tablespace's archive, "" of the base: before its members' names. */
void kept_pack_prefix(const struct kept_archive *a, char out[32]);

#endif
