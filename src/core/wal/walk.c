/* SPDX-License-Identifier: PostgreSQL */
#include "wal/walk.h"

#include "base/bug.h"
#include "base/crc32c.h"
#include "base/get.h"

#include <inttypes.h>
#include <string.h>

#define RM_LAST_BUILTIN 21 /* LogicalMessage */
#define RM_FIRST_CUSTOM 128
#define FRAGMENTS_MAX   16 /* headers before main data, when there is no block reference */

static uint64_t align8(uint64_t n)
{
    return (n + 7) & ~UINT64_C(7);
}

__attribute__((format(printf, 4, 5))) static bool
stop(struct wal_walk *w, enum wal_end_reason reason, pg_lsn lsn, const char *fmt, ...)
{
    struct sbuf why;
    va_list ap;

    w->end.reason = reason;
    w->end.lsn = lsn;
    sbuf_init(&why, w->end.why, sizeof w->end.why);
    va_start(ap, fmt);
    sbuf_vfmt(&why, fmt, ap);
    va_end(ap);
    return false;
}

#define LSN_FMT    "%" PRIX64 "/%" PRIX64
#define LSN_ARG(l) (uint64_t)((l) >> 32), (uint64_t)((l)&UINT32_MAX)

/* --- pages --- */

/* A record that was begun is what is not valid when its next page is not. */
static pg_lsn blame(const struct wal_walk *w)
{
    return w->got > 0 ? w->rec.start : w->at;
}

static bool page_stop(struct wal_walk *w, enum wal_page_fault fault,
                      const struct wal_page *page)
{
    switch (fault) {
    case WAL_PAGE_EMPTY:
        return stop(w, WAL_END_ZERO, blame(w), "empty page at " LSN_FMT, LSN_ARG(w->at));
    case WAL_PAGE_FLAGS:
        return stop(w, WAL_END_PAGE_FLAGS, blame(w), "page flags %04X at " LSN_FMT, page->info,
                    LSN_ARG(w->at));
    case WAL_PAGE_GEOMETRY:
        return stop(w, WAL_END_PAGE_OWNER, blame(w),
                    "impossible sizes in the header at " LSN_FMT, LSN_ARG(w->at));
    default:
        return stop(w, WAL_END_PAGE_MAGIC, blame(w), "page magic %04X at " LSN_FMT, page->magic,
                    LSN_ARG(w->at));
    }
}

static bool owner_check(struct wal_walk *w, const struct wal_page *page)
{
    if (w->opt.sysid != 0 && page->sysid != w->opt.sysid) {
        return stop(w, WAL_END_PAGE_OWNER, blame(w),
                    "system identifier %" PRIu64 " instead of %" PRIu64, page->sysid,
                    w->opt.sysid);
    }
    if (page->seg_size != w->opt.seg_size || page->blcksz != w->opt.blcksz) {
        return stop(w, WAL_END_PAGE_OWNER, blame(w),
                    "segment size %" PRIu32 " and page size %" PRIu32 " in the header",
                    page->seg_size, page->blcksz);
    }
    return true;
}

static bool page_check(struct wal_walk *w, const uint8_t *p, struct wal_page *page)
{
    enum wal_page_fault fault = wal_page_decode(p, w->opt.blcksz, page);
    bool is_first = w->at % w->opt.seg_size == 0;

    if (fault != WAL_PAGE_OK) {
        return page_stop(w, fault, page);
    }
    if (w->major == 0) {
        w->major = page->major;
    }
    if (page->major != w->major) {
        return stop(w, WAL_END_PAGE_MAGIC, blame(w),
                    "page of PostgreSQL %d at " LSN_FMT ", %d expected", page->major,
                    LSN_ARG(w->at), w->major);
    }
    if (is_first != ((page->info & WAL_PAGE_IS_LONG) != 0)) {
        return stop(w, WAL_END_PAGE_FLAGS, blame(w), "page flags %04X at " LSN_FMT, page->info,
                    LSN_ARG(w->at));
    }
    if (is_first && !owner_check(w, page)) {
        return false;
    }
    if (page->addr != w->at) {
        return stop(w, WAL_END_PAGE_ADDR, blame(w),
                    "page address " LSN_FMT " instead of " LSN_FMT, LSN_ARG(page->addr),
                    LSN_ARG(w->at));
    }
    if (page->tli < w->page_tli || page->tli > w->file_tli || page->tli == 0) {
        return stop(w, WAL_END_PAGE_TLI, blame(w),
                    "page of timeline %" PRIu32 " after one of %" PRIu32
                    ", in a file of %" PRIu32,
                    page->tli, w->page_tli, w->file_tli);
    }
    w->page_tli = page->tli;
    return true;
}

