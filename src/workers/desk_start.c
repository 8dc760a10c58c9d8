/* SPDX-License-Identifier: PostgreSQL */
/* Jobs that are started here: "PROGRAM [-c FILE] --batch --job N words" in a session of its
 * own. What it prints goes to a file without a name, read when the process ends without having
 * begun; a pipe would break with us, and the job is to outlive us. */
#include "desk_in.h"
#include "job.h"
#include "job_dir.h"

#include "base/child.h"
#include "base/clock.h"
#include "base/log.h"
#include "cfg/config.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define WORDS_MAX 256
#define LOOK_NS   (20 * NS_PER_MS) /* while a job has not begun */
#define REAP_NS   (NS_PER_S / 2)
#define BEGIN_NS  (60 * NS_PER_S)
#define TAIL_CAP  2048

static const char *home_of(const struct desk *desk)
{
    return desk->spec.config->barman_home;
}

static struct err *err_new(const struct err *err)
{
    struct err *copy = malloc(sizeof *copy);

    return copy ? memcpy(copy, err, sizeof *copy) : NULL;
}

/* err NULL: well. Without memory for the reason the job would seem to run: then it is said that
 * there is no job of that number. */
static void tell(struct desk *desk, uint32_t ticket, uint32_t number, const struct err *err)
{
    struct news news = {.kind = NEWS_STARTED, .job = err ? 0 : number};

    news.started.ticket = ticket;
    news.started.err = err ? err_new(err) : NULL;
    road_put(desk->road, desk->thread.worker, &news);
}

/* ---- start ---- */

static bool arguments(const struct desk *desk, uint32_t number, const char *words,
                      const char *argv[WORDS_MAX + 8], char job[16], struct err *err)
{
    size_t n = 0, most = WORDS_MAX + 7;

    str_fmt(job, 16, "%lu", (unsigned long)number);
    argv[n++] = desk->spec.program;
    if (desk->spec.config_path) {
        argv[n++] = "-c";
        argv[n++] = desk->spec.config_path;
    }
    argv[n++] = "--batch";
    argv[n++] = "--job";
    argv[n++] = job;
    for (; *words && n < most; words += strlen(words) + 1) {
        argv[n++] = words;
    }
    argv[n] = NULL;
    return !*words || err_set(err, ERR_USAGE, "", "", "more than %d words", WORDS_MAX);
}

static bool error_file(const char *directory, int *fd, struct err *err)
{
    char path[PATH_CAP];

    if (!path_join(path, directory, "stderr-XXXXXX", err)) {
        return false;
    }
    *fd = mkstemp(path);
    if (*fd < 0) {
        return err_os(err, errno, "create", path);
    }
    unlink(path);
    return true;
}

static struct started *free_place(struct desk *desk, struct err *err)
{
    for (size_t i = 0; i < DESK_STARTED; i++) {
        if (!desk->jobs.started[i].number) {
            return &desk->jobs.started[i];
        }
    }
    err_set(err, ERR_BUSY, "Wait until one of them has ended.", "",
            "%d jobs of this console run already", DESK_STARTED);
    return NULL;
}

static bool launch(struct desk *desk, struct started *s, const char *words, struct err *err)
{
    const char *argv[WORDS_MAX + 8];
    char path[PATH_CAP], job[16];

    return arguments(desk, s->number, words, argv, job, err) &&
           job_path(home_of(desk), s->number, path, err) &&
           error_file(path, &s->error_fd, err) &&
           child_detach_into(argv, s->error_fd, &s->pid, err);
}

/* Nothing of it ran: as if its number had never been given. */
static void take_back(struct desk *desk, uint32_t number)
{
    char path[PATH_CAP];
    struct err err;

    if (!job_path(home_of(desk), number, path, &err) || !tree_remove(path, &err)) {
        log_line(LOG_WARNING, "the directory of job %lu stays: %s", (unsigned long)number,
                 err.why);
    }
}

static void forget(struct started *s)
{
    if (s->error_fd >= 0) {
        close(s->error_fd);
    }
    *s = (struct started){.error_fd = -1};
}

void start_order(struct desk *desk, uint32_t ticket, const char *words)
{
    struct err err = {0};
    struct started *s = free_place(desk, &err);

    if (!words) {
        err_set(&err, ERR_USAGE, "", "", "no words, or more than %d bytes of them",
                ORDER_WORDS_CAP);
        s = NULL;
    }
    if (!s || !job_allocate(home_of(desk), &s->number, &err)) {
        err_wrap(&err, "start the job");
        tell(desk, ticket, 0, &err);
        return;
    }
    s->ticket = ticket;
    s->error_fd = -1;
    s->is_told = s->is_reaped = false;
    s->since_ns = clock_mono_ns();
    if (!launch(desk, s, words, &err)) {
        take_back(desk, s->number);
        forget(s);
        err_wrap(&err, "start the job");
        tell(desk, ticket, 0, &err);
    }
}

/* ---- begun, or dead ---- */

static struct str last_words(int fd, char mem[TAIL_CAP])
{
    off_t size = lseek(fd, 0, SEEK_END);
    ssize_t n = pread(fd, mem, TAIL_CAP, size > TAIL_CAP ? size - TAIL_CAP : 0);
    struct str rest = str_n(mem, n > 0 ? (size_t)n : 0), line, found = str_of("");

