/* SPDX-License-Identifier: PostgreSQL */
#include "extract.h"

#include "base/bug.h"
#include "base/file.h"
#include "direct.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define DEPTH_MAX 64
#define OPEN_DIR  (O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
#define OPEN_FILE (O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC)

struct extract {
    char root[PATH_CAP];
    char links[PATH_CAP]; /* "": none */
    struct sync *sync;
    bool again;
    bool owned;
    uid_t uid;
    gid_t gid;
    /* The directory of the last member and how it was reached: chain[0] is the root, chain[i]
     * the directory dir[0 .. end[i]). */
    char dir[TAR_NAME_CAP];
    int chain[DEPTH_MAX + 1];
    size_t end[DEPTH_MAX + 1];
    unsigned depth;
    /* The file at hand. */
    int fd;
    char name[TAR_NAME_CAP];
    uint64_t at, started;
    struct direct *direct; /* from the first large file on, where something is beside us */
    bool is_direct;        /* the file at hand, then fd is -1 */
};

static const char *full(const struct extract *x, const char *name, char out[PATH_CAP])
{
    str_fmt(out, PATH_CAP, "%s/%s", x->root, name);
    return out;
}

struct extract *extract_new(const char *root, const char *links, struct sync *sync,
                            struct err *err)
{
    struct extract *x = calloc(1, sizeof *x);

    if (!x) {
        err_set(err, ERR_MEMORY, "", "", "out of memory");
        return NULL;
    }
    x->fd = -1;
    x->sync = sync;
    x->chain[0] = open(root, OPEN_DIR);
    if (x->chain[0] < 0) {
        err_os(err, errno, "open", root);
        free(x);
        return NULL;
    }
    if (!str_copy(x->root, sizeof x->root, root) ||
        !str_copy(x->links, sizeof x->links - 16, links ? links : "")) {
        err_set(err, ERR_FORMAT, "", root, "too long");
        extract_free(x);
        return NULL;
    }
    return x;
}

void extract_free(struct extract *x)
{
    if (!x) {
        return;
    }
    if (x->fd >= 0) {
        close(x->fd);
    }
    for (unsigned i = 0; i <= x->depth; i++) {
        close(x->chain[i]);
    }
    direct_free(x->direct);
    free(x);
}

void extract_again(struct extract *x)
{
    x->again = true;
}

void extract_owned_by(struct extract *x, uid_t uid, gid_t gid)
{
    x->owned = true;
    x->uid = uid;
    x->gid = gid;
}

static bool leave_dir(struct extract *x, struct err *err)
{
    char path[PATH_CAP];
    bool ok;

    x->dir[x->end[x->depth]] = '\0';
    ok = !x->sync || sync_dir(x->sync, x->chain[x->depth], full(x, x->dir, path), err);
    close(x->chain[x->depth]);
    x->depth--;
    x->dir[x->end[x->depth]] = '\0';
    return ok;
}

/* Is the directory at this depth of the chain one that `dir` lies in or is? */
static bool leads_to(const struct extract *x, unsigned depth, struct str dir)
{
    size_t n = x->end[depth];

    return n == 0 ||
           (dir.n >= n && memcmp(dir.p, x->dir, n) == 0 && (dir.n == n || dir.p[n] == '/'));
}

static bool enter_dir(struct extract *x, struct str dir, size_t end, struct err *err)
{
    char part[TAR_NAME_CAP], path[PATH_CAP];
    size_t from = x->depth ? x->end[x->depth] + 1 : 0;
    int fd;

    if (x->depth == DEPTH_MAX) {
        return err_set(err, ERR_UNSAFE, "", x->name, "nested too deeply");
    }
    memcpy(part, dir.p + from, end - from);
    part[end - from] = '\0';
    fd = openat(x->chain[x->depth], part, OPEN_DIR);
    if (fd < 0 && (errno == ELOOP || errno == ENOTDIR)) {
        return err_set(err, ERR_UNSAFE, "", full(x, x->name, path),
                       "would be written through something that is not a directory");
    }
    if (fd < 0 && errno == ENOENT) {
        return err_set(err, ERR_FORMAT, "", x->name, "comes before its directory");
    }
    if (fd < 0) {
        return err_os(err, errno, "open", full(x, x->name, path));
    }
    x->depth++;
    x->chain[x->depth] = fd;
    x->end[x->depth] = end;
    memcpy(x->dir, dir.p, end);
    x->dir[end] = '\0';
    return true;
}

/* Make chain[depth] the directory `dir` ("" is the root). */
static bool go_to(struct extract *x, struct str dir, struct err *err)
{
    while (!leads_to(x, x->depth, dir)) {
        if (!leave_dir(x, err)) {
            return false;
        }
    }
    while (x->end[x->depth] < dir.n) {
        size_t end = x->depth ? x->end[x->depth] + 1 : 0;
        while (end < dir.n && dir.p[end] != '/') {
            end++;
        }
        if (!enter_dir(x, dir, end, err)) {
            return false;
        }
    }
    return true;
}

static bool twice(const struct extract *x, struct err *err)
{
    char path[PATH_CAP];

    return err_set(err, ERR_UNSAFE, "", full(x, x->name, path),
                   "is there already: the stream names it twice");
}

