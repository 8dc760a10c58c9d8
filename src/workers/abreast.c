/* SPDX-License-Identifier: PostgreSQL */
#include "abreast.h"

#include "barkeep/arena.h"
#include "base/bug.h"
#include "base/child.h"
#include "base/sys.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#define PIECE 8192

struct piece { /* what waits for its turn */
    struct piece *next;
    enum abreast_stream stream;
    size_t n;
    char bytes[];
};

enum child_state { NOT_YET, RUNS, ENDED, TOLD };

struct child {
    enum child_state state;
    pid_t pid;
    int fd[2]; /* its stdout and stderr; -1: closed */
    struct abreast_end end;
    struct arena held;
    struct piece *first, *last;
};

struct group {
    const struct abreast_spec *spec;
    struct child *child;
    size_t started, turn, running; /* turn: the first that has not been told */
    int signal_fd;
    sigset_t mask; /* as it was before */
    bool stopped;
    struct err *err;
    bool failed;
};

/* Those that write heed the terminal's end themselves; that nobody reads our words is no reason. */
static bool goes_on(const struct group *g, int signo)
{
    return signo == SIGCHLD || (g->spec->writes && (signo == SIGHUP || signo == SIGPIPE));
}

static bool take_signals(struct group *g)
{
    static const int ours[] = {SIGINT, SIGTERM, SIGHUP, SIGCHLD, SIGPIPE};
    struct sigaction now;
    sigset_t set;

    sigemptyset(&set);
    for (size_t i = 0; i < sizeof ours / sizeof ours[0]; i++) {
        bool is_asked = ours[i] != SIGPIPE || g->spec->writes;

        if (is_asked && (sigaction(ours[i], NULL, &now) != 0 || now.sa_handler != SIG_IGN)) {
            sigaddset(&set, ours[i]);
        }
    }
    g->signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    if (g->signal_fd < 0) {
        return err_os(g->err, errno, "open a descriptor for signals", "");
    }
    pthread_sigmask(SIG_BLOCK, &set, &g->mask);
    return true;
}

static void close_fd(int *fd)
{
    if (*fd >= 0) {
        close(*fd);
    }
    *fd = -1;
}

/* ---- starting ---- */

__attribute__((noreturn)) static void be_child(struct group *g, size_t i, int out[2],
                                               int err[2], pid_t parent)
{
    for (size_t k = 0; k < g->spec->n; k++) {
        close_fd(&g->child[k].fd[0]);
        close_fd(&g->child[k].fd[1]);
    }
    close_fd(&g->signal_fd);
    if (dup2(out[1], STDOUT_FILENO) < 0 || dup2(err[1], STDERR_FILENO) < 0) {
        _exit(1);
    }
    for (int k = 0; k < 2; k++) {
        close(out[k]);
        close(err[k]);
    }
    sys_end_with_parent(parent, SIGTERM);
    pthread_sigmask(SIG_SETMASK, &g->mask, NULL);
    i = (size_t)g->spec->child(g->spec->arg, i);
    fflush(NULL);
    _exit((int)i);
}

static bool start(struct group *g, size_t i)
{
    struct child *c = &g->child[i];
    int out[2] = {-1, -1}, err[2] = {-1, -1};
    pid_t parent = getpid();
    bool ok = child_pipe(out, g->err) && child_pipe(err, g->err);

    fflush(NULL); /* or the child would write it again */
    if (ok &&
        (fcntl(out[0], F_SETFL, O_NONBLOCK) != 0 || fcntl(err[0], F_SETFL, O_NONBLOCK) != 0)) {
        ok = err_os(g->err, errno, "make a pipe", "");
    }
    c->pid = ok ? fork() : -1;
    if (c->pid == 0) {
        be_child(g, i, out, err, parent);
    }
    ok = ok && (c->pid > 0 || err_os(g->err, errno, "start a process", ""));
    close_fd(&out[1]);
    close_fd(&err[1]);
    if (!ok) {
        close_fd(&out[0]);
        close_fd(&err[0]);
        return false;
    }
    c->state = RUNS;
    c->fd[ABREAST_OUT] = out[0];
    c->fd[ABREAST_ERR] = err[0];
    return true;
}

static void start_more(struct group *g)
{
    while (!g->stopped && !g->failed && g->started < g->spec->n && g->running < g->spec->most) {
        if (!start(g, g->started)) {
            g->failed = true;
            return;
        }
        g->started++;
        g->running++;
    }
}

/* ---- listening ---- */

static bool hold(struct child *c, enum abreast_stream stream, const char *p, size_t n)
{
    struct piece *piece = arena_alloc(&c->held, sizeof *piece + n);

    if (!piece) {
        return false;
    }
    *piece = (struct piece){.stream = stream, .n = n};
    memcpy(piece->bytes, p, n);
    if (c->last) {
        c->last->next = piece;
    } else {
        c->first = piece;
    }
    c->last = piece;
    return true;
}

static bool may_read(const struct group *g, size_t i)
{
    return i == g->turn || g->child[i].held.used < ABREAST_HELD_MAX;
}

