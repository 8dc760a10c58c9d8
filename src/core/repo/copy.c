/* SPDX-License-Identifier: PostgreSQL */
#include "repo/copy.h"

#include "base/file.h"
#include "base/sys.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#define BUFFER                                                                                 \
    ((size_t)128 *                                                                             \
     1024) /* stays in the second-level cache between sum and write              \
                          */
#define MODE_MASK 0777

struct work {
    const struct copy_rules *rules;
    const struct copy_file *file;
    int from, to;
    struct stat st; /* of the source */
};

static const char *name_of(const struct copy_file *f)
{
    return f->name ? f->name : f->from;
}

static bool wrong_size(const struct copy_file *f, uint64_t size, struct err *err)
{
    return err_set(err, ERR_FORMAT,
                   "Restore another backup, and run verify-backup on this one.", name_of(f),
                   "has %" PRIu64 " bytes instead of %" PRIu64, size, f->size);
}

static bool wrong_sum(const struct copy_file *f, const uint8_t *got, struct err *err)
{
    char is[DIGEST_HEX_CAP], should[DIGEST_HEX_CAP];
    size_t n = digest_size(f->kind);

    return err_set(err, ERR_FORMAT,
                   "Restore another backup, and run verify-backup on this one.", name_of(f),
                   "its %s is %.64s, the manifest has %.64s", digest_name(f->kind),
                   hex_text(got, n, is, sizeof is), hex_text(f->sum, n, should, sizeof should));
}

static bool open_source(struct work *w, struct err *err)
{
    const struct copy_file *f = w->file;

    w->from = open(f->from, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    if (w->from < 0) {
        return err_os(err, errno, "open", f->from);
    }
    if (fstat(w->from, &w->st) != 0) {
        return err_os(err, errno, "look at", f->from);
    }
    if (!S_ISREG(w->st.st_mode)) {
        return err_set(err, ERR_FORMAT, "", name_of(f), "not a regular file");
    }
    if (f->sized && (uint64_t)w->st.st_size != f->size) {
        return wrong_size(f, (uint64_t)w->st.st_size, err);
    }
    return true;
}

/* Reads fd from its beginning; out gets the sum. */
static bool sum_of(int fd, const struct copy_file *f, uint8_t out[DIGEST_MAX], struct err *err)
{
    uint8_t buf[BUFFER];
    struct digest d;
    off_t at = 0;

    if (!digest_init(&d, f->kind, err)) {
        return false;
    }
    for (;;) {
        ssize_t n = pread(fd, buf, sizeof buf, at);

        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0) {
            return err_os(err, errno, "read", f->from);
        }
        if (n == 0) {
            break;
        }
        digest_feed(&d, buf, (size_t)n);
        at += n;
    }
    digest_end(&d, out);
    return true;
}

static bool check_sum(int fd, const struct copy_file *f, struct err *err)
{
    uint8_t sum[DIGEST_MAX];

    if (f->kind == DIGEST_NONE) {
        return true;
    }
    return sum_of(fd, f, sum, err) &&
           (memcmp(sum, f->sum, digest_size(f->kind)) == 0 || wrong_sum(f, sum, err));
}

/* --- is it there already? --- */

static bool same_bytes(const struct work *w, int there, bool *same, struct err *err)
{
    uint8_t a[BUFFER / 2], b[BUFFER / 2];
    off_t at = 0;

    *same = false;
    for (;;) {
        ssize_t n = pread(w->from, a, sizeof a, at);
        ssize_t m;

        if (n < 0) {
            return err_os(err, errno, "read", w->file->from);
        }
        if (n == 0) {
            *same = true;
            return true;
        }
        m = pread(there, b, (size_t)n, at);
        if (m != n || memcmp(a, b, (size_t)n) != 0) {
            return true;
        }
        at += n;
    }
}

static bool is_there(const struct work *w, bool *there, struct err *err)
{
    const struct copy_owner *owner = &w->rules->owner;
    const struct copy_file *f = w->file;
    int fd = open(f->to, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    uint8_t sum[DIGEST_MAX];
    struct stat st;
    bool ok = true;

    *there = false;
    if (fd < 0) {
        return errno == ENOENT || err_os(err, errno, "open", f->to);
    }
    if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size == w->st.st_size &&
        (st.st_mode & MODE_MASK) == (w->st.st_mode & MODE_MASK) &&
        (!owner->change || (st.st_uid == owner->uid && st.st_gid == owner->gid))) {
        if (f->kind == DIGEST_NONE) {
            ok = same_bytes(w, fd, there, err);
        } else {
            ok = sum_of(fd, f, sum, err);
            *there = ok && memcmp(sum, f->sum, digest_size(f->kind)) == 0;
        }
    }
    /* The run that wrote it may have been killed before it synced it. */
    ok = ok && (!*there || sync_file(w->rules->sync, fd, f->to, err));
    close(fd);
    return ok;
}

/* --- the copy --- */

static bool open_target(struct work *w, struct err *err)
{
    int flags = O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC;
    const struct copy_owner *owner = &w->rules->owner;
    mode_t mode = w->st.st_mode & MODE_MASK;

    flags |= w->rules->over == COPY_NEW ? O_EXCL : O_TRUNC;
    w->to = open(w->file->to, flags, 0600);
    if (w->to < 0) {
        return err_os(err, errno, "create", w->file->to);
    }
    if (owner->change && fchown(w->to, owner->uid, owner->gid) != 0) {
        return err_os(err, errno, "set the owner of", w->file->to);
    }
    /* 0600 is nearly every file of a cluster, and no umask takes anything from it. */
    if ((mode != 0600 || w->rules->over == COPY_RECHECK) && fchmod(w->to, mode) != 0) {
        return err_os(err, errno, "set the mode of", w->file->to);
    }
    return true;
}

