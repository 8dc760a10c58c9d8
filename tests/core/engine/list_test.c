/* SPDX-License-Identifier: PostgreSQL */
/* Numbers are worked out by hand: segment n has n bytes in the list, so sums tell which
 * counted. */
#include "core/repo/fixture.h"

#include "engine/list.h"

#define A "20260101T000000"
#define B "20260102T000000"
#define C "20260103T000000"
#define D "20260104T000000"

static void put(struct fx *f, const char *id, const char *text)
{
    fx_text(fx_fmt("%s/%s-backup.info", f->r.meta_dir, id), text);
}

static const char list[] =
    "000000010000000000000001\t1\t100.0\tNone\tNone\n"
    "000000010000000000000002\t2\t200.0\tNone\tNone\n"
    "000000010000000000000002.00000028.backup\t300\t200.5\tNone\tNone\n"
    "000000010000000000000003\t3\t300.0\tNone\tNone\n"
    "00000002.history\t400\t300.5\tNone\tNone\n"
    "000000010000000000000005\t5\t500.0\tNone\tNone\n" /* late: out of order */
    "000000010000000000000004\t4\t400.0\tNone\tNone\n"
    "000000010000000000000006\t6\t600.0\tNone\tNone\n"
    "000000010000000000000007.partial\t700\t650.0\tNone\tNone\n"
    "000000020000000000000007\t7\t700.0\tNone\tNone\n"
    "000000020000000000000008\t8\t800.0\tNone\tNone\n";

/* A needs 2..3, B 4..5, C failed, D on timeline 2 needs 7 alone. */
static void fill(struct fx *f)
{
    put(f, A,
        "status=DONE\nmode=postgres\ntimeline=1\nbegin_wal=000000010000000000000002\n"
        "end_wal=000000010000000000000003\nend_xlog=0/3000100\nsize=1000\n"
        "deduplicated_size=1000\ncluster_size=4000\nxlog_segment_size=1048576\n"
        "copy_stats={'copy_time': 2.0, 'total_time': 3.0, 'number_of_workers': 2}\n");
    put(f, B,
        "status=WAITING_FOR_WALS\nmode=postgres\ntimeline=1\n"
        "begin_wal=000000010000000000000004\nend_wal=000000010000000000000005\n"
        "end_xlog=0/5000100\nsize=2000\n");
    put(f, C, "status=FAILED\nmode=postgres\ntimeline=1\nbegin_wal=000000010000000000000005\n");
    put(f, D,
        "status=DONE\nmode=rsync-concurrent\ntimeline=2\nbegin_wal=000000020000000000000007\n"
        "end_wal=000000020000000000000007\nend_xlog=0/7000100\nsize=4000\n"
        "deduplicated_size=1000\n");
    fx_text(fx_fmt("%s/main-xlog.db", f->r.xlogdb_dir), list);
    fx_text(fx_fmt("%s/00000002.history", f->r.wals_dir), "1\t0/6000000\tno reason\n");
    fx_text(fx_fmt("%s/00000003.history", f->r.wals_dir), "1\t0/4000000\tno reason\n");
    fx_text(fx_fmt("%s/00000005.history", f->r.wals_dir), "1\t0/4000000\tno reason\n");
}

static const struct row {
    const char *label;
    size_t at;
    uint64_t num, size, next_num, next_size;
    const char *first, *last;
} rows[] = {
    {"to the end of the next backup", 0, 2, 2 + 3, 2, 4 + 5, "000000010000000000000002",
     "000000010000000000000005"},
    {"next one on another timeline", 1, 2, 4 + 5, 1, 6, "000000010000000000000004",
     "000000010000000000000006"},
    {"failed", 2, 0, 0, 0, 0, "", ""},
    {"newest: no end", 3, 1, 7, 1, 8, "000000020000000000000007", "000000020000000000000008"},
};

static void check_row(void **state)
{
    const struct row *row = *state;
    const struct backup_wal *w;
    struct backup_list l;
    struct err err = {0};
    struct arena a;
    struct fx f;

    fx_init(&f);
    fill(&f);
    arena_init(&a, 0);
    assert_true(list_load(&f.r, &a, &l, &err));
    assert_int_equal(l.catalogue.n, 4);
    w = &l.wal[row->at];
    assert_int_equal(w->num, row->num);
    assert_int_equal(w->size, row->size);
    assert_int_equal(w->next_num, row->next_num);
    assert_int_equal(w->next_size, row->next_size);
    assert_string_equal(w->first, row->first);
    assert_string_equal(w->last, row->last);
    arena_release(&a);
    fx_release(&f);
}

static bool near(double a, double b)
{
    return a > b - 1e-9 && a < b + 1e-9;
}

