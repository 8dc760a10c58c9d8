/* SPDX-License-Identifier: PostgreSQL */
/* Each row plays some members into an empty directory and says what must be refused. Beside
 * that directory lies one called "outside" that must stay as it was. */
#include "repo/extract.h"

#include "base/file.h"
#include "harness.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MAX_MEMBERS = 6 };

static const struct row {
    const char *label;
    const char *before; /* link made at this name, to "../outside", before anything */
    struct {
        enum tar_kind kind;
        const char *name;
    } member[MAX_MEMBERS];
    int refused; /* index of the member that must be; -1 none */
    enum err_code code;
} rows[] = {
    {"tree",
     NULL,
     {{TAR_DIR, "a"}, {TAR_DIR, "a/b"}, {TAR_FILE, "a/b/f"}, {TAR_FILE, "a/g"}},
     -1,
     0},
    {"back and forth",
     NULL,
     {{TAR_DIR, "a"}, {TAR_DIR, "ab"}, {TAR_FILE, "a/f"}, {TAR_FILE, "ab/f"}, {TAR_FILE, "f"}},
     -1,
     0},
    {"directory twice", NULL, {{TAR_DIR, "a"}, {TAR_DIR, "a"}, {TAR_FILE, "a/f"}}, -1, 0},
    {"row 58: tablespace link",
     NULL,
     {{TAR_DIR, "pg_tblspc"}, {TAR_LINK, "pg_tblspc/16385"}},
     -1,
     0},
    {"row 57: odd names", NULL, {{TAR_DIR, " \n\\"}, {TAR_FILE, " \n\\/\xFF'\"=#["}}, -1, 0},

    {"row 76: file twice", NULL, {{TAR_FILE, "f"}, {TAR_FILE, "f"}}, 1, ERR_UNSAFE},
    {"row 76: file over a directory", NULL, {{TAR_DIR, "f"}, {TAR_FILE, "f"}}, 1, ERR_UNSAFE},
    {"row 76: directory over a file", NULL, {{TAR_FILE, "f"}, {TAR_DIR, "f"}}, 1, ERR_UNSAFE},
    {"row 76: through a link that is there", "l", {{TAR_FILE, "l/x"}}, 0, ERR_UNSAFE},
    {"row 76: onto a link that is there", "l", {{TAR_FILE, "l"}}, 0, ERR_UNSAFE},
    {"row 76: directory onto a link", "l", {{TAR_DIR, "l"}}, 0, ERR_UNSAFE},
    {"row 76: through a tablespace link",
     NULL,
     {{TAR_DIR, "pg_tblspc"}, {TAR_LINK, "pg_tblspc/1"}, {TAR_FILE, "pg_tblspc/1/x"}},
     2,
     ERR_UNSAFE},
    {"row 76: below a file", NULL, {{TAR_FILE, "f"}, {TAR_FILE, "f/x"}}, 1, ERR_UNSAFE},
    {"row 76: link elsewhere", NULL, {{TAR_LINK, "l"}}, 0, ERR_UNSAFE},
    {"row 76: link in a deeper place",
     NULL,
     {{TAR_DIR, "pg_tblspc"}, {TAR_DIR, "pg_tblspc/a"}, {TAR_LINK, "pg_tblspc/a/1"}},
     2,
     ERR_UNSAFE},
    {"row 76: link that is no number",
     NULL,
     {{TAR_DIR, "pg_tblspc"}, {TAR_LINK, "pg_tblspc/1x"}},
     1,
     ERR_UNSAFE},
    {"row 76: link beyond oids",
     NULL,
     {{TAR_DIR, "pg_tblspc"}, {TAR_LINK, "pg_tblspc/4294967296"}},
     1,
     ERR_UNSAFE},
    {"row 76: link twice",
     NULL,
     {{TAR_DIR, "pg_tblspc"}, {TAR_LINK, "pg_tblspc/1"}, {TAR_LINK, "pg_tblspc/1"}},
     2,
     ERR_UNSAFE},
    {"row 76: dot dot", NULL, {{TAR_FILE, "../outside/x"}}, 0, ERR_UNSAFE},
    {"row 76: absolute", NULL, {{TAR_FILE, "/outside"}}, 0, ERR_UNSAFE},
    {"before its directory", NULL, {{TAR_FILE, "a/f"}}, 0, ERR_FORMAT},
};

static bool play(struct extract *x, enum tar_kind kind, const char *name, struct err *err)
{
    struct tar_member m = {.kind = kind, .mode = kind == TAR_DIR ? 0750 : 0640, .size = 3};

    str_copy(m.name, sizeof m.name, name);
    str_copy(m.link, sizeof m.link, "/anywhere");
    return extract_begin(x, &m, err) && (kind != TAR_FILE || extract_data(x, "abc", 3, err)) &&
           extract_end(x, err);
}

static void assert_made(enum tar_kind kind, const char *name)
{
    struct stat st;
    char path[PATH_CAP], target[PATH_CAP] = "";

    snprintf(path, sizeof path, "root/%s", name);
    assert_int_equal(lstat(path, &st), 0);
    if (kind == TAR_FILE) {
        assert_int_equal(st.st_mode, S_IFREG | 0640);
        assert_int_equal(st.st_size, 3);
    } else if (kind == TAR_DIR) {
        assert_int_equal(st.st_mode, S_IFDIR | 0750);
    } else {
        assert_true(readlink(path, target, sizeof target - 1) > 0);
        assert_string_equal(target, "/backups/16385"); /* where WE say */
    }
}

