/* SPDX-License-Identifier: PostgreSQL */
/* crc32c.h - CRC-32C (Castagnoli), as PostgreSQL uses it for WAL, control file and manifests.
 *
 * Start with CRC32C_START, feed, end with crc32c_end(): initial value and final xor are both
 * 0xFFFFFFFF. The processor's instruction is used where it has one (SSE 4.2, ARMv8), chosen at
 * the first call; a table of 8 x 256 entries elsewhere. Both give the same answer.
 */
#ifndef BASE_CRC32C_H
#define BASE_CRC32C_H

#include <stddef.h>
#include <stdint.h>

#define CRC32C_START UINT32_C(0xFFFFFFFF)

uint32_t crc32c_feed(uint32_t crc, const void *p, size_t n);
uint32_t crc32c_feed_table(uint32_t crc, const void *p, size_t n); /* the portable one */

static inline uint32_t crc32c_end(uint32_t crc)
{
    return crc ^ UINT32_C(0xFFFFFFFF);
}

#endif
