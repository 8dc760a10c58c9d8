/* SPDX-License-Identifier: PostgreSQL */
/* moment_walk.c - walks over kept WAL with a target in mind, and what lies around a fault. */
#include "engine/moment_in.h"

#include <string.h>

#define PROOF_SEGMENTS 4 /* so far behind the stop the first lost commit is looked for */
#define CHOICES_MAX    64

static struct wal_mark mark_of(const struct wal_event *e)
{
    return (struct wal_mark){.known = true,
                             .start = e->rec.start,
                             .end = e->rec.end,
                             .tli = e->rec.tli,
                             .xid = e->xid,
                             .us = e->time_us};
}

/* Is all seen that the answer needs? For a name all of the span is read, since another restore
 * point of that name may follow. */
static bool is_enough(const struct span *s, pg_lsn at)
{
    pg_lsn room = (pg_lsn)PROOF_SEGMENTS * s->f->kept.lines.seg_size;

    if (!s->watch.stop.known || s->watch.target->kind == TARGET_NAME) {
        return false;
    }
    return s->lost.known || at > s->watch.stop.end + room;
}

static void note_xids(struct span *s, const struct wal_event *e)
{
    if (e->kind == WAL_EVENT_CHECKPOINT) {
        s->xid_to = (pg_xid)e->checkpoint.next_xid;
        if (!s->xid_from) {
            s->xid_from = s->xid_to;
        }
    } else if (e->xid && (!s->xid_to || (int32_t)(e->xid - (pg_xid)s->xid_to) >= 0)) {
        s->xid_to = (uint64_t)e->xid + 1;
    }
}

/* The end of the backup is a stop without a record: what follows is lost. */
static bool on_immediate(struct span *s, const struct wal_event *e)
{
    if (e->rec.start >= s->watch.consistent) {
        if (e->kind == WAL_EVENT_COMMIT) {
            s->lost = mark_of(e);
        }
        return e->kind != WAL_EVENT_COMMIT &&
               e->rec.start <
                   s->watch.consistent + (pg_lsn)PROOF_SEGMENTS * s->f->kept.lines.seg_size;
    }
    (void)target_watch_feed(&s->watch, e);
    return true;
}

static bool on_event(void *ctx, const struct wal_event *e)
{
    struct span *s = ctx;
    const struct wal_mark *kept = &s->watch.last_commit;

    note_xids(s, e);
    if (s->watch.target->kind == TARGET_IMMEDIATE) {
        return on_immediate(s, e);
    }
    (void)target_watch_feed(&s->watch, e);
    if (e->kind == WAL_EVENT_COMMIT) {
        if (!s->first.known) {
            s->first = mark_of(e);
        }
        if (s->watch.stop.known && !s->lost.known &&
            (!kept->known || kept->start != e->rec.start)) {
            s->lost = mark_of(e);
        }
    }
    return !is_enough(s, e->rec.end);
}

static bool on_reach(void *ctx, pg_lsn start, pg_lsn end)
{
    struct span *s = ctx;

    (void)target_watch_reach(&s->watch, start, end);
    return !is_enough(s, end);
}

bool span_walk(struct span *s, pg_lsn from, pg_lsn until, struct err *err)
{
    struct finder *f = s->f;

    target_watch_init(&s->watch, &f->target, s->backup->begin_xlog, s->backup->end_xlog);
    f->way.ctx = s;
    f->way.event = on_event;
    f->way.reach = on_reach;
    return wal_way_walk(&f->way, from, until, &s->end, err);
}

bool span_is_consistent(const struct span *s)
{
    return s->end.end >= s->watch.consistent;
}

bool moment_opening(struct finder *f, size_t i, pg_lsn from, struct mark *out, struct err *err)
{
    *out = (struct mark){.us = 0};
    for (; i < f->n; i++) {
        const struct backup *b = f->usable[i];
        struct span s = {.f = f, .backup = b};

        if (b->begin_xlog < from || !b->end_time.known) {
            continue;
        }
        if (!span_walk(&s, b->begin_xlog, b->end_xlog, err)) {
            return false;
        }
        if (s.end.fault == WAL_WELL) {
            *out = (struct mark){
                .us = b->end_time.us, .lsn = s.watch.consistent, .is_proven = true};
            return true;
        }
    }
    return true;
}

