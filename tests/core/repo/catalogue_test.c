/* SPDX-License-Identifier: PostgreSQL */
#include "fixture.h"

static void put(struct fx *f, const char *id, const char *text)
{
    fx_text(fx_fmt("%s/%s-backup.info", f->r.meta_dir, id), text);
}

static void put_old(struct fx *f, const char *id, const char *text)
{
    struct err err = {0};

    assert_true(dir_make(fx_fmt("%s/%s", f->r.base_dir, id), &err));
    fx_text(fx_fmt("%s/%s/backup.info", f->r.base_dir, id), text);
}

/* Two failed, two done of which one waits, an incremental, a snapshot, one running. */
static void fill(struct fx *f)
{
    put_old(f, "20260101T000000", "status=FAILED\n");
    put_old(f, "20260102T000000", "status=DONE\nmode=rsync-concurrent\nbackup_name=twice\n");
    put(f, "20260103T000000", "status=DONE\nmode=postgres\nbackup_name=weekly\n");
    put(f, "20260104T000000",
        "status=WAITING_FOR_WALS\nmode=postgres\nparent_backup_id=20260103T000000\n");
    put(f, "20260105T000000", "status=DONE\nmode=snapshot-concurrent\nbackup_name=twice\n");
    put(f, "20260106T000000", "status=FAILED\nbackup_name=broken\n");
    put(f, "20260107T000000", "status=STARTED\n");
    /* No backups: */
    fx_text(fx_fmt("%s/20260103T000000-keep", f->r.meta_dir), "full");
    fx_text(fx_fmt("%s/notes-backup.info", f->r.meta_dir), "status=DONE\n");
    fx_text(fx_fmt("%s/20260108T00000x-backup.info", f->r.meta_dir), "status=DONE\n");
    assert_int_equal(mkdir(fx_fmt("%s/20260109T000000", f->r.base_dir), 0700), 0);
}

static const struct row {
    const char *label;
    const char *word;
    const char *id; /* NULL: error */
    const char *why;
} rows[] = {
    {"latest", "latest", "20260105T000000", NULL},
    {"last", "last", "20260105T000000", NULL},
    {"oldest", "oldest", "20260102T000000", NULL},
    {"first", "first", "20260102T000000", NULL},
    {"last-failed", "last-failed", "20260106T000000", NULL},
    {"latest-full skips incremental and snapshot", "latest-full", "20260103T000000", NULL},
    {"last-full", "last-full", "20260103T000000", NULL},
    {"an id", "20260107T000000", "20260107T000000", NULL},
    {"a name", "weekly", "20260103T000000", NULL},
    {"a name twice", "twice", NULL, "20260102T000000, 20260105T000000"},
    {"name of a failed one", "broken", NULL, "Unknown backup 'broken' for server 'main'"},
    {"part of last-failed", "fail", NULL, "Unknown backup 'fail' for server 'main'"},
    {"empty", "", NULL, "Unknown backup '' for server 'main'"},
    {"auto", "auto", NULL, "Unknown backup 'auto' for server 'main'"},
    {"an id that is not there", "20260109T000000", NULL, "Unknown backup"},
    {"upper case", "LATEST", NULL, "Unknown backup"},
};

static struct fx shared;
static struct arena shared_arena;
static struct catalogue shared_catalogue;

static const struct catalogue *loaded(void)
{
    struct err err = {0};

    if (!shared_catalogue.backup) {
        fx_init(&shared);
        fill(&shared);
        arena_init(&shared_arena, 0);
        assert_true(catalogue_load(&shared.r, &shared_arena, &shared_catalogue, &err));
        fx_release(&shared);
    }
    return &shared_catalogue;
}

static void check_word(void **state)
{
    const struct row *row = *state;
    const struct backup *b = NULL;
    struct err err = {0};

    assert_int_equal(catalogue_resolve(loaded(), "main", row->word, &b, &err), row->id != NULL);
    if (row->id) {
        assert_string_equal(b->id, row->id);
    } else {
        assert_non_null(strstr(err.why, row->why));
    }
}

