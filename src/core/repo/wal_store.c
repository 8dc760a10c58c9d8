/* SPDX-License-Identifier: PostgreSQL */
#include "wal_store.h"

#include "base/clock.h"
#include "base/digest.h"
#include "base/log.h"
#include "wal_check.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct pending {
    char source[PATH_CAP];
    char dir[PATH_CAP]; /* of the archived file, to be synced */
    struct wal_file wal;
    bool is_twin;
    dev_t dev; /* of the source: what is removed must be what was archived */
    ino_t ino;
};

struct wal_store {
    const struct repo *r;
    struct wal_store_options options;
    size_t n;
    struct pending item[WAL_BATCH];
    char in[65536], out[65536];
};

struct wal_store *wal_store_new(const struct repo *r, const struct wal_store_options *options,
                                struct err *err)
{
    struct wal_store *s = malloc(sizeof *s);

    if (!s) {
        err_set(err, ERR_MEMORY, "", "", "out of memory");
        return NULL;
    }
    s->r = r;
    s->options = *options;
    s->n = 0;
    return s;
}

void wal_store_free(struct wal_store *s)
{
    free(s);
}

/* A hard link is refused across file systems, by some file systems at all, and for files of
 * other users. */
static bool link_impossible(int os)
{
    return os == EXDEV || os == EPERM || os == EOPNOTSUPP || os == EMLINK || os == ENOSYS;
}

/* Give tmp the name dest, which nobody has: the caller looked, and holds the lock. */
static bool name_it(const char *tmp, const char *dest, struct err *err)
{
    if (link(tmp, dest) == 0) {
        unlink(tmp);
        return true;
    }
    if (!link_impossible(errno)) {
        return err_os(err, errno, "create", dest);
    }
    return rename(tmp, dest) == 0 ? true : err_os(err, errno, "create", dest);
}

static bool copy_plain(struct wal_store *s, int from, int to, const char *source,
                       const char *tmp, struct err *err)
{
    size_t got;

    do {
        if (!fd_read_full(from, s->in, sizeof s->in, &got, source, err) ||
            !fd_write_all(to, s->in, got, tmp, err)) {
            return false;
        }
    } while (got == sizeof s->in);
    return true;
}

static bool copy_packed(struct wal_store *s, int from, int to, const char *source,
                        const char *tmp, struct err *err)
{
    struct codec *c = codec_new(s->options.pack, CODEC_PACK, s->options.level, err);
    bool ok = c != NULL, end = false;
    struct str in = {s->in, 0};
    struct codec_out out;

    while (ok && !(end && out.got == 0 && in.n == 0)) {
        if (in.n == 0 && !end) {
            size_t got;

            ok = fd_read_full(from, s->in, sizeof s->in, &got, source, err);
            in = str_n(s->in, ok ? got : 0);
            end = ok && got < sizeof s->in;
        }
        out = (struct codec_out){.p = s->out, .cap = sizeof s->out};
        ok = ok && codec_run(c, &in, end ? CODEC_LAST : CODEC_MORE_COMES, &out, err) &&
             fd_write_all(to, s->out, out.got, tmp, err);
    }
    codec_free(c);
    return ok;
}

