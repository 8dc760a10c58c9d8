/* SPDX-License-Identifier: PostgreSQL */
/* moment_in.h - one question about a moment while it is answered; only for engine/moment*.c and
 * points.c.
 */
#ifndef ENGINE_MOMENT_IN_H
#define ENGINE_MOMENT_IN_H

#include "engine/kept_wal.h"
#include "engine/moment.h"
#include "plan/moment.h"
#include "repo/catalogue.h"

struct finder {
    const struct task *task;
    struct arena *a;
    const struct server_cfg *srv;
    struct repo repo;
    struct target target;
    enum wal_mode mode;
    const struct backup **usable; /* those that can be restored, of one cluster, by id */
    size_t n;
    struct kept_wal kept;
    struct history_spare spare;
    struct wal_way way; /* along the timeline chosen */
    struct moment_facts facts;
    struct target_watch named; /* of the span that was taken: facts point into it */
};

/* Everything but the target, from the repository: usable, kept, way but for its route. */
MUST_CHECK bool finder_open(struct finder *f, const struct task *t, const struct config *config,
                            const struct server_cfg *srv, struct arena *a, struct err *err);

/* The timeline that a recovery from that backup follows, into facts.tli and way.route; false
 * with ok: refused, see facts.refusal. */
bool finder_line(struct finder *f, const struct backup *b, struct err *err, bool *ok);

/* A walk over one stretch of WAL with the target in mind. */
struct span {
    struct finder *f;
    const struct backup *backup; /* the recovery begins with */
    struct target_watch watch;
    struct wal_mark first; /* commit at all */
    struct wal_mark lost;  /* first commit behind the stop */
    uint64_t xid_from;     /* next free one of the first checkpoint; 0: none seen */
    uint64_t xid_to;       /* next free one at the end, as far as told */
    struct wal_way_end end;
};

/* The records that begin in [from, until), 0: to the end. s->f and s->backup are set. */
MUST_CHECK bool span_walk(struct span *s, pg_lsn from, pg_lsn until, struct err *err);
/* Can the backup be made consistent by what was walked? */
bool span_is_consistent(const struct span *s);

/* moment_search.c: an xid or a name, between backups, newest first. Fills facts. */
MUST_CHECK bool moment_search(struct finder *f, struct err *err);

/* The first moment of the first backup from usable[i] on that can be made consistent, with
 * begin at or behind `from`. us 0: none. */
MUST_CHECK bool moment_opening(struct finder *f, size_t i, pg_lsn from, struct mark *out,
                               struct err *err);
/* Into facts: the fault that ended the walk over usable[k]'s span, and what is near it. */
MUST_CHECK bool moment_hole(struct finder *f, const struct span *s, size_t k, struct err *err);
/* Does another timeline have the target? Then facts says so. */
MUST_CHECK bool moment_elsewhere(struct finder *f, const struct backup *base, struct err *err);
void moment_found(struct finder *f, const struct span *s);

#endif
