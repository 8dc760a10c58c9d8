/* SPDX-License-Identifier: PostgreSQL */
/* Headers are built here field by field from POSIX's table, not by the code under test. */
#include "repo/tar.h"

#include "harness.h"

#include <stdio.h>
#include <stdlib.h>

struct spec {
    const char *name;
    size_t name_n; /* 0: strlen */
    const char *prefix;
    char type;
    const char *link;
    const char *size; /* 12 bytes as they stand; NULL: octal 0 */
    size_t data;      /* bytes of data that follow, padded to blocks */
    const char *magic;
    int spoil; /* added to the checksum */
};

static size_t put_header(uint8_t *b, const struct spec *s)
{
    unsigned sum = 0;

    memset(b, 0, TAR_BLOCK);
    memcpy(b, s->name, s->name_n ? s->name_n : strlen(s->name));
    memcpy(b + 100, "0000600", 8);
    memcpy(b + 124, s->size ? s->size : "00000000000", 12);
    memcpy(b + 136, "14610000000", 12);
    b[156] = (uint8_t)s->type;
    if (s->link) {
        memcpy(b + 157, s->link, strlen(s->link));
    }
    memcpy(b + 257,
           s->magic ? s->magic
                    : "ustar\0"
                      "00",
           8);
    if (s->prefix) {
        memcpy(b + 345, s->prefix, strlen(s->prefix));
    }
    memset(b + 148, ' ', 8);
    for (int i = 0; i < TAR_BLOCK; i++) {
        sum += b[i];
    }
    snprintf((char *)b + 148, 8, "%06o", (unsigned)((int)sum + s->spoil));
    memset(b + TAR_BLOCK, 'd', s->data);
    return TAR_BLOCK + (s->data + TAR_BLOCK - 1) / TAR_BLOCK * TAR_BLOCK;
}

struct seen {
    size_t data, ends, members;
    struct tar_member last;
};

static bool on_member(void *ctx, const struct tar_member *m, struct err *err)
{
    struct seen *s = ctx;

    (void)err;
    s->members++;
    s->last = *m;
    return true;
}

static bool on_data(void *ctx, const void *p, size_t n, struct err *err)
{
    (void)err;
    for (size_t i = 0; i < n; i++) {
        assert_int_equal(((const char *)p)[i], 'd');
    }
    ((struct seen *)ctx)->data += n;
    return true;
}

static bool on_end(void *ctx, struct err *err)
{
    (void)err;
    ((struct seen *)ctx)->ends++;
    return true;
}

static bool read_all(const uint8_t *p, size_t n, size_t step, enum tar_trailer trailer,
                     struct seen *seen, struct err *err)
{
    struct tar t;
    const struct tar_events events = {seen, on_member, on_data, on_end};

    tar_init(&t, trailer, &events);
    for (size_t i = 0; i < n; i += step) {
        if (!tar_feed(&t, p + i, step < n - i ? step : n - i, err)) {
            return false;
        }
    }
    return tar_end(&t, err);
}

#define N100                                                                                   \
    "0123456789012345678901234567890123456789012345678901234567890123456789"                   \
    "012345678901234567890123456789"

