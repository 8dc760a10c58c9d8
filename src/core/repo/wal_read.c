/* SPDX-License-Identifier: PostgreSQL */
/* Finding WAL files and reading them as plain WAL. */
#include "base/sys.h"
#include "gpg.h"
#include "wal/seg.h"
#include "wal_store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define BUF_CAP    131072
#define GZIP_LEAST 18                 /* bytes of an empty one */
#define WHOLE_MAX  (64 * 1024 * 1024) /* larger ones are unpacked as a stream */

static bool have(struct wal_found *out, const char *dir, const char *name, bool is_partial)
{
    out->is_partial = is_partial;
    return str_fmt(out->path, sizeof out->path, "%s/%s", dir, name) &&
           file_kind(out->path, NULL) == FILE_REGULAR;
}

static bool have_archived(const struct repo *r, const char *name, struct wal_found *out,
                          bool is_partial)
{
    struct err ignored;

    out->is_partial = is_partial;
    return repo_wal_path(r, name, out->path, &ignored) &&
           file_kind(out->path, NULL) == FILE_REGULAR;
}

static bool find_partial(const struct repo *r, const char *name, struct wal_found *out)
{
    char partial[WAL_FILE_NAME_CAP];

    str_fmt(partial, sizeof partial, "%s.partial", name);
    return have(out, r->streaming_dir, partial, true) ||
           have(out, r->streaming_dir, name, false) || /* completed just now */
           have_archived(r, partial, out, true) || have(out, r->incoming_dir, partial, true);
}

bool wal_find(const struct repo *r, const char *name, enum wal_want want, struct wal_found *out,
              struct err *err)
{
    enum wal_name_kind kind = wal_name_kind(str_of(name), WAL_CASE_EITHER);

    out->repo = r;
    if (kind == WAL_NAME_OTHER) {
        return err_set(err, ERR_FORMAT, "", name, "not a WAL file name");
    }
    if (have_archived(r, name, out, false) || have(out, r->incoming_dir, name, false) ||
        have(out, r->streaming_dir, name, false)) {
        return true;
    }
    if (want == WAL_OR_PARTIAL && kind == WAL_NAME_SEGMENT && find_partial(r, name, out)) {
        return true;
    }
    if (have_archived(r, name, out, false)) {
        return true;
    }
    return err_set(err, ERR_MISSING, "", "", "WAL file '%s' not found in server '%s'", name,
                   r->server);
}

struct wal_reader {
    int fd;
    enum codec_kind kind;
    struct codec *codec; /* NULL: plain */
    struct str in;       /* packed bytes that wait in buf */
    bool end;            /* of the file */
    uint64_t given;
    uint64_t pad_to;
    const struct repo *repo;
    char path[PATH_CAP];
    char buf[BUF_CAP];
};

/* Through a file without a name: gpg writes it as a whole before any of it is believed. */
static bool unseal(struct wal_reader *rd, struct err *err)
{
    static const struct gpg none = {.cancel_fd = -1};
    const struct gpg *gpg = rd->repo && rd->repo->gpg ? rd->repo->gpg : &none;
    char tmp[PATH_CAP];
    int fd = -1;
    bool ok;

    if (rd->repo && str_fmt(tmp, sizeof tmp, "%s/.barkeep-XXXXXX", rd->repo->wals_dir)) {
        fd = mkstemp(tmp);
    }
    if (fd >= 0) {
        unlink(tmp);
    } else { /* a repository that may only be read: nothing of it is left on another disk */
        fd = sys_memory_file("barkeep-wal");
    }
    if (fd < 0) {
        return err_os(err, errno, "decrypt", rd->path);
    }
    ok = fcntl(fd, F_SETFD, FD_CLOEXEC) == 0 && lseek(rd->fd, 0, SEEK_SET) == 0
             ? gpg_decrypt(gpg, rd->fd, fd, rd->path, err)
             : err_os(err, errno, "read", rd->path);
    if (!ok || lseek(fd, 0, SEEK_SET) != 0) {
        ok = ok && err_os(err, errno, "read", rd->path);
        close(fd);
        return false;
    }
    close(rd->fd);
    rd->fd = fd;
    return true;
}

