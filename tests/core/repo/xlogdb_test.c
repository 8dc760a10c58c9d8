/* SPDX-License-Identifier: PostgreSQL */
#include "fixture.h"

#include <sys/stat.h>
#include <sys/wait.h>

#define W1 "000000010000000000000001"
#define W2 "000000010000000000000002"

static const struct row {
    const char *label;
    const char *line;
    bool ok;
    uint64_t size;
    double mtime;
    const char *compression, *encryption;
} rows[] = {
    {"five columns", W1 "\t16777216\t1795355034.364561\tNone\tNone", true, 16777216,
     1795355034.364561, "", ""},
    {"four columns", W1 "\t512\t1795355034.5\tgzip", true, 512, 1795355034.5, "gzip", ""},
    {"three columns", W1 "\t0\t1795355034", true, 0, 1795355034, "", ""},
    {"encrypted", W1 "\t9\t1.5\tzstd\tgpg", true, 9, 1.5, "zstd", "gpg"},
    {"seven decimals", W1 "\t1\t1795355034.3645611\tNone\tNone", true, 1, 1795355034.3645611,
     "", ""},
    {"just after 1970", W1 "\t1\t5e-05\tNone\tNone", true, 1, 5e-05, "", ""},
    {"spaces", "  " W1 "  1   2.25  None  None ", true, 1, 2.25, "", ""},
    {"history", "00000002.history\t41\t1.0\tNone\tNone", true, 41, 1, "", ""},
    {"label", W1 ".00000028.backup\t300\t1.0\tNone\tNone", true, 300, 1, "", ""},
    {"partial", W1 ".partial\t300\t1.0\tNone\tNone", true, 300, 1, "", ""},
    {"lower case of old", "00000001000000000000000a\t1\t1.0", true, 1, 1, "", ""},

    {"empty", "", false, 0, 0, NULL, NULL},
    {"only a name", W1, false, 0, 0, NULL, NULL},
    {"two columns", W1 "\t1", false, 0, 0, NULL, NULL},
    {"six columns", W1 "\t1\t1.0\tNone\tNone\tNone", false, 0, 0, NULL, NULL},
    {"not a WAL name", "xlog\t1\t1.0\tNone\tNone", false, 0, 0, NULL, NULL},
    {"a path", "../" W1 "\t1\t1.0\tNone\tNone", false, 0, 0, NULL, NULL},
    {"negative size", W1 "\t-1\t1.0\tNone\tNone", false, 0, 0, NULL, NULL},
    {"size not a number", W1 "\tNone\t1.0\tNone\tNone", false, 0, 0, NULL, NULL},
    {"size too large", W1 "\t18446744073709551616\t1.0", false, 0, 0, NULL, NULL},
    {"time not a number", W1 "\t1\tnow\tNone\tNone", false, 0, 0, NULL, NULL},
    {"time with letters", W1 "\t1\t1.0x\tNone\tNone", false, 0, 0, NULL, NULL},
    {"time after the year 9999", W1 "\t1\t253402300800.0", false, 0, 0, NULL, NULL},
    {"exponent without digits", W1 "\t1\t1e-", false, 0, 0, NULL, NULL},
    {"codec with a control character", W1 "\t1\t1.0\tgz\x1bip", false, 0, 0, NULL, NULL},
    {"very small time", W1 "\t1\t1e-200\tNone\tNone", true, 1, 1e-200, "", ""},
    {"codec too long", W1 "\t1\t1.0\tabcdefghijklmnop", false, 0, 0, NULL, NULL},
};

static void check_line(void **state)
{
    const struct row *row = *state;
    struct wal_file f, again;
    struct sbuf b;
    char mem[XLOGDB_LINE_MAX];

    assert_int_equal(xlogdb_parse_line(str_of(row->line), &f), row->ok);
    if (!row->ok) {
        return;
    }
    assert_int_equal(f.size, row->size);
    assert_true(f.mtime > row->mtime * (1 - 1e-12) - 1e-300 &&
                f.mtime < row->mtime * (1 + 1e-12) + 1e-300);
    assert_true(row->mtime < 1 || f.mtime == row->mtime);
    assert_string_equal(f.compression, row->compression);
    assert_string_equal(f.encryption, row->encryption);
    sbuf_init(&b, mem, sizeof mem);
    xlogdb_put_line(&b, &f);
    assert_int_equal(mem[b.len - 1], '\n');
    assert_true(xlogdb_parse_line(str_n(mem, b.len - 1), &again));
    assert_true(again.mtime == f.mtime);
    assert_string_equal(again.name, f.name);
}

