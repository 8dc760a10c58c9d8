/* SPDX-License-Identifier: PostgreSQL */
/* fault.c - a shim that breaks a program at a chosen file operation (LD_PRELOAD).
 *
 * BARKEEP_FAULT=CALL:NTH:ACTION[:PATH-PART]
 *     CALL    write (write, pwrite, writev, pwritev), copy_file_range, fsync, fdatasync,
 *             syncfs, rename, link, symlink, unlink, rmdir, mkdir, ftruncate, fallocate,
 *             open (for writing or creating), or "any" of these; openr (for reading), close
 *     NTH     the 1st, 2nd ... such call of the process; "3+": that one and all later ones
 *     ACTION  kill (SIGKILL before it happens), torn (half of a write happens, then SIGKILL),
 *             short (half of a write happens), stall (7 s pass first), or ENOSPC EIO EMFILE
 *             EACCES EINTR EROFS EDQUOT
 *     PATH-PART  only calls whose path contains it are counted
 *
 * BARKEEP_FAULT_LOG=FILE  a line "any CALL PATH" for every call that "any" would count,
 *     "- CALL PATH" for openr and close: run once, count, then break each one in turn.
 *
 * BARKEEP_POWERCUT=FILE  a journal of what is not yet safe, for powercut_apply, which takes it
 *     back as a power cut may: data without fsync, fdatasync or syncfs, names (created,
 *     renamed, removed) whose directory was not synced. Files that a rename or unlink would
 *     destroy are kept as hard links in FILE.d, which must lie on their file system. Lines,
 *     fields separated by tabs, written before the call so that a kill never loses one:
 *         W ino from to path    C ino path    R ino old new kept    U ino path kept
 *         B seq what dev ino    a sync began
 *         E seq                 it succeeded: what came before B is safe
 *
 * Counted are only paths of real files: no descriptor of a pipe, socket or terminal, nothing in
 * /proc, /sys and /dev (but in /dev/shm). Not seen: stdio, which calls the kernel from inside
 * the C library, and mappings. Everything goes straight to the kernel by syscall(), so nothing here can recurse.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#define EXPORT __attribute__((visibility("default")))

static struct {
    char call[32], action[16], part[256];
    unsigned long nth;
    bool and_later, set;
    const char *log, *journal;
} cfg;
static _Atomic unsigned long count, seq, kept_no;

/* BARKEEP_FAULT is ours and written by hand: a wrong one must not look like a passed test. */
__attribute__((constructor)) static void fault_setup(void)
{
    const char *spec = getenv("BARKEEP_FAULT");
    char nth[24] = "", *end = nth;

    cfg.log = getenv("BARKEEP_FAULT_LOG");
    cfg.journal = getenv("BARKEEP_POWERCUT");
    if (!spec || !*spec) {
        return;
    }
    if (sscanf(spec, "%31[^:]:%23[^:]:%15[^:]:%255s", cfg.call, nth, cfg.action, cfg.part) <
            3 ||
        (cfg.nth = strtoul(nth, &end, 10)) == 0 || (*end && strcmp(end, "+") != 0)) {
        dprintf(2, "fault: cannot read BARKEEP_FAULT '%s'\n", spec);
        _exit(99);
    }
    cfg.and_later = *end == '+';
    cfg.set = true;
}

static void append(const char *file, const char *fmt, ...)
{
    char line[3 * PATH_MAX];
    int saved = errno;
    va_list ap;

    va_start(ap, fmt);
    int n = vsnprintf(line, sizeof line, fmt, ap);
    va_end(ap);
    int fd = (int)syscall(SYS_openat, AT_FDCWD, file, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC,
                          0666);
    if (fd < 0 || n < 0 || syscall(SYS_write, fd, line, (size_t)n) != n) {
        dprintf(2, "fault: cannot write '%s'\n", file);
        _exit(99);
    }
    syscall(SYS_close, fd);
    errno = saved;
}

