/* SPDX-License-Identifier: PostgreSQL */
/* What the servers said is filled in by hand; the lines are those of Barman's check, in its
 * order. No server is asked. */
#include "check_lines.h"

/* A server that has everything, streamed from by a running receive-wal. */
static void healthy(struct checked *k)
{
    struct checking *c = &k->c;

    c->server.asked = ASKED_OK;
    c->server.facts = (struct pg_facts){.version = 150000,
                                        .backup_rights = true,
                                        .monitor_rights = true,
                                        .systemid = "77",
                                        .wal_level = "replica",
                                        .archive_mode = "off",
                                        .archiver = {.known = true, .is_archiving = true}};
    c->streaming.asked = ASKED_OK;
    str_copy(c->streaming.ident.systemid, sizeof c->streaming.ident.systemid, "77");
    c->slot.asked = ASKED_OK;
    c->slot.slot = (struct pg_slot){.name = "barman",
                                    .use = SLOT_ACTIVE,
                                    .physical = true,
                                    .restart_lsn = 0x1000000,
                                    .safe_wal_bytes = -1};
}

static void with_primary(struct checked *k)
{
    k->srv.primary_conninfo = "host=p";
    k->c.server.facts.in_recovery = true;
    k->c.primary.asked = ASKED_OK;
    k->c.primary.facts.systemid = "77";
}

static void with_wal_host(struct checked *k)
{
    k->c.wal_apart = true;
    k->c.wal.asked = ASKED_OK;
    k->c.wal.facts = k->c.server.facts;
    k->c.wal_streaming = k->c.streaming;
}

#define HEAD                                                                                   \
    "PostgreSQL: OK\n"                                                                         \
    "superuser or standard user with backup privileges: OK\n"                                  \
    "PostgreSQL streaming: OK\n"                                                               \
    "wal_level: OK\n"

static void as_it_is(struct checked *k)
{
    (void)k;
}
static void unreachable(struct checked *k)
{
    k->c.server = (struct check_sql){.asked = ASKED_FAILED, .why = "connection refused"};
}
static void too_old(struct checked *k)
{
    k->c.server.facts.version = 120022;
    k->c.server.facts.version_text = "12.22";
}
static void no_conninfo(struct checked *k)
{
    k->srv.conninfo = NULL;
    k->c.server.asked = ASKED_NOT;
}
static void passive(struct checked *k)
{
    k->srv.primary_ssh_command = "ssh b";
}
static void no_rights(struct checked *k)
{
    k->c.server.facts.backup_rights = false;
}
static void no_streaming(struct checked *k)
{
    k->c.streaming = (struct check_repl){.asked = ASKED_FAILED, .why = "no pg_hba entry"};
}
static void streaming_not_used(struct checked *k)
{
    k->c.streaming.asked = ASKED_NOT;
}
static void minimal(struct checked *k)
{
    k->c.server.facts.wal_level = "minimal";
}
static void logical(struct checked *k)
{
    k->c.server.facts.wal_level = "logical";
}
static void level_unknown(struct checked *k)
{
    k->c.server.facts.wal_level = NULL;
}
static void slot_missing(struct checked *k)
{
    k->c.slot.slot.use = SLOT_MISSING;
}
static void slot_logical(struct checked *k)
{
    k->c.slot.slot.physical = false;
}
static void slot_fresh(struct checked *k)
{
    k->c.slot.slot.use = SLOT_IDLE;
    k->c.slot.slot.restart_lsn = 0;
}
static void slot_idle(struct checked *k)
{
    k->c.slot.slot.use = SLOT_IDLE;
}
static void slot_lost(struct checked *k)
{
    slot_fresh(k);
    str_copy(k->c.slot.slot.invalidation, sizeof k->c.slot.slot.invalidation, "wal_removed");
}
static void slot_unknown(struct checked *k)
{
    k->c.slot = (struct check_slot){.asked = ASKED_FAILED, .why = "permission denied"};
}
static void slot_not_named(struct checked *k)
{
    k->c.slot.asked = ASKED_NOT;
}
static void slot_unused(struct checked *k)
{
    k->srv.streaming_archiver = false;
}
static void slot_unused_idle(struct checked *k)
{
    slot_unused(k);
    slot_idle(k);
}
static void slot_unused_fresh(struct checked *k)
{
    slot_unused(k);
    slot_fresh(k);
}
static void slot_unused_missing(struct checked *k)
{
    slot_unused(k);
    slot_missing(k);
}
static void primary_named(struct checked *k)
{
    with_primary(k);
    k->c.server.facts.in_recovery = false;
}
static void two_standbys(struct checked *k)
{
    with_primary(k);
    k->c.primary.facts.in_recovery = true;
}
static void other_primary(struct checked *k)
{
    with_primary(k);
    k->c.primary.facts.systemid = "88";
}
static void primary_down(struct checked *k)
{
    with_primary(k);
    k->c.primary = (struct check_sql){.asked = ASKED_FAILED, .why = "no answer"};
}
static void primary_mute(struct checked *k)
{
    with_primary(k);
    k->c.primary.facts.systemid = NULL;
}
static void wal_no_rights(struct checked *k)
{
    with_wal_host(k);
    k->c.wal.facts.monitor_rights = false;
}
static void wal_down(struct checked *k)
{
    with_wal_host(k);
    k->c.wal = (struct check_sql){.asked = ASKED_FAILED, .why = "refused"};
    k->c.wal_streaming = (struct check_repl){.asked = ASKED_FAILED, .why = "refused"};
    k->c.slot = (struct check_slot){.asked = ASKED_FAILED, .why = "refused"};
}
static void wal_minimal(struct checked *k)
{
    with_wal_host(k);
    k->c.wal.facts.wal_level = "minimal";
}
static void wal_other_cluster(struct checked *k)
{
    with_wal_host(k);
    k->c.wal.facts.systemid = "88";
    str_copy(k->c.wal_streaming.ident.systemid, sizeof k->c.wal_streaming.ident.systemid, "88");
}
static void wal_two_clusters(struct checked *k)
{
    with_wal_host(k);
    k->c.wal.facts.systemid = "88";
}