/* --- records --- */

static bool header_check(struct wal_walk *w, const struct wal_record *rec)
{
    if (rec->rmid > RM_LAST_BUILTIN && rec->rmid < RM_FIRST_CUSTOM) {
        return stop(w, WAL_END_HEADER, rec->start, "resource manager %u", rec->rmid);
    }
    if (w->is_linked && rec->prev != w->last) {
        return stop(w, WAL_END_PREV, rec->start, "back link " LSN_FMT " instead of " LSN_FMT,
                    LSN_ARG(rec->prev), LSN_ARG(w->last));
    }
    if (!w->is_linked && rec->prev >= rec->start) {
        return stop(w, WAL_END_PREV, rec->start, "back link " LSN_FMT " does not point back",
                    LSN_ARG(rec->prev));
    }
    return true;
}

/* Sum and header are right. body: all of it, or NULL when it was only scanned. */
static bool deliver(struct wal_walk *w, const uint8_t *body)
{
    struct wal_event e;
    uint32_t body_len = w->rec.tot_len - WAL_RECORD_HEADER;
    uint64_t at = 0;
    bool ok;

    memset(&e, 0, offsetof(struct wal_event, xact));
    e.rec = w->rec;
    if (body) {
        ok = wal_body_main(body, body_len, body_len, &at);
        e.main = body + at;
        e.main_len = body_len - (size_t)at;
        ok = ok && wal_event_decode(w->major, &e);
    } else {
        e.main_len = (size_t)w->scan.total;
        ok = wal_event_of_xact(&w->scan, &e);
    }
    if (!ok) {
        return stop(w, WAL_END_MALFORMED, w->rec.start,
                    "contents of record %u/%02X cannot be what they are", w->rec.rmid,
                    w->rec.info);
    }
    if (w->opt.event && !w->opt.event(w->opt.ctx, &e)) {
        return stop(w, WAL_END_STOPPED, w->rec.end, "told to stop");
    }
    return true;
}

/* head: the record's first 24 bytes; w->sum covers the body; w->rec is complete. */
static bool record_end(struct wal_walk *w, const uint8_t *head, const uint8_t *body)
{
    uint32_t sum = crc32c_end(crc32c_feed(w->sum, head, 20));

    w->got = 0;
    if (sum != w->rec.crc) {
        return stop(w, WAL_END_CRC, w->rec.start,
                    "checksum %08" PRIX32 " instead of %08" PRIX32, sum, w->rec.crc);
    }
    if (w->rec.rmid == WAL_RM_XLOG && (w->rec.info & 0xF0) == WAL_OP_SWITCH) {
        uint64_t size = w->opt.seg_size;
        w->rec.end = (w->rec.end + size - 1) / size * size;
        w->skip_to = w->rec.end;
    }
    if (w->records == 0) {
        w->first = w->rec.start;
        w->first_prev = w->rec.prev;
    }
    if (!w->is_linked) {
        w->unproven++;
    }
    w->is_linked = true;
    w->records++;
    w->last = w->rec.start;
    w->last_end = w->rec.end;
    return !w->speaks || deliver(w, body);
}

/* w->head is whole: now the record can be judged, and what to keep of it is known. */
static bool head_done(struct wal_walk *w)
{
    struct wal_record rec;

    wal_record_decode(w->head, &rec);
    rec.start = w->rec.start;
    rec.tli = w->rec.tli;
    if (!header_check(w, &rec)) {
        return false;
    }
    w->rec = rec;
    w->sum = CRC32C_START;
    w->speaks = wal_record_speaks(&rec);
    w->streams = w->speaks && rec.tot_len - WAL_RECORD_HEADER > WAL_WALK_KEEP;
    w->kept = 0;
    if (w->streams && rec.rmid != WAL_RM_XACT) {
        return stop(w, WAL_END_LENGTH, rec.start, "record %u/%02X of %" PRIu32 " bytes",
                    rec.rmid, rec.info, rec.tot_len);
    }
    return true;
}

