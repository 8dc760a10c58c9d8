/* SPDX-License-Identifier: PostgreSQL */
/* abreast.h - the same work for several things at once, each in a process of its own.
 *
 *     child 0  ======== out, err ==>  \
 *     child 1  === out, err ==>        > output() and ended(), in the order 0, 1, 2, ...
 *     child 2       (waits its turn)  /
 *
 * Why      Every child has its own locks, job, signals and libpq, as if its command had been
 *          typed alone: what is written for one server needs no second thought for many.
 * Order    What child i writes is handed over when all before it have ended, at once when it is
 *          its turn. Of those that wait, ABREAST_HELD_MAX bytes each are held; then they wait
 *          for room. Between stdout and stderr of one child the order is that of arrival.
 * Signals  SIGINT, SIGTERM, SIGHUP: no more children are started, those that run get SIGTERM,
 *          and their ends are waited for. They also get it when this process dies. Where the
 *          children write, neither SIGHUP nor SIGPIPE stops anything, as with one of them alone.
 * Errors   ERR_CANCEL: a signal came; ERR_IO: no process or pipe could be had. Every child that
 *          was started has been waited for, and ended() called, in both cases.
 * Threads  Before there are others in this process: it forks.
 */
#ifndef WORKERS_ABREAST_H
#define WORKERS_ABREAST_H

#include "barkeep/err.h"

#define ABREAST_HELD_MAX ((size_t)4 << 20)

enum abreast_stream { ABREAST_OUT, ABREAST_ERR };

struct abreast_end {
    int status; /* exit status; -1: a signal ended it */
    int signal; /* or 0 */
};

struct abreast_spec {
    size_t n;    /* how many */
    size_t most; /* of them at a time, at least 1 */
    bool writes; /* what they do outlives the terminal and whoever reads what they say */
    /* In the child, whose stdout and stderr are pipes; returns its exit status. */
    int (*child)(void *arg, size_t i);
    void (*output)(void *arg, size_t i, enum abreast_stream stream, const char *p, size_t n);
    void (*ended)(void *arg, size_t i, struct abreast_end end);
    void *arg;
};

MUST_CHECK bool abreast_run(const struct abreast_spec *spec, struct err *err);

#endif
