/* SPDX-License-Identifier: PostgreSQL */
/* restore_copy.c - carry a restore out: marker, files, WAL, and the two files that make it a
 * cluster. */
#include "base/clock.h"
#include "cfg/server.h"
#include "engine/restore_run.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#define SMALL_MAX ((size_t)64 * 1024)
#define CHUNK     ((size_t)128 * 1024)

/* --- small files --- */

static bool put_at(const struct restore_run *r, const char *path, struct str bytes, mode_t mode,
                   struct err *err)
{
    const struct copy_owner *owner = &r->rules.owner;
    int fd;
    bool ok = true;

    if (!file_replace(path, bytes, err)) {
        return false;
    }
    if (!owner->change && mode == 0600) {
        return true;
    }
    fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0) {
        return err_os(err, errno, "open", path);
    }
    if ((owner->change && fchown(fd, owner->uid, owner->gid) != 0) || fchmod(fd, mode) != 0) {
        ok = err_os(err, errno, "set owner and mode of", path);
    }
    ok = ok && fd_sync(fd, path, err);
    close(fd);
    return ok;
}

bool restore_put(const struct restore_run *r, const char *rel, struct str bytes, mode_t mode,
                 struct err *err)
{
    char path[PATH_CAP];

    return path_join(path, r->dest, rel, err) && put_at(r, path, bytes, mode, err);
}

/* Every directory on the way that is missing, with the cluster's owner: a parent that only root
 * may enter would lock the server out. */
static bool make_dirs(const struct restore_run *r, const char *path, struct err *err)
{
    char part[PATH_CAP];
    size_t n = strlen(path);

    for (size_t i = 1; i <= n; i++) {
        if (path[i] != '/' && path[i] != '\0') {
            continue;
        }
        str_copy(part, sizeof part, path);
        part[i] = '\0';
        if (file_kind(part, NULL) == FILE_NONE &&
            !copy_dir(part, r->dir_mode, &r->rules.owner, err)) {
            return false;
        }
    }
    return copy_dir(path, r->dir_mode, &r->rules.owner, err);
}

/* --- begin --- */

bool restore_copy_begin(struct restore_run *r, struct err *err)
{
    char path[PATH_CAP];

    if (!restore_pace_begin(r, err)) {
        return false;
    }
    sync_init(&r->sync);
    r->rules.sync = &r->sync;
    r->rules.over = r->resume ? COPY_RECHECK : COPY_NEW;
    for (size_t i = r->places; i-- > 0;) {
        if (!make_dirs(r, r->place[i].path, err) ||
            !sync_open(&r->sync, r->place[i].path, err) ||
            !path_join(path, r->place[i].path, RESTORE_MARKER, err) ||
            !put_at(r, path, str_of(r->marker), r->file_mode, err)) {
            return false;
        }
    }
    if (!path_join(path, r->dest, "global/pg_control", err) ||
        (r->resume && file_kind(path, NULL) != FILE_NONE && !file_remove(path, err))) {
        return false;
    }
    if (r->tree.archives) {
        return true;
    }
    if (!path_join(path, r->tree.space[0].from, "PG_VERSION", err)) {
        return false;
    }
    r->rules.way = copy_way_between(path, r->dest);
    return true;
}

/* --- the tree --- */

struct copying {
    struct restore_run *r;
    uint64_t done; /* bytes, by all pieces that are copied side by side */
};

struct copying_file {
    const struct restore_run *r;
    uint64_t *done, total;
    uint64_t told; /* bytes of this file that are in *done */
};

/* A large file counts as it grows, and does not keep a job from being cancelled. */
static bool wrote(void *ctx, uint64_t bytes, struct err *err)
{
    struct copying_file *f = ctx;
    struct progress p = {.phase = "copy", .total = f->total};

    f->told += bytes;
    p.done = task_count(f->done, bytes);
    task_progress(f->r->task, &p);
    return restore_pace(f->r, bytes, err) && task_go_on(f->r->task, err);
}

static bool on_dir(void *ctx, const struct tree_space *space, const char *rel,
                   const struct stat *st, struct err *err)
{
    struct copying *c = ctx;
    char path[PATH_CAP];

    return path_join(path, space->to, rel, err) &&
           copy_dir(path, (st->st_mode & 0777) | S_IRWXU, &c->r->rules.owner, err);
}

