/* SPDX-License-Identifier: PostgreSQL */
/* job_tools.h - a home for jobs, and looks into it; for the tests of jobs. */
#ifndef TESTS_WORKERS_JOB_TOOLS_H
#define TESTS_WORKERS_JOB_TOOLS_H

#include "workers/job.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "harness.h"
#include "workers/job_dir.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static char home[PATH_CAP];

static inline void new_home(void)
{
    str_copy(home, sizeof home, "/tmp/barkeep-job-XXXXXX");
    assert_non_null(mkdtemp(home));
}

static inline void drop_home(void)
{
    struct err err;

    assert_true(tree_remove(home, &err));
}

static inline struct str read_in(struct arena *a, uint32_t number, const char *name)
{
    char path[PATH_CAP];
    struct err err = {0};
    struct str s;

    str_fmt(path, sizeof path, "%s/.barkeep/jobs/%u/%s", home, number, name);
    if (!file_read(a, path, 4 << 20, &s, &err)) {
        fail_msg("%s: %s", path, err.why);
    }
    return s;
}

/* Until the text is in the job's journal; at most 20 s. */
static inline void await(uint32_t number, const char *text)
{
    for (int i = 0; i < 2000; i++) {
        char path[PATH_CAP];
        struct arena a;
        struct err err;
        struct str s;
        bool there = false;

        str_fmt(path, sizeof path, "%s/.barkeep/jobs/%u/journal", home, number);
        arena_init(&a, 0);
        if (file_kind(path, NULL) == FILE_REGULAR && file_read(&a, path, 4 << 20, &s, &err)) {
            there = strstr(s.p, text) != NULL;
        }
        arena_release(&a);
        if (there) {
            return;
        }
        poll(NULL, 0, 10);
    }
    fail_msg("'%s' did not come", text);
}

static inline struct job_info info_of(struct arena *a, uint32_t number)
{
    struct job_list list;
    struct err err = {0};

    assert_true(job_list(a, home, &list, &err));
    for (size_t i = 0; i < list.n; i++) {
        if (list.job[i].number == number) {
            return list.job[i];
        }
    }
    fail_msg("job %u is not in the list", number);
    return (struct job_info){0};
}

static inline bool noisy(const struct task *t, void *arg, struct err *err)
{
    (void)err;
    for (int i = 0; i < *(int *)arg; i++) {
        task_say(t, SAY_OUT, "%06d %0500d", i, 0);
    }
    return true;
}

struct heard {
    int said[SAY_DEBUG + 1];
    char last[600];
    struct progress progress;
    int steps;
};

static inline void on_said(void *ctx, enum say kind, const char *line)
{
    struct heard *h = ctx;

    h->said[kind]++;
    str_copy(h->last, sizeof h->last, line);
}

static inline void on_progress(void *ctx, const struct progress *p)
{
    struct heard *h = ctx;

    h->progress = *p;
    h->steps++;
}

static inline struct job_spec spec_of(bool (*run)(const struct task *, void *, struct err *),
                                      struct heard *h)
{
    return (struct job_spec){.home = home,
                             .kind = JOB_WRITES,
                             .verb = "backup",
                             .server = "orders-db1",
                             .plan = "copy everything\n",
                             .run = run,
                             .watch = {h, on_said, on_progress}};
}

#endif
