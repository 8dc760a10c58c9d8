/* SPDX-License-Identifier: PostgreSQL */
#include "crew_in.h"

#include "barkeep/str.h"
#include "base/bug.h"
#include "road_in.h"

#include <stddef.h>

#define PIECE_CAP 8192

struct pool {
    const struct pool_spec *spec;
    const struct task *task;
    pthread_mutex_t lock; /* everything below, and next() and done() of the spec */
    bool over;            /* no more pieces, or somebody failed */
    bool failed;
    struct err err; /* the first failure */
};

static void pool_fail(struct pool *pool, const struct err *err)
{
    if (!pool->failed) {
        pool->failed = true;
        pool->err = *err;
    }
    pool->over = true;
}

/* Under the lock: the next piece, unless it is over. */
static bool next_piece(struct pool *pool, void *piece)
{
    struct err err = {0};
    int more;

    if (pool->over) {
        return false;
    }
    if (!task_go_on(pool->task, &err)) {
        pool_fail(pool, &err);
        return false;
    }
    more = pool->spec->next(pool->spec->ctx, piece, &err);
    if (more < 0) {
        pool_fail(pool, &err);
    }
    pool->over = more <= 0;
    return more > 0;
}

/* One of the threads of a pool; the thread that called pool_run() is one too.
 * Locks  pool->lock, for next() and done(), never during work(). Those two may say something
 *        and so wait for the watcher, who takes no lock.
 * Owns   the piece it works on.
 * Stops  when the pool is over: looked at between pieces. */
static void pool_main(void *arg)
{
    struct pool *pool = arg;
    const struct pool_spec *spec = pool->spec;
    _Alignas(max_align_t) char piece[PIECE_CAP];

    pthread_mutex_lock(&pool->lock);
    while (next_piece(pool, piece)) {
        struct err err = {0};
        bool ok;

        pthread_mutex_unlock(&pool->lock);
        ok = spec->work(spec->ctx, piece, &err);
        pthread_mutex_lock(&pool->lock);
        if (!ok) {
            pool_fail(pool, &err);
        } else if (spec->done) {
            spec->done(spec->ctx, piece);
        }
    }
    pthread_mutex_unlock(&pool->lock);
}

bool crew_pool_run(void *self, const struct pool_spec *spec, struct err *err)
{
    struct crew *crew = self;
    struct pool pool = {.spec = spec, .task = &crew->task};
    struct hand hand[ROAD_WORKERS_MAX];
    unsigned n = 0;
    struct err unheard;

    BUG_IF(pthread_mutex_init(&pool.lock, NULL) != 0);
    while (n + 1 < spec->jobs && n < ROAD_WORKERS_MAX) {
        hand[n] = (struct hand){.main = pool_main, .arg = &pool};
        str_fmt(hand[n].name, sizeof hand[n].name, "piece-%u", n + 1);
        /* Fewer threads than asked for do the same work. */
        if (!hand_start(crew, &hand[n], &unheard)) {
            break;
        }
        n++;
    }
    pool_main(&pool);
    for (unsigned i = 0; i < n; i++) {
        hand_join(&hand[i]);
    }
    pthread_mutex_destroy(&pool.lock);
    if (pool.failed) {
        *err = pool.err;
    }
    return !pool.failed;
}
