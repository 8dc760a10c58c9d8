/* SPDX-License-Identifier: PostgreSQL */
/* view_overview_wal.c - what can be restored of the selected server, in two to eight rows. */
#include "base/clock.h"
#include "ui/axis.h"
#include "ui/view_overview_in.h"
#include "ui/words.h"

#include <string.h>

#define LABELS 13 /* columns for the names of the rows */

/* "00000003 0000004C 000000A0": three numbers are read more easily than one. */
static const char *spaced(const char *wal, char out[32])
{
    if (strlen(wal) < 24) {
        (void)str_copy(out, 32, wal);
    } else {
        (void)str_fmt(out, 32, "%.8s %.8s %.8s", wal, wal + 8, wal + 16);
    }
    return out;
}

static void draw_title(const struct ui *ui, struct grid *g, const struct box *box)
{
    const struct snapshot *s = ui_snapshot(ui);
    const struct coverage *c = s ? s->coverage : NULL;
    char left[NAME_CAP + 20], right[120] = "", wal[32], size[FMT_CAP];
    const char *dot = title_gap(g);
    struct sbuf b;

    sbuf_init(&b, right, sizeof right);
    if (c && box->end - box->col >= 100) {
        sbuf_fmt(&b, "%llu files%s%s%s", (unsigned long long)c->wal_files, dot,
                 fmt_bytes(c->wal_bytes, size), dot);
    }
    if (c && c->last_wal[0]) {
        sbuf_fmt(&b, "last %s", spaced(c->last_wal, wal));
    } else if (c) {
        sbuf_add(&b, "nothing archived yet");
    }
    (void)str_fmt(left, sizeof left, "3 WAL%s%s", ui->server[0] ? " of " : "", ui->server);
    frame_title(g, box->col, box->row, box->end, box->has_focus, left, right);
}

static void row_label(struct grid *g, const struct box *box, int row, const char *text)
{
    grid_text(g, box->col + 1, row, box->col + LABELS, ROLE_DIM, text);
}

static uint64_t largest(const struct wal_rate *rate)
{
    uint64_t max = 0;

    for (size_t i = 0; i < rate->n; i++) {
        max = rate->bytes[i] > max ? rate->bytes[i] : max;
    }
    return rate->step_us > 0 ? (uint64_t)((double)max * 60e6 / (double)rate->step_us) : 0;
}

static void draw_rate(struct grid *g, const struct box *box, int row, const struct snapshot *s)
{
    char now[FMT_CAP], peak[FMT_CAP], text[2 * FMT_CAP];
    uint64_t rate = 0;
    int end;

    row_label(g, box, row, "rate, 24 h");
    if (!snapshot_rate(s, &rate)) {
        return;
    }
    (void)str_fmt(text, sizeof text, "now %.20s/min, peak %.20s", fmt_bytes(rate, now),
                  fmt_bytes(largest(&s->coverage->day), peak));
    end = box->end - text_width(text) - 3;
    grid_spark(g, box->col + LABELS, row, end, s->coverage->day.bytes, s->coverage->day.n);
    grid_right(g, end, row, box->end - 1, ROLE_TEXT, text);
}

static void add_receiver(struct sbuf *b, const struct snapshot *s, const char *dot)
{
    char size[FMT_CAP];

    if (s->streams && !s->is_receiving) {
        sbuf_fmt(b, "%sreceive-wal does not run", dot);
    } else if (s->streams && s->live.state == LIVE_SILENT) {
        sbuf_fmt(b, "%sreceiver ? behind", dot);
    } else if (s->streams && s->live.flushed && s->live.lsn > s->live.flushed) {
        sbuf_fmt(b, "%sreceiver %s behind", dot,
                 fmt_bytes(s->live.lsn - s->live.flushed, size));
    } else if (s->streams && s->live.flushed) {
        sbuf_fmt(b, "%sreceiver has all of it", dot);
    }
    if (s->live.slot_lost) {
        sbuf_fmt(b, "%sits slot is lost", dot);
    }
    if (s->live.archiver_known && s->live.archiver_fails) {
        sbuf_fmt(b, "%sarchive_command fails", dot);
    }
}

