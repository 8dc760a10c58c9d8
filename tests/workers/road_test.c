/* SPDX-License-Identifier: PostgreSQL */
/* BARKEEP_STRESS=n: how many facts the stress puts through in all (default: as many as go
 * through in about two seconds). */
#include "workers/road_in.h"

#include "barkeep/str.h"
#include "base/clock.h"
#include "harness.h"

#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#define WORKERS 8

static bool readable(const struct road *road, int ms)
{
    struct pollfd fd = {.fd = road_fd(road), .events = POLLIN};

    return poll(&fd, 1, ms) == 1;
}

struct one { /* a road with one worker, used from the test's own thread */
    struct road *road;
    unsigned me;
};

static struct one one_new(void)
{
    struct one o;
    struct err err = {0};

    o.road = road_new(&err);
    assert_non_null(o.road);
    assert_true(road_join(o.road, &o.me, &err));
    return o;
}

static void one_free(struct one o)
{
    road_leave(o.road, o.me);
    road_free(o.road);
}

static void facts_in_order(void **state)
{
    struct one o = one_new();
    struct news news;
    char line[16];

    (void)state;
    assert_false(road_take(o.road, &news));
    assert_false(readable(o.road, 0));
    for (int i = 0; i < 50; i++) {
        str_fmt(line, sizeof line, "%d", i);
        road_put_said(o.road, o.me, 7, SAY_OUT, line);
    }
    assert_true(readable(o.road, 0));
    for (int i = 0; i < 50; i++) {
        str_fmt(line, sizeof line, "%d", i);
        assert_true(road_take(o.road, &news));
        assert_int_equal(news.kind, NEWS_SAID);
        assert_int_equal(news.job, 7);
        assert_int_equal(news.worker, o.me);
        assert_string_equal(news_line(&news), line);
        news_release(&news);
    }
    assert_false(road_take(o.road, &news));
    assert_false(readable(o.road, 0));
    one_free(o);
}

static void long_lines_stay_whole(void **state)
{
    struct one o = one_new();
    char line[4000];
    struct news news;

    (void)state;
    memset(line, 'x', sizeof line);
    for (size_t n = 429; n < 437; n++) { /* around the size of news.said.line */
        line[n] = '\0';
        road_put_said(o.road, o.me, 1, SAY_OUT, line);
        assert_true(road_take(o.road, &news));
        assert_int_equal(strlen(news_line(&news)), n);
        news_release(&news);
        line[n] = 'x';
    }
    line[sizeof line - 1] = '\0';
    road_put_said(o.road, o.me, 1, SAY_OUT, line); /* not taken: road_free() frees it */
    one_free(o);
}

static void progress_is_overwritten(void **state)
{
    struct one o = one_new();
    struct progress p = {.phase = "copy"};
    struct news news;

    (void)state;
    for (p.done = 1; p.done <= 1000; p.done++) {
        road_put_progress(o.road, o.me, 1, &p);
    }
    assert_true(road_take(o.road, &news));
    assert_int_equal(news.kind, NEWS_PROGRESS);
    assert_int_equal(news.progress.done, 1000);
    assert_false(road_take(o.road, &news));
    road_put_progress(o.road, o.me, 1, &p); /* and the slot goes on working */
    assert_true(readable(o.road, 0));
    assert_true(road_take(o.road, &news));
    assert_int_equal(news.progress.done, 1001);
    one_free(o);
}

static void progress_after_the_end_is_dropped(void **state)
{
    struct one o = one_new();
    struct err err = {0};
    struct progress p = {.done = 5};
    struct news ended = {.kind = NEWS_JOB_ENDED, .job = 1}, news;
    unsigned other;

    (void)state;
    assert_true(road_join(o.road, &other, &err));
    road_put_progress(o.road, o.me, 1, &p);
    road_put_progress(o.road, other, 2, &p);
    road_put(o.road, o.me, &ended);
    assert_true(road_take(o.road, &news));
    assert_int_equal(news.kind, NEWS_JOB_ENDED);
    assert_true(road_take(o.road, &news)); /* of the other job */
    assert_int_equal(news.kind, NEWS_PROGRESS);
    assert_int_equal(news.job, 2);
    assert_false(road_take(o.road, &news));
    road_leave(o.road, other);
    one_free(o);
}

static void progress_does_not_wake_who_wants_facts(void **state)
{
    struct one o = one_new();
    struct progress p = {.done = 5};
    struct news news;

    (void)state;
    assert_false(road_take_fact(o.road, &news));
    road_put_progress(o.road, o.me, 1, &p);
    assert_false(readable(o.road, 0));
    road_put_said(o.road, o.me, 1, SAY_LOG, "fact");
    assert_true(readable(o.road, 0));
    assert_true(road_take_fact(o.road, &news));
    assert_false(road_take_fact(o.road, &news));
    assert_true(road_take(o.road, &news));
    assert_int_equal(news.kind, NEWS_PROGRESS);
    one_free(o);
}

