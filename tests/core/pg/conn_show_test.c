/* SPDX-License-Identifier: PostgreSQL */
/* How a connection string is shown, and what is said of one that is none.
 * Every password below holds "geheim", or "ge" and "heim" around what tears it. None of them
 * may be in anything we say. Nobody listens on port 1. */
#include "pg/conn.h"

#include "core/engine/said.h"
#include "harness.h"

#include <stdlib.h>

static const struct row {
    const char *label;
    const char *conninfo;
    const char *shown; /* "local server": nothing of it may be shown, or it names nothing */
} rows[] = {
    {"keywords", "host=a port=5 user=u dbname=d", "host=a port=5 user=u dbname=d"},
    {"always in one order", "dbname=d user=u port=5 host=a", "host=a port=5 user=u dbname=d"},
    {"password", "host=a password=geheim user=u", "host=a user=u"},
    {"password first", "password=geheim host=a", "host=a"},
    {"password in quotes", "host=a password='ge heim' user=u", "host=a user=u"},
    {"password with a quote", "host=a password='ge\\'heim' user=u", "host=a user=u"},
    {"password with a backslash", "host=a password=ge\\ heim user=u", "host=a user=u"},
    {"password that looks like a keyword", "host=a password='host=geheim'", "host=a"},
    {"blanks around the sign", "host = a password = geheim", "host=a"},
    {"sslpassword", "host=a sslpassword=geheim", "host=a"},
    {"passfile is not shown", "host=a passfile=/geheim", "host=a"},
    {"options are not shown", "host=a options='-c x.y=geheim'", "host=a"},
    {"application_name is not shown", "host=a application_name=geheim", "host=a"},
    {"hostaddr", "hostaddr=127.0.0.1 password=geheim", "hostaddr=127.0.0.1"},
    {"two hosts", "host=a,b port=1,2 password=geheim", "host=a,b port=1,2"},
    {"socket directory", "host=/run/pg dbname=d", "host=/run/pg dbname=d"},
    {"empty values", "host='' user=u", "user=u"},
    {"URI", "postgresql://u:geheim@a:5/d", "host=a port=5 user=u dbname=d"},
    {"short URI", "postgres://u:geheim@a/d", "host=a user=u dbname=d"},
    {"URI, escaped password", "postgresql://u:ge%40he%2Fim@a/d", "host=a user=u dbname=d"},
    {"URI, password as a parameter", "postgresql://a/d?password=geheim&user=u",
     "host=a user=u dbname=d"},
    {"URI, user with an at sign", "postgresql://a/d?user=u@b", "host=a user=u@b dbname=d"},
    {"URI, escaped user", "postgresql://u%40b:geheim@a/d", "host=a user=u@b dbname=d"},
    {"URI, password with a question mark", "postgresql://u:ge?heim@a/d",
     "host=a user=u dbname=d"},
    {"URI, no password", "postgresql://u@a", "host=a user=u"},
    {"URI, socket", "postgresql://%2Frun%2Fpg/d", "host=/run/pg dbname=d"},
    {"URI, address of version 6", "postgresql://u:geheim@[::1]:5/d",
     "host=::1 port=5 user=u dbname=d"},
    {"nothing", "", "local server"},

    {"URI, password with an at sign", "postgresql://u:ge@heim@a/d", "local server"},
    {"URI, password with a slash", "postgresql://u:ge/heim@a/d", "local server"},
    {"URI, password of digits and a slash", "postgresql://u:1/geheim@a/d", "local server"},
    {"URI, bad escape", "postgresql://u:geheim%zz@a/d", "local server"},
    {"URI, unknown parameter", "postgresql://a/d?geheim=1", "local server"},
    {"URI, open bracket", "postgresql://u:geheim@[::1/d", "local server"},
    {"password not quoted", "host=a password=ge heim", "local server"},
    {"password torn at an equals sign", "host=a password=ge heim=x", "local server"},
    {"the same, with a capital", "host=a PassWord=ge heim=x", "local server"},
    {"quote left open", "host=a password='geheim", "local server"},
    {"quote within", "host=a password=ge'heim x", "local server"},
    {"no keyword", "=geheim", "local server"},
    {"no equals sign", "geheim", "local server"},
};

static void leaks_nothing(const char *text)
{
    assert_null(strstr(text, "geheim"));
    assert_null(strstr(text, "heim"));
}

static void show(void **state)
{
    const struct row *row = *state;
    char out[256], tiny[8];

    assert_string_equal(pg_show_conninfo(row->conninfo, out, sizeof out), row->shown);
    leaks_nothing(out);
    pg_show_conninfo(row->conninfo, tiny, sizeof tiny);
    assert_int_equal(strncmp(tiny, row->shown, sizeof tiny - 1), 0);
    assert_int_equal(strlen(tiny), sizeof tiny - 1 < strlen(row->shown) ? sizeof tiny - 1
                                                                        : strlen(row->shown));
}

