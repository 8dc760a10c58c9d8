/* SPDX-License-Identifier: PostgreSQL */
#include "ui/term.h"

#include "barkeep/str.h"
#include "base/bug.h"
#include "base/clock.h"
#include "ui/key.h"
#include "ui/term_curses.h"
#include "ui/tty.h"

#include <langinfo.h>
#include <locale.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <wchar.h>

enum colours { COLOURS_NONE, COLOURS_8, COLOURS_16, COLOURS_256, COLOURS_EXACT };

static struct curses_api curses; /* empty until curses_load() */

static const char paste_on[] = "\033[?2004h";
static const char paste_off[] = "\033[?2004l";

static struct {
    SCREEN *screen;
    enum colours colours;
    bool takes_ansi; /* understands ESC [ */
    bool is_lost;
    bool is_lost_told;
    int cols, rows;
    attr_t attr[ROLE_COUNT];
    struct grid *shown; /* NULL: nothing yet */
    struct input input;
} term;

/* ---- locale ---- */

static const char *locale_name(void)
{
    static const char *const names[] = {"LC_ALL", "LC_CTYPE", "LANG"};

    for (size_t i = 0; i < 3; i++) {
        const char *value = getenv(names[i]);
        if (value && value[0]) {
            return value;
        }
    }
    return "C";
}

/* A locale that came along with an SSH connection need not exist here; the terminal at the
 * other end is of UTF-8 all the same. */
void term_locale(void)
{
    struct str name = str_of(locale_name());

    if (!setlocale(LC_CTYPE, "") &&
        (str_ends(name, ".UTF-8") || str_ends(name, ".utf8") || str_ends(name, ".utf-8"))) {
        setlocale(LC_CTYPE, "C.UTF-8");
    }
}

bool term_is_utf8(void)
{
    return strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
}

enum symbols term_symbols(void)
{
    static const char *const wide[] = {"zh", "ja", "ko"};
    struct str name = str_of(locale_name());

    for (size_t i = 0; i < 3; i++) {
        if (str_starts(name, wide[i])) {
            return SYMBOLS_ASCII;
        }
    }
    return term_is_utf8() ? SYMBOLS_BLOCK : SYMBOLS_ASCII;
}

/* ---- capabilities ---- */

static bool curses_load(struct err *err)
{
    return curses.open || lib_load(&curses_lib, &curses, err);
}

/* A string of terminfo without its padding; "": it has none. */
static const char *capability(const char *name, char *out, size_t cap)
{
    const char *s = curses.capability(name);
    struct sbuf b;

    sbuf_init(&b, out, cap);
    if (!s || s == (const char *)-1) {
        return out;
    }
    while (*s) {
        const char *end = s[0] == '$' && s[1] == '<' ? strchr(s, '>') : NULL;
        if (end) {
            s = end + 1;
        } else {
            sbuf_char(&b, *s++);
        }
    }
    if (!sbuf_ok(&b)) {
        out[0] = '\0';
    }
    return out;
}

bool term_is_dumb(struct err *err)
{
    const char *name = getenv("TERM");
    int status;
    char cup[64];
    bool is_dumb;

    *err = (struct err){0};
    if (!curses_load(err)) {
        return true;
    }
    if (curses.setup(NULL, STDOUT_FILENO, &status) != OK || status != 1) {
        (void)err_set(err, ERR_CONFIG,
                      "Set TERM to what it is like (xterm, linux), or install ncurses-term.",
                      name ? name : "", "this kind of terminal is not known here");
        return true;
    }
    is_dumb = !capability("cup", cup, sizeof cup)[0];
    curses.forget(*curses.term);
    return is_dumb;
}

static bool is_set(const char *variable)
{
    const char *value = getenv(variable);

    return value && value[0];
}

/* TERM, or its -direct brother when COLORTERM says that the terminal has all colours and
 * terminfo knows that brother. */
