/* SPDX-License-Identifier: PostgreSQL */
/* restore_gather.c - all that a restore's plan rests on, without writing anything. */
#include "base/clock.h"
#include "cfg/config.h"
#include "engine/moment.h"
#include "engine/repo_of.h"
#include "engine/restore_run.h"

#include <string.h>

static bool check_request(const struct restore_request *q, struct err *err)
{
    const char *conf = q->recovery_conf_filename;

    if (conf &&
        (conf[0] == '\0' || conf[0] == '/' || strstr(conf, "..") || strpbrk(conf, "\n\r"))) {
        return err_set(err, ERR_FORMAT, "Give a name relative to PGDATA.", conf,
                       "not a file inside PGDATA");
    }
    if (q->staging_wal_directory && q->staging_wal_directory[0] != '/') {
        return err_set(err, ERR_FORMAT, "Write it from the root on.", q->staging_wal_directory,
                       "the staging directory is an absolute path");
    }
    return true;
}

enum wal_mode restore_mode_of(const struct server_cfg *srv, enum choice get_wal,
                              const struct target *target)
{
    if (get_wal == CHOICE_YES ||
        (get_wal == CHOICE_CONFIG && cfg_csv_has(srv->recovery_options, "get-wal"))) {
        return WAL_MODE_GET_WAL;
    }
    return target_is_pitr(target) ? WAL_MODE_STAGED : WAL_MODE_INTO_PGDATA;
}

/* The highest timeline that anything kept speaks of, for `auto --target-tli latest`. */
static bool highest_line(const struct restore_run *r, const struct catalogue *c, pg_tli *out,
                         struct err *err)
{
    struct names names;
    pg_tli tli;

    *out = 0;
    if (!dir_names(r->a, r->repo.wals_dir, DIR_MAY_MISS, &names, err)) {
        return false;
    }
    for (size_t i = 0; i < names.n; i++) {
        if (wal_name_tli(str_of(names.name[i]), &tli) && tli > *out) {
            *out = tli;
        }
    }
    for (size_t i = 0; i < c->n; i++) {
        *out = c->backup[i].timeline > *out ? c->backup[i].timeline : *out;
    }
    return true;
}

/* Nothing but the WAL tells which backup an xid or a restore point needs. */
static bool is_searched_for(const struct restore_run *r)
{
    return r->target.kind == TARGET_XID || r->target.kind == TARGET_NAME;
}

/* Can a cluster be made of it? The judge says why not. */
bool restore_is_whole(const struct backup *b)
{
    return backup_copy_done(b) && !b->parent_backup_id &&
           backup_type_of(b) != BACKUP_SNAPSHOT && b->begin_xlog && b->end_xlog && b->timeline;
}

static const char *full_before(const struct catalogue *c, const struct backup *than)
{
    const char *id = NULL;

    for (size_t i = 0; i < c->n && strcmp(c->backup[i].id, than->id) < 0; i++) {
        id = restore_is_whole(&c->backup[i]) ? c->backup[i].id : id;
    }
    return id;
}

static bool choose(struct restore_run *r, struct err *err)
{
    const struct restore_request *q = r->req;
    const char *id = q->backup_id;
    struct catalogue c;
    struct restore_choice choice;
    pg_tli latest;

    if (!catalogue_look(&r->repo, r->a, &c, err)) {
        return false;
    }
    say_unread(r->task, &c);
    if (strcmp(id, "auto") != 0) {
        r->choice = "as asked for";
        if (!catalogue_resolve(&c, q->server->name, id, &r->backup, err)) {
            return false;
        }
        r->full = full_before(&c, r->backup);
        return true;
    }
    if (is_searched_for(r)) {
        r->choice = "the newest full one that ends before the target";
        if (!moment_backup(r->task, q->config, q->server, &r->target, r->a, &id, err)) {
            return false;
        }
        r->backup = catalogue_find(&c, id);
        return r->backup || err_set(err, ERR_MISSING, "Try again.", id, "it has just gone");
    }
    if (!highest_line(r, &c, &latest, err) ||
        !restore_choose(c.backup, c.n, &r->target, latest, &choice, err)) {
        return false;
    }
    r->backup = choice.backup;
    r->choice = choice.why;
    return true;
}

