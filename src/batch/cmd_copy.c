/* SPDX-License-Identifier: PostgreSQL */
/* start-copy, show-copy, promote-copy, stop-copy, drop-copy, compare-copy. */
#include "backup_doc.h"
#include "session.h"

#include "base/clock.h"
#include "base/doc.h"
#include "base/file.h"
#include "engine/copy.h"

#include <inttypes.h>
#include <string.h>

#define COUNT_S 60 /* for one count, then the estimate is shown */

struct copy_job {
    struct arena arena;
    const struct server_cfg *srv;
    const char *destination;
    unsigned port;
    bool tells;              /* in lines; otherwise the document has it */
    struct answer_copy copy; /* how it stands afterwards */
};

static const char *destination_of(struct session *s)
{
    const char *path = session_path(s, s->args.operand[1]);
    size_t n = strlen(path);

    while (n > 1 && path[n - 1] == '/') { /* so that a link is seen to be one */
        n--;
    }
    path = arena_strndup(&s->arena, path, n);
    return path ? path : s->args.operand[1];
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

static void doc_number(struct doc *d, const char *key, int64_t n, int64_t unknown)
{
    if (n == unknown) {
        doc_null(d, key);
    } else {
        doc_int(d, key, n);
    }
}

static void fill_copy(struct doc *d, const char *destination, const struct answer_copy *c)
{
    char when[DOC_ISO_CAP];
    struct stamp commit = stamp_local(c->reached.us);

    doc_text(d, "destination", destination);
    doc_text(d, "phase", phase_word(c->phase));
    doc_text(d, "state", c->sentence);
    doc_text(d, "last_commit",
             c->reached.is_proven
                 ? doc_iso((struct moment){commit.us, commit.offset_s, true}, when)
                 : NULL);
    doc_number(d, "timeline", c->tli, 0);
    doc_number(d, "pid", c->pid, 0);
    doc_text(d, "log", c->log);
    doc_text(d, "connect", c->psql);
}

static void tell(const struct task *t, const struct copy_job *job)
{
    if (job->tells) {
        say_copy(t, job->destination, &job->copy);
    }
}

static bool do_start(const struct task *task, void *arg, struct err *err)
{
    struct copy_job *job = arg;
    struct copy_start what = {job->srv, job->destination, job->port};

    task_say(task, SAY_OUT, "Starting the copy of server %s in %s", job->srv->name,
             job->destination);
    if (!copy_start(task, &job->arena, &what, &job->copy, err)) {
        return false;
    }
    tell(task, job);
    return true;
}

static bool do_promote(const struct task *task, void *arg, struct err *err)
{
    struct copy_job *job = arg;

    if (!copy_promote(task, &job->arena, job->destination, &job->copy, err)) {
        return false;
    }
    tell(task, job);
    return true;
}

/* It is done, whatever becomes of the look at it: as it must be then. */
static void look_after(const struct task *task, struct copy_job *job, enum copy_phase phase)
{
    char text[1600];
    struct err err;

    if (!copy_look(task, &job->arena, job->destination, &job->copy, &err)) {
        task_say(task, SAY_WARN, "It cannot be looked at afterwards: %s",
                 err_text(&err, text, sizeof text));
        job->copy = (struct answer_copy){.phase = phase};
    }
}

static bool do_stop(const struct task *task, void *arg, struct err *err)
{
    struct copy_job *job = arg;

    if (!copy_stop(task, job->destination, err)) {
        return false;
    }
    task_say(task, SAY_OUT, "The copy in %s is stopped", job->destination);
    look_after(task, job, COPY_STOPPED);
    return true;
}

static bool do_drop(const struct task *task, void *arg, struct err *err)
{
    struct copy_job *job = arg;

    if (!copy_drop(task, job->srv, job->destination, err)) {
        return false;
    }
    task_say(task, SAY_OUT, "The copy in %s is dropped", job->destination);
    look_after(task, job, COPY_ABSENT);
    return true;
}

/* What ends a copy needs nothing of barman_home. */
static void run_job(struct session *s, const struct server_cfg *srv, enum session_job kind,
                    bool (*run)(const struct task *task, void *arg, struct err *err))
{
    struct copy_job job = {
        .srv = srv, .destination = destination_of(s), .tells = !s->console.doc};
    struct session_verb verb = {kind, srv, run, &job};

    if (s->args.command->options) {
        job.port = (unsigned)arg_number(&s->args, "port", 0);
    }
    if (job.port > 65535) {
        console_say(&s->console, SAY_ERROR, "argument --port: %u is no port", job.port);
        s->status = 2;
        return;
    }
    arena_init(&job.arena, 0);
    if (session_job(s, &verb) && s->console.doc) {
        fill_copy(doc_object(s->console.doc, srv->name), job.destination, &job.copy);
    }
    arena_release(&job.arena);
}

void run_start_copy(struct session *s, const struct server_cfg *srv)
{
    run_job(s, srv, SESSION_WRITES, do_start);
}

void run_promote_copy(struct session *s, const struct server_cfg *srv)
{
    run_job(s, srv, SESSION_ELSEWHERE, do_promote);
}

void run_stop_copy(struct session *s, const struct server_cfg *srv)
{
    run_job(s, srv, SESSION_ELSEWHERE, do_stop);
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
        run_job(s, srv, SESSION_ELSEWHERE, do_drop);
    }
}

