/* SPDX-License-Identifier: PostgreSQL */
/* archive-wal with compression over segments 3, 4 and 5 that mkwal.h wrote; a record goes over each
 * border. A row damages one of them, names what is delivered in which order, and what is told. */
#include "core/repo/fixture.h"

#include "core/wal/mkwal.h"
#include "engine/archive_wal.h"
#include "engine/arrival.h"
#include "repo/wal_marks.h"
#include "said.h"

#define SEG3 "000000010000000000000003"
#define SEG4 "000000010000000000000004"
#define SEG5 "000000010000000000000005"

static uint8_t wal[4 * MK_SEG], rec[8192];

static void make_wal(void)
{
    struct mk mk = {.buf = wal, .tli = 1};

    memset(wal, 0, sizeof wal);
    mk_page(&mk, 0, 0);
    while (mk.at < 3 * MK_SEG) {
        mk_record(&mk, 10, 0, rec, 5000);
    }
}

static const struct row {
    const char *label;
    enum codec_kind pack;
    enum wal_seal seal;
    const char *order; /* "34|5": 3 and 4 in one run, 5 in the next */
    uint32_t at;       /* offset of the byte that is damaged; 0: none */
    const char *told;  /* name of the segment that is told; NULL: none */
    const char *why;
} rows[] = {
    {"sound, one run", CODEC_GZIP, WAL_UNSEALED, "345", 0, NULL, NULL},
    {"sound, a run each", CODEC_GZIP, WAL_UNSEALED, "3|4|5", 0, NULL, NULL},
    {"sound, backwards", CODEC_GZIP, WAL_UNSEALED, "5|4|3", 0, NULL, NULL},
    {"sound, one is missing", CODEC_ZSTD, WAL_UNSEALED, "3|5", 0, NULL, NULL},
    {"not compressed: not walked", CODEC_NONE, WAL_UNSEALED, "345", MK_SEG + 500000, NULL,
     NULL},
    {"in the middle", CODEC_GZIP, WAL_UNSEALED, "345", MK_SEG + 500000, SEG4, "checksum"},
    {"in the middle, lz4", CODEC_LZ4, WAL_UNSEALED, "345", MK_SEG + 500000, SEG4, "checksum"},
    {"in the last page", CODEC_XZ, WAL_UNSEALED, "345", MK_SEG - 8192, SEG3, "magic"},
    {"the record over the border", CODEC_GZIP, WAL_UNSEALED, "345", MK_SEG + 44, SEG4,
     "two segments"},
    {"the same, a run each", CODEC_GZIP, WAL_UNSEALED, "3|4|5", MK_SEG + 44, SEG4,
     "two segments"},
    {"the same, backwards", CODEC_GZIP, WAL_UNSEALED, "5|4|3", MK_SEG + 44, SEG4,
     "two segments"},
    {"the same, its beginning never came", CODEC_GZIP, WAL_UNSEALED, "4|5", MK_SEG + 44, NULL,
     NULL},
};

static void deliver(struct fx *f, char which)
{
    uint32_t i = (uint32_t)(which - '3');

    fx_write(fx_fmt("%s/00000001000000000000000%c", f->r.incoming_dir, which), wal + i * MK_SEG,
             MK_SEG);
}

static struct archive_wal verb(struct fx *f, const struct row *r)
{
    return (struct archive_wal){
        .repo = &f->r,
        .store = {.rules = {.systemid = 42, .seg_size = MK_SEG, .major = 15},
                  .pack = r->pack,
                  .level = codec_level(r->pack, "low"),
                  .seal = r->seal},
        .from = ARCHIVE_INCOMING,
    };
}

static size_t marks(struct fx *f, char name[WAL_NAME_CAP])
{
    struct wal_marks m;
    struct err err = {0};
    struct arena a;

    arena_init(&a, 0);
    assert_true(wal_marks_load(&f->r, &a, &m, &err));
    if (m.n) {
        str_copy(name, WAL_NAME_CAP, m.mark[0].name);
    }
    arena_release(&a);
    return m.n;
}

