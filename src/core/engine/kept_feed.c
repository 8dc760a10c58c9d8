/* SPDX-License-Identifier: PostgreSQL */
/* kept_feed.c - the files of a kept backup as batches for a pool: the tree first, which makes
 * the directories and finds what the manifest does not list, then the manifest. */
#include "engine/kept_tree.h"
#include "engine/path_set.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CHUNK       32768
#define BATCH_BYTES ((uint64_t)1024 * 1024) /* more than this is a batch of its own */
#define SCRATCH_MAX ((size_t)8 * 1024 * 1024)

struct waiting { /* a listed file that was read ahead with its chunk of the manifest */
    struct waiting *next;
    uint64_t size;
    enum digest_kind kind;
    uint8_t sum[DIGEST_MAX];
    const char *rel; /* of the manifest */
};

struct tree_feed {
    const struct kept_tree *t;
    struct feed_spec spec;
    enum { WALKING, LISTING, ENDED } stage;
    /* the walk */
    size_t space;
    bool walk_open;
    struct tree tree;
    /* the manifest */
    int fd;
    bool all_read;
    struct manifest manifest;
    struct arena scratch; /* what waits; given back when none does */
    struct waiting *first, **last;
    /* a file that did not fit in the batch before */
    bool held;
    struct tree_file file;
    struct tree_file label, control;
};

/* --- packing --- */

struct packed { /* copied in and out with memcpy: no alignment in a batch */
    uint64_t size;
    uint32_t space;
    uint16_t rel_n;
    uint8_t kind;
    uint8_t listed;
};

static bool put(const struct kept_tree *t, struct tree_batch *b, const struct tree_file *f)
{
    size_t rel_n = strlen(f->rel), sum_n = digest_size(f->kind);
    struct packed p = {f->size, (uint32_t)(f->space - t->space), (uint16_t)rel_n,
                       (uint8_t)f->kind, f->listed};

    if (b->files == TREE_BATCH_FILES || (b->files && b->bytes + f->size > BATCH_BYTES) ||
        b->used + sizeof p + rel_n + sum_n > sizeof b->mem) {
        return false;
    }
    memcpy(b->mem + b->used, &p, sizeof p);
    memcpy(b->mem + b->used + sizeof p, f->rel, rel_n);
    memcpy(b->mem + b->used + sizeof p + rel_n, f->sum, sum_n);
    b->used += (uint32_t)(sizeof p + rel_n + sum_n);
    b->bytes += f->size;
    b->files++;
    return true;
}

bool tree_batch_take(const struct kept_tree *t, const struct tree_batch *b, uint32_t *at,
                     struct tree_file *out)
{
    struct packed p;

    if (*at >= b->used) {
        return false;
    }
    memcpy(&p, b->mem + *at, sizeof p);
    *at += (uint32_t)sizeof p;
    memset(out, 0, sizeof *out);
    out->space = &t->space[p.space];
    out->size = p.size;
    out->kind = (enum digest_kind)p.kind;
    out->listed = p.listed;
    memcpy(out->rel, b->mem + *at, p.rel_n);
    *at += p.rel_n;
    memcpy(out->sum, b->mem + *at, digest_size(out->kind));
    *at += (uint32_t)digest_size(out->kind);
    return true;
}

/* --- the walk --- */

static enum tree_fate fate_of(const struct tree_feed *f, const char *rel)
{
    return f->spec.what & FEED_EVERY ? TREE_COPY : kept_tree_fate(rel);
}

/* The path a manifest would have for it: "pg_tblspc/<oid>/" in front inside a tablespace. */
static bool full_rel(const struct tree_space *space, const char *rel, char out[PATH_CAP],
                     struct err *err)
{
    bool fits = space->oid ? str_fmt(out, PATH_CAP, "pg_tblspc/%u/%s", space->oid, rel)
                           : str_copy(out, PATH_CAP, rel);

    return fits || err_set(err, ERR_FORMAT, "", rel, "path too long");
}

static bool walk_dir(struct tree_feed *f, const struct tree_entry *e, struct err *err)
{
    const struct tree_space *space = &f->t->space[f->space];
    enum tree_fate fate = space->oid ? TREE_COPY : fate_of(f, e->rel);
    const char *rest;

    /* An old layout keeps tablespaces below pg_tblspc: they have a walk of their own. */
    if (!space->oid && kept_tree_space(f->t, e->rel, &rest) != space) {
        tree_prune(&f->tree);
        return true;
    }
    if (fate == TREE_SKIP) {
        tree_prune(&f->tree);
        return true;
    }
    if (fate == TREE_EMPTY) {
        tree_prune(&f->tree);
    }
    return !f->spec.dir || f->spec.dir(f->spec.ctx, space, e->rel, &e->st, err);
}

/* *found: f->file is one to hand out. */
static bool walk_file(struct tree_feed *f, const struct tree_entry *e, bool *found,
                      struct err *err)
{
    const struct tree_space *space = &f->t->space[f->space];
    char rel[PATH_CAP];

    *found = false;
    if (!full_rel(space, e->rel, rel, err)) {
        return false;
    }
    if (!(f->spec.what & FEED_OTHERS) || fate_of(f, rel) != TREE_COPY ||
        path_set_has(f->t->listed, rel)) {
        return true;
    }
    memset(&f->file, 0, sizeof f->file);
    f->file.space = space;
    f->file.size = (uint64_t)e->st.st_size;
    if (!str_copy(f->file.rel, sizeof f->file.rel, e->rel)) {
        return err_set(err, ERR_FORMAT, "", e->rel, "path too long");
    }
    *found = true;
    return true;
}

