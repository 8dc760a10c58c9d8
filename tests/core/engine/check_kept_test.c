/* SPDX-License-Identifier: PostgreSQL */
/* The lines of check that look at what is kept. It is 2026-01-01 00:00 UTC. */
#include "check_lines.h"

#define DAY_US INT64_C(86400000000)
#define NOW_US INT64_C(1767225600000000)
#define A      "20251228T000000"
#define B      "20251230T000000"

static void put(struct checked *k, const char *dir, const char *name)
{
    (void)k;
    fx_text(fx_fmt("%s/%s", dir, name), "x");
}

static void backup(struct checked *k, const char *id, enum backup_status status, int64_t end_us)
{
    struct backup b = {.id = "",
                       .status = status,
                       .mode = "postgres",
                       .end_time = {.us = end_us, .known = true},
                       .begin_wal = "000000010000000000000002",
                       .end_wal = "000000010000000000000002",
                       .timeline = 1,
                       .size = 5000,
                       .xlog_segment_size = FX_SEG};
    struct err err;

    str_copy(b.id, sizeof b.id, id);
    assert_true(backup_info_save(&k->f.r, &b, &err));
    assert_true(dir_make(fx_fmt("%s/%s/data", k->f.r.base_dir, id), &err));
}

static void archived(struct checked *k, const char *lines)
{
    fx_text(fx_fmt("%s/main-xlog.db", k->f.r.wals_dir), lines);
}

#define WAL2 "000000010000000000000002\t100\t1767052800.0\tNone\n" /* 2025-12-30 00:00 */
#define WAL3 "000000010000000000000003\t300\t1767139200.0\tNone\n" /* 2025-12-31 00:00 */
#define WAL4 "000000010000000000000004\t500\t1767222000.0\tNone\n" /* one hour ago */

/* ---- what waits ---------------------------------------------------------------------- */

static void as_it_is(struct checked *k)
{
    (void)k;
}
static void wal_came(struct checked *k)
{
    archived(k, WAL2);
}
static void wal_in_file_mode(struct checked *k)
{
    k->srv.streaming_archiver = false;
    k->srv.archiver = true;
}
static void backup_waits(struct checked *k)
{
    backup(k, A, BACKUP_WAITING_FOR_WALS, NOW_US);
}
static void backup_failed(struct checked *k)
{
    backup(k, A, BACKUP_FAILED, NOW_US);
}
static void incoming_left(struct checked *k)
{
    wal_came(k);
    put(k, k->f.r.incoming_dir, "000000010000000000000003");
}
static void incoming_dust(struct checked *k)
{
    wal_came(k);
    put(k, k->f.r.incoming_dir, ".hidden");
    put(k, k->f.r.incoming_dir, "000000010000000000000003.tmp");
}
static void streaming_off(struct checked *k)
{
    wal_came(k);
    wal_in_file_mode(k);
    put(k, k->f.r.streaming_dir, "000000010000000000000003.partial");
}
static void streaming_left(struct checked *k)
{
    streaming_off(k);
    put(k, k->f.r.streaming_dir, "000000010000000000000002");
}
static void queue_full(struct checked *k)
{
    wal_came(k);
    k->srv.max_incoming_wals_queue = 0;
    put(k, k->f.r.streaming_dir, "000000010000000000000002");
    put(k, k->f.r.streaming_dir, "000000010000000000000003.partial");
}
static void queue_allowed(struct checked *k)
{
    queue_full(k);
    k->srv.max_incoming_wals_queue = 1;
}
static void queue_of_none(struct checked *k)
{
    incoming_left(k);
    k->srv.archiver = true;
    k->srv.max_incoming_wals_queue = 0;
}
static void no_directories(struct checked *k)
{
    struct err err;

    assert_true(tree_remove(k->f.r.backup_dir, &err));
}

#define NO_WAL                                                                                 \
    "WAL archive: FAILED (please make sure WAL shipping is setup; switch-wal --force sends a " \
    "first file)\n"

