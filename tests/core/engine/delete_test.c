/* SPDX-License-Identifier: PostgreSQL */
#include "core/repo/fixture.h"

#include "engine/delete.h"
#include "engine/delete_plan.h"
#include "said.h"

#define A "20260101T000000"
#define B "20260102T000000"
#define C "20260103T000000"

static struct fx f;
static struct said said;

static void wal(unsigned no)
{
    const char *dir = fx_fmt("%s/00000001%08X", f.r.wals_dir, no >> 12);

    mkdir(dir, 0700);
    fx_text(fx_fmt("%s/00000001%08X%08X", dir, no >> 12, no & 0xFFF), "");
}

static void backup(const char *id, enum backup_status status, unsigned wal_no)
{
    char begin[32];
    struct tablespace space = {"ts", 16384, "/srv/ts"};
    struct backup b = {.status = status,
                       .mode = "postgres",
                       .begin_wal = begin,
                       .end_wal = begin,
                       .timeline = 1,
                       .tablespace = &space,
                       .tablespaces = 1,
                       .xlog_segment_size = FX_SEG};
    struct err err = {0};

    snprintf(begin, sizeof begin, "00000001%08X%08X", wal_no >> 12, wal_no & 0xFFF);
    str_copy(b.id, sizeof b.id, id);
    assert_true(backup_info_save(&f.r, &b, &err));
    assert_true(dir_make(fx_fmt("%s/%s/data/base/1", f.r.base_dir, id), &err));
    assert_true(dir_make(fx_fmt("%s/%s/16384/PG_15", f.r.base_dir, id), &err));
    fx_text(fx_fmt("%s/%s/data/base/1/1234", f.r.base_dir, id), "rows");
}

static bool gone(const char *id)
{
    return !fx_there(fx_fmt("%s/%s", f.r.base_dir, id)) &&
           !fx_there(fx_fmt("%s/%s-backup.info", f.r.meta_dir, id)) &&
           !delete_mark_is_set(&f.r, id);
}

static bool run(const char *id, uint64_t redundancy, struct err *err)
{
    struct delete_backup what = {&f.r, id, redundancy, NULL, WAL_DELETE_BY_HAND};

    *err = (struct err){0};
    return delete_backup(said_init(&said), &what, err);
}

/* The backup's own directory leads elsewhere: nothing goes, there or here. */
static void a_link_in_its_place(void **state)
{
    const struct delete_backup what = {.repo = &f.r, .id = A};
    const char *moved, *dir;
    struct err err = {0};

    (void)state;
    fx_init(&f);
    backup(A, BACKUP_DONE, 2);
    backup(B, BACKUP_DONE, 4);
    wal(2);
    dir = fx_fmt("%s/%s", f.r.base_dir, A);
    moved = fx_fmt("%s/moved", f.root);
    assert_int_equal(rename(dir, moved), 0);
    assert_int_equal(symlink(moved, dir), 0);
    assert_false(delete_dry_run(said_init(&said), &what, &err));
    assert_int_equal(err.code, ERR_UNSAFE);
    assert_string_equal(said.out, "");
    assert_false(run(A, 0, &err));
    assert_int_equal(err.code, ERR_UNSAFE);
    assert_non_null(strstr(err.why, "is a link"));
    assert_true(fx_there(fx_fmt("%s/moved/data/base/1/1234", f.root)));
    assert_true(fx_there(fx_fmt("%s/moved/16384/PG_15", f.root)));
    assert_true(fx_there(fx_fmt("%s/%s-backup.info", f.r.meta_dir, A)));
    assert_true(fx_there(fx_fmt("%s/0000000100000000/000000010000000000000002", f.r.wals_dir)));
    assert_false(delete_mark_is_set(&f.r, A));
    fx_release(&f);
}

