/* SPDX-License-Identifier: PostgreSQL */
/* task.h - everything a verb of the engine is told about the world that runs it.
 *
 * core starts no thread, takes no lock and knows nobody who watches. A verb gets a struct task
 * and asks it: go on? how far? who can do this beside me? Workers fill it with threads and
 * rings; tests and small commands use task_serial(), where every lane and piece of work runs
 * inline, in order, in the calling thread.
 *
 *   task_say       a line for the person (Barman's console lines), a warning, a log line
 *   task_progress  how far: overwritten, cheap, call it as often as you like
 *   lane           a bounded conveyor to ONE consumer that runs beside the producer: receive ->
 *                  checksum -> write. Order kept, back-pressure when full.
 *   pool           pieces of equal kind that may run side by side: copy, verify, scan.
 *
 * Errors   A consumer or a piece that fails stops the lane or pool; the failure reaches the
 *          producer from the next lane_put()/lane_close() or from pool_run(), once.
 * Threads  next(), done() of a pool never run at the same time as each other; work() does.
 *          consume() of one lane never runs at the same time as itself.
 * Units    monotonic nanoseconds; bytes.
 */
#ifndef BARKEEP_TASK_H
#define BARKEEP_TASK_H

#include "err.h"

#include <stdint.h>

struct progress {
    uint64_t done, total; /* bytes, in the phase "replay" microseconds of database time;
                             total 0: not known, show no percentage */
    uint64_t per_sec;     /* filled by the receiver of the progress, over the last 5 s */
    char phase[32];       /* "copy", "waiting for checkpoint" */
    char what[96];        /* "base/16402/24576.41" */
};

enum say {
    SAY_OUT,   /* the result or a line of Barman's console output: stdout */
    SAY_WARN,  /* "WARNING: " on stderr, and the log */
    SAY_ERROR, /* "ERROR: " on stderr, and the log; the command will end with status 1 */
    SAY_LOG,   /* only the log */
    SAY_DEBUG, /* only the log, at level debug */
};

struct lane;

struct lane_spec {
    const char *name; /* of the thread, at most 15 bytes */
    size_t item_size; /* bytes copied in by lane_put() */
    size_t slots;     /* how many items may wait: a power of two */
    void *ctx;
    /* more: another item is already waiting (so: put off the fdatasync until it is not). */
    bool (*consume)(void *ctx, void *item, bool more, struct err *err);
    void (*drop)(void *ctx, void *item); /* an item that will never be consumed; may be NULL */
};

struct pool_spec {
    size_t piece_size; /* bytes, filled by next() */
    unsigned jobs;     /* how many at once; 1 or more */
    void *ctx;
    /* Fill *piece; 1: there is one, 0: no more, -1: failed. */
    int (*next)(void *ctx, void *piece, struct err *err);
    bool (*work)(void *ctx, void *piece, struct err *err);
    void (*done)(void *ctx, const void *piece); /* after a successful work(); may be NULL */
};

struct task_ops {
    bool (*cancelled)(void *self);
    void (*progress)(void *self, const struct progress *p);
    void (*say)(void *self, enum say kind, const char *line);
    struct lane *(*lane_open)(void *self, const struct lane_spec *spec, struct err *err);
    bool (*lane_put)(struct lane *lane, const void *item, struct err *err);
    bool (*lane_close)(struct lane *lane, struct err *err);
    void (*lane_fail)(struct lane *lane);
    void (*lane_set_mark)(struct lane *lane, uint64_t mark);
    uint64_t (*lane_mark)(struct lane *lane);
    int (*lane_mark_fd)(struct lane *lane);
    bool (*pool_run)(void *self, const struct pool_spec *spec, struct err *err);
};

struct task {
    const struct task_ops *ops;
    void *self;
    int64_t deadline_ns; /* CLOCK_MONOTONIC; 0: none */
    int cancel_fd;       /* becomes readable (and stays so) on cancel; -1: none. For poll() */
};

/* Where task_serial() keeps the sink; owned by the caller, alive as long as the task. */
struct task_sink {
    void (*fn)(void *ctx, enum say kind, const char *line);
    void *ctx;
};

/* A task without threads: lanes and pools run inline; `say` hands every line to the sink (may be
 * NULL). It can never be cancelled. */
struct task task_serial(void (*sink)(void *ctx, enum say kind, const char *line), void *ctx,
                        struct task_sink *store);

/* false and ERR_CANCEL or ERR_TIMEOUT when the job should stop now. */
MUST_CHECK bool task_go_on(const struct task *t, struct err *err);
/* Wait so long, unless it has to stop meanwhile: false as above. */
MUST_CHECK bool task_rest(const struct task *t, int64_t ms, struct err *err);

void task_say(const struct task *t, enum say kind, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
void task_progress(const struct task *t, const struct progress *p);

/* A lane: the producer opens, puts, and ends with exactly one of close and fail.
 * put:   an item whose put failed was not taken and stays the caller's.
 * close: no more items; waits until all are consumed; false and the consumer's failure.
 * fail:  the producer gives up; what waits is dropped; waits for the consumer to stop. */
MUST_CHECK struct lane *lane_open(const struct task *t, const struct lane_spec *spec,
                                  struct err *err);
MUST_CHECK bool lane_put(const struct task *t, struct lane *lane, const void *item,
                         struct err *err);
MUST_CHECK bool lane_close(const struct task *t, struct lane *lane, struct err *err);
void lane_fail(const struct task *t, struct lane *lane);

/* A number the consumer publishes (a durable LSN) and the producer reads; 0 at first. The
 * descriptor becomes readable when it was set or the consumer failed: read 8 bytes from it to
 * quiet it. -1 in a serial task, where a put has consumed before it returns. */
void lane_set_mark(const struct task *t, struct lane *lane, uint64_t mark);
uint64_t lane_mark(const struct task *t, struct lane *lane);
int lane_mark_fd(const struct task *t, struct lane *lane);

/* A number that the pieces of a pool add to side by side: its new value. Read it only after the
 * pool has ended. */
uint64_t task_count(uint64_t *n, uint64_t by);

/* Runs next, work and done until there is no more; the first failure stops it. Cancel is looked
 * at between pieces. */
MUST_CHECK bool pool_run(const struct task *t, const struct pool_spec *spec, struct err *err);

#endif
