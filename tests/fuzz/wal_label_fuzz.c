/* SPDX-License-Identifier: PostgreSQL */
#include "base/bug.h"
#include "wal/label.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str text = str_n((const char *)data, size);
    struct arena a;
    struct backup_label l;
    struct tablespace_map m;
    struct err err = {0};
    pg_tli tli;
    char dir[WAL_DIR_CAP];

    arena_init(&a, 1 << 24);
    if (backup_label_parse(&a, text, &l, &err)) {
        BUG_IF(strlen(l.start_file) != WAL_NAME_LEN || l.start_tli == 0);
    }
    if (tablespace_map_parse(&a, text, &m, &err)) {
        for (size_t i = 0; i < m.n; i++) {
            BUG_IF(strlen(m.entry[i].path) > size);
        }
    }
    if (wal_name_kind(text, WAL_CASE_EITHER) != WAL_NAME_OTHER) {
        wal_name_dir(text, dir);
        (void)wal_name_tli(text, &tli);
    }
    arena_release(&a);
    return 0;
}
