/* SPDX-License-Identifier: PostgreSQL */
/* The lookers and their schedule. Idle ones wait without a time, but for one, the leader, that
 * waits for the next server to be due: so a turn wakes one thread and not all of them. Who
 * takes a server makes sure that another waits in its place, and starts one when there is none.
 *
 * A server that was never looked at may turn out to be silent, so these two classes together
 * leave some lookers to those that are known to answer, and the silent ones half. */
#include "desk_heap.h"
#include "saved.h"

#include "barkeep/snapshot.h"
#include "base/bug.h"
#include "base/clock.h"
#include "base/log.h"
#include "cfg/config.h"
#include "engine/look.h"

#include <stdlib.h>
#include <string.h>

#define UNSURE_MAX     (DESK_LOOKERS - 4) /* lookers at servers new or silent */
#define SILENT_MAX     (DESK_LOOKERS / 2)
#define SELECTED_NS    (2 * NS_PER_S)
#define RATE           4 /* looks a second at servers that are not selected */
#define BACKOFF_MAX_S  60
#define NEW_WAIT_NS    (1 * NS_PER_S) /* how long a server may take to answer */
#define KNOWN_WAIT_NS  (3 * NS_PER_S)
#define SILENT_WAIT_NS (8 * NS_PER_S)
#define KEPT_WAIT_NS   (30 * NS_PER_S)
#define FRESH_NS       (30 * NS_PER_S)  /* the selected one's snapshot is not older, */
#define OLD_NS         (300 * NS_PER_S) /* nor any other's: the time of its last answer */
#define BOUNDS_SERVERS 32               /* with more, only the selected one's are proven */

/* A looker's task: nothing is shown, lanes and pools run inline. */
struct looker_task {
    struct task_sink sink; /* first: the serial task finds it at `self` */
    struct task_ops ops;
    struct task task;
    struct desk *desk;
};

static bool looker_cancelled(void *self)
{
    const struct looker_task *t = self;

    return desk_is_stopping(t->desk);
}

static void looker_task(struct looker_task *t, struct desk *desk)
{
    t->desk = desk;
    t->task = task_serial(NULL, NULL, &t->sink);
    t->ops = *t->task.ops;
    t->ops.cancelled = looker_cancelled;
    t->task.ops = &t->ops;
    t->task.self = t;
    t->task.cancel_fd = desk->stop_fd;
}

/* ---- when ---- */

/* Every server in its turn, never more than RATE a second. */
static int64_t interval_ns(const struct desk_look *l)
{
    int64_t ns = (int64_t)l->servers * NS_PER_S / RATE;

    return ns > SELECTED_NS ? ns : SELECTED_NS;
}

static int64_t backoff_ns(unsigned tries)
{
    int64_t s = tries < 6 ? INT64_C(1) << tries : BACKOFF_MAX_S;

    return (s > BACKOFF_MAX_S ? BACKOFF_MAX_S : s) * NS_PER_S;
}

static int64_t wait_ns(enum look_class class)
{
    return class == LOOK_KNOWN ? KNOWN_WAIT_NS
           : class == LOOK_NEW ? NEW_WAIT_NS
                               : SILENT_WAIT_NS;
}

static bool has_room(const struct desk_look *l, enum look_class class)
{
    unsigned unsure = l->busy[LOOK_NEW] + l->busy[LOOK_SILENT];

    return class == LOOK_KNOWN ||
           (unsure < UNSURE_MAX && (class == LOOK_NEW || l->busy[LOOK_SILENT] < SILENT_MAX));
}

/* The server that is due first among those there is room for; UINT32_MAX: none at all. */
static uint32_t first_due(const struct desk_look *l, int64_t *due_ns)
{
    uint32_t found = UINT32_MAX;

    *due_ns = INT64_MAX;
    for (int class = 0; !l->is_paused && class < LOOK_CLASSES; class ++) {
        const struct due_heap *h = &l->heap[class];
        if (h->n && has_room(l, (enum look_class) class) &&
            l->server[h->item[0]].due_ns < *due_ns) {
            found = h->item[0];
            *due_ns = l->server[found].due_ns;
        }
    }
    return found;
}

/* ---- one look ---- */

/* What it said in an earlier run of the console, until it answers. */
static void remember(const struct looked *s, struct snapshot *snapshot)
{
    struct snapshot *old;
    struct err err;

    if (snapshot->live.answered_us || !s->saved) {
        return;
    }
    old = saved_snapshot(str_of(s->saved), &err);
    if (old) {
        saved_recall(snapshot, old);
        snapshot_free(old);
    }
}

static void keep_saved(struct desk *desk, struct looked *s, const struct snapshot *snapshot)
{
    char *saved = saved_text_new(snapshot), *before;

    if (!saved || (s->saved && strcmp(s->saved, saved) == 0)) {
        saved_text_free(saved);
        return;
    }
    pthread_mutex_lock(&desk->look.lock);
    before = s->saved;
    s->saved = saved;
    desk->look.must_save = true;
    pthread_mutex_unlock(&desk->look.lock);
    saved_text_free(before);
}

