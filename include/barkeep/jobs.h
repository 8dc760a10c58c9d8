/* SPDX-License-Identifier: PostgreSQL */
/* jobs.h - the jobs of a barman_home as a screen lists them.
 *
 * Whoever started them: the console, a shell, cron. A table is made anew when something
 * changed; it is from calloc(), and whoever takes it frees it. Progress of running jobs comes
 * apart, by NEWS_PROGRESS.
 */
#ifndef BARKEEP_JOBS_H
#define BARKEEP_JOBS_H

#include "arena.h"

#include <stdint.h>

enum row_state { ROW_NEW, ROW_RUNNING, ROW_DONE, ROW_FAILED, ROW_CANCELLED, ROW_DIED };

struct job_row {
    uint32_t number;
    enum row_state state;
    const char *verb, *server; /* "" when not known */
    const char *plan;          /* the command line, first line of the file `plan`; "" */
    const char *text;          /* of a failure; of a job that ended well its last line; "" */
    const char *hint;          /* "" */
    const char *directory;     /* of the job: for the title of its log */
    int64_t pid;
    int64_t began_us, ended_us; /* 0: not known, not yet */
};

struct job_table {
    struct arena arena;
    const struct job_row *job; /* newest first, at most 200 */
    size_t n;
};

void job_table_free(struct job_table *t); /* NULL is fine */

#endif
