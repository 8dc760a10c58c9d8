/* SPDX-License-Identifier: PostgreSQL */
/* arrival.h - what the walk of a segment that has just arrived says, told and remembered.
 *
 * Each segment is proven by itself (wal/proof.h, done by the store). Here it is joined with its
 * neighbours, whichever of them have arrived already; their edges are kept in .barkeep/wal-edges,
 * the last ARRIVAL_EDGES that arrived. Losing them costs that one join: "not proven", not wrong.
 *
 * Damage     The segment is kept all the same. It is told at once with SAY_WARN and noted in
 *            .barkeep/wal-corrupt (repo/wal_marks.h), durably before its source is removed.
 * Locks      arrival_open() and arrival_save() under LOCK_ARCHIVE_WAL; arrival_take() needs none.
 */
#ifndef ENGINE_ARRIVAL_H
#define ENGINE_ARRIVAL_H

#include "barkeep/task.h"
#include "repo/wal_store.h"

#define ARRIVAL_EDGES 64

struct arrival {
    const struct task *t;
    const struct repo *repo;
    struct wal_edge edge[ARRIVAL_EDGES]; /* in the order in which they arrived */
    size_t n;
    uint32_t seg_size; /* of the edges; 0: none yet */
    bool is_changed;
    uint64_t damaged; /* told so far */
};

/* Reads what is kept; edges that cannot be read are not there. Fails only without memory. */
MUST_CHECK bool arrival_open(struct arrival *v, const struct task *t, const struct repo *repo,
                             struct err *err);

/* proven: as the store gives it; path: where the segment lies now. */
MUST_CHECK bool arrival_take(struct arrival *v, const char *path,
                             const struct wal_proven *proven, struct err *err);

/* Never fails: what cannot be written is walked without a predecessor next time. */
void arrival_save(struct arrival *v);

#endif