/* Everything that is there: the stream is open and quiet, or closed, or it must wait. */
static void listen_to(struct group *g, size_t i, enum abreast_stream stream)
{
    struct child *c = &g->child[i];
    char mem[PIECE];

    while (c->fd[stream] >= 0 && may_read(g, i)) {
        ssize_t n = read(c->fd[stream], mem, sizeof mem);

        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0 && errno == EAGAIN) {
            return;
        }
        if (n <= 0) {
            close_fd(&c->fd[stream]);
        } else if (i == g->turn) {
            g->spec->output(g->spec->arg, i, stream, mem, (size_t)n);
        } else if (!hold(c, stream, mem, (size_t)n)) {
            arena_err(&c->held, g->err);
            g->failed = true;
            return;
        }
    }
}

/* Hand over what child `turn` wrote so far; when it has ended, the next one's turn comes. */
static void hand_over(struct group *g)
{
    const struct abreast_spec *spec = g->spec;

    while (g->turn < g->started) {
        struct child *c = &g->child[g->turn];

        for (struct piece *p = c->first; p; p = p->next) {
            spec->output(spec->arg, g->turn, p->stream, p->bytes, p->n);
        }
        c->first = c->last = NULL;
        arena_release(&c->held);
        arena_init(&c->held, 0);
        listen_to(g, g->turn, ABREAST_OUT);
        listen_to(g, g->turn, ABREAST_ERR);
        if (c->state != ENDED) {
            return;
        }
        close_fd(&c->fd[ABREAST_OUT]); /* somebody it left behind may hold the other end */
        close_fd(&c->fd[ABREAST_ERR]);
        c->state = TOLD;
        spec->ended(spec->arg, g->turn++, c->end);
    }
}

static void reap(struct group *g)
{
    for (size_t i = 0; i < g->started; i++) {
        struct child *c = &g->child[i];
        int status;

        if (c->state == RUNS && waitpid(c->pid, &status, WNOHANG) == c->pid) {
            c->state = ENDED;
            c->end = WIFEXITED(status) ? (struct abreast_end){.status = WEXITSTATUS(status)}
                                       : (struct abreast_end){-1, WTERMSIG(status)};
            g->running--;
        }
    }
}

static void on_signals(struct group *g)
{
    struct signalfd_siginfo info;

    while (read(g->signal_fd, &info, sizeof info) == (ssize_t)sizeof info) {
        if (goes_on(g, (int)info.ssi_signo)) {
            continue;
        }
        g->stopped = true;
        for (size_t i = 0; i < g->started; i++) {
            if (g->child[i].state == RUNS) {
                kill(g->child[i].pid, SIGTERM);
            }
        }
    }
}

static void wait_for_news(struct group *g, struct pollfd *fd)
{
    nfds_t n = 1;

    fd[0] = (struct pollfd){.fd = g->signal_fd, .events = POLLIN};
    for (size_t i = g->turn; i < g->started; i++) {
        for (int stream = 0; stream < 2; stream++) {
            bool reads = g->child[i].state == RUNS && may_read(g, i);

            fd[n++] =
                (struct pollfd){.fd = reads ? g->child[i].fd[stream] : -1, .events = POLLIN};
        }
    }
    if (poll(fd, n, -1) < 0) {
        BUG_IF(errno != EINTR);
    }
}

static void run_all(struct group *g, struct pollfd *fd)
{
    start_more(g);
    while (g->turn < g->started) {
        wait_for_news(g, fd);
        on_signals(g);
        reap(g); /* before reading: what it wrote is in the pipe when it has ended */
        for (size_t i = g->turn; i < g->started; i++) {
            listen_to(g, i, ABREAST_OUT);
            listen_to(g, i, ABREAST_ERR);
        }
        hand_over(g);
        start_more(g);
    }
}

bool abreast_run(const struct abreast_spec *spec, struct err *err)
{
    struct group g = {.spec = spec, .signal_fd = -1, .err = err};
    struct pollfd *fd;
    struct arena a;

    BUG_IF(spec->most == 0);
    arena_init(&a, 0);
    g.child = ARENA_ARRAY(&a, spec->n + 1, struct child);
    fd = ARENA_ARRAY(&a, 1 + 2 * spec->n, struct pollfd);
    if (!g.child || !fd) {
        arena_err(&a, err);
        arena_release(&a);
        return false;
    }
    for (size_t i = 0; i < spec->n; i++) {
        g.child[i].fd[0] = g.child[i].fd[1] = -1;
        arena_init(&g.child[i].held, 0);
    }
    if (take_signals(&g)) {
        run_all(&g, fd);
        on_signals(&g); /* one that came last must not end us now */
        pthread_sigmask(SIG_SETMASK, &g.mask, NULL);
        close_fd(&g.signal_fd);
    } else {
        g.failed = true;
    }
    arena_release(&a);
    if (g.stopped && !g.failed) {
        return err_set(err, ERR_CANCEL, "", "", "interrupted by a signal");
    }
    return !g.failed;
}
