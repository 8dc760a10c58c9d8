/* SPDX-License-Identifier: PostgreSQL */
/* Finding WAL files and reading them as plain WAL. */
#include "gpg.h"
#include "wal/seg.h"
#include "wal_store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define BUF_CAP 131072

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
    if (fd < 0) { /* a repository that may only be read */
        str_copy(tmp, sizeof tmp, "/tmp/.barkeep-XXXXXX");
        fd = mkstemp(tmp);
    }
    if (fd < 0) {
        return err_os(err, errno, "create", tmp);
    }
    unlink(tmp);
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

bool wal_send(const struct wal_found *found, uint32_t pad_to, int fd, const char *what,
              struct err *err)
{
    struct wal_reader *rd = wal_reader_new(found, pad_to, err);
    char buf[65536];
    size_t got;
    bool ok = rd != NULL;

    while (ok && (ok = wal_read(rd, buf, sizeof buf, &got, err)) && got > 0) {
        ok = fd_write_all(fd, buf, got, what, err);
    }
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
