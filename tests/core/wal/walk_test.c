/* SPDX-License-Identifier: PostgreSQL */
/* Real pages of PostgreSQL 15 with pg_waldump's list of their records (tests/data/wal), and
 * pages written by mkwal.h and then damaged at known places. */
#include "wal/walk.h"

#include "core/wal/data.h"
#include "core/wal/mkwal.h"
#include "harness.h"

#include <stdlib.h>

#define SEG8 "000000010000000000000008"
#define SEG9 "000000010000000000000009"
#define FORK "000000020000000000000009"

static uint8_t real[MK_SEG], second[MK_SEG];
static struct wal_walk walk;

struct seen {
    struct wal_event e[64];
    size_t n, most; /* most: stop after so many; 0: never */
    char path[32];  /* of a tablespace */
};
static struct seen seen;

static bool remember(void *ctx, const struct wal_event *e)
{
    struct seen *s = ctx;

    if (s->n < sizeof s->e / sizeof s->e[0]) {
        s->e[s->n] = *e;
    }
    if (e->kind == WAL_EVENT_TABLESPACE) {
        assert_true(str_copy(s->path, sizeof s->path, e->tablespace.location));
    }
    s->n++;
    return s->n != s->most;
}

static void begin(pg_lsn from, uint64_t sysid)
{
    seen.n = 0;
    seen.most = 0;
    wal_walk_init(
        &walk,
        &(struct wal_walk_options){
            .seg_size = MK_SEG, .sysid = sysid, .from = from, .event = remember, .ctx = &seen});
}

static size_t count(enum wal_event_kind kind)
{
    size_t n = 0;

    for (size_t i = 0; i < seen.n; i++) {
        n += seen.e[i].kind == kind;
    }
    return n;
}

static size_t load(const char *name, uint8_t out[MK_SEG])
{
    memset(out, 0, MK_SEG);
    size_t n = data_read(name, out, MK_SEG);
    assert_true(n >= MK_PAGE && n % MK_PAGE == 0);
    return n;
}

/* 726 727 731 732 734 committed, 730 and 733 rolled back: see the .txt file. */
static void real_segment(void **state)
{
    static const pg_xid xid[] = {726, 727, 730, 731, 732, 733, 734};
    size_t found = 0;

    (void)state;
    load(SEG8, real);
    begin(0, 0);
    wal_walk_file(&walk, (struct wal_seg){1, 8});
    assert_true(wal_walk_feed(&walk, real, MK_SEG));
    assert_int_equal(walk.end.reason, WAL_END_NONE);
    assert_int_equal(walk.records, 58);
    assert_int_equal(walk.unproven, 1);
    assert_int_equal(walk.first, 0x800028);
    assert_int_equal(walk.last, 0x8060C8);
    assert_int_equal(walk.last_end, 0x900000);
    assert_int_equal(count(WAL_EVENT_COMMIT), 5);
    assert_int_equal(count(WAL_EVENT_ABORT), 2);
    assert_int_equal(count(WAL_EVENT_CHECKPOINT), 1);
    assert_int_equal(count(WAL_EVENT_SWITCH), 1);
    for (size_t i = 0; i < seen.n; i++) {
        const struct wal_event *e = &seen.e[i];
        if (e->kind == WAL_EVENT_COMMIT || e->kind == WAL_EVENT_ABORT) {
            assert_int_equal(e->xid, xid[found++]);
        }
        if (e->kind == WAL_EVENT_RESTORE_POINT) {
            assert_string_equal(e->name, "before drop");
            assert_int_equal(e->rec.start, 0x800290);
            assert_int_equal(e->rec.prev, 0x800268);
            assert_int_equal(e->rec.end, 0x8002F8);
        }
        if (e->kind == WAL_EVENT_CHECKPOINT) {
            assert_int_equal(e->checkpoint.redo, 0x806018);
            assert_int_equal(e->checkpoint.tli, 1);
        }
    }
    assert_int_equal(seen.e[0].rec.start, 0x800068);
    assert_int_equal(seen.e[0].time_us, INT64_C(1795382249032263));
    assert_int_equal(seen.e[1].xact.subxacts.n, 2);
}

