/* SPDX-License-Identifier: PostgreSQL */
/* repo.h - where everything of one server lies on disk.
 *
 *     <backup_dir>/identity.json              which cluster this directory belongs to
 *     <backup_dir>/meta/<id>-backup.info      facts of a backup; -keep, -delete_this:
 * annotations <backup_dir>/base/<id>/data/            copy of PGDATA
 *     <backup_dir>/base/<id>/<oid>/           copy of a tablespace
 *     <wals_dir>/<16 hex digits>/<name>       archived WAL; history files lie in <wals_dir>
 *     <xlogdb_dir>/<server>-xlog.db           catalogue of archived WAL
 *     <incoming_dir> <streaming_dir>          WAL that waits to be archived
 *     <errors_dir>                            what could not be archived
 *     <backup_dir>/.barkeep/                  ours alone
 *
 * Older layouts are read: base/<id>/backup.info, and base/<id>/pgdata with the tablespaces
 * below pgdata/pg_tblspc ("version 1").
 *
 * Ownership  The strings of struct repo belong to whoever filled it and outlive it.
 * Errors     Path functions fail only when a path is too long or an id is impossible
 *            (ERR_FORMAT).
 * Source     The directory tree Barman 3.17 writes.
 */
#ifndef REPO_REPO_H
#define REPO_REPO_H

#include "barkeep/err.h"
#include "barkeep/model.h"
#include "base/file.h"

struct repo {
    const char *server; /* name of the server, as in the configuration */
    const char *home;   /* barman_home */
    const char *lock_dir;
    const char *backup_dir;
    const char *base_dir;
    const char *wals_dir;
    const char *xlogdb_dir;
    const char *incoming_dir;
    const char *streaming_dir;
    const char *errors_dir;
    const char *meta_dir; /* backup_dir/meta */
    const char *own_dir;  /* backup_dir/.barkeep */
};

/* Eight digits, 'T', six digits. */
bool backup_id_ok(const char *id);

/* base/<id> */
MUST_CHECK bool repo_backup_dir(const struct repo *r, const char *id, char out[PATH_CAP],
                                struct err *err);
/* base/<id>/data, or base/<id>/pgdata when that exists. */
MUST_CHECK bool repo_data_dir(const struct repo *r, const char *id, char out[PATH_CAP],
                              struct err *err);
/* base/<id>/<oid>, or base/<id>/pgdata/pg_tblspc/<oid> when base/<id>/pgdata exists. */
MUST_CHECK bool repo_tablespace_dir(const struct repo *r, const char *id, uint32_t oid,
                                    char out[PATH_CAP], struct err *err);

/* meta/<id>-backup.info (written and read), base/<id>/backup.info (only read). */
MUST_CHECK bool repo_info_path(const struct repo *r, const char *id, char out[PATH_CAP],
                               struct err *err);
MUST_CHECK bool repo_info_legacy_path(const struct repo *r, const char *id, char out[PATH_CAP],
                                      struct err *err);

/* Where an archived WAL file of that name lies: below its 16-digit directory, a history file in
 * wals_dir itself. The name must be a WAL file name (ERR_FORMAT). */
MUST_CHECK bool repo_wal_path(const struct repo *r, const char *name, char out[PATH_CAP],
                              struct err *err);

MUST_CHECK bool repo_xlogdb_path(const struct repo *r, char out[PATH_CAP], struct err *err);

/* Make every directory that is missing (0700, synced): base, wals, xlogdb, incoming, streaming,
 * errors, meta, .barkeep. */
MUST_CHECK bool repo_make_dirs(const struct repo *r, struct err *err);

#endif
