/* SPDX-License-Identifier: PostgreSQL */
#include "plan/coverage_in.h"

#include <string.h>

/* ---- the timelines ------------------------------------------------------------------ */

struct tlis {
    pg_tli *tli;
    size_t n, cap;
};

/* Each once, sorted. */
static bool add_tli(struct coverer *c, struct tlis *t, pg_tli tli, struct err *err)
{
    size_t low = 0, high = t->n;

    while (low < high) {
        size_t mid = low + (high - low) / 2;
        if (t->tli[mid] < tli) {
            low = mid + 1;
        } else {
            high = mid;
        }
    }
    if (tli == 0 || (low < t->n && t->tli[low] == tli)) {
        return true;
    }
    if (t->n == t->cap) {
        size_t cap = t->cap ? 2 * t->cap : 64;
        pg_tli *p = ARENA_ARRAY(c->a, cap, pg_tli);
        if (!p) {
            return arena_err(c->a, err);
        }
        if (t->n) {
            memcpy(p, t->tli, t->n * sizeof *p);
        }
        t->tli = p;
        t->cap = cap;
    }
    memmove(&t->tli[low + 1], &t->tli[low], (t->n - low) * sizeof *t->tli);
    t->tli[low] = tli;
    t->n++;
    return true;
}

static bool known_tlis(struct coverer *c, struct tlis *t, struct err *err)
{
    const struct coverage_facts *f = c->f;
    bool ok = true;

    for (size_t i = 0; ok && i < c->all.n; i++) {
        ok = add_tli(c, t, c->all.run[i].tli, err);
    }
    for (size_t i = 0; ok && i < f->partials; i++) {
        ok = add_tli(c, t, f->partial[i].seg.tli, err);
    }
    for (size_t i = 0; ok && i < f->backups; i++) {
        ok = add_tli(c, t, f->backup[i].tli, err);
    }
    for (size_t i = 0; ok && i < f->histories; i++) {
        for (size_t j = 0; ok && j < f->history[i].n; j++) {
            ok = add_tli(c, t, f->history[i].entry[j].tli, err);
        }
    }
    return ok;
}

static bool make_way(struct coverer *c, struct way *w, pg_tli tli, struct err *err)
{
    w->tli = tli;
    for (size_t i = 0; i < c->f->histories; i++) {
        if (c->f->history[i].tli == tli) {
            w->history = c->f->history[i];
        }
    }
    if (!w->history.n && !history_alone(c->a, tli, &w->history, err)) {
        return false;
    }
    w->parent = w->history.n > 1 ? w->history.entry[w->history.n - 2].tli : 0;
    return way_fill(c, w, err);
}

static bool make_ways(struct coverer *c, struct err *err)
{
    struct tlis t = {0};

    if (!known_tlis(c, &t, err)) {
        return false;
    }
    c->way = ARENA_ARRAY(c->a, t.n + 1, struct way);
    if (!c->way) {
        return arena_err(c->a, err);
    }
    for (size_t i = 0; i < t.n; i++) {
        if (!make_way(c, &c->way[i], t.tli[i], err)) {
            return false;
        }
        c->ways++;
    }
    if (c->ways) {
        struct way *newest = &c->way[c->ways - 1];
        newest->is_newest = true;
        for (size_t i = 0; i < c->ways; i++) {
            c->way[i].is_main = history_find(&newest->history, c->way[i].tli) != NULL;
        }
    }
    return true;
}

