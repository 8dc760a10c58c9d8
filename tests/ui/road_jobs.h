/* SPDX-License-Identifier: PostgreSQL */
/* road_jobs.h - jobs in a scripted road: they get a number, run, say something, end. */
#ifndef TESTS_UI_ROAD_JOBS_H
#define TESTS_UI_ROAD_JOBS_H

#include "road_script.h"

static inline void script_jobs(struct script *s)
{
    struct job_table *t = calloc(1, sizeof *t);
    struct job_row *j;

    assert_non_null(t);
    arena_init(&t->arena, 0);
    j = ARENA_ARRAY(&t->arena, s->rows + 1, struct job_row);
    for (size_t i = 0; i < s->rows; i++) {
        j[i] = s->row[s->rows - 1 - i];
    }
    t->job = j;
    t->n = s->rows;
    story_news(&s->ui, (struct news){.kind = NEWS_JOBS, .jobs = t});
    script_take(s);
}

/* The last ORDER_START: its words, or "" */
static inline const char *script_started(const struct script *s)
{
    for (size_t i = s->n; i-- > 0;) {
        if (s->order[i].kind == ORDER_START) {
            return s->words[i];
        }
    }
    return "";
}

/* It gets a number and runs. */
static inline uint32_t script_start(struct script *s, const char *verb)
{
    uint32_t job = ++s->next_job;

    s->row[s->rows++] = (struct job_row){.number = job,
                                         .state = ROW_RUNNING,
                                         .verb = verb,
                                         .server = "orders-db1",
                                         .plan = "",
                                         .text = "",
                                         .hint = "",
                                         .directory = "/srv/barman/.barkeep/jobs/42",
                                         .pid = 4121,
                                         .began_us = s->ui.model.now_us};
    story_news(&s->ui, (struct news){.kind = NEWS_STARTED,
                                     .job = job,
                                     .started = {.ticket = s->ui.start_ticket}});
    script_take(s);
    script_jobs(s);
    return job;
}

static inline void script_end(struct script *s, uint32_t job, enum row_state state,
                              const char *text, const char *hint)
{
    for (size_t i = 0; i < s->rows; i++) {
        if (s->row[i].number == job) {
            s->row[i].state = state;
            s->row[i].text = text;
            s->row[i].hint = hint;
            s->row[i].ended_us = s->ui.model.now_us;
        }
    }
    story_news(&s->ui, (struct news){.kind = NEWS_JOB_ENDED, .job = job});
    script_jobs(s);
}

static inline void script_progress(struct script *s, uint32_t job, struct progress p)
{
    story_news(&s->ui, (struct news){.kind = NEWS_PROGRESS,
                                     .job = job,
                                     .when_ns = s->ui.model.now_ns,
                                     .progress = p});
}

static inline void script_say(struct script *s, uint32_t job, enum say kind, const char *line)
{
    struct news news = {.kind = NEWS_SAID, .job = job};

    news.said.kind = kind;
    news.said.at_us = s->ui.model.now_us;
    snprintf(news.said.line, sizeof news.said.line, "%s", line);
    story_news(&s->ui, news);
}

#endif