static void oldest_with_its_wal(void **state)
{
    struct err err = {0};

    (void)state;
    fx_init(&f);
    backup(A, BACKUP_DONE, 2);
    backup(B, BACKUP_DONE, 4);
    for (unsigned no = 1; no <= 5; no++) {
        wal(no);
    }
    assert_true(run(A, 0, &err));
    assert_true(gone(A));
    assert_false(gone(B));
    assert_ptr_equal(strstr(said.out, "Deleting backup " A " for server main\n"
                                      "Delete associated WAL segments:\n"
                                      "\t000000010000000000000001\n"
                                      "\t000000010000000000000002\n"
                                      "\t000000010000000000000003\n"
                                      "Deleted backup " A " (start time: "),
                     said.out);
    assert_non_null(strstr(said.out, ", elapsed time: less than one second)\n"));
    assert_int_equal(fx_count(fx_fmt("%s/0000000100000000", f.r.wals_dir)), 2);
    assert_int_equal(fx_xlogdb_lines(&f.r), 2);
    assert_false(fx_there(fx_fmt("%s/.main-" A ".lock", f.root)));
    fx_release(&f);
}

/* The peer's data loss: more than 256 files of one directory to be removed, others needed. */
static void many_of_one_directory(void **state)
{
    struct err err = {0};

    (void)state;
    fx_init(&f);
    backup(A, BACKUP_DONE, 1);
    backup(B, BACKUP_DONE, 301);
    for (unsigned no = 1; no <= 400; no++) {
        wal(no);
    }
    fx_text(
        fx_fmt("%s/0000000100000000/00000001000000000000012D.00000028.backup", f.r.wals_dir),
        "");
    assert_true(run(A, 1, &err));
    assert_int_equal(fx_count(fx_fmt("%s/0000000100000000", f.r.wals_dir)), 101);
    assert_int_equal(fx_xlogdb_lines(&f.r), 101);
    assert_true(fx_there(fx_fmt("%s/0000000100000000/00000001000000000000012D", f.r.wals_dir)));
    assert_false(
        fx_there(fx_fmt("%s/0000000100000000/00000001000000000000012C", f.r.wals_dir)));
    fx_release(&f);
}

/* The same with segments of 1 MiB, of which one directory holds 4096: 512 go. */
static void many_of_small_segments(void **state)
{
    struct err err = {0};

    (void)state;
    fx_init(&f);
    backup(A, BACKUP_DONE, 1);
    backup(B, BACKUP_DONE, 513);
    for (unsigned no = 1; no <= 700; no++) {
        wal(no);
    }
    assert_true(run(A, 1, &err));
    assert_int_equal(fx_count(fx_fmt("%s/0000000100000000", f.r.wals_dir)), 188);
    assert_int_equal(fx_xlogdb_lines(&f.r), 188);
    assert_true(fx_there(fx_fmt("%s/0000000100000000/000000010000000000000201", f.r.wals_dir)));
    fx_release(&f);
}

/* A directory that the list names is not there: no reason to leave the backup half deleted. */
static void without_its_directory(void **state)
{
    struct err err = {0};

    (void)state;
    fx_init(&f);
    backup(A, BACKUP_DONE, 2);
    backup(B, BACKUP_DONE, 5000);
    for (unsigned no = 1; no <= 3; no++) {
        wal(no);
    }
    wal(5000);
    assert_int_equal(fx_xlogdb_lines(&f.r), 4);
    assert_true(tree_remove(fx_fmt("%s/0000000100000000", f.r.wals_dir), &err));
    assert_true(run(A, 1, &err));
    assert_true(gone(A));
    assert_int_equal(fx_xlogdb_lines(&f.r), 1);
    fx_release(&f);
}

/* 107: more than a thousand, over several directories; those that are emptied go too. */
static void r107_thousands(void **state)
{
    struct err err = {0};

    (void)state;
    fx_init(&f);
    backup(A, BACKUP_DONE, 1);
    backup(B, BACKUP_DONE, 9000);
    for (unsigned no = 4000; no <= 9001; no++) {
        wal(no);
    }
    assert_true(run(A, 1, &err));
    assert_int_equal(fx_xlogdb_lines(&f.r), 2);
    assert_false(fx_there(fx_fmt("%s/0000000100000000", f.r.wals_dir)));
    assert_false(fx_there(fx_fmt("%s/0000000100000001", f.r.wals_dir)));
    assert_int_equal(fx_count(fx_fmt("%s/0000000100000002", f.r.wals_dir)), 2);
    fx_release(&f);
}

