/* SPDX-License-Identifier: PostgreSQL */
/* Streams of three segments, written by mkwal.h from PostgreSQL's headers and then damaged at
 * known places. Each segment is walked by itself; then they are joined in the order in which they
 * were written, and, for the rows that hold a border, from the last to the first. */
#include "wal/proof.h"

#include "core/wal/mkwal.h"
#include "harness.h"

#include <stdlib.h>

#define MIB  (1024u * 1024u)
#define SEGS 3
#define NO0  4u /* number of the first one */

enum border {         /* what lies over the end of the first segment */
              PLAIN,  /* `left` bytes before it a record of 329 bytes begins */
              LONG,   /* one that is longer than a segment */
              SWITCH, /* a switch `left` bytes before it; zeros behind */
              WRONG_PREV, /* as PLAIN; the first record behind the one over the border links elsewhere */
              RESET, /* nothing over it; the first record's link is 0, as pg_resetwal leaves it */
              OVERWRITTEN, /* a record begun before it, never finished, is overwritten */
};

enum where { /* what is damaged: a byte of */
             SOUND,
             MAGIC,      /* the header of the second segment's middle page */
             ADDRESS,    /* likewise, its address */
             TIMELINE,   /* likewise, made 0 */
             FIRST_PAGE, /* the first page's system id */
             BODY,       /* a record in the middle of the second segment */
             HEAD_PIECE, /* the record over the border, before it */
             TAIL_PIECE, /* the same, behind it */
             REMAINING,  /* the bytes the first page says it continues */
             LATER,      /* the same of the second page */
             ZEROED,     /* the second half of the second segment: zeros */
};

static struct stream {
    struct mk mk;
    uint8_t rec[70u * MIB];
    uint64_t border_rec; /* offset of the record over the first border */
} s;

static void fill_to(uint64_t border, uint32_t left)
{
    uint64_t page = border - MK_PAGE;

    while (s.mk.at + 70000 < page) {
        mk_record(&s.mk, 10, 0, s.rec, 60000);
    }
    while (s.mk.at < page + 24) {
        mk_record(&s.mk, 10, 0, s.rec, 1000);
    }
    s.mk.at = (s.mk.at + 7) & ~UINT64_C(7);
    mk_record(&s.mk, 10, 0, s.rec, (uint32_t)(border - left - s.mk.at) - 29);
}

static void put_border(enum border kind, uint32_t seg)
{
    s.border_rec = s.mk.at;
    switch (kind) {
    case LONG:
        mk_record(&s.mk, 10, 0, s.rec, seg + 5000);
        break;
    case SWITCH:
        mk_record(&s.mk, 0, 0x40, s.rec, 0);
        s.mk.at = (s.mk.at + seg - 1) / seg * seg;
        break;
    case OVERWRITTEN: {
        uint64_t prev = s.mk.prev;
        mk_record(&s.mk, 10, 0, s.rec, 300);
        memset(s.mk.buf + seg, 0, MK_PAGE);
        s.mk.at = seg;
        s.mk.prev = prev;
        mk_page(&s.mk, 8, 0);
        break;
    }
    case RESET:
        s.mk.prev = 0;
        break;
    case PLAIN:
    case WRONG_PREV:
        mk_record(&s.mk, 10, 0, s.rec, 300);
        break;
    }
    if (kind == WRONG_PREV) {
        s.mk.prev -= 8;
    }
}

static void build(uint32_t seg, enum border kind, uint32_t left)
{
    s.mk = (struct mk){.tli = 1, .seg = seg, .base = (uint64_t)NO0 * seg};
    s.mk.buf = calloc(SEGS + 1, seg);
    assert_non_null(s.mk.buf);
    mk_page(&s.mk, 0, 0);
    fill_to(seg, left);
    put_border(kind, seg);
    if (s.mk.at < (uint64_t)2 * seg - 3 * MK_PAGE) {
        fill_to((uint64_t)2 * seg, 200);
    }
    mk_record(&s.mk, 10, 0, s.rec, 300);
    fill_to((uint64_t)3 * seg, 0);
}

