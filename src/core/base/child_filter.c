/* SPDX-License-Identifier: PostgreSQL */
#include "child.h"
#include "child_in.h"
#include "file.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

struct child_filter {
    struct child c;
    struct child_end end;
    struct child_spec spec;
    const char *argv[4];
    char nothing[1];
    int limit_ms, cancel_fd;
};

struct child_filter *child_filter_new(const char *command, const char *path, struct err *err)
{
    struct child_filter *f = calloc(1, sizeof *f);
    const char **env = NULL;
    bool ok;

    if (!f || (path && !(env = child_env_new(path)))) {
        free(f);
        err_set(err, ERR_MEMORY, "", "", "out of memory");
        return NULL;
    }
    child_filter_limit(f, 0, -1);
    f->argv[0] = "/bin/sh";
    f->argv[1] = "-c";
    f->argv[2] = command;
    f->spec = (struct child_spec){
        .argv = f->argv,
        .env = env,
        .input = str_n(f->nothing, 1), /* asks for a pipe; what goes in is given later */
        .out = f->nothing,
        .out_cap = 1,
        .cancel_fd = -1,
    };
    f->c = (struct child){.spec = &f->spec, .end = &f->end, .fds = {-1, -1, -1}};
    ok = child_open_pipes(&f->c, err) && child_spawn(&f->c, err);
    f->spec.env = NULL;
    child_env_free(env);
    if (!ok) {
        child_pipes_release(&f->c.p);
        free(f);
        return NULL;
    }
    return f;
}

void child_filter_free(struct child_filter *f)
{
    if (!f) {
        return;
    }
    if (!f->c.gone) {
        kill(-f->c.pid, SIGKILL);
        child_reap(&f->c, 0);
    }
    child_pipes_release(&f->c.p);
    free(f);
}

void child_filter_limit(struct child_filter *f, int limit_ms, int cancel_fd)
{
    f->limit_ms = limit_ms ? limit_ms : CHILD_FILTER_MS;
    f->cancel_fd = cancel_fd;
}

/* It and what it started, for good. */
static bool stop(struct child_filter *f, enum err_code code, struct err *err)
{
    kill(-f->c.pid, SIGKILL);
    child_reap(&f->c, 0);
    return code == ERR_CANCEL
               ? err_set(err, code, "", f->argv[2], "cancelled")
               : err_set(err, code, "Try the command by hand; what it was given is kept.",
                         f->argv[2], "has taken and given nothing for %d s, it was stopped",
                         f->limit_ms / 1000);
}

/* It has closed its output. */
static bool wait_for_end(struct child_filter *f, struct err *err)
{
    int left_ms = f->limit_ms;

    for (child_reap(&f->c, WNOHANG); !f->c.gone; child_reap(&f->c, WNOHANG)) {
        struct pollfd fd[2] = {{.fd = f->c.p.err[0], .events = POLLIN},
                               {.fd = f->cancel_fd, .events = POLLIN}};

        if (poll(fd, 2, LOOK_MS) > 0) {
            child_drain(&f->c, &f->c.p.err[0], child_keep_tail);
        } else {
            left_ms -= LOOK_MS;
        }
        if (fd[1].revents || left_ms <= 0) {
            return stop(f, fd[1].revents ? ERR_CANCEL : ERR_TIMEOUT, err);
        }
    }
    return true;
}

static bool filter_ended(struct child_filter *f, struct str *in, struct err *err)
{
    child_close(&f->c.p.in[1]);
    if (!wait_for_end(f, err)) {
        return false;
    }
    f->end.signal = WIFSIGNALED(f->c.wait_status) ? WTERMSIG(f->c.wait_status) : 0;
    f->end.status = WIFEXITED(f->c.wait_status) ? WEXITSTATUS(f->c.wait_status) : -1;
    *in = str_skip(*in, in->n);
    if (!child_verdict(&f->c, err)) {
        str_copy(err->what, sizeof err->what, f->argv[2]);
        return false;
    }
    return true;
}

static void filter_feed(struct child_filter *f, struct str *in, bool last)
{
    ssize_t w = in->n ? child_write(f->c.p.in[1], in->p, in->n) : 0;

    if (w > 0) {
        *in = str_skip(*in, (size_t)w);
    }
    if ((last && in->n == 0) || (w < 0 && errno == EPIPE)) {
        child_close(&f->c.p.in[1]);
    }
    if (f->c.p.in[1] < 0) {
        *in = str_skip(*in, in->n);
    }
}

/* Until something can be read or written; false: it hangs, or we are told to stop. */
static bool wait_for_pipes(struct child_filter *f, struct pollfd fd[4], struct err *err)
{
    int ready = poll(fd, 4, f->limit_ms);

    if (ready < 0) {
        fd[0].revents = fd[1].revents = fd[2].revents = 0;
        return errno == EINTR || err_os(err, errno, "wait for", f->argv[2]);
    }
    if (ready == 0 || fd[3].revents) {
        return stop(f, ready ? ERR_CANCEL : ERR_TIMEOUT, err);
    }
    return true;
}

bool child_filter_run(struct child_filter *f, struct str *in, bool last, void *out, size_t cap,
                      size_t *got, struct err *err)
{
    struct pipes *p = &f->c.p;

    *got = 0;
    while (*got == 0 && (in->n || last)) {
        struct pollfd fd[4] = {{.fd = p->out[0], .events = POLLIN},
                               {.fd = p->err[0], .events = POLLIN},
                               {.fd = p->in[1], .events = POLLOUT},
                               {.fd = f->cancel_fd, .events = POLLIN}};
        ssize_t n;

        if (p->out[0] < 0) {
            return filter_ended(f, in, err);
        }
        if (!wait_for_pipes(f, fd, err)) {
            return false;
        }
        if (fd[1].revents) {
            child_drain(&f->c, &p->err[0], child_keep_tail);
        }
        if (fd[2].revents) {
            filter_feed(f, in, last);
        }
        if (fd[0].revents) {
            n = read(p->out[0], out, cap);
            if (n > 0) {
                *got = (size_t)n;
            } else if (n == 0 || errno != EINTR) {
                child_close(&p->out[0]);
            }
        }
    }
    return true;
}
