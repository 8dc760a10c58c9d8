/* SPDX-License-Identifier: PostgreSQL */
/* said.h - a serial task that remembers what was said: out, warnings, errors, and what is only for
 * the log, each as one text. */
#ifndef TESTS_ENGINE_SAID_H
#define TESTS_ENGINE_SAID_H

#include "barkeep/task.h"

#include <stdio.h>
#include <string.h>

struct said {
    char out[32768], warn[4096], error[8192], log[16384];
    struct task_sink sink;
    struct task t;
};

static inline void said_line(void *ctx, enum say kind, const char *line)
{
    struct said *s = ctx;
    const struct {
        char *to;
        size_t cap;
    } where[] = {
        [SAY_OUT] = {s->out, sizeof s->out},       [SAY_WARN] = {s->warn, sizeof s->warn},
        [SAY_ERROR] = {s->error, sizeof s->error}, [SAY_LOG] = {s->log, sizeof s->log},
        [SAY_DEBUG] = {s->log, sizeof s->log},
    };
    char *to = where[kind].to;
    size_t cap = where[kind].cap;
    size_t n = strlen(to);

    snprintf(to + n, cap - n, "%s\n", line);
}

static inline struct task *said_init(struct said *s)
{
    memset(s, 0, sizeof *s);
    s->t = task_serial(said_line, s, &s->sink);
    return &s->t;
}

#endif
