/* SPDX-License-Identifier: PostgreSQL */
/* The list of jobs, and the progress of those that run. The folder of jobs and the journals of
 * running ones are asked for their times; what has ended is never read again. */
#include "desk_in.h"
#include "job.h"
#include "job_dir.h"
#include "journal.h"

#include "base/clock.h"
#include "base/log.h"
#include "cfg/config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define BUSY_NS    (NS_PER_S / 2)
#define IDLE_NS    (2 * NS_PER_S)
#define YOUNG_NS   (50 * NS_PER_MS) /* a file system's clock ticks at least this often */
#define TABLE_MAX  ((size_t)16 * 1024 * 1024)
#define PLAN_CAP   8192
#define PACKET_CAP 8192
#define BEGIN_US   (60 * US_PER_S) /* a job that has not begun by then never will */

static const char *home_of(const struct desk *desk)
{
    return desk->spec.config->barman_home;
}

/* ---- rows ---- */

static const enum row_state row_states[] = {
    [JOB_NEW] = ROW_NEW,       [JOB_RUNNING] = ROW_RUNNING, [JOB_DONE] = ROW_DONE,
    [JOB_FAILED] = ROW_FAILED, [JOB_DIED] = ROW_DIED,
};

static bool is_final(const struct job_row *row)
{
    return row->state != ROW_NEW && row->state != ROW_RUNNING && row->began_us;
}

static bool in_job(const char *directory, const char *name, char out[PATH_CAP])
{
    struct err unheard;

    return path_join(out, directory, name, &unheard);
}

/* The first line of its plan; "" when there is none. */
static const char *plan_of(struct arena *a, const char *directory)
{
    char path[PATH_CAP];
    struct str text, line = str_of("");
    struct err unheard;

    if (!in_job(directory, "plan", path) || !file_read(a, path, PLAN_CAP, &text, &unheard)) {
        return "";
    }
    (void)str_line(&text, &line);
    return arena_strndup(a, line.n ? line.p : "", line.n);
}

static struct timespec changed_at(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0 ? st.st_mtim : (struct timespec){0};
}

static struct timespec journal_time(const char *directory)
{
    char path[PATH_CAP];

    return in_job(directory, "journal", path) ? changed_at(path) : (struct timespec){0};
}

static const char *text_of(const struct job_info *job)
{
    if (job->state == JOB_FAILED) {
        return job->text;
    }
    return job->state == JOB_DONE || job->state == JOB_DIED ? job->said : "";
}

static void fill_row(struct job_row *row, const struct job_info *job)
{
    row->state = row_states[job->state];
    if (job->state == JOB_FAILED && strcmp(job->code, "ERR_CANCEL") == 0) {
        row->state = ROW_CANCELLED;
    }
    row->verb = job->verb;
    row->server = job->server;
    row->text = text_of(job);
    row->hint = job->hint;
    row->pid = job->pid;
    row->began_us = job->began_us;
    row->ended_us = is_final(row) ? job->last_us : 0;
}

static void never_began(struct job_row *row, const char *directory)
{
    int64_t made = changed_at(directory).tv_sec * US_PER_S;

    if (row->state == ROW_NEW && clock_wall_ns() / 1000 - made > BEGIN_US) {
        row->state = ROW_DIED;
        row->text = "it never began";
    }
}

/* Another user's, or damaged: the list of the others is worth more than this one. */
static void cannot_be_read(struct arena *a, struct job_row *row, const struct err *err)
{
    char text[1600];

    row->state = ROW_DIED;
    row->text = arena_strdup(a, err_text(err, text, sizeof text));
}

static bool read_row(struct arena *a, const char *home, uint32_t number, struct job_row *row,
                     struct err *err)
{
    struct job_info job = {.number = number};
    char path[PATH_CAP];

    if (!job_path(home, number, path, err)) {
        return false;
    }
    *row = (struct job_row){.number = number};
    row->directory = arena_strdup(a, path);
    row->plan = plan_of(a, path);
    if (job_read(a, home, &job, err)) {
        fill_row(row, &job);
        never_began(row, path);
    } else {
        fill_row(row, &job);
        cannot_be_read(a, row, err);
    }
    return (row->directory && row->plan && row->text) || arena_err(a, err);
}

