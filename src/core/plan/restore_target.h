/* SPDX-License-Identifier: PostgreSQL */
/* restore_target.h - where a recovery shall stop, and where PostgreSQL would really stop.
 *
 * Target   What the person typed, read strictly, with a canonical form that carries an offset.
 * Watch    Fed with the ends of transactions and the restore points of the archived WAL, in
 *          the order of their LSN along one timeline path, it tells what the server will do:
 *
 *              time       before the first end with time > T (inclusive) or >= T (exclusive);
 *                         commit times are not monotonic: the FIRST in LSN order counts
 *              xid        after / before the end of exactly that top transaction
 *              lsn        after / before the first record that starts at or behind L
 *              name       after the first restore point of that name
 *              immediate  as soon as the backup is consistent
 *
 *          A stop before the backup is consistent is fatal to the server, and so is a target
 *          that is never met (13 and newer): both are told here before a byte is copied.
 * Units    microseconds since 1970, UTC; byte positions of the WAL stream.
 * Pure     No clock, no file; the local zone is asked through the function given.
 * Source   PostgreSQL 15, xlogrecovery.c: recoveryStopsBefore(), recoveryStopsAfter().
 */
#ifndef PLAN_RESTORE_TARGET_H
#define PLAN_RESTORE_TARGET_H

#include "barkeep/arena.h"
#include "barkeep/err.h"
#include "barkeep/model.h"
#include "base/clock.h"
#include "wal/record.h"

enum target_kind {
    TARGET_END,
    TARGET_TIME,
    TARGET_XID,
    TARGET_LSN,
    TARGET_NAME,
    TARGET_IMMEDIATE
};
enum target_side { TARGET_INCLUSIVE, TARGET_EXCLUSIVE };
enum target_line { LINE_DEFAULT, LINE_CURRENT, LINE_LATEST, LINE_NUMBER };

struct target_words { /* as they were typed; NULL: not given */
    const char *time, *xid, *lsn, *name;
    const char *immediate; /* any text: given */
    const char *timeline;  /* "current", "latest", a decimal or 0x number */
    const char *action;    /* "pause", "shutdown", "promote" */
    enum target_side side;
};

struct target {
    enum target_kind kind;
    enum target_side side;
    int64_t us;         /* TARGET_TIME */
    struct stamp stamp; /* the same, with the offset typed or of the local zone */
    bool zone_assumed;  /* no offset was typed */
    pg_xid xid;
    pg_lsn lsn;
    const char *name;
    enum target_line line;
    pg_tli tli;            /* LINE_NUMBER */
    const char *line_word; /* as typed, or NULL */
    const char *action;    /* or NULL */
};

/* How a reading of the local clock is turned into moments: clock_local_readings(). */
typedef int target_zone(const struct civil *c, struct stamp out[2]);

/* Texts stay where words has them. ERR_FORMAT with the word that is wrong;
 * ERR_USAGE for an impossible timeline or action. */
MUST_CHECK bool target_read(const struct target_words *words, target_zone *zone,
                            struct target *out, struct err *err);

/* Is it a point-in-time recovery in Barman's sense: a target or a timeline was named. */
bool target_is_pitr(const struct target *t);

/* Does the backup end before it, as far as the target itself tells: a time or an LSN. */
bool target_follows(const struct target *t, const struct backup *b);

/* "time 2026-11-22 10:29:00+01:00 (2026-11-22 09:29:00+00:00)", "the end of the WAL". */
#define TARGET_TEXT_CAP 200
const char *target_text(const struct target *t, char out[TARGET_TEXT_CAP]);

struct wal_mark { /* a remembered record; known is false before there was one */
    bool known;
    pg_lsn start, end;
    pg_tli tli;
    pg_xid xid;
    int64_t us;
};

#define TARGET_POINTS_MAX 16

struct target_watch {
    const struct target *target;
    pg_lsn begin, consistent;     /* of the backup; no stop before it is consistent */
    struct wal_mark stop;         /* the record PostgreSQL stops at */
    bool stop_too_early;          /* it lies before the backup is consistent */
    bool stop_is_abort;           /* the target's transaction was rolled back */
    struct wal_mark first_commit; /* behind the end of the backup */
    struct wal_mark last_commit;  /* that is replayed */
    struct wal_mark named[TARGET_POINTS_MAX]; /* restore points with the target's name */
    size_t names;                             /* all of them, also beyond the array */
    pg_lsn end;                               /* WAL is proven up to here */
};

/* end: what backup.info has for it; the record that ends the backup, when it passes by, is
 * more exact. */
void target_watch_init(struct target_watch *w, const struct target *t, pg_lsn begin,
                       pg_lsn end);

enum watch_answer { WATCH_ON, WATCH_ENOUGH };
/* WATCH_ENOUGH: nothing that follows changes the answer. */
enum watch_answer target_watch_feed(struct target_watch *w, const struct wal_event *e);
/* Would the server replay this record, which it cannot stop at? Asked before it is fed. */
bool target_watch_replays(const struct target_watch *w, const struct wal_event *e);
/* A record of any kind begins at start, and all is proven up to end. */
enum watch_answer target_watch_reach(struct target_watch *w, pg_lsn start, pg_lsn end);

#endif
