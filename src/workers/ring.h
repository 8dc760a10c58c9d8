/* SPDX-License-Identifier: PostgreSQL */
/* ring.h - a bounded queue between exactly one thread that puts and one that takes.
 *
 *        head (taker)                tail (putter)
 *          v                           v
 *     [ ][ item ][ item ][ item ][ item ][ ][ ][ ]     slots: a power of two
 *
 * Shapes   Items of one size, copied in; taken in place (ring_front, ring_pop) or copied out.
 *          head and tail only grow; their difference is how many wait.
 * Waiting  A side that must wait sleeps in poll() on an eventfd that the other side writes only
 *          when it was told that someone sleeps: no spinning, no timed polling, no system call
 *          while both sides keep up. ring_close() and ring_stop() wake both.
 * Threads  One putter, one taker; each function says whose it is. close and stop: any thread.
 * Ownership  ring_init() allocates the slots and two descriptors, ring_release() gives them
 *            back. What an item points to is the users' business: what waits in a stopped
 *            ring is still there for ring_front() and ring_pop().
 */
#ifndef WORKERS_RING_H
#define WORKERS_RING_H

#include "barkeep/err.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CACHE_LINE 64

enum ring_state { /* bits */
                  RING_OPEN = 0,
                  RING_CLOSED = 1, /* no more will be put; what waits is still taken */
                  RING_STOPPED =
                      2, /* somebody gave up: nothing is put or waited for any more */
};

struct ring {
    size_t item_size, stride, mask;
    char *item;
    int room_fd, item_fd; /* what the putter and the taker sleep on */
    _Atomic int state;    /* of enum ring_state, never cleared */

    _Alignas(CACHE_LINE) _Atomic size_t tail; /* written by the putter */
    size_t head_seen;                         /* putter's copy of head */
    _Atomic bool putter_sleeps;

    _Alignas(CACHE_LINE) _Atomic size_t head; /* written by the taker */
    size_t tail_seen;                         /* taker's copy of tail */
    _Atomic bool taker_sleeps;
};

/* slots: a power of two. */
MUST_CHECK bool ring_init(struct ring *r, size_t item_size, size_t slots, struct err *err);
void ring_release(struct ring *r);

/* Putter. false: no room, or no longer open. */
bool ring_try_put(struct ring *r, const void *item);

/* Putter; waits for room. RING_WAIT_OTHER: other_fd (-1: none) became readable;
 * RING_WAIT_TIME: until_ns (CLOCK_MONOTONIC, 0: none) passed. Nothing was put then. */
enum ring_wait { RING_WAIT_DONE, RING_WAIT_ENDED, RING_WAIT_OTHER, RING_WAIT_TIME };
enum ring_wait ring_put(struct ring *r, const void *item, int other_fd, int64_t until_ns);

/* Taker: the oldest item where it lies, NULL when none waits; it stays until ring_pop(). */
void *ring_front(struct ring *r);
void ring_pop(struct ring *r);
bool ring_try_take(struct ring *r, void *out);

/* Taker; waits for an item. NULL: closed and empty, or stopped. */
void *ring_wait_front(struct ring *r);

/* Taker with a poll() of its own: ring_may_sleep() before it, on ring_item_fd() among others;
 * false: an item waits, or the ring has ended. ring_awake() after it. */
int ring_item_fd(const struct ring *r);
bool ring_may_sleep(struct ring *r);
void ring_awake(struct ring *r);

size_t ring_count(const struct ring *r); /* exact for either side about its own part */

void ring_close(struct ring *r);
void ring_stop(struct ring *r);

#endif
