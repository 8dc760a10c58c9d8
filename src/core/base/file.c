/* SPDX-License-Identifier: PostgreSQL */
#include "file.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

bool path_join(char out[PATH_CAP], const char *dir, const char *name, struct err *err)
{
    size_t n = strlen(dir);
    const char *slash = n && dir[n - 1] == '/' ? "" : "/";

    if (!str_fmt(out, PATH_CAP, "%s%s%s", dir, slash, name)) {
        return err_set(err, ERR_FORMAT, "Use a shorter directory.", dir,
                       "a path below it would be longer than %d bytes", PATH_CAP - 1);
    }
    return true;
}

const char *path_base(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash ? slash + 1 : path;
}

void path_dir(const char *path, char out[PATH_CAP])
{
    const char *slash = strrchr(path, '/');
    size_t n = slash ? (size_t)(slash - path) : 0;
    struct sbuf b;

    sbuf_init(&b, out, PATH_CAP);
    if (!slash) {
        sbuf_add(&b, ".");
    } else {
        sbuf_add_n(&b, path, n ? n : 1);
    }
}

bool path_is_below(struct str path)
{
    struct str rest = path, part;

    if (path.n == 0 || path.p[path.n - 1] == '/' || memchr(path.p, 0, path.n)) {
        return false;
    }
    while (str_split(&rest, '/', &part)) {
        if (part.n == 0 || str_eq(part, ".") || str_eq(part, "..")) {
            return false;
        }
    }
    return true;
}

bool fd_read_full(int fd, void *p, size_t n, size_t *got, const char *what, struct err *err)
{
    char *at = p;

    *got = 0;
    while (*got < n) {
        ssize_t r = read(fd, at + *got, n - *got);
        if (r < 0 && errno == EINTR) {
            continue;
        }
        if (r < 0) {
            return err_os(err, errno, "read", what);
        }
        if (r == 0) {
            break;
        }
        *got += (size_t)r;
    }
    return true;
}

static bool read_fd(struct arena *a, int fd, const char *path, size_t max, struct str *out,
                    struct err *err)
{
    struct stat st;
    size_t got;
    char *p;

    if (fstat(fd, &st) != 0) {
        return err_os(err, errno, "read", path);
    }
    if ((uint64_t)st.st_size > max) {
        return err_set(err, ERR_FORMAT, "Check that it is the file it should be.", path,
                       "has %lld bytes, at most %zu are expected", (long long)st.st_size, max);
    }
    p = arena_alloc(a, (size_t)st.st_size + 1);
    if (!p) {
        return arena_err(a, err);
    }
    if (!fd_read_full(fd, p, (size_t)st.st_size, &got, path, err)) {
        return false;
    }
    *out = str_n(p, got);
    return true;
}

bool file_open(const char *path, int *fd, struct err *err)
{
    struct stat st;

    *fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (*fd < 0) {
        int os = errno;
        err_os(err, os, "read", path);
        err->code = os == ENOENT || os == ENOTDIR ? ERR_MISSING : ERR_IO;
        return false;
    }
    if (fstat(*fd, &st) == 0 && S_ISREG(st.st_mode)) {
        return true;
    }
    close(*fd);
    *fd = -1;
    return err_set(err, ERR_FORMAT, "", path, "not a regular file");
}

bool file_read(struct arena *a, const char *path, size_t max, struct str *out, struct err *err)
{
    bool ok;
    int fd;

    if (!file_open(path, &fd, err)) {
        return false;
    }
    ok = read_fd(a, fd, path, max, out, err);
    close(fd);
    return ok;
}

bool fd_write_all(int fd, const void *p, size_t n, const char *what, struct err *err)
{
    const char *at = p;

    while (n) {
        ssize_t w = write(fd, at, n);
        if (w < 0 && errno == EINTR) {
            continue;
        }
        if (w < 0) {
            return err_os(err, errno, "write", what);
        }
        at += w;
        n -= (size_t)w;
    }
    return true;
}

bool fd_pwrite_all(int fd, const void *p, size_t n, off_t at, const char *what, struct err *err)
{
    const char *from = p;

    while (n) {
        ssize_t w = pwrite(fd, from, n, at);
        if (w < 0 && errno == EINTR) {
            continue;
        }
        if (w < 0) {
            return err_os(err, errno, "write", what);
        }
        from += w;
        at += w;
        n -= (size_t)w;
    }
    return true;
}

bool fd_hold_stdio(struct err *err)
{
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
        if (fcntl(fd, F_GETFD) >= 0 || errno != EBADF) {
            continue;
        }
        /* The lowest free number is this one. */
        if (open("/dev/null", fd == STDERR_FILENO ? O_WRONLY : O_RDONLY) != fd) {
            return err_os(err, errno, "open", "/dev/null");
        }
    }
    return true;
}

