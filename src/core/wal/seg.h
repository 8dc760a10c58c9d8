/* SPDX-License-Identifier: PostgreSQL */
/* seg.h - WAL file names and the bytes of WAL they stand for.
 *
 *     00000003 0000004C 0000009A            a segment: 24 digits, upper-case hex
 *     timeline LSN>>32  n-th segment inside those 4 GiB
 *     <24 digits>.partial                   an unfinished segment
 *     <24 digits>.<8 digits>.backup         backup label, with the offset in the segment
 *     00000003.history                      where timeline 3 left its parent
 *
 * Shapes   struct wal_seg is a value: copy it, compare it, put it in an array. Segments of one
 *          timeline are contiguous exactly when .no grows by 1.
 * Units    seg_size  bytes per segment, a power of two, 1 MiB .. 1 GiB. It is fixed at initdb
 *          and is NOT in the name: the same name means another place for another size, so
 *          every function asks for it.
 * Errors   ERR_FORMAT only. seg_size must already be valid: BUG_IF() otherwise.
 * Threads  No state, no allocation, no logging, never blocks.
 * Source   PostgreSQL, src/include/access/xlog_internal.h. Refused here though let through
 *          there: timeline 0, and a third field too large for seg_size.
 */
#ifndef WAL_SEG_H
#define WAL_SEG_H

#include "barkeep/err.h"
#include "barkeep/model.h"
#include "barkeep/str.h"

#define WAL_NAME_LEN         24
#define WAL_NAME_CAP         (WAL_NAME_LEN + 1) /* with the NUL */
#define WAL_HISTORY_NAME_CAP 17                 /* "00000002.history" */
#define WAL_DIR_LEN          16
#define WAL_DIR_CAP          (WAL_DIR_LEN + 1)

struct wal_seg {
    pg_tli tli;  /* 1 .. UINT32_MAX */
    uint64_t no; /* segment number since LSN 0: start LSN / seg_size */
};

/* Is this a wal_segment_size PostgreSQL can have? */
bool wal_seg_size_ok(uint64_t seg_size);

/* Read a plain segment name. "….partial", "….history", "….backup" are not segments. */
MUST_CHECK bool wal_seg_parse(const char *name, uint32_t seg_size, struct wal_seg *out,
                              struct err *err);

/* Write the 24 digits and the NUL. Inverse of wal_seg_parse(). */
void wal_seg_name(struct wal_seg seg, uint32_t seg_size, char out[WAL_NAME_CAP]);

/* First byte of the segment, and the segment that holds a byte. */
pg_lsn wal_seg_start(struct wal_seg seg, uint32_t seg_size);
struct wal_seg wal_seg_at(pg_tli tli, pg_lsn lsn, uint32_t seg_size);

/* The segment that holds the last byte before an end: an end on a boundary belongs to the
 * segment before it. end 0 gives segment 0. */
struct wal_seg wal_seg_of_end(pg_tli tli, pg_lsn end, uint32_t seg_size);

/* Same timeline, one further or one back; false at the ends of the LSN space. */
bool wal_seg_next(struct wal_seg seg, uint32_t seg_size, struct wal_seg *out);
bool wal_seg_prev(struct wal_seg seg, struct wal_seg *out);

/* <0, 0, >0 by timeline, then by number: the order of the names. */
int wal_seg_cmp(struct wal_seg a, struct wal_seg b);

enum wal_name_kind {
    WAL_NAME_OTHER, /* not a name of a WAL file */
    WAL_NAME_SEGMENT,
    WAL_NAME_PARTIAL,
    WAL_NAME_HISTORY,
    WAL_NAME_BACKUP,
};

/* UPPER is what PostgreSQL writes and what is accepted from it. EITHER is Barman's reading,
 * for catalogues it has written. */
enum wal_name_case { WAL_CASE_UPPER, WAL_CASE_EITHER };

/* Looks at the form only: the third field is not held against a segment size. */
enum wal_name_kind wal_name_kind(struct str name, enum wal_name_case letters);

/* The first 8 digits of any WAL file name; false for WAL_NAME_OTHER and for timeline 0. */
bool wal_name_tli(struct str name, pg_tli *out);

/* Directory in Barman's wals/: the first 16 digits, "" for a history file. The name must be
 * one (not WAL_NAME_OTHER). */
void wal_name_dir(struct str name, char out[WAL_DIR_CAP]);

void wal_history_name(pg_tli tli, char out[WAL_HISTORY_NAME_CAP]);

/* "4C/9A0000F8", up to eight digits a side, either case; nothing may follow. */
bool wal_lsn_parse(struct str text, pg_lsn *out);

#endif
