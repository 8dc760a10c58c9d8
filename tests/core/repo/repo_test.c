/* SPDX-License-Identifier: PostgreSQL */
/* Paths are written down by hand from the tree in repo.h. */
#include "fixture.h"

static const struct row {
    const char *label;
    const char *id;
    bool ok;
} rows[] = {
    {"an id", "20261122T134353", true},
    {"no T", "20261122-134353", false},
    {"lower t", "20261122t134353", false},
    {"one digit short", "20261122T13435", false},
    {"one digit more", "20261122T1343530", false},
    {"empty", "", false},
    {"a step up", "../../etc/passwd", false},
    {"a letter", "2026112aT134353", false},
    {"newline after", "20261122T134353\n", false},
};

static void check_id(void **state)
{
    const struct row *row = *state;
    struct repo r = {.base_dir = "/b", .meta_dir = "/m"};
    struct err err = {0};
    char path[PATH_CAP];

    assert_int_equal(backup_id_ok(row->id), row->ok);
    assert_int_equal(repo_backup_dir(&r, row->id, path, &err), row->ok);
    assert_int_equal(repo_info_path(&r, row->id, path, &err), row->ok);
    if (row->ok) {
        assert_string_equal(path, "/m/20261122T134353-backup.info");
        assert_true(repo_info_legacy_path(&r, row->id, path, &err));
        assert_string_equal(path, "/b/20261122T134353/backup.info");
    }
}

static const struct wal_row {
    const char *label;
    const char *name;
    const char *path; /* NULL: refused */
} wal_rows[] = {
    {"segment", "000000030000004C0000009A", "/w/000000030000004C/000000030000004C0000009A"},
    {"partial", "000000030000004C0000009A.partial",
     "/w/000000030000004C/000000030000004C0000009A.partial"},
    {"label", "000000030000004C0000009A.00000028.backup",
     "/w/000000030000004C/000000030000004C0000009A.00000028.backup"},
    {"history", "00000003.history", "/w/00000003.history"},
    {"a step up", "../000000030000004C0000009A", NULL},
    {"absolute", "/etc/passwd", NULL},
    {"23 digits", "000000030000004C0000009", NULL},
    {"25 digits", "000000030000004C0000009A0", NULL},
    {"other ending", "000000030000004C0000009A.gz", NULL},
    {"newline in it", "000000030000004C0000009\n", NULL},
    {"percent", "%00000030000004C0000009A", NULL},
    {"empty", "", NULL},
};

static void check_wal(void **state)
{
    const struct wal_row *row = *state;
    struct repo r = {.wals_dir = "/w"};
    struct err err = {0};
    char path[PATH_CAP];

    assert_int_equal(repo_wal_path(&r, row->name, path, &err), row->path != NULL);
    if (row->path) {
        assert_string_equal(path, row->path);
    } else {
        assert_int_equal(err.code, ERR_FORMAT);
    }
}

static void old_and_new_data_directories(void **state)
{
    const char *id = "20261122T134353";
    struct err err = {0};
    char path[PATH_CAP];
    struct fx f;

    (void)state;
    fx_init(&f);
    assert_true(repo_data_dir(&f.r, id, path, &err));
    assert_string_equal(path, fx_fmt("%s/%s/data", f.r.base_dir, id));
    assert_true(repo_tablespace_dir(&f.r, id, 16384, path, &err));
    assert_string_equal(path, fx_fmt("%s/%s/16384", f.r.base_dir, id));

    assert_true(dir_make(fx_fmt("%s/%s/pgdata", f.r.base_dir, id), &err));
    assert_true(repo_data_dir(&f.r, id, path, &err));
    assert_string_equal(path, fx_fmt("%s/%s/pgdata", f.r.base_dir, id));
    assert_true(repo_tablespace_dir(&f.r, id, 16384, path, &err));
    assert_string_equal(path, fx_fmt("%s/%s/pgdata/pg_tblspc/16384", f.r.base_dir, id));
    fx_release(&f);
}

static void a_path_that_is_too_long(void **state)
{
    static char dir[PATH_CAP];
    struct repo r = {
        .base_dir = dir, .wals_dir = dir, .meta_dir = dir, .xlogdb_dir = dir, .server = "main"};
    struct err err = {0};
    char path[PATH_CAP];

    (void)state;
    memset(dir, 'd', PATH_CAP - 8);
    assert_false(repo_data_dir(&r, "20261122T134353", path, &err));
    assert_int_equal(err.code, ERR_FORMAT);
    assert_false(repo_tablespace_dir(&r, "20261122T134353", 1, path, &err));
    assert_false(repo_info_path(&r, "20261122T134353", path, &err));
    assert_false(repo_info_legacy_path(&r, "20261122T134353", path, &err));
    assert_false(repo_wal_path(&r, "000000010000000000000001", path, &err));
    assert_false(repo_xlogdb_path(&r, path, &err));
}

TEST_MAIN(ROWS(rows, check_id), ROWS(wal_rows, check_wal), ONE(old_and_new_data_directories),
          ONE(a_path_that_is_too_long))
