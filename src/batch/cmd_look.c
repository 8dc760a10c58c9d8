/* SPDX-License-Identifier: PostgreSQL */
/* status, check: what the engine found, in Barman's form. */
#include "session.h"

#include "base/doc.h"
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

static void status_doc(struct doc *out, const struct status *status)
{
    for (size_t i = 0; i < status->n; i++) {
        struct doc *row = doc_object(out, status->row[i].key);

        doc_text(row, "description", status->row[i].label);
        doc_text(row, "message", status->row[i].value);
    }
}

void run_status(struct session *s, const struct server_cfg *srv)
{
    struct repo repo;
    struct status_job job = {.s = s, .repo = &repo, .srv = srv};
    struct session_verb verb = {SESSION_LOOKS, srv, read_status, &job};

    if (!session_repo(s, srv, &repo) || !session_job(s, &verb)) {
        return;
    }
    if (s->console.doc) {
        status_doc(doc_object(s->console.doc, srv->name), &job.out);
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

static void say_line(struct session *s, const struct server_cfg *srv,
                     const struct check_line *l)
{
    console_result(&s->console, srv->name, l->label, l->ok ? RESULT_OK : RESULT_FAILED,
                   l->hint);
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
    struct err err;

    if (!session_repo(s, srv, &repo)) {
        return;
    }
    job.what = (struct check_what){
        &repo, srv,
        (int64_t)arg_number(&s->args, "check-timeout", (uint64_t)srv->check_timeout)};
    if (!session_job(s, &verb)) {
        return;
    }
    if (srv->active && check_first_failed(&job.out, CHECK_ALL)) {
        s->status = s->status ? s->status : 1;
    }
    if (s->nagios) {
        if (!nagios_add(s->nagios, &s->arena, srv->name, &job.out, &err)) {
            session_fail(s, &err);
        }
        return;
    }
    if (!srv->active) {
        suffix = " (inactive)";
    } else if (srv->disabled) {
        suffix = " (WARNING: disabled)";
    }
    if (s->console.doc) {
        doc_object(s->console.doc, srv->name);
    } else {
        console_say(&s->console, SAY_OUT, "Server %s%s:", srv->name, suffix);
    }
    for (size_t i = 0; i < job.out.n; i++) {
        say_line(s, srv, &job.out.line[i]);
    }
}
