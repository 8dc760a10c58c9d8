/* SPDX-License-Identifier: PostgreSQL */
/* command.c - the lines that ':' takes. What a key does, a command does too, by the key table;
 * the rest is here. Names of servers, backups and themes are completed with Tab. */
#include "ui/act.h"
#include "ui/list.h"
#include "ui/prompt.h"
#include "ui/theme.h"

#include <string.h>

enum operand_of { NO_WORD, A_SERVER, A_BACKUP, A_JOB, A_THEME, A_SYMBOLS };

struct command {
    const char *name;
    enum operand_of operand;
    const char *help;
    unsigned (*run)(struct ui *ui, const char *word);
};

static unsigned run_server(struct ui *ui, const char *word)
{
    for (size_t i = 0; i < ui->model.servers; i++) {
        if (strcmp(ui->model.name[i], word) == 0) {
            ui_select_server(ui, word);
            return UI_REDRAW;
        }
    }
    ui_say(ui, LIGHT_WARN, "no server is called '%s'; Tab shows the names", word);
    return UI_REDRAW;
}

static bool open_backup(struct ui *ui, const char *word)
{
    const struct snapshot *s = ui_snapshot(ui);

    for (size_t i = 0; s && i < s->backups; i++) {
        if (strcmp(s->backup[i].id, word) == 0 ||
            (s->backup[i].name && strcmp(s->backup[i].name, word) == 0)) {
            (void)str_copy(ui->backup, sizeof ui->backup, s->backup[i].id);
            (void)str_copy(ui->list[PANE_BACKUPS].at, NAME_CAP, s->backup[i].id);
            ui_goto(ui, VIEW_BACKUP);
            return true;
        }
    }
    ui_say(ui, LIGHT_WARN, "%s has no backup '%s'; Tab shows them", ui->server, word);
    return false;
}

static unsigned run_open(struct ui *ui, const char *word)
{
    (void)open_backup(ui, word);
    return UI_REDRAW;
}

static unsigned run_jobs(struct ui *ui, const char *word)
{
    uint64_t number = 0;

    if (word[0] && (!str_u64(str_of(word), UINT32_MAX, &number) ||
                    !model_job(&ui->model, (uint32_t)number))) {
        ui_say(ui, LIGHT_WARN, "there is no job '%s'", word);
        return UI_REDRAW;
    }
    if (number) {
        ui->job = (uint32_t)number;
    }
    ui_goto(ui, VIEW_JOBS);
    return UI_REDRAW;
}

static unsigned run_theme(struct ui *ui, const char *word)
{
    (void)str_copy(ui->theme, sizeof ui->theme, word[0] ? word : "dark");
    return UI_REDRAW | UI_SAVE;
}

static unsigned run_symbols(struct ui *ui, const char *word)
{
    if (strcmp(word, "ascii") != 0 && strcmp(word, "block") != 0) {
        ui_say(ui, LIGHT_WARN, "symbols are block or ascii, not '%s'", word);
        return UI_REDRAW;
    }
    ui->symbols = word[0] == 'a' ? SYMBOLS_ASCII : SYMBOLS_BLOCK;
    return UI_REDRAW;
}

static unsigned run_overview(struct ui *ui, const char *word)
{
    (void)word;
    ui->backs = 0;
    ui->view = VIEW_OVERVIEW;
    return UI_REDRAW;
}

static const struct command commands[] = {
    {"server", A_SERVER, "select a server", run_server},
    {"open", A_BACKUP, "open a backup", run_open},
    {"jobs", A_JOB, "jobs and their messages", run_jobs},
    {"overview", NO_WORD, "the first screen", run_overview},
    {"theme", A_THEME, "colours", run_theme},
    {"symbols", A_SYMBOLS, "block or ascii", run_symbols},
};
#define COMMANDS (sizeof commands / sizeof commands[0])

static const char *const symbol_sets[] = {"block", "ascii", NULL};

/* A name, or the beginning of one when there is only one such: what was found, and how many. */
struct named {
    const struct command *command;
    const struct key_entry *key;
    size_t n;
};

static bool begins(const char *whole, struct str name)
{
    return whole && name.n && strncmp(whole, name.p, name.n) == 0;
}

static struct named find(struct str name)
{
    struct named found = {NULL, NULL, 0};

    for (size_t i = 0; i < key_count; i++) {
        if (key_table[i].command && str_eq(name, key_table[i].command)) {
            return (struct named){NULL, &key_table[i], 1};
        }
        if (begins(key_table[i].command, name)) {
            found = (struct named){NULL, &key_table[i], found.n + 1};
        }
    }
    for (size_t i = 0; i < COMMANDS; i++) {
        if (str_eq(name, commands[i].name)) {
            return (struct named){&commands[i], NULL, 1};
        }
        if (begins(commands[i].name, name)) {
            found = (struct named){&commands[i], NULL, found.n + 1};
        }
    }
    return found;
}

