/* SPDX-License-Identifier: PostgreSQL */
/* Magic numbers are from the formats' own documents. hello_gz was made by gzip -9n. */
#include "harness.h"

#include "repo/codec.h"

static const struct row {
    const char *label;
    const char *head;
    size_t n;
    enum codec_kind kind;
} rows[] = {
    {"gzip", "\x1f\x8b\x08\x00", 4, CODEC_GZIP},
    {"gzip, other method", "\x1f\x8b\x07\x00", 4, CODEC_NONE},
    {"bzip2", "BZh9", 4, CODEC_BZIP2},
    {"xz",
     "\xfd"
     "7zXZ\x00\x00",
     7, CODEC_XZ},
    {"zstd", "\x28\xb5\x2f\xfd", 4, CODEC_ZSTD},
    {"lz4", "\x04\x22\x4d\x18", 4, CODEC_LZ4},
    {"snappy", "\xff\x06\x00\x00sNaPpY", 10, CODEC_SNAPPY},
    {"WAL of 15", "\x10\xd1\x02\x00", 4, CODEC_NONE},
    {"two bytes", "\x1f\x8b", 2, CODEC_NONE},
    {"nothing", "", 0, CODEC_NONE},
    {"snappy cut", "\xff\x06\x00\x00sNaPp", 9, CODEC_NONE},
};

static void check_row(void **state)
{
    const struct row *row = *state;

    assert_int_equal(codec_detect(row->head, row->n), row->kind);
}

/* Everything through the codec in pieces of the given sizes; false at its first failure. */
static bool through(struct codec *c, struct str in, size_t feed, size_t room, char *out,
                    size_t cap, size_t *n, struct err *err)
{
    bool last = false;

    *n = 0;
    for (int turn = 0; turn < 1000000; turn++) {
        struct str piece = str_n(in.p, in.n < feed ? in.n : feed);
        size_t before = piece.n;
        struct codec_out o = {out + *n, cap - *n < room ? cap - *n : room, 0};

        last = in.n == before;
        if (!codec_run(c, &piece, last ? CODEC_LAST : CODEC_MORE_COMES, &o, err)) {
            return false;
        }
        in = str_skip(in, before - piece.n);
        *n += o.got;
        if (last && in.n == 0 && o.got == 0) {
            return true;
        }
        if (*n == cap) {
            return true;
        }
    }
    fail_msg("the codec does not come to an end");
    return false;
}

static const size_t piece[] = {1, 7, 4096, 1 << 20};

static void there_and_back(void **state)
{
    static char plain[300000], packed[400000], back[300001];
    struct err err = {0};
    size_t n, m;

    (void)state;
    for (size_t i = 0; i < sizeof plain; i++) {
        plain[i] = (char)(i * i >> 7);
    }
    for (size_t i = 0; i < sizeof piece / sizeof piece[0]; i++) {
        struct codec *c = codec_new(CODEC_GZIP, CODEC_PACK, 6, &err);

        assert_true(through(c, str_n(plain, sizeof plain), piece[i], 5000, packed,
                            sizeof packed, &n, &err));
        codec_free(c);
        assert_int_equal(codec_detect(packed, n), CODEC_GZIP);
        c = codec_new(CODEC_GZIP, CODEC_UNPACK, 0, &err);
        assert_true(through(c, str_n(packed, n), piece[i], 777, back, sizeof back, &m, &err));
        codec_free(c);
        assert_int_equal(m, sizeof plain);
        assert_memory_equal(back, plain, sizeof plain);
    }
}

static const unsigned char hello_gz[] = {
    0x1f, 0x8b, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02, 0x03, 0xcb, 0x48, 0xcd,
    0xc9, 0xc9, 0xe7, 0x02, 0x00, 0x20, 0x30, 0x3a, 0x36, 0x06, 0x00, 0x00, 0x00,
};

static const struct unpack_row {
    const char *label;
    size_t n;         /* bytes of hello_gz */
    int twice;        /* two members one after the other */
    int at;           /* this byte is changed; -1: none */
    const char *text; /* NULL: refused */
} unpack_rows[] = {
    {"whole", sizeof hello_gz, 0, -1, "hello\n"},
    {"two members", sizeof hello_gz, 1, -1, "hello\nhello\n"},
    {"without its end", sizeof hello_gz - 1, 0, -1, NULL},
    {"only the header", 10, 0, -1, NULL},
    {"half a header", 5, 0, -1, NULL},
    {"wrong checksum", sizeof hello_gz, 0, 18, NULL},
    {"wrong length", sizeof hello_gz, 0, 22, NULL},
    {"wrong magic", sizeof hello_gz, 0, 0, NULL},
    {"damaged data", sizeof hello_gz, 0, 10, NULL},
};

static void check_unpack(void **state)
{
    const struct unpack_row *row = *state;
    struct codec *c;
    struct err err = {0};
    char in[2 * sizeof hello_gz], out[64] = "";
    size_t n;

    memcpy(in, hello_gz, sizeof hello_gz);
    memcpy(in + sizeof hello_gz, hello_gz, sizeof hello_gz);
    if (row->at >= 0) {
        in[row->at] = (char)(in[row->at] ^ 0x55);
    }
    for (size_t i = 0; i < sizeof piece / sizeof piece[0]; i++) {
        c = codec_new(CODEC_GZIP, CODEC_UNPACK, 0, &err);
        assert_int_equal(through(c, str_n(in, row->twice ? sizeof in : row->n), piece[i],
                                 sizeof out, out, sizeof out, &n, &err),
                         row->text != NULL);
        codec_free(c);
        if (row->text) {
            assert_int_equal(n, strlen(row->text));
            assert_memory_equal(out, row->text, n);
        } else {
            assert_int_equal(err.code, ERR_FORMAT);
        }
    }
}

static void names(void **state)
{
    (void)state;
    assert_string_equal(codec_name(CODEC_NONE), "");
    assert_string_equal(codec_name(CODEC_GZIP), "gzip");
    assert_true(codec_can(CODEC_GZIP));
    assert_false(codec_can(CODEC_ZSTD));
}

TEST_MAIN(ROWS(rows, check_row), ONE(there_and_back), ROWS(unpack_rows, check_unpack),
          ONE(names))
