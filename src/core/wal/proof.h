/* SPDX-License-Identifier: PostgreSQL */
/* proof.h - prove a segment by itself, and that one goes on where the other ends.
 *
 *     wal_proof_begin(p, &what);
 *     while there are bytes { wal_proof_feed(p, pages, n) }
 *     wal_proof_end(p)                  false: p->end tells what is wrong, and where
 *     wal_edge_join(&before, &p->edge)  the record over the border, and the link across it
 *
 * Edge     How a segment begins and ends: what it holds of a record that was begun before it,
 *          the first record's back link; its last record, and what it holds of one that goes on
 *          behind it. Segments are so walked in any order, side by side, and joined when both
 *          are known; what lies before or behind an unknown one is not proven, not wrong.
 * Sum      A record's CRC is put together from its pieces: of a beginning the running sum, of a
 *          piece that came first only its own, from zero (the sum is linear).
 * Whole    Segments that are whole only: zeros behind the last record are wrong here, but for
 *          what follows a switch.
 * Memory   struct wal_proof, about 66 KiB; struct wal_edge is a value.
 * Threads  No state outside the structs.
 * Source   PostgreSQL 13-18, src/backend/access/transam/xlogreader.c, xlog.c.
 */
#ifndef WAL_PROOF_H
#define WAL_PROOF_H

#include "wal/walk.h"

#define WAL_LEAD_RAW 16 /* a header that was cut lacks 8 or 16 bytes */

struct wal_edge {
    struct wal_seg seg;
    uint64_t sysid;
    pg_tli first_tli, last_tli; /* of its first and last page */
    /* The beginning. */
    uint32_t lead;      /* bytes of a record begun before; 0: none */
    uint32_t lead_here; /* of these in this segment */
    uint8_t lead_raw[WAL_LEAD_RAW];
    uint32_t lead_sum;        /* of what follows them here, from 0 */
    bool is_overwrite;        /* what was begun before was never finished */
    bool is_filler;           /* nothing behind the lead, which must be the end of a switch */
    bool has_first;           /* first_prev is known */
    pg_lsn first, first_prev; /* first record that begins here; 0: none */
    /* The end. */
    pg_lsn last; /* the last record that is whole; 0: none */
    pg_lsn
        open; /* the record that goes on behind it; 0: none, or (lead > lead_here) the lead */
    uint32_t open_len, open_got, open_sum;
    uint8_t open_head[WAL_RECORD_HEADER];
};

struct wal_proof_of {
    struct wal_seg seg;
    uint32_t seg_size;
    uint32_t blcksz; /* 0: WAL_PAGE_SIZE */
    uint64_t sysid;  /* 0: not known */
    int major;       /* 0: as the first page says */
};

struct wal_proof {
    struct wal_edge edge;
    struct wal_end end; /* reason WAL_END_NONE: nothing wrong */
    /* The rest is private. */
    bool in_lead;
    struct wal_walk walk;
};

void wal_proof_begin(struct wal_proof *p, const struct wal_proof_of *what);

/* n is a multiple of the page size and does not go past the segment. false: it is damaged. */
bool wal_proof_feed(struct wal_proof *p, const void *pages, size_t n);

/* All was fed: p->edge is whole. false: it is damaged, or shorter than a segment. */
bool wal_proof_end(struct wal_proof *p);

enum wal_join {
    WAL_JOIN_UNPROVEN, /* something that is needed is not known */
    WAL_JOIN_PROVEN,
    WAL_JOIN_BROKEN, /* *end tells why */
};

/* `before` is the segment just before `e` on its way. What only the two together know is
 * filled into e. Another cluster's, or one that pg_resetwal began anew, is not proven. */
enum wal_join wal_edge_join(const struct wal_edge *before, struct wal_edge *e,
                            struct wal_end *end);

/* One line of text, blanks between, without newline. false: it cannot be one. */
void wal_edge_put(struct sbuf *b, const struct wal_edge *e);
bool wal_edge_parse(struct str line, struct wal_edge *out);

#endif