/* 1000 bytes every 150 ms. */
static void speed_over_time(void **state)
{
    struct one o = one_new();
    struct progress p = {.phase = "copy"};
    struct news news;

    (void)state;
    for (int i = 0; i < 6; i++) {
        p.done += 1000;
        road_put_progress(o.road, o.me, 1, &p);
        assert_true(road_take(o.road, &news));
        poll(NULL, 0, 150);
    }
    assert_in_range(news.progress.per_sec, 2000, 6700);
    str_copy(p.phase, sizeof p.phase, "sync"); /* another phase starts from nothing */
    p.done = 10;
    road_put_progress(o.road, o.me, 1, &p);
    assert_true(road_take(o.road, &news));
    assert_int_equal(news.progress.per_sec, 0);
    p.per_sec = 77; /* told by the sender: kept */
    road_put_progress(o.road, o.me, 1, &p);
    assert_true(road_take(o.road, &news));
    assert_int_equal(news.progress.per_sec, 77);
    one_free(o);
}

static void places_run_out(void **state)
{
    struct err err = {0};
    struct road *road = road_new(&err);
    unsigned at[ROAD_WORKERS_MAX], more;

    (void)state;
    for (unsigned i = 0; i < ROAD_WORKERS_MAX; i++) {
        assert_true(road_join(road, &at[i], &err));
        assert_int_equal(at[i], i);
    }
    assert_false(road_join(road, &more, &err));
    assert_int_equal(err.code, ERR_BUSY);
    road_leave(road, 17);
    assert_true(road_join(road, &more, &err));
    assert_int_equal(more, 17);
    for (unsigned i = 0; i < ROAD_WORKERS_MAX; i++) {
        road_leave(road, at[i]);
    }
    road_free(road);
}

/* ---- the stress: 8 workers, a watcher that sleeps at random ---- */

struct stress {
    struct road *road;
    uint64_t facts; /* per worker; 0: until time is up */
    int64_t until_ns;
};

struct runner {
    struct stress *s;
    pthread_t thread;
    unsigned no;    /* bears job number no + 1 */
    uint64_t put;   /* facts, without the two of begin and end; read after the join */
    uint64_t taken; /* the watcher's */
    uint64_t done;  /* the watcher's: progress never goes backwards */
    int began, ended;
};

static void *run(void *arg)
{
    struct runner *r = arg;
    struct stress *s = r->s;
    struct news began = {.kind = NEWS_JOB_BEGAN, .job = r->no + 1};
    struct news ended = {.kind = NEWS_JOB_ENDED, .job = r->no + 1};
    struct err err = {0};
    char line[24];
    unsigned me;

    if (!road_join(s->road, &me, &err)) {
        return NULL;
    }
    road_put(s->road, me, &began);
    for (r->put = 0; s->facts ? r->put < s->facts : clock_mono_ns() < s->until_ns; r->put++) {
        struct progress p = {.done = r->put};
        str_fmt(line, sizeof line, "%llu", (unsigned long long)r->put);
        road_put_said(s->road, me, r->no + 1, SAY_LOG, line);
        road_put_progress(s->road, me, r->no + 1, &p);
    }
    ended.err = calloc(1, sizeof *ended.err);
    road_put(s->road, me, &ended);
    road_leave(s->road, me);
    return NULL;
}

static void check_news(struct runner *r, const struct news *news)
{
    char line[24];

    assert_int_equal(r->ended, 0);
    switch (news->kind) {
    case NEWS_JOB_BEGAN:
        assert_int_equal(r->began++, 0);
        break;
    case NEWS_SAID:
        str_fmt(line, sizeof line, "%llu", (unsigned long long)r->taken++);
        assert_string_equal(news_line(news), line);
        break;
    case NEWS_PROGRESS:
        assert_true(news->progress.done >= r->done);
        r->done = news->progress.done;
        break;
    case NEWS_JOB_ENDED:
        assert_non_null(news->err);
        r->ended++;
        break;
    default:
        fail_msg("news of kind %d, which nobody sent", news->kind);
    }
}

