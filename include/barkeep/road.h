/* SPDX-License-Identifier: PostgreSQL */
/* road.h - the only road between the workers and whoever is watching them.
 *
 *     watcher (screen or batch)  -- struct order -->   workers     look, ask, start, cancel
 *     watcher (screen or batch)  <-- struct news ---   workers     facts and progress
 *
 * Promises   A fact (job began, ended, a line said, a snapshot, an answer) is never lost and
 *            never overtakes an earlier fact of the same worker; when the ring is full the
 *            worker waits. Progress is a single slot per worker that is overwritten: a slow
 *            watcher sees fewer steps, costs the worker nothing, and always gets the last one.
 * Threads    One watcher. Each worker has its own ring, so every ring has one writer and one
 *            reader: no lock, no retry loop. The memory orders are in ring.c, once.
 * Waiting    road_fd() is readable when there may be news; put it in poll() beside the
 *            keyboard. road_take() never blocks, and neither does an order.
 * Ownership  What a struct news points to belongs to its taker: news_release(), or take the
 *            pointer out and set it to NULL. An order is copied; its ask goes along with it.
 * Units      bytes; nanoseconds of CLOCK_MONOTONIC.
 */
#ifndef BARKEEP_ROAD_H
#define BARKEEP_ROAD_H

#include "err.h"
#include "task.h"

#include <stdint.h>

struct road;
struct snapshot;
struct job_table;
struct answer;
struct ask;

enum news_kind {
    NEWS_JOB_BEGAN,
    NEWS_JOB_ENDED,
    NEWS_PROGRESS,
    NEWS_SAID,
    NEWS_SNAPSHOT, /* of one server */
    NEWS_JOBS,     /* the list of jobs has changed */
    NEWS_STARTED,  /* answer to ORDER_START: the job's number, or why not */
    NEWS_ANSWER,   /* to ORDER_ASK */
};

struct news {
    enum news_kind kind;
    uint32_t job;    /* its number; 0: none */
    unsigned worker; /* whose ring it came through */
    int64_t when_ns;
    union {
        struct progress progress; /* NEWS_PROGRESS */
        struct err *err; /* NEWS_JOB_ENDED; NULL: well. The taker frees it: news_release */
        struct {         /* NEWS_SAID */
            enum say kind;
            char *whole;    /* the line when it is longer than line[], else NULL; owned */
            int64_t at_us;  /* wall clock, when the line is from a journal; else 0 */
            char line[432]; /* then its beginning */
        } said;
        struct snapshot *snapshot; /* NEWS_SNAPSHOT */
        struct job_table *jobs;    /* NEWS_JOBS */
        struct answer *answer;     /* NEWS_ANSWER */
        struct {                   /* NEWS_STARTED */
            uint32_t ticket;
            struct err *err; /* NULL: well, and job is its number */
        } started;
    };
};
_Static_assert(sizeof(struct news) <= 512, "news is copied for every step: keep it small");

int road_fd(const struct road *road);
bool road_take(struct road *road, struct news *out); /* false: nothing to take */
const char *news_line(const struct news *news);      /* of NEWS_SAID, all of it */
void news_release(struct news *news);

/* ---- the way down ------------------------------------------------------------------------- */

enum order_kind {
    ORDER_SELECT,  /* server: is being looked at, keep it freshest; coverage too */
    ORDER_REFRESH, /* server: look now, whatever the backoff says */
    ORDER_PAUSE,   /* look at nothing until */
    ORDER_RESUME,
    ORDER_START,    /* words, ticket: start this command as a job -> NEWS_STARTED */
    ORDER_CANCEL,   /* job */
    ORDER_FOLLOW,   /* job: its lines from the first on and its progress; 0: nobody's lines */
    ORDER_ASK,      /* ask -> NEWS_ANSWER */
    ORDER_ASK_STOP, /* ticket: its answer is no longer wanted */
};

#define ORDER_WORDS_CAP 8192

struct order {
    enum order_kind kind;
    uint32_t server; /* index in the configuration */
    uint32_t job;
    uint32_t ticket;
    struct ask *ask;   /* ORDER_ASK: from ask_new(); goes to whoever carries it out */
    const char *words; /* ORDER_START: "restore\0--target-time\0...\0\0", copied */
};

struct ask *ask_new(const struct ask *ask); /* a copy on the heap; NULL: no memory */
void ask_free(struct ask *ask);

/* What a screen holds of the road: the workers' desk, or a script in tests. */
struct road_end {
    void *self;
    int fd; /* readable when there may be news */
    bool (*take)(void *self, struct news *out);
    /* false: too many wait; nothing was taken over, the ask is still the caller's */
    bool (*order)(void *self, const struct order *order);
};

#endif
