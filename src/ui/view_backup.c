/* SPDX-License-Identifier: PostgreSQL */
/* view_backup.c - one backup: when and how it was taken, what it needs and holds, what would be
 * lost with it. What the list knows is there at once; the rest comes with ASK_BACKUP. */
#include "base/clock.h"
#include "ui/list.h"
#include "ui/table.h"
#include "ui/view.h"
#include "ui/words.h"

#include <string.h>

#define FACTS   12
#define LOSSES  4
#define LABELS  13
#define TOP     2
#define CHAINED 6

struct facts {
    struct fact {
        const char *label;
        enum role role;
        char text[300];
    } fact[FACTS];
    size_t n;
};

static void add(struct facts *f, const char *label, enum role role, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
static void add(struct facts *f, const char *label, enum role role, const char *fmt, ...)
{
    struct sbuf b;
    va_list args;

    if (f->n == FACTS) {
        return;
    }
    f->fact[f->n].label = label;
    f->fact[f->n].role = role;
    sbuf_init(&b, f->fact[f->n].text, sizeof f->fact[0].text);
    va_start(args, fmt);
    sbuf_vfmt(&b, fmt, args);
    va_end(args);
    f->n++;
}

/* The answer that belongs to the opened backup; NULL: not there yet. */
static const struct answer_backup *details(const struct ui *ui)
{
    const struct answer *a = ui->model.answer[ASK_BACKUP];

    return a && !a->has_failed && strcmp(a->backup.backup.id, ui->backup) == 0 ? &a->backup
                                                                               : NULL;
}

void backup_enter(struct ui *ui)
{
    struct ask ask = {.kind = ASK_BACKUP};

    (void)str_copy(ask.restore.server, sizeof ask.restore.server, ui->server);
    (void)str_copy(ask.restore.backup, sizeof ask.restore.backup, ui->backup);
    (void)ui_ask(ui, &ask);
    ui->file_list = (struct list){0};
}

/* ---- the sentence ----------------------------------------------------------------------- */

static const struct stretch *stretch_of(const struct snapshot *s, const struct backup_row *b)
{
    for (size_t i = 0; s->coverage && i < s->coverage->stretches; i++) {
        const struct stretch *st = &s->coverage->stretch[i];

        if (b->end.us >= st->from.us && b->end.us <= st->to.us && st->is_main) {
            return st;
        }
    }
    return NULL;
}

static enum light sentence(const struct ui *ui, const struct backup_row *b, char *out,
                           size_t cap)
{
    const struct snapshot *s = ui_snapshot(ui);
    const struct stretch *st = b ? stretch_of(s, b) : NULL;
    char from[WHEN_CAP], to[WHEN_CAP];

    if (!b) {
        (void)str_copy(out, cap, "GONE   this backup is no longer in the catalogue");
        return LIGHT_UNKNOWN;
    }
    if (b->status == BACKUP_FAILED) {
        (void)str_fmt(out, cap, "FAILED   it cannot be restored; D deletes what is left of it");
    } else if (b->status == BACKUP_WAITING_FOR_WALS) {
        (void)str_fmt(out, cap, "WAITING   the WAL it needs is not all archived yet");
    } else if (b->status != BACKUP_DONE) {
        (void)str_fmt(out, cap, "NOT READY   the backup is being taken");
    } else if (st) {
        (void)str_fmt(out, cap, "%s   restores to any moment from %s %s %s%s",
                      b->is_corrupt ? "DOUBTFUL" : "GOOD", words_bound(ui, b->end.us, from),
                      symbol_text(ui->symbols, SYM_TO), word_about(&st->to),
                      words_bound(ui, st->to.us, to));
    } else {
        (void)str_fmt(out, cap, "COMPLETE   no WAL behind it that could be replayed is known");
        return LIGHT_WARN;
    }
    return light_backup(b);
}

/* ---- facts ------------------------------------------------------------------------------ */

static void add_end(struct facts *f, const char *label, int64_t us, pg_lsn at, const char *wal)
{
    char when[WHEN_CAP], lsn[FMT_CAP];

    add(f, label, ROLE_TEXT, "%s  LSN %-11s  %s", when_dated(us, when), fmt_lsn(at, lsn),
        wal ? wal : "");
}

static void add_times(const struct ui *ui, struct facts *f, const struct backup_row *b,
                      const struct answer_backup *d)
{
    const struct answer_backup *wal = ui->cols >= 80 ? d : NULL; /* it needs the room */
    char span[FMT_CAP], rate[FMT_CAP];

    if (b->begin.known) {
        add_end(f, "began", b->begin.us, b->begin_lsn, wal ? wal->backup.begin_wal : NULL);
    }
    if (b->end.known) {
        add_end(f, backup_is_good(b) ? "consistent" : "ended", b->end.us, b->end_lsn,
                wal ? wal->backup.end_wal : NULL);
    }
    if (b->took_s > 0) {
        add(f, "took", ROLE_TEXT, "%s, %s/s%s%s", fmt_span((int64_t)(b->took_s * 1e9), span),
            fmt_bytes((uint64_t)((double)b->size / b->took_s), rate),
            d && d->backup.mode ? ", mode " : "", d && d->backup.mode ? d->backup.mode : "");
    } else if (!b->end.known && b->begin.known) {
        add(f, "took", ROLE_DIM, "%s so far", word_ago(b->begin.us, ui->model.now_us, span));
    }
}

static void add_sizes(struct facts *f, const struct backup_row *b,
                      const struct answer_backup *d)
{
    char size[FMT_CAP], wal[FMT_CAP], text[200];
    struct sbuf s;

    sbuf_init(&s, text, sizeof text);
    sbuf_add(&s, b->size ? fmt_bytes(b->size, size) : "not known");
    if (d && d->files) {
        sbuf_fmt(&s, " in %llu files", (unsigned long long)d->files);
    }
    if (b->tablespaces) {
        sbuf_fmt(&s, ", %zu tablespace%s", b->tablespaces, b->tablespaces == 1 ? "" : "s");
    }
    if (d) {
        sbuf_fmt(&s, ", %s%s", d->backup.compression ? d->backup.compression : "not compressed",
                 d->has_manifest ? ", with manifest" : "");
    }
    add(f, "size", ROLE_TEXT, "%s", text);
    if (d && d->needed_from && d->needed_to) {
        add(f, "needs WAL", ROLE_TEXT, "%.48s %s %.48s", d->needed_from,
            strcmp(d->needed_from, d->needed_to) == 0 ? "only," : "to",
            strcmp(d->needed_from, d->needed_to) == 0 ? "one segment" : d->needed_to);
    }
    if (b->wal_bytes) {
        add(f, "WAL behind", ROLE_TEXT, "%s up to the next backup, or now",
            fmt_bytes(b->wal_bytes, wal));
    }
}

static void add_cluster(struct facts *f, const struct backup_row *b,
                        const struct answer_backup *d)
{
    char version[FMT_CAP], text[200];
    struct sbuf s;

    sbuf_init(&s, text, sizeof text);
    sbuf_fmt(&s, "PG %s, timeline %u", word_version(b->version, version), b->tli);
    if (d && d->backup.systemid) {
        sbuf_fmt(&s, ", system %.24s", d->backup.systemid);
    }
    if (d && d->backup.data_checksums) {
        sbuf_fmt(&s, ", data checksums %.8s", d->backup.data_checksums);
    }
    add(f, "cluster", ROLE_TEXT, "%s", text);
    if (b->is_corrupt) {
        add(f, "corrupt", ROLE_WARN, "the server found pages whose checksum is wrong");
    }
}

static void add_retention(struct facts *f, const struct backup_row *b)
{
    static const char *const keep[] = {"", "with the WAL behind it, whatever retention says",
                                       "with only the WAL it needs itself"};
    static const struct {
        const char *verdict, *means;
        enum role role;
    } verdict[] = {
        {"VALID", "the policy keeps it", ROLE_TEXT},
        {"OBSOLETE", "cron may delete it", ROLE_WARN},
        {"OBSOLETE*", "the policy would not keep it, minimum_redundancy does", ROLE_TEXT},
        {"-", "no backup that can be restored: the policy leaves it alone", ROLE_DIM},
    };

    if (b->keep != ROW_KEEP_NONE) {
        add(f, "kept", ROLE_TEXT, "%s", keep[b->keep]);
        return;
    }
    for (size_t i = 0; b->retention && i < sizeof verdict / sizeof verdict[0]; i++) {
        if (strcmp(b->retention, verdict[i].verdict) == 0) {
            add(f, "retention", verdict[i].role, "%s: %s", b->retention, verdict[i].means);
        }
    }
}

static void collect(const struct ui *ui, struct facts *f, const struct backup_row *b)
{
    const struct answer_backup *d = details(ui);
    const struct answer *a = ui->model.answer[ASK_BACKUP];
    char span[FMT_CAP];

    f->n = 0;
    if (b->error && b->error[0]) {
        add(f, "error", ROLE_FAIL, "%.290s", b->error);
    }
    add_times(ui, f, b, d);
    add_sizes(f, b, d);
    add_cluster(f, b, d);
    add_retention(f, b);
    if (d && d->tree) {
        add(f, "directory", ROLE_TEXT, "%.290s", d->tree);
    }
    if (a && a->has_failed) {
        add(f, "details", ROLE_FAIL, "%.100s: %.180s", a->err.what, a->err.why);
    } else if (!d) {
        add(f, "details", ROLE_DIM, "being read for %s",
            fmt_span(ui->model.now_ns - ui->model.asked_ns[ASK_BACKUP], span));
    }
}

/* ---- what would be lost ----------------------------------------------------------------- */

/* The good backup that begins next after b; NULL: none. */
static const struct backup_row *next_good(const struct snapshot *s, const struct backup_row *b)
{
    const struct backup_row *next = NULL;

    for (size_t i = 0; i < s->backups && &s->backup[i] != b; i++) { /* newest first */
        next = backup_is_good(&s->backup[i]) ? &s->backup[i] : next;
    }
    return next;
}

static void losses(const struct ui *ui, struct facts *f, const struct backup_row *b)
{
    const struct snapshot *s = ui_snapshot(ui);
    const struct stretch *st = stretch_of(s, b);
    const struct backup_row *next = next_good(s, b);
    size_t good = 0;
    char size[FMT_CAP], from[WHEN_CAP], to[WHEN_CAP];

    f->n = 0;
    for (size_t i = 0; i < s->backups; i++) {
        const struct backup_row *other = &s->backup[i];

        good += other != b && backup_is_good(other);
        if (other->parent && strcmp(other->parent, b->id) == 0) {
            add(f, "with it", ROLE_WARN, "%s, which is built upon this one", other->id);
        }
    }
    if (backup_is_good(b) && good == 0) {
        add(f, "lost", ROLE_FAIL, "everything: it is the only good backup of %s", s->server);
    } else if (backup_is_good(b) && st && strcmp(st->backup_id, b->id) == 0) {
        bool inside = next && next->end.us <= st->to.us;

        add(f, "lost", ROLE_WARN, "every moment from %s to %s",
            when_short(st->from.us, ui->model.now_us, from),
            when_short(inside ? next->end.us : st->to.us, ui->model.now_us, to));
    } else if (backup_is_good(b)) {
        add(f, "lost", ROLE_TEXT, "no moment: an older backup leads to all of them");
    } else {
        add(f, "lost", ROLE_TEXT, "nothing that could be restored");
    }
    add(f, "stays", ROLE_TEXT, "%zu good backup%s; %s would be freed here", good,
        good == 1 ? "" : "s", fmt_bytes(b->size, size));
}

/* ---- drawing ---------------------------------------------------------------------------- */

static int draw_facts(struct grid *g, int row, int last, const struct facts *f)
{
    for (size_t i = 0; i < f->n && row <= last; i++, row++) {
        grid_text(g, 1, row, LABELS, ROLE_DIM, f->fact[i].label);
        grid_cut(g, LABELS, row, g->cols - 1, f->fact[i].role, f->fact[i].text);
    }
    return row;
}

/* From the one that stands alone to this one; the depth is at most CHAINED. */
static size_t chain_of(const struct snapshot *s, const struct backup_row *b,
                       const struct backup_row *out[CHAINED])
{
    size_t n = 0;

    while (b && n < CHAINED) {
        const struct backup_row *parent = NULL;

        memmove(out + 1, out, n * sizeof *out);
        out[0] = b;
        n++;
        for (size_t i = 0; b->parent && i < s->backups; i++) {
            parent = strcmp(s->backup[i].id, b->parent) == 0 ? &s->backup[i] : parent;
        }
        b = parent;
    }
    return n;
}

static int draw_chain(const struct ui *ui, struct grid *g, int row, int last,
                      const struct backup_row *b)
{
    const struct backup_row *chain[CHAINED];
    size_t n = chain_of(ui_snapshot(ui), b, chain);
    char when[WHEN_CAP], size[FMT_CAP];

    if (n < 2) {
        return row;
    }
    frame_title(g, 0, row++, g->cols, false, "CHAIN", "needs all of them");
    for (size_t i = 0; i < n && row <= last; i++, row++) {
        enum light light = light_backup(chain[i]);
        int col = 9 + 2 * (int)i;

        grid_text(g, ROW_TEXT, row, g->cols, light_role(light), light_word(light));
        if (i) {
            grid_symbol(g, col - 2, row, g->cols, ROLE_RULE, SYM_FORK);
        }
        grid_fmt(g, col, row, g->cols, ROLE_TEXT, "%s  %-8s  %s  %s", chain[i]->id,
                 word_type(chain[i]->type),
                 when_short(chain[i]->end.us, ui->model.now_us, when),
                 fmt_bytes(chain[i]->size, size));
    }
    return row;
}

/* Largest files that fit the filter: in ui->frame. */
static size_t files_rows(struct ui *ui, const char ***id, const struct answer_file ***of)
{
    const struct answer_backup *d = details(ui);
    size_t n = d ? d->largests : 0, kept = 0;

    *id = ui_rows(ui, n, sizeof **id);
    *of = ui_rows(ui, n, sizeof **of);
    ui->file_list.total = n;
    for (size_t i = 0; *id && *of && i < n; i++) {
        if (list_fits(&ui->file_list, d->largest[i].path)) {
            (*id)[kept] = d->largest[i].path;
            (*of)[kept++] = &d->largest[i];
        }
    }
    return kept;
}

static void draw_files(struct ui *ui, struct grid *g, int row, int last)
{
    struct list *list = &ui->file_list;
    struct box box = {0, row, g->cols, last, true};
    const struct answer_file **of;
    const char **id;
    size_t n = files_rows(ui, &id, &of), height = last > row ? (size_t)(last - row) : 1;
    char right[FILTER_CAP + 100], size[FMT_CAP];

    if (last <= row) {
        return;
    }
    list->height = height;
    list_place(list, id, n, height);
    rows_seen(g, list, height, right, sizeof right);
    frame_title(g, 0, row, g->cols, true, "LARGEST FILES", list->total ? right : "");
    for (size_t i = list->top; i < n && i < list->top + height; i++) {
        int r = row + 1 + (int)(i - list->top);

        grid_right(g, ROW_TEXT, r, ROW_TEXT + 7, ROLE_TEXT, fmt_bytes(of[i]->size, size));
        grid_cut(g, LABELS, r, g->cols - 1, ROLE_TEXT, of[i]->path);
        if (i == list->row) {
            row_cursor(g, &box, r);
        }
    }
    if (n == 0) {
        grid_text(g, ROW_TEXT, row + 1, g->cols, ROLE_DIM,
                  list->total   ? "no file fits the filter; Esc clears it"
                  : details(ui) ? "not known: the backup has no manifest"
                                : "being read");
    }
}

static void draw_body(struct ui *ui, struct grid *g, const struct backup_row *b)
{
    struct facts facts, lost;
    int last = g->rows - 3, row, below;
    char right[80];

    collect(ui, &facts, b);
    losses(ui, &lost, b);
    (void)str_fmt(right, sizeof right, "%s%s%.40s", word_type(b->type), b->name ? ", " : "",
                  b->name ? b->name : "");
    frame_title(g, 0, TOP, g->cols, false, "BACKUP", right);
    below = last - (int)lost.n; /* row of the title of what would be lost */
    row = draw_facts(g, TOP + 1, below - 4, &facts);
    row = draw_chain(ui, g, row, below - 4, b);
    draw_files(ui, g, row, below - 1);
    frame_title(g, 0, below, g->cols, false, "IF IT WERE DELETED", "");
    draw_facts(g, below + 1, last, &lost);
}

void backup_draw(struct ui *ui, struct grid *g)
{
    const struct backup_row *b = ui_backup_row(ui);
    char where[100], text[300], command[ORDER_WORDS_CAP], shorter[ORDER_WORDS_CAP];
    const char *words[] = {"show-backup", ui->server, ui->backup, NULL};
    enum light light = sentence(ui, b, text, sizeof text);

    arena_reset(&ui->frame, (struct arena_mark){0});
    (void)str_fmt(where, sizeof where, "%s backup %s", symbol_text(g->symbols, SYM_TO),
                  ui->backup);
    frame_top(ui, g, where, light, text);
    if (b) {
        draw_body(ui, g, b);
    }
    (void)ui_command_text(ui, words, command, sizeof command);
    frame_bottom(ui, g,
                 frame_command(ui, command, g->cols - 2, symbol_text(g->symbols, SYM_MORE),
                               shorter, sizeof shorter));
}

/* ---- acts ------------------------------------------------------------------------------- */

static unsigned copy_line(struct ui *ui)
{
    char text[300];
    const char *words[] = {"show-backup", ui->server, ui->backup, NULL};

    if (ui->file_list.at[0]) {
        ui_copy(ui, ui->file_list.at);
    } else {
        ui_copy(ui, ui_command_text(ui, words, text, sizeof text));
    }
    return UI_REDRAW;
}

unsigned backup_act(struct ui *ui, enum act act)
{
    const struct answer_file **of;
    const char **id;
    size_t n;

    switch (act) {
    case ACT_COPY:
        ui_copy(ui, ui->backup);
        return UI_REDRAW;
    case ACT_COPY_LINE:
        return copy_line(ui);
    case ACT_BACK:
        if (ui->file_list.filter[0]) {
            ui->file_list.filter[0] = '\0';
            return UI_REDRAW;
        }
        return ui_back(ui);
    default:
        arena_reset(&ui->frame, (struct arena_mark){0});
        n = files_rows(ui, &id, &of);
        return list_act(&ui->file_list, act, id, n, ui->file_list.height) ? UI_REDRAW
                                                                          : UI_NOTHING;
    }
}
