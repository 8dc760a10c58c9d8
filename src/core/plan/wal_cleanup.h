/* SPDX-License-Identifier: PostgreSQL */
/* wal_cleanup.h - which archived WAL nobody needs once a backup is gone.
 *
 *     backups      A        B        C         delete A: what is older than B's begin goes
 *     WAL     -----[==]-----[==]-----[==]---   delete B or C: nothing goes (A needs it)
 *
 * Nothing goes while an older copy-done backup exists, since its point-in-time recovery runs
 * through that WAL. Otherwise everything goes whose name is smaller than the first WAL of the
 * next copy-done backup (without one: of the deleted backup itself), except
 *   - history files,
 *   - timelines on which another backup stands, other than that of the limit,
 *   - what any remaining backup of the limit's timeline needs from its begin on.
 * A remaining backup is one that is not EMPTY and not FAILED.
 *
 * Shapes   Names are compared as text: timeline first, then place. A `.backup` label or a
 *          `.partial` counts as its segment.
 * Threads  No state, never blocks.
 * Source   Barman 3.17's rules, without its shortcut of removing whole directories.
 */
#ifndef PLAN_WAL_CLEANUP_H
#define PLAN_WAL_CLEANUP_H

#include "barkeep/arena.h"
#include "barkeep/err.h"
#include "barkeep/model.h"

#define WAL_CLEANUP_NAME_CAP 25

struct wal_cleanup {
    bool applies;                     /* else nothing may go */
    char until[WAL_CLEANUP_NAME_CAP]; /* names before it may go; "": none */
    const pg_tli *keep_tli;           /* whole timelines that stay */
    size_t keep_tlis;
};

/* backups: all of the server, sorted by id, the one that goes included. */
MUST_CHECK bool wal_cleanup_delete(struct arena *a, const struct backup *backup, size_t n,
                                   const char *deleted_id, struct wal_cleanup *out,
                                   struct err *err);

/* For the first backup of a server, that began with begin_wal: what is older serves nobody.
 * With any other remaining backup nothing goes. */
MUST_CHECK bool wal_cleanup_first(struct arena *a, const struct backup *backup, size_t n,
                                  const struct backup *first, struct wal_cleanup *out,
                                  struct err *err);

bool wal_cleanup_removes(const struct wal_cleanup *c, const char *name);

#endif
