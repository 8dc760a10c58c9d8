/* SPDX-License-Identifier: PostgreSQL */
/* A record of the spool: u32 length of the path, u64 size, path, sum. In the sort the path is
 * the key; the value is 'A' (arrived) or 'L' (listed), u64 size, sum. */
#include "sums.h"

#include "base/bug.h"
#include "base/file.h"
#include "base/get.h"
#include "base/sort.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define HEAD        12
#define RECORD_MAX  (HEAD + MANIFEST_PATH_CAP + DIGEST_MAX)
#define BUFFER      ((size_t)64 * 1024)
#define SORT_MEMORY ((size_t)12 * 1024 * 1024)
#define VALUE_MAX   (1 + 8 + DIGEST_MAX)

struct sums {
    char dir[PATH_CAP];
    enum digest_kind kind;
    size_t sum_n;
    int fd;
    uint64_t written, read; /* bytes of the file */
    char buf[BUFFER];       /* to be written; then read ahead */
    size_t from, to;
    bool reading;
    struct sort *sort; /* once the order was lost */
    void *ctx;
    void (*tell)(void *ctx, const char *path, enum sums_fault fault);
};

struct record {
    struct str path;
    uint64_t size;
    const uint8_t *sum;
};

struct sums *sums_new(const char *dir, enum digest_kind kind, struct err *err)
{
    struct sums *s = calloc(1, sizeof *s);
    char path[PATH_CAP];

    if (!s) {
        err_set(err, ERR_MEMORY, "", "", "out of memory");
        return NULL;
    }
    s->kind = kind;
    s->sum_n = digest_size(kind);
    s->fd = -1;
    if (!path_join(path, dir, "sums.XXXXXX", err) || !str_copy(s->dir, sizeof s->dir, dir)) {
        free(s);
        return NULL;
    }
    s->fd = mkstemp(path);
    if (s->fd < 0) {
        err_os(err, errno, "make a temporary file in", dir);
        free(s);
        return NULL;
    }
    unlink(path);
    return s;
}

void sums_free(struct sums *s)
{
    if (!s) {
        return;
    }
    close(s->fd);
    sort_free(s->sort);
    free(s);
}

static bool flush(struct sums *s, struct err *err)
{
    bool ok = fd_pwrite_all(s->fd, s->buf, s->to, (off_t)s->written, s->dir, err);

    s->written += s->to;
    s->to = 0;
    return ok;
}

bool sums_arrived(struct sums *s, struct str path, uint64_t size, const uint8_t sum[DIGEST_MAX],
                  struct err *err)
{
    char *p;

    BUG_IF(s->reading);
    if (path.n >= MANIFEST_PATH_CAP) {
        return err_set(err, ERR_FORMAT, "", path.p, "too long a path");
    }
    if (BUFFER - s->to < RECORD_MAX && !flush(s, err)) {
        return false;
    }
    p = s->buf + s->to;
    put_le32(p, (uint32_t)path.n);
    put_be64(p + 4, size);
    memcpy(p + HEAD, path.p, path.n);
    memcpy(p + HEAD + path.n, sum, s->sum_n);
    s->to += HEAD + path.n + s->sum_n;
    return true;
}

/* 1: a record, valid until the next call; 0: no more. */
static int next_arrived(struct sums *s, struct record *out, struct err *err)
{
    size_t got, have = s->to - s->from;
    const char *p;

    if (have < RECORD_MAX && s->read < s->written) {
        size_t want = BUFFER - have;
        if (want > s->written - s->read) {
            want = (size_t)(s->written - s->read);
        }
        memmove(s->buf, s->buf + s->from, have);
        s->from = 0;
        s->to = have;
        if (!fd_read_full(s->fd, s->buf + have, want, &got, s->dir, err)) {
            return -1;
        }
        if (got < want) {
            err_os(err, EIO, "read a temporary file in", s->dir);
            return -1;
        }
        s->read += got;
        s->to += got;
    }
    if (s->from == s->to) {
        return 0;
    }
    p = s->buf + s->from;
    out->path = str_n(p + HEAD, get_le32(p));
    out->size = get_be64(p + 4);
    out->sum = (const uint8_t *)p + HEAD + out->path.n;
    s->from += HEAD + out->path.n + s->sum_n;
    return 1;
}

static bool start_reading(struct sums *s, struct err *err)
{
    if (s->reading) {
        return true;
    }
    if (!flush(s, err)) {
        return false;
    }
    s->reading = true;
    if (lseek(s->fd, 0, SEEK_SET) != 0) {
        return err_os(err, errno, "read a temporary file in", s->dir);
    }
    return true;
}

