/* SPDX-License-Identifier: PostgreSQL */
/* job.h - run a verb of the engine to its end, watched, cancellable, and on record.
 *
 *     calling thread                         verb's thread and its helpers
 *     the collector: poll() over    <------  the road: facts and progress
 *     road, signals, socket         ------>  cancel
 *       | appends                | calls
 *     <home>/.barkeep/jobs/<n>/  watch.said(), watch.progress()
 *
 * Directory plan     the text of the spec, as it is
 *           log      every line said, with time and kind
 *           journal  one line a fact; began, said, cancel, ended (doc/formats.md). Blocks are
 *                    reserved ahead, so that a full disk can still be told
 *           lock     flock()ed and holding the pid as long as the work goes on
 *           sock     SOCK_SEQPACKET, mode 0600: facts from a line on, progress, cancel
 *           A home of NULL means a job without a directory. A home that cannot be written does
 *           not stop the job: it runs without a directory and the log has a warning.
 * Signals   SIGINT and SIGTERM cancel (unless they were ignored when the process started); a
 *           second one says what is being waited for. SIGHUP cancels a job that only reads and
 *           is ignored by one that writes. SIGPIPE and SIGXFSZ stay blocked: the write that
 *           caused them fails instead.
 * Threads   Call it from the main thread of a process that has no other threads with signals
 *           unblocked. watch functions are called in the calling thread.
 * Errors    job_run() gives the verb's own failure, whole.
 */
#ifndef WORKERS_JOB_H
#define WORKERS_JOB_H

#include "barkeep/arena.h"
#include "barkeep/err.h"
#include "barkeep/task.h"

#include <stdint.h>

#define JOB_KEEP 200 /* directories that stay when a new job begins, those that run apart */

enum job_kind { JOB_READS, JOB_WRITES };

struct job_watch {
    void *ctx;
    void (*said)(void *ctx, enum say kind, const char *line); /* all but SAY_LOG; or NULL */
    void (*progress)(void *ctx, const struct progress *p);    /* ten a second; may be NULL */
};

struct job_spec {
    const char *home; /* barman_home; NULL: no directory, no socket */
    uint32_t number;  /* from job_allocate(), or 0: take the next one */
    enum job_kind kind;
    const char *verb;    /* "backup"; also the thread's name */
    const char *server;  /* NULL or "": none */
    const char *plan;    /* text for the file `plan`; NULL or "": none */
    int64_t deadline_ns; /* CLOCK_MONOTONIC; 0: none */
    bool (*run)(const struct task *task, void *arg, struct err *err);
    void *arg;
    struct job_watch watch;
};

/* The verb's result. */
MUST_CHECK bool job_run(const struct job_spec *spec, struct err *err);

/* Make the next job directory, so that whoever starts the process knows its number. Two
 * processes at once get different numbers. */
MUST_CHECK bool job_allocate(const char *home, uint32_t *number, struct err *err);

/* How jobs stand. Texts live in the arena. */
enum job_state {
    JOB_NEW,     /* allocated, not begun */
    JOB_RUNNING, /* its process holds the lock */
    JOB_DONE,    /* ended well */
    JOB_FAILED,  /* ended with a failure, see text */
    JOB_DIED,    /* began, its process is gone, and there is no last line */
};

struct job_info {
    uint32_t number;
    enum job_state state;
    const char *verb, *server; /* "" when not known */
    const char *text;          /* of the failure; "" */
    const char *hint, *code;   /* of the failure: "ERR_CANCEL"; "" */
    const char *said;          /* the last line that was said, of the last 128 KiB; "" */
    const char *last;          /* last line of the journal; "" */
    int64_t pid;               /* 0 not known */
    int64_t began_us, last_us; /* times of its first and last fact; 0 none */
};

struct job_list {
    struct job_info *job; /* by number, rising */
    size_t n;
};

/* One of them, whose number is filled in. A directory that is not there is JOB_NEW. */
MUST_CHECK bool job_read(struct arena *a, const char *home, struct job_info *job,
                         struct err *err);

MUST_CHECK bool job_list(struct arena *a, const char *home, struct job_list *out,
                         struct err *err);

/* Connect to a running job's socket; the caller closes *fd. What is said there: formats.md.
 * ERR_MISSING when no process serves it. */
MUST_CHECK bool job_connect(const char *home, uint32_t number, int *fd, struct err *err);
MUST_CHECK bool job_cancel(const char *home, uint32_t number, struct err *err);

#endif