static void on_odd(void *ctx, const char *path)
{
    struct copying *c = ctx;

    task_say(c->r->task, SAY_WARN, "'%s' is neither a file nor a directory: left out", path);
}

static int next_batch(void *ctx, void *piece, struct err *err)
{
    struct copying *c = ctx;

    return tree_feed_next(c->r->feed, piece, err);
}

static bool copy_batch(void *ctx, void *piece, struct err *err)
{
    struct copying *c = ctx;
    struct tree_file file;
    uint32_t at = 0;

    while (tree_batch_take(&c->r->tree, piece, &at, &file)) {
        char from[PATH_CAP], to[PATH_CAP];
        struct copying_file now = {c->r, &c->done, c->r->tree.bytes, 0};
        struct copy_file copy = {
            .from = from, .to = to, .sized = file.listed, .wrote = wrote, .ctx = &now};
        uint64_t bytes;

        copy.size = file.size;
        copy.kind = file.kind;
        copy.sum = file.sum;
        if (!path_join(from, file.space->from, file.rel, err) ||
            !path_join(to, file.space->to, file.rel, err) ||
            !copy_file(&c->r->rules, &copy, &bytes, err) ||
            !wrote(&now, bytes > now.told ? bytes - now.told : 0, err)) {
            return false;
        }
    }
    return true;
}

unsigned restore_jobs(const struct restore_run *r)
{
    int64_t configured = r->req->server->parallel_jobs;

    if (r->req->jobs) {
        return r->req->jobs;
    }
    return configured > 2 && configured < 1000 ? (unsigned)configured : 2;
}

/* pg_tblspc with its links, before anything is copied through them. */
static bool make_links(struct restore_run *r, struct err *err)
{
    const struct copy_owner *owner = &r->rules.owner;
    char path[PATH_CAP], there[PATH_CAP];

    if (!path_join(path, r->dest, "pg_tblspc", err) ||
        !copy_dir(path, r->dir_mode, owner, err)) {
        return false;
    }
    for (size_t i = 1; i < r->tree.spaces; i++) {
        const struct tree_space *space = &r->tree.space[i];
        ssize_t n;

        if (space->in_place) {
            if (!copy_dir(space->to, r->dir_mode, owner, err)) {
                return false;
            }
            continue;
        }
        if (!str_fmt(path, sizeof path, "%s/pg_tblspc/%" PRIu32, r->dest, space->oid)) {
            return err_set(err, ERR_FORMAT, "", r->dest, "path too long");
        }
        if (symlink(space->to, path) != 0 && errno != EEXIST) {
            return err_os(err, errno, "create the link", path);
        }
        n = readlink(path, there, sizeof there - 1);
        if (n < 0 || (size_t)n != strlen(space->to) ||
            memcmp(there, space->to, (size_t)n) != 0) {
            return err_set(err, ERR_UNSAFE, "Empty the destination and restore again.", path,
                           "there is something else in the place of the link");
        }
        if (owner->change && lchown(path, owner->uid, owner->gid) != 0) {
            return err_os(err, errno, "set the owner of", path);
        }
    }
    return true;
}

static bool copy_manifest(struct restore_run *r, struct err *err)
{
    char to[PATH_CAP];
    struct copy_file copy = {.from = r->tree.manifest, .to = to};
    uint64_t bytes;

    if (!r->tree.manifest) {
        return true;
    }
    return (str_fmt(to, sizeof to, "%s/backup_manifest.%s", r->dest, r->backup->id) ||
            err_set(err, ERR_FORMAT, "", r->dest, "path too long")) &&
           copy_file(&r->rules, &copy, &bytes, err);
}

static bool copy_files(struct restore_run *r, struct err *err)
{
    struct copying c = {r, 0};
    struct feed_spec feed = {FEED_ALL, &c, on_dir, on_odd};
    struct pool_spec pool = {
        .piece_size = sizeof(struct tree_batch),
        .jobs = restore_jobs(r),
        .ctx = &c,
        .next = next_batch,
        .work = copy_batch,
    };

    r->feed = tree_feed_new(&r->tree, &feed, err);
    return r->feed && make_links(r, err) && pool_run(r->task, &pool, err);
}

