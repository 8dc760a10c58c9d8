/* SPDX-License-Identifier: PostgreSQL */
/* delete.h - the verb delete: one backup, and the WAL that nobody needs without it.
 *
 * Order    locks (backup, the backup's own) -> delete_this mark -> tablespaces and data -> WAL,
 *          file by file -> base/<id> and marks -> backup.info, last: what was interrupted is
 *          listed still, and can be deleted again.
 * Refuses  ERR_UNSAFE: a backup with a keep mark; a DONE backup when no more than
 *          minimum_redundancy DONE backups are there with their files; cloud snapshots; a tree
 *          with a backup whose directory is a link: nothing of it goes. FAILED ones can go.
 * Hooks    delete before the mark and after all is gone, wal_delete around each WAL file. One
 *          that says stop leaves what is not gone yet, and the delete fails.
 * Trees    Incremental backups that build on it go too, leaves first, with a warning.
 * By       hand, or retention: then "Enforcing retention policy: removing backup ID for server
 *          SRV" comes before each, and older backups that are kept standalone keep only what
 *          makes them consistent.
 * Says     Barman's lines: "Deleting backup ID for server SRV", "Delete associated WAL
 *          segments:", "Deleted backup ID (start time: ..., elapsed time: ...)".
 */
#ifndef ENGINE_DELETE_H
#define ENGINE_DELETE_H

#include "barkeep/task.h"
#include "cfg/server.h"
#include "plan/wal_cleanup.h"
#include "repo_of.h"

struct delete_backup {
    const struct repo *repo;
    const char *id;
    uint64_t minimum_redundancy;
    const struct server_cfg *srv; /* its policies and its scripts; NULL: none */
    enum wal_delete by;
};

MUST_CHECK bool delete_backup(const struct task *t, const struct delete_backup *what,
                              struct err *err);

/* Would it be refused? For a dialog, before anything is asked. */
MUST_CHECK bool delete_allowed(const struct task *t, const struct delete_backup *what,
                               struct err *err);

/* Say what would go and why, or how it is refused. Touches nothing, waits for no lock. */
MUST_CHECK bool delete_dry_run(const struct task *t, const struct delete_backup *what,
                               struct err *err);

/* Are the directories of backup i, and of those that go with it, their own? */
MUST_CHECK bool delete_dirs_ok(const struct repo *r, struct arena *a,
                               const struct catalogue *all, size_t i, struct err *err);

/* For backup: the first backup of a server makes all WAL before its begin useless. Removes
 * nothing when any other usable backup is there; the caller does not call it with worm_mode.
 * Says "WAL segments preceding the current backup have been found:" and each. */
MUST_CHECK bool wal_purge_before(const struct task *t, const struct repo *r,
                                 const struct server_cfg *srv, const char *first_id,
                                 struct err *err);

/* For wal_retention_policy: the WAL before that backup, except what backups need. */
MUST_CHECK bool wal_purge_horizon(const struct task *t, const struct repo *r,
                                  const struct server_cfg *srv,
                                  const struct wal_cleanup_ask *ask, size_t anchor,
                                  struct err *err);

#endif
