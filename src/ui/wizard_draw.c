/* SPDX-License-Identifier: PostgreSQL */
/* wizard_draw.c - what the five steps draw alike. */
#include "base/clock.h"
#include "base/fmt.h"
#include "ui/wizard.h"

#include <string.h>

#define LABEL_END     12
#define PATH_MAX_COLS 100 /* more than a row has room for beside other words */

/* Bytes of the text that fit into `width` columns, broken at a blank when there is one. */
static size_t fitting(const char *text, int width)
{
    char part[512];
    size_t n = strlen(text), fits = 0, blank = 0;

    for (size_t i = 1; i <= n && i < sizeof part; i++) {
        if (((unsigned char)text[i] & 0xc0) == 0x80) {
            continue;
        }
        (void)str_fmt(part, sizeof part, "%.*s", (int)i, text);
        if (text_width(part) > width) {
            return blank ? blank : fits ? fits : i;
        }
        fits = i;
        blank = text[i] == ' ' ? i : blank;
    }
    return fits;
}

int wrapped_rows(const char *text, int width)
{
    int rows = 0;

    for (; *text && width > 0; rows++) {
        text += fitting(text, width);
        text += strspn(text, " ");
    }
    return rows;
}

int draw_wrapped(struct grid *g, int col, int row, int end, int last, enum role role,
                 const char *text)
{
    end = end > g->cols ? g->cols : end;
    while (*text && row <= last && end > col) {
        size_t n = fitting(text, end - col);

        if (row == last && text[n] != '\0') { /* more than there is room for */
            grid_fmt(g, col, row, end - 1, role, "%s", text);
            grid_symbol(g, end - 1, row, end, ROLE_DIM, SYM_MORE);
            return row + 1;
        }
        grid_fmt(g, col, row++, end, role, "%.*s", (int)n, text);
        text += n;
        text += strspn(text, " ");
    }
    return row;
}

int draw_fact(struct grid *g, int row, int last, enum role role, const char *label,
              const char *text)
{
    if (row > last || !text[0]) {
        return row;
    }
    grid_text(g, 1, row, LABEL_END, ROLE_DIM, label);
    return draw_wrapped(g, LABEL_END, row, g->cols - 1, last, role, text);
}

int draw_waiting(struct ui *ui, struct grid *g, int row, int last, enum ask_kind kind,
                 const char *doing)
{
    const struct answer *a = ui->model.answer[kind];
    char text[1700], span[FMT_CAP];

    if (a && a->has_failed && row <= last) {
        grid_text(g, 3, row, g->cols, ROLE_FAIL, "FAIL");
        (void)err_text(&a->err, text, sizeof text);
        row = draw_wrapped(g, LABEL_END, row, g->cols - 1, last, ROLE_TEXT, text);
        return draw_wrapped(g, LABEL_END, row, g->cols - 1, last, ROLE_DIM, a->err.hint);
    }
    if (a || row > last) {
        return row;
    }
    grid_text(g, 3, row, g->cols, ROLE_DIM, "...");
    if (ui->model.waiting[kind]) {
        grid_fmt(g, LABEL_END, row, g->cols, ROLE_DIM, "%s   %s", doing,
                 fmt_span(ui->model.now_ns - ui->model.asked_ns[kind], span));
    } else {
        grid_text(g, LABEL_END, row, g->cols, ROLE_DIM, doing);
    }
    return row + 1;
}

void draw_state(struct grid *g, int col, int row, enum light light)
{
    grid_text(g, col, row, col + 4, light_role(light), light_word(light));
}

const char *path_tail(const char *path, int width, const char *more, char out[128])
{
    const char *tail = path;

    width = width < PATH_MAX_COLS ? width : PATH_MAX_COLS;
    if (text_width(path) <= width) {
        (void)str_copy(out, 128, path);
        return out;
    }
    while (*tail && text_width(tail) > width - text_width(more)) {
        tail++;
        while (((unsigned char)*tail & 0xc0) == 0x80) {
            tail++;
        }
    }
    (void)str_fmt(out, 128, "%s%s", more, tail);
    return out;
}
