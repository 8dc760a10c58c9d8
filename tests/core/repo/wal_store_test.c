/* SPDX-License-Identifier: PostgreSQL */
/* The numbers in the labels are rows of the list of faults that an archive must survive. */
#include "fixture.h"

#include "base/clock.h"

#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <zlib.h>

#define W1 "000000010000000000000001"
#define W2 "000000010000000000000002"

static const struct wal_store_options plain = {
    .rules = {.systemid = FX_SYSID, .seg_size = FX_SEG, .major = 15}};
static const struct wal_store_options packed = {
    .rules = {.systemid = FX_SYSID, .seg_size = FX_SEG, .major = 15},
    .pack = CODEC_GZIP,
    .level = 1};

/* Archive one file as archive-wal does: add, then flush. */
static bool archive(struct fx *f, const struct wal_store_options *o, const char *path,
                    struct wal_added *added, struct err *err)
{
    struct wal_store *s = wal_store_new(&f->r, o, err);
    bool ok = s && wal_store_add(s, path, added, err) && wal_store_flush(s, err);

    wal_store_free(s);
    return ok;
}

static const char *kept(struct fx *f, const char *name)
{
    return fx_fmt("%s/%.16s/%s", f->r.wals_dir, name, name);
}

static const struct row {
    const char *label;
    const char *name;
    struct fx_seg seg;
    const char *why; /* NULL: archived */
} rows[] = {
#define GOOD 1, FX_SEG, FX_SYSID, FX_SEG, 8192, 0xD110
    {"a good one", W1, {GOOD, FX_SEG, 0}, NULL},
    {"9: smaller timeline on the page", "000000020000000000000001", {GOOD, FX_SEG, 0}, NULL},
    {"20: partial, whole length", W1 ".partial", {GOOD, FX_SEG, 0}, NULL},
    {"20: partial, short", W1 ".partial", {GOOD, 8192, 0}, NULL},

    {"3: shorter than a segment", W1, {GOOD, FX_SEG - 1, 0}, "1048575 bytes"},
    {"3: empty", W1, {GOOD, 0, 0}, "0 bytes"},
    {"4: longer than a segment", W1, {GOOD, FX_SEG + 1, 0}, "1048577 bytes"},
    {"4: partial longer than a segment", W1 ".partial", {GOOD, FX_SEG + 1, 0}, "1048577 bytes"},
    {"5: unknown magic", W1, {1, FX_SEG, FX_SYSID, FX_SEG, 8192, 0x1234, FX_SEG, 0}, ""},
    {"5: magic of another version",
     W1,
     {1, FX_SEG, FX_SYSID, FX_SEG, 8192, 0xD10D, FX_SEG, 0},
     "15"},
    {"6: another cluster",
     W1,
     {1, FX_SEG, FX_SYSID + 1, FX_SEG, 8192, 0xD110, FX_SEG, 0},
     "7300000000000000002"},
    {"7: another segment size",
     W1,
     {1, FX_SEG, FX_SYSID, 2 * FX_SEG, 8192, 0xD110, FX_SEG, 0},
     ""},
    {"8: address of another segment", W2, {GOOD, FX_SEG, 0}, ""},
    {"9: timeline above the name's",
     W1,
     {2, FX_SEG, FX_SYSID, FX_SEG, 8192, 0xD110, FX_SEG, 0},
     ""},
    {"25: lower case", "00000001000000000000000a", {GOOD, FX_SEG, 0}, "not a WAL file name"},
    {"25: 23 digits", "00000001000000000000001", {GOOD, FX_SEG, 0}, "not a WAL file name"},
    {"25: percent", "%00000010000000000000001", {GOOD, FX_SEG, 0}, "not a WAL file name"},
    {"third field cannot be", "000000010000000000001000", {GOOD, FX_SEG, 0}, "cannot"},
};

