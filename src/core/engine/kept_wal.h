/* SPDX-License-Identifier: PostgreSQL */
/* kept_wal.h - the WAL of one server that is at hand: archived, or waiting to be.
 *
 *     kept_wal_load()   names only: segments and history files of the archive, streaming and
 *                       incoming, as struct timelines (plan/timeline.h) wants them
 *     wal_way_walk()    the records of the segments along one way of timelines, proven as
 *                       wal/walk.h tells, from one LSN to another
 *
 * Faults     A segment that is missing or damaged ends a walk; it is part of the answer, not a
 *            failure. The end of what is kept is no fault: a segment that is not there with
 *            none behind it, the zeros of a .partial or of the newest segment.
 * Ownership  Everything lives in the arena given.
 * Errors     Directories that cannot be read; ERR_CANCEL; ERR_MEMORY.
 */
#ifndef ENGINE_KEPT_WAL_H
#define ENGINE_KEPT_WAL_H

#include "barkeep/arena.h"
#include "barkeep/task.h"
#include "plan/restore.h"
#include "repo/wal_store.h"
#include "wal/walk.h"

struct odd_history { /* a history file that cannot be used */
    const char *path, *why;
};

struct kept_wal {
    const struct repo *repo;
    struct timelines lines;    /* histories, and the whole segments of this size */
    const char **history_file; /* names of all history files */
    size_t history_files;
    struct odd_history *odd;
    size_t odds;
};

MUST_CHECK bool kept_wal_load(struct arena *a, const struct repo *repo, uint32_t seg_size,
                              struct kept_wal *out, struct err *err);

/* First WAL on the way at or behind segment `no`; 0: none. */
pg_lsn kept_wal_next(const struct timelines *t, const struct history *route, uint64_t no);

/* Doubles an arena's array; NULL without memory. */
void *kept_grown(struct arena *a, const void *old, size_t n, size_t *cap, size_t size);

struct wal_way {
    const struct task *task;
    struct arena *a;
    const struct repo *repo;
    const struct timelines *lines;
    const struct history *route;
    int major;                /* 0: as the first page says */
    uint64_t sysid;           /* 0: not known */
    struct progress progress; /* phase and total are the caller's; done goes on from call to
                               * call */
    void *ctx;
    /* false: enough. event: a record that speaks, in order. reach: all is proven up to end,
     * and a record begins at start; may be NULL. */
    bool (*event)(void *ctx, const struct wal_event *e);
    bool (*reach)(void *ctx, pg_lsn start, pg_lsn end);
    /* Memory that is kept from walk to walk; begin with NULL. */
    struct wal_walk *walk;
    uint8_t *chunk;
};

struct wal_way_end {
    enum wal_fault fault;
    uint64_t fault_no; /* number of that segment */
    const char *where; /* its name */
    const char *why;   /* what is wrong with it */
    pg_lsn resumes;    /* behind the fault: where WAL goes on; 0: it does not */
    size_t segments;   /* that were read */
    bool uses_partial;
    pg_lsn end; /* behind the last record read; 0: none */
};

/* Records that begin in [from, until); until 0: to the end. from is the start of a record or of
 * a segment. The segment behind `until` is read as far as a record that was begun needs it. A
 * fault in the first segment is told even when nothing is kept behind it. */
MUST_CHECK bool wal_way_walk(struct wal_way *way, pg_lsn from, pg_lsn until,
                             struct wal_way_end *out, struct err *err);

#endif