/* Main data too long to keep: find where it begins, then scan it as it passes. */
static bool body_scan(struct wal_walk *w, const uint8_t *p, size_t n)
{
    if (w->kept < FRAGMENTS_MAX) {
        size_t take = FRAGMENTS_MAX - w->kept < n ? FRAGMENTS_MAX - w->kept : n;
        uint32_t body_len = w->rec.tot_len - WAL_RECORD_HEADER;
        uint64_t at;

        memcpy(w->keep + w->kept, p, take);
        w->kept += (uint32_t)take;
        if (w->kept < FRAGMENTS_MAX) {
            return true;
        }
        if (!wal_body_main(w->keep, FRAGMENTS_MAX, body_len, &at) || at > FRAGMENTS_MAX) {
            return stop(w, WAL_END_MALFORMED, w->rec.start, "no main data in record %u/%02X",
                        w->rec.rmid, w->rec.info);
        }
        wal_xact_begin(&w->scan, w->major, w->rec.info, body_len - at);
        wal_xact_feed(&w->scan, w->keep + at, FRAGMENTS_MAX - (size_t)at);
        p += take;
        n -= take;
    }
    wal_xact_feed(&w->scan, p, n);
    return true;
}

/* The next n bytes of the record at hand; n is not more than it lacks. */
static bool record_feed(struct wal_walk *w, const uint8_t *p, uint32_t n)
{
    if (w->got < WAL_RECORD_HEADER) {
        uint32_t lack = WAL_RECORD_HEADER - w->got;
        uint32_t take = lack < n ? lack : n;

        memcpy(w->head + w->got, p, take);
        w->got += take;
        p += take;
        n -= take;
        if (w->got == WAL_RECORD_HEADER && !head_done(w)) {
            return false;
        }
    }
    if (n == 0) {
        return true;
    }
    w->sum = crc32c_feed(w->sum, p, n);
    w->got += n;
    if (w->streams) {
        return body_scan(w, p, n);
    }
    if (w->speaks) {
        memcpy(w->keep + w->kept, p, n);
        w->kept += n;
    }
    return true;
}

/* A record wholly on this page is summed where it lies. */
static bool record_in_place(struct wal_walk *w, const uint8_t *p, pg_lsn start)
{
    struct wal_record rec;

    wal_record_decode(p, &rec);
    rec.start = start;
    rec.end = start + align8(rec.tot_len);
    rec.tli = w->page_tli;
    if (!header_check(w, &rec)) {
        return false;
    }
    w->rec = rec;
    w->speaks = wal_record_speaks(&rec);
    w->sum = crc32c_feed(CRC32C_START, p + WAL_RECORD_HEADER, rec.tot_len - WAL_RECORD_HEADER);
    return record_end(w, p, p + WAL_RECORD_HEADER);
}

/* Records from pos to the end of the page; the last may go on. */
static bool records_read(struct wal_walk *w, const uint8_t *p, uint32_t pos)
{
    while (pos < w->opt.blcksz && w->at + pos >= w->skip_to) {
        pg_lsn start = w->at + pos;
        uint32_t room = w->opt.blcksz - pos;
        uint32_t tot_len = get_le32(p + pos);

        if (tot_len < WAL_RECORD_HEADER || tot_len > WAL_RECORD_MAX) {
            return stop(w, tot_len == 0 ? WAL_END_ZERO : WAL_END_LENGTH, start,
                        "record length %" PRIu32, tot_len);
        }
        if (tot_len > room) {
            w->rec =
                (struct wal_record){.start = start, .tot_len = tot_len, .tli = w->page_tli};
            w->got = 0;
            return record_feed(w, p + pos, room);
        }
        if (!record_in_place(w, p + pos, start)) {
            return false;
        }
        pos += (uint32_t)align8(tot_len);
    }
    return true;
}

/* The record at hand goes on here. *pos becomes where the next one begins. */
static bool record_continue(struct wal_walk *w, const uint8_t *p, const struct wal_page *page,
                            uint32_t *pos)
{
    uint32_t lack = w->rec.tot_len - w->got;
    uint32_t room = w->opt.blcksz - *pos;

    if (page->info & WAL_PAGE_OVERWRITE) {
        w->got = 0; /* never finished: what follows was written over it after a crash */
        return true;
    }
    if (!(page->info & WAL_PAGE_CONTRECORD) || page->rem_len != lack) {
        return stop(w, WAL_END_CONTINUED, w->rec.start,
                    "%" PRIu32 " bytes missing, the page at " LSN_FMT " continues %" PRIu32,
                    lack, LSN_ARG(w->at), page->rem_len);
    }
    if (lack > room) {
        *pos = w->opt.blcksz;
        return record_feed(w, p + page->header_len, room);
    }
    if (!record_feed(w, p + *pos, lack)) {
        return false;
    }
    *pos += (uint32_t)align8(lack);
    w->rec.end = w->at + *pos;
    return record_end(w, w->head, w->streams ? NULL : w->keep);
}

