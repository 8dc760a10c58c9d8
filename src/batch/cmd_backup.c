/* SPDX-License-Identifier: PostgreSQL */
/* backup, delete, check-backup, verify-backup. */
#include "backup_doc.h"
#include "session.h"

#include "engine/backup.h"
#include "engine/check_backup.h"
#include "engine/delete.h"
#include "engine/verify_backup.h"
#include "repo/backup_info.h"
#include "repo/catalogue.h"

#include <string.h>

/* ---- backup ---- */

static bool do_backup(const struct task *task, void *arg, struct err *err)
{
    return engine_backup(task, arg, err);
}

static void backup_options(const struct session *s, const struct server_cfg *srv,
                           struct engine_backup_options *o)
{
    const struct args *args = &s->args;
    const char *checksums = arg_text(args, "manifest-checksums");

    engine_backup_defaults(srv, o);
    o->name = arg_text(args, "name");
    if (arg_given(args, "immediate-checkpoint")) {
        o->immediate_checkpoint = true;
    } else if (arg_given(args, "no-immediate-checkpoint")) {
        o->immediate_checkpoint = false;
    }
    o->bwlimit_kib = (uint32_t)arg_number(args, "bwlimit", o->bwlimit_kib);
    o->retry_times = session_retry_times(s, srv);
    o->retry_sleep_s = session_retry_sleep(s, srv);
    o->keepalive_s = (int)arg_number(args, "keepalive-interval", (uint64_t)o->keepalive_s);
    o->check_timeout_s =
        (int64_t)arg_number(args, "check-timeout", (uint64_t)o->check_timeout_s);
    o->wait = arg_given(args, "wait");
    o->wait_timeout_s = (unsigned)arg_number(args, "wait-timeout", 0);
    if (checksums) {
        o->checksums = strcmp(checksums, "sha256") == 0 ? DIGEST_SHA256 : DIGEST_CRC32C;
    }
}

/* A name that could not be told from an id or a word of ours. */
static bool name_ok(struct session *s, const char *name)
{
    if (!name ||
        (backup_name_ok(name) && !catalogue_word_reserved(name) && !backup_id_ok(name))) {
        return true;
    }
    console_say(&s->console, SAY_ERROR, "argument --name: '%s' can not be the name of a backup",
                name);
    s->status = 2;
    return false;
}

/* What only rsync would act on changes nothing in a streamed backup, in Barman neither. */
static void tell_rsync_options(struct session *s, const struct server_cfg *srv)
{
    static const char *const only[] = {"reuse-backup", "jobs", "jobs-start-batch-period",
                                       "jobs-start-batch-size"};

    for (size_t i = 0; i < sizeof only / sizeof only[0]; i++) {
        const char *text = arg_text(&s->args, only[i]);

        if (arg_given(&s->args, only[i]) && (!text || strcmp(text, "off") != 0)) {
            console_say(&s->console, SAY_WARN,
                        "--%s concerns rsync backups: it does nothing for server '%s', whose "
                        "backup_method is '%s'",
                        only[i], srv->name, srv->backup_method);
        }
    }
}

static bool incremental_ok(struct session *s, const struct server_cfg *srv)
{
    struct err err;

    if (!arg_given(&s->args, "incremental")) {
        return true;
    }
    err_set(
        &err, ERR_CONFIG,
        "Take a full backup; backup_compression = zstd makes it smaller, estimate-size tells "
        "how large.",
        "",
        "this version takes no incremental backups (of PostgreSQL 17 and later): server '%s' "
        "is not backed up",
        srv->name);
    session_fail(s, &err);
    return false;
}

/* What backup.info holds now, also of a backup that failed. */
static void put_result(struct session *s, const struct repo *r, const char *id)
{
    struct backup b;
    struct err err;

    if (!backup_info_load(r, &s->arena, id, &b, &err)) {
        session_fail(s, &err);
        return;
    }
    str_copy(b.id, sizeof b.id, id);
    backup_doc(s->console.doc, &s->arena, &b, DATES_CTIME);
}

