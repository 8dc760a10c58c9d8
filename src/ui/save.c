/* SPDX-License-Identifier: PostgreSQL */
#include "ui/save.h"

#include "base/clock.h"
#include "ui/place.h"

void save_utf8(struct sbuf *b, uint32_t ch)
{
    static const unsigned char lead[] = {0, 0, 0xC0, 0xE0, 0xF0};
    int n = ch < 0x80 ? 1 : ch < 0x800 ? 2 : ch < 0x10000 ? 3 : 4;
    uint32_t first = lead[n] | ch >> (6 * (n - 1));

    sbuf_char(b, (char)first);
    while (--n > 0) {
        sbuf_char(b, (char)(0x80 | (ch >> (6 * (n - 1)) & 0x3F)));
    }
}

void save_print(const struct grid *g, struct sbuf *out)
{
    for (int row = 0; row < g->rows; row++) {
        int end = g->cols;

        while (end > 0 && grid_at(g, end - 1, row)->ch == ' ') {
            end--;
        }
        for (int col = 0; col < end; col++) {
            const struct cell *c = grid_at(g, col, row);
            if (c->width > 0) {
                save_utf8(out, c->ch);
            }
        }
        sbuf_char(out, '\n');
    }
}

static void put_screen(struct sbuf *b, const void *what)
{
    save_print(what, b);
}

bool save_screen(const struct grid *g, int64_t now_us, char path[PATH_CAP], struct err *err)
{
    size_t max = (size_t)g->rows * ((size_t)g->cols * 4 + 1) + 1;
    struct civil c = civil_at(now_us, clock_local_offset(now_us));
    char name[64];

    str_fmt(name, sizeof name, "screen-%04d%02d%02d-%02d%02d%02d.txt", c.year, c.month, c.day,
            c.hour, c.minute, c.second);
    return (place_state_made(path, name, err) && file_print(path, max, put_screen, g, err)) ||
           err_wrap(err, "save the screen");
}
