/* SPDX-License-Identifier: PostgreSQL */
/* The lines of list-servers, list-backups and show-backup; what is expected is worked out from
 * the description of Barman's output, widths counted by hand. */
#include "batch/list_text.h"

#include "harness.h"

#include <stdlib.h>

/* 2026-11-22 13:43:59.813183+01:00 is 12:43:59.813183 UTC. */
#define END_US INT64_C(1795351439813183)

static struct backup done_backup(void)
{
    return (struct backup){
        .id = "20261122T134344",
        .begin_offset = 40,
        .end_offset = 312,
        .begin_time = {END_US - INT64_C(15813183), 3600, true},
        .end_time = {END_US, 3600, true},
        .begin_wal = "000000010000000000000004",
        .end_wal = "000000010000000000000004",
        .begin_xlog = 0x4000028,
        .end_xlog = 0x4000138,
        .cluster_size = UINT64_C(24117248),
        .data_checksums = "off",
        .deduplicated_size = UINT64_C(31457280),
        .mode = "postgres",
        .pgdata = "/var/lib/postgresql/15/main",
        .server_name = "pg",
        .size = UINT64_C(31457280),
        .status = BACKUP_DONE,
        .systemid = "7441242223472931846",
        .timeline = 1,
        .version = 150018,
        .xlog_segment_size = 16777216,
    };
}

static void lists_servers(void **state)
{
    struct server_cfg srv = {.name = "pg", .active = true, .description = "Orders"};
    char line[256];

    (void)state;
    list_server_text(&srv, line, sizeof line);
    assert_string_equal(line, "pg - Orders");
    srv.disabled = true;
    list_server_text(&srv, line, sizeof line);
    assert_string_equal(line, "pg - Orders (WARNING: disabled)");
    srv.active = false; /* goes before disabled */
    list_server_text(&srv, line, sizeof line);
    assert_string_equal(line, "pg - Orders (inactive)");
    srv.description = NULL; /* the double blank is Barman's */
    list_server_text(&srv, line, sizeof line);
    assert_string_equal(line, "pg -  (inactive)");
    srv.primary_ssh_command = "ssh x";
    list_server_text(&srv, line, sizeof line);
    assert_string_equal(line, "pg -  (inactive) (Passive)");
    srv = (struct server_cfg){.name = "pg", .active = true, .description = ""};
    list_server_text(&srv, line, sizeof line);
    assert_string_equal(line, "pg");
}

static void lists_backups(void **state)
{
    struct backup b = done_backup();
    struct backup_wal wal = {.num = 1, .size = 16777216, .next_size = 272};
    char line[256];

    (void)state;
    list_backup_text("pg", &b, &wal, NULL, line, sizeof line);
    assert_string_equal(line, "pg 20261122T134344 - F - Sun Nov 22 13:43:59 2026 - Size: "
                              "46.0 MiB - WAL Size: 272 B");
    b.backup_name = "before the move";
    b.status = BACKUP_WAITING_FOR_WALS;
    list_backup_text("pg", &b, &wal, NULL, line, sizeof line);
    assert_string_equal(line, "pg 20261122T134344 'before the move' - F - Sun Nov 22 13:43:59 "
                              "2026 - Size: 46.0 MiB - WAL Size: 272 B - WAITING_FOR_WALS");
    b.backup_name = NULL;
    b.status = BACKUP_FAILED;
    list_backup_text("pg", &b, &wal, NULL, line, sizeof line);
    assert_string_equal(line, "pg 20261122T134344 - F - FAILED");
    b.mode = "rsync-concurrent";
    b.status = BACKUP_STARTED;
    list_backup_text("pg", &b, &wal, NULL, line, sizeof line);
    assert_string_equal(line, "pg 20261122T134344 - R - STARTED");
    b.mode = "postgres";
    b.parent_backup_id = "20261121T000000";
    list_backup_text("pg", &b, &wal, NULL, line, sizeof line);
    assert_string_equal(line, "pg 20261122T134344 - I - STARTED");
}

static void collect(void *ctx, const char *line)
{
    struct sbuf *b = ctx;

    sbuf_add(b, line);
    sbuf_char(b, '\n');
}

static void same_lines(const struct backup_show *show, const char *want)
{
    const struct show_chain chain = {show->backup->id, 1};
    char got[8192];
    struct sbuf b;

    sbuf_init(&b, got, sizeof got);
    show_backup_lines(show, &chain, collect, &b);
    assert_string_equal(got, want);
}

