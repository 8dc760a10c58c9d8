/* SPDX-License-Identifier: PostgreSQL */
/* Base64 as RFC 4648 section 10 has it. */
#include "harness.h"

#include "ui/clip.h"
#include "ui/save.h"

#include <stdlib.h>

static const struct row {
    const char *label, *text, *want;
} rows[] = {
    {"empty", "", "\033]52;c;\a"},
    {"f", "f", "\033]52;c;Zg==\a"},
    {"fo", "fo", "\033]52;c;Zm8=\a"},
    {"foo", "foo", "\033]52;c;Zm9v\a"},
    {"foob", "foob", "\033]52;c;Zm9vYg==\a"},
    {"fooba", "fooba", "\033]52;c;Zm9vYmE=\a"},
    {"foobar", "foobar", "\033]52;c;Zm9vYmFy\a"},
    {"the last two digits", "\xfb\xef\xff", "\033]52;c;++//\a"},
    {"control characters are wrapped up", "\033]0;x\a", "\033]52;c;G10wO3gH\a"},
};

static void encode_row(void **state)
{
    const struct row *r = *state;
    char mem[64];
    struct sbuf b;

    sbuf_init(&b, mem, sizeof mem);
    assert_true(clip_osc52(str_of(r->text), &b));
    assert_string_equal(b.p, r->want);
}

/* 74 994 is no multiple of four: 18 748 groups fit, of three bytes each. */
static void longest_text(void **state)
{
    static char text[56245], mem[80000];
    struct sbuf b;

    (void)state;
    memset(text, 'a', sizeof text);
    sbuf_init(&b, mem, sizeof mem);
    assert_true(clip_osc52(str_n(text, 56244), &b));
    assert_int_equal(b.len, 7 + 74992 + 1);
    sbuf_init(&b, mem, sizeof mem);
    assert_false(clip_osc52(str_n(text, 56245), &b));
    assert_int_equal(b.len, 0);
    sbuf_init(&b, mem, 100);
    assert_false(clip_osc52(str_n(text, 1000), &b));
}

static void screen_as_text(void **state)
{
    struct grid *g = grid_new(12, 3, SYMBOLS_BLOCK);
    char mem[256];
    struct sbuf b;

    (void)state;
    grid_text(g, 1, 0, 12, ROLE_OK, "\xe6\x9d\xb1\xe4\xba\xac-db");
    grid_text(g, 0, 2, 12, ROLE_FAIL, "\033[2J  ");
    sbuf_init(&b, mem, sizeof mem);
    save_print(g, &b);
    assert_string_equal(mem, " \xe6\x9d\xb1\xe4\xba\xac-db\n\n?[2J\n");
    grid_free(g);
}

TEST_MAIN(ROWS(rows, encode_row), ONE(longest_text), ONE(screen_as_text))
