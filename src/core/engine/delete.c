/* SPDX-License-Identifier: PostgreSQL */
#include "delete.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/fmt.h"
#include "engine/delete_plan.h"
#include "hook.h"
#include "repo/tree.h"

#include <string.h>

/* What minimum_redundancy counts: complete backups that stand on their own. One whose delete was
 * interrupted is none any more, nor one that has lost its files. */
static bool is_good(const struct repo *r, const struct backup *b)
{
    return backup_counts(b) && !delete_mark_is_set(r, b->id) && !backup_is_orphan(r, b);
}

static uint64_t count_good(const struct repo *r, const struct catalogue *c)
{
    uint64_t n = 0;

    for (size_t i = 0; i < c->n; i++) {
        n += is_good(r, &c->backup[i]);
    }
    return n;
}

/* What is there, and what is kept of it. */
struct sight {
    struct catalogue all;
    struct retention_state state;
    const struct backup *backup;
    struct arena a;
};

/* Releases itself when it fails. */
static bool look(struct sight *s, const struct delete_backup *what, struct err *err)
{
    static const struct server_cfg no_policy;
    const struct server_cfg *srv = what->srv ? what->srv : &no_policy;
    bool ok;

    arena_init(&s->a, 0);
    ok = catalogue_load(what->repo, &s->a, &s->all, err);
    s->backup = ok ? catalogue_find(&s->all, what->id) : NULL;
    if (ok && !s->backup) {
        ok = err_set(err, ERR_MISSING, "List the backups to see which there are.", "",
                     "Unknown backup '%s' for server '%s'", what->id, what->repo->server);
    }
    ok = ok && retention_of(what->repo, srv, &s->all, &s->a, &s->state, err);
    if (!ok) {
        arena_release(&s->a);
    }
    return ok;
}

/* What a link leads to is somebody else's, or on another disk. */
static bool is_own_dir(const struct repo *r, const char *id, struct err *err)
{
    char dir[PATH_CAP];

    if (!repo_backup_dir(r, id, dir, err)) {
        return false;
    }
    if (file_kind(dir, NULL) == FILE_LINK) {
        return err_set(err, ERR_UNSAFE,
                       "Move the backup back in place of the link, or remove it.", dir,
                       "is a link, so what it leads to is not deleted");
    }
    return true;
}

bool delete_dirs_ok(const struct repo *r, struct arena *a, const struct catalogue *all,
                    size_t i, struct err *err)
{
    size_t *order = ARENA_ARRAY(a, all->n + 1, size_t), n;
    bool ok = true;

    if (!order) {
        return arena_err(a, err);
    }
    n = delete_order(all, i, order);
    for (size_t k = 0; ok && k < n; k++) {
        ok = is_own_dir(r, all->backup[order[k]].id, err);
    }
    return ok;
}

static bool refuse_if_needed(const struct task *t, const struct delete_backup *what,
                             struct sight *s, struct err *err)
{
    const struct backup *b = s->backup;
    uint64_t good = count_good(what->repo, &s->all);

    if (s->state.keep[b - s->all.backup] != KEEP_NONE) {
        task_say(
            t, SAY_WARN,
            "Skipping delete of backup %s for server %s as it has a current keep request. "
            "If you really want to delete this backup please remove the keep and try again.",
            what->id, what->repo->server);
        return err_set(err, ERR_UNSAFE, "Remove the keep request first.", "",
                       "Cannot delete backup %s of server %s: it is kept", what->id,
                       what->repo->server);
    }
    if (what->minimum_redundancy >= good && is_good(what->repo, b)) {
        task_say(t, SAY_WARN,
                 "Skipping delete of backup %s for server %s due to minimum redundancy "
                 "requirements (minimum redundancy = %llu, current redundancy = %llu)",
                 what->id, what->repo->server, (unsigned long long)what->minimum_redundancy,
                 (unsigned long long)good);
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
    return delete_dirs_ok(what->repo, &s->a, &s->all, (size_t)(b - s->all.backup), err);
}

bool delete_allowed(const struct task *t, const struct delete_backup *what, struct err *err)
{
    struct sight s;
    bool ok;

    if (!look(&s, what, err)) {
        return false;
    }
    ok = refuse_if_needed(t, what, &s, err);
    arena_release(&s.a);
    return ok;
}

bool delete_dry_run(const struct task *t, const struct delete_backup *what, struct err *err)
{
    struct delete_plan plan;
    struct sight s;
    bool ok;

    if (!look(&s, what, err)) {
        return false;
    }
    ok = refuse_if_needed(t, what, &s, err) &&
         delete_plan_begin(&plan, what->repo, &s.a, &s.all, &s.state, err) &&
         delete_plan_backup(&plan, (size_t)(s.backup - s.all.backup), what->by,
                            "the backup that was named", err) &&
         delete_plan_say(&plan, t, err);
    arena_release(&s.a);
    return ok;
}

struct pruning {
    const struct task *t;
    const struct wal_cleanup *plan;
    const struct repo *r;
    const char *head;   /* a line before the first, NULL: none */
    const char *server; /* NULL: only the names are said */
    struct hook hook;
    struct arena arena; /* of the hook, for one file */
    bool hooked;        /* its scripts before were run */
};

static enum xlogdb_fate fate(void *ctx, const struct wal_file *wal)
{
    const struct pruning *p = ctx;

