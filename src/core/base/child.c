/* SPDX-License-Identifier: PostgreSQL */
#include "child.h"

#include "bug.h"
#include "child_in.h"
#include "clock.h"
#include "file.h"
#include "sys.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define EXTRA_FD 3 /* struct child_fds, extra */

extern char **environ;

/* ---- between fork and exec: only calls that a signal handler might make ---- */

static int dev_null(int flags)
{
    return open("/dev/null", flags | O_CLOEXEC);
}

static void put_at(int fd, int at)
{
    if (fd >= 0) {
        dup2(fd, at); /* without close-on-exec */
    }
}

/* Put aside what would be overwritten: a pipe may have got the number 0, 1, 2 or 3. */
static int above_stdio(int fd)
{
    return fd >= 0 && fd <= EXTRA_FD ? fcntl(fd, F_DUPFD_CLOEXEC, EXTRA_FD + 1) : fd;
}

static void reset_signals(void)
{
    struct sigaction plain = {.sa_handler = SIG_DFL};
    sigset_t none;

    for (int signo = 1; signo < 32; signo++) {
        sigaction(signo, &plain, NULL); /* KILL and STOP refuse, which is all right */
    }
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

__attribute__((noreturn)) static void become(const char *const *argv, const char *const *env,
                                             const int stdio[4], int failed)
{
    int fd[4], os;

    failed = above_stdio(failed);
    for (int i = 0; i < 4; i++) {
        fd[i] = above_stdio(stdio[i]);
    }
    for (int i = 0; i < 4; i++) {
        put_at(fd[i], i);
    }
    reset_signals();
    if (env) {
        memcpy(&environ, &env, sizeof env);
    }
    {
        char *const *args;
        memcpy(&args, &argv, sizeof argv); /* exec promises to leave them alone */
        execvp(argv[0], args);
    }
    os = errno;
    if (write(failed, &os, sizeof os) < 0) {
        _exit(126);
    }
    _exit(127);
}

void child_rules(void)
{
    struct sigaction plain = {.sa_handler = SIG_DFL};

    sigaction(SIGCHLD, &plain, NULL);
}

/* ---- pipes ---- */

void child_close(int *fd)
{
    if (*fd >= 0) {
        close(*fd);
    }
    *fd = -1;
}

bool child_pipe(int fd[2], struct err *err)
{
    if (sys_pipe(fd) != 0) {
        fd[0] = fd[1] = -1;
        return err_os(err, errno, "make a pipe", "");
    }
    return true;
}

void child_pipes_release(struct pipes *p)
{
    int *all[] = {p->in, p->out, p->err, p->failed};

    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        child_close(&all[i][0]);
        child_close(&all[i][1]);
    }
}

/* Wait for exec, which closes the pipe, or for what it said about its failure. */
static bool started(int *failed, pid_t pid, const char *program, struct err *err)
{
    int os;
    size_t got = 0;

    child_close(&failed[1]);
    if (!fd_read_full(failed[0], &os, sizeof os, &got, program, err)) {
        got = 0;
    }
    child_close(&failed[0]);
    if (got < sizeof os) {
        return true;
    }
    while (waitpid(pid, NULL, 0) < 0 && errno == EINTR) {
    }
    err_os(err, os, "run", program);
    if (os == ENOENT) {
        str_copy(err->hint, sizeof err->hint, "Install it, or correct its path.");
    }
    return false;
}

/* ---- run, feed, collect ---- */

bool child_open_pipes(struct child *c, struct err *err)
{
    struct pipes *p = &c->p;

    *p = (struct pipes){{-1, -1}, {-1, -1}, {-1, -1}, {-1, -1}};
    if (!child_pipe(p->failed, err) || !child_pipe(p->err, err) ||
        (c->spec->input.n && !child_pipe(p->in, err)) ||
        (c->spec->out && !child_pipe(p->out, err))) {
        return false;
    }
    /* Ours must not block: the child may stop reading. */
    return p->in[1] < 0 || fcntl(p->in[1], F_SETFL, O_NONBLOCK) == 0 ||
           err_os(err, errno, "make a pipe", "");
}

bool child_spawn(struct child *c, struct err *err)
{
    struct pipes *p = &c->p;

    c->pid = fork();
    if (c->pid < 0) {
        return err_os(err, errno, "start", c->spec->argv[0]);
    }
    if (c->pid == 0) {
        int in = c->fds.in >= 0 ? c->fds.in : p->in[0];
        int out = c->fds.out >= 0 ? c->fds.out : p->out[1];
        int stdio[4] = {in >= 0 ? in : dev_null(O_RDONLY), out >= 0 ? out : dev_null(O_WRONLY),
                        p->err[1], c->fds.extra};
        if (c->spec->line) {
            stdio[1] = p->err[1]; /* one pipe, so that the lines keep their order */
        }
        setpgid(0, 0);
        become(c->spec->argv, c->spec->env, stdio, p->failed[1]);
    }
    setpgid(c->pid, c->pid); /* whoever comes first; the other one is refused */
    child_close(&p->in[0]);
    child_close(&p->out[1]);
    child_close(&p->err[1]);
    return started(p->failed, c->pid, c->spec->argv[0], err);
}

