/* SPDX-License-Identifier: PostgreSQL */
/* snappy's framing format:
 *
 *     chunk     kind (1), length of what follows (3, little endian), bytes
 *     0xff      begins every stream: "sNaPpY"; may come again
 *     0x00      masked CRC-32C of the plain bytes (4), then they packed
 *     0x01      the same, then they as they are
 *     0x80 ..   0xfe is padding, the others are for later versions: passed over
 *     0x02 ..   0x7f: for later versions too, but not to be passed over
 *
 * At most 65536 plain bytes a chunk. The sum is rotated right by 15 and 0xa282ead8 is added.
 * The library is written in C++ and takes the library of that language with it: it is loaded when
 * a codec of this kind is made, so that other starts of the program do without both.
 * Source  snappy, framing_format.txt. */
#include "base/crc32c.h"
#include "base/lib.h"
#include "codec_in.h"

#include <snappy-c.h>
#include <stdlib.h>
#include <string.h>

#define PLAIN_MAX  65536
#define PACKED_MAX (32 + PLAIN_MAX + PLAIN_MAX / 6) /* snappy_max_compressed_length() */
#define HEAD       4
#define SUM        4
#define STREAM     "\xff\x06\x00\x00sNaPpY"
#define STREAM_LEN 10

enum { CHUNK_PACKED = 0x00, CHUNK_PLAIN = 0x01, CHUNK_LATER = 0x80, CHUNK_STREAM = 0xff };

#define SNAPPY_LIST(X)                                                                         \
    X(compress, snappy_compress)                                                               \
    X(uncompress, snappy_uncompress)                                                           \
    X(uncompressed_length, snappy_uncompressed_length)

struct snappy_api {
    SNAPPY_LIST(LIB_MEMBER)
};

static const char *const snappy_symbols[] = {SNAPPY_LIST(LIB_SYMBOL)};

static const struct lib snappy_lib = {
    "libsnappy.so.1", "Install snappy (Debian: apt install libsnappy1v5).", ERR_CONFIG,
    snappy_symbols, sizeof snappy_symbols / sizeof snappy_symbols[0]};

struct snappy {
    struct codec base;
    struct snappy_api api;
    bool begun;
    struct codec_stage stage; /* what goes out next */
    char plain[PLAIN_MAX];    /* pack: gathered; unpack: what the stage holds */
    char chunk[HEAD + SUM + PACKED_MAX];
    size_t n;    /* pack: bytes of plain; unpack: bytes of chunk */
    size_t skip; /* unpack: bytes of a chunk passed over, to come */
};

static void snappy_free(struct codec *base)
{
    free(base);
}

static struct codec *snappy_new(const struct codec_start *start, struct err *err)
{
    struct snappy *c = codec_base_new(sizeof *c, start, err);

    if (c && !lib_load(&snappy_lib, &c->api, err)) {
        snappy_free(&c->base);
        return NULL;
    }
    return c ? &c->base : NULL;
}

static uint32_t masked_sum(const char *p, size_t n)
{
    uint32_t crc = crc32c_end(crc32c_feed(CRC32C_START, p, n));

    return (crc >> 15 | crc << 17) + UINT32_C(0xa282ead8);
}

static void put_le(char *p, uint32_t v, int bytes)
{
    for (int i = 0; i < bytes; i++) {
        p[i] = (char)(v >> (8 * i) & 0xff);
    }
}

static uint32_t get_le(const char *p, int bytes)
{
    uint32_t v = 0;

    for (int i = 0; i < bytes; i++) {
        v |= (uint32_t)(uint8_t)p[i] << (8 * i);
    }
    return v;
}

/* ---- pack ---- */

/* Packed only when that saves an eighth, as others do: reading it then costs less. */
static void make_chunk(struct snappy *c)
{
    char *data = c->chunk + HEAD + SUM;
    size_t n = PACKED_MAX;
    bool packed =
        c->api.compress(c->plain, c->n, data, &n) == SNAPPY_OK && n <= c->n - c->n / 8;

    if (!packed) {
        n = c->n;
        memcpy(data, c->plain, n);
    }
    c->chunk[0] = packed ? CHUNK_PACKED : CHUNK_PLAIN;
    put_le(c->chunk + 1, (uint32_t)(SUM + n), 3);
    put_le(c->chunk + HEAD, masked_sum(c->plain, c->n), SUM);
    c->stage = (struct codec_stage){c->chunk, 0, HEAD + SUM + n};
    c->n = 0;
}

