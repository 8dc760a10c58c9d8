/* SPDX-License-Identifier: PostgreSQL */
#include "ui.h"

#include "base/clock.h"
#include "ui/act.h"
#include "ui/prompt.h"
#include "ui/view.h"
#include "ui/wizard.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define UI_FEW     16 /* servers whose news are shown at once */
#define MESSAGE_NS (8 * NS_PER_S)
#define FAILURE_NS (300 * NS_PER_S) /* of a job that one waited for, elsewhere perhaps */

bool ui_init(struct ui *ui, const char *const *server, size_t servers)
{
    memset(ui, 0, sizeof *ui);
    if (!model_init(&ui->model, server, servers)) {
        return false;
    }
    arena_init(&ui->life, 0);
    arena_init(&ui->frame, 0);
    ui->server_order = ARENA_ARRAY(&ui->life, servers + 1, uint32_t);
    if (!ui->server_order) {
        ui_release(ui);
        return false;
    }
    for (size_t i = 0; i < servers; i++) {
        ui->server_order[i] = (uint32_t)i;
    }
    ui->order_is_old = true;
    key_map_init(&ui->keys);
    ui->cols = 80;
    ui->rows = 24;
    ui->is_following = true;
    if (servers) {
        ui_select_server(ui, server[0]);
    }
    return true;
}

void ui_release(struct ui *ui)
{
    for (size_t i = 0; i < ui->orders; i++) {
        ask_free(ui->order[i].order.ask);
    }
    model_release(&ui->model);
    arena_release(&ui->life);
    arena_release(&ui->frame);
}

void *ui_rows(struct ui *ui, size_t n, size_t size)
{
    return arena_array(&ui->frame, n + 1, size);
}

/* ---- what is selected ------------------------------------------------------------------- */

uint32_t ui_server_index(const struct ui *ui)
{
    for (size_t i = 0; i < ui->model.servers; i++) {
        if (strcmp(ui->model.name[i], ui->server) == 0) {
            return (uint32_t)i;
        }
    }
    return 0;
}

const struct snapshot *ui_snapshot(const struct ui *ui)
{
    return ui->model.servers ? ui->model.server[ui_server_index(ui)] : NULL;
}

void ui_select_server(struct ui *ui, const char *name)
{
    if (strcmp(ui->server, name) == 0) {
        return;
    }
    (void)str_copy(ui->server, sizeof ui->server, name);
    (void)str_copy(ui->list[PANE_SERVERS].at, sizeof ui->list[PANE_SERVERS].at, name);
    ui->list[PANE_BACKUPS].at[0] = '\0';
    ui->list[PANE_BACKUPS].row = ui->list[PANE_BACKUPS].top = 0;
    ui->axis_from_us = ui->axis_to_us = ui->axis_at_us = 0;
    ui_order(ui, ORDER_SELECT, ui_server_index(ui), 0);
}

const struct backup_row *ui_backup_row(const struct ui *ui)
{
    const struct snapshot *s = ui_snapshot(ui);
    const char *id = ui->view == VIEW_BACKUP ? ui->backup : ui->list[PANE_BACKUPS].at;

    for (size_t i = 0; s && i < s->backups; i++) {
        if (strcmp(s->backup[i].id, id) == 0) {
            return &s->backup[i];
        }
    }
    return NULL;
}

const struct job_row *ui_job_row(const struct ui *ui)
{
    uint64_t number = ui->job;

    if (ui->view == VIEW_OVERVIEW &&
        !str_u64(str_of(ui->list[PANE_JOBS].at), UINT32_MAX, &number)) {
        return NULL;
    }
    if (IN(ui->view) & IN_WIZARD) {
        number = ui->wizard.copy_job ? ui->wizard.copy_job : ui->wizard.restore_job;
    }
    return model_job(&ui->model, (uint32_t)number);
}

/* ---- saying ----------------------------------------------------------------------------- */

void ui_say(struct ui *ui, enum light light, const char *fmt, ...)
{
    struct sbuf b;
    va_list args;

    sbuf_init(&b, ui->message, sizeof ui->message);
    va_start(args, fmt);
    sbuf_vfmt(&b, fmt, args);
    va_end(args);
    ui->message_light = light;
    ui->message_is_whole = light != LIGHT_RUN && light != LIGHT_OK; /* until the next key */
    ui->message_until_ns = ui->model.now_ns + MESSAGE_NS;
}

