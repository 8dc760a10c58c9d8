/* SPDX-License-Identifier: PostgreSQL */
/* What each layout looks like is written down from Barman 3.17 and from Debian's Barman 3.4, whose
 * fields are the ones in old_text. */
#include "fixture.h"

#include "repo/layout.h"
#include "repo/xlogdb.h"

#define A   "20260101T000000"
#define B   "20260102T000000"
#define WAL "000000010000000000000008"

/* ---- found out ---------------------------------------------------------------------- */

static const struct row {
    const char *label;
    const char *files[4]; /* below the server's directory */
    enum catalogue_layout layout;
} rows[] = {
    {"nothing: new", {NULL}, LAYOUT_CURRENT},
    {"a data directory alone", {"base/" A "/data/PG_VERSION"}, LAYOUT_CURRENT},
    {"an old backup.info", {"base/" A "/backup.info"}, LAYOUT_LEGACY},
    {"an old list of WAL", {"wals/xlog.db"}, LAYOUT_LEGACY},
    {"both of old", {"wals/xlog.db", "base/" A "/backup.info"}, LAYOUT_LEGACY},
    {"a new backup.info", {"meta/" A "-backup.info"}, LAYOUT_CURRENT},
    {"a new list of WAL", {"wals/main-xlog.db"}, LAYOUT_CURRENT},
    {"a newer Barman came later",
     {"wals/xlog.db", "base/" A "/backup.info", "meta/" B "-backup.info"},
     LAYOUT_CURRENT},
    {"an older Barman came later",
     {"wals/main-xlog.db", "wals/xlog.db", "base/" A "/backup.info"},
     LAYOUT_CURRENT},
    {"a note alone is no backup", {"wals/xlog.db", "meta/" A "-keep"}, LAYOUT_LEGACY},
    {"another file in meta/", {"wals/xlog.db", "meta/notes-backup.info"}, LAYOUT_LEGACY},
    {"a list of another server", {"wals/xlog.db", "wals/other-xlog.db"}, LAYOUT_LEGACY},
    {"backup.info of what is no backup", {"base/lost+found/backup.info"}, LAYOUT_CURRENT},
    {"on its way to legacy",
     {"meta/" A "-backup.info", "wals/main-xlog.db", ".barkeep/converting=legacy\n"},
     LAYOUT_LEGACY},
    {"on its way to current",
     {"base/" A "/backup.info", ".barkeep/converting=current\n"},
     LAYOUT_CURRENT},
    {"on its way nowhere", {"base/" A "/backup.info", ".barkeep/converting=x"}, LAYOUT_LEGACY},
};

/* "path" or "path=text" */
static void put(struct fx *f, const char *file)
{
    const char *eq = strchr(file, '=');
    const char *path =
        fx_fmt("%s/%.*s", f->r.backup_dir, (int)(eq ? eq - file : (long)strlen(file)), file);
    char dir[PATH_CAP];
    struct err err = {0};

    path_dir(path, dir);
    assert_true(dir_make(dir, &err));
    fx_text(path, eq ? eq + 1 : "");
}

static void check_found(void **state)
{
    const struct row *row = *state;
    struct fx f;

    fx_init(&f);
    for (size_t i = 0; i < 4 && row->files[i]; i++) {
        put(&f, row->files[i]);
    }
    assert_int_equal(repo_find_layout(&f.r), row->layout);
    fx_release(&f);
}

/* ---- backup.info -------------------------------------------------------------------- */

static const char old_text[] = "backup_label=None\n"
                               "begin_offset=40\n"
                               "begin_time=1970-01-01 00:00:01+00:00\n"
                               "begin_wal=" WAL "\n"
                               "begin_xlog=0/8000028\n"
                               "compression=None\n"
                               "config_file=None\n"
                               "copy_stats=None\n"
                               "deduplicated_size=None\n"
                               "end_offset=None\n"
                               "end_time=None\n"
                               "end_wal=None\n"
                               "end_xlog=None\n"
                               "error=None\n"
                               "hba_file=None\n"
                               "ident_file=None\n"
                               "included_files=None\n"
                               "mode=postgres\n"
                               "pgdata=/srv/pg\n"
                               "server_name=main\n"
                               "size=None\n"
                               "status=STARTED\n"
                               "systemid=None\n"
                               "tablespaces=None\n"
                               "timeline=1\n"
                               "version=150018\n"
                               "xlog_segment_size=16777216\n";