static void check_row(void **state)
{
    const struct row *row = *state;
    struct wal_added added;
    struct err err = {0};
    const char *path;
    struct fx f;

    fx_init(&f);
    path = fx_fmt("%s/%s", f.r.incoming_dir, row->name);
    fx_seg_write(path, row->seg);
    assert_int_equal(archive(&f, &plain, path, &added, &err), !row->why);
    if (row->why) {
        assert_int_equal(err.code, ERR_FORMAT);
        assert_non_null(strstr(err.why, row->why));
        assert_true(fx_there(path)); /* no state change */
        assert_int_equal(fx_xlogdb_lines(&f.r), 0);
    } else {
        assert_false(fx_there(path));
        assert_int_equal(fx_size(kept(&f, row->name)), (long)row->seg.size);
        assert_int_equal(fx_xlogdb_lines(&f.r), 1);
    }
    fx_release(&f);
}

/* The same rows hold for what arrives compressed. */
static void check_packed_row(void **state)
{
    const struct row *row = *state;
    static char mem[2 * FX_SEG];
    struct wal_added added;
    struct err err = {0};
    const char *path;
    struct fx f;
    gzFile gz;

    if (strstr(row->label, "short") && !row->why) {
        return;
    }
    fx_init(&f);
    path = fx_fmt("%s/%s", f.r.incoming_dir, row->name);
    fx_seg_write(path, row->seg);
    memset(mem, 0, sizeof mem);
    {
        int fd = open(path, O_RDONLY);
        assert_int_equal(read(fd, mem, row->seg.size), (ssize_t)row->seg.size);
        close(fd);
    }
    gz = gzopen(path, "wb1");
    assert_int_equal(gzwrite(gz, mem, (unsigned)row->seg.size), (int)row->seg.size);
    gzclose(gz);
    assert_int_equal(archive(&f, &plain, path, &added, &err), !row->why);
    if (!row->why) {
        assert_true(fx_size(kept(&f, row->name)) < (long)row->seg.size); /* as it came */
        assert_non_null(strstr(fx_read(fx_fmt("%s/main-xlog.db", f.r.xlogdb_dir)), "\tgzip\t"));
    } else {
        assert_int_equal(err.code, ERR_FORMAT);
        assert_true(fx_there(path));
    }
    fx_release(&f);
}

static void size_is_learnt_from_the_file(void **state)
{
    struct wal_store_options nothing_known = {.pack = CODEC_NONE};
    struct wal_added added;
    struct err err = {0};
    struct fx_seg seg = fx_seg(1, 1);
    const char *path;
    struct fx f;

    (void)state;
    fx_init(&f);
    assert_true(archive(&f, &nothing_known, fx_segment(f.r.incoming_dir, 1), &added, &err));
    seg.size = FX_SEG - 8192;
    path = fx_fmt("%s/" W2, f.r.incoming_dir);
    fx_seg_write(path, seg);
    assert_false(archive(&f, &nothing_known, path, &added, &err));
    assert_non_null(strstr(err.why, "1040384 bytes"));
    fx_release(&f);
}

static void same_name_same_content(void **state) /* row 1 */
{
    const struct wal_store_options *o[2] = {&plain, &packed};
    struct wal_added added;
    struct err err = {0};
    struct stat a, b;
    struct fx f;

    (void)state;
    for (int i = 0; i < 2; i++) {
        fx_init(&f);
        assert_true(archive(&f, o[i], fx_segment(f.r.incoming_dir, 1), &added, &err));
        assert_int_equal(added.fate, WAL_STORED);
        assert_int_equal(stat(kept(&f, W1), &a), 0);
        assert_true(archive(&f, o[1 - i], fx_segment(f.r.incoming_dir, 1), &added, &err));
        assert_int_equal(added.fate, WAL_TWIN);
        assert_int_equal(stat(kept(&f, W1), &b), 0);
        assert_int_equal(a.st_ino, b.st_ino);
        assert_int_equal(fx_count(f.r.incoming_dir), 0);
        assert_int_equal(fx_count(f.r.errors_dir), 0);
        assert_int_equal(fx_xlogdb_lines(&f.r), 1);
        fx_release(&f);
    }
}

