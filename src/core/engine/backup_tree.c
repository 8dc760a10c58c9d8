/* SPDX-License-Identifier: PostgreSQL */
#include "backup_tree.h"

#include "backup_pack.h"
#include "base/bug.h"
#include "repo/extract.h"
#include "repo/sync.h"
#include "repo/tar.h"
#include "sums.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MANIFEST     "backup_manifest"
#define MANIFEST_TMP "backup_manifest.tmp"
#define UNPACKED     ((size_t)256 * 1024) /* of what the server compressed, at a time */

struct tree {
    struct tree_spec spec;
    char dir[PATH_CAP], data[PATH_CAP];
    struct sync sync;
    struct sums *sums;
    struct backup_form form;
    struct pack *pack; /* NULL: a plain tree */
    const struct base_backup_archive *list;
    size_t n;
    /* The archive at hand. */
    const struct base_backup_archive *archive;
    struct extract *extract; /* NULL: only looked at while it is packed */
    struct codec *codec;     /* the server's compression, undone; NULL: none */
    char *unpacked;
    struct tar tar;
    char prefix[64]; /* of its files in the manifest: "pg_tblspc/16385/" */
    /* The file at hand. */
    struct tar_member member;
    struct digest sum;
    size_t label_n; /* of backup_label, when it is that */
    /* The manifest. */
    int manifest_fd;
    bool in_manifest, whole;
    struct manifest manifest;
    struct tree_result result;
};

static bool make_dir(const char *path, unsigned mode, struct err *err)
{
    if (mkdir(path, mode) != 0 && errno != EEXIST) {
        return err_os(err, errno, "make", path);
    }
    /* Whatever the umask. */
    return chmod(path, mode) == 0 || err_os(err, errno, "set the mode of", path);
}

static bool make_dirs(struct tree *t, struct err *err)
{
    char own[PATH_CAP];

    if (!dir_make(t->dir, err) || !path_join(own, t->dir, ".barkeep", err) ||
        !path_join(t->data, t->dir, "data", err) || !sync_open(&t->sync, t->dir, err) ||
        !make_dir(own, 0700, err) || !make_dir(t->data, t->spec.mode, err)) {
        return false;
    }
    t->sums = sums_new(own, t->spec.checksums, err);
    if (!t->sums) {
        return false;
    }
    if (t->form.is_tar) {
        t->pack = pack_new(
            &(struct pack_spec){t->spec.task, &t->form, t->data, &t->sync, t->spec.trailers},
            err);
    }
    return t->pack || !t->form.is_tar;
}

struct tree *tree_new(const struct tree_spec *spec, struct err *err)
{
    struct tree *t = calloc(1, sizeof *t);

    if (!t) {
        err_set(err, ERR_MEMORY, "", "", "out of memory");
        return NULL;
    }
    t->spec = *spec;
    if (spec->form) {
        t->form = *spec->form;
    }
    t->manifest_fd = -1;
    sync_init(&t->sync);
    t->sync.drops_behind = true;
    t->sync.beside = spec->task;
    t->unpacked = t->form.by_server ? malloc(UNPACKED) : NULL;
    if (t->form.by_server && !t->unpacked) {
        err_set(err, ERR_MEMORY, "", "", "out of memory");
        tree_free(t);
        return NULL;
    }
    if (!str_copy(t->dir, sizeof t->dir, spec->dir)) {
        err_set(err, ERR_FORMAT, "", spec->dir, "too long");
        tree_free(t);
        return NULL;
    }
    t->spec.dir = t->dir;
    if (!make_dirs(t, err)) {
        tree_free(t);
        return NULL;
    }
    return t;
}

void tree_free(struct tree *t)
{
    if (!t) {
        return;
    }
    if (t->manifest_fd >= 0) {
        close(t->manifest_fd);
    }
    extract_free(t->extract);
    codec_free(t->codec);
    free(t->unpacked);
    pack_free(t->pack);
    sums_free(t->sums);
    sync_release(&t->sync);
    free(t);
}

/* A tablespace that lives inside PGDATA without a link has a relative location, always the
 * same one. */
static bool is_in_place(const struct base_backup_archive *a, struct err *err)
{
    char expected[64];

    str_fmt(expected, sizeof expected, "pg_tblspc/%u", a->oid);
    return strcmp(a->location, expected) == 0 ||
           err_set(err, ERR_UNSAFE, "", a->location, "not where a tablespace can be");
}

static bool archive_dir(const struct tree *t, const struct base_backup_archive *a,
                        char out[PATH_CAP], struct err *err)
{
    char oid[16];

    if (!a->location) {
        return str_copy(out, PATH_CAP, t->data);
    }
    if (a->location[0] != '/') {
        return is_in_place(a, err) && path_join(out, t->data, a->location, err);
    }
    str_fmt(oid, sizeof oid, "%u", a->oid);
    return path_join(out, t->dir, oid, err);
}

