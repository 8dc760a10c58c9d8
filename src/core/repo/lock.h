/* SPDX-License-Identifier: PostgreSQL */
/* lock.h - one process at a time: the lock files Barman uses, taken as Barman takes them.
 *
 *     <lock_dir>/.<server>-<name>.lock     flock(LOCK_EX), mode 0600, content "<pid>\n"
 *
 * The kernel's lock decides, never the file's existence or the pid in it: a lock left by a dead
 * process is free. Files stay when the lock is given back, except where a caller removes them
 * (lock_release_remove); another process may unlink a file between our open and our flock, so
 * after the flock the file is looked up again and the whole thing repeated if it is not the
 * same.
 *
 * A restore holds the lock of its backup shared: two of them do not hinder each other, and no
 * delete comes between.
 *
 * Ownership  struct lock owns a descriptor; lock_release() gives it back and may be called on
 *            LOCK_INIT or twice. The descriptor is not inherited by child programs.
 * Errors     ERR_BUSY when another process has it (the text names its pid), ERR_IO else.
 * Source     Barman 3.17, its lock file names.
 */
#ifndef REPO_LOCK_H
#define REPO_LOCK_H

#include "repo.h"

#include <sys/types.h>

struct lock {
    int fd; /* -1: not held */
    char path[PATH_CAP];
};

#define LOCK_INIT ((struct lock){.fd = -1})

/* <name> of a lock of one server; a backup's own lock has its id as the name. */
#define LOCK_BACKUP      "backup"      /* backup, delete */
#define LOCK_CRON        "cron"        /* cron of this server */
#define LOCK_ARCHIVE_WAL "archive-wal" /* whoever moves files into wals_dir */
#define LOCK_RECEIVE_WAL "receive-wal" /* the receiver, for its whole life */
#define LOCK_XLOGDB      "xlogdb"      /* whoever touches xlog.db; always waited for */

/* For lock_take_file(): ".config-update.lock" of the lock directory. */
#define LOCK_FILE_CONFIG_UPDATE ".config-update.lock"

enum lock_wait { LOCK_TRY, LOCK_WAIT };

MUST_CHECK bool lock_path(const struct repo *r, const char *name, char out[PATH_CAP],
                          struct err *err);

/* The lock directory is made when it is missing. */
MUST_CHECK bool lock_take(struct lock *lock, const struct repo *r, const char *name,
                          enum lock_wait wait, struct err *err);
/* Beside others that only read what the lock guards: keeps away whoever wants it alone (a
 * delete, ours or Barman's). Never waits; writes no pid. On a read-only disk a lock file that is not
 * there is not needed. */
MUST_CHECK bool lock_take_shared(struct lock *lock, const struct repo *r, const char *name,
                                 struct err *err);
/* The same for any file name below dir. */
MUST_CHECK bool lock_take_file(struct lock *lock, const char *dir, const char *file,
                               enum lock_wait wait, struct err *err);

void lock_release(struct lock *lock);
void lock_release_remove(struct lock *lock); /* unlinks the file while it is still locked */

/* Does another process hold it just now? *holder gets the pid written in the file, 0 when it
 * cannot be read or the file is another user's; may be NULL. A lock that cannot be probed counts
 * as not held. */
bool lock_is_held(const struct repo *r, const char *name, pid_t *holder);

/* Remove every ".*.lock" in dir that nobody holds. */
MUST_CHECK bool lock_clean_up(const char *dir, struct err *err);

#endif
