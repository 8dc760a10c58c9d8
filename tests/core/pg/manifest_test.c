/* SPDX-License-Identifier: PostgreSQL */
/* A row is the part of a manifest before its last line; the last line is made here with the sum
 * of FIPS 180-4 (its own vectors are in digest_test.c), or spoiled as the row says. */
#include "pg/manifest.h"

#include "harness.h"

#include <stdio.h>
#include <stdlib.h>

#define HEAD1 "{ \"PostgreSQL-Backup-Manifest-Version\": 1,\n\"Files\": [\n"
#define HEAD2                                                                                  \
    "{ \"PostgreSQL-Backup-Manifest-Version\": 2,\n"                                           \
    "\"System-Identifier\": 7443513842338519087,\n\"Files\": [\n"
#define LABEL                                                                                  \
    "{ \"Path\": \"backup_label\", \"Size\": 224, \"Last-Modified\": "                         \
    "\"2026-11-22 13:43:59 GMT\", \"Checksum-Algorithm\": \"CRC32C\", \"Checksum\": "          \
    "\"3f2a9b01\" }"
#define RANGES                                                                                 \
    "\n],\n\"WAL-Ranges\": [\n{ \"Timeline\": 1, \"Start-LSN\": \"0/2000028\", "               \
    "\"End-LSN\": \"0/2000100\" }\n],\n"
#define ENTRY(rest) HEAD1 "{ " rest " }" RANGES

enum spoil { GOOD, WRONG_SUM, NO_SUM, CUT_SUM, NO_NEWLINE, SECOND_LINE, JUNK, SAME_LINE };

