/* SPDX-License-Identifier: PostgreSQL */
/* moment_search.c - an xid or a restore point tells no backup: it is searched for between the
 * backups on the way, the newest first.
 *
 *     B1 -------- B2 ------- B3 ------->        3: from B3's begin to the end
 *        <-- 1 --><-- 2 ---> <--- 3 --->        2: from B2's begin to B3's begin, ...
 *
 * What lies between begin and end of a backup needs the backup before it: it is carried over to
 * the next span. A hole in a span hides all behind it up to the next backup; that is searched
 * too, so that the answer can say so.
 */
#include "engine/moment_in.h"

#include <stdlib.h>

struct search {
    struct finder *f;
    size_t *at; /* indices of usable on the way, by begin */
    size_t n;
    struct span carried;  /* watch.stop known: met, but too early for its own backup */
    struct wal_mark next; /* first commit of the spans read so far */
    bool has_holes;
    uint64_t xid_from, xid_to;
};

static bool is_on_way(const struct finder *f, const struct backup *b)
{
    return history_find(f->way.route, b->timeline) &&
           history_reaches(f->way.route, b->timeline, b->end_xlog);
}

static bool list_backups(struct search *x, struct err *err)
{
    struct finder *f = x->f;

    x->at = ARENA_ARRAY(f->a, f->n, size_t);
    if (!x->at) {
        return arena_err(f->a, err);
    }
    for (size_t i = 0; i < f->n; i++) {
        size_t k = x->n;

        if (!is_on_way(f, f->usable[i])) {
            continue;
        }
        for (; k > 0 && f->usable[x->at[k - 1]]->begin_xlog > f->usable[i]->begin_xlog; k--) {
            x->at[k] = x->at[k - 1];
        }
        x->at[k] = i;
        x->n++;
    }
    return true;
}

/* Behind the fault of a span: is the target there? */
static bool look_behind(struct search *x, struct span *s, pg_lsn until, bool *is_there,
                        struct err *err)
{
    pg_lsn from = s->end.resumes;

    *is_there = false;
    while (from && (!until || from < until)) {
        struct span b = {.f = s->f, .backup = s->backup};

        if (!span_walk(&b, from, until, err)) {
            return false;
        }
        if (b.watch.stop.known) {
            *is_there = true;
            return true;
        }
        x->next = b.first.known && !x->next.known ? b.first : x->next;
        from = b.end.fault == WAL_WELL ? 0 : b.end.resumes;
    }
    return true;
}

static void found(struct search *x, struct span *s)
{
    if (!s->lost.known) {
        s->lost = x->next;
    }
    moment_found(x->f, s);
}

/* Met in a later span, before that one's backup was consistent: this backup leads there. */
static void found_carried(struct search *x, struct span *s)
{
    struct span *c = &x->carried;

    c->backup = s->backup;
    if (!c->watch.last_commit.known) {
        c->watch.last_commit = s->watch.last_commit;
    }
    c->watch.names += s->watch.names;
    found(x, c);
}

/* *done: there is an answer. */
static bool search_span(struct search *x, size_t i, bool *done, struct err *err)
{
    struct finder *f = x->f;
    struct span s = {.f = f, .backup = f->usable[x->at[i]]};
    pg_lsn until = i + 1 < x->n ? f->usable[x->at[i + 1]]->begin_xlog : 0;
    bool is_there = x->carried.watch.stop.known;

    *done = true;
    if (!span_walk(&s, s.backup->begin_xlog, until, err)) {
        return false;
    }
    x->xid_from = s.xid_from ? s.xid_from : x->xid_from;
    x->xid_to = x->xid_to ? x->xid_to : s.xid_to;
    if (s.watch.stop.known && !s.watch.stop_too_early) {
        found(x, &s);
        return true;
    }
    if (s.watch.stop.known) { /* its own backup is not consistent there */
        s.lost = s.lost.known ? s.lost : x->next;
        x->carried = s;
    } else if (s.end.fault != WAL_WELL) {
        x->has_holes = true;
        if (!is_there && !look_behind(x, &s, until, &is_there, err)) {
            return false;
        }
        if (is_there) {
            return moment_hole(f, &s, x->at[i], err);
        }
    } else if (is_there) {
        found_carried(x, &s);
        return true;
    }
    x->next = s.first.known ? s.first : x->next;
    *done = false;
    return true;
}

/* WAL from before the oldest backup: what is met there is out of reach. */
static bool search_before(struct search *x, struct err *err)
{
    struct finder *f = x->f;
    const struct backup *oldest = f->usable[x->at[0]];
    struct span s = {.f = f, .backup = oldest};
    pg_lsn from = kept_wal_next(&f->kept.lines, f->way.route, 0);
    bool is_there = x->carried.watch.stop.known;

    if (!is_there && from && from < oldest->begin_xlog) {
        s.end.resumes = from;
        if (!look_behind(x, &s, oldest->begin_xlog, &is_there, err)) {
            return false;
        }
    }
    if (is_there) {
        f->facts.verdict = MOMENT_BEFORE;
        return moment_opening(f, x->at[0], 0, &f->facts.above, err);
    }
    f->facts.verdict = MOMENT_UNSEEN;
    f->facts.has_holes = x->has_holes;
    f->facts.xid_from = x->xid_from;
    f->facts.xid_to = x->xid_to;
    return moment_elsewhere(f, oldest, err);
}

bool moment_search(struct finder *f, struct err *err)
{
    struct search x = {.f = f};
    bool ok = true, done = false, has_line = false;

    for (size_t k = f->n; k-- > 0 && !has_line;) {
        has_line = finder_line(f, f->usable[k], err, &ok);
        if (!ok) {
            return false;
        }
    }
    if (!has_line) {
        f->facts.verdict = MOMENT_REFUSED;
        return true;
    }
    if (!list_backups(&x, err)) {
        return false;
    }
    for (size_t i = x.n; ok && !done && i-- > 0;) {
        ok = search_span(&x, i, &done, err);
    }
    return ok && (done || search_before(&x, err));
}