/* What is refused says why, in one line, without what it refused. */
static const struct bad_row {
    const char *label;
    const char *conninfo;
    const char *why;
} bad_rows[] = {
    {"at sign", "postgresql://u:ge@heim@a/d", "cannot be told apart"},
    {"slash", "postgres://u:ge/heim@a/d", "cannot be told apart"},
    {"bad escape", "postgresql://u:geheim%zz@a/d", "not a connection string"},
    {"not quoted", "host=a password=ge heim", "not a connection string"},
    {"torn at an equals sign", "host=a password=ge heim=x", "not a connection string"},
    {"quote left open", "host=a password='geheim", "not a connection string"},
    {"a word", "geheim", "not a connection string"},
    {"misspelt keyword", "hots=a", "invalid connection option \"hots\""},
};

static void refuse(void **state)
{
    const struct bad_row *row = *state;
    const struct pg_target target = {.conninfo = row->conninfo};
    char text[2048];
    struct said said;
    struct err err = {0};

    assert_null(pg_open(said_init(&said), &target, &err));
    assert_int_equal(err.code, ERR_CONFIG);
    assert_non_null(strstr(err_text(&err, text, sizeof text), row->why));
    assert_null(strchr(text, '\n'));
    leaks_nothing(text);
    leaks_nothing(err.hint);
}

static const struct down_row {
    const char *label;
    const char *conninfo;
} down_rows[] = {
    {"keywords", "host=127.0.0.1 port=1 user=u password=geheim dbname=d"},
    {"quoted", "host=127.0.0.1 port=1 user=u password='ge heim' dbname=d"},
    {"URI", "postgresql://u:geheim@127.0.0.1:1/d"},
    {"URI, escaped", "postgresql://u:ge%40heim@127.0.0.1:1/d"},
    {"socket", "host=/nowhere/at/all password=geheim"},
    {"not a port", "host=127.0.0.1 port=x password=geheim"},
    {"port too high", "host=127.0.0.1 port=99999 password=geheim"},
};

static void down(void **state)
{
    const struct down_row *row = *state;
    struct pg_target target = {.conninfo = row->conninfo};
    char text[2048];
    struct said said;

    for (int mode = PG_ORDINARY; mode <= PG_REPLICATION; mode++) {
        struct err err = {0};
        target.mode = (enum pg_mode)mode;
        assert_null(pg_open(said_init(&said), &target, &err));
        assert_int_equal(err.code, ERR_CONNECT);
        assert_true(err.hint[0] >= 'A' && err.hint[0] <= 'Z');
        leaks_nothing(err_text(&err, text, sizeof text));
        assert_null(strchr(text, '\n'));
    }
}

/* ---- one keyword --------------------------------------------------------------------- */

static const struct value_row {
    const char *label;
    const char *conninfo, *keyword, *want; /* NULL: there is none, or it is not given */
} value_rows[] = {
    {"dbname", "host=a dbname=d", "dbname", "d"},
    {"of a URI", "postgresql://u:geheim@a/d", "dbname", "d"},
    {"quoted", "dbname='a b'", "dbname", "a b"},
    {"not there", "host=a", "dbname", NULL},
    {"no such keyword", "host=a", "databass", NULL},
    {"password is refused", "host=a password=geheim", "password", NULL},
    {"of a URI too", "postgresql://u:geheim@a/d", "password", NULL},
    {"sslpassword is refused", "host=a sslpassword=geheim", "sslpassword", NULL},
    {"not a conninfo", "geheim", "dbname", NULL},
    {"does not fit", "host=a dbname=0123456789", "dbname", NULL},
};

static void value(void **state)
{
    const struct value_row *row = *state;
    char out[8] = "";

    assert_int_equal(pg_conninfo_value(row->conninfo, row->keyword, out, sizeof out),
                     row->want != NULL);
    if (row->want) {
        assert_string_equal(out, row->want);
    }
    leaks_nothing(out);
}

/* What the surroundings add is nobody's business either. */
static void from_the_environment(void **state)
{
    const struct pg_target target = {.conninfo = "host=127.0.0.1 port=1"};
    char text[2048], out[64];
    struct said said;
    struct err err = {0};

    (void)state;
    assert_int_equal(setenv("PGPASSWORD", "geheim", 1), 0);
    assert_null(pg_open(said_init(&said), &target, &err));
    leaks_nothing(err_text(&err, text, sizeof text));
    assert_string_equal(pg_show_conninfo("host=a", out, sizeof out), "host=a");
    assert_false(pg_conninfo_value("host=a", "password", out, sizeof out));
    assert_int_equal(unsetenv("PGPASSWORD"), 0);
}

TEST_MAIN(ROWS(rows, show), ROWS(bad_rows, refuse), ROWS(down_rows, down),
          ROWS(value_rows, value), ONE(from_the_environment))
