/* SPDX-License-Identifier: PostgreSQL */
#include "digest.h"

#include "bug.h"
#include "crc32c.h"
#include "get.h"

static const struct {
    const char *name;
    size_t size;
} kinds[] = {
    [DIGEST_NONE] = {"NONE", 0},      [DIGEST_CRC32C] = {"CRC32C", 4},
    [DIGEST_SHA224] = {"SHA224", 28}, [DIGEST_SHA256] = {"SHA256", 32},
    [DIGEST_SHA384] = {"SHA384", 48}, [DIGEST_SHA512] = {"SHA512", 64},
    [DIGEST_MD5] = {"MD5", 16},
};

bool digest_kind_of(struct str name, enum digest_kind *out)
{
    for (size_t i = 0; i < DIGEST_MD5; i++) {
        /* PostgreSQL compares without case and writes upper case. */
        if (str_eq_nocase(name, kinds[i].name)) {
            *out = (enum digest_kind)i;
            return true;
        }
    }
    return false;
}

const char *digest_name(enum digest_kind kind)
{
    return kinds[kind].name;
}

size_t digest_size(enum digest_kind kind)
{
    return kinds[kind].size;
}

void digest_init(struct digest *d, enum digest_kind kind)
{
    d->kind = kind;
    switch (kind) {
    case DIGEST_NONE:
        break;
    case DIGEST_CRC32C:
        d->crc = CRC32C_START;
        break;
    case DIGEST_SHA224:
        sha224_init(&d->sha256);
        break;
    case DIGEST_SHA256:
        sha256_init(&d->sha256);
        break;
    case DIGEST_SHA384:
        sha384_init(&d->sha512);
        break;
    case DIGEST_SHA512:
        sha512_init(&d->sha512);
        break;
    case DIGEST_MD5:
        md5_init(&d->md5);
        break;
    }
}

void digest_feed(struct digest *d, const void *p, size_t n)
{
    switch (d->kind) {
    case DIGEST_NONE:
        break;
    case DIGEST_CRC32C:
        d->crc = crc32c_feed(d->crc, p, n);
        break;
    case DIGEST_SHA224:
    case DIGEST_SHA256:
        sha256_update(&d->sha256, n, p);
        break;
    case DIGEST_SHA384:
    case DIGEST_SHA512:
        sha512_update(&d->sha512, n, p);
        break;
    case DIGEST_MD5:
        md5_update(&d->md5, n, p);
        break;
    }
}

void digest_end(struct digest *d, uint8_t out[DIGEST_MAX])
{
    switch (d->kind) {
    case DIGEST_NONE:
        break;
    case DIGEST_CRC32C:
        put_le32(out, crc32c_end(d->crc));
        break;
    case DIGEST_SHA224:
        sha224_digest(&d->sha256, digest_size(d->kind), out);
        break;
    case DIGEST_SHA256:
        sha256_digest(&d->sha256, digest_size(d->kind), out);
        break;
    case DIGEST_SHA384:
        sha384_digest(&d->sha512, digest_size(d->kind), out);
        break;
    case DIGEST_SHA512:
        sha512_digest(&d->sha512, digest_size(d->kind), out);
        break;
    case DIGEST_MD5:
        md5_digest(&d->md5, digest_size(d->kind), out);
        break;
    }
}

const char *hex_text(const uint8_t *p, size_t n, char *out, size_t cap)
{
    static const char digit[] = "0123456789abcdef";

    BUG_IF(cap < 2 * n + 1);
    for (size_t i = 0; i < n; i++) {
        out[2 * i] = digit[p[i] >> 4];
        out[2 * i + 1] = digit[p[i] & 15];
    }
    out[2 * n] = '\0';
    return out;
}

bool hex_bytes(struct str text, uint8_t *out, size_t n)
{
    if (text.n != 2 * n) {
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        uint64_t v;
        struct str two = str_n(text.p + 2 * i, 2);
        if (!str_take_hex(&two, &v) || two.n) {
            return false;
        }
        out[i] = (uint8_t)v;
    }
    return true;
}
