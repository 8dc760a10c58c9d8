/* SPDX-License-Identifier: PostgreSQL */
/* desk.h - the workers behind a console: they look at servers, follow jobs, answer questions.
 *
 *                        orders (one ring)
 *     screen  --------------------------------->  desk thread   jobs list, starts and cancels
 *        ^                                          |   |   \
 *        |  news (a ring each, one eventfd)         |   |    follower   one job's socket/journal
 *        +------------------------------------------+   |
 *        +--------- lookers: at most DESK_LOOKERS ------+   one server at a time each
 *        +--------- askers: a reading job each, cancelled by the next of its kind
 *
 * Looking    Each server has its own due time and backoff (2, 4, 8 .. 60 s while silent). The
 *            selected one is looked at every 2 s, the others the slower the more there are, so
 *            that the rate over all servers stays bounded; what is kept (catalogue, WAL) when
 *            its directories changed, 30 s at most between two looks. Silent servers may hold
 *            at most half of the lookers: they delay nobody. A snapshot is sent when something
 *            in it changed.
 * First      Before anything is looked at, every server has a snapshot from the file
 *            <home>/.barkeep/seen (is_saved), within milliseconds. Saved at the end and every
 *            minute when it changed.
 * Jobs       ORDER_START allocates a job and starts "PROGRAM [-c FILE] --batch --job N words"
 *            in a session of its own: it survives us. The list follows the jobs' directory;
 *            running jobs are attached to by their sockets for progress, whoever started them.
 *            NEWS_STARTED comes when the job has begun, or when its process ended without that:
 *            then with the last line it wrote on stderr, and its directory is removed.
 * Follow     Of the followed job, and of no other, NEWS_JOB_BEGAN, every NEWS_SAID from the
 *            first on and NEWS_JOB_ENDED; also of one that ended or died long ago. After an
 *            ORDER_FOLLOW nothing of an earlier one is given. Progress comes of all that run.
 * Stop       desk_free() cancels what only reads, leaves jobs alone, waits for its threads, but
 *            no longer than 200 ms: one that is still in a name look-up or in a disk that
 *            hangs is left behind with the desk's memory. Then the process should end. News
 *            not taken is freed. What was seen is written last. Connections still open when the
 *            time is over are left to the end of the process.
 * Threads    desk_new, desk_free and the road_end are the watcher's. All signals are blocked in
 *            the desk's threads.
 */
#ifndef WORKERS_DESK_H
#define WORKERS_DESK_H

#include "barkeep/road.h"

#define DESK_LOOKERS 24

struct config;
struct desk;

struct desk_spec {
    const struct config *config; /* outlives the desk */
    const char *program;         /* absolute path of the running binary */
    const char *config_path;     /* NULL: the default search */
};

/* The configuration must have no conflicts between servers. */
struct desk *desk_new(const struct desk_spec *spec, struct err *err);
void desk_free(struct desk *desk);

struct road_end desk_end(struct desk *desk);

#endif
