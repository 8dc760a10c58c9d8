/* SPDX-License-Identifier: PostgreSQL */
#include "engine/generate_manifest.h"

#include "base/clock.h"
#include "base/digest.h"
#include "base/json.h"
#include "repo/tree.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MANIFEST   "backup_manifest"
#define READ_BYTES 65536
#define LINE_CAP   (6 * PATH_CAP + 512)

struct file {
    const char *path; /* below data/ */
    uint64_t size;
    int64_t mtime_s;
    uint8_t sum[DIGEST_MAX];
};

struct making {
    const struct task *t;
    const struct generate_manifest *what;
    struct arena a;
    char data[PATH_CAP];
    struct file *file;
    size_t files, cap;
    size_t next;
    struct progress progress;
};

/* ---- which files --------------------------------------------------------------------- */

static bool add_file(struct making *m, const char *path, struct err *err)
{
    if (m->files == m->cap) {
        size_t cap = m->cap ? 2 * m->cap : 1024;
        struct file *more = ARENA_ARRAY(&m->a, cap, struct file);

        if (!more) {
            return arena_err(&m->a, err);
        }
        if (m->files) {
            memcpy(more, m->file, m->files * sizeof *more);
        }
        m->file = more;
        m->cap = cap;
    }
    m->file[m->files++] = (struct file){.path = arena_strdup(&m->a, path)};
    return !m->a.failed || arena_err(&m->a, err);
}

static int by_path(const void *x, const void *y)
{
    const struct file *a = x, *b = y;

    return strcmp(a->path, b->path);
}

static bool list_files(struct making *m, struct err *err)
{
    struct tree *tree = ARENA_NEW(&m->a, struct tree);
    struct tree_entry e = {.kind = TREE_FILE};
    bool ok;

    if (!tree) {
        return arena_err(&m->a, err);
    }
    ok = tree_open(tree, m->data, err);
    if (!ok) {
        return false;
    }
    while (ok && e.kind != TREE_END) {
        ok = tree_next(tree, &e, err);
        if (ok && e.kind == TREE_DIR && strcmp(e.rel, "pg_wal") == 0) {
            tree_prune(tree);
        } else if (ok && e.kind == TREE_FILE && strcmp(e.rel, MANIFEST ".tmp") != 0) {
            ok = add_file(m, e.rel, err);
        }
    }
    tree_close(tree);
    if (ok && m->files) {
        qsort(m->file, m->files, sizeof *m->file, by_path);
    }
    return ok;
}

/* ---- their sums ---------------------------------------------------------------------- */

static int next_file(void *ctx, void *piece, struct err *err)
{
    struct making *m = ctx;

    (void)err;
    if (m->next == m->files) {
        return 0;
    }
    *(struct file **)piece = &m->file[m->next++];
    return 1;
}

static bool sum_open(const struct making *m, struct file *f, int fd, struct err *err)
{
    char mem[READ_BYTES];
    struct digest d;
    struct stat st;
    size_t got;

    if (fstat(fd, &st) != 0) {
        return err_os(err, errno, "read", f->path);
    }
    if (!digest_init(&d, DIGEST_SHA256, err)) {
        return false;
    }
    do {
        if (!task_go_on(m->t, err) || !fd_read_full(fd, mem, READ_BYTES, &got, f->path, err)) {
            return false;
        }
        digest_feed(&d, mem, got);
        f->size += got;
    } while (got == READ_BYTES);
    digest_end(&d, f->sum);
    f->mtime_s = st.st_mtim.tv_sec;
    return true;
}

static bool sum_file(void *ctx, void *piece, struct err *err)
{
    const struct making *m = ctx;
    struct file *f = *(struct file **)piece;
    char path[PATH_CAP];
    bool ok;
    int fd;

    if (!path_join(path, m->data, f->path, err)) {
        return false;
    }
    fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    ok = fd >= 0 ? sum_open(m, f, fd, err) : err_os(err, errno, "read", path);
    if (fd >= 0) {
        close(fd);
    }
    return ok;
}

static void summed(void *ctx, const void *piece)
{
    struct making *m = ctx;
    const struct file *f = *(struct file *const *)piece;

    m->progress.done += f->size;
    str_copy(m->progress.what, sizeof m->progress.what, f->path);
    task_progress(m->t, &m->progress);
}

static bool sum_files(struct making *m, struct err *err)
{
    const struct pool_spec spec = {.piece_size = sizeof(struct file *),
                                   .jobs = m->what->jobs ? m->what->jobs : 1,
                                   .ctx = m,
                                   .next = next_file,
                                   .work = sum_file,
                                   .done = summed};

    m->progress = (struct progress){.phase = "checksum"};
    return pool_run(m->t, &spec, err);
}

/* ---- the file ------------------------------------------------------------------------ */

static void put_path(struct sbuf *b, const char *path)
{
    if (json_text_ok(str_of(path))) {
        sbuf_add(b, "\"Path\": ");
        json_put(b, str_of(path));
    }
}

