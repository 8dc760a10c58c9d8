/* SPDX-License-Identifier: PostgreSQL */
#include "direct.h"

#include "barkeep/str.h"
#include "base/bug.h"
#include "base/file.h"
#include "base/sys.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define HUGE_PAGE ((size_t)2 * 1024 * 1024)

/* Belongs to the caller's side until its last piece is put, then to the lane. */
struct file {
    int fd;
    bool is_direct;
    uint64_t at, started; /* written; told to sync */
    char path[PATH_CAP];
};

/* What travels on the lane. */
struct piece {
    struct file *file;
    char *p;
    size_t n;
    bool is_last; /* of its file */
};

struct direct {
    const struct task *task;
    const struct sync *sync;
    struct lane *lane;
    struct lane *flush; /* NULL with the slow way of syncing */
    uint64_t written;   /* by the first lane, which alone looks at these two */
    uint64_t asked;     /* the last item of flush, whose mark follows */
    char *bufs;         /* DIRECT_BUFS of them, used in turn: as many as can be under way */
    unsigned buf;       /* being filled */
    size_t n;           /* gathered in it */
    struct file *file;
};

/* The descriptor is ours from here on, whatever comes. */
static struct file *file_new(int fd, const char *path, struct err *err)
{
    struct file *f = malloc(sizeof *f);

    if (!f) {
        close(fd);
        err_set(err, ERR_MEMORY, "", "", "out of memory");
        return NULL;
    }
    f->fd = fd;
    f->at = 0;
    f->started = 0;
    f->is_direct = sys_set_direct(fd, true);
    str_copy(f->path, sizeof f->path, path);
    return f;
}

static void file_free(struct file *f) /* NULL is fine; closes what is open */
{
    if (f && f->fd >= 0) {
        close(f->fd);
    }
    free(f);
}

static void drop_piece(void *ctx, void *item)
{
    const struct piece *piece = item;

    (void)ctx;
    if (piece->is_last) {
        file_free(piece->file);
    }
}

static bool through_cache(const struct direct *d, struct file *f, const char *p, size_t n,
                          struct err *err)
{
    if (f->is_direct) {
        f->is_direct = false;
        if (!sys_set_direct(f->fd, false)) {
            return err_os(err, errno, "set the flags of", f->path);
        }
    }
    if (!fd_write_all(f->fd, p, n, f->path, err)) {
        return false;
    }
    f->at += n;
    sync_wrote(d->sync, f->fd, f->at, &f->started);
    return true;
}

/* n is a multiple of DIRECT_BLOCK. A short write, at the end of a disk's room, leaves the rest to
 * the ordinary way, which knows how to say what is wrong. */
static bool write_blocks(const struct direct *d, struct file *f, const char *p, size_t n,
                         struct err *err)
{
    ssize_t got = 0;

    if (f->is_direct && n) {
        do {
            got = write(f->fd, p, n);
        } while (got < 0 && errno == EINTR);
        if (got < 0 && errno != EINVAL) {
            return err_os(err, errno, "write", f->path);
        }
        got = got < 0 ? 0 : got;
        f->at += (uint64_t)got;
    }
    return (size_t)got == n || through_cache(d, f, p + got, n - (size_t)got, err);
}

static bool flush_cache(void *ctx, void *item, bool more, struct err *err)
{
    const struct direct *d = ctx;

    (void)more;
    if (!sync_flush(d->sync, err)) {
        return false;
    }
    lane_set_mark(d->task, d->flush, *(const uint64_t *)item);
    return true;
}

/* Never waits: while the disk is still at the last one, the next comes later. */
static bool ask_flush(struct direct *d, size_t n, struct err *err)
{
    d->written += n;
    if (!d->flush || d->written - d->asked < DIRECT_FLUSH ||
        lane_mark(d->task, d->flush) != d->asked) {
        return true;
    }
    d->asked = d->written;
    return lane_put(d->task, d->flush, &d->written, err);
}

static bool end_file(const struct direct *d, struct file *f, struct err *err)
{
    bool ok = sync_file(d->sync, f->fd, f->path, err);

    if (close(f->fd) != 0 && ok) {
        ok = err_os(err, errno, "close", f->path);
    }
    f->fd = -1;
    file_free(f);
    return ok;
}

