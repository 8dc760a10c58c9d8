/* SPDX-License-Identifier: PostgreSQL */
/* Lines as PostgreSQL 13, 15 and 18 write them; postmaster.pid as miscinit.c describes it. */
#include "engine/copy_in.h"

#include "harness.h"

#define AT "2026-11-22 13:43:59.813 UTC [4711] "

static const struct log_row {
    const char *label, *text;
    const char *stage;
    const char *fatal; /* NULL: none */
    const char *hint;  /* what copy_log_hint() begins with */
    bool is_short, shut_at_target;
} rows[] = {
    {"nothing yet", "", "starting", NULL, "", false, false},
    {"starting", AT "postmaster LOG:  starting PostgreSQL 15.20 on x86_64\n", "starting", NULL,
     "", false, false},
    {"redo begins", AT "startup LOG:  redo starts at 0/3000028\n", "replaying from 0/3000028",
     NULL, "", false, false},
    {"consistent, 13 and later",
     AT "startup LOG:  redo starts at 0/3000028\n" AT
        "startup LOG:  consistent recovery state reached at 0/3000100\n",
     "consistent at 0/3000100", NULL, "", false, false},
    {"ready to be read",
     AT "startup LOG:  consistent recovery state reached at 0/3000100\n" AT
        "postmaster LOG:  database system is ready to accept read-only connections\n",
     "accepting connections", NULL, "", false, false},
    {"progress of a crash recovery",
     AT "startup LOG:  redo in progress, elapsed time: 10.00 s, current LSN: 0/5000028\n",
     "replaying", NULL, "", false, false},
    {"words before the prefix is known",
     "2026-11-22 13:43:59.813 UTC [4711] FATAL:  unrecognized configuration parameter \"x\"\n",
     "starting", "unrecognized configuration parameter \"x\"", "Take that line out", false,
     false},
    {"the target is not reached",
     AT "startup FATAL:  recovery ended before configured recovery target was reached\n",
     "starting", "recovery ended before configured recovery target was reached",
     "Restore again", false, false},
    {"a line of a configuration file",
     "2026-11-22 13:43:59.813 UTC [4711] LOG:  unrecognized configuration parameter \"x\" in "
     "file \"/srv/copy/postgresql.auto.conf\" line 7\n"
     "2026-11-22 13:43:59.813 UTC [4711] FATAL:  configuration file "
     "\"/srv/copy/postgresql.auto.conf\" contains errors\n",
     "starting",
     "unrecognized configuration parameter \"x\" in file \"/srv/copy/postgresql.auto.conf\" "
     "line "
     "7",
     "Take that line out", false, false},
    {"the port is taken",
     AT
     "postmaster LOG:  could not bind IPv4 address \"127.0.0.1\": Address already in use\n" AT
     "postmaster HINT:  Is another postmaster already running on port 5432?\n" AT
     "postmaster WARNING:  could not create listen socket for \"127.0.0.1\"\n" AT
     "postmaster FATAL:  could not create any TCP/IP sockets\n",
     "starting", "could not create any TCP/IP sockets", "Choose another --port", false, false},
    {"detail and hint belong to it",
     AT "postmaster FATAL:  database files are incompatible with server\n" AT
        "postmaster DETAIL:  The database cluster was initialized with PG_CONTROL_VERSION "
        "1300.\n" AT "postmaster HINT:  It looks like you need to initdb.\n",
     "starting",
     "database files are incompatible with server: The database cluster was initialized with "
     "PG_CONTROL_VERSION 1300.",
     "Start it with programs", false, false},
    {"its own hint, where we know none",
     AT "startup FATAL:  something new\n" AT "startup HINT:  Do this.\n", "starting",
     "something new", "Do this.", false, false},
    {"a hint of another message is not its hint",
     AT "startup LOG:  something\n" AT "startup HINT:  Do that.\n" AT
        "startup FATAL:  something new\n",
     "starting", "something new", "", false, false},
    {"the last one counts", AT "startup FATAL:  first\n" AT "postmaster PANIC:  second\n",
     "starting", "second", "", false, false},
    {"a visitor's failure is not the server's",
     AT "client backend FATAL:  role \"x\" does not exist\n", "starting", NULL, "", false,
     false},
    {"nor one of 18", AT "dead-end client backend FATAL:  the database system is starting up\n",
     "starting", NULL, "", false, false},
    {"FATAL in a statement is not one",
     AT "startup LOG:  redo starts at 0/1\n" AT "client backend ERROR:  x\n" AT
        "client backend STATEMENT:  select 'FATAL:  no'\n",
     "replaying from 0/1", NULL, "", false, false},
    {"a setting was raised, 14 and later",
     AT "startup WARNING:  hot standby is not possible because of insufficient parameter "
        "settings\n" AT "startup DETAIL:  max_connections = 40 is a lower setting than on the "
        "primary server, where its value was 400.\n" AT "startup LOG:  recovery has paused\n",
     "starting", NULL, "", true, false},
    {"a setting was raised, 13",
     AT "startup FATAL:  hot standby is not possible because max_connections = 40 is a lower "
        "setting than on the master server (its value was 400)\n",
     "starting",
     "hot standby is not possible because max_connections = 40 is a lower setting than on the "
     "master server (its value was 400)",
     "", true, false},
    {"it shut down as it was told",
     AT "postmaster LOG:  shutdown at recovery target\n" AT
        "postmaster LOG:  shutting down\n" AT "postmaster LOG:  database system is shut down\n",
     "starting", NULL, "", false, true},
    {"control characters and half a line", "\x01\x02\nFATAL", "starting", NULL, "", false,
     false},
    {"no text behind it", AT "startup FATAL:  \n", "starting", NULL, "", false, false},
};