/* The absolute path of (dirfd, path), or of fd when path is NULL. False: not a real file. */
static bool path_of(int fd, const char *path, char out[2 * PATH_MAX])
{
    char link[40], dir[PATH_MAX] = "";
    int saved = errno;

    if (!path || path[0] != '/') {
        snprintf(link, sizeof link, fd == AT_FDCWD ? "/proc/self/cwd" : "/proc/self/fd/%d", fd);
        ssize_t n = readlink(link, dir, sizeof dir - 1);
        dir[n > 0 ? n : 0] = '\0';
    }
    snprintf(out, 2 * PATH_MAX, "%s%s%s", dir, *dir && path ? "/" : "", path ? path : "");
    errno = saved;
    return out[0] == '/' && strncmp(out, "/proc/", 6) != 0 &&
           (strncmp(out, "/dev/", 5) != 0 || strncmp(out, "/dev/shm/", 9) == 0) &&
           strncmp(out, "/sys/", 5) != 0 && !(cfg.log && strcmp(out, cfg.log) == 0);
}

enum verdict { GO, SHORT, TORN, FAILED };

static enum verdict act(void)
{
    static const struct {
        const char *name;
        int os;
    } errors[] = {{"ENOSPC", ENOSPC}, {"EIO", EIO},     {"EMFILE", EMFILE}, {"EACCES", EACCES},
                  {"EINTR", EINTR},   {"EROFS", EROFS}, {"EDQUOT", EDQUOT}};

    if (strcmp(cfg.action, "short") == 0) {
        return SHORT;
    }
    if (strcmp(cfg.action, "torn") == 0) {
        return TORN;
    }
    if (strcmp(cfg.action, "stall") == 0) {
        syscall(SYS_nanosleep, &(struct timespec){.tv_sec = 7}, NULL);
        return GO;
    }
    if (strcmp(cfg.action, "kill") == 0) {
        kill(getpid(), SIGKILL);
    }
    for (size_t i = 0; i < sizeof errors / sizeof errors[0]; i++) {
        if (strcmp(cfg.action, errors[i].name) == 0) {
            errno = errors[i].os;
            return FAILED;
        }
    }
    dprintf(2, "fault: unknown action '%s'\n", cfg.action);
    _exit(99);
}

/* Is this the kind of call that BARKEEP_FAULT counts? */
static bool meant(const char *call, bool any, const char *where)
{
    return cfg.set && strstr(where, cfg.part) &&
           (strcmp(cfg.call, call) == 0 || (any && strcmp(cfg.call, "any") == 0));
}

static enum verdict fault(const char *call, int fd, const char *path, char where[2 * PATH_MAX])
{
    bool any = strcmp(call, "openr") != 0 && strcmp(call, "close") != 0;

    if ((!cfg.set && !cfg.log && !cfg.journal) || !path_of(fd, path, where)) {
        where[0] = '\0';
        return GO;
    }
    if (cfg.log) {
        append(cfg.log, "%s %s %s\n", any ? "any" : "-", call, where);
    }
    if (!meant(call, any, where)) {
        return GO;
    }
    unsigned long mine = atomic_fetch_add(&count, 1) + 1;
    return mine == cfg.nth || (cfg.and_later && mine > cfg.nth) ? act() : GO;
}

/* ---- the journal ---- */

static bool journal_on(const char *where)
{
    return cfg.journal && where[0] && strncmp(where, cfg.journal, strlen(cfg.journal)) != 0;
}

static void journal_write(int fd, off_t at, size_t n, const char *where)
{
    struct stat st;
    int flags = (int)syscall(SYS_fcntl, fd, F_GETFL);

    if (!journal_on(where) || fstat(fd, &st) != 0 || (flags & O_DSYNC)) {
        return;
    }
    if (at < 0) {
        at = flags & O_APPEND ? st.st_size : lseek(fd, 0, SEEK_CUR);
    }
    append(cfg.journal, "W\t%lu\t%lld\t%lld\t%s\n", st.st_ino, (long long)at,
           (long long)at + (long long)n, where);
}

