/* SPDX-License-Identifier: PostgreSQL */
/* Any line of xlog.db, and the first bytes of a compressed file. */
#include "repo/codec.h"
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

static void unpack(struct str in)
{
    struct err err = {0};
    struct codec *c = codec_new(CODEC_GZIP, CODEC_UNPACK, 0, &err);
    char out[4096];

    for (int turn = 0; c && turn < 1000; turn++) {
        struct codec_out o = {out, sizeof out, 0};

        if (!codec_run(c, &in, CODEC_LAST, &o, &err) || (o.got == 0 && in.n == 0)) {
            break;
        }
    }
    codec_free(c);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str text = str_n((const char *)data, size);

    lines(text);
    if (codec_detect(data, size) == CODEC_GZIP) {
        unpack(text);
    }
    return 0;
}
