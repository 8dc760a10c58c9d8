/* SPDX-License-Identifier: PostgreSQL */
/* layout.h - bring the catalogue of a server from one layout (repo.h) into the other, without
 * touching a byte of a backup or of archived WAL.
 *
 * Everywhere r->layout is the layout wanted. The order is
 *
 *     layout_begin()     .barkeep/converting names the layout: from now on everybody writes it
 *     layout_backup()    for each backup: its facts and notes, the new place before the old goes
 *     xlogdb_convert()   the list of WAL (xlogdb.h)
 *     layout_end()       empty directories and .barkeep/converting go
 *
 * and each step may be repeated: what a kill interrupted is finished by doing all of it again.
 * Readers read both layouts all the time.
 *
 * Locks   The caller holds LOCK_BACKUP, LOCK_CRON and LOCK_ARCHIVE_WAL, and a backup's own lock
 *         for layout_backup().
 * Errors  ERR_UNSAFE: an older Barman would misread it (see backup_info_legacy_ok()); ERR_IO.
 */
#ifndef REPO_LAYOUT_H
#define REPO_LAYOUT_H

#include "backup_info.h"

/* Has a conversion begun and not ended? *to: to what. */
bool layout_converting(const struct repo *r, enum catalogue_layout *to);

/* What of a backup lies elsewhere than r->layout wants it. */
struct layout_stray {
    bool info; /* its facts */
    bool keep; /* its keep request */
    bool mark; /* its delete mark */
};
MUST_CHECK bool layout_stray(const struct repo *r, const char *id, struct layout_stray *out,
                             struct err *err);
/* Does the list of WAL lie elsewhere? */
MUST_CHECK bool layout_list_strays(const struct repo *r, bool *out, struct err *err);

MUST_CHECK bool layout_begin(const struct repo *r, struct err *err);
MUST_CHECK bool layout_backup(const struct repo *r, const struct backup *b, struct err *err);
MUST_CHECK bool layout_end(const struct repo *r, struct err *err);

#endif
