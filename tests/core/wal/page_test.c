/* SPDX-License-Identifier: PostgreSQL */
/* A real first page of PostgreSQL 15 (tests/data/wal), changed field by field at the offsets
 * that page.h draws. */
#include "wal/page.h"

#include "base/get.h"
#include "core/wal/data.h"
#include "harness.h"

#define SEG  (1024u * 1024u)
#define REAL "000000010000000000000008"

enum where { SAME = -1 };

static const struct row {
    const char *label;
    int at;         /* byte to change; SAME: none */
    uint8_t byte;   /* new value */
    size_t n;       /* bytes at hand; 0: all */
    pg_tli tli;     /* of the name; 0: 1 */
    uint64_t no;    /* of the name; 0: 8 */
    int major;      /* of the server; 0: not known */
    uint64_t sysid; /* 0: the real one */
    uint32_t seg_size, blcksz;
    const char *why, *also; /* NULL: accepted */
} rows[] = {
    {"as it is", SAME, .major = 15},
    {"nothing known", SAME},
    {"child's copy of the parent's pages", SAME, .tli = 2},
    {"other server version", SAME, .major = 16, .why = "PostgreSQL 15",
     .also = "PostgreSQL 16"},
    {"unknown magic", 0, 0x77, .major = 15, .why = "D177", .also = "PostgreSQL 15"},
    {"unknown magic, unknown server", 1, 0xEE, .why = "EE10", .also = "no known"},
    {"magic of 18", 0, 0x18, .major = 15, .why = "PostgreSQL 18", .also = "PostgreSQL 15"},
    {"unknown flag (Percona)", 2, 0x16, .why = "flags 0016"},
    {"other cluster", SAME, .sysid = 4711, .why = "another cluster", .also = "4711"},
    {"other segment size", SAME, .no = 0, .seg_size = 2 * SEG, .why = "1048576",
     .also = "2097152"},
    {"other page size", SAME, .blcksz = 16384, .why = "8192", .also = "16384"},
    {"recycled", SAME, .no = 9, .why = "renamed or recycled", .also = REAL},
    {"timeline above the name's", 4, 2, .why = "timeline 2", .also = "says 1"},
    {"timeline 0", 4, 0, .why = "timeline 0"},
    {"short header", 2, 0, .why = "beginning of a segment"},
    {"impossible segment size", 35, 0x70, .why = "impossible sizes"},
    {"cut in the short header", SAME, .n = 23, .why = "too short"},
    {"cut in the long header", SAME, .n = 39, .why = "too short"},
    {"empty file", SAME, .n = SIZE_MAX, .why = "too short"},
};

static void check_row(void **state)
{
    const struct row *r = *state;
    uint8_t page[WAL_PAGE_LONG];
    struct err err = {0};

    assert_int_equal(data_read(REAL, page, sizeof page), sizeof page);
    struct wal_head head = {
        .seg = {r->tli ? r->tli : 1, r->no         ? r->no
                                     : r->seg_size ? 4
                                                   : 8},
        .seg_size = r->seg_size ? r->seg_size : SEG,
        .blcksz = r->blcksz ? r->blcksz : 8192,
        .sysid = r->sysid ? r->sysid : get_le64(page + 24),
        .major = r->major,
        .what = "/archive/x",
    };
    if (r->at != SAME) {
        page[r->at] = r->byte;
    }
    size_t n = r->n == SIZE_MAX ? 0 : r->n ? r->n : sizeof page;
    assert_int_equal(wal_seg_check_head(page, n, &head, &err), r->why == NULL);
    if (!r->why) {
        assert_int_equal(err.code, ERR_NONE);
        return;
    }
    assert_int_equal(err.code, ERR_FORMAT);
    assert_string_equal(err.what, "/archive/x");
    assert_non_null(strstr(err.why, r->why));
    assert_true(!r->also || strstr(err.why, r->also));
    assert_true(err.hint[0] != '\0');
}

static void fields_of_a_real_page(void **state)
{
    uint8_t b[WAL_PAGE_LONG];
    struct wal_page page;

    (void)state;
    assert_int_equal(data_read(REAL, b, sizeof b), sizeof b);
    assert_int_equal(wal_page_decode(b, sizeof b, &page), WAL_PAGE_OK);
    assert_int_equal(page.major, 15);
    assert_int_equal(page.tli, 1);
    assert_int_equal(page.addr, 0x800000);
    assert_int_equal(page.header_len, 40);
    assert_int_equal(page.seg_size, SEG);
    assert_int_equal(page.blcksz, 8192);
    assert_int_equal(page.rem_len, 0);
}

static void empty_swapped_and_versions(void **state)
{
    uint8_t b[WAL_PAGE_LONG] = {0};
    struct wal_page page;
    struct wal_head head = {.seg = {1, 8}, .seg_size = SEG};
    struct err err = {0};

    (void)state;
    assert_int_equal(wal_page_decode(b, sizeof b, &page), WAL_PAGE_EMPTY);
    assert_false(wal_seg_check_head(b, sizeof b, &head, &err));
    assert_non_null(strstr(err.why, "zeros"));
    b[0] = 0xD1; /* as a big-endian 15 writes it */
    b[1] = 0x10;
    assert_int_equal(wal_page_decode(b, sizeof b, &page), WAL_PAGE_SWAPPED);
    assert_false(wal_seg_check_head(b, sizeof b, &head, &err));
    assert_non_null(strstr(err.why, "big-endian"));
    assert_string_equal(err.what, REAL);
    for (int major = 13; major <= 18; major++) {
        assert_int_equal(wal_major_of_magic(wal_magic_of_major(major)), major);
    }
    assert_int_equal(wal_magic_of_major(13), 0xD106);
    assert_int_equal(wal_magic_of_major(17), 0xD116);
    assert_int_equal(wal_magic_of_major(12), 0);
    assert_int_equal(wal_major_of_magic(0xD115), 0);
}

TEST_MAIN(ROWS(rows, check_row), ONE(fields_of_a_real_page), ONE(empty_swapped_and_versions))
