/* SPDX-License-Identifier: PostgreSQL */
#include "plan/timeline.h"

#include "base/fmt.h"

#include <inttypes.h>

const struct history *timeline_history(const struct timelines *t, pg_tli tli,
                                       struct history_spare *spare)
{
    for (size_t i = 0; i < t->n; i++) {
        if (t->history[i].tli == tli) {
            return &t->history[i];
        }
    }
    if (tli != 1) {
        return NULL;
    }
    spare->entry = (struct history_entry){.tli = 1, .end = HISTORY_NO_END, .reason = ""};
    spare->history = (struct history){.tli = 1, .entry = &spare->entry, .n = 1};
    return &spare->history;
}

static bool has_file(const struct timelines *t, pg_tli tli)
{
    for (size_t i = 0; i < t->n; i++) {
        if (t->history[i].tli == tli) {
            return true;
        }
    }
    return false;
}

/* PostgreSQL asks for the next number until the answer is no. */
static pg_tli latest(const struct timelines *t, pg_tli from)
{
    while (from < UINT32_MAX && has_file(t, from + 1)) {
        from++;
    }
    return from;
}

static bool missing_err(pg_tli tli, struct err *err)
{
    char name[WAL_HISTORY_NAME_CAP];

    wal_history_name(tli, name);
    return err_set(err, ERR_MISSING, "Archive the file, or choose another timeline.", name,
                   "the history of timeline %" PRIu32 " is not in the archive", tli);
}

bool timeline_resolve(const struct timelines *t, const struct timeline_want *want,
                      const struct timeline_base *base, pg_tli *out, struct err *err)
{
    pg_tli tli = base->tli;

    if (want->kind == TIMELINE_LATEST) {
        tli = latest(t, base->tli);
    } else if (want->kind == TIMELINE_NUMBER) {
        tli = want->tli;
    }
    if (tli == 0) {
        return err_set(err, ERR_USAGE, "Name a timeline from 1 on.", "0", "not a timeline");
    }
    /* A backup can stay on its own timeline without the file; to go elsewhere needs it. */
    if (tli != 1 && tli != base->tli && !has_file(t, tli)) {
        return missing_err(tli, err);
    }
    *out = tli;
    return true;
}

bool timeline_check(const struct timelines *t, pg_tli target, const struct timeline_base *base,
                    struct err *err)
{
    struct history_spare spare;
    char what[32], begin[FMT_CAP], end[FMT_CAP];

    if (target == base->tli) {
        return true;
    }
    const struct history *h = timeline_history(t, target, &spare);
    if (!h) {
        return missing_err(target, err);
    }
    str_fmt(what, sizeof what, "timeline %" PRIu32, target);
    if (!history_find(h, base->tli)) {
        return err_set(err, ERR_USAGE, "Choose a backup taken on the way to that timeline.",
                       what, "it does not descend from timeline %" PRIu32 " of the backup",
                       base->tli);
    }
    if (history_reaches(h, base->tli, base->end)) {
        return true;
    }
    pg_lsn left = HISTORY_NO_END;
    for (const struct history_entry *e = history_find(h, base->tli) + 1; e < h->entry + h->n;
         e++) {
        left = e->begin < left ? e->begin : left;
    }
    return err_set(err, ERR_USAGE, "Choose a backup that ended before the switch.", what,
                   "it left timeline %" PRIu32 " at %s, before the backup ended at %s",
                   base->tli, fmt_lsn(left, begin), fmt_lsn(base->end, end));
}

/* First segment in the list at or after seg. */
static size_t lower_bound(const struct timelines *t, struct wal_seg seg)
{
    size_t low = 0, high = t->segs;

    while (low < high) {
        size_t mid = low + (high - low) / 2;
        if (wal_seg_cmp(t->seg[mid], seg) < 0) {
            low = mid + 1;
        } else {
            high = mid;
        }
    }
    return low;
}

