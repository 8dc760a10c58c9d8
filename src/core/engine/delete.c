/* SPDX-License-Identifier: PostgreSQL */
#include "delete.h"

#include "base/clock.h"
#include "base/fmt.h"
#include "plan/wal_cleanup.h"

#include <string.h>

/* What minimum_redundancy counts: complete backups that stand on their own. */
static uint64_t count_done(const struct catalogue *c)
{
    uint64_t n = 0;

    for (size_t i = 0; i < c->n; i++) {
        n += c->backup[i].status == BACKUP_DONE &&
             backup_type_of(&c->backup[i]) != BACKUP_INCREMENTAL;
    }
    return n;
}

static bool refuse_if_needed(const struct task *t, const struct delete_backup *what,
                             const struct catalogue *c, const struct backup *b, struct err *err)
{
    uint64_t done = count_done(c);
    enum keep keep;

    if (!keep_read(what->repo, what->id, &keep, err)) {
        return false;
    }
    if (keep != KEEP_NONE) {
        task_say(
            t, SAY_WARN,
            "Skipping delete of backup %s for server %s as it has a current keep request. "
            "If you really want to delete this backup please remove the keep and try again.",
            what->id, what->repo->server);
        return err_set(err, ERR_UNSAFE, "Remove the keep request first.", "",
                       "Cannot delete backup %s of server %s: it is kept", what->id,
                       what->repo->server);
    }
    if (b->status == BACKUP_DONE && backup_type_of(b) != BACKUP_INCREMENTAL &&
        what->minimum_redundancy >= done) {
        task_say(t, SAY_WARN,
                 "Skipping delete of backup %s for server %s due to minimum redundancy "
                 "requirements (minimum redundancy = %llu, current redundancy = %llu)",
                 what->id, what->repo->server, (unsigned long long)what->minimum_redundancy,
                 (unsigned long long)done);
        return err_set(
            err, ERR_UNSAFE, "Take another backup first, or lower minimum_redundancy.", "",
            "Cannot delete backup %s of server %s: minimum redundancy is %llu", what->id,
            what->repo->server, (unsigned long long)what->minimum_redundancy);
    }
    if (b->snapshots_info) {
        return err_set(err, ERR_UNSAFE, "Delete it with Barman.", "",
                       "Cannot delete backup %s of server %s: its data are cloud snapshots",
                       what->id, what->repo->server);
    }
    return true;
}

static bool find(const struct delete_backup *what, struct arena *a, struct catalogue *c,
                 const struct backup **out, struct err *err)
{
    if (!catalogue_load(what->repo, a, c, err)) {
        return false;
    }
    *out = catalogue_find(c, what->id);
    return *out ? true
                : err_set(err, ERR_MISSING, "List the backups to see which there are.", "",
                          "Unknown backup '%s' for server '%s'", what->id, what->repo->server);
}

bool delete_allowed(const struct task *t, const struct delete_backup *what, struct err *err)
{
    const struct backup *b;
    struct catalogue c;
    struct arena a;
    bool ok;

    arena_init(&a, 0);
    ok = find(what, &a, &c, &b, err) && refuse_if_needed(t, what, &c, b, err);
    arena_release(&a);
    return ok;
}

struct pruning {
    const struct task *t;
    const struct wal_cleanup *plan;
    enum say talk;
};

static enum xlogdb_fate fate(void *ctx, const struct wal_file *wal)
{
    const struct pruning *p = ctx;

    return wal_cleanup_removes(p->plan, wal->name) ? XLOGDB_DROP : XLOGDB_KEEP;
}

static void dropped(void *ctx, const char *name)
{
    const struct pruning *p = ctx;

    task_say(p->t, p->talk, "\t%s", name);
}

static void bad(void *ctx, struct str line)
{
    const struct pruning *p = ctx;

    task_say(p->t, SAY_ERROR, "dropped from the WAL catalogue, it cannot be a WAL file: '%.*s'",
             line.n < 80 ? (int)line.n : 80, line.p);
}

static bool prune(const struct task *t, const struct repo *r, const struct wal_cleanup *plan,
                  enum say talk, struct err *err)
{
    struct pruning p = {.t = t, .plan = plan, .talk = talk};
    struct xlogdb_prune how = {.ctx = &p, .fate = fate, .dropped = dropped, .bad = bad};

    return xlogdb_prune(r, &how, err);
}

