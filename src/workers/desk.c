/* SPDX-License-Identifier: PostgreSQL */
#include "desk_in.h"

#include "barkeep/ask.h"
#include "base/bug.h"
#include "base/clock.h"
#include "cfg/config.h"
#include "pg/conn.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <unistd.h>

#define STACK ((size_t)512 * 1024) /* of its threads: touched pages only cost memory */
#define NEVER INT64_MAX

/* ---- threads ---- */

static void ring_bell(int fd)
{
    uint64_t one = 1;

    BUG_IF(write(fd, &one, sizeof one) != (ssize_t)sizeof one);
}

static void quiet_bell(int fd)
{
    uint64_t n;

    BUG_IF(read(fd, &n, sizeof n) < 0 && errno != EAGAIN && errno != EINTR);
}

bool desk_is_stopping(const struct desk *desk)
{
    return atomic_load(&desk->is_stopping);
}

void desk_wake(struct desk *desk)
{
    ring_bell(desk->wake_fd);
}

int desk_wait_ms(int64_t until_ns)
{
    int64_t ms;

    if (until_ns == NEVER) {
        return -1;
    }
    ms = (until_ns - clock_mono_ns() + NS_PER_MS - 1) / NS_PER_MS;
    return ms < 0 ? 0 : ms > INT32_MAX ? INT32_MAX : (int)ms;
}

/* First function of the desk's threads.
 * Locks  none of its own; road_leave() takes the road's for a moment.
 * Owns   its place on the road.
 * Stops  when its main returns, which it does soon after stop_fd became readable. */
static void *thread_main(void *arg)
{
    struct desk_thread *me = arg;
    struct desk *desk = me->desk;

    prctl(PR_SET_NAME, me->name, 0, 0, 0);
    me->main(me);
    road_leave(desk->road, me->worker);
    atomic_store(&me->gone, true);
    ring_bell(desk->gone_fd);
    return NULL;
}

static int create(struct desk_thread *t)
{
    pthread_attr_t attr;
    sigset_t all, before;
    int os = pthread_attr_init(&attr);

    if (os) {
        return os;
    }
    BUG_IF(pthread_attr_setstacksize(&attr, STACK) != 0);
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    os = pthread_create(&t->id, &attr, thread_main, t);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attr);
    return os;
}

bool desk_thread_start(struct desk_thread *t, struct desk *desk, const char *name,
                       void (*main)(struct desk_thread *me), struct err *err)
{
    int os;

    t->desk = NULL;
    if (!road_join(desk->road, &t->worker, err)) {
        return false;
    }
    t->desk = desk;
    t->main = main;
    atomic_store(&t->gone, false);
    str_copy(t->name, sizeof t->name, name);
    os = create(t);
    if (os) {
        road_leave(desk->road, t->worker);
        t->desk = NULL;
        return err_os(err, os, "start a thread", name);
    }
    return true;
}

/* ---- the desk thread ---- */

static void carry_out(struct desk *desk, struct desk_order *o)
{
    switch (o->order.kind) {
    case ORDER_SELECT:
    case ORDER_REFRESH:
    case ORDER_PAUSE:
    case ORDER_RESUME:
        looks_order(desk, &o->order);
        break;
    case ORDER_START:
        start_order(desk, o->order.ticket, o->words);
        break;
    case ORDER_CANCEL:
        cancel_order(desk, o->order.job);
        break;
    case ORDER_FOLLOW:
        /* Waits when the follower does, because nobody takes its news. */
        (void)ring_put(&desk->follows, &o->order.job, desk->stop_fd, 0);
        break;
    case ORDER_ASK:
        ask_order(desk, o->order.ask);
        o->order.ask = NULL;
        break;
    case ORDER_ASK_STOP:
        ask_stop_order(desk, o->order.ticket);
        break;
    }
}

static void order_release(struct desk_order *o)
{
    ask_free(o->order.ask);
    free(o->words);
}

static void take_orders(struct desk *desk)
{
    struct desk_order o;

    while (!desk_is_stopping(desk) && ring_try_take(&desk->orders, &o)) {
        carry_out(desk, &o);
        order_release(&o);
    }
}

