/* SPDX-License-Identifier: PostgreSQL */
#include "base/bug.h"
#include "wal/history.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena a;
    struct history h;
    struct err err = {0};

    arena_init(&a, 1 << 24);
    if (history_parse(&a, 1000, str_n((const char *)data, size), &h, &err)) {
        BUG_IF(h.n < 2 || h.entry[h.n - 1].tli != 1000);
        for (size_t i = 0; i < h.n; i++) {
            BUG_IF(i > 0 && h.entry[i].tli <= h.entry[i - 1].tli);
            BUG_IF(!history_find(&h, history_owner(&h, h.entry[i].begin)));
            BUG_IF(!history_find(&h, history_tli_of_seg(&h, h.entry[i].begin >> 20, 1 << 20)));
            (void)history_reaches(&h, h.entry[i].tli, h.entry[i].end);
        }
    } else {
        BUG_IF(err.code != ERR_FORMAT && err.code != ERR_MEMORY);
    }
    arena_release(&a);
    return 0;
}
