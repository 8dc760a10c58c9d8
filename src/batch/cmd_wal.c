/* SPDX-License-Identifier: PostgreSQL */
/* receive-wal, archive-wal, switch-wal, get-wal, cron. */
#include "session.h"

#include "engine/archive_wal.h"
#include "engine/config_change.h"
#include "engine/cron.h"
#include "engine/get_wal.h"
#include "engine/receive_wal.h"
#include "engine/switch_wal.h"

#include <unistd.h>

/* ---- archive-wal ---- */

static bool do_archive(const struct task *task, void *arg, struct err *err)
{
    const struct archive_wal *what = arg;
    struct archive_result result = {0};
    struct err why = {0};

    if (archive_wal(task, what, &result, &why)) {
        return true;
    }
    if (why.code == ERR_BUSY) { /* it is being done: no failure */
        task_say(task, SAY_OUT,
                 "Another archive-wal process is already running on server %s. Skipping to the "
                 "next server",
                 what->repo->server);
        return true;
    }
    *err = why;
    return false;
}

void run_archive_wal(struct session *s, const struct server_cfg *srv)
{
    struct archive_wal what;
    struct session_verb verb = {SESSION_KEEPS_HOUSE, srv, do_archive, &what};
    struct repo repo;
    struct err err;

    if (!server_cfg_refusal(srv, CFG_USE_ARCHIVE, &err)) {
        session_fail(s, &err);
        return;
    }
    if (!session_repo(s, srv, &repo)) {
        return;
    }
    if (!archive_wal_of(&repo, srv, &what, &err)) {
        session_fail(s, &err);
        return;
    }
    session_job(s, &verb);
}

/* ---- receive-wal ---- */

static bool do_receive(const struct task *task, void *arg, struct err *err)
{
    return receive_wal(task, arg, err);
}

static enum receive_do what_to_do(const struct args *args)
{
    if (arg_given(args, "stop")) {
        return RECEIVE_STOP;
    }
    if (arg_given(args, "create-slot")) {
        return arg_given(args, "if-not-exists") ? RECEIVE_CREATE_SLOT_IF_MISSING
                                                : RECEIVE_CREATE_SLOT;
    }
    if (arg_given(args, "drop-slot")) {
        return RECEIVE_DROP_SLOT;
    }
    return arg_given(args, "reset") ? RECEIVE_RESET : RECEIVE_RUN;
}

void run_receive_wal(struct session *s, const struct server_cfg *srv)
{
    struct repo repo;
    struct receive_wal what = {.repo = &repo, .srv = srv, .what = what_to_do(&s->args)};
    struct session_verb verb = {SESSION_KEEPS_HOUSE, srv, do_receive, &what};
    struct err err;

    if (arg_given(&s->args, "stop") && arg_given(&s->args, "reset")) {
        console_say(&s->console, SAY_ERROR, "--stop and --reset options are not compatible");
        return;
    }
    if (!srv->streaming_archiver && (what.what == RECEIVE_RUN || what.what == RECEIVE_RESET)) {
        console_say(&s->console, SAY_ERROR,
                    "Unable to start receive-wal process: streaming_archiver option set to "
                    "'off' in barman configuration file");
        return;
    }
    if (what.what == RECEIVE_RUN) {
        verb.kind = SESSION_WRITES;
    }
    if (!server_cfg_refusal(srv, CFG_USE_RECEIVE, &err)) {
        session_fail(s, &err);
        return;
    }
    if (session_repo(s, srv, &repo)) {
        session_job(s, &verb);
    }
}

/* ---- switch-wal ---- */

static bool do_switch(const struct task *task, void *arg, struct err *err)
{
    return switch_wal(task, arg, err);
}

void run_switch_wal(struct session *s, const struct server_cfg *srv)
{
    struct repo repo;
    struct switch_wal what = {
        .repo = &repo,
        .srv = srv,
        .force = arg_given(&s->args, "force") ? SWITCH_AFTER_CHECKPOINT : SWITCH_ONLY,
        .archive = arg_given(&s->args, "archive") ? SWITCH_AND_ARCHIVE : SWITCH_AND_GO,
        .archive_timeout_s = (int64_t)arg_number(&s->args, "archive-timeout", 30),
    };
    struct session_verb verb = {SESSION_KEEPS_HOUSE, srv, do_switch, &what};
    struct err err;

    if (what.archive == SWITCH_AND_ARCHIVE && !server_cfg_refusal(srv, CFG_USE_ARCHIVE, &err)) {
        session_fail(s, &err);
        return;
    }
    if (session_repo(s, srv, &repo)) {
        session_job(s, &verb);
    }
}