static void damage(enum where where, uint32_t seg)
{
    uint8_t *second = s.mk.buf + seg, *middle = second + seg / 2;

    switch (where) {
    case SOUND:
        break;
    case MAGIC:
        middle[0] ^= 0x40;
        break;
    case ADDRESS:
        middle[9] ^= 0x01;
        break;
    case TIMELINE:
        middle[4] = 0;
        break;
    case FIRST_PAGE:
        second[24] ^= 0x01;
        break;
    case BODY:
        middle[100] ^= 0x80;
        break;
    case HEAD_PIECE:
        s.mk.buf[s.border_rec + 4] ^= 0x01;
        break;
    case TAIL_PIECE:
        second[44] ^= 0x01;
        break;
    case REMAINING:
        second[16] ^= 0x02;
        break;
    case LATER:
        second[MK_PAGE + 16] ^= 0x08;
        break;
    case ZEROED:
        memset(middle, 0, seg / 2);
        break;
    }
}

static const struct row {
    const char *label;
    uint32_t mib;
    enum border border;
    uint32_t left;
    enum where where;
    uint64_t sysid;             /* that the walk is told; 0: none */
    enum wal_end_reason alone;  /* of the second segment */
    enum wal_join join[2];      /* first with second, second with third */
    enum wal_end_reason broken; /* why, of the one that is */
} rows[] = {
#define P WAL_JOIN_PROVEN
#define U WAL_JOIN_UNPROVEN
#define B WAL_JOIN_BROKEN
    {"nothing over the border", 1, PLAIN, 0, SOUND, 42, 0, {P, P}, 0},
    {"header cut after 8 bytes", 1, PLAIN, 8, SOUND, 42, 0, {P, P}, 0},
    {"header cut after 16 bytes", 1, PLAIN, 16, SOUND, 42, 0, {P, P}, 0},
    {"header whole, all data behind", 1, PLAIN, 24, SOUND, 42, 0, {P, P}, 0},
    {"data cut", 1, PLAIN, 200, SOUND, 42, 0, {P, P}, 0},
    {"data cut, 2 MiB", 2, PLAIN, 200, SOUND, 42, 0, {P, P}, 0},
    {"data cut, 16 MiB", 16, PLAIN, 200, SOUND, 42, 0, {P, P}, 0},
    {"data cut, 64 MiB", 64, PLAIN, 200, SOUND, 42, 0, {P, P}, 0},
    {"a record over a whole segment", 1, LONG, 200, SOUND, 42, 0, {P, P}, 0},
    {"the same with its header cut", 1, LONG, 8, SOUND, 42, 0, {P, P}, 0},
    {"the same, 16 MiB", 16, LONG, 16, SOUND, 42, 0, {P, P}, 0},
    {"switch", 1, SWITCH, 2000, SOUND, 42, 0, {P, P}, 0},
    {"switch in the last bytes", 1, SWITCH, 24, SOUND, 42, 0, {P, P}, 0},
    {"switch over the border", 1, SWITCH, 8, SOUND, 42, 0, {P, P}, 0},
    {"begun, never finished, overwritten", 1, OVERWRITTEN, 200, SOUND, 42, 0, {P, P}, 0},
    {"begun anew by pg_resetwal", 1, RESET, 0, SOUND, 42, 0, {U, P}, 0},
    {"another cluster, unknown to the walk", 1, PLAIN, 200, FIRST_PAGE, 0, 0, {U, U}, 0},

    {"another cluster", 1, PLAIN, 200, FIRST_PAGE, 42, WAL_END_PAGE_OWNER, {P, P}, 0},
    {"page magic", 1, PLAIN, 200, MAGIC, 42, WAL_END_PAGE_MAGIC, {P, P}, 0},
    {"page magic, 16 MiB", 16, PLAIN, 200, MAGIC, 42, WAL_END_PAGE_MAGIC, {P, P}, 0},
    {"page magic, 64 MiB", 64, PLAIN, 200, MAGIC, 42, WAL_END_PAGE_MAGIC, {P, P}, 0},
    {"page address", 1, PLAIN, 200, ADDRESS, 42, WAL_END_PAGE_ADDR, {P, P}, 0},
    {"page timeline", 1, PLAIN, 200, TIMELINE, 42, WAL_END_PAGE_TLI, {P, P}, 0},
    {"record sum", 1, PLAIN, 200, BODY, 42, WAL_END_CRC, {P, P}, 0},
    {"record sum, 64 MiB", 64, PLAIN, 200, BODY, 42, WAL_END_CRC, {P, P}, 0},
    {"zeros behind the last record", 1, PLAIN, 200, ZEROED, 42, WAL_END_ZERO, {P, P}, 0},
    {"page magic inside a long record", 1, LONG, 200, MAGIC, 42, WAL_END_PAGE_MAGIC, {P, P}, 0},
    {"a page that continues another length",
     1,
     LONG,
     200,
     LATER,
     42,
     WAL_END_CONTINUED,
     {P, P},
     0},

    {"border record, before", 1, PLAIN, 200, HEAD_PIECE, 42, 0, {B, P}, WAL_END_CRC},
    {"border record, behind", 1, PLAIN, 200, TAIL_PIECE, 42, 0, {B, P}, WAL_END_CRC},
    {"border record, behind, 16 MiB", 16, PLAIN, 200, TAIL_PIECE, 42, 0, {B, P}, WAL_END_CRC},
    {"border record, behind, 64 MiB", 64, PLAIN, 200, TAIL_PIECE, 42, 0, {B, P}, WAL_END_CRC},
    {"border record, header cut, before", 1, PLAIN, 8, HEAD_PIECE, 42, 0, {B, P}, WAL_END_CRC},
    {"border record, header cut, behind", 1, PLAIN, 16, TAIL_PIECE, 42, 0, {B, P}, WAL_END_CRC},
    {"a long one, before", 1, LONG, 200, HEAD_PIECE, 42, 0, {P, B}, WAL_END_CRC},
    {"a long one, behind", 1, LONG, 200, TAIL_PIECE, 42, 0, {P, B}, WAL_END_CRC},
    {"switch over the border that is none",
     1,
     SWITCH,
     16,
     TAIL_PIECE,
     42,
     0,
     {B, U},
     WAL_END_CRC},
    {"remaining length", 1, PLAIN, 200, REMAINING, 42, 0, {B, P}, WAL_END_CONTINUED},
    {"back link over the border", 1, WRONG_PREV, 200, SOUND, 42, 0, {B, P}, WAL_END_PREV},
    {"back link, nothing over it", 1, WRONG_PREV, 329 + 7, SOUND, 42, 0, {B, P}, WAL_END_PREV},
};