/* A hard link that keeps what a rename or unlink is about to destroy. */
static void keep(const char *where, char kept[PATH_MAX])
{
    struct stat st;

    kept[0] = '\0';
    if (lstat(where, &st) == 0 && !S_ISDIR(st.st_mode)) {
        snprintf(kept, PATH_MAX, "%s.d", cfg.journal);
        syscall(SYS_mkdirat, AT_FDCWD, kept, 0777);
        snprintf(kept, PATH_MAX, "%s.d/%d.%lu", cfg.journal, (int)getpid(),
                 atomic_fetch_add(&kept_no, 1));
        if (syscall(SYS_linkat, AT_FDCWD, where, AT_FDCWD, kept, 0) != 0) {
            dprintf(2, "fault: cannot keep '%s' for the power cut\n", where);
            _exit(99);
        }
    }
}

static unsigned long inode(const char *where)
{
    struct stat st;

    return lstat(where, &st) == 0 ? st.st_ino : 0;
}

static unsigned long parent_inode(const char *where)
{
    char dir[2 * PATH_MAX];

    snprintf(dir, sizeof dir, "%s", where);
    *strrchr(dir, '/') = '\0';
    return inode(*dir ? dir : "/");
}

static void journal_gone(const char *where)
{
    char kept[PATH_MAX];

    if (journal_on(where) && inode(where)) {
        keep(where, kept);
        append(cfg.journal, "U\t%lu\t%lu\t%s\t%s\n", inode(where), parent_inode(where), where,
               kept);
    }
}

static int synced(const char *call, long nr, int fd)
{
    char where[2 * PATH_MAX];
    struct stat st;
    unsigned long mine = 0;

    if (fault(call, fd, NULL, where) != GO) {
        return -1;
    }
    if (journal_on(where) && fstat(fd, &st) == 0) {
        mine = atomic_fetch_add(&seq, 1) + 1;
        append(cfg.journal, "B\t%d.%lu\t%s\t%lu\t%s\n", (int)getpid(), mine, call, st.st_ino,
               where);
    }
    int rc = (int)syscall(nr, fd);
    if (rc == 0 && mine) {
        append(cfg.journal, "E\t%d.%lu\n", (int)getpid(), mine);
    }
    return rc;
}

/* ---- the calls ---- */

EXPORT int fsync(int fd)
{
    return synced("fsync", SYS_fsync, fd);
}

EXPORT int fdatasync(int fd)
{
    return synced("fdatasync", SYS_fdatasync, fd);
}

EXPORT int syncfs(int fd)
{
    return synced("syncfs", SYS_syncfs, fd);
}

/* One write in its simplest form; short and torn do half of it (at least a byte). */
static ssize_t write_at(int fd, const struct iovec *iov, int n, off_t at)
{
    char where[2 * PATH_MAX];
    size_t all = 0;
    enum verdict v = fault("write", fd, NULL, where);

    if (v == FAILED) {
        return -1;
    }
    for (int i = 0; i < n; i++) {
        all += iov[i].iov_len;
    }
    journal_write(fd, at, all, where);
    if (v == GO) {
        return at < 0 ? syscall(SYS_writev, fd, iov, n)
                      : syscall(SYS_pwritev, fd, iov, n, at, 0L);
    }
    size_t half = (iov[0].iov_len + 1) / 2;
    ssize_t rc = at < 0 ? syscall(SYS_write, fd, iov[0].iov_base, half)
                        : syscall(SYS_pwrite64, fd, iov[0].iov_base, half, at);
    if (v == TORN) {
        kill(getpid(), SIGKILL);
    }
    return rc;
}

