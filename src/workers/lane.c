/* SPDX-License-Identifier: PostgreSQL */
#include "crew_in.h"

#include "barkeep/str.h"
#include "base/bug.h"
#include "ring.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

struct lane {
    struct ring ring;
    struct lane_spec spec;
    struct crew *crew;
    struct hand hand;
    bool failed;    /* and err: written by the consumer before it stops the ring, read by the */
    struct err err; /* producer after it saw that or has joined the thread */
    _Atomic uint64_t mark;
    int mark_fd;
};

static void ring_the_mark(struct lane *lane)
{
    uint64_t one = 1;

    BUG_IF(write(lane->mark_fd, &one, sizeof one) != (ssize_t)sizeof one);
}

/* The consumer of a lane.
 * Locks  none; what consume() takes is the engine's, which has none.
 * Owns   the item at the front of the ring while consume() looks at it.
 * Stops  when the ring is closed and empty, when the producer gave up, or after the first
 *        failure. What then still waits is dropped by the producer, after the join. */
static void consumer_main(void *arg)
{
    struct lane *lane = arg;
    const struct lane_spec *spec = &lane->spec;
    void *item;

    while ((item = ring_wait_front(&lane->ring))) {
        bool more = ring_count(&lane->ring) > 1;
        bool ok = spec->consume(spec->ctx, item, more, &lane->err);

        ring_pop(&lane->ring);
        if (!ok) {
            lane->failed = true;
            ring_stop(&lane->ring);
            ring_the_mark(lane);
            return;
        }
    }
}

static void lane_free(struct lane *lane)
{
    if (lane->mark_fd >= 0) {
        close(lane->mark_fd);
    }
    ring_release(&lane->ring);
    free(lane);
}

static struct lane *lane_new(const struct lane_spec *spec, struct err *err)
{
    struct lane *lane = aligned_alloc(CACHE_LINE, sizeof *lane);

    if (!lane) {
        err_set(err, ERR_MEMORY, "", "", "out of memory");
        return NULL;
    }
    memset(lane, 0, sizeof *lane);
    lane->spec = *spec;
    lane->mark_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (lane->mark_fd < 0) {
        err_os(err, errno, "make a descriptor for a thread", "");
        free(lane);
        return NULL;
    }
    if (!ring_init(&lane->ring, spec->item_size, spec->slots, err)) {
        lane_free(lane);
        return NULL;
    }
    return lane;
}

struct lane *crew_lane_new(void *self, const struct lane_spec *spec, struct err *err)
{
    struct lane *lane = lane_new(spec, err);

    if (!lane) {
        return NULL;
    }
    lane->crew = self;
    lane->hand.main = consumer_main;
    lane->hand.arg = lane;
    str_copy(lane->hand.name, sizeof lane->hand.name, spec->name);
    if (!hand_start(self, &lane->hand, err)) {
        lane_free(lane);
        return NULL;
    }
    return lane;
}

bool crew_lane_put(struct lane *lane, const void *item, struct err *err)
{
    const struct task *task = &lane->crew->task;
    enum ring_wait got;

    for (;;) {
        got = ring_put(&lane->ring, item, task->cancel_fd, task->deadline_ns);
        if (got == RING_WAIT_DONE) {
            return true;
        }
        if (got == RING_WAIT_ENDED) {
            *err = lane->err;
            return false;
        }
        if (!task_go_on(task, err)) {
            return false;
        }
    }
}

/* After the join the producer is the only one left, so it may take. */
static bool end_lane(struct lane *lane, struct err *err)
{
    bool ok;
    void *item;

    hand_join(&lane->hand);
    while ((item = ring_front(&lane->ring))) {
        if (lane->spec.drop) {
            lane->spec.drop(lane->spec.ctx, item);
        }
        ring_pop(&lane->ring);
    }
    ok = !lane->failed;
    if (!ok) {
        *err = lane->err;
    }
    lane_free(lane);
    return ok;
}

bool crew_lane_close(struct lane *lane, struct err *err)
{
    ring_close(&lane->ring);
    return end_lane(lane, err);
}

void crew_lane_fail(struct lane *lane)
{
    struct err unheard;

    ring_stop(&lane->ring);
    (void)end_lane(lane, &unheard);
}

void crew_lane_set_mark(struct lane *lane, uint64_t mark)
{
    if (atomic_exchange_explicit(&lane->mark, mark, memory_order_acq_rel) != mark) {
        ring_the_mark(lane);
    }
}

uint64_t crew_lane_mark(struct lane *lane)
{
    return atomic_load_explicit(&lane->mark, memory_order_acquire);
}

int crew_lane_mark_fd(struct lane *lane)
{
    return lane->mark_fd;
}