static const struct row {
    const char *label;
    struct spec spec;
    const char *name; /* expected; NULL: refused */
    const char *why;
    uint64_t size;
} rows[] = {
    {"file",
     {.name = "base/5/1259", .type = '0', .size = "00000001000", .data = 512},
     "base/5/1259",
     NULL,
     512},
    {"old type NUL",
     {.name = "f", .type = '\0', .size = "00000000003", .data = 3},
     "f",
     NULL,
     3},
    {"empty file", {.name = "f", .type = '0'}, "f", NULL, 0},
    {"one byte more than a block",
     {.name = "f", .type = '0', .size = "00000001001", .data = 513},
     "f",
     NULL,
     513},
    {"directory, slash behind", {.name = "base/5/", .type = '5'}, "base/5", NULL, 0},
    {"dot slash in front", {.name = "./base", .type = '5'}, "base", NULL, 0},
    {"link",
     {.name = "pg_tblspc/16385", .type = '2', .link = "/srv/ts"},
     "pg_tblspc/16385",
     NULL,
     0},
    {"name of 100 bytes", {.name = N100, .type = '0'}, N100, NULL, 0},
    {"name with a prefix", {.name = "b", .prefix = "a/c", .type = '0'}, "a/c/b", NULL, 0},
    {"odd bytes", {.name = "a b\n\\\"'=#[\xFF", .type = '0'}, "a b\n\\\"'=#[\xFF", NULL, 0},
    {"three dots are a name", {.name = "...", .type = '0'}, "...", NULL, 0},
    {"name ends in dots", {.name = "a..", .type = '0'}, "a..", NULL, 0},
    {"blanks around a number",
     {.name = "f", .type = '0', .size = "        17 "},
     "f",
     NULL,
     15},

    {"row 76: dot dot", {.name = "../x", .type = '0'}, NULL, "stay below"},
    {"row 76: dot dot inside", {.name = "a/../../x", .type = '0'}, NULL, "stay below"},
    {"row 76: dot dot at the end", {.name = "a/..", .type = '5'}, NULL, "stay below"},
    {"row 76: dot dot alone", {.name = "..", .type = '5'}, NULL, "stay below"},
    {"row 76: dot dot in the prefix",
     {.name = "x", .prefix = "..", .type = '0'},
     NULL,
     "stay below"},
    {"row 76: absolute", {.name = "/etc/x", .type = '0'}, NULL, "stay below"},
    {"row 76: absolute prefix",
     {.name = "x", .prefix = "/etc", .type = '0'},
     NULL,
     "stay below"},
    {"row 76: dot slash, then absolute", {.name = ".//etc/x", .type = '0'}, NULL, "stay below"},
    {"row 76: hard link", {.name = "x", .type = '1', .link = "/etc/passwd"}, NULL, "hard link"},
    {"row 76: character device", {.name = "x", .type = '3'}, NULL, "device"},
    {"row 76: block device", {.name = "x", .type = '4'}, NULL, "device"},
    {"row 76: fifo", {.name = "x", .type = '6'}, NULL, "pipe"},
    {"row 76: size in a directory",
     {.name = "x", .type = '5', .size = "00000001000"},
     NULL,
     "with data"},
    {"row 76: size in a link",
     {.name = "x", .type = '2', .link = "y", .size = "00000001000"},
     NULL,
     "with data"},
    {"row 76: negative size",
     {.name = "x", .type = '0', .size = "\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF"},
     NULL,
     "malformed number"},
    {"row 76: size beyond everything",
     {.name = "x", .type = '0', .size = "\x80\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"},
     NULL,
     "malformed number"},
    {"row 76: size beyond 2^62",
     {.name = "x", .type = '0', .size = "\x80\x00\x00\x00\x7F\xFF\xFF\xFF\xFF\xFF\xFF\xFF"},
     NULL,
     "cannot be"},
    {"size with a letter",
     {.name = "x", .type = '0', .size = "0000000000x"},
     NULL,
     "malformed number"},
    {"size with an 8",
     {.name = "x", .type = '0', .size = "00000000008"},
     NULL,
     "malformed number"},
    {"NUL inside the name", {.name = "a\0b", .name_n = 3, .type = '0'}, NULL, "NUL byte"},
    {"empty name", {.name = "", .type = '0'}, NULL, "stay below"},
    {"a dot alone", {.name = ".", .type = '5'}, NULL, "stay below"},
    {"a dot inside", {.name = "a/./b", .type = '0'}, NULL, "stay below"},
    {"two slashes inside", {.name = "a//b", .type = '0'}, NULL, "stay below"},
    {"two slashes behind", {.name = "a//", .type = '5'}, NULL, "stay below"},
    {"link without a target", {.name = "a", .type = '2'}, NULL, "without a target"},
    {"pax header", {.name = "a", .type = 'x'}, NULL, "of a kind"},
    {"GNU long name", {.name = "a", .type = 'L'}, NULL, "of a kind"},
    {"GNU sparse", {.name = "a", .type = 'S'}, NULL, "of a kind"},
    {"checksum off by one", {.name = "a", .type = '0', .spoil = 1}, NULL, "checksum is wrong"},
    {"not ustar", {.name = "a", .type = '0', .magic = "tarball"}, NULL, "not a ustar"},
};

