/* SPDX-License-Identifier: PostgreSQL */
#include "road_in.h"

#include "barkeep/str.h"
#include "base/bug.h"
#include "base/clock.h"
#include "ring.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define FACTS      64 /* that may wait in one worker's ring */
#define RATE_SPAN  (5 * NS_PER_S)
#define RATE_STEP  (NS_PER_S / 8)
#define RATE_KEEP  64 /* samples: a little more than RATE_SPAN / RATE_STEP */
#define FRESH      4u /* bit of progress_slot.middle: not seen by the reader yet */
#define WANT_FACT  1u
#define WANT_STEPS 2u

struct step {
    int64_t when_ns;
    uint32_t job;
    struct progress p;
};

/* copy[spare] is the writer's, copy[seen] the reader's, the third lies in the middle. */
struct progress_slot {
    struct step copy[3];
    unsigned spare;                               /* writer */
    _Alignas(CACHE_LINE) _Atomic unsigned middle; /* index, and FRESH */
    _Alignas(CACHE_LINE) unsigned seen;           /* reader */
    bool pending;                                 /* reader: copy[seen] was not handed out */
};

struct worker {
    struct ring facts;
    struct progress_slot steps;
};

/* How much was done when, to tell the speed; the reader's. */
struct rate {
    uint32_t job;
    char phase[32];
    struct {
        int64_t when_ns;
        uint64_t done;
    } at[RATE_KEEP];
    size_t n; /* samples ever taken */
};

struct road {
    int fd;
    pthread_mutex_t lock; /* places: used[], and the making of a worker */
    bool used[ROAD_WORKERS_MAX];
    struct worker *worker[ROAD_WORKERS_MAX];     /* made when first needed, stays */
    _Atomic unsigned workers;                    /* worker[0 .. workers) are there to be read */
    _Alignas(CACHE_LINE) _Atomic unsigned wants; /* what the watcher sleeps for */
    struct rate rate;                            /* reader */
    uint32_t newest_job;                         /* reader: the latest step handed out */
    int64_t newest_ns;
};

struct road *road_new(struct err *err)
{
    struct road *road = aligned_alloc(CACHE_LINE, sizeof *road);

    if (!road) {
        err_set(err, ERR_MEMORY, "", "", "out of memory");
        return NULL;
    }
    memset(road, 0, sizeof *road);
    road->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (road->fd < 0) {
        err_os(err, errno, "make a descriptor for a thread", "");
        free(road);
        return NULL;
    }
    BUG_IF(pthread_mutex_init(&road->lock, NULL) != 0);
    return road;
}

static void worker_free(struct worker *w)
{
    struct news news;

    while (ring_try_take(&w->facts, &news)) {
        news_release(&news);
    }
    ring_release(&w->facts);
    free(w);
}

static struct worker *worker_new(struct err *err)
{
    struct worker *w = aligned_alloc(CACHE_LINE, sizeof *w);

    if (!w) {
        err_set(err, ERR_MEMORY, "", "", "out of memory");
        return NULL;
    }
    memset(w, 0, sizeof *w);
    if (!ring_init(&w->facts, sizeof(struct news), FACTS, err)) {
        free(w);
        return NULL;
    }
    w->steps.spare = 0;
    atomic_init(&w->steps.middle, 1);
    w->steps.seen = 2;
    return w;
}

void road_free(struct road *road)
{
    unsigned n = atomic_load(&road->workers);

    for (unsigned i = 0; i < n; i++) {
        BUG_IF(road->used[i]);
        worker_free(road->worker[i]);
    }
    pthread_mutex_destroy(&road->lock);
    close(road->fd);
    free(road);
}

static bool find_place(struct road *road, unsigned *worker, struct err *err)
{
    unsigned made = atomic_load(&road->workers), i = 0;

    while (i < made && road->used[i]) {
        i++;
    }
    if (i == ROAD_WORKERS_MAX) {
        return err_set(err, ERR_BUSY, "Use fewer jobs.", "", "%d threads are at work already",
                       ROAD_WORKERS_MAX);
    }
    if (i == made) {
        road->worker[i] = worker_new(err);
        if (!road->worker[i]) {
            return false;
        }
        atomic_store_explicit(&road->workers, made + 1, memory_order_release);
    }
    road->used[i] = true;
    *worker = i;
    return true;
}