void run_backup(struct session *s, const struct server_cfg *srv)
{
    struct repo repo;
    struct engine_backup what = {.repo = &repo, .srv = srv};
    struct session_verb verb = {SESSION_WRITES, srv, do_backup, &what};
    struct err err;

    if (!name_ok(s, arg_text(&s->args, "name")) || !incremental_ok(s, srv)) {
        return;
    }
    tell_rsync_options(s, srv);
    if (!server_cfg_refusal(srv, CFG_USE_BACKUP, &err)) {
        session_fail(s, &err);
        return;
    }
    backup_options(s, srv, &what.options);
    if (session_repo(s, srv, &repo)) {
        session_job(s, &verb);
        if (s->console.doc && what.result.id[0]) {
            put_result(s, &repo, what.result.id);
        }
    }
}

/* ---- delete ---- */

static bool do_delete(const struct task *task, void *arg, struct err *err)
{
    return delete_backup(task, arg, err);
}

static bool do_delete_dry_run(const struct task *task, void *arg, struct err *err)
{
    return delete_dry_run(task, arg, err);
}

static bool confirmed(struct session *s, const struct delete_backup *what)
{
    struct task_sink sink;
    struct task task = session_task(s, &sink);
    char question[256];
    struct err err;

    if (!s->console.asks) {
        return true;
    }
    if (!delete_allowed(&task, what, &err)) {
        session_fail(s, &err);
        return false;
    }
    str_fmt(question, sizeof question,
            "This deletes backup %s of server %s and the WAL only it needs.\n"
            "Type the backup's id to go on:",
            what->id, what->repo->server);
    if (console_confirm(&s->console, question, what->id)) {
        return true;
    }
    console_say(&s->console, SAY_ERROR, "that is not the id: nothing was deleted");
    return false;
}

void run_delete(struct session *s, const struct server_cfg *srv)
{
    struct delete_backup what = {.minimum_redundancy = (uint64_t)srv->minimum_redundancy,
                                 .srv = srv};
    struct session_verb verb = {SESSION_WRITES, srv, do_delete, &what};
    const struct backup *b;
    struct repo repo;
    struct err err;

    if (!server_cfg_refusal(srv, CFG_USE_DELETE, &err)) {
        session_fail(s, &err);
        return;
    }
    b = session_backup(s, srv, &repo);
    if (!b) {
        return;
    }
    what.repo = &repo;
    what.id = b->id;
    if (arg_given(&s->args, "dry-run")) {
        verb = (struct session_verb){SESSION_LOOKS, srv, do_delete_dry_run, &what};
        session_job(s, &verb);
    } else if (confirmed(s, &what)) {
        session_job(s, &verb);
    }
}

/* ---- check-backup ---- */

struct check_backup_job {
    struct repo repo;
    const char *id;
};

static bool do_check_backup(const struct task *task, void *arg, struct err *err)
{
    struct check_backup_job *job = arg;
    enum backup_status now;
    struct err why = {0};

    if (check_backup(task, &job->repo, job->id, &now, &why)) {
        return true;
    }
    if (why.code == ERR_BUSY) { /* it is being checked, or deleted: no failure */
        task_say(task, SAY_OUT,
                 "Another process is holding the lock for backup %s of server %s.", job->id,
                 job->repo.server);
        return true;
    }
    *err = why;
    return false;
}

void run_check_backup(struct session *s, const struct server_cfg *srv)
{
    struct check_backup_job job;
    struct session_verb verb = {SESSION_KEEPS_HOUSE, srv, do_check_backup, &job};
    const struct backup *b = session_backup(s, srv, &job.repo);

    if (b) {
        job.id = b->id;
        session_job(s, &verb);
    }
}

/* ---- verify-backup ---- */

static bool do_verify(const struct task *task, void *arg, struct err *err)
{
    struct verify_result result = {0};

    return engine_verify_backup(task, arg, &result, err);
}

void run_verify_backup(struct session *s, const struct server_cfg *srv)
{
    struct verify_request request = {
        .server = srv,
        .backup_id = s->args.operand[1],
        .jobs = (unsigned)arg_number(&s->args, "jobs", 0),
    };
    struct session_verb verb = {SESSION_LOOKS, srv, do_verify, &request};

    session_job(s, &verb);
}