#define SLOT_OK "replication slot: OK\n"
#define STANDBY "PostgreSQL server is standby: "
#define PRIMARY "Primary server is not a standby: "
#define SAME    "Primary and standby have same system ID: "
#define WAL     " (WAL streaming): "
#define TWO_CLUSTERS                                                                           \
    "is the streaming DSN targeting the same server of the PostgreSQL connection string?"
#define NOT_STORED "OK (no system Id stored on disk)\n"

static const struct row {
    const char *label;
    void (*change)(struct checked *k);
    const char *want;
} rows[] = {
    {"all is well", as_it_is, HEAD SLOT_OK},
    {"unreachable: the rest is not asked", unreachable,
     "PostgreSQL: FAILED (connection refused)\n"},
    {"too old: the rest is not told", too_old,
     "PostgreSQL: FAILED (unsupported version: PostgreSQL server 12.22 is too old)\n"},
    {"no conninfo", no_conninfo, "PostgreSQL: FAILED (no conninfo is set)\n"},
    {"passive node", passive, ""},
    {"no rights", no_rights,
     "PostgreSQL: OK\n"
     "no access to backup functions: FAILED (privileges for PostgreSQL backup functions are "
     "required (see documentation))\n"
     "PostgreSQL streaming: OK\nwal_level: OK\n" SLOT_OK},
    {"no streaming", no_streaming,
     "PostgreSQL: OK\nsuperuser or standard user with backup privileges: OK\n"
     "PostgreSQL streaming: FAILED (no pg_hba entry)\nwal_level: OK\n" SLOT_OK},
    {"streaming not configured", streaming_not_used,
     "PostgreSQL: OK\nsuperuser or standard user with backup privileges: OK\n"
     "wal_level: OK\n" SLOT_OK},
    {"wal_level minimal", minimal,
     "PostgreSQL: OK\nsuperuser or standard user with backup privileges: OK\n"
     "PostgreSQL streaming: OK\n"
     "wal_level: FAILED (please set it to a higher level than 'minimal')\n" SLOT_OK},
    {"wal_level logical", logical, HEAD SLOT_OK},
    {"wal_level not told", level_unknown,
     "PostgreSQL: OK\nsuperuser or standard user with backup privileges: OK\n"
     "PostgreSQL streaming: OK\n"
     "wal_level: FAILED (the server does not tell it)\n" SLOT_OK},
    {"slot missing", slot_missing,
     HEAD "replication slot: FAILED (replication slot 'barman' doesn't exist. Please execute "
          "'barkeep receive-wal --create-slot main')\n"},
    {"slot logical", slot_logical,
     HEAD "replication slot: FAILED (slot 'barman' is not a physical one)\n"},
    {"slot never used", slot_fresh,
     HEAD "replication slot: FAILED (slot 'barman' not initialised: is 'receive-wal' "
          "running?)\n"},
    {"slot idle", slot_idle,
     HEAD "replication slot: FAILED (slot 'barman' not active: is 'receive-wal' running?)\n"},
    {"slot lost", slot_lost,
     HEAD "replication slot: FAILED (slot 'barman' is invalidated: wal_removed)\n"},
    {"slot not told", slot_unknown, HEAD "replication slot: FAILED (permission denied)\n"},
    {"no slot_name", slot_not_named, HEAD},
    {"slot without a use", slot_unused,
     HEAD "replication slot: OK (WARNING: slot 'barman' is active but not required by the "
          "current config)\n"},
    {"slot without a use, idle", slot_unused_idle,
     HEAD "replication slot: OK (WARNING: slot 'barman' is initialised but not required by the "
          "current config)\n"},
    {"slot without a use, never used", slot_unused_fresh, HEAD},
    {"slot without a use, missing", slot_unused_missing, HEAD},
    {"standby and its primary", with_primary,
     HEAD STANDBY "OK\n" PRIMARY "OK\n" SAME "OK\n" SLOT_OK},
    {"conninfo leads to a primary", primary_named,
     HEAD STANDBY
     "FAILED (conninfo should point to a standby server if primary_conninfo is set)\n" SLOT_OK},
    {"primary_conninfo leads to a standby", two_standbys,
     HEAD STANDBY
     "OK\n" PRIMARY
     "FAILED (primary_conninfo should point to a primary server, not a standby)\n" SAME
     "OK\n" SLOT_OK},
    {"primary of another cluster", other_primary,
     HEAD STANDBY "OK\n" PRIMARY "OK\n" SAME
                  "FAILED (primary_conninfo and conninfo should point to primary and standby "
                  "servers which share the same system identifier)\n" SLOT_OK},
    {"primary down", primary_down,
     HEAD STANDBY "OK\n" PRIMARY "FAILED (no answer)\n" SAME "FAILED (no answer)\n" SLOT_OK},
    {"primary does not tell its id", primary_mute,
     HEAD STANDBY "OK\n" PRIMARY "OK\n" SAME "FAILED (the servers do not tell it)\n" SLOT_OK},
    {"WAL host", with_wal_host,
     HEAD "has monitoring privileges" WAL "OK\nPostgreSQL streaming" WAL "OK\nwal_level" WAL
          "OK\nsystemid coherence" WAL NOT_STORED "replication slot" WAL "OK\n"},
    {"WAL host without rights", wal_no_rights,
     HEAD "no access to monitoring functions: FAILED (privileges for PostgreSQL monitoring "
          "functions are required (see documentation))\nPostgreSQL streaming" WAL
          "OK\nwal_level" WAL "OK\nsystemid coherence" WAL NOT_STORED "replication slot" WAL
          "OK\n"},
    {"WAL host down", wal_down,
     HEAD "no access to monitoring functions: FAILED (refused)\nPostgreSQL streaming" WAL
          "FAILED (refused)\nsystemid coherence" WAL
          "OK (no system Id available)\nreplication slot" WAL "FAILED (refused)\n"},
    {"WAL host minimal", wal_minimal,
     HEAD "has monitoring privileges" WAL "OK\nPostgreSQL streaming" WAL "OK\nwal_level" WAL
          "FAILED (please set it to a higher level than 'minimal')\nsystemid coherence" WAL
              NOT_STORED "replication slot" WAL "OK\n"},
    {"WAL host of another cluster", wal_other_cluster,
     HEAD "has monitoring privileges" WAL "OK\nPostgreSQL streaming" WAL "OK\nwal_level" WAL
          "OK\nsystemid coherence" WAL
          "FAILED (the server is of cluster 77, its WAL host of 88)\nreplication slot" WAL
          "OK\n"},
    {"WAL host is two", wal_two_clusters,
     HEAD "has monitoring privileges" WAL "OK\nPostgreSQL streaming" WAL "OK\nwal_level" WAL
          "OK\nsystemid coherence" WAL "FAILED (" TWO_CLUSTERS ")\nreplication slot" WAL
          "OK\n"},
};

