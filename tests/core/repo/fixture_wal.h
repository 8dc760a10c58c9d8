/* SPDX-License-Identifier: PostgreSQL */
/* fixture_wal.h - segments of 1 MiB, of PostgreSQL 15 (magic 0xD110), of the cluster FX_SYSID;
 * only the first page's header means anything. Part of fixture.h, which it needs.
 */
#ifndef TESTS_REPO_FIXTURE_WAL_H
#define TESTS_REPO_FIXTURE_WAL_H

#include "base/get.h"

#define FX_SYSID UINT64_C(7300000000000000001)
#define FX_SEG   (1024u * 1024u)

struct fx_seg {
    uint32_t tli;
    uint64_t addr, sysid;
    uint32_t seg_size, blcksz, magic;
    size_t size; /* of the file */
    uint8_t fill;
};

static inline struct fx_seg fx_seg(uint32_t tli, uint64_t no)
{
    return (struct fx_seg){tli, no * FX_SEG, FX_SYSID, FX_SEG, 8192, 0xD110, FX_SEG, 0};
}

static inline void fx_put64(uint8_t *p, uint64_t v)
{
    put_le32(p, (uint32_t)v);
    put_le32(p + 4, (uint32_t)(v >> 32));
}

static inline void fx_seg_write(const char *path, struct fx_seg s)
{
    static uint8_t mem[2 * FX_SEG];

    assert_true(s.size <= sizeof mem);
    memset(mem, s.fill, sizeof mem);
    memset(mem, 0, 40);
    put_le32(mem, s.magic | 2u << 16);
    put_le32(mem + 4, s.tli);
    fx_put64(mem + 8, s.addr);
    fx_put64(mem + 24, s.sysid);
    put_le32(mem + 32, s.seg_size);
    put_le32(mem + 36, s.blcksz);
    fx_write(path, mem, s.size);
}

/* A good segment of timeline 1: number no below dir. */
static inline const char *fx_segment(const char *dir, uint64_t no)
{
    const char *path =
        fx_fmt("%s/00000001%08X%08X", dir, (unsigned)(no >> 12), (unsigned)(no & 0xFFF));

    fx_seg_write(path, fx_seg(1, no));
    return path;
}

#endif
