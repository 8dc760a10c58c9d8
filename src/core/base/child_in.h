/* SPDX-License-Identifier: PostgreSQL */
/* child_in.h - what running a program to its end and using one as a filter have in common. */
#ifndef BASE_CHILD_IN_H
#define BASE_CHILD_IN_H

#include "child.h"

#define TAIL_CAP 1024 /* of stderr, for the reason */
#define LOOK_MS                                                                                \
    100 /* a process it left behind may hold its output open: then only asking                 \
           tells that the child itself has ended */

struct pipes {
    int in[2], out[2], err[2], failed[2]; /* [0] is read, [1] is written; -1: none */
};

struct child {
    const struct child_spec *spec;
    struct child_end *end;
    struct child_fds fds;
    struct pipes p;
    pid_t pid;
    bool gone;           /* waited for */
    int wait_status;     /* then */
    size_t fed;          /* bytes of the input given so far */
    char tail[TAIL_CAP]; /* the last bytes of stderr */
    size_t tail_len;
    char line[CHILD_LINE_MAX]; /* what came of a line so far */
    size_t line_len;
    int64_t kill_ns;    /* when SIGKILL is due; 0: not being stopped */
    enum err_code stop; /* why it is being stopped */
};

bool child_open_pipes(struct child *c, struct err *err);
bool child_spawn(struct child *c, struct err *err);
void child_pipes_release(struct pipes *p);
void child_close(int *fd); /* and sets it to -1 */
/* SIGPIPE does not end us when the child has stopped reading. */
ssize_t child_write(int fd, const void *p, size_t n);
/* Read what is there; closes it at its end. */
void child_drain(struct child *c, int *fd, void (*keep)(struct child *, const char *, size_t));
void child_keep_tail(struct child *c, const char *p, size_t n);
void child_reap(struct child *c, int flags);
bool child_verdict(const struct child *c, struct err *err); /* after its end */

#endif
