/* SPDX-License-Identifier: PostgreSQL */
/* sort.h - records in the order of their bytes when there may be more than memory holds.
 *
 * Records are added in any order, collected in a fixed buffer, sorted when it is full and
 * written as a run into one unlinked file; reading merges the runs. Equal keys come out side by
 * side, in the order they were added.
 *
 * Memory   `memory` bytes and 64 KiB for each of at most 64 runs; more runs are merged first.
 * Errors   ERR_IO of the temporary file, ERR_MEMORY, ERR_FORMAT for a record over
 *          SORT_RECORD_MAX.
 */
#ifndef BASE_SORT_H
#define BASE_SORT_H

#include "barkeep/err.h"
#include "barkeep/str.h"

#define SORT_RECORD_MAX 32768 /* key and value together */

struct sort;

/* dir: where the temporary file is made (and unlinked at once) when memory is not enough. */
MUST_CHECK struct sort *sort_new(const char *dir, size_t memory, struct err *err);
void sort_free(struct sort *s);

MUST_CHECK bool sort_add(struct sort *s, struct str key, struct str value, struct err *err);
/* 1: a record, valid until the next call; 0: no more; -1: failed. No sort_add() after it. */
MUST_CHECK int sort_next(struct sort *s, struct str *key, struct str *value, struct err *err);

#endif
