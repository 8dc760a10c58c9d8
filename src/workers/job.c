/* SPDX-License-Identifier: PostgreSQL */
#include "job.h"

#include "base/bug.h"
#include "base/clock.h"
#include "base/fmt.h"
#include "base/log.h"
#include "crew.h"
#include "job_dir.h"
#include "job_serve.h"
#include "road_in.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#define STEP_NS  (NS_PER_S / 10) /* progress is looked at this often */
#define SAID_CAP 5120            /* of a line that was said, with its passwords covered */

struct job {
    const struct job_spec *spec;
    struct job_dir dir; /* only when on_record */
    struct serve serve;
    bool on_record;
    struct road *road;
    struct crew *crew;
    int signal_fd;
    sigset_t mask;     /* as it was before */
    int64_t cancel_ns; /* when first asked; 0: not */
    struct progress latest;
    int64_t looked_ns; /* when progress was last looked at and found; 0: nothing withheld */
    bool ended, ok;
    struct err end;
};

static const struct {
    const char *name;
    enum log_level level; /* in the program's log */
    bool shown;           /* told to the watcher, and a fact */
} says[] = {
    [SAY_OUT] = {"out", LOG_DEBUG, true},      [SAY_WARN] = {"warn", LOG_WARNING, true},
    [SAY_ERROR] = {"error", LOG_ERROR, true},  [SAY_LOG] = {"log", LOG_INFO, false},
    [SAY_DEBUG] = {"debug", LOG_DEBUG, false},
};

/* ---- the record ---- */

/* A journal that fails is closed where it stands: the work is worth more than its record. */
static void record(struct job *job, const struct fact *f, enum journal_weight weight)
{
    struct err err;
    char text[512];

    if (job->on_record && job->dir.journal.fd >= 0 &&
        !journal_append(&job->dir.journal, f, weight, &err)) {
        log_line(LOG_WARNING, "job %lu goes on without a journal: %s",
                 (unsigned long)job->dir.number, err_text(&err, text, sizeof text));
        serve_release(&job->serve);
        journal_release(&job->dir.journal);
    }
}

static void record_began(struct job *job)
{
    struct fact f;

    fact_init(&f, "began");
    fact_add(&f, "verb", job->spec->verb);
    fact_add(&f, "server", job->spec->server);
    fact_add_u64(&f, "pid", (uint64_t)getpid());
    record(job, &f, JOURNAL_EDGE);
}

static void record_ended(struct job *job)
{
    char text[1600], kept[2048];
    struct fact f;

    fact_init(&f, "ended");
    fact_add(&f, "result", job->ok ? "ok" : "failed");
    if (job->on_record && job->dir.journal.lost) {
        fact_add_u64(&f, "lost", job->dir.journal.lost);
    }
    if (!job->ok) {
        fact_add(&f, "code", err_name(job->end.code));
        fact_add(&f, "text", redact(err_text(&job->end, text, sizeof text), kept, sizeof kept));
        fact_add(&f, "hint", job->end.hint);
    }
    record(job, &f, JOURNAL_EDGE);
}

/* A line for whoever looks: the watcher, the record, the program's log. */
static void said(struct job *job, enum say kind, const char *line)
{
    const struct job_watch *watch = &job->spec->watch;
    char kept[SAID_CAP]; /* what a server said may hold a connection string */
    struct fact f;

    redact(line, kept, sizeof kept);
    str_tame(kept);
    if (kind != SAY_OUT) {
        log_line(says[kind].level, "%s", line);
    }
    if (job->on_record) {
        job_dir_log(&job->dir, says[kind].name, kept);
    }
    if (!says[kind].shown) {
        if (kind == SAY_DEBUG && watch->said) {
            watch->said(watch->ctx, kind, line);
        }
        return;
    }
    fact_init(&f, "said");
    fact_add(&f, "kind", says[kind].name);
    fact_add(&f, "line", kept);
    record(job, &f, JOURNAL_PLAIN);
    if (watch->said) {
        watch->said(watch->ctx, kind, line);
    }
}

