/* SPDX-License-Identifier: PostgreSQL */
/* The commands as the protocol chapter of each version's documentation spells them; that
 * servers take them is tested in tests/pg. */
#include "pg/base_backup.h"

#include "harness.h"

static const struct row {
    const char *label;
    int version;
    struct base_backup_spec spec;
    const char *sql; /* NULL: refused */
    const char *why;
} rows[] = {
    {"13, spread",
     130000,
     {"b", CHECKPOINT_SPREAD, 0, DIGEST_CRC32C},
     "BASE_BACKUP LABEL 'b' PROGRESS NOWAIT MANIFEST 'yes' MANIFEST_CHECKSUMS 'CRC32C'",
     NULL},
    {"14, fast, limited",
     140011,
     {"b", CHECKPOINT_FAST, 32, DIGEST_SHA256},
     "BASE_BACKUP LABEL 'b' PROGRESS FAST NOWAIT MANIFEST 'yes' MANIFEST_CHECKSUMS 'SHA256' "
     "MAX_RATE 32",
     NULL},
    {"15, spread",
     150000,
     {"b", CHECKPOINT_SPREAD, 0, DIGEST_CRC32C},
     "BASE_BACKUP (LABEL 'b', PROGRESS, CHECKPOINT 'spread', WAIT false, MANIFEST 'yes', "
     "MANIFEST_CHECKSUMS 'CRC32C', TARGET 'client')",
     NULL},
    {"18, fast, limited",
     180001,
     {"b", CHECKPOINT_FAST, 1048576, DIGEST_SHA512},
     "BASE_BACKUP (LABEL 'b', PROGRESS, CHECKPOINT 'fast', WAIT false, MANIFEST 'yes', "
     "MANIFEST_CHECKSUMS 'SHA512', TARGET 'client', MAX_RATE 1048576)",
     NULL},
    {"quotes in the label",
     130000,
     {"it's 'x'", CHECKPOINT_SPREAD, 0, DIGEST_NONE},
     "BASE_BACKUP LABEL 'it''s ''x''' PROGRESS NOWAIT MANIFEST 'yes' MANIFEST_CHECKSUMS 'NONE'",
     NULL},

    {"compressed by the server",
     150000,
     {.label = "b", .compression = "gzip", .suffix = ".tar.gz", .tablespace_map = true},
     "BASE_BACKUP (LABEL 'b', PROGRESS, CHECKPOINT 'spread', WAIT false, MANIFEST 'yes', "
     "MANIFEST_CHECKSUMS 'NONE', TARGET 'client', TABLESPACE_MAP, COMPRESSION 'gzip')",
     NULL},
    {"with a level and workers",
     170000,
     {.label = "b", .compression = "zstd", .has_level = true, .level = -3, .workers = 4},
     "BASE_BACKUP (LABEL 'b', PROGRESS, CHECKPOINT 'spread', WAIT false, MANIFEST 'yes', "
     "MANIFEST_CHECKSUMS 'NONE', TARGET 'client', COMPRESSION 'zstd', "
     "COMPRESSION_DETAIL 'level=-3,workers=4')",
     NULL},
    {"with workers",
     150000,
     {.label = "b", .compression = "zstd", .workers = 2},
     "BASE_BACKUP (LABEL 'b', PROGRESS, CHECKPOINT 'spread', WAIT false, MANIFEST 'yes', "
     "MANIFEST_CHECKSUMS 'NONE', TARGET 'client', COMPRESSION 'zstd', "
     "COMPRESSION_DETAIL 'workers=2')",
     NULL},
    {"tar of 14",
     140000,
     {.label = "b", .tablespace_map = true},
     "BASE_BACKUP LABEL 'b' PROGRESS NOWAIT MANIFEST 'yes' MANIFEST_CHECKSUMS 'NONE' "
     "TABLESPACE_MAP",
     NULL},

    {"14 does not compress",
     140000,
     {.label = "b", .compression = "gzip"},
     NULL,
     "only PostgreSQL 15 and later"},
    {"12 is too old", 120020, {"b", CHECKPOINT_FAST, 0, DIGEST_CRC32C}, NULL, "12.20 is older"},
    {"limit too low", 150000, {"b", CHECKPOINT_FAST, 31, DIGEST_CRC32C}, NULL, "31 KiB/s"},
    {"limit too high",
     150000,
     {"b", CHECKPOINT_FAST, 1048577, DIGEST_CRC32C},
     NULL,
     "1048577 KiB/s"},
    {"label too long",
     150000,
     {"0123456789012345678901234567890123456789012345678901234567890123456789"
      "0123456789012345678901234567890123456789012345678901234567890123456789",
      CHECKPOINT_FAST, 0, DIGEST_CRC32C},
     NULL,
     "too long a label"},
};

static void check_row(void **state)
{
    const struct row *r = *state;
    struct err err = {0};
    char sql[256];
    bool ok = base_backup_command(&r->spec, r->version, sql, sizeof sql, &err);

    assert_int_equal(ok, r->sql != NULL);
    if (ok) {
        assert_string_equal(sql, r->sql);
        assert_int_equal(err.code, ERR_NONE);
    } else {
        assert_non_null(strstr(err.why, r->why));
    }
}

static void trailers_came_with_15(void **state)
{
    (void)state;
    assert_false(base_backup_has_trailers(130000));
    assert_false(base_backup_has_trailers(149999));
    assert_true(base_backup_has_trailers(150000));
    assert_true(base_backup_has_trailers(180001));
}

TEST_MAIN(ROWS(rows, check_row), ONE(trailers_came_with_15))
