/* SPDX-License-Identifier: PostgreSQL */
#include "repo.h"

#include "layout.h"
#include "mount.h"
#include "wal/seg.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

static bool digits(const char *p, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (p[i] < '0' || p[i] > '9') {
            return false;
        }
    }
    return true;
}

bool backup_id_ok(const char *id)
{
    return strlen(id) == BACKUP_ID_LEN && digits(id, 8) && id[8] == 'T' && digits(id + 9, 6);
}

/* An id becomes part of a path that is removed one day: nothing else may pass here. */
static bool id_checked(const char *id, struct err *err)
{
    return backup_id_ok(id) ? true
                            : err_set(err, ERR_FORMAT, "List the backups to see their ids.", id,
                                      "not a backup id");
}

static bool too_long(const char *dir, struct err *err)
{
    return err_set(err, ERR_FORMAT, "Use a shorter directory.", dir, "path is too long");
}

bool repo_backup_dir(const struct repo *r, const char *id, char out[PATH_CAP], struct err *err)
{
    return id_checked(id, err) && path_join(out, r->base_dir, id, err);
}

static bool old_data_dir(const struct repo *r, const char *id, char out[PATH_CAP])
{
    return str_fmt(out, PATH_CAP, "%s/%s/pgdata", r->base_dir, id) &&
           file_kind(out, NULL) == FILE_DIR;
}

bool repo_data_dir(const struct repo *r, const char *id, char out[PATH_CAP], struct err *err)
{
    if (!id_checked(id, err)) {
        return false;
    }
    if (old_data_dir(r, id, out)) {
        return true;
    }
    return str_fmt(out, PATH_CAP, "%s/%s/data", r->base_dir, id) ? true
                                                                 : too_long(r->base_dir, err);
}

bool repo_tablespace_dir(const struct repo *r, const char *id, uint32_t oid, char out[PATH_CAP],
                         struct err *err)
{
    const char *between = "";

    if (!id_checked(id, err)) {
        return false;
    }
    if (old_data_dir(r, id, out)) {
        between = "/pgdata/pg_tblspc";
    }
    return str_fmt(out, PATH_CAP, "%s/%s%s/%u", r->base_dir, id, between, oid)
               ? true
               : too_long(r->base_dir, err);
}

const char *layout_name(enum catalogue_layout layout)
{
    return layout == LAYOUT_LEGACY ? "legacy" : "current";
}

bool repo_info_path(const struct repo *r, const char *id, char out[PATH_CAP], struct err *err)
{
    return r->layout == LAYOUT_LEGACY ? repo_info_legacy_path(r, id, out, err)
                                      : repo_info_current_path(r, id, out, err);
}

bool repo_info_current_path(const struct repo *r, const char *id, char out[PATH_CAP],
                            struct err *err)
{
    if (!id_checked(id, err)) {
        return false;
    }
    return str_fmt(out, PATH_CAP, "%s/%s-backup.info", r->meta_dir, id)
               ? true
               : too_long(r->meta_dir, err);
}

bool repo_info_legacy_path(const struct repo *r, const char *id, char out[PATH_CAP],
                           struct err *err)
{
    if (!id_checked(id, err)) {
        return false;
    }
    return str_fmt(out, PATH_CAP, "%s/%s/backup.info", r->base_dir, id)
               ? true
               : too_long(r->base_dir, err);
}

bool repo_facts_path(const struct repo *r, const char *id, char out[PATH_CAP], struct err *err)
{
    if (!id_checked(id, err)) {
        return false;
    }
    return str_fmt(out, PATH_CAP, "%s/%s/.barkeep/facts", r->base_dir, id)
               ? true
               : too_long(r->base_dir, err);
}

bool repo_wal_path(const struct repo *r, const char *name, char out[PATH_CAP], struct err *err)
{
    char dir[WAL_DIR_CAP];

    if (wal_name_kind(str_of(name), WAL_CASE_EITHER) == WAL_NAME_OTHER) {
        return err_set(err, ERR_FORMAT, "", name, "not a WAL file name");
    }
    wal_name_dir(str_of(name), dir);
    return str_fmt(out, PATH_CAP, "%s/%s%s%s", r->wals_dir, dir, dir[0] ? "/" : "", name)
               ? true
               : too_long(r->wals_dir, err);
}

