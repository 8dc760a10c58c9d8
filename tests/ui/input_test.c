/* SPDX-License-Identifier: PostgreSQL */
/* Sequences as xterm's ctlseqs and the terminfo entries of xterm, tmux, linux and vt100 have
 * them. */
#include "harness.h"

#include "base/clock.h"
#include "ui/input.h"
#include "ui/key.h"

#define MS       NS_PER_MS
#define P        INPUT_PASTED
#define KEYS_MAX 24

static const struct row {
    const char *label, *bytes;
    int key[KEYS_MAX]; /* when all bytes came at once and nothing follows for a second */
} rows[] = {
    {"letters", "jk", {'j', 'k'}},
    {"control", "\004\025", {4, 21}},
    {"enter is one key in both forms", "\r\n", {UI_KEY_ENTER, UI_KEY_ENTER}},
    {"both backspaces", "\177\b", {UI_KEY_BACKSPACE, UI_KEY_BACKSPACE}},
    {"tab", "\t", {UI_KEY_TAB}},
    {"two, three, four bytes", "\xc3\xa4\xe6\x9d\xb1\xf0\x9f\x98\x80", {0xe4, 0x6771, 0x1f600}},
    {"escape alone", "\033", {UI_KEY_ESC}},
    {"escape and a letter", "\033j", {UI_KEY_ESC, 'j'}},
    {"two escapes", "\033\033", {UI_KEY_ESC, UI_KEY_ESC}},
    {"arrows", "\033[A\033[B\033[C\033[D", {UI_KEY_UP, UI_KEY_DOWN, UI_KEY_RIGHT, UI_KEY_LEFT}},
    {"arrows, application mode", "\033OA\033OB", {UI_KEY_UP, UI_KEY_DOWN}},
    {"with Ctrl or Shift", "\033[1;5A\033[1;2B", {UI_KEY_UP, UI_KEY_DOWN}},
    {"pages", "\033[5~\033[6~\033[5;3~", {UI_KEY_PAGE_UP, UI_KEY_PAGE_DOWN, UI_KEY_PAGE_UP}},
    {"home and end, four ways",
     "\033[H\033[1~\033[7~\033OH\033[F\033[4~\033[8~\033OF",
     {UI_KEY_HOME, UI_KEY_HOME, UI_KEY_HOME, UI_KEY_HOME, UI_KEY_END, UI_KEY_END, UI_KEY_END,
      UI_KEY_END}},
    {"delete, shift-tab", "\033[3~\033[Z", {UI_KEY_DELETE, UI_KEY_BACKTAB}},
    {"keypad enter", "\033OM", {UI_KEY_ENTER}},
    {"named by terminfo", "\033!u\033!", {UI_KEY_UP, UI_KEY_ESC, '!'}},

    {"function keys are no keys", "\033OP\033[15~\033[24;2~\033[[Ax", {'x'}},
    {"an answer of the terminal", "\033[?1;2c\033[>0;276;0c\033[24;80Rx", {'x'}},
    {"a mouse, old and new", "\033[M !!\033[<0;1;1Mx", {'x'}},
    {"focus", "\033[I\033[Ox", {'x'}},
    {"a title report", "\033]lD delete\033\\x", {'x'}},
    {"an OSC that ends in BEL", "\033]11;rgb:0/0/0\ax", {'x'}},
    {"a DCS", "\033P1$rDDD\033\\x", {'x'}},
    {"a sequence broken off by Enter", "\033[1\rx", {UI_KEY_ENTER, 'x'}},
    {"a sequence broken off by a key", "\033[\033[A", {UI_KEY_UP}},
    {"incomplete", "\033[", {UI_KEY_ESC, '['}},
    {"NUL", "a\\0b", {'a', '\\', '0', 'b'}},

    {"stray continuation", "\x80x\xbf", {'x'}},
    {"overlong slash", "\xc0\xafx\xe0\x80\xafy", {'x', 'y'}},
    {"surrogate", "\xed\xa0\x80x", {'x'}},
    {"too high", "\xf4\x90\x80\x80x", {'x'}},
    {"cut by a letter", "\xe6\x9dx", {'x'}},
    {"cut by the end", "x\xe6\x9d", {'x'}},
    {"eight bit CSI",
     "\xc2\x9b"
     "Dx",
     {'D', 'x'}},
    {"FE and FF", "\xfe\xffx", {'x'}},

    {"a paste", "\033[200~Dy\r\033[201~q", {'D' | P, 'y' | P, '\r' | P, 'q'}},
    {"a paste with escapes",
     "\033[200~\033[A\033\033[201~q",
     {UI_KEY_ESC | P, '[' | P, 'A' | P, UI_KEY_ESC | P, 'q'}},
    {"a paste begins in a paste",
     "\033[200~a\033[200~b\033[201~c",
     {'a' | P, UI_KEY_ESC | P, '[' | P, '2' | P, '0' | P, '0' | P, '~' | P, 'b' | P, 'c'}},
    {"an end without a beginning", "\033[201~q", {'q'}},
    {"an empty paste", "\033[200~\033[201~q", {'q'}},
    {"wide characters pasted", "\033[200~\xe6\x9d\xb1\xff\033[201~", {0x6771 | P}},
};

