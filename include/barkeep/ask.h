/* SPDX-License-Identifier: PostgreSQL */
/* ask.h - questions a screen has answered beside the road: reading jobs with one answer each.
 *
 *     ORDER_ASK with a struct ask   ->   a reading job   ->   NEWS_ANSWER with a struct answer
 *
 * Ticket   Chosen by the asker, never 0; the answer bears it. An answer whose ticket is no
 *          longer waited for is thrown away. A newer ask of the same kind cancels the older.
 * Parts    ASK_POINTS answers in parts, each in the place of the one before, till `is_last`.
 * Failure  answer.err is filled and has_failed true; the union is empty then.
 * Memory   From calloc(), with its own arena: whoever takes it frees it with answer_free().
 */
#ifndef BARKEEP_ASK_H
#define BARKEEP_ASK_H

#include "arena.h"
#include "coverage.h"
#include "err.h"

#define NAME_CAP      256 /* of a server: the longest name of its directory */
#define ASK_PATH_CAP  1024
#define ASK_MOVES_MAX 16 /* tablespaces that can be placed on the screen */
#define ASK_TABLES    16

/* ---- what is asked ------------------------------------------------------------------------ */

enum goal_kind { GOAL_LATEST, GOAL_TIME, GOAL_XID, GOAL_LSN, GOAL_NAME, GOAL_IMMEDIATE };

struct goal { /* where a recovery shall stop, as the command line takes it */
    enum goal_kind kind;
    char text[128]; /* time with its offset, xid, LSN, name; "" for latest and immediate */
    bool is_exclusive;
    pg_tli tli;      /* to follow; 0: as the engine chooses */
    char action[16]; /* "pause", "promote", "shutdown"; "" none */
    char point[64];  /* for words: the restore point at that LSN; "" none */
};

struct tablespace_move {
    char name[NAME_CAP];
    char location[ASK_PATH_CAP];
};

enum restore_where { WHERE_COPY, WHERE_IN_PLACE, WHERE_FILES };

struct restore_words { /* one restore, as the command line would say it */
    char server[NAME_CAP];
    char backup[NAME_CAP]; /* id, or "auto" */
    struct goal goal;
    enum restore_where where;
    char destination[ASK_PATH_CAP];
    struct tablespace_move move[ASK_MOVES_MAX];
    size_t moves;
    unsigned jobs; /* 0: as configured */
    unsigned port; /* of the copy that is started then; 0: socket only */
};

enum ask_kind {
    ASK_BACKUP,  /* server, backup: its details */
    ASK_POINTS,  /* server, from_us, to_us: restore points and commits in that time */
    ASK_MOMENT,  /* restore.server, restore.goal: what lies around it */
    ASK_PLACE,   /* restore.server, .backup, .where: what could stand in step 2 */
    ASK_PLAN,    /* restore: the dry run */
    ASK_COPY,    /* restore.destination: how the started copy stands */
    ASK_COMPARE, /* restore.server, .destination, table: rows beside production */
    ASK_KINDS,
};

struct ask {
    enum ask_kind kind;
    uint32_t ticket;
    struct restore_words restore;
    int64_t from_us, to_us;
    char database[NAME_CAP];              /* ASK_COMPARE: "" the one of the conninfo */
    char table[ASK_TABLES][2 * NAME_CAP]; /* schema.table; none: the largest ones */
    size_t tables;
};

/* ---- what is answered --------------------------------------------------------------------- */

struct answer_backup {
    struct backup backup;
    uint64_t files;
    struct answer_file {
        const char *path;
        uint64_t size;
    } const *largest; /* by size, at most 100 */
    size_t largests;
    bool has_manifest;
    const char *needed_from, *needed_to; /* WAL it needs */
    const char *tree;                    /* its directory */
};

enum point_kind { POINT_RESTORE_POINT, POINT_BACKUP, POINT_SWITCH };
struct point {
    enum point_kind kind;
    struct mark at;
    pg_tli tli;
    const char *name;
};

struct answer_points { /* by time, newest first */
    const struct point *point;
    size_t points;
    struct wal_rate commits; /* how many commits in each step, not bytes */
    uint64_t segments, of;   /* read so far */
};

struct answer_moment {
    bool can_restore;
    const char *sentence; /* "stops before xid 741, committed ...", or why it cannot */
    const char *hint;
    char backup_id[BACKUP_ID_CAP]; /* the restore begins with; "" none */
    pg_tli tli;
    struct mark before;       /* last commit that is kept; the nearest moment below */
    struct mark stop;         /* first commit that is lost: proof that the server can stop */
    struct mark point;        /* GOAL_NAME: the restore point it stops at */
    struct mark below, above; /* nearest moments that can be restored, when this one cannot */
};

struct answer_place {
    const char *destination; /* a proposal that does not exist yet */
    struct tablespace_move move[ASK_MOVES_MAX];
    size_t moves;
    uint64_t need, have;  /* bytes */
    int version;          /* of the backup */
    const char *binaries; /* directory of a server of that major version; NULL: none here */
    const char *sentence; /* what stands in the way of this choice; "" nothing */
    const char *hint;
    const char *live_directory; /* data_directory of the server, when it is on this host */
};

enum plan_verdict { PLAN_OK, PLAN_WARN, PLAN_REFUSED };
struct plan_line {
    const char *id;
    enum plan_verdict verdict;
    const char *sentence, *hint;
};
struct answer_plan {
    bool holds;
    const struct plan_line *line;
    size_t lines;
    const char *backup_id;
    pg_tli tli;
    uint64_t bytes;    /* to copy */
    uint64_t segments; /* of WAL to replay */
    int64_t replay_from_us, replay_to_us;
};

enum copy_phase {
    COPY_ABSENT, /* nothing there */
    COPY_FILES,  /* restored, not started */
    COPY_REPLAYING,
    COPY_PAUSED,  /* at its target, read-only */
    COPY_OPEN,    /* promoted, or came to the end of the WAL: writable */
    COPY_STOPPED, /* was started, does not run */
    COPY_FAILED,  /* the server gave up: sentence is its last word */
};
struct answer_copy {
    enum copy_phase phase;
    const char *sentence;
    struct mark reached; /* last commit replayed */
    pg_tli tli;
    const char *socket_dir;
    unsigned port;
    int64_t pid;
    const char *log;  /* path of the server's log */
    const char *psql; /* a command that connects */
};
struct table_count {
    const char *name;   /* schema.table */
    int64_t copy, live; /* rows; -1: not known */
    bool copy_is_estimate, live_is_estimate;
    const char *why; /* one of them is not known */
};
struct answer_compare {
    const char *database;
    const struct table_count *table;
    size_t tables;
    const char *live_why; /* production could not be asked; NULL */
};

struct answer {
    struct arena arena;
    enum ask_kind kind;
    uint32_t ticket;
    bool is_last, has_failed;
    struct err err;
    union {
        struct answer_backup backup;
        struct answer_points points;
        struct answer_moment moment;
        struct answer_place place;
        struct answer_plan plan;
        struct answer_copy copy;
        struct answer_compare compare;
    };
};

void answer_free(struct answer *a); /* NULL is fine */

#endif
