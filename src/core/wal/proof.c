/* SPDX-License-Identifier: PostgreSQL */
#include "wal/proof.h"

#include "base/crc32c.h"
#include "base/get.h"

#include <inttypes.h>
#include <string.h>

#define LSN_FMT    "%" PRIX64 "/%" PRIX64
#define LSN_ARG(l) (uint64_t)((l) >> 32), (uint64_t)((l)&UINT32_MAX)

__attribute__((format(printf, 4, 5))) static bool
wrong(struct wal_end *end, enum wal_end_reason reason, pg_lsn lsn, const char *fmt, ...)
{
    struct sbuf why;
    va_list ap;

    end->reason = reason;
    end->lsn = lsn;
    sbuf_init(&why, end->why, sizeof end->why);
    va_start(ap, fmt);
    sbuf_vfmt(&why, fmt, ap);
    va_end(ap);
    return false;
}

/* --- one segment --- */

void wal_proof_begin(struct wal_proof *p, const struct wal_proof_of *what)
{
    const struct wal_walk_options options = {
        .seg_size = what->seg_size,
        .blcksz = what->blcksz,
        .sysid = what->sysid,
        .major = what->major,
    };

    memset(&p->edge, 0, sizeof p->edge);
    p->edge.seg = what->seg;
    p->end = (struct wal_end){.reason = WAL_END_NONE};
    p->in_lead = true;
    wal_walk_init(&p->walk, &options);
    wal_walk_file(&p->walk, what->seg);
}

static void lead_bytes(struct wal_edge *e, const uint8_t *p, uint32_t n)
{
    uint32_t raw = e->lead_here < WAL_LEAD_RAW ? WAL_LEAD_RAW - e->lead_here : 0;

    raw = raw < n ? raw : n;
    memcpy(e->lead_raw + (raw ? e->lead_here : 0), p, raw);
    e->lead_sum = crc32c_feed(e->lead_sum, p + raw, n - raw);
    e->lead_here += n;
}

/* The walk passes over what it has not seen the beginning of: here it is summed. */
static bool lead_page(struct wal_proof *p, const uint8_t *at)
{
    const struct wal_walk_options *opt = &p->walk.opt;
    struct wal_edge *e = &p->edge;
    bool is_first = p->walk.at % opt->seg_size == 0;
    struct wal_page page;

    if (wal_page_decode(at, opt->blcksz, &page) != WAL_PAGE_OK) {
        return true; /* the walk says it */
    }
    if (is_first) {
        e->sysid = page.sysid;
        e->first_tli = page.tli;
        e->lead = page.info & WAL_PAGE_CONTRECORD ? page.rem_len : 0;
    }
    if (page.info & WAL_PAGE_OVERWRITE) {
        e->is_overwrite = true;
        e->lead = e->lead_here = 0;
    }
    if (e->lead == e->lead_here) {
        p->in_lead = false;
        return true;
    }
    if (!(page.info & WAL_PAGE_CONTRECORD) || page.rem_len != e->lead - e->lead_here ||
        page.rem_len > WAL_RECORD_MAX) {
        return wrong(&p->end, WAL_END_CONTINUED, p->walk.at,
                     "%" PRIu32 " bytes missing, the page at " LSN_FMT " continues %" PRIu32,
                     e->lead - e->lead_here, LSN_ARG(p->walk.at), page.rem_len);
    }
    uint32_t room = opt->blcksz - page.header_len, lack = e->lead - e->lead_here;
    lead_bytes(e, at + page.header_len, lack < room ? lack : room);
    p->in_lead = lack > room;
    return true;
}

/* The end of a switch record that began in the segment before: the rest is filler. */
static bool may_be_filler(const struct wal_proof *p)
{
    const struct wal_edge *e = &p->edge;
    uint64_t start = p->walk.at - p->walk.at % p->walk.opt.seg_size;

    return p->walk.end.reason == WAL_END_ZERO && p->walk.records == 0 && e->lead > 0 &&
           e->lead == e->lead_here && e->lead <= WAL_LEAD_RAW &&
           p->walk.end.lsn == start + WAL_PAGE_LONG + e->lead;
}

