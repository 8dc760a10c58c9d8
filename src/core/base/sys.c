/* SPDX-License-Identifier: PostgreSQL */
#define _GNU_SOURCE /* syncfs, copy_file_range and the like: here only */
#include "sys.h"

#include "barkeep/str.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/fs.h>
#include <malloc.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/utsname.h>
#include <unistd.h>

#define KEEP_BYTES (16 << 20)
#define LARGE_PAGE ((size_t)2 * 1024 * 1024)
#define MMAP_BYTES (1 << 20)

int sys_syncfs(int fd)
{
    return syncfs(fd);
}

bool sys_syncfs_reports(void)
{
    struct utsname u;
    struct str s;
    uint64_t major, minor;

    if (uname(&u) != 0) {
        return false;
    }
    s = str_of(u.release);
    return str_take_u64(&s, 10000, &major) && str_take_char(&s, '.') &&
           str_take_u64(&s, 10000, &minor) && (major > 5 || (major == 5 && minor >= 8));
}

int sys_write_out(int fd, uint64_t from, uint64_t bytes)
{
    return sync_file_range(fd, (off64_t)from, (off64_t)bytes, SYNC_FILE_RANGE_WRITE);
}

int sys_become(const char *name, uint32_t uid, uint32_t gid)
{
    if (initgroups(name, gid) != 0 || setgid(gid) != 0) {
        return -1;
    }
    return setuid(uid);
}

int sys_terminal_width(int fd)
{
    struct winsize size;

    return ioctl(fd, TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
}

int sys_terminal_size(int fd, int *cols, int *rows)
{
    struct winsize size;

    if (ioctl(fd, TIOCGWINSZ, &size) != 0) {
        return -1;
    }
    *cols = size.ws_col;
    *rows = size.ws_row;
    return 0;
}

void sys_end_with_parent(int parent, int signo)
{
    if (prctl(PR_SET_PDEATHSIG, signo) != 0 || getppid() != parent) {
        raise(signo);
    }
}

void sys_wipe(void *p, size_t n)
{
    explicit_bzero(p, n);
}

int sys_pipe(int fd[2])
{
    return pipe2(fd, O_CLOEXEC);
}

int sys_clone(int from, int to)
{
    return ioctl(to, FICLONE, from);
}

int64_t sys_copy_range(int from, int to, uint64_t n)
{
    return copy_file_range(from, NULL, to, NULL, (size_t)n, 0);
}

int sys_memory_file(const char *name)
{
    return memfd_create(name, MFD_CLOEXEC);
}

int sys_real_path(const char *path, char *out)
{
    return realpath(path, out) ? 0 : -1;
}

/* fdinfo has a line "mnt_id: 26". */
static bool read_mount_id(int fd, uint64_t *out)
{
    char path[64], text[1024];
    struct str rest, line;
    ssize_t n;
    int info;

    str_fmt(path, sizeof path, "/proc/self/fdinfo/%d", fd);
    info = open(path, O_RDONLY | O_CLOEXEC);
    if (info < 0) {
        return false;
    }
    n = read(info, text, sizeof text);
    close(info);
    rest = str_n(text, n > 0 ? (size_t)n : 0);
    while (str_line(&rest, &line)) {
        if (str_take_lit(&line, "mnt_id:")) {
            return str_u64(str_trim(line), UINT64_MAX, out);
        }
    }
    return false;
}

int sys_mount_id(const char *path, uint64_t *out)
{
    int fd = open(path, O_PATH | O_CLOEXEC);
    bool ok;

    if (fd < 0) {
        return -1;
    }
    ok = read_mount_id(fd, out);
    close(fd);
    if (!ok) {
        errno = ENOSYS;
    }
    return ok ? 0 : -1;
}

void *sys_large_new(size_t n)
{
    void *p;

    if (n < LARGE_PAGE) {
        return malloc(n);
    }
    if (posix_memalign(&p, LARGE_PAGE, n) != 0) {
        return NULL;
    }
#ifdef MADV_HUGEPAGE
    (void)madvise(p, n - n % LARGE_PAGE, MADV_HUGEPAGE);
#endif
    return p;
}

/* A limit of 0 does not keep the kernel from a program that takes dumps through a pipe, one of 1
 * byte does; and no file is that small. */
void sys_no_core(void)
{
    struct rlimit r;

    if (getrlimit(RLIMIT_CORE, &r) == 0) {
        r.rlim_cur = r.rlim_max ? 1 : 0;
        (void)setrlimit(RLIMIT_CORE, &r);
    }
}

/* libpq allocates every message of a copy, 32 KiB of a base backup, 128 KiB of WAL, and another
 * thread frees it. Left alone, glibc maps and unmaps the large ones and trims its heap after
 * nearly every one of the others, so that each byte that arrives costs page faults again. */
void sys_keep_memory(void)
{
#ifdef __GLIBC__
    /* Refused or not: it is only faster. */
    (void)mallopt(M_MMAP_THRESHOLD, MMAP_BYTES);
    (void)mallopt(M_TRIM_THRESHOLD, KEEP_BYTES);
#endif
}

bool sys_set_direct(int fd, bool wanted)
{
    int flags = fcntl(fd, F_GETFL);

    if (flags < 0) {
        return false;
    }
    flags = wanted ? flags | O_DIRECT : flags & ~O_DIRECT;
    return fcntl(fd, F_SETFL, flags) == 0;
}

void sys_wants_huge_pages(void *p, size_t n)
{
    (void)madvise(p, n, MADV_HUGEPAGE);
}