void ui_fail(struct ui *ui, const struct err *err)
{
    (void)err_text(err, ui->last_error, sizeof ui->last_error);
    (void)str_copy(ui->last_hint, sizeof ui->last_hint, err->hint);
    ui_say(ui, LIGHT_FAIL, "%s%s%s", ui->last_error, err->hint[0] ? ". " : "", err->hint);
    ui->message_until_ns = 0;
}

void ui_tell_failure(struct ui *ui, const struct job_row *job)
{
    (void)str_fmt(ui->last_error, sizeof ui->last_error, "#%" PRIu32 " %s: %s", job->number,
                  job->verb,
                  job->state == ROW_CANCELLED ? "cancelled"
                  : job->text && job->text[0] ? job->text
                  : job->state == ROW_DIED    ? "its process is gone without a last word"
                                              : "failed");
    (void)str_copy(ui->last_hint, sizeof ui->last_hint, job->hint ? job->hint : "");
    ui_say(ui, LIGHT_FAIL, "%s%s%s", ui->last_error, ui->last_hint[0] ? ". " : "",
           ui->last_hint);
}

void ui_ask_yes(struct ui *ui, unsigned (*yes)(struct ui *ui), const char *fmt, ...)
{
    struct sbuf b;
    va_list args;

    prompt_open(ui, PROMPT_YESNO, "");
    sbuf_init(&b, ui->prompt.question, sizeof ui->prompt.question);
    va_start(args, fmt);
    sbuf_vfmt(&b, fmt, args);
    va_end(args);
    ui->prompt.yes = yes;
}

void ui_ask_shows(struct ui *ui, const char *const *words)
{
    ui_command_text(ui, words, ui->prompt.command, sizeof ui->prompt.command);
}

/* ---- orders ----------------------------------------------------------------------------- */

static struct ui_order *new_order(struct ui *ui, enum order_kind kind)
{
    struct ui_order *o;

    if (ui->orders == UI_ORDERS) {
        return NULL;
    }
    o = &ui->order[ui->orders++];
    o->order = (struct order){.kind = kind};
    return o;
}

void ui_order(struct ui *ui, enum order_kind kind, uint32_t server, uint32_t job)
{
    struct ui_order *o = ui->orders ? &ui->order[ui->orders - 1] : NULL;

    if (!o || kind != ORDER_SELECT || o->order.kind != ORDER_SELECT) {
        o = new_order(ui, kind); /* of selections one behind the other the last one counts */
    }
    if (o) {
        o->order.server = server;
        o->order.job = job;
    }
}

static bool send_ask(struct ui *ui, const struct ask *ask, uint32_t ticket)
{
    struct ask *copy = ask_new(ask);
    struct ui_order *o = copy ? new_order(ui, ORDER_ASK) : NULL;

    if (!o) {
        ask_free(copy);
        ui->model.waiting[ask->kind] = 0;
        return false;
    }
    copy->ticket = ticket;
    o->order.ask = copy;
    return true;
}

bool ui_ask(struct ui *ui, const struct ask *ask)
{
    return send_ask(ui, ask, model_ask(&ui->model, ask->kind));
}

bool ui_ask_again(struct ui *ui, const struct ask *ask)
{
    return send_ask(ui, ask, model_ask_again(&ui->model, ask->kind));
}

/* Words one behind the other, each with its NUL, and one NUL more. false: too long. */
static bool flatten(const char *const *words, char out[ORDER_WORDS_CAP])
{
    size_t at = 0;

    for (size_t i = 0; words[i]; i++) {
        size_t n = strlen(words[i]) + 1;

        if (at + n + 1 > ORDER_WORDS_CAP) {
            return false;
        }
        memcpy(out + at, words[i], n);
        at += n;
    }
    out[at] = '\0';
    return true;
}

unsigned ui_start(struct ui *ui, const char *const *words,
                  void (*started)(struct ui *ui, uint32_t job))
{
    struct ui_order *o;

    if (ui->start_ticket) {
        ui_say(ui, LIGHT_WARN, "wait a moment: another job is just being started");
        return UI_REDRAW;
    }
    o = new_order(ui, ORDER_START);
    if (!o || !flatten(words, o->words)) {
        ui_say(ui, LIGHT_FAIL, "the command is too long to be started from here");
        return UI_REDRAW;
    }
    o->order.ticket = ui->start_ticket = ++ui->model.last_ticket;
    ui->started = started;
    ui_command_text(ui, words, ui->start_text, sizeof ui->start_text);
    ui_say(ui, LIGHT_RUN, "starting: %s", ui->start_text);
    return UI_REDRAW;
}

