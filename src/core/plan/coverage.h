/* SPDX-License-Identifier: PostgreSQL */
/* coverage.h - from backups, WAL files and histories to what can be restored.
 *
 * For every timeline: the segments on its way (history.h) form runs without a hole; a backup
 * opens a stretch in the run that holds all its WAL from begin to end; the stretch goes to the
 * end of that run. Backups in one run are one stretch, opened by the earliest. A stretch that
 * goes on in a child is told of the child only; one that has a future of its own beyond the
 * switch, also of the parent.
 * What lies between two runs on the way of the newest timeline is a hole; it hurts when a
 * stretch ends at it or a backup needs what is missing, and no moment can be restored from
 * there to the end of the next backup that is whole.
 *
 * Facts    runs of archived segments (wal_runs.h), segments that wait to be archived, and those
 *          that are being received (partial): one ends its run, and the newest one makes its
 *          stretch open. A backup whose end lies in a partial opens nothing before the walk has
 *          seen that end there.
 * Marks    of the facts are what an earlier walk has proven, by segment; marks of the result
 *          are taken from there, else estimated from backups and files, and unproven. What to
 *          walk next is told in `asks`: the newest stretch first, its end before its beginning.
 * Corrupt  A segment in which the walk has met damage ends its run there.
 * Cost     O(runs + backups log runs) for each timeline.
 * Memory   The result in the arena.
 * Pure     No clock (now_us is a fact), no file.
 */
#ifndef PLAN_COVERAGE_H
#define PLAN_COVERAGE_H

#include "barkeep/arena.h"
#include "barkeep/coverage.h"
#include "barkeep/snapshot.h"
#include "plan/wal_runs.h"
#include "wal/history.h"

#define COVERAGE_ASKS 16
/* How many segments without a commit are walked to find the one that has one. */
#define COVERAGE_REACH 32

struct coverage_bound { /* a segment that was walked */
    struct wal_seg seg;
    pg_lsn from;             /* `first` is the first commit at or behind it; 0: of all */
    bool is_sound;           /* every record in it is valid (of a partial: up to its end) */
    struct mark first, last; /* commits in it; us 0: none */
    pg_lsn end;              /* WAL is valid up to here */
};

struct coverage_ask { /* a segment to be walked */
    struct wal_seg seg;
    pg_lsn from;
};
struct coverage_asks {
    struct coverage_ask ask[COVERAGE_ASKS];
    size_t n;
};

struct coverage_note { /* what the receiver wrote down about missing WAL */
    pg_tli tli;
    pg_lsn from, to;
    const char *text;
};

struct coverage_facts {
    const struct backup_row *backup; /* any order */
    size_t backups;
    const struct wal_runs *wal;          /* archived */
    const struct coverage_file *waiting; /* whole, in streaming and incoming; by place */
    size_t waitings;
    const struct coverage_file *partial; /* by place */
    size_t partials;
    const struct history *history; /* any order */
    size_t histories;
    const struct coverage_bound *bound; /* by coverage_bound_cmp() */
    size_t bounds;
    const struct coverage_note *note;
    size_t notes;
    int64_t now_us;
};

/* asks may be NULL. */
MUST_CHECK bool coverage_make(struct arena *a, const struct coverage_facts *f,
                              struct coverage *out, struct coverage_asks *asks,
                              struct err *err);

/* All of it into another arena; what coverage_make() needed besides stays behind. */
MUST_CHECK bool coverage_copy(struct arena *a, const struct coverage *from,
                              struct coverage *out, struct err *err);

/* By place, then by `from`: how bounds are sorted and found. */
int coverage_bound_cmp(const struct coverage_bound *x, const struct coverage_bound *y);

#endif