static const char *term_name(char out[64])
{
    const char *name = getenv("TERM"), *colour = getenv("COLORTERM");
    struct str base = str_of(name);
    int status;

    if (!name || !colour ||
        (strcmp(colour, "truecolor") != 0 && strcmp(colour, "24bit") != 0)) {
        return name;
    }
    if (str_ends(base, "-256color")) {
        base.n -= strlen("-256color");
    }
    if (!str_fmt(out, 64, "%.*s-direct", (int)base.n, base.p) ||
        curses.setup(out, STDOUT_FILENO, &status) != OK) {
        return name;
    }
    if (curses.flag("RGB") > 0) {
        name = out;
    }
    curses.forget(*curses.term);
    return name;
}

static enum colours colours_there(void)
{
    if (is_set("NO_COLOR") || !curses.has_colors()) {
        return COLOURS_NONE;
    }
    curses.start_color();
    curses.default_colors();
    if (*curses.colors > 256 && curses.flag("RGB") > 0) {
        return COLOURS_EXACT;
    }
    if (*curses.colors >= 256) {
        return COLOURS_256;
    }
    return *curses.colors >= 16 ? COLOURS_16 : *curses.colors >= 8 ? COLOURS_8 : COLOURS_NONE;
}

static void name_keys(void)
{
    static const struct {
        const char *name;
        int key;
    } keys[] = {
        {"kcuu1", UI_KEY_UP},      {"kcud1", UI_KEY_DOWN},   {"kcub1", UI_KEY_LEFT},
        {"kcuf1", UI_KEY_RIGHT},   {"kpp", UI_KEY_PAGE_UP},  {"knp", UI_KEY_PAGE_DOWN},
        {"khome", UI_KEY_HOME},    {"kend", UI_KEY_END},     {"kdch1", UI_KEY_DELETE},
        {"kbs", UI_KEY_BACKSPACE}, {"kcbt", UI_KEY_BACKTAB}, {"kent", UI_KEY_ENTER},
    };
    char sequence[INPUT_NAME_CAP];

    input_init(&term.input);
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        input_name(&term.input, capability(keys[i].name, sequence, sizeof sequence),
                   keys[i].key);
    }
}

/* What a crash sends, since it may not call ncurses. */
static void prepare_reset(void)
{
    static const char *const names[] = {"sgr0", "op", "rmkx", "cnorm", "rmcup"};
    char part[64], all[TTY_RESET_CAP];
    struct sbuf b;

    sbuf_init(&b, all, sizeof all);
    if (term.takes_ansi) {
        sbuf_add(&b, paste_off);
    }
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        sbuf_add(&b, capability(names[i], part, sizeof part));
    }
    sbuf_add(&b, "\r\n");
    tty_set_reset(sbuf_ok(&b) ? all : "\r\n");
}

/* ---- colours ---- */

static attr_t attr_of(uint8_t attr)
{
    return (attr & ATTR_BOLD ? A_BOLD : 0) | (attr & ATTR_DIM ? A_DIM : 0) |
           (attr & ATTR_REVERSE ? A_REVERSE : 0) | (attr & ATTR_UNDERLINE ? A_UNDERLINE : 0);
}

/* Terminals with RGB take the first eight numbers for the colours of old: as good as black. */
static int exact(int32_t rgb)
{
    return rgb >= 0 && rgb < 8 ? 0 : rgb;
}

static void pick(const struct paint *p, int colour[2], attr_t *attr)
{
    *attr = attr_of(p->attr);
    switch (term.colours) {
    case COLOURS_EXACT:
        colour[0] = exact(p->rgb);
        colour[1] = exact(p->back_rgb);
        return;
    case COLOURS_256:
        colour[0] = p->c256;
        colour[1] = p->back_c256;
        return;
    case COLOURS_16:
        colour[0] = p->c16;
        colour[1] = p->back_c16;
        return;
    case COLOURS_8: /* the bright ones are the others, bold */
        colour[0] = p->c16 < 8 ? p->c16 : p->c16 - 8;
        colour[1] = p->back_c16 < 8 ? p->back_c16 : p->back_c16 - 8;
        *attr |= p->c16 >= 8 ? A_BOLD : 0;
        return;
    case COLOURS_NONE:
        break;
    }
    *attr = attr_of(p->mono);
    colour[0] = colour[1] = -1;
}