static struct backup sample(const char *id)
{
    struct backup b = {
        .status = BACKUP_STARTED,
        .begin_time = {1000000, 0, true},
        .begin_offset = 40,
        .begin_wal = WAL,
        .begin_xlog = 0x8000028,
        .cluster_size = 7777,
        .data_checksums = "on",
        .mode = "postgres",
        .pgdata = "/srv/pg",
        .server_name = "main",
        .timeline = 1,
        .version = 150018,
    };

    str_copy(b.id, sizeof b.id, id);
    return b;
}

static const char *legacy_path(const struct fx *f, const char *id)
{
    return fx_fmt("%s/%s/backup.info", f->r.base_dir, id);
}

static const char *facts_path(const struct fx *f, const char *id)
{
    return fx_fmt("%s/%s/.barkeep/facts", f->r.base_dir, id);
}

static const char *current_path(const struct fx *f, const char *id)
{
    return fx_fmt("%s/%s-backup.info", f->r.meta_dir, id);
}

static struct backup load(const struct fx *f, struct arena *a, const char *id)
{
    struct backup b = {0};
    struct err err = {0};

    assert_true(backup_info_load(&f->r, a, id, &b, &err));
    return b;
}

static void only_what_an_old_reader_knows(void **state)
{
    struct backup b = sample(A), back;
    struct err err = {0};
    struct arena a;
    struct fx f;

    (void)state;
    fx_init(&f);
    f.r.layout = LAYOUT_LEGACY;
    arena_init(&a, 0);
    assert_true(backup_info_save(&f.r, &b, &err));
    assert_string_equal(fx_read(legacy_path(&f, A)), old_text);
    assert_string_equal(fx_read(facts_path(&f, A)), "cluster_size=7777\ndata_checksums=on\n");
    assert_false(fx_there(current_path(&f, A)));
    back = load(&f, &a, A);
    assert_int_equal(back.cluster_size, 7777);
    assert_string_equal(back.data_checksums, "on");
    assert_string_equal(back.begin_wal, WAL);
    /* Nothing beside any more when there is nothing. */
    b.cluster_size = 0;
    b.data_checksums = NULL;
    assert_true(backup_info_save(&f.r, &b, &err));
    assert_false(fx_there(facts_path(&f, A)));
    assert_string_equal(fx_read(legacy_path(&f, A)), old_text);
    arena_release(&a);
    fx_release(&f);
}

/* Barman 3.11 and 3.12 write there what 3.4 dies of: it is theirs, and stays. */
static void what_its_reader_knows_stays(void **state)
{
    struct err err = {0};
    struct backup b;
    struct arena a;
    struct fx f;

    (void)state;
    fx_init(&f);
    f.r.layout = LAYOUT_LEGACY;
    arena_init(&a, 0);
    put(&f, "base/" B "/backup.info=status=WAITING_FOR_WALS\nmode=postgres\n"
            "cluster_size=5\nparent_backup_id=" A "\nchildren_backup_ids=None\n");
    b = load(&f, &a, B);
    b.status = BACKUP_DONE;
    b.data_checksums = "off";
    assert_true(backup_info_save(&f.r, &b, &err));
    assert_non_null(strstr(fx_read(legacy_path(&f, B)), "\nparent_backup_id=" A "\n"));
    assert_non_null(strstr(fx_read(legacy_path(&f, B)), "\nchildren_backup_ids=None\n"));
    assert_non_null(strstr(fx_read(legacy_path(&f, B)), "\nstatus=DONE\n"));
    assert_null(strstr(fx_read(legacy_path(&f, B)), "data_checksums"));
    assert_string_equal(fx_read(facts_path(&f, B)), "data_checksums=off\n");
    arena_release(&a);
    fx_release(&f);
}

