/* SPDX-License-Identifier: PostgreSQL */
#include "engine/bounds.h"

#include "base/fmt.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

void bounds_init(struct bounds *b)
{
    *b = (struct bounds){0};
}

void bounds_release(struct bounds *b)
{
    free(b->line);
    *b = (struct bounds){0};
}

static bool bounds_grow(struct bounds *b, struct err *err)
{
    size_t cap = b->cap ? 2 * b->cap : 16;
    struct bounds_line *p = realloc(b->line, cap * sizeof *p);

    if (!p) {
        return err_set(err, ERR_MEMORY, "", "", "out of memory");
    }
    b->line = p;
    b->cap = cap;
    return true;
}

bool bounds_put(struct bounds *b, const struct bounds_line *line, struct err *err)
{
    size_t at = b->n;

    while (at > 0 && coverage_bound_cmp(&b->line[at - 1].bound, &line->bound) > 0) {
        at--;
    }
    if (at > 0 && coverage_bound_cmp(&b->line[at - 1].bound, &line->bound) == 0) {
        b->line[at - 1] = *line;
        return true;
    }
    if (b->n >= BOUNDS_MAX) {
        return true;
    }
    if (b->n == b->cap && !bounds_grow(b, err)) {
        return false;
    }
    memmove(&b->line[at + 1], &b->line[at], (b->n - at) * sizeof *b->line);
    b->line[at] = *line;
    b->n++;
    return true;
}

void bounds_filter(struct bounds *b, bool (*keep)(void *ctx, const struct bounds_line *line),
                   void *ctx)
{
    size_t n = 0;

    for (size_t i = 0; i < b->n; i++) {
        if (keep(ctx, &b->line[i])) {
            b->line[n++] = b->line[i];
        }
    }
    b->n = n;
}

/* ---- a line ------------------------------------------------------------------------- */

static bool next_field(struct str *rest, struct str *field)
{
    return str_split(rest, '\t', field);
}

static bool take_lsn(struct str *rest, pg_lsn *out)
{
    struct str field;

    return next_field(rest, &field) && wal_lsn_parse(field, out);
}

static bool take_number(struct str *rest, uint64_t max, uint64_t *out)
{
    struct str field;

    return next_field(rest, &field) && str_u64(field, max, out);
}

static bool take_mark(struct str *rest, struct mark *out)
{
    uint64_t us, xid;

    if (!take_number(rest, INT64_MAX, &us) || !take_lsn(rest, &out->lsn) ||
        !take_number(rest, UINT32_MAX, &xid)) {
        return false;
    }
    out->us = (int64_t)us;
    out->xid = (pg_xid)xid;
    out->is_proven = us != 0;
    return us != 0 || (out->lsn == 0 && xid == 0);
}

/* Do the places agree with the segment and with each other? */
static bool fits(const struct coverage_bound *b, uint32_t seg_size)
{
    pg_lsn start = wal_seg_start(b->seg, seg_size), stop = start + seg_size;
    bool has_first = b->first.us != 0, has_last = b->last.us != 0;

    return b->end >= start && b->end <= stop &&
           (b->from == 0 || (b->from >= start && b->from < stop)) &&
           (!has_first || (has_last && b->first.lsn >= start && b->first.lsn <= b->last.lsn)) &&
           (!has_last || (b->last.lsn >= start && b->last.lsn < stop));
}

static bool take_segment(struct str *rest, uint32_t seg_size, struct wal_seg *out)
{
    char name[WAL_NAME_CAP];
    struct str field;
    struct err odd;

    if (!next_field(rest, &field) || field.n != WAL_NAME_LEN) {
        return false;
    }
    memcpy(name, field.p, WAL_NAME_LEN);
    name[WAL_NAME_LEN] = '\0';
    return wal_seg_parse(name, seg_size, out, &odd);
}

bool bounds_parse_line(struct str line, uint32_t seg_size, struct bounds_line *out)
{
    struct bounds_line got = {0};
    struct str field;
    uint64_t mtime;

    if (!take_segment(&line, seg_size, &got.bound.seg) ||
        !take_number(&line, INT64_MAX, &got.size) || !take_number(&line, INT64_MAX, &mtime) ||
        !take_lsn(&line, &got.bound.from) || !next_field(&line, &field)) {
        return false;
    }
    got.mtime_ns = (int64_t)mtime;
    got.bound.is_sound = str_eq(field, "sound");
    if ((!got.bound.is_sound && !str_eq(field, "broken")) || !take_lsn(&line, &got.bound.end) ||
        !take_mark(&line, &got.bound.first) || !take_mark(&line, &got.bound.last) ||
        line.n != 0 || !fits(&got.bound, seg_size)) {
        return false;
    }
    *out = got;
    return true;
}

static void put_mark(struct sbuf *b, const struct mark *m)
{
    char lsn[FMT_CAP];

    sbuf_fmt(b, "\t%" PRId64 "\t%s\t%" PRIu32, m->us, fmt_lsn(m->lsn, lsn), m->xid);
}

void bounds_put_line(struct sbuf *b, uint32_t seg_size, const struct bounds_line *line)
{
    char name[WAL_NAME_CAP], from[FMT_CAP], end[FMT_CAP];

    wal_seg_name(line->bound.seg, seg_size, name);
    sbuf_fmt(b, "%s\t%" PRIu64 "\t%" PRId64 "\t%s\t%s\t%s", name, line->size, line->mtime_ns,
             fmt_lsn(line->bound.from, from), line->bound.is_sound ? "sound" : "broken",
             fmt_lsn(line->bound.end, end));
    put_mark(b, &line->bound.first);
    put_mark(b, &line->bound.last);
    sbuf_char(b, '\n');
}
