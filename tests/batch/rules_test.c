/* SPDX-License-Identifier: PostgreSQL */
/* Which servers a command takes: every command with a server that is inactive, that contradicts
 * itself, or that copies another host's backups, with 'all', and with a name that is none. The
 * expectations are Barman 3.17's own table of rules.
 */
#include "invocation.h"

#include "batch/command.h"

enum rule_seen { RUNS, SKIPS, REFUSES, REFUSES_ACTIVE };

static const struct {
    const char *label; /* the command */
    const char *line;  /* "SRV" is the server */
    enum rule_seen inactive, disabled, passive;
    bool takes_all;
} rows[] = {
    {"archive-wal", "archive-wal SRV", SKIPS, REFUSES, RUNS, false},
    {"backup", "backup SRV", SKIPS, REFUSES, SKIPS, true},
    {"check", "check SRV", RUNS, RUNS, RUNS, true},
    {"check-backup", "check-backup SRV latest", SKIPS, REFUSES, RUNS, false},
    {"check-wal-archive", "check-wal-archive SRV", SKIPS, REFUSES, RUNS, false},
    {"compare-copy", "compare-copy SRV @/new", RUNS, REFUSES, RUNS, false},
    {"config-switch", "config-switch --reset SRV", RUNS, RUNS, RUNS, false},
    {"convert-layout", "convert-layout --dry-run SRV legacy", RUNS, REFUSES, RUNS, false},
    {"delete", "delete SRV latest", RUNS, REFUSES, RUNS, false},
    {"drop-copy", "drop-copy SRV @/new", RUNS, REFUSES, RUNS, false},
    {"estimate-size", "estimate-size SRV", RUNS, REFUSES, SKIPS, false},
    {"generate-manifest", "generate-manifest SRV latest", SKIPS, REFUSES, RUNS, false},
    {"get-wal", "get-wal SRV 000000010000000000000001", RUNS, REFUSES, RUNS, false},
    {"keep", "keep --status SRV latest", SKIPS, REFUSES, RUNS, false},
    {"list-backups", "list-backups SRV", RUNS, RUNS, RUNS, true},
    {"list-files", "list-files SRV latest", RUNS, RUNS, RUNS, false},
    {"list-processes", "list-processes SRV", SKIPS, REFUSES, RUNS, false},
    {"promote-copy", "promote-copy SRV @/new", RUNS, REFUSES, RUNS, false},
    {"put-wal", "put-wal --test SRV", REFUSES_ACTIVE, REFUSES, RUNS, false},
    {"rebuild-xlogdb", "rebuild-xlogdb SRV", SKIPS, REFUSES, RUNS, true},
    {"receive-wal", "receive-wal SRV", SKIPS, REFUSES, SKIPS, false},
    {"receive-wal", "receive-wal --stop SRV", RUNS, REFUSES, SKIPS, false},
    {"receive-wal", "receive-wal --create-slot SRV", RUNS, REFUSES, SKIPS, false},
    {"receive-wal", "receive-wal --drop-slot SRV", RUNS, REFUSES, SKIPS, false},
    {"receive-wal", "receive-wal --reset SRV", RUNS, REFUSES, SKIPS, false},
    {"replication-status", "replication-status SRV", SKIPS, REFUSES, SKIPS, true},
    {"restore", "restore SRV latest @/new", RUNS, REFUSES, RUNS, false},
    {"show-backup", "show-backup SRV latest", RUNS, RUNS, RUNS, false},
    {"show-copy", "show-copy SRV @/new", RUNS, RUNS, RUNS, false},
    {"show-servers", "show-servers SRV", RUNS, RUNS, RUNS, true},
    {"start-copy", "start-copy SRV @/new", RUNS, REFUSES, RUNS, false},
    {"status", "status SRV", RUNS, RUNS, RUNS, true},
    {"stop-copy", "stop-copy SRV @/new", RUNS, REFUSES, RUNS, false},
    {"switch-wal", "switch-wal SRV", SKIPS, REFUSES, SKIPS, true},
    {"terminate-process", "terminate-process SRV cron", SKIPS, REFUSES, RUNS, false},
    {"verify-backup", "verify-backup SRV latest", RUNS, RUNS, RUNS, false},
};
static const size_t row_count = sizeof rows / sizeof rows[0];

