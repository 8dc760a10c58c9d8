/* SPDX-License-Identifier: PostgreSQL */
/* Sums: the examples of FIPS 180-4 ("abc", the 448-bit message, a million times 'a'); CRC-32C:
 * the check value of the algorithm, E3069283, in memory order. */
#include "base/digest.h"

#include "harness.h"

static const char two_blocks[] = "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq";

static const struct row {
    const char *label;
    enum digest_kind kind;
    const char *text;
    const char *hex;
} rows[] = {
    {"none", DIGEST_NONE, "abc", ""},
    {"CRC32C check value", DIGEST_CRC32C, "123456789", "839206e3"},
    {"CRC32C of nothing", DIGEST_CRC32C, "", "00000000"},
    {"SHA224 abc", DIGEST_SHA224, "abc",
     "23097d223405d8228642a477bda255b32aadbce4bda0b3f7e36c9da7"},
    {"SHA256 of nothing", DIGEST_SHA256, "",
     "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
    {"SHA256 abc", DIGEST_SHA256, "abc",
     "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
    {"SHA256 two blocks", DIGEST_SHA256, two_blocks,
     "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
    {"SHA384 abc", DIGEST_SHA384, "abc",
     "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed"
     "8086072ba1e7cc2358baeca134c825a7"},
    {"SHA512 abc", DIGEST_SHA512, "abc",
     "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
     "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f"},
};

static void check_row(void **state)
{
    const struct row *r = *state;
    size_t n = strlen(r->text);
    uint8_t sum[DIGEST_MAX], fork_sum[DIGEST_MAX];
    char hex[DIGEST_HEX_CAP];
    struct err err = {0};
    enum digest_kind back;

    for (size_t cut = 0; cut <= n; cut++) {
        struct digest d, fork;
        assert_true(digest_init(&d, r->kind, &err));
        digest_feed(&d, r->text, cut);
        fork = d; /* a running sum is a value */
        digest_feed(&d, r->text + cut, n - cut);
        digest_end(&d, sum);
        assert_string_equal(hex_text(sum, digest_size(r->kind), hex, sizeof hex), r->hex);
        digest_feed(&fork, r->text + cut, n - cut);
        digest_end(&fork, fork_sum);
        assert_memory_equal(sum, fork_sum, digest_size(r->kind));
    }
    assert_true(digest_kind_of(str_of(digest_name(r->kind)), &back));
    assert_int_equal(back, r->kind);
    assert_int_equal(strlen(r->hex), 2 * digest_size(r->kind));
}

static void million_a(void **state)
{
    static char a[1000];
    uint8_t sum[DIGEST_MAX];
    char hex[DIGEST_HEX_CAP];
    struct err err = {0};
    struct digest d;

    (void)state;
    memset(a, 'a', sizeof a);
    assert_true(digest_init(&d, DIGEST_SHA256, &err));
    for (int i = 0; i < 1000; i++) {
        digest_feed(&d, a, sizeof a);
    }
    digest_end(&d, sum);
    assert_string_equal(hex_text(sum, 32, hex, sizeof hex),
                        "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

static const struct hex_row {
    const char *label;
    const char *text;
    size_t n;
    bool ok;
} hex_rows[] = {
    {"two bytes", "00ff", 2, true},  {"upper case", "0AFf", 2, true},
    {"nothing", "", 0, true},        {"too short", "00f", 2, false},
    {"too long", "00ff0", 2, false}, {"not hex", "00fg", 2, false},
    {"a blank", "00 f", 2, false},   {"a prefix", "0x10", 2, false},
    {"a sign", "+0-1", 2, false},
};

static void check_hex(void **state)
{
    const struct hex_row *r = *state;
    uint8_t out[8];

    assert_int_equal(hex_bytes(str_of(r->text), out, r->n), r->ok);
}

static const struct name_row {
    const char *label;
    const char *name;
} bad_names[] = {
    {"empty name", ""},
    {"unknown name", "MD5"},
    {"name with a blank", "SHA256 "},
    {"cut name", "SHA"},
};

static void check_bad_name(void **state)
{
    const struct name_row *r = *state;
    enum digest_kind kind;

    assert_false(digest_kind_of(str_of(r->name), &kind));
}

TEST_MAIN(ROWS(rows, check_row), ROWS(hex_rows, check_hex), ROWS(bad_names, check_bad_name),
          ONE(million_a))
