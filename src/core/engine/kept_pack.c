/* SPDX-License-Identifier: PostgreSQL */
#include "engine/kept_pack.h"

#include "base/file.h"
#include "repo/codec.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CHUNK ((size_t)256 * 1024)

/* --- which are there --- */

/* "base.tar.gz", "16385.tar": whose archive is it? */
static bool archive_name(const char *name, uint32_t *oid)
{
    struct str s = str_of(name);
    uint64_t v = 0;

    if (!str_take_lit(&s, "base") && (!str_take_u64(&s, UINT32_MAX, &v) || v == 0)) {
        return false;
    }
    *oid = (uint32_t)v;
    return str_take_lit(&s, ".tar") && (s.n == 0 || s.p[0] == '.') && !str_ends(s, ".tmp");
}

bool kept_pack_list(struct arena *a, const char *data_dir, const struct kept_archive **list,
                    size_t *n, struct err *err)
{
    struct kept_archive *out, base;
    struct names names;
    char path[PATH_CAP];
    bool has_base = false;

    *n = 0;
    if (!dir_names(a, data_dir, DIR_MAY_MISS, &names, err)) {
        return false;
    }
    out = ARENA_ARRAY(a, names.n + 1, struct kept_archive);
    for (size_t i = 0; out && i < names.n; i++) {
        struct kept_archive *k = &out[*n + 1];

        if (!archive_name(names.name[i], &k->oid)) {
            continue;
        }
        if (!path_join(path, data_dir, names.name[i], err)) {
            return false;
        }
        if (file_kind(path, &k->size) != FILE_REGULAR) {
            continue;
        }
        k->name = names.name[i];
        k->path = arena_strdup(a, path);
        if (k->oid == 0) {
            base = *k;
            has_base = true;
        } else {
            ++*n;
        }
    }
    if (a->failed) {
        return arena_err(a, err);
    }
    if (!has_base) {
        *n = 0;
        return true;
    }
    out[0] = base;
    ++*n;
    *list = out;
    return true;
}

void kept_pack_prefix(const struct kept_archive *a, char out[32])
{
    out[0] = '\0';
    if (a->oid) {
        str_fmt(out, 32, "pg_tblspc/%u/", a->oid);
    }
}

/* --- reading one --- */

struct reading {
    struct kept_pack_read *r;
    const struct kept_archive *archive;
    char prefix[32];
    struct sums *sums;
    struct tar tar;
    struct tar_member member;
    struct digest sum;
    /* the file, or gpg's end of the pipe */
    int file, from;
    struct lane *lane; /* gpg */
    int to;            /* gpg's output */
    struct manifest manifest;
    char in[CHUNK], out[CHUNK];
};

static struct reading *reading_new(struct kept_pack_read *r, struct err *err)
{
    struct reading *rd = calloc(1, sizeof *rd);

    if (!rd) {
        err_set(err, ERR_MEMORY, "", "", "out of memory");
        return NULL;
    }
    rd->r = r;
    rd->archive = &r->list[r->at];
    rd->file = rd->from = rd->to = -1;
    kept_pack_prefix(rd->archive, rd->prefix);
    return rd;
}

static void reading_free(struct reading *rd)
{
    if (rd->file >= 0) {
        close(rd->file);
    }
    sums_free(rd->sums);
    free(rd);
}

static bool on_member(void *ctx, const struct tar_member *m, struct err *err)
{
    struct reading *rd = ctx;
    const struct tar_events *e = &rd->r->events;

    rd->member = *m;
    if (m->kind == TAR_FILE && !digest_init(&rd->sum, rd->r->checksums, err)) {
        return false;
    }
    return task_go_on(rd->r->task, err) && (!e->member || e->member(e->ctx, m, err));
}

static bool on_data(void *ctx, const void *p, size_t n, struct err *err)
{
    struct reading *rd = ctx;
    const struct tar_events *e = &rd->r->events;

    digest_feed(&rd->sum, p, n);
    return !e->data || e->data(e->ctx, p, n, err);
}

