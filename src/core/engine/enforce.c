/* SPDX-License-Identifier: PostgreSQL */
#include "engine/enforce.h"

#include "base/clock.h"
#include "engine/delete.h"
#include "engine/delete_plan.h"
#include "repo/lock.h"

#include <string.h>

#define HORIZON     "wal-horizon"
#define HORIZON_MAX 64

struct enforcing {
    const struct task *t;
    const struct repo *repo;
    const struct server_cfg *srv;
    struct catalogue all;
    struct retention_state state;
    bool *orphan;
    bool *goes; /* [i] of all.backup[i]: by itself, not only with what it stands on */
    bool *interrupted;
    size_t going;
    struct arena a;
};

/* ---- what goes ---------------------------------------------------------------------- */

/* What has lost its files is no backup for a policy, so it pushes out no other; that WAL which it
 * would need stays. */
static bool judge(struct enforcing *e, const struct catalogue *all, struct err *err)
{
    struct backup *b = ARENA_ARRAY(&e->a, all->n + 1, struct backup);

    e->orphan = ARENA_ARRAY(&e->a, all->n + 1, bool);
    if (!b || !e->orphan) {
        return arena_err(&e->a, err);
    }
    for (size_t i = 0; i < all->n; i++) {
        b[i] = all->backup[i];
        e->orphan[i] = backup_is_orphan(e->repo, &b[i]);
        if (e->orphan[i] && backup_copy_done(&b[i])) {
            b[i].status = BACKUP_WAITING_FOR_WALS;
        }
    }
    e->all = *all;
    e->all.backup = b;
    return retention_of(e->repo, e->srv, &e->all, &e->a, &e->state, err);
}

static void say_orphan(const struct enforcing *e, const struct backup *b)
{
    char dir[PATH_CAP], info[PATH_CAP];
    struct err ignored;

    if (repo_backup_dir(e->repo, b->id, dir, &ignored) &&
        repo_info_path(e->repo, b->id, info, &ignored)) {
        task_say(
            e->t, SAY_WARN,
            "Backup '%s' is an orphan backup, this is possibly the result of an incomplete "
            "delete operation. Please manually delete the following files or directories "
            "if present: %s, %s",
            b->id, dir, info);
    }
}

/* A policy that would leave nothing at all leaves one. */
static void spare_the_last(struct enforcing *e)
{
    size_t newest = e->all.n;

    for (size_t i = 0; i < e->all.n; i++) {
        const struct backup *b = &e->all.backup[i];

        if (backup_counts(b) && e->state.fate[i].verdict != RETENTION_OBSOLETE) {
            return;
        }
        newest = backup_counts(b) ? i : newest;
    }
    if (newest == e->all.n) {
        return;
    }
    task_say(e->t, SAY_WARN,
             "Backup %s of server %s is obsolete, but stays: it is the last good one",
             e->all.backup[newest].id, e->repo->server);
    e->going -= e->goes[newest];
    e->goes[newest] = false;
}

/* It was kept after all (by a Barman that does not know of the mark): the keep wins. */
static bool is_kept(struct enforcing *e, size_t i)
{
    if (e->state.keep[i] == KEEP_NONE) {
        return false;
    }
    task_say(
        e->t, SAY_WARN,
        "The delete of backup %s of server %s was interrupted, and it is kept since: it is "
        "not finished. See what is left of it with check-backup or verify-backup, or release "
        "the keep.",
        e->all.backup[i].id, e->repo->server);
    return true;
}

/* A delete that was interrupted is finished first, and alone: the report still counts that backup,
 * so what it says of the others holds once it is gone, for the next turn. */
static bool choose(struct enforcing *e, struct err *err)
{
    bool backs_up = lock_is_held(e->repo, LOCK_BACKUP, NULL);

    e->goes = ARENA_ARRAY(&e->a, e->all.n + 1, bool);
    e->interrupted = ARENA_ARRAY(&e->a, e->all.n + 1, bool);
    if (!e->goes || !e->interrupted) {
        return arena_err(&e->a, err);
    }
    for (size_t i = 0; i < e->all.n; i++) {
        e->interrupted[i] = delete_mark_is_set(e->repo, e->all.backup[i].id) && !is_kept(e, i);
        e->goes[i] = e->interrupted[i];
        e->going += e->goes[i];
    }
    if (e->going || !e->state.enforced) {
        return true;
    }
    for (size_t i = 0; i < e->all.n; i++) {
        const struct backup *b = &e->all.backup[i];

        if (e->orphan[i] && !(backs_up && !backup_copy_done(b))) {
            say_orphan(e, b);
        }
        e->goes[i] = !e->orphan[i] && !(backs_up && !backup_counts(b)) &&
                     e->state.fate[i].verdict == RETENTION_OBSOLETE;
        e->going += e->goes[i];
    }
    if (e->going) {
        spare_the_last(e);
    }
    return true;
}

