/* SPDX-License-Identifier: PostgreSQL */
/* backup_doc.h - a backup as a document: every field of its backup.info, and backup_id.
 *
 * As Barman's JSON has it: an unset field is null (backup_name and snapshots_info are left
 * out), Python literals are objects and arrays, backup_label stays the literal, tablespaces are
 * [[name, oid, location], ...].
 *
 *     DATES_CTIME  "begin_time": "Sun Nov 22 13:43:59 2026" and
 *                  "begin_time_iso": "2026-11-22T13:43:59.813183+01:00"     backup, sync-info
 *     DATES_ISO    "begin_time": "2026-11-22T13:43:59.813183+01:00", in the local zone  diagnose
 */
#ifndef BATCH_BACKUP_DOC_H
#define BATCH_BACKUP_DOC_H

#include "barkeep/arena.h"
#include "barkeep/model.h"
#include "base/doc.h"

enum backup_dates { DATES_CTIME, DATES_ISO };

/* Sets members of `out`. a: for what is only needed meanwhile. */
void backup_doc(struct doc *out, struct arena *a, const struct backup *b,
                enum backup_dates dates);

/* "2026-11-22T13:43:59.813183+01:00" */
#define DOC_ISO_CAP 48
const char *doc_iso(struct moment m, char out[DOC_ISO_CAP]);

/* Seconds since 1970, as text; null when not known. */
void doc_moment(struct doc *in, const char *key, struct moment m);

/* "size": "46.0 MiB" and "size_bytes": 48234496 */
void doc_size(struct doc *in, const char *key, int64_t bytes);

#endif