void term_theme(const struct theme *theme)
{
    enum colours there = term.colours;

    if (theme->is_mono) {
        term.colours = COLOURS_NONE;
    }
    for (int role = 0; role < ROLE_COUNT; role++) {
        int colour[2];

        pick(&theme->paint[role], colour, &term.attr[role]);
        if (there != COLOURS_NONE) {
            curses.pair(role + 1, colour[0], colour[1]);
        }
    }
    term.colours = there;
    term_redraw();
}

/* ---- open and close ---- */

static void enter(void)
{
    tty_keys();
    curses.keep_mode();
    if (term.takes_ansi) {
        tty_write(paste_on, sizeof paste_on - 1);
    }
}

static void leave(void)
{
    if (term.takes_ansi && !term.is_lost) {
        tty_write(paste_off, sizeof paste_off - 1);
    }
    curses.end();
    tty_before();
}

static void ask_size(void)
{
    int cols, rows;

    if (!tty_size(&cols, &rows)) {
        cols = *curses.cols;
        rows = *curses.rows;
    }
    if (cols != *curses.cols || rows != *curses.rows) {
        curses.resize(rows, cols);
        curses.redraw(*curses.now, TRUE); /* terminals cut, move or keep what was there */
    }
    term.cols = *curses.cols;
    term.rows = *curses.rows;
}

bool term_open(const struct theme *theme, struct err *err)
{
    const char *type = getenv("TERM");
    char name[64], cup[64];

    if (!curses_load(err) || !tty_open(err)) {
        return false;
    }
    term.screen = curses.open(term_name(name), stdout, stdin);
    if (!term.screen) {
        tty_close();
        return err_set(err, ERR_USAGE, "Set TERM to what the terminal is.", type ? type : "",
                       "is not in the terminfo database");
    }
    term.takes_ansi = str_starts(str_of(capability("cup", cup, sizeof cup)), "\033[");
    term.is_lost = term.is_lost_told = false;
    curses.cbreak();
    curses.noecho();
    curses.nonl();
    curses.typeahead(-1);
    curses.keypad(*curses.screen, TRUE);
    curses.leave(*curses.screen, FALSE);
    curses.cursor(0);
    prepare_reset();
    name_keys();
    enter();
    ask_size();
    term.colours = colours_there();
    term_theme(theme);
    return true;
}

void term_close(void)
{
    if (!term.screen) {
        return;
    }
    leave();
    tty_close();
    curses.close(term.screen);
    term.screen = NULL;
    grid_free(term.shown);
    term.shown = NULL;
}

void term_size(int *cols, int *rows)
{
    *cols = term.cols;
    *rows = term.rows;
}

/* ---- keys and signals ---- */

int term_key(void)
{
    int64_t now = clock_mono_ns();
    unsigned char byte[1024];
    size_t room = input_room(&term.input);
    size_t n = tty_read(byte, room < sizeof byte ? room : sizeof byte, &term.is_lost);

    input_put(&term.input, byte, n, now);
    return input_key(&term.input, now);
}

int64_t term_due_ns(void)
{
    return input_due_ns(&term.input);
}

int term_signal_fd(void)
{
    return tty_signal_fd();
}

static enum term_signal meaning(int signo)
{
    switch (signo) {
    case SIGWINCH:
        return TERM_RESIZED;
    case SIGTSTP:
        return TERM_STOP;
    case SIGCONT:
        return TERM_CONTINUED;
    default:
        return TERM_QUIT;
    }
}

/* A storm of resizes is one. */
enum term_signal term_signal(int *signo)
{
    static int next;

    if (term.is_lost && !term.is_lost_told) {
        term.is_lost_told = true;
        *signo = SIGHUP;
        return TERM_QUIT;
    }
    *signo = next ? next : tty_signal();
    next = 0;
    if (*signo == 0) {
        return TERM_NOTHING;
    }
    while (*signo == SIGWINCH && (next = tty_signal()) == SIGWINCH) {
    }
    if (*signo == SIGWINCH || *signo == SIGCONT) {
        if (*signo == SIGCONT) {
            enter();
            term_redraw();
        }
        ask_size();
    }
    return meaning(*signo);
}

/* ---- cells ---- */

