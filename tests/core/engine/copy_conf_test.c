/* SPDX-License-Identifier: PostgreSQL */
/* What a started copy is told. That a server does as it is told, tests/pg/copy_test.sh shows;
 * the versions in which a setting came and went are those of the release notes. */
#include "engine/copy_in.h"
#include "engine/copy_refused.h"

#include "harness.h"

#define MIB (1024u * 1024u)

static struct copy_conf plain(int major)
{
    return (struct copy_conf){
        .major = major,
        .server = "orders-db1",
        .dest = "/srv/copy",
        .dir = "/srv/copy/.barkeep-copy",
        .socket_dir = "/tmp/barkeep-abcdef",
        .port = 5432,
        .need = {100, 8, 10, 0, 64, 1},
        .seg_size = 16 * MIB,
        .end_command = "",
    };
}

static const char *value_of(struct copy_settings s, const char *name)
{
    const char *found = NULL;

    for (size_t i = 0; i < s.n; i++) {
        if (strcmp(s.item[i].name, name) == 0) {
            assert_null(found); /* said once */
            found = s.item[i].value;
        }
    }
    return found;
}

/* ---- which settings, for which version ---------------------------------------------------- */

static const struct setting_row {
    const char *label;
    int major;
    const char *name;
    const char *value; /* NULL: must not be said, the server would not know it */
} setting_rows[] = {
    {"no archiving", 15, "archive_mode", "off"},
    {"no archive command", 15, "archive_command", ""},
    {"archive_library is of 15", 15, "archive_library", ""},
    {"archive_library is not of 14", 14, "archive_library", NULL},
    {"an original that was a standby cleans nothing", 15, "archive_cleanup_command", ""},
    {"no libraries", 15, "shared_preload_libraries", ""},
    {"nor in a session", 15, "session_preload_libraries", ""},
    {"no primary", 13, "primary_conninfo", ""},
    {"no standbys to wait for", 15, "synchronous_standby_names", ""},
    {"no subscription workers", 15, "max_logical_replication_workers", "0"},
    {"no slots of a primary, 17", 17, "sync_replication_slots", "off"},
    {"no slots of a primary, 16", 16, "sync_replication_slots", NULL},
    {"login triggers are of 17", 17, "event_triggers", "off"},
    {"and not of 16", 16, "event_triggers", NULL},
    {"socket only", 15, "listen_addresses", ""},
    {"the socket's directory", 15, "unix_socket_directories", "/tmp/barkeep-abcdef"},
    {"its name", 15, "cluster_name", "orders-db1 RESTORED"},
    {"no pid file elsewhere", 15, "external_pid_file", "/srv/copy/.barkeep-copy/pid"},
    {"no TLS", 15, "ssl", "off"},
    {"to be looked at", 15, "hot_standby", "on"},
    {"no delay", 15, "recovery_min_apply_delay", "0"},
    {"trigger file until 15", 15, "promote_trigger_file", ""},
    {"gone in 16", 16, "promote_trigger_file", NULL},
    {"statistics until 14", 14, "stats_temp_directory", "pg_stat_tmp"},
    {"gone in 15", 15, "stats_temp_directory", NULL},
    {"io_method is of 18", 18, "io_method", "sync"},
    {"and not of 17", 17, "io_method", NULL},
    {"origins of 18", 18, "max_active_replication_origins", "1000"},
    {"small memory", 15, "shared_buffers", "64MB"},
    {"no huge pages", 15, "huge_pages", "off"},
    {"its log is ours", 15, "logging_collector", "off"},
    {"own hba", 15, "hba_file", "/srv/copy/.barkeep-copy/pg_hba.conf"},
    {"own ident", 15, "ident_file", "/srv/copy/.barkeep-copy/pg_ident.conf"},
    {"its place", 15, "data_directory", "/srv/copy"},
    {"a foreign end command is not run", 15, "recovery_end_command", ""},
    {"as many connections as the original", 15, "max_connections", "100"},
    {"but not too few", 15, "max_worker_processes", "8"},
    {"wal_level replica", 15, "wal_level", "replica"},
    {"min_wal_size as initdb", 15, "min_wal_size", "80MB"},
    {"reserved_connections is of 16", 15, "reserved_connections", NULL},
};

static void check_setting(void **state)
{
    const struct setting_row *r = *state;
    struct copy_conf c = plain(r->major);
    struct arena a;
    const char *value;

    arena_init(&a, 0);
    value = value_of(copy_conf_settings(&a, &c), r->name);
    if (r->value) {
        assert_non_null(value);
        assert_string_equal(value, r->value);
    } else {
        assert_null(value);
    }
    arena_release(&a);
}

