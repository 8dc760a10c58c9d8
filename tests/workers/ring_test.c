/* SPDX-License-Identifier: PostgreSQL */
/* The ring beside a plain array that does the same slowly, under a random program of
 * operations; then the same ring between two threads. */
#include "workers/ring.h"

#include "base/clock.h"
#include "harness.h"

#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

struct item {
    uint64_t no;
    char tail[5]; /* an odd size: the stride is not the size */
};

static uint32_t next_random(uint32_t *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 17;
    *seed ^= *seed << 5;
    return *seed;
}

static const struct model_row {
    const char *label;
    size_t slots;
    uint32_t puts; /* of 16 operations */
} models[] = {
    {"one slot", 1, 8},     {"two slots, mostly full", 2, 12},
    {"eight slots", 8, 8},  {"eight slots, mostly empty", 8, 4},
    {"many slots", 256, 9},
};

static void like_an_array(void **state)
{
    const struct model_row *m = *state;
    uint64_t *model = calloc(100000, sizeof *model), first = 0, last = 0;
    uint32_t seed = 20261122;
    struct err err = {0};
    struct ring r;

    assert_true(ring_init(&r, sizeof(struct item), m->slots, &err));
    for (uint64_t i = 0; i < 100000; i++) {
        if (next_random(&seed) % 16 < m->puts) {
            struct item in = {i, "tail"};
            bool room = last - first < m->slots;
            assert_int_equal(ring_try_put(&r, &in), room);
            if (room) {
                model[last++] = i;
            }
        } else {
            struct item out;
            bool any = last > first;
            assert_int_equal(ring_try_take(&r, &out), any);
            if (any) {
                assert_int_equal(out.no, model[first++]);
                assert_string_equal(out.tail, "tail");
            }
        }
        assert_int_equal(ring_count(&r), last - first);
    }
    assert_true(last > 1000);
    ring_release(&r);
    free(model);
}

static const struct end_row {
    const char *label;
    bool stop;
    int waiting; /* items in it when it ends */
    int taken;   /* items a waiting taker still gets */
} ends[] = {
    {"close gives what waits", false, 3, 3},
    {"close of an empty ring", false, 0, 0},
    {"stop gives nothing more", true, 3, 0},
};

static void the_end(void **state)
{
    const struct end_row *row = *state;
    struct err err = {0};
    struct ring r;
    int n = 0;

    assert_true(ring_init(&r, sizeof n, 4, &err));
    for (int i = 0; i < row->waiting; i++) {
        assert_true(ring_try_put(&r, &i));
    }
    if (row->stop) {
        ring_stop(&r);
    } else {
        ring_close(&r);
    }
    assert_false(ring_try_put(&r, &n));
    assert_int_equal(ring_put(&r, &n, -1, 0), RING_WAIT_ENDED);
    while (ring_wait_front(&r)) {
        ring_pop(&r);
        n++;
    }
    assert_int_equal(n, row->taken);
    assert_int_equal(ring_count(&r),
                     row->waiting - row->taken); /* and the rest is still there */
    ring_release(&r);
}

static void a_putter_stops_waiting(void **state)
{
    int fd = eventfd(1, EFD_CLOEXEC), n = 1;
    struct err err = {0};
    int64_t begin = clock_mono_ns();
    struct ring r;

    (void)state;
    assert_true(ring_init(&r, sizeof n, 1, &err));
    assert_int_equal(ring_put(&r, &n, fd, 0), RING_WAIT_DONE); /* there is room: no matter */
    assert_int_equal(ring_put(&r, &n, fd, 0), RING_WAIT_OTHER);
    assert_int_equal(ring_put(&r, &n, -1, begin + 30 * NS_PER_MS), RING_WAIT_TIME);
    assert_true(clock_mono_ns() >= begin + 30 * NS_PER_MS);
    assert_int_equal(ring_count(&r), 1);
    ring_release(&r);
    close(fd);
}

struct pair {
    struct ring r;
    uint64_t items;
};

static void *put_all(void *arg)
{
    struct pair *p = arg;

    for (uint64_t i = 0; i < p->items; i++) {
        struct item in = {i, "tail"};
        if (ring_put(&p->r, &in, -1, 0) != RING_WAIT_DONE) {
            return arg;
        }
    }
    ring_close(&p->r);
    return NULL;
}

static const struct pair_row {
    const char *label;
    size_t slots;
    uint64_t items;
    unsigned nap_every; /* the taker sleeps a little after so many; 0: never */
} pairs[] = {
    {"through one slot", 1, 60000, 0},
    {"through four slots", 4, 100000, 0},
    {"slow taker", 16, 5000, 100},
    {"wide", 1024, 500000, 0},
};

