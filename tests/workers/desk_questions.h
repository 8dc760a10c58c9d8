/* SPDX-License-Identifier: PostgreSQL */
/* desk_questions.h - answers in the place of engine/moment.h, copy.h and plan_answer.h: what is
 * tested is who asks, who is cancelled, and that every answer comes back by its ticket. */
#ifndef TESTS_WORKERS_DESK_QUESTIONS_H
#define TESTS_WORKERS_DESK_QUESTIONS_H

#include "desk_tools.h"

#include "engine/copy.h"
#include "engine/moment.h"
#include "engine/plan_answer.h"

#include <stdatomic.h>

/* The backup's name, or the target, says what happens. */

static _Atomic unsigned answered, hanging, cancelled;

static bool until_cancelled(const struct task *t, struct err *err)
{
    hanging++;
    struct pollfd fd = {.fd = t->cancel_fd, .events = POLLIN};

    poll(&fd, 1, 30000);
    cancelled++;
    return task_go_on(t, err);
}

bool moment_find(const struct task *t, const struct config *cfg, const struct server_cfg *srv,
                 const struct goal *goal, struct arena *a, struct answer_moment *out,
                 struct err *err)
{
    (void)cfg;
    (void)srv;
    answered++;
    if (strcmp(goal->text, "hang") == 0) {
        return until_cancelled(t, err);
    }
    if (strcmp(goal->text, "fail") == 0) {
        return err_set(err, ERR_MISSING, "Look for it.", "x", "not there");
    }
    out->sentence = arena_fmt(a, "stops at %s", goal->text);
    return true;
}

bool points_read(const struct task *t, const struct config *cfg, const struct server_cfg *srv,
                 const struct points_spec *spec, struct arena *a, struct answer_points *out,
                 struct err *err)
{
    struct point point = {.kind = POINT_RESTORE_POINT, .name = "before"};
    uint64_t bytes[2] = {1, 2};
    struct answer_points part = {
        .point = &point, .points = 1, .commits = {.bytes = bytes, .n = 2}, .of = 3};

    (void)cfg;
    (void)srv;
    (void)a;
    for (part.segments = 1; part.segments <= 3; part.segments++) {
        spec->part(spec->ctx, &part);
        poll(NULL, 0, 300);
    }
    memset(&point, 0, sizeof point); /* valid during the call only */
    out->segments = out->of = 3;
    return task_go_on(t, err);
}

bool backup_detail(const struct task *t, const struct config *cfg, const struct server_cfg *srv,
                   const char *id, struct arena *a, struct answer_backup *out, struct err *err)
{
    (void)cfg;
    (void)srv;
    (void)a;
    (void)out;
    return strcmp(id, "hang") == 0 ? until_cancelled(t, err) : true;
}

bool copy_look(const struct task *t, struct arena *a, const char *destination,
               struct answer_copy *out, struct err *err)
{
    (void)t;
    (void)err;
    out->sentence = arena_strdup(a, destination);
    return true;
}

bool copy_compare(const struct task *t, struct arena *a, const struct copy_compare *what,
                  struct answer_compare *out, struct err *err)
{
    (void)t;
    (void)err;
    out->database = arena_fmt(a, "%s of %zu", what->table[1], what->tables);
    return true;
}

bool place_propose(const struct task *t, struct arena *a, const struct config *cfg,
                   const struct server_cfg *srv, const struct restore_words *words,
                   struct answer_place *out, struct err *err)
{
    (void)t;
    (void)cfg;
    (void)srv;
    (void)words;
    (void)err;
    out->destination = arena_strdup(a, "/srv/copy");
    return true;
}

bool engine_plan(const struct task *t, const struct restore_words *words,
                 const struct restore_request *who, struct arena *a, struct answer_plan *out,
                 struct err *err)
{
    (void)t;
    (void)err;
    out->backup_id = arena_fmt(a, "%s of %s by %s", words->backup, who->server->name,
                               path_base(who->program));
    return true;
}

#endif
