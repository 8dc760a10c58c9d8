/* SPDX-License-Identifier: PostgreSQL */
/* view_wal_under.c - the timelines as lines, and in words what lies under the cursor. */
#include "base/clock.h"
#include "base/fmt.h"
#include "ui/view_wal_in.h"
#include "ui/words.h"

#include <string.h>

#define PARA 400

/* ---- finding ---------------------------------------------------------------------------- */

const struct backup_row *wal_backup_at(const struct snapshot *s, const struct axis *a,
                                       int64_t at_us)
{
    int col = axis_col(a, at_us);

    for (size_t i = 0; i < s->backups; i++) {
        const struct backup_row *b = &s->backup[i];
        int64_t us = b->end.known && b->end.us ? b->end.us : b->begin.us;

        if (us && axis_col(a, us) == col) {
            return b;
        }
    }
    return NULL;
}

const struct hole *wal_hole_at(const struct coverage *c, int64_t at_us)
{
    for (size_t i = 0; i < c->holes; i++) {
        const struct hole *h = &c->hole[i];

        if (at_us > h->from_us && (h->to_us == 0 || at_us < h->to_us)) {
            return h;
        }
    }
    return NULL;
}

const struct stretch *wal_stretch_at(const struct coverage *c, int64_t at_us)
{
    const struct stretch *found = NULL;

    for (size_t i = 0; i < c->stretches; i++) {
        const struct stretch *s = &c->stretch[i];

        if (at_us >= s->from.us && at_us <= s->to.us && (!found || s->is_main)) {
            found = s;
        }
    }
    return found;
}

static void nearer(int64_t *best, int64_t at_us, int64_t us, enum wal_way way)
{
    bool beyond = way == WAL_LATER ? us > at_us : us < at_us && us > 0;

    if (beyond && (*best == at_us || (way == WAL_LATER ? us < *best : us > *best))) {
        *best = us;
    }
}

int64_t wal_event(const struct snapshot *s, int64_t at_us, enum wal_way way)
{
    const struct coverage *c = s->coverage;
    int64_t best = at_us;

    for (size_t i = 0; i < c->stretches; i++) {
        nearer(&best, at_us, c->stretch[i].from.us, way);
        nearer(&best, at_us, c->stretch[i].to.us, way);
    }
    for (size_t i = 0; i < c->holes; i++) {
        nearer(&best, at_us, c->hole[i].from_us + US_PER_S, way); /* in it, not at its edge */
    }
    for (size_t i = 0; i < c->lines; i++) {
        nearer(&best, at_us, c->line[i].begin_us, way);
    }
    for (size_t i = 0; i < s->backups; i++) {
        nearer(&best, at_us, s->backup[i].end.us, way);
    }
    return best;
}

/* ---- timelines -------------------------------------------------------------------------- */

static const struct line_part *child_of(const struct coverage *c, pg_tli tli)
{
    const struct line_part *child = NULL;

    for (size_t i = 0; i < c->lines; i++) {
        if (c->line[i].parent == tli && (!child || c->line[i].is_main)) {
            child = &c->line[i];
        }
    }
    return child;
}

static void span_of(const struct axis *a, struct grid *g, int row, int64_t from_us,
                    int64_t to_us, enum role role, enum symbol symbol)
{
    int from = axis_col(a, from_us), to = axis_col(a, to_us);

    from = from < a->col ? a->col : from;
    grid_fill(g, from, row, to + 1 > a->end ? a->end : to + 1, role, symbol);
}

/* Where its successor branches off, or its end: what is behind that is abandoned. */
static int64_t kept_until(const struct coverage *c, const struct line_part *line)
{
    const struct line_part *child = child_of(c, line->tli);
    bool goes_on = line->is_main && !line->is_newest && child;

    return goes_on && child->begin_us < line->end_us ? child->begin_us : line->end_us;
}

