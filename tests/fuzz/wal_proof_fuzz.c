/* SPDX-License-Identifier: PostgreSQL */
/* What is remembered of segments that arrived: lines of .barkeep/wal-edges and .barkeep/
 * wal-corrupt, joined with one another, and pages of two neighbours walked one by one. */
#include "base/bug.h"
#include "repo/wal_marks.h"
#include "wal/proof.h"

#include <string.h>

#define PAGE 8192

static void edges(struct str text)
{
    struct wal_edge before = {0}, got, again;
    struct str line;
    struct wal_end end;
    char out[1024];
    struct sbuf b;

    while (str_line(&text, &line)) {
        if (!wal_edge_parse(line, &got)) {
            continue;
        }
        sbuf_init(&b, out, sizeof out);
        wal_edge_put(&b, &got);
        BUG_IF(!sbuf_ok(&b));
        BUG_IF(!wal_edge_parse(str_n(out, b.len), &again));
        BUG_IF(again.seg.no != got.seg.no || again.open != got.open);
        BUG_IF(memcmp(again.open_head, got.open_head, sizeof got.open_head) != 0);
        (void)wal_edge_join(&before, &got, &end);
        before = got;
    }
}

static void marks(struct str text)
{
    struct str line;
    struct damaged_wal mark;

    while (str_line(&text, &line)) {
        struct arena a;

        arena_init(&a, 1 << 20);
        if (wal_marks_parse_line(&a, line, &mark)) {
            BUG_IF(mark.name[0] == '\0' || !mark.why);
        }
        arena_release(&a);
    }
}

static void pages(const uint8_t *data, size_t size)
{
    static uint8_t page[PAGE];
    struct wal_edge before = {0};
    struct wal_end end;

    for (uint64_t no = 1; no <= 2; no++) {
        const struct wal_proof_of what = {.seg = {1, no}, .seg_size = 1 << 20};
        size_t n = size / 2, off = 0;
        struct wal_proof p;

        wal_proof_begin(&p, &what);
        do {
            size_t some = n - off < PAGE ? n - off : PAGE;

            memset(page, 0, sizeof page);
            memcpy(page, data + (no - 1) * n + off, some);
            off += some;
        } while (wal_proof_feed(&p, page, PAGE) && off < n);
        (void)wal_proof_end(&p);
        (void)wal_edge_join(&before, &p.edge, &end);
        before = p.edge;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    edges(str_n((const char *)data, size));
    marks(str_n((const char *)data, size));
    pages(data, size);
    return 0;
}
