/* SPDX-License-Identifier: PostgreSQL */
/* The checksum is made right, so that what is behind it is reached. */
#include "base/bug.h"
#include "base/crc32c.h"
#include "base/get.h"
#include "wal/control.h"
#include "wal/seg.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t file[CONTROL_READ_MIN];
    struct control c;
    struct err err = {0};

    size = size < sizeof file ? size : sizeof file;
    memcpy(file, data, size);
    if (size == sizeof file) {
        size_t at = get_le32(file + 8) == 1800 ? 292 : 288;
        put_le32(file + at, crc32c_end(crc32c_feed(CRC32C_START, file, at)));
    }
    if (control_parse(file, size, "pg_control", &c, &err)) {
        BUG_IF(!wal_seg_size_ok(c.xlog_seg_size));
        (void)control_state_text(c.state);
    } else {
        BUG_IF(err.code != ERR_FORMAT);
    }
    return 0;
}
