/* SPDX-License-Identifier: PostgreSQL */
#define _GNU_SOURCE /* RTLD_NEXT */
#include "base/file.h"

#include "harness.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

static char top[64];

static const char *in_top(const char *name)
{
    static char path[4][PATH_CAP];
    static int turn;
    char *p = path[turn++ % 4];

    snprintf(p, PATH_CAP, "%s/%s", top, name);
    return p;
}

static void fresh_top(void)
{
    snprintf(top, sizeof top, "/tmp/barkeep-file-XXXXXX");
    assert_non_null(mkdtemp(top));
}

static void gone(void)
{
    struct err err = {0};

    assert_true(tree_remove(top, &err));
    assert_int_equal(file_kind(top, NULL), FILE_NONE);
}

static void put_text(struct sbuf *b, const void *what)
{
    sbuf_add(b, what);
}

static void replace_and_read(void **state)
{
    struct arena a;
    struct err err = {0};
    struct str text;
    struct stat st;

    (void)state;
    fresh_top();
    arena_init(&a, 0);
    umask(0);
    assert_true(file_replace(in_top("f"), STR_LIT("one"), &err));
    assert_true(file_replace(in_top("f"), STR_LIT("second"), &err));
    assert_true(file_read(&a, in_top("f"), 100, &text, &err));
    assert_true(str_eq(text, "second"));
    assert_int_equal(stat(in_top("f"), &st), 0);
    assert_true(file_jot(in_top("f"), 8, put_text, "a third", &err));
    assert_true(file_read(&a, in_top("f"), 100, &text, &err));
    assert_true(str_eq(text, "a third"));
    assert_false(file_jot(in_top("f"), 5, put_text, "longer", &err));
    assert_true(file_read(&a, in_top("f"), 100, &text, &err));
    assert_true(str_eq(text, "a third"));
    assert_int_equal(stat(in_top("f"), &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    assert_int_equal(file_kind(in_top("f.tmp"), NULL), FILE_NONE);
    assert_false(file_read(&a, in_top("f"), 5, &text, &err));
    assert_int_equal(err.code, ERR_FORMAT);
    assert_false(file_read(&a, in_top("none"), 5, &text, &err));
    assert_int_equal(err.code, ERR_MISSING);
    assert_false(file_read(&a, top, 5, &text, &err));
    arena_release(&a);
    gone();
}

/* A write that the file system refuses leaves the old content and no temporary file. */
static void refused_write_keeps_the_old_file(void **state)
{
    struct rlimit was, small;
    struct arena a;
    struct err err = {0};
    struct str text;
    char big[8192];

    (void)state;
    fresh_top();
    arena_init(&a, 0);
    memset(big, 'x', sizeof big);
    assert_true(file_replace(in_top("f"), STR_LIT("old"), &err));
    signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &was);
    small = was;
    small.rlim_cur = 4096;
    setrlimit(RLIMIT_FSIZE, &small);
    assert_false(file_replace(in_top("f"), str_n(big, sizeof big), &err));
    setrlimit(RLIMIT_FSIZE, &was);
    assert_int_equal(err.os, EFBIG);
    assert_true(file_read(&a, in_top("f"), 100, &text, &err));
    assert_true(str_eq(text, "old"));
    assert_int_equal(file_kind(in_top("f.tmp"), NULL), FILE_NONE);
    arena_release(&a);
    gone();
}

static void directories_are_made_and_listed(void **state)
{
    struct arena a;
    struct names names;
    struct err err = {0};

    (void)state;
    fresh_top();
    arena_init(&a, 0);
    assert_true(dir_make(in_top("x/y/z"), &err));
    assert_true(dir_make(in_top("x/y/z"), &err));
    assert_true(file_replace(in_top("x/b"), STR_LIT(""), &err));
    assert_true(file_replace(in_top("x/.a"), STR_LIT(""), &err));
    assert_true(dir_names(&a, in_top("x"), DIR_MUST_EXIST, &names, &err));
    assert_int_equal(names.n, 3);
    assert_string_equal(names.name[0], ".a");
    assert_string_equal(names.name[1], "b");
    assert_string_equal(names.name[2], "y");
    assert_true(dir_names(&a, in_top("none"), DIR_MAY_MISS, &names, &err));
    assert_int_equal(names.n, 0);
    assert_false(dir_names(&a, in_top("none"), DIR_MUST_EXIST, &names, &err));
    assert_false(dir_make(in_top("x/b"), &err));
    assert_false(dir_make(in_top("x/b/c"), &err));
    arena_release(&a);
    gone();
}

/* What a link points to survives the removal of the tree that holds the link. */
static void removal_does_not_follow_links(void **state)
{
    struct err err = {0};

    (void)state;
    fresh_top();
    assert_true(dir_make(in_top("keep"), &err));
    assert_true(file_replace(in_top("keep/me"), STR_LIT("x"), &err));
    assert_true(dir_make(in_top("tree/sub"), &err));
    assert_int_equal(symlink(in_top("keep"), in_top("tree/sub/link")), 0);
    assert_true(tree_remove(in_top("tree"), &err));
    assert_int_equal(file_kind(in_top("tree"), NULL), FILE_NONE);
    assert_int_equal(file_kind(in_top("keep/me"), NULL), FILE_REGULAR);
    assert_true(tree_remove(in_top("tree"), &err));
    gone();
}

static void paths(void **state)
{
    char out[PATH_CAP], longest[PATH_CAP];
    struct err err = {0};

    (void)state;
    assert_true(path_join(out, "/a", "b", &err));
    assert_string_equal(out, "/a/b");
    assert_true(path_join(out, "/", "b", &err));
    assert_string_equal(out, "/b");
    memset(longest, 'a', sizeof longest - 1);
    longest[sizeof longest - 1] = '\0';
    assert_false(path_join(out, longest, "b", &err));
    assert_int_equal(err.code, ERR_FORMAT);
    path_dir("/a/b", out);
    assert_string_equal(out, "/a");
    path_dir("/a", out);
    assert_string_equal(out, "/");
    path_dir("a", out);
    assert_string_equal(out, ".");
    assert_string_equal(path_base("/a/b"), "b");
    assert_string_equal(path_base("b"), "b");
}

/* Stands in front of the C library's, for the file under test too. */
static int entries_until_eio = -1; /* -1: never */

struct dirent *readdir(DIR *d)
{
    static struct dirent *(*real)(DIR *);

    if (entries_until_eio == 0) {
        errno = EIO;
        return NULL;
    }
    entries_until_eio -= entries_until_eio > 0;
    if (!real) {
        void *next = dlsym(RTLD_NEXT, "readdir64"); /* both names are one on 64 bits */
        assert_non_null(next);
        memcpy(&real, &next, sizeof real);
    }
    return real(d);
}

static void half_a_listing_is_a_failure(void **state)
{
    struct err err = {0};
    struct names names;
    struct arena a;

    (void)state;
    fresh_top();
    arena_init(&a, 0);
    assert_true(dir_make(in_top("d"), &err));
    for (char name[] = "d/a"; name[2] <= 'e'; name[2]++) {
        assert_true(file_replace(in_top(name), STR_LIT("x"), &err));
    }
    for (entries_until_eio = 0; entries_until_eio <= 6;) {
        int n = entries_until_eio;

        err = (struct err){0};
        assert_false(dir_names(&a, in_top("d"), DIR_MAY_MISS, &names, &err));
        assert_int_equal(err.code, ERR_IO);
        assert_int_equal(err.os, EIO);
        entries_until_eio = n + 1;
    }
    entries_until_eio = 0;
    assert_false(tree_remove(in_top("d"), &err));
    assert_int_equal(err.os, EIO);
    entries_until_eio = -1;
    assert_true(dir_names(&a, in_top("d"), DIR_MUST_EXIST, &names, &err));
    assert_int_equal(names.n, 5);
    arena_release(&a);
    gone();
}

/* What cannot be looked at is not known to be gone. */
static void removal_of_what_cannot_be_seen(void **state)
{
    char name[301];
    struct err err = {0};

    (void)state;
    fresh_top();
    memset(name, 'n', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    assert_false(tree_remove(in_top(name), &err));
    assert_int_equal(err.os, ENAMETOOLONG);
    assert_true(file_replace(in_top("file"), STR_LIT("x"), &err));
    assert_true(tree_remove(in_top("file/below"), &err));
    assert_true(tree_remove(in_top("file"), &err));
    assert_int_equal(symlink("loop", in_top("loop")), 0);
    assert_false(tree_remove(in_top("loop/x"), &err));
    assert_int_equal(err.os, ELOOP);
    gone();
}

TEST_MAIN(ONE(half_a_listing_is_a_failure), ONE(removal_of_what_cannot_be_seen),
          ONE(replace_and_read), ONE(refused_write_keeps_the_old_file),
          ONE(directories_are_made_and_listed), ONE(removal_does_not_follow_links), ONE(paths))