static void draw_next(const struct ui *ui, struct grid *g, const struct box *box, int row)
{
    const struct snapshot *s = ui_snapshot(ui);
    const struct coverage *c = s->coverage;
    const char *dot = title_gap(g);
    bool fails =
        s->live.slot_lost || s->live.archiver_fails || (s->streams && !s->is_receiving);
    char span[FMT_CAP], text[240];
    struct sbuf b;

    row_label(g, box, row, "next");
    sbuf_init(&b, text, sizeof text);
    if (c->waiting) {
        sbuf_fmt(&b, "%llu segment%s waiting, oldest %s", (unsigned long long)c->waiting,
                 c->waiting == 1 ? "" : "s",
                 word_ago(c->waiting_since_us, ui->model.now_us, span));
    } else if (c->last_wal_us) {
        sbuf_fmt(&b, "none waiting, last archived %s ago",
                 word_ago(c->last_wal_us, ui->model.now_us, span));
    } else {
        sbuf_add(&b, "none waiting");
    }
    add_receiver(&b, s, dot);
    grid_text(g, box->col + LABELS, row, box->end, fails ? ROLE_WARN : ROLE_TEXT, text);
}

/* The rows there are, by the height that is left for them. */
enum wal_row { SCALE, LINES, BACKUPS, WAL, RESTORABLE, RATE, NEXT, ROWS_ALL };
static const unsigned char from_height[ROWS_ALL] = {
    [SCALE] = 5,      [LINES] = 7, [BACKUPS] = 6, [WAL] = 4,
    [RESTORABLE] = 1, [RATE] = 3,  [NEXT] = 2,
};

static void draw_what(const struct ui *ui, struct grid *g, const struct box *box, int row,
                      enum wal_row what, const struct axis *a)
{
    const struct snapshot *s = ui_snapshot(ui);

    switch (what) {
    case SCALE:
        axis_scale(a, g, row);
        break;
    case LINES:
        row_label(g, box, row, "timeline");
        axis_lines(a, g, row, s->coverage);
        break;
    case BACKUPS:
        row_label(g, box, row, "backups");
        axis_backups(a, g, row, s);
        break;
    case WAL:
        row_label(g, box, row, "WAL");
        axis_wal(a, g, row, s->coverage);
        break;
    case RESTORABLE:
        row_label(g, box, row, "restorable");
        axis_restorable(a, g, row, s->coverage);
        break;
    case RATE:
        draw_rate(g, box, row, s);
        break;
    case NEXT:
    case ROWS_ALL:
        draw_next(ui, g, box, row);
        break;
    }
}

void wal_pane_draw(struct ui *ui, struct grid *g, const struct box *box)
{
    const struct snapshot *s = ui_snapshot(ui);
    struct axis a = {.col = box->col + LABELS, .end = box->end - 1};
    int height = box->last - box->row, row = box->row + 1;

    draw_title(ui, g, box);
    if (!s || !s->coverage) {
        grid_text(g, box->col + ROW_TEXT, row, box->end, ROLE_DIM,
                  !s            ? ""
                  : s->kept_why ? "not known: what is kept cannot be read"
                                : "being read");
        return;
    }
    if (!axis_whole(s, ui->model.now_us, &a.from_us, &a.to_us)) {
        grid_text(g, box->col + ROW_TEXT, row, box->end, ROLE_DIM,
                  s->is_receiving ? "no WAL archived yet; it is being received"
                                  : "no WAL archived yet");
        return;
    }
    for (enum wal_row what = 0; what < ROWS_ALL && row <= box->last; what++) {
        if (height >= from_height[what]) {
            draw_what(ui, g, box, row++, what, &a);
        }
    }
}
