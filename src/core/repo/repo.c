/* SPDX-License-Identifier: PostgreSQL */
#include "repo.h"

#include "wal/seg.h"

#include <string.h>

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

bool repo_info_path(const struct repo *r, const char *id, char out[PATH_CAP], struct err *err)
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

bool repo_xlogdb_path(const struct repo *r, char out[PATH_CAP], struct err *err)
{
    return str_fmt(out, PATH_CAP, "%s/%s-xlog.db", r->xlogdb_dir, r->server)
               ? true
               : too_long(r->xlogdb_dir, err);
}

bool repo_make_dirs(const struct repo *r, struct err *err)
{
    const char *const dir[] = {
        r->backup_dir,    r->base_dir,   r->wals_dir, r->xlogdb_dir, r->incoming_dir,
        r->streaming_dir, r->errors_dir, r->meta_dir, r->own_dir,
    };

    for (size_t i = 0; i < sizeof dir / sizeof dir[0]; i++) {
        if (!dir_make(dir[i], err)) {
            return false;
        }
    }
    return true;
}