/* Selects what the word names; false: it is not there, and nothing else may stand in for it. */
static bool select_named(struct ui *ui, const struct key_entry *e, const char *word)
{
    switch (e->act) {
    case ACT_BACKUP:
    case ACT_RESTORE:
    case ACT_WAL:
        return run_server(ui, word) && strcmp(ui->server, word) == 0;
    case ACT_VERIFY:
    case ACT_DELETE:
        return open_backup(ui, word);
    default:
        ui_say(ui, LIGHT_WARN, "'%s' takes no word: it is about what is selected", e->command);
        return false;
    }
}

/* A command that acts on a thing takes its name: ":verify ID" is selecting it, then v. */
static unsigned run_key(struct ui *ui, const struct key_entry *e, const char *word)
{
    const char *off;

    if (word[0] && !select_named(ui, e, word)) {
        return UI_REDRAW;
    }
    if (!(e->views & IN(ui->view))) {
        ui_say(ui, LIGHT_WARN, "'%s' cannot be done here; Esc goes back", e->command);
        return UI_REDRAW;
    }
    off = key_off(ui, e->act);
    if (off) {
        ui_say(ui, LIGHT_WARN, "%s: %s", e->label, off);
        return UI_REDRAW;
    }
    return act_run(ui, e->act);
}

unsigned command_run(struct ui *ui, const char *line)
{
    struct str rest = str_trim(str_of(line)), name = rest;
    struct named found;
    char word[NAME_CAP * 2];
    size_t at;

    if (str_find(rest, ' ', &at)) {
        name = str_n(rest.p, at);
        rest = str_trim(str_skip(rest, at));
    } else {
        rest = str_n(rest.p + rest.n, 0);
    }
    (void)str_fmt(word, sizeof word, "%.*s", (int)rest.n, rest.n ? rest.p : "");
    found = find(name);
    if (found.n > 1) {
        ui_say(ui, LIGHT_WARN, "'%.*s' begins %zu commands; Tab shows them", (int)name.n,
               name.p, found.n);
    } else if (found.command) {
        return found.command->run(ui, word);
    } else if (found.key) {
        return run_key(ui, found.key, word);
    } else if (name.n) {
        ui_say(ui, LIGHT_WARN, "'%.*s' is no command; Tab shows them", (int)name.n, name.p);
    }
    return UI_REDRAW;
}

/* ---- completion --------------------------------------------------------------------------- */

struct offer {
    const char *begin; /* what is typed of the word */
    const char **out;
    size_t n, cap;
};

static void offer(struct offer *o, const char *word)
{
    if (word && o->n < o->cap && strncmp(word, o->begin, strlen(o->begin)) == 0) {
        o->out[o->n++] = word;
    }
}

static void offer_names(struct offer *o)
{
    for (size_t i = 0; i < COMMANDS; i++) {
        offer(o, commands[i].name);
    }
    for (size_t i = 0; i < key_count; i++) {
        offer(o, key_table[i].command);
    }
}

static void offer_words(struct ui *ui, struct offer *o, enum operand_of kind)
{
    const struct snapshot *s = ui_snapshot(ui);

    for (size_t i = 0; kind == A_SERVER && i < ui->model.servers; i++) {
        offer(o, ui->model.name[i]);
    }
    for (size_t i = 0; kind == A_BACKUP && s && i < s->backups; i++) {
        offer(o, s->backup[i].id);
    }
    for (size_t i = 0; kind == A_THEME && theme_names[i]; i++) {
        offer(o, theme_names[i]);
    }
    for (size_t i = 0; kind == A_SYMBOLS && symbol_sets[i]; i++) {
        offer(o, symbol_sets[i]);
    }
}

static enum operand_of operand_of_act(enum act act)
{
    if (act == ACT_BACKUP || act == ACT_RESTORE || act == ACT_WAL) {
        return A_SERVER;
    }
    return act == ACT_VERIFY || act == ACT_DELETE ? A_BACKUP : NO_WORD;
}

size_t command_complete(struct ui *ui, const char *line, const char *out[], size_t cap)
{
    struct str rest = str_of(line), name;
    struct offer o = {line, out, 0, cap};
    struct named found;
    size_t at;

    if (!str_find(rest, ' ', &at)) {
        offer_names(&o);
        return o.n;
    }
    name = str_n(rest.p, at);
    o.begin = line + at + 1;
    found = find(name);
    offer_words(ui, &o,
                found.n != 1    ? NO_WORD
                : found.command ? found.command->operand
                                : operand_of_act(found.key->act));
    return o.n;
}
