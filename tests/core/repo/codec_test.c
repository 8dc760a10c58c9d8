/* SPDX-License-Identifier: PostgreSQL */
/* Magic numbers are from the formats' own documents. The hello_ arrays were made by gzip -9n,
 * bzip2 -9, xz, zstd and lz4, hello_sz by hand after framing_format.txt, its CRC-32C computed
 * bit by bit elsewhere. */
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
    {"custom, not told", "\x77\x01", 2, CODEC_NONE},
    {"WAL of 15", "\x10\xd1\x02\x00", 4, CODEC_NONE},
    {"two bytes", "\x1f\x8b", 2, CODEC_NONE},
    {"nothing", "", 0, CODEC_NONE},
    {"snappy cut", "\xff\x06\x00\x00sNaPp", 9, CODEC_NONE},
};

static void check_row(void **state)
{
    const struct row *row = *state;

    assert_int_equal(codec_detect(row->head, row->n, NULL), row->kind);
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

static const struct codec_custom custom = {
    .pack = "sed s/^/x/", .unpack = "sed s/^x//", .magic = "x", .magic_len = 1};

static const struct there_row {
    const char *label;
    enum codec_kind kind, seen;
    int level;
} there_rows[] = {
    {"gzip", CODEC_GZIP, CODEC_GZIP, 6},
    {"gzip 1", CODEC_GZIP, CODEC_GZIP, 1},
    {"pigz", CODEC_PIGZ, CODEC_GZIP, 9},
    {"pygzip", CODEC_PYGZIP, CODEC_GZIP, 6},
    {"bzip2", CODEC_BZIP2, CODEC_BZIP2, 5},
    {"pybzip2", CODEC_PYBZIP2, CODEC_BZIP2, 1},
    {"xz", CODEC_XZ, CODEC_XZ, 1},
    {"zstd", CODEC_ZSTD, CODEC_ZSTD, 4},
    {"zstd -22", CODEC_ZSTD, CODEC_ZSTD, -22},
    {"lz4", CODEC_LZ4, CODEC_LZ4, 0},
    {"lz4 16", CODEC_LZ4, CODEC_LZ4, 16},
    {"snappy", CODEC_SNAPPY, CODEC_SNAPPY, 0},
    {"custom", CODEC_CUSTOM, CODEC_CUSTOM, 0},
};

/* Half of it can be packed, half cannot. */
static char plain[300000], packed[400000], back[300001];

static void fill_plain(void)
{
    uint32_t x = 1;

    for (size_t i = 0; i < sizeof plain; i++) {
        x = x * 1664525 + 1013904223;
        plain[i] = (char)(i < sizeof plain / 2 ? i * i >> 7 : x >> 24);
    }
    plain[sizeof plain - 1] = '\n';
}

static void there_and_back(void **state)
{
    const struct there_row *row = *state;
    struct err err = {0};
    size_t n, m;

    fill_plain();
    for (size_t i = row->kind == CODEC_CUSTOM ? 2 : 0; i < sizeof piece / sizeof piece[0];
         i++) {
        struct codec *c = codec_new(row->kind, CODEC_PACK, row->level, &custom, &err);

        assert_true(through(c, str_n(plain, sizeof plain), piece[i], 5000, packed,
                            sizeof packed, &n, &err));
        codec_free(c);
        assert_int_equal(codec_detect(packed, n, &custom), row->seen);
        c = codec_new(row->seen, CODEC_UNPACK, 0, &custom, &err);
        assert_true(through(c, str_n(packed, n), piece[i], 777, back, sizeof back, &m, &err));
        codec_free(c);
        assert_int_equal(m, sizeof plain);
        assert_memory_equal(back, plain, sizeof plain);
    }
}

/* What is packed from nothing unpacks to nothing; no bytes at all are no packed file. */
static void nothing_at_all(void **state)
{
    const struct there_row *row = *state;
    struct err err = {0};
    size_t n, m;
    struct codec *c = codec_new(row->kind, CODEC_PACK, row->level, &custom, &err);

    assert_true(through(c, str_of(""), 1, 100, packed, sizeof packed, &n, &err));
    codec_free(c);
    c = codec_new(row->seen, CODEC_UNPACK, 0, &custom, &err);
    assert_true(through(c, str_n(packed, n), 1, 100, back, sizeof back, &m, &err));
    codec_free(c);
    assert_int_equal(m, 0);
    if (row->kind != CODEC_CUSTOM) {
        c = codec_new(row->seen, CODEC_UNPACK, 0, NULL, &err);
        assert_false(through(c, str_of(""), 1, 100, back, sizeof back, &m, &err));
        assert_int_equal(err.code, ERR_FORMAT);
        codec_free(c);
    }
}

/* Every byte changed, every length cut: refused or, where the byte does not matter, the same. */
static void damage(void **state)
{
    const struct there_row *row = *state;
    struct err err = {0};
    struct str text =
        STR_LIT("a line of text that is long enough to be packed, packed, packed\n");
    struct codec *c;
    size_t n, m;

    if (row->kind == CODEC_CUSTOM) {
        return;
    }
    c = codec_new(row->kind, CODEC_PACK, row->level, NULL, &err);
    assert_true(through(c, text, 4096, 5000, packed, sizeof packed, &n, &err));
    codec_free(c);
    for (size_t i = 0; i < 2 * n; i++) {
        bool cut = i >= n, ok;

        if (!cut) {
            packed[i] = (char)(packed[i] ^ 0x41);
        }
        c = codec_new(row->seen, CODEC_UNPACK, 0, NULL, &err);
        ok =
            through(c, str_n(packed, cut ? i - n : n), 4096, 5000, back, sizeof back, &m, &err);
        codec_free(c);
        /* snappy has no end: cut behind its header it is an empty stream */
        assert_false(cut && ok && (row->kind != CODEC_SNAPPY || m > 0));
        assert_true(!ok || (m == text.n && memcmp(back, text.p, m) == 0) || m == 0);
        if (!cut) {
            packed[i] = (char)(packed[i] ^ 0x41);
        }
    }
}

static const struct whole_row {
    const char *label;
    enum codec_kind kind;
    int level;
} whole_rows[] = {
    {"gzip", CODEC_GZIP, 6},     {"pigz", CODEC_PIGZ, 1},       {"pygzip", CODEC_PYGZIP, 9},
    {"zstd", CODEC_ZSTD, 1},     {"zstd -22", CODEC_ZSTD, -22}, {"lz4", CODEC_LZ4, 0},
    {"lz4 high", CODEC_LZ4, 10},
};

/* Two pieces by one packer, one after the other in one file, read as a stream. */
static void all_at_once(void **state)
{
    const struct whole_row *row = *state;
    struct codec_out out = {packed, sizeof packed, 0};
    struct err err = {0};
    struct codec_whole *w;
    struct codec *c;
    size_t n, half = sizeof plain / 2;

    fill_plain();
    assert_true(codec_has_whole(row->kind));
    w = codec_whole_new(row->kind, row->level, &err);
    assert_non_null(w);
    assert_true(codec_whole_bound(w, sizeof plain) >= half);
    assert_true(codec_whole_pack(w, str_n(plain, half), &out, &err));
    n = out.got;
    out = (struct codec_out){packed + n, sizeof packed - n, 0};
    assert_true(codec_whole_pack(w, str_n(plain + half, half), &out, &err));
    n += out.got;
    out = (struct codec_out){packed + n, 100, 0};
    assert_false(codec_whole_pack(w, str_n(plain, sizeof plain), &out, &err));
    assert_int_equal(err.code, ERR_FORMAT);
    codec_whole_free(w);
    c = codec_new(row->kind, CODEC_UNPACK, 0, NULL, &err);
    assert_true(through(c, str_n(packed, n), 4096, 5000, back, sizeof back, &n, &err));
    codec_free(c);
    assert_int_equal(n, sizeof plain);
    assert_memory_equal(back, plain, sizeof plain);
}

static void unpacked_at_once(void **state)
{
    struct codec_out out = {packed, sizeof packed, 0}, again = {back, sizeof plain, 0};
    struct err err = {0};
    struct codec_whole *w = codec_whole_new(CODEC_GZIP, 6, &err);

    (void)state;
    fill_plain();
    assert_non_null(w);
    assert_true(codec_whole_pack(w, str_n(plain, sizeof plain), &out, &err));
    codec_whole_free(w);
    assert_true(codec_whole_unpack(CODEC_GZIP, str_n(packed, out.got), &again));
    assert_int_equal(again.got, sizeof plain);
    assert_memory_equal(back, plain, sizeof plain);
    again.cap--; /* no room */
    assert_false(codec_whole_unpack(CODEC_GZIP, str_n(packed, out.got), &again));
    again.cap++; /* something follows */
    assert_false(codec_whole_unpack(CODEC_GZIP, str_n(packed, out.got + 1), &again));
    packed[out.got / 2] ^= 1;
    assert_false(codec_whole_unpack(CODEC_GZIP, str_n(packed, out.got), &again));
    packed[out.got / 2] ^= 1;
    assert_false(codec_whole_unpack(CODEC_ZSTD, str_n(packed, out.got), &again));
    assert_false(codec_has_whole(CODEC_XZ));
    assert_false(codec_has_whole(CODEC_NONE));
}

static const struct custom_row {
    const char *label, *pack;
    enum err_code code;
    const char *why;
} custom_rows[] = {
    {"its status", "cat; echo no luck >&2; exit 3", ERR_IO, "no luck"},
    {"its signal", "kill -9 $$", ERR_IO, "signal 9"},
    {"not there", "/nowhere/to/be/found", ERR_IO, "not found"},
    {"reads nothing and fails", "exit 1", ERR_IO, "exit status 1"},
    {"not set", NULL, ERR_CONFIG, "custom_compression_filter"},
};

static void custom_fails(void **state)
{
    const struct custom_row *row = *state;
    struct codec_custom bad = {.pack = row->pack};
    struct err err = {0};
    size_t n;
    struct codec *c;

    fill_plain();
    c = codec_new(CODEC_CUSTOM, CODEC_PACK, 0, &bad, &err);
    assert_true(!c == !row->pack);
    if (c) {
        assert_false(through(c, str_n(plain, sizeof plain), 4096, 5000, packed, sizeof packed,
                             &n, &err));
        codec_free(c);
    }
    assert_int_equal(err.code, row->code);
    assert_non_null(strstr(err.why, row->why));
}

/* Freed in the middle: nothing is left behind and nothing waits. */
static void custom_given_up(void **state)
{
    struct codec_custom slow = {.pack = "sleep 100; cat", .path = "/nowhere"};
    struct err err = {0};
    struct codec *c = codec_new(CODEC_CUSTOM, CODEC_PACK, 0, &slow, &err);

    (void)state;
    assert_non_null(c);
    codec_free(c);
}

static const struct level_row {
    const char *label;
    enum codec_kind kind;
    const char *level;
    int expect;
} level_rows[] = {
    {"gzip, nothing said", CODEC_GZIP, NULL, 6},
    {"gzip low", CODEC_GZIP, "low", 1},
    {"gzip high", CODEC_GZIP, "high", 9},
    {"gzip 0", CODEC_GZIP, "0", 1},
    {"gzip 99", CODEC_GZIP, "99", 9},
    {"gzip 3", CODEC_GZIP, "3", 3},
    {"pigz -5", CODEC_PIGZ, "-5", 1},
    {"bzip2 medium", CODEC_BZIP2, "medium", 5},
    {"bzip2 low", CODEC_BZIP2, "low", 1},
    {"bzip2 high", CODEC_BZIP2, "high", 9},
    {"xz medium", CODEC_XZ, "medium", 3},
    {"xz high", CODEC_XZ, "high", 5},
    {"xz 9", CODEC_XZ, "9", 9},
    {"xz 10", CODEC_XZ, "10", 9},
    {"zstd medium", CODEC_ZSTD, "medium", 4},
    {"zstd low", CODEC_ZSTD, "low", 1},
    {"zstd high", CODEC_ZSTD, "high", 9},
    {"zstd -22", CODEC_ZSTD, "-22", -22},
    {"zstd -23", CODEC_ZSTD, "-23", -22},
    {"zstd 23", CODEC_ZSTD, "23", 22},
    {"lz4 low", CODEC_LZ4, "low", 0},
    {"lz4 medium", CODEC_LZ4, "medium", 6},
    {"lz4 high", CODEC_LZ4, "high", 10},
    {"lz4 17", CODEC_LZ4, "17", 16},
    {"snappy knows none", CODEC_SNAPPY, "high", 0},
};

static void check_level(void **state)
{
    const struct level_row *row = *state;

    assert_int_equal(codec_level(row->kind, row->level), row->expect);
}

static const struct magic_row {
    const char *label, *text;
    bool ok;
    const char *head;
    enum codec_kind kind; /* of head */
} magic_rows[] = {
    {"two bytes", "0x1f8c", true, "\x1f\x8c", CODEC_CUSTOM},
    {"upper case", "0X1F8C", true, "\x1f\x8c", CODEC_CUSTOM},
    {"other bytes", "0x1f8c", true, "\x1f\x8d", CODEC_NONE},
    {"that of gzip, tried first", "0x1f8b08", true, "\x1f\x8b\x08", CODEC_CUSTOM},
    {"that of bzip2, tried later", "0x425a68", true, "BZh", CODEC_BZIP2},
    {"without 0x", "1f8b", false, NULL, 0},
    {"odd", "0x1f8", false, NULL, 0},
    {"nothing", "0x", false, NULL, 0},
    {"empty", "", false, NULL, 0},
    {"no digits", "0xzz", false, NULL, 0},
    {"a sign", "0x-1", false, NULL, 0},
    {"too long", "0x000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f20", false,
     NULL, 0},
};

static void check_magic(void **state)
{
    const struct magic_row *row = *state;
    struct codec_custom made = {.magic_len = 0};

    assert_int_equal(codec_magic_of(row->text, &made), row->ok);
    if (row->ok) {
        assert_int_equal(codec_detect(row->head, strlen(row->head), &made), row->kind);
    } else {
        assert_int_equal(made.magic_len, 0);
    }
}

static const unsigned char hello_bz2[] = {
    0x42, 0x5a, 0x68, 0x39, 0x31, 0x41, 0x59, 0x26, 0x53, 0x59, 0xc1, 0xc0, 0x80, 0xe2,
    0x00, 0x00, 0x01, 0x41, 0x00, 0x00, 0x10, 0x02, 0x44, 0xa0, 0x00, 0x30, 0xcd, 0x00,
    0xc3, 0x46, 0x29, 0x97, 0x17, 0x72, 0x45, 0x38, 0x50, 0x90, 0xc1, 0xc0, 0x80, 0xe2};
static const unsigned char hello_xz[] = {
    0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00, 0x00, 0x04, 0xe6, 0xd6, 0xb4, 0x46, 0x02,
    0x00, 0x21, 0x01, 0x16, 0x00, 0x00, 0x00, 0x74, 0x2f, 0xe5, 0xa3, 0x01, 0x00,
    0x05, 0x68, 0x65, 0x6c, 0x6c, 0x6f, 0x0a, 0x00, 0x00, 0x00, 0xa5, 0x60, 0x97,
    0xf1, 0x94, 0xf6, 0xfd, 0xe0, 0x00, 0x01, 0x1e, 0x06, 0xc1, 0x2f, 0xa4, 0x1d,
    0x1f, 0xb6, 0xf3, 0x7d, 0x01, 0x00, 0x00, 0x00, 0x00, 0x04, 0x59, 0x5a};
static const unsigned char hello_zst[] = {0x28, 0xb5, 0x2f, 0xfd, 0x24, 0x06, 0x31,
                                          0x00, 0x00, 0x68, 0x65, 0x6c, 0x6c, 0x6f,
                                          0x0a, 0x53, 0x88, 0xbd, 0x91};
static const unsigned char hello_lz4[] = {0x04, 0x22, 0x4d, 0x18, 0x64, 0x40, 0xa7, 0x06, 0x00,
                                          0x00, 0x80, 0x68, 0x65, 0x6c, 0x6c, 0x6f, 0x0a, 0x00,
                                          0x00, 0x00, 0x00, 0xf9, 0x5b, 0x6b, 0x94};
static const unsigned char hello_sz[] = {0xff, 0x06, 0x00, 0x00, 0x73, 0x4e, 0x61, 0x50,
                                         0x70, 0x59, 0x01, 0x0a, 0x00, 0x00, 0x53, 0x55,
                                         0xff, 0x53, 0x68, 0x65, 0x6c, 0x6c, 0x6f, 0x0a};
static const unsigned char hello_gz[] = {
    0x1f, 0x8b, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02, 0x03, 0xcb, 0x48, 0xcd,
    0xc9, 0xc9, 0xe7, 0x02, 0x00, 0x20, 0x30, 0x3a, 0x36, 0x06, 0x00, 0x00, 0x00,
};

#define OF(x) x, sizeof x
static const struct unpack_row {
    const char *label;
    const unsigned char *p;
    size_t size;      /* of p */
    size_t n;         /* bytes of p that are fed */
    int twice;        /* two members one after the other */
    int at;           /* this byte is changed; -1: none */
    const char *text; /* NULL: refused */
} unpack_rows[] = {
    {"whole", OF(hello_gz), sizeof hello_gz, 0, -1, "hello\n"},
    {"two members", OF(hello_gz), sizeof hello_gz, 1, -1, "hello\nhello\n"},
    {"without its end", OF(hello_gz), sizeof hello_gz - 1, 0, -1, NULL},
    {"only the header", OF(hello_gz), 10, 0, -1, NULL},
    {"half a header", OF(hello_gz), 5, 0, -1, NULL},
    {"wrong checksum", OF(hello_gz), sizeof hello_gz, 0, 18, NULL},
    {"wrong length", OF(hello_gz), sizeof hello_gz, 0, 22, NULL},
    {"wrong magic", OF(hello_gz), sizeof hello_gz, 0, 0, NULL},
    {"damaged data", OF(hello_gz), sizeof hello_gz, 0, 10, NULL},
    {"bzip2", OF(hello_bz2), sizeof hello_bz2, 0, -1, "hello\n"},
    {"bzip2, two streams", OF(hello_bz2), sizeof hello_bz2, 1, -1, "hello\nhello\n"},
    {"bzip2 cut", OF(hello_bz2), sizeof hello_bz2 - 1, 0, -1, NULL},
    {"bzip2, wrong checksum", OF(hello_bz2), sizeof hello_bz2, 0, 10, NULL},
    {"xz", OF(hello_xz), sizeof hello_xz, 0, -1, "hello\n"},
    {"xz, two streams", OF(hello_xz), sizeof hello_xz, 1, -1, "hello\nhello\n"},
    {"xz cut", OF(hello_xz), sizeof hello_xz - 1, 0, -1, NULL},
    {"xz, wrong checksum", OF(hello_xz), sizeof hello_xz, 0, 36, NULL},
    {"zstd", OF(hello_zst), sizeof hello_zst, 0, -1, "hello\n"},
    {"zstd, two frames", OF(hello_zst), sizeof hello_zst, 1, -1, "hello\nhello\n"},
    {"zstd cut", OF(hello_zst), sizeof hello_zst - 1, 0, -1, NULL},
    {"zstd, wrong checksum", OF(hello_zst), sizeof hello_zst, 0, 16, NULL},
    {"lz4", OF(hello_lz4), sizeof hello_lz4, 0, -1, "hello\n"},
    {"lz4, two frames", OF(hello_lz4), sizeof hello_lz4, 1, -1, "hello\nhello\n"},
    {"lz4 cut", OF(hello_lz4), sizeof hello_lz4 - 1, 0, -1, NULL},
    {"lz4, wrong checksum", OF(hello_lz4), sizeof hello_lz4, 0, 22, NULL},
    {"snappy", OF(hello_sz), sizeof hello_sz, 0, -1, "hello\n"},
    {"snappy, two streams", OF(hello_sz), sizeof hello_sz, 1, -1, "hello\nhello\n"},
    {"snappy cut", OF(hello_sz), sizeof hello_sz - 1, 0, -1, NULL},
    {"snappy, wrong checksum", OF(hello_sz), sizeof hello_sz, 0, 14, NULL},
    {"snappy, unknown kind", OF(hello_sz), sizeof hello_sz, 0, 10, NULL},
};

static void check_unpack(void **state)
{
    const struct unpack_row *row = *state;
    enum codec_kind kind = codec_detect(row->p, row->size, NULL);
    struct codec *c;
    struct err err = {0};
    char in[256], out[64] = "";
    size_t n;

    assert_true(2 * row->size <= sizeof in);
    memcpy(in, row->p, row->size);
    memcpy(in + row->size, row->p, row->size);
    if (row->at >= 0) {
        in[row->at] = (char)(in[row->at] ^ 0x55);
    }
    for (size_t i = 0; i < sizeof piece / sizeof piece[0]; i++) {
        c = codec_new(kind, CODEC_UNPACK, 0, NULL, &err);
        assert_int_equal(through(c, str_n(in, row->twice ? 2 * row->size : row->n), piece[i],
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

static const struct name_row {
    const char *label;
    bool ok;
    enum codec_kind kind;
} name_rows[] = {
    {"none", true, CODEC_NONE},
    {"", true, CODEC_NONE},
    {"gzip", true, CODEC_GZIP},
    {"pybzip2", true, CODEC_PYBZIP2},
    {"custom", true, CODEC_CUSTOM},
    {"snappy", true, CODEC_SNAPPY},
    {"GZIP", false, 0},
    {"gz", false, 0},
};

static void names(void **state)
{
    const struct name_row *row = *state;
    enum codec_kind kind = CODEC_ZSTD;

    assert_int_equal(codec_of_name(row->label, &kind), row->ok);
    if (row->ok) {
        assert_int_equal(kind, row->kind);
        assert_string_equal(codec_name(kind), kind == CODEC_NONE ? "" : row->label);
    }
}

TEST_MAIN(ROWS(rows, check_row), ROWS(there_rows, there_and_back),
          ROWS(there_rows, nothing_at_all), ROWS(there_rows, damage),
          ROWS(whole_rows, all_at_once), ONE(unpacked_at_once), ROWS(custom_rows, custom_fails),
          ONE(custom_given_up), ROWS(level_rows, check_level), ROWS(magic_rows, check_magic),
          ROWS(unpack_rows, check_unpack), ROWS(name_rows, names))
