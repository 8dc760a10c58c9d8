/* SPDX-License-Identifier: PostgreSQL */
/* moment.h - what was found around a moment, said to the person who wants it back.
 *
 *     stops after xid 741 (22 Aug 03:02:11.479 +02), before xid 742, 3 ms later
 *
 * Facts in, an answer out: a verdict decides the sentence, the hint names what to do next.
 * Times are those of the reader's zone, asked through `offset`; the year is told when it is
 * not that of now_us.
 *
 * Ownership  Sentences in the arena given.
 * Pure       No clock, no file.
 */
#ifndef PLAN_MOMENT_H
#define PLAN_MOMENT_H

#include "barkeep/ask.h"
#include "plan/restore.h"

enum moment_verdict {
    MOMENT_WELL,
    MOMENT_NO_BACKUP, /* that could be restored */
    MOMENT_REFUSED,   /* refusal says why: timelines, as a rule */
    MOMENT_BEFORE,    /* it lies before the end of the oldest backup */
    MOMENT_HOLE,      /* it lies behind missing or damaged WAL, before the next backup */
    MOMENT_BEYOND,    /* behind all that was received */
    MOMENT_UNSEEN,    /* an xid or a name that is nowhere */
    MOMENT_ABORTED,   /* the transaction was rolled back */
    MOMENT_ELSEWHERE, /* on timeline `elsewhere` */
};

struct moment_facts {
    const struct target *target;
    enum moment_verdict verdict;
    const struct backup *backup; /* NULL: none */
    pg_tli tli;
    struct wal_mark before;       /* last commit that is kept */
    struct wal_mark stop;         /* the record PostgreSQL stops at */
    bool stop_is_abort;           /* which ends a transaction that was rolled back */
    struct wal_mark lost;         /* first commit that is not kept */
    size_t names;                 /* restore points of that name from the backup on */
    const struct wal_mark *named; /* the first TARGET_POINTS_MAX of them */
    struct mark below, above;     /* as in the answer */
    enum wal_fault fault;         /* MOMENT_HOLE */
    uint64_t missing;             /* segments */
    const char *where, *to;       /* first and last of them */
    const char *why;              /* WAL_CORRUPT, WAL_LOCKED */
    bool has_holes;               /* MOMENT_UNSEEN: not all WAL could be searched */
    uint64_t xid_from, xid_to; /* MOMENT_UNSEEN: transactions the WAL speaks of; 0: not known */
    pg_tli elsewhere;
    const struct restore_check *refusal;
    int64_t now_us;
    int32_t (*offset)(int64_t us); /* clock_local_offset() */
};

MUST_CHECK bool moment_say(struct arena *a, const struct moment_facts *f,
                           struct answer_moment *out, struct err *err);

struct mark moment_mark(const struct wal_mark *m);

/* "22 Aug 03:02:11.479 +02", "22 Aug 2025 03:02:11.479 +05:30" */
#define MOMENT_TIME_CAP 48
const char *moment_time(const struct moment_facts *f, int64_t us, char out[MOMENT_TIME_CAP]);

#endif
