/* SPDX-License-Identifier: PostgreSQL */
/* moment.h - what lies around a moment someone wants back, before any plan is made.
 *
 * moment_find    chooses the backup (the newest that ended before the target; for an xid or a
 *                restore point the WAL between backups is searched, newest first, each byte
 *                once) and walks WAL along the timeline until PostgreSQL would stop: the last
 *                commit that is kept, the first that is lost, and when the moment cannot be
 *                had, why and the nearest moments below and above that can.
 *                The walk for a time begins with the backup and leaves nothing out, since the
 *                server stops at the first transaction beyond the time in the order of the
 *                WAL, and a clock that once ran ahead would stop it long before: the answer is
 *                what the server will do. It costs the WAL from the backup to the moment, read
 *                once and in flat memory; progress is told and a cancel looked at with each
 *                segment. Only when the moment cannot be had is more read: the beginnings of
 *                later backups, the WAL before a hole, other timelines.
 * points_read    restore points and a histogram of commits in a span of time, newest segments
 *                first, told in parts.
 * Where time is meant, files are chosen by the times of the list of WAL with an hour to spare
 * on both sides, since a file's time is not that of its records.
 *
 * Errors   What cannot be read. That a moment cannot be restored is an answer.
 * Reads    only.
 */
#ifndef ENGINE_MOMENT_H
#define ENGINE_MOMENT_H

#include "barkeep/ask.h"
#include "barkeep/task.h"

struct config;
struct server_cfg;
struct target;

MUST_CHECK bool moment_find(const struct task *t, const struct config *config,
                            const struct server_cfg *srv, const struct goal *goal,
                            struct arena *a, struct answer_moment *out, struct err *err);

/* The same for `restore ... auto`: only the backup. ERR_MISSING with the answer's sentence and
 * hint when the target cannot be had. */
MUST_CHECK bool moment_backup(const struct task *t, const struct config *config,
                              const struct server_cfg *srv, const struct target *target,
                              struct arena *a, const char **id, struct err *err);

struct points_spec {
    int64_t from_us, to_us;
    void *ctx;
    /* so far; called now and then. The arrays are valid during the call. */
    void (*part)(void *ctx, const struct answer_points *so_far);
};

MUST_CHECK bool points_read(const struct task *t, const struct config *config,
                            const struct server_cfg *srv, const struct points_spec *spec,
                            struct arena *a, struct answer_points *out, struct err *err);

/* ASK_BACKUP: what the detail view shows of one backup. */
MUST_CHECK bool backup_detail(const struct task *t, const struct config *config,
                              const struct server_cfg *srv, const char *id, struct arena *a,
                              struct answer_backup *out, struct err *err);

#endif