/* Where the last WAL of a timeline itself ends, and when it came; 0: it has none. */
static void own_end(const struct coverer *c, pg_tli tli, struct line_part *out)
{
    const struct wal_runs *all = &c->all;
    size_t at = wal_runs_from(all, (struct wal_seg){tli, UINT64_MAX});
    size_t first = wal_runs_from(all, (struct wal_seg){tli, 0});

    if (first < all->n && all->run[first].tli == tli) {
        out->begin_us = all->run[first].from_us;
    }
    if (at > 0 && all->run[at - 1].tli == tli) {
        out->end = (all->run[at - 1].last_no + 1) * all->seg_size;
        out->end_us = all->run[at - 1].to_us;
    }
    for (size_t i = 0; i < c->f->partials; i++) {
        const struct coverage_file *p = &c->f->partial[i];
        const struct coverage_bound *b = bound_first(c->f, p->seg);
        pg_lsn end = b ? b->end : p->seg.no * all->seg_size;

        if (p->seg.tli == tli && end >= out->end) {
            out->end = end;
            out->end_us = p->us;
            out->begin_us = out->begin_us ? out->begin_us : p->us;
        }
    }
}

static bool make_lines(struct coverer *c, struct err *err)
{
    struct line_part *line = ARENA_ARRAY(c->a, c->ways + 1, struct line_part);
    const struct way *newest = c->ways ? &c->way[c->ways - 1] : NULL;

    if (!line) {
        return arena_err(c->a, err);
    }
    for (size_t i = 0; i < c->ways; i++) {
        const struct way *w = &c->way[i];

        line[i] = (struct line_part){
            .tli = w->tli,
            .parent = w->parent,
            .begin = w->history.entry[w->history.n - 1].begin,
            .is_main = w->is_main,
            .is_newest = w->is_newest,
        };
        own_end(c, w->tli, &line[i]);
        if (line[i].end < line[i].begin) {
            line[i].end = line[i].begin;
        }
        if (w->is_main && !w->is_newest) {
            (void)history_switch_of(&newest->history, w->tli, &line[i].end);
        }
    }
    c->out->line = line;
    c->out->lines = c->ways;
    return true;
}

/* ---- the stretches ------------------------------------------------------------------ */

static bool has_copy(const struct backup_row *b)
{
    return (b->status == BACKUP_DONE || b->status == BACKUP_WAITING_FOR_WALS) && b->end_lsn &&
           b->begin_lsn <= b->end_lsn && b->tli;
}

/* A segment that is not whole holds the end of the backup only when the walk has seen it. */
static bool is_proven_to(struct coverer *c, struct wal_seg seg, pg_lsn end)
{
    const struct coverage_bound *b = bound_first(c->f, seg);

    if (!b) {
        marks_ask(c, seg, 0);
    }
    return b && b->end >= end;
}

static void open_stretches(struct coverer *c, struct way *w)
{
    for (size_t i = 0; i < c->f->backups; i++) {
        const struct backup_row *b = &c->f->backup[i];
        struct way_run *run;
        uint64_t last;

        if (!has_copy(b) ||
            (b->tli != w->tli && !history_reaches(&w->history, b->tli, b->end_lsn))) {
            continue;
        }
        last = wal_seg_of_end(w->tli, b->end_lsn, c->all.seg_size).no;
        run = way_find(w, b->begin_lsn / c->all.seg_size, last);
        if (!run || (last == run->last_no && (run->is_partial || run->is_corrupt) &&
                     !is_proven_to(c, way_seg(c, w, last), b->end_lsn))) {
            continue;
        }
        run->backups++;
        if (!run->opener || b->end_lsn < run->opener->end_lsn) {
            run->opener = b;
        }
    }
}

/* Nothing is committed behind that place, as far as is known; of a segment that is not whole it is
 * asked. */
static bool ends_at(struct coverer *c, const struct way *w, const struct way_run *run,
                    pg_lsn at)
{
    struct wal_seg seg = {w->tli, run->last_no};
    const struct coverage_bound *b = bound_first(c->f, seg);

    if (!b && run->is_partial) {
        marks_ask(c, seg, 0);
    }
    return b ? !b->last.us || b->last.lsn < at : run->is_partial;
}

/* Does the run go on in a child, which tells of it? Where only the segment of the switch is
 * left, the parent has a future of its own when there are commits behind the switch. */