static void check_row(void **state)
{
    const struct row *row = *state;
    struct checked k;

    checked_init(&k);
    healthy(&k);
    row->change(&k);
    check_postgres(&k.c);
    assert_string_equal(checked_text(&k), row->want);
    checked_release(&k);
}

/* ---- identity ------------------------------------------------------------------------ */

static const struct id_row {
    const char *label;
    const char *kept, *sql, *repl; /* NULL: not known */
    const char *want;              /* how the line begins */
} id_rows[] = {
    {"all the same", "77", "77", "77", "systemid coherence: OK\n"},
    {"only SQL", "77", "77", NULL, "systemid coherence: OK\n"},
    {"only streaming", "77", NULL, "77", "systemid coherence: OK\n"},
    {"nobody told", "77", NULL, NULL, "systemid coherence: OK (no system Id available)"},
    {"nothing kept", NULL, "77", "77", "systemid coherence: OK (no system Id stored on disk)"},
    {"another cluster", "77", "88", "88", "systemid coherence: FAILED ("},
    {"streaming elsewhere", "77", "77", "88", "systemid coherence: FAILED (" TWO_CLUSTERS ")"},
    {"streaming elsewhere, nothing kept", NULL, "77", "88", "systemid coherence: FAILED ("},
};

static void check_id(void **state)
{
    const struct id_row *row = *state;
    struct identity id = {.version = "15"};
    struct checked k;
    struct err err;

    checked_init(&k);
    healthy(&k);
    if (row->kept) {
        str_copy(id.systemid, sizeof id.systemid, row->kept);
        assert_true(identity_save(&k.f.r, &id, &err));
    }
    k.c.server.facts.systemid = row->sql;
    k.c.streaming.asked = row->repl ? ASKED_OK : ASKED_FAILED;
    str_copy(k.c.streaming.ident.systemid, sizeof k.c.streaming.ident.systemid,
             row->repl ? row->repl : "");
    check_identity(&k.c);
    assert_int_equal(strncmp(checked_text(&k), row->want, strlen(row->want)), 0);
    checked_release(&k);
}