static const struct waiting_row {
    const char *label;
    void (*change)(struct checked *k);
    const char *want;
    enum check_weight weight; /* of the first line */
} waiting_rows[] = {
    {"no WAL, streaming", as_it_is, NO_WAL, CHECK_NOT_FOR_BACKUP},
    {"no WAL, archive_command", wal_in_file_mode, NO_WAL, CHECK_CRITICAL},
    {"WAL came", wal_came, ""},
    {"a backup waits for WAL", backup_waits, ""},
    {"a backup that failed waits for nothing", backup_failed, NO_WAL, CHECK_NOT_FOR_BACKUP},
    {"incoming is not used", incoming_left,
     "empty incoming directory: FAILED ('@/main/incoming' must be empty when archiver=off)\n",
     CHECK_NOT_FOR_BACKUP},
    {"incoming, what is no WAL", incoming_dust, ""},
    {"streaming is not used, one file", streaming_off, ""},
    {"streaming is not used, two files", streaming_left,
     "empty streaming directory: FAILED ('@/main/streaming' must be empty when "
     "streaming_archiver=off)\n",
     CHECK_NOT_FOR_BACKUP},
    {"one too many", queue_full,
     "streaming WALs directory: FAILED (there are too many WALs in queue: 1, max 0)\n",
     CHECK_NOT_FOR_BACKUP},
    {"just as many, the .partial does not count", queue_allowed, ""},
    {"a queue of none", queue_of_none,
     "incoming WALs directory: FAILED (there are too many WALs in queue: 1, max 0)\n",
     CHECK_NOT_FOR_BACKUP},
    {"nothing is there", no_directories, NO_WAL, CHECK_NOT_FOR_BACKUP},
};

/* The lines, with '@' for the root of the fixture. */
static const char *without_root(struct checked *k)
{
    const char *text = checked_text(k), *at = strstr(text, k->f.root);

    return !at ? text : fx_fmt("%.*s@%s", (int)(at - text), text, at + strlen(k->f.root));
}

static void check_waiting_row(void **state)
{
    const struct waiting_row *row = *state;
    struct checked k;

    checked_init(&k);
    row->change(&k);
    check_waiting(&k.c);
    assert_string_equal(without_root(&k), row->want);
    if (k.out.n) {
        assert_int_equal(k.out.line[0].weight, row->weight);
    }
    /* Looking must not bring anything into being. */
    assert_int_equal(fx_there(k.f.r.backup_dir), row->change != no_directories);
    checked_release(&k);
}

/* ---- the repository ------------------------------------------------------------------ */

static void two_backups(struct checked *k)
{
    backup(k, A, BACKUP_DONE, NOW_US - 4 * DAY_US);
    backup(k, B, BACKUP_DONE, NOW_US - 2 * DAY_US);
    archived(k, WAL2 WAL3 WAL4);
}
static void in_time(struct checked *k)
{
    two_backups(k);
    k->srv.last_backup_maximum_age = 2 * 86400;
    k->srv.last_wal_maximum_age = 3600;
    k->srv.last_backup_minimum_size = 5000;
}
static void too_late(struct checked *k)
{
    two_backups(k);
    k->srv.last_backup_maximum_age = 2 * 86400 - 1;
    k->srv.last_wal_maximum_age = 3599;
    k->srv.last_backup_minimum_size = 5001;
}
static void limits_alone(struct checked *k)
{
    k->srv.last_backup_maximum_age = 86400;
    k->srv.last_wal_maximum_age = 86400;
    k->srv.last_backup_minimum_size = 1;
}
static void longest(struct checked *k)
{
    in_time(k);
    k->srv.last_backup_maximum_age = INT64_C(1000000) * 31 * 86400;
}
static void newest_failed(struct checked *k)
{
    backup(k, A, BACKUP_DONE, NOW_US - 4 * DAY_US);
    backup(k, B, BACKUP_FAILED, NOW_US);
    k->srv.last_backup_maximum_age = 86400;
}
static void newest_waits(struct checked *k)
{
    backup(k, A, BACKUP_DONE, NOW_US - 4 * DAY_US);
    backup(k, B, BACKUP_WAITING_FOR_WALS, NOW_US);
    k->srv.last_backup_maximum_age = 86400;
    k->srv.minimum_redundancy = 1;
}
static void from_tomorrow(struct checked *k)
{
    backup(k, A, BACKUP_DONE, NOW_US + DAY_US);
    k->srv.last_backup_maximum_age = 3600;
}
static void too_few(struct checked *k)
{
    two_backups(k);
    k->srv.minimum_redundancy = 3;
}
static void files_lost(struct checked *k)
{
    struct err err;

    two_backups(k);
    k->srv.minimum_redundancy = 2;
    assert_true(tree_remove(fx_fmt("%s/" B, k->f.r.base_dir), &err));
}
static void policy(struct checked *k)
{
    k->srv.retention_policy = "recovery window of 7 days";
}
static void bad_policy(struct checked *k)
{
    k->srv.retention_policy = "REDUNDANCY two";
}
static void gzip(struct checked *k)
{
    k->srv.compression = "gzip";
}
static void zstd(struct checked *k)
{
    k->srv.compression = "zstd";
}
static void custom(struct checked *k)
{
    k->srv.compression = "custom";
}
static void gpg(struct checked *k)
{
    k->srv.encryption = "gpg";
}
static void disabled(struct checked *k)
{
    k->srv.disabled = true;
}
static void in_the_way(struct checked *k)
{
    assert_int_equal(rmdir(k->f.r.errors_dir), 0);
    put(k, k->f.r.backup_dir, "errors");
}

