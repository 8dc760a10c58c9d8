/* SPDX-License-Identifier: PostgreSQL */
/* The sample has the form of a file of Barman 3.17 (local-rsync), every key in its place. */
#include "fixture.h"

#include "repo/backup_info.h"

#include <time.h>

#define ID "20261122T134353"

static const char sample[] =
    "backup_label='START WAL LOCATION: 0/5000028 (file 000000010000000000000005)\\nLABEL: "
    "it\\'s "
    "a \"test\"\\n'\n"
    "begin_offset=40\n"
    "begin_time=2026-11-22 13:43:53.813183+00:00\n"
    "begin_wal=000000010000000000000005\n"
    "begin_xlog=0/5000028\n"
    "children_backup_ids=None\n"
    "cluster_size=38000000\n"
    "compression=None\n"
    "config_file=/etc/postgresql/15/main/postgresql.conf\n"
    "copy_stats={'copy_time': 0.25, 'total_time': 0.5, 'copy_time_per_item': {'tbs1': 0.1}}\n"
    "data_checksums=on\n"
    "deduplicated_size=37000000\n"
    "encryption=None\n"
    "end_offset=0\n"
    "end_time=2026-11-22 13:43:59+02:00\n"
    "end_wal=000000010000000000000006\n"
    "end_xlog=0/6000000\n"
    "error=None\n"
    "hba_file=/etc/postgresql/15/main/pg_hba.conf\n"
    "ident_file=/etc/postgresql/15/main/pg_ident.conf\n"
    "included_files=['/etc/postgresql/15/main/conf.d/a.conf']\n"
    "mode=rsync-concurrent\n"
    "parent_backup_id=None\n"
    "pgdata=/var/lib/postgresql/15/main\n"
    "server_name=main\n"
    "size=38000000\n"
    "status=DONE\n"
    "summarize_wal=None\n"
    "systemid=7300000000000000001\n"
    "tablespaces=[('tbs1', 16384, '/srv/tbs1')]\n"
    "timeline=1\n"
    "version=150020\n"
    "xlog_segment_size=16777216\n";

static void sample_there_and_back(void **state)
{
    struct backup b = {.id = ID};
    struct err err = {0};
    struct str text;
    struct arena a;
    double v;

    (void)state;
    arena_init(&a, 0);
    assert_true(backup_info_parse(&a, str_of(sample), "x", &b, &err));
    assert_string_equal(b.id, ID);
    assert_string_equal(b.backup_label,
                        "START WAL LOCATION: 0/5000028 (file 000000010000000000000005)\n"
                        "LABEL: it's a \"test\"\n");
    assert_int_equal(b.begin_offset, 40);
    assert_true(b.begin_time.known);
    assert_int_equal(b.begin_time.us, INT64_C(1795355033813183));
    assert_int_equal(b.end_time.us, INT64_C(1795347839000000));
    assert_int_equal(b.end_time.offset_s, 7200);
    assert_int_equal(b.begin_xlog, 0x5000028);
    assert_int_equal(b.end_xlog, 0x6000000);
    assert_null(b.children_backup_ids);
    assert_null(b.backup_name);
    assert_int_equal(b.size, 38000000);
    assert_int_equal(b.status, BACKUP_DONE);
    assert_int_equal(b.tablespaces, 1);
    assert_int_equal(b.tablespace[0].oid, 16384);
    assert_int_equal(b.version, 150020);
    assert_true(b.copy_time == 0.25 && b.total_time == 0.5);
    assert_true(backup_copy_stat(&b, "total_time", &v));
    assert_int_equal(backup_type_of(&b), BACKUP_RSYNC);

    assert_true(backup_info_text(&a, &b, &text, &err));
    assert_string_equal(text.p, sample);
    arena_release(&a);
}

/* A backup that has just begun: every key is there all the same. */
static void nothing_known_yet(void **state)
{
    struct backup b = {.id = ID, .status = BACKUP_EMPTY}, again = {.id = ID};
    struct err err = {0};
    struct str text;
    struct arena a;

    (void)state;
    arena_init(&a, 0);
    assert_true(backup_info_text(&a, &b, &text, &err));
    assert_true(str_starts(text, "backup_label=None\nbegin_offset=None\nbegin_time=None\n"));
    assert_non_null(strstr(text.p, "\nstatus=EMPTY\n"));
    assert_non_null(strstr(text.p, "\ntablespaces=None\n"));
    assert_non_null(strstr(text.p, "\nxlog_segment_size=16777216\n"));
    assert_null(strstr(text.p, "backup_name"));
    assert_null(strstr(text.p, "snapshots_info"));
    assert_true(backup_info_parse(&a, text, "x", &again, &err));
    assert_false(again.begin_time.known);
    assert_null(again.begin_wal);

    b.backup_name = "before upgrade";
    b.error = "failed:\n on line two";
    b.copy_time = 1.5;
    b.total_time = 2;
    assert_true(backup_info_text(&a, &b, &text, &err));
    assert_non_null(strstr(text.p, "\nbackup_name=before upgrade\n"));
    assert_non_null(strstr(text.p, "\nerror=failed:  on line two\n"));
    assert_non_null(strstr(text.p, "\ncopy_stats={'copy_time': 1.5, 'total_time': 2.0}\n"));
    arena_release(&a);
}

