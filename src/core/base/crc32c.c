/* SPDX-License-Identifier: PostgreSQL */
#include "base/crc32c.h"

#include <string.h>

#if defined(__x86_64__)
#include <nmmintrin.h>
#elif defined(__ARM_FEATURE_CRC32)
#include <arm_acle.h>
#endif

#define POLYNOMIAL UINT32_C(0x82F63B78) /* Castagnoli, reflected */

/* table[k][b]: what byte b does to the sum when k more bytes follow it. Filled before main(),
 * so that no thread ever sees half of it. */
static uint32_t table[8][256];

__attribute__((constructor)) static void table_fill(void)
{
    for (uint32_t b = 0; b < 256; b++) {
        uint32_t v = b;
        for (int bit = 0; bit < 8; bit++) {
            v = v >> 1 ^ (v & 1 ? POLYNOMIAL : 0);
        }
        table[0][b] = v;
    }
    for (int k = 1; k < 8; k++) {
        for (int b = 0; b < 256; b++) {
            uint32_t v = table[k - 1][b];
            table[k][b] = v >> 8 ^ table[0][v & 0xFF];
        }
    }
}

static uint32_t le32(const uint8_t *p)
{
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

uint32_t crc32c_feed_table(uint32_t crc, const void *p, size_t n)
{
    const uint8_t *b = p;

    for (; n >= 8; n -= 8, b += 8) {
        uint32_t lo = le32(b) ^ crc;
        uint32_t hi = le32(b + 4);

        crc = table[7][lo & 0xFF] ^ table[6][lo >> 8 & 0xFF] ^ table[5][lo >> 16 & 0xFF] ^
              table[4][lo >> 24] ^ table[3][hi & 0xFF] ^ table[2][hi >> 8 & 0xFF] ^
              table[1][hi >> 16 & 0xFF] ^ table[0][hi >> 24];
    }
    for (; n > 0; n--, b++) {
        crc = crc >> 8 ^ table[0][(crc ^ *b) & 0xFF];
    }
    return crc;
}

#if defined(__x86_64__)
__attribute__((target("sse4.2"))) static uint32_t feed_sse42(uint32_t crc, const uint8_t *b,
                                                             size_t n)
{
    uint64_t wide = crc;

    for (; n >= 8; n -= 8, b += 8) {
        uint64_t v;
        memcpy(&v, b, sizeof v);
        wide = _mm_crc32_u64(wide, v);
    }
    crc = (uint32_t)wide;
    if (n >= 4) {
        uint32_t v;
        memcpy(&v, b, sizeof v);
        crc = _mm_crc32_u32(crc, v);
        b += 4;
        n -= 4;
    }
    for (; n > 0; n--, b++) {
        crc = _mm_crc32_u8(crc, *b);
    }
    return crc;
}
#elif defined(__ARM_FEATURE_CRC32)
static uint32_t feed_arm(uint32_t crc, const uint8_t *b, size_t n)
{
    for (; n >= 8; n -= 8, b += 8) {
        uint64_t v;
        memcpy(&v, b, sizeof v);
        crc = __crc32cd(crc, v);
    }
    for (; n > 0; n--, b++) {
        crc = __crc32cb(crc, *b);
    }
    return crc;
}
#endif

uint32_t crc32c_feed(uint32_t crc, const void *p, size_t n)
{
#if defined(__x86_64__)
    if (__builtin_cpu_supports("sse4.2")) {
        return feed_sse42(crc, p, n);
    }
#elif defined(__ARM_FEATURE_CRC32)
    return feed_arm(crc, p, n);
#endif
    return crc32c_feed_table(crc, p, n);
}
