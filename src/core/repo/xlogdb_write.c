/* SPDX-License-Identifier: PostgreSQL */
/* Everything that changes xlog.db; always under LOCK_XLOGDB. */
#include "base/log.h"
#include "codec.h"
#include "gpg.h"
#include "wal/seg.h"
#include "xlogdb.h"
#include "xlogdb_line.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define OUT_CAP 16384

/* A file that is being made: lines are gathered and written in pieces. */
struct out {
    int fd;
    enum catalogue_layout layout;
    const struct codec_custom *custom; /* may be NULL */
    const char *path;
    struct sbuf text;
    char mem[OUT_CAP];
};

static bool out_open(struct out *o, const struct repo *r, const char *path, int flags,
                     struct err *err)
{
    o->path = path;
    o->layout = r->layout;
    o->custom = r->custom;
    sbuf_init(&o->text, o->mem, sizeof o->mem);
    o->fd = open(path, O_CREAT | O_CLOEXEC | O_NOFOLLOW | flags, 0600);
    return o->fd >= 0 ? true : err_os(err, errno, "open", path);
}

static bool out_write(struct out *o, struct err *err)
{
    bool ok = fd_write_all(o->fd, o->text.p, o->text.len, o->path, err);

    sbuf_init(&o->text, o->mem, sizeof o->mem);
    return ok;
}

static bool out_line(struct out *o, struct str line, struct err *err)
{
    if (o->text.len + line.n + 2 > OUT_CAP && !out_write(o, err)) {
        return false;
    }
    sbuf_add_n(&o->text, line.p, line.n);
    sbuf_char(&o->text, '\n');
    return sbuf_ok(&o->text) ? true
                             : err_set(err, ERR_FORMAT, "", o->path,
                                       "a line has more than %d bytes", OUT_CAP);
}

static bool out_wal(struct out *o, const struct wal_file *wal, struct err *err)
{
    char mem[XLOGDB_LINE_MAX];
    struct sbuf line;

    sbuf_init(&line, mem, sizeof mem);
    if (o->layout == LAYOUT_CURRENT) {
        xlogdb_put_line(&line, wal);
    } else if (xlogdb_legacy_ok(wal, err)) {
        xlogdb_put_legacy_line(&line, wal);
    } else {
        return false;
    }
    return out_line(o, str_n(mem, line.len - 1), err);
}

static bool out_close(struct out *o, bool ok, struct err *err)
{
    ok = ok && out_write(o, err) && fd_sync(o->fd, o->path, err);
    if (o->fd >= 0 && close(o->fd) != 0 && ok) {
        ok = err_os(err, errno, "close", o->path);
    }
    return ok;
}

/* The line of a file as it lies on disk. *there: it is not gone, and a regular file. */
static bool wal_on_disk(const struct codec_custom *custom, const char *path, const char *name,
                        struct wal_file *out, bool *there, struct err *err)
{
    char head[CODEC_MAGIC_LEN];
    struct stat st;
    size_t got = 0;
    bool ok;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);

    *there = false;
    if (fd < 0) {
        return errno == ENOENT || errno == ELOOP || errno == ENXIO ||
               err_os(err, errno, "read", path);
    }
    ok = fstat(fd, &st) == 0 || err_os(err, errno, "read", path);
    if (!ok || !S_ISREG(st.st_mode)) {
        close(fd);
        return ok;
    }
    ok = fd_read_full(fd, head, sizeof head, &got, path, err);
    close(fd);
    if (!ok) {
        return false;
    }
    *out = (struct wal_file){
        .size = (uint64_t)st.st_size,
        .mtime = (double)st.st_mtim.tv_sec + 1e-9 * (double)st.st_mtim.tv_nsec,
    };
    str_copy(out->compression, sizeof out->compression,
             codec_name(codec_detect(head, got, custom)));
    if (!out->compression[0] && gpg_detect(head, got)) {
        str_copy(out->encryption, sizeof out->encryption, "gpg");
    }
    *there = str_copy(out->name, sizeof out->name, name);
    return true;
}

static void count(struct xlogdb_rebuilt *made, enum wal_name_kind kind)
{
    made->history += kind == WAL_NAME_HISTORY;
    made->labels += kind == WAL_NAME_BACKUP;
    made->segments += kind == WAL_NAME_SEGMENT;
    made->partials += kind == WAL_NAME_PARTIAL;
}

static bool list_file(struct out *o, const char *dir, const char *name,
                      struct xlogdb_rebuilt *made, struct err *err)
{
    char path[PATH_CAP];
    struct wal_file wal;
    bool there;

