/* SPDX-License-Identifier: PostgreSQL */
/* start-copy, show-copy, promote-copy, stop-copy, drop-copy, compare-copy. */
#include "session.h"

#include "base/clock.h"
#include "base/file.h"
#include "engine/copy.h"

#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#define COUNT_S 60 /* for one count, then the estimate is shown */

struct copy_job {
    struct arena arena;
    const struct server_cfg *srv;
    const char *destination;
    unsigned port;
};

/* Relative to where the command was typed; a job may run elsewhere. */
static const char *destination_of(struct session *s)
{
    const char *path = s->args.operand[1];
    char cwd[PATH_CAP], *copy;
    size_t n;

    if (path[0] == '/') {
        copy = arena_strdup(&s->arena, path);
    } else {
        copy = getcwd(cwd, sizeof cwd) ? arena_fmt(&s->arena, "%s/%s", cwd, path) : NULL;
    }
    if (!copy) {
        return path;
    }
    for (n = strlen(copy); n > 1 && copy[n - 1] == '/'; n--) {
        copy[n - 1] = '\0'; /* so that a link is seen to be one */
    }
    return copy;
}

static const char *phase_word(enum copy_phase phase)
{
    static const char *const word[] = {
        [COPY_ABSENT] = "absent", [COPY_FILES] = "restored", [COPY_REPLAYING] = "replaying",
        [COPY_PAUSED] = "paused", [COPY_OPEN] = "open",      [COPY_STOPPED] = "stopped",
        [COPY_FAILED] = "failed",
    };
    return word[phase];
}

static void say_copy(const struct task *t, const char *destination, const struct answer_copy *c)
{
    char when[STAMP_CAP];

    task_say(t, SAY_OUT, "Copy in %s: %s", destination, phase_word(c->phase));
    task_say(t, SAY_OUT, "\tState: %s", c->sentence ? c->sentence : "");
    if (c->reached.is_proven) {
        task_say(t, SAY_OUT, "\tLast commit: %s", stamp_iso(stamp_local(c->reached.us), when));
    }
    if (c->tli) {
        task_say(t, SAY_OUT, "\tTimeline: %" PRIu32, c->tli);
    }
    if (c->pid) {
        task_say(t, SAY_OUT, "\tProcess: %" PRId64, c->pid);
    }
    if (c->log) {
        task_say(t, SAY_OUT, "\tLog: %s", c->log);
    }
    if (c->psql) {
        task_say(t, SAY_OUT, "\tConnect: %s", c->psql);
    }
}

static bool do_start(const struct task *task, void *arg, struct err *err)
{
    struct copy_job *job = arg;
    struct copy_start what = {job->srv, job->destination, job->port};
    struct answer_copy copy;

    task_say(task, SAY_OUT, "Starting the copy of server %s in %s", job->srv->name,
             job->destination);
    if (!copy_start(task, &job->arena, &what, &copy, err)) {
        return false;
    }
    say_copy(task, job->destination, &copy);
    return true;
}

static bool do_promote(const struct task *task, void *arg, struct err *err)
{
    struct copy_job *job = arg;
    struct answer_copy copy;

    if (!copy_promote(task, &job->arena, job->destination, &copy, err)) {
        return false;
    }
    say_copy(task, job->destination, &copy);
    return true;
}

static bool do_stop(const struct task *task, void *arg, struct err *err)
{
    struct copy_job *job = arg;

    if (!copy_stop(task, job->destination, err)) {
        return false;
    }
    task_say(task, SAY_OUT, "The copy in %s is stopped", job->destination);
    return true;
}

static bool do_drop(const struct task *task, void *arg, struct err *err)
{
    struct copy_job *job = arg;

    if (!copy_drop(task, job->srv, job->destination, err)) {
        return false;
    }
    task_say(task, SAY_OUT, "The copy in %s is dropped", job->destination);
    return true;
}

