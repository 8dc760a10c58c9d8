/* SPDX-License-Identifier: PostgreSQL */
/* The follower: all lines of one job, each once, in order. Lines are counted: from the socket
 * come those from a number on, in the journal the next one begins where the last one ended, so
 * it can change from one to the other at any line. */
#include "desk_in.h"
#include "job.h"
#include "job_dir.h"
#include "journal.h"

#include "barkeep/task.h"
#include "base/bug.h"
#include "base/clock.h"
#include "cfg/config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define RETRY_NS   (200 * NS_PER_MS) /* without a socket */
#define WAIT_NS    NS_PER_S          /* for a job that has not begun after PATIENCE tries */
#define PATIENCE   25
#define PACKET_CAP (JOURNAL_LINE_CAP + 64)

struct follower {
    struct desk *desk;
    unsigned worker;
    uint32_t job;    /* 0: none */
    uint64_t line;   /* number of the next one */
    uint64_t at;     /* where it begins in the journal */
    int fd;          /* the job's socket; -1: none */
    bool has_ended;  /* everything was said */
    bool hung_up;    /* by the job, a moment ago: it ends, or serves eight others */
    unsigned tries;  /* without anything new */
    int64_t next_ns; /* when to look again; INT64_MAX: no need */
};

static const char *home_of(const struct follower *f)
{
    return f->desk->spec.config->barman_home;
}

/* ---- lines ---- */

static enum say say_of(struct str kind)
{
    return str_eq(kind, "error") ? SAY_ERROR : str_eq(kind, "warn") ? SAY_WARN : SAY_OUT;
}

static void tell_said(struct follower *f, struct str fact)
{
    struct news news = {.kind = NEWS_SAID, .job = f->job};
    struct str text = fact_get(fact, "line");
    char line[JOURNAL_LINE_CAP];

    news.said.kind = say_of(fact_get(fact, "kind"));
    news.said.at_us = fact_us(fact);
    str_fmt(line, sizeof line, "%.*s", (int)text.n, text.n ? text.p : "");
    news_set_line(&news, line);
    road_put(f->desk->road, f->worker, &news);
}

static enum err_code code_of(struct str name)
{
    for (int code = ERR_NONE + 1; code < ERR_CODE_COUNT; code++) {
        if (str_eq(name, err_name((enum err_code)code))) {
            return (enum err_code)code;
        }
    }
    return ERR_IO;
}

/* The end of a long text is its reason. */
static struct err *failure_new(enum err_code code, struct str text, struct str hint)
{
    struct err *err = calloc(1, sizeof *err);
    size_t cap = sizeof err->why - 4;
    bool cut = text.n > cap;

    if (!err) {
        return NULL;
    }
    text = cut ? str_skip(text, text.n - cap) : text;
    err->code = code;
    str_fmt(err->why, sizeof err->why, "%s%.*s", cut ? "..." : "", (int)text.n,
            text.n ? text.p : "");
    str_fmt(err->hint, sizeof err->hint, "%.*s", (int)hint.n, hint.n ? hint.p : "");
    return err;
}

static void tell_end(struct follower *f, struct err *err)
{
    struct news news = {.kind = NEWS_JOB_ENDED, .job = f->job, .err = err};

    f->has_ended = true;
    f->next_ns = INT64_MAX;
    road_put(f->desk->road, f->worker, &news);
}

static void tell_fact(struct follower *f, struct str fact)
{
    struct str kind = fact_kind(fact);
    struct news began = {.kind = NEWS_JOB_BEGAN, .job = f->job};

    if (str_eq(kind, "began")) {
        road_put(f->desk->road, f->worker, &began);
    } else if (str_eq(kind, "said")) {
        tell_said(f, fact);
    } else if (str_eq(kind, "ended")) {
        tell_end(f, str_eq(fact_get(fact, "result"), "ok")
                        ? NULL
                        : failure_new(code_of(fact_get(fact, "code")), fact_get(fact, "text"),
                                      fact_get(fact, "hint")));
    }
}

static void take_line(struct follower *f, struct str line)
{
    f->line++;
    f->at += line.n + 1;
    f->tries = 0;
    tell_fact(f, line);
}

static bool is_wanted(const struct follower *f)
{
    return !f->has_ended && !desk_is_stopping(f->desk) && ring_count(&f->desk->follows) == 0;
}

/* ---- the journal ---- */

/* Whole lines until there is none. */
static void read_journal(struct follower *f, int fd)
{
    char mem[JOURNAL_LINE_CAP];

    while (is_wanted(f)) {
        ssize_t n = pread(fd, mem, sizeof mem, (off_t)f->at);
        struct str rest = str_n(mem, n > 0 ? (size_t)n : 0), line;

        if (rest.n == 0 || memchr(mem, '\n', rest.n) == NULL) {
            return;
        }
        while (is_wanted(f) && memchr(rest.p, '\n', rest.n)) {
            (void)str_line(&rest, &line);
            if (line.n && memchr(line.p, '\0', line.n)) { /* not written yet */
                return;
            }
            take_line(f, line);
            if (rest.n == 0) {
                break;
            }
        }
    }
}