/* ---- get-wal ---- */

static unsigned get_flags(const struct args *args)
{
    unsigned flags = arg_given(args, "partial") ? GET_PARTIAL : 0;

    flags |= arg_given(args, "gzip") ? GET_GZIP : 0;
    flags |= arg_given(args, "bzip2") ? GET_BZIP2 : 0;
    return flags | (arg_given(args, "keep-compression") ? GET_AS_STORED : 0);
}

/* As it is stored, or packed anew: not both. */
static bool compression_ok(struct session *s)
{
    static const char *const packer[] = {"gzip", "bzip2"};

    for (size_t i = 0; i < 2 && arg_given(&s->args, "keep-compression"); i++) {
        if (arg_given(&s->args, packer[i])) {
            console_say(&s->console, SAY_ERROR,
                        "argument `%s` not allowed with argument `keep-compression`",
                        packer[i]);
            return false;
        }
    }
    return true;
}

void run_get_wal(struct session *s, const struct server_cfg *srv)
{
    struct task_sink sink;
    struct task task = session_task(s, &sink);
    struct repo repo;
    struct get_wal what = {.repo = &repo,
                           .name = s->args.operand[1],
                           .flags = get_flags(&s->args),
                           .directory = arg_text(&s->args, "output-directory"),
                           .host = session_ssh_host(s),
                           .fd = STDOUT_FILENO};
    struct err err;
    bool ok;

    if (arg_given(&s->args, "test")) {
        console_say(&s->console, SAY_OUT, "Ready to retrieve WAL files from the server %s",
                    srv->name);
        return;
    }
    if (!compression_ok(s) || !session_repo(s, srv, &repo)) {
        return;
    }
    if (arg_given(&s->args, "peek")) {
        ok = get_wal_peek(&task, &what, arg_number(&s->args, "peek", 1), &err);
    } else {
        s->console.raw = !what.directory;
        ok = get_wal(&task, &what, &err);
    }
    if (!ok) {
        session_fail(s, &err);
        s->status = get_wal_status(&err);
    }
}

/* ---- cron ---- */

/* What retention removes goes side by side, each server's in a process of its own: that of one
 * may take hours. */
static void run_retention(struct session *s, const bool *due)
{
    const char **name = ARENA_ARRAY(&s->arena, s->cfg->servers + 1, const char *);
    struct err err;
    size_t n = 0;

    if (!name) {
        arena_err(&s->arena, &err);
        session_fail(s, &err);
        return;
    }
    for (size_t i = 0; i < s->cfg->servers; i++) {
        if (due[i]) {
            name[n++] = s->cfg->server[i].name;
        }
    }
    if (n == 1) {
        session_run_one(s, name[0]);
    } else if (n) {
        session_run_abreast(s, name, n);
    }
}

/* srv: only retention of that one. */
void run_cron(struct session *s, const struct server_cfg *srv)
{
    struct task_sink sink;
    struct task task = session_task(s, &sink);
    struct cron what = {
        .cfg = s->cfg,
        .output = arg_given(&s->args, "keep-descriptors") ? CRON_CHILDREN_KEEP_OUTPUT
                                                          : CRON_CHILDREN_QUIET,
        .program = s->program,
        .how = arg_given(&s->args, "dry-run") ? CRON_DRY_RUN
               : srv                          ? CRON_RETENTION
                                              : CRON_DO,
        .only = srv,
    };
    const struct config_change change = {s->cfg, s->program, s->config_path, &s->arena};
    struct err err;

    if (what.how == CRON_DO) {
        if (!config_update_left_over(&task, &change, &err)) {
            session_fail(s, &err);
        }
        what.due = ARENA_ARRAY(&s->arena, s->cfg->servers + 1, bool);
    }
    if (!cron_run(&task, &what, &err)) {
        session_fail(s, &err);
    }
    if (what.due) {
        run_retention(s, what.due);
    }
}