/* The last commit in front of the fault that can be had: by an older backup, when this one is
 * not consistent there. */
static bool last_before(struct finder *f, const struct span *s, size_t k, struct err *err)
{
    pg_lsn until = s->backup->begin_xlog;

    f->facts.below = moment_mark(&s->watch.last_commit);
    if (span_is_consistent(s)) {
        if (!s->watch.last_commit.known) {
            f->facts.below = (struct mark){
                .us = s->backup->end_time.us, .lsn = s->watch.consistent, .is_proven = true};
        }
        return true;
    }
    while (k-- > 0) {
        struct span old = {.f = f, .backup = f->usable[k]};

        if (!span_walk(&old, old.backup->begin_xlog, until, err)) {
            return false;
        }
        if (old.end.fault == WAL_WELL && f->facts.below.us) {
            return true; /* it reaches from the older one to the commit found above */
        }
        if (old.watch.last_commit.known || span_is_consistent(&old)) {
            f->facts.below = moment_mark(&old.watch.last_commit);
        }
        if (span_is_consistent(&old)) {
            return true;
        }
        until = old.backup->begin_xlog;
    }
    f->facts.below = (struct mark){.us = 0};
    return true;
}

bool moment_hole(struct finder *f, const struct span *s, size_t k, struct err *err)
{
    const struct timelines *lines = &f->kept.lines;
    uint64_t to = s->end.fault_no;
    char name[WAL_NAME_CAP];

    f->facts.verdict = MOMENT_HOLE;
    f->facts.fault = s->end.fault;
    f->facts.where = s->end.where;
    f->facts.why = s->end.why;
    f->facts.missing = 1;
    if (s->end.fault == WAL_GAP && s->end.resumes) {
        to = s->end.resumes / lines->seg_size - 1;
        f->facts.missing = to - s->end.fault_no + 1;
    }
    wal_seg_name((struct wal_seg){history_tli_of_seg(f->way.route, to, lines->seg_size), to},
                 lines->seg_size, name);
    f->facts.to = arena_strdup(f->a, name);
    return moment_opening(f, k + 1, s->end.resumes, &f->facts.above, err) &&
           last_before(f, s, k, err);
}

bool moment_elsewhere(struct finder *f, const struct backup *base, struct err *err)
{
    struct timeline_base from = {base->timeline, base->begin_xlog, base->end_xlog};
    const struct history *route = f->way.route;
    struct timeline_choice choice[CHOICES_MAX];
    size_t n = timeline_choices(&f->kept.lines, &from, choice, CHOICES_MAX);
    bool ok = true;

    for (size_t i = 0; ok && i < n && i < CHOICES_MAX; i++) {
        struct span s = {.f = f, .backup = base};
        struct history_spare spare;
        const struct history *h;
        pg_lsn begin = choice[i].begin;

        /* Of an ancestor, what it wrote after it was left. */
        if (!choice[i].is_reachable || (history_find(route, choice[i].tli) &&
                                        !history_switch_of(route, choice[i].tli, &begin))) {
            continue;
        }
        h = timeline_history(&f->kept.lines, choice[i].tli, &spare);
        if (!h) {
            continue;
        }
        f->way.route = h;
        ok = span_walk(&s, begin, 0, err);
        f->way.route = route;
        if (ok && s.watch.stop.known && !s.watch.stop_too_early) {
            f->facts.verdict = MOMENT_ELSEWHERE;
            f->facts.elsewhere = choice[i].tli;
            return true;
        }
    }
    return ok;
}

void moment_found(struct finder *f, const struct span *s)
{
    f->facts.backup = s->backup;
    f->facts.before = s->watch.last_commit;
    f->facts.stop = s->watch.stop;
    f->facts.lost = s->lost;
    f->facts.names = s->watch.names;
    f->named = s->watch;
    f->facts.named = f->named.named;
    f->facts.stop_is_abort = s->watch.stop.known && s->watch.stop.xid &&
                             f->target.kind == TARGET_TIME &&
                             (!s->lost.known || s->lost.start != s->watch.stop.start);
    f->facts.verdict = s->watch.stop_is_abort ? MOMENT_ABORTED : MOMENT_WELL;
    if (s->watch.stop_is_abort) {
        f->facts.below = moment_mark(&s->watch.last_commit);
        f->facts.above = moment_mark(&s->lost);
    }
}