bool tree_archives(struct tree *t, const struct base_backup_archive *list, size_t n,
                   struct err *err)
{
    char path[PATH_CAP];

    t->list = list;
    t->n = n;
    for (size_t i = 0; i < n; i++) {
        const struct base_backup_archive *a = &list[i];
        if (t->pack && a->location && a->location[0] != '/') {
            if (!is_in_place(a, err)) {
                return false;
            }
            continue;
        }
        if (a->location && a->location[0] != '/' &&
            (!path_join(path, t->data, "pg_tblspc", err) ||
             !make_dir(path, t->spec.mode, err))) {
            return false;
        }
        if (!archive_dir(t, a, path, err) || !make_dir(path, t->spec.mode, err)) {
            return false;
        }
    }
    return true;
}

bool tree_syncs_each(const struct tree *t)
{
    return t->sync.way == SYNC_EACH;
}

const struct tree_result *tree_result(const struct tree *t)
{
    return &t->result;
}

/* 24576, 24576_fsm, 24576.3, 24576_init: the name of a relation's file. */
static bool is_relation(const char *path)
{
    struct str name = str_of(path_base(path)), dir = str_n(path, strlen(path) - name.n);
    uint64_t v;

    if (!str_starts(dir, "base/") && !str_starts(dir, "global/") && !str_starts(dir, "PG_")) {
        return false;
    }
    if (!str_take_u64(&name, UINT32_MAX, &v)) {
        return false;
    }
    if (!str_take_lit(&name, "_fsm") && !str_take_lit(&name, "_vm")) {
        str_take_lit(&name, "_init");
    }
    return name.n == 0 || (str_take_char(&name, '.') && str_u64(name, UINT32_MAX, &v));
}

static void note_odd(struct tree *t)
{
    struct tree_result *r = &t->result;

    if (t->member.size % t->spec.block_size == 0 || !is_relation(t->member.name)) {
        return;
    }
    if (r->odd < TREE_ODD_MAX) {
        str_fmt(r->odd_name[r->odd], sizeof r->odd_name[0], "%s%s", t->prefix, t->member.name);
    }
    r->odd++;
}

static bool on_member(void *ctx, const struct tar_member *m, struct err *err)
{
    struct tree *t = ctx;

    t->member = *m;
    t->label_n = 0;
    if (m->kind == TAR_FILE) {
        if (!digest_init(&t->sum, t->spec.checksums, err)) {
            return false;
        }
        note_odd(t);
    }
    return !t->extract || extract_begin(t->extract, m, err);
}

static void keep_label(struct tree *t, const char *p, size_t n)
{
    size_t room = sizeof t->result.label - 1 - t->label_n;

    n = n < room ? n : room;
    memcpy(t->result.label + t->label_n, p, n);
    t->label_n += n;
    t->result.label[t->label_n] = '\0';
}

static bool on_data(void *ctx, const void *p, size_t n, struct err *err)
{
    struct tree *t = ctx;

    if (!t->archive->location && strcmp(t->member.name, "backup_label") == 0) {
        keep_label(t, p, n);
    }
    digest_feed(&t->sum, p, n);
    return !t->extract || extract_data(t->extract, p, n, err);
}

/* pg_wal is not in the manifest: what lies there is not part of the backup proper. */
static bool is_listed(const struct tree *t)
{
    return t->archive->location || !str_starts(str_of(t->member.name), "pg_wal/");
}

static bool on_member_end(void *ctx, struct err *err)
{
    struct tree *t = ctx;
    char path[MANIFEST_PATH_CAP];
    uint8_t sum[DIGEST_MAX];

    if (t->extract && !extract_end(t->extract, err)) {
        return false;
    }
    if (t->member.kind != TAR_FILE) {
        return true;
    }
    t->result.files++;
    t->result.bytes += t->pack ? 0 : t->member.size;
    if (!is_listed(t)) {
        return true;
    }
    digest_end(&t->sum, sum);
    str_fmt(path, sizeof path, "%s%s", t->prefix, t->member.name);
    return sums_arrived(t->sums, str_of(path), t->member.size, sum, err);
}

/* Where the archive goes: a directory that it is extracted to, or a file of its own. */
static bool open_target(struct tree *t, const struct base_backup_archive *a, struct err *err)
{
    char path[PATH_CAP], name[16] = "base";

    if (t->pack) {
        if (a->location) {
            str_fmt(name, sizeof name, "%u", a->oid);
        }
        return pack_begin(t->pack, name, err);
    }
    if (!archive_dir(t, a, path, err)) {
        return false;
    }
    t->extract = extract_new(path, a->location ? NULL : t->dir, &t->sync, err);
    return t->extract != NULL;
}

