/* SPDX-License-Identifier: PostgreSQL */
#include "engine/restore.h"

#include "base/fmt.h"
#include "cfg/config.h"
#include "engine/restore_run.h"

#include <inttypes.h>
#include <string.h>

/* --- the plan, told --- */

static const char *verdict_text(enum verdict v)
{
    switch (v) {
    case VERDICT_OK:
        return "OK";
    case VERDICT_WARN:
        return "WARNING";
    case VERDICT_REFUSED:
        break;
    }
    return "REFUSED";
}

static void say_plan(const struct restore_run *r)
{
    const struct restore_checks *c = &r->checks;

    task_say(r->task, SAY_OUT, "Plan of the restore of server %s, backup %s, to %s",
             r->req->server->name, r->backup->id, r->dest ? r->dest : r->req->destination);
    for (size_t i = 0; i < c->n; i++) {
        task_say(r->task, SAY_OUT, "\t%s: %s: %s", c->check[i].id,
                 verdict_text(c->check[i].verdict), c->check[i].sentence);
        if (c->check[i].hint[0]) {
            task_say(r->task, SAY_OUT, "\t\t%s", c->check[i].hint);
        }
    }
    if (c->refused) {
        task_say(r->task, SAY_OUT, "The restore would be refused. Nothing was written.");
    } else {
        task_say(r->task, SAY_OUT, "The restore would work. Nothing was written.");
    }
}

/* The first refusal is the failure of the verb, the others are said beside it. */
static bool refuse(const struct restore_run *r, struct err *err)
{
    const struct restore_check *first = NULL;

    for (size_t i = 0; i < r->checks.n; i++) {
        const struct restore_check *c = &r->checks.check[i];

        if (c->verdict != VERDICT_REFUSED) {
            continue;
        }
        if (!first) {
            first = c;
        } else {
            task_say(r->task, SAY_ERROR, "%s", c->sentence);
        }
    }
    if (strlen(first->sentence) >= sizeof err->why) {
        task_say(r->task, SAY_ERROR, "%s", first->sentence);
        return err_set(err, ERR_UNSAFE, first->hint, "", "the restore is refused");
    }
    return err_set(err, ERR_UNSAFE, first->hint, "", "%s", first->sentence);
}

/* --- Barman's lines --- */

static void say_target(const struct restore_run *r)
{
    const struct target *t = &r->target;
    char text[400], one[FMT_CAP];
    struct sbuf b;

    if (!target_is_pitr(t)) {
        return;
    }
    sbuf_init(&b, text, sizeof text);
    switch (t->kind) {
    case TARGET_TIME:
        sbuf_fmt(&b, "time: '%s', ", stamp_iso(t->stamp, one));
        break;
    case TARGET_XID:
        sbuf_fmt(&b, "xid: '%" PRIu32 "', ", t->xid);
        break;
    case TARGET_LSN:
        sbuf_fmt(&b, "lsn: '%s', ", fmt_lsn(t->lsn, one));
        break;
    case TARGET_NAME:
        sbuf_fmt(&b, "name: '%s', ", t->name);
        break;
    case TARGET_IMMEDIATE:
        sbuf_add(&b, "immediate: True, ");
        break;
    case TARGET_END:
        break;
    }
    if (t->line_word) {
        sbuf_fmt(&b, "timeline: '%" PRIu32 "', ", r->line);
    }
    task_say(r->task, SAY_OUT, "Doing PITR. Recovery target %.*s", (int)b.len - 2, text);
}

static void say_begin(const struct restore_run *r)
{
    task_say(r->task, SAY_OUT, "Starting local restore for server %s using backup %s",
             r->req->server->name, r->backup->id);
    task_say(r->task, SAY_OUT, "Destination directory: %s", r->dest);
    for (size_t i = 0; i < r->checks.n; i++) {
        if (r->checks.check[i].verdict == VERDICT_WARN) {
            task_say(r->task, SAY_WARN, "%s", r->checks.check[i].sentence);
        }
    }
    if (r->resume) {
        task_say(r->task, SAY_OUT,
                 "Going on with an interrupted restore: what is there is "
                 "checked again");
    }
    say_target(r);
    task_say(r->task, SAY_OUT, "Copying the base backup.");
    for (size_t i = 1; i < r->tree.spaces; i++) {
        task_say(r->task, SAY_OUT, "\t%" PRIu32 ", %s, %s", r->tree.space[i].oid,
                 r->tree.space[i].name, r->tree.space[i].to);
    }
}

