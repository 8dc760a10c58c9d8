/* SPDX-License-Identifier: PostgreSQL */
/* look_in.h - the parts of a look, for its own files only.
 *
 *     look.c          new, free, snapshot with its verdict
 *     look_live.c     what the server says
 *     look_kept.c     the catalogue, what waits, histories and notes: read when they changed
 *     look_wal.c      the archive: its directories and the list of WAL
 *     look_bounds.c   the walk over the segments at the ends
 *     bounds.c        the file that keeps what was proven
 */
#ifndef ENGINE_LOOK_IN_H
#define ENGINE_LOOK_IN_H

#include "engine/bounds.h"
#include "engine/list.h"
#include "engine/look.h"
#include "pg/pulse.h"
#include "plan/coverage.h"
#include "plan/wal_runs.h"

struct look_print { /* what a file or directory looked like */
    uint64_t inode, size;
    int64_t mtime_ns;
    bool is_there, is_young; /* young: changed so lately that it may have changed again */
};

struct look_dir { /* of the archive: wals/<16 digits> */
    char name[WAL_DIR_CAP];
    struct look_print print;
};

struct look_partial { /* the newest segment that is being received */
    struct coverage_bound bound;
    pg_lsn last; /* start of the last record walked; 0: none */
    int64_t mtime_ns, walked_ns;
    bool is_known;
};

#define LOOK_SKIPS 32

struct look {
    const struct config *config;
    const struct server_cfg *srv;
    uint32_t index;
    struct arena fixed; /* paths */
    struct repo repo;
    const char *address, *off_why, *slot;

    struct pulse *pulse; /* NULL: no conninfo, or off */
    struct pulse_answer answer;
    enum live_state state;
    int64_t answered_us, since_us;
    char why[256];
    bool is_receiving, is_backing_up;

    bool is_read;                       /* the disk, at least once */
    char kept_why[512], kept_todo[160]; /* of what is kept: "" it could be read */
    struct look_print meta, base, own, streaming, incoming, wals, xlogdb;

    struct arena rows;      /* the catalogue and what is counted for it */
    struct backup_row *row; /* newest first */
    struct backup_wal *wal; /* by id: the other way round */
    size_t backups, unread;
    int64_t rows_us; /* when: a window of time moves on by itself */
    bool rows_move;
    const char *unread_why;
    struct list_counter counter;
    struct identity identity;
    uint32_t backup_seg_size; /* 0: no backup says */

    struct arena lines; /* histories, notes, partials of the archive */
    struct history *history;
    size_t histories;
    struct coverage_note *note;
    size_t notes_n;

    struct arena dirs; /* of the archive */
    struct look_dir *dir;
    size_t dir_n;
    struct coverage_file *old_partial;
    size_t old_partials;
    struct wal_runs runs;
    bool wals_changed; /* just now: wals/ itself */
    uint64_t listed;   /* bytes of xlog.db that were read */

    struct arena queue; /* streaming and incoming */
    struct coverage_file *waiting, *partial;
    size_t waitings, partials;

    struct bounds bounds;
    bool bounds_read, bounds_due, bounds_new;
    int64_t marks_ns; /* of .barkeep/wal-corrupt, when it was read */
    struct look_partial receiving;
    struct wal_seg skip[LOOK_SKIPS]; /* could not be read: not tried until something changed */
    size_t skips;
};

/* Has it changed since the last time? Takes the new look of it. */
bool look_print_changed(struct look_print *p, const char *path);

/* The archive. changed: the histories may have too. */
MUST_CHECK bool look_wal(struct look *l, bool from_start, bool *changed, struct err *err);

/* Everything coverage_make() asks for; arrays that are put together live in the arena. */
MUST_CHECK bool look_facts(struct look *l, struct arena *a, struct coverage_facts *out,
                           struct err *err);

void look_live_fill(const struct look *l, struct arena *a, struct live *out);

#endif
