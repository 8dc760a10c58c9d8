/* SPDX-License-Identifier: PostgreSQL */
#include "job_serve.h"

#include "job.h"
#include "job_dir.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define REQUEST_CAP 64
#define BACKLOG     64 /* that may knock while the collector writes its journal */
#define PACKET_CAP  (JOURNAL_LINE_CAP + 64)

/* A path in sun_path is at most 107 bytes, a home may be deeper: go through the descriptor. */
static struct sockaddr_un address(int dir_fd)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX};

    str_fmt(a.sun_path, sizeof a.sun_path, "/proc/self/fd/%d/sock", dir_fd);
    return a;
}

static int seqpacket(void)
{
    return socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
}

bool serve_open(struct serve *s, int dir_fd, const struct journal *journal, struct err *err)
{
    struct sockaddr_un a = address(dir_fd);

    *s = (struct serve){.dir_fd = dir_fd, .journal = journal, .fd = seqpacket()};
    for (int i = 0; i < SERVE_CLIENTS; i++) {
        s->client[i].fd = -1;
    }
    /* The directory is 0700, so nobody gets in before the mode is set. */
    if (s->fd < 0 || bind(s->fd, (const struct sockaddr *)&a, sizeof a) != 0 ||
        fchmodat(dir_fd, "sock", 0600, 0) != 0 || listen(s->fd, BACKLOG) != 0) {
        err_os(err, errno, "open the socket of the job", "sock");
        serve_release(s);
        return false;
    }
    return true;
}

static void drop(struct serve_client *c)
{
    close(c->fd);
    *c = (struct serve_client){.fd = -1};
}

void serve_release(struct serve *s)
{
    if (s->fd < 0) {
        return;
    }
    for (int i = 0; i < SERVE_CLIENTS; i++) {
        if (s->client[i].fd >= 0) {
            drop(&s->client[i]);
        }
    }
    unlinkat(s->dir_fd, "sock", 0);
    close(s->fd);
    s->fd = -1;
}

void serve_poll(const struct serve *s, struct pollfd fd[SERVE_FDS])
{
    fd[0] = (struct pollfd){.fd = s->fd, .events = POLLIN};
    for (int i = 0; i < SERVE_CLIENTS; i++) {
        const struct serve_client *c = &s->client[i];
        fd[i + 1] = (struct pollfd){.fd = s->fd < 0 ? -1 : c->fd,
                                    .events = (short)(POLLIN | (c->blocked ? POLLOUT : 0))};
    }
}

/* One more than there is room for is let in and sent away. */
static void admit(struct serve *s)
{
    int fd = accept(s->fd, NULL, NULL);

    if (fd < 0) {
        return;
    }
    for (int i = 0; i < SERVE_CLIENTS; i++) {
        if (s->client[i].fd < 0 && fcntl(fd, F_SETFD, FD_CLOEXEC) == 0) {
            s->client[i] = (struct serve_client){.fd = fd};
            return;
        }
    }
    close(fd);
}

/* Where the n-th line begins, counted from 0; the end when there are fewer. */
static void go_to_line(const struct serve *s, struct serve_client *c, uint64_t n)
{
    char mem[JOURNAL_LINE_CAP];
    struct str line;

    c->line = 0;
    c->at = 0;
    while (c->line < n && journal_line(s->journal, c->at, mem, &line)) {
        c->at += line.n + 1;
        c->line++;
    }
}

/* true: cancel. */
static bool request(struct serve *s, struct serve_client *c)
{
    char mem[REQUEST_CAP];
    ssize_t n = recv(c->fd, mem, sizeof mem, MSG_DONTWAIT);
    struct str text = str_n(mem, n > 0 ? (size_t)n : 0);
    uint64_t line;

    if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
        return false;
    }
    if (str_eq(text, "cancel")) {
        return true;
    }
    if (!str_take_lit(&text, "facts ") || !str_u64(text, UINT64_MAX, &line)) {
        drop(c); /* gone, or not one of ours */
        return false;
    }
    go_to_line(s, c, line);
    c->wants_facts = true;
    c->progress_due = s->progress[0] != '\0';
    return false;
}