    if (!path_join(path, dir, name, err) ||
        !wal_on_disk(o->custom, path, name, &wal, &there, err)) {
        return false;
    }
    if (!there) {
        return true;
    }
    count(made, wal_name_kind(str_of(name), WAL_CASE_EITHER));
    return out_wal(o, &wal, err);
}

static bool list_dir(struct out *o, const char *dir, struct arena *a,
                     struct xlogdb_rebuilt *made, struct err *err)
{
    struct arena_mark mark = arena_mark(a);
    struct names names;
    bool ok = dir_names(a, dir, DIR_MUST_EXIST, &names, err);

    for (size_t i = 0; ok && i < names.n; i++) {
        enum wal_name_kind kind = wal_name_kind(str_of(names.name[i]), WAL_CASE_EITHER);

        if (kind != WAL_NAME_OTHER && kind != WAL_NAME_HISTORY) {
            ok = list_file(o, dir, names.name[i], made, err);
        }
    }
    arena_reset(a, mark);
    return ok;
}

static bool list_all(struct out *o, const struct repo *r, struct arena *a,
                     struct xlogdb_rebuilt *made, struct err *err)
{
    struct names names;
    bool ok = dir_names(a, r->wals_dir, DIR_MAY_MISS, &names, err);

    for (size_t i = 0; ok && i < names.n; i++) {
        struct str name = str_of(names.name[i]);
        char dir[PATH_CAP];
        uint64_t hex;

        if (wal_name_kind(name, WAL_CASE_EITHER) == WAL_NAME_HISTORY) {
            ok = list_file(o, r->wals_dir, names.name[i], made, err);
        } else if (name.n == WAL_DIR_LEN && str_hex_u64(name, 0, &hex)) {
            ok = path_join(dir, r->wals_dir, names.name[i], err);
            ok = ok && (file_kind(dir, NULL) != FILE_DIR || list_dir(o, dir, a, made, err));
        }
    }
    return ok;
}

static bool other_path(const struct repo *r, char path[PATH_CAP], struct err *err)
{
    struct repo other = *r;

    other.layout = r->layout == LAYOUT_LEGACY ? LAYOUT_CURRENT : LAYOUT_LEGACY;
    return repo_xlogdb_path(&other, path, err);
}

static bool tmp_path(const struct repo *r, char path[PATH_CAP], char tmp[PATH_CAP],
                     struct err *err)
{
    if (!repo_xlogdb_path(r, path, err)) {
        return false;
    }
    return str_fmt(tmp, PATH_CAP, "%s.tmp", path)
               ? true
               : err_set(err, ERR_FORMAT, "Use a shorter directory.", path, "path is too long");
}

/* The list of the other layout says nothing any more. */
static bool other_remove(const struct repo *r, struct err *err)
{
    char path[PATH_CAP];

    return other_path(r, path, err) && (access(path, F_OK) != 0 || file_remove(path, err));
}

static bool rebuild_locked(const struct repo *r, struct xlogdb_rebuilt *made, struct err *err)
{
    char path[PATH_CAP], tmp[PATH_CAP];
    struct arena a;
    struct out o;
    bool ok;

    *made = (struct xlogdb_rebuilt){0};
    if (!tmp_path(r, path, tmp, err) || !dir_make(r->xlogdb_dir, err) ||
        !out_open(&o, r, tmp, O_WRONLY | O_TRUNC, err)) {
        return false;
    }
    arena_init(&a, 0);
    ok = out_close(&o, list_all(&o, r, &a, made, err), err) && file_rename(tmp, path, err) &&
         other_remove(r, err);
    arena_release(&a);
    if (!ok) {
        unlink(tmp);
    } else {
        log_line(LOG_WARNING, "made '%s' from the WAL files on disk", path);
    }
    return ok;
}

bool xlogdb_rebuild(const struct repo *r, struct xlogdb_rebuilt *out, struct err *err)
{
    struct lock lock;
    bool ok;

    if (!lock_take(&lock, r, LOCK_XLOGDB, LOCK_WAIT, err)) {
        return false;
    }
    ok = rebuild_locked(r, out, err);
    lock_release(&lock);
    return ok;
}

static bool make_missing_locked(const struct repo *r, struct err *err)
{
    struct xlogdb_rebuilt made;
    char path[PATH_CAP];

    if (!repo_xlogdb_path(r, path, err)) {
        return false;
    }
    return access(path, F_OK) == 0 || errno != ENOENT || rebuild_locked(r, &made, err);
}