static void files(void)
{
    home_make();
    put("conf", "[barman]\nbarman_home = @\nbarman_user = ~\nlog_file = @/log\n"
                "[off]\nactive = no\nconninfo = host=@\nstreaming_conninfo = host=@\n"
                "slot_name = x\nbackup_method = postgres\narchiver = on\n"
                "[bad]\nbackup_method = postgres\narchiver = on\n"
                "[copied]\nprimary_ssh_command = ssh a\nconninfo = host=@\n"
                "streaming_conninfo = host=@\nslot_name = x\nbackup_method = postgres\n"
                "archiver = on\n");
}

/* What a call with that server does, as far as it can be told from what it says. */
static enum rule_seen seen(struct arena *a, const char *before, const char *line,
                           const char *server, const char *kind, int *status)
{
    const char *at = strstr(line, "SRV"), *out, *err;

    *status = run(
        arena_fmt(a, "%s -c @/conf %.*s%s%s", before, (int)(at - line), line, server, at + 3));
    out = said(a, "out");
    err = said(a, "err");
    if (strstr(out, arena_fmt(a, "Skipping %s server '%s'\n", kind, server))) {
        assert_int_equal(*status, 0);
        assert_null(strstr(err, "ERROR"));
        return SKIPS;
    }
    if (strstr(err, arena_fmt(a, "ERROR: Inactive server: %s\n", server))) {
        return REFUSES_ACTIVE;
    }
    return strstr(err, "ERROR: PostgreSQL connection: Missing 'conninfo' parameter for server")
               ? REFUSES
               : RUNS;
}

static void rules(void **state)
{
    static const char *const word[] = {"runs", "skips", "refuses", "says Inactive server"};
    const struct {
        const char *label, *line;
        enum rule_seen rule[3];
        bool takes_all;
    } *row = *state;
    static const char *const server[] = {"off", "bad", "copied"};
    static const char *const kind[] = {"inactive", "temporarily disabled", "passive"};
    struct arena a;
    int status;

    files();
    arena_init(&a, 0);
    for (int i = 0; i < 3; i++) {
        enum rule_seen got = seen(&a, "barkeep", row->line, server[i], kind[i], &status);

        if (got != row->rule[i]) {
            fail_msg("'%s' %s with %s: %s%s", row->line, word[got], server[i], said(&a, "out"),
                     said(&a, "err"));
        }
        if (got == REFUSES || got == REFUSES_ACTIVE) {
            assert_int_equal(status, 1);
        }
    }
    arena_release(&a);
    home_remove();
}

static void of_names(void **state)
{
    const struct {
        const char *label, *line;
        enum rule_seen rule[3];
        bool takes_all;
    } *row = *state;
    const char *want = "ERROR: Unknown server 'none'\n";
    struct arena a;
    int status;

    files();
    arena_init(&a, 0);
    (void)seen(&a, "barkeep", row->line, "none", "", &status);
    assert_int_equal(status, 1);
    if (!strstr(said(&a, "err"), want)) {
        fail_msg("'%s' says %s", row->line, said(&a, "err"));
    }
    if (!row->takes_all) {
        (void)seen(&a, "barkeep", row->line, "all", "", &status);
        assert_int_equal(status, 1);
        assert_non_null(strstr(said(&a, "err"), "ERROR: "));
    }
    /* With --quiet nothing but warnings and errors, in JSON not even these. */
    (void)seen(&a, "barkeep -q", row->line, "none", "", &status);
    assert_int_equal(status, 1);
    assert_string_equal(said(&a, "out"), "");
    (void)seen(&a, "barkeep -q -f json", row->line, "none", "", &status);
    assert_string_equal(said(&a, "out"), "");
    assert_string_equal(said(&a, "err"), "");
    arena_release(&a);
    home_remove();
}

/* Each command that is for servers has a row. */
static void all_have_rows(void **state)
{
    (void)state;
    for (size_t i = 0; i < command_count; i++) {
        bool found = command_table[i].needs != NEEDS_SERVER;

        for (size_t k = 0; k < row_count && !found; k++) {
            found = strcmp(rows[k].label, command_table[i].name) == 0;
        }
        if (!found) {
            fail_msg("'%s' has no row", command_table[i].name);
        }
    }
}

TEST_MAIN(ROWS(rows, rules), ROWS(rows, of_names), ONE(all_have_rows))