static void open_socket(struct job *job)
{
    struct err err;
    char text[512];

    if (!serve_open(&job->serve, job->dir.fd, &job->dir.journal, &err)) {
        log_line(LOG_WARNING, "job %lu cannot be followed: %s", (unsigned long)job->dir.number,
                 err_text(&err, text, sizeof text));
    }
}

/* false only when the number was given and that job has already begun. */
static bool open_record(struct job *job)
{
    const struct job_spec *spec = job->spec;
    struct err err;
    char text[512];

    job->serve.fd = -1;
    if (!spec->home) {
        return true;
    }
    if (!job_prune(spec->home, &err)) {
        log_line(LOG_WARNING, "old jobs stay: %s", err_text(&err, text, sizeof text));
    }
    job->on_record = job_dir_open(&job->dir, spec->home, spec->number, spec->plan, &err);
    if (job->on_record) {
        open_socket(job); /* first: who reads that it began can call it */
        record_began(job);
        return true;
    }
    if (err.code == ERR_BUSY) {
        job->end = err;
        return false;
    }
    log_line(LOG_WARNING, "%s runs without a job directory: %s", spec->verb,
             err_text(&err, text, sizeof text));
    return true;
}

static void close_record(struct job *job)
{
    if (job->on_record) {
        record_ended(job);
        serve_send(&job->serve);
        serve_release(&job->serve);
        job_dir_release(&job->dir);
    }
}

/* ---- cancel ---- */

static void still_waiting(struct job *job)
{
    const struct progress *p = &job->latest;
    char span[FMT_CAP], line[256];

    fmt_span(clock_mono_ns() - job->cancel_ns, span);
    str_fmt(line, sizeof line, "still stopping after %s: waiting for %s%s%s", span,
            p->phase[0] ? p->phase : job->spec->verb, p->what[0] ? ", at " : "", p->what);
    said(job, SAY_WARN, line);
}

static void cancel(struct job *job, const char *by)
{
    char line[64];
    struct fact f;

    if (job->cancel_ns) {
        still_waiting(job);
        return;
    }
    job->cancel_ns = clock_mono_ns();
    crew_cancel(job->crew);
    fact_init(&f, "cancel");
    fact_add(&f, "by", by);
    record(job, &f, JOURNAL_PLAIN);
    str_fmt(line, sizeof line, "stopping, as asked by %s", by);
    said(job, SAY_WARN, line);
}

/* Signals that stopped us before must not stop us again now that somebody ignores them. */
static bool is_ignored(int signo)
{
    struct sigaction now;

    return sigaction(signo, NULL, &now) == 0 && now.sa_handler == SIG_IGN;
}

static bool take_signals(struct job *job, struct err *err)
{
    static const int ours[] = {SIGINT, SIGTERM, SIGHUP, SIGPIPE, SIGXFSZ};
    sigset_t set;

    sigemptyset(&set);
    for (size_t i = 0; i < sizeof ours / sizeof ours[0]; i++) {
        if (!is_ignored(ours[i])) {
            sigaddset(&set, ours[i]);
        }
    }
    job->signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    if (job->signal_fd < 0) {
        return err_os(err, errno, "open a descriptor for signals", "");
    }
    pthread_sigmask(SIG_BLOCK, &set, &job->mask);
    return true;
}

static bool next_signal(struct job *job, int *signo)
{
    struct signalfd_siginfo info;

    if (read(job->signal_fd, &info, sizeof info) != (ssize_t)sizeof info) {
        return false;
    }
    *signo = (int)info.ssi_signo;
    return true;
}

/* What came too late to cancel anything is dropped with the rest. */
static void give_signals_back(struct job *job)
{
    int signo;

    while (next_signal(job, &signo)) {
    }
    pthread_sigmask(SIG_SETMASK, &job->mask, NULL);
    close(job->signal_fd);
}

static void on_signals(struct job *job)
{
    int signo;

    while (next_signal(job, &signo)) {
        if (signo == SIGINT) {
            cancel(job, "SIGINT");
        } else if (signo == SIGTERM) {
            cancel(job, "SIGTERM");
        } else if (signo == SIGHUP && job->spec->kind == JOB_READS) {
            cancel(job, "SIGHUP");
        } else if (signo == SIGHUP) {
            said(job, SAY_LOG, "the terminal has gone; the job goes on");
        }
    }
}