/* Damage the server told of makes a backup FAILED, though all of it is there. */
bool restore_may_use(const struct restore_run *r)
{
    struct backup accepted = *r->backup;

    if (accepted.status == BACKUP_FAILED && r->corrupt.files && r->req->accept_corruption) {
        accepted.status = BACKUP_DONE;
    }
    return restore_is_whole(&accepted);
}

static bool survey(struct restore_run *r, struct err *err)
{
    char path[PATH_CAP], text[1600];
    struct err why = {0};

    if (!kept_tree_open(r->a, &r->repo, r->backup, &r->tree, err)) {
        return false;
    }
    if (!kept_tree_survey(&r->tree, r->a, NULL, &why)) {
        r->tree.fault = arena_strdup(r->a, err_text(&why, text, sizeof text));
        return r->tree.fault || arena_err(r->a, err);
    }
    if (!path_join(path, r->tree.space[0].from, "backup_label", err)) {
        return false;
    }
    if (!r->tree.fault && !r->tree.archives && !r->backup->backup_label &&
        file_kind(path, NULL) == FILE_NONE) {
        r->tree.fault = "it has no backup_label";
    }
    return true;
}

static bool look_at_wal(struct restore_run *r, struct err *err)
{
    struct timeline_base base = {r->backup->timeline, r->backup->begin_xlog,
                                 r->backup->end_xlog};
    struct history_spare *spare = ARENA_NEW(r->a, struct history_spare);

    r->seg_size = r->backup->xlog_segment_size;
    if (!wal_seg_size_ok(r->seg_size)) {
        return err_set(err, ERR_FORMAT, "", r->backup->id, "impossible WAL segment size %u",
                       r->seg_size);
    }
    if (!spare) {
        return arena_err(r->a, err);
    }
    if (!restore_load_lines(r, err)) {
        return false;
    }
    if (!restore_line(r->a, &r->kept.lines, &base, &r->target, r->mode, &r->checks, &r->line)) {
        return true; /* among the checks */
    }
    r->route = timeline_history(&r->kept.lines, r->line, spare);
    if (!r->route) {
        return err_set(err, ERR_MISSING, "", r->backup->id, "no history of its timeline");
    }
    return restore_walk(r, err) && (r->mode == WAL_MODE_GET_WAL || restore_list_wal(r, err));
}

bool restore_gather(struct restore_run *r, struct err *err)
{
    struct restore_facts facts = {.target = &r->target};
    const struct config *config = r->req->config;

    if (!check_request(r->req, err) ||
        !target_read(&r->req->target, clock_local_readings, &r->target, err) ||
        !repo_of(r->a, r->req->server, config->barman_home, config->barman_lock_directory,
                 &r->repo, err)) {
        return false;
    }
    r->mode = restore_mode_of(r->req->server, r->req->get_wal, &r->target);
    if (!choose(r, err)) {
        return false;
    }
    if (r->backup->status == BACKUP_FAILED &&
        !corrupt_read(&r->repo, r->a, r->backup->id, &r->corrupt, err)) {
        return false;
    }
    if (restore_may_use(r) &&
        (!survey(r, err) || !look_at_wal(r, err) || !restore_look_at_places(r, err))) {
        return false;
    }
    facts.backup = r->backup;
    facts.choice = r->choice;
    facts.full = r->full;
    facts.corrupt_files = r->corrupt.files;
    facts.corrupt_first = r->corrupt.first;
    facts.accepts_corruption = r->req->accept_corruption;
    facts.tree_fault = r->tree.fault;
    facts.no_manifest = r->tree.spaces && !r->tree.manifest && !r->tree.fault;
    facts.line = r->line;
    facts.wal = &r->wal;
    facts.place = r->place;
    facts.places = r->places;
    facts.made = r->made;
    facts.mades = r->mades;
    facts.volume = r->volume;
    facts.volumes = r->volumes;
    facts.is_followed = r->req->standby_mode && r->mode == WAL_MODE_GET_WAL;
    facts.root_without_owner = r->root_without_owner;
    (void)restore_judge(r->a, &facts, &r->checks);
    /* A fact or a check that did not fit must not be one that was never there. */
    return !r->a->failed || arena_err(r->a, err);
}

void restore_run_release(struct restore_run *r)
{
    tree_feed_free(r->feed);
    restore_late_free(r);
    kept_tree_release(&r->tree);
    sync_release(&r->sync);
    lock_release(&r->lock);
}
