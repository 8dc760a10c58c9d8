/* SPDX-License-Identifier: PostgreSQL */
/* restore_unpack.c - a backup that is stored as archives, extracted straight to where it goes:
 * archives side by side, each held against the manifest as it streams. Nothing is staged. An
 * archive that a restore that died had begun is extracted again, one that is whole is not. */
#include "base/bug.h"
#include "engine/backup_form.h"
#include "engine/kept_pack.h"
#include "engine/restore_run.h"
#include "repo/extract.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define LATE_MAX      ((size_t)64 * 1024) /* backup_label, pg_control */
#define PROGRESS_STEP ((uint64_t)4 * 1024 * 1024)

struct unpacking { /* the whole */
    struct restore_run *r;
    struct gpg gpg;
    size_t next;
    bool *again;   /* [i] of tree.archive: is there already */
    uint64_t done; /* bytes, by all archives that are unpacked side by side */
};

struct unpack { /* an archive */
    struct unpacking *all;
    const struct kept_archive *archive;
    struct extract *extract;
    enum tree_fate fate; /* of the member at hand */
    char name[TAR_NAME_CAP];
    bool is_file;
    char late[LATE_MAX]; /* a file that is kept for the end */
    size_t late_n;
    uint64_t untold; /* bytes that are not in all->done yet */
};

static struct unpack *unpack_new(struct unpacking *all, const struct kept_archive *archive,
                                 struct err *err)
{
    struct unpack *u = calloc(1, sizeof *u);

    if (!u) {
        err_set(err, ERR_MEMORY, "", "", "out of memory");
        return NULL;
    }
    u->all = all;
    u->archive = archive;
    return u;
}

static void unpack_free(struct unpack *u)
{
    extract_free(u->extract);
    free(u);
}

static char *late_new(const struct unpack *u)
{
    char *own = malloc(u->late_n + 1);

    if (own) {
        memcpy(own, u->late, u->late_n);
        own[u->late_n] = '\0';
    }
    return own;
}

/* --- members --- */

static bool is_tablespace_link(const char *name)
{
    struct str s = str_of(name);
    uint64_t oid;

    return str_take_lit(&s, "pg_tblspc/") && str_u64(s, UINT32_MAX, &oid);
}

static bool on_member(void *ctx, const struct tar_member *m, struct err *err)
{
    struct unpack *u = ctx;

    str_copy(u->name, sizeof u->name, m->name);
    u->is_file = m->kind == TAR_FILE;
    u->late_n = 0;
    if (m->kind == TAR_LINK) { /* ours are there already, and lead where they shall */
        u->fate = TREE_SKIP;
        return (u->archive->oid == 0 && is_tablespace_link(m->name)) ||
               err_set(err, ERR_UNSAFE, "", m->name, "a link that is not a tablespace's");
    }
    u->fate = u->archive->oid ? TREE_COPY : kept_tree_fate(m->name);
    if (!u->archive->oid && strcmp(m->name, "PG_VERSION") == 0) {
        u->all->r->saw_group_access = (m->mode & 040) != 0;
    }
    if (u->fate == TREE_LAST && m->size > LATE_MAX) {
        return err_set(err, ERR_FORMAT, "", m->name, "larger than it can be");
    }
    if (u->fate == TREE_COPY || (u->fate == TREE_EMPTY && !u->is_file)) {
        return extract_begin(u->extract, m, err);
    }
    return true;
}

/* How far all of them are; their sizes are those of the members, as the total is. */
static void tell(struct unpack *u)
{
    const struct restore_run *r = u->all->r;
    struct progress now = {.phase = "copy", .total = r->tree.bytes};

    now.done = task_count(&u->all->done, u->untold);
    u->untold = 0;
    str_copy(now.what, sizeof now.what, u->name);
    task_progress(r->task, &now);
}

static bool on_data(void *ctx, const void *p, size_t n, struct err *err)
{
    struct unpack *u = ctx;

    u->untold += n;
    if (!restore_pace(u->all->r, n, err)) {
        return false;
    }
    if (u->untold >= PROGRESS_STEP) {
        tell(u);
    }
    if (u->fate == TREE_COPY) {
        return extract_data(u->extract, p, n, err);
    }
    if (u->fate == TREE_LAST) {
        BUG_IF(n > LATE_MAX - u->late_n);
        memcpy(u->late + u->late_n, p, n);
        u->late_n += n;
    }
    return true;
}

/* Only the base has them, so only one thread ever writes here. */
static bool keep_late(struct unpack *u, struct err *err)
{
    struct restore_run *r = u->all->r;
    struct str *to = strcmp(u->name, "backup_label") == 0 ? &r->label : &r->control;

    if (to->p) {
        return err_set(err, ERR_FORMAT, "", u->name, "is there twice");
    }
    *to = str_n(late_new(u), u->late_n);
    return to->p || err_set(err, ERR_MEMORY, "", "", "out of memory");
}

static bool on_member_end(void *ctx, struct err *err)
{
    struct unpack *u = ctx;

    if (u->fate == TREE_LAST && u->is_file) {
        return keep_late(u, err);
    }
    return u->fate != TREE_COPY || extract_end(u->extract, err);
}

