/* SPDX-License-Identifier: PostgreSQL */
#include "wal_store.h"

#include "base/digest.h"
#include "base/log.h"
#include "wal_check.h"
#include "wal_pack.h"

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
    struct wal_room *room; /* of wal_store_add(); NULL: not needed yet */
    size_t n;
    struct pending item[WAL_BATCH];
};

struct wal_prepared {
    char source[PATH_CAP], dest[PATH_CAP], tmp[PATH_CAP];
    int fd; /* of the source; -1: none */
    struct wal_room *room;
    bool has_tmp;
    bool is_met; /* the name is taken */
    bool is_same;
    enum codec_kind pack; /* done on the way: NONE also for what came packed */
    enum wal_seal seal;
    struct wal_candidate candidate;
    struct wal_added added;
    struct err err; /* code ERR_NONE: nothing wrong */
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
    s->room = NULL;
    s->n = 0;
    return s;
}

void wal_store_free(struct wal_store *s)
{
    if (s) {
        wal_room_free(s->room);
        free(s);
    }
}

/* Give tmp the name dest, which nobody has: the caller looked, and holds the lock. */
static bool name_it(const char *tmp, const char *dest, struct err *err)
{
    if (link(tmp, dest) == 0) {
        unlink(tmp);
        return true;
    }
    if (!wal_link_impossible(errno)) {
        return err_os(err, errno, "create", dest);
    }
    return rename(tmp, dest) == 0 ? true : err_os(err, errno, "create", dest);
}

/* The source into <dest>.tmp, packed and encrypted if so wanted, with the source's times. */
static bool fill_tmp(const struct wal_store *s, struct wal_prepared *p, int to, struct err *err)
{
    struct wal_pack pack = {
        .repo = s->r, .size = p->candidate.size, .room = p->room, .mem = p->candidate.mem};
    struct timespec times[2];
    struct stat st;

    if (lseek(p->fd, 0, SEEK_SET) != 0 || fstat(p->fd, &st) != 0) {
        return err_os(err, errno, "read", p->source);
    }
    pack.pack = p->pack;
    pack.level = s->options.level;
    pack.seal = p->seal;
    pack.cancel_fd = s->options.task ? s->options.task->cancel_fd : -1;
    times[0] = st.st_atim;
    times[1] = st.st_mtim;
    return wal_pack_copy(&pack, p->fd, p->source, to, p->tmp, err) &&
           (futimens(to, times) == 0 || err_os(err, errno, "set the time of", p->tmp)) &&
           fd_sync(to, p->tmp, err);
}

static bool make_tmp(const struct wal_store *s, struct wal_prepared *p, struct err *err)
{
    bool ok;
    int to;

    if (!str_fmt(p->tmp, sizeof p->tmp, "%s.tmp", p->dest)) {
        return err_set(err, ERR_FORMAT, "Use a shorter directory.", p->dest,
                       "path is too long");
    }
    to = open(p->tmp, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (to < 0) {
        return err_os(err, errno, "create", p->tmp);
    }
    p->has_tmp = true;
    ok = fill_tmp(s, p, to, err);
    if (close(to) != 0 && ok) {
        ok = err_os(err, errno, "close", p->tmp);
    }
    return ok;
}

/* Syncing again what could not be synced may "succeed" with nothing on the disk, so such a file
 * must not be offered again. */
static bool sync_source(const struct wal_store *s, int fd, const char *source, struct err *err)
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

/* What is neither packed nor encrypted is linked, else it goes through <dest>.tmp. */
static bool place(struct wal_store *s, struct wal_prepared *p, struct err *err)
{
    if (!p->has_tmp) {
        if (link(p->source, p->dest) == 0) {
            return true;
        }
        if (!wal_link_impossible(errno)) {
            return err_os(err, errno, "create", p->dest);
        }
        if (!make_tmp(s, p, err)) {
            return false;
        }
    }
    if (!name_it(p->tmp, p->dest, err)) {
        return false;
    }
    p->has_tmp = false;
    return true;
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
        /* A segment that is packed beside ours may just have made and is about to sync it. */
        return file_kind(dir, NULL) == FILE_DIR ||
               err_set(err, ERR_IO, "Move it away; WAL is kept in real directories only.", dir,
                       "is not a directory");
    }
    return err_os(err, errno, "make the directory", dir);
}