/* All texts of a row into another arena. */
static bool copy_row(struct arena *a, const struct job_row *from, struct job_row *to)
{
    *to = *from;
    to->verb = arena_strdup(a, from->verb);
    to->server = arena_strdup(a, from->server);
    to->plan = arena_strdup(a, from->plan);
    to->text = arena_strdup(a, from->text);
    to->hint = arena_strdup(a, from->hint);
    to->directory = arena_strdup(a, from->directory);
    return to->verb && to->server && to->plan && to->text && to->hint && to->directory;
}

static bool same_row(const struct job_row *x, const struct job_row *y)
{
    return x->number == y->number && x->state == y->state && x->pid == y->pid &&
           x->began_us == y->began_us && x->ended_us == y->ended_us &&
           strcmp(x->verb, y->verb) == 0 && strcmp(x->server, y->server) == 0 &&
           strcmp(x->plan, y->plan) == 0 && strcmp(x->text, y->text) == 0 &&
           strcmp(x->hint, y->hint) == 0;
}

static bool same_table(const struct job_table *x, const struct job_table *y)
{
    if (!x || !y || x->n != y->n) {
        return false;
    }
    for (size_t i = 0; i < x->n; i++) {
        if (!same_row(&x->job[i], &y->job[i])) {
            return false;
        }
    }
    return true;
}

static const struct job_row *row_of(const struct job_table *t, uint32_t number)
{
    for (size_t i = 0; t && i < t->n; i++) {
        if (t->job[i].number == number) {
            return &t->job[i];
        }
    }
    return NULL;
}

/* ---- tables ---- */

static struct job_table *table_new(size_t rows, struct job_row **row)
{
    struct job_table *t = calloc(1, sizeof *t);

    if (!t) {
        return NULL;
    }
    arena_init(&t->arena, TABLE_MAX);
    *row = ARENA_ARRAY(&t->arena, rows + 1, struct job_row);
    t->job = *row;
    t->n = *row ? rows : 0;
    if (!*row) {
        job_table_free(t);
        return NULL;
    }
    return t;
}

static struct job_table *copy_of(const struct job_table *t)
{
    struct job_row *row = NULL;
    struct job_table *copy = table_new(t->n, &row);

    for (size_t i = 0; copy && i < t->n; i++) {
        if (!copy_row(&copy->arena, &t->job[i], &row[i])) {
            job_table_free(copy);
            return NULL;
        }
    }
    return copy;
}

/* One row: what has ended as it was, everything else from its journal. */
static bool next_row(struct desk *desk, struct arena *a, uint32_t number, struct job_row *row,
                     struct err *err)
{
    const struct job_row *before = row_of(desk->jobs.table, number);
    struct arena scratch;
    struct job_row read;
    bool ok;

    if (before && is_final(before)) {
        return copy_row(a, before, row) || arena_err(a, err);
    }
    arena_init(&scratch, TABLE_MAX);
    ok = read_row(&scratch, home_of(desk), number, &read, err) &&
         (copy_row(a, &read, row) || arena_err(a, err));
    arena_release(&scratch);
    return ok;
}

static struct job_table *read_table(struct desk *desk, const uint32_t *number, size_t n,
                                    struct err *err)
{
    size_t rows = n > DESK_JOBS ? DESK_JOBS : n;
    struct job_row *row = NULL;
    struct job_table *t = table_new(rows, &row);

    if (!t) {
        err_set(err, ERR_MEMORY, "", "", "out of memory");
        return NULL;
    }
    for (size_t i = 0; i < rows; i++) {
        char path[PATH_CAP];
        uint32_t no = number[n - 1 - i];

        if (!job_path(home_of(desk), no, path, err)) {
            job_table_free(t);
            return NULL;
        }
        desk->jobs.journal[i] = journal_time(path); /* before it is read */
        if (!next_row(desk, &t->arena, no, &row[i], err)) {
            job_table_free(t);
            return NULL;
        }
    }
    return t;
}

