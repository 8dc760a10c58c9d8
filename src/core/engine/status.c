/* SPDX-License-Identifier: PostgreSQL */
#include "engine/status.h"

#include "base/bug.h"
#include "base/clock.h"
#include "base/fmt.h"
#include "engine/retention_of.h"
#include "pg/facts.h"
#include "repo/catalogue.h"

#include <inttypes.h>
#include <string.h>

struct making {
    const struct task *t;
    const struct server_cfg *srv;
    struct arena *a;
    struct status *out;
};

static void row(struct making *m, const char *key, const char *label, const char *value)
{
    BUG_IF(m->out->n == STATUS_ROWS_MAX);
    m->out->row[m->out->n++] = (struct status_row){key, label, value ? value : "None"};
}

static const char *truth(bool is)
{
    return is ? "True" : "False";
}

/* ---- the server --------------------------------------------------------------------- */

static const char *ctime_of(struct making *m, const char *before, int64_t us)
{
    char text[STAMP_CAP];

    return arena_fmt(m->a, "%s%s", before, stamp_ctime(stamp_local(us), text));
}

static void archiver_rows(struct making *m, const struct pg_facts *f)
{
    const char *last = f->archiver.last_archived_wal, *failed;

    row(m, "archive_command", "PostgreSQL 'archive_command' setting",
        f->archive_command && f->archive_command[0]
            ? f->archive_command
            : "FAILED (please set it accordingly to documentation)");
    if (last && f->archiver.last_archived_us) {
        last = ctime_of(m, arena_fmt(m->a, "%s, at ", last), f->archiver.last_archived_us);
    }
    row(m, "last_archived_wal", "Last archived WAL",
        last ? last : "No WAL segment shipped yet");
    failed = arena_fmt(m->a, "%" PRIu64, f->archiver.failed_count);
    if (f->archiver.failed_count > 0 && f->archiver.last_failed_wal) {
        failed = ctime_of(m, arena_fmt(m->a, "%s (%s at ", failed, f->archiver.last_failed_wal),
                          f->archiver.last_failed_us);
        failed = arena_fmt(m->a, "%s)", failed);
    }
    row(m, "failed_count", "Failures of WAL archiver", failed);
    row(m, "server_archived_wals_per_hour", "Server WAL archiving rate",
        arena_fmt(m->a, "%.2f/hour", 3600 * f->archiver.per_second));
}

static void server_rows(struct making *m, struct pg *pg, const struct pg_facts *f)
{
    char text[FMT_CAP];
    struct err ignored;
    uint64_t bytes;

    row(m, "pg_version", "PostgreSQL version", f->version_text);
    row(m, "is_in_recovery", "Cluster state",
        f->in_recovery ? "in archive recovery" : "in production");
    if (pg_size_read(pg, m->t, &bytes, &ignored)) {
        row(m, "current_size", "Current data size",
            arena_strdup(m->a, fmt_size((int64_t)bytes, text)));
    }
    if (f->data_directory) {
        row(m, "data_directory", "PostgreSQL Data directory", f->data_directory);
    }
    if (f->wal_name[0]) {
        row(m, "current_xlog", "Current WAL segment", arena_strdup(m->a, f->wal_name));
    }
    if (m->srv->archiver) {
        archiver_rows(m, f);
    }
}

static void ask_server(struct making *m)
{
    const struct pg_target target = {.conninfo = m->srv->conninfo,
                                     .application_name = "barkeep"};
    struct pg_facts facts;
    struct err why;
    struct pg *pg;

    pg = target.conninfo ? pg_open(m->t, &target, &why) : NULL;
    if (pg && pg_facts_read(pg, m->t, m->a, &facts, &why)) {
        server_rows(m, pg, &facts);
    } else {
        row(m, "pg_version", "PostgreSQL version", "FAILED trying to get PostgreSQL version");
    }
    pg_close(pg);
}

/* ---- what is kept ------------------------------------------------------------------- */

static bool repository_rows(struct making *m, const struct repo *r, struct err *err)
{
    const char *first = NULL, *last = NULL;
    uint64_t done = 0, full = 0, want = (uint64_t)m->srv->minimum_redundancy;
    struct catalogue c;

    if (!catalogue_look(r, m->a, &c, err)) {
        return false;
    }
    for (size_t i = 0; i < c.n; i++) {
        const struct backup *b = &c.backup[i];
        if (b->status == BACKUP_DONE || b->status == BACKUP_WAITING_FOR_WALS) {
            first = first ? first : b->id;
            last = b->id;
        }
        done += b->status == BACKUP_DONE;
        full += b->status == BACKUP_DONE && !b->parent_backup_id && !backup_is_orphan(r, b);
    }
    row(m, "passive_node", "Passive node", truth(server_cfg_passive(m->srv)));
    row(m, "retention_policies", "Retention policies", retention_status(m->srv, m->a));
    row(m, "backups_number", "No. of available backups", arena_fmt(m->a, "%" PRIu64, done));
    row(m, "first_backup", "First available backup", first);
    row(m, "last_backup", "Last available backup", last);
    row(m, "minimum_redundancy", "Minimum redundancy requirements",
        arena_fmt(m->a, "%s (%" PRIu64 "/%" PRIu64 ")", full >= want ? "satisfied" : "FAILED",
                  full, want));
    return true;
}

bool status_read(const struct task *t, const struct repo *r, const struct server_cfg *srv,
                 struct arena *a, struct status *out, struct err *err)
{
    struct making m = {.t = t, .srv = srv, .a = a, .out = out};

    out->n = 0;
    if (srv->description) {
        row(&m, "description", "Description", srv->description);
    }
    row(&m, "active", "Active", truth(srv->active));
    row(&m, "disabled", "Disabled", truth(srv->disabled));
    row(&m, "active_model", "Active configuration model", srv->active_model);
    if (!server_cfg_passive(srv)) {
        ask_server(&m);
    }
    if (!task_go_on(t, err) || !repository_rows(&m, r, err)) {
        return false;
    }
    if (server_cfg_passive(srv)) {
        row(&m, "primary_ssh_command", "SSH command to primary server",
            srv->primary_ssh_command);
    }
    return !a->failed || arena_err(a, err);
}