    while (str_line(&rest, &line)) {
        line = str_trim(line);
        found = line.n ? line : found;
    }
    return found;
}

static void tell_death(struct desk *desk, struct started *s)
{
    char mem[TAIL_CAP], kept[TAIL_CAP], text[TAIL_CAP];
    struct str words = last_words(s->error_fd, mem);
    struct err err = {0};

    str_fmt(text, sizeof text, "%.*s", (int)words.n, words.p ? words.p : "");
    redact(text, kept, sizeof kept);
    if (WIFSIGNALED(s->status)) {
        err_set(&err, ERR_IO, "Look into the log file.", "",
                "its process was ended by signal %d before it began", WTERMSIG(s->status));
    } else if (kept[0]) {
        err_set(&err, WEXITSTATUS(s->status) == 2 ? ERR_USAGE : ERR_IO, "", "",
                "%.200s (exit status %d)", kept, WEXITSTATUS(s->status));
    } else {
        err_set(&err, ERR_IO, "Look into the log file.", "",
                "its process ended before it began, exit status %d", WEXITSTATUS(s->status));
    }
    err_wrap(&err, "start the job");
    take_back(desk, s->number);
    tell(desk, s->ticket, 0, &err);
}

static bool has_begun(struct desk *desk, uint32_t number)
{
    struct job_info job = {.number = number};
    struct arena a;
    struct err unheard;
    bool begun;

    arena_init(&a, 0);
    begun = job_read(&a, home_of(desk), &job, &unheard) && job.began_us;
    arena_release(&a);
    return begun;
}

static void reap(struct started *s)
{
    pid_t got = s->is_reaped ? 0 : waitpid(s->pid, &s->status, WNOHANG);

    s->is_reaped = s->is_reaped || got == s->pid || (got < 0 && errno == ECHILD);
}

static void one_turn(struct desk *desk, struct started *s)
{
    reap(s); /* first: what ended has written all it had to write */
    if (!s->is_told && has_begun(desk, s->number)) {
        jobs_refresh(desk); /* so that its row is there when its number is told */
        tell(desk, s->ticket, s->number, NULL);
        s->is_told = true;
    } else if (!s->is_told && s->is_reaped) {
        tell_death(desk, s);
        s->is_told = true;
    } else if (!s->is_told && clock_mono_ns() - s->since_ns > BEGIN_NS) {
        tell(desk, s->ticket, s->number, NULL); /* slow, but there */
        s->is_told = true;
    }
    if (s->is_told && s->error_fd >= 0) {
        close(s->error_fd);
        s->error_fd = -1;
    }
    if (s->is_reaped) {
        forget(s);
    }
}

void start_turn(struct desk *desk)
{
    for (size_t i = 0; i < DESK_STARTED; i++) {
        if (desk->jobs.started[i].number) {
            one_turn(desk, &desk->jobs.started[i]);
        }
    }
}

int64_t start_due(const struct desk *desk)
{
    int64_t due = INT64_MAX;

    for (size_t i = 0; i < DESK_STARTED; i++) {
        const struct started *s = &desk->jobs.started[i];
        int64_t at = clock_mono_ns() + (s->is_told ? REAP_NS : LOOK_NS);
        if (s->number && at < due) {
            due = at;
        }
    }
    return due;
}

void start_release(struct desk *desk)
{
    for (size_t i = 0; i < DESK_STARTED; i++) {
        if (desk->jobs.started[i].number) {
            forget(&desk->jobs.started[i]);
        }
    }
}

/* ---- cancel ---- */

/* The process we started for it, as long as that is there. */
static pid_t started_as(struct desk *desk, uint32_t number)
{
    for (size_t i = 0; i < DESK_STARTED; i++) {
        struct started *s = &desk->jobs.started[i];
        if (s->number == number) {
            reap(s); /* a zombie takes signals, too */
            return s->is_reaped ? 0 : s->pid;
        }
    }
    return 0;
}

/* The process that does the work, or is about to; 0: none, the job is over. */
static pid_t worker_of(struct desk *desk, uint32_t number)
{
    struct job_info job = {.number = number};
    struct arena a;
    struct err unheard;
    pid_t pid = 0;

    arena_init(&a, 0);
    if (job_read(&a, home_of(desk), &job, &unheard)) {
        pid = job.state == JOB_RUNNING ? (pid_t)job.pid
              : job.state == JOB_NEW   ? started_as(desk, number)
                                       : 0;
    }
    arena_release(&a);
    return pid;
}

void cancel_order(struct desk *desk, uint32_t number)
{
    struct err err;
    char text[512];
    pid_t pid;

    if (job_cancel(home_of(desk), number, &err)) {
        return;
    }
    pid = worker_of(desk, number); /* it has no socket yet, or cannot have one */
    if (pid > 1 && kill(pid, SIGTERM) == 0) {
        return;
    }
    road_put_said(desk->road, desk->thread.worker, number, SAY_ERROR,
                  err_text(&err, text, sizeof text));
}
