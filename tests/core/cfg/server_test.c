/* SPDX-License-Identifier: PostgreSQL */
#include "cfg/server.h"

#include "harness.h"

static struct server_cfg plain(void)
{
    struct server_cfg srv = {
        .name = "pg", .backup_method = "postgres", .encryption = "none", .conninfo = "host=c"};

    for (size_t i = 0; i < OPTION_COUNT; i++) {
        srv.source[i] = "default";
    }
    return srv;
}

static void connections_fall_back(void **state)
{
    struct server_cfg srv = plain();

    (void)state;
    assert_string_equal(server_cfg_streaming_conninfo(&srv), "host=c");
    assert_string_equal(server_cfg_wal_conninfo(&srv), "host=c");
    assert_string_equal(server_cfg_wal_streaming_conninfo(&srv), "host=c");
    srv.wal_conninfo = "host=w"; /* another way to the same stream */
    assert_string_equal(server_cfg_wal_conninfo(&srv), "host=w");
    srv.streaming_conninfo = "host=s";
    assert_string_equal(server_cfg_streaming_conninfo(&srv), "host=s");
    assert_string_equal(server_cfg_wal_streaming_conninfo(&srv), "host=s");
    srv.wal_streaming_conninfo = "host=ws";
    assert_string_equal(server_cfg_wal_streaming_conninfo(&srv), "host=ws");
    assert_string_equal(server_cfg_wal_conninfo(&srv), "host=w");
    srv.wal_conninfo = NULL;
    assert_string_equal(server_cfg_wal_conninfo(&srv), "host=ws");
    srv.conninfo = srv.streaming_conninfo = srv.wal_streaming_conninfo = NULL;
    assert_null(server_cfg_wal_conninfo(&srv));
    assert_null(server_cfg_wal_streaming_conninfo(&srv));
}

#define ALL "BRAXD" /* letters of the uses: backup receive archive restore(X) delete */

static const struct {
    const char *label;
    enum option_id id;
    const char *value;
    const char *refused; /* letters of the uses that must not go on */
} uses[] = {
    {"nothing special", OPTION_description, "x", ""},
    {"gzip is written", OPTION_compression, "gzip", ""},
    {"bzip2 is written", OPTION_compression, "bzip2", ""},
    {"gpg", OPTION_encryption, "gpg", ""},
    {"rsync", OPTION_backup_method, "rsync", "B"},
    {"compressed backup", OPTION_backup_compression, "zstd", ""},
    {"backup not compressed", OPTION_backup_compression, "none", ""},
    {"hooks", OPTION_post_backup_retry_script, "x", ""},
    {"passive node", OPTION_primary_ssh_command, "ssh x", "BRA"},
};

static void one_use(void **state)
{
    const struct {
        const char *label;
        enum option_id id;
        const char *value, *refused;
    } *row = *state;
    struct server_cfg srv = plain();
    const enum cfg_use use[] = {CFG_USE_BACKUP, CFG_USE_RECEIVE, CFG_USE_ARCHIVE,
                                CFG_USE_RESTORE, CFG_USE_DELETE};

    *(const char **)((char *)&srv + option_table[row->id].offset) = row->value;
    srv.source[row->id] = "barman.conf:9";
    for (size_t i = 0; i < 5; i++) {
        struct err err = {0};
        bool ok = server_cfg_refusal(&srv, use[i], &err);

        assert_int_equal(!ok, strchr(row->refused, ALL[i]) != NULL);
        if (!ok) {
            assert_int_equal(err.code, ERR_CONFIG);
            assert_string_equal(err.what, "barman.conf:9");
            assert_non_null(strstr(err.why, option_table[row->id].name));
        }
    }
}

static void csv(void **state)
{
    (void)state;
    assert_true(cfg_csv_has("get-wal,delta-restore", "delta-restore"));
    assert_false(cfg_csv_has("get-wal", "get"));
    assert_false(cfg_csv_has("", "get-wal"));
    assert_false(cfg_csv_has(NULL, "get-wal"));
}

/* Every option of the table has words for people, a scope, and a default its type can read. */
static void table_is_whole(void **state)
{
    (void)state;
    for (size_t i = 0; i < OPTION_COUNT; i++) {
        const struct option *o = &option_table[i];

        assert_true(strlen(o->text) > 5 && strlen(o->text) < 90);
        assert_true(strlen(o->scope) && strspn(o->scope, "GSM") == strlen(o->scope));
        assert_ptr_equal(option_find(str_of(o->name)), o);
        assert_null(global_option_find(str_of(o->name)));
        if (o->type == OPTION_ENUM && o->def) {
            assert_non_null(strstr(o->values, o->def));
        }
    }
}

TEST_MAIN(ONE(connections_fall_back), ROWS(uses, one_use), ONE(csv), ONE(table_is_whole))