/* The source through <dest>.tmp, packed if so wanted, with the source's times. */
static bool copy_in(struct wal_store *s, int from, const struct wal_candidate *c,
                    const char *dest, struct err *err)
{
    bool pack = s->options.pack != CODEC_NONE && c->codec == CODEC_NONE;
    char tmp[PATH_CAP];
    struct stat st;
    bool ok;
    int to;

    if (!str_fmt(tmp, sizeof tmp, "%s.tmp", dest)) {
        return err_set(err, ERR_FORMAT, "Use a shorter directory.", dest, "path is too long");
    }
    to = open(tmp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (to < 0) {
        return err_os(err, errno, "create", tmp);
    }
    ok = lseek(from, 0, SEEK_SET) == 0 && fstat(from, &st) == 0
             ? true
             : err_os(err, errno, "read", c->path);
    ok = ok && (pack ? copy_packed(s, from, to, c->path, tmp, err)
                     : copy_plain(s, from, to, c->path, tmp, err));
    if (ok) {
        struct timespec times[2] = {st.st_atim, st.st_mtim};
        ok = futimens(to, times) == 0 ? true : err_os(err, errno, "set the time of", tmp);
    }
    ok = ok && fd_sync(to, tmp, err);
    if (close(to) != 0 && ok) {
        ok = err_os(err, errno, "close", tmp);
    }
    ok = ok && name_it(tmp, dest, err);
    if (!ok) {
        unlink(tmp);
    }
    return ok;
}

/* Syncing again what could not be synced may "succeed" with nothing on the disk, so such a file
 * must not be offered again. */
static bool sync_source(struct wal_store *s, int fd, const char *source, struct err *err)
{
    char moved_to[PATH_CAP];
    struct err second = {0};

    if (fd_sync(fd, source, err)) {
        return true;
    }
    if (wal_store_set_aside(s->r, source, "error", moved_to, &second)) {
        log_line(LOG_ERROR, "taken for lost and moved to '%s'", moved_to);
    } else {
        char text[1024];
        log_line(LOG_ERROR, "%s", err_text(&second, text, sizeof text));
    }
    return false;
}

static bool place(struct wal_store *s, int fd, const struct wal_candidate *c, const char *dest,
                  struct err *err)
{
    if (s->options.pack != CODEC_NONE && c->codec == CODEC_NONE) {
        return copy_in(s, fd, c, dest, err);
    }
    if (!sync_source(s, fd, c->path, err)) {
        return false;
    }
    if (link(c->path, dest) == 0) {
        return true;
    }
    return link_impossible(errno) ? copy_in(s, fd, c, dest, err)
                                  : err_os(err, errno, "create", dest);
}

/* One level below wals_dir, which must be there: a file system that is not mounted is not the
 * place to begin a new archive. */
static bool make_wal_dir(const struct repo *r, const char *dir, struct err *err)
{
    struct stat st;

    if (strcmp(dir, r->wals_dir) == 0 || file_kind(dir, NULL) == FILE_DIR) {
        return true;
    }
    if (stat(r->wals_dir, &st) != 0 || !S_ISDIR(st.st_mode)) {
        return err_set(err, ERR_IO, "Mount or create it.", r->wals_dir, "is not a directory");
    }
    if (mkdir(dir, 0700) == 0) {
        return dir_sync(r->wals_dir, err);
    }
    if (errno == EEXIST) {
        return err_set(err, ERR_IO, "Move it away; WAL is kept in real directories only.", dir,
                       "is not a directory");
    }
    return err_os(err, errno, "make the directory", dir);
}

static struct wal_reader *reader_of(const char *path, struct err *err)
{
    struct wal_found found = {.is_partial = false};

    str_copy(found.path, sizeof found.path, path);
    return wal_reader_new(&found, 0, err);
}

static bool read_full(struct wal_reader *rd, char *p, size_t n, size_t *got, struct err *err)
{
    size_t more = 1;

    for (*got = 0; *got < n && more > 0; *got += more) {
        if (!wal_read(rd, p + *got, n - *got, &more, err)) {
            return false;
        }
    }
    return true;
}

/* Do two files hold the same WAL? Sums of both for the case that they do not. */
static bool compare(struct wal_store *s, const char *kept, const char *offered, bool *same,
                    struct wal_added *out, struct err *err)
{
    struct wal_reader *a = reader_of(kept, err);
    struct wal_reader *b = a ? reader_of(offered, err) : NULL;
    struct digest da, db;
    uint8_t sum[DIGEST_MAX];
    size_t na = 1, nb = 0;
    bool ok = b != NULL;

    *same = true;
    digest_init(&da, DIGEST_SHA256);
    digest_init(&db, DIGEST_SHA256);
    while (ok && na + nb > 0) {
        ok = read_full(a, s->in, sizeof s->in, &na, err) &&
             read_full(b, s->out, sizeof s->out, &nb, err);
        if (ok) {
            *same = *same && na == nb && memcmp(s->in, s->out, na) == 0;
            digest_feed(&da, s->in, na);
            digest_feed(&db, s->out, nb);
        }
    }
    digest_end(&da, sum);
    hex_text(sum, digest_size(DIGEST_SHA256), out->ours, sizeof out->ours);
    digest_end(&db, sum);
    hex_text(sum, digest_size(DIGEST_SHA256), out->theirs, sizeof out->theirs);
    wal_reader_free(a);
    wal_reader_free(b);
    return ok;
}

/* The line of the file that is archived. */
static bool fill_line(const char *dest, struct wal_file *out, struct err *err)
{
    struct wal_candidate c;
    struct stat st;
    int fd = open(dest, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    bool ok;

    if (fd < 0) {
        return err_os(err, errno, "read", dest);
    }
    ok = wal_candidate_of(dest, fd, &c, err) &&
         (fstat(fd, &st) == 0 || err_os(err, errno, "read", dest));
    close(fd);
    if (ok) {
        *out = (struct wal_file){
            .size = c.size,
            .mtime = (double)st.st_mtim.tv_sec + 1e-9 * (double)st.st_mtim.tv_nsec,
        };
        str_copy(out->name, sizeof out->name, c.name);
        str_copy(out->compression, sizeof out->compression, codec_name(c.codec));
    }
    return ok;
}

static bool note(struct wal_store *s, const char *source, int fd, const char *dest,
                 enum wal_fate fate, struct err *err)
{
    struct pending *p = &s->item[s->n];
    struct stat st;

    if (fstat(fd, &st) != 0) {
        return err_os(err, errno, "read", source);
    }
    if (!fill_line(dest, &p->wal, err)) {
        return false;
    }
    str_copy(p->source, sizeof p->source, source);
    path_dir(dest, p->dir);
    p->is_twin = fate == WAL_TWIN;
    p->dev = st.st_dev;
    p->ino = st.st_ino;
    s->n++;
    return true;
}

/* The name is taken. A run that was killed between the link and the list leaves one file with
 * two names, and perhaps its .tmp. */
static bool meet_twin(struct wal_store *s, const struct wal_candidate *c, int fd,
                      const char *dest, struct wal_added *out, struct err *err)
{
    struct stat a, b;
    char tmp[PATH_CAP];
    bool same;

    if (fstat(fd, &a) != 0 || lstat(dest, &b) != 0) {
        return err_os(err, errno, "read", dest);
    }
    if (str_fmt(tmp, sizeof tmp, "%s.tmp", dest)) {
        unlink(tmp);
    }
    if (a.st_dev == b.st_dev && a.st_ino == b.st_ino) {
        same = sync_source(s, fd, c->path, err);
        if (!same) {
            return false;
        }
    } else if (!compare(s, dest, c->path, &same, out, err)) {
        return false;
    }
    if (same) {
        out->fate = WAL_TWIN;
        return note(s, c->path, fd, dest, WAL_TWIN, err);
    }
    out->fate = WAL_DUPLICATE;
    return wal_store_set_aside(s->r, c->path, "duplicate", out->moved_to, err);
}

static bool add_open(struct wal_store *s, const char *source, int fd, struct wal_added *out,
                     struct err *err)
{
    char dest[PATH_CAP], dir[PATH_CAP];
    struct wal_candidate c;

    if (!wal_candidate_of(source, fd, &c, err) || !repo_wal_path(s->r, c.name, dest, err)) {
        return false;
    }
    path_dir(dest, dir);
    /* What stays as it lies is checked; what is met by a twin need not be: it is compared. */
    if (file_kind(dest, NULL) != FILE_NONE) {
        return make_wal_dir(s->r, dir, err) && meet_twin(s, &c, fd, dest, out, err);
    }
    if (!wal_candidate_check(&c, &s->options.rules, err) || !make_wal_dir(s->r, dir, err) ||
        !place(s, fd, &c, dest, err)) {
        return false;
    }
    out->fate = WAL_STORED;
    return note(s, source, fd, dest, WAL_STORED, err);
}

bool wal_store_add(struct wal_store *s, const char *source, struct wal_added *out,
                   struct err *err)
{
    bool ok;
    int fd;

    *out = (struct wal_added){.fate = WAL_STORED};
    if (s->n == WAL_BATCH && !wal_store_flush(s, err)) {
        return false;
    }
    fd = open(source, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0 && errno == ELOOP) {
        return err_set(err, ERR_FORMAT, "Remove it from there.", source, "is a symbolic link");
    }
    if (fd < 0) {
        return err_os(err, errno, "read", source);
    }
    ok = add_open(s, source, fd, out, err);
    close(fd);
    return ok;
}

static bool sync_dirs(const struct wal_store *s, struct err *err)
{
    for (size_t i = 0; i < s->n; i++) {
        bool done = false;

        for (size_t k = 0; k < i && !done; k++) {
            done = strcmp(s->item[k].dir, s->item[i].dir) == 0;
        }
        if (!done && !dir_sync(s->item[i].dir, err)) {
            return false;
        }
    }
    return true;
}

static bool append_lines(const struct wal_store *s, struct err *err)
{
    struct wal_file stored[WAL_BATCH], twin[WAL_BATCH];
    size_t n = 0, twins = 0;

    for (size_t i = 0; i < s->n; i++) {
        if (s->item[i].is_twin) {
            twin[twins++] = s->item[i].wal;
        } else {
            stored[n++] = s->item[i].wal;
        }
    }
    return (n == 0 || xlogdb_append(s->r, stored, n, err)) &&
           (twins == 0 || xlogdb_append_missing(s->r, twin, twins, err));
}

bool wal_store_flush(struct wal_store *s, struct err *err)
{
    bool ok = true;

    if (!sync_dirs(s, err) || !append_lines(s, err)) {
        return false;
    }
    for (size_t i = 0; i < s->n; i++) {
        const struct pending *p = &s->item[i];
        struct stat st;

        if (lstat(p->source, &st) == 0 && st.st_dev == p->dev && st.st_ino == p->ino &&
            unlink(p->source) != 0 && errno != ENOENT && ok) {
            ok = err_os(err, errno, "remove", p->source);
        }
    }
    s->n = 0;
    return ok;
}

static bool copy_aside(const char *source, const char *to, struct err *err)
{
    char buf[65536];
    size_t got = sizeof buf;
    int in = open(source, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    int out = in >= 0 ? open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600) : -1;
    bool ok = out >= 0 ? true : err_os(err, errno, "move aside", source);

    while (ok && got == sizeof buf) {
        ok = fd_read_full(in, buf, sizeof buf, &got, source, err) &&
             fd_write_all(out, buf, got, to, err);
    }
    ok = ok && fd_sync(out, to, err);
    if (in >= 0) {
        close(in);
    }
    if (out >= 0) {
        close(out);
        if (!ok) {
            unlink(to);
        }
    }
    return ok;
}

/* Never over another one: two of one name within a second get neighbouring stamps. */
static bool move_aside(const char *source, const char *dir, const char *why, int64_t now_us,
                       char to[PATH_CAP], struct err *err)
{
    for (int turn = 0; turn < 60; turn++) {
        struct civil c = civil_at(now_us + turn * US_PER_S, 0);

        if (!str_fmt(to, PATH_CAP, "%s/%s.%04d%02d%02dT%02d%02d%02dZ.%s", dir,
                     path_base(source), c.year, c.month, c.day, c.hour, c.minute, c.second,
                     why)) {
            return err_set(err, ERR_FORMAT, "Rename it.", source, "name is too long");
        }
        if (file_kind(to, NULL) != FILE_NONE) {
            continue;
        }
        if (link(source, to) == 0) {
            return true;
        }
        /* A directory cannot be linked, but renamed. */
        if (link_impossible(errno)) {
            return rename(source, to) == 0 || copy_aside(source, to, err);
        }
        if (errno != EEXIST) {
            return err_os(err, errno, "move aside", source);
        }
    }
    return err_set(err, ERR_IO, "Look at what is delivered again and again.", source,
                   "cannot be set aside 60 times a minute");
}

bool wal_store_set_aside(const struct repo *r, const char *source, const char *why,
                         char moved_to[PATH_CAP], struct err *err)
{
    if (!dir_make(r->errors_dir, err) ||
        !move_aside(source, r->errors_dir, why, clock_wall_ns() / 1000, moved_to, err) ||
        !dir_sync(r->errors_dir, err)) {
        return false;
    }
    return unlink(source) == 0 || errno == ENOENT ? true : err_os(err, errno, "remove", source);
}
