/* SPDX-License-Identifier: PostgreSQL */
/* The body of one record: first byte info, second manager, third version. */
#include "base/bug.h"
#include "wal/page.h"
#include "wal/record.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct wal_event e;
    struct wal_page page;
    uint64_t at = 0;

    (void)wal_page_decode(data, size, &page);
    if (size < 3) {
        return 0;
    }
    memset(&e, 0, sizeof e);
    e.rec.info = data[0];
    e.rec.rmid = data[1] & 1;
    int major = 13 + data[2] % 6;
    data += 3;
    size -= 3;
    if (!wal_body_main(data, size, size, &at)) {
        return 0;
    }
    BUG_IF(at > size);
    e.main = data + at;
    e.main_len = size - (size_t)at;
    if (wal_event_decode(major, &e) && e.kind == WAL_EVENT_RESTORE_POINT) {
        BUG_IF(strlen(e.name) >= sizeof e.name);
    }
    if (e.kind == WAL_EVENT_COMMIT || e.kind == WAL_EVENT_ABORT) {
        const struct wal_part *s = &e.xact.subxacts;
        BUG_IF(s->n > 0 && s->at + (uint64_t)s->n * s->size > e.main_len);
        for (uint32_t i = 0; i < s->n; i++) {
            (void)wal_xact_sub(&e.xact, e.main, i);
        }
    }
    return 0;
}
