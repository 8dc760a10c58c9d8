/* SPDX-License-Identifier: PostgreSQL */
/* What came and what is listed, as words; "a:1" is file a with sum 1. */
#include "engine/sums.h"

#include "harness.h"

#include <stdio.h>

static const struct row {
    const char *label;
    const char *came;
    const char *listed;
    const char *wrong; /* the file an error names; NULL: all is well */
    const char *why;
} rows[] = {
    {"nothing", "", "", NULL, NULL},
    {"in order", "a:1 b:2 c:3", "a:1 b:2 c:3", NULL, NULL},
    {"out of order", "a:1 b:2 c:3 d:4", "a:1 d:4 c:3 b:2", NULL, NULL},
    {"order lost at once", "a:1 b:2", "b:2 a:1", NULL, NULL},
    {"common beginnings", "a:1 aa:2 a/b:3", "a/b:3 a:1 aa:2", NULL, NULL},

    {"row 69: listed twice, in order", "a:1 b:2", "a:1 a:1 b:2", "a", "twice"},
    {"row 69: listed twice at the end", "a:1 b:2", "a:1 b:2 b:2", "b", "twice"},
    {"row 69: listed twice, out of order", "a:1 b:2 c:3", "c:3 b:2 b:2 a:1", "b", "twice"},
    {"row 69: first listed again later", "a:1 b:2 c:3", "a:1 c:3 b:2 a:1", "a", "twice"},
    {"other sum, in order", "a:1 b:2 c:3", "a:1 b:9 c:3", "b", "checksum"},
    {"other sum, out of order", "a:1 b:2 c:3", "c:3 b:9 a:1", "b", "checksum"},
    {"other sum where order is lost", "a:1 b:2", "b:9 a:1", "b", "checksum"},
    {"listed but did not come", "a:1 c:3", "a:1 b:2 c:3", "b", "did not come"},
    {"last one did not come", "a:1", "a:1 b:2", "b", "did not come"},
    {"nothing came", "", "a:1", "a", "did not come"},
    {"came but is not listed", "a:1 b:2 c:3", "a:1 c:3", "b", "not in the manifest"},
    {"last one is not listed", "a:1 b:2", "a:1", "b", "not in the manifest"},
    {"nothing is listed", "a:1", "", "a", "not in the manifest"},
};

/* size: equal for equal words; the sum: the word's digit. */
static bool next(struct str *rest, struct str *path, uint8_t sum[DIGEST_MAX])
{
    struct str word;

    if (!str_split(rest, ' ', &word) || word.n == 0) {
        return false;
    }
    *path = str_n(word.p, word.n - 2);
    memset(sum, word.p[word.n - 1], 4);
    return true;
}

static bool play(const struct row *r, struct err *err)
{
    struct sums *s = sums_new(".", DIGEST_CRC32C, err);
    struct str rest = str_of(r->came), path;
    struct manifest_file f = {.kind = DIGEST_CRC32C, .size = 7};
    char name[32];
    bool ok = true;

    while (next(&rest, &path, f.sum)) {
        assert_true(sums_arrived(s, path, 7, f.sum, err));
    }
    rest = str_of(r->listed);
    while (ok && next(&rest, &path, f.sum)) {
        snprintf(name, sizeof name, "%.*s", (int)path.n, path.p);
        f.path = str_of(name);
        ok = sums_listed(s, &f, err);
    }
    ok = ok && sums_end(s, err);
    sums_free(s);
    return ok;
}

static void check_row(void **state)
{
    const struct row *r = *state;
    struct err err = {0};

    assert_int_equal(play(r, &err), r->wrong == NULL);
    if (r->wrong) {
        assert_int_equal(err.code, ERR_FORMAT);
        assert_string_equal(err.what, r->wrong);
        assert_non_null(strstr(err.why, r->why));
    }
}

static void other_size(void **state)
{
    struct manifest_file f = {.kind = DIGEST_CRC32C, .size = 8, .path = STR_LIT("a")};
    struct err err = {0};
    struct sums *s = sums_new(".", DIGEST_CRC32C, &err);

    (void)state;
    assert_true(sums_arrived(s, STR_LIT("a"), 7, f.sum, &err));
    assert_false(sums_listed(s, &f, &err));
    assert_non_null(strstr(err.why, "size"));
    sums_free(s);
}

static void other_kind(void **state)
{
    struct manifest_file f = {.kind = DIGEST_NONE, .size = 7, .path = STR_LIT("a")};
    struct err err = {0};
    struct sums *s = sums_new(".", DIGEST_CRC32C, &err);

    (void)state;
    assert_true(sums_arrived(s, STR_LIT("a"), 7, f.sum, &err));
    assert_false(sums_listed(s, &f, &err));
    assert_non_null(strstr(err.why, "another kind"));
    sums_free(s);
}

/* More than any buffer, in order and backwards. */
static void many(void **state)
{
    enum { N = 300000 };
    struct manifest_file f = {.kind = DIGEST_CRC32C};
    struct err err = {0};
    char name[64];

    (void)state;
    for (int backwards = 0; backwards < 2; backwards++) {
        struct sums *s = sums_new(".", DIGEST_CRC32C, &err);
        for (int i = 0; i < N; i++) {
            snprintf(name, sizeof name, "base/16384/%d", i);
            memcpy(f.sum, &i, 4);
            assert_true(sums_arrived(s, str_of(name), (uint64_t)i, f.sum, &err));
        }
        for (int k = 0; k < N; k++) {
            int i = backwards ? N - 1 - k : k;
            snprintf(name, sizeof name, "base/16384/%d", i);
            memcpy(f.sum, &i, 4);
            f.path = str_of(name);
            f.size = (uint64_t)i;
            assert_true(sums_listed(s, &f, &err));
        }
        assert_true(sums_end(s, &err));
        sums_free(s);
    }
}

static void tell(void *ctx, const char *path, enum sums_fault fault)
{
    char *said = ctx;
    size_t n = strlen(said);

    snprintf(said + n, 512 - n, "%s=%d ", path, (int)fault);
}

/* Everything that is wrong is told, in order and out of order. */
static void all_is_told(void **state)
{
    static const char *const listed[2][5] = {{"a", "b", "c", "d", NULL},
                                             {"d", "c", "b", "a", NULL}};
    struct manifest_file f = {.kind = DIGEST_CRC32C};
    struct err err = {0};

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        char said[512] = "";
        struct sums *s = sums_new(".", DIGEST_CRC32C, &err);

        assert_non_null(s);
        sums_tell(s, said, tell);
        for (const char *p = "abce"; *p; p++) {
            uint8_t sum[DIGEST_MAX] = {*p == 'b'};
            assert_true(sums_arrived(s, str_n(p, 1), *p == 'c' ? 8 : 9, sum, &err));
        }
        for (size_t k = 0; listed[i][k]; k++) {
            f.path = str_of(listed[i][k]);
            f.size = 9;
            assert_true(sums_listed(s, &f, &err));
        }
        assert_true(sums_end(s, &err));
        assert_non_null(strstr(said, "b=1 "));
        assert_non_null(strstr(said, "c=0 "));
        assert_non_null(strstr(said, "d=3 "));
        assert_non_null(strstr(said, "e=2 "));
        assert_null(strstr(said, "a="));
        sums_free(s);
    }
}

TEST_MAIN(ROWS(rows, check_row), ONE(other_size), ONE(other_kind), ONE(many), ONE(all_is_told))