/* Where the first record of a page begins when none is at hand. */
static bool first_record(struct wal_walk *w, const struct wal_page *page, uint32_t *pos)
{
    if (w->skip_to > w->at + *pos) {
        *pos = (uint32_t)align8(w->skip_to - w->at);
        return true;
    }
    if (!(page->info & WAL_PAGE_CONTRECORD)) {
        return true;
    }
    if (w->is_linked) {
        return stop(w, WAL_END_CONTINUED, w->at,
                    "the page continues %" PRIu32 " bytes of a record that was not begun",
                    page->rem_len);
    }
    uint64_t after = align8(page->rem_len);
    uint32_t room = w->opt.blcksz - *pos;
    *pos = after >= room ? w->opt.blcksz : *pos + (uint32_t)after;
    return true;
}

static bool page_walk(struct wal_walk *w, const uint8_t *p)
{
    struct wal_page page;
    bool is_first = w->at % w->opt.seg_size == 0;

    if (!is_first && w->skip_to >= w->at + w->opt.blcksz) {
        return true; /* filler after a switch, or before the place we were told to begin at */
    }
    if (!page_check(w, p, &page)) {
        return false;
    }
    if (w->skip_to >= w->at + w->opt.blcksz) {
        return true;
    }
    uint32_t pos = page.header_len;
    if (w->got > 0 ? !record_continue(w, p, &page, &pos) : !first_record(w, &page, &pos)) {
        return false;
    }
    return records_read(w, p, pos);
}

/* --- the public part --- */

void wal_walk_init(struct wal_walk *w, const struct wal_walk_options *options)
{
    memset(w, 0, sizeof *w);
    w->opt = *options;
    if (w->opt.blcksz == 0) {
        w->opt.blcksz = WAL_PAGE_SIZE;
    }
    BUG_IF(!wal_seg_size_ok(w->opt.seg_size) || w->opt.seg_size % w->opt.blcksz != 0);
    w->major = w->opt.major;
}

void wal_walk_file(struct wal_walk *w, struct wal_seg seg)
{
    pg_lsn start = wal_seg_start(seg, w->opt.seg_size);

    w->file_tli = seg.tli;
    if (w->is_placed && w->end.reason == WAL_END_NONE && w->at == start) {
        return;
    }
    w->is_placed = true;
    w->is_linked = false;
    w->end = (struct wal_end){.reason = WAL_END_NONE};
    w->at = start;
    w->page_tli = 0;
    w->got = 0;
    w->skip_to = w->opt.from;
}

void wal_walk_page(struct wal_walk *w, struct wal_seg seg, pg_lsn at)
{
    BUG_IF(at / w->opt.seg_size != seg.no);
    w->is_placed = false;
    wal_walk_file(w, seg);
    w->at = at - at % w->opt.blcksz;
}

bool wal_walk_feed(struct wal_walk *w, const void *pages, size_t n)
{
    const uint8_t *p = pages;

    BUG_IF(!w->is_placed || n % w->opt.blcksz != 0);
    for (; n > 0 && w->end.reason == WAL_END_NONE; n -= w->opt.blcksz) {
        if (!page_walk(w, p)) {
            return false;
        }
        p += w->opt.blcksz;
        w->at += w->opt.blcksz;
    }
    return w->end.reason == WAL_END_NONE;
}

bool wal_walk_open(const struct wal_walk *w, pg_lsn *start)
{
    if (w->got == 0 || w->end.reason != WAL_END_NONE) {
        return false;
    }
    *start = w->rec.start;
    return true;
}

const char *wal_end_text(enum wal_end_reason reason)
{
    static const char *const text[] = {
        [WAL_END_NONE] = "nothing wrong",
        [WAL_END_STOPPED] = "told to stop",
        [WAL_END_ZERO] = "nothing was written here",
        [WAL_END_LENGTH] = "impossible record length",
        [WAL_END_PAGE_MAGIC] = "page of no known or of another version",
        [WAL_END_PAGE_FLAGS] = "unknown page flags",
        [WAL_END_PAGE_ADDR] = "page of another place",
        [WAL_END_PAGE_TLI] = "page of a wrong timeline",
        [WAL_END_PAGE_OWNER] = "page of another cluster or size",
        [WAL_END_CONTINUED] = "record not continued",
        [WAL_END_HEADER] = "impossible record header",
        [WAL_END_PREV] = "back link to another record",
        [WAL_END_CRC] = "wrong checksum",
        [WAL_END_MALFORMED] = "impossible record contents",
    };

    BUG_IF((unsigned)reason >= sizeof text / sizeof text[0]);
    return text[reason];
}