/* Tablespaces lie beside the data, or in it in the oldest layout: the data goes last. */
static bool remove_data(const struct repo *r, const struct backup *b, struct err *err)
{
    char path[PATH_CAP];

    for (size_t i = 0; i < b->tablespaces; i++) {
        if (!repo_tablespace_dir(r, b->id, b->tablespace[i].oid, path, err) ||
            !tree_remove(path, err)) {
            return false;
        }
    }
    return repo_data_dir(r, b->id, path, err) && tree_remove(path, err);
}

/* meta/<id>-backup.info is the last thing that goes, so that an interrupted delete is still
 * seen and can be repeated. Where the facts lie in base/<id>, they are noted in meta/ first. */
static bool remove_rest(const struct repo *r, const struct backup *b, struct err *err)
{
    char dir[PATH_CAP], info[PATH_CAP];

    if (!repo_backup_dir(r, b->id, dir, err) || !repo_info_path(r, b->id, info, err)) {
        return false;
    }
    if (file_kind(info, NULL) == FILE_NONE && !backup_info_save(r, b, err)) {
        return false;
    }
    return tree_remove(dir, err) && delete_mark_clear(r, b->id, err) && file_remove(info, err);
}

static bool delete_locked(const struct task *t, const struct delete_backup *what,
                          const struct catalogue *c, const struct backup *b, struct err *err)
{
    struct stamp began = stamp_local(clock_wall_ns() / 1000);
    int64_t from = clock_mono_ns();
    char ctime_text[STAMP_CAP], took[FMT_CAP];
    struct wal_cleanup plan;
    struct arena a;
    bool ok;

    task_say(t, SAY_OUT, "Deleting backup %s for server %s", b->id, what->repo->server);
    arena_init(&a, 0);
    ok = wal_cleanup_delete(&a, c->backup, c->n, b->id, &plan, err) &&
         delete_mark_set(what->repo, b->id, err) && remove_data(what->repo, b, err);
    if (ok && plan.applies) {
        task_say(t, SAY_OUT, "Delete associated WAL segments:");
        ok = prune(t, what->repo, &plan, SAY_OUT, err);
    }
    arena_release(&a);
    if (!ok || !remove_rest(what->repo, b, err)) {
        return err_wrap(err, "delete backup %s of server %s", b->id, what->repo->server);
    }
    task_say(t, SAY_OUT, "Deleted backup %s (start time: %s, elapsed time: %s)", b->id,
             stamp_ctime(began, ctime_text), fmt_duration(clock_mono_ns() - from, took));
    return true;
}

/* A lock could not be taken. */
static bool busy(const struct delete_backup *what, const char *lock, struct err *err)
{
    if (err->code != ERR_BUSY) {
        return err_wrap(err, "delete backup %s of server %s", what->id, what->repo->server);
    }
    if (strcmp(lock, LOCK_BACKUP) == 0) {
        return err_set(
            err, ERR_BUSY, "Wait until it has ended.", "",
            "Another process is running on server %s. Impossible to delete the backup.",
            what->repo->server);
    }
    return err_set(err, ERR_BUSY, "Wait until it has ended.", "",
                   "Another process is holding the lock for backup %s of server %s.", what->id,
                   what->repo->server);
}

/* With the lock of the server held. */
static bool delete_one(const struct task *t, const struct delete_backup *what, struct err *err)
{
    const struct backup *b;
    struct catalogue c;
    struct lock lock;
    struct arena a;
    bool ok;

    if (!lock_take(&lock, what->repo, what->id, LOCK_TRY, err)) {
        return busy(what, what->id, err);
    }
    arena_init(&a, 0);
    /* Looked at under the locks: what was true before may not be any more. */
    ok = find(what, &a, &c, &b, err) && refuse_if_needed(t, what, &c, b, err) &&
         delete_locked(t, what, &c, b, err);
    arena_release(&a);
    if (ok) {
        lock_release_remove(&lock);
    } else {
        lock_release(&lock);
    }
    return ok;
}

/* Strike the id of a deleted incremental backup from its parent's list. */
static bool forget_child(const struct repo *r, const char *parent, const char *child,
                         struct err *err)
{
    struct backup b = {.id = ""};
    struct err why = {0};
    struct str rest, id;
    struct sbuf left;
    struct arena a;
    char *mem;
    bool ok;

