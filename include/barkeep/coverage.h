/* SPDX-License-Identifier: PostgreSQL */
/* coverage.h - which moments of one server can be restored, and which cannot and why.
 *
 *     timeline 1  ----+--------x          abandoned
 *     timeline 2       `------------->    the way a recovery takes
 *     backups       F        F     F
 *     WAL         #########.##########    a segment is missing
 *     restorable     =====|   |=======    from the end of a backup to the next hole
 *
 * Shapes   Values and arrays in the arena of whoever made them; immutable once made. Sorted by
 *          time. A mark with us 0 is not known.
 * Proven   A mark is proven when the record walk has read it from WAL; until then its time is
 *          that of the backup or of the file, and the screen says "about".
 * Units    microseconds since 1970, UTC; byte positions of the WAL stream; bytes.
 */
#ifndef BARKEEP_COVERAGE_H
#define BARKEEP_COVERAGE_H

#include "model.h"

struct mark {
    int64_t us;
    pg_lsn lsn;
    pg_xid xid; /* of the commit; 0: none */
    bool is_proven;
};

struct stretch {       /* every moment from `from` to `to` can be restored */
    pg_tli tli;        /* to be followed: --target-tli, unless is_main */
    bool is_main;      /* on the way to the newest timeline */
    bool is_open;      /* it grows: its last segment is being received */
    struct mark from;  /* its first backup is consistent */
    struct mark first; /* first commit behind that */
    struct mark to;    /* last commit in it; the time of the last file until it is proven */
    char backup_id[BACKUP_ID_CAP]; /* the backup that opens it */
    size_t backups;                /* how many begin in it */
};

enum hole_why {
    HOLE_MISSING,   /* segments that are nowhere */
    HOLE_CORRUPT,   /* a segment that the walk cannot read */
    HOLE_NO_BACKUP, /* WAL, but no backup before it */
};

struct hole {
    enum hole_why why;
    pg_tli tli;
    uint64_t segments;             /* that are missing */
    char first[WAL_FILE_NAME_CAP]; /* of them */
    char last[WAL_FILE_NAME_CAP];
    pg_lsn from_lsn, to_lsn; /* what they hold */
    int64_t from_us, to_us;  /* no moment in between can be restored; to_us 0: for
                                           ever, until the next backup ends */
    bool hurts;       /* some stretch ends at it; else WAL is missing that nobody needs */
    const char *note; /* what the receiver wrote down about it; NULL: nothing */
};

struct line_part {      /* one timeline */
    pg_tli tli, parent; /* parent 0: none */
    pg_lsn begin, end;
    int64_t begin_us, end_us;
    bool is_main; /* the newest one or an ancestor of it */
    bool is_newest;
};

struct wal_run { /* segments behind each other on one timeline, none missing */
    pg_tli tli;
    uint64_t first_no, last_no;
    int64_t from_us, to_us; /* times of the files */
    uint64_t bytes;         /* as stored */
};

struct wal_rate { /* bytes of WAL (as written by the server) in steps of time */
    int64_t from_us, step_us;
    const uint64_t *bytes;
    size_t n;
};

struct coverage {
    const struct stretch *stretch;
    size_t stretches;
    const struct hole *hole;
    size_t holes;
    const struct line_part *line; /* by tli */
    size_t lines;
    const struct wal_run *run;
    size_t runs;
    struct wal_rate day;   /* the last 24 hours, 288 steps of 5 minutes */
    struct wal_rate whole; /* from the first file to now, at most 512 steps */
    uint32_t seg_size;
    char last_wal[WAL_FILE_NAME_CAP]; /* newest archived segment of the newest timeline; "" */
    int64_t last_wal_us;
    uint64_t waiting;         /* files in streaming and incoming that are complete */
    int64_t waiting_since_us; /* the oldest of them */
    uint64_t wal_bytes, wal_files;
};

#endif