static bool reader_open(struct wal_reader *rd, struct err *err)
{
    const struct codec_custom *custom = rd->repo ? rd->repo->custom : NULL;
    char head[CODEC_MAGIC_LEN];
    struct stat st;
    ssize_t n;

    rd->fd = open(rd->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (rd->fd < 0) {
        int os = errno;
        err_os(err, os, "read", rd->path);
        err->code = os == ENOENT ? ERR_MISSING : ERR_IO;
        return false;
    }
    if (fstat(rd->fd, &st) != 0) {
        return err_os(err, errno, "read", rd->path);
    }
    if (!S_ISREG(st.st_mode)) {
        return err_set(err, ERR_FORMAT, "", rd->path, "not a regular file");
    }
    for (int turn = 0; turn < 2; turn++) {
        n = pread(rd->fd, head, sizeof head, 0);
        if (n < 0) {
            return err_os(err, errno, "read", rd->path);
        }
        rd->kind = codec_detect(head, (size_t)n, custom);
        if (rd->kind != CODEC_NONE || !gpg_detect(head, (size_t)n)) {
            break;
        }
        if (!unseal(rd, err)) {
            return false;
        }
    }
    if (rd->kind != CODEC_NONE) {
        rd->codec = codec_new(rd->kind, CODEC_UNPACK, 0, custom, err);
        return rd->codec != NULL;
    }
    return true;
}

struct wal_reader *wal_reader_new(const struct wal_found *found, uint32_t pad_to,
                                  struct err *err)
{
    struct wal_reader *rd = malloc(sizeof *rd);

    if (!rd) {
        err_set(err, ERR_MEMORY, "", "", "out of memory");
        return NULL;
    }
    rd->fd = -1;
    rd->kind = CODEC_NONE;
    rd->codec = NULL;
    rd->in = (struct str){NULL, 0};
    rd->end = false;
    rd->given = 0;
    rd->pad_to = found->is_partial ? pad_to : 0;
    rd->repo = found->repo;
    memcpy(rd->path, found->path, sizeof rd->path);
    if (!reader_open(rd, err)) {
        wal_reader_free(rd);
        return NULL;
    }
    return rd;
}

void wal_reader_free(struct wal_reader *rd)
{
    if (!rd) {
        return;
    }
    codec_free(rd->codec);
    if (rd->fd >= 0) {
        close(rd->fd);
    }
    free(rd);
}

enum codec_kind wal_reader_codec(const struct wal_reader *rd)
{
    return rd->kind;
}

static bool read_packed(struct wal_reader *rd, void *p, size_t cap, size_t *got,
                        struct err *err)
{
    struct codec_out out = {.p = p, .cap = cap};

    for (;;) {
        if (rd->in.n == 0 && !rd->end) {
            size_t n;

            if (!fd_read_full(rd->fd, rd->buf, sizeof rd->buf, &n, rd->path, err)) {
                return false;
            }
            rd->in = str_n(rd->buf, n);
            rd->end = n < sizeof rd->buf;
        }
        if (!codec_run(rd->codec, &rd->in, rd->end ? CODEC_LAST : CODEC_MORE_COMES, &out,
                       err)) {
            str_copy(err->what, sizeof err->what, rd->path);
            return false;
        }
        if (out.got || (rd->end && rd->in.n == 0)) {
            *got = out.got;
            return true;
        }
    }
}

bool wal_read(struct wal_reader *rd, void *p, size_t cap, size_t *got, struct err *err)
{
    if (rd->pad_to && rd->given >= rd->pad_to) {
        *got = 0;
        return true;
    }
    if (rd->pad_to && cap > rd->pad_to - rd->given) {
        cap = (size_t)(rd->pad_to - rd->given);
    }
    if (rd->codec ? !read_packed(rd, p, cap, got, err)
                  : !fd_read_full(rd->fd, p, cap, got, rd->path, err)) {
        return false;
    }
    if (*got == 0 && rd->given < rd->pad_to) {
        memset(p, 0, cap);
        *got = cap;
    }
    rd->given += *got;
    return true;
}

bool wal_read_stored(struct wal_reader *rd, void *p, size_t cap, size_t *got, struct err *err)
{
    return fd_read_full(rd->fd, p, cap, got, rd->path, err);
}

/* A gzip file ends with the size of what is in it, which bounds the room for it; whatever it says,
 * no more is unpacked than that. 0: it is not to be had as a whole. */
static size_t whole_size(const struct wal_reader *rd, size_t *packed)
{
    uint8_t tail[4];
    struct stat st;
    uint32_t size;

    if (rd->kind != CODEC_GZIP || rd->pad_to || fstat(rd->fd, &st) != 0 ||
        st.st_size < GZIP_LEAST || st.st_size > WHOLE_MAX ||
        pread(rd->fd, tail, sizeof tail, st.st_size - 4) != (ssize_t)sizeof tail) {
        return 0;
    }
    *packed = (size_t)st.st_size;
    size = (uint32_t)tail[0] | (uint32_t)tail[1] << 8 | (uint32_t)tail[2] << 16 |
           (uint32_t)tail[3] << 24;
    return size <= WHOLE_MAX ? size : 0;
}

struct whole {
    char *in, *out;
    size_t in_n, out_n;
};

/* false: no memory. */
static bool whole_new(struct whole *w)
{
    w->in = sys_large_new(w->in_n);
    w->out = sys_large_new(w->out_n);
    return w->in && w->out;
}

static void whole_free(struct whole *w)
{
    free(w->in);
    free(w->out);
}

/* At once, where that can be done. *done false: nothing was sent. */
static bool send_whole(struct wal_reader *rd, int fd, const char *what, bool *done,
                       struct err *err)
{
    struct whole w = {0};
    size_t got = 0;
    struct codec_out out;
    struct err unread;
    bool ok = true;

    w.out_n = whole_size(rd, &w.in_n);
    if (w.out_n == 0) {
        return true;
    }
    *done = whole_new(&w) && fd_read_full(rd->fd, w.in, w.in_n, &got, rd->path, &unread) &&
            got == w.in_n;
    out = (struct codec_out){w.out, w.out_n, 0};
    *done = *done && codec_whole_unpack(rd->kind, str_n(w.in, got), &out);
    if (*done) {
        ok = fd_write_all(fd, out.p, out.got, what, err);
    } else if (lseek(rd->fd, 0, SEEK_SET) != 0) {
        ok = err_os(err, errno, "read", rd->path);
    }
    whole_free(&w);
    return ok;
}

/* In the kernel, from file to file; where that cannot be done, or not to the end, the rest is read
 * from where it stopped. */
static void send_plain(const struct wal_reader *rd, int fd)
{
    struct stat st;

    if (rd->codec || rd->pad_to || fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) {
        return;
    }
    while (sys_copy_range(rd->fd, fd, WHOLE_MAX) > 0) {
    }
}

bool wal_send(const struct wal_found *found, uint32_t pad_to, int fd, const char *what,
              struct err *err)
{
    struct wal_reader *rd = wal_reader_new(found, pad_to, err);
    char buf[65536];
    size_t got;
    bool done = false, ok = rd && send_whole(rd, fd, what, &done, err);

    if (ok && !done) {
        send_plain(rd, fd);
    }
    while (ok && !done && (ok = wal_read(rd, buf, sizeof buf, &got, err)) && got > 0) {
        ok = fd_write_all(fd, buf, got, what, err);
    }
    wal_reader_free(rd);
    return ok;
}

static bool read_whole(struct wal_reader *rd, struct sbuf *b, size_t max, struct err *err)
{
    char buf[8192];
    size_t got = 0;

    do {
        if (!wal_read(rd, buf, sizeof buf, &got, err)) {
            return false;
        }
        sbuf_add_n(b, buf, got);
        if (!sbuf_ok(b)) {
            return err_set(err, ERR_FORMAT, "", rd->path, "larger than %zu bytes", max);
        }
    } while (got > 0);
    return true;
}

bool wal_read_whole(const struct repo *r, struct arena *a, const char *path, size_t max,
                    struct str *out, struct err *err)
{
    struct wal_found found = {.repo = r};
    struct wal_reader *rd;
    struct arena scratch;
    char *text, *kept;
    struct sbuf b;
    bool ok = false;

    str_copy(found.path, sizeof found.path, path);
    rd = wal_reader_new(&found, 0, err);
    if (!rd) {
        return false;
    }
    arena_init(&scratch, 2 * max + 65536);
    text = arena_alloc(&scratch, max + 1);
    if (!text) {
        ok = arena_err(&scratch, err);
    } else {
        sbuf_init(&b, text, max + 1);
        ok = read_whole(rd, &b, max, err);
    }
    if (ok) {
        kept = arena_alloc(a, b.len + 1);
        ok = kept || arena_err(a, err);
        if (kept) {
            memcpy(kept, text, b.len + 1);
            *out = str_n(kept, b.len);
        }
    }
    arena_release(&scratch);
    wal_reader_free(rd);
    return ok;
}

/* The greatest segment name in one directory; "" for none. */
static bool newest_in(struct arena *a, const char *dir, char out[WAL_FILE_NAME_CAP],
                      struct err *err)
{
    struct names names;

    out[0] = '\0';
    if (!dir_names(a, dir, DIR_MAY_MISS, &names, err)) {
        return false;
    }
    for (size_t i = names.n; i-- > 0;) {
        if (wal_name_kind(str_of(names.name[i]), WAL_CASE_EITHER) == WAL_NAME_SEGMENT) {
            str_copy(out, WAL_FILE_NAME_CAP, names.name[i]);
            return true;
        }
    }
    return true;
}

bool wal_newest(const struct repo *r, pg_tli tli, char out[WAL_FILE_NAME_CAP], struct err *err)
{
    char prefix[9], dir[PATH_CAP];
    struct names names;
    struct arena a;
    bool ok;

    str_fmt(prefix, sizeof prefix, "%08X", tli);
    out[0] = '\0';
    arena_init(&a, 0);
    ok = dir_names(&a, r->wals_dir, DIR_MAY_MISS, &names, err);
    for (size_t i = ok ? names.n : 0; ok && i-- > 0 && !out[0];) {
        struct str name = str_of(names.name[i]);
        uint64_t hex;

        if (name.n == WAL_DIR_LEN && str_starts(name, prefix) && str_hex_u64(name, 0, &hex)) {
            ok =
                path_join(dir, r->wals_dir, names.name[i], err) && newest_in(&a, dir, out, err);
        }
    }
    arena_release(&a);
    return ok;
}