/* Names decide what goes, not the times of the files: a clock that jumps back harms nothing. */
static void r030_times_do_not_matter(void **state)
{
    struct err err = {0};

    (void)state;
    fx_init(&f);
    backup(A, BACKUP_DONE, 1);
    backup(B, BACKUP_DONE, 3);
    for (unsigned no = 1; no <= 4; no++) {
        const struct timespec when[2] = {{.tv_sec = 900000000 - no},
                                         {.tv_sec = 900000000 - no}};

        wal(no);
        assert_int_equal(
            utimensat(AT_FDCWD,
                      fx_fmt("%s/0000000100000000/00000001000000000000000%u", f.r.wals_dir, no),
                      when, 0),
            0);
    }
    assert_true(run(A, 1, &err));
    assert_false(
        fx_there(fx_fmt("%s/0000000100000000/000000010000000000000002", f.r.wals_dir)));
    assert_true(fx_there(fx_fmt("%s/0000000100000000/000000010000000000000003", f.r.wals_dir)));
    assert_int_equal(fx_xlogdb_lines(&f.r), 2);
    fx_release(&f);
}

/* B's delete was interrupted: A is the only one, and B may be deleted all the same. */
static void half_a_backup_does_not_count(void **state)
{
    struct err err = {0};

    (void)state;
    fx_init(&f);
    backup(A, BACKUP_DONE, 2);
    backup(B, BACKUP_DONE, 4);
    assert_true(delete_mark_set(&f.r, B, &err));
    assert_false(run(A, 1, &err));
    assert_int_equal(err.code, ERR_UNSAFE);
    assert_true(run(B, 1, &err));
    assert_true(gone(B) && !gone(A));
    fx_release(&f);
}

static void dry_run_tells_and_touches_nothing(void **state)
{
    const struct delete_backup what = {.repo = &f.r, .id = A};
    struct err err = {0};

    (void)state;
    fx_init(&f);
    backup(A, BACKUP_DONE, 2);
    backup(B, BACKUP_DONE, 4);
    for (unsigned no = 1; no <= 5; no++) {
        wal(no);
    }
    assert_true(delete_dry_run(said_init(&said), &what, &err));
    assert_string_equal(said.out,
                        "Would delete 1 backup and 3 WAL files (0 B) for server main:\n"
                        "\tbackup " A ", 0 B: the backup that was named\n"
                        "\t\twith 3 WAL files, 0 B: 000000010000000000000001 .. "
                        "000000010000000000000003\n");
    assert_false(gone(A));
    assert_false(delete_mark_is_set(&f.r, A));
    assert_int_equal(fx_xlogdb_lines(&f.r), 5);
    fx_text(fx_fmt("%s/" A "-keep", f.r.meta_dir), "full");
    assert_false(delete_dry_run(said_init(&said), &what, &err));
    assert_int_equal(err.code, ERR_UNSAFE);
    assert_string_equal(said.out, "");
    fx_release(&f);
}

static void with_an_older_one_no_wal_goes(void **state)
{
    struct err err = {0};

    (void)state;
    fx_init(&f);
    backup(A, BACKUP_DONE, 2);
    backup(B, BACKUP_DONE, 4);
    wal(1);
    wal(4);
    assert_true(run(B, 0, &err));
    assert_true(gone(B));
    assert_null(strstr(said.out, "WAL"));
    assert_int_equal(fx_xlogdb_lines(&f.r), 2);
    fx_release(&f);
}