static void neighbours(void **state)
{
    const struct catalogue *c = loaded();

    (void)state;
    assert_int_equal(c->n, 7);
    assert_string_equal(c->backup[0].id, "20260101T000000");
    assert_string_equal(c->backup[6].id, "20260107T000000");
    assert_null(catalogue_previous(c, "20260102T000000"));
    assert_string_equal(catalogue_previous(c, "20260107T000000")->id, "20260105T000000");
    assert_string_equal(catalogue_next(c, "20260102T000000")->id, "20260103T000000");
    assert_null(catalogue_next(c, "20260105T000000"));
    assert_null(catalogue_find(c, "20260108T000000"));
    assert_true(catalogue_word_reserved("auto"));
    assert_false(catalogue_word_reserved("weekly"));
}

static void one_bad_file_is_named(void **state)
{
    struct err err = {0};
    struct catalogue c;
    struct arena a;
    struct fx f;

    (void)state;
    fx_init(&f);
    fill(&f);
    put(&f, "20260105T000000", "status=DONE\nfrom_the_future=1\n");
    arena_init(&a, 0);
    assert_false(catalogue_load(&f.r, &a, &c, &err));
    assert_int_equal(err.code, ERR_FORMAT);
    assert_non_null(strstr(err.what, "20260105T000000-backup.info:2"));
    arena_release(&a);
    fx_release(&f);
}

/* Row 113: the others can still be restored, and the bad one is not called unknown. */
static void one_bad_file_hides_one_backup(void **state)
{
    const struct backup *b = NULL;
    struct err err = {0};
    struct catalogue c;
    struct arena a;
    struct fx f;

    (void)state;
    fx_init(&f);
    fill(&f);
    put(&f, "20260103T000000", "status=DONE\nsize=-5\n");
    put(&f, "20260105T000000", "\x01\x02\n");
    arena_init(&a, 0);
    assert_true(catalogue_look(&f.r, &a, &c, &err));
    assert_int_equal(c.n, 5);
    assert_int_equal(c.unread, 2);
    assert_non_null(strstr(c.why->what, "20260103T000000-backup.info:2"));
    assert_true(catalogue_resolve(&c, "main", "20260102T000000", &b, &err));
    assert_true(catalogue_resolve(&c, "main", "latest", &b, &err));
    assert_string_equal(b->id, "20260104T000000");
    assert_false(catalogue_resolve(&c, "main", "20260103T000000", &b, &err));
    assert_int_equal(err.code, ERR_FORMAT);
    assert_non_null(strstr(err.what, "20260103T000000-backup.info:2"));
    arena_release(&a);
    fx_release(&f);
}

static void no_directories_no_backups(void **state)
{
    struct repo r = {.server = "x", .meta_dir = "/nonexistent/m", .base_dir = "/nonexistent/b"};
    struct err err = {0};
    struct catalogue c;
    struct arena a;

    (void)state;
    arena_init(&a, 0);
    assert_true(catalogue_load(&r, &a, &c, &err));
    assert_int_equal(c.n, 0);
    arena_release(&a);
}

static const struct keep_row {
    const char *label;
    const char *text;
    enum keep keep;
} keep_rows[] = {
    {"full", "full", KEEP_FULL},
    {"standalone", "standalone", KEEP_STANDALONE},
    {"with a newline", "standalone\n", KEEP_STANDALONE},
    {"any other word", "forever", KEEP_FULL},
    {"empty", "", KEEP_NONE},
};

static void check_keep(void **state)
{
    const struct keep_row *row = *state;
    const char *id = "20260103T000000";
    enum keep keep = KEEP_STANDALONE;
    struct err err = {0};
    struct fx f;

    fx_init(&f);
    assert_true(keep_read(&f.r, id, &keep, &err));
    assert_int_equal(keep, KEEP_NONE);
    assert_true(dir_make(fx_fmt("%s/%s/annotations", f.r.base_dir, id), &err));
    fx_text(fx_fmt("%s/%s/annotations/keep", f.r.base_dir, id), row->text); /* as of old */
    assert_true(keep_read(&f.r, id, &keep, &err));
    assert_int_equal(keep, row->keep);
    fx_text(fx_fmt("%s/%s-keep", f.r.meta_dir, id), row->text);
    fx_text(fx_fmt("%s/%s/annotations/keep", f.r.base_dir, id),
            row->keep == KEEP_NONE ? "" : "x");
    assert_true(keep_read(&f.r, id, &keep, &err));
    assert_int_equal(keep, row->keep);
    assert_false(keep_read(&f.r, "../../x", &keep, &err));
    fx_release(&f);
}