static const struct row {
    const char *label;
    const char *text;
    const char *files; /* "path size|" of each; NULL: refused */
    enum spoil spoil;
    const char *why;
} rows[] = {
    {"version 1", HEAD1 LABEL RANGES, "backup_label 224|", GOOD, NULL},
    {"version 2", HEAD2 LABEL RANGES, "backup_label 224|", GOOD, NULL},
    {"no files", HEAD1 RANGES, "", GOOD, NULL},
    {"Barman's: keys sorted, no zone, no ranges",
     "{\"PostgreSQL-Backup-Manifest-Version\": 1, \n\"Files\": [\n"
     "{\"Checksum\": "
     "\"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad\", "
     "\"Checksum-Algorithm\": \"SHA256\", \"Last-Modified\": \"2026-11-22 13:43:59\", "
     "\"Path\": \"PG_VERSION\", \"Size\": 3}\n],\n",
     "PG_VERSION 3|", GOOD, NULL},
    {"row 57: encoded path", ENTRY("\"Encoded-Path\": \"62617365ff0a\", \"Size\": 1"),
     "base\xFF\n 1|", GOOD, NULL},
    {"row 57: escapes in a path", ENTRY("\"Path\": \"a\\\"b\\\\\\u00e9 =#[\", \"Size\": 1"),
     "a\"b\\\xC3\xA9 =#[ 1|", GOOD, NULL},
    {"no checksum", ENTRY("\"Path\": \"a\", \"Size\": 0"), "a 0|", GOOD, NULL},
    {"several", HEAD1 LABEL ",\n" LABEL "," LABEL RANGES,
     "backup_label 224|backup_label 224|backup_label 224|", GOOD, NULL},

    {"row 69: checksum wrong", HEAD1 LABEL RANGES, NULL, WRONG_SUM, "own checksum is wrong"},
    {"row 69: checksum missing", HEAD1 LABEL RANGES, NULL, NO_SUM, ""},
    {"row 69: checksum cut", HEAD1 LABEL RANGES, NULL, CUT_SUM, "cannot be"},
    {"row 69: newline missing", HEAD1 LABEL RANGES, NULL, NO_NEWLINE, "last line"},
    {"row 69: a line after it", HEAD1 LABEL RANGES, NULL, SECOND_LINE, "last line"},
    {"row 69: junk after it", HEAD1 LABEL RANGES, NULL, JUNK, ""},
    {"row 69: not alone on its line", HEAD1 LABEL "\n],", NULL, SAME_LINE, "last line"},

    {"version 3", "{ \"PostgreSQL-Backup-Manifest-Version\": 3,\n\"Files\": [\n" RANGES, NULL,
     GOOD, "version"},
    {"version 0", "{ \"PostgreSQL-Backup-Manifest-Version\": 0,\n\"Files\": [\n" RANGES, NULL,
     GOOD, "version"},
    {"version not first", "{ \"Files\": [\n" LABEL RANGES, NULL, GOOD,
     "begin with its version"},
    {"version twice",
     "{ \"PostgreSQL-Backup-Manifest-Version\": 1, "
     "\"PostgreSQL-Backup-Manifest-Version\": 1,\n\"Files\": [\n" RANGES,
     NULL, GOOD, "twice"},
    {"no list of files", "{ \"PostgreSQL-Backup-Manifest-Version\": 1,\n", NULL, GOOD,
     "no list of files"},
    {"unknown key",
     "{ \"PostgreSQL-Backup-Manifest-Version\": 1, \"X\": 1,\n\"Files\": [\n" RANGES, NULL,
     GOOD, "no manifest has"},
    {"unknown key of a file", ENTRY("\"Path\": \"a\", \"Size\": 0, \"Mode\": 384"), NULL, GOOD,
     "no manifest has"},
    {"key of a file at the top",
     "{ \"PostgreSQL-Backup-Manifest-Version\": 1, \"Path\": \"a\",\n", NULL, GOOD,
     "no manifest has"},
    {"no path", ENTRY("\"Size\": 0"), NULL, GOOD, "without one path"},
    {"two paths", ENTRY("\"Path\": \"a\", \"Encoded-Path\": \"61\", \"Size\": 0"), NULL, GOOD,
     "without one path"},
    {"no size", ENTRY("\"Path\": \"a\""), NULL, GOOD, "without one path"},
    {"size twice", ENTRY("\"Path\": \"a\", \"Size\": 0, \"Size\": 0"), NULL, GOOD, "twice"},
    {"size negative", ENTRY("\"Path\": \"a\", \"Size\": -1"), NULL, GOOD, "cannot be"},
    {"size broken", ENTRY("\"Path\": \"a\", \"Size\": 1.5"), NULL, GOOD, "cannot be"},
    {"size too large", ENTRY("\"Path\": \"a\", \"Size\": 9223372036854775808"), NULL, GOOD,
     "cannot be"},
    {"size as text", ENTRY("\"Path\": \"a\", \"Size\": \"1\""), NULL, GOOD, "wrong kind"},
    {"path absolute", ENTRY("\"Path\": \"/etc/passwd\", \"Size\": 0"), NULL, GOOD,
     "stay below"},
    {"path with dot dot", ENTRY("\"Path\": \"base/../../x\", \"Size\": 0"), NULL, GOOD,
     "stay below"},
    {"path empty", ENTRY("\"Path\": \"\", \"Size\": 0"), NULL, GOOD, "stay below"},
    {"path with NUL", ENTRY("\"Path\": \"a\\u0000b\", \"Size\": 0"), NULL, GOOD, "stay below"},
    {"encoded path odd", ENTRY("\"Encoded-Path\": \"616\", \"Size\": 0"), NULL, GOOD,
     "stay below"},
    {"encoded path no hex", ENTRY("\"Encoded-Path\": \"6x\", \"Size\": 0"), NULL, GOOD,
     "stay below"},
    {"encoded dot dot", ENTRY("\"Encoded-Path\": \"2e2e2f78\", \"Size\": 0"), NULL, GOOD,
     "stay below"},
    {"date that does not exist",
     ENTRY("\"Path\": \"a\", \"Size\": 0, \"Last-Modified\": \"2026-02-30 00:00:00 GMT\""),
     NULL, GOOD, "cannot be"},
    {"other zone",
     ENTRY("\"Path\": \"a\", \"Size\": 0, \"Last-Modified\": \"2026-02-03 00:00:00 CET\""),
     NULL, GOOD, "cannot be"},
    {"unknown algorithm",
     ENTRY(
         "\"Path\": \"a\", \"Size\": 0, \"Checksum-Algorithm\": \"MD5\", \"Checksum\": \"00\""),
     NULL, GOOD, "cannot be"},
    {"sum of another length",
     ENTRY("\"Path\": \"a\", \"Size\": 0, \"Checksum-Algorithm\": \"CRC32C\", \"Checksum\": "
           "\"00112233aa\""),
     NULL, GOOD, "does not fit"},
    {"sum without an algorithm",
     ENTRY("\"Path\": \"a\", \"Size\": 0, \"Checksum\": \"00112233\""), NULL, GOOD,
     "does not fit"},
    {"algorithm without a sum",
     ENTRY("\"Path\": \"a\", \"Size\": 0, \"Checksum-Algorithm\": \"CRC32C\""), NULL, GOOD,
     "does not fit"},
    {"range backwards",
     HEAD1 LABEL "\n],\n\"WAL-Ranges\": [ { \"Timeline\": 1, \"Start-LSN\": \"0/3\", "
                 "\"End-LSN\": \"0/2\" } ],\n",
     NULL, GOOD, "WAL range"},
    {"range of timeline 0",
     HEAD1 "\n],\n\"WAL-Ranges\": [ { \"Timeline\": 0, \"Start-LSN\": \"0/1\", "
           "\"End-LSN\": \"0/2\" } ],\n",
     NULL, GOOD, "cannot be"},
    {"range without an end",
     HEAD1 "\n],\n\"WAL-Ranges\": [ { \"Timeline\": 1, \"Start-LSN\": \"0/1\" } ],\n", NULL,
     GOOD, "WAL range"},
    {"list in a list", HEAD1 "[]" RANGES, NULL, GOOD, "list where none"},
    {"number in the list", HEAD1 "1" RANGES, NULL, GOOD, "wrong kind"},
    {"a list at the top", "[\n", NULL, GOOD, "list where none"},
    {"broken JSON", HEAD1 "{,}" RANGES, NULL, GOOD, "key in quotes"},
    {"empty", "", NULL, NO_SUM, ""},
};

