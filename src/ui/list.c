/* SPDX-License-Identifier: PostgreSQL */
#include "list.h"

#include <string.h>

static void select_row(struct list *list, const char *const *id, size_t row)
{
    list->row = row;
    (void)str_copy(list->at, sizeof list->at, id[row]);
}

void list_place(struct list *list, const char *const *id, size_t n, size_t height)
{
    size_t row = 0;

    list->shown = n;
    if (n == 0) {
        list->row = list->top = 0;
        return;
    }
    while (row < n && strcmp(id[row], list->at) != 0) {
        row++;
    }
    if (row == n) {
        row = list->row < n ? list->row : n - 1;
    }
    select_row(list, id, row);
    height = height ? height : 1;
    if (list->top > row) {
        list->top = row;
    }
    if (row >= list->top + height) {
        list->top = row - height + 1;
    }
    if (list->top + height > n) {
        list->top = n > height ? n - height : 0;
    }
}

static size_t less(size_t row, size_t by)
{
    return row > by ? row - by : 0;
}

bool list_act(struct list *list, enum act act, const char *const *id, size_t n, size_t height)
{
    size_t row, last = n ? n - 1 : 0;

    list_place(list, id, n, height);
    row = list->row;
    switch (act) {
    case ACT_UP:
        row = less(row, 1);
        break;
    case ACT_DOWN:
        row++;
        break;
    case ACT_PAGE_UP:
        row = less(row, height);
        break;
    case ACT_PAGE_DOWN:
        row += height;
        break;
    case ACT_HALF_UP:
        row = less(row, height / 2);
        break;
    case ACT_HALF_DOWN:
        row += height / 2;
        break;
    case ACT_FIRST:
        row = 0;
        break;
    case ACT_LAST:
        row = last;
        break;
    default:
        return false;
    }
    if (n) {
        select_row(list, id, row > last ? last : row);
        list_place(list, id, n, height);
    }
    return true;
}

static bool holds(const char *text, const char *part)
{
    size_t n = strlen(part);

    for (; *text; text++) {
        if (strlen(text) >= n && str_eq_nocase(str_n(text, n), part)) {
            return true;
        }
    }
    return n == 0;
}

bool list_fits(const struct list *list, const char *text)
{
    if (list->filter[0] == '!' && list->filter[1]) {
        return !holds(text, list->filter + 1);
    }
    return holds(text, list->filter);
}

const char *list_count(const struct list *list, char *out, size_t cap)
{
    if (list->filter[0]) {
        (void)str_fmt(out, cap, "%zu of %zu /%s", list->shown, list->total, list->filter);
    } else {
        (void)str_fmt(out, cap, "%zu", list->total);
    }
    return out;
}