bool restore_copy_tree(struct restore_run *r, struct err *err)
{
    char path[PATH_CAP];
    bool ok =
        r->tree.archives ? make_links(r, err) && restore_unpack(r, err) : copy_files(r, err);

    return ok && copy_manifest(r, err) && path_join(path, r->dest, "pg_wal", err) &&
           copy_dir(path, r->dir_mode, &r->rules.owner, err) &&
           path_join(path, r->dest, "pg_wal/archive_status", err) &&
           copy_dir(path, r->dir_mode, &r->rules.owner, err);
}

/* --- WAL --- */

struct wal_copying {
    struct restore_run *r;
    size_t next;
    struct progress progress;
};

static int open_new(const struct restore_run *r, const char *path, struct err *err)
{
    const struct copy_owner *owner = &r->rules.owner;
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);

    if (fd < 0) {
        err_os(err, errno, "create", path);
        return -1;
    }
    if ((owner->change && fchown(fd, owner->uid, owner->gid) != 0) ||
        fchmod(fd, r->file_mode) != 0) {
        err_os(err, errno, "set owner and mode of", path);
        close(fd);
        return -1;
    }
    return fd;
}

static bool put_chunk(const struct restore_run *r, int fd, struct str bytes, const char *path,
                      struct err *err)
{
    return bytes.n == 0 ||
           (fd_write_all(fd, bytes.p, bytes.n, path, err) && restore_pace(r, bytes.n, err));
}

/* The whole of a kept WAL file, as plain WAL, under its name; size 0: any. */
static bool write_wal(const struct restore_run *r, const struct wal_found *found,
                      const char *path, uint64_t size, struct err *err)
{
    uint8_t chunk[CHUNK];
    struct wal_reader *rd = wal_reader_new(found, r->seg_size, err);
    uint64_t at = 0, started = 0;
    int fd = rd ? open_new(r, path, err) : -1;
    bool ok = fd >= 0;
    size_t got = 1;

    while (ok && got > 0) {
        ok = wal_read(rd, chunk, sizeof chunk, &got, err) &&
             put_chunk(r, fd, str_n((const char *)chunk, got), path, err);
        at += ok ? got : 0;
        if (ok) {
            sync_wrote(&r->sync, fd, at, &started);
        }
    }
    if (ok && size && at != size) {
        ok = err_set(err, ERR_FORMAT, "Restore to a target before it.", found->path,
                     "has %" PRIu64 " bytes instead of %" PRIu64, at, size);
    }
    ok = ok && sync_file(&r->sync, fd, path, err);
    if (fd >= 0 && close(fd) != 0 && ok) {
        ok = err_os(err, errno, "write", path);
    }
    wal_reader_free(rd);
    return ok;
}

/* So that the server does not archive again what is archived. An unfinished segment goes on
 * being written and has to be archived when it is full. */
static bool write_done(const struct restore_run *r, const char *name, struct err *err)
{
    char path[PATH_CAP];
    int fd;

    if (r->mode != WAL_MODE_INTO_PGDATA) {
        return true;
    }
    if (!str_fmt(path, sizeof path, "%s/pg_wal/archive_status/%s.done", r->dest, name)) {
        return err_set(err, ERR_FORMAT, "", r->dest, "path too long");
    }
    fd = open_new(r, path, err);
    return fd >= 0 && (close(fd) == 0 || err_os(err, errno, "write", path));
}

static bool copy_one(const struct restore_run *r, const char *name, uint64_t size,
                     struct err *err)
{
    struct wal_found found;
    char path[PATH_CAP];

    return wal_find(&r->repo, name, size ? WAL_OR_PARTIAL : WAL_WHOLE, &found, err) &&
           path_join(path, r->wal_dest, name, err) && write_wal(r, &found, path, size, err) &&
           (found.is_partial || write_done(r, name, err));
}

static int next_wal(void *ctx, void *piece, struct err *err)
{
    struct wal_copying *c = ctx;

    (void)err;
    if (c->next == c->r->copies) {
        return 0;
    }
    memcpy(piece, &c->r->copy[c->next++], sizeof(struct wal_seg));
    return 1;
}

static bool copy_wal(void *ctx, void *piece, struct err *err)
{
    const struct wal_copying *c = ctx;
    struct wal_seg seg;
    char name[WAL_NAME_CAP];

    memcpy(&seg, piece, sizeof seg);
    wal_seg_name(seg, c->r->seg_size, name);
    return copy_one(c->r, name, c->r->seg_size, err);
}

static void wal_done(void *ctx, const void *piece)
{
    struct wal_copying *c = ctx;

    (void)piece;
    c->progress.done += c->r->seg_size;
    task_progress(c->r->task, &c->progress);
}

