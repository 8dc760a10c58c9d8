/* SPDX-License-Identifier: PostgreSQL */
/* status, check: what the engine found, in Barman's form. */
#include "session.h"

#include "engine/check.h"
#include "engine/repo_of.h"
#include "engine/status.h"

struct status_job {
    struct session *s;
    const struct repo *repo;
    const struct server_cfg *srv;
    struct status out;
};

static bool read_status(const struct task *task, void *arg, struct err *err)
{
    struct status_job *job = arg;

    return status_read(task, job->repo, job->srv, &job->s->arena, &job->out, err);
}

void run_status(struct session *s, const struct server_cfg *srv)
{
    struct repo repo;
    struct status_job job = {.s = s, .repo = &repo, .srv = srv};
    struct session_verb verb = {SESSION_LOOKS, srv, read_status, &job};

    if (!session_repo(s, srv, &repo) || !session_job(s, &verb)) {
        return;
    }
    console_say(&s->console, SAY_OUT, "Server %s:", srv->name);
    for (size_t i = 0; i < job.out.n; i++) {
        console_say(&s->console, SAY_OUT, "\t%s: %s", job.out.row[i].label,
                    job.out.row[i].value);
    }
}

struct check_job {
    struct session *s;
    struct check_what what;
    struct check out;
};

static bool read_check(const struct task *task, void *arg, struct err *err)
{
    struct check_job *job = arg;

    return check_run(task, &job->what, &job->s->arena, &job->out, err);
}

static void say_line(struct session *s, const struct check_line *l)
{
    console_result(&s->console, l->label, l->ok ? VERDICT_OK : VERDICT_FAILED, l->hint);
    for (size_t i = 0; i < l->mores; i++) {
        console_say(&s->console, SAY_OUT, "\t\t%s", l->more[i]);
    }
}

void run_check(struct session *s, const struct server_cfg *srv)
{
    const char *suffix = "";
    struct repo repo;
    struct check_job job = {.s = s};
    struct session_verb verb = {SESSION_LOOKS, srv, read_check, &job};

    if (!session_repo(s, srv, &repo)) {
        return;
    }
    job.what = (struct check_what){
        &repo, srv,
        (int64_t)arg_number(&s->args, "check-timeout", (uint64_t)srv->check_timeout)};
    if (!session_job(s, &verb)) {
        return;
    }
    if (!srv->active) {
        suffix = " (inactive)";
    } else if (srv->disabled) {
        suffix = " (WARNING: disabled)";
    }
    console_say(&s->console, SAY_OUT, "Server %s%s:", srv->name, suffix);
    for (size_t i = 0; i < job.out.n; i++) {
        say_line(s, &job.out.line[i]);
    }
    if (srv->active && check_first_failed(&job.out, CHECK_ALL)) {
        s->status = s->status ? s->status : 1;
    }
}