static void in_new_dir(char dir[32])
{
    struct err err = {0};

    str_copy(dir, 32, "extract.XXXXXX");
    assert_non_null(mkdtemp(dir));
    assert_int_equal(chdir(dir), 0);
    assert_true(dir_make("root", &err));
    assert_true(dir_make("outside", &err));
}

static void leave(const char *dir)
{
    struct err err = {0};

    assert_int_equal(rmdir("outside"), 0); /* still empty */
    assert_int_equal(chdir(".."), 0);
    assert_true(tree_remove(dir, &err));
}

static void run_row(const struct row *r, struct sync *sync)
{
    struct err err = {0};
    char dir[32], path[PATH_CAP];
    struct extract *x;
    int i = 0;

    in_new_dir(dir);
    if (r->before) {
        snprintf(path, sizeof path, "root/%s", r->before);
        assert_int_equal(symlink("../outside", path), 0);
    }
    if (sync) {
        assert_true(sync_open(sync, "root", &err));
    }
    x = extract_new("root", "/backups", sync, &err);
    assert_non_null(x);
    for (; i < MAX_MEMBERS && r->member[i].name && i != r->refused; i++) {
        assert_true(play(x, r->member[i].kind, r->member[i].name, &err));
    }
    assert_int_equal(err.code, ERR_NONE);
    if (r->refused >= 0) {
        assert_false(play(x, r->member[i].kind, r->member[i].name, &err));
        assert_int_equal(err.code, r->code);
        assert_non_null(strstr(err.what, r->member[i].name));
    } else {
        assert_true(extract_close(x, &err));
        assert_true(!sync || sync_finish(sync, &err));
        for (i = 0; i < MAX_MEMBERS && r->member[i].name; i++) {
            assert_made(r->member[i].kind, r->member[i].name);
        }
    }
    extract_free(x);
    leave(dir);
}

/* Unsynced, the fast way, the slow way: the same files. */
static void check_row(void **state)
{
    struct sync sync;

    run_row(*state, NULL);
    unsetenv("BARKEEP_SYNC");
    sync_init(&sync);
    run_row(*state, &sync);
    sync_release(&sync);
    setenv("BARKEEP_SYNC", "fsync", 1);
    sync_init(&sync);
    assert_int_equal(sync.way, SYNC_EACH);
    run_row(*state, &sync);
    sync_release(&sync);
}

static void no_links_in_a_tablespace(void **state)
{
    struct err err = {0};
    char dir[32];
    struct extract *x;

    (void)state;
    in_new_dir(dir);
    x = extract_new("root", NULL, NULL, &err);
    assert_true(play(x, TAR_DIR, "pg_tblspc", &err));
    assert_false(play(x, TAR_LINK, "pg_tblspc/1", &err));
    assert_int_equal(err.code, ERR_UNSAFE);
    extract_free(x);
    leave(dir);
}

static const struct mode_row {
    const char *label;
    unsigned sent, file, dir;
} modes[] = {
    {"row 97: owner only", 0700, 0700, 0700},
    {"row 97: group may read", 0750, 0750, 0750},
    {"group file", 0640, 0640, 0740},
    {"locked directory is ours to enter", 0000, 0000, 0700},
    {"read-only file", 0400, 0400, 0700},
};

static void check_mode(void **state)
{
    const struct mode_row *r = *state;
    struct tar_member f = {.kind = TAR_FILE, .name = "f", .mode = r->sent};
    struct tar_member d = {.kind = TAR_DIR, .name = "d", .mode = r->sent};
    struct err err = {0};
    struct stat st;
    char dir[32];
    struct extract *x;
    mode_t mask = umask(0077);

    in_new_dir(dir);
    x = extract_new("root", NULL, NULL, &err);
    assert_true(extract_begin(x, &f, &err) && extract_end(x, &err));
    assert_true(extract_begin(x, &d, &err) && extract_end(x, &err));
    umask(mask);
    assert_int_equal(stat("root/f", &st), 0);
    assert_int_equal(st.st_mode & 07777, r->file);
    assert_int_equal(stat("root/d", &st), 0);
    assert_int_equal(st.st_mode & 07777, r->dir);
    extract_free(x);
    leave(dir);
}

/* What an extraction that died left is replaced: a file, and a link that leads elsewhere. */
static void again(void **state)
{
    struct err err = {0};
    struct stat st;
    char dir[32];
    struct extract *x;

    (void)state;
    in_new_dir(dir);
    assert_int_equal(symlink("../outside/x", "root/f"), 0);
    x = extract_new("root", NULL, NULL, &err);
    assert_false(play(x, TAR_FILE, "f", &err));
    assert_int_equal(err.code, ERR_UNSAFE);
    extract_free(x);
    x = extract_new("root", NULL, NULL, &err);
    extract_again(x);
    assert_true(play(x, TAR_FILE, "f", &err));
    assert_true(play(x, TAR_FILE, "f", &err));
    assert_int_equal(lstat("root/f", &st), 0);
    assert_true(S_ISREG(st.st_mode));
    assert_int_not_equal(lstat("outside/x", &st), 0);
    assert_int_equal(symlink("..", "root/d"), 0);
    assert_false(play(x, TAR_FILE, "d/f", &err));
    assert_int_equal(err.code, ERR_UNSAFE);
    extract_free(x);
    leave(dir);
}

static void missing_root(void **state)
{
    struct err err = {0};

    (void)state;
    assert_null(extract_new("/does/not/exist", NULL, NULL, &err));
    assert_int_equal(err.code, ERR_IO);
}

TEST_MAIN(ROWS(rows, check_row), ROWS(modes, check_mode), ONE(no_links_in_a_tablespace),
          ONE(again), ONE(missing_root))
