/* SPDX-License-Identifier: PostgreSQL */
/* What cron removes, on files. The policies themselves are tested in plan/retention_report. Now
 * is 31 March 2026, 12:00 UTC. */
#include "core/repo/fixture.h"

#include "engine/enforce.h"
#include "engine/retention_of.h"
#include "repo/lock.h"
#include "said.h"

#define A "20260301T000000"
#define B "20260310T000000"
#define C "20260320T000000"
#define D "20260330T000000"

#define NOW_S INT64_C(1774958400)
#define DAY   INT64_C(86400)

static struct fx f;
static struct said said;
static struct server_cfg srv;

static void begin(const char *policy)
{
    fx_init(&f);
    assert_int_equal(setenv("BARKEEP_NOW", "1774958400", 1), 0);
    srv = (struct server_cfg){.name = "main", .active = true, .retention_policy = policy};
}

static void wals(unsigned from, unsigned to)
{
    mkdir(fx_fmt("%s/0000000100000000", f.r.wals_dir), 0700);
    for (unsigned no = from; no <= to; no++) {
        fx_text(fx_fmt("%s/0000000100000000/0000000100000000%08X", f.r.wals_dir, no), "");
    }
}

static bool has_wal(unsigned no)
{
    return fx_there(fx_fmt("%s/0000000100000000/0000000100000000%08X", f.r.wals_dir, no));
}

/* age: days since it ended; wal: its first and only segment. */
static void backup(const char *id, enum backup_status status, int age, unsigned wal,
                   const char *parent)
{
    char begin_wal[32];
    struct backup b = {.status = status,
                       .mode = "postgres",
                       .parent_backup_id = parent,
                       .begin_wal = begin_wal,
                       .end_wal = begin_wal,
                       .end_time = {(NOW_S - age * DAY) * 1000000, 0, true},
                       .timeline = 1,
                       .size = 4096,
                       .xlog_segment_size = FX_SEG};
    struct err err = {0};

    snprintf(begin_wal, sizeof begin_wal, "0000000100000000%08X", wal);
    str_copy(b.id, sizeof b.id, id);
    assert_true(backup_info_save(&f.r, &b, &err));
    assert_true(dir_make(fx_fmt("%s/%s/data/base", f.r.base_dir, id), &err));
}

static void four(void)
{
    backup(A, BACKUP_DONE, 30, 2, NULL);
    backup(B, BACKUP_DONE, 21, 10, NULL);
    backup(C, BACKUP_DONE, 11, 20, NULL);
    backup(D, BACKUP_DONE, 1, 30, NULL);
    wals(1, 32);
}

static bool run(enum enforce_how how, struct err *err)
{
    struct catalogue all;
    struct arena a;
    bool ok;

    *err = (struct err){0};
    arena_init(&a, 0);
    assert_true(catalogue_load(&f.r, &a, &all, err));
    ok = enforce_retention(said_init(&said), &f.r, &srv, &all, how, err);
    arena_release(&a);
    return ok;
}

static bool there(const char *id)
{
    bool info = fx_there(fx_fmt("%s/%s-backup.info", f.r.meta_dir, id));

    assert_int_equal(info, fx_there(fx_fmt("%s/%s", f.r.base_dir, id)));
    return info;
}

static void obsolete_ones_go(void **state)
{
    struct err err;

    (void)state;
    begin("REDUNDANCY 2");
    four();
    assert_true(run(ENFORCE_DO, &err));
    assert_true(!there(A) && !there(B) && there(C) && there(D));
    assert_ptr_equal(strstr(said.out, "Enforcing retention policy: removing backup " A
                                      " for server main\n"
                                      "Deleting backup " A " for server main\n"
                                      "Delete associated WAL segments:\n"
                                      "\t000000010000000000000001\n"),
                     said.out);
    assert_non_null(strstr(said.out, "Enforcing retention policy: removing backup " B));
    assert_string_equal(said.warn, "");
    assert_true(!has_wal(19) && has_wal(20) && has_wal(32));
    assert_int_equal(fx_xlogdb_lines(&f.r), 13);
    assert_true(run(ENFORCE_DO, &err)); /* and again: nothing */
    assert_string_equal(said.out, "");
    assert_int_equal(fx_xlogdb_lines(&f.r), 13);
    fx_release(&f);
}

