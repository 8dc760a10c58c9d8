/* SPDX-License-Identifier: PostgreSQL */
#include "base/lib.h"
#include "harness.h"

static const char *const both[] = {"strlen", "strcmp"};
static const char *const none_such[] = {"strlen", "no_such_function_of_ours"};

static const struct lib_row {
    const char *label;
    struct lib lib;
    bool ok;
    const char *why;
} lib_rows[] = {
    {"loaded", {"libc.so.6", "-", ERR_CONFIG, both, 2}, true, ""},
    {"no such file",
     {"libnosuch.so.99", "Install it.", ERR_CONNECT, both, 2},
     false,
     "No such file"},
    {"no such symbol",
     {"libc.so.6", "Install it.", ERR_CONFIG, none_such, 2},
     false,
     "has no no_such_function_of_ours"},
    {"no library",
     {"/etc/passwd", "Install it.", ERR_CONFIG, both, 2},
     false,
     "invalid ELF header"},
};

static void load(void **state)
{
    const struct lib_row *row = *state;
    struct {
        size_t (*length)(const char *);
        int (*compare)(const char *, const char *);
    } api = {NULL, NULL};
    struct err err = {0};

    assert_int_equal(lib_load(&row->lib, &api, &err), row->ok);
    if (row->ok) {
        assert_int_equal(api.length("four"), 4);
        assert_int_equal(api.compare("a", "a"), 0);
        return;
    }
    assert_null(api.length); /* as a whole or not at all */
    assert_int_equal(err.code, row->lib.code);
    assert_string_equal(err.what, row->lib.file);
    assert_string_equal(err.hint, "Install it.");
    assert_non_null(strstr(err.why, row->why));
}

TEST_MAIN({ ROWS(lib_rows, load); })