static const struct refused_row {
    const char *label;
    const char *parent, *encryption;
    bool ok;
} refused_rows[] = {
    {"whole and plain", NULL, NULL, true},
    {"encryption none", NULL, "none", true},
    {"incremental", A, NULL, false},
    {"encrypted", NULL, "gpg", false},
    {"both", A, "gpg", false},
};

static void check_refused(void **state)
{
    const struct refused_row *row = *state;
    struct backup b = sample(B);
    struct err err = {0};
    struct fx f;

    fx_init(&f);
    b.parent_backup_id = row->parent;
    b.encryption = row->encryption;
    assert_true(backup_info_save(&f.r, &b, &err));
    f.r.layout = LAYOUT_LEGACY;
    assert_int_equal(backup_info_save(&f.r, &b, &err), row->ok);
    if (!row->ok) {
        assert_int_equal(err.code, ERR_UNSAFE);
        assert_string_equal(err.what, B);
        assert_false(fx_there(legacy_path(&f, B)));
        assert_true(fx_there(current_path(&f, B)));
    }
    fx_release(&f);
}

/* ---- notes -------------------------------------------------------------------------- */

static void notes_lie_where_the_layout_has_them(void **state)
{
    enum keep keep = KEEP_NONE;
    struct err err = {0};
    struct fx f;

    (void)state;
    fx_init(&f);
    assert_true(keep_write(&f.r, A, KEEP_FULL, &err));
    assert_string_equal(fx_read(fx_fmt("%s/" A "-keep", f.r.meta_dir)), "full");
    f.r.layout = LAYOUT_LEGACY;
    assert_true(keep_read(&f.r, A, &keep, &err));
    assert_int_equal(keep, KEEP_FULL);
    assert_true(keep_write(&f.r, A, KEEP_STANDALONE, &err));
    assert_string_equal(fx_read(fx_fmt("%s/" A "/annotations/keep", f.r.base_dir)),
                        "standalone");
    assert_false(fx_there(fx_fmt("%s/" A "-keep", f.r.meta_dir)));
    assert_true(delete_mark_set(&f.r, A, &err));
    assert_string_equal(fx_read(fx_fmt("%s/" A "/annotations/delete_this", f.r.base_dir)),
                        "delete");
    f.r.layout = LAYOUT_CURRENT;
    assert_true(delete_mark_is_set(&f.r, A));
    assert_true(delete_mark_clear(&f.r, A, &err));
    assert_true(keep_write(&f.r, A, KEEP_NONE, &err));
    assert_true(keep_read(&f.r, A, &keep, &err));
    assert_int_equal(keep, KEEP_NONE);
    assert_false(fx_there(fx_fmt("%s/" A "/annotations", f.r.base_dir)));
    assert_false(keep_write(&f.r, "../x", KEEP_FULL, &err));
    fx_release(&f);
}

/* ---- the list of WAL ---------------------------------------------------------------- */

#define NEW_LINE WAL "\t16777216\t1795355034.5\tgzip\tNone\n"
#define OLD_LINE WAL "\t16777216\t1795355034.5\tgzip\n"

static const char *new_list(const struct fx *f)
{
    return fx_fmt("%s/main-xlog.db", f->r.wals_dir);
}

static const char *old_list(const struct fx *f)
{
    return fx_fmt("%s/xlog.db", f->r.wals_dir);
}

static size_t listed(const struct fx *f)
{
    struct wal_file wal;
    struct err err = {0};
    struct xlogdb db;
    size_t n = 0;

    assert_true(xlogdb_open(&db, &f->r, &err));
    while (xlogdb_next(&db, &wal, &err) > 0) {
        n++;
    }
    xlogdb_close(&db);
    return n;
}