bool road_join(struct road *road, unsigned *worker, struct err *err)
{
    bool ok;

    pthread_mutex_lock(&road->lock);
    ok = find_place(road, worker, err);
    pthread_mutex_unlock(&road->lock);
    return ok;
}

void road_leave(struct road *road, unsigned worker)
{
    pthread_mutex_lock(&road->lock);
    BUG_IF(!road->used[worker]);
    road->used[worker] = false;
    pthread_mutex_unlock(&road->lock);
}

/* The other half of sleep_until(): first the thing is there, then the flag is looked at. */
static void wake_watcher(struct road *road, unsigned what)
{
    uint64_t one = 1;

    if ((atomic_load(&road->wants) & what) && atomic_exchange(&road->wants, 0)) {
        BUG_IF(write(road->fd, &one, sizeof one) != (ssize_t)sizeof one);
    }
}

void road_put(struct road *road, unsigned worker, struct news *news)
{
    struct ring *ring = &road->worker[worker]->facts;

    news->worker = worker;
    news->when_ns = clock_mono_ns();
    BUG_IF(ring_put(ring, news, -1, 0) != RING_WAIT_DONE);
    wake_watcher(road, WANT_FACT);
}

void road_put_said(struct road *road, unsigned worker, uint32_t job, enum say kind,
                   const char *line)
{
    struct news news = {.kind = NEWS_SAID, .job = job, .said.kind = kind};

    news_set_line(&news, line);
    road_put(road, worker, &news);
}

void road_put_progress(struct road *road, unsigned worker, uint32_t job,
                       const struct progress *p)
{
    struct progress_slot *s = &road->worker[worker]->steps;

    s->copy[s->spare] = (struct step){clock_mono_ns(), job, *p};
    s->spare = atomic_exchange(&s->middle, s->spare | FRESH) & ~FRESH;
    wake_watcher(road, WANT_STEPS);
}

/* ---- the watcher's end ---- */

int road_fd(const struct road *road)
{
    return road->fd;
}

static bool look(struct progress_slot *s)
{
    if (atomic_load(&s->middle) & FRESH) {
        s->seen = atomic_exchange(&s->middle, s->seen) & ~FRESH;
        s->pending = true;
    }
    return s->pending;
}

/* The worker whose oldest fact is the oldest of all; NULL: none waits. A fact that was said
 * because of another is younger, but may have been put between our looks at two rings: after
 * something was found, every ring is looked at once more. */
static struct ring *oldest(struct road *road)
{
    struct ring *found = NULL;

    for (int again = 0; again < 2; again++) {
        unsigned n = atomic_load_explicit(&road->workers, memory_order_acquire);
        int64_t when = INT64_MAX;

        for (unsigned i = 0; i < n; i++) {
            const struct news *news = ring_front(&road->worker[i]->facts);
            if (news && news->when_ns < when) {
                when = news->when_ns;
                found = &road->worker[i]->facts;
            }
        }
        if (!found) {
            return NULL;
        }
    }
    return found;
}

/* Nothing that belongs to an ended job is news any more. All of its threads were joined before
 * the end was said, so what they left is here to be seen. */
static void drop_steps(struct road *road, uint32_t job)
{
    unsigned n = atomic_load_explicit(&road->workers, memory_order_acquire);

    for (unsigned i = 0; i < n; i++) {
        struct progress_slot *s = &road->worker[i]->steps;
        if (look(s) && s->copy[s->seen].job == job) {
            s->pending = false;
        }
    }
    road->rate.n = 0;
}

static bool take_fact(struct road *road, struct news *out)
{
    struct ring *ring = oldest(road);

    if (!ring || !ring_try_take(ring, out)) {
        return false;
    }
    if (out->kind == NEWS_JOB_ENDED) {
        drop_steps(road, out->job);
    }
    return true;
}