bool serve_events(struct serve *s, const struct pollfd fd[SERVE_FDS])
{
    bool cancel = false;

    for (int i = 0; i < SERVE_CLIENTS; i++) {
        struct serve_client *c = &s->client[i];
        if (fd[i + 1].fd < 0 || !fd[i + 1].revents) {
            continue;
        }
        c->blocked = false;
        if (fd[i + 1].revents & (POLLIN | POLLHUP | POLLERR)) {
            cancel |= request(s, c);
        }
    }
    if (fd[0].fd >= 0 && (fd[0].revents & POLLIN)) {
        admit(s);
    }
    return cancel;
}

void serve_progress(struct serve *s, const struct progress *p)
{
    struct sbuf b;

    sbuf_init(&b, s->progress, sizeof s->progress);
    sbuf_fmt(&b, "progress\tdone=%llu\ttotal=%llu\tper_sec=%llu\tphase=",
             (unsigned long long)p->done, (unsigned long long)p->total,
             (unsigned long long)p->per_sec);
    fact_clean(&b, p->phase);
    sbuf_add(&b, "\twhat=");
    fact_clean(&b, p->what);
    for (int i = 0; i < SERVE_CLIENTS; i++) {
        s->client[i].progress_due = s->client[i].wants_facts;
    }
}

/* false: not now; the client may have been dropped. */
static bool packet(struct serve_client *c, const char *p, size_t n)
{
    if (send(c->fd, p, n, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0) {
        return true;
    }
    if (errno == EAGAIN || errno == EINTR || errno == ENOBUFS) {
        c->blocked = true;
    } else {
        drop(c);
    }
    return false;
}

static void send_to(struct serve *s, struct serve_client *c)
{
    char mem[JOURNAL_LINE_CAP], text[PACKET_CAP];
    struct str line;
    struct sbuf b;

    while (c->wants_facts && journal_line(s->journal, c->at, mem, &line)) {
        sbuf_init(&b, text, sizeof text);
        sbuf_fmt(&b, "fact %llu\t", (unsigned long long)c->line);
        sbuf_add_n(&b, line.p, line.n);
        if (!packet(c, text, b.len)) {
            return;
        }
        c->at += line.n + 1;
        c->line++;
    }
    if (c->progress_due && packet(c, s->progress, strlen(s->progress))) {
        c->progress_due = false;
    }
}

void serve_send(struct serve *s)
{
    for (int i = 0; s->fd >= 0 && i < SERVE_CLIENTS; i++) {
        if (s->client[i].fd >= 0 && !s->client[i].blocked) {
            send_to(s, &s->client[i]);
        }
    }
}

static bool connect_at(int dir_fd, const char *path, int *fd, struct err *err)
{
    struct sockaddr_un a = address(dir_fd);

    *fd = seqpacket();
    if (*fd < 0) {
        return err_os(err, errno, "open a socket", path);
    }
    if (connect(*fd, (const struct sockaddr *)&a, sizeof a) != 0) {
        int os = errno;
        close(*fd);
        err_os(err, os, "connect to the job", path);
        if (os == ENOENT || os == ECONNREFUSED) {
            return err_set(err, ERR_MISSING, "Look at its journal.", path, "is not running");
        }
        return false;
    }
    return true;
}

bool job_connect(const char *home, uint32_t number, int *fd, struct err *err)
{
    char path[PATH_CAP];
    int dir_fd;
    bool ok;

    if (!job_path(home, number, path, err)) {
        return false;
    }
    dir_fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (dir_fd < 0) {
        return err_set(err, ERR_MISSING, "List the jobs to see their numbers.", path,
                       "no such job");
    }
    ok = connect_at(dir_fd, path, fd, err);
    close(dir_fd);
    return ok;
}

bool job_cancel(const char *home, uint32_t number, struct err *err)
{
    static const char order[] = "cancel";
    int fd;
    bool ok;

    if (!job_connect(home, number, &fd, err)) {
        return false;
    }
    ok = send(fd, order, sizeof order - 1, MSG_NOSIGNAL) >= 0 ||
         err_os(err, errno, "send to the job", "sock");
    close(fd);
    return ok;
}