static void same_name_other_content(void **state) /* row 2 */
{
    const struct wal_store_options *o[2] = {&plain, &packed};
    struct fx_seg other = fx_seg(1, 1);
    struct wal_added added;
    struct err err = {0};
    const char *path, *left;
    struct fx f;

    (void)state;
    other.fill = 7;
    for (int i = 0; i < 2; i++) {
        struct stat a, b;

        fx_init(&f);
        assert_true(archive(&f, o[i], fx_segment(f.r.incoming_dir, 1), &added, &err));
        assert_int_equal(stat(kept(&f, W1), &a), 0);
        path = fx_fmt("%s/" W1, f.r.incoming_dir);
        for (int again = 0; again < 2; again++) { /* twice within a second: both are kept */
            fx_seg_write(path, other);
            assert_true(archive(&f, o[i], path, &added, &err));
            assert_int_equal(added.fate, WAL_DUPLICATE);
            assert_false(fx_there(path));
            assert_int_equal(fx_count(f.r.errors_dir), (size_t)again + 1);
        }
        left = path_base(added.moved_to);
        assert_true(strncmp(left, W1 ".20", 27) == 0 && strlen(left) == 24 + 1 + 16 + 10);
        assert_string_equal(left + 24 + 17, ".duplicate");
        assert_string_not_equal(added.ours, added.theirs);
        assert_int_equal(strlen(added.ours), 64);
        assert_int_equal(stat(kept(&f, W1), &b), 0);
        assert_int_equal(a.st_ino, b.st_ino);
        assert_int_equal(fx_xlogdb_lines(&f.r), 1);
        fx_release(&f);
    }
}

/* Delivered on another file system: nothing can be linked, all is copied. */
static void from_another_file_system(void **state)
{
    char dir[] = "/dev/shm/barkeep-test-XXXXXX", path[PATH_CAP];
    const struct wal_store_options *o[2] = {&plain, &packed};
    struct wal_added added;
    struct err err = {0};
    struct stat a, b;
    struct fx f;

    (void)state;
    fx_init(&f);
    if (stat(f.root, &a) != 0 || stat("/dev/shm", &b) != 0 || a.st_dev == b.st_dev ||
        !mkdtemp(dir)) {
        fx_release(&f);
        skip();
    }
    for (int i = 0; i < 2; i++) {
        const struct timespec times[2] = {{1000, 0}, {2000, 0}};

        snprintf(path, sizeof path, "%s", fx_segment(dir, (uint64_t)i + 1));
        assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
        assert_true(archive(&f, o[i], path, &added, &err));
        assert_int_equal(added.fate, WAL_STORED);
        assert_false(fx_there(path));
        assert_int_equal(stat(kept(&f, i ? W2 : W1), &a), 0);
        assert_int_equal(a.st_mtime, 2000);
        assert_int_equal(fx_count(fx_fmt("%s/0000000100000000", f.r.wals_dir)), i + 1);
    }
    /* The same name with other bytes goes aside, by copy as well. */
    snprintf(path, sizeof path, "%s/" W1, dir);
    fx_seg_write(path, (struct fx_seg){1, FX_SEG, FX_SYSID, FX_SEG, 8192, 0xD110, FX_SEG, 7});
    assert_true(archive(&f, &plain, path, &added, &err));
    assert_int_equal(added.fate, WAL_DUPLICATE);
    assert_false(fx_there(path));
    assert_int_equal(fx_size(added.moved_to), FX_SEG);
    /* What is no file cannot be copied: it stays, and nothing half stays of it. */
    snprintf(path, sizeof path, "%s/stranger", dir);
    assert_int_equal(mkdir(path, 0700), 0);
    assert_false(wal_store_set_aside(&f.r, path, "unknown", added.moved_to, &err));
    assert_true(fx_there(path));
    assert_int_equal(fx_count(f.r.errors_dir), 1);
    assert_int_equal(rmdir(path), 0);
    assert_int_equal(rmdir(dir), 0);
    fx_release(&f);
}

static void a_second_history(void **state) /* rows 17 and 22 */
{
    struct wal_added added;
    struct err err = {0};
    const char *path;
    struct fx f;

    (void)state;
    fx_init(&f);
    path = fx_fmt("%s/00000002.history", f.r.incoming_dir);
    fx_text(path, "1\t0/2000000\tno recovery target specified\n");
    assert_true(archive(&f, &plain, path, &added, &err));
    fx_text(path, "1\t0/2800000\tno recovery target specified\n");
    assert_true(archive(&f, &plain, path, &added, &err));
    assert_int_equal(added.fate, WAL_DUPLICATE);
    assert_string_equal(fx_read(fx_fmt("%s/00000002.history", f.r.wals_dir)),
                        "1\t0/2000000\tno recovery target specified\n");
    assert_string_equal(fx_read(added.moved_to),
                        "1\t0/2800000\tno recovery target specified\n");
    fx_release(&f);
}

