/* SPDX-License-Identifier: PostgreSQL */
/* The global options with every command of the table: -d, -q, --log-level, --color and -f json.
 *
 * The server's connection strings hold a password, and nobody listens where they lead: so most
 * commands fail, which is when most is said. What must hold for each is said in the functions.
 * SAYS: failures are errors; SAYS_RESULTS: they are lines of the result; SAYS_TEXT: never a document.
 * To add a command: a row with a whole line; "SRV" is the server.
 */
#include "invocation.h"

#include "base/json.h"
#include "batch/command.h"

#define SECRET "S3CRET"

static const struct row {
    const char *label; /* the command */
    const char *line;
    enum { SAYS, SAYS_RESULTS, SAYS_TEXT } how;
} rows[] = {
    {"archive-wal", "archive-wal SRV", SAYS},
    {"backup", "backup SRV", SAYS},
    {"check", "check SRV", SAYS_RESULTS},
    {"check-backup", "check-backup SRV latest", SAYS},
    {"check-wal-archive", "check-wal-archive SRV", SAYS},
    {"compare-copy", "compare-copy SRV @/new", SAYS},
    {"config-switch", "config-switch SRV other", SAYS},
    {"config-update",
     "config-update "
     "[{\"scope\":\"server\",\"server_name\":\"SRV\",\"conninfo\":\"password=" SECRET "3\"}]",
     SAYS},
    {"convert-layout", "convert-layout --dry-run SRV legacy", SAYS},
    {"cron", "cron", SAYS},
    {"delete", "delete SRV latest", SAYS},
    {"diagnose", "diagnose", SAYS},
    {"drop-copy", "drop-copy SRV @/new", SAYS},
    {"estimate-size", "estimate-size SRV", SAYS},
    {"generate-manifest", "generate-manifest SRV latest", SAYS},
    {"get-wal", "get-wal SRV 000000010000000000000001", SAYS},
    {"help", "help", SAYS_TEXT},
    {"keep", "keep --status SRV latest", SAYS},
    {"list-backups", "list-backups SRV", SAYS},
    {"list-files", "list-files SRV latest", SAYS},
    {"list-processes", "list-processes SRV", SAYS},
    {"list-servers", "list-servers", SAYS},
    {"lock-directory-cleanup", "lock-directory-cleanup", SAYS},
    {"promote-copy", "promote-copy SRV @/new", SAYS},
    {"put-wal", "put-wal SRV", SAYS},
    {"rebuild-xlogdb", "rebuild-xlogdb SRV", SAYS},
    {"receive-wal", "receive-wal --create-slot SRV", SAYS},
    {"replication-status", "replication-status SRV", SAYS},
    {"restore", "restore SRV latest @/new", SAYS},
    {"show-backup", "show-backup SRV latest", SAYS},
    {"show-copy", "show-copy SRV @/new", SAYS},
    {"show-servers", "show-servers SRV", SAYS},
    {"start-copy", "start-copy SRV @/new", SAYS},
    {"status", "status SRV", SAYS},
    {"stop-copy", "stop-copy SRV @/new", SAYS},
    {"switch-wal", "switch-wal SRV", SAYS},
    {"terminate-process", "terminate-process SRV cron", SAYS},
    {"verify-backup", "verify-backup SRV latest", SAYS},
};
static const size_t row_count = sizeof rows / sizeof rows[0];

static void files(void)
{
    home_make();
    put("conf", "[barman]\nbarman_home = @\nbarman_user = ~\nlog_file = @/log\n"
                "[main]\nconninfo = host=@ user=u dbname=d password=" SECRET "1\n"
                "streaming_conninfo = host=@ user=u password = '" SECRET " 2'\n"
                "wal_conninfo = host=@ user=u sslpassword=" SECRET "4\n"
                "slot_name = x\nbackup_method = postgres\narchiver = on\n"
                "[other]\nmodel = true\ncluster = main\n"
                "conninfo = host=@ user=v dbname=d password=" SECRET "5\n");
}

static int run_with(struct arena *a, const char *options, const char *line, const char *server)
{
    char text[512];
    const char *at;
    struct sbuf b;

    sbuf_init(&b, text, sizeof text);
    while ((at = strstr(line, "SRV"))) {
        sbuf_add_n(&b, line, (size_t)(at - line));
        sbuf_add(&b, server);
        line = at + 3;
    }
    sbuf_add(&b, line);
    assert_true(sbuf_ok(&b));
    return run(arena_fmt(a, "barkeep -c @/conf %s %s", options, text));
}

/* ---- what must hold ---- */

/* Also behind the NUL bytes of a journal. */
static bool holds(struct str text, const char *word)
{
    while (text.n > 0 && !str_starts(text, word)) {
        text = str_skip(text, 1);
    }
    return text.n > 0;
}