static bool write_piece(void *ctx, void *item, bool more, struct err *err)
{
    struct direct *d = ctx;
    const struct piece *piece = item;
    size_t rest = piece->n % DIRECT_BLOCK, whole = piece->n - rest;

    (void)more;
    if (!write_blocks(d, piece->file, piece->p, whole, err) ||
        (rest && !through_cache(d, piece->file, piece->p + whole, rest, err)) ||
        !ask_flush(d, piece->n, err)) {
        drop_piece(NULL, item);
        return false;
    }
    return !piece->is_last || end_file(d, piece->file, err);
}

static bool open_flush(struct direct *d, struct err *err)
{
    const struct lane_spec spec = {
        .name = "backup-flush",
        .item_size = sizeof(uint64_t),
        .slots = 2,
        .ctx = d,
        .consume = flush_cache,
    };

    d->flush = lane_open(d->task, &spec, err);
    return d->flush != NULL;
}

static bool open_lane(struct direct *d, struct err *err)
{
    const struct lane_spec spec = {
        .name = "backup-disk",
        .item_size = sizeof(struct piece),
        .slots = DIRECT_SLOTS,
        .ctx = d,
        .consume = write_piece,
        .drop = drop_piece,
    };

    d->lane = lane_open(d->task, &spec, err);
    return d->lane && (d->sync->way == SYNC_EACH || open_flush(d, err));
}

struct direct *direct_new(const struct task *task, const struct sync *sync, struct err *err)
{
    struct direct *d = calloc(1, sizeof *d);

    if (d) {
        d->bufs = aligned_alloc(HUGE_PAGE, DIRECT_BUFS * DIRECT_CHUNK);
    }
    if (!d || !d->bufs) {
        free(d);
        err_set(err, ERR_MEMORY, "", "", "out of memory");
        return NULL;
    }
    sys_wants_huge_pages(d->bufs, DIRECT_BUFS * DIRECT_CHUNK); /* few pieces for the disk */
    d->task = task;
    d->sync = sync;
    if (!open_lane(d, err)) {
        direct_free(d);
        return NULL;
    }
    return d;
}

void direct_free(struct direct *d)
{
    if (!d) {
        return;
    }
    if (d->lane) {
        lane_fail(d->task, d->lane);
    }
    if (d->flush) {
        lane_fail(d->task, d->flush);
    }
    file_free(d->file); /* the lane, which may have had its pieces, is done with it */
    free(d->bufs);
    free(d);
}

bool direct_begin(struct direct *d, int fd, const char *path, struct err *err)
{
    BUG_IF(d->file);
    d->file = file_new(fd, path, err);
    return d->file != NULL;
}

static char *filling(const struct direct *d)
{
    return d->bufs + d->buf * DIRECT_CHUNK;
}

static bool put_piece(struct direct *d, bool is_last, struct err *err)
{
    const struct piece piece = {d->file, filling(d), d->n, is_last};

    if (!lane_put(d->task, d->lane, &piece, err)) {
        return false;
    }
    d->buf = (d->buf + 1) % DIRECT_BUFS;
    d->n = 0;
    return true;
}

bool direct_write(struct direct *d, const void *p, size_t n, struct err *err)
{
    const char *from = p;

    while (n) {
        size_t room = DIRECT_CHUNK - d->n, take = n < room ? n : room;

        memcpy(filling(d) + d->n, from, take);
        d->n += take;
        from += take;
        n -= take;
        if (d->n == DIRECT_CHUNK && !put_piece(d, false, err)) {
            return false;
        }
    }
    return true;
}

bool direct_end(struct direct *d, struct err *err)
{
    if (!put_piece(d, true, err)) {
        return false;
    }
    d->file = NULL;
    return true;
}

bool direct_finish(struct direct *d, struct err *err)
{
    struct lane *lane = d->lane;
    bool ok;

    BUG_IF(d->file);
    d->lane = NULL;
    if (!lane_close(d->task, lane, err)) {
        return false;
    }
    ok = !d->flush || lane_close(d->task, d->flush, err);
    d->flush = NULL; /* not before: its consumer marks it to the end */
    return ok;
}
