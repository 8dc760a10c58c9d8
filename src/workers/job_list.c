/* SPDX-License-Identifier: PostgreSQL */
#include "job.h"
#include "job_dir.h"

#include <unistd.h>

/* What is reserved behind the last line and the line itself fit in here. */
#define TAIL_CAP (2 * JOURNAL_STEP)

/* Read `cap` bytes at `at`, up to the first NUL: behind it nothing was written. */
static struct str piece(int fd, off_t at, char *mem, size_t cap)
{
    struct err unheard;
    struct str s;
    size_t got = 0, end;

    if (lseek(fd, at, SEEK_SET) < 0 || !fd_read_full(fd, mem, cap, &got, "journal", &unheard)) {
        return str_of("");
    }
    s = str_n(mem, got);
    return str_find(s, '\0', &end) ? str_n(mem, end) : s;
}

/* The last line that has its LF, and the last of them that was said. */
static struct str last_line(struct str text, struct str *said)
{
    struct str line = str_of(""), found = line;

    *said = line;
    while (str_line(&text, &line) && text.p) {
        found = line;
        if (str_eq(fact_kind(line), "said")) {
            *said = fact_get(line, "line");
        }
    }
    return found;
}

static const char *dup_view(struct arena *a, struct str s)
{
    return arena_strndup(a, s.n ? s.p : "", s.n);
}

static enum job_state state_of(struct str began, struct str last, bool locked)
{
    if (str_eq(fact_kind(last), "ended")) {
        return str_eq(fact_get(last, "result"), "ok") ? JOB_DONE : JOB_FAILED;
    }
    if (locked) {
        return JOB_RUNNING;
    }
    return str_eq(fact_kind(began), "began") ? JOB_DIED : JOB_NEW;
}

/* Fills what the journal tells. The lock was looked at before: a job that ends in between has
 * its last line by the time it is read here. */
static bool read_journal(struct arena *a, int fd, char *tail, bool locked, struct job_info *job)
{
    char head[JOURNAL_LINE_CAP];
    struct str text = piece(fd, 0, head, sizeof head), began, last, said;
    off_t size = lseek(fd, 0, SEEK_END);
    uint64_t pid = 0;

    began = str_line(&text, &began) && text.p ? began : str_of("");
    last = last_line(piece(fd, size > TAIL_CAP ? size - TAIL_CAP : 0, tail, TAIL_CAP), &said);
    (void)str_u64(fact_get(began, "pid"), INT64_MAX, &pid);
    job->pid = (int64_t)pid;
    job->state = state_of(began, last, locked);
    job->verb = dup_view(a, fact_get(began, "verb"));
    job->server = dup_view(a, fact_get(began, "server"));
    job->text = dup_view(a, fact_get(last, "text"));
    job->hint = dup_view(a, fact_get(last, "hint"));
    job->code = dup_view(a, fact_get(last, "code"));
    job->said = dup_view(a, said);
    job->last = dup_view(a, last);
    job->began_us = fact_us(began);
    job->last_us = fact_us(last);
    return job->verb && job->server && job->text && job->hint && job->code && job->said &&
           job->last;
}

static bool read_once(struct arena *a, const char *path, char *tail, struct job_info *job,
                      struct err *err)
{
    char file[PATH_CAP];
    bool locked = job_locked(path), ok;
    int fd;

    if (!path_join(file, path, "journal", err)) {
        return false;
    }
    if (!file_open(file, &fd, err)) {
        return err->code == ERR_MISSING;
    }
    ok = read_journal(a, fd, tail, locked, job);
    close(fd);
    return ok ? true : arena_err(a, err);
}

/* One that seems to have died is looked at again: it may have begun after its lock was looked
 * at. Now that its beginning was seen, a free lock means that it is gone. */
static bool read_job(struct arena *a, const char *home, char *tail, struct job_info *job,
                     struct err *err)
{
    char path[PATH_CAP];

    if (!job_path(home, job->number, path, err)) {
        return false;
    }
    *job = (struct job_info){.number = job->number, .verb = "", .server = "", .text = ""};
    job->hint = job->code = job->said = job->last = "";
    return read_once(a, path, tail, job, err) &&
           (job->state != JOB_DIED || read_once(a, path, tail, job, err));
}

bool job_read(struct arena *a, const char *home, struct job_info *job, struct err *err)
{
    char *tail = arena_alloc(a, TAIL_CAP);

    return tail ? read_job(a, home, tail, job, err) : arena_err(a, err);
}

bool job_list(struct arena *a, const char *home, struct job_list *out, struct err *err)
{
    uint32_t *number;
    struct job_list list = {0};
    char *tail = arena_alloc(a, TAIL_CAP);

    if (!job_numbers(a, home, &number, &list.n, err)) {
        return false;
    }
    list.job = ARENA_ARRAY(a, list.n + 1, struct job_info);
    if (!list.job || !tail) {
        return arena_err(a, err);
    }
    for (size_t i = 0; i < list.n; i++) {
        list.job[i].number = number[i];
        if (!read_job(a, home, tail, &list.job[i], err)) {
            return false;
        }
    }
    *out = list;
    return true;
}