static bool begin_archive(struct tree *t, size_t i, struct err *err)
{
    const struct base_backup_archive *a;

    BUG_IF(i >= t->n || t->extract);
    a = &t->list[i];
    if (!open_target(t, a, err)) {
        return false;
    }
    if (t->form.by_server) {
        t->codec = codec_new(t->form.codec, CODEC_UNPACK, 0, NULL, err);
        if (!t->codec) {
            return false;
        }
    }
    t->archive = a;
    t->prefix[0] = '\0';
    if (a->location) {
        str_fmt(t->prefix, sizeof t->prefix, "pg_tblspc/%u/", a->oid);
    }
    tar_init(&t->tar, t->spec.trailers ? TAR_WITH_TRAILER : TAR_BARE,
             &(struct tar_events){t, on_member, on_data, on_member_end});
    return true;
}

/* What the server compressed, unpacked and looked at. */
static bool unpack_data(struct tree *t, struct str in, enum codec_input last, struct err *err)
{
    struct codec_out out = {.got = 1};

    while (in.n || out.got) {
        out = (struct codec_out){t->unpacked, UNPACKED, 0};
        if (!codec_run(t->codec, &in, last, &out, err)) {
            return err_wrap(err, "unpack what the server compressed");
        }
        if (!tar_feed(&t->tar, t->unpacked, out.got, err)) {
            return false;
        }
    }
    return true;
}

static bool end_archive(struct tree *t, struct err *err)
{
    bool ok = (!t->codec || unpack_data(t, str_of(""), CODEC_LAST, err)) &&
              tar_end(&t->tar, err) && (!t->extract || extract_close(t->extract, err)) &&
              (!t->pack || pack_end(t->pack, err));

    codec_free(t->codec);
    t->codec = NULL;
    extract_free(t->extract);
    t->extract = NULL;
    return ok;
}

static bool on_listed(void *ctx, const struct manifest_file *f, struct err *err)
{
    return sums_listed(((struct tree *)ctx)->sums, f, err);
}

static bool begin_manifest(struct tree *t, struct err *err)
{
    char path[PATH_CAP];

    if (!path_join(path, t->data, MANIFEST_TMP, err)) {
        return false;
    }
    t->manifest_fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (t->manifest_fd < 0) {
        return err_os(err, errno, "make", path);
    }
    t->in_manifest = true;
    manifest_init(&t->manifest, MANIFEST,
                  &(struct manifest_events){.ctx = t, .file = on_listed});
    return true;
}

static bool manifest_data(struct tree *t, const char *p, size_t n, struct err *err)
{
    t->result.bytes += n;
    return fd_write_all(t->manifest_fd, p, n, MANIFEST_TMP, err) &&
           manifest_feed(&t->manifest, p, n, err);
}

static bool end_manifest(struct tree *t, struct err *err)
{
    t->in_manifest = false;
    t->result.files++;
    t->whole = manifest_end(&t->manifest, err) && sums_end(t->sums, err) &&
               sync_file(&t->sync, t->manifest_fd, MANIFEST_TMP, err);
    return t->whole;
}

static bool take_data(struct tree *t, const struct base_backup_buf *buf, struct err *err)
{
    if (t->in_manifest) {
        return manifest_data(t, buf->p, buf->n, err);
    }
    if (t->pack && !pack_data(t->pack, buf->p, buf->n, err)) {
        return false;
    }
    return t->codec ? unpack_data(t, str_n(buf->p, buf->n), CODEC_MORE_COMES, err)
                    : tar_feed(&t->tar, buf->p, buf->n, err);
}

bool tree_consume(void *tree, void *item, bool more, struct err *err)
{
    struct tree *t = tree;
    struct tree_item *it = item;
    bool ok = true;

    (void)more;
    switch (it->kind) {
    case TREE_ARCHIVE:
        return begin_archive(t, it->archive, err);
    case TREE_MANIFEST:
        return begin_manifest(t, err);
    case TREE_DATA:
        for (size_t i = 0; i < it->bufs; i++) {
            ok = ok && take_data(t, &it->buf[i], err);
            base_backup_free(&it->buf[i]);
        }
        break;
    case TREE_ARCHIVE_END:
        return t->in_manifest ? end_manifest(t, err) : end_archive(t, err);
    }
    return ok;
}

void tree_drop(void *tree, void *item)
{
    struct tree_item *it = item;

    (void)tree;
    for (size_t i = 0; it->kind == TREE_DATA && i < it->bufs; i++) {
        base_backup_free(&it->buf[i]);
    }
}

bool tree_commit(struct tree *t, struct err *err)
{
    char from[PATH_CAP], to[PATH_CAP];

    BUG_IF(!t->whole);
    t->result.bytes += t->pack ? pack_bytes(t->pack) : 0;
    return sync_finish(&t->sync, err) && path_join(from, t->data, MANIFEST_TMP, err) &&
           path_join(to, t->data, MANIFEST, err) && file_rename(from, to, err);
}
