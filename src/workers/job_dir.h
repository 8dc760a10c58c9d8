/* SPDX-License-Identifier: PostgreSQL */
/* job_dir.h - the directory of one job, and its number.
 *
 *     <home>/.barkeep/jobs/17/    number: the directory's name, 1 .. UINT32_MAX, never reused
 *                                 while a higher one is there
 *
 * Claim    mkdir makes a number one's own; making the journal, which must not exist, makes the
 *          directory the running job's own. The lock only tells others that the work goes on,
 *          so those who look may hold it shared for a moment.
 */
#ifndef WORKERS_JOB_DIR_H
#define WORKERS_JOB_DIR_H

#include "barkeep/err.h"
#include "base/file.h"
#include "journal.h"

#include <stdint.h>

#define JOB_LOG_MAX (64 * 1024 * 1024) /* bytes of the file `log` */

struct job_dir {
    uint32_t number;
    int fd, lock_fd, log_fd; /* -1: none */
    uint64_t log_used;
    struct journal journal;
    char path[PATH_CAP];
};

/* number 0: the next one. plan NULL or "": none. On failure nothing stays open. */
MUST_CHECK bool job_dir_open(struct job_dir *d, const char *home, uint32_t number,
                             const char *plan, struct err *err);
void job_dir_release(struct job_dir *d);

void job_dir_log(struct job_dir *d, const char *kind, const char *line);

/* "<home>/.barkeep/jobs", and "<home>/.barkeep/jobs/<n>". */
MUST_CHECK bool job_root(const char *home, char out[PATH_CAP], struct err *err);
MUST_CHECK bool job_path(const char *home, uint32_t number, char out[PATH_CAP],
                         struct err *err);

/* Numbers of the directories there, rising; none when there is no such folder. */
MUST_CHECK bool job_numbers(struct arena *a, const char *home, uint32_t **out, size_t *n,
                            struct err *err);

/* Is a process at work there? */
bool job_locked(const char *path);

/* Remove the oldest directories of ended jobs until JOB_KEEP are left. */
MUST_CHECK bool job_prune(const char *home, struct err *err);

#endif