    arena_init(&a, 0);
    if (!backup_info_load(r, &a, parent, &b, &why)) {
        arena_release(&a);
        if (why.code != ERR_MISSING) {
            *err = why;
        }
        return why.code == ERR_MISSING;
    }
    rest = str_of(b.children_backup_ids);
    mem = arena_alloc(&a, rest.n + 1);
    ok = mem ? true : arena_err(&a, err);
    if (ok) {
        sbuf_init(&left, mem, rest.n + 1);
        while (str_split(&rest, ',', &id)) {
            if (!str_eq(str_trim(id), child)) {
                sbuf_add(&left, left.len ? "," : "");
                sbuf_add_n(&left, id.p, id.n);
            }
        }
        b.children_backup_ids = left.len ? mem : NULL;
        ok = backup_info_save(r, &b, err);
    }
    arena_release(&a);
    return ok;
}

/* A child of that backup that still exists, and the backup's own parent; "" for none. */
static bool kin(const struct repo *r, const char *id, char child[BACKUP_ID_CAP],
                char parent[BACKUP_ID_CAP], struct err *err)
{
    struct catalogue c;
    struct arena a;
    bool ok;

    child[0] = parent[0] = '\0';
    arena_init(&a, 0);
    ok = catalogue_load(r, &a, &c, err);
    for (size_t i = 0; ok && i < c.n; i++) {
        const struct backup *b = &c.backup[i];

        /* Only a later one can be a child: a file that says otherwise must not lead in a
         * circle. */
        if (b->parent_backup_id && strcmp(b->parent_backup_id, id) == 0 &&
            strcmp(b->id, id) > 0) {
            str_copy(child, BACKUP_ID_CAP, b->id);
        }
        if (strcmp(b->id, id) == 0 && b->parent_backup_id) {
            str_copy(parent, BACKUP_ID_CAP, b->parent_backup_id);
        }
    }
    arena_release(&a);
    return ok;
}

/* Incremental backups cannot be restored without what they build on, so the whole tree goes,
 * leaves first: always the latest that still has an ancestor in `what`. */
static bool delete_tree(const struct task *t, const struct delete_backup *what, struct err *err)
{
    char id[BACKUP_ID_CAP], child[BACKUP_ID_CAP], parent[BACKUP_ID_CAP];

    for (;;) {
        struct delete_backup one = *what;

        str_copy(id, sizeof id, what->id);
        if (!kin(what->repo, id, child, parent, err)) {
            return false;
        }
        while (child[0]) {
            str_copy(id, sizeof id, child);
            if (!kin(what->repo, id, child, parent, err)) {
                return false;
            }
        }
        one.id = id;
        if (!delete_one(t, &one, err) ||
            (backup_id_ok(parent) && !forget_child(what->repo, parent, id, err))) {
            return false;
        }
        if (strcmp(id, what->id) == 0) {
            return true;
        }
    }
}

bool delete_backup(const struct task *t, const struct delete_backup *what, struct err *err)
{
    char child[BACKUP_ID_CAP], parent[BACKUP_ID_CAP];
    struct lock lock;
    bool ok;

    if (!backup_id_ok(what->id)) {
        return err_set(err, ERR_FORMAT, "", what->id, "not a backup id");
    }
    if (!lock_take(&lock, what->repo, LOCK_BACKUP, LOCK_TRY, err)) {
        return busy(what, LOCK_BACKUP, err);
    }
    ok = delete_allowed(t, what, err) && kin(what->repo, what->id, child, parent, err);
    if (ok && child[0]) {
        task_say(t, SAY_WARN,
                 "Backup %s has incremental backups which depend on it. "
                 "Deleting all backups in the tree",
                 what->id);
    }
    ok = ok && delete_tree(t, what, err);
    lock_release(&lock);
    return ok;
}

bool wal_purge_before(const struct task *t, const struct repo *r, const char *first_id,
                      struct err *err)
{
    const struct backup *first;
    struct wal_cleanup plan;
    struct catalogue c;
    struct arena a;
    bool ok;

    arena_init(&a, 0);
    ok = catalogue_load(r, &a, &c, err);
    first = ok ? catalogue_find(&c, first_id) : NULL;
    if (first) {
        ok = wal_cleanup_first(&a, c.backup, c.n, first, &plan, err) &&
             (!plan.applies || !plan.until[0] || prune(t, r, &plan, SAY_LOG, err));
    }
    arena_release(&a);
    return ok;
}