static void delete_mark(void **state)
{
    const char *id = "20260103T000000";
    struct err err = {0};
    struct fx f;

    (void)state;
    fx_init(&f);
    assert_false(delete_mark_is_set(&f.r, id));
    assert_true(delete_mark_clear(&f.r, id, &err)); /* there is none: fine */
    assert_true(delete_mark_set(&f.r, id, &err));
    assert_true(delete_mark_is_set(&f.r, id));
    assert_string_equal(fx_read(fx_fmt("%s/%s-delete_this", f.r.meta_dir, id)), "delete");
    assert_true(delete_mark_clear(&f.r, id, &err));
    assert_false(delete_mark_is_set(&f.r, id));
    fx_release(&f);
}

static const struct identity_row {
    const char *label;
    const char *text;
    const char *systemid; /* NULL: refused */
    const char *version;
} identity_rows[] = {
    {"as Barman writes it", "{\n    \"systemid\": \"73\",\n    \"version\": \"15\"\n}\n", "73",
     "15"},
    {"one line", "{\"version\":\"9.6\",\"systemid\":\"73\"}", "73", "9.6"},
    {"more members", "{\"a\": 1, \"systemid\": \"73\", \"b\": null}", "73", ""},
    {"a number", "{\"systemid\": 73, \"version\": 15}", "73", "15"},
    {"names that begin so", "{\"systemid2\": \"1\", \"system\": \"2\"}", "", ""},
    {"a name with an end in it", "{\"systemid\\u0000\": \"73\"}", "", ""},
    {"nothing in it", "{}", "", ""},
    {"an end in it", "{\"systemid\": \"7\\u00003\"}", NULL, NULL},
    {"a text", "\"systemid\"", NULL, NULL},
    {"a number alone", "73", NULL, NULL},
    {"null", "null", NULL, NULL},
    {"two of them", "{} {}", NULL, NULL},
    {"empty file", "", NULL, NULL},
    {"cut", "{\"systemid\": \"73\"", NULL, NULL},
    {"a list", "[\"systemid\"]", NULL, NULL},
    {"nested", "{\"systemid\": {\"a\": 1}}", NULL, NULL},
    {"too long", "{\"systemid\": \"123456789012345678901234\"}", NULL, NULL},
};

static void check_identity(void **state)
{
    const struct identity_row *row = *state;
    struct identity id = {"x", "y"};
    struct err err = {0};
    struct fx f;

    fx_init(&f);
    assert_true(identity_load(&f.r, &id, &err)); /* none yet */
    assert_string_equal(id.systemid, "");
    fx_text(fx_fmt("%s/identity.json", f.r.backup_dir), row->text);
    assert_int_equal(identity_load(&f.r, &id, &err), row->systemid != NULL);
    if (row->systemid) {
        assert_string_equal(id.systemid, row->systemid);
        assert_string_equal(id.version, row->version);
    } else {
        assert_int_equal(err.code, ERR_FORMAT);
    }
    fx_release(&f);
}

static void identity_is_written_as_barman_does(void **state)
{
    struct identity id = {"7300000000000000001", "15"}, other = id, unknown = {"", ""};
    struct err err = {0};
    struct fx f;

    (void)state;
    fx_init(&f);
    assert_true(identity_save(&f.r, &id, &err));
    assert_string_equal(fx_read(fx_fmt("%s/identity.json", f.r.backup_dir)),
                        "{\n    \"systemid\": \"7300000000000000001\",\n    \"version\": "
                        "\"15\"\n}\n");
    assert_true(identity_check(&id, &other, &err));
    assert_true(identity_check(&unknown, &other, &err));
    assert_true(identity_check(&id, &unknown, &err));
    str_copy(other.systemid, sizeof other.systemid, "7300000000000000002");
    assert_false(identity_check(&id, &other, &err));
    assert_int_equal(err.code, ERR_UNSAFE);
    assert_non_null(strstr(err.why, "7300000000000000001"));
    assert_non_null(strstr(err.why, "7300000000000000002"));
    other = id;
    str_copy(other.version, sizeof other.version, "16");
    assert_false(identity_check(&id, &other, &err));
    fx_release(&f);
}

TEST_MAIN(ROWS(rows, check_word), ONE(neighbours), ONE(one_bad_file_is_named),
          ONE(one_bad_file_hides_one_backup), ONE(no_directories_no_backups),
          ROWS(keep_rows, check_keep), ONE(delete_mark), ROWS(identity_rows, check_identity),
          ONE(identity_is_written_as_barman_does))