static void check_row(void **state)
{
    const struct row *r = *state;
    static uint8_t stream[8 * TAR_BLOCK];
    size_t n;

    memset(stream, 0, sizeof stream);
    n = put_header(stream, &r->spec);
    if (r->name && r->size > r->spec.data) { /* data comes shorter below: give it all */
        memset(stream + TAR_BLOCK, 'd', r->size);
        n += TAR_BLOCK;
    }
    for (size_t step = 1; step <= n; step++) {
        struct seen seen = {0};
        struct err err = {0};
        bool ok = read_all(stream, n, step, TAR_BARE, &seen, &err);
        assert_int_equal(ok, r->name != NULL);
        if (!ok) {
            assert_int_equal(err.code, ERR_FORMAT);
            assert_non_null(strstr(err.why, r->why));
            assert_int_equal(seen.members, 0);
            continue;
        }
        assert_string_equal(seen.last.name, r->name);
        assert_int_equal(seen.last.size, r->size);
        assert_int_equal(seen.data, r->size);
        assert_int_equal(seen.ends, 1);
        assert_int_equal(seen.last.mode, 0600);
    }
}

/* 0x80 and the number, big-endian: what PostgreSQL writes from 8 GiB on. */
static const struct big_row {
    const char *label;
    const char *size;
    uint64_t is;
} big_rows[] = {
    {"row 55: largest octal size", "77777777777", UINT64_C(8589934591)},
    {"row 55: 8 GiB", "\x80\0\0\0\0\0\0\x02\0\0\0\0", UINT64_C(8589934592)},
    {"row 55: 2^32", "\x80\0\0\0\0\0\0\x01\0\0\0\0", UINT64_C(4294967296)},
    {"row 55: 9 TiB and a bit", "\x80\0\0\0\0\0\x09\0\0\0\0\x05", UINT64_C(9895604649989)},
};

static void check_big(void **state)
{
    const struct big_row *r = *state;
    uint8_t block[TAR_BLOCK];
    struct seen seen = {0};
    struct err err = {0};
    struct tar t;
    const struct tar_events events = {&seen, on_member, on_data, on_end};

    put_header(block, &(struct spec){.name = "big", .type = '0', .size = r->size});
    tar_init(&t, TAR_BARE, &events);
    assert_true(tar_feed(&t, block, sizeof block, &err));
    assert_int_equal(seen.last.size, r->is);
    assert_false(tar_end(&t, &err)); /* its data did not come */
    assert_non_null(strstr(err.why, "ends in the middle"));
    assert_string_equal(err.what, "big");
}

/* Two members and the end, cut at every byte: whole only where the trailer rule says so. */
static void every_cut(void **state)
{
    static uint8_t stream[8 * TAR_BLOCK];
    size_t n = 0;

    (void)state;
    n += put_header(stream, &(struct spec){.name = "d/", .type = '5'});
    n += put_header(
        stream + n,
        &(struct spec){.name = "d/f", .type = '0', .size = "00000000700", .data = 448});
    memset(stream + n, 0, 2 * TAR_BLOCK);
    for (size_t cut = 0; cut <= n + 2 * TAR_BLOCK; cut++) {
        struct seen bare = {0}, with = {0};
        struct err err = {0};
        bool member_end = cut == 0 || cut == TAR_BLOCK || cut == n || cut == n + TAR_BLOCK ||
                          cut == n + 2 * TAR_BLOCK;
        assert_int_equal(read_all(stream, cut, 77, TAR_BARE, &bare, &err), member_end);
        assert_int_equal(read_all(stream, cut, 1000, TAR_WITH_TRAILER, &with, &err),
                         cut == n + 2 * TAR_BLOCK);
    }
}

static void data_after_the_end(void **state)
{
    static uint8_t stream[4 * TAR_BLOCK];
    struct seen seen = {0};
    struct err err = {0};

    (void)state;
    memset(stream, 0, sizeof stream);
    put_header(stream + 2 * TAR_BLOCK, &(struct spec){.name = "late", .type = '0'});
    assert_false(read_all(stream, 3 * TAR_BLOCK, 512, TAR_WITH_TRAILER, &seen, &err));
    assert_non_null(strstr(err.why, "after the end"));
    assert_int_equal(seen.members, 0);
}

TEST_MAIN(ROWS(rows, check_row), ROWS(big_rows, check_big), ONE(every_cut),
          ONE(data_after_the_end))