static void say_findings(const struct restore_run *r, const struct conf_finding *list, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        task_say(r->task, SAY_OUT, "%s line %u: %s = %s", list[i].file, list[i].line,
                 list[i].key, list[i].value);
    }
}

static void say_settings(const struct restore_run *r)
{
    const char *conf = r->req->recovery_conf_filename;
    const struct task *t = r->task;

    if (r->report.changes) {
        task_say(t, SAY_OUT, "%s", "");
        task_say(t, SAY_OUT, "IMPORTANT");
        task_say(t, SAY_OUT, "These settings have been modified to prevent data losses");
        task_say(t, SAY_OUT, "%s", "");
        say_findings(r, r->report.change, r->report.changes);
    }
    if (r->report.warnings) {
        task_say(t, SAY_OUT, "%s", "");
        task_say(t, SAY_OUT, "WARNING");
        task_say(t, SAY_OUT,
                 "You are required to review the following options as potentially "
                 "dangerous");
        task_say(t, SAY_OUT, "%s", "");
        say_findings(r, r->report.warning, r->report.warnings);
    }
    if (r->missing_n) {
        task_say(t, SAY_OUT, "%s", "");
        task_say(t, SAY_OUT, "WARNING");
        task_say(t, SAY_OUT,
                 "The following configuration files have not been saved during backup, hence "
                 "they have not been restored.");
        task_say(t, SAY_OUT,
                 "You need to manually restore them in order to start the restored PostgreSQL "
                 "instance:");
        task_say(t, SAY_OUT, "%s", "");
        for (size_t i = 0; i < r->missing_n; i++) {
            task_say(t, SAY_OUT, "    %s", r->missing[i]);
        }
    }
    if (r->mode == WAL_MODE_GET_WAL) {
        task_say(t, SAY_OUT, "%s", "");
        task_say(t, SAY_OUT, "WARNING: 'get-wal' is in the specified 'recovery_options'.");
        task_say(t, SAY_OUT,
                 "Before you start up the PostgreSQL server, please review the %s file",
                 conf ? conf : "postgresql.auto.conf");
        task_say(t, SAY_OUT,
                 "inside the target directory. Make sure that 'restore_command' can be "
                 "executed by the PostgreSQL user.");
    }
}

static void say_end(const struct restore_run *r, const struct restore_result *out)
{
    char when[STAMP_CAP], took[FMT_CAP];

    task_say(r->task, SAY_OUT, "%s", "");
    task_say(r->task, SAY_OUT, "Restore operation completed (start time: %s, elapsed time: %s)",
             stamp_iso(out->begin, when), fmt_duration(out->took_ns, took));
    task_say(r->task, SAY_OUT,
             "Your PostgreSQL server has been successfully prepared for recovery!");
}

/* --- the verb --- */

static bool write_info(struct restore_run *r, struct err *err)
{
    const struct wal_mark *last = &r->wal.watch.last_commit;
    const char *conf = r->req->recovery_conf_filename;
    char mem[3 * PATH_CAP], when[STAMP_CAP];
    const char *whole;
    struct str text;
    struct sbuf notes; /* comments for Barman; start-copy reads them */

    if (!backup_info_text(r->a, r->backup, &text, err)) {
        return false;
    }
    sbuf_init(&notes, mem, sizeof mem);
    sbuf_fmt(&notes, "# barkeep: backup %s\n# barkeep: conf %s\n", r->backup->id,
             conf ? conf : "postgresql.auto.conf");
    if (last->known) {
        sbuf_fmt(&notes, "# barkeep: until %s\n", stamp_iso((struct stamp){last->us, 0}, when));
    }
    if (r->mode == WAL_MODE_STAGED) {
        sbuf_fmt(&notes, "# barkeep: wal %s\n", r->wal_dest);
    }
    whole = arena_fmt(r->a, "%s%.*s", mem, (int)text.n, text.p);
    return whole ? restore_put(r, ".barman-recover.info", str_of(whole), r->file_mode, err)
                 : arena_err(r->a, err);
}

