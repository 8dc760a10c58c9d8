/* SPDX-License-Identifier: PostgreSQL */
#include "harness.h"

#include "repo/squeeze.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

static const struct row {
    const char *label;
    enum codec_kind kind;
    unsigned lanes;
    size_t bytes, piece;
    unsigned seed; /* 0: all the same byte; else it cannot be compressed */
} rows[] = {
    {"nothing", CODEC_GZIP, 2, 0, 1, 0},
    {"a byte", CODEC_GZIP, 2, 1, 1, 0},
    {"one block less a byte", CODEC_GZIP, 2, SQUEEZE_BLOCK - 1, 32768, 0},
    {"one block", CODEC_GZIP, 3, SQUEEZE_BLOCK, 32768, 0},
    {"one block and a byte", CODEC_GZIP, 1, SQUEEZE_BLOCK + 1, 32769, 1},
    {"more blocks than are kept", CODEC_GZIP, 1, 7 * SQUEEZE_BLOCK + 5, 70000, 2},
    {"in pieces larger than a block", CODEC_GZIP, 2, 5 * SQUEEZE_BLOCK, 3 * SQUEEZE_BLOCK + 7,
     3},
    {"zstd", CODEC_ZSTD, 2, 6 * SQUEEZE_BLOCK + 1, 32768, 5},
    {"lz4", CODEC_LZ4, 2, 6 * SQUEEZE_BLOCK + 1, 32768, 6},
    {"lz4, all the same", CODEC_LZ4, 3, 4 * SQUEEZE_BLOCK, 32768, 0},
    {"not compressed", CODEC_NONE, 2, 3 * SQUEEZE_BLOCK, 1000000, 4},
};

static void fill(unsigned char *p, size_t n, unsigned seed)
{
    uint32_t x = seed;

    for (size_t i = 0; i < n; i++) {
        x = x * 1664525 + 1013904223;
        p[i] = seed ? (unsigned char)(x >> 24) : 'x';
    }
}

static size_t unpack(const struct row *row, struct str in, unsigned char *out, size_t cap)
{
    struct err err = {0};
    struct codec *c = codec_new(row->kind, CODEC_UNPACK, 0, NULL, &err);
    struct codec_out o = {.got = 1};
    size_t n = 0;

    assert_non_null(c);
    while (o.got) {
        o = (struct codec_out){out + n, cap - n, 0};
        if (!codec_run(c, &in, CODEC_LAST, &o, &err)) {
            fail_msg("%s", err.why);
        }
        n += o.got;
    }
    assert_int_equal(in.n, 0);
    codec_free(c);
    return n;
}

static void check(void **state)
{
    const struct row *row = *state;
    struct task_sink sink;
    struct task task = task_serial(NULL, NULL, &sink);
    const struct squeeze_spec spec = {
        .task = &task, .kind = row->kind, .level = 1, .lanes = row->lanes};
    unsigned char *want = malloc(row->bytes + 1), *got = malloc(row->bytes + 2);
    char name[] = "/tmp/squeeze.XXXXXX";
    struct err err = {0};
    struct squeeze *s = squeeze_new(&spec, &err);
    int fd = mkstemp(name);
    uint64_t bytes;
    char *packed;

    assert_non_null(s);
    assert_true(want && got && fd >= 0);
    unlink(name);
    fill(want, row->bytes, row->seed);
    /* Twice: one after the other, with the same workers. */
    for (int twice = 0; twice < 2; twice++) {
        assert_int_equal(ftruncate(fd, 0), 0);
        assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
        squeeze_begin(s, fd, "x");
        for (size_t at = 0; at < row->bytes; at += row->piece) {
            size_t n = row->bytes - at < row->piece ? row->bytes - at : row->piece;
            assert_true(squeeze_put(s, want + at, n, &err));
        }
        assert_true(squeeze_end(s, &bytes, &err));
        assert_int_equal(lseek(fd, 0, SEEK_CUR), bytes);
        packed = malloc(bytes + 1);
        assert_int_equal(pread(fd, packed, bytes, 0), bytes);
        if (row->kind == CODEC_NONE) {
            assert_int_equal(bytes, row->bytes);
            assert_memory_equal(packed, want, bytes);
        } else if (row->bytes == 0) {
            assert_int_equal(bytes, 0);
        } else {
            assert_int_equal(unpack(row, str_n(packed, bytes), got, row->bytes + 2),
                             row->bytes);
            assert_memory_equal(got, want, row->bytes);
            assert_true(row->seed || bytes < row->bytes / 10 + 100);
        }
        free(packed);
    }
    squeeze_free(s);
    close(fd);
    free(want);
    free(got);
}

/* A disk that is full is told, and giving up in the middle leaves nothing behind. */
static void full_disk(void **state)
{
    struct task_sink sink;
    struct task task = task_serial(NULL, NULL, &sink);
    const struct squeeze_spec spec = {
        .task = &task, .kind = CODEC_GZIP, .level = 1, .lanes = 1};
    unsigned char *p = malloc(SQUEEZE_BLOCK);
    int fd = open("/dev/full", O_WRONLY);
    struct err err = {0};
    struct squeeze *s = squeeze_new(&spec, &err);
    bool ok = true;

    (void)state;
    assert_true(s && p && fd >= 0);
    fill(p, SQUEEZE_BLOCK, 7);
    squeeze_begin(s, fd, "/dev/full");
    for (int i = 0; ok && i < 10; i++) {
        ok = squeeze_put(s, p, SQUEEZE_BLOCK, &err);
    }
    assert_false(ok);
    assert_int_equal(err.code, ERR_IO);
    assert_non_null(strstr(err.what, "/dev/full"));
    squeeze_free(s);
    close(fd);
    free(p);
}

TEST_MAIN(ROWS(rows, check), ONE(full_disk))