static int64_t sooner(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int64_t due(const struct desk *desk)
{
    return sooner(desk->save_ns, sooner(jobs_due(desk), start_due(desk)));
}

static void wait_for_something(struct desk *desk)
{
    struct pollfd fd[3 + DESK_ATTACHED] = {
        {.fd = desk->stop_fd, .events = POLLIN},
        {.fd = desk->wake_fd, .events = POLLIN},
        {.fd = ring_item_fd(&desk->orders), .events = POLLIN}};
    bool may_sleep = ring_may_sleep(&desk->orders);

    jobs_poll(desk, fd + 3);
    if (poll(fd, 3 + DESK_ATTACHED, may_sleep ? desk_wait_ms(due(desk)) : 0) < 0) {
        BUG_IF(errno != EINTR);
        return;
    }
    if (fd[1].revents) {
        quiet_bell(desk->wake_fd);
    }
    ring_awake(&desk->orders);
    jobs_events(desk, fd + 3);
}

static void save_when_due(struct desk *desk)
{
    if (clock_mono_ns() >= desk->save_ns) {
        seen_save(desk);
        desk->save_ns = clock_mono_ns() + DESK_SAVE_S * NS_PER_S;
    }
}

/* The desk thread.
 * Locks  that of the lookers, for moments.
 * Owns   the taking end of the orders, the list of jobs, the sockets of attached ones, the
 *        processes it started, the askers.
 * Stops  when stop_fd is readable and the last asker has ended. */
static void desk_main(struct desk_thread *me)
{
    struct desk *desk = me->desk;

    seen_load(desk);
    pg_load(); /* before there are threads that connect */
    looks_start(desk);
    desk->save_ns = clock_mono_ns() + DESK_SAVE_S * NS_PER_S;
    while (!desk_is_stopping(desk)) {
        take_orders(desk);
        start_turn(desk);
        jobs_turn(desk);
        asks_turn(desk);
        save_when_due(desk);
        wait_for_something(desk);
    }
    asks_cancel(desk);
    while (asks_turn(desk), !asks_are_gone(desk)) {
        struct pollfd fd = {.fd = desk->wake_fd, .events = POLLIN};
        if (poll(&fd, 1, -1) > 0) {
            quiet_bell(desk->wake_fd);
        }
    }
}

/* ---- the watcher's end ---- */

static bool is_running(const struct desk *desk, uint32_t job)
{
    for (size_t i = 0; i < desk->runnings; i++) {
        if (desk->running[i] == job) {
            return true;
        }
    }
    return false;
}

static void keep_running(struct desk *desk, const struct job_table *t)
{
    desk->runnings = 0;
    for (size_t i = 0; i < t->n && desk->runnings < DESK_JOBS; i++) {
        if (t->job[i].state == ROW_RUNNING) {
            desk->running[desk->runnings++] = t->job[i].number;
        }
    }
}

/* Progress of a job that has ended is no news, nor is what the follower said of an earlier
 * ORDER_FOLLOW: it answers each by a NEWS_JOB_BEGAN of no job. */
static bool is_for_watcher(struct desk *desk, const struct news *news)
{
    if (news->kind == NEWS_PROGRESS) {
        return is_running(desk, news->job);
    }
    if (news->kind == NEWS_JOBS) {
        keep_running(desk, news->jobs);
    }
    if (news->worker != desk->follower.worker) {
        return true;
    }
    if (news->kind == NEWS_JOB_BEGAN && news->job == 0) {
        desk->follow_seen++;
        return false;
    }
    return desk->follow_seen == desk->follow_sent;
}

static bool desk_take(void *self, struct news *out)
{
    struct desk *desk = self;

    while (road_take(desk->road, out)) {
        if (is_for_watcher(desk, out)) {
            return true;
        }
        news_release(out);
    }
    return false;
}

/* "word\0word\0\0" with both NULs, at most ORDER_WORDS_CAP bytes; 0: too long, or no word. */
static size_t words_size(const char *words)
{
    size_t n = 0;

    while (n < ORDER_WORDS_CAP && words[n]) {
        n += strnlen(words + n, ORDER_WORDS_CAP - n) + 1;
    }
    return n > 0 && n < ORDER_WORDS_CAP ? n + 1 : 0;
}

static char *words_new(const char *words)
{
    size_t n = words ? words_size(words) : 0;
    char *copy = n ? malloc(n) : NULL;

    return copy ? memcpy(copy, words, n) : NULL;
}

static bool desk_order(void *self, const struct order *order)
{
    struct desk *desk = self;
    struct desk_order o = {.order = *order};

    o.order.words = NULL;
    if (order->kind != ORDER_ASK) {
        o.order.ask = NULL;
    }
    if (order->kind == ORDER_START) { /* words that cannot be are told by NEWS_STARTED */
        o.words = words_new(order->words);
    }
    if (!ring_try_put(&desk->orders, &o)) {
        o.order.ask = NULL; /* stays the watcher's */
        order_release(&o);
        return false;
    }
    desk->follow_sent += order->kind == ORDER_FOLLOW;
    return true;
}

struct road_end desk_end(struct desk *desk)
{
    return (struct road_end){
        .self = desk, .fd = road_fd(desk->road), .take = desk_take, .order = desk_order};
}

/* ---- begin and end ---- */

static void close_one(int fd)
{
    if (fd >= 0) {
        close(fd);
    }
}

static void orders_release(struct desk *desk)
{
    struct desk_order o;

    while (ring_try_take(&desk->orders, &o)) {
        order_release(&o);
    }
    ring_release(&desk->orders);
    ring_release(&desk->follows);
}

/* Of a desk without threads. */
static void desk_release(struct desk *desk)
{
    jobs_release(desk);
    looks_release(desk);
    orders_release(desk);
    road_free(desk->road);
    close_one(desk->stop_fd);
    close_one(desk->gone_fd);
    close_one(desk->wake_fd);
    free(desk);
}

static bool open_desk(struct desk *desk, struct err *err)
{
    int *fd[] = {&desk->stop_fd, &desk->gone_fd, &desk->wake_fd};

    for (size_t i = 0; i < sizeof fd / sizeof fd[0]; i++) {
        *fd[i] = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        if (*fd[i] < 0) {
            return err_os(err, errno, "make a descriptor for a thread", "");
        }
    }
    return looks_init(desk, err) &&
           ring_init(&desk->orders, sizeof(struct desk_order), DESK_ORDERS, err) &&
           ring_init(&desk->follows, sizeof(uint32_t), DESK_FOLLOWS, err);
}

static void stop_threads(struct desk *desk)
{
    desk->stop_ns = clock_mono_ns() + DESK_STOP_MS * NS_PER_MS;
    atomic_store(&desk->is_stopping, true);
    looks_stop(desk);
    ring_bell(desk->stop_fd);
    ring_bell(desk->wake_fd);
}

static bool is_gone(const struct desk_thread *t)
{
    return !t->desk || atomic_load(&t->gone);
}

/* No looker starts another one any more. */
static bool all_gone(const struct desk *desk)
{
    for (unsigned i = 0; i < desk->look.threads; i++) {
        if (!is_gone(&desk->look.thread[i])) {
            return false;
        }
    }
    return is_gone(&desk->thread) && is_gone(&desk->follower);
}

/* They may be waiting for room on the road: what comes is taken and thrown away. */
static bool wait_for_threads(struct desk *desk)
{
    int64_t until = desk->stop_ns;
    struct pollfd fd[2] = {{.fd = road_fd(desk->road), .events = POLLIN},
                           {.fd = desk->gone_fd, .events = POLLIN}};
    struct news news;

    for (;;) {
        while (road_take_fact(desk->road, &news)) {
            news_release(&news);
        }
        if (all_gone(desk)) {
            return true;
        }
        if (clock_mono_ns() >= until) {
            return false;
        }
        if (poll(fd, 2, desk_wait_ms(until)) > 0 && fd[1].revents) {
            quiet_bell(desk->gone_fd);
        }
    }
}

static void join(struct desk_thread *t)
{
    if (t->desk) {
        BUG_IF(pthread_join(t->id, NULL) != 0);
        t->desk = NULL;
    }
}

struct desk *desk_new(const struct desk_spec *spec, struct err *err)
{
    struct desk *desk = aligned_alloc(CACHE_LINE, sizeof *desk);

    if (!desk) {
        err_set(err, ERR_MEMORY, "", "", "out of memory");
        return NULL;
    }
    memset(desk, 0, sizeof *desk);
    desk->spec = *spec;
    desk->stop_fd = desk->gone_fd = desk->wake_fd = -1;
    desk->orders.room_fd = desk->orders.item_fd = -1;
    desk->follows.room_fd = desk->follows.item_fd = -1;
    jobs_init(desk);
    desk->road = road_new(err);
    if (!desk->road) {
        free(desk);
        return NULL;
    }
    if (!open_desk(desk, err)) {
        desk_release(desk);
        return NULL;
    }
    if (!desk_thread_start(&desk->follower, desk, "follower", follow_main, err) ||
        !desk_thread_start(&desk->thread, desk, "desk", desk_main, err)) {
        desk_free(desk);
        return NULL;
    }
    return desk;
}

void desk_free(struct desk *desk)
{
    bool whole;

    if (!desk) {
        return;
    }
    stop_threads(desk);
    whole = wait_for_threads(desk);
    seen_save(desk);
    if (!whole) { /* somebody still uses it */
        return;
    }
    join(&desk->thread);
    join(&desk->follower);
    for (unsigned i = 0; i < desk->look.threads; i++) {
        join(&desk->look.thread[i]);
    }
    desk_release(desk);
}