static struct wal_reader *reader_of(const struct wal_store *s, const char *path,
                                    struct err *err)
{
    struct wal_found found = {.repo = s->r};

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
static bool compare(const struct wal_store *s, const char *kept, const char *offered,
                    bool *same, struct wal_added *out, struct err *err)
{
    struct wal_reader *a = reader_of(s, kept, err);
    struct wal_reader *b = a ? reader_of(s, offered, err) : NULL;
    struct digest da, db;
    uint8_t sum[DIGEST_MAX];
    char in[32768], out_mem[32768];
    size_t na = 1, nb = 0;
    bool ok = b && digest_init(&da, DIGEST_SHA256, err) && digest_init(&db, DIGEST_SHA256, err);

    *same = true;
    while (ok && na + nb > 0) {
        ok = read_full(a, in, sizeof in, &na, err) &&
             read_full(b, out_mem, sizeof out_mem, &nb, err);
        if (ok) {
            *same = *same && na == nb && memcmp(in, out_mem, na) == 0;
            digest_feed(&da, in, na);
            digest_feed(&db, out_mem, nb);
        }
    }
    if (ok) {
        digest_end(&da, sum);
        hex_text(sum, digest_size(DIGEST_SHA256), out->ours, sizeof out->ours);
        digest_end(&db, sum);
        hex_text(sum, digest_size(DIGEST_SHA256), out->theirs, sizeof out->theirs);
    }
    wal_reader_free(a);
    wal_reader_free(b);
    return ok;
}

static bool note(struct wal_store *s, struct wal_prepared *w, struct err *err)
{
    struct pending *p = &s->item[s->n];
    struct stat st;

    if (fstat(w->fd, &st) != 0) {
        return err_os(err, errno, "read", w->source);
    }
    if (!wal_file_of(s->r, w->dest, &p->wal, err)) {
        return false;
    }
    if (!w->is_met && w->pack != CODEC_NONE) { /* its bytes cannot tell pigz from gzip */
        str_copy(p->wal.compression, sizeof p->wal.compression, codec_name(w->pack));
    }
    str_copy(p->source, sizeof p->source, w->source);
    path_dir(w->dest, p->dir);
    p->is_twin = w->is_met;
    p->dev = st.st_dev;
    p->ino = st.st_ino;
    s->n++;
    return true;
}

/* Byte by byte as they are stored: that needs no passphrase, and no unpacking. */
static bool same_stored(const char *kept, int offered)
{
    char a[32768], b[32768];
    size_t na = 1, nb = 1;
    struct err ignored;
    int fd = open(kept, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    bool same = fd >= 0 && lseek(offered, 0, SEEK_SET) == 0;

    while (same && na > 0) {
        same = fd_read_full(fd, a, sizeof a, &na, kept, &ignored) &&
               fd_read_full(offered, b, sizeof b, &nb, "", &ignored) && na == nb &&
               memcmp(a, b, na) == 0;
    }
    if (fd >= 0) {
        close(fd);
    }
    return same;
}

/* The name is taken. A run that was killed between the link and the list leaves one file with
 * two names, and perhaps its .tmp. What is encrypted and cannot be decrypted here cannot be
 * shown to be the same, unless it is so as it is stored. */
static bool meet_twin(const struct wal_store *s, struct wal_prepared *p, struct err *err)
{
    struct stat a, b;
    char tmp[PATH_CAP];
    struct wal_candidate kept;
    struct err why = {0};
    int fd;

    p->is_met = true;
    if (fstat(p->fd, &a) != 0 || lstat(p->dest, &b) != 0) {
        return err_os(err, errno, "read", p->dest);
    }
    if (str_fmt(tmp, sizeof tmp, "%s.tmp", p->dest)) {
        unlink(tmp);
    }
    if (a.st_dev == b.st_dev && a.st_ino == b.st_ino) {
        p->is_same = sync_source(s, p->fd, p->source, err);
        return p->is_same;
    }
    if (a.st_size == b.st_size && same_stored(p->dest, p->fd)) {
        p->is_same = true;
        return true;
    }
    if (compare(s, p->dest, p->source, &p->is_same, &p->added, &why)) {
        return true;
    }
    fd = open(p->dest, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd >= 0 && wal_candidate_of(s->r, p->dest, fd, &kept, err) && kept.is_sealed) {
        close(fd);
        p->is_same = false;
        p->added.ours[0] = p->added.theirs[0] = '\0';
        return true;
    }
    if (fd >= 0) {
        close(fd);
    }
    *err = why;
    return false;
}

/* Is this one of those whose records are walked? */
static bool is_proven(const struct wal_store *s, const struct wal_prepared *p)
{
    const struct wal_candidate *c = &p->candidate;

    return c->kind == WAL_NAME_SEGMENT && !c->is_sealed &&
           (s->options.prove == WAL_PROVE_ALL || s->options.pack != CODEC_NONE ||
            s->options.seal == WAL_SEALED || c->codec != CODEC_NONE);
}

/* A run that was killed may not have told what it had found. */
static void prove_twin(const struct wal_store *s, struct wal_prepared *p)
{
    struct err ignored;

    if (p->is_same && is_proven(s, p)) {
        (void)!wal_candidate_prove(&p->candidate, &s->options.rules, &p->added.proven,
                                   &ignored);
    }
}

bool wal_store_prove(const struct repo *r, const char *path, const struct wal_rules *rules,
                     struct wal_proven *out, struct err *err)
{
    struct wal_candidate c;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    bool ok;

    out->is_walked = false;
    if (fd < 0) {
        return err_os(err, errno, "read", path);
    }
    ok = wal_candidate_of(r, path, fd, &c, err);
    close(fd);
    return ok && (c.kind != WAL_NAME_SEGMENT || c.is_sealed ||
                  wal_candidate_prove(&c, rules, out, err));
}

/* What is packed from memory is read once: what was checked is what is packed. */
static bool read_whole(struct wal_prepared *p, struct err *err)
{
    struct wal_candidate *c = &p->candidate;

    return !wal_pack_is_whole(p->pack, c->size) ||
           wal_room_fill(p->room, p->fd, p->source, c->size, &c->mem, err);
}

static bool prepare_open(const struct wal_store *s, struct wal_prepared *p, struct err *err)
{
    struct wal_candidate *c = &p->candidate;
    char dir[PATH_CAP];

    if (!wal_candidate_of(s->r, p->source, p->fd, c, err) ||
        !repo_wal_path(s->r, c->name, p->dest, err)) {
        return false;
    }
    path_dir(p->dest, dir);
    /* What stays as it lies is checked; what is met by a twin need not be: it is compared. */
    if (file_kind(p->dest, NULL) != FILE_NONE) {
        if (!make_wal_dir(s->r, dir, err) || !meet_twin(s, p, err)) {
            return false;
        }
        prove_twin(s, p);
        return true;
    }
    p->pack = c->codec == CODEC_NONE && !c->is_sealed ? s->options.pack : CODEC_NONE;
    p->seal = c->is_sealed ? WAL_UNSEALED : s->options.seal;
    if (!read_whole(p, err) ||
        !wal_candidate_check(c, &s->options.rules, is_proven(s, p) ? &p->added.proven : NULL,
                             err) ||
        !make_wal_dir(s->r, dir, err)) {
        return false;
    }
    return p->pack != CODEC_NONE || p->seal == WAL_SEALED
               ? make_tmp(s, p, err)
               : sync_source(s, p->fd, p->source, err);
}

static bool prepare(const struct wal_store *s, struct wal_prepared *p, struct err *err)
{
    p->fd = open(p->source, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (p->fd < 0 && errno == ELOOP) {
        return err_set(err, ERR_FORMAT, "Remove it from there.", p->source,
                       "is a symbolic link");
    }
    if (p->fd < 0) {
        return err_os(err, errno, "read", p->source);
    }
    return prepare_open(s, p, err);
}

struct wal_prepared *wal_prepared_new(struct err *err)
{
    struct wal_prepared *p = malloc(sizeof *p);

    if (!p) {
        err_set(err, ERR_MEMORY, "", "", "out of memory");
        return NULL;
    }
    p->fd = -1;
    p->has_tmp = false;
    return p;
}

void wal_store_drop(struct wal_prepared *p)
{
    if (p->fd >= 0) {
        close(p->fd);
    }
    p->fd = -1;
    if (p->has_tmp) {
        unlink(p->tmp);
    }
    p->has_tmp = false;
}

void wal_prepared_free(struct wal_prepared *p)
{
    if (p) {
        wal_store_drop(p);
        free(p);
    }
}

void wal_store_prepare(const struct wal_store *s, const char *source, struct wal_room *room,
                       struct wal_prepared *p)
{
    wal_store_drop(p);
    p->room = room;
    p->is_met = p->is_same = false;
    p->pack = CODEC_NONE;
    p->seal = WAL_UNSEALED;
    p->added = (struct wal_added){.fate = WAL_STORED};
    p->err = (struct err){0};
    str_copy(p->source, sizeof p->source, source);
    if (!prepare(s, p, &p->err)) {
        wal_store_drop(p);
    }
    p->candidate.mem = (struct str){NULL, 0}; /* the room is the next one's */
}

const struct err *wal_prepared_err(const struct wal_prepared *p)
{
    return &p->err;
}

static bool take(struct wal_store *s, struct wal_prepared *p, struct err *err)
{
    if (s->n == WAL_BATCH && !wal_store_flush(s, err)) {
        return false;
    }
    if (!p->is_met) {
        return place(s, p, err) && note(s, p, err);
    }
    p->added.fate = p->is_same ? WAL_TWIN : WAL_DUPLICATE;
    return p->is_same
               ? note(s, p, err)
               : wal_store_set_aside(s->r, p->source, "duplicate", p->added.moved_to, err);
}

bool wal_store_take(struct wal_store *s, struct wal_prepared *p, struct wal_added *out,
                    struct err *err)
{
    bool ok = p->err.code == ERR_NONE;

    if (ok) {
        ok = take(s, p, err);
    } else {
        *err = p->err;
    }
    *out = p->added;
    wal_store_drop(p);
    return ok;
}

bool wal_store_add(struct wal_store *s, const char *source, struct wal_added *out,
                   struct err *err)
{
    struct wal_prepared *p = wal_prepared_new(err);
    bool ok = p && (s->room || (s->room = wal_room_new(err)) != NULL);

    if (ok) {
        wal_store_prepare(s, source, s->room, p);
        ok = wal_store_take(s, p, out, err);
    }
    wal_prepared_free(p);
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
