/* SPDX-License-Identifier: PostgreSQL */
/* Ten rows, four of them seen: the cursor follows the thing, the top never passes the ends. */
#include "ui/list.h"

#include "harness.h"

#include <stdio.h>
#include <string.h>

static const char *const ten[] = {"a", "b", "c", "d", "e", "f", "g", "h", "i", "j"};

static const struct move_row {
    const char *label;
    const char *at;
    size_t top;
    enum act act;
    size_t n, height;
    const char *want;
    size_t want_top;
} moves[] = {
    {"down", "a", 0, ACT_DOWN, 10, 4, "b", 0},
    {"down scrolls", "d", 0, ACT_DOWN, 10, 4, "e", 1},
    {"down at the end", "j", 6, ACT_DOWN, 10, 4, "j", 6},
    {"up", "e", 1, ACT_UP, 10, 4, "d", 1},
    {"up scrolls", "e", 4, ACT_UP, 10, 4, "d", 3},
    {"up at the top", "a", 0, ACT_UP, 10, 4, "a", 0},
    {"page down", "a", 0, ACT_PAGE_DOWN, 10, 4, "e", 1},
    {"page down near the end", "i", 5, ACT_PAGE_DOWN, 10, 4, "j", 6},
    {"page up", "j", 6, ACT_PAGE_UP, 10, 4, "f", 5},
    {"page up near the top", "b", 0, ACT_PAGE_UP, 10, 4, "a", 0},
    {"half down", "a", 0, ACT_HALF_DOWN, 10, 4, "c", 0},
    {"half up", "c", 1, ACT_HALF_UP, 10, 4, "a", 0},
    {"last", "a", 0, ACT_LAST, 10, 4, "j", 6},
    {"first", "j", 6, ACT_FIRST, 10, 4, "a", 0},
    {"all rows are seen", "a", 0, ACT_LAST, 3, 4, "c", 0},
    {"one row", "a", 0, ACT_DOWN, 1, 4, "a", 0},
    {"no rows", "a", 0, ACT_DOWN, 0, 4, "a", 0},
    {"no height", "a", 0, ACT_DOWN, 10, 0, "b", 1},
    {"unknown thing", "zz", 0, ACT_DOWN, 10, 4, "b", 0},
    {"top beyond the end", "j", 99, ACT_UP, 10, 4, "i", 6},
};

static void move(void **state)
{
    const struct move_row *row = *state;
    struct list list = {.top = row->top};

    (void)str_copy(list.at, sizeof list.at, row->at);
    assert_true(list_act(&list, row->act, ten, row->n, row->height));
    assert_string_equal(list.at, row->want);
    assert_int_equal(list.top, row->want_top);
}

static void not_a_move(void **state)
{
    struct list list = {0};
    (void)state;

    assert_false(list_act(&list, ACT_OPEN, ten, 10, 4));
    assert_string_equal(list.at, "a");
}

static void follows_the_thing(void **state)
{
    static const char *const turned[] = {"j", "i", "h", "g", "f", "e", "d", "c", "b", "a"};
    static const char *const without[] = {"a", "b", "d", "e"};
    struct list list = {0};
    (void)state;

    (void)str_copy(list.at, sizeof list.at, "c");
    list_place(&list, ten, 10, 4);
    assert_int_equal(list.row, 2);
    list_place(&list, turned, 10, 4);
    assert_string_equal(list.at, "c");
    assert_int_equal(list.row, 7);
    assert_int_equal(list.top, 4);
    list_place(&list, ten, 10, 4);
    list_place(&list, without, 4, 4); /* c is gone: what stands there now */
    assert_string_equal(list.at, "d");
    list_place(&list, without, 0, 4);
    assert_string_equal(list.at, "d"); /* remembered while nothing is there */
}

static const struct fit_row {
    const char *label;
    const char *filter, *text;
    bool fits;
} fits[] = {
    {"no filter", "", "orders", true},
    {"inside", "der", "orders", true},
    {"case", "ORD", "orders", true},
    {"not there", "x", "orders", false},
    {"longer than it", "ordersx", "orders", false},
    {"inverted", "!bill", "orders", true},
    {"inverted, there", "!ord", "orders", false},
    {"mark alone", "!", "a!b", true},
    {"mark alone, not there", "!", "ab", false},
    {"empty text", "a", "", false},
};

static void fit(void **state)
{
    const struct fit_row *row = *state;
    struct list list = {0};

    (void)str_copy(list.filter, sizeof list.filter, row->filter);
    assert_int_equal(list_fits(&list, row->text), row->fits);
}

TEST_MAIN(ROWS(moves, move); ONE(not_a_move); ONE(follows_the_thing); ROWS(fits, fit))
