/* SPDX-License-Identifier: PostgreSQL */
/* delete_plan.h - what would go, and why: for --dry-run, without touching anything.
 *
 *     backup 20260101T000000, 1.2 GiB: OBSOLETE under REDUNDANCY 2
 *         with 12 WAL files, 192.0 MiB: 000000010000000000000001 .. 00000001000000000000000C
 *
 * The steps are those of the real thing: backup after backup, the WAL clean-up of each decided
 * as if those before it were gone. One pass over xlog.db counts.
 *
 * Ownership  Everything lives in the arena of the plan, which lives as long as its catalogue.
 */
#ifndef ENGINE_DELETE_PLAN_H
#define ENGINE_DELETE_PLAN_H

#include "barkeep/task.h"
#include "engine/retention_of.h"
#include "wal/seg.h"

struct delete_step {
    const struct backup *backup; /* NULL: only WAL */
    const char *why;
    struct wal_cleanup wal;
    uint64_t files, bytes;                                  /* of WAL, counted */
    char first[WAL_FILE_NAME_CAP], last[WAL_FILE_NAME_CAP]; /* the smallest and largest name */
};

struct delete_plan {
    const struct repo *repo;
    struct arena *a;
    const struct catalogue *catalogue;
    const struct retention_state *state;
    bool *gone; /* [i] of catalogue.backup[i] */
    struct delete_step *step;
    size_t steps;
};

/* That backup and all that stand on it, those first that nothing stands on: indices into the
 * catalogue. Room for c->n in out; returns how many. */
size_t delete_order(const struct catalogue *c, size_t i, size_t *out);

MUST_CHECK bool delete_plan_begin(struct delete_plan *p, const struct repo *r, struct arena *a,
                                  const struct catalogue *c, const struct retention_state *s,
                                  struct err *err);
/* The backup with all that stand on it, unless it is gone already. why: of the backup itself. */
MUST_CHECK bool delete_plan_backup(struct delete_plan *p, size_t i, enum wal_delete by,
                                   const char *why, struct err *err);
/* All WAL before the backup `anchor` that nobody needs for consistency. */
MUST_CHECK bool delete_plan_horizon(struct delete_plan *p, size_t anchor, const char *why,
                                    struct err *err);
/* Count the WAL and say all of it. */
MUST_CHECK bool delete_plan_say(struct delete_plan *p, const struct task *t, struct err *err);

#endif
