/* SPDX-License-Identifier: PostgreSQL */
/* coverage_way.c - the segments on the way to a timeline, as runs without a hole. */
#include "plan/coverage_in.h"

#include <string.h>

/* ---- bounds ------------------------------------------------------------------------- */

int coverage_bound_cmp(const struct coverage_bound *x, const struct coverage_bound *y)
{
    int by_place = wal_seg_cmp(x->seg, y->seg);

    return by_place ? by_place : (x->from > y->from) - (x->from < y->from);
}

static size_t bound_from(const struct coverage_facts *f, struct wal_seg seg)
{
    size_t low = 0, high = f->bounds;

    while (low < high) {
        size_t mid = low + (high - low) / 2;
        if (wal_seg_cmp(f->bound[mid].seg, seg) < 0) {
            low = mid + 1;
        } else {
            high = mid;
        }
    }
    return low;
}

const struct coverage_bound *bound_first(const struct coverage_facts *f, struct wal_seg seg)
{
    size_t at = bound_from(f, seg);

    return at < f->bounds && wal_seg_cmp(f->bound[at].seg, seg) == 0 ? &f->bound[at] : NULL;
}

const struct coverage_bound *bound_next(const struct coverage_facts *f,
                                        const struct coverage_bound *b)
{
    const struct coverage_bound *next = b + 1;

    return next < f->bound + f->bounds && wal_seg_cmp(next->seg, b->seg) == 0 ? next : NULL;
}

/* ---- the way ------------------------------------------------------------------------ */

struct wal_seg way_seg(const struct coverer *c, const struct way *w, uint64_t no)
{
    return (struct wal_seg){history_tli_of_seg(&w->history, no, c->all.seg_size), no};
}

struct way_run *way_find(const struct way *w, uint64_t first_no, uint64_t last_no)
{
    size_t low = 0, high = w->runs;

    while (low < high) {
        size_t mid = low + (high - low) / 2;
        if (w->run[mid].last_no < first_no) {
            low = mid + 1;
        } else {
            high = mid;
        }
    }
    return low < w->runs && w->run[low].first_no <= first_no && w->run[low].last_no >= last_no
               ? &w->run[low]
               : NULL;
}

/* Pieces come in the order of their numbers. */
static bool emit(struct coverer *c, struct way *w, const struct way_run *piece, struct err *err)
{
    struct way_run *last = w->runs ? &w->run[w->runs - 1] : NULL;

    if (last && last->last_no + 1 == piece->first_no && !last->is_partial &&
        !last->is_corrupt) {
        last->last_no = piece->last_no;
        last->to_us = piece->to_us;
        last->is_partial = piece->is_partial;
        last->is_corrupt = piece->is_corrupt;
        return true;
    }
    if (w->runs == w->cap) {
        size_t cap = w->cap ? 2 * w->cap : 8;
        struct way_run *p = ARENA_ARRAY(c->a, cap, struct way_run);
        if (!p) {
            return arena_err(c->a, err);
        }
        if (w->runs) {
            memcpy(p, w->run, w->runs * sizeof *p);
        }
        w->run = p;
        w->cap = cap;
    }
    w->run[w->runs++] = *piece;
    return true;
}

/* Segments first .. last of a run, cut behind each one that is damaged. */
static bool emit_run(struct coverer *c, struct way *w, const struct wal_run *run,
                     uint64_t first, uint64_t last, struct err *err)
{
    const struct coverage_facts *f = c->f;
    struct way_run piece = {.first_no = first};

    for (size_t i = bound_from(f, (struct wal_seg){run->tli, first}); i < f->bounds; i++) {
        const struct coverage_bound *b = &f->bound[i];

        if (b->seg.tli != run->tli || b->seg.no > last) {
            break;
        }
        if (b->is_sound || b->seg.no < piece.first_no) {
            continue;
        }
        piece.last_no = b->seg.no;
        piece.from_us = wal_run_time(run, piece.first_no);
        piece.to_us = wal_run_time(run, piece.last_no);
        piece.is_corrupt = true;
        if (!emit(c, w, &piece, err)) {
            return false;
        }
        if (b->seg.no == last) {
            return true;
        }
        piece = (struct way_run){.first_no = b->seg.no + 1};
    }
    piece.last_no = last;
    piece.from_us = wal_run_time(run, piece.first_no);
    piece.to_us = wal_run_time(run, last);
    return emit(c, w, &piece, err);
}

/* What one timeline gives to the way: its segments first .. last. */
struct span {
    pg_tli tli;
    uint64_t first, last;
};

static bool emit_partials(struct coverer *c, struct way *w, const struct span *s,
                          uint64_t before, size_t *at, struct err *err)
{
    const struct coverage_facts *f = c->f;

    for (; *at < f->partials; (*at)++) {
        const struct coverage_file *p = &f->partial[*at];
        struct way_run piece = {p->seg.no, p->seg.no, p->us, p->us, .is_partial = true};

        if (p->seg.tli > s->tli || (p->seg.tli == s->tli && p->seg.no >= before)) {
            break;
        }
        if (p->seg.tli == s->tli && p->seg.no >= s->first && p->seg.no <= s->last &&
            !wal_runs_find(&c->all, p->seg) && !emit(c, w, &piece, err)) {
            return false;
        }
    }
    return true;
}

static bool emit_span(struct coverer *c, struct way *w, const struct span *s, struct err *err)
{
    const struct wal_runs *all = &c->all;
    size_t partial = 0;

    for (size_t i = wal_runs_from(all, (struct wal_seg){s->tli, s->first}); i < all->n; i++) {
        const struct wal_run *run = &all->run[i];
        uint64_t first = run->first_no < s->first ? s->first : run->first_no;
        uint64_t last = run->last_no > s->last ? s->last : run->last_no;

        if (run->tli != s->tli || first > s->last) {
            break;
        }
        if (!emit_partials(c, w, s, first, &partial, err) ||
            !emit_run(c, w, run, first, last, err)) {
            return false;
        }
    }
    return emit_partials(c, w, s, UINT64_MAX, &partial, err);
}

bool way_fill(struct coverer *c, struct way *w, struct err *err)
{
    const struct history *h = &w->history;

    for (size_t i = 0; i < h->n; i++) {
        struct span s = {.tli = h->entry[i].tli, .last = UINT64_MAX};

        s.first = i ? h->entry[i].begin / c->all.seg_size : 0;
        for (size_t j = i + 1; j < h->n;
             j++) { /* a child's copy of a segment is the one read */
            uint64_t begin = h->entry[j].begin / c->all.seg_size;
            if (begin <= s.last) {
                s.last = begin - 1; /* 0 - 1: nothing is left, as for any begin <= first */
                s.first = begin == 0 ? UINT64_MAX : s.first;
            }
        }
        if (s.first <= s.last && s.first != UINT64_MAX && !emit_span(c, w, &s, err)) {
            return false;
        }
    }
    return true;
}
