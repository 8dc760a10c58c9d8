/* SPDX-License-Identifier: PostgreSQL */
/* check_archive.h - the verb check-wal-archive: may a new server archive here?
 *
 * Without a timeline the list of archived WAL must be empty, with one it may hold older timelines
 * only.
 *
 * Errors  ERR_UNSAFE with Barman's sentence in `why`; ERR_FORMAT, ERR_IO for a list that cannot
 *         be read.
 * Source  Barman 3.17, check-wal-archive.
 */
#ifndef ENGINE_CHECK_ARCHIVE_H
#define ENGINE_CHECK_ARCHIVE_H

#include "repo/repo.h"

MUST_CHECK bool check_archive(const struct repo *r, pg_tli tli, struct err *err); /* 0: none */

#endif
