/* SPDX-License-Identifier: PostgreSQL */
#include "engine/delete_plan.h"

#include "base/fmt.h"
#include "repo/xlogdb.h"

#include <inttypes.h>
#include <string.h>

/* The backup that k stands on; c->n: none, or it is missing. */
static size_t parent_of(const struct catalogue *c, size_t k)
{
    const char *id = c->backup[k].parent_backup_id;
    const struct backup *parent = id ? catalogue_find(c, id) : NULL;

    return parent ? (size_t)(parent - c->backup) : c->n;
}

/* Does backup k stand on i, directly or not? Parents that go round in a circle end it, too. */
static bool stands_on(const struct catalogue *c, size_t k, size_t i)
{
    for (size_t steps = 0; k < c->n && steps <= c->n; steps++) {
        if (k == i) {
            return true;
        }
        k = parent_of(c, k);
    }
    return false;
}

/* Does one of these stand directly on k? */
static bool has_child(const struct catalogue *c, const size_t *set, size_t n, size_t k)
{
    for (size_t j = 0; j < n; j++) {
        if (set[j] != k && parent_of(c, set[j]) == k) {
            return true;
        }
    }
    return false;
}

/* The first on which none of the others stands; in a circle, the first but i. */
static size_t first_leaf(const struct catalogue *c, const size_t *set, size_t n, size_t i)
{
    size_t at = 0;

    while (at < n && has_child(c, set, n, set[at])) {
        at++;
    }
    return at < n ? at : set[0] == i && n > 1;
}

/* The newest first, and none before what stands on it: the id of a child is lower than its
 * parent's when daylight saving ended between the two. */
size_t delete_order(const struct catalogue *c, size_t i, size_t *out)
{
    size_t n = 0;

    for (size_t k = c->n; k-- > 0;) {
        if (stands_on(c, k, i)) {
            out[n++] = k;
        }
    }
    for (size_t at = 0; at < n; at++) {
        size_t leaf = at + first_leaf(c, out + at, n - at, i), k = out[leaf];

        memmove(out + at + 1, out + at, (leaf - at) * sizeof *out);
        out[at] = k;
    }
    return n;
}

bool delete_plan_begin(struct delete_plan *p, const struct repo *r, struct arena *a,
                       const struct catalogue *c, const struct retention_state *s,
                       struct err *err)
{
    *p = (struct delete_plan){.repo = r, .a = a, .catalogue = c, .state = s};
    p->gone = ARENA_ARRAY(a, c->n + 1, bool);
    p->step = ARENA_ARRAY(a, c->n + 1, struct delete_step); /* and one for the horizon */
    return p->gone && p->step ? true : arena_err(a, err);
}

/* What is left of the catalogue at this step. */
static bool left(struct delete_plan *p, struct wal_cleanup_ask *out, struct err *err)
{
    size_t n = p->catalogue->n;
    struct backup *backup = ARENA_ARRAY(p->a, n + 1, struct backup);
    enum wal_role *role = ARENA_ARRAY(p->a, n + 1, enum wal_role);
    enum keep *keep = ARENA_ARRAY(p->a, n + 1, enum keep);

    *out = (struct wal_cleanup_ask){backup, keep, role, 0};
    if (!backup || !role || !keep) {
        return arena_err(p->a, err);
    }
    for (size_t i = 0; i < n; i++) {
        if (!p->gone[i]) {
            backup[out->n] = p->catalogue->backup[i];
            role[out->n] = p->state->role[i];
            keep[out->n++] = p->state->keep[i];
        }
    }
    return true;
}

static bool plan_one(struct delete_plan *p, size_t i, enum wal_delete by, const char *why,
                     struct err *err)
{
    struct delete_step *s = &p->step[p->steps];
    struct wal_cleanup_ask ask;

    s->backup = &p->catalogue->backup[i];
    s->why = why;
    if (!left(p, &ask, err) ||
        !wal_cleanup_delete(p->a, &ask, s->backup->id, by, &s->wal, err)) {
        return false;
    }
    p->gone[i] = true;
    p->steps++;
    return true;
}

