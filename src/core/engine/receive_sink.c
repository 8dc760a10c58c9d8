/* SPDX-License-Identifier: PostgreSQL */
#include "base/bug.h"
#include "base/file.h"
#include "engine/receive.h"
#include "repo/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define COMPARE_BYTES 16384
#define ARCHIVE_SLOTS 64
#define HELD_CAP      65536 /* of small messages that become one write */

/* ---- the file ----------------------------------------------------------------------- */

/* Zeros from `from` to the end of the segment, as the server itself fills a new one: writing
 * into it later changes no metadata, and a full disk is met here. */
static bool fill_zeros(int fd, uint64_t from, uint32_t seg_size, const char *path,
                       struct err *err)
{
    static const char zeros[65536];

    for (uint64_t at = from; at < seg_size;) {
        size_t n = seg_size - at < sizeof zeros ? (size_t)(seg_size - at) : sizeof zeros;
        if (!fd_pwrite_all(fd, zeros, n, (off_t)at, path, err)) {
            return false;
        }
        at += n;
    }
    return true;
}

/* Give a new or odd-sized file the size of a segment; what a full disk refused is undone. */
static bool to_full_size(struct sink *s, uint64_t size, struct err *err)
{
    if (size > s->seg_size) {
        return err_set(err, ERR_FORMAT, "Move it away.", s->path,
                       "larger than a WAL segment of this server");
    }
    if (size < s->seg_size && !fill_zeros(s->fd, size, s->seg_size, s->path, err)) {
        if (ftruncate(s->fd, (off_t)size) != 0 || size == 0) {
            unlink(s->path);
        }
        return false;
    }
    return true;
}

