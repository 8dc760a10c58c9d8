/* SPDX-License-Identifier: PostgreSQL */
/* road.h - the only road between the workers and whoever is watching them.
 *
 *     watcher (screen or batch)  -- struct order -->   workers     start, cancel, stop
 *     watcher (screen or batch)  <-- struct news ---   workers     facts and progress
 *
 * Promises   A fact (job began, ended, a line said) is never lost and never overtakes an
 *            earlier fact of the same worker; when the ring is full the worker waits. Progress
 *            is a single slot per worker that is overwritten: a slow watcher sees fewer steps,
 *            costs the worker nothing, and always gets the last one.
 * Threads    One watcher. Each worker has its own ring, so every ring has one writer and one
 *            reader: no lock, no retry loop. The memory orders are in ring.c, once.
 * Waiting    road_fd() is readable when there may be news; put it in poll() beside the
 *            keyboard. road_take() never blocks.
 * Units      bytes; nanoseconds of CLOCK_MONOTONIC.
 */
#ifndef BARKEEP_ROAD_H
#define BARKEEP_ROAD_H

#include "err.h"
#include "task.h"

#include <stdint.h>

struct road;

enum news_kind { NEWS_JOB_BEGAN, NEWS_JOB_ENDED, NEWS_PROGRESS, NEWS_SAID };

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
            char line[440]; /* then its beginning */
        } said;
    };
};
_Static_assert(sizeof(struct news) <= 512, "news is copied for every step: keep it small");

int road_fd(const struct road *road);
bool road_take(struct road *road, struct news *out); /* false: nothing to take */
const char *news_line(const struct news *news);      /* of NEWS_SAID, all of it */
void news_release(struct news *news);

#endif