static bool pack(struct snappy *c, struct str *in, enum codec_input last, struct codec_out *out)
{
    while (codec_drain(&c->stage, out) && !c->base.done) {
        size_t give = PLAIN_MAX - c->n < in->n ? PLAIN_MAX - c->n : in->n;

        if (!c->begun) {
            memcpy(c->chunk, STREAM, STREAM_LEN);
            c->stage = (struct codec_stage){c->chunk, 0, STREAM_LEN};
            c->begun = true;
            continue;
        }
        if (give) {
            memcpy(c->plain + c->n, in->p, give);
        }
        c->n += give;
        *in = str_skip(*in, give);
        if (c->n == PLAIN_MAX || (last == CODEC_LAST && c->n)) {
            make_chunk(c);
        } else if (last == CODEC_LAST) {
            c->base.done = true;
        } else {
            break;
        }
    }
    return true;
}

/* ---- unpack ---- */

static bool take_packed(struct snappy *c, const char *data, size_t n, struct err *err)
{
    size_t plain;

    if (c->api.uncompressed_length(data, n, &plain) != SNAPPY_OK || plain > PLAIN_MAX) {
        return codec_damaged(&c->base, "impossible length of a chunk", err);
    }
    if (c->api.uncompress(data, n, c->plain, &plain) != SNAPPY_OK) {
        return codec_damaged(&c->base, "impossible chunk", err);
    }
    c->stage = (struct codec_stage){c->plain, 0, plain};
    return true;
}

/* A chunk is whole. */
static bool take_chunk(struct snappy *c, struct err *err)
{
    unsigned kind = (uint8_t)c->chunk[0];
    const char *data = c->chunk + HEAD + SUM;
    size_t n = c->n - HEAD;

    c->n = 0;
    if (kind == CHUNK_STREAM) {
        c->begun = memcmp(c->chunk, STREAM, STREAM_LEN) == 0;
        return c->begun || codec_damaged(&c->base, "no snappy header", err);
    }
    if (kind == CHUNK_PLAIN) {
        memcpy(c->plain, data, n - SUM);
        c->stage = (struct codec_stage){c->plain, 0, n - SUM};
    } else if (!take_packed(c, data, n - SUM, err)) {
        return false;
    }
    return masked_sum(c->stage.p, c->stage.n) == get_le(c->chunk + HEAD, SUM) ||
           codec_damaged(&c->base, "wrong checksum", err);
}

/* The head of a chunk is there: is it one that can be? Passed over: skip is set. */
static bool judge_head(struct snappy *c, size_t len, struct err *err)
{
    unsigned kind = (uint8_t)c->chunk[0];

    if (!c->begun && kind != CHUNK_STREAM) {
        return codec_damaged(&c->base, "no snappy header", err);
    }
    if (kind == CHUNK_STREAM) {
        return len == STREAM_LEN - HEAD || codec_damaged(&c->base, "no snappy header", err);
    }
    if (kind >= CHUNK_LATER) {
        c->skip = len;
        c->n = 0;
        return true;
    }
    if (kind > CHUNK_PLAIN) {
        return codec_damaged(&c->base, "chunk of an unknown kind", err);
    }
    return (len >= SUM && len <= SUM + (kind == CHUNK_PLAIN ? PLAIN_MAX : PACKED_MAX)) ||
           codec_damaged(&c->base, "impossible length of a chunk", err);
}

static void gather(struct snappy *c, struct str *in, size_t until)
{
    size_t give = until - c->n < in->n ? until - c->n : in->n;

    memcpy(c->chunk + c->n, in->p, give);
    c->n += give;
    *in = str_skip(*in, give);
}

static bool unpack_some(struct snappy *c, struct str *in, struct err *err)
{
    size_t len;

    if (c->skip) {
        size_t give = c->skip < in->n ? c->skip : in->n;

        c->skip -= give;
        *in = str_skip(*in, give);
        return true;
    }
    if (c->n < HEAD) {
        gather(c, in, HEAD);
        return c->n < HEAD || judge_head(c, get_le(c->chunk + 1, 3), err);
    }
    len = HEAD + get_le(c->chunk + 1, 3);
    gather(c, in, len);
    return c->n < len || take_chunk(c, err);
}

static bool unpack(struct snappy *c, struct str *in, enum codec_input last,
                   struct codec_out *out, struct err *err)
{
    while (codec_drain(&c->stage, out) && in->n) {
        if (!unpack_some(c, in, err)) {
            return false;
        }
    }
    if (last == CODEC_LAST && in->n == 0 && c->stage.at == c->stage.n &&
        (!c->begun || c->n || c->skip)) {
        return codec_too_early(&c->base, err);
    }
    return true;
}

static bool snappy_run(struct codec *base, struct str *in, enum codec_input last,
                       struct codec_out *out, struct err *err)
{
    struct snappy *c = (struct snappy *)base;

    return base->way == CODEC_PACK ? pack(c, in, last, out) : unpack(c, in, last, out, err);
}

const struct codec_ops codec_snappy = {snappy_new, snappy_run, snappy_free};
