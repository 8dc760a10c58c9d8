/* SPDX-License-Identifier: PostgreSQL */
/* xact.h - the main data of a commit or abort record.
 *
 *     time i64 | xinfo u32 if HAS_INFO | database | subxacts | dropped files | dropped
 *     statistics (15+) | invalidations | two-phase xid | gid text NUL | replication origin
 *
 * Read as a stream, since a transaction may have millions of subtransactions: the reader keeps
 * counts and where the arrays lie, not the arrays.
 *
 * Units    time_us is microseconds since 1970, UTC.
 * Hostile  A count that is negative or does not fit in what is left is "malformed".
 * Source   PostgreSQL 13-18, src/include/access/xact.h and ParseCommitRecord().
 */
#ifndef WAL_XACT_H
#define WAL_XACT_H

#include "barkeep/model.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define WAL_XACT_OP_MASK         0x70
#define WAL_XACT_COMMIT          0x00
#define WAL_XACT_PREPARE         0x10
#define WAL_XACT_ABORT           0x20
#define WAL_XACT_COMMIT_PREPARED 0x30
#define WAL_XACT_ABORT_PREPARED  0x40
#define WAL_XACT_HAS_INFO        0x80

#define WAL_XINFO_DBINFO        (1u << 0)
#define WAL_XINFO_SUBXACTS      (1u << 1)
#define WAL_XINFO_FILES         (1u << 2)
#define WAL_XINFO_INVALS        (1u << 3)
#define WAL_XINFO_TWOPHASE      (1u << 4)
#define WAL_XINFO_ORIGIN        (1u << 5)
#define WAL_XINFO_AE_LOCKS      (1u << 6) /* took AccessExclusive locks: a hint at DDL */
#define WAL_XINFO_GID           (1u << 7)
#define WAL_XINFO_DROPPED_STATS (1u << 8)

/* An array inside the main data; n 0: not there. */
struct wal_part {
    uint32_t n;    /* items */
    uint32_t size; /* bytes of one */
    uint64_t at;   /* offset of the first from the beginning of the main data */
};

struct wal_xact {
    int64_t time_us;
    uint32_t xinfo;
    uint32_t database;
    pg_xid twophase_xid; /* 0: none */
    struct wal_part subxacts, files, stats, invals;
};

/* Feed pieces in order, then ask wal_xact_done(). */
struct wal_xact_scan {
    struct wal_xact xact;
    int major;
    uint8_t info;
    bool is_bad;
    int stage;
    uint64_t total, at; /* bytes of main data, bytes seen */
    uint64_t skip;
    uint8_t word[8];
    unsigned have;
};

void wal_xact_begin(struct wal_xact_scan *s, int major, uint8_t info, uint64_t total);
void wal_xact_feed(struct wal_xact_scan *s, const void *p, size_t n);
bool wal_xact_done(const struct wal_xact_scan *s); /* false: malformed or not all was fed */

/* The whole main data at once; false: malformed. info is xl_info of the record. */
bool wal_xact_parse(int major, uint8_t info, const void *p, size_t n, struct wal_xact *out);

/* i < x->subxacts.n; main is the main data that was parsed. */
pg_xid wal_xact_sub(const struct wal_xact *x, const void *main, uint32_t i);

#endif