static bool make_dir(struct extract *x, const char *base, unsigned mode, struct err *err)
{
    int at = x->chain[x->depth];
    char path[PATH_CAP];
    int fd;

    mode |= S_IRWXU;
    if (mkdirat(at, base, mode) != 0 && errno != EEXIST) {
        return err_os(err, errno, "make", full(x, x->name, path));
    }
    fd = openat(at, base, OPEN_DIR);
    if (fd < 0) {
        return errno == ELOOP || errno == ENOTDIR
                   ? twice(x, err)
                   : err_os(err, errno, "open", full(x, x->name, path));
    }
    if ((x->owned && fchown(fd, x->uid, x->gid) != 0) ||
        ((mode & 077) && fchmod(fd, mode) != 0)) {
        int os = errno;
        close(fd);
        return err_os(err, os, "set owner and mode of", full(x, x->name, path));
    }
    close(fd);
    return true;
}

/* From here on the file is written and closed by what is beside us. */
static bool begin_direct(struct extract *x, struct err *err)
{
    char path[PATH_CAP];
    int fd = x->fd;

    if (!x->direct) {
        x->direct = direct_new(x->sync->beside, x->sync, err);
    }
    if (!x->direct) {
        return false;
    }
    x->fd = -1;
    x->is_direct = direct_begin(x->direct, fd, full(x, x->name, path), err);
    return x->is_direct;
}

static bool wants_direct(const struct extract *x, const struct tar_member *m)
{
    return x->sync && x->sync->beside && m->size >= DIRECT_MIN;
}

static bool make_file(struct extract *x, const char *base, const struct tar_member *m,
                      struct err *err)
{
    unsigned mode = m->mode;
    char path[PATH_CAP];

    x->fd = openat(x->chain[x->depth], base, OPEN_FILE, mode);
    if (x->fd < 0 && errno == EEXIST && x->again) {
        if (unlinkat(x->chain[x->depth], base, 0) != 0) {
            return err_os(err, errno, "replace", full(x, x->name, path));
        }
        x->fd = openat(x->chain[x->depth], base, OPEN_FILE, mode);
    }
    if (x->fd < 0) {
        return errno == EEXIST ? twice(x, err)
                               : err_os(err, errno, "make", full(x, x->name, path));
    }
    if ((x->owned && fchown(x->fd, x->uid, x->gid) != 0) ||
        ((mode & 077) && fchmod(x->fd, mode) != 0)) {
        return err_os(err, errno, "set owner and mode of", full(x, x->name, path));
    }
    x->at = 0;
    x->started = 0;
    return !wants_direct(x, m) || begin_direct(x, err);
}

static bool make_link(struct extract *x, const char *base, struct err *err)
{
    char target[PATH_CAP], path[PATH_CAP];
    uint64_t oid;

    if (!x->links[0] || strcmp(x->dir, "pg_tblspc") != 0 ||
        !str_u64(str_of(base), UINT32_MAX, &oid)) {
        return err_set(err, ERR_UNSAFE, "", full(x, x->name, path),
                       "a link that is not a tablespace's");
    }
    str_fmt(target, sizeof target, "%s/%s", x->links, base);
    if (symlinkat(target, x->chain[x->depth], base) != 0) {
        return errno == EEXIST ? twice(x, err)
                               : err_os(err, errno, "make", full(x, x->name, path));
    }
    return true;
}

bool extract_begin(struct extract *x, const struct tar_member *m, struct err *err)
{
    const char *base = path_base(m->name);
    struct str dir = str_n(m->name, base == m->name ? 0 : (size_t)(base - m->name) - 1);

    BUG_IF(x->fd >= 0 || x->is_direct);
    str_copy(x->name, sizeof x->name, m->name);
    if (!path_is_below(str_of(m->name))) {
        return err_set(err, ERR_UNSAFE, "", m->name, "would leave the directory");
    }
    if (!go_to(x, dir, err)) {
        return false;
    }
    switch (m->kind) {
    case TAR_DIR:
        return make_dir(x, base, m->mode, err);
    case TAR_LINK:
        return make_link(x, base, err);
    case TAR_FILE:
        break;
    }
    return make_file(x, base, m, err);
}

bool extract_data(struct extract *x, const void *p, size_t n, struct err *err)
{
    char path[PATH_CAP];

    if (x->is_direct) {
        return direct_write(x->direct, p, n, err);
    }
    BUG_IF(x->fd < 0);
    if (!fd_write_all(x->fd, p, n, full(x, x->name, path), err)) {
        return false;
    }
    x->at += n;
    if (x->sync) {
        sync_wrote(x->sync, x->fd, x->at, &x->started);
    }
    return true;
}

bool extract_end(struct extract *x, struct err *err)
{
    char path[PATH_CAP];
    bool ok = true;

    if (x->is_direct) {
        x->is_direct = false;
        return direct_end(x->direct, err);
    }
    if (x->fd < 0) {
        return true;
    }
    full(x, x->name, path);
    if (x->sync) {
        ok = sync_file(x->sync, x->fd, path, err);
    }
    if (close(x->fd) != 0 && ok) {
        ok = err_os(err, errno, "close", path);
    }
    x->fd = -1;
    return ok;
}

bool extract_close(struct extract *x, struct err *err)
{
    while (x->depth) {
        if (!leave_dir(x, err)) {
            return false;
        }
    }
    return (!x->direct || direct_finish(x->direct, err)) &&
           (!x->sync || sync_dir(x->sync, x->chain[0], x->root, err));
}
