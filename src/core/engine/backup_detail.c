/* SPDX-License-Identifier: PostgreSQL */
/* backup_detail.c - one backup in full: its files by number, the largest by name. */
#include "cfg/config.h"
#include "engine/kept_tree.h"
#include "engine/moment.h"
#include "engine/repo_of.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#define LARGEST   100
#define LOOK_EACH 1024 /* files between two questions whether to go on */

struct large {
    uint64_t size;
    char path[MANIFEST_PATH_CAP];
};

struct survey {
    const struct task *task;
    struct progress progress;
    struct large *top; /* [0 .. n), the largest first */
    size_t n;
    uint64_t files;
};

static bool count(struct survey *s, const char *path, uint64_t size, struct err *err)
{
    size_t at = s->n;

    if (s->files++ % LOOK_EACH == 0) {
        str_copy(s->progress.what, sizeof s->progress.what, path);
        task_progress(s->task, &s->progress);
        if (!task_go_on(s->task, err)) {
            return false;
        }
    }
    if (s->n == LARGEST && size <= s->top[LARGEST - 1].size) {
        return true;
    }
    while (at > 0 && s->top[at - 1].size < size) {
        at--;
    }
    s->n += s->n < LARGEST;
    memmove(&s->top[at + 1], &s->top[at], (s->n - at - 1) * sizeof *s->top);
    s->top[at].size = size;
    (void)str_copy(s->top[at].path, sizeof s->top[at].path, path);
    return true;
}

static bool on_file(void *ctx, const struct manifest_file *file, struct err *err)
{
    return count(ctx, file->path.p, file->size, err);
}

static bool from_manifest(struct survey *s, struct arena *a, const char *path, struct err *err)
{
    struct manifest_events events = {.ctx = s, .file = on_file};
    struct manifest *m = ARENA_NEW(a, struct manifest);
    int fd = m ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    bool ok;

    if (!m) {
        return arena_err(a, err);
    }
    if (fd < 0) {
        return err_os(err, errno, "read", path);
    }
    manifest_init(m, path, &events);
    ok = manifest_read_fd(m, fd, err);
    close(fd);
    return ok;
}

/* Paths as a manifest has them: a tablespace is below pg_tblspc. */
static bool count_entry(struct survey *s, const struct tree_space *space, struct tree *tree,
                        const struct tree_entry *e, struct err *err)
{
    char path[MANIFEST_PATH_CAP];

    if (space->oid == 0 && e->kind == TREE_DIR && strcmp(e->rel, "pg_tblspc") == 0) {
        tree_prune(tree);
    }
    if (e->kind != TREE_FILE) {
        return true;
    }
    if (space->oid) {
        (void)str_fmt(path, sizeof path, "pg_tblspc/%" PRIu32 "/%s", space->oid, e->rel);
    } else {
        (void)str_copy(path, sizeof path, e->rel);
    }
    return count(s, path, (uint64_t)e->st.st_size, err);
}

static bool from_tree(struct survey *s, const struct kept_tree *kept, struct err *err)
{
    bool ok = true;

    for (size_t i = 0; ok && i < kept->spaces; i++) {
        struct tree tree = {.depth = 0};
        struct tree_entry e = {.kind = TREE_END};

        if (file_kind(kept->space[i].from, NULL) == FILE_NONE) {
            continue; /* a backup that failed, or is stored elsewhere */
        }
        ok = tree_open(&tree, kept->space[i].from, err);
        while (ok && (ok = tree_next(&tree, &e, err)) && e.kind != TREE_END) {
            ok = count_entry(s, &kept->space[i], &tree, &e, err);
        }
        tree_close(&tree);
    }
    return ok;
}

/* A manifest that cannot be believed is no reason to show nothing. */
static bool survey(struct survey *s, struct arena *a, const struct kept_tree *kept,
                   struct answer_backup *out, struct err *err)
{
    struct err odd = {0};
    char text[1600];

    if (kept->manifest) {
        if (from_manifest(s, a, kept->manifest, &odd)) {
            out->has_manifest = true;
            return true;
        }
        if (odd.code != ERR_FORMAT && odd.code != ERR_IO) {
            *err = odd;
            return false;
        }
        task_say(s->task, SAY_WARN, "%s", err_text(&odd, text, sizeof text));
        s->files = s->n = 0;
    }
    return from_tree(s, kept, err);
}

static bool keep_largest(const struct survey *s, struct arena *a, struct answer_backup *out,
                         struct err *err)
{
    struct answer_file *file = ARENA_ARRAY(a, s->n + 1, struct answer_file);

    for (size_t i = 0; file && i < s->n; i++) {
        file[i] = (struct answer_file){arena_strdup(a, s->top[i].path), s->top[i].size};
    }
    out->files = s->files;
    out->largest = file;
    out->largests = s->n;
    return !a->failed || arena_err(a, err);
}

static bool detail(struct survey *s, struct arena *a, const struct repo *repo,
                   struct answer_backup *out, struct err *err)
{
    struct kept_tree kept = {.spaces = 0};
    char tree[PATH_CAP];
    bool ok = kept_tree_open(a, repo, &out->backup, &kept, err) &&
              survey(s, a, &kept, out, err) && keep_largest(s, a, out, err) &&
              repo_backup_dir(repo, out->backup.id, tree, err);

    kept_tree_release(&kept);
    if (!ok) {
        return false;
    }
    out->tree = arena_strdup(a, tree);
    return out->tree || arena_err(a, err);
}

bool backup_detail(const struct task *t, const struct config *config,
                   const struct server_cfg *srv, const char *id, struct arena *a,
                   struct answer_backup *out, struct err *err)
{
    struct survey s = {.task = t, .progress = {.phase = "count files"}};
    const struct backup *b;
    struct catalogue c;
    struct repo repo;

    *out = (struct answer_backup){.files = 0};
    s.top = ARENA_ARRAY(a, LARGEST, struct large);
    if (!s.top) {
        return arena_err(a, err);
    }
    if (!repo_of(a, srv, config->barman_home, config->barman_lock_directory, &repo, err) ||
        !catalogue_look(&repo, a, &c, err) || !catalogue_resolve(&c, srv->name, id, &b, err)) {
        return false;
    }
    out->backup = *b;
    out->needed_from = b->begin_wal;
    out->needed_to = b->end_wal;
    return detail(&s, a, &repo, out, err);
}