static bool told_by(struct coverer *c, const struct way *w, const struct way_run *run,
                    const struct way *child)
{
    const struct way_run *there;
    uint64_t switch_no;
    pg_lsn at;

    if (child == w || !history_switch_of(&child->history, w->tli, &at)) {
        return false;
    }
    for (const struct history_entry *e = history_find(&child->history, w->tli) + 1;
         e < child->history.entry + child->history.n; e++) {
        at = e->begin < at ? e->begin : at;
    }
    switch_no = at / c->all.seg_size;
    there = way_find(child, run->first_no, run->first_no);
    if (!there || there->opener != run->opener || run->last_no > switch_no) {
        return false;
    }
    return run->last_no != switch_no || ends_at(c, w, run, at);
}

static bool is_told(struct coverer *c, const struct way *w, const struct way_run *run)
{
    for (size_t i = 0; i < c->ways; i++) {
        if (told_by(c, w, run, &c->way[i])) {
            return true;
        }
    }
    return false;
}

static bool is_later(const struct stretch *a, const struct stretch *b)
{
    if (a->from.us != b->from.us) {
        return a->from.us > b->from.us;
    }
    return a->to.us != b->to.us ? a->to.us > b->to.us : a->tli > b->tli;
}

/* They come nearly backwards, and there are not more than backups. */
static void put_by_time(struct stretch *list, size_t n, const struct stretch *one)
{
    size_t at = n;

    while (at > 0 && is_later(&list[at - 1], one)) {
        at--;
    }
    memmove(&list[at + 1], &list[at], (n - at) * sizeof *list);
    list[at] = *one;
}

static void fill_stretch(struct coverer *c, const struct way *w, const struct way_run *run,
                         struct stretch *out)
{
    bool is_newest_partial =
        run->is_partial && c->f->partials &&
        wal_seg_cmp(way_seg(c, w, run->last_no), c->f->partial[c->f->partials - 1].seg) == 0;

    *out = (struct stretch){
        .tli = w->tli,
        .is_main = w->is_newest,
        .is_open = w->is_newest && is_newest_partial,
        .backups = run->backups,
    };
    memcpy(out->backup_id, run->opener->id, sizeof out->backup_id);
    marks_fill(c, w, run, out);
}

/* The newest way first, and on it the newest run: what is asked of the walk is in that order. */
static bool make_stretches(struct coverer *c, struct err *err)
{
    struct stretch *list;
    size_t cap = 0, n = 0;

    for (size_t i = 0; i < c->ways; i++) {
        open_stretches(c, &c->way[i]);
        for (size_t j = 0; j < c->way[i].runs; j++) {
            cap += c->way[i].run[j].opener != NULL;
        }
    }
    list = ARENA_ARRAY(c->a, cap + 1, struct stretch);
    if (!list) {
        return arena_err(c->a, err);
    }
    for (size_t i = c->ways; i-- > 0;) {
        const struct way *w = &c->way[i];
        for (size_t j = w->runs; j-- > 0;) {
            if (w->run[j].opener && (w->is_newest || !is_told(c, w, &w->run[j]))) {
                struct stretch one;
                fill_stretch(c, w, &w->run[j], &one);
                put_by_time(list, n++, &one);
            }
        }
    }
    c->out->stretch = list;
    c->out->stretches = n;
    return true;
}

/* ---- the holes ---------------------------------------------------------------------- */

static const struct stretch *stretch_of(const struct coverer *c, const struct way_run *run)
{
    for (size_t i = 0; run->opener && i < c->out->stretches; i++) {
        const struct stretch *s = &c->out->stretch[i];
        if (s->is_main && memcmp(s->backup_id, run->opener->id, sizeof s->backup_id) == 0) {
            return s;
        }
    }
    return NULL;
}

/* When the first stretch of a later run begins; 0: there is none. */
static int64_t goes_on_us(const struct coverer *c, const struct way *w, size_t run)
{
    for (; run < w->runs; run++) {
        const struct stretch *s = stretch_of(c, &w->run[run]);
        if (s) {
            return s->from.us;
        }
    }
    return 0;
}