/* What is sent for a cell. *width: the columns it has on the screen. */
static void make_cell(const struct cell *c, cchar_t *out)
{
    wchar_t text[2] = {(wchar_t)c->ch, 0};
    int width = wcwidth(text[0]);

    if (c->ch < 0x20 || width != c->width) {
        text[0] = L'?';
    }
    curses.cell(out, text, term.attr[c->role],
                term.colours == COLOURS_NONE ? 0 : (short)(c->role + 1), NULL);
}

static bool row_same(const struct grid *a, const struct grid *b, int row)
{
    return memcmp(grid_at(a, 0, row), grid_at(b, 0, row),
                  (size_t)a->cols * sizeof(struct cell)) == 0;
}

static void put_row(const struct grid *g, int row)
{
    int cols = g->cols < term.cols ? g->cols : term.cols;

    for (int col = 0; col < cols; col++) {
        const struct cell *c = grid_at(g, col, row);
        cchar_t out;

        if (c->width == 0) { /* the second half: the first has drawn it, unless as '?' */
            const struct cell *first = col ? grid_at(g, col - 1, row) : NULL;
            struct cell blank = {.ch = ' ', .role = c->role, .width = 1};

            if (first && first->width == 2 && wcwidth((wchar_t)first->ch) == 2) {
                continue;
            }
            make_cell(&blank, &out);
        } else {
            make_cell(c, &out);
        }
        curses.go(*curses.screen, row, col);
        curses.put(*curses.screen, &out, 1);
    }
}

static void keep_shown(const struct grid *g)
{
    if (!term.shown || term.shown->cols != g->cols || term.shown->rows != g->rows) {
        grid_free(term.shown);
        term.shown = grid_new(g->cols, g->rows, g->symbols);
    }
    if (term.shown) {
        memcpy(term.shown->cell, g->cell,
               (size_t)g->cols * (size_t)g->rows * sizeof(struct cell));
        term.shown->cursor_col = g->cursor_col;
        term.shown->cursor_row = g->cursor_row;
    }
}

static void put_cursor(const struct grid *g)
{
    bool is_shown = g->cursor_col >= 0 && g->cursor_col < term.cols && g->cursor_row >= 0 &&
                    g->cursor_row < term.rows;

    curses.cursor(is_shown);
    curses.leave(*curses.screen, !is_shown);
    curses.go(*curses.screen, is_shown ? g->cursor_row : term.rows - 1,
              is_shown ? g->cursor_col : 0);
}

void term_show(const struct grid *g)
{
    bool fits = term.shown && term.shown->cols == g->cols && term.shown->rows == g->rows;

    if (term.is_lost || (fits && grid_same(term.shown, g))) {
        return;
    }
    if (!fits) {
        curses.wipe(*curses.screen);
    }
    for (int row = 0; row < g->rows && row < term.rows; row++) {
        if (!fits || !row_same(term.shown, g, row)) {
            put_row(g, row);
        }
    }
    put_cursor(g);
    curses.stage(*curses.screen);
    curses.update();
    keep_shown(g);
}

void term_redraw(void)
{
    grid_free(term.shown);
    term.shown = NULL;
    curses.redraw(*curses.now, TRUE);
}

/* ---- away and back ---- */

static void come_back(void)
{
    enter();
    ask_size();
    term_redraw();
}

void term_stop(void)
{
    leave();
    tty_stop();
    come_back();
}

/* What a program said last would vanish with the screen's return. */
static void wait_for_key(int status)
{
    struct pollfd fd[2] = {{.fd = STDIN_FILENO, .events = POLLIN},
                           {.fd = tty_signal_fd(), .events = POLLIN}};
    char text[64];
    unsigned char byte[256];
    bool is_lost;

    str_fmt(text, sizeof text, "\r\n[exit status %d; any key goes back] ", status);
    tty_write(text, strlen(text));
    tty_keys();
    poll(fd, 2, -1);
    tty_read(byte, sizeof byte, &is_lost);
}

int term_run(const char *const *argv)
{
    int status;

    leave();
    status = tty_run(argv);
    if (status != 0 && status != 127) {
        wait_for_key(status);
    }
    come_back();
    return status;
}