static void labels_and_partials_beside_the_segment(void **state) /* rows 19 and 20 */
{
    struct wal_added added;
    struct err err = {0};
    char newest[WAL_FILE_NAME_CAP];
    struct wal_found found;
    const char *path;
    struct fx f;

    (void)state;
    fx_init(&f);
    path = fx_fmt("%s/" W2 ".partial", f.r.streaming_dir);
    fx_seg_write(path, fx_seg(1, 2));
    assert_true(archive(&f, &plain, path, &added, &err));
    path = fx_fmt("%s/" W1 ".00000028.backup", f.r.incoming_dir);
    fx_text(path, "START WAL LOCATION: 0/100028\n");
    assert_true(archive(&f, &packed, path, &added, &err));
    assert_true(archive(&f, &plain, fx_segment(f.r.incoming_dir, 1), &added, &err));
    assert_int_equal(fx_xlogdb_lines(&f.r), 3);

    assert_true(wal_newest(&f.r, 1, newest, &err)); /* a partial is no segment */
    assert_string_equal(newest, W1);
    assert_true(wal_newest(&f.r, 2, newest, &err));
    assert_string_equal(newest, "");
    assert_false(wal_find(&f.r, W2, WAL_WHOLE, &found, &err));
    assert_int_equal(err.code, ERR_MISSING);
    assert_true(wal_find(&f.r, W2, WAL_OR_PARTIAL, &found, &err));
    assert_true(found.is_partial);

    fx_segment(f.r.incoming_dir, 2); /* the whole one is preferred as soon as it is there */
    assert_true(wal_find(&f.r, W2, WAL_OR_PARTIAL, &found, &err));
    assert_false(found.is_partial);
    assert_string_equal(found.path, fx_fmt("%s/" W2, f.r.incoming_dir));
    fx_release(&f);
}

static void packed_and_read_again(void **state)
{
    static uint8_t mem[FX_SEG + 1];
    struct wal_added added;
    struct err err = {0};
    struct wal_found found;
    struct wal_reader *rd;
    struct stat before, after;
    const char *path;
    size_t got, n = 0;
    struct fx f;

    (void)state;
    fx_init(&f);
    path = fx_segment(f.r.incoming_dir, 1);
    assert_int_equal(stat(path, &before), 0);
    assert_true(archive(&f, &packed, path, &added, &err));
    assert_int_equal(stat(kept(&f, W1), &after), 0);
    assert_true(after.st_size < before.st_size);
    assert_int_equal(after.st_mtim.tv_sec, before.st_mtim.tv_sec);
    assert_int_equal(after.st_mtim.tv_nsec, before.st_mtim.tv_nsec);
    assert_int_equal(fx_count(fx_fmt("%s/0000000100000000", f.r.wals_dir)), 1); /* no .tmp */
    assert_true(wal_find(&f.r, W1, WAL_WHOLE, &found, &err));
    rd = wal_reader_new(&found, 0, &err);
    assert_int_equal(wal_reader_codec(rd), CODEC_GZIP);
    while (wal_read(rd, mem + n, sizeof mem - n, &got, &err) && got) {
        n += got;
    }
    wal_reader_free(rd);
    assert_int_equal(n, FX_SEG);
    assert_int_equal(get_le32(mem + 4), 1);
    fx_release(&f);
}

