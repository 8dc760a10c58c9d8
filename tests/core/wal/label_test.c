/* SPDX-License-Identifier: PostgreSQL */
/* Real files in tests/data/wal; the rows from the formats in label.h. */
#include "wal/label.h"

#include "core/wal/data.h"
#include "harness.h"

#define PLACE      "START WAL LOCATION: 0/2000028 (file 000000010000000000000002)\n"
#define CHECKPOINT "CHECKPOINT LOCATION: 0/2000060\n"
#define S(text)    text, sizeof text - 1

static const struct row {
    const char *label;
    const char *text;
    size_t n;
    const char *why; /* NULL: accepted */
} rows[] = {
    {"least", S(PLACE CHECKPOINT), NULL},
    {"CRLF",
     S("START WAL LOCATION: 0/2 (file 000000010000000000000002)\r\n"
       "CHECKPOINT LOCATION: 0/2\r\n"),
     NULL},
    {"no newline at the end", S(PLACE "CHECKPOINT LOCATION: 0/2"), NULL},
    {"unknown key", S(PLACE CHECKPOINT "MOON PHASE: full\n"), NULL},
    {"empty", S(""), "lacks"},
    {"no checkpoint", S(PLACE), "lacks"},
    {"no start", S(CHECKPOINT), "lacks"},
    {"start twice", S(PLACE PLACE CHECKPOINT), "line 2"},
    {"no file", S("START WAL LOCATION: 0/2000028\n" CHECKPOINT), "line 1"},
    {"file unclosed", S("START WAL LOCATION: 0/2 (file 000000010000000000000002\n" CHECKPOINT),
     "line 1"},
    {"file is no segment", S("START WAL LOCATION: 0/2 (file ../etc/passwd)\n" CHECKPOINT),
     "line 1"},
    {"file of timeline 0",
     S("START WAL LOCATION: 0/2 (file 000000000000000000000002)\n" CHECKPOINT), "timeline 0"},
    {"location is no LSN",
     S("START WAL LOCATION: 2000028 (file 000000010000000000000002)\n" CHECKPOINT), "line 1"},
    {"checkpoint is no LSN", S(PLACE "CHECKPOINT LOCATION: 0/zz\n"), "line 2"},
    {"timeline 0", S(PLACE CHECKPOINT "START TIMELINE: 0\n"), "line 3"},
    {"timeline in hex", S(PLACE CHECKPOINT "START TIMELINE: A\n"), "line 3"},
    {"NUL inside", S(PLACE "\0" CHECKPOINT), "NUL"},
};

static void check_row(void **state)
{
    const struct row *r = *state;
    struct arena a;
    struct backup_label l;
    struct err err = {0};

    arena_init(&a, 0);
    assert_int_equal(backup_label_parse(&a, str_n(r->text, r->n), &l, &err), r->why == NULL);
    if (r->why) {
        assert_int_equal(err.code, ERR_FORMAT);
        assert_non_null(strstr(err.why, r->why));
    } else {
        assert_int_equal(l.start_tli, 1);
        assert_string_equal(l.start_file, "000000010000000000000002");
    }
    arena_release(&a);
}

static void real_label(void **state)
{
    struct arena a;
    struct backup_label l;
    struct err err = {0};
    char text[1024];

    (void)state;
    arena_init(&a, 0);
    size_t n = data_read("backup_label", text, sizeof text);
    assert_true(backup_label_parse(&a, str_n(text, n), &l, &err));
    assert_int_equal(l.start, 0x700028);
    assert_int_equal(l.checkpoint, 0x700060);
    assert_string_equal(l.start_file, "000000010000000000000007");
    assert_string_equal(l.method, "streamed");
    assert_string_equal(l.from, "primary");
    assert_string_equal(l.label, "piece of a test");
    assert_int_equal(l.start_tli, 1);
    assert_non_null(strstr(l.start_time, "2026-11-22 21:17:"));
    assert_null(l.stop_time);
    assert_int_equal(l.incremental_from, 0);
    arena_release(&a);
}