/* Is there a backup whose own WAL is missing here? */
static bool is_needed(const struct coverer *c, const struct way *w, uint64_t first,
                      uint64_t last)
{
    for (size_t i = 0; i < c->f->backups; i++) {
        const struct backup_row *b = &c->f->backup[i];
        if (has_copy(b) && history_find(&w->history, b->tli) &&
            b->begin_lsn / c->all.seg_size <= last &&
            wal_seg_of_end(w->tli, b->end_lsn, c->all.seg_size).no >= first) {
            return true;
        }
    }
    return false;
}

static void name_hole(const struct coverer *c, const struct way *w, uint64_t first,
                      uint64_t last, struct hole *out)
{
    char name[WAL_NAME_CAP];
    struct wal_seg seg = way_seg(c, w, first);

    out->tli = seg.tli;
    wal_seg_name(seg, c->all.seg_size, name);
    memcpy(out->first, name, sizeof name);
    wal_seg_name(way_seg(c, w, last), c->all.seg_size, name);
    memcpy(out->last, name, sizeof name);
    out->from_lsn = first * c->all.seg_size;
    out->to_lsn = (last + 1) * c->all.seg_size;
    for (size_t i = 0; i < c->f->notes; i++) {
        const struct coverage_note *note = &c->f->note[i];
        if (history_find(&w->history, note->tli) && note->from < out->to_lsn &&
            note->to > out->from_lsn) {
            out->note = note->text;
        }
    }
}

/* Between run i and the next one. */
static void fill_hole(const struct coverer *c, const struct way *w, size_t i, struct hole *out)
{
    const struct way_run *run = &w->run[i];
    const struct stretch *s = stretch_of(c, run);
    const struct way_run *next = i + 1 < w->runs ? &w->run[i + 1] : NULL;
    uint64_t first = run->last_no + !run->is_corrupt;
    uint64_t last =
        next && next->first_no > run->last_no + 1 ? next->first_no - 1 : run->last_no;

    out->why = run->is_corrupt ? HOLE_CORRUPT : HOLE_MISSING;
    if (run->is_partial && last == run->last_no) {
        first = last; /* the rest of a segment that was not received to its end */
    }
    out->segments = last - first + 1;
    name_hole(c, w, first, last, out);
    out->from_us = s ? s->to.us : run->to_us;
    out->to_us = goes_on_us(c, w, i + 1);
    out->hurts = s != NULL || is_needed(c, w, first, last);
}

/* WAL before the first backup, which nobody can use. */
static bool fill_unused(const struct coverer *c, const struct way *w, struct hole *out)
{
    const struct way_run *run = w->runs ? &w->run[0] : NULL;
    uint64_t last;

    if (!run) {
        return false;
    }
    last = run->last_no;
    if (run->opener) {
        uint64_t begin = run->opener->begin_lsn / c->all.seg_size;
        if (begin <= run->first_no) {
            return false;
        }
        last = begin - 1;
    }
    out->why = HOLE_NO_BACKUP;
    name_hole(c, w, run->first_no, last, out);
    out->note = NULL;
    out->from_us = run->from_us;
    out->to_us = goes_on_us(c, w, 0);
    return true;
}

static bool make_holes(struct coverer *c, struct err *err)
{
    const struct way *w = c->ways ? &c->way[c->ways - 1] : NULL;
    size_t n = 0, cap = w ? w->runs + 2 : 1;
    struct hole *hole = ARENA_ARRAY(c->a, cap, struct hole);

    if (!hole) {
        return arena_err(c->a, err);
    }
    if (w && fill_unused(c, w, &hole[0])) {
        n++;
    }
    for (size_t i = 0; w && i < w->runs; i++) {
        if (i + 1 < w->runs || w->run[i].is_corrupt) {
            fill_hole(c, w, i, &hole[n++]);
        }
    }
    c->out->hole = hole;
    c->out->holes = n;
    return true;
}