/* What the original has more of, the copy has too; a server with segments of 1 GiB refuses a
 * min_wal_size below 2 GiB. */
static void large_originals(void **state)
{
    struct copy_conf c = plain(15);
    struct copy_settings s;
    struct arena a;

    (void)state;
    arena_init(&a, 0);
    c.need = (struct wal_settings){5000, 300, 77, 250, 1024, 2};
    c.seg_size = 1024 * MIB;
    c.is_tcp = true;
    c.port = 5499;
    c.commit_timestamps = true;
    c.end_command = "rm -fr '/srv/copy/barman_wal'";
    s = copy_conf_settings(&a, &c);
    assert_string_equal(value_of(s, "max_connections"), "5000");
    assert_string_equal(value_of(s, "max_worker_processes"), "300");
    assert_string_equal(value_of(s, "max_wal_senders"), "77");
    assert_string_equal(value_of(s, "max_prepared_transactions"), "250");
    assert_string_equal(value_of(s, "max_locks_per_transaction"), "1024");
    assert_string_equal(value_of(s, "wal_level"), "logical");
    assert_string_equal(value_of(s, "track_commit_timestamp"), "on");
    assert_string_equal(value_of(s, "min_wal_size"), "5120MB");
    assert_string_equal(value_of(s, "listen_addresses"), "127.0.0.1");
    assert_string_equal(value_of(s, "port"), "5499");
    assert_string_equal(value_of(s, "recovery_end_command"), c.end_command);
    arena_release(&a);
}

/* Each setting of the file stands on the command line too, which no file overrules. */
static void file_and_command_line_agree(void **state)
{
    struct copy_conf c = plain(15);
    struct copy_setting own[] = {{"recovery_target_name", "it's \\ here"}};
    struct copy_settings s;
    const char *const *argv;
    const char *text;
    size_t n = 5; /* program -D dest -c config_file */
    struct arena a;

    (void)state;
    arena_init(&a, 0);
    c.recovery = (struct copy_settings){own, 1};
    s = copy_conf_settings(&a, &c);
    argv = copy_argv(&a, "/usr/bin/postgres", &c);
    text = copy_conf_text(&a, &c);
    assert_string_equal(argv[0], "/usr/bin/postgres");
    assert_string_equal(argv[1], "-D");
    assert_string_equal(argv[2], "/srv/copy");
    assert_string_equal(argv[4], "config_file=/srv/copy/.barkeep-copy/postgresql.conf");
    for (size_t i = 0; i < s.n; i++, n += 2) {
        const char *read = copy_conf_value(&a, str_of(text), s.item[i].name);

        assert_string_equal(argv[n], "-c");
        assert_true(str_starts(str_of(argv[n + 1]), s.item[i].name));
        assert_string_equal(argv[n + 1] + strlen(s.item[i].name) + 1, s.item[i].value);
        assert_string_equal(read, s.item[i].value);
    }
    assert_null(argv[n]);
    assert_non_null(strstr(text, "recovery_target_name = 'it''s \\\\ here'\n"));
    c.dest = "/srv/a\nb";
    assert_null(copy_conf_text(&a, &c));
    arena_release(&a);
}

/* Trust only where the file system lets nobody else in. */
static void who_may_come(void **state)
{
    (void)state;
    assert_string_equal(copy_hba_text(false), "local all all trust\n");
    assert_null(strstr(copy_hba_text(true), "127.0.0.1/32 trust"));
}

/* ---- values of a configuration file ------------------------------------------------------- */

static const struct value_row {
    const char *label, *text, *value;
} value_rows[] = {
    {"plain", "key = on\n", "on"},
    {"without the sign", "key on\n", "on"},
    {"no blanks", "key=on", "on"},
    {"another case", "KEY = 1\n", "1"},
    {"the last one counts", "key = 1\nkey = 2\n", "2"},
    {"quotes", "key = 'a b'\n", "a b"},
    {"a quote in it", "key = 'it''s'\n", "it's"},
    {"a quote behind a backslash", "key = 'it\\'s'\n", "it's"},
    {"a newline escape", "key = 'a\\nb'\n", "a\nb"},
    {"a doubled backslash", "key = 'a\\\\b'\n", "a\\b"},
    {"a comment behind", "key = on # off\n", "on"},
    {"a comment behind quotes", "key = 'on' # off\n", "on"},
    {"CR LF", "key = on\r\n", "on"},
    {"empty quotes", "key = ''\n", ""},
    {"absent", "kez = on\n", NULL},
    {"a longer name", "keys = on\n", NULL},
    {"a qualified name", "my.key = on\n", NULL},
    {"commented out", "#key = on\n", NULL},
    {"behind barman's mark", "#BARMAN#key = on\n", NULL},
    {"no closing quote", "key = 'on\n", NULL},
    {"ends in a backslash", "key = 'on\\", NULL},
    {"empty file", "", NULL},
};

