/* SPDX-License-Identifier: PostgreSQL */
/* job_serve.h - the socket of a running job, served by its collector.
 *
 *     client                      job                      one packet a line
 *     "facts 0"          ->       "fact 0 TAB <journal line>", "fact 1 ...", and every new one
 *                                 "progress TAB done=.. TAB total=.. ...", ten a second at most
 *     "cancel"           ->       (the fact `cancel` follows)
 *
 * Slow clients  A client that does not read is left behind: its facts wait in the journal, of
 *               progress it gets the latest. Nobody waits for it; when the job ends, the rest
 *               is to be read from the journal.
 * Threads       The collector's only; nothing here blocks.
 * Source        doc/formats.md
 */
#ifndef WORKERS_JOB_SERVE_H
#define WORKERS_JOB_SERVE_H

#include "barkeep/task.h"
#include "journal.h"

#include <poll.h>

#define SERVE_CLIENTS 8
#define SERVE_FDS     (SERVE_CLIENTS + 1)

struct serve_client {
    int fd; /* -1: nobody */
    bool wants_facts, progress_due, blocked;
    uint64_t line; /* number of the next fact */
    uint64_t at;   /* where it begins in the journal */
};

struct serve {
    int dir_fd, fd; /* fd -1: not serving */
    const struct journal *journal;
    struct serve_client client[SERVE_CLIENTS];
    char progress[512]; /* the latest, as it is sent; "" none yet */
};

/* dir_fd and journal stay the caller's and must live as long. */
MUST_CHECK bool serve_open(struct serve *s, int dir_fd, const struct journal *journal,
                           struct err *err);
void serve_release(struct serve *s);

/* For poll(): fills all SERVE_FDS, with -1 where there is nothing to wait for. */
void serve_poll(const struct serve *s, struct pollfd fd[SERVE_FDS]);
/* After poll(); true when somebody asked to cancel. */
bool serve_events(struct serve *s, const struct pollfd fd[SERVE_FDS]);

void serve_progress(struct serve *s, const struct progress *p); /* a new latest */
void serve_send(struct serve *s); /* what is due, as far as it goes without waiting */

#endif