static void refusals(void **state)
{
    struct err err = {0};

    (void)state;
    fx_init(&f);
    backup(A, BACKUP_DONE, 2);
    backup(B, BACKUP_DONE, 4);
    backup(C, BACKUP_FAILED, 5);
    assert_false(run(A, 2, &err));
    assert_int_equal(err.code, ERR_UNSAFE);
    assert_non_null(strstr(said.warn, "minimum redundancy = 2, current redundancy = 2"));
    assert_non_null(strstr(err.why, "Cannot delete backup " A " of server main"));
    assert_true(run(C, 2, &err)); /* a failed one does not count */
    assert_true(gone(C));
    fx_text(fx_fmt("%s/" A "-keep", f.r.meta_dir), "standalone");
    assert_false(run(A, 0, &err));
    assert_int_equal(err.code, ERR_UNSAFE);
    assert_non_null(strstr(said.warn, "keep"));
    assert_true(fx_there(fx_fmt("%s/" A "/data/base/1/1234", f.r.base_dir)));
    assert_false(delete_mark_is_set(&f.r, A));
    assert_false(run("20260109T000000", 0, &err));
    assert_int_equal(err.code, ERR_MISSING);
    assert_false(run("..", 0, &err));
    assert_int_equal(err.code, ERR_FORMAT);
    fx_release(&f);
}

/* B has lost its files, so A is the one that minimum_redundancy asks for; B can go. */
static void an_orphan_is_no_redundancy(void **state)
{
    struct err err = {0};

    (void)state;
    fx_init(&f);
    backup(A, BACKUP_DONE, 2);
    backup(B, BACKUP_DONE, 4);
    assert_true(tree_remove(fx_fmt("%s/" B, f.r.base_dir), &err));
    assert_false(run(A, 1, &err));
    assert_int_equal(err.code, ERR_UNSAFE);
    assert_non_null(strstr(said.warn, "minimum redundancy = 1, current redundancy = 1"));
    assert_true(run(B, 1, &err));
    assert_true(gone(B) && !gone(A));
    fx_release(&f);
}

static void while_a_backup_runs(void **state) /* row 103 */
{
    const char *name[] = {LOCK_BACKUP, A};
    struct err err = {0};

    (void)state;
    fx_init(&f);
    backup(A, BACKUP_DONE, 2);
    for (int i = 0; i < 2; i++) {
        struct lock lock;

        assert_true(lock_take(&lock, &f.r, name[i], LOCK_TRY, &err));
        assert_false(run(A, 0, &err));
        assert_int_equal(err.code, ERR_BUSY);
        lock_release(&lock);
    }
    assert_true(fx_there(fx_fmt("%s/" A "/data/base/1/1234", f.r.base_dir)));
    fx_release(&f);
}

/* Stopped after the data, before the facts: it is still listed and can be deleted again. */
static void an_interrupted_one_is_finished(void **state)
{
    struct err err = {0};

    (void)state;
    fx_init(&f);
    backup(A, BACKUP_DONE, 2);
    backup(B, BACKUP_DONE, 4);
    wal(1);
    wal(2);
    wal(4);
    assert_int_equal(fx_xlogdb_lines(&f.r), 3);
    assert_true(delete_mark_set(&f.r, A, &err));
    assert_true(tree_remove(fx_fmt("%s/" A "/data", f.r.base_dir), &err));
    assert_int_equal(
        unlink(fx_fmt("%s/0000000100000000/000000010000000000000001", f.r.wals_dir)), 0);
    assert_true(run(A, 0, &err));
    assert_true(gone(A));
    assert_int_equal(fx_xlogdb_lines(&f.r), 1);
    fx_release(&f);
}

static void of_the_oldest_layouts(void **state)
{
    struct err err = {0};
    const char *base;

    (void)state;
    fx_init(&f);
    backup(B, BACKUP_DONE, 4);
    base = fx_fmt("%s/" A, f.r.base_dir);
    assert_true(dir_make(fx_fmt("%s/pgdata/pg_tblspc/16384", base), &err));
    fx_text(fx_fmt("%s/backup.info", base),
            "status=DONE\ntimeline=1\nbegin_wal=000000010000000000000002\n"
            "end_wal=000000010000000000000002\ntablespaces=[('ts', 16384, '/srv/ts')]\n");
    assert_true(run(A, 0, &err));
    assert_true(gone(A));
    fx_release(&f);
}