static void without_a_policy_nothing_goes(void **state)
{
    struct err err;

    (void)state;
    begin(NULL);
    four();
    assert_true(run(ENFORCE_DO, &err));
    assert_string_equal(said.out, "");
    srv.retention_policy = "REDUNDANCY one";
    assert_true(run(ENFORCE_DO, &err));
    assert_string_equal(said.out, "");
    assert_non_null(strstr(said.warn, "is not enforced: not a retention policy"));
    assert_true(there(A) && has_wal(1));
    fx_release(&f);
}

static void r104_chains(void **state)
{
    struct err err;

    (void)state;
    begin("REDUNDANCY 1");
    backup(A, BACKUP_DONE, 30, 2, NULL);
    backup(B, BACKUP_DONE, 21, 10, A);
    backup(C, BACKUP_DONE, 11, 20, B);
    backup(D, BACKUP_DONE, 1, 30, NULL);
    wals(1, 32);
    assert_true(run(ENFORCE_DO, &err));
    assert_true(!there(A) && !there(B) && !there(C) && there(D));
    assert_true(strstr(said.out, "Deleting backup " C) <
                strstr(said.out, "Deleting backup " B));
    assert_true(strstr(said.out, "Deleting backup " B) <
                strstr(said.out, "Deleting backup " A));
    assert_true(!has_wal(29) && has_wal(30));
    fx_release(&f);
}

static void r105_the_last_good_one_stays(void **state)
{
    struct err err;

    (void)state;
    begin("REDUNDANCY 0");
    four();
    backup("20260331T000000", BACKUP_FAILED, 0, 31, NULL);
    assert_true(run(ENFORCE_DO, &err));
    assert_true(!there(A) && !there(B) && !there(C) && there(D));
    assert_non_null(strstr(said.warn, "it is the last good one"));
    assert_true(there("20260331T000000"));
    fx_release(&f);
}

static void r103_nothing_in_use_goes(void **state)
{
    struct lock lock;
    struct err err;

    (void)state;
    begin("REDUNDANCY 2");
    four();
    assert_true(lock_take(&lock, &f.r, LOCK_BACKUP, LOCK_TRY, &err));
    assert_true(run(ENFORCE_DO, &err)); /* a backup runs */
    assert_string_equal(said.out, "");
    assert_true(there(A));
    lock_release(&lock);
    assert_true(lock_take_shared(&lock, &f.r, A, &err)); /* A is being restored */
    assert_true(run(ENFORCE_DO, &err));
    assert_non_null(strstr(said.warn,
                           "Another action is in progress for the backup " A
                           " of server main, skipping retention policy application"));
    assert_true(there(A) && !there(B) && has_wal(1) && has_wal(19));
    lock_release(&lock);
    assert_true(run(ENFORCE_DO, &err));
    assert_true(!there(A) && !has_wal(19));
    fx_release(&f);
}

static void orphans_are_left(void **state)
{
    struct err err;

    (void)state;
    begin("REDUNDANCY 2");
    four();
    assert_true(tree_remove(fx_fmt("%s/" A, f.r.base_dir), &err));
    assert_true(run(ENFORCE_DO, &err));
    assert_non_null(strstr(said.warn, "Backup '" A "' is an orphan backup"));
    assert_true(fx_there(fx_fmt("%s/" A "-backup.info", f.r.meta_dir)));
    assert_true(!there(B) && has_wal(2));
    fx_release(&f);
}

/* D and C have lost their files, so B is the last good one, and A the one that REDUNDANCY 2 wants
 * beside it. */
static void orphans_push_out_no_other(void **state)
{
    struct err err;

    (void)state;
    begin("REDUNDANCY 2");
    four();
    assert_true(tree_remove(fx_fmt("%s/" D, f.r.base_dir), &err));
    assert_true(tree_remove(fx_fmt("%s/" C "/data", f.r.base_dir), &err));
    assert_true(run(ENFORCE_DO, &err));
    assert_non_null(strstr(said.warn, "Backup '" C "' is an orphan backup"));
    assert_non_null(strstr(said.warn, "Backup '" D "' is an orphan backup"));
    assert_true(there(A) && there(B) && has_wal(2));
    fx_release(&f);
}

/* The newest that is older than the window of WAL is there no more: the one before closes it. */
static void orphans_close_no_window_of_wal(void **state)
{
    struct err err;

    (void)state;
    begin(NULL);
    srv.wal_retention_policy = "RECOVERY WINDOW OF 7 DAYS";
    four();
    assert_true(tree_remove(fx_fmt("%s/" C, f.r.base_dir), &err));
    assert_true(run(ENFORCE_DO, &err));
    assert_true(!has_wal(9) && has_wal(10) && has_wal(11) && has_wal(19));
    fx_release(&f);
}