static void send(struct desk_thread *me, struct looked *s)
{
    struct news news = {.kind = NEWS_SNAPSHOT};
    struct err err;

    news.snapshot = look_snapshot(s->look, &err);
    if (!news.snapshot) {
        log_line(LOG_WARNING, "a server cannot be shown: %s", err.why);
        return;
    }
    if (news.snapshot->live.state == LIVE_SILENT) {
        news.snapshot->live.next_us =
            clock_wall_ns() / 1000 + (backoff_ns(s->tries + 1)) / 1000;
    }
    remember(s, news.snapshot);
    keep_saved(me->desk, s, news.snapshot);
    s->is_sent = true;
    s->new_ns = clock_mono_ns();
    road_put(me->desk->road, me->worker, &news);
}

static bool open_look(struct desk *desk, uint32_t server)
{
    struct looked *s = &desk->look.server[server];
    struct err err;
    char text[512];

    if (!s->look) {
        s->look = look_new(desk->spec.config, server, &err);
    }
    if (!s->look) {
        log_line(LOG_WARNING, "server '%s' cannot be looked at: %s",
                 desk->spec.config->server[server].name, err_text(&err, text, sizeof text));
    }
    return s->look != NULL;
}

/* true: the server is silent. What is kept comes first: it needs nobody's answer. */
static bool visit(struct desk_thread *me, struct looker_task *t, uint32_t server,
                  bool is_selected)
{
    struct desk *desk = me->desk;
    struct looked *s = &desk->look.server[server];
    bool changed;

    if (!open_look(desk, server)) {
        return true;
    }
    t->task.deadline_ns = clock_mono_ns() + KEPT_WAIT_NS;
    if (look_kept(s->look, &t->task) || !s->is_sent) {
        send(me, s);
    }
    t->task.deadline_ns = clock_mono_ns() + wait_ns(is_selected ? LOOK_SILENT : s->class);
    changed = look_live(s->look, &t->task);
    if (desk_is_stopping(desk)) { /* no answer is no news then */
        return false;
    }
    if (changed || look_is_silent(s->look) ||
        clock_mono_ns() - s->new_ns > (is_selected ? FRESH_NS : OLD_NS)) {
        send(me, s);
    }
    t->task.deadline_ns = clock_mono_ns() + KEPT_WAIT_NS;
    if ((is_selected || desk->look.servers <= BOUNDS_SERVERS) &&
        look_bounds(s->look, &t->task)) {
        send(me, s);
    }
    return look_is_silent(s->look);
}

/* ---- turns, under the lock ---- */

static void take(struct desk_look *l, uint32_t server)
{
    heap_remove(l, server);
    l->server[server].is_busy = true;
    l->busy[l->server[server].class]++;
}

static int64_t next_ns(const struct desk_look *l, uint32_t server, bool was_new)
{
    const struct looked *s = &l->server[server];
    int64_t now = clock_mono_ns(), ns = interval_ns(l);

    if (s->again) {
        return now;
    }
    if (s->class == LOOK_SILENT) {
        return now + backoff_ns(s->tries);
    }
    if (server == l->selected) {
        return now + SELECTED_NS;
    }
    return now + (was_new ? ns * (int64_t)(server + 1) / (int64_t)l->servers : ns);
}

static void put_back(struct desk_look *l, uint32_t server, bool is_silent)
{
    struct looked *s = &l->server[server];
    bool was_new = s->class == LOOK_NEW;

    l->busy[s->class]--;
    s->is_busy = false;
    s->class = is_silent ? LOOK_SILENT : LOOK_KNOWN;
    s->tries = is_silent ? s->tries + 1 : 0;
    s->due_ns = next_ns(l, server, was_new);
    s->again = false;
    heap_add(l, server);
    if (s->due_ns < l->leader_ns) {
        pthread_cond_signal(&l->leader);
    }
}

static void looker_main(struct desk_thread *me);

/* Somebody must wait for the next one while we are busy. */
static void post_leader(struct desk *desk)
{
    struct desk_look *l = &desk->look;
    char name[16];
    struct err err;

    if (l->has_leader || l->is_stopping) {
        return;
    }
    if (l->idles) {
        pthread_cond_signal(&l->idle);
        return;
    }
    if (l->threads == DESK_LOOKERS) {
        return;
    }
    str_fmt(name, sizeof name, "looker%u", l->threads + 1);
    if (desk_thread_start(&l->thread[l->threads], desk, name, looker_main, &err)) {
        l->threads++;
    } else {
        log_line(LOG_WARNING, "%u threads must do to look at servers: %s", l->threads, err.why);
    }
}

static void wait_turn(struct desk_look *l, int64_t due_ns)
{
    struct timespec at = {.tv_sec = (time_t)(due_ns / NS_PER_S),
                          .tv_nsec = (long)(due_ns % NS_PER_S)};

    if (l->has_leader) {
        l->idles++;
        pthread_cond_wait(&l->idle, &l->lock);
        l->idles--;
        return;
    }
    l->has_leader = true;
    l->leader_ns = due_ns;
    if (due_ns == INT64_MAX) {
        pthread_cond_wait(&l->leader, &l->lock);
    } else {
        pthread_cond_timedwait(&l->leader, &l->lock, &at);
    }
    l->has_leader = false;
    l->leader_ns = INT64_MIN;
}