static void links_are_not_followed(void **state)
{
    struct err err = {0};

    (void)state;
    fx_init(&f);
    backup(A, BACKUP_DONE, 2);
    fx_text(fx_fmt("%s/precious", f.root), "x");
    assert_int_equal(symlink(f.root, fx_fmt("%s/" A "/data/pg_wal", f.r.base_dir)), 0);
    assert_true(run(A, 0, &err));
    assert_true(gone(A));
    assert_true(fx_there(fx_fmt("%s/precious", f.root)));
    fx_release(&f);
}

static void a_tree_goes_leaves_first(void **state)
{
    struct backup b = {.id = ""};
    struct err err = {0};
    struct arena a;

    (void)state;
    fx_init(&f);
    arena_init(&a, 0);
    backup(A, BACKUP_DONE, 2);
    backup(B, BACKUP_DONE, 4);
    backup(C, BACKUP_DONE, 6);
    assert_true(backup_info_load(&f.r, &a, A, &b, &err));
    b.children_backup_ids = B;
    assert_true(backup_info_save(&f.r, &b, &err));
    assert_true(backup_info_load(&f.r, &a, B, &b, &err));
    b.parent_backup_id = A;
    b.children_backup_ids = C ","
                              "20260104T000000";
    assert_true(backup_info_save(&f.r, &b, &err));
    assert_true(backup_info_load(&f.r, &a, C, &b, &err));
    b.parent_backup_id = B;
    assert_true(backup_info_save(&f.r, &b, &err));

    assert_true(run(C, 0, &err)); /* a leaf: its parent forgets it */
    assert_true(gone(C));
    assert_true(backup_info_load(&f.r, &a, B, &b, &err));
    assert_string_equal(b.children_backup_ids, "20260104T000000");

    /* The parent cannot go, so nothing that stands on it goes. */
    assert_int_equal(rename(fx_fmt("%s/%s", f.r.base_dir, A), fx_fmt("%s/moved", f.root)), 0);
    assert_int_equal(symlink(fx_fmt("%s/moved", f.root), fx_fmt("%s/%s", f.r.base_dir, A)), 0);
    assert_false(run(A, 0, &err));
    assert_int_equal(err.code, ERR_UNSAFE);
    assert_true(fx_there(fx_fmt("%s/%s/data/base/1/1234", f.r.base_dir, B)));
    assert_int_equal(unlink(fx_fmt("%s/%s", f.r.base_dir, A)), 0);
    assert_int_equal(rename(fx_fmt("%s/moved", f.root), fx_fmt("%s/%s", f.r.base_dir, A)), 0);

    assert_true(run(A, 0, &err));
    assert_true(gone(A) && gone(B));
    assert_non_null(strstr(said.warn, "incremental backups which depend on it"));
    assert_true(strstr(said.out, "Deleting backup " B) <
                strstr(said.out, "Deleting backup " A));
    arena_release(&a);
    fx_release(&f);
}

/* B and C share files by hard links, as rsync leaves them; without B they are C's own. */
static void the_next_one_is_counted_again(void **state)
{
    const char *shared;
    struct backup b;
    struct arena a;
    struct err err = {0};

    (void)state;
    fx_init(&f);
    arena_init(&a, 0);
    backup(A, BACKUP_DONE, 2);
    backup(B, BACKUP_DONE, 4);
    backup(C, BACKUP_DONE, 6);
    shared = fx_fmt("%s/" B "/data/base/1/1234", f.r.base_dir);
    assert_int_equal(link(shared, fx_fmt("%s/" C "/data/base/1/5678", f.r.base_dir)), 0);
    assert_true(backup_info_load(&f.r, &a, C, &b, &err));
    b.mode = "rsync-concurrent";
    b.size = 8;
    b.deduplicated_size = 4;
    assert_true(backup_info_save(&f.r, &b, &err));

    assert_true(run(A, 0, &err)); /* what follows it is not of rsync */
    assert_true(backup_info_load(&f.r, &a, C, &b, &err));
    assert_int_equal(b.deduplicated_size, 4);
    assert_true(run(B, 0, &err));
    assert_true(backup_info_load(&f.r, &a, C, &b, &err));
    assert_int_equal(b.size, 8);
    assert_int_equal(b.deduplicated_size, 8);
    assert_string_equal(said.warn, "");
    arena_release(&a);
    fx_release(&f);
}

