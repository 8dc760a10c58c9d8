/* SPDX-License-Identifier: PostgreSQL */
#include "job_dir.h"

#include "base/clock.h"
#include "job.h"
#include "repo/mount.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define LIST_MEMORY (32 * 1024 * 1024)

bool job_root(const char *home, char out[PATH_CAP], struct err *err)
{
    return path_join(out, home, ".barkeep/jobs", err);
}

bool job_path(const char *home, uint32_t number, char out[PATH_CAP], struct err *err)
{
    char root[PATH_CAP], name[16];

    str_fmt(name, sizeof name, "%lu", (unsigned long)number);
    return job_root(home, root, err) && path_join(out, root, name, err);
}

static int by_number(const void *a, const void *b)
{
    const uint32_t *x = a, *y = b;

    return (*x > *y) - (*x < *y);
}

bool job_numbers(struct arena *a, const char *home, uint32_t **out, size_t *n, struct err *err)
{
    char root[PATH_CAP];
    struct names names;
    uint64_t v;

    *n = 0;
    if (!job_root(home, root, err) || !dir_names(a, root, DIR_MAY_MISS, &names, err)) {
        return false;
    }
    *out = ARENA_ARRAY(a, names.n + 1, uint32_t);
    if (!*out) {
        return arena_err(a, err);
    }
    for (size_t i = 0; i < names.n; i++) {
        if (names.name[i][0] != '0' && str_u64(str_of(names.name[i]), UINT32_MAX, &v)) {
            (*out)[(*n)++] = (uint32_t)v;
        }
    }
    if (*n) {
        qsort(*out, *n, sizeof **out, by_number);
    }
    return true;
}

static bool make_dir(const char *path, struct err *err)
{
    if (mkdir(path, 0700) != 0 && errno != EEXIST) {
        return err_os(err, errno, "make the directory", path);
    }
    return true;
}

/* Not mkdir -p: a home that is not there is not made, since a disk may only not be mounted. */
static bool make_root(const char *home, struct err *err)
{
    char path[PATH_CAP];

    return place_mounted(home, err) && path_join(path, home, ".barkeep", err) &&
           make_dir(path, err) && job_root(home, path, err) && make_dir(path, err);
}

static bool next_number(const char *home, uint32_t *number, struct err *err)
{
    uint32_t *taken;
    struct arena a;
    bool ok;
    size_t n;

    arena_init(&a, LIST_MEMORY);
    ok = job_numbers(&a, home, &taken, &n, err);
    if (ok) {
        *number = n ? taken[n - 1] : 0;
    }
    arena_release(&a);
    return ok;
}

bool job_allocate(const char *home, uint32_t *number, struct err *err)
{
    char path[PATH_CAP];
    uint32_t n = 0;

    if (!make_root(home, err) || !next_number(home, &n, err)) {
        return false;
    }
    for (;;) {
        if (n == UINT32_MAX) {
            return err_set(err, ERR_IO, "Remove old directories there.", home,
                           "all job numbers are used up");
        }
        if (!job_path(home, ++n, path, err)) {
            return false;
        }
        if (mkdir(path, 0700) == 0) {
            *number = n;
            return true;
        }
        if (errno != EEXIST) {
            return err_os(err, errno, "make the directory", path);
        }
    }
}

static bool make_file(const struct job_dir *d, const char *name, int flags, int *fd,
                      struct err *err)
{
    char path[PATH_CAP];

    if (!path_join(path, d->path, name, err)) {
        return false;
    }
    *fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW | flags, 0600);
    return *fd >= 0 ? true : err_os(err, errno, "create", path);
}

static bool write_plan(const struct job_dir *d, const char *plan, struct err *err)
{
    int fd;
    bool ok;

    if (!plan || !plan[0]) {
        return true;
    }
    if (!make_file(d, "plan", O_TRUNC, &fd, err)) {
        return false;
    }
    ok = fd_write_all(fd, plan, str_of(plan).n, d->path, err) && fd_sync(fd, d->path, err);
    close(fd);
    return ok;
}

