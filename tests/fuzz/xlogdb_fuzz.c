/* SPDX-License-Identifier: PostgreSQL */
/* Any line of xlog.db. */
#include "repo/xlogdb.h"

#include "base/bug.h"

#include <string.h>

static void lines(struct str text)
{
    char mem[XLOGDB_LINE_MAX];
    struct str line;

    while (str_line(&text, &line)) {
        struct wal_file f, again;
        struct sbuf b;

        if (!xlogdb_parse_line(line, &f)) {
            continue;
        }
        sbuf_init(&b, mem, sizeof mem);
        xlogdb_put_line(&b, &f);
        BUG_IF(!sbuf_ok(&b));
        BUG_IF(!xlogdb_parse_line(str_n(mem, b.len - 1), &again));
        BUG_IF(strcmp(f.name, again.name) != 0 || f.size != again.size);
        BUG_IF(strcmp(f.compression, again.compression) != 0);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str text = str_n((const char *)data, size);

    lines(text);
    return 0;
}