bool delete_plan_backup(struct delete_plan *p, size_t i, enum wal_delete by, const char *why,
                        struct err *err)
{
    size_t *order = ARENA_ARRAY(p->a, p->catalogue->n + 1, size_t), n;
    const char *child;

    child = arena_fmt(p->a, "stands on backup %s", p->catalogue->backup[i].id);
    if (!order || !child) {
        return arena_err(p->a, err);
    }
    n = delete_order(p->catalogue, i, order);
    for (size_t k = 0; k < n; k++) {
        if (!p->gone[order[k]] &&
            !plan_one(p, order[k], by, order[k] == i ? why : child, err)) {
            return false;
        }
    }
    return true;
}

bool delete_plan_horizon(struct delete_plan *p, size_t anchor, const char *why, struct err *err)
{
    struct delete_step *s = &p->step[p->steps];
    struct wal_cleanup_ask ask;

    if (!left(p, &ask, err)) {
        return false;
    }
    for (size_t i = 0; i < ask.n; i++) {
        if (strcmp(ask.backup[i].id, p->catalogue->backup[anchor].id) == 0) {
            s->why = why;
            p->steps++;
            return wal_cleanup_horizon(p->a, &ask, i, &s->wal, err);
        }
    }
    return true;
}

static void count(struct delete_plan *p, const struct wal_file *f)
{
    for (size_t i = 0; i < p->steps; i++) {
        struct delete_step *s = &p->step[i];

        if (!wal_cleanup_removes(&s->wal, f->name)) {
            continue;
        }
        if (s->files == 0 || strcmp(f->name, s->first) < 0) {
            str_copy(s->first, sizeof s->first, f->name);
        }
        if (s->files == 0 || strcmp(f->name, s->last) > 0) {
            str_copy(s->last, sizeof s->last, f->name);
        }
        s->files++;
        s->bytes += f->size;
        return;
    }
}

static bool count_all(struct delete_plan *p, struct err *err)
{
    struct wal_file f;
    struct xlogdb db;
    int more;

    if (!xlogdb_open(&db, p->repo, err)) {
        return false;
    }
    while ((more = xlogdb_next(&db, &f, err)) > 0) {
        count(p, &f);
    }
    xlogdb_close(&db);
    return more == 0;
}

static void say_step(const struct delete_step *s, const struct task *t)
{
    char size[FMT_CAP];

    if (s->backup) {
        uint64_t bytes =
            s->backup->deduplicated_size ? s->backup->deduplicated_size : s->backup->size;

        task_say(t, SAY_OUT, "\tbackup %s, %s: %s", s->backup->id,
                 fmt_size((int64_t)bytes, size), s->why);
    } else if (s->files) {
        task_say(t, SAY_OUT, "\tWAL %s", s->why);
    }
    if (s->files) {
        task_say(t, SAY_OUT, "\t\twith %" PRIu64 " WAL file%s, %s: %s .. %s", s->files,
                 s->files == 1 ? "" : "s", fmt_size((int64_t)s->bytes, size), s->first,
                 s->last);
    }
}

bool delete_plan_say(struct delete_plan *p, const struct task *t, struct err *err)
{
    uint64_t backups = 0, files = 0, bytes = 0;
    char size[FMT_CAP];

    if (p->steps && !count_all(p, err)) {
        return false;
    }
    for (size_t i = 0; i < p->steps; i++) {
        backups += p->step[i].backup != NULL;
        files += p->step[i].files;
        bytes += p->step[i].bytes;
    }
    if (backups == 0 && files == 0) {
        task_say(t, SAY_OUT, "Nothing would be deleted for server %s", p->repo->server);
        return true;
    }
    task_say(t, SAY_OUT,
             "Would delete %" PRIu64 " backup%s and %" PRIu64 " WAL file%s (%s) for server %s:",
             backups, backups == 1 ? "" : "s", files, files == 1 ? "" : "s",
             fmt_size((int64_t)bytes, size), p->repo->server);
    for (size_t i = 0; i < p->steps; i++) {
        say_step(&p->step[i], t);
    }
    return true;
}
