/* SPDX-License-Identifier: PostgreSQL */
/* cron.h - the verb cron: once a minute, start what should be running.
 *
 * For each server that is active and not disabled, under its cron lock: archive-wal when
 * something waits for it, receive-wal when it does not run (or end it when streaming_archiver
 * is off), check-backup of the oldest backup that waits for WAL; each is started as our own
 * program (`<program> -c CONF -q VERB SERVER`) in a session of its own and not waited for. Then
 * retention, see enforce.h. At the end lock files that nobody holds are removed.
 *
 * An idle server costs a look into incoming and streaming and its backup.info files: nothing is
 * started, xlog.db and the archive are not read.
 *
 * Retention of one server may take long, and holds up nobody: with `due` given it is left to calls
 * with CRON_RETENTION, which workers run side by side when all servers have had their turn.
 *
 * CRON_DRY_RUN only tells what retention would remove: no lock is taken, nothing is started.
 *
 * Errors   What one server refuses is said and the others go on; false at the end then.
 */
#ifndef ENGINE_CRON_H
#define ENGINE_CRON_H

#include "barkeep/task.h"
#include "cfg/config.h"
#include "engine/repo_of.h"

enum cron_output { CRON_CHILDREN_QUIET, CRON_CHILDREN_KEEP_OUTPUT };

enum cron_how { CRON_DO, CRON_DRY_RUN, CRON_RETENTION };

struct cron {
    const struct config *cfg;
    enum cron_output output;
    const char *program; /* absolute; NULL: the running one */
    enum cron_how how;
    const struct server_cfg *only; /* of cfg; NULL: all servers */
    bool *due; /* [i] of cfg->server, false at first: retention has something to remove there,
                  and did not. NULL: it does at once */
};

MUST_CHECK bool cron_run(const struct task *t, const struct cron *what, struct err *err);

#endif
