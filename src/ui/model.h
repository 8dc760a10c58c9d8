/* SPDX-License-Identifier: PostgreSQL */
/* model.h - what the console knows: all that came up the road, and the time.
 *
 * Only model_take() changes it (and model_now()); views read it. What was replaced is freed.
 */
#ifndef UI_MODEL_H
#define UI_MODEL_H

#include "barkeep/ask.h"
#include "barkeep/jobs.h"
#include "barkeep/road.h"
#include "barkeep/snapshot.h"

#define MODEL_LINES 5000 /* of the followed job's log that are kept */
#define MODEL_RATES 40   /* of its speed */

struct log_line {
    int64_t us;
    enum say kind;
    char *text;
};

struct running { /* latest progress of a running job */
    uint32_t job;
    int64_t at_ns;
    struct progress progress;
};
#define MODEL_RUNNING 32

struct model {
    struct snapshot **server; /* by index in the configuration; an entry may be NULL */
    const char **name;        /* of the servers; the texts are the caller's */
    size_t servers;
    struct job_table *jobs; /* NULL: not told yet */
    struct running running[MODEL_RUNNING];
    size_t runnings;

    uint32_t followed;     /* job; 0: none */
    struct log_line *line; /* a ring: line[(first + i) % MODEL_LINES] */
    size_t first, lines;
    uint64_t lines_lost;        /* older ones */
    uint64_t rate[MODEL_RATES]; /* per second, newest last */
    size_t rates;

    struct answer *answer[ASK_KINDS]; /* latest of each kind that was waited for */
    uint32_t waiting[ASK_KINDS];      /* ticket; 0: none */
    int64_t asked_ns[ASK_KINDS];
    bool is_quiet[ASK_KINDS]; /* its parts are not shown: a whole answer stands till the last */
    uint32_t last_ticket;

    const char *home;        /* barman_home: whose servers and jobs these are; NULL: not told */
    const char *config_path; /* for the command lines that are shown; NULL: the default */
    bool is_paused;
    int64_t paused_us;
    int64_t now_us; /* wall clock of this turn */
    int64_t now_ns; /* monotonic */
};

bool model_init(struct model *m, const char *const *name, size_t servers); /* false: memory */
void model_release(struct model *m);
void model_now(struct model *m, int64_t wall_us, int64_t mono_ns);

/* true: something to be seen has changed. Takes what the news owns. NEWS_STARTED is left to
 * the caller. */
bool model_take(struct model *m, struct news *news);

/* Forget the log of the followed job, follow another. */
void model_follow(struct model *m, uint32_t job);
const struct log_line *model_line(const struct model *m, size_t i);

const struct job_row *model_job(const struct model *m, uint32_t number); /* NULL: none */
const struct running *model_running(const struct model *m, uint32_t number);
/* A new ticket that is waited for; the old answer of that kind goes. */
uint32_t model_ask(struct model *m, enum ask_kind kind);
/* The same, but the old answer is shown until the new one comes. */
uint32_t model_ask_again(struct model *m, enum ask_kind kind);

#endif
