/* SPDX-License-Identifier: PostgreSQL */
/* Packed data of every kind that has a magic number: what comes out must not depend on the
 * pieces in which it goes in and comes out. Also the first bytes of gpg's files. */
#include "repo/codec.h"
#include "repo/gpg.h"

#include "base/bug.h"
#include "base/crc32c.h"

#define OUT_MAX (1u << 20)

struct result {
    bool ok;
    uint32_t sum;
    size_t n;
};

static struct result unpack(enum codec_kind kind, struct str all, size_t feed, size_t room)
{
    struct err err = {0};
    struct codec *c = codec_new(kind, CODEC_UNPACK, 0, NULL, &err);
    struct result r = {c != NULL, CRC32C_START, 0};
    char out[4096];

    while (r.ok && r.n < OUT_MAX) {
        struct str piece = str_n(all.p, all.n < feed ? all.n : feed);
        size_t had = piece.n;
        struct codec_out o = {out, room, 0};

        r.ok = codec_run(c, &piece, had == all.n ? CODEC_LAST : CODEC_MORE_COMES, &o, &err);
        BUG_IF(o.got > room || piece.n > had);
        all = str_skip(all, had - piece.n);
        r.n += o.got;
        r.sum = crc32c_feed(r.sum, out, o.got);
        if (r.ok && all.n == 0 && o.got == 0) {
            break;
        }
    }
    codec_free(c);
    return r;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    enum codec_kind kind = codec_detect(data, size, NULL);
    struct str all = str_n((const char *)data, size);
    struct result a, b;

    (void)gpg_detect(data, size);
    if (kind == CODEC_NONE) {
        return 0;
    }
    a = unpack(kind, all, size, 4096);
    b = unpack(kind, all, 1 + data[size - 1] % 50, 1 + data[size / 2] % 100);
    BUG_IF(a.n < OUT_MAX && b.n < OUT_MAX && a.ok != b.ok);
    BUG_IF(a.ok && a.n < OUT_MAX && (a.n != b.n || a.sum != b.sum));
    return 0;
}
