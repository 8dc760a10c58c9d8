/* SPDX-License-Identifier: PostgreSQL */
/* fixture.h - a repository in a temporary directory, and WAL segments to put into it. */
#ifndef TESTS_REPO_FIXTURE_H
#define TESTS_REPO_FIXTURE_H

#include "harness.h"

#include "base/file.h"
#include "repo/catalogue.h"
#include "repo/wal_store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

struct fx {
    char root[PATH_CAP];
    char mem[10][PATH_CAP];
    struct repo r;
};

static inline const char *fx_path(struct fx *f, int i, const char *below)
{
    snprintf(f->mem[i], PATH_CAP, "%.200s/%s", f->root, below);
    return f->mem[i];
}

static inline void fx_init(struct fx *f)
{
    struct err err = {0};
    const char *tmp = getenv("TMPDIR");

    snprintf(f->root, sizeof f->root, "%s/barkeep-test-XXXXXX", tmp ? tmp : "/tmp");
    assert_non_null(mkdtemp(f->root));
    f->r = (struct repo){
        .server = "main",
        .home = f->root,
        .lock_dir = f->root,
        .backup_dir = fx_path(f, 0, "main"),
        .base_dir = fx_path(f, 1, "main/base"),
        .wals_dir = fx_path(f, 2, "main/wals"),
        .xlogdb_dir = fx_path(f, 3, "main/wals"),
        .incoming_dir = fx_path(f, 4, "main/incoming"),
        .streaming_dir = fx_path(f, 5, "main/streaming"),
        .errors_dir = fx_path(f, 6, "main/errors"),
        .meta_dir = fx_path(f, 7, "main/meta"),
        .own_dir = fx_path(f, 8, "main/.barkeep"),
    };
    assert_true(repo_make_dirs(&f->r, &err));
}

static inline void fx_release(struct fx *f)
{
    struct err err = {0};

    assert_true(tree_remove(f->root, &err));
}

/* printf into one of a few buffers in turn. */
__attribute__((format(printf, 1, 2))) static inline const char *fx_fmt(const char *fmt, ...)
{
    static char mem[8][PATH_CAP];
    static int turn;
    va_list ap;

    turn = (turn + 1) % 8;
    va_start(ap, fmt);
    vsnprintf(mem[turn], PATH_CAP, fmt, ap);
    va_end(ap);
    return mem[turn];
}

static inline void fx_write(const char *path, const void *p, size_t n)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, p, n), (ssize_t)n);
    close(fd);
}

static inline void fx_text(const char *path, const char *text)
{
    fx_write(path, text, strlen(text));
}

/* Contents of a small file, in a static buffer; NULL when it is not there. */
static inline const char *fx_read(const char *path)
{
    static char mem[1 << 16];
    int fd = open(path, O_RDONLY);
    ssize_t n;

    if (fd < 0) {
        return NULL;
    }
    n = read(fd, mem, sizeof mem - 1);
    close(fd);
    assert_true(n >= 0);
    mem[n] = '\0';
    return mem;
}

static inline bool fx_there(const char *path)
{
    return access(path, F_OK) == 0;
}

static inline long fx_size(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0 ? (long)st.st_size : -1;
}

#include "fixture_wal.h"

static inline size_t fx_count(const char *dir)
{
    struct err err = {0};
    struct names names;
    struct arena a;
    size_t n;

    arena_init(&a, 0);
    assert_true(dir_names(&a, dir, DIR_MAY_MISS, &names, &err));
    n = names.n;
    arena_release(&a);
    return n;
}

/* The only name in a directory. */
static inline const char *fx_only(const char *dir)
{
    static char mem[256];
    struct err err = {0};
    struct names names;
    struct arena a;

    arena_init(&a, 0);
    assert_true(dir_names(&a, dir, DIR_MUST_EXIST, &names, &err));
    assert_int_equal(names.n, 1);
    snprintf(mem, sizeof mem, "%s", names.name[0]);
    arena_release(&a);
    return mem;
}

static inline size_t fx_xlogdb_lines(const struct repo *r)
{
    struct err err = {0};
    struct wal_file f;
    struct xlogdb db;
    size_t n = 0;
    int more;

    assert_true(xlogdb_open(&db, r, &err));
    while ((more = xlogdb_next(&db, &f, &err)) > 0) {
        n++;
    }
    assert_int_equal(more, 0);
    xlogdb_close(&db);
    return n;
}

#endif