bool wal_proof_feed(struct wal_proof *p, const void *pages, size_t n)
{
    const uint8_t *at = pages;
    uint32_t blcksz = p->walk.opt.blcksz;

    while (n > 0 && p->in_lead) {
        if (!lead_page(p, at)) {
            return false;
        }
        if (!wal_walk_feed(&p->walk, at, blcksz)) {
            break;
        }
        at += blcksz;
        n -= blcksz;
    }
    if (p->edge.is_filler) {
        return true;
    }
    if (p->walk.end.reason == WAL_END_NONE && wal_walk_feed(&p->walk, at, n)) {
        return true;
    }
    p->edge.is_filler = may_be_filler(p);
    if (!p->edge.is_filler) {
        p->end = p->walk.end;
    }
    return p->edge.is_filler;
}

bool wal_proof_end(struct wal_proof *p)
{
    const struct wal_walk *w = &p->walk;
    struct wal_edge *e = &p->edge;

    if (p->end.reason != WAL_END_NONE) {
        return false;
    }
    e->last_tli = w->page_tli;
    if (e->is_filler) {
        return true;
    }
    if (w->at % w->opt.seg_size != 0 || w->at == wal_seg_start(e->seg, w->opt.seg_size)) {
        return wrong(&p->end, WAL_END_ZERO, w->at, "shorter than a segment");
    }
    e->first = w->first;
    e->first_prev = w->first_prev;
    e->has_first = w->records > 0;
    e->last = w->last;
    if (wal_walk_open(w, &e->open)) {
        e->open_len = w->rec.tot_len;
        e->open_got = w->got;
        e->open_sum = w->got >= WAL_RECORD_HEADER ? w->sum : 0;
        memcpy(e->open_head, w->head, w->got < WAL_RECORD_HEADER ? w->got : WAL_RECORD_HEADER);
        if (w->records == 0) {
            e->first = e->open;
            e->has_first = w->got >= WAL_RECORD_HEADER;
            e->first_prev = e->has_first ? get_le64(e->open_head + 8) : 0;
        }
    }
    return true;
}

/* --- two of them --- */

/* The sum of `sum` with n bytes behind it whose own sum, from 0, is `tail`. */
static uint32_t sum_join(uint32_t sum, uint32_t tail, uint64_t n)
{
    static const uint8_t zeros[4096];

    while (n > 0) {
        size_t some = n < sizeof zeros ? (size_t)n : sizeof zeros;
        sum = crc32c_feed(sum, zeros, some);
        n -= some;
    }
    return sum ^ tail;
}

/* The record begun in `b` with what `e` holds of it: into *r, as an edge's open one. */
static void put_together(const struct wal_edge *b, const struct wal_edge *e, struct wal_edge *r)
{
    uint32_t raw = e->lead_here < WAL_LEAD_RAW ? e->lead_here : WAL_LEAD_RAW, used = 0;

    r->open = b->open;
    r->open_len = b->open_len;
    r->open_got = b->open_got + e->lead_here;
    r->open_sum = b->open_sum;
    memcpy(r->open_head, b->open_head, sizeof r->open_head);
    if (b->open_got < WAL_RECORD_HEADER) {
        used = WAL_RECORD_HEADER - b->open_got;
        used = used < raw ? used : raw;
        memcpy(r->open_head + b->open_got, e->lead_raw, used);
        r->open_sum = CRC32C_START;
    }
    r->open_sum = crc32c_feed(r->open_sum, e->lead_raw + used, raw - used);
    r->open_sum = sum_join(r->open_sum, e->lead_sum, e->lead_here - raw);
}

