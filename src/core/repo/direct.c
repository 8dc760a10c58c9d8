/* SPDX-License-Identifier: PostgreSQL */
#include "direct.h"

#include "base/file.h"
#include "base/sys.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define HUGE_PAGE ((size_t)2 * 1024 * 1024)

struct direct {
    const struct sync *sync;
    char *buf;
    size_t n; /* gathered */
    int fd;
    bool is_direct;
    uint64_t at, started; /* written; told to sync */
};

struct direct *direct_new(const struct sync *sync, struct err *err)
{
    struct direct *d = calloc(1, sizeof *d);

    if (d) {
        d->buf = aligned_alloc(HUGE_PAGE, DIRECT_CHUNK);
    }
    if (!d || !d->buf) {
        free(d);
        err_set(err, ERR_MEMORY, "", "", "out of memory");
        return NULL;
    }
    sys_wants_huge_pages(d->buf, DIRECT_CHUNK); /* few pieces for the disk */
    d->sync = sync;
    d->fd = -1;
    return d;
}

void direct_free(struct direct *d)
{
    if (d) {
        free(d->buf);
        free(d);
    }
}

void direct_begin(struct direct *d, int fd)
{
    d->fd = fd;
    d->n = 0;
    d->at = 0;
    d->started = 0;
    d->is_direct = sys_set_direct(fd, true);
}

static bool through_cache(struct direct *d, const char *p, size_t n, const char *path,
                          struct err *err)
{
    if (d->is_direct) {
        d->is_direct = false;
        if (!sys_set_direct(d->fd, false)) {
            return err_os(err, errno, "set the flags of", path);
        }
    }
    if (!fd_write_all(d->fd, p, n, path, err)) {
        return false;
    }
    d->at += n;
    sync_wrote(d->sync, d->fd, d->at, &d->started);
    return true;
}

/* n is a multiple of DIRECT_BLOCK. A short write, at the end of a disk's room, leaves the rest to
 * the ordinary way, which knows how to say what is wrong. */
static bool write_blocks(struct direct *d, size_t n, const char *path, struct err *err)
{
    ssize_t got = 0;

    if (d->is_direct) {
        do {
            got = write(d->fd, d->buf, n);
        } while (got < 0 && errno == EINTR);
        if (got < 0 && errno != EINVAL) {
            return err_os(err, errno, "write", path);
        }
        got = got < 0 ? 0 : got;
        d->at += (uint64_t)got;
    }
    return (size_t)got == n || through_cache(d, d->buf + got, n - (size_t)got, path, err);
}

bool direct_write(struct direct *d, const void *p, size_t n, const char *path, struct err *err)
{
    const char *from = p;

    while (n) {
        size_t room = DIRECT_CHUNK - d->n, take = n < room ? n : room;

        memcpy(d->buf + d->n, from, take);
        d->n += take;
        from += take;
        n -= take;
        if (d->n == DIRECT_CHUNK) {
            if (!write_blocks(d, d->n, path, err)) {
                return false;
            }
            d->n = 0;
        }
    }
    return true;
}

bool direct_end(struct direct *d, const char *path, struct err *err)
{
    size_t whole = d->n - d->n % DIRECT_BLOCK;

    return (!whole || write_blocks(d, whole, path, err)) &&
           (whole == d->n || through_cache(d, d->buf + whole, d->n - whole, path, err));
}