static void publish(struct desk *desk, struct job_table *t)
{
    struct news news = {.kind = NEWS_JOBS};

    if (same_table(desk->jobs.table, t)) {
        job_table_free(t);
        return;
    }
    news.jobs = copy_of(t);
    if (!news.jobs) {
        job_table_free(t);
        return;
    }
    job_table_free(desk->jobs.table);
    desk->jobs.table = t;
    road_put(desk->road, desk->thread.worker, &news);
}

static bool is_young(struct timespec at)
{
    return clock_wall_ns() - (at.tv_sec * NS_PER_S + at.tv_nsec) < YOUNG_NS;
}

void jobs_refresh(struct desk *desk)
{
    char root[PATH_CAP];
    struct job_table *t = NULL;
    struct arena a;
    struct err err;
    uint32_t *number;
    size_t n;

    arena_init(&a, TABLE_MAX);
    if (job_root(home_of(desk), root, &err)) {
        desk->jobs.root = changed_at(root);
        desk->jobs.root_is_young = is_young(desk->jobs.root);
        if (job_numbers(&a, home_of(desk), &number, &n, &err)) {
            t = read_table(desk, number, n, &err);
        }
    }
    if (t) {
        publish(desk, t);
    } else {
        char text[512];
        log_line(LOG_WARNING, "the list of jobs stays as it was: %s",
                 err_text(&err, text, sizeof text));
    }
    arena_release(&a);
}

/* ---- what has changed ---- */

static bool same_time(struct timespec x, struct timespec y)
{
    return x.tv_sec == y.tv_sec && x.tv_nsec == y.tv_nsec;
}

static bool row_changed(const struct desk *desk, size_t i)
{
    const struct job_row *row = &desk->jobs.table->job[i];

    if (is_final(row)) {
        return false;
    }
    return !same_time(journal_time(row->directory), desk->jobs.journal[i]) ||
           (row->state == ROW_RUNNING && !job_locked(row->directory)) ||
           (row->state == ROW_NEW &&
            clock_wall_ns() / 1000 - changed_at(row->directory).tv_sec * US_PER_S > BEGIN_US);
}

static bool something_changed(const struct desk *desk)
{
    const struct desk_jobs *j = &desk->jobs;
    char root[PATH_CAP];
    struct err unheard;

    if (!j->table || j->root_is_young) {
        return true;
    }
    if (job_root(home_of(desk), root, &unheard) && !same_time(changed_at(root), j->root)) {
        return true;
    }
    for (size_t i = 0; i < j->table->n; i++) {
        if (row_changed(desk, i)) {
            return true;
        }
    }
    return false;
}

static bool is_busy(const struct desk_jobs *j)
{
    for (size_t i = 0; j->table && i < j->table->n; i++) {
        if (j->table->job[i].state == ROW_NEW || j->table->job[i].state == ROW_RUNNING) {
            return true;
        }
    }
    return false;
}

/* ---- progress ---- */

static void detach(struct attached *at)
{
    close(at->fd);
    at->fd = -1;
    at->job = 0;
}

static struct attached *attached_to(struct desk_jobs *j, uint32_t job)
{
    for (size_t i = 0; i < DESK_ATTACHED; i++) {
        if (j->attached[i].job == job) {
            return &j->attached[i];
        }
    }
    return NULL;
}

/* Its facts are the follower's: ask for those behind the last there can be. */
static void attach(struct desk *desk, uint32_t job)
{
    static const char request[] = "facts 18446744073709551615";
    struct attached *at = attached_to(&desk->jobs, 0);
    struct err unheard;

    if (!at || (!at->has_place && !road_join(desk->road, &at->worker, &unheard))) {
        return;
    }
    at->has_place = true;
    if (!job_connect(home_of(desk), job, &at->fd, &unheard)) {
        at->fd = -1;
        return;
    }
    at->job = job;
    if (send(at->fd, request, sizeof request - 1, MSG_NOSIGNAL) < 0) {
        detach(at);
    }
}