/* All of it is there: header and sum. */
static bool record_proven(const struct wal_edge *b, const struct wal_edge *e,
                          const struct wal_edge *r, struct wal_end *end)
{
    struct wal_record rec;
    uint32_t sum = crc32c_end(crc32c_feed(r->open_sum, r->open_head, 20));

    wal_record_decode(r->open_head, &rec);
    if (sum != rec.crc) {
        return wrong(end, WAL_END_CRC, r->open,
                     "checksum %08" PRIX32 " instead of %08" PRIX32
                     " of a record over two segments",
                     sum, rec.crc);
    }
    if (b->open_got < WAL_RECORD_HEADER && b->last && rec.prev != b->last) {
        return wrong(end, WAL_END_PREV, r->open, "back link " LSN_FMT " instead of " LSN_FMT,
                     LSN_ARG(rec.prev), LSN_ARG(b->last));
    }
    if (e->is_filler && (rec.rmid != WAL_RM_XLOG || (rec.info & 0xF0) != WAL_OP_SWITCH)) {
        return wrong(end, WAL_END_ZERO, r->open, "nothing was written behind this record");
    }
    return true;
}

/* The first record's back link; prev 0: not known. */
static enum wal_join link_join(const struct wal_edge *e, pg_lsn prev, struct wal_end *end)
{
    if (!e->first) {
        return WAL_JOIN_PROVEN;
    }
    if (!prev || !e->has_first) {
        return WAL_JOIN_UNPROVEN;
    }
    if (e->first_prev == prev) {
        return WAL_JOIN_PROVEN;
    }
    wrong(end, WAL_END_PREV, e->first, "back link " LSN_FMT " instead of " LSN_FMT,
          LSN_ARG(e->first_prev), LSN_ARG(prev));
    return WAL_JOIN_BROKEN;
}

/* Nothing goes over the border. */
static enum wal_join plain_join(const struct wal_edge *b, struct wal_edge *e,
                                struct wal_end *end)
{
    if (e->lead > 0) {
        wrong(end, WAL_END_CONTINUED, e->first,
              "it continues %" PRIu32 " bytes of a record that was not begun", e->lead);
        return WAL_JOIN_BROKEN;
    }
    e->last = e->last ? e->last : b->last;
    return link_join(e, b->last, end);
}

static enum wal_join lead_join(const struct wal_edge *b, struct wal_edge *e,
                               struct wal_end *end)
{
    struct wal_edge r = *e;

    if (b->open_len - b->open_got != e->lead) {
        wrong(end, WAL_END_CONTINUED, b->open,
              "%" PRIu32 " bytes missing, the next segment continues %" PRIu32,
              b->open_len - b->open_got, e->lead);
        return WAL_JOIN_BROKEN;
    }
    put_together(b, e, &r);
    if (e->lead > e->lead_here) { /* it goes on behind this one too */
        *e = r;
        e->last = b->last;
        return WAL_JOIN_PROVEN;
    }
    if (!record_proven(b, e, &r, end)) {
        return WAL_JOIN_BROKEN;
    }
    e->last = e->last ? e->last : b->open;
    return link_join(e, b->open, end);
}

enum wal_join wal_edge_join(const struct wal_edge *before, struct wal_edge *e,
                            struct wal_end *end)
{
    bool goes_on = before->open || before->lead > before->lead_here;
    bool is_reset = e->lead == 0 && e->has_first && e->first_prev == 0;

    if (e->sysid != before->sysid || is_reset) {
        return WAL_JOIN_UNPROVEN;
    }
    if (e->first_tli < before->last_tli) {
        wrong(end, WAL_END_PAGE_TLI, e->first,
              "page of timeline %" PRIu32 " after one of %" PRIu32, e->first_tli,
              before->last_tli);
        return WAL_JOIN_BROKEN;
    }
    if (goes_on && !e->is_overwrite) {
        /* The beginning lies in a segment that is not known. */
        return before->open ? lead_join(before, e, end) : WAL_JOIN_UNPROVEN;
    }
    return plain_join(before, e, end);
}

/* --- text --- */

static void put_hex(struct sbuf *b, const uint8_t *p, size_t n)
{
    sbuf_char(b, ' ');
    for (size_t i = 0; i < n; i++) {
        sbuf_fmt(b, "%02X", p[i]);
    }
}