/* Nowhere but in the configuration. */
static void keeps_the_secret(struct arena *a, const char *line)
{
    struct tree tree = {.depth = 0};
    struct tree_entry e;
    struct str text;
    struct err err;

    assert_true(tree_open(&tree, home, &err));
    while (tree_next(&tree, &e, &err) && e.kind != TREE_END) {
        if (e.kind != TREE_FILE || strcmp(e.rel, "conf") == 0 ||
            str_ends(str_of(e.rel), ".auto.conf")) {
            continue;
        }
        assert_true(file_read(a, tree.path, 1 << 20, &text, &err));
        if (holds(text, SECRET)) {
            fail_msg("'%s' leaves the password in %s: %s", line, e.rel, text.p);
        }
    }
    tree_close(&tree);
}

/* Each "ERROR: " and "WARNING: " of a line's begin has its colour, and nothing has one else. */
static void is_coloured(const char *line, const char *err)
{
    if (strstr(err, "\nERROR: ") || strncmp(err, "ERROR: ", 7) == 0 ||
        strstr(err, "\nWARNING: ") || strncmp(err, "WARNING: ", 9) == 0) {
        fail_msg("'%s' does not colour: %s", line, err);
    }
}

static void one_document(const char *line, const char *out)
{
    enum json_token t;
    struct json j;

    json_init(&j);
    json_feed(&j, out, strlen(out));
    do {
        t = json_next(&j);
        if (t == JSON_MORE) {
            json_finish(&j);
            t = json_next(&j);
        }
    } while (t != JSON_END && t != JSON_BAD);
    if (t != JSON_END || out[0] != '{') {
        fail_msg("'%s' answers no document: %s", line, out);
    }
}

/* As much as can be said: no secret in it, and the levels are there. */
static void loud(void **state)
{
    const struct row *r = *state;
    const char *log, *err;
    struct arena a;
    int status;

    files();
    arena_init(&a, 0);
    status = run_with(&a, "-d --log-level DEBUG --color always", r->line, "main");
    keeps_the_secret(&a, r->line);
    err = said(&a, "err");
    is_coloured(r->line, err);
    if (status && r->how == SAYS) {
        log = said(&a, "log");
        assert_non_null(strstr(err, "\033[31mERROR: "));
        assert_non_null(strstr(log, " ERROR: "));
    } else if (status) {
        assert_non_null(strstr(said(&a, "out"), ": \033[31mFAILED\033[0m"));
    }
    arena_release(&a);
    home_remove();
}

/* As little: results are not shown, and only errors are logged. */
static void quiet(void **state)
{
    const struct row *r = *state;
    static const char *const level[] = {" DEBUG: ", " INFO: ", " WARNING: "};
    const char *log;
    struct arena a;
    int status;

    files();
    arena_init(&a, 0);
    status = run_with(&a, "-q --log-level ERROR --color never", r->line, "main");
    assert_null(strchr(said(&a, "out"), '\033'));
    assert_null(strchr(said(&a, "err"), '\033'));
    if (r->how != SAYS_TEXT) {
        assert_string_equal(said(&a, "out"), "");
        log = said(&a, "log");
        for (size_t i = 0; i < sizeof level / sizeof level[0]; i++) {
            if (strstr(log, level[i])) {
                fail_msg("'%s' logs below the level: %s", r->line, log);
            }
        }
        if (status && r->how == SAYS) {
            assert_non_null(strstr(log, " ERROR: "));
            assert_non_null(strstr(said(&a, "err"), "ERROR: "));
        }
    }
    arena_release(&a);
    home_remove();
}

/* One document, whether it is done or refused; the debug messages are in it. */
static void document(void **state)
{
    static const char *const server[] = {"main", "none"};
    const struct row *r = *state;
    struct arena a;

    for (int i = 0; i < 2; i++) {
        files();
        arena_init(&a, 0);
        (void)run_with(&a, "-d -f json --color always", r->line, server[i]);
        if (r->how != SAYS_TEXT) {
            one_document(r->line, said(&a, "out"));
            assert_string_equal(said(&a, "err"), "");
        }
        keeps_the_secret(&a, r->line);
        arena_release(&a);
        home_remove();
    }
}

static void all_have_rows(void **state)
{
    (void)state;
    for (size_t i = 0; i < command_count; i++) {
        bool found = false;

        for (size_t k = 0; k < row_count && !found; k++) {
            found = strcmp(rows[k].label, command_table[i].name) == 0;
        }
        if (!found) {
            fail_msg("'%s' has no row", command_table[i].name);
        }
    }
}

TEST_MAIN(ROWS(rows, loud), ROWS(rows, quiet), ROWS(rows, document), ONE(all_have_rows))
