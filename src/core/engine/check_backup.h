/* SPDX-License-Identifier: PostgreSQL */
/* check_backup.h - the verb check-backup: have the WAL files a backup needs arrived?
 *
 * Looks at the newest archived segment on the timeline of begin_wal: none, or older than
 * begin_wal: WAITING_FOR_WALS, as when a needed one has arrived and is not archived yet. A needed
 * segment missing up to the newest: FAILED, with the first missing one as the reason. end_wal
 * reached and nothing missing: DONE. Saved when it changed. Only for backups whose copy is done;
 * others are left alone.
 *
 * Says     Nothing, except SAY_ERROR when the backup turns FAILED, or is.
 * Busy     With the backup's own lock taken: ERR_BUSY.
 */
#ifndef ENGINE_CHECK_BACKUP_H
#define ENGINE_CHECK_BACKUP_H

#include "barkeep/task.h"
#include "repo_of.h"

MUST_CHECK bool check_backup(const struct task *t, const struct repo *r, const char *id,
                             enum backup_status *now, struct err *err);

/* The same for a caller that holds the backup's lock and the backup itself: fills *now and
 * `missing` (the first missing segment, "" if none) and saves nothing. */
MUST_CHECK bool check_backup_wals(const struct repo *r, const struct backup *b,
                                  enum backup_status *now, char missing[WAL_FILE_NAME_CAP],
                                  struct err *err);

#endif