static void attach_all(struct desk *desk)
{
    const struct job_table *t = desk->jobs.table;

    if (clock_mono_ns() < desk->jobs.attach_ns) {
        return;
    }
    for (size_t i = 0; t && i < t->n; i++) {
        if (t->job[i].state == ROW_RUNNING && !attached_to(&desk->jobs, t->job[i].number)) {
            attach(desk, t->job[i].number);
        }
    }
}

static void copy_view(char *out, size_t cap, struct str s)
{
    str_fmt(out, cap, "%.*s", s.n < cap ? (int)s.n : (int)cap - 1, s.p);
}

/* "progress TAB done=.. TAB total=.. ..."; anything else is not for us. */
static void take_packet(struct desk *desk, const struct attached *at, struct str packet)
{
    struct progress p = {0};

    if (!str_take_lit(&packet, "progress\t") ||
        !str_u64(fact_get(packet, "done"), UINT64_MAX, &p.done) ||
        !str_u64(fact_get(packet, "total"), UINT64_MAX, &p.total) ||
        !str_u64(fact_get(packet, "per_sec"), UINT64_MAX, &p.per_sec)) {
        return;
    }
    copy_view(p.phase, sizeof p.phase, fact_get(packet, "phase"));
    copy_view(p.what, sizeof p.what, fact_get(packet, "what"));
    road_put_progress(desk->road, at->worker, at->job, &p);
}

/* false: the job has closed it, or was never there. */
static bool take_packets(struct desk *desk, struct attached *at)
{
    char mem[PACKET_CAP];
    ssize_t n;

    while ((n = recv(at->fd, mem, sizeof mem, MSG_DONTWAIT)) > 0) {
        take_packet(desk, at, str_n(mem, (size_t)n));
    }
    return n < 0 && (errno == EAGAIN || errno == EINTR);
}

void jobs_poll(const struct desk *desk, struct pollfd fd[DESK_ATTACHED])
{
    for (size_t i = 0; i < DESK_ATTACHED; i++) {
        const struct attached *at = &desk->jobs.attached[i];
        fd[i] = (struct pollfd){.fd = at->job ? at->fd : -1, .events = POLLIN};
    }
}

void jobs_events(struct desk *desk, const struct pollfd fd[DESK_ATTACHED])
{
    struct desk_jobs *j = &desk->jobs;

    for (size_t i = 0; i < DESK_ATTACHED; i++) {
        struct attached *at = &j->attached[i];
        if (at->job && fd[i].fd == at->fd && fd[i].revents && !take_packets(desk, at)) {
            /* It has ended, or serves as many as it can: look, but do not try at once. */
            detach(at);
            j->next_ns = clock_mono_ns();
            j->attach_ns = j->next_ns + IDLE_NS;
        }
    }
}

/* ---- for the desk ---- */

void jobs_init(struct desk *desk)
{
    for (size_t i = 0; i < DESK_ATTACHED; i++) {
        desk->jobs.attached[i].fd = -1;
    }
}

void jobs_release(struct desk *desk)
{
    struct desk_jobs *j = &desk->jobs;

    for (size_t i = 0; i < DESK_ATTACHED; i++) {
        if (j->attached[i].job) {
            detach(&j->attached[i]);
        }
        if (j->attached[i].has_place) {
            road_leave(desk->road, j->attached[i].worker);
        }
    }
    start_release(desk);
    job_table_free(j->table);
}

int64_t jobs_due(const struct desk *desk)
{
    return desk->jobs.next_ns;
}

void jobs_turn(struct desk *desk)
{
    struct desk_jobs *j = &desk->jobs;

    if (clock_mono_ns() < j->next_ns) {
        return;
    }
    if (something_changed(desk)) {
        jobs_refresh(desk);
    }
    attach_all(desk);
    j->next_ns = clock_mono_ns() + (is_busy(j) || j->root_is_young ? BUSY_NS : IDLE_NS);
}
