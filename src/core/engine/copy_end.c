/* SPDX-License-Identifier: PostgreSQL */
/* copy_end.c - promote a started copy, stop it, drop it. */
#include "engine/copy_in.h"

#include "base/clock.h"
#include "cfg/server.h"
#include "engine/repo_of.h"
#include "repo/mount.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LOOK_MS   200
#define ASK_AGAIN 50 /* turns */

/* ---- promote ------------------------------------------------------------------------------ */

static bool order_promotion(struct pg *pg, const struct task *t, struct err *err)
{
    /* Not to wait in the server: we want to be cancelled. */
    return pg_query(pg, t, "SELECT pg_catalog.pg_promote(false)", NULL, NULL, err);
}

static bool wait_open(struct pg *pg, const struct task *t, struct arena *a,
                      struct copy_state *state, struct err *err)
{
    struct progress progress = {.phase = "promote"};

    for (;;) {
        struct arena_mark mark = arena_mark(a);

        if (!task_go_on(t, err) || !copy_ask(pg, t, a, state, err)) {
            return false;
        }
        if (!state->in_recovery) {
            return true;
        }
        arena_reset(a, mark);
        task_progress(t, &progress);
        if (!task_rest(t, LOOK_MS, err)) {
            return false;
        }
    }
}

bool copy_promote(const struct task *t, struct arena *a, const char *destination,
                  struct answer_copy *out, struct err *err)
{
    struct copy_state state;
    struct copy_pid_file pid;
    struct copy_home h;
    struct pg *pg;
    bool ok;

    *out = (struct answer_copy){0};
    if (!copy_home_ours(a, destination, &h, err)) {
        return false;
    }
    if (copy_runs(a, &h, &pid) != COPY_RUNS_OURS) {
        return err_set(err, ERR_UNSAFE, "Start it with start-copy first.", destination,
                       "the copy does not run");
    }
    pg = copy_connect(t, a, &h, NULL, err);
    ok = pg && copy_ask(pg, t, a, &state, err);
    if (ok && state.in_recovery) {
        ok = order_promotion(pg, t, err) && wait_open(pg, t, a, &state, err);
    }
    pg_close(pg);
    if (!ok) {
        return err_wrap(err, "promote the copy in '%s'", destination);
    }
    out->pid = pid.pid;
    copy_fill(a, &h, &state, out);
    return !a->failed || arena_err(a, err);
}

/* ---- stop --------------------------------------------------------------------------------- */

bool copy_stop(const struct task *t, const char *destination, struct err *err)
{
    struct arena a;
    struct copy_home h;
    bool ok;

    arena_init(&a, 0);
    ok = task_go_on(t, err) && copy_home_ours(&a, destination, &h, err) &&
         copy_halt(&a, &h, err);
    if (ok) {
        rmdir(h.facts.socket_dir); /* what somebody else put into it stays */
    }
    arena_release(&a);
    return ok || err_wrap(err, "stop the copy in '%s'", destination);
}

/* ---- drop --------------------------------------------------------------------------------- */

/* Whether a backup was taken of what is to go is told by the catalogue, where that is to be had, or
 * by the server. */
static bool can_judge(const struct task *t, struct arena *a, const struct server_cfg *srv,
                      const struct copy_home *h, struct err *err)
{
    struct catalogue c;
    struct err ignored;
    struct repo repo;

    if (!copy_is_local(srv->conninfo) || copy_live_directory(t, a, srv->conninfo)) {
        return true;
    }
    if (repo_of(a, srv, srv->backup_directory, srv->backup_directory, &repo, &ignored) &&
        repo_home_mounted(&repo, &ignored) && catalogue_look(&repo, a, &c, &ignored) && c.n &&
        !c.unread) {
        return true;
    }
    return err_set(err, ERR_UNSAFE, "Start the server, or mount the disk of its backups.",
                   h->dest,
                   "it cannot be told whether server '%s' itself has its place there: it does "
                   "not answer, and no backup can be read that would tell",
                   srv->name);
}

static bool may_drop(const struct task *t, struct arena *a, const struct server_cfg *srv,
                     const struct copy_home *h, struct err *err)
{
    const char *what = "";
    struct stat st, up;
    char parent[PATH_CAP];

    if (strcmp(h->facts.server, srv->name) != 0) {
        return err_set(err, ERR_UNSAFE, "Name the server it was restored from.", h->dest,
                       "a copy of server '%s'", h->facts.server);
    }
    if (copy_is_live(t, a, srv, h, &what)) {
        return err_set(err, ERR_UNSAFE, "Look whether this is really what shall go.", what,
                       "the place of server '%s' itself, not of a copy", srv->name);
    }
    if (!can_judge(t, a, srv, h, err)) {
        return false;
    }
    path_dir(h->dest, parent);
    if (lstat(h->dest, &st) != 0 || stat(parent, &up) != 0) {
        return err_os(err, errno, "look at", h->dest);
    }
    if (st.st_uid != geteuid()) {
        return err_set(err, ERR_UNSAFE, "Run it as the user the directory belongs to.", h->dest,
                       "belongs to another user (uid %u)", (unsigned)st.st_uid);
    }
    if (st.st_dev != up.st_dev) {
        return err_set(err, ERR_UNSAFE, "Stop the copy, and empty the file system yourself.",
                       h->dest, "a mount point, which cannot be removed");
    }
    return true;
}

