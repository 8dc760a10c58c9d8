/* SPDX-License-Identifier: PostgreSQL */
/* direct.h - writing large files from their beginning to their end past the page cache, beside
 * the caller.
 *
 * Why      Nobody reads a backup soon. Straight to the disk the data is copied once less, evicts
 *          nothing, and there is no heap of dirty pages to wait for at the end.
 * How      Data is gathered in aligned buffers of DIRECT_CHUNK; a full one is one write, on a lane
 *          of its own, while the caller fills the next. The rest of a file, less than a block,
 *          goes the ordinary way.
 * Flush    A disk has a cache of its own, and empties it when asked. Asked only at the end, it keeps
 *          everybody waiting: us, and the server, whose last WAL of the backup must be durable too.
 *          So it is asked every DIRECT_FLUSH, by a second lane, which nobody waits for.
 * Without  Where the file system refuses (some do, at the opening or at the first write), the
 *          file is written through the cache and sync.h is told, as for small ones.
 * Durable  After direct_finish() everything is written, but may still wait: file sizes and a
 *          disk's own cache are the business of sync_finish(). With the slow way of syncing each
 *          file is synced as it ends.
 * Memory   DIRECT_BUFS * DIRECT_CHUNK, from direct_new() to direct_free().
 * Errors   ERR_IO, ERR_MEMORY, from whatever is called next. Threads: one caller at a time.
 */
#ifndef REPO_DIRECT_H
#define REPO_DIRECT_H

#include "barkeep/err.h"
#include "barkeep/task.h"
#include "repo/sync.h"

#include <stddef.h>
#include <stdint.h>

#define DIRECT_CHUNK ((size_t)2 * 1024 * 1024)
#define DIRECT_BLOCK ((size_t)4096) /* what memory, offset and length must be multiples of */
#define DIRECT_MIN   ((uint64_t)1024 * 1024) /* smaller files are not worth a wait each */
#define DIRECT_FLUSH ((uint64_t)16 * 1024 * 1024)
#define DIRECT_SLOTS 4                  /* buffers that wait for the disk */
#define DIRECT_BUFS  (DIRECT_SLOTS + 2) /* one being filled, one being written */

struct direct;

/* task and sync must outlive it. */
MUST_CHECK struct direct *direct_new(const struct task *task, const struct sync *sync,
                                     struct err *err);
void direct_free(struct direct *d); /* NULL is fine; what waits is dropped, all is closed */

/* fd: a new, empty file, from now on ours, also after a failure. The one before has ended.
 * path: for messages. */
MUST_CHECK bool direct_begin(struct direct *d, int fd, const char *path, struct err *err);
MUST_CHECK bool direct_write(struct direct *d, const void *p, size_t n, struct err *err);
MUST_CHECK bool direct_end(struct direct *d, struct err *err);

/* Waits until all files are written and closed. Only direct_free() may follow. */
MUST_CHECK bool direct_finish(struct direct *d, struct err *err);

#endif
