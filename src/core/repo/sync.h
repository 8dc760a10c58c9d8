/* SPDX-License-Identifier: PostgreSQL */
/* sync.h - making a tree of many files durable at the price of one.
 *
 * Fast     From kernel 5.8 on, syncfs() reports every write-back error of its file system since
 *          the descriptor was opened. So: sync_open() BEFORE the first write, tell
 *          sync_wrote() while data arrives (it starts the write-out every 8 MiB, without
 *          waiting), and sync_finish() once: files and directories are there, or it says no.
 * Slow     On an older kernel, or where BARKEEP_SYNC=fsync is in the environment: every file is
 *          fsynced by sync_file() when it is complete and every directory by sync_dir().
 * Errors   ERR_IO; after one, nothing of the tree may be believed, and it is not tried again.
 */
#ifndef REPO_SYNC_H
#define REPO_SYNC_H

#include "barkeep/err.h"
#include "barkeep/task.h"

#include <stdint.h>
#include <sys/types.h>

#define SYNC_CHUNK  ((uint64_t)8 * 1024 * 1024)
#define SYNC_FS_MAX 16 /* file systems under one tree */

enum sync_way { SYNC_FS, SYNC_EACH };

struct sync {
    enum sync_way way;
    /* What is on disk leaves the page cache: nobody reads it soon, and the kernel has room for
     * what comes next. */
    bool drops_behind;
    /* Whose lane writes large files past the cache (direct.h); NULL: none, all go through it. */
    const struct task *beside;
    int fd[SYNC_FS_MAX];
    dev_t dev[SYNC_FS_MAX];
    char path[SYNC_FS_MAX][512]; /* for messages */
    unsigned n;
};

void sync_init(struct sync *s);
/* Before anything is written below path: its file system joins the set. */
MUST_CHECK bool sync_open(struct sync *s, const char *path, struct err *err);

/* Bytes [from, to) of fd were written; *started is how far the write-out was begun, 0 at first.
 */
void sync_wrote(const struct sync *s, int fd, uint64_t to, uint64_t *started);
/* A complete file, a directory whose entries are complete: no-ops the fast way. */
MUST_CHECK bool sync_file(const struct sync *s, int fd, const char *path, struct err *err);
MUST_CHECK bool sync_dir(const struct sync *s, int fd, const char *path, struct err *err);

/* Has the disks empty their own caches, so that sync_finish() finds less there: waits for that,
 * not for the page cache. Says nothing of any file, but a failure is one (Errors). */
MUST_CHECK bool sync_flush(const struct sync *s, struct err *err);
MUST_CHECK bool sync_finish(struct sync *s, struct err *err);
void sync_release(struct sync *s);

#endif
