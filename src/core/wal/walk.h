/* SPDX-License-Identifier: PostgreSQL */
/* walk.h - read WAL record by record, prove it, and tell what happened in it.
 *
 *     wal_walk_init(w, &options);
 *     for each segment file {
 *         wal_walk_file(w, seg);                which bytes come next
 *         while there are bytes { wal_walk_feed(w, pages, n) }      false: it has stopped
 *     }
 *     w->end tells why and where it stopped; wal_walk_open() whether a record waits for more
 *
 * Proof    Every record's CRC is checked, and its back link against the record before it. The
 *          first record after the beginning, or after a gap between files, has no proven
 *          predecessor: w->unproven counts them; that is "not proven", not wrong.
 * Ends     Nothing tells the end of WAL apart from damage but where it is: in the newest or a
 *          .partial segment each reason is normal, in the middle of an archive each is
 *          corruption. The caller knows which; w->end only says what was found.
 * Memory   struct wal_walk, about 66 KiB, whatever is fed. Put it in an arena. A length is
 *          believed no further than the next page's header confirms it; records are summed as
 *          they pass, and only main data that speaks (record.h) is kept, up to 64 KiB.
 * Units    LSNs; feed whole pages, any number at a time.
 * Threads  No state outside the struct.
 * Source   PostgreSQL 13-18, src/backend/access/transam/xlogreader.c.
 */
#ifndef WAL_WALK_H
#define WAL_WALK_H

#include "barkeep/err.h"
#include "wal/page.h"
#include "wal/record.h"

#define WAL_WALK_KEEP 65536

enum wal_end_reason {
    WAL_END_NONE,       /* all that was fed is valid so far */
    WAL_END_STOPPED,    /* the callback had enough */
    WAL_END_ZERO,       /* record length 0 or an empty page: nothing was written here */
    WAL_END_LENGTH,     /* record length impossible */
    WAL_END_PAGE_MAGIC, /* page header of no known or of another version */
    WAL_END_PAGE_FLAGS, /* unknown bits, or a long header where none belongs */
    WAL_END_PAGE_ADDR,  /* page of another place: recycled segment */
    WAL_END_PAGE_TLI,   /* timeline went back, or is above the file's */
    WAL_END_PAGE_OWNER, /* another cluster, segment size or page size */
    WAL_END_CONTINUED,  /* the page does not continue the record before it as it should */
    WAL_END_HEADER,     /* record header impossible: resource manager, padding */
    WAL_END_PREV,       /* back link to another record: stale record of a recycled segment */
    WAL_END_CRC,
    WAL_END_MALFORMED, /* sum right, contents impossible */
};

struct wal_end {
    enum wal_end_reason reason;
    pg_lsn lsn;   /* of the record or page that is not valid */
    char why[96]; /* for a message: "page address 0/5000000 instead of 0/7002000" */
};

struct wal_walk_options {
    uint32_t seg_size;
    uint32_t blcksz; /* 0: WAL_PAGE_SIZE */
    uint64_t sysid;  /* 0: not known */
    int major;       /* 0: as the first page says */
    pg_lsn from;     /* a known record start; 0: the first record that begins in what is fed */
    /* false: enough. Called for records that speak, in order. NULL: only prove. */
    bool (*event)(void *ctx, const struct wal_event *e);
    void *ctx;
};

struct wal_walk {
    struct wal_walk_options opt;
    struct wal_end end;
    int major;
    pg_tli file_tli, page_tli; /* of the file fed, of the last page seen */
    pg_lsn at;                 /* next byte expected */
    pg_lsn first;              /* first record proven by its CRC; 0: none yet */
    pg_lsn first_prev;         /* its back link */
    pg_lsn last;               /* last one: its start */
    pg_lsn last_end;
    uint64_t records, unproven;

    /* The rest is private. */
    bool is_placed;        /* a file was named */
    bool is_linked;        /* last is the predecessor of the next record */
    pg_lsn skip_to;        /* nothing below this is read */
    struct wal_record rec; /* being put together when got > 0 */
    uint32_t got, sum;
    bool speaks, streams; /* streams: too long to keep, scanned as it passes */
    uint32_t kept;
    struct wal_xact_scan scan;
    uint8_t head[WAL_RECORD_HEADER];
    uint8_t keep[WAL_WALK_KEEP];
};

void wal_walk_init(struct wal_walk *w, const struct wal_walk_options *options);

/* The bytes fed next are the beginning of this segment. A segment that does not follow what
 * was fed, or any segment after a stop, begins anew without a proven predecessor. */
void wal_walk_file(struct wal_walk *w, struct wal_seg seg);

/* The same from the page that holds `at` on, a byte of this segment: to go on where an earlier
 * walk has ended. Give that walk's `last` as `from` in the options. */
void wal_walk_page(struct wal_walk *w, struct wal_seg seg, pg_lsn at);

/* n is a multiple of the page size and does not go past the segment. false: it has stopped,
 * see w->end. */
bool wal_walk_feed(struct wal_walk *w, const void *pages, size_t n);

/* Is a record begun that goes on in the next segment? *start is where it begins. */
bool wal_walk_open(const struct wal_walk *w, pg_lsn *start);

/* "record length 0", "wrong checksum"; never NULL. */
const char *wal_end_text(enum wal_end_reason reason);

#endif