/* Of a tablespace only the folder of this cluster's version goes, and only where the link still
 * leads to where it led when the copy was started. */
static bool drop_space(const struct task *t, struct arena *a, const struct copy_home *h,
                       const struct copy_space *space, struct err *err)
{
    char path[PATH_CAP], begin[32];
    struct names names;

    if (!dir_names(a, space->path, DIR_MAY_MISS, &names, err)) {
        return false;
    }
    str_fmt(begin, sizeof begin, "PG_%d_", h->facts.major);
    for (size_t i = 0; i < names.n; i++) {
        if (!str_starts(str_of(names.name[i]), begin)) {
            continue;
        }
        if (!task_go_on(t, err) || !path_join(path, space->path, names.name[i], err) ||
            (file_kind(path, NULL) == FILE_DIR && !tree_remove(path, err))) {
            return false;
        }
    }
    if (rmdir(space->path) != 0 && errno != ENOENT) {
        task_say(t, SAY_WARN, "'%s' was left: something else is in it", space->path);
    }
    return true;
}

static const struct copy_space *space_of(const struct copy_space *list, size_t n, uint32_t oid)
{
    for (size_t i = 0; i < n; i++) {
        if (list[i].oid == oid) {
            return &list[i];
        }
    }
    return NULL;
}

/* Links that were made or turned since are told and left. */
static void keep_sound_spaces(const struct task *t, struct copy_facts *f,
                              struct copy_space *kept, const struct copy_space *now, size_t n)
{
    size_t sound = 0;

    for (size_t i = 0; i < n; i++) {
        const struct copy_space *was = space_of(f->space, f->spaces, now[i].oid);

        if (was && strcmp(was->path, now[i].path) == 0) {
            kept[sound++] = now[i];
        } else {
            task_say(t, SAY_WARN,
                     "tablespace %" PRIu32 " in '%s' was left: it was not there when "
                     "the copy was started",
                     now[i].oid, now[i].path);
        }
    }
    f->space = kept;
    f->spaces = sound;
}

/* From here on it counts as dropped: the same command finishes what a kill leaves. */
static bool mark_dropped(const struct task *t, struct arena *a, struct copy_home *h,
                         struct err *err)
{
    const struct copy_space *now;
    struct copy_space *kept;
    size_t n;

    if (h->facts.is_dropping) {
        return true;
    }
    if (!copy_spaces(a, h->dest, &now, &n, err)) {
        return false;
    }
    kept = ARENA_ARRAY(a, n + 1, struct copy_space);
    if (!kept) {
        return arena_err(a, err);
    }
    keep_sound_spaces(t, &h->facts, kept, now, n);
    h->facts.is_dropping = true;
    return copy_facts_save(a, h, err);
}

/* pg_control first, so that nobody starts a half; our facts last. */
static bool remove_all(const struct task *t, struct arena *a, const struct copy_home *h,
                       struct err *err)
{
    struct progress progress = {.phase = "drop"};
    char path[PATH_CAP];
    struct names names;

    if (!path_join(path, h->dest, "global/pg_control", err) || !file_remove(path, err) ||
        !dir_names(a, h->dest, DIR_MUST_EXIST, &names, err)) {
        return false;
    }
    for (size_t i = 0; i < h->facts.spaces; i++) {
        if (!drop_space(t, a, h, &h->facts.space[i], err)) {
            return false;
        }
    }
    for (size_t i = 0; i < names.n; i++) {
        if (strcmp(names.name[i], COPY_DIR) == 0) {
            continue;
        }
        str_copy(progress.what, sizeof progress.what, names.name[i]);
        task_progress(t, &progress);
        if (!task_go_on(t, err) || !path_join(path, h->dest, names.name[i], err) ||
            !tree_remove(path, err)) {
            return false;
        }
    }
    return tree_remove(h->dest, err);
}

bool copy_drop(const struct task *t, const struct server_cfg *srv, const char *destination,
               struct err *err)
{
    struct arena a;
    struct copy_home h;
    bool ok;

    if (file_kind(destination, NULL) == FILE_LINK) {
        return err_set(err, ERR_UNSAFE, "Name the directory itself.", destination, "a link");
    }
    arena_init(&a, 0);
    ok = copy_home_ours(&a, destination, &h, err) && may_drop(t, &a, srv, &h, err) &&
         copy_halt(&a, &h, err) && mark_dropped(t, &a, &h, err) && remove_all(t, &a, &h, err);
    if (ok) {
        rmdir(h.facts.socket_dir);
    }
    arena_release(&a);
    return ok || err_wrap(err, "drop the copy in '%s'", destination);
}