static bool open_segment(struct sink *s, struct err *err)
{
    struct wal_seg seg = wal_seg_at(s->tli, s->written, s->seg_size);
    char name[WAL_NAME_CAP], file[WAL_FILE_NAME_CAP];
    struct stat st;

    wal_seg_name(seg, s->seg_size, name);
    str_fmt(file, sizeof file, "%s.partial", name);
    if (!path_join(s->path, s->repo->streaming_dir, file, err)) {
        return false;
    }
    s->fd = open(s->path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (s->fd < 0 || fstat(s->fd, &st) != 0) {
        return err_os(err, errno, "open", s->path);
    }
    s->old_end = wal_seg_start(seg, s->seg_size) + (uint64_t)st.st_size;
    /* An old file too: who made it may have been killed before its name was durable. */
    return to_full_size(s, (uint64_t)st.st_size, err) && dir_sync(s->repo->streaming_dir, err);
}

static bool sync_file(struct sink *s, struct err *err)
{
    if (s->fd >= 0 && !fd_datasync(s->fd, s->path, err)) {
        s->is_unsynced = true; /* what it holds is not to be believed any more */
        return false;
    }
    lane_set_mark(s->t, s->lane, s->written);
    return true;
}

/* Complete: synced, then it gets its final name, which nobody may have. */
static bool finish_segment(struct sink *s, struct err *err)
{
    char final[PATH_CAP];
    size_t n = strlen(s->path) - strlen(".partial");

    if (!fd_sync(s->fd, s->path, err)) {
        s->is_unsynced = true;
        return false;
    }
    close(s->fd);
    s->fd = -1;
    memcpy(final, s->path, n);
    final[n] = '\0';
    if (file_kind(final, NULL) != FILE_NONE) {
        return err_set(err, ERR_UNSAFE, "Move one of the two away.", final,
                       "there is a complete segment and a new one of that name");
    }
    if (!file_rename(s->path, final, err)) {
        return false;
    }
    lane_set_mark(s->t, s->lane, s->written);
    return archiver_offer(s->t, s->archiver, path_base(final), err);
}

/* Once over the bytes: after a restart all that comes meets the zeros of a file that is there. */
static bool is_same_or_new(const char *old, const char *data, size_t n)
{
    if (memcmp(old, data, n) == 0) {
        return true;
    }
    for (size_t i = 0; i < n; i++) {
        if (old[i] != data[i] && old[i] != 0) {
            return false;
        }
    }
    return true;
}

/* WAL that comes again must be what it was: the server sends only what is final. Where the old
 * file holds zeros nothing may have been written yet. */
static bool same_as_before(struct sink *s, const char *data, size_t n, struct err *err)
{
    char old[COMPARE_BYTES];
    uint64_t in = s->written % s->seg_size;

    if (n > s->old_end - s->written) {
        n = (size_t)(s->old_end - s->written);
    }
    while (n > 0) {
        size_t some = n < sizeof old ? n : sizeof old;
        ssize_t got = pread(s->fd, old, some, (off_t)in);

        if (got <= 0) {
            return got == 0 || err_os(err, errno, "read", s->path);
        }
        if (!is_same_or_new(old, data, (size_t)got)) {
            s->is_diverged = true;
            return err_set(err, ERR_UNSAFE,
                           "Find out which of the two servers is the right one.", s->path,
                           "the server sends other bytes than it sent before");
        }
        in += (uint64_t)got;
        data += got;
        n -= (size_t)got;
    }
    return true;
}

static bool write_wal(struct sink *s, const char *data, size_t left, struct err *err)
{
    while (left > 0) {
        size_t n = wal_msg_in_segment(s->written, left, s->seg_size);

        if (s->fd < 0 && !open_segment(s, err)) {
            return false;
        }
        if (s->written < s->old_end && !same_as_before(s, data, n, err)) {
            return false;
        }
        if (!fd_pwrite_all(s->fd, data, n, (off_t)(s->written % s->seg_size), s->path, err)) {
            return false;
        }
        s->written += n;
        data += n;
        left -= n;
        if (s->written % s->seg_size == 0 && !finish_segment(s, err)) {
            return false;
        }
    }
    return true;
}

static bool write_held(struct sink *s, struct err *err)
{
    size_t n = s->held_n;

    s->held_n = 0;
    return n == 0 || write_wal(s, s->held, n, err);
}

/* A commit is a message of a few hundred bytes: while more of them wait they become one write. */
static bool take_wal(struct sink *s, const struct feed_item *item, bool more, struct err *err)
{
    BUG_IF(item->at != s->written + s->held_n);
    if (item->n > HELD_CAP - s->held_n && !write_held(s, err)) {
        return false;
    }
    if (item->n > HELD_CAP || (!more && s->held_n == 0)) {
        return write_wal(s, item->data, item->n, err);
    }
    memcpy(s->held + s->held_n, item->data, item->n);
    s->held_n += item->n;
    return more || write_held(s, err);
}

static void drop_item(void *ctx, void *item)
{
    struct feed_item *it = item;

    (void)ctx;
    pg_copy_free(it->msg);
    it->msg = NULL;
}

static bool consume_item(void *ctx, void *item, bool more, struct err *err)
{
    struct sink *s = ctx;
    struct feed_item *it = item;
    bool ok;

    /* The reader says when to sync: only it knows what the socket still holds. */
    ok = it->msg ? take_wal(s, it, more, err) : write_held(s, err) && sync_file(s, err);
    drop_item(ctx, item);
    return ok;
}

static char *held_new(struct err *err)
{
    char *held = malloc(HELD_CAP);

    if (!held) {
        err_set(err, ERR_MEMORY, "", "", "out of memory");
    }
    return held;
}

bool sink_open(struct sink *s, pg_tli tli, pg_lsn at, struct err *err)
{
    const struct lane_spec spec = {
        .name = "wal-write",
        .item_size = sizeof(struct feed_item),
        .slots = FEED_SLOTS,
        .ctx = s,
        .consume = consume_item,
        .drop = drop_item,
    };

    s->tli = tli;
    s->written = at;
    s->old_end = 0;
    s->is_diverged = s->is_unsynced = false;
    s->fd = -1;
    s->held_n = 0;
    s->held = s->held ? s->held : held_new(err);
    if (!s->held) {
        return false;
    }
    s->lane = lane_open(s->t, &spec, err);
    return s->lane != NULL;
}

void sink_release(struct sink *s)
{
    if (s->fd >= 0) {
        close(s->fd);
        s->fd = -1;
    }
    free(s->held);
    s->held = NULL;
}

bool sink_has_more(struct sink *s)
{
    char some[COMPARE_BYTES];
    uint64_t in = s->written % s->seg_size;
    ssize_t got;

    while (s->fd >= 0 && (got = pread(s->fd, some, sizeof some, (off_t)in)) > 0) {
        for (ssize_t i = 0; i < got; i++) {
            if (some[i] != 0) {
                return true;
            }
        }
        in += (uint64_t)got;
    }
    return false;
}

/* ---- archiving ---------------------------------------------------------------------- */

/* Walked where it lies, by whoever is not to archive it here. */
static bool prove_only(struct receive *rx, const char *name, struct err *err)
{
    struct wal_proven proven;
    struct wal_found found;

    return wal_find(rx->repo, name, WAL_WHOLE, &found, err) &&
           wal_store_prove(rx->repo, found.path, &rx->how.store.rules, &proven, err) &&
           arrival_take(&rx->arrival, found.path, &proven, err);
}

static bool archive_one(struct receive *rx, const char *path, struct err *err)
{
    struct wal_store *store = wal_store_new(rx->repo, &rx->how.store, err);
    struct wal_added added = {0};
    char dest[PATH_CAP];
    bool ok;

    ok =
        store && wal_store_add(store, path, &added, err) &&
        repo_wal_path(rx->repo, path_base(path), dest, err) &&
        (added.fate == WAL_DUPLICATE || arrival_take(&rx->arrival, dest, &added.proven, err)) &&
        wal_store_flush(store, err);
    if (store) {
        wal_store_free(store);
    }
    if (ok && added.fate == WAL_DUPLICATE) {
        task_say(rx->t, SAY_WARN,
                 "%s: '%s' is archived already with other contents; the received one was moved "
                 "to '%s'",
                 rx->srv->name, path_base(path), added.moved_to);
    }
    return ok;
}

/* Another archives now, or scripts have to be run for it, which may take their time. */
static bool is_left_to_archive_wal(struct receive *rx, struct lock *lock)
{
    char text[512];
    struct err why;

    if (hook_any(rx->srv, HOOK_ARCHIVE)) {
        return true;
    }
    if (lock_take(lock, rx->repo, LOCK_ARCHIVE_WAL, LOCK_TRY, &why)) {
        return false;
    }
    if (why.code != ERR_BUSY) {
        task_say(rx->t, SAY_WARN, "%s: %s", rx->srv->name, err_text(&why, text, sizeof text));
    }
    return true;
}

/* What cannot be archived now stays in streaming/ for archive-wal. */
static void archive_name(struct receive *rx, const char *name)
{
    struct lock lock = LOCK_INIT;
    char path[PATH_CAP], text[512];
    struct err why;

    if (is_left_to_archive_wal(rx, &lock)) {
        if (!prove_only(rx, name, &why)) {
            task_say(rx->t, SAY_WARN, "%s: '%s' is not proven: %s", rx->srv->name, name,
                     err_text(&why, text, sizeof text));
        }
        return;
    }
    if (path_join(path, rx->repo->streaming_dir, name, &why) &&
        file_kind(path, NULL) == FILE_REGULAR && !archive_one(rx, path, &why)) {
        task_say(rx->t, SAY_WARN, "%s: '%s' is not archived yet: %s", rx->srv->name, name,
                 err_text(&why, text, sizeof text));
    }
    arrival_save(&rx->arrival);
    lock_release(&lock);
}

static bool consume_archive(void *ctx, void *item, bool more, struct err *err)
{
    struct receive *rx = ctx;
    const struct archive_item *it = item;

    (void)more;
    (void)err;
    archive_name(rx, it->name);
    lane_set_mark(rx->t, rx->archiver.lane, ++rx->archiver.consumed);
    return true;
}

bool archiver_offer(const struct task *t, struct archiver *a, const char *name, struct err *err)
{
    struct archive_item item;
    uint64_t waiting;

    if (!a || !a->lane) {
        return true;
    }
    waiting = a->offered - lane_mark(t, a->lane);
    a->is_behind = a->is_behind && waiting > 0;
    /* One that is consumed has its slot until after the mark. */
    if (waiting >= ARCHIVE_SLOTS - 1) {
        if (!a->is_behind) {
            task_say(t, SAY_WARN,
                     "WAL comes faster than it is archived: '%s' and others stay in streaming/ "
                     "for archive-wal",
                     name);
        }
        a->is_behind = true;
        return true;
    }
    a->offered++;
    str_copy(item.name, sizeof item.name, name);
    return lane_put(t, a->lane, &item, err);
}

bool archiver_open(struct receive *rx, struct err *err)
{
    const struct lane_spec spec = {
        .name = "wal-archive",
        .item_size = sizeof(struct archive_item),
        .slots = ARCHIVE_SLOTS,
        .ctx = rx,
        .consume = consume_archive,
    };

    rx->how.store.prove = WAL_PROVE_ALL;
    rx->how.store.task = rx->t;
    if (!arrival_open(&rx->arrival, rx->t, rx->repo, err)) {
        return false;
    }
    rx->archiver.lane = lane_open(rx->t, &spec, err);
    return rx->archiver.lane != NULL;
}