/* SIGPIPE must not end us when the child has stopped reading. */
ssize_t child_write(int fd, const void *p, size_t n)
{
    sigset_t pipe_only, before, pending;
    struct timespec now = {0};
    bool had;
    ssize_t w;
    int os;

    sigemptyset(&pipe_only);
    sigaddset(&pipe_only, SIGPIPE);
    sigpending(&pending);
    had = sigismember(&pending, SIGPIPE) == 1;
    sigprocmask(SIG_BLOCK, &pipe_only, &before);
    w = write(fd, p, n);
    os = errno;
    if (w < 0 && os == EPIPE && !had) {
        while (sigtimedwait(&pipe_only, NULL, &now) < 0 && errno == EINTR) {
        }
    }
    sigprocmask(SIG_SETMASK, &before, NULL);
    errno = os;
    return w;
}

static void feed(struct child *c)
{
    struct str rest = str_skip(c->spec->input, c->fed);
    ssize_t w = child_write(c->p.in[1], rest.p, rest.n);

    if (w > 0) {
        c->fed += (size_t)w;
    }
    if (c->fed == c->spec->input.n || (w < 0 && errno != EAGAIN && errno != EINTR)) {
        child_close(&c->p.in[1]);
    }
}

static void keep_out(struct child *c, const char *p, size_t n)
{
    size_t room = c->spec->out_cap - 1 - c->end->out_len;

    if (n > room) {
        c->end->out_cut = true;
        n = room;
    }
    memcpy(c->spec->out + c->end->out_len, p, n);
    c->end->out_len += n;
    c->spec->out[c->end->out_len] = '\0';
}

void child_keep_tail(struct child *c, const char *p, size_t n)
{
    size_t over;

    if (n > TAIL_CAP) {
        p += n - TAIL_CAP;
        n = TAIL_CAP;
    }
    over = c->tail_len + n > TAIL_CAP ? c->tail_len + n - TAIL_CAP : 0;
    memmove(c->tail, c->tail + over, c->tail_len - over);
    c->tail_len -= over;
    memcpy(c->tail + c->tail_len, p, n);
    c->tail_len += n;
}

static void end_line(struct child *c)
{
    c->spec->line(c->spec->line_ctx, str_n(c->line, c->line_len));
    c->line_len = 0;
}

static void keep_words(struct child *c, const char *p, size_t n)
{
    child_keep_tail(c, p, n);
    for (size_t i = 0; c->spec->line && i < n; i++) {
        if (p[i] != '\n') {
            c->line[c->line_len++] = p[i];
        }
        if (p[i] == '\n' || c->line_len == CHILD_LINE_MAX) {
            end_line(c);
        }
    }
}

void child_drain(struct child *c, int *fd, void (*keep)(struct child *, const char *, size_t))
{
    char mem[16384];
    ssize_t n = read(*fd, mem, sizeof mem);

    if (n > 0) {
        keep(c, mem, (size_t)n);
    } else if (n == 0 || errno != EINTR) {
        child_close(fd);
    }
}

static void stop(struct child *c, enum err_code why)
{
    if (c->stop == ERR_NONE) {
        c->stop = why;
        c->kill_ns = clock_mono_ns() + CHILD_GRACE_MS * NS_PER_MS;
        kill(-c->pid, SIGTERM);
    } else if (clock_mono_ns() > c->kill_ns) {
        kill(-c->pid, SIGKILL);
    }
}

void child_reap(struct child *c, int flags)
{
    pid_t got;

    while (!c->gone && (got = waitpid(c->pid, &c->wait_status, flags)) != 0) {
        BUG_IF(got < 0 && errno != EINTR);
        c->gone = got == c->pid;
    }
}

/* One look at the pipes, at most LOOK_MS long. More: something was there to be read. */
static void look(struct child *c, bool *more, bool *cancel)
{
    struct pollfd fd[4] = {
        {.fd = c->p.out[0], .events = POLLIN},
        {.fd = c->p.err[0], .events = POLLIN},
        {.fd = c->p.in[1], .events = POLLOUT},
        {.fd = c->stop == ERR_NONE ? c->spec->cancel_fd : -1, .events = POLLIN},
    };

    *more = *cancel = false;
    if (poll(fd, 4, c->gone ? 0 : LOOK_MS) <= 0) {
        return;
    }
    *more = ((fd[0].revents | fd[1].revents) & POLLIN) != 0;
    *cancel = fd[3].revents != 0;
    if (fd[0].revents) {
        child_drain(c, &c->p.out[0], keep_out);
    }
    if (fd[1].revents) {
        child_drain(c, &c->p.err[0], keep_words);
    }
    if (fd[2].revents) {
        feed(c);
    }
}

