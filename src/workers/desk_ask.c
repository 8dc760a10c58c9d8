/* SPDX-License-Identifier: PostgreSQL */
/* Questions: a reading job each, with threads of its own. One that is no longer wanted is
 * cancelled and stays in its place until it has ended; it says nothing more. */
#include "crew.h"
#include "desk_in.h"

#include "barkeep/ask.h"
#include "base/clock.h"
#include "cfg/config.h"
#include "engine/copy.h"
#include "engine/moment.h"
#include "engine/plan_answer.h"

#include <stdlib.h>
#include <string.h>

#define ANSWER_MAX      ((size_t)128 * 1024 * 1024)
#define PART_NS         (NS_PER_S / 4) /* between two parts of an answer */
#define COUNT_TIMEOUT_S 10             /* ASK_COMPARE: then the estimate is shown */

struct asker { /* written by the desk thread before its crew starts, but for the atomics */
    struct desk *desk;
    struct ask *ask;
    struct crew *crew;
    _Atomic bool is_unwanted, has_ended;
    int64_t part_ns; /* the crew's: when the last part was told */
};

struct asking { /* what a question is given */
    struct asker *asker;
    const struct task *task;
    const struct config *config;
    const struct server_cfg *srv; /* NULL only where none is needed */
    const struct ask *ask;
};

static struct answer *answer_new(const struct ask *ask)
{
    struct answer *a = calloc(1, sizeof *a);

    if (a) {
        arena_init(&a->arena, ANSWER_MAX);
        a->kind = ask->kind;
        a->ticket = ask->ticket;
    }
    return a;
}

/* ---- the questions ---- */

static bool ask_backup(const struct asking *q, struct answer *out, struct err *err)
{
    return backup_detail(q->task, q->config, q->srv, q->ask->restore.backup, &out->arena,
                         &out->backup, err);
}

static bool copy_points(struct arena *a, const struct answer_points *from,
                        struct answer_points *to)
{
    struct point *point = ARENA_ARRAY(a, from->points + 1, struct point);
    uint64_t *commits = ARENA_ARRAY(a, from->commits.n + 1, uint64_t);

    if (!point || !commits) {
        return false;
    }
    *to = *from;
    for (size_t i = 0; i < from->points; i++) {
        point[i] = from->point[i];
        point[i].name = from->point[i].name ? arena_strdup(a, from->point[i].name) : NULL;
    }
    if (from->commits.n) {
        memcpy(commits, from->commits.bytes, from->commits.n * sizeof *commits);
    }
    to->point = point;
    to->commits.bytes = commits;
    return !a->failed;
}

/* A part that finds no memory is left out: another replaces it anyway. */
static void points_part(void *ctx, const struct answer_points *so_far)
{
    struct asker *asker = ctx;
    int64_t now = clock_mono_ns();
    struct news news = {.kind = NEWS_ANSWER};

    if (now - asker->part_ns < PART_NS || atomic_load(&asker->is_unwanted)) {
        return;
    }
    asker->part_ns = now;
    news.answer = answer_new(asker->ask);
    if (news.answer && copy_points(&news.answer->arena, so_far, &news.answer->points)) {
        crew_tell(&news);
    } else {
        answer_free(news.answer);
    }
}

static bool ask_points(const struct asking *q, struct answer *out, struct err *err)
{
    struct points_spec spec = {.from_us = q->ask->from_us,
                               .to_us = q->ask->to_us,
                               .ctx = q->asker,
                               .part = points_part};

    return points_read(q->task, q->config, q->srv, &spec, &out->arena, &out->points, err);
}

static bool ask_moment(const struct asking *q, struct answer *out, struct err *err)
{
    return moment_find(q->task, q->config, q->srv, &q->ask->restore.goal, &out->arena,
                       &out->moment, err);
}

static bool ask_place(const struct asking *q, struct answer *out, struct err *err)
{
    return place_propose(q->task, &out->arena, q->config, q->srv, &q->ask->restore, &out->place,
                         err);
}

static bool ask_plan(const struct asking *q, struct answer *out, struct err *err)
{
    const struct desk_spec *spec = &q->asker->desk->spec;
    const struct restore_request who = {.config = q->config,
                                        .server = q->srv,
                                        .program = spec->program,
                                        .config_path = spec->config_path};

    return engine_plan(q->task, &q->ask->restore, &who, &out->arena, &out->plan, err);
}

static bool ask_copy(const struct asking *q, struct answer *out, struct err *err)
{
    return copy_look(q->task, &out->arena, q->ask->restore.destination, &out->copy, err);
}

static bool ask_compare(const struct asking *q, struct answer *out, struct err *err)
{
    const char *table[ASK_TABLES];
    struct copy_compare what = {.srv = q->srv,
                                .destination = q->ask->restore.destination,
                                .table = table,
                                .timeout_s = COUNT_TIMEOUT_S};

    what.database = q->ask->database[0] ? q->ask->database : NULL;
    while (what.tables < q->ask->tables && what.tables < ASK_TABLES) {
        table[what.tables] = q->ask->table[what.tables];
        what.tables++;
    }
    return copy_compare(q->task, &out->arena, &what, &out->compare, err);
}