/* A run that was killed between the link and the list: one file with two names, no line. */
static void killed_before_the_list(void **state)
{
    struct wal_added added;
    struct err err = {0};
    const char *path;
    struct fx f;

    (void)state;
    fx_init(&f);
    path = fx_segment(f.r.incoming_dir, 1);
    fx_text(fx_fmt("%s/main-xlog.db", f.r.xlogdb_dir), "");
    assert_int_equal(mkdir(fx_fmt("%s/0000000100000000", f.r.wals_dir), 0700), 0);
    assert_int_equal(link(path, kept(&f, W1)), 0);
    fx_text(fx_fmt("%s.tmp", kept(&f, W1)), "left over");
    assert_true(archive(&f, &packed, path, &added, &err));
    assert_int_equal(added.fate, WAL_TWIN);
    assert_false(fx_there(path));
    assert_int_equal(fx_xlogdb_lines(&f.r), 1);
    assert_int_equal(fx_count(fx_fmt("%s/0000000100000000", f.r.wals_dir)), 1);
    fx_release(&f);
}

/* Nothing may be removed before it is safe, and not at all if it changed in between. */
static void sources_go_last(void **state)
{
    struct wal_added added;
    struct err err = {0};
    struct wal_store *s;
    const char *path;
    struct fx f;

    (void)state;
    fx_init(&f);
    s = wal_store_new(&f.r, &plain, &err);
    path = fx_segment(f.r.incoming_dir, 1);
    assert_true(wal_store_add(s, path, &added, &err));
    assert_true(fx_there(path));
    assert_int_equal(unlink(path), 0);
    fx_text(path, "another file of that name");
    assert_true(wal_store_flush(s, &err));
    assert_string_equal(fx_read(path), "another file of that name");
    wal_store_free(s);

    s = wal_store_new(&f.r, &plain, &err); /* given up without a flush */
    path = fx_segment(f.r.incoming_dir, 2);
    assert_true(wal_store_add(s, path, &added, &err));
    wal_store_free(s);
    assert_true(fx_there(path));
    fx_release(&f);
}

static void more_than_a_batch(void **state)
{
    struct wal_added added;
    struct err err = {0};
    struct wal_store *s;
    struct fx f;

    (void)state;
    fx_init(&f);
    s = wal_store_new(&f.r, &plain, &err);
    for (uint64_t no = 4080; no < 4080 + WAL_BATCH + 5; no++) { /* 23: over the end of 4 GiB */
        assert_true(wal_store_add(s, fx_segment(f.r.incoming_dir, no), &added, &err));
    }
    assert_true(wal_store_flush(s, &err));
    wal_store_free(s);
    assert_int_equal(fx_count(f.r.incoming_dir), 0);
    assert_int_equal(fx_count(fx_fmt("%s/0000000100000000", f.r.wals_dir)), 16);
    assert_int_equal(fx_count(fx_fmt("%s/0000000100000001", f.r.wals_dir)), WAL_BATCH + 5 - 16);
    assert_int_equal(fx_xlogdb_lines(&f.r), WAL_BATCH + 5);
    fx_release(&f);
}

static void strange_places(void **state) /* row 14 */
{
    struct wal_added added;
    struct err err = {0};
    const char *path;
    struct fx f;

    (void)state;
    fx_init(&f);
    path = fx_segment(f.r.incoming_dir, 1);
    assert_int_equal(mkdir(fx_fmt("%s/elsewhere", f.root), 0700), 0);
    assert_int_equal(
        symlink(fx_fmt("%s/elsewhere", f.root), fx_fmt("%s/0000000100000000", f.r.wals_dir)),
        0);
    assert_false(archive(&f, &plain, path, &added, &err));
    assert_int_equal(err.code, ERR_IO);
    assert_int_equal(fx_count(fx_fmt("%s/elsewhere", f.root)), 0);
    assert_int_equal(unlink(fx_fmt("%s/0000000100000000", f.r.wals_dir)), 0);

    err = (struct err){0};
    assert_int_equal(rmdir(f.r.wals_dir), 0); /* not mounted, say */
    assert_false(archive(&f, &plain, path, &added, &err));
    assert_int_equal(err.code, ERR_IO);
    assert_false(fx_there(f.r.wals_dir));
    assert_true(fx_there(path));

    err = (struct err){0};
    assert_int_equal(unlink(path), 0);
    fx_text(fx_fmt("%s/precious", f.root), "x");
    assert_int_equal(symlink(fx_fmt("%s/precious", f.root), path), 0);
    assert_false(archive(&f, &plain, path, &added, &err));
    assert_int_equal(err.code, ERR_FORMAT);
    assert_true(fx_there(fx_fmt("%s/precious", f.root)));
    fx_release(&f);
}

