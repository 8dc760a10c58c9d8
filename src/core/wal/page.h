/* SPDX-License-Identifier: PostgreSQL */
/* page.h - the header of a WAL page, and what the first page says about a segment file.
 *
 *      0 u16 magic       one a major version, table in page.c
 *      2 u16 info        1 continues a record, 2 long header, 4 unused, 8 overwrites one
 *      4 u32 timeline    8 u64 LSN of this page     16 u32 bytes of the record still to come
 *     24 long header, first page of each segment: u64 system id, u32 segment size, u32 page
 * size
 *
 * Byte order  Little endian: a magic that is known only with its bytes swapped is told apart.
 * Source      PostgreSQL 13-18, src/include/access/xlog_internal.h.
 */
#ifndef WAL_PAGE_H
#define WAL_PAGE_H

#include "wal/seg.h"

#define WAL_PAGE_SIZE  8192 /* what every distribution builds with */
#define WAL_PAGE_SHORT 24
#define WAL_PAGE_LONG  40

#define WAL_PAGE_CONTRECORD 0x0001
#define WAL_PAGE_IS_LONG    0x0002
#define WAL_PAGE_OVERWRITE  0x0008
#define WAL_PAGE_INFO_ALL   0x000F

struct wal_page {
    uint16_t magic, info;
    pg_tli tli;
    pg_lsn addr;
    uint32_t rem_len;
    uint32_t header_len; /* 24 or 40 */
    int major;           /* 13 .. 18 */
    uint64_t sysid;      /* long header only; else 0 */
    uint32_t seg_size, blcksz;
};

/* Why a page header is not one. */
enum wal_page_fault {
    WAL_PAGE_OK,
    WAL_PAGE_EMPTY,    /* every byte of the header is 0 */
    WAL_PAGE_CUT,      /* fewer bytes than the header has */
    WAL_PAGE_MAGIC,    /* of no version known here */
    WAL_PAGE_SWAPPED,  /* written on a machine of the other byte order */
    WAL_PAGE_FLAGS,    /* unknown bits */
    WAL_PAGE_GEOMETRY, /* long header with impossible sizes */
};

int wal_major_of_magic(uint16_t magic); /* 0: not known */
uint16_t wal_magic_of_major(int major); /* 0: not known */

/* Decode n bytes at the beginning of a page. *out is filled as far as it was read. */
enum wal_page_fault wal_page_decode(const void *p, size_t n, struct wal_page *out);

/* What a segment file must be. Zero in sysid, major, blcksz: not known, not compared. */
struct wal_head {
    struct wal_seg seg; /* from the file name */
    uint32_t seg_size;
    uint32_t blcksz;
    uint64_t sysid;
    int major;        /* 15 */
    const char *what; /* path or name for messages; NULL: the segment's name */
};

/* Hold the first bytes (40 at least) of a file against its name and its server. ERR_FORMAT
 * names what was found and what was expected. A lower timeline than the name's is right: the
 * first segment after a switch begins with the parent's pages. */
MUST_CHECK bool wal_seg_check_head(const void *bytes, size_t n, const struct wal_head *expect,
                                   struct err *err);

#endif
