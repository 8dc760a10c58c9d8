/* SPDX-License-Identifier: PostgreSQL */
#include "engine/moment.h"

#include "cfg/config.h"
#include "engine/moment_in.h"
#include "engine/repo_of.h"
#include "engine/restore_run.h"
#include "engine/restore_words.h"

#include <string.h>

/* --- what there is --- */

/* Those of the newest one's cluster: another segment size or system is another stream. */
static bool is_kin(const struct backup *b, const struct backup *newest)
{
    bool same = !b->systemid || !newest->systemid || strcmp(b->systemid, newest->systemid) == 0;

    return same && b->xlog_segment_size == newest->xlog_segment_size;
}

static bool load_backups(struct finder *f, struct err *err)
{
    struct catalogue c;
    const struct backup *newest = NULL;

    if (!catalogue_look(&f->repo, f->a, &c, err)) {
        return false;
    }
    say_unread(f->task, &c);
    f->usable = ARENA_ARRAY(f->a, c.n + 1, const struct backup *);
    if (!f->usable) {
        return arena_err(f->a, err);
    }
    for (size_t i = 0; i < c.n; i++) {
        if (restore_is_whole(&c.backup[i]) && wal_seg_size_ok(c.backup[i].xlog_segment_size)) {
            newest = &c.backup[i];
        }
    }
    for (size_t i = 0; newest && i < c.n; i++) {
        if (restore_is_whole(&c.backup[i]) && is_kin(&c.backup[i], newest)) {
            f->usable[f->n++] = &c.backup[i];
        }
    }
    return true;
}

bool finder_open(struct finder *f, const struct task *t, const struct config *config,
                 const struct server_cfg *srv, struct arena *a, struct err *err)
{
    f->task = t;
    f->a = a;
    f->srv = srv;
    if (!repo_of(a, srv, config->barman_home, config->barman_lock_directory, &f->repo, err) ||
        !load_backups(f, err)) {
        return false;
    }
    if (f->n) {
        const struct backup *newest = f->usable[f->n - 1];

        if (!kept_wal_load(a, &f->repo, newest->xlog_segment_size, &f->kept, err)) {
            return false;
        }
        f->way.major = newest->version / 10000;
        if (newest->systemid) {
            (void)str_u64(str_of(newest->systemid), UINT64_MAX, &f->way.sysid);
        }
    }
    f->way.task = t;
    f->way.a = a;
    f->way.repo = &f->repo;
    f->way.lines = &f->kept.lines;
    str_copy(f->way.progress.phase, sizeof f->way.progress.phase, "read WAL");
    f->facts.target = &f->target;
    f->facts.now_us = clock_wall_ns() / 1000;
    f->facts.offset = clock_local_offset;
    return true;
}

bool finder_line(struct finder *f, const struct backup *b, struct err *err, bool *ok)
{
    struct timeline_base base = {b->timeline, b->begin_xlog, b->end_xlog};
    struct restore_checks *checks = ARENA_NEW(f->a, struct restore_checks);
    pg_tli line;

    *ok = true;
    if (!checks) {
        *ok = arena_err(f->a, err);
        return false;
    }
    if (!restore_line(f->a, &f->kept.lines, &base, &f->target, f->mode, checks, &line)) {
        if (!f->facts.refusal) {
            f->facts.refusal = &checks->check[checks->n - 1];
        }
        return false;
    }
    f->facts.tli = line;
    f->way.route = timeline_history(&f->kept.lines, line, &f->spare);
    if (!f->way.route) {
        *ok = err_set(err, ERR_MISSING, "", b->id, "no history of its timeline");
    }
    return *ok;
}

/* --- a target that tells its backup --- */

/* The newest of usable[0 .. *k - 1] that ends before the target and whose line leads on.
 * false: none, or failed (*ok false). */
static bool choose(struct finder *f, size_t *k, struct err *err, bool *ok)
{
    *ok = true;
    while ((*k)-- > 0) {
        if (target_follows(&f->target, f->usable[*k]) &&
            finder_line(f, f->usable[*k], err, ok)) {
            return true;
        }
        if (!*ok) {
            return false;
        }
    }
    return false;
}

