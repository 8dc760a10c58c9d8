/* SPDX-License-Identifier: PostgreSQL */
#include "crew_in.h"

#include "barkeep/str.h"
#include "base/bug.h"
#include "road_in.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <unistd.h>

/* Which hand the running thread is: what it says goes through its own ring. */
static _Thread_local const struct hand *me;

/* First function of every thread of a crew.
 * Locks  none of its own; road_leave() takes the road's for a moment.
 * Owns   its place on the road.
 * Stops  when its main returns; nobody kills it. */
static void *hand_main(void *arg)
{
    struct hand *hand = arg;

    prctl(PR_SET_NAME, hand->name, 0, 0, 0);
    me = hand;
    hand->main(hand->arg);
    road_leave(hand->crew->spec.road, hand->worker);
    return NULL;
}

bool hand_start(struct crew *crew, struct hand *hand, struct err *err)
{
    sigset_t all, before;
    int os;

    hand->crew = crew;
    if (!road_join(crew->spec.road, &hand->worker, err)) {
        return false;
    }
    /* A thread inherits the mask: signals are for the thread that collects. */
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    os = pthread_create(&hand->thread, NULL, hand_main, hand);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (os) {
        road_leave(crew->spec.road, hand->worker);
        return err_os(err, os, "start a thread", "");
    }
    return true;
}

void hand_join(struct hand *hand)
{
    BUG_IF(pthread_join(hand->thread, NULL) != 0);
}

static bool crew_cancelled(void *self)
{
    struct crew *crew = self;

    return atomic_load_explicit(&crew->cancelled, memory_order_acquire);
}

static void crew_progress(void *self, const struct progress *p)
{
    struct crew *crew = self;

    BUG_IF(!me || me->crew != crew);
    if (crew->spec.ended) {
        return;
    }
    road_put_progress(crew->spec.road, me->worker, crew->spec.job, p);
}

static void crew_say(void *self, enum say kind, const char *line)
{
    struct crew *crew = self;

    BUG_IF(!me || me->crew != crew);
    if (crew->spec.ended) {
        return;
    }
    road_put_said(crew->spec.road, me->worker, crew->spec.job, kind, line);
}

/* The verb's thread.
 * Locks  those of its pools, see pool.c.
 * Owns   the lanes and pools it opens; joins their threads before it ends.
 * Stops  when the verb returns: by itself, or because task_go_on() said no. */
static void verb_main(void *arg)
{
    struct crew *crew = arg;
    struct news began = {.kind = NEWS_JOB_BEGAN, .job = crew->spec.job};
    struct news ended = {.kind = NEWS_JOB_ENDED, .job = crew->spec.job};

    if (crew->spec.ended) {
        bool ok = crew->spec.run(&crew->task, crew->spec.arg, crew->end);
        crew->spec.ended(crew->spec.arg, ok ? NULL : crew->end);
        return;
    }
    road_put(crew->spec.road, me->worker, &began);
    if (!crew->spec.run(&crew->task, crew->spec.arg, crew->end)) {
        BUG_IF(crew->end->code == ERR_NONE);
        ended.err = crew->end;
        crew->end = NULL;
    }
    road_put(crew->spec.road, me->worker, &ended);
}

static void crew_release(struct crew *crew)
{
    if (crew->cancel_fd >= 0) {
        close(crew->cancel_fd);
    }
    free(crew->end);
    free(crew);
}

static struct crew *crew_new(const struct crew_spec *spec, struct err *err)
{
    struct crew *crew = calloc(1, sizeof *crew);

    if (!crew) {
        err_set(err, ERR_MEMORY, "", "", "out of memory");
        return NULL;
    }
    crew->spec = *spec;
    crew->end = calloc(1, sizeof *crew->end);
    crew->cancel_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (!crew->end || crew->cancel_fd < 0) {
        err_os(err, errno, "make a descriptor for a thread", "");
        crew_release(crew);
        return NULL;
    }
    return crew;
}

struct crew *crew_start(const struct crew_spec *spec, struct err *err)
{
    static const struct task_ops ops = {
        .cancelled = crew_cancelled,
        .progress = crew_progress,
        .say = crew_say,
        .lane_open = crew_lane_new,
        .lane_put = crew_lane_put,
        .lane_close = crew_lane_close,
        .lane_fail = crew_lane_fail,
        .lane_set_mark = crew_lane_set_mark,
        .lane_mark = crew_lane_mark,
        .lane_mark_fd = crew_lane_mark_fd,
        .pool_run = crew_pool_run,
    };
    struct crew *crew = crew_new(spec, err);

    if (!crew) {
        return NULL;
    }
    crew->task = (struct task){.ops = &ops,
                               .self = crew,
                               .deadline_ns = spec->deadline_ns,
                               .cancel_fd = crew->cancel_fd};
    crew->verb.main = verb_main;
    crew->verb.arg = crew;
    str_copy(crew->verb.name, sizeof crew->verb.name, spec->name);
    if (!hand_start(crew, &crew->verb, err)) {
        crew_release(crew);
        return NULL;
    }
    return crew;
}

void crew_tell(struct news *news)
{
    BUG_IF(!me);
    road_put(me->crew->spec.road, me->worker, news);
}

void crew_cancel(struct crew *crew)
{
    uint64_t one = 1;

    if (!atomic_exchange(&crew->cancelled, true)) {
        BUG_IF(write(crew->cancel_fd, &one, sizeof one) != (ssize_t)sizeof one);
    }
}

void crew_free(struct crew *crew)
{
    hand_join(&crew->verb);
    crew_release(crew);
}
