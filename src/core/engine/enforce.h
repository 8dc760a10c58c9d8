/* SPDX-License-Identifier: PostgreSQL */
/* enforce.h - cron's part of retention for one server: finish deletes that were interrupted,
 * remove what the policy calls OBSOLETE, and WAL that wal_retention_policy wants no longer.
 *
 * Never    the last good backup, whatever the policy says: a warning. Nor what somebody is at:
 *          while a backup runs, or the backup is being restored, its turn comes with the next cron.
 *          A backup whose delete was interrupted and that is kept is warned of and stays.
 * Order    What was interrupted is finished, and nothing else; the policy's turn is the next cron.
 * Errors   A backup that cannot go does not hold up the others: the first reason is the error,
 *          more are said. wal_retention_policy waits until all went.
 * Orphans  A backup.info without its directory (or alone in it) is warned of and left; it counts
 *          for nothing, so it pushes out no backup that has its files.
 * WAL      The horizon moves when a backup leaves the window; `.barkeep/wal-horizon` holds the id
 *          of the backup it was last moved to, so an idle turn does not read xlog.db.
 * Refuses  ERR_CONFIG where deleting is refused for this configuration; nothing is touched then.
 */
#ifndef ENGINE_ENFORCE_H
#define ENGINE_ENFORCE_H

#include "barkeep/task.h"
#include "cfg/server.h"
#include "repo/catalogue.h"

enum enforce_how { ENFORCE_DO, ENFORCE_DRY_RUN };

MUST_CHECK bool enforce_retention(const struct task *t, const struct repo *r,
                                  const struct server_cfg *srv, const struct catalogue *all,
                                  enum enforce_how how, struct err *err);

/* Would ENFORCE_DO remove anything? When it would not, what it would warn of is said. */
MUST_CHECK bool enforce_is_due(const struct task *t, const struct repo *r,
                               const struct server_cfg *srv, const struct catalogue *all,
                               bool *due, struct err *err);

#endif