static struct wal_proof proof;

static bool prove(uint64_t i, uint32_t seg, uint64_t sysid, size_t piece)
{
    const struct wal_proof_of what = {
        .seg = {1, NO0 + i}, .seg_size = seg, .sysid = sysid, .major = 15};

    wal_proof_begin(&proof, &what);
    for (size_t at = 0; at < seg; at += piece) {
        if (!wal_proof_feed(&proof, s.mk.buf + i * seg + at, piece)) {
            return false;
        }
    }
    return wal_proof_end(&proof);
}

/* Through its text and back. */
static struct wal_edge kept(const struct wal_edge *e)
{
    char mem[512];
    struct wal_edge back;
    struct sbuf b;

    sbuf_init(&b, mem, sizeof mem);
    wal_edge_put(&b, e);
    assert_true(sbuf_ok(&b));
    assert_true(wal_edge_parse(str_n(b.p, b.len), &back));
    return back;
}

static void check_row(void **state)
{
    const struct row *r = *state;
    uint32_t seg = r->mib * MIB;
    struct wal_edge edge[SEGS];
    struct wal_end end = {0};

    build(seg, r->border, r->left);
    damage(r->where, seg);
    for (uint64_t i = 0; i < SEGS; i++) {
        bool ok = prove(i, seg, r->sysid, i == 1 ? MK_PAGE : 16 * MK_PAGE);
        assert_int_equal(proof.end.reason, i == 1 ? r->alone : WAL_END_NONE);
        assert_int_equal(ok, i != 1 || r->alone == WAL_END_NONE);
        edge[i] = ok ? kept(&proof.edge) : (struct wal_edge){0};
    }
    free(s.mk.buf);
    for (size_t i = 1; r->alone == WAL_END_NONE && i < SEGS; i++) {
        assert_int_equal(wal_edge_join(&edge[i - 1], &edge[i], &end), r->join[i - 1]);
        if (r->join[i - 1] == WAL_JOIN_BROKEN) {
            assert_int_equal(end.reason, r->broken);
            assert_true(end.why[0]);
        }
    }
}