static const struct repository_row {
    const char *label;
    void (*change)(struct checked *k);
    const char *line, *want; /* want NULL: there is no such line */
} repository_rows[] = {
    {"directories", as_it_is, "directories", "OK"},
    {"directories are made", no_directories, "directories", "OK"},
    {"a file in the way", in_the_way, "directories", "FAILED"},
    {"not of a disabled server", disabled, "directories", NULL},
    {"no policy", as_it_is, "retention policy settings", "OK"},
    {"policy", policy, "retention policy settings", "OK"},
    {"bad policy", bad_policy, "retention policy settings",
     "FAILED not a retention policy: a number from 0 to 999999 must follow"},
    {"no limit of age", two_backups, "backup maximum age",
     "OK no last_backup_maximum_age provided"},
    {"backup just in time", in_time, "backup maximum age",
     "OK interval provided: 2 days, latest backup age: 2 days"},
    {"backup too old", too_late, "backup maximum age", "FAILED interval provided: 1 day, "},
    {"no backup", limits_alone, "backup maximum age",
     "FAILED interval provided: 1 day, latest backup age: No available backups"},
    {"a failed backup is none", newest_failed, "backup maximum age", "FAILED"},
    {"one that waits for WAL is one", newest_waits, "backup maximum age", "OK"},
    {"the longest limit", longest, "backup maximum age", "OK interval provided: "},
    {"backup of tomorrow", from_tomorrow, "backup maximum age",
     "OK interval provided: 1 hour, latest backup age: less than one second"},
    {"no limit of size", two_backups, "backup minimum size", "OK 4.9 KiB"},
    {"backup just large enough", in_time, "backup minimum size",
     "OK last backup size 4.9 KiB > 4.9 KiB minimum"},
    {"backup too small", too_late, "backup minimum size",
     "FAILED last backup size 4.9 KiB < 4.9 KiB minimum"},
    {"no backup has no size", limits_alone, "backup minimum size",
     "FAILED last backup size 0 B < 1 B minimum"},
    {"no limit of WAL", two_backups, "wal maximum age", "OK no last_wal_maximum_age provided"},
    {"WAL just in time", in_time, "wal maximum age",
     "OK interval provided: 1 hour, latest wal age: 1 hour"},
    {"WAL too old", too_late, "wal maximum age", "FAILED interval provided: 59 minutes, "},
    {"no WAL", limits_alone, "wal maximum age", "FAILED No WAL files archived for last backup"},
    {"size of WAL", two_backups, "wal size", "OK 800 B"},
    {"size of no WAL", as_it_is, "wal size", "OK 0 B"},
    {"not encrypted", as_it_is, "encryption", NULL},
    {"encrypted, without a key", gpg, "encryption",
     "FAILED encryption_key_id is required when encryption is enabled"},
    {"no compression", as_it_is, "compression settings", "OK"},
    {"compression gzip", gzip, "compression settings", "OK"},
    {"compression zstd", zstd, "compression settings", "OK"},
    {"custom compression without filters", custom, "compression settings",
     "FAILED custom compression needs custom_compression_filter, "
     "custom_decompression_filter and custom_compression_magic"},
    {"no failed backup", two_backups, "failed backups", "OK there are 0 failed backups"},
    {"a failed backup", newest_failed, "failed backups", "FAILED there are 1 failed backups"},
    {"enough backups", two_backups, "minimum redundancy requirements", "OK have 2 "},
    {"too few backups", too_few, "minimum redundancy requirements", "FAILED have 2 "},
    {"nothing lost", two_backups, "backup files", NULL},
    {"files lost", files_lost, "backup files",
     "FAILED nothing is left of backup " B " but its backup.info"},
    {"one without its files does not count", files_lost, "minimum redundancy requirements",
     "FAILED have 1 "},
    {"one that waits does not count", newest_waits, "minimum redundancy requirements",
     "OK have 1 "},
};