bool xlogdb_make_missing(const struct repo *r, struct err *err)
{
    struct lock lock;
    bool ok;

    if (!lock_take(&lock, r, LOCK_XLOGDB, LOCK_WAIT, err)) {
        return false;
    }
    ok = make_missing_locked(r, err);
    lock_release(&lock);
    return ok;
}

struct append {
    const struct wal_file *wal;
    size_t n;
};

/* If the torn line names a file that is archived, put its line in again; unless that file is
 * one of those that are put in now. */
static bool heal_line(const struct repo *r, struct out *o, const char *name,
                      const struct append *new, struct err *err)
{
    char path[PATH_CAP];
    struct err ignored;
    struct wal_file wal;
    bool there;

    for (size_t i = 0; i < new->n; i++) {
        if (strcmp(new->wal[i].name, name) == 0) {
            return true;
        }
    }
    if (!repo_wal_path(r, name, path, &ignored)) {
        return true; /* torn in its name */
    }
    return wal_on_disk(o->custom, path, name, &wal, &there, err) &&
           (!there || out_wal(o, &wal, err));
}

/* What stands after the last newline was torn by a crash: cut it off. */
static bool heal_tail(const struct repo *r, struct out *o, off_t *size,
                      const struct append *new, struct err *err)
{
    char tail[XLOGDB_LINE_MAX];
    off_t from = *size > (off_t)sizeof tail ? *size - (off_t)sizeof tail : 0;
    struct str rest, name;
    ssize_t n = *size ? pread(o->fd, tail, sizeof tail, from) : 0;
    size_t keep;

    if (n < 0) {
        return err_os(err, errno, "read", o->path);
    }
    for (keep = (size_t)n; keep > 0 && tail[keep - 1] != '\n'; keep--) {
    }
    if (keep == (size_t)n) {
        return true;
    }
    if (keep == 0 && from > 0) {
        return err_set(err, ERR_FORMAT,
                       "Move that file away: it is made anew from the WAL files on disk.",
                       o->path, "the last line has no end");
    }
    *size = from + (off_t)keep;
    if (ftruncate(o->fd, *size) != 0) {
        return err_os(err, errno, "truncate", o->path);
    }
    log_line(LOG_WARNING, "cut a torn last line off '%s'", o->path);
    rest = str_n(tail + keep, (size_t)n - keep);
    (void)str_split(&rest, '\t', &name);
    tail[keep + name.n < sizeof tail ? keep + name.n : sizeof tail - 1] = '\0';
    return heal_line(r, o, tail + keep, new, err);
}

/* A failed append leaves no half of a line: the list is cut back to what it was. */
static bool append_locked(const struct repo *r, const struct wal_file *wal, size_t n,
                          struct err *err)
{
    char path[PATH_CAP];
    struct out o;
    off_t size;
    bool ok;

    if (!repo_xlogdb_path(r, path, err) || !out_open(&o, r, path, O_RDWR | O_APPEND, err)) {
        return false;
    }
    size = lseek(o.fd, 0, SEEK_END);
    ok = size >= 0 ? true : err_os(err, errno, "open", path);
    ok = ok && heal_tail(r, &o, &size, &(struct append){wal, n}, err);
    for (size_t i = 0; ok && i < n; i++) {
        ok = out_wal(&o, &wal[i], err);
    }
    ok = ok && out_write(&o, err) && fd_sync(o.fd, path, err);
    if (!ok && size >= 0 && ftruncate(o.fd, size) != 0) {
        log_line(LOG_ERROR, "cannot cut '%s' back to %lld bytes", path, (long long)size);
    }
    close(o.fd);
    return ok;
}

bool xlogdb_append(const struct repo *r, const struct wal_file *wal, size_t n, struct err *err)
{
    struct lock lock;
    char path[PATH_CAP];
    bool ok;

    if (!repo_xlogdb_path(r, path, err) || !lock_take(&lock, r, LOCK_XLOGDB, LOCK_WAIT, err)) {
        return false;
    }
    if (access(path, F_OK) != 0 && errno == ENOENT) {
        /* The new files are on disk already, so they are in what is made. */
        ok = make_missing_locked(r, err);
    } else {
        ok = append_locked(r, wal, n, err);
    }
    lock_release(&lock);
    return ok;
}

/* Names that the list holds go out of wal[]; the number of those that stay. */
static bool strike_listed(const struct repo *r, struct wal_file *wal, size_t *n,
                          struct err *err)
{
    struct xlogdb db;
    struct str line;
    int more = 0;