/* A write that fails half-way (here: a limit on file sizes, as a full disk would) leaves
 * neither a file of the final name nor a temporary one, and the next try works. */
static void no_room(void **state)
{
    struct wal_added added;
    struct err err = {0};
    int status;
    struct fx f;
    pid_t pid;

    (void)state;
    fx_init(&f);
    fx_text(fx_fmt("%s/main-xlog.db", f.r.xlogdb_dir), "");
    fx_segment(f.r.incoming_dir, 1);
    { /* does not shrink */
        static uint8_t mem[FX_SEG];
        const char *path = fx_fmt("%s/" W1, f.r.incoming_dir);
        uint32_t x = 1;
        int fd;

        for (size_t i = 0; i < sizeof mem; i++) {
            x = x * 1664525 + 1013904223;
            mem[i] = (uint8_t)(x >> 24);
        }
        fd = open(path, O_WRONLY);
        assert_int_equal(pwrite(fd, mem + 40, sizeof mem - 40, 40), (ssize_t)sizeof mem - 40);
        close(fd);
    }
    pid = fork();
    if (pid == 0) {
        struct rlimit limit = {100000, 100000};

        signal(SIGXFSZ, SIG_IGN);
        setrlimit(RLIMIT_FSIZE, &limit);
        if (archive(&f, &packed, fx_fmt("%s/" W1, f.r.incoming_dir), &added, &err)) {
            _exit(1);
        }
        _exit(err.code == ERR_IO ? 0 : 2);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    assert_int_equal(fx_count(fx_fmt("%s/0000000100000000", f.r.wals_dir)), 0);
    assert_int_equal(fx_xlogdb_lines(&f.r), 0);
    assert_true(archive(&f, &packed, fx_fmt("%s/" W1, f.r.incoming_dir), &added, &err));
    assert_int_equal(fx_xlogdb_lines(&f.r), 1);
    fx_release(&f);
}

static void partial_is_padded(void **state)
{
    static uint8_t mem[FX_SEG + 1];
    struct wal_found found;
    struct err err = {0};
    struct fx_seg seg = fx_seg(1, 1);
    const char *out;
    struct fx f;
    int fd;

    (void)state;
    fx_init(&f);
    seg.size = 100000;
    seg.fill = 9;
    fx_seg_write(fx_fmt("%s/" W1 ".partial", f.r.streaming_dir), seg);
    assert_true(wal_find(&f.r, W1, WAL_OR_PARTIAL, &found, &err));
    out = fx_fmt("%s/out", f.root);
    fd = open(out, O_RDWR | O_CREAT, 0600);
    assert_true(wal_send(&found, FX_SEG, fd, "out", &err));
    assert_int_equal(pread(fd, mem, sizeof mem, 0), FX_SEG);
    assert_int_equal(mem[99999], 9);
    for (size_t i = 100000; i < FX_SEG; i++) {
        assert_int_equal(mem[i], 0);
    }
    close(fd);
    fx_release(&f);
}

static void damaged_codec_is_named(void **state)
{
    struct wal_found found;
    struct err err = {0};
    struct fx f;

    (void)state;
    fx_init(&f);
    fx_text(fx_fmt("%s/" W1, f.r.incoming_dir), "\x28\xb5\x2f\xfd....");
    assert_true(wal_find(&f.r, W1, WAL_WHOLE, &found, &err));
    assert_false(wal_send(&found, 0, -1, "out", &err));
    assert_int_equal(err.code, ERR_FORMAT);
    assert_non_null(strstr(err.why, "zstd"));
    fx_release(&f);
}

TEST_MAIN(ROWS(rows, check_row), ROWS(rows, check_packed_row),
          ONE(size_is_learnt_from_the_file), ONE(same_name_same_content),
          ONE(same_name_other_content), ONE(a_second_history), ONE(from_another_file_system),
          ONE(labels_and_partials_beside_the_segment), ONE(packed_and_read_again),
          ONE(killed_before_the_list), ONE(sources_go_last), ONE(more_than_a_batch),
          ONE(strange_places), ONE(no_room), ONE(partial_is_padded),
          ONE(damaged_codec_is_named))