static void check_repository_row(void **state)
{
    const struct repository_row *row = *state;
    const struct check_line *line;
    struct checked k;
    char got[1024];

    checked_init(&k);
    row->change(&k);
    check_repository(&k.c);
    line = checked_line(&k, row->line);
    if (!row->want) {
        assert_null(line);
    } else {
        assert_non_null(line);
        str_fmt(got, sizeof got, "%s%s%s", line->ok ? "OK" : "FAILED", line->hint ? " " : "",
                line->hint ? line->hint : "");
        got[strlen(row->want)] = '\0';
        assert_string_equal(got, row->want);
    }
    checked_release(&k);
}

/* In Barman's order; what stops a backup, and what Nagios is told. */
static void order(void **state)
{
    static const struct {
        const char *label;
        enum check_weight weight;
        int64_t perfdata;
    } want[] = {
        {"directories", CHECK_CRITICAL, -1},
        {"retention policy settings", CHECK_CRITICAL, -1},
        {"backup maximum age", CHECK_NOT_FOR_BACKUP, -1},
        {"backup minimum size", CHECK_NOT_FOR_BACKUP, 5000},
        {"encryption", CHECK_CRITICAL, -1},
        {"wal maximum age", CHECK_NOT_FOR_BACKUP, -1},
        {"wal size", CHECK_NOT_FOR_BACKUP, 800},
        {"compression settings", CHECK_CRITICAL, -1},
        {"failed backups", CHECK_NOT_FOR_BACKUP, -1},
        {"minimum redundancy requirements", CHECK_NOT_FOR_BACKUP, -1},
    };
    struct checked k;

    (void)state;
    checked_init(&k);
    two_backups(&k);
    gpg(&k);
    check_repository(&k.c);
    assert_int_equal(k.out.n, sizeof want / sizeof want[0]);
    for (size_t i = 0; i < k.out.n; i++) {
        assert_string_equal(k.out.line[i].label, want[i].label);
        assert_int_equal(k.out.line[i].weight, want[i].weight);
        assert_int_equal(k.out.line[i].perfdata, want[i].perfdata);
    }
    checked_release(&k);
}

/* ---- errors/ ------------------------------------------------------------------------- */