static void draw_line(const struct axis *a, struct grid *g, int row, const struct coverage *c,
                      const struct line_part *line)
{
    int64_t kept_us = kept_until(c, line);
    enum role role = line->is_main ? ROLE_SPARK : ROLE_DIM;
    int begin = axis_col(a, line->begin_us), end = axis_col(a, line->end_us);

    grid_fmt(g, 1, row, a->col, ROLE_DIM, "tli %u", line->tli);
    span_of(a, g, row, kept_us, line->end_us, ROLE_DIM, SYM_LOST);
    span_of(a, g, row, line->begin_us, kept_us, role, line->is_main ? SYM_HEAVY : SYM_LOST);
    if (axis_has(a, begin)) {
        grid_symbol(g, begin, row, a->end, role, line->parent ? SYM_CORNER_TL : SYM_NOW);
    }
    if (axis_has(a, end) && line->is_newest) {
        grid_symbol(g, end, row, a->end, ROLE_ACCENT, SYM_NOW);
    } else if (axis_has(a, end) && (line->end_us > kept_us || !line->is_main)) {
        grid_text(g, end, row, a->end, ROLE_DIM, "x");
    }
}

void wal_lines_draw(const struct axis *a, struct grid *g, int row, int rows,
                    const struct coverage *c)
{
    int at_row[64];
    size_t first = c->lines > (size_t)rows ? c->lines - (size_t)rows : 0;

    for (size_t i = first; i < c->lines && i - first < 64; i++) {
        at_row[i - first] = row + (int)(c->lines - 1 - i);
        draw_line(a, g, at_row[i - first], c, &c->line[i]);
    }
    /* From each branch down to where it left its parent. */
    for (size_t i = first; i < c->lines && i - first < 64; i++) {
        int col = axis_col(a, c->line[i].begin_us);

        for (size_t k = first; k < i && col >= a->col && col < a->end; k++) {
            if (c->line[k].tli != c->line[i].parent) {
                continue;
            }
            for (int r = at_row[i - first] + 1; r < at_row[k - first]; r++) {
                grid_symbol(g, col, r, a->end, ROLE_RULE, SYM_BAR);
            }
            grid_symbol(g, col, at_row[k - first], a->end, ROLE_SPARK, SYM_FORK_UP);
        }
    }
}

/* ---- words ------------------------------------------------------------------------------ */

struct page {
    struct grid *g;
    int row, last;
};