static void begin_command(const struct ui *ui, struct sbuf *b)
{
    sbuf_add(b, "barkeep");
    if (ui->model.config_path) {
        sbuf_add(b, " -c ");
        sbuf_shell_word(b, ui->model.config_path);
    }
    sbuf_add(b, " --batch");
}

void ui_copy_plan(struct ui *ui, const char *plan)
{
    char text[ORDER_WORDS_CAP];
    struct sbuf b;

    sbuf_init(&b, text, sizeof text);
    begin_command(ui, &b);
    sbuf_fmt(&b, " %s", plan);
    if (plan[0] && sbuf_ok(&b)) {
        ui_copy(ui, text);
    } else {
        ui_say(ui, LIGHT_WARN, "its command is not on record, or too long to be copied");
    }
}

const char *ui_command_text(const struct ui *ui, const char *const *words, char *out,
                            size_t cap)
{
    struct sbuf b;

    sbuf_init(&b, out, cap);
    begin_command(ui, &b);
    for (size_t i = 0; words[i]; i++) {
        sbuf_char(&b, ' ');
        sbuf_shell_word(&b, words[i]);
    }
    return out;
}

void ui_copy(struct ui *ui, const char *text)
{
    (void)str_copy(ui->copied, sizeof ui->copied, text);
    ui_say(ui, LIGHT_OK, "sent to the clipboard: %s", text);
}

/* ---- views ------------------------------------------------------------------------------ */

void ui_goto(struct ui *ui, enum view_id view)
{
    if (ui->view == view) {
        return;
    }
    if (ui->backs == UI_BACKS) {
        memmove(ui->back, ui->back + 1, sizeof ui->back - sizeof ui->back[0]);
        ui->backs--;
    }
    ui->back[ui->backs++] = ui->view;
    ui->view = view;
    ui->message[0] = '\0';
    if (view_table[view].enter) {
        view_table[view].enter(ui);
    }
}

unsigned ui_back(struct ui *ui)
{
    if (ui->backs == 0) {
        return UI_NOTHING;
    }
    ui->view = ui->back[--ui->backs];
    ui->message[0] = '\0';
    if (view_table[ui->view].enter) {
        view_table[ui->view].enter(ui);
    }
    return UI_REDRAW;
}

/* ---- keys, news, time ------------------------------------------------------------------- */

static unsigned plain_key(struct ui *ui, int key)
{
    enum act act = key_act(&ui->keys, key);
    const struct key_entry *e = key_entry_of(act);
    const char *off;
    char name[16];

    if (!e || !(e->views & IN(ui->view))) {
        ui_say(ui, LIGHT_WAIT, "%s means nothing here; ? shows the keys", key_text(key, name));
        return UI_REDRAW;
    }
    off = key_off(ui, act);
    if (off) {
        ui_say(ui, LIGHT_WAIT, "%s: %s", ui_key_label(ui, act), off);
        return UI_REDRAW;
    }
    if (ui->message_until_ns) {
        ui->message[0] = '\0';
    }
    ui->message_is_whole = false;
    return act_run(ui, act);
}

static unsigned take_key(struct ui *ui, int key)
{
    ui->key_ns = ui->model.now_ns;
    if (key == UI_KEY_RESIZE) {
        return UI_REDRAW;
    }
    if (key == UI_CTRL('Z')) {
        ui->run = NULL;
        return UI_SUSPEND;
    }
    if (ui->cols < UI_MIN_COLS || ui->rows < UI_MIN_ROWS) {
        /* a question could not be seen; what goes on stands in the lines that can */
        if ((ui->dialog.is_open || ui->prompt.kind != PROMPT_NONE) && key >= ' ') {
            return UI_NOTHING; /* a letter of what is being typed */
        }
        return key_act(&ui->keys, key) == ACT_QUIT ? UI_QUIT | UI_SAVE : UI_NOTHING;
    }
    if (ui->dialog.is_open) {
        return dialog_key(ui, key);
    }
    if (ui->prompt.kind != PROMPT_NONE) {
        unsigned flags = prompt_key(ui, key);

        overview_settle(ui);
        return flags;
    }
    if (ui->has_help) {
        return help_key(ui, key);
    }
    return plain_key(ui, key);
}

