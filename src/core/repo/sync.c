/* SPDX-License-Identifier: PostgreSQL */
#include "sync.h"

#include "base/file.h"
#include "base/sys.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define DROP_BEHIND ((uint64_t)32 * 1024 * 1024) /* so far back it should be on disk by now */
#define DROP_REACH  ((uint64_t)96 * 1024 * 1024) /* and before it, what was late last time */

void sync_init(struct sync *s)
{
    const char *wish = getenv("BARKEEP_SYNC");

    *s = (struct sync){.way = SYNC_FS};
    if (!sys_syncfs_reports() || (wish && strcmp(wish, "fsync") == 0)) {
        s->way = SYNC_EACH;
    }
}

bool sync_open(struct sync *s, const char *path, struct err *err)
{
    struct stat st;
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (fd < 0) {
        return err_os(err, errno, "open", path);
    }
    if (fstat(fd, &st) != 0) {
        int os = errno;
        close(fd);
        return err_os(err, os, "look at", path);
    }
    for (unsigned i = 0; i < s->n; i++) {
        if (s->dev[i] == st.st_dev) {
            close(fd);
            return true;
        }
    }
    if (s->n == SYNC_FS_MAX) {
        close(fd);
        return err_set(err, ERR_IO, "", path, "more than %d file systems", SYNC_FS_MAX);
    }
    s->fd[s->n] = fd;
    s->dev[s->n] = st.st_dev;
    str_copy(s->path[s->n], sizeof s->path[s->n], path);
    s->n++;
    return true;
}

/* What is not on disk yet stays, this does not wait. */
static void drop_cached(int fd, uint64_t to)
{
    uint64_t from = to > DROP_REACH ? to - DROP_REACH : 0;

    (void)posix_fadvise(fd, (off_t)from, (off_t)(to - from), POSIX_FADV_DONTNEED);
}

void sync_wrote(const struct sync *s, int fd, uint64_t to, uint64_t *started)
{
    if (to - *started >= SYNC_CHUNK) {
        /* A hint: whether it worked, the real sync will tell. */
        (void)sys_write_out(fd, *started, to - *started);
        if (s->drops_behind && *started > DROP_BEHIND) {
            drop_cached(fd, *started - DROP_BEHIND);
        }
        *started = to;
    }
}

bool sync_file(const struct sync *s, int fd, const char *path, struct err *err)
{
    return s->way == SYNC_FS || fd_sync(fd, path, err);
}

bool sync_dir(const struct sync *s, int fd, const char *path, struct err *err)
{
    return s->way == SYNC_FS || fd_sync(fd, path, err);
}

bool sync_flush(const struct sync *s, struct err *err)
{
    for (unsigned i = 0; i < s->n; i++) {
        if (fdatasync(s->fd[i]) != 0) {
            return err_os(err, errno, "write to the disk", s->path[i]);
        }
    }
    return true;
}

bool sync_finish(struct sync *s, struct err *err)
{
    for (unsigned i = 0; i < s->n; i++) {
        /* The slow way has synced all below; its root directories are left. */
        if (s->way == SYNC_EACH ? fsync(s->fd[i]) != 0 : sys_syncfs(s->fd[i]) != 0) {
            return err_os(err, errno, "write to the disk", s->path[i]);
        }
    }
    return true;
}

void sync_release(struct sync *s)
{
    for (unsigned i = 0; i < s->n; i++) {
        close(s->fd[i]);
    }
    s->n = 0;
}
