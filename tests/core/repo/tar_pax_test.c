/* SPDX-License-Identifier: PostgreSQL */
/* Records written by hand from POSIX's description: the length counts itself. */
#include "repo/tar_pax.h"

#include "repo/tar.h"

#include "harness.h"

#include <stdio.h>

static const struct row {
    const char *label, *text;
    size_t n; /* 0: strlen */
    char type;
    const char *why;  /* part of it; NULL: read */
    const char *path; /* "" not given */
    int64_t size, s;  /* -1: not given */
    uint32_t ns;
} rows[] = {
    {"time of Python", "28 mtime=1795355034.3645618\n", 0, 'x', NULL, "", -1, 1795355034,
     364561800},
    {"whole second", "20 mtime=1795355034\n", 0, 'x', NULL, "", -1, 1795355034, 0},
    {"more digits than nanoseconds", "22 mtime=1.0000000019\n", 0, 'x', NULL, "", -1, 1, 1},
    {"before 1970", "14 mtime=-5.5\n", 0, 'x', NULL, "", -1, 0, 0},
    {"name", "10 path=ab\n", 0, 'x', "malformed", "", -1, -1, 0},
    {"name and size",
     "11 path=abc\n"
     "10 size=7\n",
     0, 'x', "malformed", "", -1, -1, 0},
    {"name, right length", "11 path=ab\n", 0, 'x', NULL, "ab", -1, -1, 0},
    {"two records",
     "11 path=ab\n"
     "10 size=7\n",
     0, 'x', NULL, "ab", 7, -1, 0},
    {"an equals sign in the value", "13 path=a=bc\n", 0, 'x', NULL, "a=bc", -1, -1, 0},
    {"owner is skipped",
     "15 uname=postgr\n"
     "11 path=ab\n",
     0, 'x', "malformed", "", -1, -1, 0},
    {"owner, right length",
     "16 uname=postgr\n"
     "11 path=ab\n",
     0, 'x', NULL, "ab", -1, -1, 0},
    {"global comment", "14 comment=ab\n", 0, 'g', NULL, "", -1, -1, 0},
    {"global name", "11 path=ab\n", 0, 'g', "global", "", -1, -1, 0},
    {"global time", "11 mtime=1\n", 0, 'g', "global", "", -1, -1, 0},
    {"sparse", "22 GNU.sparse.major=1\n", 0, 'x', "sparse", "", -1, -1, 0},
    {"empty name", "8 path=\n", 0, 'x', "name", "", -1, -1, 0},
    {"a NUL in the name", "12 path=a\0b\n", 12, 'x', "name", "", -1, -1, 0},
    {"negative size", "11 size=-7\n", 0, 'x', "size", "", -1, -1, 0},
    {"size beyond all", "29 size=99999999999999999999\n", 0, 'x', "size", "", -1, -1, 0},
    {"time of letters", "12 mtime=ab\n", 0, 'x', "time", "", -1, -1, 0},
    {"time with a tail", "13 mtime=1.x\n", 0, 'x', "time", "", -1, -1, 0},
    {"no newline", "11 path=abc", 0, 'x', "malformed", "", -1, -1, 0},
    {"length beyond the end", "99 path=ab\n", 0, 'x', "malformed", "", -1, -1, 0},
    {"length 0", "0 path=ab\n", 0, 'x', "malformed", "", -1, -1, 0},
    {"length shorter than itself", "2 \n", 0, 'x', "malformed", "", -1, -1, 0},
    {"no length", "path=ab\n", 0, 'x', "malformed", "", -1, -1, 0},
    {"no blank", "10path=ab\n", 0, 'x', "malformed", "", -1, -1, 0},
    {"no equals sign", "9 pathab\n", 0, 'x', "malformed", "", -1, -1, 0},
    {"nothing", "", 0, 'x', NULL, "", -1, -1, 0},
};

static void records(void **state)
{
    const struct row *row = *state;
    struct tar_pax pax = {0};
    const char *why =
        tar_pax_read(str_n(row->text, row->n ? row->n : strlen(row->text)), row->type, &pax);

    assert_int_equal(why != NULL, row->why != NULL);
    if (why) {
        assert_non_null(strstr(why, row->why));
        return;
    }
    assert_string_equal(pax.path, row->path);
    assert_int_equal(pax.has_size, row->size >= 0);
    assert_int_equal(pax.has_mtime, row->s >= 0);
    if (row->size >= 0) {
        assert_int_equal(pax.size, row->size);
    }
    if (row->s >= 0) {
        assert_int_equal(pax.mtime_s, row->s);
        assert_int_equal(pax.mtime_ns, row->ns);
    }
}