static void run_job(struct session *s, const struct server_cfg *srv,
                    bool (*run)(const struct task *task, void *arg, struct err *err))
{
    struct copy_job job = {.srv = srv, .destination = destination_of(s)};
    struct session_verb verb = {SESSION_WRITES, srv, run, &job};

    if (s->args.command->options) {
        job.port = (unsigned)arg_number(&s->args, "port", 0);
    }
    if (job.port > 65535) {
        console_say(&s->console, SAY_ERROR, "argument --port: %u is no port", job.port);
        s->status = 2;
        return;
    }
    arena_init(&job.arena, 0);
    session_job(s, &verb);
    arena_release(&job.arena);
}

void run_start_copy(struct session *s, const struct server_cfg *srv)
{
    run_job(s, srv, do_start);
}

void run_promote_copy(struct session *s, const struct server_cfg *srv)
{
    run_job(s, srv, do_promote);
}

void run_stop_copy(struct session *s, const struct server_cfg *srv)
{
    run_job(s, srv, do_stop);
}

static bool confirmed(struct session *s)
{
    const char *path = destination_of(s);
    char question[PATH_CAP + 256];

    if (!s->console.asks) {
        return true;
    }
    str_fmt(question, sizeof question,
            "This stops the copy in %s and removes it with its tablespaces.\n"
            "Type the directory's name (%s) to go on:",
            path, path_base(path));
    if (console_confirm(&s->console, question, path_base(path))) {
        return true;
    }
    console_say(&s->console, SAY_ERROR, "that is not its name: nothing was dropped");
    return false;
}

void run_drop_copy(struct session *s, const struct server_cfg *srv)
{
    if (confirmed(s)) {
        run_job(s, srv, do_drop);
    }
}

void run_show_copy(struct session *s, const struct server_cfg *srv)
{
    const char *destination = destination_of(s);
    struct task_sink sink;
    struct task task = session_task(s, &sink);
    struct answer_copy copy;
    struct err err;

    (void)srv;
    if (!copy_look(&task, &s->arena, destination, &copy, &err)) {
        session_fail(s, &err);
        return;
    }
    say_copy(&task, destination, &copy);
}

/* ---- compare-copy ------------------------------------------------------------------------- */

static const char *count_text(int64_t n, bool is_estimate, char out[32])
{
    if (n < 0) {
        str_copy(out, 32, "?");
    } else {
        str_fmt(out, 32, "%s%" PRId64, is_estimate ? "~" : "", n);
    }
    return out;
}

static void say_table(const struct task *t, const struct table_count *c)
{
    bool known = c->copy >= 0 && c->live >= 0;
    bool exact = known && !c->copy_is_estimate && !c->live_is_estimate;
    char copy[32], live[32], more[64] = "";

    if (known && c->copy != c->live) {
        str_fmt(more, sizeof more, "%s%+" PRId64, exact ? "" : "~", c->copy - c->live);
    }
    task_say(t, SAY_OUT, "\t%s: copy %s, production %s%s%s", c->name,
             count_text(c->copy, c->copy_is_estimate, copy),
             count_text(c->live, c->live_is_estimate, live), more[0] ? ", copy has " : "",
             more);
    if (c->why) {
        task_say(t, SAY_OUT, "\t\t%s", c->why);
    }
}

static bool do_compare(const struct task *task, void *arg, struct err *err)
{
    struct copy_compare *what = arg;
    struct answer_compare out;
    struct arena a;
    bool ok;

    arena_init(&a, 0);
    ok = copy_compare(task, &a, what, &out, err);
    if (ok) {
        task_say(task, SAY_OUT, "Rows in the copy in %s beside server %s, database %s",
                 what->destination, what->srv->name, out.database);
        if (out.live_why) {
            task_say(task, SAY_WARN, "%s", out.live_why);
        }
        for (size_t i = 0; i < out.tables; i++) {
            say_table(task, &out.table[i]);
        }
    }
    arena_release(&a);
    return ok;
}

void run_compare_copy(struct session *s, const struct server_cfg *srv)
{
    const struct arg_value *tables = arg_value(&s->args, "table");
    struct copy_compare what = {
        .srv = srv,
        .destination = destination_of(s),
        .database = arg_text(&s->args, "database"),
        .table = tables->list,
        .tables = tables->listed,
        .timeout_s = (int64_t)arg_number(&s->args, "timeout", COUNT_S),
    };
    struct session_verb verb = {SESSION_LOOKS, srv, do_compare, &what};

    session_job(s, &verb);
}
