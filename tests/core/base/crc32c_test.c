/* SPDX-License-Identifier: PostgreSQL */
/* Expected values: RFC 3720, appendix B.4 (there as bytes, low one first), and the check value
 * of the CRC catalogue for "123456789". */
#include "base/crc32c.h"

#include "harness.h"

static const uint8_t zeros[32];
static uint8_t ones[32], up[32], down[32];
static const uint8_t read10[48] = {
    0x01, 0xc0, 0, 0,    0, 0, 0, 0,    0,    0, 0, 0, 0, 0, 0, 0, 0x14, 0, 0, 0, 0, 0, 0x04, 0,
    0,    0,    0, 0x14, 0, 0, 0, 0x18, 0x28, 0, 0, 0, 0, 0, 0, 0, 0x02, 0, 0, 0, 0, 0, 0,    0,
};

static const struct row {
    const char *label;
    const void *p;
    size_t n;
    uint32_t sum;
} rows[] = {
    {"nothing", zeros, 0, 0},
    {"32 zeros", zeros, 32, 0x8A9136AA},
    {"32 ones", ones, 32, 0x62A8AB43},
    {"ascending", up, 32, 0x46DD794E},
    {"descending", down, 32, 0x113FDB5C},
    {"iSCSI read", read10, 48, 0xD9963A56},
    {"digits", "123456789", 9, 0xE3069283},
};

static void check_row(void **state)
{
    const struct row *r = *state;

    for (int i = 0; i < 32; i++) {
        ones[i] = 0xFF;
        up[i] = (uint8_t)i;
        down[i] = (uint8_t)(31 - i);
    }
    assert_int_equal(crc32c_end(crc32c_feed(CRC32C_START, r->p, r->n)), r->sum);
    assert_int_equal(crc32c_end(crc32c_feed_table(CRC32C_START, r->p, r->n)), r->sum);
}

/* Every length and alignment, and every place to cut, over bytes of a small generator. */
static void both_ways_are_equal(void **state)
{
    uint8_t b[300];
    uint32_t x = 2463534242u;

    (void)state;
    for (size_t i = 0; i < sizeof b; i++) {
        x ^= x << 13;
        x ^= x >> 17;
        x ^= x << 5;
        b[i] = (uint8_t)x;
    }
    for (size_t at = 0; at < 9; at++) {
        for (size_t n = 0; n + at <= sizeof b; n++) {
            uint32_t whole = crc32c_feed_table(CRC32C_START, b + at, n);
            size_t cut = n / 3;
            assert_int_equal(crc32c_feed(CRC32C_START, b + at, n), whole);
            assert_int_equal(
                crc32c_feed(crc32c_feed(CRC32C_START, b + at, cut), b + at + cut, n - cut),
                whole);
        }
    }
}

TEST_MAIN(ROWS(rows, check_row), ONE(both_ways_are_equal))