/* The beginning of a long record came last: what it crosses is not proven until then. */
static void arrived_backwards(void **state)
{
    struct wal_edge edge[SEGS];
    struct wal_end end;

    (void)state;
    build(MIB, LONG, 200);
    for (uint64_t i = 0; i < SEGS; i++) {
        assert_true(prove(i, MIB, 42, MK_PAGE));
        edge[i] = proof.edge;
    }
    free(s.mk.buf);
    assert_int_equal(wal_edge_join(&edge[1], &edge[2], &end), WAL_JOIN_UNPROVEN);
    assert_int_equal(wal_edge_join(&edge[0], &edge[1], &end), WAL_JOIN_PROVEN);
    assert_int_equal(wal_edge_join(&edge[1], &edge[2], &end), WAL_JOIN_PROVEN);
    assert_int_equal(wal_edge_join(&edge[1], &edge[2], &end), WAL_JOIN_PROVEN);
}

static void shorter_than_a_segment(void **state)
{
    const struct wal_proof_of what = {.seg = {1, NO0}, .seg_size = MIB, .major = 15};

    (void)state;
    build(MIB, PLAIN, 0);
    wal_proof_begin(&proof, &what);
    assert_true(wal_proof_feed(&proof, s.mk.buf, MIB - MK_PAGE));
    assert_false(wal_proof_end(&proof));
    wal_proof_begin(&proof, &what);
    assert_false(wal_proof_end(&proof));
    free(s.mk.buf);
}

#define HEX16 " 00000000000000000000000000000000"
#define HEX24 " 000000000000000000000000000000000000000000000000"

static const struct text_row {
    const char *label, *line;
    bool ok;
} text_rows[] = {
    {"text: least", "1 4 1 1 0 0 0 0 0 0 0 0 0 0 0 0 0 42" HEX16 HEX24, true},
    {"text: an open record", "1 4 1 1 0 0 0 0 0 1 9 0 9 8 400 99 1 42" HEX16 HEX24, true},
    {"text: empty", "", false},
    {"text: a field too few", "1 4 1 1 0 0 0 0 0 0 0 0 0 0 0 0 0" HEX16 HEX24, false},
    {"text: a field too many", "1 4 1 1 0 0 0 0 0 0 0 0 0 0 0 0 0 42" HEX16 HEX24 " 1", false},
    {"text: timeline 0", "0 4 1 1 0 0 0 0 0 0 0 0 0 0 0 0 0 42" HEX16 HEX24, false},
    {"text: page above the file", "1 4 1 2 0 0 0 0 0 0 0 0 0 0 0 0 0 42" HEX16 HEX24, false},
    {"text: timelines back", "2 4 2 1 0 0 0 0 0 0 0 0 0 0 0 0 0 42" HEX16 HEX24, false},
    {"text: more here than begun", "1 4 1 1 8 9 0 0 0 0 0 0 0 0 0 0 0 42" HEX16 HEX24, false},
    {"text: a flag of 2", "1 4 1 1 0 0 0 2 0 0 0 0 0 0 0 0 0 42" HEX16 HEX24, false},
    {"text: more got than long", "1 4 1 1 0 0 0 0 0 1 9 0 9 8 40 41 1 42" HEX16 HEX24, false},
    {"text: shorter than a header", "1 4 1 1 0 0 0 0 0 1 9 0 9 8 23 9 1 42" HEX16 HEX24, false},
    {"text: length without a record", "1 4 1 1 0 0 0 0 0 0 0 0 0 0 9 0 0 42" HEX16 HEX24,
     false},
    {"text: beyond 32 bits", "4294967296 4 1 1 0 0 0 0 0 0 0 0 0 0 0 0 0 42" HEX16 HEX24,
     false},
    {"text: lower case", "1 4 1 1 0 0 0 0 0 0 0 0 0 0 0 0 0 42 a" HEX16 HEX24, false},
    {"text: short bytes", "1 4 1 1 0 0 0 0 0 0 0 0 0 0 0 0 0 42 00" HEX24, false},
};

static void check_text(void **state)
{
    const struct text_row *r = *state;
    struct wal_edge e;

    assert_int_equal(wal_edge_parse(str_of(r->line), &e), r->ok);
}

TEST_MAIN(ROWS(rows, check_row), ONE(arrived_backwards), ONE(shorter_than_a_segment),
          ROWS(text_rows, check_text))