static void walk_odd(struct tree_feed *f, const struct tree_entry *e)
{
    const char *rest;
    bool is_tablespace = f->space == 0 && e->kind == TREE_LINK &&
                         kept_tree_space(f->t, e->rel, &rest) != &f->t->space[0];

    if (f->spec.odd && !is_tablespace) {
        f->spec.odd(f->spec.ctx, e->rel);
    }
}

static bool walk_one(struct tree_feed *f, bool *found, struct err *err)
{
    struct tree_entry e;

    if (!f->walk_open) {
        if (!tree_open(&f->tree, f->t->space[f->space].from, err)) {
            return false;
        }
        f->walk_open = true;
    }
    if (!tree_next(&f->tree, &e, err)) {
        return false;
    }
    switch (e.kind) {
    case TREE_END:
        tree_close(&f->tree);
        f->walk_open = false;
        if (++f->space == f->t->spaces) {
            f->stage = LISTING;
        }
        break;
    case TREE_DIR:
        return walk_dir(f, &e, err);
    case TREE_FILE:
        return walk_file(f, &e, found, err);
    case TREE_LINK:
    case TREE_OTHER:
        walk_odd(f, &e);
        break;
    }
    return true;
}

/* --- the manifest --- */

static bool keep_listed(void *ctx, const struct manifest_file *file, struct err *err)
{
    struct tree_feed *f = ctx;
    struct waiting *w = ARENA_NEW(&f->scratch, struct waiting);

    if (!w) {
        return arena_err(&f->scratch, err);
    }
    w->size = file->size;
    w->kind = file->kind;
    memcpy(w->sum, file->sum, sizeof w->sum);
    w->rel = arena_strndup(&f->scratch, file->path.p, file->path.n);
    if (!w->rel) {
        return arena_err(&f->scratch, err);
    }
    *f->last = w;
    f->last = &w->next;
    return true;
}

static bool read_chunk(struct tree_feed *f, struct err *err)
{
    char chunk[CHUNK];
    size_t n;

    arena_reset(&f->scratch, (struct arena_mark){0});
    f->first = NULL;
    f->last = &f->first;
    if (!fd_read_full(f->fd, chunk, sizeof chunk, &n, f->t->manifest, err) ||
        !manifest_feed(&f->manifest, chunk, n, err)) {
        return false;
    }
    if (n < sizeof chunk) {
        f->all_read = true;
        return manifest_end(&f->manifest, err);
    }
    return true;
}

static bool unpack(struct tree_feed *f, const struct waiting *w, struct tree_file *out,
                   struct err *err)
{
    const char *rest;

    memset(out, 0, sizeof *out);
    out->space = kept_tree_space(f->t, w->rel, &rest);
    out->listed = true;
    out->size = w->size;
    out->kind = w->kind;
    memcpy(out->sum, w->sum, sizeof out->sum);
    return str_copy(out->rel, sizeof out->rel, rest) ||
           err_set(err, ERR_FORMAT, "", w->rel, "path too long");
}

static bool list_one(struct tree_feed *f, bool *found, struct err *err)
{
    const struct waiting *w;
    enum tree_fate fate;

    if (!f->first) {
        if (f->all_read || !f->t->manifest || !(f->spec.what & FEED_LISTED)) {
            f->stage = ENDED;
            return true;
        }
        return read_chunk(f, err);
    }
    w = f->first;
    f->first = w->next;
    fate = fate_of(f, w->rel);
    if (fate == TREE_LAST) {
        bool is_label = strcmp(w->rel, "backup_label") == 0;
        return unpack(f, w, is_label ? &f->label : &f->control, err);
    }
    *found = fate == TREE_COPY;
    return unpack(f, w, &f->file, err);
}

/* --- the feed --- */

struct tree_feed *tree_feed_new(const struct kept_tree *t, const struct feed_spec *spec,
                                struct err *err)
{
    struct tree_feed *f = calloc(1, sizeof *f);
    struct manifest_events events = {f, keep_listed, NULL};

    if (!f) {
        err_set(err, ERR_MEMORY, "", "", "out of memory");
        return NULL;
    }
    f->t = t;
    f->spec = *spec;
    f->fd = -1;
    f->last = &f->first;
    f->stage = spec->what & FEED_OTHERS || spec->dir ? WALKING : LISTING;
    arena_init(&f->scratch, SCRATCH_MAX);
    if (t->manifest) {
        f->fd = open(t->manifest, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
        if (f->fd < 0) {
            err_os(err, errno, "open", t->manifest);
            tree_feed_free(f);
            return NULL;
        }
        manifest_init(&f->manifest, t->manifest, &events);
    }
    return f;
}

void tree_feed_free(struct tree_feed *f)
{
    if (!f) {
        return;
    }
    if (f->walk_open) {
        tree_close(&f->tree);
    }
    if (f->fd >= 0) {
        close(f->fd);
    }
    arena_release(&f->scratch);
    free(f);
}

int tree_feed_next(struct tree_feed *f, struct tree_batch *out, struct err *err)
{
    out->bytes = out->bad = out->unreadable = 0;
    out->files = 0;
    out->used = 0;
    if (f->held) {
        f->held = false;
        (void)put(f->t, out, &f->file); /* an empty batch takes any file */
    }
    while (f->stage != ENDED) {
        bool found = false;

        if (!(f->stage == WALKING ? walk_one(f, &found, err) : list_one(f, &found, err))) {
            return -1;
        }
        if (found && !put(f->t, out, &f->file)) {
            f->held = true;
            return 1;
        }
    }
    return out->files > 0;
}

const struct tree_file *tree_feed_label(const struct tree_feed *f)
{
    return &f->label;
}

const struct tree_file *tree_feed_control(const struct tree_feed *f)
{
    return &f->control;
}
