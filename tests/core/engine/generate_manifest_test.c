/* SPDX-License-Identifier: PostgreSQL */
/* Sums are those of sha256sum(1), the layout is the one of Barman's manifests. The real
 * pg_verifybackup reads one in tests/pg/size_test.sh. */
#include "core/repo/fixture.h"

#include "engine/generate_manifest.h"
#include "said.h"

#include <time.h>

#define ID "20260101T000000"

static struct fx f;
static struct said said;

static const char *data(const char *rel)
{
    return fx_fmt("%s/" ID "/data/%s", f.r.base_dir, rel);
}

static void put(const char *rel, const char *text)
{
    struct timespec t[2] = {{1700000000, 0}, {1700000000, 999999999}};

    fx_text(data(rel), text);
    assert_int_equal(utimensat(AT_FDCWD, data(rel), t, 0), 0);
}

static bool make(const struct backup *b, struct err *err)
{
    const struct generate_manifest what = {.repo = &f.r, .backup = b, .jobs = 2};

    *err = (struct err){0};
    return generate_manifest(said_init(&said), &what, err);
}

static void begin(void)
{
    struct err err = {0};

    fx_init(&f);
    assert_true(dir_make(data("base/1"), &err));
    assert_true(dir_make(data("pg_wal/archive_status"), &err));
    assert_true(dir_make(data("pg_tblspc"), &err));
}

static void lines_of_a_manifest(void **state)
{
    const struct backup b = {.id = ID, .status = BACKUP_DONE, .mode = "rsync-concurrent"};
    struct err err;

    (void)state;
    begin();
    put("PG_VERSION", "15\n");
    put("base/1/1", "");
    put("base/1/a\"b", "x");
    put("base/1/\xff", "abc");
    put("pg_wal/000000010000000000000001", "no part of it");
    assert_int_equal(symlink("/tmp", data("pg_tblspc/16384")), 0);
    assert_true(make(&b, &err));
    assert_string_equal(
        fx_read(data("backup_manifest")),
        "{\"PostgreSQL-Backup-Manifest-Version\": 1,\n\"Files\": [\n"
        "{\"Checksum\": \"238903180cc104ec2c5d8b3f20c5bc61b389ec0a967df8cc208cdc7cd454174f\", "
        "\"Checksum-Algorithm\": \"SHA256\", \"Last-Modified\": \"2023-11-14 22:13:20\", "
        "\"Path\": \"PG_VERSION\", \"Size\": 3},\n"
        "{\"Checksum\": \"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\", "
        "\"Checksum-Algorithm\": \"SHA256\", \"Last-Modified\": \"2023-11-14 22:13:20\", "
        "\"Path\": \"base/1/1\", \"Size\": 0},\n"
        "{\"Checksum\": \"2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881\", "
        "\"Checksum-Algorithm\": \"SHA256\", \"Last-Modified\": \"2023-11-14 22:13:20\", "
        "\"Path\": \"base/1/a\\\"b\", \"Size\": 1},\n"
        "{\"Checksum\": \"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad\", "
        "\"Checksum-Algorithm\": \"SHA256\", \"Encoded-Path\": \"626173652f312fff\", "
        "\"Last-Modified\": \"2023-11-14 22:13:20\", \"Size\": 3}\n"
        "],\n"
        "\"Manifest-Checksum\": "
        "\"272ac3a81cd8f85192fcdac427582ac4dc953154fa272c1942a8df6956c45596\"}\n");
    assert_false(fx_there(data("backup_manifest.tmp")));
    fx_release(&f);
}

static const struct row {
    const char *label;
    struct backup b;
    const char *there; /* a file that is there before */
    const char *why;
} refused[] = {
    {"there is one", {.id = ID, .status = BACKUP_DONE}, "backup_manifest", " already exists."},
    {"failed", {.id = ID, .status = BACKUP_FAILED}, "x", "the backup is not complete"},
    {"running", {.id = ID, .status = BACKUP_STARTED}, "x", "the backup is not complete"},
    {"stored as archives",
     {.id = ID, .status = BACKUP_DONE, .compression = "gzip"},
     "x",
     "the backup is stored as archives, which a manifest cannot list"},
    {"encrypted",
     {.id = ID, .status = BACKUP_DONE, .encryption = "gpg"},
     "x",
     "the backup is stored as archives, which a manifest cannot list"},
};

static void one_refusal(void **state)
{
    const struct row *r = *state;
    struct err err;

    begin();
    put(r->there, "as it was");
    assert_false(make(&r->b, &err));
    assert_int_equal(err.code, ERR_FORMAT);
    assert_non_null(strstr(err.why, r->why));
    assert_string_equal(fx_read(data(r->there)), "as it was");
    assert_int_equal(fx_there(data("backup_manifest")),
                     strcmp(r->there, "backup_manifest") == 0);
    fx_release(&f);
}

static void what_cannot_be_read(void **state)
{
    const struct backup b = {.id = "20260102T000000", .status = BACKUP_DONE};
    struct err err;

    (void)state;
    begin();
    assert_false(make(&b, &err)); /* there is no such directory */
    assert_int_equal(err.code, ERR_IO);
    fx_release(&f);
}

TEST_MAIN(ONE(lines_of_a_manifest), ROWS(refused, one_refusal), ONE(what_cannot_be_read))