static void interrupted_deletes_are_finished(void **state)
{
    struct err err;

    (void)state;
    begin(NULL); /* whatever the policy */
    four();
    srv.minimum_redundancy = 4;
    assert_true(delete_mark_set(&f.r, A, &err));
    assert_true(run(ENFORCE_DO, &err));
    assert_non_null(strstr(said.out, "Finishing the interrupted delete of backup " A));
    assert_true(!there(A) && there(B) && !has_wal(9) && has_wal(10));
    fx_release(&f);
}

/* D is half gone, and the report counts it still: B is not deleted for it, and when D is gone the
 * other two are what REDUNDANCY 2 asks for. */
static void an_interrupted_one_is_no_redundancy(void **state)
{
    struct err err;

    (void)state;
    begin("REDUNDANCY 2");
    four();
    assert_true(delete_mark_set(&f.r, D, &err));
    assert_true(run(ENFORCE_DO, &err));
    assert_true(there(A) && there(B) && there(C) && !there(D));
    assert_true(run(ENFORCE_DO, &err));
    assert_true(!there(A) && there(B) && there(C));
    fx_release(&f);
}

/* C closes the window of WAL: of A and B only what makes them consistent is left. */
static void wal_goes_before_the_backups(void **state)
{
    struct lock lock;
    struct err err;

    (void)state;
    begin("KEEP 12 MONTHLY, 30 DAILY");
    srv.wal_retention_policy = "RECOVERY WINDOW OF 1 WEEK";
    four();
    assert_true(lock_take_shared(&lock, &f.r, B, &err)); /* somebody restores B */
    assert_true(run(ENFORCE_DO, &err));
    assert_int_equal(fx_xlogdb_lines(&f.r), 32);
    lock_release(&lock);
    assert_true(run(ENFORCE_DO, &err));
    assert_true(there(A) && there(B) && there(C) && there(D));
    assert_ptr_equal(strstr(said.out, "Enforcing WAL retention policy: removing WAL segments\n"
                                      "\t000000010000000000000001\n"
                                      "\t000000010000000000000003\n"),
                     said.out);
    assert_true(!has_wal(1) && has_wal(2) && !has_wal(3) && !has_wal(9) && has_wal(10));
    assert_true(!has_wal(11) && !has_wal(19) && has_wal(20) && has_wal(21) && has_wal(32));
    assert_string_equal(fx_read(fx_fmt("%s/wal-horizon", f.r.own_dir)), C);
    wals(3, 3); /* an idle turn does not look */
    assert_true(run(ENFORCE_DO, &err));
    assert_string_equal(said.out, "");
    assert_true(has_wal(3));
    fx_release(&f);
}

static void dry_run(void **state)
{
    struct err err;

    (void)state;
    begin("REDUNDANCY 2");
    srv.wal_retention_policy = "RECOVERY WINDOW OF 0 DAYS"; /* closed by D */
    four();
    assert_true(delete_mark_set(&f.r, A, &err));
    assert_true(run(ENFORCE_DRY_RUN, &err));
    assert_string_equal(
        said.out,
        "Would delete 1 backup and 27 WAL files (0 B) for server main:\n"
        "\tbackup " A ", 4.0 KiB: its delete was interrupted\n"
        "\t\twith 9 WAL files, 0 B: 000000010000000000000001 .. 000000010000000000000009\n"
        "\tWAL before backup " D ", older than the RECOVERY WINDOW OF 0 DAYS of WAL\n"
        "\t\twith 18 WAL files, 0 B: 00000001000000000000000B .. 00000001000000000000001D\n");
    assert_true(there(A) && there(B) && has_wal(1));
    assert_int_equal(fx_xlogdb_lines(&f.r), 32);
    srv.wal_retention_policy = NULL;
    assert_true(delete_mark_clear(&f.r, A, &err));
    srv.retention_policy = "REDUNDANCY 9";
    assert_true(run(ENFORCE_DRY_RUN, &err));
    assert_string_equal(said.out, "Nothing would be deleted for server main\n");

    fx_release(&f);
}

/* The data of a backup moved elsewhere, with a link to it. */
static void make_link(const char *id)
{
    const char *moved = fx_fmt("%s/moved-%s", f.root, id);

    assert_int_equal(rename(fx_fmt("%s/%s", f.r.base_dir, id), moved), 0);
    assert_int_equal(symlink(moved, fx_fmt("%s/%s", f.r.base_dir, id)), 0);
}

