/* SPDX-License-Identifier: PostgreSQL */
/* Whatever a backup.info holds: it is parsed or refused, and what was parsed is written so that
 * it is parsed to the same text again. */
#include "repo/backup_info.h"

#include "base/bug.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct backup b = {.id = "20260101T000000"}, again = b;
    struct str first, second;
    struct err err = {0};
    struct arena a;

    arena_init(&a, 64 * 1024 * 1024);
    if (backup_info_parse(&a, str_n((const char *)data, size), "info", &b, &err)) {
        BUG_IF(!backup_info_text(&a, &b, &first, &err));
        BUG_IF(!backup_info_parse(&a, first, "info", &again, &err));
        BUG_IF(!backup_info_text(&a, &again, &second, &err));
        BUG_IF(first.n != second.n || memcmp(first.p, second.p, first.n) != 0);
    } else {
        BUG_IF(err.code == ERR_NONE);
    }
    arena_release(&a);
    return 0;
}
