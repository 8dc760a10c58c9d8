/* SPDX-License-Identifier: PostgreSQL */
/* crew_in.h - what crew.c, lane.c and pool.c share: a crew and its threads.
 *
 * Threads  struct crew is written before its threads start and not again, but for the atomic
 *          flag. A hand belongs to the thread that started it, which also joins it.
 */
#ifndef WORKERS_CREW_IN_H
#define WORKERS_CREW_IN_H

#include "crew.h"

#include <pthread.h>
#include <stdatomic.h>

struct hand { /* one thread */
    struct crew *crew;
    unsigned worker; /* its place on the road */
    pthread_t thread;
    char name[16];
    void (*main)(void *arg);
    void *arg;
};

struct crew {
    struct crew_spec spec;
    struct task task;
    _Atomic bool cancelled;
    int cancel_fd; /* eventfd, written once, never read */
    struct hand verb;
    struct err *end; /* room for the verb's failure, so that telling it needs no memory */
};

/* hand must stay where it is until hand_join(). */
MUST_CHECK bool hand_start(struct crew *crew, struct hand *hand, struct err *err);
void hand_join(struct hand *hand);

struct lane *crew_lane_new(void *self, const struct lane_spec *spec, struct err *err);
bool crew_lane_put(struct lane *lane, const void *item, struct err *err);
bool crew_lane_close(struct lane *lane, struct err *err);
void crew_lane_fail(struct lane *lane);
void crew_lane_set_mark(struct lane *lane, uint64_t mark);
uint64_t crew_lane_mark(struct lane *lane);
int crew_lane_mark_fd(struct lane *lane);
bool crew_pool_run(void *self, const struct pool_spec *spec, struct err *err);

#endif