    return wal_cleanup_removes(p->plan, wal->name) ? XLOGDB_DROP : XLOGDB_KEEP;
}

static bool before(void *ctx, const struct wal_file *wal, struct err *err)
{
    struct pruning *p = ctx;
    char path[PATH_CAP];

    arena_release(&p->arena);
    arena_init(&p->arena, 0);
    if (!repo_wal_path(p->r, wal->name, path, err) ||
        !hook_env_wal(&p->hook, &p->arena, wal, path, err)) {
        return false;
    }
    p->hooked = hook_before(&p->hook, err);
    return p->hooked;
}

static void dropped(void *ctx, const char *name)
{
    struct pruning *p = ctx;

    if (p->head) {
        task_say(p->t, SAY_OUT, "%s", p->head);
        p->head = NULL;
    }
    if (p->server) {
        task_say(p->t, SAY_OUT, "\t%s from server %s has been removed", name, p->server);
    } else {
        task_say(p->t, SAY_OUT, "\t%s", name);
    }
    if (p->hooked) {
        p->hooked = false;
        hook_after(&p->hook, NULL);
    }
}

static void bad(void *ctx, struct str line)
{
    const struct pruning *p = ctx;

    task_say(p->t, SAY_ERROR, "dropped from the WAL catalogue, it cannot be a WAL file: '%.*s'",
             line.n < 80 ? (int)line.n : 80, line.p);
}

/* srv: whose scripts are run; NULL: none. */
static bool prune(struct pruning *p, const struct server_cfg *srv, struct err *err)
{
    struct xlogdb_prune how = {.ctx = p, .fate = fate, .dropped = dropped, .bad = bad};
    bool ok;

    hook_init(&p->hook, p->t, srv, HOOK_WAL_DELETE);
    arena_init(&p->arena, 0);
    how.before = hook_any(srv, HOOK_WAL_DELETE) ? before : NULL;
    ok = xlogdb_prune(p->r, &how, err);
    if (p->hooked) { /* it could not be removed */
        hook_after_err(&p->hook, ok, err);
    }
    arena_release(&p->arena);
    return ok;
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

static bool delete_files(const struct task *t, const struct delete_backup *what,
                         const struct wal_cleanup *plan, const struct backup *b,
                         struct err *err)
{
    struct pruning p = {.t = t, .plan = plan, .r = what->repo};

    if (!delete_mark_set(what->repo, b->id, err) || !remove_data(what->repo, b, err)) {
        return false;
    }
    if (plan->applies) {
        task_say(t, SAY_OUT, "Delete associated WAL segments:");
        if (!prune(&p, what->srv, err)) {
            return false;
        }
    }
    return backup_forget(what->repo, b, err);
}

static bool delete_locked(const struct task *t, const struct delete_backup *what,
                          struct sight *s, struct err *err)
{
    struct wal_cleanup_ask ask = retention_cleanup_ask(&s->all, &s->state);
    const struct backup *b = s->backup;
    struct stamp began = stamp_local(clock_wall_ns() / 1000);
    int64_t from = clock_mono_ns();
    char ctime_text[STAMP_CAP], took[FMT_CAP];
    struct wal_cleanup plan;
    struct hook hook;
    bool ok;

    if (what->by == WAL_DELETE_BY_RETENTION) {
        task_say(t, SAY_OUT, "Enforcing retention policy: removing backup %s for server %s",
                 b->id, what->repo->server);
    }
    task_say(t, SAY_OUT, "Deleting backup %s for server %s", b->id, what->repo->server);
    hook_init(&hook, t, what->srv, HOOK_DELETE);
    ok = wal_cleanup_delete(&s->a, &ask, b->id, what->by, &plan, err) &&
         hook_env_backup(&hook, &s->a, what->repo, b, err) && hook_before(&hook, err);
    if (ok) {
        ok = delete_files(t, what, &plan, b, err);
        hook_after_err(&hook, ok, err);
    }
    if (!ok) {
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
    struct lock lock;
    struct sight s;
    bool ok;

    if (!lock_take(&lock, what->repo, what->id, LOCK_TRY, err)) {
        return busy(what, what->id, err);
    }
    /* Looked at under the locks: what was true before may not be any more. */
    ok = look(&s, what, err);
    if (ok) {
        ok = refuse_if_needed(t, what, &s, err) && delete_locked(t, what, &s, err);
        arena_release(&s.a);
    }
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

/* Bytes in all files, and in those that no other backup shares. */
static bool count_bytes(const struct repo *r, struct backup *b, struct err *err)
{
    struct tree tree = {.depth = 0};
    struct tree_entry e;
    char dir[PATH_CAP];
    bool ok = repo_backup_dir(r, b->id, dir, err) && tree_open(&tree, dir, err);

    b->size = b->deduplicated_size = 0;
    while (ok && (ok = tree_next(&tree, &e, err)) && e.kind != TREE_END) {
        if (e.kind == TREE_FILE) {
            b->size += (uint64_t)e.st.st_size;
            b->deduplicated_size += e.st.st_nlink == 1 ? (uint64_t)e.st.st_size : 0;
        }
    }
    tree_close(&tree);
    return ok;
}

/* A backup taken by rsync may share files with the one before it by hard links (reuse_backup):
 * what was shared with a deleted one is its own now. */
static void count_next(const struct task *t, const struct repo *r, const struct catalogue *all,
                       size_t deleted)
{
    struct err why = {0};
    struct backup b = {.id = ""};
    struct arena a;
    char text[1024];
    size_t next = deleted + 1;

    while (next < all->n && !backup_copy_done(&all->backup[next])) {
        next++;
    }
    if (next == all->n || backup_type_of(&all->backup[next]) != BACKUP_RSYNC) {
        return;
    }
    arena_init(&a, 0);
    if (!backup_info_load(r, &a, all->backup[next].id, &b, &why) || !count_bytes(r, &b, &why) ||
        !backup_info_save(r, &b, &why)) {
        task_say(t, SAY_WARN, "the size of backup %s is not counted again: %s",
                 all->backup[next].id, err_text(&why, text, sizeof text));
    }
    arena_release(&a);
}

/* Incremental backups cannot be restored without what they build on, so the whole tree goes,
 * leaves first. */
static bool delete_tree(const struct task *t, const struct delete_backup *what,
                        const struct sight *s, const size_t *order, size_t n, struct err *err)
{
    for (size_t i = 0; i < n; i++) {
        const struct backup *b = &s->all.backup[order[i]];
        struct delete_backup one = *what;

        one.id = b->id;
        if (!delete_one(t, &one, err) ||
            (b->parent_backup_id && backup_id_ok(b->parent_backup_id) &&
             !forget_child(what->repo, b->parent_backup_id, b->id, err))) {
            return false;
        }
        count_next(t, what->repo, &s->all, order[i]);
    }
    return true;
}

/* With the lock of the server held, so that no backup comes in between. */
static bool delete_all(const struct task *t, const struct delete_backup *what, struct err *err)
{
    struct sight s;
    size_t *order;
    bool ok;

    if (!look(&s, what, err)) {
        return false;
    }
    order = ARENA_ARRAY(&s.a, s.all.n + 1, size_t);
    ok = order ? refuse_if_needed(t, what, &s, err) : arena_err(&s.a, err);
    if (ok) {
        size_t n = delete_order(&s.all, (size_t)(s.backup - s.all.backup), order);

        if (n > 1) {
            task_say(t, what->by == WAL_DELETE_BY_HAND ? SAY_WARN : SAY_LOG,
                     "Backup %s has incremental backups which depend on it. "
                     "Deleting all backups in the tree",
                     what->id);
        }
        ok = delete_tree(t, what, &s, order, n, err);
    }
    arena_release(&s.a);
    return ok;
}

bool delete_backup(const struct task *t, const struct delete_backup *what, struct err *err)
{
    struct lock lock;
    bool ok;

    if (!backup_id_ok(what->id)) {
        return err_set(err, ERR_FORMAT, "", what->id, "not a backup id");
    }
    if (!lock_take(&lock, what->repo, LOCK_BACKUP, LOCK_TRY, err)) {
        return busy(what, LOCK_BACKUP, err);
    }
    ok = delete_all(t, what, err);
    lock_release(&lock);
    return ok;
}

bool wal_purge_before(const struct task *t, const struct repo *r, const struct server_cfg *srv,
                      const char *first_id, struct err *err)
{
    const struct backup *first;
    struct wal_cleanup plan;
    struct pruning p = {.t = t,
                        .plan = &plan,
                        .r = r,
                        .head = "WAL segments preceding the current backup have been found:",
                        .server = r->server};
    struct wal_cleanup_ask ask = {0};
    struct catalogue c;
    struct arena a;
    bool ok;

    arena_init(&a, 0);
    ok = catalogue_load(r, &a, &c, err);
    first = ok ? catalogue_find(&c, first_id) : NULL;
    if (first) {
        ask.backup = c.backup;
        ask.n = c.n;
        ok = wal_cleanup_first(&a, &ask, first, &plan, err) &&
             (!plan.applies || !plan.until[0] || prune(&p, srv, err));
    }
    arena_release(&a);
    return ok;
}

bool wal_purge_horizon(const struct task *t, const struct repo *r, const struct server_cfg *srv,
                       const struct wal_cleanup_ask *ask, size_t anchor, struct err *err)
{
    struct wal_cleanup plan;
    struct pruning p = {.t = t,
                        .plan = &plan,
                        .r = r,
                        .head = "Enforcing WAL retention policy: removing WAL segments"};
    struct arena a;
    bool ok;

    arena_init(&a, 0);
    ok = wal_cleanup_horizon(&a, ask, anchor, &plan, err) && prune(&p, srv, err);
    arena_release(&a);
    return ok;
}
