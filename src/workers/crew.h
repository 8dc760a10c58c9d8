/* SPDX-License-Identifier: PostgreSQL */
/* crew.h - struct task with threads behind it.
 *
 *     crew_start()   one thread that runs the verb; it and every thread below say what they
 *                    have to say through the road
 *     lane_open()    one thread a lane, fed through a ring
 *     pool_run()     jobs - 1 threads beside the caller, pulling pieces under one mutex
 *
 * Cancel   crew_cancel() sets a flag and makes the task's cancel_fd readable for good. A
 *          lane_put() that waits for room returns ERR_CANCEL; a pool looks between pieces; the
 *          verb asks task_go_on() and has cancel_fd in its poll(). No thread is ever killed.
 * Signals  All are blocked in all of these threads.
 * Errors   A verb that failed is told in NEWS_JOB_ENDED, the last fact of the job.
 */
#ifndef WORKERS_CREW_H
#define WORKERS_CREW_H

#include "barkeep/err.h"
#include "barkeep/road.h"
#include "barkeep/task.h"

struct crew;

struct crew_spec {
    struct road *road;
    uint32_t job;        /* number put into the news; 0: none */
    int64_t deadline_ns; /* CLOCK_MONOTONIC; 0: none */
    const char *name;    /* of the verb's thread, at most 15 bytes */
    bool (*run)(const struct task *task, void *arg, struct err *err);
    void *arg;
    /* Not NULL: nothing of this crew comes down the road by itself, no beginning, no end, no
     * line, no progress; its end is told by this call, the last thing its thread does. err
     * NULL: well. */
    void (*ended)(void *arg, const struct err *err);
};

/* Start the verb: NEWS_JOB_BEGAN ... NEWS_JOB_ENDED come down the road. NULL: not started. */
struct crew *crew_start(const struct crew_spec *spec, struct err *err);

/* From a thread of the crew, through its own ring; waits for room. */
void crew_tell(struct news *news);

void crew_cancel(struct crew *crew); /* any thread; again does nothing */

/* Waits for the verb's thread; take NEWS_JOB_ENDED first, since a full ring makes it wait. */
void crew_free(struct crew *crew);

#endif