void file_rules(void)
{
    struct sigaction ignore = {.sa_handler = SIG_IGN};

    umask(S_IWGRP | S_IRWXO);
    sigaction(SIGXFSZ, &ignore, NULL);
}

bool fd_sync(int fd, const char *what, struct err *err)
{
    return fsync(fd) == 0 ? true : err_os(err, errno, "sync", what);
}

bool fd_datasync(int fd, const char *what, struct err *err)
{
    return fdatasync(fd) == 0 ? true : err_os(err, errno, "sync", what);
}

bool dir_sync(const char *path, struct err *err)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool ok;

    if (fd < 0) {
        return err_os(err, errno, "open the directory", path);
    }
    ok = fd_sync(fd, path, err);
    close(fd);
    return ok;
}

static bool sync_parent(const char *path, struct err *err)
{
    char dir[PATH_CAP];

    path_dir(path, dir);
    return dir_sync(dir, err);
}

bool dir_make(const char *path, struct err *err)
{
    char part[PATH_CAP];
    size_t n = strlen(path);

    if (n == 0 || n >= sizeof part) {
        return err_set(err, ERR_FORMAT, "", path, "not a usable directory name");
    }
    for (size_t i = 1; i <= n; i++) {
        if (path[i] != '/' && path[i] != '\0') {
            continue;
        }
        memcpy(part, path, i);
        part[i] = '\0';
        if (mkdir(part, 0700) == 0) {
            if (!sync_parent(part, err)) {
                return false;
            }
        } else if (errno != EEXIST) {
            return err_os(err, errno, "make the directory", part);
        }
    }
    if (file_kind(path, NULL) == FILE_REGULAR || file_kind(path, NULL) == FILE_OTHER) {
        return err_set(err, ERR_IO, "Move that file away.", path, "is not a directory");
    }
    return true;
}

bool file_rename(const char *from, const char *to, struct err *err)
{
    char a[PATH_CAP], b[PATH_CAP];

    if (rename(from, to) != 0) {
        return err_os(err, errno, "rename", from);
    }
    path_dir(from, a);
    path_dir(to, b);
    return dir_sync(b, err) && (strcmp(a, b) == 0 || dir_sync(a, err));
}

bool file_remove(const char *path, struct err *err)
{
    if (unlink(path) != 0) {
        return errno == ENOENT ? true : err_os(err, errno, "remove", path);
    }
    return sync_parent(path, err);
}

static bool write_new(const char *path, struct str bytes, bool is_synced, struct err *err)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    bool ok;

    if (fd < 0) {
        return err_os(err, errno, "create", path);
    }
    ok =
        fd_write_all(fd, bytes.p, bytes.n, path, err) && (!is_synced || fd_sync(fd, path, err));
    if (close(fd) != 0 && ok) {
        ok = err_os(err, errno, "close", path);
    }
    return ok;
}

static bool rename_soon(const char *from, const char *to, struct err *err)
{
    return rename(from, to) == 0 || err_os(err, errno, "rename", from);
}

static bool replace(const char *path, struct str bytes, bool is_synced, struct err *err)
{
    char tmp[PATH_CAP];

    if (!str_fmt(tmp, sizeof tmp, "%s.tmp", path)) {
        return err_set(err, ERR_FORMAT, "Use a shorter directory.", path, "name is too long");
    }
    if (!write_new(tmp, bytes, is_synced, err) ||
        !(is_synced ? file_rename : rename_soon)(tmp, path, err)) {
        unlink(tmp);
        return false;
    }
    return true;
}

bool file_replace(const char *path, struct str bytes, struct err *err)
{
    return replace(path, bytes, true, err);
}

static bool print(const char *path, size_t max, void (*put)(struct sbuf *b, const void *what),
                  const void *what, bool is_synced, struct err *err)
{
    struct arena a;
    struct sbuf b;
    char *mem;
    bool ok;

    arena_init(&a, 0);
    mem = arena_alloc(&a, max);
    if (!mem) {
        ok = arena_err(&a, err);
        arena_release(&a);
        return ok;
    }
    sbuf_init(&b, mem, max);
    put(&b, what);
    ok = sbuf_ok(&b) ? replace(path, str_n(b.p, b.len), is_synced, err)
                     : err_set(err, ERR_FORMAT, "", path, "more than %zu bytes", max - 1);
    arena_release(&a);
    return ok;
}

bool file_print(const char *path, size_t max, void (*put)(struct sbuf *b, const void *what),
                const void *what, struct err *err)
{
    return print(path, max, put, what, true, err);
}

bool file_jot(const char *path, size_t max, void (*put)(struct sbuf *b, const void *what),
              const void *what, struct err *err)
{
    return print(path, max, put, what, false, err);
}

