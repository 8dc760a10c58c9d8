/* SPDX-License-Identifier: PostgreSQL */
#include "engine/kept_tree.h"

#include "engine/kept_pack.h"
#include "engine/path_set.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#define BLOCK 4096 /* what a file takes at least on most file systems */

/* --- names --- */

static bool in_list(const char *const *list, size_t n, const char *name)
{
    for (size_t i = 0; i < n; i++) {
        if (strcmp(list[i], name) == 0) {
            return true;
        }
    }
    return false;
}

#define IN(list, name) in_list(list, sizeof(list) / sizeof((list)[0]), name)

enum tree_fate kept_tree_fate(const char *rel)
{
    static const char *const last[] = {"backup_label", "global/pg_control"};
    /* tablespace_map would make the server remake links to the old places. The server that was
     * backed up may have been restored itself: .barman-recover.info and barman_wal are of that. */
    static const char *const skip[] = {"postmaster.pid",       "postmaster.opts",
                                       "recovery.conf",        "recovery.signal",
                                       "standby.signal",       "tablespace_map",
                                       "backup_manifest",      "postgresql.auto.conf.tmp",
                                       "current_logfiles.tmp", ".barman-recover.info"};
    static const char *const empty[] = {"barman_wal",   "pg_wal",      "pg_dynshmem",
                                        "pg_notify",    "pg_replslot", "pg_serial",
                                        "pg_snapshots", "pg_stat_tmp", "pg_subtrans"};
    const char *base = path_base(rel);
    char top[64];
    size_t n = strcspn(rel, "/");

    if (IN(last, rel)) {
        return TREE_LAST;
    }
    if (IN(skip, rel) || strcmp(base, "pg_internal.init") == 0 ||
        str_starts(str_of(base), "pgsql_tmp")) {
        return TREE_SKIP;
    }
    if (n < sizeof top) {
        memcpy(top, rel, n);
        top[n] = '\0';
        if (IN(empty, top)) {
            return rel[n] ? TREE_SKIP : TREE_EMPTY;
        }
    }
    return TREE_COPY;
}

const struct tree_space *kept_tree_space(const struct kept_tree *t, const char *rel,
                                         const char **rest)
{
    struct str s = str_of(rel);
    uint64_t oid;

    *rest = rel;
    if (!str_take_lit(&s, "pg_tblspc/") || !str_take_u64(&s, UINT32_MAX, &oid) ||
        (s.n && s.p[0] != '/')) {
        return &t->space[0];
    }
    for (size_t i = 1; i < t->spaces; i++) {
        if (t->space[i].oid == oid) {
            *rest = s.n ? s.p + 1 : s.p;
            return &t->space[i];
        }
    }
    return &t->space[0];
}

/* --- opening --- */

static bool is_dir(const char *path)
{
    return file_kind(path, NULL) == FILE_DIR;
}

static bool open_space(struct arena *a, const struct repo *r, const struct backup *b, size_t i,
                       struct kept_tree *t, struct err *err)
{
    const struct tablespace *ts = &b->tablespace[i];
    struct tree_space *space = &t->space[i + 1];
    char path[PATH_CAP], inside[PATH_CAP];

    if (!repo_tablespace_dir(r, b->id, ts->oid, path, err)) {
        return false;
    }
    if (!is_dir(path) &&
        str_fmt(inside, sizeof inside, "%s/pg_tblspc/%" PRIu32, t->space[0].from, ts->oid) &&
        is_dir(inside)) {
        str_copy(path, sizeof path, inside);
    }
    *space = (struct tree_space){
        .oid = ts->oid,
        .name = ts->name ? ts->name : "",
        .from = arena_strdup(a, path),
        .original = ts->location ? ts->location : "",
    };
    space->in_place = space->original[0] != '/';
    return space->from || arena_err(a, err);
}

bool kept_tree_open(struct arena *a, const struct repo *r, const struct backup *b,
                    struct kept_tree *out, struct err *err)
{
    char path[PATH_CAP];
    uint64_t size = 0;

