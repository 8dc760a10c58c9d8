/* SPDX-License-Identifier: PostgreSQL */
/* wal_runs.h - which segments there are and when they came, in little memory however many.
 *
 * Segments behind each other are one run; the times of the files become two histograms (how
 * many in each five minutes of the last day, how many in each step since the first one). So a
 * server with 100,000 segments needs a few kilobytes, and a new segment costs a look at the
 * last run.
 *
 * Order     Any; in the order of their places it is fast. A segment that is there already is
 *           passed over.
 * Times     Microseconds since 1970. A file whose time is still to come counts as come now; one
 *           older than 2000 is in the runs but not in the histograms: a clock that was wrong.
 * Memory    wal_runs_init() / wal_runs_release(); may be copied with wal_runs_copy() only.
 * Errors    ERR_MEMORY.
 * Pure      No clock, no file.
 */
#ifndef PLAN_WAL_RUNS_H
#define PLAN_WAL_RUNS_H

#include "barkeep/arena.h"
#include "barkeep/coverage.h"
#include "wal/seg.h"

#define WAL_RATE_DAY      288 /* five minutes each */
#define WAL_RATE_WHOLE    512
#define WAL_RATE_DAY_STEP (INT64_C(300) * 1000000)

struct coverage_file {
    struct wal_seg seg;
    int64_t us;     /* of the file */
    uint64_t bytes; /* stored */
};

struct wal_runs {
    struct arena arena;  /* of the runs */
    struct wal_run *run; /* sorted by place */
    size_t n, cap;
    uint32_t seg_size;
    uint64_t files, bytes;

    /* The rest is private. */
    int64_t step_us, base; /* bin i counts the files of step base + i since 1970 */
    size_t used;           /* bins */
    uint32_t bin[WAL_RATE_WHOLE];
    int64_t day_last;           /* newest step of five minutes, since 1970 */
    uint32_t day[WAL_RATE_DAY]; /* at step % WAL_RATE_DAY */
};

void wal_runs_init(struct wal_runs *w, uint32_t seg_size);
void wal_runs_release(struct wal_runs *w);
MUST_CHECK bool wal_runs_copy(struct wal_runs *to, const struct wal_runs *from,
                              struct err *err);

MUST_CHECK bool wal_runs_add(struct wal_runs *w, const struct coverage_file *file,
                             int64_t now_us, struct err *err);

/* NULL: the segment is not there. */
const struct wal_run *wal_runs_find(const struct wal_runs *w, struct wal_seg seg);
/* Index of the first run that ends at or behind that place. */
size_t wal_runs_from(const struct wal_runs *w, struct wal_seg seg);

/* When a segment inside a run came: on the line between the two ends. */
int64_t wal_run_time(const struct wal_run *run, uint64_t no);

/* How many bytes of WAL came in each step, up to now; whole->n 0 when nothing is known. The
 * arrays have room for WAL_RATE_DAY and WAL_RATE_WHOLE. */
void wal_runs_rates(const struct wal_runs *w, int64_t now_us, uint64_t *day_bytes,
                    struct wal_rate *day, uint64_t *whole_bytes, struct wal_rate *whole);

#endif
