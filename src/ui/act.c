/* SPDX-License-Identifier: PostgreSQL */
#include "act.h"

#include "base/clock.h"
#include "base/fmt.h"
#include "ui/prompt.h"
#include "ui/wizard.h"

#include <string.h>

#define READ_NS (30 * NS_PER_S) /* a long message can be read */

/* ---- level 1 ---------------------------------------------------------------------------- */

static void started_here(struct ui *ui, uint32_t job)
{
    ui->own_job = job;
}

/* Whoever sits here wants to see it DONE: with the WAL that it needs. */
static unsigned yes_backup(struct ui *ui)
{
    const char *words[] = {"backup", "--wait", ui->server, NULL};

    return ui_start(ui, words, started_here);
}

static unsigned act_backup(struct ui *ui)
{
    const char *words[] = {"backup", "--wait", ui->server, NULL};

    ui_ask_yes(ui, yes_backup, "Back up %s now?", ui->server);
    ui_ask_shows(ui, words);
    return UI_REDRAW;
}

static unsigned yes_verify(struct ui *ui)
{
    const char *words[] = {"verify-backup", ui->server, ui->doing_backup, NULL};

    return ui_start(ui, words, started_here);
}

static unsigned act_verify(struct ui *ui)
{
    const struct backup_row *b = ui_backup_row(ui);
    const char *words[] = {"verify-backup", ui->server, b->id, NULL};

    (void)str_copy(ui->doing_backup, sizeof ui->doing_backup, b->id);
    ui_ask_yes(ui, yes_verify, "Read all of %s and its WAL, and hold it against its sums?",
               b->id);
    ui_ask_shows(ui, words);
    return UI_REDRAW;
}

static unsigned yes_cancel(struct ui *ui)
{
    ui_order(ui, ORDER_CANCEL, 0, ui->doing_job);
    ui_say(ui, LIGHT_WAIT, "#%u is asked to stop", ui->doing_job);
    return UI_REDRAW;
}

/* What a cancelled job leaves behind, by its verb. */
static const char *consequence(const struct job_row *job)
{
    static const struct {
        const char *verb, *text;
    } left[] = {
        {"backup", "it becomes FAILED unless its copy is whole; its files stay until deleted"},
        {"restore", "its directory stays, marked unfinished"},
        {"verify-backup", "nothing is changed"},
        {"start-copy", "the copy's server is stopped, its files stay"},
    };

    if (strcmp(job->verb, "restore") == 0 && job->plan && strstr(job->plan, " --in-place ")) {
        return "once it copies, the new directory stays unfinished, the old one beside it";
    }
    for (size_t i = 0; i < sizeof left / sizeof left[0]; i++) {
        if (strcmp(left[i].verb, job->verb) == 0) {
            return left[i].text;
        }
    }
    return "what it has not done stays undone";
}

static unsigned act_cancel(struct ui *ui)
{
    const struct job_row *job = ui_job_row(ui);

    ui->doing_job = job->number;
    ui_ask_yes(ui, yes_cancel, "Cancel #%u %s %s? %s.", job->number, job->verb, job->server,
               consequence(job));
    return UI_REDRAW;
}

/* ---- level 3 ---------------------------------------------------------------------------- */

static unsigned do_delete(struct ui *ui)
{
    const char *words[] = {"delete", ui->server, ui->doing_backup, NULL};

    return ui_start(ui, words, started_here);
}

