/* SPDX-License-Identifier: PostgreSQL */
/* The files a backup's facts lie in, in either layout (repo.h). */
#include "backup_info.h"

#include "catalogue.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* What is in a file; missing is an empty text. */
static bool read_if_there(struct arena *a, const char *path, struct str *out, struct err *err)
{
    struct err why = {0};

    if (file_read(a, path, BACKUP_INFO_MAX, out, &why)) {
        return true;
    }
    if (why.code != ERR_MISSING) {
        *err = why;
        return false;
    }
    *out = str_n("", 0);
    return true;
}

/* base/<id>/backup.info, and below it the facts that lie beside. */
static bool read_legacy(const struct repo *r, struct arena *a, const char *id,
                        char path[PATH_CAP], struct str *out, struct err *err)
{
    char beside[PATH_CAP];
    struct str more;
    char *all;

    if (!repo_info_legacy_path(r, id, path, err) ||
        !file_read(a, path, BACKUP_INFO_MAX, out, err) ||
        !repo_facts_path(r, id, beside, err) || !read_if_there(a, beside, &more, err)) {
        return false;
    }
    if (!more.n) {
        return true;
    }
    all = arena_alloc(a, out->n + 1 + more.n);
    if (!all) {
        return arena_err(a, err);
    }
    memcpy(all, out->p, out->n);
    all[out->n] = '\n';
    memcpy(all + out->n + 1, more.p, more.n);
    *out = str_n(all, out->n + 1 + more.n);
    return true;
}

/* What is in the file of either layout, whose path is left in path. */
static bool read_either(const struct repo *r, struct arena *a, const char *id,
                        char path[PATH_CAP], struct str *out, struct err *err)
{
    struct err first = {0};

    if (!repo_info_current_path(r, id, path, err)) {
        return false;
    }
    if (file_read(a, path, BACKUP_INFO_MAX, out, &first)) {
        return true;
    }
    if (first.code != ERR_MISSING) {
        *err = first;
        return false;
    }
    return read_legacy(r, a, id, path, out, err);
}

/* The text is let go of at once: a catalogue has thousands of them. */
bool backup_info_load(const struct repo *r, struct arena *a, const char *id, struct backup *out,
                      struct err *err)
{
    char path[PATH_CAP];
    struct arena text_of;
    struct str text;
    bool ok;

    arena_init(&text_of, 0);
    ok = read_either(r, &text_of, id, path, &text, err);
    if (ok) {
        str_copy(out->id, sizeof out->id, id);
        ok = backup_info_parse(a, text, path, out, err);
    }
    arena_release(&text_of);
    return ok;
}

bool backup_info_legacy_ok(const struct backup *b, struct err *err)
{
    if (b->parent_backup_id) {
        return err_set(err, ERR_UNSAFE,
                       "Keep incremental backups in a server of the current layout.", b->id,
                       "the backup is incremental, and an older Barman would restore it as if "
                       "it were whole");
    }
    if (b->encryption && strcmp(b->encryption, "none") != 0) {
        return err_set(err, ERR_UNSAFE,
                       "Keep encrypted backups in a server of the current layout.", b->id,
                       "the backup is encrypted, and an older Barman would restore it without "
                       "decrypting it");
    }
    return true;
}

/* The old reader never sees a backup.info without what belongs to it: first what lies beside. */
static bool save_legacy(const struct repo *r, struct arena *a, const struct backup *b,
                        struct err *err)
{
    char path[PATH_CAP], current[PATH_CAP], dir[PATH_CAP], beside[PATH_CAP];
    struct str there, text, more;
    uint64_t recent = backup_info_recent(), known;

    if (!repo_info_path(r, b->id, path, err) || !repo_facts_path(r, b->id, beside, err) ||
        !repo_info_current_path(r, b->id, current, err) ||
        !read_if_there(a, path, &there, err)) {
        return false;
    }
    path_dir(beside, dir);
    known = backup_info_keys(there) & recent; /* by whoever reads this file */
    if ((!known && !backup_info_legacy_ok(b, err)) ||
        !backup_info_text_of(a, b, ~recent | known, INFO_UNSET_NONE, &text, err) ||
        !backup_info_text_of(a, b, recent & ~known, INFO_UNSET_OUT, &more, err) ||
        !dir_make(dir, err)) {
        return false;
    }
    if (more.n ? !file_replace(beside, more, err) : !file_remove(beside, err)) {
        return false;
    }
    return file_replace(path, text, err) &&
           (access(current, F_OK) != 0 || file_remove(current, err));
}

static bool remove_if_there(const char *path, struct err *err)
{
    return access(path, F_OK) != 0 || file_remove(path, err);
}

/* Whoever looks often sees a change by the time of the directory; files in base/<id> do not
 * change that of base/. */
static void touch(const char *dir)
{
    (void)utimensat(AT_FDCWD, dir, NULL, 0);
}

bool backup_info_save(const struct repo *r, const struct backup *b, struct err *err)
{
    char path[PATH_CAP];
    struct arena a;
    struct str text;
    bool ok;

    arena_init(&a, 0);
    if (r->layout == LAYOUT_LEGACY) {
        ok = save_legacy(r, &a, b, err);
        touch(r->base_dir);
    } else {
        ok = repo_info_path(r, b->id, path, err) && dir_make(r->meta_dir, err) &&
             backup_info_text(&a, b, &text, err) && file_replace(path, text, err);
    }
    arena_release(&a);
    return ok;
}

/* All of base/<id> but what tells of the backup. */
static bool remove_others(const char *dir, struct err *err)
{
    static const char *const last[] = {"annotations", "backup.info"};
    char path[PATH_CAP];
    struct names names;
    struct arena a;
    bool ok;

    arena_init(&a, 0);
    ok = dir_names(&a, dir, DIR_MAY_MISS, &names, err);
    for (size_t i = 0; ok && i < names.n; i++) {
        if (strcmp(names.name[i], last[0]) != 0 && strcmp(names.name[i], last[1]) != 0) {
            ok = path_join(path, dir, names.name[i], err) && tree_remove(path, err);
        }
    }
    arena_release(&a);
    return ok;
}

/* The mark goes after the facts: without it, facts whose data are gone would pass for a backup. */
bool backup_forget(const struct repo *r, const struct backup *b, struct err *err)
{
    char dir[PATH_CAP], info[PATH_CAP], legacy[PATH_CAP];

    return repo_backup_dir(r, b->id, dir, err) && repo_info_current_path(r, b->id, info, err) &&
           repo_info_legacy_path(r, b->id, legacy, err) && remove_others(dir, err) &&
           keep_write(r, b->id, KEEP_NONE, err) && remove_if_there(legacy, err) &&
           remove_if_there(info, err) && tree_remove(dir, err) &&
           delete_mark_clear(r, b->id, err);
}
