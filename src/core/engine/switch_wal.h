/* SPDX-License-Identifier: PostgreSQL */
/* switch_wal.h - the verb switch-wal: have the server close the segment it writes.
 *
 * Says     "The WAL file W has been closed on server 'X'", "No switch required for server 'X'",
 *          on a standby "No switch performed because server 'X' is a standby.", and with
 *          archive the lines of Barman about waiting, followed by those of archive-wal.
 * Fails    ERR_TIMEOUT when a segment that was closed does not arrive in time.
 */
#ifndef ENGINE_SWITCH_WAL_H
#define ENGINE_SWITCH_WAL_H

#include "barkeep/task.h"
#include "engine/repo_of.h"

enum switch_force { SWITCH_ONLY, SWITCH_AFTER_CHECKPOINT };
enum switch_archive { SWITCH_AND_GO, SWITCH_AND_ARCHIVE };

struct switch_wal {
    const struct repo *repo;
    const struct server_cfg *srv;
    enum switch_force force;     /* --force */
    enum switch_archive archive; /* --archive */
    int64_t archive_timeout_s;   /* --archive-timeout, 30; 0: no limit */
};

MUST_CHECK bool switch_wal(const struct task *t, const struct switch_wal *what,
                           struct err *err);

#endif