static void purge_before_the_first(void **state)
{
    struct err err = {0};

    (void)state;
    fx_init(&f);
    backup(A, BACKUP_FAILED, 1);
    backup(B, BACKUP_DONE, 3);
    for (unsigned no = 1; no <= 4; no++) {
        wal(no);
    }
    assert_true(wal_purge_before(said_init(&said), &f.r, NULL, B, &err));
    assert_int_equal(fx_xlogdb_lines(&f.r), 2);
    assert_string_equal(said.out,
                        "WAL segments preceding the current backup have been found:\n"
                        "\t000000010000000000000001 from server main has been removed\n"
                        "\t000000010000000000000002 from server main has been removed\n");
    backup(C, BACKUP_DONE, 4);
    assert_true(wal_purge_before(said_init(&said), &f.r, NULL, C, &err));
    assert_int_equal(fx_xlogdb_lines(&f.r), 2);
    assert_string_equal(said.out, "");
    fx_release(&f);
}

/* The clock was put back at 03:00: a child of 02:10 stands on a parent of 02:50. */
static void a_child_with_the_lower_id(void **state)
{
    struct backup b[4] = {{.id = "20261025T021000", .parent_backup_id = "20261025T025000"},
                          {.id = "20261025T025000"},
                          {.id = "20261026T010000", .parent_backup_id = "20261025T021000"},
                          {.id = "20261027T010000"}};
    const struct catalogue c = {.backup = b, .n = 4};
    size_t order[4];

    (void)state;
    assert_int_equal(delete_order(&c, 1, order), 3);
    assert_int_equal(order[0], 2);
    assert_int_equal(order[1], 0);
    assert_int_equal(order[2], 1);
    assert_int_equal(delete_order(&c, 0, order), 2);
    assert_int_equal(order[1], 0);
    b[1].parent_backup_id = "20261026T010000"; /* a circle ends somewhere */
    assert_int_equal(delete_order(&c, 1, order), 3);
    assert_int_equal(delete_order(&c, 3, order), 1);
}

/* The full one at 02:50, then 02:10 on it, and 02:20 on that: all in the hour that came twice. */
static void two_children_with_lower_ids(void **state)
{
    struct backup b[3] = {{.id = "20261025T021000", .parent_backup_id = "20261025T025000"},
                          {.id = "20261025T022000", .parent_backup_id = "20261025T021000"},
                          {.id = "20261025T025000"}};
    const struct catalogue c = {.backup = b, .n = 3};
    size_t order[3];

    (void)state;
    assert_int_equal(delete_order(&c, 2, order), 3);
    assert_int_equal(order[0], 1);
    assert_int_equal(order[1], 0);
    assert_int_equal(order[2], 2);
}

TEST_MAIN(ONE(a_child_with_the_lower_id), ONE(two_children_with_lower_ids),
          ONE(oldest_with_its_wal), ONE(many_of_one_directory), ONE(many_of_small_segments),
          ONE(without_its_directory), ONE(r107_thousands), ONE(r030_times_do_not_matter),
          ONE(half_a_backup_does_not_count), ONE(dry_run_tells_and_touches_nothing),
          ONE(with_an_older_one_no_wal_goes), ONE(refusals), ONE(an_orphan_is_no_redundancy),
          ONE(while_a_backup_runs), ONE(an_interrupted_one_is_finished),
          ONE(of_the_oldest_layouts), ONE(links_are_not_followed), ONE(a_link_in_its_place),
          ONE(a_tree_goes_leaves_first), ONE(the_next_one_is_counted_again),
          ONE(purge_before_the_first))
