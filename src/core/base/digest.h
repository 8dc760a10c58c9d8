/* SPDX-License-Identifier: PostgreSQL */
/* digest.h - the checksums a backup_manifest can name, behind one face.
 *
 * NONE, CRC32C, SHA224, SHA256, SHA384, SHA512 with PostgreSQL's names. A value: copy it to
 * fork a running sum. CRC32C gives its four bytes in memory order of a little-endian host, as
 * PostgreSQL prints them. SHA and MD5 come from nettle, which is loaded when the first of them is
 * made.
 *
 * Errors   ERR_CONFIG of digest_init(): nettle is not installed.
 */
#ifndef BASE_DIGEST_H
#define BASE_DIGEST_H

#include "barkeep/err.h"
#include "barkeep/str.h"

#include <nettle/md5.h>
#include <nettle/sha2.h>
#include <stdbool.h>
#include <stdint.h>

enum digest_kind {
    DIGEST_NONE,
    DIGEST_CRC32C,
    DIGEST_SHA224,
    DIGEST_SHA256,
    DIGEST_SHA384,
    DIGEST_SHA512,
    DIGEST_MD5 /* of old MD5SUMS; no manifest names it */
};

#define DIGEST_MAX     64
#define DIGEST_HEX_CAP (2 * DIGEST_MAX + 1)

struct digest {
    enum digest_kind kind;
    union {
        uint32_t crc;
        struct sha256_ctx sha256; /* and 224 */
        struct sha512_ctx sha512; /* and 384 */
        struct md5_ctx md5;
    };
};

bool digest_kind_of(struct str name, enum digest_kind *out); /* "SHA256" */
const char *digest_name(enum digest_kind kind);
size_t digest_size(enum digest_kind kind); /* bytes of the sum: 0, 4, 28, 32, 48, 64, 16 */

MUST_CHECK bool digest_init(struct digest *d, enum digest_kind kind, struct err *err);
void digest_feed(struct digest *d, const void *p, size_t n);
void digest_end(struct digest *d, uint8_t out[DIGEST_MAX]);

/* Lower-case hex of n bytes, and back; false when text is not 2*n hex digits. */
const char *hex_text(const uint8_t *p, size_t n, char *out, size_t cap);
bool hex_bytes(struct str text, uint8_t *out, size_t n);

#endif
