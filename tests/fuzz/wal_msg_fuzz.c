/* SPDX-License-Identifier: PostgreSQL */
/* Replication messages of a hostile server: whatever is accepted lies inside what was given. */
#include "pg/wal_stream.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *p = (const char *)data;
    struct wal_msg m;
    struct err err;

    if (wal_msg_decode(p, size, &m, &err) && m.kind == WAL_MSG_DATA) {
        pg_lsn at = m.start;
        size_t left = m.n;
        if (m.data < p || m.n > size || m.data + m.n != p + size || at + left < at) {
            abort();
        }
        while (left > 0) {
            size_t n = wal_msg_in_segment(at, left, 1024 * 1024);
            if (n == 0 || n > left || at / (1024 * 1024) != (at + n - 1) / (1024 * 1024)) {
                abort();
            }
            at += n;
            left -= n;
        }
    }
    return 0;
}