bool restore_copy_wal(struct restore_run *r, struct err *err)
{
    struct wal_copying c = {r, 0, {.phase = "copy WAL"}};
    struct pool_spec pool = {
        .piece_size = sizeof(struct wal_seg),
        .jobs = restore_jobs(r),
        .ctx = &c,
        .next = next_wal,
        .work = copy_wal,
        .done = wal_done,
    };

    if (!r->wal_dest) {
        return true;
    }
    c.progress.total = (uint64_t)r->copies * r->seg_size;
    if (!make_dirs(r, r->wal_dest, err) || !sync_open(&r->sync, r->wal_dest, err) ||
        !pool_run(r->task, &pool, err)) {
        return false;
    }
    for (size_t i = 0; i < r->kept.history_files; i++) {
        if (!copy_one(r, r->kept.history_file[i], 0, err)) {
            return false;
        }
    }
    return true;
}

/* --- the end --- */

/* On an old kernel every directory is synced by itself, and files were. */
static bool sync_dirs(struct restore_run *r, const char *root, struct err *err)
{
    struct tree tree = {.depth = 0};
    struct tree_entry e;
    bool ok;

    if (r->sync.way != SYNC_EACH) {
        return true;
    }
    ok = tree_open(&tree, root, err);
    while (ok && (ok = tree_next(&tree, &e, err)) && e.kind != TREE_END) {
        if (e.kind == TREE_DIR) {
            ok = dir_sync(tree.path, err);
        }
    }
    tree_close(&tree);
    return ok && dir_sync(root, err);
}

/* The bytes of a small file of the backup, held against the manifest. */
static bool read_kept(struct restore_run *r, const char *rel, const struct tree_file *listed,
                      struct str *out, struct err *err)
{
    uint8_t sum[DIGEST_MAX];
    struct digest d;
    char path[PATH_CAP];

    if (!path_join(path, r->tree.space[0].from, rel, err) ||
        !file_read(r->a, path, SMALL_MAX, out, err)) {
        return false;
    }
    if (!listed->listed) {
        return true;
    }
    if (!digest_init(&d, listed->kind, err)) {
        return false;
    }
    digest_feed(&d, out->p, out->n);
    digest_end(&d, sum);
    if (out->n != listed->size || memcmp(sum, listed->sum, digest_size(listed->kind)) != 0) {
        return err_set(err, ERR_FORMAT, "Restore another backup.", path,
                       "not what the manifest says");
    }
    return true;
}

static bool put_label(struct restore_run *r, struct err *err)
{
    struct str text;
    struct err missing = {0};

    if (r->tree.archives) {
        return restore_put(r, "backup_label", r->label, r->file_mode, err);
    }
    if (!read_kept(r, "backup_label", tree_feed_label(r->feed), &text, &missing)) {
        if (missing.code != ERR_MISSING || !r->backup->backup_label) {
            *err = missing;
            return false;
        }
        text = str_of(r->backup->backup_label);
    }
    return restore_put(r, "backup_label", text, r->file_mode, err);
}

static bool put_signal(struct restore_run *r, struct err *err)
{
    if (r->req->standby_mode) {
        return restore_put(r, "standby.signal", str_of(""), r->file_mode, err);
    }
    return r->mode == WAL_MODE_INTO_PGDATA ||
           restore_put(r, "recovery.signal", str_of(""), r->file_mode, err);
}

bool restore_copy_end(struct restore_run *r, struct err *err)
{
    char path[PATH_CAP];
    struct str control = r->control;

    for (size_t i = 0; i < r->places; i++) {
        if (!sync_dirs(r, r->place[i].path, err)) {
            return false;
        }
    }
    if (!task_go_on(r->task, err) || !sync_finish(&r->sync, err) || !put_label(r, err) ||
        !put_signal(r, err) ||
        (!r->tree.archives &&
         !read_kept(r, "global/pg_control", tree_feed_control(r->feed), &control, err)) ||
        !restore_again_forget(r, err) ||
        !restore_put(r, "global/pg_control", control, r->file_mode, err)) {
        return false;
    }
    for (size_t i = r->places; i-- > 0;) {
        if (!path_join(path, r->place[i].path, RESTORE_MARKER, err) ||
            !file_remove(path, err)) {
            return false;
        }
    }
    return true;
}