bool timeline_has(const struct timelines *t, struct wal_seg seg)
{
    size_t at = lower_bound(t, seg);

    return at < t->segs && wal_seg_cmp(t->seg[at], seg) == 0;
}

static uint64_t newest_seg(const struct timelines *t, pg_tli tli)
{
    struct wal_seg beyond = {.tli = tli, .no = UINT64_MAX};
    size_t at = lower_bound(t, beyond);

    return at > 0 && t->seg[at - 1].tli == tli ? t->seg[at - 1].no : 0;
}

/* Does a reachable timeline other than tli itself come from it? */
static bool is_leaf(const struct timelines *t, pg_tli tli, const struct timeline_base *base)
{
    for (size_t i = 0; i < t->n; i++) {
        const struct history *h = &t->history[i];
        if (h->tli != tli && history_find(h, tli) && history_reaches(h, base->tli, base->end)) {
            return false;
        }
    }
    return true;
}

static struct timeline_choice choice_of(const struct timelines *t, const struct history *h,
                                        const struct timeline_base *base)
{
    const struct history_entry *own = &h->entry[h->n - 1];

    return (struct timeline_choice){
        .tli = h->tli,
        .parent = h->n > 1 ? own[-1].tli : 0,
        .begin = own->begin,
        .is_reachable = h->tli == base->tli || history_reaches(h, base->tli, base->end),
        .is_leaf = is_leaf(t, h->tli, base),
        .is_latest = h->tli == latest(t, base->tli),
        .last_no = newest_seg(t, h->tli),
    };
}

/* The smallest known timeline above `after`; NULL: none. */
static const struct history *next_history(const struct timelines *t, pg_tli after)
{
    const struct history *best = NULL;

    for (size_t i = 0; i < t->n; i++) {
        const struct history *h = &t->history[i];
        if (h->tli > after && (!best || h->tli < best->tli)) {
            best = h;
        }
    }
    return best;
}

size_t timeline_choices(const struct timelines *t, const struct timeline_base *base,
                        struct timeline_choice *out, size_t cap)
{
    struct history_entry alone = {.tli = base->tli, .end = HISTORY_NO_END, .reason = ""};
    struct history own = {.tli = base->tli, .entry = &alone, .n = 1};
    struct history_spare spare;
    const struct history *h = timeline_history(t, base->tli, &spare);
    size_t n = 0;

    for (h = h ? h : &own; h; h = next_history(t, h->tli)) {
        if (n < cap) {
            out[n] = choice_of(t, h, base);
        }
        n++;
    }
    return n;
}

size_t timeline_branches(const struct timeline_choice *choice, size_t n)
{
    size_t leaves = 0;

    for (size_t i = 0; i < n; i++) {
        leaves += choice[i].is_reachable && choice[i].is_leaf;
    }
    return leaves;
}

void timeline_path_init(struct timeline_path *p, const struct history *h, uint32_t seg_size,
                        pg_lsn from, pg_lsn until)
{
    *p = (struct timeline_path){
        .history = h,
        .seg_size = seg_size,
        .no = wal_seg_at(h->tli, from, seg_size).no,
        .last_no = wal_seg_of_end(h->tli, until > 0 ? until : UINT64_MAX, seg_size).no,
    };
    p->is_done = p->no > p->last_no;
}

bool timeline_path_next(struct timeline_path *p, struct wal_seg *out)
{
    if (p->is_done) {
        return false;
    }
    *out = (struct wal_seg){
        .tli = history_tli_of_seg(p->history, p->no, p->seg_size),
        .no = p->no,
    };
    p->is_done = p->no == p->last_no;
    p->no++;
    return true;
}

bool timeline_gap(const struct timelines *t, struct timeline_path path, uint64_t *have,
                  struct wal_seg *missing)
{
    struct wal_seg seg;

    *have = 0;
    while (timeline_path_next(&path, &seg)) {
        if (!timeline_has(t, seg)) {
            *missing = seg;
            return true;
        }
        (*have)++;
    }
    return false;
}
