/* SPDX-License-Identifier: PostgreSQL */
#include "ui/screen.h"
#include "ui/wizard.h"

#include "base/clock.h"
#include "base/log.h"
#include "ui/clip.h"
#include "ui/keys_file.h"
#include "ui/prompt.h"
#include "ui/save.h"
#include "ui/state.h"
#include "ui/term.h"
#include "ui/theme.h"
#include "ui/ui.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define PAINT_NS (50 * NS_PER_MS) /* at most 20 paints a second */
#define NEWS_NS  (20 * NS_PER_MS) /* of one turn: keys wait behind news no longer */

struct loop {
    struct ui ui;
    const struct screen_setup *setup;
    struct theme theme;
    struct grid *grid;
    int64_t tick_ns, painted_ns; /* monotonic */
    bool is_dirty;               /* something may look otherwise */
    bool has_key;                /* a key waits for its answer */
    bool has_news;               /* the road was left before it was empty */
    bool is_full;                /* the road took an order no more */
    bool quits;
    int signo; /* that makes us leave; 0 none */
    char pasted[PROMPT_CAP];
    size_t pasted_len;
    bool has_pasted;
};

/* Large, and there is one screen in a process. */
static struct loop screen;
static struct state remembered;

/* ---- beginning and end ---- */

static void set_now(struct loop *l)
{
    model_now(&l->ui.model, clock_wall_ns() / 1000, clock_mono_ns());
}

/* The theme, the keys and the memory of the last time; what is wrong with one is told, and the
 * default is used. */
static void choose(struct loop *l)
{
    struct ui *ui = &l->ui;
    struct err err = {0};

    if (state_load(&remembered, &err)) {
        state_apply(&remembered, ui);
        wizard_offer(ui);
    } else {
        ui_fail(ui, &err);
    }
    memset(&err, 0, sizeof err);
    if (!keys_load(&ui->keys, &err)) {
        ui_fail(ui, &err);
    }
    memset(&err, 0, sizeof err);
    str_copy(ui->theme, sizeof ui->theme,
             l->setup->theme       ? l->setup->theme
             : remembered.theme[0] ? remembered.theme
                                   : "dark");
    if (!theme_load(ui->theme, &l->theme, &err)) {
        ui_fail(ui, &err);
        str_copy(ui->theme, sizeof ui->theme, "dark");
        if (!theme_load("dark", &l->theme, &err)) {
            l->quits = true;
        }
    }
}

static enum symbols symbols_of(const char *name)
{
    if (!name) {
        return term_symbols();
    }
    return strcmp(name, "ascii") == 0 ? SYMBOLS_ASCII : SYMBOLS_BLOCK;
}

static bool begin(struct loop *l)
{
    struct err err = {0};

    if (!ui_init(&l->ui, l->setup->server, l->setup->servers)) {
        return false;
    }
    l->ui.model.config_path = l->setup->config_path;
    l->ui.model.home = l->setup->home;
    l->ui.symbols = symbols_of(l->setup->symbols);
    set_now(l);
    choose(l);
    if (l->setup
            ->notice) { /* what was kept hidden by a filter stands in its pane's title, too */
        ui_say(&l->ui, LIGHT_WARN, "%s", l->setup->notice);
    }
    l->tick_ns = ui_next_ns(&l->ui);
    l->is_dirty = true;
    if (l->quits || !term_open(&l->theme, &err)) {
        ui_release(&l->ui);
        return false;
    }
    return true;
}

static void remember(struct loop *l)
{
    struct err err = {0};
    char text[1024];

    state_of(&l->ui, &remembered);
    if (!state_save(&remembered, &err)) {
        log_line(LOG_WARNING, "%s", err_text(&err, text, sizeof text));
        ui_fail(&l->ui, &err);
    }
}

/* ---- what came ---- */

static void take_signals(struct loop *l)
{
    enum term_signal what;
    int signo;

    while ((what = term_signal(&signo)) != TERM_NOTHING) {
        l->is_dirty = l->has_key = true;
        if (what == TERM_QUIT) {
            l->signo = signo;
            l->quits = true;
        } else if (what == TERM_STOP) {
            term_stop();
        }
    }
}