static void dialog_line(struct dialog *d, const char *label, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
static void dialog_line(struct dialog *d, const char *label, const char *fmt, ...)
{
    struct sbuf b;
    va_list args;

    if (d->lines == DIALOG_LINES) {
        return;
    }
    sbuf_init(&b, d->line[d->lines++], sizeof d->line[0]);
    sbuf_fmt(&b, "%-10s ", label);
    va_start(args, fmt);
    sbuf_vfmt(&b, fmt, args);
    va_end(args);
}

/* How many good backups stay, and what can still be restored. */
static void tell_rest(struct ui *ui, struct dialog *d, const struct backup_row *b)
{
    const struct snapshot *s = ui_snapshot(ui);
    size_t good = 0;
    const struct backup_row *oldest = NULL;
    char when[WHEN_CAP];

    for (size_t i = 0; i < s->backups; i++) {
        const struct backup_row *other = &s->backup[i];

        if (other != b &&
            (other->status == BACKUP_DONE || other->status == BACKUP_WAITING_FOR_WALS)) {
            good++;
            oldest = other;
        }
    }
    if (good == 0) {
        dialog_line(d, "then", "NOTHING of %s can be restored any more", ui->server);
    } else {
        dialog_line(d, "then", "%zu good backup%s stay%s, the oldest %s", good,
                    good == 1 ? "" : "s", good == 1 ? "s" : "",
                    when_short(oldest->end.us, ui->model.now_us, when));
    }
}

static unsigned act_delete(struct ui *ui)
{
    const struct backup_row *b = ui_backup_row(ui);
    struct dialog *d = &ui->dialog;
    const char *words[] = {"delete", ui->server, b->id, NULL};
    char when[WHEN_CAP], size[FMT_CAP], command[ORDER_WORDS_CAP], shorter[ORDER_WORDS_CAP];

    memset(d, 0, sizeof *d);
    (void)str_copy(ui->doing_backup, sizeof ui->doing_backup, b->id);
    (void)str_copy(d->title, sizeof d->title, "DELETE A BACKUP");
    dialog_line(d, "server", "%s", ui->server);
    dialog_line(d, "backup", "%s%s%s%s", b->id, b->name ? " (" : "", b->name ? b->name : "",
                b->name ? ")" : "");
    dialog_line(d, "ended", "%s", when_short(b->end.us, ui->model.now_us, when));
    dialog_line(d, "size", "%s, and the WAL that only it needs", fmt_bytes(b->size, size));
    tell_rest(ui, d, b);
    dialog_line(d, "way back", "none");
    dialog_line(d, "command", "%s",
                frame_command(ui, ui_command_text(ui, words, command, sizeof command),
                              dialog_room(ui->cols) - 11, "..", shorter, sizeof shorter));
    (void)str_copy(d->ask, sizeof d->ask, "Type the id of the backup to delete it:");
    (void)str_copy(d->word, sizeof d->word, b->id);
    d->done = do_delete;
    dialog_open(ui);
    return UI_REDRAW;
}

/* ---- the rest ----------------------------------------------------------------------------- */

static unsigned act_pause(struct ui *ui)
{
    ui->model.is_paused = !ui->model.is_paused;
    ui->model.paused_us = ui->model.now_us;
    ui_order(ui, ui->model.is_paused ? ORDER_PAUSE : ORDER_RESUME, 0, 0);
    return UI_REDRAW;
}

static unsigned act_refresh(struct ui *ui)
{
    ui_order(ui, ORDER_REFRESH, ui_server_index(ui), 0);
    ui_say(ui, LIGHT_WAIT, "looking at %s", ui->server);
    return UI_REDRAW;
}

static unsigned act_last_error(struct ui *ui)
{
    const struct snapshot *s = ui_snapshot(ui);
    bool at_jobs =
        ui->view == VIEW_JOBS || (ui->view == VIEW_OVERVIEW && ui->pane == PANE_JOBS);
    const struct job_row *job = at_jobs ? ui_job_row(ui) : NULL;

    if (job && (job->state == ROW_FAILED || job->state == ROW_DIED)) {
        ui_tell_failure(ui, job);
    } else if (ui->last_error[0]) {
        ui_say(ui, LIGHT_FAIL, "%s%s%s", ui->last_error, ui->last_hint[0] ? ". " : "",
               ui->last_hint);
    } else if (s && s->sentence && s->sentence[0]) {
        ui_say(ui, s->light, "%s: %s%s%s", s->server, s->sentence,
               s->todo && s->todo[0] ? ". " : "", s->todo ? s->todo : "");
    } else {
        ui_say(ui, LIGHT_OK, "nothing went wrong");
    }
    ui->message_is_whole = true;
    ui->message_until_ns = ui->model.now_ns + READ_NS;
    return UI_REDRAW;
}

static unsigned yes_quit(struct ui *ui)
{
    (void)ui;
    return UI_QUIT | UI_SAVE;
}

static unsigned act_quit(struct ui *ui)
{
    if (ui->model.runnings) {
        ui_ask_yes(ui, yes_quit, "%zu job%s without you; quit?", ui->model.runnings,
                   ui->model.runnings == 1 ? " goes on" : "s go on");
        return UI_REDRAW;
    }
    return UI_QUIT | UI_SAVE;
}

static unsigned act_help(struct ui *ui)
{
    ui->has_help = true;
    ui->help_filter[0] = '\0';
    ui->help_row = 0;
    return UI_REDRAW;
}

static unsigned act_command(struct ui *ui)
{
    prompt_open(ui, PROMPT_COMMAND, "");
    return UI_REDRAW;
}

static unsigned act_filter(struct ui *ui)
{
    prompt_open(ui, PROMPT_FILTER, prompt_filter(ui));
    return UI_REDRAW;
}

static unsigned act_restore(struct ui *ui)
{
    wizard_begin(ui);
    return UI_REDRAW;
}

static unsigned act_wal(struct ui *ui)
{
    ui_goto(ui, VIEW_WAL);
    return UI_REDRAW;
}

static unsigned act_save(struct ui *ui)
{
    ui->saves_screen = true;
    return UI_REDRAW;
}

/* Acts with one meaning in all views that have them; delete drops the copy in the last step. */
static const struct {
    enum act act;
    uint32_t views;
    unsigned (*run)(struct ui *ui);
} common[] = {
    {ACT_BACKUP, IN_ALL, act_backup},
    {ACT_VERIFY, IN_ALL, act_verify},
    {ACT_CANCEL, IN_ALL, act_cancel},
    {ACT_DELETE, IN(VIEW_OVERVIEW) | IN(VIEW_BACKUP), act_delete},
    {ACT_RESTORE, IN_LISTS & ~IN(VIEW_WAL), act_restore},
    {ACT_WAL, IN_ALL, act_wal},
    {ACT_PAUSE, IN_ALL, act_pause},
    {ACT_REFRESH, IN_ALL, act_refresh},
    {ACT_LAST_ERROR, IN_ALL, act_last_error},
    {ACT_QUIT, IN_ALL, act_quit},
    {ACT_HELP, IN_ALL, act_help},
    {ACT_COMMAND, IN_ALL, act_command},
    {ACT_FILTER, IN_LISTS, act_filter},
    {ACT_SAVE, IN_ALL, act_save},
    {ACT_BACK, IN(VIEW_WAL), ui_back},
};

unsigned act_run(struct ui *ui, enum act act)
{
    unsigned flags;

    for (size_t i = 0; i < sizeof common / sizeof common[0]; i++) {
        if (common[i].act == act && common[i].views & IN(ui->view)) {
            return common[i].run(ui);
        }
    }
    flags = view_table[ui->view].act(ui, act);
    if (flags == UI_NOTHING && act == ACT_COPY && ui->server[0]) {
        ui_copy(ui, ui->server);
        return UI_REDRAW;
    }
    return flags;
}
