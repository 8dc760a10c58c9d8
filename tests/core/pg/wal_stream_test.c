/* SPDX-License-Identifier: PostgreSQL */
/* Messages are laid out by hand from the protocol's documentation; the numbers of rows are
 * those of the list of faults. */
#include "pg/wal_stream.h"

#include "base/get.h"
#include "harness.h"

#define MIB (1024u * 1024u)

/* ---- decoding ----------------------------------------------------------------------- */

static const struct decode_row {
    const char *label;
    const char *bytes;
    size_t n;
    const char *why; /* NULL: it is a message */
    enum wal_msg_kind kind;
    pg_lsn start, server_end;
    size_t data;
    bool reply;
} decode_rows[] = {
    {"data", "w\0\0\0\1\0\0\0\2\0\0\0\1\0\0\0\5\0\0\0\0\0\0\0\7abc", 28, NULL, WAL_MSG_DATA,
     0x100000002, 0x100000005, 3, false},
    {"data of no bytes", "w\0\0\0\0\0\0\0\2\0\0\0\0\0\0\0\2\0\0\0\0\0\0\0\0", 25, NULL,
     WAL_MSG_DATA, 2, 2, 0, false},
    {"keepalive", "k\0\0\0\0\0\0\0\x10\0\0\0\0\0\0\0\1\0", 18, NULL, WAL_MSG_KEEPALIVE, 0, 16,
     0, false},
    {"042 keepalive that asks", "k\0\0\0\0\0\0\0\x10\0\0\0\0\0\0\0\1\1", 18, NULL,
     WAL_MSG_KEEPALIVE, 0, 16, 0, true},
    {"nothing", "", 0, "empty"},
    {"data without its head", "w\0\0\0\0\0\0\0\2\0\0\0\0\0\0\0\2\0\0\0\0\0\0\0", 24,
     "only 24 bytes"},
    {"only the kind", "w", 1, "only 1 bytes"},
    {"keepalive cut", "k\0\0\0\0\0\0\0\x10\0\0\0\0\0\0\0\1", 17, "only 17 bytes"},
    {"our own status", "r\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 26, "kind 0x72"},
    {"kind over 127", "\xff\0", 2, "kind 0xff"},
    {"past the last position",
     "w\xff\xff\xff\xff\xff\xff\xff\xfe\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0abc", 28,
     "last position"},
};

static void check_decode(void **state)
{
    const struct decode_row *r = *state;
    struct err err = {0};
    struct wal_msg m;

    assert_int_equal(wal_msg_decode(r->bytes, r->n, &m, &err), r->why == NULL);
    if (r->why) {
        assert_int_equal(err.code, ERR_FORMAT);
        assert_non_null(strstr(err.why, r->why));
        return;
    }
    assert_int_equal(err.code, ERR_NONE);
    assert_int_equal(m.kind, r->kind);
    assert_int_equal(m.start, r->start);
    assert_int_equal(m.server_end, r->server_end);
    assert_int_equal(m.n, r->data);
    assert_int_equal(m.reply, r->reply);
}

/* ---- 034: cutting at segment boundaries --------------------------------------------- */

static const struct cut_row {
    const char *label;
    pg_lsn at;
    size_t n;
    uint32_t seg_size;
    size_t piece[4]; /* ends in 0 */
} cut_rows[] = {
    {"034 inside a segment", 0x100000, 8192, 1 * MIB, {8192}},
    {"034 up to the boundary", 0x1FE000, 8192, 1 * MIB, {8192}},
    {"034 over one boundary", 0x1FF000, 8192, 1 * MIB, {4096, 4096}},
    {"034 over two boundaries", 0x1FFFFF, 1048578, 1 * MIB, {1, 1048576, 1}},
    {"034 into the next 4 GiB", 0xFFFFFFFF, 3, 1024 * MIB, {1, 2}},
    {"034 one byte", 0xFFFFFF, 1, 16 * MIB, {1}},
};

static void check_cut(void **state)
{
    const struct cut_row *r = *state;
    pg_lsn at = r->at;
    size_t left = r->n;

    for (int i = 0; left > 0; i++) {
        size_t n = wal_msg_in_segment(at, left, r->seg_size);
        assert_int_equal(n, r->piece[i]);
        at += n;
        left -= n;
    }
    assert_int_equal(at, r->at + r->n);
}

/* ---- 033: data not at the expected place -------------------------------------------- */

static const struct place_row {
    const char *label;
    pg_lsn start, expected;
    const char *why; /* NULL: it follows */
} place_rows[] = {
    {"033 right there", 0x5000000, 0x5000000, NULL},
    {"033 one byte late", 0x5000001, 0x5000000, "WAL of 0/5000001 where 0/5000000 is expected"},
    {"033 one byte early", 0x4FFFFFF, 0x5000000, "WAL of 0/4FFFFFF where"},
    {"033 from the very beginning", 0, 0x100000000, "WAL of 0/0 where 1/0 is expected"},
    {"033 last position", UINT64_MAX, 0x5000000, "WAL of FFFFFFFF/FFFFFFFF where"},
};

static void check_place(void **state)
{
    const struct place_row *r = *state;
    const struct wal_msg m = {.kind = WAL_MSG_DATA, .start = r->start, .n = 1};
    struct err err = {0};

    assert_int_equal(wal_msg_follows(&m, r->expected, &err), r->why == NULL);
    if (r->why) {
        assert_int_equal(err.code, ERR_FORMAT);
        assert_non_null(strstr(err.why, r->why));
    }
}

/* ---- status ------------------------------------------------------------------------- */

static void status_is_laid_out_as_documented(void **state)
{
    static const uint8_t want[WAL_STATUS_LEN] = {
        'r', 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 2, /* written, durable */
        0,   0, 0, 0, 0, 0, 0, 0,                            /* applied: never */
        0,   0, 0, 0, 0, 0, 0, 9, 1,
    };
    uint8_t out[WAL_STATUS_LEN];

    (void)state;
    /* 946684800 s lie between 1970 and 2000. */
    wal_status_encode(out, 0x100000002, INT64_C(946684800000000) + 9, WAL_ASK_REPLY);
    assert_memory_equal(out, want, sizeof want);
}

/* ---- what a failure means ----------------------------------------------------------- */

static const struct trouble_row {
    const char *label;
    const char *sqlstate;
    enum err_code code;
    pg_lsn at, flushed;
    enum wal_trouble is;
} trouble_rows[] = {
    {"035 segment removed", "58P01", ERR_QUERY, 1, 2, WAL_REMOVED},
    {"036 slot missing", "42704", ERR_QUERY, 1, 2, WAL_SLOT_MISSING},
    {"036 slot invalidated", "55000", ERR_QUERY, 1, 2, WAL_SLOT_LOST},
    {"037 slot in use", "55006", ERR_QUERY, 1, 2, WAL_SLOT_BUSY},
    {"041 ahead of the server", "XX000", ERR_QUERY, 3, 2, WAL_AHEAD},
    {"not in its history", "XX000", ERR_QUERY, 1, 2, WAL_REFUSED},
    {"045 server shuts down", "57P01", ERR_QUERY, 1, 2, WAL_LINK},
    {"045 server starts up", "57P03", ERR_QUERY, 1, 2, WAL_LINK},
    {"045 connection gone", "", ERR_CONNECT, 1, 2, WAL_LINK},
    {"045 no answer", "", ERR_TIMEOUT, 3, 2, WAL_LINK},
    {"query cancelled is no link", "57014", ERR_QUERY, 1, 2, WAL_REFUSED},
};

static void check_trouble(void **state)
{
    const struct trouble_row *r = *state;
    const struct wal_start start = {.at = r->at, .tli = 1, .flushed = r->flushed};
    const struct err err = {.code = r->code};

    assert_int_equal(wal_trouble_of(&err, r->sqlstate, &start), r->is);
}

static const struct name_row {
    const char *label, *name;
    bool ok;
} name_rows[] = {
    {"plain", "barman", true},
    {"digits and underscore", "bk_01", true},
    {"63 letters", "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijk", true},
    {"64 letters", "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijkl", false},
    {"empty", "", false},
    {"upper case", "Barman", false},
    {"quote", "a\"b", false},
    {"blank", "a b", false},
    {"dash", "a-b", false},
};

static void check_name(void **state)
{
    const struct name_row *r = *state;

    assert_int_equal(wal_slot_name_ok(r->name), r->ok);
}

TEST_MAIN(ROWS(decode_rows, check_decode), ROWS(cut_rows, check_cut),
          ROWS(place_rows, check_place), ROWS(trouble_rows, check_trouble),
          ROWS(name_rows, check_name), ONE(status_is_laid_out_as_documented))