static void list_of_four_columns(void **state)
{
    struct wal_file wal = {
        .name = WAL, .size = 16777216, .mtime = 1795355034.5, .compression = "gzip"};
    struct err err = {0};
    struct fx f;

    (void)state;
    fx_init(&f);
    f.r.layout = LAYOUT_LEGACY;
    fx_text(old_list(&f), "");
    assert_true(xlogdb_append(&f.r, &wal, 1, &err));
    assert_string_equal(fx_read(old_list(&f)), OLD_LINE);
    assert_false(fx_there(new_list(&f)));
    str_copy(wal.encryption, sizeof wal.encryption, "gpg");
    assert_false(xlogdb_append(&f.r, &wal, 1, &err));
    assert_int_equal(err.code, ERR_UNSAFE);
    assert_string_equal(fx_read(old_list(&f)), OLD_LINE);
    assert_int_equal(listed(&f), 1);
    f.r.layout = LAYOUT_CURRENT; /* a reader looks in both places */
    assert_int_equal(listed(&f), 1);
    assert_false(fx_there(new_list(&f)));
    fx_release(&f);
}

static const struct list_row {
    const char *label;
    const char *old, *new; /* NULL: not there */
    enum catalogue_layout to;
    const char
        *text; /* NULL: refused; "": made from the files on disk, of which there are none */
} list_rows[] = {
    {"to current", OLD_LINE, NULL, LAYOUT_CURRENT, NEW_LINE},
    {"three columns to current", WAL "\t1\t5e-05\n", NULL, LAYOUT_CURRENT,
     WAL "\t1\t5e-05\tNone\tNone\n"},
    {"to legacy", NULL, NEW_LINE, LAYOUT_LEGACY, OLD_LINE},
    {"encrypted to legacy", NULL, WAL "\t1\t2.0\tNone\tgpg\n", LAYOUT_LEGACY, NULL},
    {"is there already", NULL, NEW_LINE, LAYOUT_CURRENT, NEW_LINE},
    {"in both places", OLD_LINE, NEW_LINE, LAYOUT_CURRENT, NEW_LINE},
    {"in both places, to legacy", OLD_LINE, NEW_LINE, LAYOUT_LEGACY, OLD_LINE},
    {"a line that is none", OLD_LINE "what\n", NULL, LAYOUT_CURRENT, ""},
    {"a torn line", OLD_LINE WAL "\t16", NULL, LAYOUT_CURRENT, ""},
    {"an empty one", "", NULL, LAYOUT_CURRENT, ""},
};

static void check_list(void **state)
{
    const struct list_row *row = *state;
    struct err err = {0};
    struct fx f;

    fx_init(&f);
    if (row->old) {
        fx_text(old_list(&f), row->old);
    }
    if (row->new) {
        fx_text(new_list(&f), row->new);
    }
    f.r.layout = row->to;
    assert_int_equal(xlogdb_convert(&f.r, &err), row->text != NULL);
    if (row->text) {
        bool is_old = row->to == LAYOUT_LEGACY;
        assert_string_equal(fx_read(is_old ? old_list(&f) : new_list(&f)), row->text);
        assert_false(fx_there(is_old ? new_list(&f) : old_list(&f)));
    } else {
        assert_int_equal(err.code, ERR_UNSAFE);
        assert_string_equal(fx_read(new_list(&f)), row->new);
    }
    fx_release(&f);
}

/* ---- from one to the other ---------------------------------------------------------- */

static void convert(struct fx *f, enum catalogue_layout to)
{
    struct err err = {0};
    struct arena a;

    arena_init(&a, 0);
    f->r.layout = to;
    assert_true(layout_begin(&f->r, &err));
    assert_int_equal(repo_find_layout(&f->r), to);
    for (int twice = 0; twice < 2; twice++) { /* as after a kill */
        struct backup b = load(f, &a, A);
        assert_true(layout_backup(&f->r, &b, &err));
        assert_true(xlogdb_convert(&f->r, &err));
    }
    assert_true(layout_end(&f->r, &err));
    assert_int_equal(repo_find_layout(&f->r), to);
    arena_release(&a);
}

