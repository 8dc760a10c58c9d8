/* SPDX-License-Identifier: PostgreSQL */
/* convert_layout.h - the verb convert-layout: bring the catalogue of a server into the other
 * layout (repo/layout.h), without copying a backup.
 *
 * Locks    backup, cron and archive-wal of the server, all tried; each backup's own lock while it
 *          is moved; xlogdb while the list of WAL is.
 * Order    everything is looked at before anything is written. A kill at any moment leaves what
 *          reads as before; the same command again finishes it.
 * Refuses  ERR_UNSAFE, to legacy: a backup or a WAL file that an older Barman would misread
 *          (incremental, encrypted), all of them named in warnings before; ERR_CONFIG:
 *          catalogue_layout says otherwise; ERR_BUSY: somebody is at work.
 * Says     one line for each thing that moves, or would.
 */
#ifndef ENGINE_CONVERT_LAYOUT_H
#define ENGINE_CONVERT_LAYOUT_H

#include "barkeep/task.h"
#include "repo_of.h"

struct convert_layout {
    const struct repo *repo;
    const struct server_cfg *srv;
    enum catalogue_layout to;
    bool dry_run;
};

MUST_CHECK bool convert_layout(const struct task *t, const struct convert_layout *what,
                               struct err *err);

#endif