static void page_by_page_is_the_same(void **state)
{
    struct seen whole;

    (void)state;
    load(SEG8, real);
    begin(0, 0);
    wal_walk_file(&walk, (struct wal_seg){1, 8});
    assert_true(wal_walk_feed(&walk, real, MK_SEG));
    whole = seen;
    begin(0, 0);
    wal_walk_file(&walk, (struct wal_seg){1, 8});
    for (size_t at = 0; at < MK_SEG; at += MK_PAGE) {
        assert_true(wal_walk_feed(&walk, real + at, MK_PAGE));
    }
    assert_int_equal(walk.records, 58);
    assert_int_equal(seen.n, whole.n);
    for (size_t i = 0; i < seen.n; i++) {
        assert_int_equal(seen.e[i].kind, whole.e[i].kind);
        assert_int_equal(seen.e[i].rec.start, whole.e[i].rec.start);
        assert_int_equal(seen.e[i].time_us, whole.e[i].time_us);
    }
}

/* Timeline 1 goes on for 45 records, timeline 2 for 46; both follow segment 8. */
static void over_segments_and_timelines(void **state)
{
    static const struct {
        const char *name;
        struct wal_seg seg;
        uint64_t records;
        size_t checkpoints;
    } next[] = {{SEG9, {1, 9}, 58 + 45, 1}, {FORK, {2, 9}, 58 + 46, 2}};

    (void)state;
    load(SEG8, real);
    for (size_t i = 0; i < 2; i++) {
        load(next[i].name, second);
        begin(0, 0);
        wal_walk_file(&walk, (struct wal_seg){1, 8});
        assert_true(wal_walk_feed(&walk, real, MK_SEG));
        wal_walk_file(&walk, next[i].seg);
        assert_true(wal_walk_feed(&walk, second, MK_SEG));
        assert_int_equal(walk.records, next[i].records);
        assert_int_equal(walk.unproven, 1);
        assert_int_equal(count(WAL_EVENT_CHECKPOINT), next[i].checkpoints);
        assert_int_equal(count(WAL_EVENT_RESTORE_POINT), 2);
    }
    assert_int_equal(seen.e[seen.n - 3].checkpoint.tli, 2);
    assert_int_equal(seen.e[seen.n - 3].checkpoint.prev_tli, 1);
}

static void seeded(void **state)
{
    (void)state;
    load(SEG8, real);
    begin(0x805188, 0); /* xid 731 on the third page; 732, 733, 734 follow */
    wal_walk_file(&walk, (struct wal_seg){1, 8});
    assert_true(wal_walk_feed(&walk, real, MK_SEG));
    assert_int_equal(walk.first, 0x805188);
    assert_int_equal(count(WAL_EVENT_COMMIT), 3);
    assert_int_equal(count(WAL_EVENT_RESTORE_POINT), 0);
}

static void gap_is_not_proven_and_not_wrong(void **state)
{
    (void)state;
    load(SEG8, real);
    begin(0, 0);
    wal_walk_file(&walk, (struct wal_seg){1, 8});
    assert_true(wal_walk_feed(&walk, real, 4 * MK_PAGE));
    load(SEG9, second);
    wal_walk_file(&walk, (struct wal_seg){1, 9}); /* though 8 was not fed to its end */
    assert_true(wal_walk_feed(&walk, second, MK_SEG));
    assert_int_equal(walk.records, 58 + 45);
    assert_int_equal(walk.unproven, 2);
}

static void callback_ends_it(void **state)
{
    (void)state;
    load(SEG8, real);
    begin(0, 0);
    seen.most = 2;
    wal_walk_file(&walk, (struct wal_seg){1, 8});
    assert_false(wal_walk_feed(&walk, real, MK_SEG));
    assert_int_equal(walk.end.reason, WAL_END_STOPPED);
    assert_int_equal(seen.n, 2);
    assert_int_equal(walk.last, 0x800150);
    assert_false(wal_walk_feed(&walk, real, MK_PAGE));
    assert_int_equal(seen.n, 2);
}

/* No changed byte of a record or of a page header goes unnoticed. The records and their lengths
 * are pg_waldump's. */
static void every_byte_counts(void **state)
{
    static char text[16384];
    size_t n = load(SEG8, real), flips = 0;

    (void)state;
    text[data_read(SEG8 ".txt", text, sizeof text - 1)] = '\0';
    for (const char *p = text; (p = strstr(p, "lsn: 0/")); p++) {
        size_t at = (size_t)strtoul(p + 7, NULL, 16) % MK_SEG;
        const char *len = p;
        while (*len != '/' || len[1] != ' ') {
            len--; /* back to "(rec/tot):    63/    63," */
        }
        size_t tot = (size_t)strtoul(len + 1, NULL, 10);
        if (at / MK_PAGE != (at + tot - 1) / MK_PAGE) {
            continue;
        }
        for (size_t i = at; i < at + tot; i++, flips++) {
            real[i] ^= 0x04;
            begin(0, 0);
            wal_walk_file(&walk, (struct wal_seg){1, 8});
            assert_false(wal_walk_feed(&walk, real, MK_SEG));
            assert_int_equal(walk.end.lsn, 0x800000 + at);
            real[i] ^= 0x04;
        }
    }
    assert_true(flips > 4000);
    for (size_t page = 0; page < n; page += MK_PAGE) {
        for (size_t i = page; i < page + 20; i++) {
            real[i] ^= 0x20;
            begin(0, 0);
            wal_walk_file(&walk, (struct wal_seg){1, 8});
            bool went_on = wal_walk_feed(&walk, real, n);
            real[i] ^= 0x20;
            /* rem_len says nothing on the two pages that continue nothing */
            assert_true(!went_on || ((page == 0 || page == 3 * MK_PAGE) && i >= page + 16));
        }
    }
}