static bool on_member_end(void *ctx, struct err *err)
{
    struct reading *rd = ctx;
    const struct tar_events *e = &rd->r->events;
    char path[MANIFEST_PATH_CAP];
    uint8_t sum[DIGEST_MAX];

    if (e->member_end && !e->member_end(e->ctx, err)) {
        return false;
    }
    if (rd->member.kind != TAR_FILE) {
        return true;
    }
    rd->r->bytes += rd->member.size;
    /* pg_wal is not in the manifest: what lies there is not part of the backup proper. */
    if (!rd->sums || (!rd->archive->oid && str_starts(str_of(rd->member.name), "pg_wal/"))) {
        return true;
    }
    digest_end(&rd->sum, sum);
    str_fmt(path, sizeof path, "%s%s", rd->prefix, rd->member.name);
    return sums_arrived(rd->sums, str_of(path), rd->member.size, sum, err);
}

/* --- gpg beside --- */

static bool decrypt(void *ctx, void *item, bool more, struct err *err)
{
    struct reading *rd = ctx;
    bool ok;

    (void)item;
    (void)more;
    ok = gpg_decrypt(rd->r->gpg, rd->file, rd->to, rd->archive->path, err);
    close(rd->to);
    rd->to = -1;
    return ok;
}

/* Without threads a file without a name takes the place of the pipe. */
static bool open_ends(struct reading *rd, bool is_serial, struct err *err)
{
    int ends[2];
    FILE *f;

    if (!is_serial) {
        if (pipe(ends) != 0) {
            return err_os(err, errno, "make a pipe for", rd->archive->path);
        }
        rd->from = ends[0];
        rd->to = ends[1];
        (void)fcntl(rd->from, F_SETFD, FD_CLOEXEC);
        (void)fcntl(rd->to, F_SETFD, FD_CLOEXEC);
        return true;
    }
    f = tmpfile();
    rd->from = f ? dup(fileno(f)) : -1;
    rd->to = rd->from >= 0 ? dup(rd->from) : -1;
    if (f) {
        fclose(f);
    }
    return rd->to >= 0 || err_os(err, errno, "make a temporary file for", rd->archive->path);
}

static bool open_gpg(struct reading *rd, struct err *err)
{
    const struct lane_spec spec = {
        .name = "decrypt", .item_size = 1, .slots = 1, .ctx = rd, .consume = decrypt};
    const struct task *task = rd->r->task;
    bool is_serial;
    char go = 1;

    rd->lane = lane_open(task, &spec, err);
    if (!rd->lane) {
        return false;
    }
    is_serial = lane_mark_fd(task, rd->lane) < 0;
    return open_ends(rd, is_serial, err) && lane_put(task, rd->lane, &go, err) &&
           (!is_serial || lseek(rd->from, 0, SEEK_SET) == 0 ||
            err_os(err, errno, "read a temporary file for", rd->archive->path));
}

/* What comes out of gpg before it fails may look like anything: when the stream is not what it
 * should be, gpg is heard to its end, and its word comes first. */
static bool close_gpg(struct reading *rd, bool ok, struct err *err)
{
    struct err said = {0};
    bool heard = ok || err->code == ERR_FORMAT;
    char rest[4096];

    while (!ok && heard && rd->from >= 0 && read(rd->from, rest, sizeof rest) > 0) {
        continue;
    }
    if (rd->from >= 0) {
        close(rd->from); /* so that gpg ends when we gave up */
    }
    rd->from = -1;
    if (!rd->lane || lane_close(rd->r->task, rd->lane, &said)) {
        return ok;
    }
    if (heard) {
        *err = said;
    }
    return false;
}

/* --- the stream --- */

static bool feed_codec(struct reading *rd, struct codec *c, struct str in,
                       enum codec_input last, struct err *err)
{
    struct codec_out out = {.got = 1};

    while (in.n || out.got) {
        out = (struct codec_out){rd->out, sizeof rd->out, 0};
        if (!codec_run(c, &in, last, &out, err) || !tar_feed(&rd->tar, rd->out, out.got, err)) {
            return false;
        }
    }
    return true;
}

