/* SPDX-License-Identifier: PostgreSQL */
/* child.h - run another program and know how it ended, or start one and let it go.
 *
 * Program  argv as it is, no shell; argv[0] without a '/' is looked up in PATH. No
 *          descriptor of ours goes along but 0, 1 and 2; its signals are as a login shell
 *          leaves them, whatever the calling thread blocks.
 * Group    child_run() gives it a process group of its own, child_detach() a session of
 *          its own. When the deadline passes or cancel_fd becomes readable, the whole
 *          group gets SIGTERM and, CHILD_GRACE_MS later, SIGKILL.
 * Output   bounded: what does not fit in the caller's buffer is read and thrown away, and
 *          the result says so. The last line on stderr becomes the reason of the failure.
 * Errors   ERR_IO: not started, ended by a signal, or a status other than 0; ERR_CANCEL;
 *          ERR_TIMEOUT. struct child_end is filled whenever the program was started.
 * Threads  Any; no state.
 */
#ifndef BASE_CHILD_H
#define BASE_CHILD_H

#include "barkeep/err.h"
#include "barkeep/str.h"

#include <stdint.h>
#include <sys/types.h>

#define CHILD_GRACE_MS 3000
#define CHILD_LINE_MAX 1024

struct child_spec {
    const char *const *argv; /* ends in NULL */
    const char *const *env;  /* "NAME=value", ends in NULL; NULL: ours */
    struct str input;        /* given on stdin; empty: /dev/null */
    char *out;               /* what it wrote on stdout, NUL-terminated; NULL: /dev/null */
    size_t out_cap;          /* bytes of out, with the NUL */
    /* Each line of stdout and stderr together, as it comes, without its newline; a longer one
     * than CHILD_LINE_MAX in pieces. Instead of out. NULL: none. */
    void (*line)(void *ctx, struct str line);
    void *line_ctx;
    int64_t deadline_ns; /* CLOCK_MONOTONIC; 0: none */
    int cancel_fd;       /* readable: stop it; -1: none */
};

struct child_end {
    int status;     /* exit status, or -1 when a signal ended it */
    int signal;     /* the signal, or 0 */
    size_t out_len; /* bytes in out, without the NUL */
    bool out_cut;   /* there was more */
};

/* Called before anything is started: a program may be started with SIGCHLD ignored, and the system
 * then forgets each child that ends before anybody could wait for it. */
void child_rules(void);

/* Start, feed, collect, wait. */
MUST_CHECK bool child_run(const struct child_spec *spec, struct child_end *end,
                          struct err *err);

/* The same between descriptors of the caller's, which stay its: -1 leaves what spec says. extra
 * becomes the program's descriptor 3. */
struct child_fds {
    int in, out, extra;
};
MUST_CHECK bool child_run_between(const struct child_spec *spec, const struct child_fds *fds,
                                  struct child_end *end, struct err *err);

/* A shell command that changes a stream: /bin/sh -c command, stdin to stdout. path: put in
 * front of PATH; NULL: nothing.
 * run: takes from *in (moving it forward), gives up to cap bytes. last: nothing comes after
 * *in. *got 0 with *in used up: feed more or, when that was the last, it ended well. A command
 * that ends before it has taken everything, but well, is believed: the rest is dropped.
 * One that for limit_ms (0: CHILD_FILTER_MS) neither takes nor gives anything is killed with what
 * it started: ERR_TIMEOUT; likewise when cancel_fd (-1: none) becomes readable: ERR_CANCEL. */
#define CHILD_FILTER_MS 600000
struct child_filter;
void child_filter_limit(struct child_filter *f, int limit_ms, int cancel_fd);
struct child_filter *child_filter_new(const char *command, const char *path, struct err *err);
void child_filter_free(struct child_filter *f); /* kills it if it still runs */
MUST_CHECK bool child_filter_run(struct child_filter *f, struct str *in, bool last, void *out,
                                 size_t cap, size_t *got, struct err *err);

/* A pipe that no program started later inherits. */
MUST_CHECK bool child_pipe(int fd[2], struct err *err);

/* Our environment with prefix in front of PATH, for struct child_spec. NULL: out of memory. */
const char **child_env_new(const char *prefix);
void child_env_free(const char **env);

/* Start in a session of its own with stdin from /dev/null and do not wait: init inherits it
 * (a caller that lives long waits for *pid by and by).
 * CHILD_QUIET sends its stdout and stderr to /dev/null, CHILD_KEEP_OUTPUT leaves it ours. */
enum child_output { CHILD_QUIET, CHILD_KEEP_OUTPUT };
MUST_CHECK bool child_detach(const char *const *argv, enum child_output output, pid_t *pid,
                             struct err *err);
/* The same with stdout and stderr going to that descriptor, which stays the caller's. */
MUST_CHECK bool child_detach_into(const char *const *argv, int output_fd, pid_t *pid,
                                  struct err *err);

/* The same with stderr going to error_fd, which stays the caller's, and stdout to /dev/null. */
MUST_CHECK bool child_detach_heard(const char *const *argv, int error_fd, pid_t *pid,
                                   struct err *err);

#endif
