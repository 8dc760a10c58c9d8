/* SPDX-License-Identifier: PostgreSQL */
/* Expected values are worked out by hand from the layout in seg.h; tests/pg asks a server. */
#include "wal/seg.h"

#include "harness.h"

#define MIB (1024u * 1024u)

static const struct row {
    const char *label;
    const char *name;
    uint32_t seg_size;
    bool ok;
    struct wal_seg seg; /* when ok */
    pg_lsn start;       /* when ok */
    const char *why;    /* when not: must appear in err.why */
} rows[] = {
    {"first ever", "000000010000000000000001", 16 * MIB, true, {1, 1}, 0x1000000, NULL},
    {"middle", "000000030000004C0000009A", 16 * MIB, true, {3, 0x4C9A}, 0x4C9A000000, NULL},
    {"last in its id", "0000000100000000000000FF", 16 * MIB, true, {1, 255}, 0xFF000000, NULL},
    {"carry", "000000010000000100000000", 16 * MIB, true, {1, 256}, 0x100000000, NULL},
    {"1 MiB segments", "000000010000000000000FFF", MIB, true, {1, 4095}, 0xFFF00000, NULL},
    {"1 GiB segments", "000000010000000000000003", 1024 * MIB, true, {1, 3}, 0xC0000000, NULL},
    {"026 timeline 0xA", "0000000A0000000000000001", 16 * MIB, true, {10, 1}, 0x1000000, NULL},
    {"026 timeline 0x10", "000000100000000000000001", 16 * MIB, true, {16, 1}, 0x1000000, NULL},
    {"026 last timeline", "FFFFFFFF0000000000000000", 16 * MIB, true, {0xFFFFFFFF, 0}, 0, NULL},

    {"third field too big", "000000010000000000000100", 16 * MIB, .why = "cannot exist"},
    {"too big, 1 GiB", "000000010000000000000004", 1024 * MIB, .why = "cannot exist"},
    {"too big, 1 MiB", "000000010000000000001000", MIB, .why = "cannot exist"},
    {"timeline 0", "000000000000000000000001", 16 * MIB, .why = "timeline 0"},
    {"lower case", "00000001000000000000000a", 16 * MIB, .why = "not a WAL segment"},
    {"not hex", "00000001000000000000000G", 16 * MIB, .why = "not a WAL segment"},
    {"colon is after 9", "00000001000000000000000:", 16 * MIB, .why = "not a WAL segment"},
    {"blank, sign, prefix", "000000010000000000 +0x01", 16 * MIB, .why = "not a WAL segment"},
    {"23 digits", "00000001000000000000001", 16 * MIB, .why = "not a WAL segment"},
    {"25 digits", "0000000100000000000000011", 16 * MIB, .why = "not a WAL segment"},
    {"up and away", "../000010000000000000001", 16 * MIB, .why = "not a WAL segment"},
    {"absolute", "/00000010000000000000001", 16 * MIB, .why = "not a WAL segment"},
    {"newline in it", "00000001000000000000\n001", 16 * MIB, .why = "not a WAL segment"},
    {"newline behind it", "000000010000000000000001\n", 16 * MIB, .why = "not a WAL segment"},
    {"percent", "%00000010000000000000001", 16 * MIB, .why = "not a WAL segment"},
    {"partial", "000000010000000000000001.partial", 16 * MIB, .why = "not a WAL segment"},
    {"history", "00000002.history", 16 * MIB, .why = "not a WAL segment"},
    {"empty", "", 16 * MIB, .why = "not a WAL segment"},
};

static void check_row(void **state)
{
    const struct row *r = *state;
    struct wal_seg seg = {0};
    struct err err = {0};
    char name[WAL_NAME_CAP];

    assert_int_equal(wal_seg_parse(r->name, r->seg_size, &seg, &err), r->ok);
    if (!r->ok) {
        assert_int_equal(err.code, ERR_FORMAT);
        assert_non_null(strstr(err.why, r->why));
        assert_memory_equal(err.what, r->name, strlen(r->name) < 8 ? strlen(r->name) : 8);
        return;
    }
    assert_int_equal(err.code, ERR_NONE);
    assert_int_equal(seg.tli, r->seg.tli);
    assert_int_equal(seg.no, r->seg.no);
    assert_int_equal(wal_seg_start(seg, r->seg_size), r->start);
    wal_seg_name(seg, r->seg_size, name);
    assert_string_equal(name, r->name);
}

