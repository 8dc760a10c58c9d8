/* SPDX-License-Identifier: PostgreSQL */
/* mkwal.h - a small writer of WAL, from the layout in postgres' headers and not from the code
 * under test: pages of 8192 bytes, segments of 1 MiB, PostgreSQL 15, system id 42, timeline 1.
 */
#ifndef TESTS_MKWAL_H
#define TESTS_MKWAL_H

#include "base/crc32c.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#define MK_PAGE 8192u
#define MK_SEG  (1024u * 1024u)
#define MK_BASE UINT64_C(0x300000)

struct mk {
    uint8_t *buf;  /* the stream from MK_BASE on */
    uint64_t at;   /* offset of the next byte */
    uint64_t prev; /* LSN of the last record */
    uint32_t tli;
    uint32_t xid;  /* of the records that follow; 0: 700 */
    uint32_t seg;  /* size of a segment; 0: MK_SEG */
    uint64_t base; /* LSN of the stream's first byte; 0: MK_BASE */
};

static inline uint64_t mk_base(const struct mk *m)
{
    return m->base ? m->base : MK_BASE;
}

static inline void mk_le(uint8_t *p, uint64_t v, int n)
{
    for (int i = 0; i < n; i++) {
        p[i] = (uint8_t)(v >> (8 * i));
    }
}

/* The header of the page that begins here, `rem` bytes of a record still to come. */
static inline void mk_page(struct mk *m, uint16_t info, uint32_t rem)
{
    uint8_t *p = m->buf + m->at;
    uint32_t seg = m->seg ? m->seg : MK_SEG;
    bool is_long = m->at % seg == 0;

    mk_le(p, 0xD110, 2);
    mk_le(p + 2, (uint64_t)info | (is_long ? 2 : 0), 2);
    mk_le(p + 4, m->tli, 4);
    mk_le(p + 8, mk_base(m) + m->at, 8);
    mk_le(p + 16, rem, 4);
    if (is_long) {
        mk_le(p + 24, 42, 8);
        mk_le(p + 32, seg, 4);
        mk_le(p + 36, MK_PAGE, 4);
    }
    m->at += is_long ? 40 : 24;
}

static inline void mk_bytes(struct mk *m, const uint8_t *p, uint32_t n)
{
    while (n > 0) {
        if (m->at % MK_PAGE == 0) {
            mk_page(m, 1, n);
        }
        uint32_t room = (uint32_t)(MK_PAGE - m->at % MK_PAGE);
        uint32_t take = room < n ? room : n;
        memcpy(m->buf + m->at, p, take);
        m->at += take;
        p += take;
        n -= take;
    }
}

/* rec: room for 24 + 5 + n bytes, whose last n hold the main data. Returns the LSN. */
static inline uint64_t mk_record(struct mk *m, uint8_t rmid, uint8_t info, uint8_t *rec,
                                 uint32_t n)
{
    uint32_t total = 24 + (n ? 5u : 0u) + n;

    m->at = (m->at + 7) & ~UINT64_C(7);
    if (m->at % MK_PAGE == 0) {
        mk_page(m, 0, 0);
    }
    uint64_t lsn = mk_base(m) + m->at;
    memset(rec, 0, 24);
    mk_le(rec, total, 4);
    mk_le(rec + 4, m->xid ? m->xid : 700, 4);
    mk_le(rec + 8, m->prev, 8);
    rec[16] = info;
    rec[17] = rmid;
    if (n) {
        rec[24] = 254;
        mk_le(rec + 25, n, 4);
    }
    uint32_t sum = crc32c_feed_table(CRC32C_START, rec + 24, total - 24);
    mk_le(rec + 20, crc32c_end(crc32c_feed_table(sum, rec, 20)), 4);
    mk_bytes(m, rec, total);
    m->prev = lsn;
    return lsn;
}

#endif