/* A paragraph, broken between words. */
static void say(struct page *p, enum role role, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
static void say(struct page *p, enum role role, const char *fmt, ...)
{
    char text[PARA], word[PARA];
    struct sbuf b;
    struct str rest, part;
    va_list args;
    int col = 1, end = p->g->cols - 1;

    sbuf_init(&b, text, sizeof text);
    va_start(args, fmt);
    sbuf_vfmt(&b, fmt, args);
    va_end(args);
    rest = str_of(text);
    while (str_split(&rest, ' ', &part) && p->row <= p->last) {
        (void)str_fmt(word, sizeof word, "%.*s", (int)part.n, part.p);
        if (col > 1 && col + text_width(word) > end) {
            p->row++;
            col = 1;
        }
        if (p->row <= p->last) {
            col = grid_text(p->g, col, p->row, end, role, word) + 1;
        }
    }
    p->row++;
}

static const struct backup_row *base_of(const struct snapshot *s, const struct stretch *st,
                                        int64_t at_us)
{
    for (size_t i = 0; i < s->backups; i++) { /* newest first */
        const struct backup_row *b = &s->backup[i];

        if (backup_is_good(b) && b->end.us <= at_us && b->end.us >= st->from.us) {
            return b;
        }
    }
    return NULL;
}

static void say_stretch(const struct ui *ui, struct page *p, const struct stretch *st,
                        int64_t at_us)
{
    const struct snapshot *s = ui_snapshot(ui);
    const struct backup_row *b = base_of(s, st, at_us);
    char from[WHEN_CAP], to[WHEN_CAP], span[FMT_CAP];
    int64_t now = ui->model.now_us;

    if (b) {
        say(p, ROLE_OK, "This moment can be restored: backup %s, then %s of WAL.", b->id,
            fmt_span((at_us - b->end.us) * 1000, span));
    } else {
        say(p, ROLE_OK, "This moment can be restored, from backup %s.", st->backup_id);
    }
    say(p, ROLE_TEXT, "It lies between %s%s and %s%s on timeline %u%s, with %zu backup%s%s.",
        word_about(&st->from), when_short(st->from.us, now, from), word_about(&st->to),
        when_short(st->to.us, now, to), st->tli, st->is_main ? "" : " (abandoned)", st->backups,
        st->backups == 1 ? "" : "s", st->is_open ? ", and grows" : "");
    if (!st->from.is_proven || !st->to.is_proven) {
        say(p, ROLE_DIM,
            "About: the WAL at that end has not been read yet; the time is that "
            "of the file or of the backup.");
    } else if (st->to.xid) {
        say(p, ROLE_DIM, "Both ends are proven: read from WAL. The last commit is xid %u.",
            st->to.xid);
    }
}

static void say_hole(const struct ui *ui, struct page *p, const struct hole *h)
{
    char from[WHEN_CAP], to[WHEN_CAP], span[FMT_CAP], a[FMT_CAP], b[FMT_CAP];
    int64_t now = ui->model.now_us;
    bool several = h->segments > 1;

    if (h->to_us) {
        say(p, ROLE_FAIL, "Nothing from %s to %s can be restored: %s.",
            when_short(h->from_us, now, from), when_short(h->to_us, now, to),
            fmt_span((h->to_us - h->from_us) * 1000, span));
    } else {
        say(p, ROLE_FAIL, "Nothing from %s on can be restored, until the next backup ends.",
            when_short(h->from_us, now, from));
    }
    if (h->why == HOLE_NO_BACKUP) {
        say(p, ROLE_TEXT, "There is WAL, but no good backup before it.");
        return;
    }
    say(p, ROLE_TEXT,
        several ? "%s: %llu segments, %s to %s, LSN %s to %s, timeline %u."
                : "%s: %llu segment, %s%.0s, LSN %s to %s, timeline %u.",
        h->why == HOLE_MISSING ? "Missing" : "Unreadable", (unsigned long long)h->segments,
        h->first, h->last, fmt_lsn(h->from_lsn, a), fmt_lsn(h->to_lsn, b), h->tli);
    if (h->note && h->note[0]) {
        say(p, ROLE_TEXT, "Noted: %s", h->note);
    }
    if (h->to_us) {
        say(p, ROLE_DIM,
            "It ends with the next backup. With the missing files back in the "
            "archive it would close: look in pg_wal of the server and its "
            "standbys.");
    } else {
        say(p, ROLE_DIM, "Take a backup now: b. It ends the hole.");
    }
}

static void say_outside(const struct ui *ui, struct page *p, int64_t at_us)
{
    const struct snapshot *s = ui_snapshot(ui);
    const struct stretch *newest = snapshot_newest_stretch(s);
    char when[WHEN_CAP];

    if (!newest) {
        say(p, ROLE_FAIL, "Nothing can be restored: no backup with the WAL it needs.");
    } else if (at_us > newest->to.us) {
        say(p, ROLE_WARN, "Not archived yet: what can be restored ends at %s%s.",
            word_about(&newest->to), when_short(newest->to.us, ui->model.now_us, when));
    } else {
        say(p, ROLE_WARN,
            "This moment cannot be restored: no backup was consistent before it.");
    }
}

static void say_things(const struct ui *ui, struct page *p, const struct axis *a, int64_t at_us)
{
    const struct snapshot *s = ui_snapshot(ui);
    const struct coverage *c = s->coverage;
    const struct backup_row *b = wal_backup_at(s, a, at_us);
    int col = axis_col(a, at_us);
    char when[WHEN_CAP], size[FMT_CAP];

    if (b) {
        say(p, backup_is_good(b) ? ROLE_TEXT : ROLE_FAIL, "Backup %s: %s, %s, %s%s.", b->id,
            word_type(b->type), fmt_bytes(b->size, size),
            backup_is_good(b) ? "consistent " : "failed",
            backup_is_good(b) ? when_short(b->end.us, ui->model.now_us, when) : "");
    }
    for (size_t i = 0; i < c->lines; i++) {
        if (c->line[i].parent && axis_col(a, c->line[i].begin_us) == col) {
            say(p, ROLE_TEXT, "Timeline %u left timeline %u at %s, LSN %s.", c->line[i].tli,
                c->line[i].parent, when_exact(c->line[i].begin_us, ui->model.now_us, when),
                fmt_lsn(c->line[i].begin, size));
        }
    }
}

/* ---- all of it, newest first ------------------------------------------------------------ */

static void draw_part(const struct ui *ui, struct page *p, const int64_t us[2], enum role role,
                      const char *what)
{
    char from[WHEN_CAP], to[WHEN_CAP], span[FMT_CAP];
    struct grid *g = p->g;
    int col;

    grid_text(g, 3, p->row, 14, role, role == ROLE_FAIL ? "nothing" : "restorable");
    grid_text(g, 15, p->row, 36, ROLE_TEXT, words_bound(ui, us[0], from));
    col = ui->cols >= 100 ? 36 : 31;
    grid_symbol(g, col, p->row, g->cols, ROLE_DIM, SYM_TO);
    grid_text(g, col + 2, p->row, g->cols, ROLE_TEXT,
              us[1] ? words_bound(ui, us[1], to) : "the next backup");
    col += ui->cols >= 100 ? 24 : 18;
    grid_fmt(g, col, p->row, g->cols - 1, ROLE_DIM, "%7s  %s",
             us[1] ? fmt_span((us[1] - us[0]) * 1000, span) : "", what);
    p->row++;
}

static void draw_stretch(const struct ui *ui, struct page *p, const struct stretch *s)
{
    char what[80];

    if (!s->is_main && ui->cols < 100) { /* that it is abandoned is what must be seen */
        (void)str_fmt(what, sizeof what, "tli %u, abandoned", s->tli);
    } else {
        (void)str_fmt(what, sizeof what, "tli %u, %zu backup%s%s", s->tli, s->backups,
                      s->backups == 1 ? "" : "s", s->is_main ? "" : ", abandoned");
    }
    draw_part(ui, p, (int64_t[]){s->from.us, s->to.us}, s->is_main ? ROLE_OK : ROLE_DIM, what);
}

static void draw_hole(const struct ui *ui, struct page *p, const struct hole *h)
{
    char what[80];

    (void)str_fmt(what, sizeof what, "%llu segment%s %s", (unsigned long long)h->segments,
                  h->segments == 1 ? "" : "s",
                  h->why == HOLE_CORRUPT ? "unreadable" : "missing");
    draw_part(ui, p, (int64_t[]){h->from_us, h->to_us}, ROLE_FAIL,
              h->why == HOLE_NO_BACKUP ? "no backup before it" : what);
}

/* Both are sorted by time: merged from their ends. */
static void draw_parts(const struct ui *ui, struct page *p, const struct coverage *c)
{
    size_t st = c->stretches, ho = c->holes;

    frame_title(p->g, 0, p->row++, p->g->cols, false, "ALL OF IT", "newest first");
    while ((st || ho) && p->row <= p->last) {
        const struct stretch *s = st ? &c->stretch[st - 1] : NULL;
        const struct hole *h = ho ? &c->hole[ho - 1] : NULL;

        if (!h || (s && s->from.us >= h->from_us)) {
            draw_stretch(ui, p, s);
            st--;
        } else {
            if (h->hurts) {
                draw_hole(ui, p, h);
            }
            ho--;
        }
    }
}

void wal_under_draw(struct ui *ui, struct grid *g, const struct axis *a, int64_t at_us, int row,
                    int last)
{
    const struct coverage *c = ui_snapshot(ui)->coverage;
    const struct stretch *st = wal_stretch_at(c, at_us);
    const struct hole *h = wal_hole_at(c, at_us);
    struct page p = {g, row + 1, last};

    if (row >= last) {
        return;
    }
    frame_title(g, 0, row, g->cols, false, "UNDER THE CURSOR",
                g->cols >= 76 ? "h l move, H L next thing, + - 0 zoom" : "h l H L + - 0");
    if (h && h->hurts) {
        say_hole(ui, &p, h);
    } else if (st) {
        say_stretch(ui, &p, st, at_us);
    } else {
        say_outside(ui, &p, at_us);
    }
    if (h && !h->hurts) {
        say(&p, ROLE_DIM, "WAL is missing here, but no restore needs it.");
    }
    say_things(ui, &p, a, at_us);
    if (p.row + 4 <= last && c->stretches + c->holes > 0) {
        p.row++;
        draw_parts(ui, &p, c);
    }
}