static void put_encoded(struct sbuf *b, const char *path)
{
    if (json_text_ok(str_of(path))) {
        return;
    }
    sbuf_add(b, "\"Encoded-Path\": \"");
    for (const char *p = path; *p; p++) {
        sbuf_fmt(b, "%02x", (unsigned char)*p);
    }
    sbuf_add(b, "\", ");
}

static void put_file(struct sbuf *b, const struct file *f, bool is_last)
{
    struct civil c = civil_at(f->mtime_s * US_PER_S, 0);
    char sum[DIGEST_HEX_CAP];

    hex_text(f->sum, digest_size(DIGEST_SHA256), sum, sizeof sum);
    sbuf_fmt(b, "{\"Checksum\": \"%s\", \"Checksum-Algorithm\": \"SHA256\", ", sum);
    put_encoded(b, f->path);
    sbuf_fmt(b, "\"Last-Modified\": \"%04d-%02d-%02d %02d:%02d:%02d\", ", c.year, c.month,
             c.day, c.hour, c.minute, c.second);
    put_path(b, f->path);
    sbuf_fmt(b, "%s\"Size\": %" PRIu64 "}%s\n", json_text_ok(str_of(f->path)) ? ", " : "",
             f->size, is_last ? "" : ",");
}

static bool put(int fd, const char *path, struct digest *d, const struct sbuf *b,
                struct err *err)
{
    if (!sbuf_ok(b)) {
        return err_set(err, ERR_FORMAT, "", path, "a name in it is too long");
    }
    digest_feed(d, b->p, b->len);
    return fd_write_all(fd, b->p, b->len, path, err);
}

static bool write_lines(const struct making *m, int fd, const char *path, struct err *err)
{
    char sum[DIGEST_HEX_CAP];
    uint8_t bytes[DIGEST_MAX];
    char mem[LINE_CAP];
    struct digest d, end;
    struct sbuf b;

    if (!digest_init(&d, DIGEST_SHA256, err)) {
        return false;
    }
    sbuf_init(&b, mem, sizeof mem);
    sbuf_add(&b, "{\"PostgreSQL-Backup-Manifest-Version\": 1,\n\"Files\": [\n");
    if (!put(fd, path, &d, &b, err)) {
        return false;
    }
    for (size_t i = 0; i < m->files; i++) {
        sbuf_init(&b, mem, sizeof mem);
        put_file(&b, &m->file[i], i + 1 == m->files);
        if (!put(fd, path, &d, &b, err)) {
            return false;
        }
    }
    sbuf_init(&b, mem, sizeof mem);
    sbuf_add(&b, "],\n");
    if (!put(fd, path, &d, &b, err)) {
        return false;
    }
    end = d;
    digest_end(&end, bytes);
    hex_text(bytes, digest_size(DIGEST_SHA256), sum, sizeof sum);
    sbuf_init(&b, mem, sizeof mem);
    sbuf_fmt(&b, "\"Manifest-Checksum\": \"%s\"}\n", sum);
    return put(fd, path, &d, &b, err) && fd_sync(fd, path, err);
}

static bool write_manifest(const struct making *m, const char *path, struct err *err)
{
    char tmp[PATH_CAP];
    bool ok;
    int fd;

    if (!path_join(tmp, m->data, MANIFEST ".tmp", err)) {
        return false;
    }
    fd = open(tmp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0) {
        return err_os(err, errno, "create", tmp);
    }
    ok = write_lines(m, fd, tmp, err);
    if (close(fd) != 0 && ok) {
        ok = err_os(err, errno, "close", tmp);
    }
    ok = ok && file_rename(tmp, path, err);
    if (!ok) {
        unlink(tmp);
    }
    return ok;
}

/* ---- the verb ------------------------------------------------------------------------ */

static bool judge(const struct backup *b, const char *path, struct err *err)
{
    if (!backup_copy_done(b)) {
        return err_set(err, ERR_FORMAT, "Name a backup whose copy is complete.", b->id,
                       "the backup is not complete");
    }
    if (b->compression || b->encryption) {
        return err_set(err, ERR_FORMAT, "", b->id,
                       "the backup is stored as archives, which a manifest cannot list");
    }
    if (file_kind(path, NULL) != FILE_NONE) {
        return err_set(err, ERR_FORMAT, "Verify the backup against the one there is.", "",
                       "File %s already exists.", path);
    }
    return true;
}

bool generate_manifest(const struct task *t, const struct generate_manifest *what,
                       struct err *err)
{
    struct making m = {.t = t, .what = what};
    char path[PATH_CAP];
    bool ok;

    arena_init(&m.a, 0);
    ok = repo_data_dir(what->repo, what->backup->id, m.data, err) &&
         path_join(path, m.data, MANIFEST, err) && judge(what->backup, path, err) &&
         list_files(&m, err) && sum_files(&m, err) && write_manifest(&m, path, err);
    arena_release(&m.a);
    return ok;
}
