/* SPDX-License-Identifier: PostgreSQL */
/* snapshot.h - everything a screen shows about one server at one moment.
 *
 * Made by a worker, handed over by pointer, never changed afterwards; whoever takes it frees it
 * with snapshot_free(). The struct itself is from calloc(), all it points to lives in its arena;
 * what is not known is NULL or 0.
 *
 * Old      What a server said stays when it stops answering, with the time it was said; `live`
 *          tells that it is old. is_saved: from the last run of the console, nothing was
 *          looked at yet.
 * Hostile  Texts come from outside and may hold any byte; cells keep them from the terminal.
 */
#ifndef BARKEEP_SNAPSHOT_H
#define BARKEEP_SNAPSHOT_H

#include "arena.h"
#include "coverage.h"

/* The word of column 1, in the order of worry. */
#define LIGHT_LIST(X)                                                                          \
    X(LIGHT_FAIL, "FAIL")                                                                      \
    X(LIGHT_UNKNOWN, "????")                                                                   \
    X(LIGHT_WARN, "WARN")                                                                      \
    X(LIGHT_RUN, "RUN ")                                                                       \
    X(LIGHT_WAIT, "... ")                                                                      \
    X(LIGHT_OK, "OK  ")
enum light {
#define X(name, word) name,
    LIGHT_LIST(X)
#undef X
};
const char *light_word(enum light light);

enum live_state {
    LIVE_NOT_ASKED,
    LIVE_OK,
    LIVE_SILENT, /* asked, no answer (yet): why says what happened, in words */
    LIVE_OFF,    /* inactive, disabled or passive in the configuration: not asked */
};

struct live { /* what the server says */
    enum live_state state;
    int64_t answered_us;      /* last good answer; 0: never */
    int64_t since_us;         /* of LIVE_SILENT: since when */
    int64_t next_us;          /* of LIVE_SILENT: when it is tried again */
    const char *why;          /* of LIVE_SILENT, LIVE_OFF */
    const char *address;      /* "eu1:5432", from the configuration */
    const char *version_text; /* "15.18" */
    const char *systemid;
    int version;
    bool in_recovery;
    pg_tli tli;
    pg_lsn lsn;             /* written, or replayed */
    int64_t now_us;         /* the server's clock when it answered */
    pg_lsn flushed;         /* what our receiver has acknowledged; 0: it is not connected */
    const char *sync_state; /* of our receiver: "async", "sync", ...; NULL: not connected */
    bool has_slot, slot_lost;
    pg_lsn slot_lsn;
    bool archiver_known, archiver_fails; /* archive_command: failed since it last worked */
    int64_t archiver_failed_us;
    const char *archiver_failed_wal;
};

enum row_keep { ROW_KEEP_NONE, ROW_KEEP_FULL, ROW_KEEP_STANDALONE };

struct backup_row {
    char id[BACKUP_ID_CAP];
    const char *name; /* friendly name */
    enum backup_status status;
    enum backup_type type;
    struct moment begin, end;
    pg_lsn begin_lsn, end_lsn;
    pg_tli tli;
    int version;
    uint64_t size;      /* of the tree */
    uint64_t wal_bytes; /* up to the next backup */
    double took_s;
    enum row_keep keep;
    const char *retention; /* "VALID", "OBSOLETE", as list-backups says it; NULL: no policy */
    const char *error;     /* of a failed one */
    const char *parent;
    size_t tablespaces;
    bool is_corrupt; /* pages that the server called corrupt */
};

struct snapshot {
    struct arena arena;
    const char *server, *description;
    uint32_t index;  /* of the server in the configuration */
    int64_t made_us; /* wall clock */
    bool is_saved;
    struct live live;
    const struct backup_row *backup; /* newest first */
    size_t backups;
    size_t unread;        /* backups whose files could not be read */
    const char *kept_why; /* what is kept could not be read, so nothing is known of it; NULL */
    bool is_receiving;    /* a receive-wal holds its lock */
    bool streams, archives;          /* streaming_archiver, archiver */
    const struct coverage *coverage; /* NULL: not read yet */
    enum light light;                /* the worst of all */
    const char *sentence;            /* what is the matter, one line; "" when all is well */
    const char *todo;                /* what to do about it; "" */
};

struct snapshot *snapshot_new(void);    /* empty; NULL: no memory */
void snapshot_free(struct snapshot *s); /* NULL is fine */

/* The stretch that ends last on the main line: "can restore from .. to .."; NULL: none. */
const struct stretch *snapshot_newest_stretch(const struct snapshot *s);
/* Newest backup whose copy is done; NULL: none. */
const struct backup_row *snapshot_good_backup(const struct snapshot *s);

#endif
