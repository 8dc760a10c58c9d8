/* SPDX-License-Identifier: PostgreSQL */
/* xlogdb.h - the list of archived WAL files, one line a file, in the order of archiving.
 *
 *     name <tab> size <tab> mtime <tab> compression <tab> encryption
 *     000000010000000000000002   16777216   1795355034.364561   None   None
 *
 * size: bytes on disk. mtime: seconds since 1970 with a fraction. Old files have 3 or 4
 * columns; in the legacy layout (repo.h) 4 are written, which cannot tell of encryption.
 * The order is mostly, but not surely, the order of names.
 *
 * Locks    Whoever writes holds LOCK_XLOGDB (waited for). Whoever only looks tries it, and
 *          reads without it when somebody writes: a line without its newline at the end of the
 *          file is one that is just being written, or was torn by a crash, and is not seen.
 * Missing  A list that is missing is made anew from the files in wals_dir, .partial included.
 * Writes   Appends are fsynced; a torn last line is cut off first. Rewriting goes through a
 *          temporary file and a rename.
 * Errors   ERR_FORMAT with file and line for a line that cannot be one; ERR_IO.
 * Source   Barman 3.17, WalFileInfo.
 */
#ifndef REPO_XLOGDB_H
#define REPO_XLOGDB_H

#include "barkeep/arena.h"
#include "barkeep/model.h"
#include "lock.h"

#define XLOGDB_LINE_MAX 256
#define XLOGDB_BUF      65536

struct xlogdb { /* a reader; about 64 KiB: not for deep stacks, fine on an ordinary one */
    int fd;
    struct lock lock;
    uint64_t line;   /* number of the line last given */
    uint64_t offset; /* behind the line last given */
    size_t at, n;
    bool end;
    char path[PATH_CAP];
    char buf[XLOGDB_BUF];
};

/* One line, without its newline; false: it cannot be one. */
bool xlogdb_parse_line(struct str line, struct wal_file *out);
/* With the newline, five columns. */
void xlogdb_put_line(struct sbuf *b, const struct wal_file *wal);
/* Four columns. What they cannot tell is refused (ERR_UNSAFE). */
MUST_CHECK bool xlogdb_legacy_ok(const struct wal_file *wal, struct err *err);
void xlogdb_put_legacy_line(struct sbuf *b, const struct wal_file *wal);

/* To look: see Locks. A server without any WAL directory has an empty list. */
MUST_CHECK bool xlogdb_open(struct xlogdb *db, const struct repo *r, struct err *err);
/* 1: *out is filled; 0: the end; -1: failed. */
MUST_CHECK int xlogdb_next(struct xlogdb *db, struct wal_file *out, struct err *err);
void xlogdb_close(struct xlogdb *db);

/* To look only, and often: from byte `from` on, without the lock and without making a list that
 * is missing (it is empty then). */
MUST_CHECK bool xlogdb_open_from(struct xlogdb *db, const struct repo *r, uint64_t from,
                                 struct err *err);

/* Append and sync all n lines, taking the lock. */
MUST_CHECK bool xlogdb_append(const struct repo *r, const struct wal_file *wal, size_t n,
                              struct err *err);
/* The same for those that the list does not hold yet (the name decides). */
MUST_CHECK bool xlogdb_append_missing(const struct repo *r, const struct wal_file *wal,
                                      size_t n, struct err *err);

/* Make the list from the files on disk, whether there is one or not. */
struct xlogdb_rebuilt {
    uint64_t history, labels, segments, partials;
};
MUST_CHECK bool xlogdb_rebuild(const struct repo *r, struct xlogdb_rebuilt *out,
                               struct err *err);

/* Put the list where the layout of r wants it and write it with its columns, from where it is now;
 * a list that is there already stays, and the other place is cleared. A list with a line that is
 * none is made from the files on disk. Nothing to do is success. */
MUST_CHECK bool xlogdb_convert(const struct repo *r, struct err *err);

/* Walk the whole list under the lock. fate() is asked for every line; for XLOGDB_DROP the WAL
 * file is removed from disk and the line from the list. Files go first, then the list, so that
 * a walk that was interrupted can be repeated. A file that is gone already is no failure. Lines
 * that cannot be one go to bad(), if there is one, and are dropped from the list. Directories
 * that became empty are removed. */
enum xlogdb_fate { XLOGDB_KEEP, XLOGDB_DROP };
struct xlogdb_prune {
    void *ctx;
    enum xlogdb_fate (*fate)(void *ctx, const struct wal_file *wal);
    /* Before it goes. false: it and all that follows stays, and prune fails; what went before is
     * struck from the list nevertheless. May be NULL. */
    bool (*before)(void *ctx, const struct wal_file *wal, struct err *err);
    void (*dropped)(void *ctx, const char *name); /* after it happened; may be NULL */
    void (*bad)(void *ctx, struct str line);      /* may be NULL */
};
MUST_CHECK bool xlogdb_prune(const struct repo *r, const struct xlogdb_prune *prune,
                             struct err *err);

#endif
