/* SPDX-License-Identifier: PostgreSQL */
/* road_in.h - the workers' end of the road (include/barkeep/road.h is the watcher's).
 *
 *     worker 0   ring of facts + progress slot  \
 *     worker 1   ring of facts + progress slot   >  one eventfd  ->  the watcher
 *     worker n   ring of facts + progress slot  /
 *
 * Place     A thread joins the road to get a worker's place and leaves when it ends; what it
 *           said stays in the ring. The next thread at that place goes on with the same ring:
 *           there is one writer at a time, handed over under the road's lock.
 * Progress  Three copies and one atomic index: the writer fills its spare copy and swaps it
 *           with the one in the middle, the reader swaps the middle one with its own.
 * Full      A worker waits for room. So the watcher goes on taking until every job has ended,
 *           and only then waits for threads.
 * Waking    The watcher says what it wants to be woken for before it sleeps; a worker writes
 *           the eventfd only then.
 */
#ifndef WORKERS_ROAD_IN_H
#define WORKERS_ROAD_IN_H

#include "barkeep/road.h"

#include <stdint.h>

#define ROAD_WORKERS_MAX 128

struct road *road_new(struct err *err);
void road_free(struct road *road); /* after the last worker left; frees the news not taken */

/* A place of one's own; false and ERR_MEMORY or ERR_BUSY when there is none. */
MUST_CHECK bool road_join(struct road *road, unsigned *worker, struct err *err);
void road_leave(struct road *road, unsigned worker);

/* Waits for room; when_ns and worker are filled in. What the news owns goes along. */
void road_put(struct road *road, unsigned worker, struct news *news);
void road_put_said(struct road *road, unsigned worker, uint32_t job, enum say kind,
                   const char *line);
void road_put_progress(struct road *road, unsigned worker, uint32_t job,
                       const struct progress *p);

/* For a watcher that paces itself: like road_take(), but leaves progress where it is and asks
 * to be woken by facts only. */
bool road_take_fact(struct road *road, struct news *out);

/* Put a line into a NEWS_SAID. Out of memory, a long one is cut with "...". */
void news_set_line(struct news *news, const char *line);

#endif
