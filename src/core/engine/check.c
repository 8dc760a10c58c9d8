/* SPDX-License-Identifier: PostgreSQL */
#include "engine/check.h"

#include "base/clock.h"
#include "engine/check_in.h"
#include "repo/lock.h"

#include <string.h>

void check_add(struct checking *c, const char *label, bool ok, const char *hint,
               enum check_weight weight)
{
    if (c->out->n < CHECK_LINES_MAX) {
        c->out->line[c->out->n++] = (struct check_line){
            .label = label, .ok = ok, .hint = hint, .weight = weight, .perfdata = -1};
    }
}

const char *check_why(struct checking *c, const struct err *err)
{
    char text[1536];

    return arena_strdup(c->a, err_text(err, text, sizeof text));
}

/* What backup and archive-wal would refuse with, as one more message each. */
static void add_refusals(struct checking *c, const char **message, size_t *n)
{
    static const enum cfg_use uses[] = {CFG_USE_BACKUP, CFG_USE_ARCHIVE};
    struct err why;

    for (size_t i = 0; i < sizeof uses / sizeof uses[0]; i++) {
        if (!server_cfg_refusal(c->srv, uses[i], &why)) {
            message[*n] = check_why(c, &why);
            if (*n == 0 || !message[*n] || strcmp(message[*n], message[*n - 1]) != 0) {
                ++*n;
            }
        }
    }
}

static void configuration(struct checking *c)
{
    const char **message = ARENA_ARRAY(c->a, c->srv->messages + 2, const char *);
    struct check_line *line;
    size_t n = 0;

    while (message && n < c->srv->messages) {
        message[n] = c->srv->message[n];
        n++;
    }
    if (message) {
        add_refusals(c, message, &n);
    }
    if (n == 0) {
        return;
    }
    check_add(c, "configuration", false, NULL, CHECK_CRITICAL);
    line = &c->out->line[c->out->n - 1];
    line->more = message;
    line->mores = n;
}

static bool method_is(const struct checking *c, const char *method)
{
    return c->srv->backup_method && strcmp(c->srv->backup_method, method) == 0;
}

/* What Barman asks of the client programs of PostgreSQL; there are none here. The first line
 * of a method this version does not have is FAILED: its backups will not be taken. */
static void executor(struct checking *c)
{
    static const struct {
        const char *method, *label;
    } others[] = {
        {"rsync", "ssh"},
        {"local-rsync", "local PGDATA"},
        {"snapshot", "snapshot instance exists"},
    };

    if (server_cfg_passive(c->srv)) {
        check_add(c, "ssh", false, "passive nodes are not served by this version",
                  CHECK_CRITICAL);
        return;
    }
    if (method_is(c, "postgres")) {
        check_add(c, "pg_basebackup", true, "built in", CHECK_CRITICAL);
        check_add(c, "pg_basebackup compatible", true, "built in", CHECK_CRITICAL);
        check_add(c, "pg_basebackup supports tablespaces mapping", true, "built in",
                  CHECK_CRITICAL);
    }
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        if (method_is(c, others[i].method)) {
            check_add(c, others[i].label, false,
                      arena_fmt(c->a, "this version takes no backups by backup_method '%s'",
                                others[i].method),
                      CHECK_CRITICAL);
        }
    }
}

static void receiver(struct checking *c)
{
    bool runs;

    if (!c->srv->streaming_archiver || server_cfg_passive(c->srv)) {
        return;
    }
    runs = lock_is_held(c->repo, LOCK_RECEIVE_WAL, NULL);
    check_add(c, "pg_receivexlog", true, "built in", CHECK_CRITICAL);
    check_add(c, "pg_receivexlog compatible", true, "built in", CHECK_CRITICAL);
    check_add(c, "receive-wal running", runs, runs ? NULL : "See the log file for more details",
              CHECK_CRITICAL);
}

static void (*const groups[])(struct checking *) = {
    check_waiting, check_ask,      check_postgres, check_repository, executor,
    configuration, check_identity, receiver,       check_archiver,   check_errors,
};

bool check_run(const struct task *t, const struct check_what *what, struct arena *a,
               struct check *out, struct err *err)
{
    struct task limited = *t;
    struct checking c = {.t = &limited,
                         .repo = what->repo,
                         .srv = what->srv,
                         .known = what->known,
                         .a = a,
                         .out = out};
    struct err stop;

    c.now_ns = clock_wall_ns();
    out->n = 0;
    if (what->timeout_s > 0) {
        int64_t by = clock_mono_ns() + what->timeout_s * NS_PER_S;
        limited.deadline_ns = t->deadline_ns && t->deadline_ns < by ? t->deadline_ns : by;
    }
    for (size_t i = 0; i < sizeof groups / sizeof groups[0]; i++) {
        groups[i](&c);
        if (!task_go_on(t, err)) {
            return false;
        }
    }
    if (!task_go_on(&limited, &stop)) {
        check_add(&c, "check timeout", false, "the checks took too long", CHECK_CRITICAL);
    }
    return !a->failed || arena_err(a, err);
}

const struct check_line *check_first_failed(const struct check *c, enum check_scope scope)
{
    for (size_t i = 0; i < c->n; i++) {
        if (!c->line[i].ok && (scope == CHECK_ALL || c->line[i].weight == CHECK_CRITICAL)) {
            return &c->line[i];
        }
    }
    return NULL;
}