static const char done_lines[] =
    "Backup 20261122T134344:\n"
    "  Server Name            : pg\n"
    "  System Id              : 7441242223472931846\n"
    "  Status                 : DONE\n"
    "  PostgreSQL Version     : 150018\n"
    "  PGDATA directory       : /var/lib/postgresql/15/main\n"
    "  Estimated Cluster Size : 23.0 MiB\n"
    "\n"
    "  Server information:\n"
    "    Checksums            : off\n"
    "\n"
    "  Tablespaces:\n"
    "    fast                 : /fast (oid: 16387)\n"
    "\n"
    "  Base backup information:\n"
    "    Backup Method        : postgres\n"
    "    Backup Type          : full\n"
    "    Backup Size          : 30.0 MiB (46.0 MiB with WALs)\n"
    "    WAL Size             : 16.0 MiB\n"
    "    Timeline             : 1\n"
    "    Begin WAL            : 000000010000000000000004\n"
    "    End WAL              : 000000010000000000000004\n"
    "    Number of WALs       : 1\n"
    "    Begin time           : 2026-11-22 13:43:44+01:00\n"
    "    End time             : 2026-11-22 13:43:59.813183+01:00\n"
    "    Copy time            : 2 seconds\n"
    "    Estimated throughput : 12.0 MiB/s\n"
    "    Begin Offset         : 40\n"
    "    End Offset           : 312\n"
    "    Begin LSN            : 0/4000028\n"
    "    End LSN              : 0/4000138\n"
    "\n"
    "  WAL information:\n"
    "    Number of files      : 3\n"
    "    Disk usage           : 48.0 MiB\n"
    "    WAL rate             : 36.00/hour\n"
    "    Last available       : 000000010000000000000007\n"
    "\n"
    "  Catalog information:\n"
    "    Retention Policy     : not enforced\n"
    "    Previous Backup      : 20261121T000000\n"
    "    Next Backup          : - (this is the latest base backup)\n";

static void shows_a_backup(void **state)
{
    static const struct tablespace space = {"fast", 16387, "/fast"};
    struct backup b = done_backup(), before = {.id = "20261121T000000"};
    struct backup_wal wal = {.num = 1,
                             .size = 16777216,
                             .next_num = 3,
                             .next_size = 50331648,
                             .last = "000000010000000000000007"};
    struct backup_show show = {.backup = &b,
                               .wal = &wal,
                               .type = BACKUP_FULL,
                               .size_with_wals = UINT64_C(48234496),
                               .wals_per_s = 0.01,
                               .copy_time = 2.5,
                               .throughput = 12582912,
                               .workers = 1,
                               .previous = &before};

    (void)state;
    b.tablespace = &space;
    b.tablespaces = 1;
    same_lines(&show, done_lines);
}

static void shows_a_failure(void **state)
{
    struct backup b = {.id = "20261122T134344",
                       .backup_name = "n",
                       .server_name = "pg",
                       .status = BACKUP_FAILED,
                       .error = "disk full",
                       .mode = "postgres"};
    struct backup_wal wal = {0};
    struct backup_show show = {.backup = &b, .wal = &wal};

    (void)state;
    same_lines(&show, "Backup 20261122T134344:\n"
                      "  Backup Name            : n\n"
                      "  Server Name            : pg\n"
                      "  Status                 : FAILED\n"
                      "\n"
                      "  Error                  : disk full\n");
}

static void shows_an_incremental(void **state)
{
    static const pg_tli lines[] = {2, 3};
    struct backup b = done_backup(), next = {.id = "20261123T000000"};
    struct backup_wal wal = {0};
    struct backup_show show = {.backup = &b,
                               .wal = &wal,
                               .type = BACKUP_INCREMENTAL,
                               .saved_bytes = 12058624,
                               .saved_ratio = 0.5,
                               .next = &next,
                               .copy_time = 65,
                               .analysis_time = 3,
                               .throughput = 1048576,
                               .workers = 4,
                               .timeline = lines,
                               .timelines = 2};
    const struct show_chain chain = {"20261120T000000", 3};
    char got[8192];
    struct sbuf out;

    (void)state;
    b.parent_backup_id = "20261121T000000";
    b.children_backup_ids = "20261123T000000,20261124T000000";
    sbuf_init(&out, got, sizeof got);
    show_backup_lines(&show, &chain, collect, &out);
    assert_non_null(strstr(got, "    Backup Size          : 30.0 MiB\n"
                                "    Resources saved      : 11.5 MiB (50.00%)\n"));
    assert_non_null(strstr(got, "    Copy time            : 1 minute, 5 seconds + 3 seconds "
                                "startup\n"
                                "    Estimated throughput : 1.0 MiB/s (4 jobs)\n"));
    assert_non_null(strstr(got, "    Last available       : None\n"
                                "    Reachable timelines  : 2, 3\n"));
    assert_non_null(strstr(got,
                           "    Previous Backup      : - (this is the oldest base backup)\n"
                           "    Next Backup          : 20261123T000000\n"
                           "\n"
                           "WARNING: WAL information is inaccurate due to multiple timelines "
                           "interacting with this backup\n"
                           "    Root Backup          : 20261120T000000\n"
                           "    Parent Backup        : 20261121T000000\n"
                           "    Backup chain size    : 3\n"
                           "    Children Backup(s)   : 20261123T000000,20261124T000000\n"));
}