/* A looker.
 * Locks  the lookers', not while it looks or sends.
 * Owns   the struct look of the server it is busy with.
 * Stops  when looks_stop() was called; a look in progress is cancelled by stop_fd. */
static void looker_main(struct desk_thread *me)
{
    struct desk *desk = me->desk;
    struct desk_look *l = &desk->look;
    struct looker_task task;

    looker_task(&task, desk);
    pthread_mutex_lock(&l->lock);
    while (!l->is_stopping) {
        int64_t due_ns;
        uint32_t server = first_due(l, &due_ns);
        bool is_selected, is_silent;

        if (server == UINT32_MAX || due_ns > clock_mono_ns()) {
            wait_turn(l, due_ns);
            continue;
        }
        take(l, server);
        is_selected = server == l->selected;
        post_leader(desk);
        pthread_mutex_unlock(&l->lock);
        is_silent = visit(me, &task, server, is_selected);
        pthread_mutex_lock(&l->lock);
        put_back(l, server, is_silent);
    }
    pthread_mutex_unlock(&l->lock);
}

/* ---- for the desk ---- */

static bool heaps_new(struct desk_look *l)
{
    for (int class = 0; class < LOOK_CLASSES; class ++) {
        l->heap[class].item = calloc(l->servers + 1, sizeof *l->heap[class].item);
        if (!l->heap[class].item) {
            return false;
        }
    }
    l->server = calloc(l->servers + 1, sizeof *l->server);
    return l->server != NULL;
}

bool looks_init(struct desk *desk, struct err *err)
{
    struct desk_look *l = &desk->look;
    pthread_condattr_t mono;

    l->servers = desk->spec.config->servers;
    l->selected = UINT32_MAX;
    l->leader_ns = INT64_MIN;
    BUG_IF(pthread_condattr_init(&mono) != 0 ||
           pthread_condattr_setclock(&mono, CLOCK_MONOTONIC) != 0 ||
           pthread_cond_init(&l->leader, &mono) != 0 ||
           pthread_cond_init(&l->idle, &mono) != 0 || pthread_mutex_init(&l->lock, NULL) != 0);
    pthread_condattr_destroy(&mono);
    if (!heaps_new(l)) {
        return err_set(err, ERR_MEMORY, "", "", "out of memory");
    }
    for (uint32_t i = 0; i < l->servers; i++) {
        l->server[i].class = LOOK_NEW;
        heap_add(l, i);
    }
    return true;
}

static void heaps_free(struct desk_look *l)
{
    for (int class = 0; class < LOOK_CLASSES; class ++) {
        free(l->heap[class].item);
    }
    free(l->server);
}

/* Hundreds of connections are not taken leave of one by one when that takes long, because their
 * servers are on this host and end as many processes: the end of ours closes the rest. */
void looks_release(struct desk *desk)
{
    struct desk_look *l = &desk->look;

    for (size_t i = 0; l->server && i < l->servers; i++) {
        if (!desk->stop_ns || clock_mono_ns() < desk->stop_ns) {
            look_free(l->server[i].look);
        }
        saved_text_free(l->server[i].saved);
    }
    heaps_free(l);
    pthread_mutex_destroy(&l->lock);
    pthread_cond_destroy(&l->leader);
    pthread_cond_destroy(&l->idle);
}

void looks_start(struct desk *desk)
{
    pthread_mutex_lock(&desk->look.lock);
    if (desk->look.servers) {
        post_leader(desk);
    }
    pthread_mutex_unlock(&desk->look.lock);
}

void looks_stop(struct desk *desk)
{
    struct desk_look *l = &desk->look;

    pthread_mutex_lock(&l->lock);
    l->is_stopping = true;
    pthread_cond_broadcast(&l->leader);
    pthread_cond_broadcast(&l->idle);
    pthread_mutex_unlock(&l->lock);
}

/* The very next one. */
static void look_now(struct desk_look *l, uint32_t server)
{
    struct looked *s = &l->server[server];

    if (s->is_busy) {
        s->again = true;
        return;
    }
    s->due_ns = 0;
    heap_move(l, server);
}

void looks_order(struct desk *desk, const struct order *order)
{
    struct desk_look *l = &desk->look;
    bool is_server = order->server < l->servers;

    pthread_mutex_lock(&l->lock);
    if (order->kind == ORDER_SELECT) {
        l->selected = is_server ? order->server : UINT32_MAX;
        if (is_server && l->server[order->server].class != LOOK_SILENT) {
            look_now(l, order->server);
        }
    } else if (order->kind == ORDER_REFRESH && is_server) {
        l->server[order->server].tries = 0;
        look_now(l, order->server);
    } else {
        l->is_paused =
            order->kind == ORDER_PAUSE || (l->is_paused && order->kind != ORDER_RESUME);
    }
    pthread_cond_signal(&l->leader);
    pthread_mutex_unlock(&l->lock);
}