/* ---- the backups -------------------------------------------------------------------- */

/* One that cannot go holds up no other: *first keeps the first reason, more are said here. */
static void remove_one(struct enforcing *e, size_t i, struct err *first)
{
    struct delete_backup gone = {
        .repo = e->repo,
        .id = e->all.backup[i].id,
        .minimum_redundancy = e->interrupted[i] ? 0 : (uint64_t)e->srv->minimum_redundancy,
        .srv = e->srv,
        .by = WAL_DELETE_BY_RETENTION,
    };
    struct err why = {0};
    char text[1024];

    if (e->interrupted[i]) {
        task_say(e->t, SAY_OUT, "Finishing the interrupted delete of backup %s for server %s",
                 gone.id, e->repo->server);
    }
    if (delete_backup(e->t, &gone, &why)) {
        return;
    }
    if (why.code == ERR_BUSY) {
        task_say(
            e->t, SAY_WARN,
            "Another action is in progress for the backup %s of server %s, skipping retention "
            "policy application",
            gone.id, e->repo->server);
    } else if (first->code == ERR_NONE) {
        *first = why;
    } else if (why.code != ERR_CANCEL) {
        task_say(e->t, SAY_ERROR, "%s", err_text(&why, text, sizeof text));
    }
}

static bool remove_all(struct enforcing *e, struct err *err)
{
    size_t *tree = ARENA_ARRAY(&e->a, e->all.n + 1, size_t);
    struct err first = {0};

    if (!tree) {
        return arena_err(&e->a, err);
    }
    if (!server_cfg_refusal(e->srv, CFG_USE_DELETE, err)) {
        return false;
    }
    if (lock_is_held(e->repo, LOCK_BACKUP, NULL)) {
        task_say(e->t, SAY_LOG, "a backup or delete of server %s runs: retention waits",
                 e->repo->server);
        return true;
    }
    for (size_t i = 0; i < e->all.n; i++) {
        size_t n;

        if (!e->goes[i]) {
            continue;
        }
        if (!task_go_on(e->t, err)) {
            return false;
        }
        remove_one(e, i, &first);
        n = delete_order(&e->all, i, tree); /* these went with it */
        for (size_t k = 0; k < n; k++) {
            e->goes[tree[k]] = false;
        }
    }
    if (first.code != ERR_NONE) {
        *err = first;
    }
    return first.code == ERR_NONE;
}

/* ---- the WAL horizon ---------------------------------------------------------------- */

static size_t anchor_of(const struct enforcing *e)
{
    const struct retention_ask ask = {.backup = e->all.backup,
                                      .keep = e->state.keep,
                                      .n = e->all.n,
                                      .minimum_redundancy = 0,
                                      .now_us = e->state.now_us,
                                      .before = clock_local_before};

    return e->state.wal.kind == RETENTION_MAIN ? e->all.n
                                               : retention_anchor(&e->state.wal, &ask);
}

/* Is the horizon there already? */
static bool is_there(struct enforcing *e, const char *path, const char *id)
{
    struct err ignored;
    struct str text;

    return file_read(&e->a, path, HORIZON_MAX, &text, &ignored) && str_eq(str_trim(text), id);
}

/* The older backups held fast, so that none of them is being restored with WAL that goes. */
static bool move_horizon(struct enforcing *e, size_t anchor, struct err *err)
{
    struct wal_cleanup_ask ask = retention_cleanup_ask(&e->all, &e->state);
    struct lock *lock = ARENA_ARRAY(&e->a, anchor + 1, struct lock);
    struct err why = {0};
    size_t held = 0;
    bool ok = lock != NULL;

    if (!ok) {
        return arena_err(&e->a, err);
    }
    while (ok && held < anchor) {
        ok = lock_take(&lock[held], e->repo, e->all.backup[held].id, LOCK_TRY, &why);
        held += ok;
    }
    ok = ok && wal_purge_horizon(e->t, e->repo, e->srv, &ask, anchor, &why);
    while (held > 0) {
        lock_release(&lock[--held]);
    }
    if (!ok) {
        *err = why;
    }
    return ok;
}

/* The backup that the horizon should move to, and where it is noted; all.n: none. */
static bool find_horizon(struct enforcing *e, size_t *anchor, char path[PATH_CAP],
                         struct err *err)
{
    if (!path_join(path, e->repo->own_dir, HORIZON, err)) {
        return false;
    }
    *anchor = anchor_of(e);
    if (*anchor < e->all.n && is_there(e, path, e->all.backup[*anchor].id)) {
        *anchor = e->all.n;
    }
    return true;
}