static bool is_torn(int fd)
{
    off_t size = lseek(fd, 0, SEEK_END);
    char last = '\n';

    return size > 0 && pread(fd, &last, 1, size - 1) == 1 && last != '\n';
}

bool file_append_line(const char *path, const char *line, struct err *err)
{
    char dir[PATH_CAP];
    bool ok;
    int fd = open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);

    if (fd < 0) {
        return err_os(err, errno, "open", path);
    }
    ok = (!is_torn(fd) || fd_write_all(fd, "\n", 1, path, err)) &&
         fd_write_all(fd, line, strlen(line), path, err) && fd_sync(fd, path, err);
    close(fd);
    path_dir(path, dir);
    return ok && dir_sync(dir, err);
}

enum file_kind file_kind(const char *path, uint64_t *size)
{
    struct stat st;

    if (lstat(path, &st) != 0) {
        return FILE_NONE;
    }
    if (size) {
        *size = (uint64_t)st.st_size;
    }
    if (S_ISREG(st.st_mode)) {
        return FILE_REGULAR;
    }
    if (S_ISDIR(st.st_mode)) {
        return FILE_DIR;
    }
    return S_ISLNK(st.st_mode) ? FILE_LINK : FILE_OTHER;
}

/* The next entry but "." and ".."; NULL: the end (errno 0) or a failure. */
static struct dirent *next_entry(DIR *d)
{
    struct dirent *e;

    do {
        errno = 0;
        e = readdir(d);
    } while (e && (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0));
    return e;
}

/* Names are handed out one below the other in depth, so the deepest level of a tree that a
 * server could have made stays far from the stack's end. */
#define TREE_DEPTH_MAX 128

static bool remove_below(int parent, const char *name, int depth, const char *top,
                         struct err *err)
{
    int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    struct dirent *e;
    bool ok = true;
    DIR *d;

    if (fd < 0) {
        return err_os(err, errno, "remove", top);
    }
    d = depth < TREE_DEPTH_MAX ? fdopendir(fd) : NULL;
    if (!d) {
        int os = depth < TREE_DEPTH_MAX ? errno : ELOOP;
        close(fd);
        return err_os(err, os, "remove", top);
    }
    while (ok && (e = next_entry(d))) {
        if (unlinkat(fd, e->d_name, 0) == 0 || errno == ENOENT) {
            continue;
        }
        if (errno != EISDIR && errno != EPERM) {
            ok = err_os(err, errno, "remove", e->d_name);
        } else {
            ok = remove_below(fd, e->d_name, depth + 1, top, err);
        }
    }
    if (ok && errno) {
        ok = err_os(err, errno, "list the directory", top);
    }
    closedir(d);
    if (ok && unlinkat(parent, name, AT_REMOVEDIR) != 0) {
        return err_os(err, errno, "remove", top);
    }
    return ok;
}

bool tree_remove(const char *path, struct err *err)
{
    enum file_kind kind = file_kind(path, NULL);

    if (kind == FILE_NONE) {
        return errno == ENOENT || errno == ENOTDIR || err_os(err, errno, "remove", path);
    }
    if (kind != FILE_DIR) {
        return file_remove(path, err);
    }
    return remove_below(AT_FDCWD, path, 0, path, err) && sync_parent(path, err);
}

static int by_bytes(const void *a, const void *b)
{
    const char *const *x = a, *const *y = b;

    return strcmp(*x, *y);
}

/* The list grows by doubling inside the arena; the halves left behind are given back with it.
 */
static bool names_add(struct arena *a, struct names *list, size_t *cap, const char *name)
{
    if (list->n == *cap) {
        size_t more = *cap ? *cap * 2 : 64;
        const char **grown = ARENA_ARRAY(a, more, const char *);
        if (!grown) {
            return false;
        }
        if (list->n) {
            memcpy(grown, list->name, list->n * sizeof *grown);
        }
        list->name = grown;
        *cap = more;
    }
    list->name[list->n] = arena_strdup(a, name);
    return list->name[list->n++] != NULL;
}

bool dir_names(struct arena *a, const char *path, enum dir_missing missing, struct names *out,
               struct err *err)
{
    struct names list = {0};
    size_t cap = 0;
    struct dirent *e;
    DIR *d = opendir(path);
    int os = 0;

    if (!d && errno == ENOENT && missing == DIR_MAY_MISS) {
        *out = list;
        return true;
    }
    if (!d) {
        return err_os(err, errno, "list the directory", path);
    }
    while ((e = next_entry(d))) {
        if (!names_add(a, &list, &cap, e->d_name)) {
            closedir(d);
            return arena_err(a, err);
        }
    }
    os = errno;
    closedir(d);
    if (os) { /* half a list would pass for the whole */
        return err_os(err, os, "list the directory", path);
    }
    if (list.n) {
        qsort(list.name, list.n, sizeof *list.name, by_bytes);
    }
    *out = list;
    return true;
}