static const struct row {
    const char *label;
    const char *text;
    const char *what; /* must be in err.what; NULL: it is right */
    const char *why;
} rows[] = {
    {"nothing at all", "", NULL, NULL},
    {"blank lines and comments", "\n  \n# status=FAILED\nstatus=DONE\n", NULL, NULL},
    {"blanks around", "  status  =  DONE  \n", NULL, NULL},
    {"no newline at the end", "status=DONE", NULL, NULL},
    {"equals sign in the value", "pgdata=/a=b\n", NULL, NULL},
    {"carriage returns", "status=DONE\r\ntimeline=3\r\n", NULL, NULL},
    {"every status", "status=WAITING_FOR_WALS\n", NULL, NULL},

    {"segments, a cluster",
     "begin_wal=0000000100000000000000FF\nend_wal=00000001000000010000000a\n"
     "systemid=18446744073709551615\n",
     NULL, NULL},

    {"begin that leads elsewhere", "status=DONE\nbegin_wal=../../x\n", "info:2", "'begin_wal'"},
    {"begin too short", "begin_wal=00000001000000000000005\n", "info:1", "'begin_wal'"},
    {"begin cut off", "begin_wal=\n", "info:1", "'begin_wal'"},
    {"begin is a partial one", "begin_wal=000000010000000000000005.partial\n", "info:1",
     "'begin_wal'"},
    {"end is a history file", "end_wal=00000002.history\n", "info:1", "'end_wal'"},
    {"end not in hex", "end_wal=00000001000000000000000G\n", "info:1", "'end_wal'"},
    {"cluster with letters", "systemid=73000x\n", "info:1", "'systemid'"},
    {"cluster with a sign", "systemid=-73\n", "info:1", "'systemid'"},
    {"cluster too large", "systemid=18446744073709551616\n", "info:1", "'systemid'"},
    {"no cluster", "systemid=\n", "info:1", "'systemid'"},
    {"key of a newer version", "status=DONE\nshiny=1\n", "info:2", "newer version"},
    {"no equals sign", "status\n", "info:1", "key=value"},
    {"unknown status", "status=SLEEPING\n", "info:1", "'status'"},
    {"size with a sign", "size=-1\n", "info:1", "'size'"},
    {"size with a unit", "size=1 GB\n", "info:1", "'size'"},
    {"size too large", "size=18446744073709551616\n", "info:1", "'size'"},
    {"timeline too large", "timeline=4294967296\n", "info:1", "'timeline'"},
    {"version too large", "version=2147483648\n", "info:1", "'version'"},
    {"label not a literal", "backup_label=START WAL\n", "info:1", "'backup_label'"},
    {"label cut", "backup_label='START\n", "info:1", "'backup_label'"},
    {"31 April", "begin_time=2026-04-31 00:00:00+00:00\n", "info:1", "'begin_time'"},
    {"time is a word", "end_time=yesterday\n", "info:1", "'end_time'"},
    {"LSN without a slash", "begin_xlog=5000028\n", "info:1", "'begin_xlog'"},
    {"tablespaces is code", "tablespaces=open('/etc/passwd')\n", "info:1", "'tablespaces'"},
    {"stats never end", "copy_stats={'a': \n", "info:1", "'copy_stats'"},
    {"no segment size", "xlog_segment_size=17\n", "info", "segment size"},
    {"segment size 0", "xlog_segment_size=0\n", "info", "segment size"},
};

static void check_row(void **state)
{
    const struct row *row = *state;
    struct backup b = {.id = ID};
    struct err err = {0};
    struct arena a;

    arena_init(&a, 0);
    assert_int_equal(backup_info_parse(&a, str_of(row->text), "info", &b, &err), !row->what);
    if (row->what) {
        assert_int_equal(err.code, ERR_FORMAT);
        assert_string_equal(err.what, row->what);
        assert_non_null(strstr(err.why, row->why));
    } else {
        assert_int_equal(err.code, ERR_NONE);
    }
    arena_release(&a);
}

static void a_byte_that_ends_text(void **state)
{
    struct backup b = {.id = ID};
    struct err err = {0};
    struct arena a;

    (void)state;
    arena_init(&a, 0);
    assert_false(backup_info_parse(&a, STR_LIT("pgdata=/a\0b\n"), "info", &b, &err));
    assert_int_equal(err.code, ERR_FORMAT);
    arena_release(&a);
}

