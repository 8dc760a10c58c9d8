/* SPDX-License-Identifier: PostgreSQL */
/* wal_cleanup.h - which archived WAL nobody needs once a backup is gone, or once it is too old.
 *
 *     backups      A        B        C         delete A: what is older than B's begin goes
 *     WAL     -----[==]-----[==]-----[==]---   delete B or C: nothing goes (A needs it)
 *
 * A delete: nothing goes while an older copy-done backup exists, since its point-in-time
 * recovery runs through that WAL. One that is kept standalone does not count when retention
 * deletes; it does when a person does. Otherwise everything goes whose name is smaller than the
 * first WAL of the next copy-done backup (without one: of the deleted backup itself), except
 *   - history files,
 *   - timelines on which another backup stands, other than that of the limit,
 *   - what a remaining backup needs, whatever its timeline or the cluster it is of: all WAL
 *     from its begin on, on its timeline and on those with a higher number, which may branch
 *     off it; of one that is kept standalone only begin_wal to end_wal.
 * A remaining backup is one that is not EMPTY and not FAILED.
 *
 * A horizon: everything before that backup's first WAL goes, except of each other backup the
 * stretch from begin_wal to end_wal, and all that backups need that are kept with their WAL.
 *
 * Names    are compared as text: timeline first, then place. A `.backup` label or a `.partial`
 *          counts as its segment. A second cluster in the same archive (after pg_upgrade, say)
 *          can only make more stay: its names are held against its own backups too.
 * Threads  No state, never blocks.
 * Source   Barman 3.17's rules, without its shortcut of removing whole directories.
 */
#ifndef PLAN_WAL_CLEANUP_H
#define PLAN_WAL_CLEANUP_H

#include "barkeep/arena.h"
#include "barkeep/err.h"
#include "barkeep/model.h"
#include "plan/retention.h"

#define WAL_CLEANUP_NAME_CAP 25

/* What a backup needs that remains. */
struct wal_need {
    pg_tli tli;
    const char *begin, *end; /* end NULL: all from begin on */
};

struct wal_cleanup {
    bool applies;                     /* else nothing may go */
    char until[WAL_CLEANUP_NAME_CAP]; /* names before it may go; "": none */
    const pg_tli *keep_tli;           /* whole timelines that stay */
    size_t keep_tlis;
    const struct wal_need *need;
    size_t needs;
};

/* The WAL behind a backup: wanted, or only what makes it consistent. */
enum wal_role { WAL_ROLE_ALL, WAL_ROLE_OWN };
enum wal_delete { WAL_DELETE_BY_HAND, WAL_DELETE_BY_RETENTION };

struct wal_cleanup_ask {
    const struct backup
        *backup;               /* all of the server, sorted by id, the one that goes included */
    const enum keep *keep;     /* keep[i] of backup[i]; NULL: none is kept */
    const enum wal_role *role; /* role[i] of backup[i]; NULL: OWN where kept standalone */
    size_t n;
};

/* role[i] by the marks, the policy (NULL: none) and its report: the WAL behind a backup that is
 * kept standalone is wanted only while that backup lies in a recovery window or closes it. */
void wal_cleanup_roles(const struct retention *policy, const struct retention_fate *fate,
                       const enum keep *keep, size_t n, enum wal_role *role);

/* The texts of the result belong to the backups. */
MUST_CHECK bool wal_cleanup_delete(struct arena *a, const struct wal_cleanup_ask *ask,
                                   const char *deleted_id, enum wal_delete by,
                                   struct wal_cleanup *out, struct err *err);

/* For the first backup of a server, that began with begin_wal: what is older serves nobody.
 * With any other remaining backup nothing goes. */
MUST_CHECK bool wal_cleanup_first(struct arena *a, const struct wal_cleanup_ask *ask,
                                  const struct backup *first, struct wal_cleanup *out,
                                  struct err *err);

/* anchor: index of the oldest backup whose later WAL is wanted, see retention_anchor(). */
MUST_CHECK bool wal_cleanup_horizon(struct arena *a, const struct wal_cleanup_ask *ask,
                                    size_t anchor, struct wal_cleanup *out, struct err *err);

bool wal_cleanup_removes(const struct wal_cleanup *c, const char *name);

#endif
