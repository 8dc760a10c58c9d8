/* SPDX-License-Identifier: PostgreSQL */
/* restore.h - can this restore work, from which backup, along which timelines, and if not: why?
 *
 * Facts in, a list of checks out. Every check is one sentence with a verdict; REFUSED comes
 * with a hint that says what to do. The plan holds when no check is REFUSED. Nothing is
 * written anywhere before that.
 *
 *     target_read() -> restore_choose() -> restore_route() -> engine reads WAL, feeds a
 *     target_watch, looks at the destinations -> restore_judge() -> checks
 *
 * Ownership  Sentences live in the arena given; facts stay the caller's.
 * Pure       No clock, no file.
 */
#ifndef PLAN_RESTORE_H
#define PLAN_RESTORE_H

#include "plan/restore_target.h"

enum verdict { VERDICT_OK, VERDICT_WARN, VERDICT_REFUSED };

struct restore_check {
    const char *id; /* "backup", "target", "wal", "timeline", "destination", "space" */
    enum verdict verdict;
    const char *sentence;
    const char *hint; /* "" */
};

#define RESTORE_CHECKS_MAX 64

struct restore_checks {
    struct restore_check check[RESTORE_CHECKS_MAX];
    size_t n;
    size_t refused; /* how many */
};

void restore_check_add(struct restore_checks *c, const char *id, enum verdict verdict,
                       const char *sentence, const char *hint);

/* --- which backup ---------------------------------------------------------------------- */

struct restore_choice {
    const struct backup *backup;
    const char *why; /* "the newest that ended before the target" */
};

/* `auto`: the newest complete backup that ends before the target; backups are sorted by id.
 * latest: the highest timeline known (0: none). ERR_USAGE for targets that `auto` cannot
 * judge (xid, name, immediate), ERR_MISSING when there is none, saying what the earliest
 * reachable moment is. */
struct backup_list {
    const struct backup *const *backup;
    size_t n;
};
MUST_CHECK bool restore_choose(struct arena *a, const struct backup_list *list,
                               const struct target *t, pg_tli latest,
                               struct restore_choice *out, struct err *err);

/* --- which timelines ------------------------------------------------------------------- */

struct fork { /* one line of a history file: up to `until` the WAL is that of tli */
    pg_tli tli;
    pg_lsn until;
};
struct lineage { /* of one timeline, from its own history file; oldest first, without itself */
    pg_tli tli;
    const struct fork *fork;
    size_t forks;
    bool broken;     /* the file is there but cannot be read as a history */
    pg_lsn last_wal; /* end of its last segment kept; 0: none */
};
struct lineages {
    const struct lineage *line;
    size_t n;
};

struct leg { /* a stretch of WAL on one timeline */
    pg_tli tli;
    pg_lsn from, until; /* until: UINT64_MAX on the last one */
};
#define ROUTE_LEGS_MAX 64
struct restore_route {
    struct leg leg[ROUTE_LEGS_MAX];
    size_t legs;
    pg_tli tli;         /* the last one: where recovery shall end */
    bool other_futures; /* the person did not choose and there is WAL on other branches */
};

/* The path of the target's timeline from the backup on; adds its checks: a history that is
 * missing or broken, a backup that is not an ancestor or ends behind the fork, `latest` with
 * several futures. false: there is no route, the reason is among the checks. */
MUST_CHECK bool restore_route(struct arena *a, const struct backup *b, const struct target *t,
                              const struct lineages *known, struct restore_route *out,
                              struct restore_checks *checks);

/* --- the verdict ------------------------------------------------------------------------ */

enum place_state {
    PLACE_ABSENT,
    PLACE_EMPTY,
    PLACE_FULL,
    PLACE_RESUME,
    PLACE_OTHER_PLAN,
    PLACE_STARTED,
    PLACE_NOT_DIR,
    PLACE_UNREADABLE
};

struct restore_place { /* PGDATA first, then the tablespaces, then a staging directory */
    const char *role;  /* "PGDATA", "tablespace orders" */
    const char *path;  /* absolute, links resolved as far as the path exists */
    enum place_state state;
    const char *found; /* what stands in the way: a name in the directory */
    bool writable;
    bool is_live;   /* a running server has it */
    bool is_source; /* inside the repository or the backup itself */
};

struct restore_volume { /* what a file system has to take */
    const char *path;
    uint64_t need, have;
};

struct wal_evidence {
    struct target_watch watch;
    bool gap;          /* a segment between the backup and the target is not there */
    bool corrupt;      /* or cannot be read to its end */
    bool before_end;   /* the WAL ends before the backup is consistent */
    const char *where; /* name of that segment */
    const char *why;   /* what is wrong with it */
    pg_lsn from, to;   /* what was walked without a fault */
    size_t segments, partial;
    pg_tli xid_elsewhere; /* the target's transaction ended on this abandoned branch */
    bool lsn_elsewhere;
    pg_lsn resumes; /* after a gap: where WAL goes on; 0: it does not */
};

struct restore_facts {
    const struct backup *backup;
    const char *choice;     /* why this one */
    const char *tree_fault; /* NULL: the kept files are all there */
    const struct target *target;
    const struct restore_route *route;
    const struct wal_evidence *wal; /* NULL when there is no route */
    const struct restore_place *place;
    size_t places;
    const struct restore_volume *volume;
    size_t volumes;
    bool as_root; /* and no other owner could be found */
};

/* Adds the checks in a fixed order. Says whether the plan holds. */
bool restore_judge(struct arena *a, const struct restore_facts *f, struct restore_checks *out);

#endif