static void look_into_journal(struct follower *f, const char *path)
{
    char file[PATH_CAP];
    struct err unheard;
    int fd;

    if (path_join(file, path, "journal", &unheard) && file_open(file, &fd, &unheard)) {
        read_journal(f, fd);
        close(fd);
    }
}

/* ---- the socket ---- */

static void hang_up(struct follower *f)
{
    if (f->fd >= 0) {
        close(f->fd);
    }
    f->fd = -1;
}

static void call(struct follower *f)
{
    char request[48];
    struct err unheard;

    if (!job_connect(home_of(f), f->job, &f->fd, &unheard)) {
        f->fd = -1;
        return;
    }
    str_fmt(request, sizeof request, "facts %llu", (unsigned long long)f->line);
    if (send(f->fd, request, strlen(request), MSG_NOSIGNAL) < 0) {
        hang_up(f);
    }
}

/* "fact N TAB line"; false: a line is missing before it, to be read in the journal. */
static bool take_packet(struct follower *f, struct str packet)
{
    uint64_t line;

    if (!str_take_lit(&packet, "fact ") || !str_take_u64(&packet, UINT64_MAX, &line) ||
        !str_take_char(&packet, '\t') || line < f->line) {
        return true;
    }
    if (line > f->line) {
        return false;
    }
    take_line(f, packet);
    return true;
}

/* What is there; when the job has hung up, the rest is in the journal. */
static void listen_to(struct follower *f)
{
    char mem[PACKET_CAP];
    ssize_t n;

    while (is_wanted(f)) {
        n = recv(f->fd, mem, sizeof mem, MSG_DONTWAIT);
        if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
            return;
        }
        if (n <= 0 || !take_packet(f, str_n(mem, (size_t)n))) {
            hang_up(f);
            f->hung_up = true;
            f->next_ns = 0;
            return;
        }
    }
}

/* ---- turns ---- */

static void died(struct follower *f)
{
    tell_end(f, failure_new(ERR_IO,
                            str_of("its process ended without a last word; above is the last "
                                   "that is known"),
                            str_of("Look into the log file and the system's log.")));
}

/* Without a socket: the journal as far as it goes, then whether anybody is still there. The
 * lock is looked at first: a job that ends in between has its last line in the journal. */
static void look(struct follower *f)
{
    uint64_t before = f->line;
    char path[PATH_CAP];
    struct err unheard;
    bool locked;

    if (!job_path(home_of(f), f->job, path, &unheard)) {
        f->next_ns = INT64_MAX;
        return;
    }
    locked = job_locked(path);
    look_into_journal(f, path);
    if (!is_wanted(f)) {
        hang_up(f);
        return;
    }
    if (!locked && f->line > 0) {
        if (f->line == before) {
            died(f);
        } else { /* it may have begun in between */
            f->next_ns = 0;
        }
        return;
    }
    if (locked && !f->hung_up) {
        call(f);
    }
    f->hung_up = false;
    f->tries += f->tries < PATIENCE;
    f->next_ns =
        f->fd >= 0 ? INT64_MAX : clock_mono_ns() + (f->tries < PATIENCE ? RETRY_NS : WAIT_NS);
}

/* The mark tells the watcher's end from where on news are of this order. */
static void take_orders(struct follower *f)
{
    struct news mark = {.kind = NEWS_JOB_BEGAN};
    uint32_t job;

    while (ring_try_take(&f->desk->follows, &job)) {
        hang_up(f);
        f->job = job;
        f->line = f->at = 0;
        f->has_ended = f->hung_up = false;
        f->tries = 0;
        f->next_ns = job ? 0 : INT64_MAX;
        mark.job = 0;
        road_put(f->desk->road, f->worker, &mark);
    }
}

static void wait_for_something(struct follower *f)
{
    struct pollfd fd[3] = {{.fd = f->desk->stop_fd, .events = POLLIN},
                           {.fd = ring_item_fd(&f->desk->follows), .events = POLLIN},
                           {.fd = f->fd, .events = POLLIN}};
    bool may_sleep = ring_may_sleep(&f->desk->follows);

    if (poll(fd, 3, may_sleep ? desk_wait_ms(f->next_ns) : 0) < 0) {
        BUG_IF(errno != EINTR);
        return;
    }
    ring_awake(&f->desk->follows);
    if (f->fd >= 0 && fd[2].revents) {
        listen_to(f);
    }
}

/* The follower.
 * Locks  none.
 * Owns   the taking end of desk.follows, the socket of the followed job.
 * Stops  when stop_fd is readable. */
void follow_main(struct desk_thread *me)
{
    struct follower f = {
        .desk = me->desk, .worker = me->worker, .fd = -1, .next_ns = INT64_MAX};

    while (!desk_is_stopping(f.desk)) {
        take_orders(&f);
        if (f.job && !f.has_ended && f.fd < 0 && clock_mono_ns() >= f.next_ns) {
            look(&f);
        }
        if (f.has_ended) {
            hang_up(&f);
        }
        wait_for_something(&f);
    }
    hang_up(&f);
}
