/* SPDX-License-Identifier: PostgreSQL */
/* Pages as they come: whatever they hold, the walk stays in its bounds, and tells the same
 * whether it is fed at once or page by page. Checksums keep random bytes out of the records, so
 * the sum of every record that lies within a page is made right first. */
#include "base/bug.h"
#include "base/crc32c.h"
#include "base/get.h"
#include "wal/walk.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define PAGES 4
#define SEG   (1024u * 1024u)

static uint8_t pages[PAGES * WAL_PAGE_SIZE];
static struct wal_walk whole, piece;

static bool on_event(void *ctx, const struct wal_event *e)
{
    uint64_t *n = ctx;

    BUG_IF(e->kind == WAL_EVENT_NONE && e->rec.tot_len < WAL_RECORD_HEADER);
    *n += (uint64_t)e->kind + (e->main ? e->main_len : 0);
    return true;
}

static void mend(size_t at)
{
    uint8_t *p = pages + at;
    uint32_t len = get_le32(p);

    if (len >= WAL_RECORD_HEADER && len <= WAL_PAGE_SIZE - at % WAL_PAGE_SIZE) {
        uint32_t sum = crc32c_feed(CRC32C_START, p + 24, len - 24);
        put_le32(p + 20, crc32c_end(crc32c_feed(sum, p, 20)));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint64_t a = 0, b = 0;
    struct wal_walk_options o = {.seg_size = SEG, .event = on_event, .ctx = &a};

    memset(pages, 0, sizeof pages);
    memcpy(pages, data, size < sizeof pages ? size : sizeof pages);
    for (size_t at = 24; at + 24 <= sizeof pages; at += 8) {
        mend(at);
    }
    if (size > sizeof pages) {
        o.from = 0x300000 + (uint64_t)data[sizeof pages] * 64;
    }
    wal_walk_init(&whole, &o);
    o.ctx = &b;
    wal_walk_init(&piece, &o);
    wal_walk_file(&whole, (struct wal_seg){2, 3});
    wal_walk_file(&piece, (struct wal_seg){2, 3});
    bool went_on = wal_walk_feed(&whole, pages, sizeof pages);
    for (size_t i = 0; i < PAGES; i++) {
        bool next = wal_walk_feed(&piece, pages + i * WAL_PAGE_SIZE, WAL_PAGE_SIZE);
        BUG_IF(i == PAGES - 1 && next != went_on);
    }
    BUG_IF(a != b || whole.records != piece.records || whole.end.lsn != piece.end.lsn);
    return 0;
}