static bool tell(const struct work *w, uint64_t bytes, struct err *err)
{
    return !w->file->wrote || bytes == 0 || w->file->wrote(w->file->ctx, bytes, err);
}

static bool copy_bytes(struct work *w, struct err *err)
{
    const struct copy_file *f = w->file;
    uint64_t at = 0, started = 0;
    uint8_t sum[DIGEST_MAX];
    uint8_t buf[BUFFER];
    struct digest d;

    if (!digest_init(&d, f->kind, err)) {
        return false;
    }
    for (;;) {
        size_t n;

        if (!fd_read_full(w->from, buf, sizeof buf, &n, f->from, err)) {
            return false;
        }
        digest_feed(&d, buf, n);
        if (n && (!fd_write_all(w->to, buf, n, f->to, err) || !tell(w, n, err))) {
            return false;
        }
        at += n;
        sync_wrote(w->rules->sync, w->to, at, &started);
        if (n < sizeof buf) {
            break;
        }
    }
    if (f->sized && at != f->size) {
        return wrong_size(f, at, err);
    }
    digest_end(&d, sum);
    return f->kind == DIGEST_NONE || memcmp(sum, f->sum, digest_size(f->kind)) == 0 ||
           wrong_sum(f, sum, err);
}

/* Nothing is summed up, so the bytes need not pass through here. */
static bool copy_in_kernel(struct work *w, struct err *err)
{
    uint64_t left = (uint64_t)w->st.st_size, at = 0, started = 0;

    while (left > 0) {
        int64_t n = sys_copy_range(w->from, w->to, left < SYNC_CHUNK ? left : SYNC_CHUNK);

        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0 && at == 0 &&
            (errno == EXDEV || errno == EINVAL || errno == ENOSYS || errno == EOPNOTSUPP)) {
            return copy_bytes(w, err);
        }
        if (n < 0) {
            return err_os(err, errno, "write", w->file->to);
        }
        if (n == 0) {
            break; /* the source became shorter: an unlisted file, nothing promised */
        }
        at += (uint64_t)n;
        left -= (uint64_t)n;
        sync_wrote(w->rules->sync, w->to, at, &started);
        if (!tell(w, (uint64_t)n, err)) {
            return false;
        }
    }
    return true;
}

static bool copy_contents(struct work *w, struct err *err)
{
    if (w->rules->way == COPY_CLONE && w->st.st_size > 0 && sys_clone(w->from, w->to) == 0) {
        return check_sum(w->to, w->file, err);
    }
    return w->file->kind == DIGEST_NONE ? copy_in_kernel(w, err) : copy_bytes(w, err);
}

bool copy_file(const struct copy_rules *rules, const struct copy_file *file, uint64_t *bytes,
               struct err *err)
{
    struct work w = {.rules = rules, .file = file, .from = -1, .to = -1};
    bool there = false;
    bool ok = open_source(&w, err);

    if (ok && rules->over == COPY_RECHECK) {
        ok = is_there(&w, &there, err);
    }
    if (ok && !there) {
        ok = open_target(&w, err) && copy_contents(&w, err) &&
             sync_file(rules->sync, w.to, file->to, err);
    }
    if (w.to >= 0 && close(w.to) != 0 && ok) {
        ok = err_os(err, errno, "write", file->to);
    }
    if (w.from >= 0) {
        close(w.from);
    }
    *bytes = ok ? (uint64_t)w.st.st_size : 0;
    return ok;
}

bool copy_check(const struct copy_file *file, struct err *err)
{
    struct work w = {.file = file, .from = -1};
    bool ok = open_source(&w, err) && check_sum(w.from, file, err);

    if (w.from >= 0) {
        close(w.from);
    }
    return ok;
}

enum copy_way copy_way_between(const char *sample, const char *to_dir)
{
    char path[PATH_CAP];
    enum copy_way way = COPY_BYTES;
    int from, to;

    if (!str_fmt(path, sizeof path, "%s/.barkeep-clone", to_dir)) {
        return way;
    }
    from = open(sample, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    to = open(path, O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (from >= 0 && to >= 0 && sys_clone(from, to) == 0) {
        way = COPY_CLONE;
    }
    if (to >= 0) {
        close(to);
        unlink(path);
    }
    if (from >= 0) {
        close(from);
    }
    return way;
}

bool copy_dir(const char *path, mode_t mode, const struct copy_owner *owner, struct err *err)
{
    struct stat st;

    if (mkdir(path, 0700) != 0 && errno != EEXIST) {
        return err_os(err, errno, "create the directory", path);
    }
    if (lstat(path, &st) != 0) {
        return err_os(err, errno, "look at", path);
    }
    if (!S_ISDIR(st.st_mode)) {
        return err_set(err, ERR_UNSAFE, "", path, "not a directory");
    }
    if (owner->change && chown(path, owner->uid, owner->gid) != 0) {
        return err_os(err, errno, "set the owner of", path);
    }
    if ((st.st_mode & MODE_MASK) != mode && chmod(path, mode) != 0) {
        return err_os(err, errno, "set the mode of", path);
    }
    return true;
}
