/* SPDX-License-Identifier: PostgreSQL */
/* retention.h - the policies: their grammar, and which backups they keep.
 *
 *     REDUNDANCY 2                       the newest two backups
 *     RECOVERY WINDOW OF 4 WEEKS         what reaches every moment of the last four weeks
 *     KEEP 7 DAILY, 5 WEEKLY, 12 MONTHLY one backup a day, a week, a month
 *     MAIN                               of WAL: as long as the backups need it
 *
 * Text     Any case, blanks around it, one or more blanks between the words (and a tab or a
 *          line break is a blank: a value may go on in the next line). DAY or DAYS, WEEK or
 *          WEEKS, MONTH or MONTHS, whatever the number; a month has 31 days. Zero is a number
 *          like any other, but not after KEEP. The terms of KEEP (DAILY WEEKLY MONTHLY YEARLY)
 *          come in any order, each once at most, a comma between two.
 * Printed  Upper case, one blank, always the plural: "RECOVERY WINDOW OF 1 DAYS"; the terms of
 *          KEEP from the day to the year.
 * Errors   ERR_FORMAT, saying what should have stood there; the text itself is not quoted.
 *
 * The report goes over all backups from the newest id to the oldest. Ids are the times at which
 * backups were begun and never repeat, so neither a timeline that began again at 1 nor LSNs
 * that did (after pg_upgrade, or in a new cluster) change the order.
 *
 *   Incremental backups share the fate of the full backup they stand on, whatever their own
 *   status: VALID below KEEP:FULL, and below KEEP:STANDALONE as long as that one would be kept
 *   without its mark, OBSOLETE after that. Without that backup: "-".
 *   Only DONE backups count. Others are "-": they are never removed, and push nothing out.
 *   REDUNDANCY n: the newest n or, if that is more, minimum_redundancy; a kept one takes a place.
 *   WINDOW: up to and including the first that ended before the window began; of those before
 *   it as many as minimum_redundancy still wants are OBSOLETE*: obsolete, but left. It begins at
 *   the time of day that it is now, also when daylight saving began or ended in between.
 *   KEEP: a day (month, year) is that of the id, thus local time at the begin; a week begins on
 *   Monday. The newest backup of a day stands for it. n DAILY keeps those of the last n days on
 *   which there is one, so a pause in the backups deletes nothing. Likewise weeks, months and
 *   years; a backup may stand for several. If fewer than minimum_redundancy are left so, the
 *   newest others are OBSOLETE*.
 *
 * What is OBSOLETE may go, and nothing else. Without those the report is the same again.
 *
 * Threads  No state, no allocation but in the caller's array, never blocks. No clock.
 * Source   Barman 3.17's documentation and its output; KEEP is ours.
 */
#ifndef PLAN_RETENTION_H
#define PLAN_RETENTION_H

#include "barkeep/err.h"
#include "barkeep/model.h"
#include "barkeep/str.h"

enum retention_kind { RETENTION_REDUNDANCY, RETENTION_WINDOW, RETENTION_KEEP, RETENTION_MAIN };
enum retention_unit { RETENTION_DAYS, RETENTION_WEEKS, RETENTION_MONTHS };
enum retention_period {
    RETENTION_DAILY,
    RETENTION_WEEKLY,
    RETENTION_MONTHLY,
    RETENTION_YEARLY,
    RETENTION_PERIODS
};

struct retention {
    enum retention_kind kind;
    uint32_t n;                          /* of REDUNDANCY and WINDOW */
    enum retention_unit unit;            /* of WINDOW */
    uint32_t periods[RETENTION_PERIODS]; /* of KEEP; 0: no such term */
};

#define RETENTION_N_MAX 999999u /* longer numbers are a slip of the finger */
#define RETENTION_CAP   72      /* "KEEP 999999 DAILY, ..., 999999 YEARLY" and its NUL */

/* retention_policy: anything but MAIN. */
MUST_CHECK bool retention_parse(struct str text, struct retention *out, struct err *err);
/* wal_retention_policy: MAIN or a WINDOW. */
MUST_CHECK bool retention_parse_wal(struct str text, struct retention *out, struct err *err);

/* Inverse of the two. Returns out. */
const char *retention_print(const struct retention *r, char out[RETENTION_CAP]);

/* name, as list-backups prints it */
#define RETENTION_VERDICT_LIST(X)                                                              \
    X(RETENTION_NONE, "-")                                                                     \
    X(RETENTION_VALID, "VALID")                                                                \
    X(RETENTION_OBSOLETE, "OBSOLETE")                                                          \
    X(RETENTION_LEFT, "OBSOLETE*") /* only minimum_redundancy wants it */                      \
    X(RETENTION_KEEP_FULL, "KEEP:FULL")                                                        \
    X(RETENTION_KEEP_STANDALONE, "KEEP:STANDALONE")

enum retention_verdict {
#define X(name, text) name,
    RETENTION_VERDICT_LIST(X)
#undef X
};

const char *retention_verdict_name(enum retention_verdict verdict);

struct retention_ask {
    const struct backup *backup; /* all of the server, sorted by id */
    const enum keep *keep;       /* keep[i] of backup[i]; NULL: none is kept */
    size_t n;
    uint64_t minimum_redundancy;
    int64_t now_us;
    /* A window goes back by the reader's calendar: clock_local_before(); NULL: by 24 hours a day. */
    int64_t (*before)(int64_t us, int64_t span_us);
};

struct retention_fate {
    enum retention_verdict verdict;
    bool inside; /* the policy itself keeps it, whether it is marked or not */
    size_t root; /* the full backup it stands on, itself if it is one; n: that one is missing */
};

/* out[i] of backup[i]. The policy is not MAIN. */
void retention_report(const struct retention *policy, const struct retention_ask *ask,
                      struct retention_fate *out);

/* The backup from whose begin on WAL is needed to reach every moment of a WINDOW: the newest
 * DONE one that ended before it began; n: none has, all WAL is needed. */
size_t retention_anchor(const struct retention *window, const struct retention_ask *ask);

#endif
