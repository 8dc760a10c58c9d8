/* SPDX-License-Identifier: PostgreSQL */
/* timeline.h - which timeline a recovery is to follow, whether a backup can, and which segments
 * it reads on the way.
 *
 *     1 ----+-------> (old future, kept)
 *           2 ---+---------> 4
 *                3 (stray)
 *
 * Facts in, decisions out: the history files that the archive has, parsed, and the segments.
 *
 * Rules    current  the backup's own timeline
 *          latest   what PostgreSQL takes: from the backup's timeline upwards, history files
 *                   without a hole in their numbers. When other branches could be meant,
 *                   timeline_choices() shows them.
 *          number   needs its history file, unless it is 1
 * Segment  The segment that holds a switch is read from the child (history.h).
 * Errors   ERR_MISSING names the history file that is needed; ERR_USAGE a target that the
 *          backup cannot reach, with the positions.
 * Memory   Nothing is kept; arrays are the caller's.
 */
#ifndef PLAN_TIMELINE_H
#define PLAN_TIMELINE_H

#include "wal/history.h"

struct timelines {
    const struct history *history; /* one a timeline, any order; 1 need not be there */
    size_t n;
    const struct wal_seg *seg; /* complete segments, sorted by wal_seg_cmp() */
    size_t segs;
    uint32_t seg_size;
};

enum timeline_kind { TIMELINE_CURRENT, TIMELINE_LATEST, TIMELINE_NUMBER };

struct timeline_want {
    enum timeline_kind kind;
    pg_tli tli; /* TIMELINE_NUMBER */
};

struct timeline_base { /* the backup */
    pg_tli tli;
    pg_lsn begin, end;
};

/* The history of a timeline; timeline 1 always has one. Room for it is in *spare. NULL: the
 * archive has no such file. */
struct history_spare {
    struct history history;
    struct history_entry entry;
};
const struct history *timeline_history(const struct timelines *t, pg_tli tli,
                                       struct history_spare *spare);

/* The target timeline, not yet held against the backup (timeline_check). */
MUST_CHECK bool timeline_resolve(const struct timelines *t, const struct timeline_want *want,
                                 const struct timeline_base *base, pg_tli *out,
                                 struct err *err);

/* Can the backup be brought to that timeline? Its whole span must lie before the switch. */
MUST_CHECK bool timeline_check(const struct timelines *t, pg_tli target,
                               const struct timeline_base *base, struct err *err);

struct timeline_choice {
    pg_tli tli, parent; /* parent 0: none */
    pg_lsn begin;       /* where it left its parent */
    bool is_reachable;  /* from the backup */
    bool is_leaf;       /* nothing else known begins on it */
    bool is_latest;     /* what PostgreSQL takes for "latest" */
    uint64_t last_no;   /* its newest segment; 0: none in the archive */
};

/* Every timeline known at or above the backup's, ascending; returns how many there are and
 * fills at most cap. */
size_t timeline_choices(const struct timelines *t, const struct timeline_base *base,
                        struct timeline_choice *out, size_t cap);

/* How many leaves the backup reaches: above 1, "latest" is a question to a person. */
size_t timeline_branches(const struct timeline_choice *choice, size_t n);

/* The segments from `from` to `until` (the end of the last record wanted; 0: for ever) along
 * h, in order. */
struct timeline_path {
    const struct history *history;
    uint32_t seg_size;
    uint64_t no, last_no; /* next one, last one */
    bool is_done;
};
void timeline_path_init(struct timeline_path *p, const struct history *h, uint32_t seg_size,
                        pg_lsn from, pg_lsn until);
bool timeline_path_next(struct timeline_path *p, struct wal_seg *out); /* false: the end */

/* Segments in the archive from the path's beginning without a hole: how many, and the first
 * one that is not there (for an endless path always; false: nothing is missing). */
bool timeline_gap(const struct timelines *t, struct timeline_path path, uint64_t *have,
                  struct wal_seg *missing);

/* Is the segment in the archive? */
bool timeline_has(const struct timelines *t, struct wal_seg seg);

#endif