static bool wrong(const struct sums *s, struct str path, enum sums_fault fault, struct err *err)
{
    static const char *const why[] = {
        [SUMS_SIZE] = "its size is not what the manifest says",
        [SUMS_SUM] = "its checksum is not what the manifest says",
        [SUMS_EXTRA] = "came but is not in the manifest",
        [SUMS_MISSING] = "is in the manifest twice, or did not come",
    };
    char name[MANIFEST_PATH_CAP];

    str_fmt(name, sizeof name, "%.*s", (int)path.n, path.p);
    if (s->tell) {
        s->tell(s->ctx, name, fault);
        return true;
    }
    return err_set(err, ERR_FORMAT, "Take another backup, and check the disk and the memory.",
                   name, "%s", why[fault]);
}

void sums_tell(struct sums *s, void *ctx,
               void (*tell)(void *ctx, const char *path, enum sums_fault fault))
{
    s->ctx = ctx;
    s->tell = tell;
}

static bool same(const struct sums *s, const struct record *arrived,
                 const struct record *listed, struct err *err)
{
    if (arrived->size != listed->size) {
        return wrong(s, listed->path, SUMS_SIZE, err);
    }
    return memcmp(arrived->sum, listed->sum, s->sum_n) == 0 ||
           wrong(s, listed->path, SUMS_SUM, err);
}

static bool put_sort(struct sums *s, char side, const struct record *r, struct err *err)
{
    char value[VALUE_MAX];

    value[0] = side;
    put_be64(value + 1, r->size);
    memcpy(value + 9, r->sum, s->sum_n);
    return sort_add(s->sort, r->path, str_n(value, 9 + s->sum_n), err);
}

/* The order is lost: what the spool still holds joins the sort. */
static bool lose_order(struct sums *s, const struct record *first, struct err *err)
{
    struct record r;
    int more;

    s->sort = sort_new(s->dir, SORT_MEMORY, err);
    if (!s->sort || !put_sort(s, 'A', first, err)) {
        return false;
    }
    while ((more = next_arrived(s, &r, err)) > 0) {
        if (!put_sort(s, 'A', &r, err)) {
            return false;
        }
    }
    return more == 0;
}

static bool str_same(struct str a, struct str b)
{
    return a.n == b.n && memcmp(a.p, b.p, a.n) == 0;
}

bool sums_listed(struct sums *s, const struct manifest_file *f, struct err *err)
{
    struct record listed = {f->path, f->size, f->sum}, arrived;
    int there;

    if (f->kind != s->kind) {
        return err_set(err, ERR_FORMAT, "", f->path.p,
                       "the manifest has another kind of checksum than asked for");
    }
    if (!start_reading(s, err)) {
        return false;
    }
    if (s->sort) {
        return put_sort(s, 'L', &listed, err);
    }
    there = next_arrived(s, &arrived, err);
    if (there < 0) {
        return false;
    }
    if (there == 0) {
        return wrong(s, f->path, SUMS_MISSING, err);
    }
    if (str_same(arrived.path, listed.path)) {
        return same(s, &arrived, &listed, err);
    }
    return lose_order(s, &arrived, err) && put_sort(s, 'L', &listed, err);
}

/* A record of the sort that waits for the one of the other side. */
struct held {
    struct record r;
    char path[MANIFEST_PATH_CAP], value[VALUE_MAX];
    bool is_there;
};

static void hold(struct held *h, struct str key, struct str v)
{
    memcpy(h->path, key.p, key.n);
    memcpy(h->value, v.p, v.n);
    h->r = (struct record){
        {h->path, key.n}, get_be64(h->value + 1), (const uint8_t *)h->value + 9};
    h->is_there = true;
}

static bool lonely(const struct sums *s, const struct held *h, struct err *err)
{
    return wrong(s, h->r.path, h->value[0] == 'A' ? SUMS_EXTRA : SUMS_MISSING, err);
}

/* Records of one path come side by side: exactly one of each side is right. Arrived ones were
 * added first and come first. */
static bool compare_sorted(struct sums *s, struct err *err)
{
    struct held held = {.is_there = false};
    struct str key, v;
    int more;

    while ((more = sort_next(s->sort, &key, &v, err)) > 0) {
        struct record r = {key, get_be64(v.p + 1), (const uint8_t *)v.p + 9};

        if (held.is_there && held.value[0] == 'A' && v.p[0] == 'L' &&
            str_same(held.r.path, key)) {
            if (!same(s, &held.r, &r, err)) {
                return false;
            }
            held.is_there = false;
            continue;
        }
        if (held.is_there && !lonely(s, &held, err)) {
            return false;
        }
        hold(&held, key, v);
    }
    return more == 0 && (!held.is_there || lonely(s, &held, err));
}

bool sums_end(struct sums *s, struct err *err)
{
    struct record r;
    int more;

    if (!start_reading(s, err)) {
        return false;
    }
    if (s->sort) {
        return compare_sorted(s, err);
    }
    while ((more = next_arrived(s, &r, err)) > 0) {
        if (!wrong(s, r.path, SUMS_EXTRA, err)) {
            return false;
        }
    }
    return more == 0;
}
