/* SPDX-License-Identifier: PostgreSQL */
#include "prompt.h"

#include "ui/wizard.h"

#include <string.h>

#define COMPLETIONS 256

/* NULL: lines of that kind are not remembered. */
static struct history *history_of(struct ui *ui)
{
    return ui->prompt.kind == PROMPT_COMMAND  ? &ui->commands
           : ui->prompt.kind == PROMPT_FILTER ? &ui->filters
                                              : NULL;
}

void prompt_open(struct ui *ui, enum prompt_kind kind, const char *text)
{
    struct prompt *p = &ui->prompt;
    const struct history *h;

    memset(p, 0, sizeof *p);
    p->kind = kind;
    (void)str_copy(p->text, sizeof p->text, text);
    p->at = strlen(p->text);
    h = history_of(ui);
    p->recall = h ? h->n : 0;
}

static unsigned prompt_close(struct ui *ui)
{
    ui->prompt.kind = PROMPT_NONE;
    return UI_REDRAW;
}

/* ---- editing ---------------------------------------------------------------------------- */

static bool is_inner(char c)
{
    return ((unsigned char)c & 0xc0) == 0x80;
}

static size_t before(const struct prompt *p, size_t at)
{
    do {
        at -= at > 0;
    } while (at > 0 && is_inner(p->text[at]));
    return at;
}

static size_t behind(const struct prompt *p, size_t at)
{
    do {
        at += p->text[at] != '\0';
    } while (is_inner(p->text[at]));
    return at;
}

static void cut(struct prompt *p, size_t from, size_t to)
{
    memmove(p->text + from, p->text + to, strlen(p->text + to) + 1);
    p->at = from;
}

static void insert(struct prompt *p, int key)
{
    char utf8[4];
    size_t n = 0, len = strlen(p->text);
    uint32_t ch = (uint32_t)key;

    if (ch < 0x80) {
        utf8[n++] = (char)ch;
    } else if (ch < 0x800) {
        utf8[n++] = (char)(0xc0 | ch >> 6);
    } else if (ch < 0x10000) {
        utf8[n++] = (char)(0xe0 | ch >> 12);
        utf8[n++] = (char)(0x80 | (ch >> 6 & 0x3f));
    } else {
        utf8[n++] = (char)(0xf0 | ch >> 18);
        utf8[n++] = (char)(0x80 | (ch >> 12 & 0x3f));
        utf8[n++] = (char)(0x80 | (ch >> 6 & 0x3f));
    }
    if (ch >= 0x80) {
        utf8[n++] = (char)(0x80 | (ch & 0x3f));
    }
    if (len + n >= sizeof p->text) {
        return;
    }
    memmove(p->text + p->at + n, p->text + p->at, len - p->at + 1);
    memcpy(p->text + p->at, utf8, n);
    p->at += n;
}

static void cut_word(struct prompt *p)
{
    size_t from = p->at;

    while (from > 0 && p->text[from - 1] == ' ') {
        from--;
    }
    while (from > 0 && p->text[from - 1] != ' ') {
        from--;
    }
    cut(p, from, p->at);
}

/* false: not a key of the editor. */
static bool edit(struct prompt *p, int key)
{
    switch (key) {
    case UI_KEY_LEFT:
        p->at = before(p, p->at);
        return true;
    case UI_KEY_RIGHT:
        p->at = behind(p, p->at);
        return true;
    case UI_KEY_HOME:
    case UI_CTRL('A'):
        p->at = 0;
        return true;
    case UI_KEY_END:
    case UI_CTRL('E'):
        p->at = strlen(p->text);
        return true;
    case UI_KEY_BACKSPACE:
    case UI_CTRL('H'):
    case 0x7f:
        cut(p, before(p, p->at), p->at);
        return true;
    case UI_KEY_DELETE:
        cut(p, p->at, behind(p, p->at));
        return true;
    case UI_CTRL('U'):
        cut(p, 0, p->at);
        return true;
    case UI_CTRL('W'):
        cut_word(p);
        return true;
    default:
        if (key < 0x20 || key >= 0x110000) {
            return false;
        }
        insert(p, key);
        return true;
    }
}

/* ---- history and completion --------------------------------------------------------------- */

static void recall(struct prompt *p, const struct history *h, int by)
{
    if (!h || (by < 0 && p->recall == 0) || (by > 0 && p->recall >= h->n)) {
        return;
    }
    p->recall = by < 0 ? p->recall - 1 : p->recall + 1;
    (void)str_copy(p->text, sizeof p->text, p->recall < h->n ? h->line[p->recall] : "");
    p->at = strlen(p->text);
}