/* Bytes a second since the oldest sample that is not older than RATE_SPAN. A new phase, or one
 * that goes backwards, starts again. */
static uint64_t speed(struct rate *r, const struct step *s)
{
    size_t last = (r->n + RATE_KEEP - 1) % RATE_KEEP, i;
    int64_t took;
    double rate;

    if (r->n == 0 || r->job != s->job || strcmp(r->phase, s->p.phase) != 0 ||
        s->p.done < r->at[last].done) {
        r->n = 0;
        r->job = s->job;
        str_copy(r->phase, sizeof r->phase, s->p.phase);
    }
    i = r->n > RATE_KEEP ? r->n - RATE_KEEP : 0;
    while (i < r->n && s->when_ns - r->at[i % RATE_KEEP].when_ns > RATE_SPAN && i + 1 < r->n) {
        i++;
    }
    took = i < r->n ? s->when_ns - r->at[i % RATE_KEEP].when_ns : 0;
    if (r->n == 0 || s->when_ns - r->at[(r->n - 1) % RATE_KEEP].when_ns >= RATE_STEP) {
        r->at[r->n % RATE_KEEP].when_ns = s->when_ns;
        r->at[r->n % RATE_KEEP].done = s->p.done;
        r->n++;
    }
    if (took < RATE_STEP) {
        return 0;
    }
    /* A job of another program may say any number. */
    rate = (double)(s->p.done - r->at[i % RATE_KEEP].done) * (double)NS_PER_S / (double)took;
    return rate < 0x1p63 ? (uint64_t)rate : UINT64_MAX;
}

/* Of several workers of a job the one that spoke last is right, and a step that is older than
 * one that was handed out is no news. */
static struct progress_slot *newest(struct road *road, unsigned *worker)
{
    unsigned n = atomic_load_explicit(&road->workers, memory_order_acquire);
    struct progress_slot *found = NULL;

    for (unsigned i = 0; i < n; i++) {
        struct progress_slot *s = &road->worker[i]->steps;
        const struct step *step;

        if (!look(s)) {
            continue;
        }
        step = &s->copy[s->seen];
        if (step->job == road->newest_job && step->when_ns < road->newest_ns) {
            s->pending = false;
        } else if (!found || step->when_ns > found->copy[found->seen].when_ns) {
            found = s;
            *worker = i;
        }
    }
    return found;
}

static bool take_step(struct road *road, struct news *out)
{
    unsigned worker = 0;
    struct progress_slot *s = newest(road, &worker);
    const struct step *step;

    if (!s) {
        return false;
    }
    s->pending = false;
    step = &s->copy[s->seen];
    road->newest_job = step->job;
    road->newest_ns = step->when_ns;
    *out = (struct news){.kind = NEWS_PROGRESS,
                         .job = step->job,
                         .worker = worker,
                         .when_ns = step->when_ns,
                         .progress = step->p};
    if (!out->progress.per_sec) {
        out->progress.per_sec = speed(&road->rate, step);
    }
    return true;
}

/* Say what to wake us for. After this, everything has to be looked at once more. */
static void sleep_until(struct road *road, unsigned wants)
{
    uint64_t n;

    if (atomic_load(&road->wants) == 0) { /* somebody woke us, or is about to */
        BUG_IF(read(road->fd, &n, sizeof n) < 0 && errno != EAGAIN && errno != EINTR);
    }
    atomic_store(&road->wants, wants);
}

bool road_take(struct road *road, struct news *out)
{
    if (take_fact(road, out) || take_step(road, out)) {
        return true;
    }
    sleep_until(road, WANT_FACT | WANT_STEPS);
    return take_fact(road, out) || take_step(road, out);
}

bool road_take_fact(struct road *road, struct news *out)
{
    if (take_fact(road, out)) {
        return true;
    }
    sleep_until(road, WANT_FACT);
    return take_fact(road, out);
}