static const struct next_row {
    const char *label;
    const char *name, *next;
    uint32_t seg_size;
} next_rows[] = {
    {"024 16 MiB wrap", "0000000100000000000000FF", "000000010000000100000000", 16 * MIB},
    {"024 16 MiB before", "0000000100000000000000FE", "0000000100000000000000FF", 16 * MIB},
    {"024 16 MiB after", "000000010000000100000000", "000000010000000100000001", 16 * MIB},
    {"024 1 MiB at FF", "0000000100000000000000FF", "000000010000000000000100", MIB},
    {"023 024 1 MiB wrap", "000000010000000000000FFF", "000000010000000100000000", MIB},
    {"023 024 1 GiB wrap", "000000010000000000000003", "000000010000000100000000", 1024 * MIB},
    {"023 2 MiB wrap", "0000000100000000000007FF", "000000010000000100000000", 2 * MIB},
    {"023 4 MiB wrap", "0000000100000000000003FF", "000000010000000100000000", 4 * MIB},
    {"023 8 MiB wrap", "0000000100000000000001FF", "000000010000000100000000", 8 * MIB},
    {"023 32 MiB wrap", "00000001000000000000007F", "000000010000000100000000", 32 * MIB},
    {"023 64 MiB wrap", "00000001000000000000003F", "000000010000000100000000", 64 * MIB},
    {"023 128 MiB wrap", "00000001000000000000001F", "000000010000000100000000", 128 * MIB},
    {"023 256 MiB wrap", "0000000A000000FF0000000F", "0000000A0000010000000000", 256 * MIB},
    {"023 512 MiB wrap", "000000010000000000000007", "000000010000000100000000", 512 * MIB},
    {"023 last of a size", "00000001FFFFFFFE00000007", "00000001FFFFFFFF00000000", 512 * MIB},
};

static void check_next(void **state)
{
    const struct next_row *r = *state;
    struct wal_seg seg, next, back;
    struct err err = {0};
    char name[WAL_NAME_CAP];

    assert_true(wal_seg_parse(r->name, r->seg_size, &seg, &err));
    assert_true(wal_seg_next(seg, r->seg_size, &next));
    wal_seg_name(next, r->seg_size, name);
    assert_string_equal(name, r->next);
    assert_true(wal_seg_prev(next, &back));
    assert_int_equal(wal_seg_cmp(seg, back), 0);
    assert_true(wal_seg_cmp(seg, next) < 0);
}

static const struct kind_row {
    const char *label;
    const char *name;
    enum wal_name_kind upper, either;
    const char *dir; /* when either is a name */
} kind_rows[] = {
    {"kind: segment", "000000010000000000000001", WAL_NAME_SEGMENT, WAL_NAME_SEGMENT,
     "0000000100000000"},
    {"kind: lower", "00000001000000ab0000000c", WAL_NAME_OTHER, WAL_NAME_SEGMENT,
     "00000001000000AB"},
    {"kind: partial", "0000000A0000000000000001.partial", WAL_NAME_PARTIAL, WAL_NAME_PARTIAL,
     "0000000A00000000"},
    {"026 kind: history", "0000000A.history", WAL_NAME_HISTORY, WAL_NAME_HISTORY, ""},
    {"kind: lower history", "0000000a.history", WAL_NAME_OTHER, WAL_NAME_HISTORY, ""},
    {"kind: backup", "000000010000000000000002.00000028.backup", WAL_NAME_BACKUP,
     WAL_NAME_BACKUP, "0000000100000000"},
    {"kind: lower backup", "000000010000000000000002.0000002a.backup", WAL_NAME_OTHER,
     WAL_NAME_BACKUP, "0000000100000000"},
    {"kind: upper suffix", "0000000A.HISTORY", WAL_NAME_OTHER, WAL_NAME_OTHER, NULL},
    {"kind: short offset", "000000010000000000000002.0000028.backup", WAL_NAME_OTHER,
     WAL_NAME_OTHER, NULL},
    {"kind: compressed", "000000010000000000000001.gz", WAL_NAME_OTHER, WAL_NAME_OTHER, NULL},
    {"kind: partial twice", "000000010000000000000001.partial.partial", WAL_NAME_OTHER,
     WAL_NAME_OTHER, NULL},
    {"kind: 7 digits", "0000002.history", WAL_NAME_OTHER, WAL_NAME_OTHER, NULL},
    {"kind: 9 digits", "000000002.history", WAL_NAME_OTHER, WAL_NAME_OTHER, NULL},
    {"kind: dot dot", "../00002.history", WAL_NAME_OTHER, WAL_NAME_OTHER, NULL},
    {"kind: newline", "000000010000000000000001\n", WAL_NAME_OTHER, WAL_NAME_OTHER, NULL},
    {"kind: xlog.db", "xlog.db", WAL_NAME_OTHER, WAL_NAME_OTHER, NULL},
    {"kind: empty", "", WAL_NAME_OTHER, WAL_NAME_OTHER, NULL},
};

