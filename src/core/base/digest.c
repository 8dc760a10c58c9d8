/* SPDX-License-Identifier: PostgreSQL */
#include "digest.h"

#include "bug.h"
#include "crc32c.h"
#include "get.h"
#include "lib.h"

#include <nettle/md5.h>
#include <nettle/sha2.h>

#define NETTLE_LIST(X)                                                                         \
    X(start224, nettle_sha224_init)                                                            \
    X(start256, nettle_sha256_init)                                                            \
    X(feed256, nettle_sha256_update)                                                           \
    X(end224, nettle_sha224_digest)                                                            \
    X(end256, nettle_sha256_digest)                                                            \
    X(start384, nettle_sha384_init)                                                            \
    X(start512, nettle_sha512_init)                                                            \
    X(feed512, nettle_sha512_update)                                                           \
    X(end384, nettle_sha384_digest)                                                            \
    X(end512, nettle_sha512_digest)                                                            \
    X(start_md5, nettle_md5_init)                                                              \
    X(feed_md5, nettle_md5_update)                                                             \
    X(end_md5, nettle_md5_digest)

struct nettle_api {
    NETTLE_LIST(LIB_MEMBER)
};

static const char *const symbols[] = {NETTLE_LIST(LIB_SYMBOL)};

static const struct lib lib = {"libnettle.so.8",
                               "Install nettle (Debian: apt install libnettle8).", ERR_CONFIG,
                               symbols, sizeof symbols / sizeof symbols[0]};

/* Each thread's own, so that it needs no lock; filled by its first digest. */
static _Thread_local struct nettle_api nettle;

static bool load(enum digest_kind kind, struct err *err)
{
    bool is_needed = kind != DIGEST_NONE && kind != DIGEST_CRC32C;

    return !is_needed || nettle.start256 || lib_load(&lib, &nettle, err);
}

/* One that was begun goes on in another thread: nettle is loaded, and stays so. */
static void go_on(const struct digest *d)
{
    struct err err;
    bool is_there = load(d->kind, &err);

    BUG_IF(!is_there);
}

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

bool digest_init(struct digest *d, enum digest_kind kind, struct err *err)
{
    d->kind = DIGEST_NONE;
    if (!load(kind, err)) {
        return false;
    }
    d->kind = kind;
    switch (kind) {
    case DIGEST_NONE:
        break;
    case DIGEST_CRC32C:
        d->crc = CRC32C_START;
        break;
    case DIGEST_SHA224:
        nettle.start224(&d->sha256);
        break;
    case DIGEST_SHA256:
        nettle.start256(&d->sha256);
        break;
    case DIGEST_SHA384:
        nettle.start384(&d->sha512);
        break;
    case DIGEST_SHA512:
        nettle.start512(&d->sha512);
        break;
    case DIGEST_MD5:
        nettle.start_md5(&d->md5);
        break;
    }
    return true;
}

void digest_feed(struct digest *d, const void *p, size_t n)
{
    go_on(d);
    switch (d->kind) {
    case DIGEST_NONE:
        break;
    case DIGEST_CRC32C:
        d->crc = crc32c_feed(d->crc, p, n);
        break;
    case DIGEST_SHA224:
    case DIGEST_SHA256:
        nettle.feed256(&d->sha256, n, p);
        break;
    case DIGEST_SHA384:
    case DIGEST_SHA512:
        nettle.feed512(&d->sha512, n, p);
        break;
    case DIGEST_MD5:
        nettle.feed_md5(&d->md5, n, p);
        break;
    }
}

void digest_end(struct digest *d, uint8_t out[DIGEST_MAX])
{
    go_on(d);
    switch (d->kind) {
    case DIGEST_NONE:
        break;
    case DIGEST_CRC32C:
        put_le32(out, crc32c_end(d->crc));
        break;
    case DIGEST_SHA224:
        nettle.end224(&d->sha256, digest_size(d->kind), out);
        break;
    case DIGEST_SHA256:
        nettle.end256(&d->sha256, digest_size(d->kind), out);
        break;
    case DIGEST_SHA384:
        nettle.end384(&d->sha512, digest_size(d->kind), out);
        break;
    case DIGEST_SHA512:
        nettle.end512(&d->sha512, digest_size(d->kind), out);
        break;
    case DIGEST_MD5:
        nettle.end_md5(&d->md5, digest_size(d->kind), out);
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