static bool carry_out(struct restore_run *r, struct err *err)
{
    const struct task *t = r->task;

    if (!lock_take_shared(&r->lock, &r->repo, r->backup->id, err) ||
        !restore_hook_before(r, err)) {
        return false;
    }
    say_begin(r);
    if (!restore_set_aside(r, err)) {
        return false;
    }
    if (!restore_copy_begin(r, err) || !write_info(r, err) || !restore_copy_tree(r, err)) {
        return false;
    }
    if (r->mode != WAL_MODE_GET_WAL) {
        task_say(t, SAY_OUT, "Copying required WAL segments.");
        if (!restore_copy_wal(r, err)) {
            return false;
        }
    }
    if (r->mode == WAL_MODE_INTO_PGDATA) {
        task_say(t, SAY_OUT, "Generating archive status files");
    }
    if (r->mode != WAL_MODE_INTO_PGDATA || r->req->standby_mode) {
        task_say(t, SAY_OUT, "Generating recovery configuration");
    }
    task_say(t, SAY_OUT, "Identify dangerous settings in destination directory.");
    return restore_write_settings(r, err) && restore_copy_end(r, err) &&
           restore_in_place_end(r, err);
}

static void fill_result(const struct restore_run *r, struct restore_result *out)
{
    str_copy(out->backup_id, sizeof out->backup_id, r->backup->id);
    out->change = r->report.change;
    out->changes = r->report.changes;
    out->warning = r->report.warning;
    out->warnings = r->report.warnings;
    out->missing_file = r->missing;
    out->missing_files = r->missing_n;
    out->get_wal = r->mode == WAL_MODE_GET_WAL;
    out->holds = r->checks.refused == 0;
    out->check = r->checks.check;
    out->checks = r->checks.n;
    out->tli = r->line;
    out->bytes = r->tree.bytes + (uint64_t)r->copies * r->seg_size;
    out->segments = r->wal.segments;
    out->version = r->backup->version;
    out->conf = restore_kept_conf(r, "postgresql.conf");
    out->auto_conf = restore_kept_conf(r, "postgresql.auto.conf");
    out->replay_from_us = r->backup->end_time.us;
    out->replay_to_us = r->wal.watch.last_commit.known ? r->wal.watch.last_commit.us : 0;
}

bool engine_restore(const struct task *task, struct arena *a,
                    const struct restore_request *request, struct restore_result *out,
                    struct err *err)
{
    struct restore_run *r = ARENA_NEW(a, struct restore_run);
    int64_t begin = clock_mono_ns();
    bool ok;

    *out = (struct restore_result){.begin = stamp_local(clock_wall_ns() / 1000)};
    if (!r) {
        return arena_err(a, err);
    }
    r->task = task;
    r->lock = LOCK_INIT;
    r->a = a;
    r->req = request;
    ok = restore_gather(r, err);
    if (ok && request->dry_run) {
        if (!request->is_silent) {
            say_plan(r);
        }
    } else if (ok) {
        ok = r->checks.refused ? refuse(r, err) : carry_out(r, err);
    }
    out->took_ns = clock_mono_ns() - begin;
    if (ok) {
        fill_result(r, out);
    }
    if (ok && !request->dry_run) {
        if (!request->report_apart) {
            say_settings(r);
        }
        say_end(r, out);
    }
    if (!request->dry_run) {
        restore_say_way_back(r);
    }
    restore_hook_after(r, ok, err);
    restore_run_release(r);
    return ok || (r->backup && err_wrap(err, "restore '%s'", request->server->name));
}