void run_show_copy(struct session *s, const struct server_cfg *srv)
{
    const char *destination = destination_of(s);
    struct task_sink sink;
    struct task task = session_task(s, &sink);
    struct answer_copy copy;
    struct err err;

    if (!copy_look(&task, &s->arena, destination, &copy, &err)) {
        session_fail(s, &err);
    } else if (s->console.doc) {
        fill_copy(doc_object(s->console.doc, srv->name), destination, &copy);
    } else {
        say_copy(&task, destination, &copy);
    }
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

static void say_table(struct console *console, const struct table_count *c)
{
    bool known = c->copy >= 0 && c->live >= 0;
    bool exact = known && !c->copy_is_estimate && !c->live_is_estimate;
    char copy[32], live[32], more[64] = "";

    if (known && c->copy != c->live) {
        str_fmt(more, sizeof more, "%s%+" PRId64, exact ? "" : "~", c->copy - c->live);
    }
    console_say(console, SAY_OUT, "\t%s: copy %s, production %s%s%s", c->name,
                count_text(c->copy, c->copy_is_estimate, copy),
                count_text(c->live, c->live_is_estimate, live), more[0] ? ", copy has " : "",
                more);
    if (c->why) {
        console_say(console, SAY_OUT, "\t\t%s", c->why);
    }
}

static void say_compare(struct console *c, const struct copy_compare *what,
                        const struct answer_compare *out)
{
    console_say(c, SAY_OUT, "Rows in the copy in %s beside server %s, database %s",
                what->destination, what->srv->name, out->database);
    if (out->live_why) {
        console_say(c, SAY_WARN, "%s", out->live_why);
    }
    for (size_t i = 0; i < out->tables; i++) {
        say_table(c, &out->table[i]);
    }
}

static void fill_compare(struct doc *d, const struct copy_compare *what,
                         const struct answer_compare *out)
{
    struct doc *rows = doc_array(d, "tables");

    doc_text(d, "destination", what->destination);
    doc_text(d, "database", out->database);
    doc_text(d, "production_error", out->live_why);
    for (size_t i = 0; i < out->tables; i++) {
        const struct table_count *c = &out->table[i];
        struct doc *row = doc_add_object(rows);

        doc_text(row, "name", c->name);
        doc_number(row, "copy", c->copy, -1);
        doc_bool(row, "copy_is_estimate", c->copy_is_estimate);
        doc_number(row, "production", c->live, -1);
        doc_bool(row, "production_is_estimate", c->live_is_estimate);
        doc_text(row, "reason", c->why);
    }
}

struct compare_job {
    struct arena *arena;
    struct copy_compare what;
    struct answer_compare out;
};

static bool do_compare(const struct task *task, void *arg, struct err *err)
{
    struct compare_job *job = arg;

    return copy_compare(task, job->arena, &job->what, &job->out, err);
}

void run_compare_copy(struct session *s, const struct server_cfg *srv)
{
    const struct arg_value *tables = arg_value(&s->args, "table");
    struct compare_job job = {
        .arena = &s->arena,
        .what = {.srv = srv,
                 .destination = destination_of(s),
                 .database = arg_text(&s->args, "database"),
                 .table = tables->list,
                 .tables = tables->listed,
                 .timeout_s = (int64_t)arg_number(&s->args, "timeout", COUNT_S)},
    };
    struct session_verb verb = {SESSION_LOOKS, srv, do_compare, &job};

    if (!session_job(s, &verb)) {
        return;
    }
    if (s->console.doc) {
        fill_compare(doc_object(s->console.doc, srv->name), &job.what, &job.out);
    } else {
        say_compare(&s->console, &job.what, &job.out);
    }
}