    memset(out, 0, sizeof *out);
    out->spaces = b->tablespaces + 1;
    out->space = ARENA_ARRAY(a, out->spaces, struct tree_space);
    if (!out->space) {
        return arena_err(a, err);
    }
    if (!repo_data_dir(r, b->id, path, err)) {
        return false;
    }
    out->space[0] = (struct tree_space){.name = "PGDATA", .from = arena_strdup(a, path)};
    out->space[0].original = b->pgdata ? b->pgdata : "";
    if (!out->space[0].from) {
        return arena_err(a, err);
    }
    for (size_t i = 0; i < b->tablespaces; i++) {
        if (!open_space(a, r, b, i, out, err)) {
            return false;
        }
    }
    if (!path_join(path, out->space[0].from, "backup_manifest", err)) {
        return false;
    }
    if (file_kind(path, &size) == FILE_REGULAR) {
        out->manifest = arena_strdup(a, path);
        if (!out->manifest) {
            return arena_err(a, err);
        }
    }
    out->listed = path_set_new(err);
    out->tops = out->listed ? path_set_new(err) : NULL;
    return out->tops &&
           kept_pack_list(a, out->space[0].from, &out->archive, &out->archives, err);
}

void kept_tree_release(struct kept_tree *t)
{
    path_set_free(t->listed);
    path_set_free(t->tops);
    t->listed = t->tops = NULL;
}

/* --- survey --- */

struct survey {
    struct kept_tree *t;
    struct arena *a;
    const struct tree_faults *faults;
};

__attribute__((format(printf, 3, 4))) static void fault(struct survey *s, const char *path,
                                                        const char *fmt, ...)
{
    char text[200];
    struct sbuf b;
    va_list ap;

    sbuf_init(&b, text, sizeof text);
    va_start(ap, fmt);
    sbuf_vfmt(&b, fmt, ap);
    va_end(ap);
    if (s->t->faults++ == 0) {
        s->t->fault = arena_fmt(s->a, "'%s': %s", path, text);
    }
    if (s->faults) {
        s->faults->say(s->faults->ctx, path, text);
    }
}

static uint64_t blocks(uint64_t bytes)
{
    return (bytes + BLOCK - 1) / BLOCK * BLOCK;
}

static struct tree_space *space_mut(struct kept_tree *t, const struct tree_space *space)
{
    return &t->space[space - t->space];
}

/* A file inside an archive: nothing of it is on the disk. */
static bool survey_packed(struct survey *s, const struct manifest_file *file, struct err *err)
{
    struct kept_tree *t = s->t;
    char top[MANIFEST_PATH_CAP];
    bool fresh;

    if (t->files == 1) {
        t->checksums = file->kind;
    }
    if (file->kind != t->checksums) {
        return err_set(err, ERR_FORMAT, "", t->manifest, "checksums of two kinds");
    }
    if (strcmp(file->path.p, "global/pg_control") == 0) {
        t->control.is_there = true;
        t->control.size = file->size;
        memcpy(t->control.sum, file->sum, sizeof t->control.sum);
    }
    str_copy(top, sizeof top, file->path.p);
    top[strcspn(top, "/")] = '\0';
    return path_set_add(t->tops, top, &fresh, err);
}

static bool survey_file(void *ctx, const struct manifest_file *file, struct err *err)
{
    struct survey *s = ctx;
    const char *rest;
    const struct tree_space *space = kept_tree_space(s->t, file->path.p, &rest);
    char path[PATH_CAP];
    uint64_t size = 0;
    bool fresh;

    if (strlen(file->path.p) != file->path.n) {
        return err_set(err, ERR_FORMAT, "", s->t->manifest, "a file name with a NUL byte");
    }
    if (!path_join(path, space->from, rest, err) ||
        !path_set_add(s->t->listed, file->path.p, &fresh, err)) {
        return false;
    }
    if (!fresh) {
        return err_set(err, ERR_FORMAT, "", s->t->manifest, "the path '%.100s' is there twice",
                       file->path.p);
    }
    s->t->files++;
    s->t->bytes += file->size;
    space_mut(s->t, space)->bytes += blocks(file->size);
    if (s->t->archives) {
        return survey_packed(s, file, err);
    }
    switch (file_kind(path, &size)) {
    case FILE_REGULAR:
        if (size != file->size) {
            fault(s, file->path.p, "has %" PRIu64 " bytes instead of %" PRIu64, size,
                  file->size);
        }
        break;
    case FILE_NONE:
        fault(s, file->path.p, "is missing");
        break;
    default:
        fault(s, file->path.p, "is not a regular file");
        break;
    }
    return true;
}

