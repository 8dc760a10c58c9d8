/* SPDX-License-Identifier: PostgreSQL */
/* processes.h - who works for a server just now: the lock files that somebody holds, and the
 * process number in them.
 *
 *     .<server>-receive-wal.lock              receive-wal
 *     .<server>-<id>-sync-backup.lock         sync-backup
 *     .<server>-backup.lock                   backup (or delete)
 *     .<server>-cron.lock                     cron
 *     .<server>-archive-wal.lock              archive-wal
 *     .<server>-sync-wal.lock                 sync-wal
 *
 * Source  Barman 3.17, list-processes and terminate-process.
 */
#ifndef ENGINE_PROCESSES_H
#define ENGINE_PROCESSES_H

#include "barkeep/arena.h"
#include "repo/lock.h"

struct process {
    pid_t pid;
    const char *task; /* "receive-wal" */
};

struct processes {
    const struct process *process; /* by the name of the lock file */
    size_t n;
};

/* A lock whose process number cannot be read is left out, with a line in the log. */
MUST_CHECK bool processes_list(const struct repo *r, struct arena *a, struct processes *out,
                               struct err *err);

/* The task of a lock file of that server; NULL: of another server, or of no task. */
const char *process_task(const char *server, struct str file);

/* SIGINT, and wait up to that time until it is gone. Only while it holds the task's lock, so that
 * a number that was given to another process meanwhile is not signalled. ERR_TIMEOUT: it is still
 * there. */
MUST_CHECK bool process_stop(const struct repo *r, const struct process *p, int64_t wait_ns,
                             struct err *err);

#endif