static void remember(struct history *h, const char *line)
{
    if (!line[0] || (h->n && strcmp(h->line[h->n - 1], line) == 0)) {
        return;
    }
    if (h->n == HISTORY_LINES) {
        memmove(h->line, h->line + 1, sizeof h->line - sizeof h->line[0]);
        h->n--;
    }
    (void)str_copy(h->line[h->n++], sizeof h->line[0], line);
}

/* How many bytes all of them begin with. */
static size_t common_start(const char *const *word, size_t n)
{
    size_t len = strlen(word[0]);

    for (size_t i = 1; i < n; i++) {
        size_t k = 0;

        while (k < len && word[i][k] == word[0][k]) {
            k++;
        }
        len = k;
    }
    return len;
}

static void complete(struct ui *ui)
{
    struct prompt *p = &ui->prompt;
    const char *word[COMPLETIONS];
    size_t n = command_complete(ui, p->text, word, COMPLETIONS), from, len;
    char kept[PROMPT_CAP];
    struct sbuf b;

    if (n == 0) {
        (void)str_copy(p->told, sizeof p->told, "nothing begins so");
        return;
    }
    from = strlen(p->text);
    while (from > 0 && p->text[from - 1] != ' ') {
        from--;
    }
    len = common_start(word, n);
    memcpy(kept, p->text, from);
    sbuf_init(&b, p->text, sizeof p->text);
    sbuf_add_n(&b, kept, from);
    sbuf_add_n(&b, word[0], len);
    if (n == 1) {
        sbuf_char(&b, ' ');
    }
    p->at = strlen(p->text);
    sbuf_init(&b, p->told, sizeof p->told);
    for (size_t i = 0; n > 1 && i < n; i++) {
        sbuf_fmt(&b, "%s%s", i ? "  " : "", word[i]);
    }
}

/* ---- what a line is for ------------------------------------------------------------------- */

static struct list *filtered_list(struct ui *ui)
{
    return ui->view == VIEW_BACKUP ? &ui->file_list : &ui->list[ui->pane];
}

const char *prompt_filter(struct ui *ui)
{
    return ui->view == VIEW_JOBS ? ui->find : filtered_list(ui)->filter;
}

static unsigned take_filter(struct ui *ui, const char *text)
{
    if (ui->view == VIEW_JOBS) {
        (void)str_copy(ui->find, sizeof ui->find, text);
    } else {
        (void)str_copy(filtered_list(ui)->filter, FILTER_CAP, text);
    }
    return UI_REDRAW;
}

static unsigned enter(struct ui *ui)
{
    struct prompt taken = ui->prompt;

    switch (taken.kind) {
    case PROMPT_COMMAND:
        prompt_close(ui);
        remember(&ui->commands, taken.text);
        return UI_REDRAW | command_run(ui, taken.text);
    case PROMPT_FILTER:
        prompt_close(ui);
        remember(&ui->filters, taken.text);
        return take_filter(ui, taken.text);
    case PROMPT_TIME: /* closes itself when the text is a target */
        return UI_REDRAW | wizard_typed(ui, taken.text);
    case PROMPT_FIELD:
        return UI_REDRAW | wizard_field(ui, taken.field, taken.text);
    default:
        return prompt_close(ui);
    }
}

static unsigned yesno_key(struct ui *ui, int key)
{
    unsigned (*yes)(struct ui *) = ui->prompt.yes;
    unsigned (*no)(struct ui *) = ui->prompt.no;

    if (key == 'y' || key == 'Y') {
        prompt_close(ui);
        return UI_REDRAW | yes(ui);
    }
    if (key == 'n' || key == 'N' || key == UI_KEY_ESC || key == 'q') {
        prompt_close(ui);
        if (no && (key == 'n' || key == 'N')) {
            return UI_REDRAW | no(ui);
        }
        ui_say(ui, LIGHT_WAIT, "nothing was done");
        return UI_REDRAW;
    }
    (void)str_copy(ui->prompt.told, sizeof ui->prompt.told, "only y does it");
    return UI_REDRAW;
}

