/* SPDX-License-Identifier: PostgreSQL */
/* record.h - one WAL record: its header, and what its main data says for the kinds that a
 * recovery can stop at or that describe the server.
 *
 *      0 u32 length   4 u32 xid   8 u64 LSN of the record before   16 u8 info  17 u8 manager
 *     20 u32 CRC-32C of bytes 24 .. length, then of bytes 0 .. 20
 *     24 fragments: block references, origin, top xid, then the main data
 *
 * To read more kinds, add a row to the table in record.c and a member to struct wal_event; the
 * walk delivers what the table names.
 *
 * Units    Times are microseconds since 1970, UTC. An LSN that is not known is 0.
 * Hostile  Texts (restore point names) are cut at their NUL and may hold any other byte.
 * Source   PostgreSQL 13-18: xlogrecord.h, xlog_internal.h, pg_control.h.
 */
#ifndef WAL_RECORD_H
#define WAL_RECORD_H

#include "wal/xact.h"

#define WAL_RECORD_HEADER 24
#define WAL_RECORD_MAX    (UINT32_C(1) << 30)

#define WAL_RM_XLOG   0
#define WAL_RM_XACT   1
#define WAL_RM_TBLSPC 5
#define WAL_OP_SWITCH 0x40 /* of WAL_RM_XLOG */

#define WAL_RESTORE_POINT_CAP 64

struct wal_record {
    pg_lsn start, end; /* end: where the next one may begin, aligned */
    pg_lsn prev;       /* as the record says */
    pg_tli tli;        /* of the page it begins on */
    pg_xid xid;        /* may be a subtransaction's */
    uint32_t tot_len, crc;
    uint8_t info, rmid;
};

struct wal_checkpoint {
    pg_lsn redo;
    pg_tli tli, prev_tli;
    int64_t time_us;
    uint64_t next_xid; /* with the epoch in the upper half */
    uint32_t next_oid, next_multi;
    uint32_t oldest_xid, oldest_active_xid;
};
#define WAL_CHECKPOINT_SIZE 88

struct wal_settings { /* what a standby must not have less of */
    int32_t max_connections, max_worker_processes, max_wal_senders;
    int32_t max_prepared_xacts, max_locks_per_xact;
    int32_t wal_level; /* 0 minimal, 1 replica, 2 logical */
};

enum wal_event_kind {
    WAL_EVENT_NONE,            /* a record of no interest here */
    WAL_EVENT_COMMIT,          /* xid, xact */
    WAL_EVENT_ABORT,           /* xid, xact */
    WAL_EVENT_RESTORE_POINT,   /* name */
    WAL_EVENT_CHECKPOINT,      /* checkpoint; shutdown or online by .info */
    WAL_EVENT_END_OF_RECOVERY, /* tli, prev_tli */
    WAL_EVENT_SWITCH,          /* the rest of the segment is filler */
    WAL_EVENT_SETTINGS,        /* settings */
    WAL_EVENT_BACKUP_END,      /* lsn: where that backup began */
    WAL_EVENT_OVERWRITE,       /* lsn: the record that was begun there and never finished */
    WAL_EVENT_TABLESPACE,      /* tablespace: one is created */
};

struct wal_event {
    enum wal_event_kind kind;
    struct wal_record rec;
    int64_t time_us;     /* COMMIT ABORT RESTORE_POINT CHECKPOINT END_OF_RECOVERY OVERWRITE */
    pg_xid xid;          /* COMMIT ABORT: the top transaction; of a prepared one, its own */
    const uint8_t *main; /* main data, valid during the callback; NULL: too long to keep */
    size_t main_len;
    union {
        struct wal_xact xact;
        char name[WAL_RESTORE_POINT_CAP];
        struct wal_checkpoint checkpoint;
        struct {
            pg_tli tli, prev_tli;
        } end_of_recovery;
        struct wal_settings settings;
        struct {
            uint32_t oid;
            const char *location; /* valid during the callback; "": inside PGDATA */
        } tablespace;
        pg_lsn lsn;
    };
};

/* The 24 bytes of a header; start, end and tli are the caller's to fill. */
void wal_record_decode(const void *p, struct wal_record *out);

/* Would wal_event_decode() make an event of it? */
bool wal_record_speaks(const struct wal_record *rec);

/* Find the main data behind the fragment headers of a record without block references: body is
 * what follows the record header, n of its body_len bytes are at hand (all headers are within
 * the first 16). *at becomes the offset of the main data. false: malformed. */
bool wal_body_main(const uint8_t *body, size_t n, uint64_t body_len, uint64_t *at);

/* e->rec, main and main_len are set; fills the rest. false: malformed. Records that do not
 * speak give WAL_EVENT_NONE. */
bool wal_event_decode(int major, struct wal_event *e);

/* The same for a transaction whose main data was read as a stream. */
bool wal_event_of_xact(const struct wal_xact_scan *scan, struct wal_event *e);

bool wal_checkpoint_decode(const void *p, size_t n, struct wal_checkpoint *out);

/* TimestampTz and Unix seconds to microseconds since 1970; far ones are held at the ends. */
int64_t wal_time_us(int64_t timestamptz);
int64_t wal_seconds_us(int64_t unix_seconds);

#endif