static void make(struct input *in)
{
    memset(in, 0xaa, sizeof *in);
    input_init(in);
    input_name(in, "\033!u", UI_KEY_UP);
    input_name(in, "x", UI_KEY_DOWN); /* no escape: a letter would be lost */
    input_name(in, "\033this is longer than the room", UI_KEY_DOWN);
}

static void all_at_once(void **state)
{
    const struct row *r = *state;
    struct input in;

    make(&in);
    input_put(&in, r->bytes, strlen(r->bytes), 5 * MS);
    for (size_t i = 0; i < KEYS_MAX && r->key[i]; i++) {
        assert_int_equal(input_key(&in, 2000 * MS), r->key[i]);
    }
    assert_int_equal(input_key(&in, 2000 * MS), UI_KEY_NONE);
    assert_int_equal(in.n, 0);
    assert_int_equal(input_due_ns(&in), INT64_MAX);
}

/* A slow line brings bytes one by one, 1 ms apart: the same keys. */
static void byte_by_byte(void **state)
{
    const struct row *r = *state;
    struct input in;
    int got[64], n = 0, key;
    int64_t now = 7 * MS;

    make(&in);
    for (size_t i = 0; r->bytes[i]; i++) {
        now += MS;
        input_put(&in, r->bytes + i, 1, now);
        while ((key = input_key(&in, now)) != UI_KEY_NONE) {
            got[n++] = key;
        }
    }
    while ((key = input_key(&in, now + 2000 * MS)) != UI_KEY_NONE) {
        got[n++] = key;
    }
    for (int i = 0; i < n || r->key[i]; i++) {
        assert_int_equal(i < n ? got[i] : -1, r->key[i]);
    }
}

static void escape_waits_25_ms(void **state)
{
    struct input in;

    (void)state;
    make(&in);
    input_put(&in, "\033", 1, 100 * MS);
    assert_int_equal(input_key(&in, 124 * MS), UI_KEY_NONE);
    input_put(&in, "", 0, 124 * MS); /* nothing came: that is no news */
    assert_int_equal(input_due_ns(&in), 125 * MS);
    assert_int_equal(input_key(&in, 125 * MS), UI_KEY_ESC);

    input_put(&in, "\033", 1, 200 * MS); /* a slow arrow is an arrow */
    assert_int_equal(input_key(&in, 210 * MS), UI_KEY_NONE);
    input_put(&in, "[A", 2, 224 * MS);
    assert_int_equal(input_key(&in, 224 * MS), UI_KEY_UP);
}

static void paste_without_an_end_is_over_after_a_second(void **state)
{
    struct input in;

    (void)state;
    make(&in);
    input_put(&in, "\033[200~D", 7, 100 * MS);
    assert_int_equal(input_key(&in, 100 * MS), 'D' | P);
    input_put(&in, "D", 1, 1099 * MS);
    assert_int_equal(input_key(&in, 1099 * MS), 'D' | P);
    input_put(&in, "j", 1, 2099 * MS);
    assert_int_equal(input_key(&in, 2099 * MS), 'j');
}

/* A sequence without an end cannot fill the room for good. */
static void full_room_is_emptied(void **state)
{
    struct input in;
    char text[INPUT_CAP];

    (void)state;
    make(&in);
    memset(text, 'x', sizeof text);
    memcpy(text, "\033]", 2);
    input_put(&in, text, sizeof text, 100 * MS);
    assert_int_equal(input_room(&in), 0);
    assert_int_equal(input_key(&in, 100 * MS), UI_KEY_ESC);
    assert_int_equal(input_key(&in, 100 * MS), ']');
    assert_int_equal(input_room(&in), 2);
}

TEST_MAIN(ROWS(rows, all_at_once), ROWS(rows, byte_by_byte), ONE(escape_waits_25_ms),
          ONE(paste_without_an_end_is_over_after_a_second), ONE(full_room_is_emptied))