EXPORT ssize_t write(int fd, const void *buf, size_t n)
{
    return write_at(fd, &(struct iovec){(void *)(uintptr_t)buf, n}, 1, -1);
}

EXPORT ssize_t pwrite(int fd, const void *buf, size_t n, off_t at)
{
    return write_at(fd, &(struct iovec){(void *)(uintptr_t)buf, n}, 1, at);
}

EXPORT ssize_t writev(int fd, const struct iovec *iov, int n)
{
    return write_at(fd, iov, n, -1);
}

EXPORT ssize_t pwritev(int fd, const struct iovec *iov, int n, off_t at)
{
    return write_at(fd, iov, n, at);
}

EXPORT ssize_t copy_file_range(int in, off_t *from, int fd, off_t *at, size_t n, unsigned flags)
{
    char where[2 * PATH_MAX];
    enum verdict v = fault("copy_file_range", fd, NULL, where);

    if (v == FAILED) {
        return -1;
    }
    journal_write(fd, at ? *at : -1, n, where);
    return syscall(SYS_copy_file_range, in, from, fd, at, v == GO ? n : (n + 1) / 2, flags);
}

static int open_at(int dir, const char *path, int flags, mode_t mode)
{
    char where[2 * PATH_MAX];
    bool writes = (flags & O_ACCMODE) != O_RDONLY || (flags & O_CREAT);

    if (fault(writes ? "open" : "openr", dir, path, where) != GO) {
        return -1;
    }
    bool makes = (flags & O_CREAT) && journal_on(where) && !inode(where);
    int fd = (int)syscall(SYS_openat, dir, path, flags | O_LARGEFILE, mode);
    if (fd >= 0 && makes) {
        append(cfg.journal, "C\t%lu\t%lu\t%s\n", inode(where), parent_inode(where), where);
    }
    return fd;
}

#define OPENS(name, first, ...)                                                                \
    EXPORT int name(first const char *path, int flags, ...)                                    \
    {                                                                                          \
        mode_t mode = 0;                                                                       \
        if (flags & (O_CREAT | (O_TMPFILE & ~O_DIRECTORY))) {                                  \
            va_list ap;                                                                        \
            va_start(ap, flags);                                                               \
            mode = va_arg(ap, mode_t);                                                         \
            va_end(ap);                                                                        \
        }                                                                                      \
        return open_at(__VA_ARGS__, path, flags, mode);                                        \
    }
#define DIR_ARG int dir,
OPENS(open, , AT_FDCWD)
OPENS(open64, , AT_FDCWD)
OPENS(openat, DIR_ARG, dir)
OPENS(openat64, DIR_ARG, dir)

#define OPENS_2(name, first, ...)                                                              \
    EXPORT int name(first const char *path, int flags);                                        \
    EXPORT int name(first const char *path, int flags)                                         \
    {                                                                                          \
        return open_at(__VA_ARGS__, path, flags, 0);                                           \
    }
OPENS_2(__open_2, , AT_FDCWD)
OPENS_2(__open64_2, , AT_FDCWD)
OPENS_2(__openat_2, DIR_ARG, dir)
OPENS_2(__openat64_2, DIR_ARG, dir)

EXPORT int close(int fd)
{
    char where[2 * PATH_MAX];

    return fault("close", fd, NULL, where) == GO ? (int)syscall(SYS_close, fd) : -1;
}

/* Data that a cut leaves out has no part that must survive: nothing to write down. */
EXPORT int ftruncate(int fd, off_t size)
{
    char where[2 * PATH_MAX];

    return fault("ftruncate", fd, NULL, where) == GO ? (int)syscall(SYS_ftruncate, fd, size)
                                                     : -1;
}

EXPORT int fallocate(int fd, int mode, off_t at, off_t n)
{
    char where[2 * PATH_MAX];

    return fault("fallocate", fd, NULL, where) == GO
               ? (int)syscall(SYS_fallocate, fd, mode, at, n)
               : -1;
}