static const struct question {
    const char *thread;
    bool needs_server;
    bool (*answer)(const struct asking *q, struct answer *out, struct err *err);
} questions[] = {
    [ASK_BACKUP] = {"ask-backup", true, ask_backup},
    [ASK_POINTS] = {"ask-points", true, ask_points},
    [ASK_MOMENT] = {"ask-moment", true, ask_moment},
    [ASK_PLACE] = {"ask-place", true, ask_place},
    [ASK_PLAN] = {"ask-plan", true, ask_plan},
    [ASK_COPY] = {"ask-copy", false, ask_copy},
    [ASK_COMPARE] = {"ask-compare", true, ask_compare},
};

/* ---- one asker ---- */

/* Puts the failure into the answer; the union is empty then. */
static void set_failure(struct answer *a, const struct err *err)
{
    a->has_failed = true;
    a->err = *err;
    memset(&a->backup, 0, sizeof *a - offsetof(struct answer, backup));
}

/* The crew's verb. What comes of it goes into the answer, so it never fails itself. */
static bool find_answer(const struct task *task, void *arg, struct err *err)
{
    struct asker *asker = arg;
    const struct ask *ask = asker->ask;
    const struct question *question = &questions[ask->kind];
    struct asking q = {.asker = asker,
                       .task = task,
                       .config = asker->desk->spec.config,
                       .srv = config_server(asker->desk->spec.config, ask->restore.server),
                       .ask = ask};
    struct news news = {.kind = NEWS_ANSWER, .answer = answer_new(ask)};

    if (!news.answer) {
        return err_set(err, ERR_MEMORY, "", "", "out of memory");
    }
    news.answer->is_last = true;
    if (question->needs_server && !q.srv) {
        err_set(err, ERR_CONFIG, "", ask->restore.server, "there is no such server");
        set_failure(news.answer, err);
    } else if (!question->answer(&q, news.answer, err)) {
        set_failure(news.answer, err);
    }
    if (atomic_load(&asker->is_unwanted)) {
        answer_free(news.answer);
    } else {
        crew_tell(&news);
    }
    return true;
}

static void ended(void *arg, const struct err *err)
{
    struct asker *asker = arg;
    struct desk *desk = asker->desk;

    (void)err;
    atomic_store(&asker->has_ended, true);
    desk_wake(desk);
}

static void asker_free(struct asker *asker)
{
    if (asker->crew) {
        crew_free(asker->crew);
    }
    ask_free(asker->ask);
    free(asker);
}

static struct asker *asker_new(struct desk *desk, struct ask *ask, struct err *err)
{
    struct asker *asker = calloc(1, sizeof *asker);

    if (!asker) {
        ask_free(ask);
        err_set(err, ERR_MEMORY, "", "", "out of memory");
        return NULL;
    }
    asker->desk = desk;
    asker->ask = ask;
    asker->crew = crew_start(&(struct crew_spec){.road = desk->road,
                                                 .name = questions[ask->kind].thread,
                                                 .run = find_answer,
                                                 .arg = asker,
                                                 .ended = ended},
                             err);
    if (!asker->crew) {
        asker_free(asker);
        return NULL;
    }
    return asker;
}

static void cancel(struct asker *asker)
{
    atomic_store(&asker->is_unwanted, true);
    crew_cancel(asker->crew);
}

/* ---- for the desk ---- */

static struct asker **free_place(struct desk *desk, struct err *err)
{
    for (size_t i = 0; i < DESK_ASKERS; i++) {
        if (!desk->asker[i]) {
            return &desk->asker[i];
        }
    }
    err_set(err, ERR_BUSY, "Wait a moment, then ask again.", "",
            "%d questions are being answered", DESK_ASKERS);
    return NULL;
}

static void refuse(struct desk *desk, const struct answer *empty, const struct err *err)
{
    struct ask ask = {.kind = empty->kind, .ticket = empty->ticket};
    struct news news = {.kind = NEWS_ANSWER, .answer = answer_new(&ask)};

    if (news.answer) {
        news.answer->is_last = true;
        set_failure(news.answer, err);
        road_put(desk->road, desk->thread.worker, &news);
    }
}

void ask_order(struct desk *desk, struct ask *ask)
{
    struct answer empty = {.kind = ask->kind, .ticket = ask->ticket};
    struct asker **place;
    struct err err;

    for (size_t i = 0; i < DESK_ASKERS; i++) {
        if (desk->asker[i] && desk->asker[i]->ask->kind == ask->kind) {
            cancel(desk->asker[i]);
        }
    }
    asks_turn(desk);
    place = free_place(desk, &err);
    if (!place) {
        ask_free(ask);
        refuse(desk, &empty, &err);
        return;
    }
    *place = asker_new(desk, ask, &err);
    if (!*place) {
        refuse(desk, &empty, &err);
    }
}

void ask_stop_order(struct desk *desk, uint32_t ticket)
{
    for (size_t i = 0; i < DESK_ASKERS; i++) {
        if (desk->asker[i] && desk->asker[i]->ask->ticket == ticket) {
            cancel(desk->asker[i]);
        }
    }
}

void asks_turn(struct desk *desk)
{
    for (size_t i = 0; i < DESK_ASKERS; i++) {
        if (desk->asker[i] && atomic_load(&desk->asker[i]->has_ended)) {
            asker_free(desk->asker[i]);
            desk->asker[i] = NULL;
        }
    }
}

void asks_cancel(struct desk *desk)
{
    for (size_t i = 0; i < DESK_ASKERS; i++) {
        if (desk->asker[i]) {
            cancel(desk->asker[i]);
        }
    }
}

bool asks_are_gone(const struct desk *desk)
{
    for (size_t i = 0; i < DESK_ASKERS; i++) {
        if (desk->asker[i]) {
            return false;
        }
    }
    return true;
}
