/* SPDX-License-Identifier: PostgreSQL */
/* Main data of real records of PostgreSQL 15 and of hand-made ones, as hex in field order. */
#include "wal/xact.h"

#include "core/wal/data.h"
#include "harness.h"
#include "wal/record.h"

#define T0  "0000000000000000" /* 2000-01-01 */
#define US0 INT64_C(946684800000000)

static const struct row {
    const char *label;
    int major;
    uint8_t info;
    const char *hex;
    bool ok;
    int64_t time_us;
    pg_xid twophase;
    uint32_t subxacts, files, stats, invals;
} rows[] = {
    /* 2026-11-22 14:01:03.210668, .250456 UTC */
    {"real commit, one subxact", 15, 0x80, "acbc2caddc0303000200000001000000e5020000", true,
     INT64_C(1795356063210668), 0, 1, 0, 0, 0},
    {"real abort", 15, 0x20, "18582daddc030300", true, INT64_C(1795356063250456), 0, 0, 0, 0,
     0},
    {"drop table: file and statistics", 15, 0x80,
     "f41e2daddc030300"
     "45010000"
     "050000007f060000"
     "01000000"
     "7f0600000500000013400000"
     "01000000"
     "020000000500000013400000",
     true, INT64_C(1795356063235828), 0, 0, 1, 1, 0},
    {"18: larger statistics", 18, 0x80,
     T0 "00010000"
        "01000000"
        "02000000050000001340000000000000",
     true, US0, 0, 0, 0, 1, 0},
    {"14 has no statistics", 14, 0x80, T0 "00010000", true, US0, 0, 0, 0, 0, 0},
    {"invalidations", 15, 0x80,
     T0 "08000000"
        "01000000"
        "00112233445566778899aabbccddeeff",
     true, US0, 0, 0, 0, 0, 1},
    {"abort has none", 15, 0xA0, T0 "08000000", true, US0, 0, 0, 0, 0, 0},
    {"prepared", 15, 0xB0,
     T0 "10000000"
        "67120000",
     true, US0, 4711, 0, 0, 0, 0},
    {"prepared, gid, origin", 15, 0xB0,
     T0 "b0000000"
        "67120000"
        "616200"
        "00112233445566770011223344556677",
     true, US0, 4711, 0, 0, 0, 0},
    {"far future is held", 15, 0, "ffffffffffffff7f", true, INT64_MAX, 0, 0, 0, 0, 0},

    {"empty", 15, 0, "", false},
    {"half a time", 15, 0, "00000000", false},
    {"xinfo missing", 15, 0x80, T0, false},
    {"xinfo cut", 15, 0x80, T0 "020000", false},
    {"count missing", 15, 0x80, T0 "02000000", false},
    {"count -1", 15, 0x80,
     T0 "02000000"
        "ffffffff",
     false},
    {"count too large", 15, 0x80,
     T0 "02000000"
        "03000000"
        "0100000002000000",
     false},
    {"count that overflows 32 bits", 15, 0x80,
     T0 "04000000"
        "56555515",
     false},
    {"files cut", 15, 0x80,
     T0 "04000000"
        "01000000"
        "7f06000005000000",
     false},
    {"statistics of 15 in 18", 18, 0x80,
     T0 "00010000"
        "01000000"
        "020000000500000013400000",
     false},
    {"gid without end", 15, 0xB0,
     T0 "90000000"
        "67120000"
        "6162",
     false},
    {"origin cut", 15, 0x80,
     T0 "20000000"
        "0011223344556677",
     false},
};

static void check_row(void **state)
{
    const struct row *r = *state;
    struct wal_xact x = {0};
    uint8_t b[256];
    size_t n = data_hex(r->hex, b);

    assert_int_equal(wal_xact_parse(r->major, r->info, b, n, &x), r->ok);
    if (!r->ok) {
        return;
    }
    assert_int_equal(x.time_us, r->time_us);
    assert_int_equal(x.twophase_xid, r->twophase);
    assert_int_equal(x.subxacts.n, r->subxacts);
    assert_int_equal(x.files.n, r->files);
    assert_int_equal(x.stats.n, r->stats);
    assert_int_equal(x.invals.n, r->invals);
    if (x.subxacts.n) {
        assert_int_equal(wal_xact_sub(&x, b, 0), 741);
    }
}

/* The same answer however the bytes are cut, and none before the last one. */
static void byte_by_byte(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct wal_xact_scan s;
        uint8_t b[256];
        size_t n = data_hex(rows[i].hex, b);

        wal_xact_begin(&s, rows[i].major, rows[i].info, n);
        for (size_t at = 0; at < n; at++) {
            assert_false(wal_xact_done(&s));
            wal_xact_feed(&s, b + at, 1);
        }
        assert_int_equal(wal_xact_done(&s), rows[i].ok);
    }
}

static const struct body_row {
    const char *label;
    const char *hex;
    bool ok;
    uint64_t at;
} body_rows[] = {
    {"body: short", "ff02aabb", true, 2},
    {"body: long", "fe02000000aabb", true, 5},
    {"body: origin first", "fd0100ff02aabb", true, 5},
    {"body: top xid and origin", "fc01020304fd0100ff01aa", true, 10},
    {"body: none", "", true, 0},
    {"body: origin only", "fd0100", true, 3},
    {"body: too long", "ff03aabb", false, 0},
    {"body: too short", "ff01aabb", false, 0},
    {"body: cut", "fe0200", false, 0},
    {"body: origin cut", "fd01", false, 0},
    {"body: block reference", "00600000", false, 0},
};

static void check_body(void **state)
{
    const struct body_row *r = *state;
    uint8_t b[64];
    uint64_t at = 0;
    size_t n = data_hex(r->hex, b);

    assert_int_equal(wal_body_main(b, n, n, &at), r->ok);
    if (r->ok) {
        assert_int_equal(at, r->at);
    }
}

/* A record that is too short for its kind is no event. */
static void short_main_data(void **state)
{
    static const struct {
        uint8_t info;
        size_t least;
    } kind[] = {{0x00, 88}, {0x10, 88}, {0x50, 8}, {0x60, 26},
                {0x70, 72}, {0x90, 16}, {0xD0, 16}};
    uint8_t b[128] = {0};

    (void)state;
    for (size_t i = 0; i < sizeof kind / sizeof kind[0]; i++) {
        struct wal_event e = {.main = b, .main_len = kind[i].least};
        e.rec.info = kind[i].info;
        assert_true(wal_record_speaks(&e.rec));
        assert_true(wal_event_decode(15, &e));
        e.main_len--;
        assert_false(wal_event_decode(15, &e));
    }
}

static void times_at_the_ends(void **state)
{
    (void)state;
    assert_int_equal(wal_time_us(0), US0);
    assert_int_equal(wal_time_us(INT64_MAX), INT64_MAX);
    assert_int_equal(wal_seconds_us(1), 1000000);
    assert_int_equal(wal_seconds_us(INT64_MAX), INT64_MAX);
    assert_int_equal(wal_seconds_us(INT64_MIN), INT64_MIN);
}

TEST_MAIN(ROWS(rows, check_row), ONE(byte_by_byte), ROWS(body_rows, check_body),
          ONE(short_main_data), ONE(times_at_the_ends))
