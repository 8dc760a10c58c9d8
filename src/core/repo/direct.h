/* SPDX-License-Identifier: PostgreSQL */
/* direct.h - writing a large file from its beginning to its end past the page cache.
 *
 * Why      Nobody reads a backup soon. Straight to the disk the data is copied once less, evicts
 *          nothing, and there is no heap of dirty pages to wait for at the end.
 * How      Data is gathered in one aligned buffer of DIRECT_CHUNK; each full one is one write.
 *          The rest of a file, less than a block, goes the ordinary way.
 * Without  Where the file system refuses (some do, at the opening or at the first write), the
 *          file is written through the cache and sync.h is told, as for small ones.
 * Durable  What came before direct_end() may still wait: file sizes and a disk's own cache are
 *          the business of sync_file() and sync_finish().
 * Memory   DIRECT_CHUNK, from direct_new() to direct_free().
 * Errors   ERR_IO, ERR_MEMORY. Threads: one at a time.
 */
#ifndef REPO_DIRECT_H
#define REPO_DIRECT_H

#include "barkeep/err.h"
#include "repo/sync.h"

#include <stddef.h>
#include <stdint.h>

#define DIRECT_CHUNK ((size_t)4 * 1024 * 1024)
#define DIRECT_BLOCK ((size_t)4096) /* what memory, offset and length must be multiples of */
#define DIRECT_MIN   ((uint64_t)1024 * 1024) /* smaller files are not worth a wait each */

struct direct;

MUST_CHECK struct direct *direct_new(const struct sync *sync, struct err *err);
void direct_free(struct direct *d); /* NULL is fine */

/* fd: a new, empty file that stays the caller's; at most one at a time. */
void direct_begin(struct direct *d, int fd);
MUST_CHECK bool direct_write(struct direct *d, const void *p, size_t n, const char *path,
                             struct err *err);
MUST_CHECK bool direct_end(struct direct *d, const char *path, struct err *err);

#endif
