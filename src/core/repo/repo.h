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
 * That is the current layout. In the legacy one, which Barman up to 3.12 knows, lie instead
 *
 *     <base_dir>/<id>/backup.info             the facts, as far as Barman 3.4 knows them
 *     <base_dir>/<id>/.barkeep/facts          those it does not know: to it an unknown key is fatal
 *     <base_dir>/<id>/annotations/keep        likewise delete_this
 *     <wals_dir>/xlog.db                      four columns
 *
 * Both are read, whichever a server is in; what is written is written in struct repo's layout.
 * base/<id>/pgdata with the tablespaces below pgdata/pg_tblspc ("version 1") is read too.
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

enum catalogue_layout { LAYOUT_CURRENT, LAYOUT_LEGACY };

struct codec_custom;
struct gpg;

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
    const char *meta_dir;              /* backup_dir/meta */
    const char *own_dir;               /* backup_dir/.barkeep */
    const struct codec_custom *custom; /* of WAL; NULL: none */
    const struct gpg *gpg;             /* NULL: neither encrypts nor decrypts */
    enum catalogue_layout layout;
};

const char *layout_name(enum catalogue_layout layout); /* "current", "legacy" */

/* Which layout this server is in, whatever r->layout says. Legacy: there are facts of backups or
 * a list of WAL in the old places and none in the new ones, or a conversion to it has begun (see
 * layout.h). A server without any is current. */
enum catalogue_layout repo_find_layout(const struct repo *r);

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

/* Where the facts of a backup are written, by r->layout: one of the two below. */
MUST_CHECK bool repo_info_path(const struct repo *r, const char *id, char out[PATH_CAP],
                               struct err *err);
/* meta/<id>-backup.info: read first. */
MUST_CHECK bool repo_info_current_path(const struct repo *r, const char *id, char out[PATH_CAP],
                                       struct err *err);
/* base/<id>/backup.info */
MUST_CHECK bool repo_info_legacy_path(const struct repo *r, const char *id, char out[PATH_CAP],
                                      struct err *err);

/* base/<id>/.barkeep/facts */
MUST_CHECK bool repo_facts_path(const struct repo *r, const char *id, char out[PATH_CAP],
                                struct err *err);

/* Where an archived WAL file of that name lies: below its 16-digit directory, a history file in
 * wals_dir itself. The name must be a WAL file name (ERR_FORMAT). */
MUST_CHECK bool repo_wal_path(const struct repo *r, const char *name, char out[PATH_CAP],
                              struct err *err);

/* The list of archived WAL: where it is written, by r->layout; and where it is read: there, or
 * in the other place when it lies only there. */
MUST_CHECK bool repo_xlogdb_path(const struct repo *r, char out[PATH_CAP], struct err *err);
MUST_CHECK bool repo_xlogdb_find(const struct repo *r, char out[PATH_CAP], struct err *err);

/* Make every directory that is missing (0700, synced): base, wals, xlogdb, incoming, streaming,
 * errors, .barkeep, and meta in the current layout. */
MUST_CHECK bool repo_make_dirs(const struct repo *r, struct err *err);

#endif