static bool survey_range(void *ctx, const struct manifest_range *range, struct err *err)
{
    struct survey *s = ctx;

    (void)err;
    if (range->end > s->t->wal_end) {
        s->t->wal_end = range->end;
    }
    return true;
}

static bool read_manifest(struct survey *s, struct err *err)
{
    struct manifest *m = ARENA_NEW(s->a, struct manifest);
    struct manifest_events events = {s, survey_file, survey_range};
    int fd;
    bool ok;

    if (!m) {
        return arena_err(s->a, err);
    }
    fd = open(s->t->manifest, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0) {
        return err_os(err, errno, "open", s->t->manifest);
    }
    manifest_init(m, s->t->manifest, &events);
    ok = manifest_read_fd(m, fd, err);
    close(fd);
    s->t->systemid = m->systemid;
    return ok;
}

/* Without a manifest the sizes are those of the tree. */
static bool walk_space(struct survey *s, struct tree_space *space, struct err *err)
{
    struct tree tree = {.depth = 0};
    struct tree_entry e;
    bool ok = tree_open(&tree, space->from, err);

    while (ok && (ok = tree_next(&tree, &e, err)) && e.kind != TREE_END) {
        if (e.kind == TREE_FILE) {
            space->bytes += blocks((uint64_t)e.st.st_size);
            s->t->bytes += (uint64_t)e.st.st_size;
            s->t->files++;
        }
    }
    tree_close(&tree);
    return ok;
}

static void survey_roots(struct survey *s)
{
    for (size_t i = 0; i < s->t->spaces; i++) {
        if (!is_dir(s->t->space[i].from)) {
            fault(s, s->t->space[i].from, "is missing");
        }
    }
}

/* What no cluster can do without. A file that is listed was told already. */
static void survey_needed(struct survey *s)
{
    static const char *const needed[] = {"PG_VERSION", "global/pg_control"};
    char path[PATH_CAP];
    struct stat st;

    for (size_t i = 0; i < sizeof needed / sizeof needed[0]; i++) {
        if (!str_fmt(path, sizeof path, "%s/%s", s->t->space[0].from, needed[i]) ||
            stat(path, &st) != 0) {
            if (!path_set_has(s->t->listed, needed[i])) {
                fault(s, needed[i], "is missing");
            }
        } else {
            s->t->group_access = (st.st_mode & S_IRGRP) != 0;
        }
    }
}

/* Is the archive of every tablespace there? Without a manifest nobody knows what is in them: the
 * need is guessed from their sizes. */
static void survey_archives(struct survey *s)
{
    struct kept_tree *t = s->t;

    for (size_t i = 0; i < t->spaces; i++) {
        const struct kept_archive *found = NULL;
        char name[32] = "base.tar";

        for (size_t k = 0; k < t->archives; k++) {
            if (t->archive[k].oid == t->space[i].oid) {
                found = &t->archive[k];
            }
        }
        if (!found) {
            str_fmt(name, sizeof name, "%" PRIu32 ".tar", t->space[i].oid);
            fault(s, name, "is missing");
        } else if (!t->manifest) {
            t->space[i].bytes += blocks(found->size);
            t->bytes += found->size;
        }
    }
}

bool kept_tree_survey(struct kept_tree *t, struct arena *a, const struct tree_faults *faults,
                      struct err *err)
{
    struct survey s = {t, a, faults};

    if (t->archives) {
        survey_archives(&s);
        return !t->manifest || read_manifest(&s, err);
    }
    survey_roots(&s);
    if (t->manifest && !read_manifest(&s, err)) {
        return false;
    }
    survey_needed(&s);
    if (t->manifest) {
        return true;
    }
    for (size_t i = 0; i < t->spaces; i++) {
        if (is_dir(t->space[i].from) && !walk_space(&s, &t->space[i], err)) {
            return false;
        }
    }
    return true;
}