struct seen {
    char files[512];
    unsigned ranges;
    struct manifest_range range; /* the last one */
};

static bool on_file(void *ctx, const struct manifest_file *f, struct err *err)
{
    struct seen *s = ctx;
    size_t n = strlen(s->files);

    (void)err;
    snprintf(s->files + n, sizeof s->files - n, "%.*s %llu|", (int)f->path.n, f->path.p,
             (unsigned long long)f->size);
    return true;
}

static bool on_range(void *ctx, const struct manifest_range *r, struct err *err)
{
    (void)err;
    ((struct seen *)ctx)->ranges++;
    ((struct seen *)ctx)->range = *r;
    return true;
}

static size_t build(const struct row *r, char *out, size_t cap)
{
    size_t n = strlen(r->text);
    uint8_t sum[DIGEST_MAX];
    char hex[DIGEST_HEX_CAP];
    struct digest d;

    assert_true(digest_init(&d, DIGEST_SHA256, &(struct err){0}));
    digest_feed(&d, r->text, n);
    digest_end(&d, sum);
    sum[0] ^= r->spoil == WRONG_SUM;
    hex_text(sum, 32, hex, sizeof hex);
    if (r->spoil == CUT_SUM) {
        hex[62] = '\0';
    }
    n = (size_t)snprintf(out, cap, "%s", r->text);
    if (r->spoil != NO_SUM) {
        n += (size_t)snprintf(out + n, cap - n, "%s\"Manifest-Checksum\": \"%s\"%s%s",
                              r->spoil == SAME_LINE ? " " : "", hex,
                              r->spoil == SECOND_LINE ? "\n}" : "}",
                              r->spoil == NO_NEWLINE ? "" : "\n");
    }
    n += (size_t)snprintf(out + n, cap - n, "%s", r->spoil == JUNK ? "{}\n" : "");
    return n;
}

static bool read_cut(const char *p, size_t n, size_t cut, struct seen *seen, struct err *err)
{
    static struct manifest m;
    const struct manifest_events events = {seen, on_file, on_range};

    manifest_init(&m, "backup_manifest", &events);
    if (cut > n) {
        for (size_t i = 0; i < n; i++) {
            if (!manifest_feed(&m, p + i, 1, err)) {
                return false;
            }
        }
        return manifest_end(&m, err);
    }
    return manifest_feed(&m, p, cut, err) && manifest_feed(&m, p + cut, n - cut, err) &&
           manifest_end(&m, err);
}

static void check_row(void **state)
{
    const struct row *r = *state;
    char text[4096];
    size_t n = build(r, text, sizeof text);

    for (size_t cut = 0; cut <= n + 1; cut++) {
        struct seen seen = {0};
        struct err err = {0};
        bool ok = read_cut(text, n, cut, &seen, &err);
        assert_int_equal(ok, r->files != NULL);
        if (ok) {
            assert_string_equal(seen.files, r->files);
            assert_int_equal(seen.ranges, strstr(r->text, "Start-LSN") != NULL);
        } else {
            assert_int_equal(err.code, ERR_FORMAT);
            assert_string_equal(err.what, "backup_manifest");
            assert_non_null(strstr(err.why, r->why));
        }
    }
}

/* Cut at any byte, or with any one byte changed, no manifest is believed. */
static void cut_or_changed_anywhere(void **state)
{
    char text[4096];
    size_t n = build(&rows[1], text, sizeof text);

    (void)state;
    for (size_t i = 0; i < n; i++) {
        struct seen seen = {0};
        struct err err = {0};
        assert_false(read_cut(text, i, 0, &seen, &err));
        text[i] ^= 0x01;
        seen = (struct seen){0};
        err = (struct err){0};
        assert_false(read_cut(text, n, 0, &seen, &err));
        text[i] ^= 0x01;
    }
}

static void values_of_an_entry(void **state)
{
    static struct manifest m;
    struct seen seen = {0};
    struct err err = {0};
    char text[4096];
    size_t n = build(&rows[1], text, sizeof text);
    const struct manifest_events events = {&seen, on_file, on_range};

    (void)state;
    manifest_init(&m, "m", &events);
    assert_true(manifest_feed(&m, text, n, &err) && manifest_end(&m, &err));
    assert_int_equal(m.version, 2);
    assert_true(m.systemid == UINT64_C(7443513842338519087));
    assert_int_equal(m.files, 1);
    assert_int_equal(m.file.mtime_s, 1795355039); /* date -u -d '2026-11-22 13:43:59' +%s */
    assert_int_equal(m.file.kind, DIGEST_CRC32C);
    assert_int_equal(seen.range.tli, 1);
    assert_int_equal(seen.range.start, 0x2000028);
    assert_int_equal(seen.range.end, 0x2000100);
    assert_memory_equal(m.file.sum, "\x3f\x2a\x9b\x01", 4);
}

TEST_MAIN(ROWS(rows, check_row), ONE(cut_or_changed_anywhere), ONE(values_of_an_entry))
