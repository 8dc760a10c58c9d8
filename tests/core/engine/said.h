/* SPDX-License-Identifier: PostgreSQL */
/* said.h - a serial task that remembers what was said: out, warnings and errors as one text. */
#ifndef TESTS_ENGINE_SAID_H
#define TESTS_ENGINE_SAID_H

#include "barkeep/task.h"

#include <stdio.h>
#include <string.h>

struct said {
    char out[32768], warn[4096], error[8192];
    struct task_sink sink;
    struct task t;
};

static inline void said_line(void *ctx, enum say kind, const char *line)
{
    struct said *s = ctx;
    char *to = kind == SAY_OUT ? s->out : kind == SAY_WARN ? s->warn : s->error;
    size_t cap = kind == SAY_OUT    ? sizeof s->out
                 : kind == SAY_WARN ? sizeof s->warn
                                    : sizeof s->error;
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