/* ---- news ---- */

static void on_progress(struct job *job, const struct progress *p)
{
    const struct job_watch *watch = &job->spec->watch;

    job->latest = *p;
    job->looked_ns = clock_mono_ns();
    serve_progress(&job->serve, p);
    if (watch->progress) {
        watch->progress(watch->ctx, p);
    }
}

static void on_news(struct job *job, struct news *news)
{
    switch (news->kind) {
    case NEWS_JOB_BEGAN: /* recorded before the thread was started */
        break;
    case NEWS_SAID:
        said(job, news->said.kind, news_line(news));
        break;
    case NEWS_PROGRESS:
        on_progress(job, &news->progress);
        break;
    case NEWS_JOB_ENDED:
        job->ended = true;
        job->ok = !news->err;
        if (news->err) {
            job->end = *news->err;
        }
        break;
    case NEWS_SNAPSHOT: /* a desk's: no verb sends them */
    case NEWS_JOBS:
    case NEWS_STARTED:
    case NEWS_ANSWER:
        break;
    }
    news_release(news);
}

static int64_t withheld_ns(const struct job *job)
{
    return job->looked_ns ? job->looked_ns + STEP_NS - clock_mono_ns() : 0;
}

/* Facts at once; progress when the last one is old enough. */
static void take_news(struct job *job)
{
    struct news news;

    while (!job->ended && road_take_fact(job->road, &news)) {
        on_news(job, &news);
    }
    if (withheld_ns(job) > 0) {
        return;
    }
    job->looked_ns = 0;
    while (!job->ended && !job->looked_ns && road_take(job->road, &news)) {
        on_news(job, &news);
    }
    if (job->looked_ns) { /* more may come: do not let it wake us before its time */
        while (!job->ended && road_take_fact(job->road, &news)) {
            on_news(job, &news);
        }
    }
}

/* The collector: the thread that called job_run().
 * Locks  none.
 * Owns   the record, the socket and its clients, the signals, the watcher's end of the road.
 * Stops  when NEWS_JOB_ENDED has come, never earlier: threads may be waiting for room. */
static void collect(struct job *job)
{
    struct pollfd fd[2 + SERVE_FDS];

    for (;;) {
        int64_t ns;

        take_news(job);
        if (job->ended) {
            return;
        }
        serve_send(&job->serve);
        ns = withheld_ns(job);
        fd[0] = (struct pollfd){.fd = road_fd(job->road), .events = POLLIN};
        fd[1] = (struct pollfd){.fd = job->signal_fd, .events = POLLIN};
        serve_poll(&job->serve, fd + 2);
        if (poll(fd, 2 + SERVE_FDS, job->looked_ns ? (int)(ns / NS_PER_MS) + 1 : -1) < 0) {
            BUG_IF(errno != EINTR);
            continue;
        }
        if (fd[1].revents) {
            on_signals(job);
        }
        if (serve_events(&job->serve, fd + 2)) {
            cancel(job, "socket");
        }
    }
}

static bool start(struct job *job, struct err *err)
{
    const struct job_spec *spec = job->spec;

    job->crew = crew_start(&(struct crew_spec){.road = job->road,
                                               .job = job->on_record ? job->dir.number : 0,
                                               .deadline_ns = spec->deadline_ns,
                                               .name = spec->verb,
                                               .run = spec->run,
                                               .arg = spec->arg},
                           err);
    return job->crew != NULL;
}

bool job_run(const struct job_spec *spec, struct err *err)
{
    struct job job = {.spec = spec};

    if (!take_signals(&job, err)) {
        return false;
    }
    job.road = open_record(&job) ? road_new(&job.end) : NULL;
    if (job.road && start(&job, &job.end)) {
        collect(&job);
        crew_free(job.crew);
    }
    close_record(&job);
    if (job.road) {
        road_free(job.road);
    }
    give_signals_back(&job);
    if (!job.ok) {
        *err = job.end;
    }
    return job.ok;
}
