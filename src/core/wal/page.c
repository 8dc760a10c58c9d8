/* SPDX-License-Identifier: PostgreSQL */
#include "wal/page.h"

#include "base/bug.h"
#include "base/get.h"

#include <inttypes.h>
#include <string.h>

static const struct {
    uint16_t magic;
    int major;
} versions[] = {
    {0xD106, 13}, {0xD10D, 14}, {0xD110, 15}, {0xD113, 16}, {0xD116, 17}, {0xD118, 18},
};

#define VERSIONS (sizeof versions / sizeof versions[0])

int wal_major_of_magic(uint16_t magic)
{
    for (size_t i = 0; i < VERSIONS; i++) {
        if (versions[i].magic == magic) {
            return versions[i].major;
        }
    }
    return 0;
}

uint16_t wal_magic_of_major(int major)
{
    for (size_t i = 0; i < VERSIONS; i++) {
        if (versions[i].major == major) {
            return versions[i].magic;
        }
    }
    return 0;
}

static bool is_zero(const uint8_t *p, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (p[i]) {
            return false;
        }
    }
    return true;
}

static bool blcksz_ok(uint32_t size)
{
    return size >= 1024 && size <= 65536 && (size & (size - 1)) == 0;
}

static enum wal_page_fault long_decode(const uint8_t *b, size_t n, struct wal_page *out)
{
    if (n < WAL_PAGE_LONG) {
        return WAL_PAGE_CUT;
    }
    out->sysid = get_le64(b + 24);
    out->seg_size = get_le32(b + 32);
    out->blcksz = get_le32(b + 36);
    return wal_seg_size_ok(out->seg_size) && blcksz_ok(out->blcksz) ? WAL_PAGE_OK
                                                                    : WAL_PAGE_GEOMETRY;
}

enum wal_page_fault wal_page_decode(const void *p, size_t n, struct wal_page *out)
{
    const uint8_t *b = p;

    *out = (struct wal_page){.header_len = WAL_PAGE_SHORT};
    if (n < WAL_PAGE_SHORT) {
        return WAL_PAGE_CUT;
    }
    out->magic = get_le16(b);
    out->info = get_le16(b + 2);
    out->tli = get_le32(b + 4);
    out->addr = get_le64(b + 8);
    out->rem_len = get_le32(b + 16);
    out->major = wal_major_of_magic(out->magic);
    if (out->major == 0) {
        if (is_zero(b, WAL_PAGE_SHORT)) {
            return WAL_PAGE_EMPTY;
        }
        uint16_t swapped = (uint16_t)(out->magic << 8 | out->magic >> 8);
        return wal_major_of_magic(swapped) ? WAL_PAGE_SWAPPED : WAL_PAGE_MAGIC;
    }
    if (out->info & ~WAL_PAGE_INFO_ALL) {
        return WAL_PAGE_FLAGS;
    }
    if (out->info & WAL_PAGE_IS_LONG) {
        out->header_len = WAL_PAGE_LONG;
        return long_decode(b, n, out);
    }
    return WAL_PAGE_OK;
}

/* The magic of another version of PostgreSQL, or of none. */
static bool magic_err(const struct wal_page *page, const struct wal_head *expect,
                      const char *what, struct err *err)
{
    const char *hint = "Check which server this segment came from.";

    if (page->major == 0 && expect->major != 0) {
        return err_set(err, ERR_FORMAT, hint, what,
                       "page magic %04X is of no known PostgreSQL version, the server is "
                       "PostgreSQL %d (%04X)",
                       page->magic, expect->major, wal_magic_of_major(expect->major));
    }
    if (page->major == 0) {
        return err_set(err, ERR_FORMAT, hint, what,
                       "page magic %04X is of no known PostgreSQL version (13 to 18)",
                       page->magic);
    }
    return err_set(err, ERR_FORMAT, hint, what,
                   "written by PostgreSQL %d (page magic %04X), the server is PostgreSQL %d",
                   page->major, page->magic, expect->major);
}