    if (!xlogdb_open_locked(&db, r, err)) {
        return false;
    }
    while (*n > 0 && (more = xlogdb_next_line(&db, &line, err)) > 0) {
        for (size_t i = 0; i < *n; i++) {
            size_t len = strlen(wal[i].name);

            if (line.n > len && line.p[len] == '\t' && memcmp(line.p, wal[i].name, len) == 0) {
                wal[i] = wal[--*n];
                break;
            }
        }
    }
    xlogdb_close(&db);
    return *n == 0 || more == 0;
}

bool xlogdb_append_missing(const struct repo *r, const struct wal_file *wal, size_t n,
                           struct err *err)
{
    struct lock lock;
    struct arena a;
    struct wal_file *left;
    bool ok;

    arena_init(&a, 0);
    left = ARENA_ARRAY(&a, n + 1, struct wal_file);
    if (!left || !lock_take(&lock, r, LOCK_XLOGDB, LOCK_WAIT, err)) {
        ok = left ? false : arena_err(&a, err);
        arena_release(&a);
        return ok;
    }
    memcpy(left, wal, n * sizeof *left);
    ok = make_missing_locked(r, err) && strike_listed(r, left, &n, err) &&
         (n == 0 || append_locked(r, left, n, err));
    lock_release(&lock);
    arena_release(&a);
    return ok;
}

/* Removing goes through one directory after the other; an emptied one is removed when the next
 * begins. */
struct remover {
    const struct repo *r;
    char dir[PATH_CAP];
    bool is_stopped; /* nothing more goes */
};

static void leave_dir(struct remover *m)
{
    if (m->dir[0] && strcmp(m->dir, m->r->wals_dir) != 0) {
        rmdir(m->dir); /* not empty: stays */
    }
    m->dir[0] = '\0';
}

static bool remove_wal(struct remover *m, const char *name, struct err *err)
{
    char path[PATH_CAP], dir[PATH_CAP];

    if (!repo_wal_path(m->r, name, path, err)) {
        return false;
    }
    if (unlink(path) != 0 && errno != ENOENT) {
        return err_os(err, errno, "remove", path);
    }
    path_dir(path, dir);
    if (strcmp(dir, m->dir) != 0) {
        leave_dir(m);
        memcpy(m->dir, dir, sizeof dir);
    }
    return true;
}

/* A line that is dropped: the file goes, unless somebody says no, from whom on all stay. */
static bool drop_line(struct remover *m, const struct xlogdb_prune *prune,
                      const struct wal_file *wal, struct err *err)
{
    if (prune->before && !prune->before(prune->ctx, wal, err)) {
        m->is_stopped = true;
        return false;
    }
    if (!remove_wal(m, wal->name, err)) {
        return false;
    }
    if (prune->dropped) {
        prune->dropped(prune->ctx, wal->name);
    }
    return true;
}

static bool prune_line(struct remover *m, const struct xlogdb_prune *prune, struct str line,
                       struct out *o, struct err *err)
{
    struct wal_file wal;

    if (!xlogdb_parse_line(line, &wal)) {
        if (prune->bad) {
            prune->bad(prune->ctx, line);
        }
        return true;
    }
    if (!m->is_stopped && prune->fate(prune->ctx, &wal) == XLOGDB_DROP) {
        if (drop_line(m, prune, &wal, err)) {
            return true;
        }
        if (!m->is_stopped) {
            return false;
        }
    }
    return out_line(o, line, err);
}

static bool prune_locked(const struct repo *r, const struct xlogdb_prune *prune,
                         struct err *err)
{
    struct remover m = {.r = r};
    char path[PATH_CAP], tmp[PATH_CAP];
    struct xlogdb db;
    struct str line;
    struct out o;
    bool ok = true;
    int more = 0;

    if (!make_missing_locked(r, err) || !tmp_path(r, path, tmp, err) ||
        !xlogdb_open_locked(&db, r, err)) {
        return false;
    }
    if (!out_open(&o, r, tmp, O_WRONLY | O_TRUNC, err)) {
        xlogdb_close(&db);
        return false;
    }
    while (ok && (more = xlogdb_next_line(&db, &line, err)) > 0) {
        ok = prune_line(&m, prune, line, &o, err);
    }
    leave_dir(&m);
    xlogdb_close(&db);
    ok = out_close(&o, ok && more == 0, err) && file_rename(tmp, path, err);
    if (!ok) {
        unlink(tmp);
    }
    return ok && !m.is_stopped;
}

bool xlogdb_prune(const struct repo *r, const struct xlogdb_prune *prune, struct err *err)
{
    struct lock lock;
    bool ok;

    if (!lock_take(&lock, r, LOCK_XLOGDB, LOCK_WAIT, err)) {
        return false;
    }
    ok = prune_locked(r, prune, err);
    lock_release(&lock);
    return ok;
}
