/* SPDX-License-Identifier: PostgreSQL */
/* wal_marks.h - which archived segments are known to be damaged, in .barkeep/wal-corrupt.
 *
 *     name  size  mtime  lsn  when  why            a line a segment, parted by tabs
 *
 * A line is added, durably, when a damaged segment arrives; it holds as long as a file of that
 * name, size (bytes, as stored) and mtime (ns) is kept. So a segment that is deleted, or replaced
 * by a sound one, needs no other care.
 *
 * Errors     ERR_IO, ERR_MEMORY. A line that cannot be one is passed over.
 * Threads    Any number of processes may add at the same time: a line is one write.
 */
#ifndef REPO_WAL_MARKS_H
#define REPO_WAL_MARKS_H

#include "barkeep/arena.h"
#include "repo.h"
#include "wal/seg.h"

#define WAL_MARKS_MAX 4096 /* lines that are read */

struct damaged_wal {
    const char *name; /* of the segment */
    uint64_t size;
    int64_t mtime_ns;
    pg_lsn lsn;      /* of the first record or page that is not valid */
    const char *why; /* "wrong checksum ..." */
};

struct wal_marks {
    struct damaged_wal *mark; /* in the order in which they were added, each segment once */
    size_t n;
};

/* path: the segment's file, wherever it lies now. */
MUST_CHECK bool wal_marks_add(const struct repo *r, const char *path, pg_lsn lsn,
                              const char *why, struct err *err);

/* Those that still hold. A missing file has none. */
MUST_CHECK bool wal_marks_load(const struct repo *r, struct arena *a, struct wal_marks *out,
                               struct err *err);

/* One line without its newline; texts are in the arena. false: it cannot be one. */
bool wal_marks_parse_line(struct arena *a, struct str line, struct damaged_wal *out);

#endif
