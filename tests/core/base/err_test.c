/* SPDX-License-Identifier: PostgreSQL */
#include "barkeep/err.h"

#include "harness.h"

#include <errno.h>
#include <stdio.h>

static const struct row {
    const char *label;
    const char *doing, *what, *why;
    const char *text;
} rows[] = {
    {"all parts", "read", "/a/b", "permission denied",
     "cannot read: '/a/b': permission denied"},
    {"no verb", "", "x", "not a WAL segment name", "'x': not a WAL segment name"},
    {"only why", "", "", "cancelled", "cancelled"},
    {"newline from a server", "", "", "FATAL: no\nDETAIL: why\n", "FATAL: no DETAIL: why"},
    {"escape sequence", "", "a\033[2Jb", "odd", "'a [2Jb': odd"},
};

static void check_row(void **state)
{
    const struct row *r = *state;
    struct err err = {0};
    char out[512];

    assert_false(err_set(&err, ERR_IO, "Do it.", r->what, "%s", r->why));
    if (r->doing[0]) {
        err_wrap(&err, "%s", r->doing);
    }
    assert_string_equal(err_text(&err, out, sizeof out), r->text);
    assert_string_equal(err.hint, "Do it.");
}

/* A long path must never push the reason off the end of the line. */
static void why_is_kept(void **state)
{
    struct err err = {0};
    char path[3001], out[300];

    (void)state;
    memset(path, 'd', 3000);
    memcpy(path, "/first", 6);
    memcpy(path + 2995, "/last", 6);
    err_os(&err, ENOSPC, "write", path);
    err_wrap(&err, "restore of %s", "orders");
    assert_non_null(strstr(err.what, "/first"));
    assert_non_null(strstr(err.what, "/last"));
    err_text(&err, out, sizeof out);
    assert_non_null(strstr(out, "no space left on device"));
    assert_non_null(strstr(out, "restore of orders"));
    assert_true(strlen(out) < sizeof out);
    assert_int_equal(err.os, ENOSPC);
    assert_non_null(strstr(err.hint, "Free space"));
}

static void wrapped_outermost_first(void **state)
{
    struct err err = {0};

    (void)state;
    err_os(&err, EACCES, "open", "/x");
    err_wrap(&err, "backup of %s", "main");
    assert_string_equal(err.doing, "backup of main: open");
}

static void statuses_are_barmans(void **state)
{
    (void)state;
    assert_int_equal(err_exit_status(ERR_USAGE), 2);
    assert_int_equal(err_exit_status(ERR_NONE), 0);
    for (int c = ERR_CONFIG; c < ERR_CODE_COUNT; c++) {
        assert_int_equal(err_exit_status((enum err_code)c), 1);
    }
    assert_string_equal(err_name(ERR_UNSAFE), "ERR_UNSAFE");
}

TEST_MAIN(ROWS(rows, check_row), ONE(why_is_kept), ONE(wrapped_outermost_first),
          ONE(statuses_are_barmans))