static void add_pasted(struct loop *l, uint32_t ch)
{
    struct sbuf b;

    l->has_pasted = true;
    sbuf_init(&b, l->pasted + l->pasted_len, sizeof l->pasted - l->pasted_len);
    if (ch < 0x20 || ch == 0x7F) {
        return;
    }
    save_utf8(&b, ch);
    if (sbuf_ok(&b)) {
        l->pasted_len += b.len;
    } else {
        l->pasted[l->pasted_len] = '\0';
    }
}

static unsigned end_paste(struct loop *l)
{
    if (!l->has_pasted) {
        return UI_NOTHING;
    }
    l->has_pasted = false;
    l->pasted_len = 0;
    return prompt_paste(&l->ui, l->pasted);
}

/* All of them. */
static unsigned take_keys(struct loop *l)
{
    unsigned flags = 0;
    int key;

    while (!(flags & (UI_QUIT | UI_SUSPEND)) && (key = term_key()) != UI_KEY_NONE) {
        l->has_key = true;
        if (key & INPUT_PASTED) {
            add_pasted(l, (uint32_t)(key & ~INPUT_PASTED));
            continue;
        }
        flags |= end_paste(l) | ui_key(&l->ui, key);
    }
    return flags | end_paste(l);
}

/* All that is there, unless that takes long: then the rest after the next look at the keys. */
static unsigned take_news(struct loop *l)
{
    const struct road_end *road = &l->setup->road;
    int64_t until = clock_mono_ns() + NEWS_NS;
    struct news news;
    unsigned flags = 0;

    l->has_news = false;
    while (road->take(road->self, &news)) {
        flags |= ui_news(&l->ui, &news);
        if (clock_mono_ns() >= until) {
            l->has_news = true;
            break;
        }
    }
    return flags;
}

static unsigned take_time(struct loop *l)
{
    unsigned flags;

    if (l->ui.model.now_ns < l->tick_ns) {
        return UI_NOTHING;
    }
    flags = ui_tick(&l->ui);
    l->tick_ns = ui_next_ns(&l->ui);
    return flags;
}

/* ---- what is to be done ---- */

/* In order; what the road has no room for now is tried again. */
static void send_orders(struct loop *l)
{
    struct ui *ui = &l->ui;
    size_t sent = 0;

    while (sent < ui->orders) {
        struct ui_order *o = &ui->order[sent];

        if (o->order.kind == ORDER_START) {
            o->order.words = o->words;
        }
        if (!l->setup->road.order(l->setup->road.self, &o->order)) {
            break;
        }
        sent++;
    }
    ui->orders -= sent;
    l->is_full = ui->orders > 0;
    if (sent && ui->orders) {
        memmove(ui->order, ui->order + sent, ui->orders * sizeof ui->order[0]);
    }
}

static void suspend(struct loop *l)
{
    const char *const *argv = l->ui.run;

    l->ui.run = NULL;
    if (!argv) {
        term_stop();
    } else if (term_run(argv) == 127) {
        ui_say(&l->ui, LIGHT_FAIL, "cannot run '%s'. Install it, or correct PATH.", argv[0]);
    }
    l->is_dirty = true;
}

static void copy(struct loop *l)
{
    struct err err = {0};

    if (!clip_send(l->ui.copied, &err)) {
        ui_fail(&l->ui, &err);
    }
    l->ui.copied[0] = '\0';
}

/* What is on the screen, before the message that says where it went. */
static void save(struct loop *l)
{
    char path[PATH_CAP];
    struct err err = {0};

    l->ui.saves_screen = false;
    if (!l->grid) {
        return;
    }
    if (save_screen(l->grid, l->ui.model.now_us, path, &err)) {
        ui_say(&l->ui, LIGHT_OK, "saved as %s", path);
    } else {
        ui_fail(&l->ui, &err);
    }
}