static const char *list_path(const struct fx *f)
{
    return fx_fmt("%s/main-xlog.db", f->r.xlogdb_dir);
}

static struct wal_file wal(const char *name)
{
    struct wal_file w = {.size = 16777216, .mtime = 1795355034.364561};

    snprintf(w.name, sizeof w.name, "%s", name);
    return w;
}

#define LINE(name) name "\t16777216\t1795355034.364561\tNone\tNone\n"

static void append_writes_barmans_lines(void **state)
{
    struct wal_file w[2] = {wal(W1), wal(W2)};
    struct err err = {0};
    struct fx f;

    (void)state;
    fx_init(&f);
    fx_text(list_path(&f), "");
    assert_true(xlogdb_append(&f.r, w, 2, &err));
    assert_string_equal(fx_read(list_path(&f)), LINE(W1) LINE(W2));
    assert_true(xlogdb_append_missing(&f.r, w, 2, &err));
    assert_string_equal(fx_read(list_path(&f)), LINE(W1) LINE(W2));
    w[0] = wal("000000010000000000000003");
    assert_true(xlogdb_append_missing(&f.r, w, 2, &err));
    assert_string_equal(fx_read(list_path(&f)),
                        LINE(W1) LINE(W2) LINE("000000010000000000000003"));
    fx_release(&f);
}

static void torn_last_line(void **state)
{
    struct wal_file w = wal(W2), seen;
    struct err err = {0};
    struct xlogdb db;
    struct fx f;

    (void)state;
    fx_init(&f);
    fx_text(list_path(&f), LINE(W1) W2 "\t167");
    assert_true(xlogdb_open(&db, &f.r, &err));
    assert_int_equal(xlogdb_next(&db, &seen, &err), 1);
    assert_string_equal(seen.name, W1);
    assert_int_equal(xlogdb_next(&db, &seen, &err), 0);
    assert_int_equal(xlogdb_next(&db, &seen, &err), 0);
    xlogdb_close(&db);

    assert_true(xlogdb_append(&f.r, &w, 1, &err)); /* not glued to the torn one */
    assert_string_equal(fx_read(list_path(&f)), LINE(W1) LINE(W2));
    fx_release(&f);
}

/* The torn line's file is archived: it gets its line again. */
static void torn_line_of_an_archived_file(void **state)
{
    struct wal_file w = wal("000000010000000000000003"), seen;
    struct err err = {0};
    struct xlogdb db;
    struct fx f;

    (void)state;
    fx_init(&f);
    assert_true(dir_make(fx_fmt("%s/0000000100000000", f.r.wals_dir), &err));
    fx_segment(fx_fmt("%s/0000000100000000", f.r.wals_dir), 2);
    fx_text(list_path(&f), LINE(W1) W2 "\t10");
    assert_true(xlogdb_append(&f.r, &w, 1, &err));
    assert_true(xlogdb_open(&db, &f.r, &err));
    assert_int_equal(xlogdb_next(&db, &seen, &err), 1);
    assert_int_equal(xlogdb_next(&db, &seen, &err), 1);
    assert_string_equal(seen.name, W2);
    assert_int_equal(seen.size, FX_SEG);
    assert_int_equal(xlogdb_next(&db, &seen, &err), 1);
    assert_string_equal(seen.name, "000000010000000000000003");
    assert_int_equal(xlogdb_next(&db, &seen, &err), 0);
    xlogdb_close(&db);
    fx_release(&f);
}

/* The killed run wrote half a line; the next one meets the file that it archived. */
static void torn_line_of_the_file_at_hand(void **state)
{
    struct wal_file w = wal(W2);
    struct err err = {0};
    struct fx f;

    (void)state;
    fx_init(&f);
    assert_true(dir_make(fx_fmt("%s/0000000100000000", f.r.wals_dir), &err));
    fx_segment(fx_fmt("%s/0000000100000000", f.r.wals_dir), 2);
    fx_text(list_path(&f), LINE(W1) W2 "\t1677");
    assert_true(xlogdb_append_missing(&f.r, &w, 1, &err));
    assert_string_equal(fx_read(list_path(&f)), LINE(W1) LINE(W2));
    fx_release(&f);
}

