/* SPDX-License-Identifier: PostgreSQL */
/* backup_info.h - the file that tells everything about one backup.
 *
 *     backup_label='START WAL LOCATION: ...\n...'     a Python string literal
 *     begin_time=2026-11-22 13:43:53.813183+00:00     without an offset: local time
 *     tablespaces=[('tbs1', 16384, '/srv/tbs1')]      Python literals; None: not set
 *     status=DONE
 *
 * UTF-8, one key=value a line, keys sorted, every key always there except backup_name and
 * snapshots_info, which are left out when they are not set. Blank lines and lines that begin
 * with '#' are skipped; blanks around key and value are trimmed.
 *
 * Writing  An unset member is None: a NULL text, a 0 number; begin_offset is None when
 *          begin_wal is, end_offset when end_wal is. copy_stats NULL with a total_time is
 *          written from copy_time and total_time.
 * Errors   ERR_FORMAT with file and line: a key we do not know ("created by a newer
 *          version"), a value that is not what its key holds, a line too long.
 *          ERR_MISSING: no such backup.
 * Bounds   A file has at most BACKUP_INFO_MAX bytes.
 * Source   Barman 3.17, backup.info.
 */
#ifndef REPO_BACKUP_INFO_H
#define REPO_BACKUP_INFO_H

#include "barkeep/arena.h"
#include "barkeep/model.h"
#include "barkeep/str.h"
#include "plan/backup.h"
#include "repo.h"

#define BACKUP_INFO_MAX (4u * 1024 * 1024)

/* path is only for messages. out->id is not in the file: the caller sets it. */
MUST_CHECK bool backup_info_parse(struct arena *a, struct str text, const char *path,
                                  struct backup *out, struct err *err);

MUST_CHECK bool backup_info_text(struct arena *a, const struct backup *b, struct str *out,
                                 struct err *err);

/* Keys as bits, for files that hold a part of the facts: those that are in that text (unknown ones
 * are not), and those that Barman 3.4 does not know. */
uint64_t backup_info_keys(struct str text);
uint64_t backup_info_recent(void);
/* Only these keys; of those that are not set "None", or nothing. */
enum info_unset { INFO_UNSET_NONE, INFO_UNSET_OUT };
MUST_CHECK bool backup_info_text_of(struct arena *a, const struct backup *b, uint64_t keys,
                                    enum info_unset unset, struct str *out, struct err *err);

/* meta/<id>-backup.info, else base/<id>/backup.info with base/<id>/.barkeep/facts. */
MUST_CHECK bool backup_info_load(const struct repo *r, struct arena *a, const char *id,
                                 struct backup *out, struct err *err);

/* Durably, where the layout of the server wants it; directories are made. In the legacy layout
 * what Barman 3.4 does not know goes to .barkeep/facts, unless the backup.info that is there has
 * such a key already: then a newer one reads it. A backup that an older Barman would misread is
 * refused there (ERR_UNSAFE): see backup_info_legacy_ok(). */
MUST_CHECK bool backup_info_save(const struct repo *r, const struct backup *b, struct err *err);

/* May a Barman that knows neither incremental nor encrypted backups be shown this one? It would
 * restore parts of it as if they were whole. */
MUST_CHECK bool backup_info_legacy_ok(const struct backup *b, struct err *err);

/* Everything that is left of a backup once its data and tablespaces are gone: base/<id>, the keep
 * request, backup.info, and last the delete mark. Until the facts are gone it can be done again. */
MUST_CHECK bool backup_forget(const struct repo *r, const struct backup *b, struct err *err);

const char *backup_status_name(enum backup_status status); /* "DONE" */

/* Does backup.info hold it as it is: UTF-8 without control characters and blanks around it? */
bool backup_name_ok(const char *name);

/* A number of copy_stats ("copy_time", "number_of_workers", "analysis_time"). */
bool backup_copy_stat(const struct backup *b, const char *key, double *out);

#endif