/* A step of the wizard that was left is an answer: it is kept at once, whatever ends this process. */
unsigned ui_key(struct ui *ui, int key)
{
    int step = ui->wizard.step;
    bool was_wizard = IN(ui->view) & IN_WIZARD;
    unsigned flags = take_key(ui, key);
    bool has_left = was_wizard && !(IN(ui->view) & IN_WIZARD);

    return ui->wizard.step == step && !has_left ? flags : flags | UI_SAVE;
}

static void take_started(struct ui *ui, struct news *news)
{
    void (*started)(struct ui * ui, uint32_t job) = ui->started;

    if (news->started.ticket != ui->start_ticket) {
        return;
    }
    ui->start_ticket = 0;
    ui->started = NULL;
    if (news->started.err) {
        ui_fail(ui, news->started.err);
        wizard_not_started(ui);
        return;
    }
    ui_say(ui, LIGHT_RUN, "#%u  %s", news->job, ui->start_text);
    if (started) {
        started(ui, news->job);
    }
}

/* Whoever started it is told that it failed: its row has no room for the reason. */
static void watch_own_job(struct ui *ui)
{
    const struct job_row *job = ui->own_job ? model_job(&ui->model, ui->own_job) : NULL;

    if (!job || job->state == ROW_NEW || job->state == ROW_RUNNING) {
        return;
    }
    ui->own_job = 0;
    if (job->state == ROW_FAILED || job->state == ROW_DIED) {
        ui_tell_failure(ui, job);
        ui->message_until_ns = ui->model.now_ns + FAILURE_NS;
    }
}

/* With the first list of jobs: what goes on without this screen, but for what always runs. */
static void tell_running(struct ui *ui)
{
    const struct job_table *jobs = ui->model.jobs;
    const struct job_row *newest = NULL;
    size_t n = 0;

    for (size_t i = jobs ? jobs->n : 0; i-- > 0;) {
        if (jobs->job[i].state == ROW_RUNNING &&
            strcmp(jobs->job[i].verb, "receive-wal") != 0) {
            newest = &jobs->job[i];
            n++;
        }
    }
    if (newest && !ui->message[0]) {
        ui_say(ui, LIGHT_RUN, "#%" PRIu32 " %s %s%s; 4 shows the jobs", newest->number,
               newest->verb, newest->server,
               n == 1 ? " went on meanwhile" : " and others went on meanwhile");
    }
}

/* What other servers say is seen with the next second: with hundreds of them there is always
 * one that has something new, and it is not what is being looked at. */
static bool can_wait(const struct ui *ui, const struct news *news)
{
    return news->kind == NEWS_SNAPSHOT && news->snapshot->index != ui_server_index(ui) &&
           ui->model.servers > UI_FEW;
}

unsigned ui_news(struct ui *ui, struct news *news)
{
    unsigned flags = UI_NOTHING;
    bool changed, later = can_wait(ui, news);
    bool is_first = news->kind == NEWS_JOBS && !ui->model.jobs;

    if (news->kind == NEWS_STARTED) {
        take_started(ui, news);
        flags = UI_SAVE; /* the number of a job of the wizard: it is attached to again */
    }
    changed = model_take(&ui->model, news);
    news_release(news);
    if (changed) {
        ui->order_is_old = true;
        if (is_first) {
            tell_running(ui);
        }
        watch_own_job(ui);
        wizard_news(ui);
    }
    return flags | (changed && !later ? UI_REDRAW : UI_NOTHING);
}

unsigned ui_tick(struct ui *ui)
{
    if (ui->message_until_ns && ui->message_until_ns <= ui->model.now_ns) {
        ui->message[0] = '\0';
        ui->message_until_ns = 0;
    }
    overview_settle(ui);
    wizard_tick(ui);
    return UI_REDRAW;
}

int64_t ui_next_ns(const struct ui *ui)
{
    int64_t in_second = ui->model.now_us % US_PER_S;
    int64_t next = ui->model.now_ns + (US_PER_S - in_second) * 1000;
    int64_t wizard = wizard_next_ns(ui);

    return wizard < next ? wizard : next;
}

void ui_draw(struct ui *ui, struct grid *g)
{
    grid_clear(g);
    ui->cols = g->cols;
    ui->rows = g->rows;
    if (g->cols < UI_MIN_COLS || g->rows < UI_MIN_ROWS) {
        frame_small(ui, g);
        return;
    }
    view_table[ui->view].draw(ui, g);
    if (ui->has_help) {
        help_draw(ui, g);
    }
    if (ui->dialog.is_open) {
        dialog_draw(ui, g);
    }
}