/* A file that cannot be read is not one that is not there. */
static void no_list_without_what_cannot_be_read(void **state)
{
    struct xlogdb_rebuilt made;
    struct err err = {0};
    struct fx f;
    const char *path;
    pid_t pid;
    int status;

    (void)state;
    fx_init(&f);
    assert_true(dir_make(fx_fmt("%s/0000000100000000", f.r.wals_dir), &err));
    path = fx_segment(fx_fmt("%s/0000000100000000", f.r.wals_dir), 2);
    assert_int_equal(symlink("nowhere", fx_fmt("%s/0000000100000000/" W1, f.r.wals_dir)), 0);
    assert_true(xlogdb_rebuild(&f.r, &made, &err));
    assert_int_equal(made.segments, 1);
    assert_int_equal(chmod(path, 0), 0);
    if (geteuid() == 0) { /* who may read everything: become somebody */
        assert_int_equal(chown(f.root, 65534, 65534), 0);
        assert_int_equal(chown(f.r.xlogdb_dir, 65534, 65534), 0);
        assert_int_equal(chown(fx_fmt("%s/main", f.root), 65534, 65534), 0);
        assert_int_equal(chown(fx_fmt("%s/0000000100000000", f.r.wals_dir), 65534, 65534), 0);
        assert_int_equal(unlink(fx_fmt("%s/.main-xlogdb.lock", f.root)), 0);
    }
    pid = fork();
    if (pid == 0) {
        bool refused = (geteuid() != 0 || setuid(65534) == 0) &&
                       !xlogdb_rebuild(&f.r, &made, &err) && err.os == EACCES;
        _exit(refused ? 0 : 1);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    fx_release(&f);
}

/* Nobody waits for whoever would write into it. */
static void what_is_no_file_is_no_list(void **state)
{
    struct err err = {0};
    struct xlogdb db;
    struct fx f;

    (void)state;
    fx_init(&f);
    assert_int_equal(mkfifo(list_path(&f), 0600), 0);
    assert_false(xlogdb_open(&db, &f.r, &err));
    assert_string_equal(err.why, "not a regular file");
    fx_release(&f);
}

static void a_bad_line_is_told_with_its_number(void **state)
{
    struct err err = {0};
    struct wal_file seen;
    struct xlogdb db;
    struct fx f;

    (void)state;
    fx_init(&f);
    fx_text(list_path(&f), LINE(W1) "garbage\n" LINE(W2));
    assert_true(xlogdb_open(&db, &f.r, &err));
    assert_int_equal(xlogdb_next(&db, &seen, &err), 1);
    assert_int_equal(xlogdb_next(&db, &seen, &err), -1);
    assert_int_equal(err.code, ERR_FORMAT);
    assert_non_null(strstr(err.what, "main-xlog.db:2"));
    xlogdb_close(&db);
    fx_release(&f);
}

static void a_line_longer_than_the_buffer(void **state)
{
    static char mem[2 * XLOGDB_BUF + 2];
    struct err err = {0};
    struct wal_file seen;
    struct xlogdb db;
    struct fx f;

    (void)state;
    fx_init(&f);
    memset(mem, 'x', sizeof mem - 1);
    fx_text(list_path(&f), mem);
    assert_true(xlogdb_open(&db, &f.r, &err));
    assert_int_equal(xlogdb_next(&db, &seen, &err), -1);
    assert_int_equal(err.code, ERR_FORMAT);
    xlogdb_close(&db);
    fx_release(&f);
}

/* Many lines, so that the buffer is filled more than once at odd places. */
static void many_lines(void **state)
{
    struct err err = {0};
    struct wal_file seen;
    struct xlogdb db;
    struct fx f;
    unsigned n = 0;
    FILE *out;

    (void)state;
    fx_init(&f);
    out = fopen(list_path(&f), "w");
    for (unsigned i = 0; i < 5000; i++) {
        fprintf(out, "00000001%08X%08X\t%u\t1795355034.%u\tNone\tNone\n", i / 256, i % 256, i,
                i);
    }
    fclose(out);
    assert_true(xlogdb_open(&db, &f.r, &err));
    while (xlogdb_next(&db, &seen, &err) > 0) {
        assert_int_equal(seen.size, n);
        n++;
    }
    assert_int_equal(n, 5000);
    xlogdb_close(&db);
    fx_release(&f);
}

/* Row 113: from what lies there. */
static void made_anew_when_missing(void **state)
{
    const char *dir;
    struct err err = {0};
    struct fx f;

    (void)state;
    fx_init(&f);
    assert_true(dir_make(fx_fmt("%s/0000000100000000", f.r.wals_dir), &err));
    dir = fx_fmt("%s/0000000100000000", f.r.wals_dir);
    fx_segment(dir, 1);
    fx_segment(dir, 2);
    fx_text(fx_fmt("%s/" W1 ".00000028.backup", dir), "START WAL\n");
    fx_text(fx_fmt("%s/000000010000000000000003.partial", dir), "\x1f\x8b\x08packed");
    fx_text(fx_fmt("%s/000000010000000000000004.tmp", dir), "left over");
    fx_text(fx_fmt("%s/readme", dir), "");
    fx_text(fx_fmt("%s/00000002.history", f.r.wals_dir), "1\t0/2000000\tx\n");
    fx_text(fx_fmt("%s/xlog.db", f.r.wals_dir), ""); /* an older Barman only looked */
    assert_int_equal(fx_xlogdb_lines(&f.r), 5);
    assert_non_null(strstr(fx_read(list_path(&f)), "000000010000000000000003.partial\t9\t"));
    assert_non_null(strstr(fx_read(list_path(&f)), "\tgzip\tNone\n"));
    assert_null(strstr(fx_read(list_path(&f)), "tmp"));
    fx_release(&f);
}

static void a_server_without_wal(void **state)
{
    struct err err = {0};
    struct wal_file seen;
    struct xlogdb db;
    struct fx f;

    (void)state;
    fx_init(&f);
    assert_int_equal(rmdir(f.r.wals_dir), 0);
    assert_true(xlogdb_open(&db, &f.r, &err));
    assert_int_equal(xlogdb_next(&db, &seen, &err), 0);
    xlogdb_close(&db);
    assert_false(fx_there(f.r.wals_dir)); /* looking makes nothing */
    fx_release(&f);
}

/* Somebody writes and holds the lock: who only looks does not wait. */
static void reading_beside_a_writer(void **state)
{
    struct err err = {0};
    struct lock lock;
    struct fx f;
    int status;
    pid_t pid;

    (void)state;
    fx_init(&f);
    fx_text(list_path(&f), LINE(W1));
    assert_true(lock_take(&lock, &f.r, LOCK_XLOGDB, LOCK_WAIT, &err));
    pid = fork();
    if (pid == 0) {
        alarm(5);
        _exit(fx_xlogdb_lines(&f.r) == 1 ? 0 : 1);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    lock_release(&lock);
    fx_release(&f);
}

struct seen {
    const char *below; /* names before it go */
    unsigned dropped, bad;
};

static enum xlogdb_fate fate(void *ctx, const struct wal_file *w)
{
    const struct seen *s = ctx;

    return strcmp(w->name, s->below) < 0 ? XLOGDB_DROP : XLOGDB_KEEP;
}

static void dropped(void *ctx, const char *name)
{
    (void)name;
    ((struct seen *)ctx)->dropped++;
}

static void bad(void *ctx, struct str line)
{
    assert_true(str_eq(line, "garbage"));
    ((struct seen *)ctx)->bad++;
}

static void prune_removes_files_and_lines(void **state)
{
    struct seen s = {.below = "000000010000000100000001"};
    struct xlogdb_prune how = {.ctx = &s, .fate = fate, .dropped = dropped, .bad = bad};
    const char *d0, *d1;
    struct err err = {0};
    struct fx f;

    (void)state;
    fx_init(&f);
    d0 = fx_fmt("%s/0000000100000000", f.r.wals_dir);
    d1 = fx_fmt("%s/0000000100000001", f.r.wals_dir);
    assert_true(dir_make(d0, &err) && dir_make(d1, &err));
    fx_text(fx_fmt("%s/" W1, d0), "");
    fx_text(fx_fmt("%s/000000010000000100000000", d1), "");
    fx_text(fx_fmt("%s/000000010000000100000001", d1), "");
    /* W2 is listed and gone: a walk that was interrupted. */
    fx_text(list_path(&f), LINE(W1) LINE(W2) "garbage\n" LINE("000000010000000100000000")
                               LINE("000000010000000100000001"));
    assert_true(xlogdb_prune(&f.r, &how, &err));
    assert_int_equal(s.dropped, 3);
    assert_int_equal(s.bad, 1);
    assert_string_equal(fx_read(list_path(&f)), LINE("000000010000000100000001"));
    assert_false(fx_there(fx_fmt("%s/0000000100000000", f.r.wals_dir)));
    assert_string_equal(fx_only(fx_fmt("%s/0000000100000001", f.r.wals_dir)),
                        "000000010000000100000001");
    fx_release(&f);
}

TEST_MAIN(ROWS(rows, check_line), ONE(append_writes_barmans_lines), ONE(torn_last_line),
          ONE(torn_line_of_an_archived_file), ONE(torn_line_of_the_file_at_hand),
          ONE(no_list_without_what_cannot_be_read), ONE(what_is_no_file_is_no_list),
          ONE(a_bad_line_is_told_with_its_number), ONE(a_line_longer_than_the_buffer),
          ONE(many_lines), ONE(made_anew_when_missing), ONE(a_server_without_wal),
          ONE(reading_beside_a_writer), ONE(prune_removes_files_and_lines))