/* Another theme was chosen; one with an error leaves the old one. */
static void change_theme(struct loop *l)
{
    struct err err = {0};

    if (theme_load(l->ui.theme, &l->theme, &err)) {
        term_theme(&l->theme);
        return;
    }
    ui_fail(&l->ui, &err);
    str_copy(l->ui.theme, sizeof l->ui.theme, l->theme.name);
}

static void carry_out(struct loop *l, unsigned flags)
{
    send_orders(l);
    if (l->ui.copied[0]) {
        copy(l);
    }
    if (l->ui.saves_screen) {
        save(l);
    }
    if (strcmp(l->ui.theme, l->theme.name) != 0) {
        change_theme(l);
    }
    if (flags & UI_SAVE) {
        remember(l);
    }
    if (flags & UI_SUSPEND) {
        suspend(l);
    }
    l->quits = l->quits || (flags & UI_QUIT);
    l->is_dirty = l->is_dirty || (flags & UI_REDRAW) || l->has_key;
}

/* ---- painting ---- */

static bool fit_grid(struct loop *l)
{
    int cols, rows;

    term_size(&cols, &rows);
    if (l->grid && l->grid->cols == cols && l->grid->rows == rows) {
        l->grid->symbols = l->ui.symbols;
        return true;
    }
    grid_free(l->grid);
    l->grid = grid_new(cols, rows, l->ui.symbols);
    l->ui.cols = cols;
    l->ui.rows = rows;
    return l->grid;
}

static bool paint_is_due(const struct loop *l)
{
    return l->is_dirty && (l->has_key || clock_mono_ns() - l->painted_ns >= PAINT_NS);
}

static void paint(struct loop *l)
{
    if (!paint_is_due(l) || !fit_grid(l)) {
        return;
    }
    set_now(l);
    ui_draw(&l->ui, l->grid);
    term_show(l->grid);
    l->painted_ns = clock_mono_ns();
    l->is_dirty = l->has_key = false;
}

/* ---- waiting ---- */

static int wait_ms(const struct loop *l)
{
    int64_t now = clock_mono_ns(), until = l->tick_ns, due = term_due_ns();

    if (l->has_news) {
        return 0;
    }
    if (l->is_dirty && l->painted_ns + PAINT_NS < until) {
        until = l->painted_ns + PAINT_NS;
    }
    if (l->is_full && now + PAINT_NS < until) {
        until = now + PAINT_NS;
    }
    until = due < until ? due : until;
    /* rounded up: a poll that returns too early would only be made again */
    return until <= now ? 0 : (int)((until - now + NS_PER_MS - 1) / NS_PER_MS);
}

static void wait_for_something(const struct loop *l)
{
    struct pollfd fd[3] = {
        {.fd = STDIN_FILENO, .events = POLLIN},
        {.fd = l->setup->road.fd, .events = POLLIN},
        {.fd = term_signal_fd(), .events = POLLIN},
    };

    poll(fd, 3, wait_ms(l));
}

static void turn(struct loop *l)
{
    unsigned flags;

    set_now(l);
    flags = take_keys(l);
    take_signals(l);
    flags |= take_news(l) | take_time(l);
    carry_out(l, flags);
}

int screen_run(const struct screen_setup *setup)
{
    struct loop *l = &screen;
    struct err err;
    char why[512];
    int status;

    term_locale();
    if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO)) {
        return -1;
    }
    if (term_is_dumb(&err)) {
        if (err.code) {
            (void)fprintf(stderr, "WARNING: no screen: %s. %s\n",
                          err_text(&err, why, sizeof why), err.hint);
        }
        return -1;
    }
    memset(l, 0, sizeof *l);
    l->setup = setup;
    if (!begin(l)) {
        return 1;
    }
    paint(l);
    while (!l->quits) {
        wait_for_something(l);
        turn(l);
        if (!l->quits) {
            paint(l);
        }
    }
    remember(l);
    status = l->signo ? 128 + l->signo : 0;
    term_close();
    grid_free(l->grid);
    ui_release(&l->ui);
    return status;
}