static bool horizon(struct enforcing *e, struct err *err)
{
    struct catalogue all;
    struct err why = {0};
    char path[PATH_CAP];
    size_t anchor;

    if (e->state.wal.kind == RETENTION_MAIN) {
        return true;
    }
    if (!catalogue_load(e->repo, &e->a, &all, err) || !judge(e, &all, err) ||
        !find_horizon(e, &anchor, path, err)) {
        return false;
    }
    if (anchor == e->all.n) {
        return true;
    }
    if (!server_cfg_refusal(e->srv, CFG_USE_DELETE, err)) {
        return false;
    }
    if (!move_horizon(e, anchor, &why)) {
        if (why.code == ERR_BUSY) { /* its turn comes */
            return true;
        }
        *err = why;
        return false;
    }
    return file_replace(path, str_of(e->all.backup[anchor].id), err);
}

/* ---- or only told ------------------------------------------------------------------- */

/* Backup i into the plan; one that cannot go is noted as in remove_one(). */
static bool tell_one(struct enforcing *e, struct delete_plan *plan, size_t i, struct err *first,
                     struct err *err)
{
    char policy[RETENTION_CAP], text[1024];
    struct err refused = {0};
    const char *why;

    if (!delete_dirs_ok(e->repo, &e->a, &e->all, i, &refused)) {
        if (first->code == ERR_NONE) {
            *first = refused;
        } else {
            task_say(e->t, SAY_ERROR, "%s", err_text(&refused, text, sizeof text));
        }
        return true;
    }
    why = e->interrupted[i] ? "its delete was interrupted"
                            : arena_fmt(&e->a, "OBSOLETE under %s",
                                        retention_print(&e->state.policy, policy));
    return why ? delete_plan_backup(plan, i, WAL_DELETE_BY_RETENTION, why, err)
               : arena_err(&e->a, err);
}

static bool tell(struct enforcing *e, struct err *err)
{
    char policy[RETENTION_CAP];
    struct delete_plan plan;
    struct err first = {0};
    const char *why;
    size_t anchor = anchor_of(e);
    bool ok = delete_plan_begin(&plan, e->repo, &e->a, &e->all, &e->state, err);

    for (size_t i = 0; ok && i < e->all.n; i++) {
        ok = !e->goes[i] || tell_one(e, &plan, i, &first, err);
    }
    if (ok && anchor < e->all.n && first.code == ERR_NONE) {
        why = arena_fmt(&e->a, "before backup %s, older than the %s of WAL",
                        e->all.backup[anchor].id, retention_print(&e->state.wal, policy));
        ok = why ? delete_plan_horizon(&plan, anchor, why, err) : arena_err(&e->a, err);
    }
    if (!ok || !delete_plan_say(&plan, e->t, err)) {
        return false;
    }
    if (first.code != ERR_NONE) {
        *err = first;
    }
    return first.code == ERR_NONE;
}

static void say_refused_policy(struct enforcing *e)
{
    if (e->state.why) {
        task_say(e->t, SAY_WARN, "retention_policy of server %s is not enforced: %s",
                 e->repo->server, e->state.why);
    }
}

bool enforce_retention(const struct task *t, const struct repo *r, const struct server_cfg *srv,
                       const struct catalogue *all, enum enforce_how how, struct err *err)
{
    struct enforcing e = {.t = t, .repo = r, .srv = srv};
    bool ok;

    arena_init(&e.a, 0);
    ok = judge(&e, all, err) && choose(&e, err);
    if (ok) {
        say_refused_policy(&e);
    }
    if (ok && how == ENFORCE_DRY_RUN) {
        ok = tell(&e, err);
    } else if (ok) {
        ok = (!e.going || remove_all(&e, err)) && horizon(&e, err);
    }
    arena_release(&e.a);
    return ok;
}

/* ---- or left for later -------------------------------------------------------------- */

static void count_line(void *ctx, enum say kind, const char *line)
{
    size_t *lines = ctx;

    (void)line;
    *lines += kind != SAY_LOG && kind != SAY_DEBUG;
}

bool enforce_is_due(const struct task *t, const struct repo *r, const struct server_cfg *srv,
                    const struct catalogue *all, bool *due, struct err *err)
{
    struct task_sink sink;
    size_t anchor, lines = 0;
    struct task silent = task_serial(count_line, &lines, &sink);
    struct enforcing e = {.t = &silent, .repo = r, .srv = srv};
    char path[PATH_CAP];
    bool ok;

    arena_init(&e.a, 0);
    ok = judge(&e, all, err) && choose(&e, err) && find_horizon(&e, &anchor, path, err);
    if (ok) {
        *due = e.going || anchor < e.all.n;
        e.t = t;
    }
    if (ok && !*due) {
        ok = !lines || choose(&e, err);
        say_refused_policy(&e);
    }
    arena_release(&e.a);
    return ok;
}