static bool xlogdb_path(const struct repo *r, enum catalogue_layout layout, char out[PATH_CAP],
                        struct err *err)
{
    if (layout == LAYOUT_LEGACY) {
        return path_join(out, r->wals_dir, "xlog.db", err);
    }
    return str_fmt(out, PATH_CAP, "%s/%s-xlog.db", r->xlogdb_dir, r->server)
               ? true
               : too_long(r->xlogdb_dir, err);
}

bool repo_xlogdb_path(const struct repo *r, char out[PATH_CAP], struct err *err)
{
    return xlogdb_path(r, r->layout, out, err);
}

/* An empty list in the other place is what an older Barman leaves when it only looks. */
bool repo_xlogdb_find(const struct repo *r, char out[PATH_CAP], struct err *err)
{
    char other[PATH_CAP];
    uint64_t size = 0;

    if (!repo_xlogdb_path(r, out, err)) {
        return false;
    }
    if (access(out, F_OK) != 0 && errno == ENOENT &&
        xlogdb_path(r, r->layout == LAYOUT_LEGACY ? LAYOUT_CURRENT : LAYOUT_LEGACY, other,
                    err) &&
        file_kind(other, &size) == FILE_REGULAR && size > 0) {
        memcpy(out, other, PATH_CAP);
    }
    return true;
}

/* ---- which layout ------------------------------------------------------------------- */

enum there { NOT_THERE, THERE };

/* Does a directory hold a name that fits? An unreadable one holds nothing. */
static enum there dir_holds(const struct repo *r, const char *dir,
                            bool (*fits)(const struct repo *r, const char *name))
{
    DIR *d = opendir(dir);
    enum there found = NOT_THERE;
    const struct dirent *e;

    while (d && found == NOT_THERE && (e = readdir(d)) != NULL) {
        found = fits(r, e->d_name) ? THERE : NOT_THERE;
    }
    if (d) {
        closedir(d);
    }
    return found;
}

static bool is_new_info(const struct repo *r, const char *name)
{
    char id[BACKUP_ID_CAP];

    (void)r;
    return !str_copy(id, sizeof id, name) && backup_id_ok(id) &&
           strcmp(name + BACKUP_ID_LEN, "-backup.info") == 0;
}

static bool has_old_info(const struct repo *r, const char *name)
{
    char path[PATH_CAP];
    struct err ignored;

    return backup_id_ok(name) && repo_info_legacy_path(r, name, path, &ignored) &&
           access(path, F_OK) == 0;
}

static enum there list_there(const struct repo *r, enum catalogue_layout layout)
{
    char path[PATH_CAP];
    struct err ignored;

    return xlogdb_path(r, layout, path, &ignored) && access(path, F_OK) == 0 ? THERE
                                                                             : NOT_THERE;
}

enum catalogue_layout repo_find_layout(const struct repo *r)
{
    enum catalogue_layout to;

    if (layout_converting(r, &to)) {
        return to;
    }
    if (list_there(r, LAYOUT_CURRENT) || dir_holds(r, r->meta_dir, is_new_info)) {
        return LAYOUT_CURRENT;
    }
    return list_there(r, LAYOUT_LEGACY) || dir_holds(r, r->base_dir, has_old_info)
               ? LAYOUT_LEGACY
               : LAYOUT_CURRENT;
}

bool repo_make_dirs(const struct repo *r, struct err *err)
{
    const char *const dir[] = {
        r->backup_dir,   r->base_dir,      r->wals_dir,   r->xlogdb_dir,
        r->incoming_dir, r->streaming_dir, r->errors_dir, r->own_dir,
    };

    if (!repo_mounted(r, err)) {
        return false;
    }
    for (size_t i = 0; i < sizeof dir / sizeof dir[0]; i++) {
        if (!dir_make(dir[i], err)) {
            return false;
        }
    }
    return r->layout == LAYOUT_LEGACY || dir_make(r->meta_dir, err);
}
