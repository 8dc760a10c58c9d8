/* SPDX-License-Identifier: PostgreSQL */
#include "barkeep/str.h"

#include "harness.h"

#include <stdlib.h>

static const struct u64_row {
    const char *label, *text;
    uint64_t max;
    bool ok;
    uint64_t v;
} u64_rows[] = {
    {"zero", "0", 10, true, 0},
    {"at the maximum", "10", 10, true, 10},
    {"past the maximum", "11", 10, false, 0},
    {"largest", "18446744073709551615", UINT64_MAX, true, UINT64_MAX},
    {"one more than largest", "18446744073709551616", UINT64_MAX, false, 0},
    {"far past largest", "99999999999999999999", UINT64_MAX, false, 0},
    {"small maximum, big digit", "7", 3, false, 0},
    {"leading zeros", "0042", 100, true, 42},
    {"empty", "", 10, false, 0},
    {"plus", "+1", 10, false, 0},
    {"minus", "-1", 10, false, 0},
    {"blank before", " 1", 10, false, 0},
    {"tail", "1x", 10, false, 0},
    {"hex", "0x1", 100, false, 0},
};

static void check_u64(void **state)
{
    const struct u64_row *r = *state;
    uint64_t v = 77;

    assert_int_equal(str_u64(str_of(r->text), r->max, &v), r->ok);
    assert_int_equal(v, r->ok ? r->v : 77);
}

static const struct i64_row {
    const char *label, *text;
    bool ok;
    int64_t v;
} i64_rows[] = {
    {"least", "-9223372036854775808", true, INT64_MIN},
    {"most", "9223372036854775807", true, INT64_MAX},
    {"one past most", "9223372036854775808", false, 0},
    {"one past least", "-9223372036854775809", false, 0},
    {"minus zero", "-0", true, 0},
    {"only a minus", "-", false, 0},
    {"two", "--1", false, 0},
};

static void check_i64(void **state)
{
    const struct i64_row *r = *state;
    int64_t v = 77;

    assert_int_equal(str_i64(str_of(r->text), &v), r->ok);
    assert_int_equal(v, r->ok ? r->v : 77);
}

static const struct hex_row {
    const char *label, *text;
    int digits;
    bool ok;
    uint64_t v;
} hex_rows[] = {
    {"eight", "0000004C", 8, true, 0x4C},
    {"lower case is refused", "0000004c", 8, false, 0},
    {"lower case when free", "4c", 0, true, 0x4C},
    {"too short", "004C", 8, false, 0},
    {"colon is after 9", "0000004:", 8, false, 0},
    {"sixteen", "FFFFFFFFFFFFFFFF", 16, true, UINT64_MAX},
    {"seventeen", "1FFFFFFFFFFFFFFFF", 0, false, 0},
    {"empty", "", 0, false, 0},
};

static void check_hex(void **state)
{
    const struct hex_row *r = *state;
    uint64_t v = 77;

    assert_int_equal(str_hex_u64(str_of(r->text), r->digits, &v), r->ok);
    assert_int_equal(v, r->ok ? r->v : 77);
}

static void split_gives_empty_pieces(void **state)
{
    struct str rest = str_of("a,,b,"), head;

    (void)state;
    assert_true(str_split(&rest, ',', &head) && str_eq(head, "a"));
    assert_true(str_split(&rest, ',', &head) && str_eq(head, ""));
    assert_true(str_split(&rest, ',', &head) && str_eq(head, "b"));
    assert_true(str_split(&rest, ',', &head) && str_eq(head, ""));
    assert_false(str_split(&rest, ',', &head));
}

static void lines_without_a_last_newline(void **state)
{
    struct str rest = str_of("one\n\ntwo"), line;

    (void)state;
    assert_true(str_line(&rest, &line) && str_eq(line, "one"));
    assert_true(str_line(&rest, &line) && str_eq(line, ""));
    assert_true(str_line(&rest, &line) && str_eq(line, "two"));
    assert_false(str_line(&rest, &line));
    rest = str_of("one\n");
    assert_true(str_line(&rest, &line) && str_eq(line, "one"));
    assert_false(str_line(&rest, &line));
}

static void builder_remembers_overflow(void **state)
{
    char mem[8];
    struct sbuf b;

    (void)state;
    sbuf_init(&b, mem, sizeof mem);
    sbuf_add(&b, "1234567");
    assert_true(sbuf_ok(&b));
    sbuf_char(&b, '8');
    assert_false(sbuf_ok(&b));
    assert_string_equal(mem, "1234567");
    sbuf_init(&b, mem, sizeof mem);
    sbuf_fmt(&b, "%s", "123456789");
    assert_false(sbuf_ok(&b));
    assert_string_equal(mem, "1234567");
}

static void views_compare_whole(void **state)
{
    (void)state;
    assert_true(str_eq(STR_LIT("abc"), "abc"));
    assert_false(str_eq(str_n("abc", 2), "abc"));
    assert_true(str_eq_nocase(STR_LIT("OnE"), "oNe"));
    assert_false(str_eq_nocase(STR_LIT("on"), "one"));
    assert_true(str_ends(STR_LIT("x.partial"), ".partial"));
    assert_false(str_ends(STR_LIT("l"), ".partial"));
    assert_true(str_eq(str_trim(STR_LIT(" \t a b\r\n")), "a b"));
    assert_true(str_eq(str_skip(STR_LIT("ab"), 5), ""));
}

static const struct shell_row {
    const char *word, *want;
} shell_rows[] = {
    {"plain-word_1.0", "plain-word_1.0"},
    {"2026-08-22 03:02:11+02:00", "'2026-08-22 03:02:11+02:00'"},
    {"", "''"},
    {"it's", "'it'\\''s'"},
    {"$(id)", "'$(id)'"},
    {"~", "'~'"},
    {"a\\b", "'a\\b'"},
    {"g\xc3\xbcte", "'g\xc3\xbcte'"},
    {"two\nlines", "'two\nlines'"},
};

static void shell_words(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof shell_rows / sizeof shell_rows[0]; i++) {
        char mem[64];
        struct sbuf b;

        sbuf_init(&b, mem, sizeof mem);
        sbuf_shell_word(&b, shell_rows[i].word);
        assert_true(sbuf_ok(&b));
        assert_string_equal(mem, shell_rows[i].want);
    }
}

static void copies_are_whole_and_end(void **state)
{
    static const char bytes[] = "a\0bcd";
    char *part = str_new(str_n(bytes, 3)), *none = str_new(str_of(NULL));

    (void)state;
    assert_memory_equal(part, "a\0b", 4);
    assert_string_equal(none, "");
    free(part);
    free(none);
}

TEST_MAIN(ONE(shell_words), ROWS(u64_rows, check_u64), ROWS(i64_rows, check_i64),
          ROWS(hex_rows, check_hex), ONE(split_gives_empty_pieces),
          ONE(lines_without_a_last_newline), ONE(builder_remembers_overflow),
          ONE(views_compare_whole), ONE(copies_are_whole_and_end))