static bool decode_err(enum wal_page_fault fault, const struct wal_page *page,
                       const struct wal_head *expect, const char *what, struct err *err)
{
    switch (fault) {
    case WAL_PAGE_OK:
        return true;
    case WAL_PAGE_EMPTY:
        return err_set(err, ERR_FORMAT, "Check the file system the segment was copied from.",
                       what, "the first page is empty (zeros)");
    case WAL_PAGE_CUT:
        return err_set(err, ERR_FORMAT, "Check whether the copy was cut short.", what,
                       "too short for a WAL page header");
    case WAL_PAGE_MAGIC:
        return magic_err(page, expect, what, err);
    case WAL_PAGE_SWAPPED:
        return err_set(err, ERR_FORMAT, "Keep this server's WAL with a tool of its own kind.",
                       what, "written on a big-endian machine, which is not supported");
    case WAL_PAGE_FLAGS:
        return err_set(err, ERR_FORMAT, "Check whether the server encrypts its WAL.", what,
                       "unknown flags %04X in the page header", page->info);
    case WAL_PAGE_GEOMETRY:
        break;
    }
    return err_set(err, ERR_FORMAT, "Check whether the copy is damaged.", what,
                   "impossible sizes in the header: segment %" PRIu32 ", page %" PRIu32,
                   page->seg_size, page->blcksz);
}

/* Sizes and owner: the header is sound in itself, is it this server's? */
static bool owner_check(const struct wal_page *page, const struct wal_head *expect,
                        const char *what, struct err *err)
{
    if (expect->major != 0 && page->major != expect->major) {
        return magic_err(page, expect, what, err);
    }
    if (!(page->info & WAL_PAGE_IS_LONG)) {
        return err_set(err, ERR_FORMAT, "Check whether the file is a piece of a segment.", what,
                       "the first page is not the beginning of a segment");
    }
    if (expect->sysid != 0 && page->sysid != expect->sysid) {
        return err_set(err, ERR_FORMAT, "Check which server sends its WAL here.", what,
                       "from another cluster: system identifier %" PRIu64
                       ", the server's is %" PRIu64,
                       page->sysid, expect->sysid);
    }
    if (page->seg_size != expect->seg_size) {
        return err_set(err, ERR_FORMAT, "Check wal_segment_size of the server.", what,
                       "segment size %" PRIu32 " in the header, %" PRIu32 " expected",
                       page->seg_size, expect->seg_size);
    }
    if (expect->blcksz != 0 && page->blcksz != expect->blcksz) {
        return err_set(err, ERR_FORMAT, "Check wal_block_size of the server.", what,
                       "WAL page size %" PRIu32 " in the header, %" PRIu32 " expected",
                       page->blcksz, expect->blcksz);
    }
    return true;
}

bool wal_seg_check_head(const void *bytes, size_t n, const struct wal_head *expect,
                        struct err *err)
{
    char name[WAL_NAME_CAP];
    struct wal_page page;

    wal_seg_name(expect->seg, expect->seg_size, name);
    const char *what = expect->what ? expect->what : name;
    enum wal_page_fault fault = wal_page_decode(bytes, n, &page);
    if (!decode_err(fault, &page, expect, what, err) ||
        !owner_check(&page, expect, what, err)) {
        return false;
    }
    pg_lsn start = wal_seg_start(expect->seg, expect->seg_size);
    if (page.addr != start) {
        char found[WAL_NAME_CAP];
        pg_tli tli = page.tli ? page.tli : expect->seg.tli;
        wal_seg_name(wal_seg_at(tli, page.addr, expect->seg_size), expect->seg_size, found);
        return err_set(err, ERR_FORMAT, "Compare it with the server's own segment.", what,
                       "renamed or recycled segment: it begins at %" PRIX64 "/%" PRIX64
                       " (%s) instead of %" PRIX64 "/%" PRIX64,
                       page.addr >> 32, page.addr & UINT32_MAX, found, start >> 32,
                       start & UINT32_MAX);
    }
    if (page.tli == 0 || page.tli > expect->seg.tli) {
        return err_set(err, ERR_FORMAT, "Check whether the file was renamed.", what,
                       "its pages are of timeline %" PRIu32 ", the name says %" PRIu32,
                       page.tli, expect->seg.tli);
    }
    return true;
}
