/* SPDX-License-Identifier: PostgreSQL */
/* xlogdb_line.h - between xlogdb.c and xlogdb_write.c: the list as raw lines, for a caller that
 * holds LOCK_XLOGDB already.
 */
#ifndef REPO_XLOGDB_LINE_H
#define REPO_XLOGDB_LINE_H

#include "xlogdb.h"

/* The list must exist. Ended by xlogdb_close(), which leaves the caller's lock alone. */
MUST_CHECK bool xlogdb_open_locked(struct xlogdb *db, const struct repo *r, struct err *err);

/* 1: *line without its newline, valid until the next call; 0: the end; -1: failed. */
MUST_CHECK int xlogdb_next_line(struct xlogdb *db, struct str *line, struct err *err);

/* Fills err with "path:no: not a line"; returns false. */
bool xlogdb_bad_line(const struct xlogdb *db, uint64_t no, struct err *err);

/* Take the lock and make the list from the files on disk, unless it is there by now. */
MUST_CHECK bool xlogdb_make_missing(const struct repo *r, struct err *err);

#endif