static void one_in_full(void **state)
{
    struct backup_show show;
    struct backup_list l;
    struct err err = {0};
    struct arena a;
    struct fx f;

    (void)state;
    fx_init(&f);
    fill(&f);
    fx_text(fx_fmt("%s/" A "-keep", f.r.meta_dir), "full");
    arena_init(&a, 0);
    assert_true(list_load(&f.r, &a, &l, &err));
    assert_true(list_show(&f.r, &a, &l, &l.catalogue.backup[0], &show, &err));
    assert_int_equal(show.size_with_wals, 1005);
    assert_true(near(show.saved_ratio, 0.75));
    assert_int_equal(show.saved_bytes, 3000);
    assert_true(near(show.wal_ratio, 1 - 5.0 / (2 * 1048576)));
    assert_true(near(show.next_ratio, 1 - 9.0 / (2 * 1048576)));
    assert_true(near(show.wals_per_s, 4.0 / 300));
    assert_true(near(show.throughput, 500));
    assert_int_equal(show.workers, 2);
    assert_int_equal(show.keep, KEEP_FULL);
    assert_null(show.previous);
    assert_string_equal(show.next->id, B);
    /* 2 leaves after its end, 3 too; 4 is not there, so 5 is not looked at. */
    assert_int_equal(show.timelines, 2);
    assert_int_equal(show.timeline[0], 2);
    assert_int_equal(show.timeline[1], 3);

    assert_true(list_show(&f.r, &a, &l, &l.catalogue.backup[1], &show, &err));
    assert_int_equal(show.timelines, 1); /* 3 left before the end of this one */
    assert_int_equal(show.timeline[0], 2);
    assert_string_equal(show.next->id, D);
    assert_true(near(show.saved_ratio, 0));
    assert_int_equal(show.keep, KEEP_NONE);

    assert_true(list_show(&f.r, &a, &l, &l.catalogue.backup[3], &show, &err));
    assert_true(near(show.saved_ratio, 0.75)); /* of size, for rsync */
    assert_int_equal(show.timelines, 0);
    arena_release(&a);
    fx_release(&f);
}

static void a_bad_history_is_told(void **state)
{
    struct backup_show show;
    struct backup_list l;
    struct err err = {0};
    struct arena a;
    struct fx f;

    (void)state;
    fx_init(&f);
    fill(&f);
    fx_text(fx_fmt("%s/00000002.history", f.r.wals_dir), "garbage\n");
    arena_init(&a, 0);
    assert_true(list_load(&f.r, &a, &l, &err));
    assert_false(list_show(&f.r, &a, &l, &l.catalogue.backup[0], &show, &err));
    assert_int_equal(err.code, ERR_FORMAT);
    arena_release(&a);
    fx_release(&f);
}

static void nothing_kept(void **state)
{
    struct backup_list l;
    struct err err = {0};
    struct arena a;
    struct fx f;

    (void)state;
    fx_init(&f);
    arena_init(&a, 0);
    assert_true(list_load(&f.r, &a, &l, &err));
    assert_int_equal(l.catalogue.n, 0);
    arena_release(&a);
    fx_release(&f);
}

static void damage(struct fx *f, const char *name)
{
    const char *path = fx_fmt("%s/%.16s/%s", f->r.wals_dir, name, name);
    struct err err;

    assert_true(dir_make(fx_fmt("%s/%.16s", f->r.wals_dir, name), &err));
    fx_text(path, "damaged");
    assert_true(wal_marks_add(&f->r, path, 0x5000028, "wrong checksum", &err));
}

/* Of A: its own 3, and 5, which the next backup needs; not 1, 6 and the other timeline's. A mark
 * of a file that is another by now holds no more. */
static void damaged_wal(void **state)
{
    static const char *const name[] = {
        "000000010000000000000001", "000000010000000000000005", "000000010000000000000003",
        "000000010000000000000004", "000000010000000000000006", "000000020000000000000005",
    };
    struct backup_show show;
    struct backup_list l;
    struct err err = {0};
    struct arena a;
    struct fx f;

    (void)state;
    fx_init(&f);
    fill(&f);
    arena_init(&a, 0);
    assert_true(list_load(&f.r, &a, &l, &err));
    assert_true(list_show(&f.r, &a, &l, &l.catalogue.backup[0], &show, &err));
    assert_int_equal(show.damages, 0);
    for (size_t i = 0; i < sizeof name / sizeof name[0]; i++) {
        damage(&f, name[i]);
    }
    fx_text(fx_fmt("%s/%.16s/%s", f.r.wals_dir, name[3], name[3]), "sound again");
    assert_true(list_show(&f.r, &a, &l, &l.catalogue.backup[0], &show, &err));
    assert_int_equal(show.damages, 2);
    assert_string_equal(show.damaged[0].name, name[1]);
    assert_string_equal(show.damaged[1].name, name[2]);
    assert_int_equal(show.damaged[1].lsn, 0x5000028);
    assert_false(list_needs(show.backup, name[1]));
    assert_true(list_needs(show.backup, name[2]));
    assert_true(list_show(&f.r, &a, &l, &l.catalogue.backup[3], &show, &err));
    assert_int_equal(show.damages, 0);
    arena_release(&a);
    fx_release(&f);
}

TEST_MAIN(ROWS(rows, check_row), ONE(one_in_full), ONE(a_bad_history_is_told),
          ONE(nothing_kept), ONE(damaged_wal))