/* --- written and damaged --- */

static uint8_t stream[2 * MK_SEG], rec[512 * 1024];

enum shape {
    SHORTS,    /* five restore points from offset 40, 104 bytes apart (101 aligned) */
    LONG,      /* one, then a record of another kind over 3 pages, then one */
    SPLIT,     /* as LONG, begun 16 bytes before the page ends */
    OVERWRITE, /* as LONG, cut after its first page and overwritten */
};

static void restore_point(struct mk *m, const char *name)
{
    memset(rec, 0x55, 24 + 5 + 72); /* what follows the name is garbage on a server too */
    memset(rec + 29, 0, 8);
    memcpy(rec + 37, name, strlen(name) + 1);
    mk_record(m, 0, 0x70, rec, 72);
}

static void write_shape(struct mk *m, enum shape shape)
{
    mk_page(m, 0, 0);
    restore_point(m, "one");
    if (shape == SHORTS) {
        for (int i = 0; i < 4; i++) {
            restore_point(m, "more");
        }
        return;
    }
    if (shape == SPLIT) { /* fill the page up to 16 bytes before its end */
        uint32_t n = (uint32_t)(MK_PAGE - 16 - 29 - (m->at + 7) / 8 * 8);
        memset(rec, 7, n + 29);
        mk_record(m, 10, 0, rec, n);
    }
    memset(rec, 9, 20029);
    mk_record(m, 10, 0, rec, 20000);
    if (shape == OVERWRITE) {
        memset(stream + MK_PAGE, 0, sizeof stream - MK_PAGE);
        m->at = MK_PAGE;
        m->prev = MK_BASE + 40;
        mk_page(m, 8, 0);
        mk_le(rec + 29, MK_BASE + 40 + 104, 8);
        mk_le(rec + 37, 0, 8);
        mk_record(m, 0, 0xD0, rec, 16);
    }
    restore_point(m, "last");
}