static void history_file_and_incremental(void **state)
{
    struct arena a;
    struct backup_label l;
    struct err err = {0};

    (void)state;
    arena_init(&a, 0);
    assert_true(backup_label_parse(
        &a,
        str_of(PLACE "STOP WAL LOCATION: 0/3000050 (file 000000020000000000000003)\n" CHECKPOINT
                     "LABEL: a: b\nSTOP TIME: x\nSTOP TIMELINE: 2\n"
                     "INCREMENTAL FROM LSN: 0/1000028\nINCREMENTAL FROM TLI: 12\n"),
        &l, &err));
    assert_int_equal(l.stop, 0x3000050);
    assert_string_equal(l.stop_file, "000000020000000000000003");
    assert_int_equal(l.stop_tli, 2);
    assert_int_equal(l.incremental_from, 0x1000028);
    assert_int_equal(l.incremental_tli, 12);
    assert_string_equal(l.label, "a: b");
    assert_string_equal(l.stop_time, "x");
    arena_release(&a);
    arena_init(&a, 1);
    assert_false(backup_label_parse(&a, str_of(PLACE CHECKPOINT "LABEL: x\n"), &l, &err));
    assert_int_equal(err.code, ERR_MEMORY);
    arena_release(&a);
}

static const struct map_row {
    const char *label;
    const char *text;
    size_t n;
    size_t entries; /* when path or nothing is wrong */
    uint32_t oid;   /* of the first */
    const char *path;
    const char *why;
} map_rows[] = {
    {"map: one", S("16385 /srv/ts\n"), 1, 16385, "/srv/ts", NULL},
    {"map: two", S("16385 /srv/a\n16386 /srv/b\n"), 2, 16385, "/srv/a", NULL},
    {"map: blanks in it", S("16385 /srv/my ts \n"), 1, 16385, "/srv/my ts ", NULL},
    {"map: newline in it", S("16385 /srv/a\\\nb\n"), 1, 16385, "/srv/a\nb", NULL},
    {"map: backslash in it", S("16385 /srv/a\\\\b\n"), 1, 16385, "/srv/a\\b", NULL},
    {"map: CR in it", S("16385 /srv/a\\\rb\n"), 1, 16385, "/srv/a\rb", NULL},
    {"map: no newline at the end", S("1 /x"), 1, 1, "/x", NULL},
    {"map: CRLF", S("1 /x\r\n"), 1, 1, "/x", NULL},
    {"map: empty", S(""), 0, 0, NULL, NULL},
    {"map: no path", S("16385 \n"), .why = "line 1"},
    {"map: no blank", S("16385\n"), .why = "line 1"},
    {"map: no oid", S("/srv/a\n"), .why = "line 1"},
    {"map: oid 0", S("0 /srv/a\n"), .why = "line 1"},
    {"map: oid too large", S("4294967296 /srv/a\n"), .why = "line 1"},
    {"map: oid twice", S("1 /a\n2 /b\n1 /c\n"), .why = "line 3"},
    {"map: NUL", S("1 /a\0b\n"), .why = "NUL"},
};

static void check_map(void **state)
{
    const struct map_row *r = *state;
    struct arena a;
    struct tablespace_map m;
    struct err err = {0};

    arena_init(&a, 0);
    assert_int_equal(tablespace_map_parse(&a, str_n(r->text, r->n), &m, &err), r->why == NULL);
    if (r->why) {
        assert_int_equal(err.code, ERR_FORMAT);
        assert_non_null(strstr(err.why, r->why));
    } else {
        assert_int_equal(m.n, r->entries);
        if (m.n) {
            assert_int_equal(m.entry[0].oid, r->oid);
            assert_string_equal(m.entry[0].path, r->path);
        }
    }
    arena_release(&a);
}

static void real_map(void **state)
{
    struct arena a;
    struct tablespace_map m;
    struct err err = {0};
    char text[256];

    (void)state;
    arena_init(&a, 0);
    size_t n = data_read("tablespace_map", text, sizeof text);
    assert_true(tablespace_map_parse(&a, str_n(text, n), &m, &err));
    assert_int_equal(m.n, 1);
    assert_int_equal(m.entry[0].oid, 16384);
    assert_string_equal(m.entry[0].path, "/srv/ts");
    arena_release(&a);
}

TEST_MAIN(ROWS(rows, check_row), ONE(real_label), ONE(history_file_and_incremental),
          ROWS(map_rows, check_map), ONE(real_map))