static void nothing_lost_nothing_late(void **state)
{
    const char *total = getenv("BARKEEP_STRESS");
    struct err err = {0};
    struct stress s = {.road = road_new(&err), .until_ns = clock_mono_ns() + 2 * NS_PER_S};
    struct runner r[WORKERS] = {{0}};
    unsigned ended = 0, seed = 1;
    struct news news;

    (void)state;
    s.facts = total ? (uint64_t)atoll(total) / WORKERS : 0;
    for (unsigned i = 0; i < WORKERS; i++) {
        r[i].s = &s;
        r[i].no = i;
        assert_int_equal(pthread_create(&r[i].thread, NULL, run, &r[i]), 0);
    }
    while (ended < WORKERS) {
        while (road_take(s.road, &news)) {
            assert_in_range(news.job, 1, WORKERS);
            check_news(&r[news.job - 1], &news);
            ended += news.kind == NEWS_JOB_ENDED;
            news_release(&news);
            if (rand_r(&seed) % 20000 == 0) {
                poll(NULL, 0, rand_r(&seed) % 5);
            }
        }
        if (ended < WORKERS) {
            assert_true(readable(s.road, 20000)); /* nobody waits for a wake that was lost */
        }
    }
    for (unsigned i = 0; i < WORKERS; i++) {
        assert_int_equal(pthread_join(r[i].thread, NULL), 0);
        assert_int_equal(r[i].taken, r[i].put);
        assert_int_equal(r[i].began, 1);
        assert_int_equal(r[i].ended, 1);
        assert_true(r[i].put > 0);
    }
    assert_false(road_take(s.road, &news));
    road_free(s.road);
}

/* b speaks only after a has spoken: the watcher hears them in that order, although it passes
 * a's place long before it comes to b's. */
struct relay {
    struct road *road;
    _Atomic int turn;
    pthread_t thread[2];
    unsigned place[2];
    int rounds;
};

static void *speak(struct relay *r, int me)
{
    for (int i = me; i < r->rounds; i += 2) {
        char line[16];
        while (atomic_load(&r->turn) != i) {
            sched_yield();
        }
        str_fmt(line, sizeof line, "%d", i);
        road_put_said(r->road, r->place[me], 1, SAY_LOG, line);
        atomic_store(&r->turn, i + 1);
    }
    return NULL;
}

static void *speak_first(void *arg)
{
    return speak(arg, 0);
}

static void *speak_second(void *arg)
{
    return speak(arg, 1);
}

static void because_of_comes_after(void **state)
{
    struct err err = {0};
    struct relay r = {.road = road_new(&err), .rounds = 20000};
    struct news news;
    char line[16];
    unsigned place;

    (void)state;
    for (unsigned i = 0; i < ROAD_WORKERS_MAX; i++) {
        assert_true(road_join(r.road, &place, &err));
    }
    r.place[1] = place; /* and the other one is 0 */
    assert_int_equal(pthread_create(&r.thread[0], NULL, speak_first, &r), 0);
    assert_int_equal(pthread_create(&r.thread[1], NULL, speak_second, &r), 0);
    for (int i = 0; i < r.rounds;) {
        if (!road_take(r.road, &news)) {
            assert_true(readable(r.road, 20000));
            continue;
        }
        str_fmt(line, sizeof line, "%d", i++);
        assert_string_equal(news_line(&news), line);
    }
    for (int i = 0; i < 2; i++) {
        assert_int_equal(pthread_join(r.thread[i], NULL), 0);
    }
    for (unsigned i = 0; i < ROAD_WORKERS_MAX; i++) {
        road_leave(r.road, i);
    }
    road_free(r.road);
}

/* One fact at a time, the next when it was heard: a wake that gets lost is never made good. */
static void *one_by_one(void *arg)
{
    struct relay *r = arg;

    for (int i = 0; i < r->rounds; i++) {
        while (atomic_load(&r->turn) != i) {
        }
        road_put_said(r->road, r->place[0], 1, SAY_LOG, "x");
    }
    return NULL;
}

static void no_wake_is_lost(void **state)
{
    struct err err = {0};
    struct relay r = {.road = road_new(&err), .rounds = 30000};
    struct news news;

    (void)state;
    assert_true(road_join(r.road, &r.place[0], &err));
    assert_int_equal(pthread_create(&r.thread[0], NULL, one_by_one, &r), 0);
    for (int i = 0; i < r.rounds;) {
        if (road_take(r.road, &news)) {
            atomic_store(&r.turn, ++i);
        } else {
            assert_true(readable(r.road, 20000));
        }
    }
    assert_int_equal(pthread_join(r.thread[0], NULL), 0);
    road_leave(r.road, r.place[0]);
    road_free(r.road);
}

TEST_MAIN(ONE(facts_in_order), ONE(long_lines_stay_whole), ONE(progress_is_overwritten),
          ONE(progress_after_the_end_is_dropped), ONE(progress_does_not_wake_who_wants_facts),
          ONE(speed_over_time), ONE(places_run_out), ONE(nothing_lost_nothing_late),
          ONE(because_of_comes_after), ONE(no_wake_is_lost))