/* ---- what is told as it is ---------------------------------------------------------- */

static void tell_last(struct coverer *c)
{
    const struct wal_runs *wal = c->f->wal;
    pg_tli newest = c->ways ? c->way[c->ways - 1].tli : 0;
    size_t at = wal_runs_from(wal, (struct wal_seg){newest, UINT64_MAX});
    char name[WAL_NAME_CAP];

    if (at > 0 && wal->run[at - 1].tli == newest) {
        const struct wal_run *run = &wal->run[at - 1];
        wal_seg_name((struct wal_seg){newest, run->last_no}, wal->seg_size, name);
        memcpy(c->out->last_wal, name, sizeof name);
        c->out->last_wal_us = run->to_us;
    }
    c->out->seg_size = wal->seg_size;
    c->out->wal_bytes = wal->bytes;
    c->out->wal_files = wal->files;
    c->out->waiting = c->f->waitings;
    for (size_t i = 0; i < c->f->waitings; i++) {
        int64_t us = c->f->waiting[i].us;
        if (i == 0 || us < c->out->waiting_since_us) {
            c->out->waiting_since_us = us;
        }
    }
}

static bool tell_runs(struct coverer *c, struct err *err)
{
    struct wal_run *run = ARENA_ARRAY(c->a, c->all.n + 1, struct wal_run);
    uint64_t *day = ARENA_ARRAY(c->a, WAL_RATE_DAY, uint64_t);
    uint64_t *whole = ARENA_ARRAY(c->a, WAL_RATE_WHOLE, uint64_t);

    if (!run || !day || !whole) {
        return arena_err(c->a, err);
    }
    if (c->all.n) {
        memcpy(run, c->all.run, c->all.n * sizeof *run);
    }
    c->out->run = run;
    c->out->runs = c->all.n;
    wal_runs_rates(&c->all, c->f->now_us, day, &c->out->day, whole, &c->out->whole);
    return true;
}

bool coverage_make(struct arena *a, const struct coverage_facts *f, struct coverage *out,
                   struct coverage_asks *asks, struct err *err)
{
    struct coverer c = {.a = a, .f = f, .out = out, .asks = asks};
    bool ok;

    *out = (struct coverage){0};
    if (asks) {
        asks->n = 0;
    }
    ok = wal_runs_copy(&c.all, f->wal, err);
    for (size_t i = 0; ok && i < f->waitings; i++) {
        ok = wal_runs_add(&c.all, &f->waiting[i], f->now_us, err);
    }
    ok = ok && tell_runs(&c, err) && make_ways(&c, err) && make_lines(&c, err) &&
         make_stretches(&c, err) && make_holes(&c, err);
    if (ok) {
        tell_last(&c);
    }
    wal_runs_release(&c.all);
    return ok;
}

/* NULL: no memory, which the arena remembers. */
static void *copied(struct arena *a, const void *from, size_t n, size_t size)
{
    void *p = arena_array(a, n + 1, size);

    if (p && n) {
        memcpy(p, from, n * size);
    }
    return p;
}

bool coverage_copy(struct arena *a, const struct coverage *from, struct coverage *out,
                   struct err *err)
{
    struct hole *hole = copied(a, from->hole, from->holes, sizeof *hole);

    *out = *from;
    out->stretch = copied(a, from->stretch, from->stretches, sizeof *from->stretch);
    out->line = copied(a, from->line, from->lines, sizeof *from->line);
    out->run = copied(a, from->run, from->runs, sizeof *from->run);
    out->day.bytes = copied(a, from->day.bytes, from->day.n, sizeof *from->day.bytes);
    out->whole.bytes = copied(a, from->whole.bytes, from->whole.n, sizeof *from->whole.bytes);
    for (size_t i = 0; hole && i < from->holes; i++) {
        hole[i].note = hole[i].note ? arena_strdup(a, hole[i].note) : NULL;
    }
    out->hole = hole;
    return !a->failed || arena_err(a, err);
}