/* --- archives --- */

/* Where the members of an archive go. */
static bool target_dir(const struct restore_run *r, const struct kept_archive *archive,
                       char out[PATH_CAP], struct err *err)
{
    for (size_t i = 0; i < r->tree.spaces; i++) {
        if (r->tree.space[i].oid == archive->oid) {
            return str_copy(out, PATH_CAP, r->tree.space[i].to);
        }
    }
    /* Not among the tablespaces of the backup: one in place. */
    if (!path_join(out, r->dest, "pg_tblspc", err) ||
        !copy_dir(out, r->dir_mode, &r->rules.owner, err)) {
        return false;
    }
    str_fmt(out, PATH_CAP, "%s/pg_tblspc/%" PRIu32, r->dest, archive->oid);
    return copy_dir(out, r->dir_mode, &r->rules.owner, err);
}

static bool open_extract(struct unpack *u, struct err *err)
{
    struct restore_run *r = u->all->r;
    const struct copy_owner *owner = &r->rules.owner;
    char dir[PATH_CAP];

    if (!target_dir(r, u->archive, dir, err)) {
        return false;
    }
    u->extract = extract_new(dir, NULL, &r->sync, err);
    if (!u->extract) {
        return false;
    }
    if (r->resume) {
        extract_again(u->extract);
    }
    if (owner->change) {
        extract_owned_by(u->extract, owner->uid, owner->gid);
    }
    return true;
}

static int next_archive(void *ctx, void *piece, struct err *err)
{
    struct unpacking *all = ctx;

    (void)err;
    while (all->next < all->r->tree.archives && all->again[all->next]) {
        all->next++;
    }
    if (all->next == all->r->tree.archives) {
        return 0;
    }
    memcpy(piece, &all->next, sizeof all->next);
    all->next++;
    return 1;
}

static bool unpack_archive(void *ctx, void *piece, struct err *err)
{
    struct unpacking *all = ctx;
    const struct kept_tree *tree = &all->r->tree;
    struct kept_pack_read read = {
        .task = all->r->task,
        .gpg = &all->gpg,
        .list = tree->archive,
        .n = tree->archives,
        .manifest = tree->manifest,
        .checksums = tree->checksums,
        .spool = all->r->dest,
    };
    struct unpack *u;
    bool ok;

    memcpy(&read.at, piece, sizeof read.at);
    u = unpack_new(all, &tree->archive[read.at], err);
    if (!u) {
        return false;
    }
    read.events = (struct tar_events){u, on_member, on_data, on_member_end};
    ok = open_extract(u, err) && kept_pack_read(&read, err) && extract_close(u->extract, err);
    if (ok) {
        tell(u);
    }
    unpack_free(u);
    return ok;
}

/* A cluster with group access shows it by the modes of its files. */
static bool open_to_group(struct restore_run *r, struct err *err)
{
    if (!r->saw_group_access) {
        return true;
    }
    r->dir_mode = 0750;
    r->file_mode = 0640;
    for (size_t i = 0; i < r->tree.spaces; i++) {
        if (chmod(r->tree.space[i].to, r->dir_mode) != 0) {
            return err_os(err, errno, "set the mode of", r->tree.space[i].to);
        }
    }
    return true;
}

static bool took_all(const struct restore_run *r, struct err *err)
{
    const char *missing = !r->label.p ? "backup_label" : !r->control.p ? "pg_control" : NULL;

    return !missing || err_set(err, ERR_FORMAT, "Restore another backup.",
                               r->tree.archive[0].path, "has no %s in it", missing);
}

void restore_late_free(struct restore_run *r)
{
    free((void *)(uintptr_t)r->label.p);
    free((void *)(uintptr_t)r->control.p);
    r->label = r->control = str_n(NULL, 0);
}

static void say_again(const struct unpacking *all)
{
    const struct restore_run *r = all->r;
    size_t whole = 0;

    for (size_t i = 0; i < r->tree.archives; i++) {
        whole += all->again[i];
    }
    if (r->resume) {
        task_say(r->task, SAY_OUT, "\t%zu of %zu archives there already, whole%s", whole,
                 r->tree.archives,
                 whole < r->tree.archives ? "; the others are unpacked from their beginning"
                                          : "");
    }
}

bool restore_unpack(struct restore_run *r, struct err *err)
{
    struct unpacking all = {
        .r = r,
        .gpg = backup_form_gpg(r->req->server, r->task->cancel_fd),
    };
    const struct pool_spec pool = {
        .piece_size = sizeof(size_t),
        .jobs = restore_jobs(r),
        .ctx = &all,
        .next = next_archive,
        .work = unpack_archive,
    };

    all.again = ARENA_ARRAY(r->a, r->tree.archives, bool);
    if (!all.again) {
        return arena_err(r->a, err);
    }
    if (!restore_again(r, all.again, err)) {
        return false;
    }
    say_again(&all);
    return pool_run(r->task, &pool, err) && took_all(r, err) && open_to_group(r, err) &&
           restore_again_keep(r, err);
}
