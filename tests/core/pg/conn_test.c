/* SPDX-License-Identifier: PostgreSQL */
/* Connection strings that do not lead anywhere: what is said of them, and that no piece of the
 * password is in it. Nobody listens on port 1. */
#include "pg/conn.h"

#include "harness.h"

#define TORN "cannot be told apart"

static const struct row {
    const char *label, *conninfo;
    const char *why;
} rows[] = {
    {"@ in the password of a URI", "postgresql://u:SEC@SECRET@127.0.0.1:1/db", TORN},
    {"/ in the password of a URI", "postgresql://u:SEC/SECRET@127.0.0.1:1/db", TORN},
    {"? and @ in the password of a URI", "postgresql://u:SEC?x@SECRET@127.0.0.1:1/db", TORN},
    {"/ after digits", "postgres://u:12/SECRET@127.0.0.1:1/db", TORN},
    {"? in the password of a URI", "postgresql://u:SEC?SECRET=1@127.0.0.1:1/db",
     "onnection refused"},
    {"two colons", "postgresql://127.0.0.1:1:SECRET/db", TORN},
    {"bad escape", "postgresql://u:%ZZSECRET@127.0.0.1:1/db", "not a connection string"},
    {"blank in the password", "host=127.0.0.1 port=1 password=a SECRET", "not a connection"},
    {"open quote", "host=127.0.0.1 port=1 password='SECRET", "not a connection string"},
    {"escaped @ and /", "postgresql://u:%40%2FSECRET@127.0.0.1:1/db", "onnection refused"},
    {"@ only in a parameter", "postgresql://127.0.0.1:1/db?user=a@b&password=SECRET@c",
     "onnection refused"},
    {"no password at all", "postgresql://u@127.0.0.1:1/db", "onnection refused"},
    {"keywords", "host=127.0.0.1 port=1 password=SECRET@x/y dbname=a@b", "onnection refused"},
};

static void no_piece_of_the_password(void **state)
{
    const struct row *row = *state;
    const struct pg_target target = {.conninfo = row->conninfo};
    struct err err = {0};
    struct task_sink none;
    struct task t = task_serial(NULL, NULL, &none);
    char text[2048];

    assert_null(pg_open(&t, &target, &err));
    err_text(&err, text, sizeof text);
    assert_non_null(strstr(text, row->why));
    assert_null(strstr(text, "SEC"));
    assert_null(strstr(err.hint, "SEC"));
    assert_true(err.hint[0]);
}

TEST_MAIN(ROWS(rows, no_piece_of_the_password))