/* An encrypted backup says so, one whose method nobody wrote down says nothing; columns are
 * counted in characters. */
static void shows_what_is_known(void **state)
{
    static const struct tablespace space = {"caf\303\251", 16387, "/c"};
    struct backup b = done_backup();
    struct backup_wal wal = {0};
    struct backup_show show = {.backup = &b, .wal = &wal, .type = BACKUP_FULL};
    const struct show_chain chain = {b.id, 1};
    char got[8192];
    struct sbuf out;

    (void)state;
    b.tablespace = &space;
    b.tablespaces = 1;
    b.encryption = "gpg";
    b.mode = NULL;
    sbuf_init(&out, got, sizeof got);
    show_backup_lines(&show, &chain, collect, &out);
    assert_non_null(strstr(got, "    caf\303\251                 : /c (oid: 16387)\n"));
    assert_non_null(strstr(got, "  Base backup information:\n"
                                "    Encryption           : gpg\n"
                                "    Backup Size "));
}

/* Segments that are known to be damaged, and which of them the backup itself needs. */
static void shows_damage(void **state)
{
    struct damaged_wal mark[10];
    struct backup b = done_backup();
    struct backup_wal wal = {.last = "000000010000000000000007"};
    struct backup_show show = {.backup = &b, .wal = &wal, .type = BACKUP_FULL, .damaged = mark};
    const struct show_chain chain = {b.id, 1};
    char got[8192];
    struct sbuf out;

    (void)state;
    for (size_t i = 0; i < 10; i++) {
        mark[i] = (struct damaged_wal){.name = i ? "000000010000000000000006"
                                                 : "000000010000000000000004",
                                       .lsn = i ? 0x6000100 : 0x4000028};
    }
    show.damages = 2;
    sbuf_init(&out, got, sizeof got);
    show_backup_lines(&show, &chain, collect, &out);
    assert_non_null(strstr(
        got, "    Last available       : 000000010000000000000007\n"
             "    Damaged WAL          : 000000010000000000000004 at 0/4000028, needed by this "
             "backup\n"
             "    Damaged WAL          : 000000010000000000000006 at 0/6000100\n"
             "\n"));
    show.damages = 10;
    sbuf_init(&out, got, sizeof got);
    show_backup_lines(&show, &chain, collect, &out);
    assert_non_null(strstr(got, "at 0/6000100\n    Damaged WAL          : and 2 more\n\n"));
}

static const char *document(struct arena *a, const struct backup_show *show)
{
    const struct show_chain chain = {show->backup->id, 1};
    struct doc *d = doc_new(a);
    const char *text;

    show_backup_doc(d, a, show, &chain);
    text = doc_string(d, 0, a);
    assert_non_null(text);
    return text;
}

/* A key of ours, and only where there is damage. */
static void documents_damage(void **state)
{
    const struct damaged_wal mark = {
        .name = "000000010000000000000004", .lsn = 0x4000028, .why = "wrong checksum"};
    struct backup b = done_backup();
    struct backup_wal wal = {0};
    struct backup_show show = {
        .backup = &b, .wal = &wal, .type = BACKUP_FULL, .damaged = &mark};
    struct arena a;

    (void)state;
    arena_init(&a, 0);
    assert_null(strstr(document(&a, &show), "damaged"));
    show.damages = 1;
    assert_non_null(strstr(document(&a, &show),
                           "\"damaged_wals\": [{\"lsn\": \"0/4000028\", \"name\": "
                           "\"000000010000000000000004\", \"needed\": true, \"why\": "
                           "\"wrong checksum\"}]"));
    arena_release(&a);
}

TEST_MAIN(ONE(lists_servers), ONE(lists_backups), ONE(shows_a_backup), ONE(shows_a_failure),
          ONE(shows_an_incremental), ONE(shows_what_is_known), ONE(shows_damage),
          ONE(documents_damage))