unsigned prompt_key(struct ui *ui, int key)
{
    struct prompt *p = &ui->prompt;

    if (p->kind == PROMPT_YESNO) {
        return yesno_key(ui, key);
    }
    if (p->kind == PROMPT_CHOICE) {
        return UI_REDRAW | wizard_choice(ui, key);
    }
    p->told[0] = '\0';
    if (key == UI_KEY_ESC) {
        if (p->kind == PROMPT_FILTER) {
            take_filter(ui, "");
        }
        return prompt_close(ui);
    }
    if (key == UI_KEY_ENTER || key == '\r') {
        return enter(ui);
    }
    if (p->kind == PROMPT_COMMAND && key == UI_KEY_TAB) {
        complete(ui);
    } else if (key == UI_KEY_UP || key == UI_KEY_DOWN) {
        recall(p, history_of(ui), key == UI_KEY_UP ? -1 : 1);
    } else {
        (void)edit(p, key);
    }
    if (p->kind == PROMPT_FILTER) { /* the list follows while one types */
        take_filter(ui, p->text);
    }
    return UI_REDRAW;
}

unsigned prompt_paste(struct ui *ui, const char *text)
{
    struct prompt *p = &ui->prompt;

    if (p->kind == PROMPT_NONE || p->kind == PROMPT_YESNO || p->kind == PROMPT_CHOICE ||
        ui->dialog.is_open) {
        ui_say(ui, LIGHT_WAIT, "a pasted text was ignored: %s",
               ui->dialog.is_open ? "the name is to be typed" : "no line is being typed");
        return UI_REDRAW;
    }
    for (; *text; text++) {
        size_t len = strlen(p->text);

        if ((unsigned char)*text >= 0x20 && *text != 0x7f && len + 1 < sizeof p->text) {
            memmove(p->text + p->at + 1, p->text + p->at, len - p->at + 1);
            p->text[p->at++] = *text;
        }
    }
    if (p->kind == PROMPT_FILTER) {
        take_filter(ui, p->text);
    }
    return UI_REDRAW;
}

void prompt_draw(struct ui *ui, struct grid *g, int row)
{
    static const char *const lead[] = {
        [PROMPT_NONE] = "",         [PROMPT_COMMAND] = ":", [PROMPT_FILTER] = "/",
        [PROMPT_TIME] = "target: ", [PROMPT_YESNO] = "",    [PROMPT_FIELD] = "",
        [PROMPT_CHOICE] = "",
    };
    struct prompt *p = &ui->prompt;
    char shown[PROMPT_CAP];
    int col, width;

    if (p->kind == PROMPT_YESNO) { /* however long the question is, y/n is seen */
        width = text_width(p->question);
        width = width > g->cols - 7 ? g->cols - 7 : width;
        width = width < 0 ? 0 : width;
        grid_cut(g, 1, row, 1 + width, ROLE_PROMPT, p->question);
        col = grid_text(g, 1 + width, row, g->cols, ROLE_PROMPT, "  ");
        col = grid_text(g, col, row, g->cols, ROLE_ACCENT, "y/n");
        grid_text(g, col + 3, row, g->cols, ROLE_WARN, p->told);
        return;
    }
    if (p->kind == PROMPT_CHOICE) {
        col = grid_fmt(g, 1, row, g->cols, ROLE_PROMPT, "%s  ", p->question);
        grid_text(g, col, row, g->cols, ROLE_WARN, p->told);
        return;
    }
    (void)str_copy(shown, sizeof shown, p->text);
    shown[p->at] = '\0';
    col = grid_text(g, 1, row, g->cols, ROLE_ACCENT,
                    p->kind == PROMPT_FIELD ? p->question : lead[p->kind]);
    width = text_width(shown);
    if (col + width + 1 >= g->cols) { /* the end that is typed at is what one must see */
        const char *tail = shown + strlen(shown);

        while (tail > shown && text_width(tail) < g->cols - col - 3) {
            tail--;
        }
        while (tail > shown && is_inner(*tail)) {
            tail++;
        }
        col = grid_symbol(g, col, row, g->cols, ROLE_DIM, SYM_MORE);
        col = grid_text(g, col, row, g->cols, ROLE_PROMPT, tail);
    } else {
        col = grid_text(g, col, row, g->cols, ROLE_PROMPT, shown);
    }
    g->cursor_col = col;
    g->cursor_row = row;
    col = grid_text(g, col, row, g->cols, ROLE_PROMPT, p->text + p->at);
    grid_cut(g, col + 3, row, g->cols, ROLE_WARN, p->told);
}