void wal_edge_put(struct sbuf *b, const struct wal_edge *e)
{
    const uint64_t n[] = {
        e->seg.tli,  e->seg.no,       e->first_tli, e->last_tli,  e->lead,     e->lead_here,
        e->lead_sum, e->is_overwrite, e->is_filler, e->has_first, e->first,    e->first_prev,
        e->last,     e->open,         e->open_len,  e->open_got,  e->open_sum, e->sysid,
    };

    for (size_t i = 0; i < sizeof n / sizeof n[0]; i++) {
        sbuf_fmt(b, "%s%" PRIu64, i ? " " : "", n[i]);
    }
    put_hex(b, e->lead_raw, sizeof e->lead_raw);
    put_hex(b, e->open_head, sizeof e->open_head);
}

static bool take_hex(struct str *line, uint8_t *out, size_t n)
{
    struct str field;
    uint64_t v;

    if (!str_split(line, ' ', &field) || field.n != 2 * n) {
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        if (!str_hex_u64(str_n(field.p + 2 * i, 2), 2, &v)) {
            return false;
        }
        out[i] = (uint8_t)v;
    }
    return true;
}

enum {
    F_TLI,
    F_NO,
    F_TLI1,
    F_TLI2,
    F_LEAD,
    F_HERE,
    F_SUM,
    F_OVER,
    F_FILL,
    F_HAS,
    F_FIRST,
    F_PREV,
    F_LAST,
    F_OPEN,
    F_LEN,
    F_GOT,
    F_OSUM,
    F_SYSID,
    FIELDS
};

/* Nothing that a join could not stand. */
static bool fits(const struct wal_edge *e)
{
    bool has_len = e->open_len >= WAL_RECORD_HEADER && e->open_len <= WAL_RECORD_MAX;

    return e->seg.tli > 0 && e->first_tli > 0 && e->first_tli <= e->last_tli &&
           e->last_tli <= e->seg.tli && e->lead <= WAL_RECORD_MAX && e->lead_here <= e->lead &&
           (e->open ? has_len && e->open_got < e->open_len && e->open_got >= 8
                    : e->open_len == 0 && e->open_got == 0);
}

bool wal_edge_parse(struct str line, struct wal_edge *out)
{
    static const uint64_t most[FIELDS] = {
        UINT32_MAX, UINT64_MAX, UINT32_MAX, UINT32_MAX, UINT32_MAX, UINT32_MAX,
        UINT32_MAX, 1,          1,          1,          UINT64_MAX, UINT64_MAX,
        UINT64_MAX, UINT64_MAX, UINT32_MAX, UINT32_MAX, UINT32_MAX, UINT64_MAX,
    };
    uint64_t n[FIELDS];
    struct str field;

    for (size_t i = 0; i < FIELDS; i++) {
        if (!str_split(&line, ' ', &field) || !str_u64(field, most[i], &n[i])) {
            return false;
        }
    }
    *out = (struct wal_edge){
        .seg = {(pg_tli)n[F_TLI], n[F_NO]},
        .sysid = n[F_SYSID],
        .first_tli = (pg_tli)n[F_TLI1],
        .last_tli = (pg_tli)n[F_TLI2],
        .lead = (uint32_t)n[F_LEAD],
        .lead_here = (uint32_t)n[F_HERE],
        .lead_sum = (uint32_t)n[F_SUM],
        .is_overwrite = n[F_OVER] != 0,
        .is_filler = n[F_FILL] != 0,
        .has_first = n[F_HAS] != 0,
        .first = n[F_FIRST],
        .first_prev = n[F_PREV],
        .last = n[F_LAST],
        .open = n[F_OPEN],
        .open_len = (uint32_t)n[F_LEN],
        .open_got = (uint32_t)n[F_GOT],
        .open_sum = (uint32_t)n[F_OSUM],
    };
    return take_hex(&line, out->lead_raw, sizeof out->lead_raw) &&
           take_hex(&line, out->open_head, sizeof out->open_head) && line.n == 0 && fits(out);
}
