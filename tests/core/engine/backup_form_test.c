/* SPDX-License-Identifier: PostgreSQL */
#include "harness.h"

#include "engine/backup_form.h"

static const struct row {
    const char *label;
    const char *codec, *format, *location, *encryption, *key;
    int64_t level, workers;
    int version;
    const char *why;    /* NULL: it can be done */
    const char *suffix; /* of the archives; NULL: a tree */
    const char *name;   /* in backup.info */
    bool by_server;
    int64_t level_out;
} rows[] = {
#define UNSET CFG_UNSET, CFG_UNSET
    {"nothing said", NULL, NULL, NULL, "none", NULL, UNSET, 150000, NULL, NULL, NULL, false,
     FORM_LEVEL_UNSET},
    {"gzip", "gzip", NULL, NULL, "none", NULL, UNSET, 130000, NULL, ".tar.gz", "gzip", false,
     FORM_LEVEL_UNSET},
    {"none", "none", "tar", "server", "none", NULL, UNSET, 130000, NULL, ".tar", "none", false,
     FORM_LEVEL_UNSET},
    {"lz4, the default level", "lz4", "tar", "client", NULL, NULL, 0, CFG_UNSET, 140000, NULL,
     ".tar.lz4", "lz4", false, FORM_LEVEL_UNSET},
    {"zstd by the server", "zstd", "tar", "server", NULL, NULL, 7, 2, 150000, NULL, ".tar.zst",
     "zstd", true, 7},
    {"a tree, compressed on the way", "gzip", "plain", "server", NULL, NULL, -1, CFG_UNSET,
     150000, NULL, NULL, NULL, true, FORM_LEVEL_UNSET},
    {"encrypted", "gzip", NULL, NULL, "gpg", "me", UNSET, 150000, NULL, ".tar.gz.gpg", "gzip",
     false, FORM_LEVEL_UNSET},
    {"not known yet", "gzip", NULL, "server", NULL, NULL, UNSET, 0, NULL, ".tar.gz", "gzip",
     true, FORM_LEVEL_UNSET},

    {"14 does not compress", "gzip", NULL, "server", NULL, NULL, UNSET, 140019,
     "requires PostgreSQL 15 or greater", NULL, NULL, false, 0},
    {"a tree is not encrypted", NULL, NULL, NULL, "gpg", "me", UNSET, 150000,
     "requires backup_compression_format = tar", NULL, NULL, false, 0},
    {"nor one that was compressed on the way", "gzip", "plain", "server", "gpg", "me", UNSET,
     150000, "requires backup_compression_format = tar", NULL, NULL, false, 0},
    {"encrypted without a key", "none", NULL, NULL, "gpg", NULL, UNSET, 150000,
     "without encryption_key_id", NULL, NULL, false, 0},
};

static void one(void **state)
{
    const struct row *row = *state;
    struct server_cfg srv = {
        .name = "main",
        .backup_compression = row->codec,
        .backup_compression_format = row->format,
        .backup_compression_location = row->location,
        .backup_compression_level = row->level,
        .backup_compression_workers = row->workers,
        .encryption = row->encryption,
        .encryption_key_id = row->key,
    };
    struct backup_form form;
    struct err err = {0};

    for (size_t i = 0; i < OPTION_COUNT; i++) {
        srv.source[i] = "x.conf:1";
    }
    if (row->why) {
        assert_false(backup_form_of(&srv, row->version, &form, &err));
        assert_int_equal(err.code, ERR_CONFIG);
        assert_non_null(strstr(err.why, row->why));
        return;
    }
    assert_true(backup_form_of(&srv, row->version, &form, &err));
    assert_int_equal(form.is_tar, row->suffix != NULL);
    if (row->suffix) {
        assert_string_equal(backup_form_suffix(form.codec, form.is_encrypted), row->suffix);
        assert_string_equal(form.name, row->name);
    } else {
        assert_null(form.name);
    }
    assert_int_equal(form.by_server, row->by_server);
    assert_true(form.level == row->level_out);
    assert_int_equal(form.workers, row->workers == CFG_UNSET ? 0 : row->workers);
}

TEST_MAIN(ROWS(rows, one))