static void naive_times_are_local(void **state)
{
    struct backup b = {.id = ID};
    struct err err = {0};
    struct arena a;

    (void)state;
    setenv("TZ", "UTC-3", 1); /* three hours east */
    tzset();
    arena_init(&a, 0);
    assert_true(backup_info_parse(&a, str_of("begin_time=2026-11-22 13:43:53.000001\n"), "x",
                                  &b, &err));
    assert_int_equal(b.begin_time.us, INT64_C(1795344233000001));
    assert_int_equal(b.begin_time.offset_s, 3 * 3600);
    arena_release(&a);
    unsetenv("TZ");
    tzset();
}

static const struct type_row {
    const char *label;
    const char *mode, *parent;
    enum backup_type type;
} type_rows[] = {
    {"streamed", "postgres", NULL, BACKUP_FULL},
    {"with a parent", "postgres", "20261122T134353", BACKUP_INCREMENTAL},
    {"rsync", "rsync-exclusive", NULL, BACKUP_RSYNC},
    {"snapshot", "snapshot-concurrent", NULL, BACKUP_SNAPSHOT},
    {"no mode", NULL, NULL, BACKUP_FULL},
    {"synced to a passive node", "passive", NULL, BACKUP_FULL},
};

static void check_type(void **state)
{
    const struct type_row *row = *state;
    struct backup b = {.mode = row->mode, .parent_backup_id = row->parent};

    assert_int_equal(backup_type_of(&b), row->type);
}

static const struct name_row {
    const char *label;
    const char *name;
    bool is_ok;
} name_rows[] = {
    {"words", "before it's 100% done = #1", true},
    {"UTF-8", "caf\xC3\xA9 \xF0\x9F\x90\x98", true},
    {"Latin-1", "caf\xE9", false},
    {"cut in a character", "caf\xC3", false},
    {"a surrogate", "\xED\xA0\x80", false},
    {"two lines", "a\nstatus=DONE", false},
    {"a tab", "a\tb", false},
    {"delete", "a\x7F", false},
    {"blank before", " a", false},
    {"blank behind", "a ", false},
    {"nothing", "", false},
    {"what stands for nothing", "None", false},
};

static void check_name(void **state)
{
    const struct name_row *row = *state;

    assert_int_equal(backup_name_ok(row->name), row->is_ok);
}

/* Barman reads no backup of a server with a byte in it that is not UTF-8. */
static void a_message_that_is_cut(void **state)
{
    struct backup b = {
        .id = ID, .status = BACKUP_FAILED, .error = "caf\xC3\xA9\n\xE9t\xE9 \xE2\x82"};
    struct err err = {0};
    struct arena a;
    struct fx f;

    (void)state;
    fx_init(&f);
    arena_init(&a, 0);
    assert_true(backup_info_save(&f.r, &b, &err));
    assert_true(backup_info_load(&f.r, &a, ID, &b, &err));
    assert_string_equal(b.error, "caf\xC3\xA9 ?t? ??");
    arena_release(&a);
    fx_release(&f);
}

static void meta_wins_over_base(void **state)
{
    struct backup b = {.id = ID};
    struct err err = {0};
    struct arena a;
    struct fx f;

    (void)state;
    fx_init(&f);
    arena_init(&a, 0);
    assert_false(backup_info_load(&f.r, &a, ID, &b, &err));
    assert_int_equal(err.code, ERR_MISSING);

    err = (struct err){0};
    assert_true(dir_make(fx_fmt("%s/%s", f.r.base_dir, ID), &err));
    fx_text(fx_fmt("%s/%s/backup.info", f.r.base_dir, ID), "status=FAILED\n");
    assert_true(backup_info_load(&f.r, &a, ID, &b, &err));
    assert_int_equal(b.status, BACKUP_FAILED);

    b.status = BACKUP_DONE;
    assert_true(backup_info_save(&f.r, &b, &err));
    assert_true(backup_info_load(&f.r, &a, ID, &b, &err));
    assert_int_equal(b.status, BACKUP_DONE);
    assert_string_equal(fx_read(fx_fmt("%s/%s/backup.info", f.r.base_dir, ID)),
                        "status=FAILED\n");
    assert_int_equal(fx_count(f.r.meta_dir), 1); /* and no temporary file */
    arena_release(&a);
    fx_release(&f);
}

static void out_of_memory(void **state)
{
    struct backup b = {.id = ID};
    struct err err = {0};
    struct arena a;

    (void)state;
    arena_init(&a, 64);
    assert_false(backup_info_parse(&a, str_of(sample), "x", &b, &err));
    assert_int_equal(err.code, ERR_MEMORY);
    arena_release(&a);
}

TEST_MAIN(ONE(sample_there_and_back), ONE(nothing_known_yet), ROWS(rows, check_row),
          ROWS(name_rows, check_name), ONE(a_message_that_is_cut), ONE(a_byte_that_ends_text),
          ONE(naive_times_are_local), ROWS(type_rows, check_type), ONE(meta_wins_over_base),
          ONE(out_of_memory))