EXPORT int posix_fallocate(int fd, off_t at, off_t n)
{
    return fallocate(fd, 0, at, n) == 0 ? 0 : errno;
}

EXPORT int renameat2(int from, const char *old, int to, const char *new, unsigned flags)
{
    char where[2 * PATH_MAX], target[2 * PATH_MAX], kept[PATH_MAX] = "";

    path_of(to, new, target);
    if (fault("rename", from, old, where) != GO) {
        return -1;
    }
    if (journal_on(where) && inode(where)) {
        if (inode(target) && !(flags & RENAME_NOREPLACE)) {
            keep(target, kept);
        }
        append(cfg.journal, "R\t%lu\t%lu\t%s\t%s\t%s\n", inode(where), parent_inode(target),
               where, target, kept);
    }
    return (int)syscall(SYS_renameat2, from, old, to, new, flags);
}

EXPORT int renameat(int from, const char *old, int to, const char *new)
{
    return renameat2(from, old, to, new, 0);
}

EXPORT int rename(const char *old, const char *new)
{
    return renameat2(AT_FDCWD, old, AT_FDCWD, new, 0);
}

EXPORT int unlinkat(int dir, const char *path, int flags)
{
    char where[2 * PATH_MAX];

    if (fault(flags & AT_REMOVEDIR ? "rmdir" : "unlink", dir, path, where) != GO) {
        return -1;
    }
    if (!(flags & AT_REMOVEDIR)) {
        journal_gone(where);
    }
    return (int)syscall(SYS_unlinkat, dir, path, flags);
}

EXPORT int unlink(const char *path)
{
    return unlinkat(AT_FDCWD, path, 0);
}

EXPORT int rmdir(const char *path)
{
    return unlinkat(AT_FDCWD, path, AT_REMOVEDIR);
}

/* What makes a name: 0 and the new name is journalled, as open_at() does for files. */
static int made(int rc, const char *where)
{
    if (rc == 0 && journal_on(where)) {
        append(cfg.journal, "C\t%lu\t%lu\t%s\n", inode(where), parent_inode(where), where);
    }
    return rc;
}

EXPORT int mkdirat(int dir, const char *path, mode_t mode)
{
    char where[2 * PATH_MAX];

    return fault("mkdir", dir, path, where) == GO
               ? made((int)syscall(SYS_mkdirat, dir, path, mode), where)
               : -1;
}

EXPORT int mkdir(const char *path, mode_t mode)
{
    return mkdirat(AT_FDCWD, path, mode);
}

EXPORT int symlinkat(const char *text, int dir, const char *path)
{
    char where[2 * PATH_MAX];

    return fault("symlink", dir, path, where) == GO
               ? made((int)syscall(SYS_symlinkat, text, dir, path), where)
               : -1;
}

EXPORT int symlink(const char *text, const char *path)
{
    return symlinkat(text, AT_FDCWD, path);
}

EXPORT int linkat(int from, const char *old, int to, const char *new, int flags)
{
    char where[2 * PATH_MAX];

    return fault("link", to, new, where) == GO
               ? made((int)syscall(SYS_linkat, from, old, to, new, flags), where)
               : -1;
}

EXPORT int link(const char *old, const char *new)
{
    return linkat(AT_FDCWD, old, AT_FDCWD, new, 0);
}

#define SAME_AS(name) EXPORT __attribute__((alias(name)))
SAME_AS("pwrite") ssize_t pwrite64(int fd, const void *buf, size_t n, off64_t at);
SAME_AS("pwritev") ssize_t pwritev64(int fd, const struct iovec *iov, int n, off64_t at);
SAME_AS("ftruncate") int ftruncate64(int fd, off64_t size);
SAME_AS("fallocate") int fallocate64(int fd, int mode, off64_t at, off64_t n);
SAME_AS("posix_fallocate") int posix_fallocate64(int fd, off64_t at, off64_t n);