static void check_kind(void **state)
{
    const struct kind_row *r = *state;
    char dir[WAL_DIR_CAP];

    assert_int_equal(wal_name_kind(str_of(r->name), WAL_CASE_UPPER), r->upper);
    assert_int_equal(wal_name_kind(str_of(r->name), WAL_CASE_EITHER), r->either);
    if (r->dir) {
        wal_name_dir(str_of(r->name), dir);
        assert_string_equal(dir, r->dir);
    }
}

static const struct lsn_row {
    const char *label;
    const char *text;
    bool ok;
    pg_lsn lsn;
} lsn_rows[] = {
    {"lsn: usual", "4C/9A0000F8", true, 0x4C9A0000F8},
    {"lsn: lower", "4c/9a0000f8", true, 0x4C9A0000F8},
    {"lsn: padded", "0/05000000", true, 0x5000000},
    {"lsn: largest", "FFFFFFFF/FFFFFFFF", true, UINT64_MAX},
    {"lsn: no slash", "4C9A0000F8", false, 0},
    {"lsn: no low", "4C/", false, 0},
    {"lsn: no high", "/9A0000F8", false, 0},
    {"lsn: nine digits", "0/100000000", false, 0},
    {"lsn: nine above", "100000000/0", false, 0},
    {"lsn: tail", "0/5000000 ", false, 0},
    {"lsn: sign", "0/-5", false, 0},
    {"lsn: prefix", "0/0x5", false, 0},
    {"lsn: two slashes", "0/5/6", false, 0},
    {"lsn: empty", "", false, 0},
};

static void check_lsn(void **state)
{
    const struct lsn_row *r = *state;
    pg_lsn lsn = 0;

    assert_int_equal(wal_lsn_parse(str_of(r->text), &lsn), r->ok);
    assert_int_equal(lsn, r->lsn);
}

/* Every byte of a segment, first and last, belongs to that segment and to no other. */
static void edges_of_every_size(void **state)
{
    (void)state;
    for (uint32_t size = MIB; size <= 1024 * MIB; size *= 2) {
        struct wal_seg seg = {.tli = 7, .no = 5000};
        pg_lsn first = wal_seg_start(seg, size);

        assert_true(wal_seg_size_ok(size));
        assert_false(wal_seg_size_ok(size + 1));
        assert_int_equal(wal_seg_at(7, first - 1, size).no, 4999);
        assert_int_equal(wal_seg_at(7, first, size).no, 5000);
        assert_int_equal(wal_seg_at(7, first + size - 1, size).no, 5000);
        assert_int_equal(wal_seg_at(7, first + size, size).no, 5001);
        assert_int_equal(wal_seg_of_end(7, first, size).no, 4999);
        assert_int_equal(wal_seg_of_end(7, first + 1, size).no, 5000);
    }
    assert_false(wal_seg_size_ok(MIB / 2));
    assert_false(wal_seg_size_ok((uint64_t)2048 * MIB));
    assert_false(wal_seg_size_ok(0));
    assert_int_equal(wal_seg_of_end(1, 0, MIB).no, 0);
}

static void no_segment_beyond_the_ends(void **state)
{
    struct wal_seg last = wal_seg_at(1, UINT64_MAX, 16 * MIB), out;
    struct wal_seg zero = {.tli = 1, .no = 0};
    pg_tli tli;

    (void)state;
    assert_false(wal_seg_next(last, 16 * MIB, &out));
    assert_false(wal_seg_prev(zero, &out));
    assert_true(wal_name_tli(str_of("0000000a.history"), &tli));
    assert_int_equal(tli, 10);
    assert_false(wal_name_tli(str_of("00000000.history"), &tli));
    assert_false(wal_name_tli(str_of("history"), &tli));
}

static void history_names(void **state)
{
    char name[WAL_HISTORY_NAME_CAP];

    (void)state;
    wal_history_name(10, name);
    assert_string_equal(name, "0000000A.history");
    wal_history_name(UINT32_MAX, name);
    assert_string_equal(name, "FFFFFFFF.history");
}

TEST_MAIN(ROWS(rows, check_row), ROWS(next_rows, check_next), ROWS(kind_rows, check_kind),
          ROWS(lsn_rows, check_lsn), ONE(edges_of_every_size), ONE(no_segment_beyond_the_ends),
          ONE(history_names))
