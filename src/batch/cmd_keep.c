/* SPDX-License-Identifier: PostgreSQL */
/* keep, list-files, rebuild-xlogdb, check-wal-archive: what is kept of a server. */
#include "session.h"

#include "base/doc.h"
#include "engine/check_archive.h"
#include "engine/list_files.h"
#include "repo/catalogue.h"
#include "repo/xlogdb.h"

#include <inttypes.h>
#include <string.h>

/* ---- keep ---- */

static void say_keep(struct session *s, const struct server_cfg *srv, enum keep keep)
{
    struct doc *row;

    if (!s->console.doc) {
        console_say(&s->console, SAY_OUT, "Server %s:", srv->name);
        console_say(&s->console, SAY_OUT, "\tKeep: %s", keep_name(keep));
        return;
    }
    row = doc_object(doc_object(s->console.doc, srv->name), "keep_status");
    doc_text(row, "description", "Keep");
    doc_text(row, "message", keep_name(keep));
}

static bool may_be_kept(struct session *s, const struct repo *r, const struct backup *b)
{
    if (b->status != BACKUP_DONE) {
        console_say(&s->console, SAY_ERROR,
                    "Cannot add keep to backup %s because it has status %s. Only backups with "
                    "status DONE can be kept.",
                    b->id, backup_status_name(b->status));
        return false;
    }
    if (backup_type_of(b) == BACKUP_INCREMENTAL) {
        console_say(
            &s->console, SAY_ERROR,
            "Unable to execute the keep command on backup %s: is an incremental backup.",
            b->id);
        console_say(&s->console, SAY_ERROR,
                    "Only full backups are eligible for the use of the keep command.");
        return false;
    }
    if (delete_mark_is_set(r, b->id)) {
        console_say(&s->console, SAY_ERROR,
                    "Cannot add keep to backup %s because it is being deleted.", b->id);
        return false;
    }
    return true;
}

/* Under the lock of the backup, which delete holds. */
static bool change_keep(const struct repo *r, const char *id, enum keep keep, struct err *err)
{
    struct lock lock;
    bool ok;

    if (!lock_take(&lock, r, id, LOCK_TRY, err)) {
        return false;
    }
    ok = keep_write(r, id, keep, err);
    lock_release(&lock);
    return ok;
}

const char *keep_lacks(const struct args *args)
{
    return arg_text(args, "target") || arg_given(args, "release") || arg_given(args, "status")
               ? NULL
               : "one of the arguments -r/--release -s/--status --target is required";
}

void run_keep(struct session *s, const struct server_cfg *srv)
{
    const char *target = arg_text(&s->args, "target");
    bool release = arg_given(&s->args, "release"), status = arg_given(&s->args, "status");
    enum keep keep = target && strcmp(target, "full") == 0 ? KEEP_FULL : KEEP_STANDALONE;
    const struct backup *b;
    struct repo repo;
    struct err err;
    bool ok = true;

    b = session_backup(s, srv, &repo);
    if (!b) {
        return;
    }
    if (status) {
        ok = keep_read(&repo, b->id, &keep, &err);
        if (ok) {
            say_keep(s, srv, keep);
        }
    } else if (release) {
        ok = change_keep(&repo, b->id, KEEP_NONE, &err);
    } else if (may_be_kept(s, &repo, b)) {
        ok = change_keep(&repo, b->id, keep, &err);
    }
    if (!ok) {
        session_fail(s, &err);
    }
}

/* ---- list-files ---- */

static void put_path(void *ctx, const char *path)
{
    struct session *s = ctx;

    console_say(&s->console, SAY_OUT, "%s", path);
}

void run_list_files(struct session *s, const struct server_cfg *srv)
{
    const char *target = arg_text(&s->args, "target");
    struct catalogue all;
    struct repo repo;
    struct list_files what = {.repo = &repo, .catalogue = &all, .ctx = s, .put = put_path};
    struct task_sink sink;
    struct task task = session_task(s, &sink);
    struct err err;

    what.what = list_files_what(target ? target : "standalone") |
                (arg_given(&s->args, "list-empty-directories") ? LIST_EMPTY_DIRS : 0);
    if (!session_repo(s, srv, &repo)) {
        return;
    }
    if (!catalogue_look(&repo, &s->arena, &all, &err) ||
        !catalogue_resolve(&all, srv->name, s->args.operand[1], &what.backup, &err) ||
        !list_files(&task, &what, &err)) {
        session_fail(s, &err);
    }
}

/* ---- rebuild-xlogdb ---- */

static bool do_rebuild(const struct task *task, void *arg, struct err *err)
{
    const struct repo *r = arg;
    struct xlogdb_rebuilt made;
    char partials[48] = "";

    task_say(task, SAY_OUT, "Rebuilding xlogdb for server %s", r->server);
    if (!xlogdb_rebuild(r, &made, err)) {
        return false;
    }
    if (made.partials) {
        str_fmt(partials, sizeof partials, ", partial: %" PRIu64, made.partials);
    }
    task_say(task, SAY_OUT,
             "Done rebuilding xlogdb for server %s (history: %" PRIu64
             ", backup_labels: %" PRIu64 ", wal_file: %" PRIu64 "%s)",
             r->server, made.history, made.labels, made.segments, partials);
    return true;
}

void run_rebuild_xlogdb(struct session *s, const struct server_cfg *srv)
{
    struct repo repo;
    struct session_verb verb = {SESSION_KEEPS_HOUSE, srv, do_rebuild, &repo};

    if (session_repo(s, srv, &repo)) {
        session_job(s, &verb);
    }
}

/* ---- check-wal-archive ---- */

void run_check_wal_archive(struct session *s, const struct server_cfg *srv)
{
    pg_tli tli = (pg_tli)arg_number(&s->args, "timeline", 0);
    struct repo repo;
    struct err err;

    if (!session_repo(s, srv, &repo)) {
        return;
    }
    if (!s->console.doc) {
        console_say(&s->console, SAY_OUT, "Server %s:", srv->name);
    }
    if (!check_archive(&repo, tli, &err)) {
        if (err.code == ERR_UNSAFE) {
            if (s->console.doc) {
                (void)doc_object(s->console.doc, srv->name);
            }
            console_say(&s->console, SAY_ERROR, "WAL archive check failed for server %s: %s",
                        srv->name, err.why);
        } else {
            session_fail(s, &err);
        }
    } else if (s->console.doc) {
        doc_fmt(s->console.doc, srv->name, "WAL archive check for server %s passed", srv->name);
    } else {
        console_say(&s->console, SAY_OUT, " - WAL archive check for server %s passed",
                    srv->name);
    }
}