static void check_row(void **state)
{
    const struct row *r = *state;
    struct archive_result result;
    struct archive_wal what;
    char name[WAL_NAME_CAP] = "", warned[4096] = "";
    struct err err = {0};
    struct said said;
    struct fx f;
    size_t n = 0, at = 0;

    fx_init(&f);
    make_wal();
    wal[r->at] ^= r->at ? 0x10 : 0;
    what = verb(&f, r);
    for (const char *p = r->order; *p; p++) {
        if (*p != '|') {
            deliver(&f, *p);
            n++;
        }
        if (p[1] == '|' || p[1] == '\0') {
            assert_true(archive_wal(said_init(&said), &what, &result, &err));
            assert_string_equal(said.error, "");
            at += (size_t)snprintf(warned + at, sizeof warned - at, "%s", said.warn);
            assert_true(at < sizeof warned);
        }
    }
    assert_int_equal(fx_xlogdb_lines(&f.r), n); /* kept whatever it is */
    assert_int_equal(fx_count(f.r.incoming_dir), 0);
    assert_int_equal(marks(&f, name), r->told ? 1 : 0);
    assert_int_equal(warned[0] != '\0', r->told != NULL);
    if (r->told) {
        assert_string_equal(name, r->told);
        assert_non_null(strstr(warned, r->told));
        assert_non_null(strstr(warned, r->why));
    }
    fx_release(&f);
}

/* The same again, as after a kill: told again, noted once. A sound copy in its place, or none at
 * all, takes the note away. */
static void a_note_holds_as_long_as_its_file(void **state)
{
    static const struct row gzip = {"", CODEC_GZIP, WAL_UNSEALED, "", 0, NULL, NULL};
    struct archive_result result;
    struct archive_wal what;
    char name[WAL_NAME_CAP], path[PATH_CAP];
    struct err err = {0};
    struct said said;
    struct fx f;

    (void)state;
    fx_init(&f);
    what = verb(&f, &gzip);
    make_wal();
    wal[MK_SEG + 500000] ^= 1;
    for (int turn = 0; turn < 2; turn++) {
        deliver(&f, '4');
        assert_true(archive_wal(said_init(&said), &what, &result, &err));
        assert_non_null(strstr(said.warn, SEG4));
        assert_int_equal(marks(&f, name), 1);
    }
    assert_int_equal(result.twins, 1);
    assert_true(repo_wal_path(&f.r, SEG4, path, &err));
    assert_int_equal(unlink(path), 0);
    assert_int_equal(marks(&f, name), 0);
    fx_write(path, wal, MK_SEG);
    assert_int_equal(marks(&f, name), 0);
    fx_release(&f);
}

/* What cannot be read is as if it were not there; a torn line harms no other. */
static void a_torn_note(void **state)
{
    static const struct row gzip = {"", CODEC_GZIP, WAL_UNSEALED, "", 0, NULL, NULL};
    struct archive_result result;
    struct archive_wal what;
    char name[WAL_NAME_CAP];
    struct err err = {0};
    struct said said;
    struct fx f;

    (void)state;
    fx_init(&f);
    assert_true(dir_make(f.r.own_dir, &err));
    fx_text(fx_fmt("%s/wal-corrupt", f.r.own_dir), SEG3 "\t10\tx\n" SEG3 "\t10");
    fx_text(fx_fmt("%s/wal-edges", f.r.own_dir), "seg_size 1048576\n1 2 3\n");
    what = verb(&f, &gzip);
    make_wal();
    wal[MK_SEG + 500000] ^= 1;
    deliver(&f, '4');
    assert_true(archive_wal(said_init(&said), &what, &result, &err));
    assert_int_equal(marks(&f, name), 1);
    assert_string_equal(name, SEG4);
    fx_release(&f);
}

static const struct line_row {
    const char *label, *line;
    bool ok;
} line_rows[] = {
    {"line: one", SEG3 "\t10\t20\t0/300028\t2026-01-01 00:00:00+00:00\twhy", true},
    {"line: empty", "", false},
    {"line: no name", "x\t10\t20\t0/300028\tt\twhy", false},
    {"line: a partial", SEG3 ".partial\t10\t20\t0/300028\tt\twhy", false},
    {"line: a path", "../" SEG3 "\t10\t20\t0/300028\tt\twhy", false},
    {"line: size", SEG3 "\t-1\t20\t0/300028\tt\twhy", false},
    {"line: time", SEG3 "\t10\t2x\t0/300028\tt\twhy", false},
    {"line: place", SEG3 "\t10\t20\t300028\tt\twhy", false},
    {"line: a field too few", SEG3 "\t10\t20\t0/300028\tt", false},
    {"line: a field too many", SEG3 "\t10\t20\t0/300028\tt\twhy\tmore", false},
};

static void check_line(void **state)
{
    const struct line_row *r = *state;
    struct damaged_wal mark;
    struct arena a;

    arena_init(&a, 0);
    assert_int_equal(wal_marks_parse_line(&a, str_of(r->line), &mark), r->ok);
    arena_release(&a);
}

TEST_MAIN(ROWS(rows, check_row), ONE(a_note_holds_as_long_as_its_file), ONE(a_torn_note),
          ROWS(line_rows, check_line))
