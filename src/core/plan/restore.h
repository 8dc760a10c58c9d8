/* SPDX-License-Identifier: PostgreSQL */
/* restore.h - can this restore work, from which backup, along which timelines, and if not: why?
 *
 * Facts in, a list of checks out. Every check is one sentence with a verdict; REFUSED comes
 * with a hint that says what to do. The plan holds when no check is REFUSED. Nothing is
 * written anywhere before that.
 *
 *     target_read() -> restore_choose() -> restore_line() -> engine reads WAL, feeds a
 *     target_watch, looks at the destinations -> restore_judge() -> checks
 *
 * Ownership  Sentences live in the arena given; facts stay the caller's.
 * Pure       No clock, no file.
 */
#ifndef PLAN_RESTORE_H
#define PLAN_RESTORE_H

#include "plan/restore_target.h"
#include "plan/timeline.h"

enum verdict { VERDICT_OK, VERDICT_WARN, VERDICT_REFUSED };

struct restore_check {
    const char *id; /* "backup", "target", "wal", "timeline", "destination", "space" */
    enum verdict verdict;
    const char *sentence;
    const char *hint; /* "" */
};

#define RESTORE_CHECKS_MAX 256

struct restore_checks {
    struct restore_check check[RESTORE_CHECKS_MAX];
    size_t n;
    size_t refused; /* how many */
};

/* Of those beyond the maximum the worst has the last place. */
void restore_check_add(struct restore_checks *c, const char *id, enum verdict verdict,
                       const char *sentence, const char *hint);

/* --- which backup ---------------------------------------------------------------------- */

struct restore_choice {
    const struct backup *backup;
    const char *why; /* "the newest full one that ends before the target" */
};

/* `auto`: the newest complete full backup that ends before the target; sorted by id. latest: what
 * LINE_LATEST means (0: not known). ERR_FORMAT for targets that `auto` cannot judge (xid, name,
 * immediate, timeline current), ERR_MISSING when there is none, saying what is the earliest. */
MUST_CHECK bool restore_choose(const struct backup *backup, size_t n, const struct target *t,
                               pg_tli latest, struct restore_choice *out, struct err *err);

/* --- which timeline ---------------------------------------------------------------------- */

enum wal_mode {
    WAL_MODE_INTO_PGDATA, /* copied into pg_wal: recovery to the end, like after a crash */
    WAL_MODE_STAGED,      /* copied beside, fetched by restore_command */
    WAL_MODE_GET_WAL,     /* fetched from the repository by restore_command */
};

/* The timeline that recovery shall end on: the one asked for; without a word the backup's own
 * for WAL_MODE_INTO_PGDATA (the server follows no other there) and an immediate target, else
 * the latest. Adds the check "timeline": a history that is missing, a backup that is no
 * ancestor or ends behind the fork, several futures without a choice. false: refused. */
MUST_CHECK bool restore_line(struct arena *a, const struct timelines *known,
                             const struct timeline_base *base, const struct target *t,
                             enum wal_mode mode, struct restore_checks *checks, pg_tli *out);

/* --- the verdict ------------------------------------------------------------------------ */

enum place_state {
    PLACE_FREE,       /* absent or empty */
    PLACE_RESUME,     /* holds what this same plan began */
    PLACE_FULL,       /* something else is in it */
    PLACE_OTHER_PLAN, /* what another plan began */
    PLACE_STARTED,    /* was finished, and a server has been started there since */
    PLACE_RUNNING,    /* a server runs there */
    PLACE_UNUSABLE,   /* not a directory, not readable, not writable */
    PLACE_SOURCE,     /* inside the repository */
    PLACE_CLUSTER,    /* inside a data directory */
    PLACE_ASIDE,      /* in place: what is there will be renamed to `found` */
};

struct restore_place { /* PGDATA first, then the tablespaces, then a staging directory */
    const char *role;  /* "PGDATA", "tablespace orders" */
    const char *path;  /* absolute, links resolved as far as the path exists */
    enum place_state state;
    const char *found; /* what stands in the way: a name in the directory, a reason */
    bool may_nest;     /* inside PGDATA, where the backup has nothing of that name */
};

/* A tablespace that the WAL creates: PostgreSQL puts it where the original had it, whatever
 * --tablespace says, and shares what it finds there. */
struct restore_made {
    uint32_t oid;
    const char *location;
    pg_lsn at; /* of the record */
    enum made_state {
        MADE_PLACED, /* where this restore puts that tablespace */
        MADE_FREE,
        MADE_ABSENT, /* the server stops there */
        MADE_TAKEN,
    } state;
    const char *found; /* what it is taken by */
};

struct restore_volume { /* what a file system has to take */
    const char *path;
    uint64_t need, have;
    uint64_t left; /* of have: what an interrupted run of this restore takes there */
};

struct wal_evidence {
    struct target_watch watch;
    enum wal_fault {
        WAL_WELL,
        WAL_GAP,
        WAL_CORRUPT,
        WAL_LOCKED,    /* encrypted, and the key or its passphrase is not to be had */
    } fault;           /* before the target */
    const char *where; /* name of that segment */
    const char *why;   /* what is wrong with it */
    pg_lsn resumes;    /* behind a gap: where WAL goes on; 0: it does not */
    size_t segments;   /* that recovery needs */
    bool uses_partial; /* the last one is unfinished, from the receiver */
    pg_tli elsewhere;  /* the target lies on this timeline, which recovery does not follow */
};

struct restore_facts {
    const struct backup *backup;
    const char *choice;     /* why this one */
    const char *full;       /* id of the newest full backup before it; NULL: none */
    uint64_t corrupt_files; /* in which the server found damaged pages */
    const char *corrupt_first;
    bool accepts_corruption;
    const char *tree_fault; /* NULL: the kept files are all there */
    bool no_manifest;
    const struct target *target;
    pg_tli line; /* 0: there is none, and no evidence */
    const struct wal_evidence *wal;
    const struct restore_place *place;
    size_t places;
    const struct restore_made *made;
    size_t mades;
    const struct restore_volume *volume;
    size_t volumes;
    bool is_followed;        /* by a standby that fetches whole segments only */
    bool root_without_owner; /* we are root and nobody else owns the destination */
};

/* Adds the checks in a fixed order; true when the plan holds. */
bool restore_judge(struct arena *a, const struct restore_facts *f, struct restore_checks *out);

#endif