/* ---- in a stream ---- */

static void header(uint8_t *b, char type, const char *name, unsigned size)
{
    unsigned sum = 0;

    memset(b, 0, TAR_BLOCK);
    memcpy(b, name, strlen(name));
    memcpy(b + 100, "0000600", 8);
    snprintf((char *)b + 124, 12, "%011o", size);
    memcpy(b + 136, "00000000001", 12);
    b[156] = (uint8_t)type;
    memcpy(b + 257,
           "ustar\0"
           "00",
           8);
    memset(b + 148, ' ', 8);
    for (int i = 0; i < TAR_BLOCK; i++) {
        sum += b[i];
    }
    snprintf((char *)b + 148, 8, "%06o", sum);
}

static bool on_member(void *ctx, const struct tar_member *m, struct err *err)
{
    (void)err;
    *(struct tar_member *)ctx = *m;
    return true;
}

static bool on_data(void *ctx, const void *p, size_t n, struct err *err)
{
    (void)err;
    (void)ctx;
    for (size_t i = 0; i < n; i++) {
        assert_int_equal(((const char *)p)[i], 'd');
    }
    return true;
}

static bool on_end(void *ctx, struct err *err)
{
    (void)ctx;
    (void)err;
    return true;
}

static const struct stream_row {
    const char *label;
    const char *kinds; /* of headers: x, g with `text`; 0: a file "f" of 3 bytes */
    const char *text;
    bool accepts;
    const char *why; /* NULL: read */
    const char *name;
    uint64_t size;
} streams[] = {
    {"name from it", "x0", "11 path=ab\n", true, NULL, "ab", 3},
    {"for the next member only", "x00", "11 path=ab\n", true, NULL, "f", 3},
    {"time only", "x0", "13 mtime=1.5\n", true, NULL, "f", 3},
    {"global in front", "g0", "14 comment=ab\n", true, NULL, "f", 3},
    {"a size that the header denies", "x0", "10 size=4\n", true, "in the middle", "", 0},
    {"a way out", "x0", "13 path=../x\n", true, "does not stay below", "", 0},
    {"absolute", "x0", "11 path=/x\n", true, "does not stay below", "", 0},
    {"two for one member", "xx0", "11 path=ab\n", true, "two pax headers", "", 0},
    {"for no member", "0x", "11 path=ab\n", true, "in the middle", "", 0},
    {"not accepted", "x0", "11 path=ab\n", false, "does not stay below", "", 0},
    {"malformed", "x0", "12 path=ab\n", true, "malformed", "", 0},
};

static bool read_stream(const struct stream_row *row, size_t step, struct tar_member *m,
                        struct err *err)
{
    static uint8_t bytes[64 * TAR_BLOCK];
    struct tar t;
    const struct tar_events events = {m, on_member, on_data, on_end};
    size_t n = 0;

    memset(bytes, 0, sizeof bytes);
    for (const char *k = row->kinds; *k; k++) {
        size_t size = *k == '0' ? 3 : strlen(row->text);

        header(bytes + n, *k, *k == '0' ? "f" : "././@PaxHeader", (unsigned)size);
        memcpy(bytes + n + TAR_BLOCK, *k == '0' ? "ddd" : row->text, size);
        n += 2 * TAR_BLOCK;
    }
    n += 2 * TAR_BLOCK; /* the end of the archive */
    if (strstr(row->label, "denies") || strstr(row->label, "no member")) {
        n -= 2 * TAR_BLOCK;
        n -= strstr(row->label, "denies") ? (size_t)TAR_BLOCK - 3 : 0;
    }
    tar_init(&t, TAR_WITH_TRAILER, &events);
    if (row->accepts) {
        tar_accept_pax(&t);
    }
    for (size_t i = 0; i < n; i += step) {
        if (!tar_feed(&t, bytes + i, step < n - i ? step : n - i, err)) {
            return false;
        }
    }
    return tar_end(&t, err);
}

static void in_a_stream(void **state)
{
    const struct stream_row *row = *state;

    for (size_t step = 1; step < 3000; step = step * 7 + 1) {
        struct tar_member m = {0};
        struct err err = {0};
        bool ok = read_stream(row, step, &m, &err);

        assert_int_equal(ok, row->why == NULL);
        if (!ok) {
            assert_non_null(strstr(err.why, row->why));
            continue;
        }
        assert_string_equal(m.name, row->name);
        assert_int_equal(m.size, row->size);
    }
}

TEST_MAIN(ROWS(rows, records); ROWS(streams, in_a_stream))