static bool none_before(struct finder *f, struct err *err)
{
    if (f->facts.refusal) {
        f->facts.verdict = MOMENT_REFUSED;
        return true;
    }
    f->facts.verdict = MOMENT_BEFORE;
    for (size_t i = 0; i < f->n; i++) {
        bool ok;

        if (finder_line(f, f->usable[i], err, &ok)) {
            return moment_opening(f, i, 0, &f->facts.above, err);
        }
        if (!ok) {
            return false;
        }
    }
    return true;
}

/* Is the target met by what was walked? */
static bool is_met(const struct span *s)
{
    switch (s->watch.target->kind) {
    case TARGET_END:
        return s->end.fault == WAL_WELL && span_is_consistent(s);
    case TARGET_IMMEDIATE:
        return span_is_consistent(s);
    default:
        return s->watch.stop.known;
    }
}

static bool find_one(struct finder *f, struct err *err)
{
    size_t k = f->n;
    bool ok, unready = false;

    while (choose(f, &k, err, &ok)) {
        struct span s = {.f = f, .backup = f->usable[k]};

        if (!span_walk(&s, s.backup->begin_xlog, 0, err)) {
            return false;
        }
        if (s.watch.stop_too_early) {
            continue; /* a clock that stepped back: an older backup meets it */
        }
        if (is_met(&s)) {
            moment_found(f, &s);
            return true;
        }
        if (f->target.kind == TARGET_IMMEDIATE ||
            (s.end.fault == WAL_WELL && !span_is_consistent(&s))) {
            unready = true; /* its own WAL has not come yet, or is lost */
            continue;
        }
        if (s.end.fault != WAL_WELL) {
            return moment_hole(f, &s, k, err);
        }
        f->facts.verdict = MOMENT_BEYOND;
        f->facts.below = moment_mark(&s.watch.last_commit);
        return f->target.kind == TARGET_END || moment_elsewhere(f, s.backup, err);
    }
    if (ok && unready) {
        f->facts.verdict = MOMENT_NO_BACKUP;
        return true;
    }
    return ok && none_before(f, err);
}

/* --- the question --- */

static bool find(struct finder *f, struct err *err)
{
    if (f->n == 0) {
        f->facts.verdict = MOMENT_NO_BACKUP;
        return true;
    }
    return f->target.kind == TARGET_XID || f->target.kind == TARGET_NAME ? moment_search(f, err)
                                                                         : find_one(f, err);
}

bool moment_find(const struct task *t, const struct config *config,
                 const struct server_cfg *srv, const struct goal *goal, struct arena *a,
                 struct answer_moment *out, struct err *err)
{
    struct finder *f = ARENA_NEW(a, struct finder);
    struct target_words words = goal_words(goal, a);

    if (!f || a->failed) {
        return arena_err(a, err);
    }
    words.action = NULL; /* where it stops does not depend on what it does there */
    if (!target_read(&words, clock_local_readings, &f->target, err)) {
        return false;
    }
    f->mode = restore_mode_of(srv, CHOICE_CONFIG, &f->target);
    return finder_open(f, t, config, srv, a, err) && find(f, err) &&
           moment_say(a, &f->facts, out, err);
}

bool moment_backup(const struct task *t, const struct config *config,
                   const struct server_cfg *srv, const struct target *target, struct arena *a,
                   const char **id, struct err *err)
{
    struct finder *f = ARENA_NEW(a, struct finder);
    struct answer_moment answer;

    if (!f) {
        return arena_err(a, err);
    }
    f->target = *target;
    f->mode = restore_mode_of(srv, CHOICE_CONFIG, target);
    if (!finder_open(f, t, config, srv, a, err) || !find(f, err) ||
        !moment_say(a, &f->facts, &answer, err)) {
        return false;
    }
    if (!answer.can_restore) {
        return err_set(err, ERR_MISSING, answer.hint, "auto", "%s", answer.sentence);
    }
    *id = f->facts.backup->id;
    return true;
}
