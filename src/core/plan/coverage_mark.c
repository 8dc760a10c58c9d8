/* SPDX-License-Identifier: PostgreSQL */
/* coverage_mark.c - the moments at the ends of a stretch, from what was walked. */
#include "plan/coverage_in.h"

void marks_ask(struct coverer *c, struct wal_seg seg, pg_lsn from)
{
    struct coverage_asks *asks = c->asks;

    if (!asks || asks->n == COVERAGE_ASKS) {
        return;
    }
    for (size_t i = 0; i < asks->n; i++) {
        if (wal_seg_cmp(asks->ask[i].seg, seg) == 0 && asks->ask[i].from == from) {
            return;
        }
    }
    asks->ask[asks->n++] = (struct coverage_ask){seg, from};
}

/* The last commit in the run, behind the end of the backup. */
static void mark_to(struct coverer *c, const struct way *w, const struct way_run *run,
                    struct stretch *out)
{
    uint64_t low = out->from.lsn / c->all.seg_size, no = run->last_no;

    for (size_t i = 0; i < COVERAGE_REACH && no >= low && no >= run->first_no; i++, no--) {
        struct wal_seg seg = way_seg(c, w, no);
        const struct coverage_bound *b = bound_first(c->f, seg);

        if (!b) {
            marks_ask(c, seg, 0);
            break;
        }
        if (b->last.us && b->last.lsn >= out->from.lsn) {
            out->to = b->last;
            out->to.is_proven = true;
            return;
        }
        if (no == low || no == 0) { /* no commit since the backup */
            out->to = out->from;
            return;
        }
    }
    if (no < low) { /* the backup ends with the last byte there is */
        out->to = out->from;
        return;
    }
    out->to.us = run->to_us > out->from.us ? run->to_us : out->from.us;
    out->to.lsn = (run->last_no + (run->is_partial ? 0 : 1)) * c->all.seg_size;
    if (out->to.lsn < out->from.lsn) {
        out->to.lsn = out->from.lsn;
    }
}

enum found { FOUND_NONE, FOUND_FIRST, FOUND_ASK };

/* What is known of the first commit at or behind `from` in a segment. */
static enum found first_in(const struct coverer *c, struct wal_seg seg, pg_lsn from,
                           struct mark *out)
{
    for (const struct coverage_bound *b = bound_first(c->f, seg); b; b = bound_next(c->f, b)) {
        if (!b->last.us || b->last.lsn < from) {
            return FOUND_NONE;
        }
        if (b->from <= from && (b->from == from || b->first.lsn >= from)) {
            *out = b->first;
            out->is_proven = true;
            return FOUND_FIRST;
        }
    }
    return FOUND_ASK;
}

static void mark_first(struct coverer *c, const struct way *w, const struct way_run *run,
                       struct stretch *out)
{
    pg_lsn end = out->from.lsn;
    uint64_t begin = end / c->all.seg_size;

    for (uint64_t no = begin; no <= run->last_no && no < begin + COVERAGE_REACH; no++) {
        struct wal_seg seg = way_seg(c, w, no);
        pg_lsn from = no == begin && end % c->all.seg_size ? end : 0;
        enum found found = first_in(c, seg, from, &out->first);

        if (found == FOUND_ASK) {
            marks_ask(c, seg, from);
            out->first = (struct mark){.us = out->from.us, .lsn = end};
        }
        if (found != FOUND_NONE) {
            return;
        }
    }
}

void marks_fill(struct coverer *c, const struct way *w, const struct way_run *run,
                struct stretch *out)
{
    const struct backup_row *b = run->opener;
    struct wal_seg end = wal_seg_of_end(w->tli, b->end_lsn, c->all.seg_size);
    const struct coverage_bound *walked = bound_first(c->f, way_seg(c, w, end.no));

    out->from.us = b->end.known ? b->end.us
                                : wal_run_time(&(struct wal_run){.first_no = run->first_no,
                                                                 .last_no = run->last_no,
                                                                 .from_us = run->from_us,
                                                                 .to_us = run->to_us},
                                               end.no);
    out->from.lsn = b->end_lsn;
    out->from.is_proven = b->end.known && walked && walked->end >= b->end_lsn;
    mark_to(c, w, run, out);
    mark_first(c, w, run, out);
    /* The backup's time may be of another clock; commits are where WAL says they are. */
    if (out->first.is_proven && out->first.us < out->from.us) {
        out->from.us = out->first.us;
    }
    if (out->to.us < out->from.us) {
        out->from.us = out->to.us;
    }
}
