/* SPDX-License-Identifier: PostgreSQL */
/* restore_again.c - what a restore of archives that died has unpacked, and need not again.
 *
 * An archive is whole in the destination when every file that the manifest names in it is there
 * with the size and the sum that the manifest says; first all sizes are looked at, so that an
 * archive that was half unpacked costs no reading. Of the base two files are put in place last and
 * some directories are empty: once all archives are unpacked and on disk, those two files are kept
 * beside the marker, and tell that the rest is there.
 *
 *     .barkeep-restore.label  .barkeep-restore.control     in the destination, until the end
 */
#include "engine/kept_pack.h"
#include "engine/restore_run.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LABEL    RESTORE_MARKER ".label"
#define CONTROL  RESTORE_MARKER ".control"
#define LATE_MAX ((size_t)64 * 1024)
#define CHUNK    ((size_t)256 * 1024)

enum pass { PASS_SIZES, PASS_SUMS };

struct again {
    struct restore_run *r;
    enum pass pass;
    bool *done;      /* [i] of tree.archive */
    uint64_t *files; /* likewise: that were looked at */
    uint8_t *chunk;
    uint64_t bytes; /* that were summed */
};

/* Which archive a path of the manifest is in. */
static size_t archive_of(const struct kept_tree *t, const char *path)
{
    const char *rest;
    const struct tree_space *space = kept_tree_space(t, path, &rest);

    for (size_t i = 0; i < t->archives; i++) {
        if (t->archive[i].oid == space->oid) {
            return i;
        }
    }
    return 0;
}

static bool has_size(const char *path, uint64_t size)
{
    struct stat st;

    return lstat(path, &st) == 0 && S_ISREG(st.st_mode) && (uint64_t)st.st_size == size;
}

static bool sum_fd(struct again *g, int fd, const char *path, struct digest *d, struct err *err)
{
    struct progress p = {.phase = "check again", .total = g->r->tree.bytes};
    ssize_t n;

    while ((n = read(fd, g->chunk, CHUNK)) > 0) {
        digest_feed(d, g->chunk, (size_t)n);
        g->bytes += (uint64_t)n;
        p.done = g->bytes;
        task_progress(g->r->task, &p);
        if (!task_go_on(g->r->task, err)) {
            return false;
        }
    }
    return n == 0 ? sync_file(&g->r->sync, fd, path, err) : err_os(err, errno, "read", path);
}

static bool has_sum(struct again *g, const char *path, const struct manifest_file *file,
                    bool *same, struct err *err)
{
    int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    uint8_t sum[DIGEST_MAX];
    struct digest d;
    bool ok;

    *same = false;
    if (fd < 0) {
        return errno == ENOENT || errno == ELOOP || err_os(err, errno, "read", path);
    }
    ok = digest_init(&d, file->kind, err) && sum_fd(g, fd, path, &d, err);
    close(fd);
    digest_end(&d, sum);
    *same = ok && memcmp(sum, file->sum, digest_size(file->kind)) == 0;
    return ok;
}

/* Where that file of the base is now, or one of a tablespace, through our link. false: nowhere. */
static bool path_of(const struct again *g, size_t archive, const char *name, char out[PATH_CAP])
{
    struct err ignored;

    if (archive == 0 && kept_tree_fate(name) == TREE_LAST) {
        name = strcmp(name, "backup_label") == 0 ? LABEL : CONTROL;
    }
    return path_join(out, g->r->dest, name, &ignored);
}

static bool on_file(void *ctx, const struct manifest_file *file, struct err *err)
{
    struct again *g = ctx;
    size_t i = archive_of(&g->r->tree, file->path.p);
    enum tree_fate fate = i ? TREE_COPY : kept_tree_fate(file->path.p);
    char path[PATH_CAP];
    bool same = false;

    if (!g->done[i] || (fate != TREE_COPY && fate != TREE_LAST)) {
        return true;
    }
    g->files[i]++;
    if (!path_of(g, i, file->path.p, path)) {
        g->done[i] = false;
    } else if (g->pass == PASS_SIZES) {
        g->done[i] = has_size(path, file->size);
    } else {
        if (!has_sum(g, path, file, &same, err)) {
            return false;
        }
        g->done[i] = same;
    }
    return true;
}

static bool look(struct again *g, enum pass pass, struct err *err)
{
    struct manifest_events events = {.ctx = g, .file = on_file};
    struct restore_run *r = g->r;
    struct arena_mark mark = arena_mark(r->a);
    struct manifest *m = ARENA_NEW(r->a, struct manifest);
    int fd;
    bool ok;

    if (!m) {
        return arena_err(r->a, err);
    }
    fd = open(r->tree.manifest, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0) {
        return err_os(err, errno, "open", r->tree.manifest);
    }
    g->pass = pass;
    manifest_init(m, r->tree.manifest, &events);
    ok = manifest_read_fd(m, fd, err);
    close(fd);
    arena_reset(r->a, mark);
    return ok;
}

/* The bytes of a file of ours, where restore_late_free() expects them. */
static bool load(struct restore_run *r, const char *name, struct str *out)
{
    struct arena_mark mark = arena_mark(r->a);
    struct err ignored;
    char path[PATH_CAP];
    struct str text;
    char *own = NULL;

    if (path_join(path, r->dest, name, &ignored) &&
        file_read(r->a, path, LATE_MAX, &text, &ignored)) {
        own = str_new(text);
        *out = str_n(own, text.n);
    }
    arena_reset(r->a, mark);
    return own != NULL;
}

/* The base is whole: what else there is to know of it. */
static bool take_base(struct restore_run *r)
{
    char path[PATH_CAP];
    struct err ignored;
    struct stat st;

    if (!path_join(path, r->dest, "PG_VERSION", &ignored) || stat(path, &st) != 0 ||
        !load(r, LABEL, &r->label) || !load(r, CONTROL, &r->control)) {
        restore_late_free(r);
        return false;
    }
    r->saw_group_access = (st.st_mode & S_IRGRP) != 0;
    return true;
}

bool restore_again(struct restore_run *r, bool *done, struct err *err)
{
    struct again g = {.r = r, .done = done};
    bool any = false;

    if (!r->resume || !r->tree.manifest || r->tree.checksums == DIGEST_NONE) {
        return true;
    }
    g.files = ARENA_ARRAY(r->a, r->tree.archives, uint64_t);
    g.chunk = arena_alloc(r->a, CHUNK);
    if (!g.files || !g.chunk) {
        return arena_err(r->a, err);
    }
    memset(done, true, r->tree.archives * sizeof *done);
    if (!look(&g, PASS_SIZES, err)) {
        return false;
    }
    for (size_t i = 0; i < r->tree.archives; i++) {
        done[i] = done[i] && g.files[i] > 0; /* or nobody knows what is in it */
        any = any || done[i];
    }
    if (any && !look(&g, PASS_SUMS, err)) {
        return false;
    }
    done[0] = done[0] && take_base(r);
    return true;
}

bool restore_again_keep(struct restore_run *r, struct err *err)
{
    return !r->tree.manifest ||
           (sync_finish(&r->sync, err) && restore_put(r, LABEL, r->label, 0600, err) &&
            restore_put(r, CONTROL, r->control, 0600, err));
}

bool restore_again_forget(const struct restore_run *r, struct err *err)
{
    char path[PATH_CAP];

    return !r->tree.archives ||
           (path_join(path, r->dest, LABEL, err) && file_remove(path, err) &&
            path_join(path, r->dest, CONTROL, err) && file_remove(path, err));
}