static void there_and_back(void **state)
{
    struct backup b = sample(A);
    struct err err = {0};
    char before[4096];
    struct fx f;

    (void)state;
    fx_init(&f);
    assert_true(backup_info_save(&f.r, &b, &err));
    assert_true(keep_write(&f.r, A, KEEP_STANDALONE, &err));
    assert_true(delete_mark_set(&f.r, A, &err));
    fx_text(new_list(&f), NEW_LINE);
    put(&f, "base/" A "/backup.info=status=FAILED\nsummarize_wal=on\n"); /* of old, and stale */
    assert_true(str_copy(before, sizeof before, fx_read(current_path(&f, A))));
    convert(&f, LAYOUT_LEGACY);
    assert_string_equal(fx_read(legacy_path(&f, A)), old_text);
    assert_string_equal(fx_read(old_list(&f)), OLD_LINE);
    assert_string_equal(fx_read(fx_fmt("%s/" A "/annotations/keep", f.r.base_dir)),
                        "standalone");
    assert_true(delete_mark_is_set(&f.r, A));
    assert_false(fx_there(f.r.meta_dir));
    convert(&f, LAYOUT_CURRENT);
    assert_string_equal(fx_read(current_path(&f, A)), before);
    assert_string_equal(fx_read(new_list(&f)), NEW_LINE);
    assert_string_equal(fx_read(fx_fmt("%s/" A "-keep", f.r.meta_dir)), "standalone");
    assert_true(delete_mark_is_set(&f.r, A));
    assert_false(fx_there(legacy_path(&f, A)));
    assert_false(fx_there(facts_path(&f, A)));
    assert_false(fx_there(fx_fmt("%s/" A "/annotations", f.r.base_dir)));
    fx_release(&f);
}

/* An older Barman kept its own list beside the new one: what is true is on the disk. */
static void two_lists(void **state)
{
    struct err err = {0};
    struct fx f;

    (void)state;
    fx_init(&f);
    fx_text(old_list(&f), OLD_LINE);
    fx_text(new_list(&f), NEW_LINE);
    f.r.layout = LAYOUT_LEGACY;
    assert_true(layout_begin(&f.r, &err));
    assert_string_equal(fx_read(new_list(&f)), "");
    assert_false(fx_there(old_list(&f)));
    fx_text(new_list(&f), NEW_LINE); /* once more, after a kill: it has written the one */
    fx_text(old_list(&f), OLD_LINE);
    assert_true(layout_begin(&f.r, &err));
    assert_string_equal(fx_read(old_list(&f)), OLD_LINE);
    assert_true(xlogdb_convert(&f.r, &err));
    assert_string_equal(fx_read(old_list(&f)), OLD_LINE);
    assert_false(fx_there(new_list(&f)));
    fx_release(&f);
}

static void forgotten_in_both(void **state)
{
    enum catalogue_layout both[] = {LAYOUT_CURRENT, LAYOUT_LEGACY};
    struct err err = {0};
    struct fx f;

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct backup b = sample(A);

        fx_init(&f);
        f.r.layout = both[i];
        assert_true(backup_info_save(&f.r, &b, &err));
        put(&f, "base/" A "/backup.info=status=DONE\n");
        assert_true(delete_mark_set(&f.r, A, &err));
        put(&f, "base/" A "/.barkeep/pg_settings");
        assert_true(backup_forget(&f.r, &b, &err));
        assert_false(fx_there(fx_fmt("%s/" A, f.r.base_dir)));
        assert_false(fx_there(current_path(&f, A)));
        assert_false(delete_mark_is_set(&f.r, A));
        assert_true(backup_forget(&f.r, &b, &err));
        fx_release(&f);
    }
}

TEST_MAIN(ROWS(rows, check_found), ONE(only_what_an_old_reader_knows),
          ONE(what_its_reader_knows_stays), ROWS(refused_rows, check_refused),
          ONE(notes_lie_where_the_layout_has_them), ONE(list_of_four_columns),
          ROWS(list_rows, check_list), ONE(there_and_back), ONE(two_lists),
          ONE(forgotten_in_both))