static const struct row {
    const char *label;
    enum shape shape;
    int at, n; /* poke n little-endian bytes there; n 0: nothing */
    uint64_t value;
    enum wal_end_reason reason;
    uint64_t records;
    pg_lsn lsn; /* of the end, from MK_BASE */
} rows[] = {
    {"116 zeros behind the last", SHORTS, 0, 0, 0, WAL_END_ZERO, 5, 40 + 5 * 104},
    {"long record", LONG, 0, 0, 0, WAL_END_ZERO, 3, 20328},
    {"header over two pages", SPLIT, 0, 0, 0, WAL_END_ZERO, 4, 28384},
    {"overwritten", OVERWRITE, 0, 0, 0, WAL_END_ZERO, 3, 8192 + 24 + 48 + 104},
    {"length 0", SHORTS, 144, 4, 0, WAL_END_ZERO, 1, 144},
    {"length 23", SHORTS, 144, 4, 23, WAL_END_LENGTH, 1, 144},
    {"length over 1 GiB", SHORTS, 144, 4, 0x40000001, WAL_END_LENGTH, 1, 144},
    {"length -1", SHORTS, 144, 4, 0xFFFFFFFF, WAL_END_LENGTH, 1, 144},
    {"length 1 GiB, zeros follow", SHORTS, 144, 4, 0x40000000, WAL_END_LENGTH, 1, 144},
    {"length 500 MB of another kind", LONG, 144, 4, 500000000, WAL_END_CONTINUED, 1, 144},
    {"wrong xid", SHORTS, 148, 4, 1, WAL_END_CRC, 1, 144},
    {"116 stale record", SHORTS, 152, 8, 0x100028, WAL_END_PREV, 1, 144},
    {"first points ahead", SHORTS, 48, 8, 0x400000, WAL_END_PREV, 0, 40},
    {"manager 22", SHORTS, 161, 1, 22, WAL_END_HEADER, 1, 144},
    {"manager 127", SHORTS, 161, 1, 127, WAL_END_HEADER, 1, 144},
    {"manager 128, wrong sum", SHORTS, 161, 1, 128, WAL_END_CRC, 1, 144},
    {"magic of 16", LONG, 8192, 2, 0xD113, WAL_END_PAGE_MAGIC, 1, 144},
    {"no magic", LONG, 8192, 2, 0x1234, WAL_END_PAGE_MAGIC, 1, 144},
    {"116 encrypted page", LONG, 8194, 2, 0x11, WAL_END_PAGE_FLAGS, 1, 144},
    {"long header inside", LONG, 8194, 2, 3, WAL_END_PAGE_OWNER, 1, 144},
    {"page of timeline 2", LONG, 8196, 4, 2, WAL_END_PAGE_TLI, 1, 144},
    {"page of timeline 0", LONG, 8196, 4, 0, WAL_END_PAGE_TLI, 1, 144},
    {"116 recycled page", LONG, 16392, 8, 0x104000, WAL_END_PAGE_ADDR, 1, 144},
    {"rem_len too small", LONG, 8208, 4, 100, WAL_END_CONTINUED, 1, 144},
    {"rem_len too large", LONG, 16400, 4, 50000, WAL_END_CONTINUED, 1, 144},
    {"not continued", LONG, 8194, 2, 0, WAL_END_CONTINUED, 1, 144},
    {"continues what was not begun", OVERWRITE, 144, 4, 0, WAL_END_ZERO, 1, 144},
    {"116 torn page", LONG, 12280, 8, 0, WAL_END_CRC, 1, 144},
    {"changed in the middle", LONG, 10000, 1, 1, WAL_END_CRC, 1, 144},
    {"second half of a header", SPLIT, 8192 + 25, 1, 100, WAL_END_HEADER, 2, 8176},
    {"other cluster", SHORTS, 24, 8, 43, WAL_END_PAGE_OWNER, 0, 0},
    {"other segment size", SHORTS, 32, 4, 0x200000, WAL_END_PAGE_OWNER, 0, 0},
    {"other page size", SHORTS, 36, 4, 4096, WAL_END_PAGE_OWNER, 0, 0},
    {"empty first page", SHORTS, -1, 0, 0, WAL_END_ZERO, 0, 0},
};

static void check_row(void **state)
{
    const struct row *r = *state;
    struct mk m = {.buf = stream, .tli = 1};

    memset(stream, 0, sizeof stream);
    if (r->at >= 0) {
        write_shape(&m, r->shape);
    }
    mk_le(stream + (r->at > 0 ? r->at : 0), r->value, r->n);
    begin(0, 42);
    wal_walk_file(&walk, (struct wal_seg){1, 3});
    assert_false(wal_walk_feed(&walk, stream, MK_SEG));
    assert_string_equal(wal_end_text(walk.end.reason), wal_end_text(r->reason));
    assert_int_equal(walk.records, r->records);
    assert_int_equal(walk.end.lsn, MK_BASE + r->lsn);
    assert_true(walk.end.why[0] != '\0');
}

static void overwritten_is_named(void **state)
{
    struct mk m = {.buf = stream, .tli = 1};

    (void)state;
    memset(stream, 0, sizeof stream);
    write_shape(&m, OVERWRITE);
    begin(0, 42);
    wal_walk_file(&walk, (struct wal_seg){1, 3});
    assert_false(wal_walk_feed(&walk, stream, MK_SEG));
    assert_int_equal(seen.n, 3);
    assert_int_equal(seen.e[1].kind, WAL_EVENT_OVERWRITE);
    assert_int_equal(seen.e[1].lsn, MK_BASE + 144);
    assert_string_equal(seen.e[2].name, "last");
}

/* Only its creation speaks, and only with a path that ends. */
static void tablespace_is_named(void **state)
{
    struct mk m = {.buf = stream, .tli = 1};
    uint8_t *at = rec + 29;

    (void)state;
    memset(stream, 0, sizeof stream);
    mk_le(at, 16389, 4);
    memcpy(at + 4, "/fast", 6);
    mk_record(&m, 5, 0x00, rec, 10);
    mk_record(&m, 5, 0x10, rec, 4);
    begin(0, 42);
    wal_walk_file(&walk, (struct wal_seg){1, 3});
    assert_false(wal_walk_feed(&walk, stream, MK_SEG));
    assert_int_equal(walk.records, 2);
    assert_int_equal(seen.n, 1);
    assert_int_equal(seen.e[0].kind, WAL_EVENT_TABLESPACE);
    assert_int_equal(seen.e[0].tablespace.oid, 16389);
    assert_string_equal(seen.path, "/fast");

    m = (struct mk){.buf = stream, .tli = 1};
    memset(stream, 0, sizeof stream);
    mk_record(&m, 5, 0x00, rec, 9);
    begin(0, 42);
    wal_walk_file(&walk, (struct wal_seg){1, 3});
    assert_false(wal_walk_feed(&walk, stream, MK_SEG));
    assert_int_equal(walk.end.reason, WAL_END_MALFORMED);
}