static void check_log(void **state)
{
    const struct log_row *r = *state;
    struct copy_log log;
    struct arena a;

    arena_init(&a, 0);
    copy_log_parse(&a, str_of(r->text), &log);
    assert_string_equal(log.stage, r->stage);
    if (r->fatal) {
        assert_non_null(log.fatal);
        assert_string_equal(log.fatal, r->fatal);
    } else {
        assert_null(log.fatal);
    }
    assert_true(str_starts(str_of(copy_log_hint(&log)), r->hint));
    assert_true(r->hint[0] || !copy_log_hint(&log)[0]);
    assert_int_equal(log.is_short, r->is_short);
    assert_int_equal(log.shut_at_target, r->shut_at_target);
    arena_release(&a);
}

/* ---- postmaster.pid ----------------------------------------------------------------------- */

static const struct pid_row {
    const char *label, *text;
    bool ok;
    int64_t pid;
    unsigned port;
    bool is_ready;
} pid_rows[] = {
    {"ready", "4711\n/srv/copy\n1795355034\n5432\n/tmp/b\n\n 1 2\nready   \n", true, 4711, 5432,
     true},
    {"starting", "4711\n/srv/copy\n1795355034\n5432\n/tmp/b\n\n 1 2\nstarting\n", true, 4711,
     5432, false},
    {"just created", "4711\n/srv/copy\n1795355034\n", true, 4711, 0, false},
    {"no line end", "4711", true, 4711, 0, false},
    {"single user", "-4711\n/srv/copy\n", false, 0, 0, false},
    {"zero", "0\n/srv/copy\n", false, 0, 0, false},
    {"too large for a pid", "99999999999\n", false, 0, 0, false},
    {"words", "ready\n", false, 0, 0, false},
    {"blanks between", "47 11\n", false, 0, 0, false},
    {"empty", "", false, 0, 0, false},
};

static void check_pid(void **state)
{
    const struct pid_row *r = *state;
    struct copy_pid_file f;

    assert_int_equal(copy_pid_file_parse(str_of(r->text), &f), r->ok);
    if (r->ok) {
        assert_int_equal(f.pid, r->pid);
        assert_int_equal(f.port, r->port);
        assert_int_equal(f.is_ready, r->is_ready);
    }
}

/* ---- facts -------------------------------------------------------------------------------- */

#define HEAD "barkeep copy 1\n"
#define WHOLE                                                                                  \
    HEAD "server main\nbackup 20261122T134353\nsystem 7000000000000000001\nmajor 15\n"         \
         "socket /tmp/barkeep-abcdef\nport 5432\ntcp 0\nwhen 2026-11-22 13:43:59+00:00\n"      \
         "database postgres\n"

static const struct facts_row {
    const char *label, *text;
    bool ok;
} facts_rows[] = {
    {"whole", WHOLE, true},
    {"a key of later", WHOLE "colour 7\n", true},
    {"with users and spaces", WHOLE "user a b\nspace 16384 /srv/a b\n", true},
    {"dropping", WHOLE "dropping\n", true},
    {"empty", "", false},
    {"another file", "barkeep restore, unfinished\n", false},
    {"only its head", HEAD, false},
    {"no server", HEAD "system 7\nmajor 15\nsocket /tmp/barkeep-a\nport 1\nwhen x\n", false},
    {"system is no number", WHOLE "system 7x\n", false},
    {"system is missing",
     HEAD "server main\nbackup \nmajor 15\nsocket /tmp/barkeep-a\nport 1\n"
          "when x\ndatabase \n",
     false},
    {"a socket elsewhere", WHOLE "socket /var/run/postgresql\n", false},
    {"a socket below", WHOLE "socket /tmp/barkeep-a/../../etc\n", false},
    {"a space with a relative path", WHOLE "space 16384 ../x\n", false},
    {"a space without a path", WHOLE "space 16384\n", false},
    {"a space of no number", WHOLE "space x /srv\n", false},
    {"port out of range", WHOLE "port 65536\n", false},
    {"too many users", WHOLE "user a\nuser b\nuser c\nuser d\nuser e\n", false},
    {"dropping something", WHOLE "dropping it\n", false},
};

static void check_facts(void **state)
{
    const struct facts_row *r = *state;
    struct copy_facts f;
    struct err err = {0};
    struct arena a;

    arena_init(&a, 0);
    assert_int_equal(copy_facts_parse(&a, str_of(r->text), "/x/facts", &f, &err), r->ok);
    assert_int_equal(err.code, r->ok ? ERR_NONE : ERR_FORMAT);
    if (r->ok) { /* and back again: what is written is read as it was */
        struct copy_facts again;
        const char *text = copy_facts_text(&a, &f);

        assert_true(copy_facts_parse(&a, str_of(text), "/x/facts", &again, &err));
        assert_string_equal(again.server, "main");
        assert_true(again.sysid == UINT64_C(7000000000000000001));
        assert_int_equal(again.users, f.users);
        assert_int_equal(again.spaces, f.spaces);
        assert_int_equal(again.is_dropping, f.is_dropping);
    }
    arena_release(&a);
}

TEST_MAIN(ROWS(rows, check_log), ROWS(pid_rows, check_pid), ROWS(facts_rows, check_facts))
