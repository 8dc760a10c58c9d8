/* SPDX-License-Identifier: PostgreSQL */
#include "lock.h"

#include "base/log.h"
#include "mount.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

/* A lock file that another process keeps removing is looked up this often before we give up. */
#define LOCK_TURNS 100

bool lock_path(const struct repo *r, const char *name, char out[PATH_CAP], struct err *err)
{
    if (!str_fmt(out, PATH_CAP, "%s/.%s-%s.lock", r->lock_dir, r->server, name)) {
        return err_set(err, ERR_FORMAT, "Use a shorter directory.", r->lock_dir,
                       "path is too long");
    }
    return true;
}

/* Only of a file that is ours: where others can make files, they could name any process of ours, and
 * have it stopped. */
static pid_t pid_in(int fd)
{
    char text[32];
    uint64_t pid;
    ssize_t n = pread(fd, text, sizeof text, 0);
    struct str line = str_n(text, n > 0 ? (size_t)n : 0);
    struct stat st;
    struct str first;

    if (fstat(fd, &st) != 0 || st.st_uid != geteuid()) {
        return 0;
    }
    if (!str_line(&line, &first) || !str_u64(str_trim(first), INT32_MAX, &pid)) {
        return 0;
    }
    return (pid_t)pid;
}

/* Is the file that is open the one that bears the name now? */
static bool same_file(int fd, const char *path)
{
    struct stat open_one, named;

    return fstat(fd, &open_one) == 0 && stat(path, &named) == 0 &&
           open_one.st_dev == named.st_dev && open_one.st_ino == named.st_ino;
}

static bool busy(int fd, const char *path, struct err *err)
{
    pid_t pid = pid_in(fd);

    if (pid) {
        return err_set(err, ERR_BUSY, "Wait until it has ended.", path, "held by process %ld",
                       (long)pid);
    }
    return err_set(err, ERR_BUSY, "Wait until it has ended.", path, "held by another process");
}

static bool flock_file(int fd, const char *path, int how, struct err *err)
{
    while (flock(fd, how) != 0) {
        if (errno == EWOULDBLOCK) {
            return busy(fd, path, err);
        }
        if (errno != EINTR) {
            return err_os(err, errno, "lock", path);
        }
    }
    return true;
}

/* The pid is for people and for Barman; the lock holds whether it could be written or not (on a
 * full disk, say). */
static void write_pid(int fd, const char *path)
{
    char text[32];
    struct err err = {0};

    str_fmt(text, sizeof text, "%ld\n", (long)getpid());
    if (ftruncate(fd, 0) != 0 || !fd_pwrite_all(fd, text, strlen(text), 0, path, &err)) {
        log_line(LOG_WARNING, "cannot write the pid into lock '%s'", path);
    }
}

/* how: as flock() takes it. */
static bool take(struct lock *lock, int how, struct err *err)
{
    for (int turn = 0; turn < LOCK_TURNS; turn++) {
        int fd = open(lock->path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

        if (fd < 0) {
            return err_os(err, errno, "open the lock file", lock->path);
        }
        if (!flock_file(fd, lock->path, how, err)) {
            close(fd);
            return false;
        }
        if (same_file(fd, lock->path)) {
            if (how & LOCK_EX) {
                write_pid(fd, lock->path);
            }
            lock->fd = fd;
            return true;
        }
        close(fd);
    }
    return err_set(err, ERR_IO, "See what keeps removing lock files there.", lock->path,
                   "the file vanished %d times while it was being locked", LOCK_TURNS);
}

bool lock_take_file(struct lock *lock, const char *dir, const char *file, enum lock_wait wait,
                    struct err *err)
{
    *lock = LOCK_INIT;
    return dir_make(dir, err) && path_join(lock->path, dir, file, err) &&
           take(lock, wait == LOCK_TRY ? LOCK_EX | LOCK_NB : LOCK_EX, err);
}

/* Where no lock file can be made nobody makes one to delete what it guards. One that is there may
 * be another host's. */
static bool take_read_only(struct lock *lock, struct err *err)
{
    int fd = open(lock->path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);

    if (fd < 0) {
        return errno == ENOENT || err_os(err, errno, "open the lock file", lock->path);
    }
    if (!flock_file(fd, lock->path, LOCK_SH | LOCK_NB, err)) {
        close(fd);
        return false;
    }
    lock->fd = fd;
    return true;
}

bool lock_take_shared(struct lock *lock, const struct repo *r, const char *name,
                      struct err *err)
{
    struct err why = {0};

    *lock = LOCK_INIT;
    if (dir_make(r->lock_dir, &why) && lock_path(r, name, lock->path, &why) &&
        take(lock, LOCK_SH | LOCK_NB, &why)) {
        return true;
    }
    if (why.os == EROFS) {
        return take_read_only(lock, err);
    }
    *err = why;
    return false;
}

bool lock_take(struct lock *lock, const struct repo *r, const char *name, enum lock_wait wait,
               struct err *err)
{
    char path[PATH_CAP];

    *lock = LOCK_INIT;
    return repo_mounted(r, err) && lock_path(r, name, path, err) &&
           lock_take_file(lock, r->lock_dir, path_base(path), wait, err);
}

void lock_release(struct lock *lock)
{
    if (lock->fd >= 0) {
        close(lock->fd);
        lock->fd = -1;
    }
}

void lock_release_remove(struct lock *lock)
{
    if (lock->fd >= 0) {
        unlink(lock->path);
        lock_release(lock);
    }
}

bool lock_is_held(const struct repo *r, const char *name, pid_t *holder)
{
    char path[PATH_CAP];
    struct err ignored;
    bool held = false;
    int fd;

    if (holder) {
        *holder = 0;
    }
    if (!lock_path(r, name, path, &ignored)) {
        return false;
    }
    fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0) {
        return false;
    }
    /* A shared lock is enough to see an exclusive one, and two who look do not see each other.
     */
    if (flock(fd, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK) {
        held = true;
        if (holder) {
            *holder = pid_in(fd);
        }
    }
    close(fd);
    return held;
}

static void clean_one(const char *path)
{
    int fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);

    if (fd < 0) {
        return;
    }
    if (flock(fd, LOCK_EX | LOCK_NB) == 0 && same_file(fd, path)) {
        unlink(path);
    }
    close(fd);
}

bool lock_clean_up(const char *dir, struct err *err)
{
    struct arena a;
    struct names list;
    bool ok;

    arena_init(&a, 0);
    ok = dir_names(&a, dir, DIR_MAY_MISS, &list, err);
    for (size_t i = 0; ok && i < list.n; i++) {
        char path[PATH_CAP];

        if (list.name[i][0] != '.' || !str_ends(str_of(list.name[i]), ".lock")) {
            continue;
        }
        ok = path_join(path, dir, list.name[i], err);
        if (ok) {
            clean_one(path);
        }
    }
    arena_release(&a);
    return ok;
}