static void check_value(void **state)
{
    const struct value_row *r = *state;
    struct arena a;
    const char *value;

    arena_init(&a, 0);
    value = copy_conf_value(&a, str_of(r->text), "key");
    if (r->value) {
        assert_non_null(value);
        assert_string_equal(value, r->value);
    } else {
        assert_null(value);
    }
    arena_release(&a);
}

/* ---- what restore noted ------------------------------------------------------------------- */

static void notes_of_a_restore(void **state)
{
    static const char text[] = "# barkeep: backup 20261122T134353\n"
                               "# barkeep: conf my.conf\n"
                               "# barkeep: until 2026-11-22 10:29:00.5+01:00\n"
                               "# barkeep: wal /srv/a b/wal\n"
                               "backup_label=None\n";
    struct copy_notes n;
    struct arena a;

    (void)state;
    arena_init(&a, 0);
    copy_notes_parse(&a, str_of(text), &n);
    assert_string_equal(n.backup_id, "20261122T134353");
    assert_string_equal(n.conf, "my.conf");
    assert_string_equal(n.wal_dir, "/srv/a b/wal");
    assert_int_equal(n.until_us, INT64_C(1795339740500000)); /* date -d ... +%s%6N */
    copy_notes_parse(&a, str_of("backup_label=None\n# barkeep: until yesterday\n"), &n);
    assert_null(n.backup_id);
    assert_null(n.conf);
    assert_int_equal(n.until_us, 0);
    arena_release(&a);
}

/* ---- what this server does not take -------------------------------------------------------- */

#define UNKNOWN "unrecognized configuration parameter \"key\" in file \"/a/b\" line 2"
#define INVALID "invalid value for parameter \"key\": \"de_DE\""

static const struct without_row {
    const char *label;
    const char *text, *wrong;
    const char *out; /* NULL: nothing to take out */
} without_rows[] = {
    {"unknown", "a = 1\nkey = 2\n", UNKNOWN, "a = 1\n#BARMAN#key = 2\n"},
    {"each of that name", "key=1\nb = 2\n KEY '3'\n", INVALID,
     "#BARMAN#key=1\nb = 2\n#BARMAN# KEY '3'\n"},
    {"a line by its number", "a = 1\nb == 2\nc = 3\n",
     "syntax error in file \"/a line 3/x\" line 2, near token \"=\"",
     "a = 1\n#BARMAN#b == 2\nc = 3\n"},
    {"recovery's own stays", "recovery_target_xid = x\n",
     "invalid value for parameter \"recovery_target_xid\": \"x\"", NULL},
    {"restore_command stays", "restore_command = 'x\n",
     "syntax error in file \"/a/x\" line 1, near token \"'\"", NULL},
    {"a longer name stays", "keys = 1\n", UNKNOWN, NULL},
    {"a shorter name stays", "ke = 1\n", UNKNOWN, NULL},
    {"commented out already", "#key = 1\n#BARMAN#key = 2\n", UNKNOWN, NULL},
    {"in another file", "", UNKNOWN, NULL},
    {"a line behind the end", "a = 1\n", "syntax error in file \"/a/x\" line 7", NULL},
    {"line 0", "a = 1\n", "syntax error in file \"/a/x\" line 0", NULL},
    {"no name", "a = 1\n", "unrecognized configuration parameter \"", NULL},
    {"other words", "key = 1\n", "could not open file \"key\"", NULL},
};

static void check_without(void **state)
{
    const struct without_row *r = *state;
    const char *told;
    struct arena a;
    struct str out;
    bool found;

    arena_init(&a, 0);
    found = copy_conf_without(&a, str_of(r->text), r->wrong, &out, &told);
    assert_int_equal(found, r->out != NULL);
    if (r->out) {
        assert_int_equal(out.n, strlen(r->out));
        assert_memory_equal(out.p, r->out, out.n);
        assert_non_null(told);
    }
    arena_release(&a);
}

TEST_MAIN(ROWS(setting_rows, check_setting), ROWS(value_rows, check_value),
          ROWS(without_rows, check_without), ONE(large_originals),
          ONE(file_and_command_line_agree), ONE(who_may_come), ONE(notes_of_a_restore))
