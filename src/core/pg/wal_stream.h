/* SPDX-License-Identifier: PostgreSQL */
/* wal_stream.h - START_REPLICATION of a physical slot: what is said on the wire, and slots.
 *
 *     server -> us   'w' u64 start, u64 server's end, i64 sent, WAL bytes
 *                    'k' u64 server's end, i64 sent, u8 1: answer at once
 *     us -> server   'r' u64 written, u64 durable, u64 applied, i64 now, u8 1: answer at once
 *     big endian; times in microseconds since 2000
 *
 * Units    LSNs; a durable position is that of the byte after the last durable one.
 * Errors   Of START_REPLICATION and of the copy: also an enum wal_trouble, told by SQLSTATE and
 *          never by the text, which may be in any language.
 * Memory   A data message's bytes lie in libpq's buffer that pg_copy_poll() gave.
 * Source   PostgreSQL 13-18 documentation, "Streaming Replication Protocol".
 */
#ifndef PG_WAL_STREAM_H
#define PG_WAL_STREAM_H

#include "pg/conn.h"
#include "pg/facts.h"

/* ---- messages: pure ----------------------------------------------------------------- */

enum wal_msg_kind { WAL_MSG_DATA, WAL_MSG_KEEPALIVE };

struct wal_msg {
    enum wal_msg_kind kind;
    pg_lsn start;      /* of data */
    pg_lsn server_end; /* what the server has to send at most */
    int64_t sent_us;   /* since 2000 */
    bool reply;        /* keepalive: answer at once */
    const char *data;
    size_t n;
};

/* ERR_FORMAT: too short, of an unknown kind, without data, or beyond the last LSN. */
MUST_CHECK bool wal_msg_decode(const char *p, size_t n, struct wal_msg *out, struct err *err);

/* Does the data come where it must? ERR_FORMAT with both places when not. */
MUST_CHECK bool wal_msg_follows(const struct wal_msg *msg, pg_lsn expected, struct err *err);

#define WAL_STATUS_LEN 34
enum wal_ask { WAL_ASK_NOTHING, WAL_ASK_REPLY };
void wal_status_encode(uint8_t out[WAL_STATUS_LEN], pg_lsn durable, int64_t now_us,
                       enum wal_ask ask);

/* How many of the n bytes at lsn belong to the segment lsn lies in. */
size_t wal_msg_in_segment(pg_lsn lsn, size_t n, uint32_t seg_size);

/* ---- streaming ---------------------------------------------------------------------- */

enum wal_trouble {
    WAL_FINE,
    WAL_LINK,         /* the connection: try again */
    WAL_REMOVED,      /* the server has not got the segment any more: a hole */
    WAL_AHEAD,        /* we asked for what it has not written yet */
    WAL_SLOT_MISSING, /* no such slot */
    WAL_SLOT_BUSY,    /* another connection streams from it */
    WAL_SLOT_LOST,    /* invalidated: it keeps nothing any more */
    WAL_REFUSED,      /* anything else the server says */
};

struct wal_start {
    const char *slot; /* NULL: without */
    pg_lsn at;        /* start of a segment */
    pg_tli tli;
    pg_lsn flushed; /* of the server, by pg_ident_read(): tells WAL_AHEAD from WAL_REFUSED */
};

enum wal_started {
    WAL_START_FAILED,
    WAL_START_COPY, /* pg_copy_poll() from now on */
    WAL_START_END,  /* tli ends exactly there: *next is filled, no copy */
};

struct wal_next {
    pg_tli tli; /* what the server goes on with; 0: it told nothing, it is shutting down */
    pg_lsn at;  /* where the old timeline was left */
};

enum wal_started wal_stream_start(struct pg *pg, const struct task *t,
                                  const struct wal_start *start, struct wal_next *next,
                                  struct err *err);
/* After PG_COPY_END: end our side, and learn why it ended. */
MUST_CHECK bool wal_stream_end(struct pg *pg, const struct task *t, struct wal_next *next,
                               struct err *err);

/* What a failure of wal_stream_start(), of the copy or of wal_stream_end() means. */
enum wal_trouble wal_trouble_of(const struct err *err, const char *sqlstate,
                                const struct wal_start *start);

MUST_CHECK bool wal_status_send(struct pg *pg, const struct task *t, pg_lsn durable,
                                enum wal_ask ask, struct err *err);

/* Contents of NNNNNNNN.history as the server has it, in the arena. */
MUST_CHECK bool wal_history_fetch(struct pg *pg, const struct task *t, struct arena *a,
                                  pg_tli tli, struct str *out, struct err *err);

/* ---- slots, on a replication connection --------------------------------------------- */

bool wal_slot_name_ok(const char *name); /* [a-z0-9_]{1,63} */

/* ERR_BUSY when there is one of that name. */
MUST_CHECK bool wal_slot_create(struct pg *pg, const struct task *t, const char *name,
                                struct err *err);
/* ERR_MISSING when there is none, ERR_BUSY when it is in use. */
MUST_CHECK bool wal_slot_drop(struct pg *pg, const struct task *t, const char *name,
                              struct err *err);

/* READ_REPLICATION_SLOT, PostgreSQL 15+. */
struct wal_slot_place {
    bool exists;
    pg_lsn restart; /* 0: it keeps nothing yet, or nothing any more */
    pg_tli tli;
};
MUST_CHECK bool wal_slot_place_read(struct pg *pg, const struct task *t, const char *name,
                                    struct wal_slot_place *out, struct err *err);

#endif
