/* SPDX-License-Identifier: PostgreSQL */
/* sums.h - are the files that arrived the files the manifest lists? In flat memory.
 *
 *     while data arrives   sums_arrived() for each file: a record in an unlinked spool file
 *     then the manifest    sums_listed() for each entry: compared with the next record
 *
 * The server sends its manifest in the order of its stream, so the spool is read once, in
 * order. From the first entry that does not come in order on, the rest of both goes through an
 * external sort and is compared by path: no list of files is ever held in memory.
 *
 * Finds     a file whose size or checksum differs, one that is listed and did not come, came
 *           and is not listed, or is listed twice: ERR_FORMAT, naming it.
 */
#ifndef ENGINE_SUMS_H
#define ENGINE_SUMS_H

#include "barkeep/err.h"
#include "pg/manifest.h"

struct sums;

/* What can be wrong with a file. */
enum sums_fault { SUMS_SIZE, SUMS_SUM, SUMS_EXTRA, SUMS_MISSING };

/* dir: an existing directory for the spool and the sort. kind: what both sides compute. */
MUST_CHECK struct sums *sums_new(const char *dir, enum digest_kind kind, struct err *err);
void sums_free(struct sums *s); /* NULL is fine */

/* From now on a wrong file is told and the comparison goes on. */
void sums_tell(struct sums *s, void *ctx,
               void (*tell)(void *ctx, const char *path, enum sums_fault fault));

MUST_CHECK bool sums_arrived(struct sums *s, struct str path, uint64_t size,
                             const uint8_t sum[DIGEST_MAX], struct err *err);
MUST_CHECK bool sums_listed(struct sums *s, const struct manifest_file *f, struct err *err);
MUST_CHECK bool sums_end(struct sums *s, struct err *err);

#endif