static void identity_is_damaged(void **state)
{
    struct checked k;

    (void)state;
    checked_init(&k);
    healthy(&k);
    fx_text(fx_fmt("%s/identity.json", k.f.r.backup_dir), "{\"systemid\": ");
    check_identity(&k.c);
    assert_int_equal(k.out.n, 1);
    assert_false(k.out.line[0].ok);
    checked_release(&k);
}

/* ---- the file archiver --------------------------------------------------------------- */

#define MODE "archive_mode: "
#define CMD  "archive_command: "
#define CONT "continuous archiving: "

static const struct archiver_row {
    const char *label;
    const char *mode, *command, *library;
    bool known, works;
    const char *want;
} archiver_rows[] = {
    {"works", "on", "cp %p /x/%f", "", true, true, MODE "OK\n" CMD "OK\n" CONT "OK\n"},
    {"always", "always", "cp %p /x/%f", NULL, true, true, MODE "OK\n" CMD "OK\n" CONT "OK\n"},
    {"a library", "on", "", "basic_archive", true, true, MODE "OK\n" CMD "OK\n" CONT "OK\n"},
    {"off", "off", "cp", "", true, true,
     MODE "FAILED (please set it to 'on' or 'always')\n" CMD "OK\n" CONT "FAILED\n"},
    {"no command", "on", "", "", true, true,
     MODE "OK\n" CMD "FAILED (please set it accordingly to documentation)\n"},
    {"command switched off", "on", "(disabled)", "", true, true,
     MODE "OK\n" CMD "FAILED (please set it accordingly to documentation)\n"},
    {"fails since", "on", "false", "", true, false, MODE "OK\n" CMD "OK\n" CONT "FAILED\n"},
    {"statistics not told", "on", "cp", "", false, false, MODE "OK\n" CMD "OK\n"},
    {"mode not told", NULL, "cp", "", true, true, ""},
};

static void check_archiver_row(void **state)
{
    const struct archiver_row *row = *state;
    struct checked k;

    checked_init(&k);
    healthy(&k);
    k.srv.archiver = true;
    k.c.server.facts.archive_mode = row->mode;
    k.c.server.facts.archive_command = row->command;
    k.c.server.facts.archive_library = row->library;
    k.c.server.facts.archiver.known = row->known;
    k.c.server.facts.archiver.is_archiving = row->works;
    check_archiver(&k.c);
    assert_string_equal(checked_text(&k), row->want);
    k.srv.archiver = false;
    check_archiver(&k.c);
    assert_string_equal(checked_text(&k), row->want);
    checked_release(&k);
}

/* Only the question whether conninfo leads to a standby leaves a backup possible. */
static void weights(void **state)
{
    struct checked k;

    (void)state;
    checked_init(&k);
    healthy(&k);
    primary_named(&k);
    check_postgres(&k.c);
    assert_string_equal(check_first_failed(&k.out, CHECK_ALL)->label,
                        "PostgreSQL server is standby");
    assert_null(check_first_failed(&k.out, CHECK_FOR_BACKUP));
    k.out.n = 0;
    two_standbys(&k);
    check_postgres(&k.c);
    assert_string_equal(check_first_failed(&k.out, CHECK_FOR_BACKUP)->label,
                        "Primary server is not a standby");
    checked_release(&k);
}

TEST_MAIN(ROWS(rows, check_row), ROWS(id_rows, check_id), ONE(identity_is_damaged),
          ROWS(archiver_rows, check_archiver_row), ONE(weights))