static bool take_lock(struct job_dir *d, struct err *err)
{
    char pid[32];

    if (!make_file(d, "lock", 0, &d->lock_fd, err)) {
        return false;
    }
    if (flock(d->lock_fd, LOCK_EX) != 0) {
        return err_os(err, errno, "lock", d->path);
    }
    str_fmt(pid, sizeof pid, "%ld\n", (long)getpid());
    return fd_write_all(d->lock_fd, pid, str_of(pid).n, d->path, err);
}

static bool open_files(struct job_dir *d, const char *plan, struct err *err)
{
    d->fd = open(d->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (d->fd < 0) {
        return err_os(err, errno, "open the directory", d->path);
    }
    return journal_open(&d->journal, d->path, err) && take_lock(d, err) &&
           write_plan(d, plan, err) && make_file(d, "log", O_APPEND, &d->log_fd, err) &&
           fd_sync(d->fd, d->path, err);
}

bool job_dir_open(struct job_dir *d, const char *home, uint32_t number, const char *plan,
                  struct err *err)
{
    char root[PATH_CAP];

    *d = (struct job_dir){.number = number, .fd = -1, .lock_fd = -1, .log_fd = -1};
    d->journal.fd = -1;
    if (!make_root(home, err) || !job_root(home, root, err) ||
        (!number && !job_allocate(home, &d->number, err)) ||
        !job_path(home, d->number, d->path, err) || !make_dir(d->path, err)) {
        return false;
    }
    if (!open_files(d, plan, err) || !dir_sync(root, err)) {
        struct err unheard;

        job_dir_release(d);
        if (!number) { /* our own, and nothing was told yet: as if it had never been */
            (void)!tree_remove(d->path, &unheard);
        }
        return false;
    }
    return true;
}

void job_dir_release(struct job_dir *d)
{
    journal_release(&d->journal);
    if (d->log_fd >= 0) {
        close(d->log_fd);
    }
    if (d->lock_fd >= 0) {
        close(d->lock_fd);
    }
    if (d->fd >= 0) {
        close(d->fd);
    }
    d->fd = d->lock_fd = d->log_fd = -1;
}

/* Best effort: what must not be lost is in the journal. */
void job_dir_log(struct job_dir *d, const char *kind, const char *line)
{
    char text[JOURNAL_LINE_CAP], now[STAMP_CAP];
    struct sbuf b;
    struct err unheard;

    sbuf_init(&b, text, sizeof text - 1);
    sbuf_fmt(&b, "%s %s %s", stamp_iso(stamp_local(clock_wall_ns() / 1000), now), kind, line);
    text[b.len++] = '\n';
    if (d->log_used + b.len > JOB_LOG_MAX) {
        return;
    }
    if (fd_write_all(d->log_fd, text, b.len, "log", &unheard)) {
        d->log_used += b.len;
    }
}

bool job_locked(const char *path)
{
    char file[PATH_CAP];
    struct err unheard;
    bool locked;
    int fd;

    if (!path_join(file, path, "lock", &unheard) || !file_open(file, &fd, &unheard)) {
        return false;
    }
    locked = flock(fd, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK;
    close(fd);
    return locked;
}

/* One that cannot be removed is told, and keeps none of the others. */
static bool prune(struct arena *a, const char *home, struct err *err)
{
    char path[PATH_CAP];
    uint32_t *n;
    size_t all, left;
    bool ok = true;

    if (!job_numbers(a, home, &n, &all, err)) {
        return false;
    }
    left = all;
    for (size_t i = 0; i < all && left > JOB_KEEP; i++) {
        if (!job_path(home, n[i], path, err)) {
            return false;
        }
        if (!job_locked(path)) {
            ok = tree_remove(path, err) && ok;
            left--;
        }
    }
    return ok;
}

bool job_prune(const char *home, struct err *err)
{
    struct arena a;
    bool ok;

    arena_init(&a, LIST_MEMORY);
    ok = prune(&a, home, err);
    arena_release(&a);
    return ok;
}