/* Everything that comes out of the descriptor, through the codec its first bytes tell. */
static bool read_stream(struct reading *rd, int fd, struct err *err)
{
    struct codec *c = NULL;
    enum codec_kind kind = CODEC_NONE;
    bool ok = true, is_first = true;
    size_t got = CHUNK;

    while (ok && got == CHUNK) {
        ok = fd_read_full(fd, rd->in, CHUNK, &got, rd->archive->path, err);
        if (ok && is_first) {
            is_first = false;
            kind = codec_detect(rd->in, got, NULL);
            c = kind == CODEC_NONE ? NULL : codec_new(kind, CODEC_UNPACK, 0, NULL, err);
            ok = kind == CODEC_NONE || c;
        }
        if (ok && kind == CODEC_NONE) {
            ok = tar_feed(&rd->tar, rd->in, got, err);
        } else if (ok) {
            ok = feed_codec(rd, c, str_n(rd->in, got), CODEC_MORE_COMES, err);
        }
    }
    ok = ok && (!c || feed_codec(rd, c, str_of(""), CODEC_LAST, err)) && tar_end(&rd->tar, err);
    codec_free(c);
    return ok;
}

static bool read_archive(struct reading *rd, struct err *err)
{
    char head[GPG_HEAD_LEN];
    size_t got;

    if (!fd_read_full(rd->file, head, sizeof head, &got, rd->archive->path, err)) {
        return false;
    }
    if (lseek(rd->file, 0, SEEK_SET) != 0) {
        return err_os(err, errno, "read", rd->archive->path);
    }
    if (gpg_detect(head, got)) {
        bool ok = open_gpg(rd, err) && read_stream(rd, rd->from, err);

        return close_gpg(rd, ok, err);
    }
    return read_stream(rd, rd->file, err);
}

/* --- the manifest --- */

/* An entry belongs to the archive of its tablespace, if there is one, else to the base. */
static bool is_mine(const struct reading *rd, const char *path)
{
    const struct kept_pack_read *r = rd->r;
    struct str s = str_of(path);
    uint64_t oid = 0;

    if (!str_take_lit(&s, "pg_tblspc/") || !str_take_u64(&s, UINT32_MAX, &oid)) {
        return rd->archive->oid == 0;
    }
    for (size_t i = 0; i < r->n; i++) {
        if (r->list[i].oid && r->list[i].oid == oid) {
            return rd->archive->oid == oid;
        }
    }
    return rd->archive->oid == 0;
}

static bool on_listed(void *ctx, const struct manifest_file *f, struct err *err)
{
    struct reading *rd = ctx;

    return !is_mine(rd, f->path.p) || sums_listed(rd->sums, f, err);
}

static bool compare(struct reading *rd, struct err *err)
{
    const char *path = rd->r->manifest;
    int fd;
    bool ok;

    if (!rd->sums) {
        return true;
    }
    fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0) {
        return err_os(err, errno, "open", path);
    }
    manifest_init(&rd->manifest, path, &(struct manifest_events){.ctx = rd, .file = on_listed});
    ok = manifest_read_fd(&rd->manifest, fd, err) && sums_end(rd->sums, err);
    close(fd);
    return ok;
}

static bool open_sums(struct reading *rd, struct err *err)
{
    const struct kept_pack_read *r = rd->r;

    if (!r->manifest) {
        return true;
    }
    rd->sums = sums_new(r->spool, r->checksums, err);
    if (rd->sums && r->fault) {
        sums_tell(rd->sums, r->events.ctx, r->fault);
    }
    return rd->sums != NULL;
}

bool kept_pack_read(struct kept_pack_read *r, struct err *err)
{
    struct reading *rd = reading_new(r, err);
    const char *name = r->list[r->at].name;
    bool ok;

    r->bytes = 0;
    if (!rd) {
        return false;
    }
    tar_init(&rd->tar, TAR_WITH_TRAILER,
             &(struct tar_events){rd, on_member, on_data, on_member_end});
    rd->file = open(rd->archive->path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    ok = rd->file >= 0 || err_os(err, errno, "open", rd->archive->path);
    ok = ok && open_sums(rd, err) && read_archive(rd, err) && compare(rd, err);
    reading_free(rd);
    return ok || err_wrap(err, "read %s", name);
}