/* false when there is nothing more to wait for. */
static bool turn(struct child *c)
{
    bool more, cancel;

    look(c, &more, &cancel);
    if (c->gone) { /* what it had written is in the pipes; nobody else is waited for */
        return more;
    }
    if (c->stop != ERR_NONE || cancel) {
        stop(c, ERR_CANCEL);
    } else if (c->spec->deadline_ns && clock_mono_ns() > c->spec->deadline_ns) {
        stop(c, ERR_TIMEOUT);
    }
    child_reap(c, WNOHANG);
    return true;
}

/* The last line that says something. */
static struct str last_words(const struct child *c)
{
    struct str rest = str_n(c->tail, c->tail_len), line, found = str_of("");

    while (str_line(&rest, &line)) {
        line = str_trim(line);
        found = line.n ? line : found;
    }
    return found;
}

bool child_verdict(const struct child *c, struct err *err)
{
    const char *program = c->spec->argv[0];
    struct str words = last_words(c);
    int n = words.n > 200 ? 200 : (int)words.n;

    if (c->stop == ERR_CANCEL) {
        return err_set(err, ERR_CANCEL, "", program, "cancelled");
    }
    if (c->stop == ERR_TIMEOUT) {
        return err_set(err, ERR_TIMEOUT, "", program, "did not end in the time allowed for it");
    }
    if (c->end->signal) {
        return err_set(err, ERR_IO, "", program, "was ended by signal %d", c->end->signal);
    }
    if (c->end->status != 0 && n) {
        return err_set(err, ERR_IO, "", program, "%.*s (exit status %d)", n, words.p,
                       c->end->status);
    }
    return c->end->status == 0 ||
           err_set(err, ERR_IO, "", program, "exit status %d", c->end->status);
}

bool child_run(const struct child_spec *spec, struct child_end *end, struct err *err)
{
    return child_run_between(spec, &(struct child_fds){-1, -1, -1}, end, err);
}

bool child_run_between(const struct child_spec *spec, const struct child_fds *fds,
                       struct child_end *end, struct err *err)
{
    struct child c = {.spec = spec, .end = end, .fds = *fds};
    bool ok;

    BUG_IF(spec->out && (spec->out_cap == 0 || spec->line));
    *end = (struct child_end){0};
    if (spec->out) {
        spec->out[0] = '\0';
    }
    ok = child_open_pipes(&c, err) && child_spawn(&c, err);
    if (ok) {
        while (turn(&c)) {
        }
        if (c.line_len) {
            end_line(&c);
        }
        end->signal = WIFSIGNALED(c.wait_status) ? WTERMSIG(c.wait_status) : 0;
        end->status = WIFEXITED(c.wait_status) ? WEXITSTATUS(c.wait_status) : -1;
        ok = child_verdict(&c, err);
    }
    child_pipes_release(&c.p);
    return ok;
}

const char **child_env_new(const char *prefix)
{
    const char *path = getenv("PATH");
    size_t n = 0, len = strlen(prefix) + (path ? strlen(path) : 0) + sizeof "PATH=:";
    const char **env;
    char *text;

    while (environ[n]) {
        n++;
    }
    env = malloc((n + 2) * sizeof *env + len);
    if (!env) {
        return NULL;
    }
    text = (char *)(env + n + 2);
    str_fmt(text, len, "PATH=%s%s%s", prefix, path ? ":" : "", path ? path : "");
    env[0] = text;
    for (size_t i = 0, at = 1; i <= n; i++) {
        if (!environ[i] || !str_starts(str_of(environ[i]), "PATH=")) {
            env[at++] = environ[i];
        }
    }
    return env;
}

void child_env_free(const char **env)
{
    free(env);
}

/* output: a descriptor; OUTPUT_KEEP ours, OUTPUT_NONE nowhere. */
enum { OUTPUT_KEEP = -1, OUTPUT_NONE = -2 };

static bool detach(const char *const *argv, int output, pid_t *pid, struct err *err)
{
    int failed[2];

    if (!child_pipe(failed, err)) {
        return false;
    }
    *pid = fork();
    if (*pid < 0) {
        err_os(err, errno, "start", argv[0]);
        close(failed[0]);
        close(failed[1]);
        return false;
    }
    if (*pid == 0) {
        int fd = output == OUTPUT_NONE ? dev_null(O_WRONLY) : output;
        int stdio[4] = {dev_null(O_RDONLY), fd, fd, -1};
        setsid();
        become(argv, NULL, stdio, failed[1]);
    }
    return started(failed, *pid, argv[0], err);
}

bool child_detach(const char *const *argv, enum child_output output, pid_t *pid,
                  struct err *err)
{
    return detach(argv, output == CHILD_QUIET ? OUTPUT_NONE : OUTPUT_KEEP, pid, err);
}

bool child_detach_into(const char *const *argv, int output_fd, pid_t *pid, struct err *err)
{
    BUG_IF(output_fd < 0);
    return detach(argv, output_fd, pid, err);
}