/* A record that began before what is fed is stepped over, however long. */
static void begun_elsewhere(void **state)
{
    struct mk m = {.buf = stream, .tli = 1};
    pg_lsn start;

    (void)state;
    memset(stream, 0, sizeof stream);
    m.at = MK_SEG - MK_PAGE;
    mk_page(&m, 0, 0);
    memset(rec, 3, 30029);
    mk_record(&m, 10, 0, rec, 30000); /* runs over the whole first pages of the next segment */
    restore_point(&m, "here");
    begin(0, 42);
    wal_walk_file(&walk, (struct wal_seg){1, 4});
    assert_false(wal_walk_feed(&walk, stream + MK_SEG, MK_SEG));
    assert_int_equal(walk.records, 1);
    assert_string_equal(seen.e[0].name, "here");

    begin(MK_BASE + MK_SEG - MK_PAGE + 24, 42);
    wal_walk_file(&walk, (struct wal_seg){1, 3});
    mk_le(stream, 0xD110, 2); /* a first page, for its owner */
    m.at = 0;
    mk_page(&m, 0, 0);
    assert_true(wal_walk_feed(&walk, stream, MK_SEG));
    assert_true(wal_walk_open(&walk, &start));
    assert_int_equal(start, MK_BASE + MK_SEG - MK_PAGE + 24);
    wal_walk_file(&walk, (struct wal_seg){1, 4});
    assert_false(wal_walk_feed(&walk, stream + MK_SEG, MK_SEG));
    assert_false(wal_walk_open(&walk, &start));
    assert_int_equal(walk.records, 2);
}

/* COMMIT PREPARED of 100 000 subtransactions: 400 KB of main data, in 64 KiB of memory. */
static void many_subtransactions(void **state)
{
    struct mk m = {.buf = stream, .tli = 1};
    uint32_t subs = 100000, n = 8 + 4 + 4 + 4 * subs + 4;

    (void)state;
    memset(stream, 0, sizeof stream);
    mk_page(&m, 0, 0);
    memset(rec, 0, n + 29);
    mk_le(rec + 29, 1000000, 8);
    mk_le(rec + 37, 1u << 1 | 1u << 4, 4);
    mk_le(rec + 41, subs, 4);
    mk_le(rec + 29 + n - 4, 4711, 4);
    mk_record(&m, 1, 0xB0, rec, n);
    begin(0, 42);
    wal_walk_file(&walk, (struct wal_seg){1, 3});
    assert_false(wal_walk_feed(&walk, stream, MK_SEG));
    assert_int_equal(walk.end.reason, WAL_END_ZERO);
    assert_int_equal(seen.n, 1);
    assert_int_equal(seen.e[0].kind, WAL_EVENT_COMMIT);
    assert_int_equal(seen.e[0].xid, 4711);
    assert_int_equal(seen.e[0].xact.subxacts.n, subs);
    assert_int_equal(seen.e[0].time_us, INT64_C(946684801000000));
    assert_null(seen.e[0].main);
}

static void sound_sum_impossible_contents(void **state)
{
    struct mk m = {.buf = stream, .tli = 1};

    (void)state;
    memset(stream, 0, sizeof stream);
    mk_page(&m, 0, 0);
    memset(rec, 0, 64);
    mk_le(rec + 37, 2, 4);
    mk_le(rec + 41, 0xFFFFFFFF, 4); /* -1 subtransactions */
    mk_record(&m, 1, 0x80, rec, 16);
    begin(0, 42);
    wal_walk_file(&walk, (struct wal_seg){1, 3});
    assert_false(wal_walk_feed(&walk, stream, MK_SEG));
    assert_int_equal(walk.end.reason, WAL_END_MALFORMED);
    assert_int_equal(seen.n, 0);
}

TEST_MAIN(ONE(real_segment), ONE(page_by_page_is_the_same), ONE(over_segments_and_timelines),
          ONE(seeded), ONE(gap_is_not_proven_and_not_wrong), ONE(callback_ends_it),
          ONE(every_byte_counts), ROWS(rows, check_row), ONE(overwritten_is_named),
          ONE(tablespace_is_named), ONE(begun_elsewhere), ONE(many_subtransactions),
          ONE(sound_sum_impossible_contents))