/* A and B are links and cannot go; C can, and no WAL that A needs goes with it. */
static void one_that_cannot_go_holds_up_no_other(void **state)
{
    struct err err;

    (void)state;
    begin("REDUNDANCY 1");
    four();
    make_link(A);
    make_link(B);
    assert_false(run(ENFORCE_DRY_RUN, &err));
    assert_int_equal(err.code, ERR_UNSAFE);
    assert_non_null(strstr(err.what, A));
    assert_non_null(strstr(said.error, B));
    assert_non_null(strstr(said.out, "Would delete 1 backup and 0 WAL files (0 B)"));
    assert_true(there(A) && there(B) && there(C));

    assert_false(run(ENFORCE_DO, &err));
    assert_int_equal(err.code, ERR_UNSAFE);
    assert_non_null(strstr(err.what, A));
    assert_non_null(strstr(said.error, B));
    assert_true(there(A) && there(B) && !there(C) && there(D));
    assert_true(has_wal(2) && has_wal(10) && has_wal(30));
    fx_release(&f);
}

/* The keep wins, and the policy has its turn. */
static void an_interrupted_one_that_is_kept_stays(void **state)
{
    struct err err;

    (void)state;
    begin("REDUNDANCY 1");
    four();
    assert_true(delete_mark_set(&f.r, A, &err));
    fx_text(fx_fmt("%s/" A "-keep", f.r.meta_dir), "full");
    assert_true(run(ENFORCE_DO, &err));
    assert_non_null(strstr(said.warn, "The delete of backup " A " of server main was "
                                      "interrupted, and it is kept since"));
    assert_true(there(A) && !there(B) && !there(C) && there(D) && has_wal(2));
    fx_release(&f);
}

/* Where retention deletes, an older one that is kept alone keeps only its own WAL. */
static void kept_alone(void **state)
{
    struct err err;

    (void)state;
    begin("REDUNDANCY 1");
    four();
    fx_text(fx_fmt("%s/" A "-keep", f.r.meta_dir), "standalone");
    assert_true(run(ENFORCE_DO, &err));
    assert_true(there(A) && !there(B) && !there(C) && there(D));
    assert_true(!has_wal(1) && has_wal(2) && !has_wal(3) && !has_wal(29) && has_wal(30));
    fx_release(&f);
}

static bool due(void)
{
    struct catalogue all;
    struct err err = {0};
    struct arena a;
    bool is_due = false;

    arena_init(&a, 0);
    assert_true(catalogue_load(&f.r, &a, &all, &err));
    assert_true(enforce_is_due(said_init(&said), &f.r, &srv, &all, &is_due, &err));
    arena_release(&a);
    assert_true(there(A) && has_wal(1)); /* it only looks */
    return is_due;
}

/* Whether there is something to do; what is only to be said is said when there is not. */
static void is_it_due(void **state)
{
    struct err err;

    (void)state;
    begin("REDUNDANCY 3");
    four();
    assert_true(due());
    assert_string_equal(said.out, "");
    srv.retention_policy = "REDUNDANCY 4";
    assert_false(due());
    srv.retention_policy = "REDUNDANCY one";
    assert_false(due());
    assert_non_null(strstr(said.warn, "is not enforced: not a retention policy"));
    srv.retention_policy = NULL;
    assert_false(due());
    assert_true(delete_mark_set(&f.r, C, &err));
    assert_true(due());
    fx_release(&f);
}

/* The WAL horizon alone, until it was moved. */
static void is_wal_due(void **state)
{
    struct err err;

    (void)state;
    begin(NULL);
    four();
    srv.wal_retention_policy = "RECOVERY WINDOW OF 7 DAYS";
    assert_true(due());
    wals(1, 32);
    assert_true(run(ENFORCE_DO, &err));
    wals(1, 1);
    assert_false(due());
    fx_release(&f);
}

TEST_MAIN(ONE(obsolete_ones_go), ONE(without_a_policy_nothing_goes), ONE(r104_chains),
          ONE(r105_the_last_good_one_stays), ONE(r103_nothing_in_use_goes),
          ONE(orphans_are_left), ONE(orphans_push_out_no_other),
          ONE(orphans_close_no_window_of_wal), ONE(interrupted_deletes_are_finished),
          ONE(an_interrupted_one_is_no_redundancy), ONE(wal_goes_before_the_backups),
          ONE(dry_run), ONE(one_that_cannot_go_holds_up_no_other),
          ONE(an_interrupted_one_that_is_kept_stays), ONE(kept_alone), ONE(is_it_due),
          ONE(is_wal_due))