static void between_threads(void **state)
{
    const struct pair_row *row = *state;
    struct pair *p = aligned_alloc(CACHE_LINE, sizeof *p);
    struct err err = {0};
    struct item *item;
    uint64_t n = 0;
    void *failed;
    pthread_t t;

    assert_true(ring_init(&p->r, sizeof(struct item), row->slots, &err));
    p->items = row->items;
    assert_int_equal(pthread_create(&t, NULL, put_all, p), 0);
    while ((item = ring_wait_front(&p->r))) {
        assert_int_equal(item->no, n);
        ring_pop(&p->r);
        n++;
        if (row->nap_every && n % row->nap_every == 0) {
            poll(NULL, 0, 1);
        }
    }
    assert_int_equal(n, row->items);
    assert_int_equal(pthread_join(t, &failed), 0);
    assert_null(failed);
    ring_release(&p->r);
    free(p);
}

static void stop_wakes_a_waiting_putter(void **state)
{
    struct pair *p = aligned_alloc(CACHE_LINE, sizeof *p);
    struct err err = {0};
    void *failed;
    pthread_t t;

    (void)state;
    assert_true(ring_init(&p->r, sizeof(struct item), 2, &err));
    p->items = 100;
    assert_int_equal(pthread_create(&t, NULL, put_all, p), 0);
    poll(NULL, 0, 20);
    ring_stop(&p->r);
    assert_int_equal(pthread_join(t, &failed), 0);
    assert_non_null(failed);
    ring_release(&p->r);
    free(p);
}

/* ---- the stress: eight putters, ten million items, a taker that sleeps at random ---- */

#define STRESS_RINGS 8
#define STRESS_ITEMS UINT64_C(10000000)

static void *put_many(void *arg)
{
    struct pair *p = arg;

    for (uint64_t i = 0; i < p->items; i++) {
        if (ring_put(&p->r, &i, -1, 0) != RING_WAIT_DONE) {
            return arg;
        }
    }
    ring_close(&p->r);
    return NULL;
}

/* All that wait in one ring; false: nothing more will come. */
static bool take_all(struct pair *p, uint64_t *next)
{
    bool closed = atomic_load(&p->r.state) != RING_OPEN;
    uint64_t item;

    while (ring_try_take(&p->r, &item)) {
        assert_int_equal(item, *next);
        ++*next;
    }
    return !closed;
}

static void ten_million_through_eight(void **state)
{
    struct pair *p[STRESS_RINGS];
    pthread_t thread[STRESS_RINGS];
    uint64_t next[STRESS_RINGS] = {0}, sum = 0;
    struct err err = {0};
    unsigned open = STRESS_RINGS;
    uint32_t seed = 20261127;
    void *failed;

    (void)state;
    for (int i = 0; i < STRESS_RINGS; i++) {
        p[i] = aligned_alloc(CACHE_LINE, sizeof *p[i]);
        assert_true(ring_init(&p[i]->r, sizeof(uint64_t), (size_t)16 << i, &err));
        p[i]->items = STRESS_ITEMS / STRESS_RINGS;
        assert_int_equal(pthread_create(&thread[i], NULL, put_many, p[i]), 0);
    }
    while (open) {
        struct pollfd fd[STRESS_RINGS];
        bool may_sleep = true;

        open = 0;
        for (int i = 0; i < STRESS_RINGS; i++) {
            bool more = take_all(p[i], &next[i]);
            open += more;
            fd[i] = (struct pollfd){.fd = more ? ring_item_fd(&p[i]->r) : -1, .events = POLLIN};
            may_sleep = (!more || ring_may_sleep(&p[i]->r)) && may_sleep;
        }
        if (open && may_sleep) { /* a lost wake would end the test here */
            assert_true(poll(fd, STRESS_RINGS, 20000) > 0);
        }
        for (int i = 0; i < STRESS_RINGS; i++) {
            ring_awake(&p[i]->r);
        }
        if (next_random(&seed) % 512 == 0) {
            poll(NULL, 0, (int)(next_random(&seed) % 3));
        }
    }
    for (int i = 0; i < STRESS_RINGS; i++) {
        assert_int_equal(pthread_join(thread[i], &failed), 0);
        assert_null(failed);
        assert_int_equal(next[i], STRESS_ITEMS / STRESS_RINGS);
        sum += next[i];
        ring_release(&p[i]->r);
        free(p[i]);
    }
    assert_int_equal(sum, STRESS_ITEMS);
}

TEST_MAIN(ROWS(models, like_an_array), ROWS(ends, the_end), ONE(a_putter_stops_waiting),
          ROWS(pairs, between_threads), ONE(stop_wakes_a_waiting_putter),
          ONE(ten_million_through_eight))
