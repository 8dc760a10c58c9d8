/* SPDX-License-Identifier: PostgreSQL */
/* receive.h - the parts of receive-wal, for its own files only.
 *
 *     receive_wal.c    the verb: lock, connect, try again
 *     receive_feed.c   one START_REPLICATION: the reader
 *     receive_sink.c   the writer behind the lane, and the archiver behind a second one
 *     receive_place.c  where to start, histories, what is noted
 *     receive_slot.c   slots, --stop, --reset
 *     receive_pace.c   a server that begins to wait for us
 *
 * Notes    wal_note.h
 */
#ifndef ENGINE_RECEIVE_H
#define ENGINE_RECEIVE_H

#include "engine/archive_wal.h"
#include "engine/arrival.h"
#include "engine/hook.h"
#include "engine/receive_wal.h"
#include "engine/wal_note.h"
#include "pg/facts.h"
#include "pg/wal_stream.h"
#include "wal/history.h"

#define FEED_SLOTS 256

/* The lane of the archiver, and how much waits on it. Whoever offers never waits: what compresses
 * or encrypts may be slower than the WAL that comes, or hang. */
struct archiver {
    struct lane *lane; /* carries struct archive_item; its mark counts what was consumed */
    uint64_t offered, consumed;
    bool is_behind; /* that is told; until nothing waits any more */
};

struct feed_item { /* a WAL message, or (msg NULL) the order to sync what came before */
    char *msg;     /* of pg_copy_poll(); freed by the consumer */
    const char *data;
    size_t n;
    pg_lsn at;
};

struct sink {
    const struct task *t;
    const struct repo *repo;
    struct lane *lane;         /* carries struct feed_item */
    struct archiver *archiver; /* NULL: none */
    uint32_t seg_size;
    pg_tli tli;
    int fd;         /* of the .partial file, -1: none */
    pg_lsn written; /* to the file: where the next write goes */
    char *held;     /* what comes after it and waits for more to come */
    size_t held_n;
    pg_lsn old_end;                /* below this the file held bytes before we opened it */
    bool is_diverged, is_unsynced; /* why it failed */
    char path[PATH_CAP];           /* of the .partial file, last one opened */
};

struct archive_item {
    char name[WAL_FILE_NAME_CAP];
};

struct pace { /* of receive_pace.c; times are of the monotonic clock */
    struct lane *lane;
    int64_t heard_ns;         /* WAL came last */
    int64_t told_ns;          /* we told what it had waited for; 0: nothing since */
    bool has_waited;          /* a sync was ordered only because time was up, in silence */
    unsigned waits;           /* seen in a row: silence, we told, more came at once */
    uint64_t asked, answered; /* questions */
    int64_t next_ask_ns, ask_ns;
};

struct receive {
    const struct task *t;
    const struct repo *repo;
    const struct server_cfg *srv;
    struct arena turn; /* one connection's texts */
    struct pg *pg;
    struct pg_ident ident;
    char systemid[24]; /* of the first connection: it may not change */
    uint32_t seg_size;
    struct history history; /* of the server's timeline */
    struct wal_start start;
    pg_lsn slot_from;         /* before it the slot keeps nothing, so that WAL may be gone */
    enum wal_trouble trouble; /* of the last failure */
    struct wal_start removed; /* where the server last had nothing any more */
    pg_lsn durable;           /* told to the server; goes back only where it took another way */
    bool is_standby;          /* the server is in recovery */
    bool is_prompt;           /* a commit waits for us */
    int64_t status_ns;        /* between two status messages, at most */
    int64_t silence_ns;
    bool was_streaming; /* this turn: the waiting time starts anew */
    struct sink sink;
    struct archiver archiver;
    struct archive_wal how; /* to archive */
    struct arrival arrival; /* of the archiver's lane */
    struct pace pace;
};

/* ---- sink --------------------------------------------------------------------------- */

/* Opens s->lane; t, repo, archiver, seg_size are set. */
MUST_CHECK bool sink_open(struct sink *s, pg_tli tli, pg_lsn at, struct err *err);
/* Close the file and drop what sink_open() allocated; the lane is closed already. */
void sink_release(struct sink *s);
/* Does the open file hold anything but zeros after what was written? */
bool sink_has_more(struct sink *s);

MUST_CHECK bool archiver_open(struct receive *rx, struct err *err);
/* A file in streaming/, to be archived soon; left to archive-wal when too many wait already. */
MUST_CHECK bool archiver_offer(const struct task *t, struct archiver *a, const char *name,
                               struct err *err);

/* ---- feed --------------------------------------------------------------------------- */

enum feed_end { FEED_FAILED, FEED_CANCELLED, FEED_SWITCHED };

/* Streams from rx->start until it ends. FEED_SWITCHED: next is where to go on. */
enum feed_end feed_run(struct receive *rx, struct wal_next *next, struct err *err);

/* ---- pace ---------------------------------------------------------------------------- */

/* Does synchronous_standby_names name us? */
bool pace_is_named(const struct server_cfg *srv, const char *names);
MUST_CHECK bool pace_open(struct receive *rx, struct err *err);
void pace_close(struct receive *rx);
void pace_waited(struct receive *rx, int64_t now); /* a sync is ordered, time was up */
void pace_told(struct receive *rx, int64_t now);   /* all that was ordered is told */
void pace_heard(struct receive *rx, int64_t now);  /* WAL came */
void pace_look(struct receive *rx);                /* has an answer come? Sets is_prompt. */

/* ---- place -------------------------------------------------------------------------- */

/* What we have: fills tli and at; tli 0: nothing on any timeline of the history. */
MUST_CHECK bool place_find(struct receive *rx, pg_tli *tli, pg_lsn *at, struct err *err);

/* Fetch a history, hold it against ours, keep it durably. NULL out: not parsed. */
MUST_CHECK bool place_history(struct receive *rx, pg_tli tli, struct history *out,
                              struct err *err);

/* Once for each kind, timeline and beginning. */
MUST_CHECK bool place_note(const struct receive *rx, enum note_kind kind, pg_tli tli,
                           const pg_lsn range[2], struct err *err);

/* ---- slot --------------------------------------------------------------------------- */

MUST_CHECK bool receive_connect(struct receive *rx, struct err *err); /* rx->pg, ident, ... */
/* What the slot is, by an ordinary connection; false: nobody could tell, err untouched. */
bool receive_slot_ask(const struct receive *rx, struct pg_slot *out);
/* restart_lsn of the slot; 0: it keeps nothing. ERR_MISSING: no slot. */
MUST_CHECK bool receive_slot_place(struct receive *rx, pg_lsn *lsn, pg_tli *tli,
                                   struct err *err);

MUST_CHECK bool receive_slot_create(struct receive *rx, enum receive_do how, struct err *err);
MUST_CHECK bool receive_slot_drop(struct receive *rx, struct err *err);
MUST_CHECK bool receive_stop(struct receive *rx, struct err *err);
MUST_CHECK bool receive_reset(struct receive *rx, struct err *err);

#endif