static void errors(void **state)
{
    struct checked k;

    (void)state;
    checked_init(&k);
    check_errors(&k.c);
    assert_string_equal(checked_text(&k), "archiver errors: OK\n");
    put(&k, k.f.r.errors_dir, "000000010000000000000002.20260101T000000Z.duplicate");
    put(&k, k.f.r.errors_dir, "000000010000000000000003.20260101T000000Z.duplicate");
    put(&k, k.f.r.errors_dir, "core.20260101T000000Z.unknown");
    put(&k, k.f.r.errors_dir, "000000010000000000000004.20260101T000000Z.error");
    k.out.n = 0;
    check_errors(&k.c);
    assert_string_equal(
        checked_text(&k),
        "archiver errors: FAILED (duplicates: 2, unknown: 1, not relevant: 1)\n");
    assert_int_equal(k.out.line[0].weight, CHECK_NOT_FOR_BACKUP);
    checked_release(&k);
}

/* ---- all together, nobody listens ----------------------------------------------------- */

static const struct method_row {
    const char *label;
    const char *method, *line, *want;
} method_rows[] = {
    {"postgres", "postgres", "pg_basebackup", "OK"},
    {"rsync", "rsync", "ssh", "FAILED"},
    {"local-rsync", "local-rsync", "local PGDATA", "FAILED"},
    {"snapshot", "snapshot", "snapshot instance exists", "FAILED"},
};

static void check_method(void **state)
{
    const struct method_row *row = *state;
    const struct check_line *line;
    struct checked k;
    struct check_what what;
    struct err err;

    checked_init(&k);
    k.srv.conninfo = NULL;
    k.srv.backup_method = row->method;
    what = (struct check_what){&k.f.r, &k.srv, 0};
    assert_true(check_run(&k.said.t, &what, &k.a, &k.out, &err));
    line = checked_line(&k, row->line);
    assert_non_null(line);
    assert_string_equal(line->ok ? "OK" : "FAILED", row->want);
    assert_int_equal(checked_line(&k, "pg_basebackup") != NULL,
                     strcmp(row->method, "postgres") == 0);
    assert_false(checked_line(&k, "PostgreSQL")->ok);
    assert_false(checked_line(&k, "receive-wal running")->ok);
    assert_null(checked_line(&k, "check timeout"));
    checked_release(&k);
}

static void passive(void **state)
{
    struct checked k;
    struct check_what what;
    struct err err;

    (void)state;
    checked_init(&k);
    k.srv.conninfo = NULL;
    k.srv.primary_ssh_command = "ssh b";
    what = (struct check_what){&k.f.r, &k.srv, 0};
    assert_true(check_run(&k.said.t, &what, &k.a, &k.out, &err));
    assert_null(checked_line(&k, "PostgreSQL"));
    assert_null(checked_line(&k, "receive-wal running"));
    assert_false(checked_line(&k, "ssh")->ok);
    assert_true(checked_line(&k, "directories")->ok);
    checked_release(&k);
}

static void messages(void **state)
{
    static const char *const why[] = {"first", "second"};
    struct checked k;
    struct check_what what;
    struct err err;

    (void)state;
    checked_init(&k);
    k.srv.conninfo = NULL;
    k.srv.disabled = true;
    k.srv.message = why;
    k.srv.messages = 2;
    what = (struct check_what){&k.f.r, &k.srv, 0};
    assert_true(check_run(&k.said.t, &what, &k.a, &k.out, &err));
    assert_false(checked_line(&k, "configuration")->ok);
    assert_int_equal(checked_line(&k, "configuration")->mores, 2);
    assert_string_equal(checked_line(&k, "configuration")->more[1], "second");
    checked_release(&k);
}

/* The task's own deadline is the caller's, not a line. */
static void out_of_time(void **state)
{
    struct checked k;
    struct check_what what;
    struct err err = {0};

    (void)state;
    checked_init(&k);
    k.srv.conninfo = NULL;
    k.said.t.deadline_ns = 1;
    what = (struct check_what){&k.f.r, &k.srv, 30};
    assert_false(check_run(&k.said.t, &what, &k.a, &k.out, &err));
    assert_int_equal(err.code, ERR_TIMEOUT);
    checked_release(&k);
}

TEST_MAIN(ROWS(waiting_rows, check_waiting_row), ROWS(repository_rows, check_repository_row),
          ONE(order), ONE(errors), ROWS(method_rows, check_method), ONE(passive), ONE(messages),
          ONE(out_of_time))
