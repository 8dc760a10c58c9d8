/* SPDX-License-Identifier: PostgreSQL */
#include "model.h"

#include <stdlib.h>
#include <string.h>

static void *zeros_new(size_t n, size_t size)
{
    return calloc(n, size);
}

static char *text_new(const char *text)
{
    size_t n = strlen(text) + 1;
    char *copy = malloc(n);

    return copy ? memcpy(copy, text, n) : NULL;
}

static void text_free(char *text)
{
    free(text);
}

bool model_init(struct model *m, const char *const *name, size_t servers)
{
    *m = (struct model){.servers = servers};
    m->server = zeros_new(servers + 1, sizeof *m->server);
    m->name = zeros_new(servers + 1, sizeof *m->name);
    m->line = zeros_new(MODEL_LINES, sizeof *m->line);
    if (!m->server || !m->name || !m->line) {
        model_release(m);
        return false;
    }
    for (size_t i = 0; i < servers; i++) {
        m->name[i] = name[i];
    }
    return true;
}

static void lines_release(struct model *m)
{
    for (size_t i = 0; i < m->lines; i++) {
        free(m->line[(m->first + i) % MODEL_LINES].text);
    }
    m->first = m->lines = 0;
    m->lines_lost = 0;
    m->rates = 0;
}

void model_release(struct model *m)
{
    for (size_t i = 0; m->server && i < m->servers; i++) {
        snapshot_free(m->server[i]);
    }
    for (size_t i = 0; i < ASK_KINDS; i++) {
        answer_free(m->answer[i]);
    }
    if (m->line) {
        lines_release(m);
    }
    job_table_free(m->jobs);
    free(m->server);
    free(m->name);
    free(m->line);
    *m = (struct model){0};
}

void model_now(struct model *m, int64_t wall_us, int64_t mono_ns)
{
    m->now_us = wall_us;
    m->now_ns = mono_ns;
}

/* ---- jobs ------------------------------------------------------------------------------- */

const struct job_row *model_job(const struct model *m, uint32_t number)
{
    for (size_t i = 0; m->jobs && i < m->jobs->n; i++) {
        if (m->jobs->job[i].number == number) {
            return &m->jobs->job[i];
        }
    }
    return NULL;
}

const struct running *model_running(const struct model *m, uint32_t number)
{
    for (size_t i = 0; i < m->runnings; i++) {
        if (m->running[i].job == number) {
            return &m->running[i];
        }
    }
    return NULL;
}

static void forget_running(struct model *m, uint32_t number)
{
    for (size_t i = 0; i < m->runnings; i++) {
        if (m->running[i].job == number) {
            m->running[i] = m->running[--m->runnings];
            return;
        }
    }
}

static bool take_progress(struct model *m, const struct news *news)
{
    size_t i = 0;

    while (i < m->runnings && m->running[i].job != news->job) {
        i++;
    }
    if (i == MODEL_RUNNING) {
        return false;
    }
    m->runnings += i == m->runnings;
    m->running[i] = (struct running){news->job, news->when_ns, news->progress};
    if (news->job == m->followed) {
        if (m->rates == MODEL_RATES) {
            memmove(m->rate, m->rate + 1, sizeof m->rate - sizeof m->rate[0]);
            m->rates--;
        }
        m->rate[m->rates++] = news->progress.per_sec;
    }
    return true;
}

/* Jobs that run no more have no progress; an end that is known from the table is one. */
static void take_jobs(struct model *m, struct job_table *jobs)
{
    job_table_free(m->jobs);
    m->jobs = jobs;
    for (size_t i = 0; i < jobs->n; i++) {
        if (jobs->job[i].state != ROW_RUNNING && jobs->job[i].state != ROW_NEW) {
            forget_running(m, jobs->job[i].number);
        }
    }
}

/* ---- the log of one job ----------------------------------------------------------------- */

void model_follow(struct model *m, uint32_t job)
{
    lines_release(m);
    m->followed = job;
}

const struct log_line *model_line(const struct model *m, size_t i)
{
    return &m->line[(m->first + i) % MODEL_LINES];
}

static bool take_line(struct model *m, struct news *news)
{
    struct log_line *line;

    if (news->job != m->followed) {
        return false;
    }
    if (m->lines == MODEL_LINES) {
        text_free(m->line[m->first].text);
        m->first = (m->first + 1) % MODEL_LINES;
        m->lines--;
        m->lines_lost++;
    }
    line = &m->line[(m->first + m->lines) % MODEL_LINES];
    *line = (struct log_line){news->said.at_us, news->said.kind, text_new(news_line(news))};
    if (!line->text) {
        m->lines_lost++;
        return true;
    }
    m->lines++;
    return true;
}

/* ---- answers and snapshots -------------------------------------------------------------- */

uint32_t model_ask(struct model *m, enum ask_kind kind)
{
    answer_free(m->answer[kind]);
    m->answer[kind] = NULL;
    m->last_ticket += m->last_ticket == UINT32_MAX ? 2 : 1;
    m->waiting[kind] = m->last_ticket;
    m->asked_ns[kind] = m->now_ns;
    return m->last_ticket;
}

uint32_t model_ask_again(struct model *m, enum ask_kind kind)
{
    struct answer *kept = m->answer[kind];
    uint32_t ticket;

    m->answer[kind] = NULL;
    ticket = model_ask(m, kind);
    m->answer[kind] = kept;
    return ticket;
}

static bool take_answer(struct model *m, struct answer *answer)
{
    enum ask_kind kind = answer->kind;
    const struct answer *old = m->answer[kind];
    bool is_part = m->is_quiet[kind] && !answer->is_last && old && old->is_last;

    if (answer->ticket == 0 || answer->ticket != m->waiting[kind] || is_part) {
        answer_free(answer);
        return false;
    }
    answer_free(m->answer[kind]);
    m->answer[kind] = answer;
    if (answer->is_last) {
        m->waiting[kind] = 0;
    }
    return true;
}

static bool take_snapshot(struct model *m, struct snapshot *s)
{
    if (s->index >= m->servers) {
        snapshot_free(s);
        return false;
    }
    snapshot_free(m->server[s->index]);
    m->server[s->index] = s;
    return true;
}

bool model_take(struct model *m, struct news *news)
{
    bool changed = false;

    switch (news->kind) {
    case NEWS_SNAPSHOT:
        changed = take_snapshot(m, news->snapshot);
        news->snapshot = NULL;
        break;
    case NEWS_JOBS:
        take_jobs(m, news->jobs);
        news->jobs = NULL;
        changed = true;
        break;
    case NEWS_ANSWER:
        changed = take_answer(m, news->answer);
        news->answer = NULL;
        break;
    case NEWS_PROGRESS:
        changed = take_progress(m, news);
        break;
    case NEWS_SAID:
        changed = take_line(m, news);
        break;
    case NEWS_JOB_ENDED:
        forget_running(m, news->job);
        changed = true;
        break;
    case NEWS_JOB_BEGAN:
    case NEWS_STARTED:
        changed = true;
        break;
    }
    return changed;
}
