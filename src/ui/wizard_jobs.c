/* SPDX-License-Identifier: PostgreSQL */
/* wizard_jobs.c - what the wizard starts: restore, start-copy, promote-copy, drop-copy. Each is
 * an ordinary command line, run as a job of its own, that goes on without this screen. */
#include "base/clock.h"
#include "base/fmt.h"
#include "ui/prompt.h"
#include "ui/wizard.h"

#include <inttypes.h>
#include <string.h>

/* ---- words --------------------------------------------------------------------------------- */

struct line {
    struct wizard *w;
    size_t words, mems;
};

static void word(struct line *l, const char *text)
{
    if (l->words + 1 < sizeof l->w->word / sizeof l->w->word[0]) {
        l->w->word[l->words++] = text;
        l->w->word[l->words] = NULL;
    }
}

static char *word_memory(struct line *l)
{
    return l->w->word_mem[l->mems++];
}

static void target_words(struct line *l, const struct goal *goal)
{
    static const char *const option[] = {
        [GOAL_LATEST] = NULL,          [GOAL_TIME] = "--target-time",
        [GOAL_XID] = "--target-xid",   [GOAL_LSN] = "--target-lsn",
        [GOAL_NAME] = "--target-name", [GOAL_IMMEDIATE] = "--target-immediate",
    };

    if (option[goal->kind]) {
        word(l, option[goal->kind]);
    }
    if (goal->text[0]) {
        word(l, goal->text);
    }
    if (goal->is_exclusive) {
        word(l, "--exclusive");
    }
    if (goal->tli) {
        char *text = word_memory(l);

        (void)str_fmt(text, ASK_PATH_CAP, "%" PRIu32, goal->tli);
        word(l, "--target-tli");
        word(l, text);
    }
    if (goal->action[0] &&
        goal->kind != GOAL_LATEST) { /* at the end of WAL there is no target */
        word(l, "--target-action");
        word(l, goal->action);
    }
}

const char *const *wizard_words(struct ui *ui)
{
    struct wizard *w = &ui->wizard;
    const struct restore_words *r = &w->words;
    struct line l = {w, 0, 0};

    word(&l, "restore");
    target_words(&l, &r->goal);
    for (size_t i = 0; i < r->moves; i++) {
        char *text = word_memory(&l);

        (void)str_fmt(text, sizeof w->word_mem[0], "%s:%s", r->move[i].name,
                      r->move[i].location);
        word(&l, "--tablespace");
        word(&l, text);
    }
    if (r->jobs) {
        char *text = word_memory(&l);

        (void)str_fmt(text, ASK_PATH_CAP, "%u", r->jobs);
        word(&l, "--jobs");
        word(&l, text);
    }
    if (r->where == WHERE_IN_PLACE) {
        word(&l, "--in-place");
    }
    word(&l, r->server);
    word(&l, r->backup);
    word(&l, r->destination);
    return w->word;
}

const char *wizard_destination_name(const struct ui *ui)
{
    const char *path = ui->wizard.words.destination, *slash = strrchr(path, '/');

    return slash && slash[1] ? slash + 1 : path;
}

bool wizard_job_runs(const struct ui *ui, uint32_t job)
{
    const struct job_row *row = job ? model_job(&ui->model, job) : NULL;

    return row && (row->state == ROW_RUNNING || row->state == ROW_NEW);
}

/* ---- restore, and the copy that follows ------------------------------------------------------ */

static void follow(struct ui *ui, uint32_t job)
{
    if (ui->model.followed != job) {
        model_follow(&ui->model, job);
        ui_order(ui, ORDER_FOLLOW, 0, job);
    }
}

static void restore_started(struct ui *ui, uint32_t job)
{
    struct wizard *w = &ui->wizard;

    w->is_starting = false;
    w->restore_job = job;
    w->copy_job = 0;
    w->phase = 0;
    w->wants_copy = w->words.where == WHERE_COPY;
    follow(ui, job);
}

unsigned wizard_run(struct ui *ui)
{
    struct wizard *w = &ui->wizard;
    unsigned flags = ui_start(ui, wizard_words(ui), restore_started);

    if (ui->started != restore_started) {
        return flags; /* another job was just being started: said */
    }
    w->is_starting = true;
    w->failed_to_start = false;
    w->restore_job = w->copy_job = 0;
    w->wants_copy = false;
    wizard_step(ui, VIEW_RUN);
    return flags | UI_SAVE;
}

static void copy_started(struct ui *ui, uint32_t job)
{
    struct wizard *w = &ui->wizard;

    w->is_starting = false;
    w->copy_job = job;
    w->copy_due_ns = ui->model.now_ns;
    follow(ui, job);
}

static void start_copy(struct ui *ui)
{
    struct wizard *w = &ui->wizard;
    const char *words[6];
    char port[16];
    size_t n = 0;

    (void)str_fmt(port, sizeof port, "%u", w->words.port);
    words[n++] = "start-copy";
    if (w->words.port) {
        words[n++] = "--port";
        words[n++] = port;
    }
    words[n++] = w->words.server;
    words[n++] = w->words.destination;
    words[n] = NULL;
    (void)ui_start(ui, words, copy_started);
    if (ui->started == copy_started) {
        w->is_starting = true;
        w->wants_copy = false;
    }
}

void wizard_start_copy(struct ui *ui)
{
    struct wizard *w = &ui->wizard;

    w->copy_job = 0;
    w->failed_to_start = false;
    start_copy(ui);
    if (w->is_starting) {
        wizard_step(ui, VIEW_RUN);
    }
}

void wizard_not_started(struct ui *ui)
{
    struct wizard *w = &ui->wizard;

    if (w->is_starting) {
        w->is_starting = false;
        w->failed_to_start = true;
    }
    w->doing = w->doing_job ? w->doing : WIZARD_NO_JOB;
}

/* The newest job of the wizard's server and directory that began at `since` or later; 0: none. */
static uint32_t job_since(const struct ui *ui, const char *verb, int64_t since)
{
    const struct job_table *t = ui->model.jobs;
    const struct restore_words *words = &ui->wizard.words;

    for (size_t i = 0; t && i < t->n; i++) {
        const struct job_row *row = &t->job[i];

        if (strcmp(row->verb, verb) == 0 && strcmp(row->server, words->server) == 0 &&
            row->began_us >= since && strstr(row->plan, words->destination)) {
            return row->number;
        }
    }
    return 0;
}

void wizard_find_jobs(struct ui *ui)
{
    struct wizard *w = &ui->wizard;
    const struct job_row *restore;

    if (w->step < VIEW_RUN) {
        return;
    }
    if (!w->restore_job) {
        w->restore_job = job_since(ui, "restore", w->begun_us);
        w->wants_copy = w->restore_job && w->words.where == WHERE_COPY;
    }
    restore = model_job(&ui->model, w->restore_job);
    if (!w->copy_job && restore) {
        w->copy_job = job_since(ui, "start-copy", restore->began_us);
        w->wants_copy = w->wants_copy && !w->copy_job;
    }
    if (!w->restore_job && !w->copy_job) {
        w->step = VIEW_PLAN; /* nothing was started, or it is not known any more */
    }
}

/* ---- promote and drop ------------------------------------------------------------------------- */

static void doing_started(struct ui *ui, uint32_t job)
{
    ui->wizard.doing_job = job;
}

static unsigned start_doing(struct ui *ui, enum wizard_job doing)
{
    static const char *const verb[] = {"", "promote-copy", "drop-copy"};
    struct wizard *w = &ui->wizard;
    const char *words[] = {verb[doing], w->words.server, w->words.destination, NULL};
    unsigned flags = ui_start(ui, words, doing_started);

    if (ui->started == doing_started) {
        w->doing = doing;
        w->doing_job = 0;
    }
    return flags;
}

static unsigned yes_promote(struct ui *ui)
{
    return start_doing(ui, WIZARD_PROMOTE);
}

unsigned wizard_promote(struct ui *ui)
{
    const struct answer *a = wizard_answer(ui, ASK_COPY);

    ui_ask_yes(ui, yes_promote,
               "Promote? Writable, timeline %" PRIu32 " ends; its target can move no more.",
               a ? a->copy.tli : 0);
    return UI_REDRAW;
}

static unsigned do_drop(struct ui *ui)
{
    return start_doing(ui, WIZARD_DROP);
}

static void dialog_fact(struct dialog *d, const char *label, const char *text)
{
    (void)str_fmt(d->line[d->lines++], sizeof d->line[0], "%-10s %s", label, text);
}

/* What the box takes: no blanks, no control characters. */
static bool is_typable(const char *word)
{
    for (; *word; word++) {
        if ((unsigned char)*word <= 0x20 || *word == 0x7f) {
            return false;
        }
    }
    return true;
}

unsigned wizard_drop(struct ui *ui)
{
    const struct answer *a = wizard_answer(ui, ASK_COPY);
    struct dialog *d = &ui->dialog;
    char text[160], mark[128], tail[128];

    memset(d, 0, sizeof *d);
    (void)str_copy(d->title, sizeof d->title, "DROP THIS COPY");
    (void)str_fmt(text, sizeof text, "of %s", ui->wizard.words.server);
    dialog_fact(d, "copy", text);
    dialog_fact(d, "directory", path_tail(ui->wizard.words.destination, 56, "..", tail));
    if (a) {
        (void)str_fmt(text, sizeof text, "%s%s",
                      a->copy.phase == COPY_OPEN ? "PROMOTED: it may hold new data; " : "",
                      mark_text(&a->copy.reached, ui->model.now_us, ui->cols, mark));
        dialog_fact(d, "stands at", text);
        if (a->copy.pid) {
            (void)str_fmt(text, sizeof text, "pid %" PRId64 ", stopped first", a->copy.pid);
            dialog_fact(d, "server", text);
        }
    }
    for (size_t i = 0; i < ui->wizard.words.moves && i < 2; i++) {
        dialog_fact(d, "tablespace",
                    path_tail(ui->wizard.words.move[i].location, 56, "..", tail));
    }
    if (ui->wizard.words.moves > 2) {
        (void)str_fmt(text, sizeof text, "and %zu more", ui->wizard.words.moves - 2);
        dialog_fact(d, "", text);
    }
    dialog_fact(d, "way back", "none; backups and production stay as they are");
    (void)str_copy(d->ask, sizeof d->ask, "Type the last part of the directory to drop it:");
    if (!str_copy(d->word, sizeof d->word, wizard_destination_name(ui)) ||
        !is_typable(d->word)) {
        (void)str_copy(d->ask, sizeof d->ask, "Type the name of the server to drop its copy:");
        (void)str_copy(d->word, sizeof d->word, ui->wizard.words.server);
    }
    d->done = do_drop;
    dialog_open(ui);
    return UI_REDRAW;
}

/* The command that the answer names, on the terminal: it quotes its own words. */
unsigned wizard_psql(struct ui *ui)
{
    const struct answer *a = wizard_answer(ui, ASK_COPY);
    const char *argv[] = {"sh", "-c", a ? a->copy.psql : NULL};

    if (!argv[2] || !argv[2][0] || strlen(argv[2]) >= sizeof ui->run_mem[0]) {
        ui_say(ui, LIGHT_WARN, "the copy did not say how to connect to it");
        return UI_REDRAW;
    }
    for (size_t i = 0; i < 3; i++) {
        (void)str_copy(ui->run_mem[i], sizeof ui->run_mem[i], argv[i]);
        ui->run_argv[i] = ui->run_mem[i];
    }
    ui->run_argv[3] = NULL;
    ui->run = ui->run_argv;
    return UI_REDRAW | UI_SUSPEND;
}

/* ---- ends ------------------------------------------------------------------------------------- */

static void doing_ended(struct ui *ui, const struct job_row *row)
{
    struct wizard *w = &ui->wizard;
    enum wizard_job doing = w->doing;

    w->doing = WIZARD_NO_JOB;
    w->doing_job = 0;
    if (row->state != ROW_DONE) {
        ui_tell_failure(ui, row);
        return;
    }
    if (doing == WIZARD_DROP) {
        char path[128];

        w->is_begun = false;
        if (IN(ui->view) & IN_WIZARD) {
            wizard_leave(ui);
        }
        ui_say(ui, LIGHT_OK, "dropped: %s", path_tail(w->words.destination, 60, "..", path));
        return;
    }
    ui_say(ui, LIGHT_OK, "the copy is promoted: it is writable");
    w->copy_due_ns = ui->model.now_ns;
}

/* The restore has ended well, and nothing stands in the way of starting its copy. */
static bool copy_is_due(const struct ui *ui)
{
    const struct wizard *w = &ui->wizard;
    const struct job_row *restore = model_job(&ui->model, w->restore_job);

    return w->wants_copy && !w->copy_job && !w->is_starting && !ui->start_ticket && restore &&
           restore->state == ROW_DONE;
}

void wizard_jobs_look(struct ui *ui)
{
    struct wizard *w = &ui->wizard;
    const struct job_row *copy = w->copy_job ? model_job(&ui->model, w->copy_job) : NULL;
    const struct job_row *doing = w->doing_job ? model_job(&ui->model, w->doing_job) : NULL;

    if (!w->is_begun) {
        return;
    }
    if (doing && !wizard_job_runs(ui, w->doing_job)) {
        doing_ended(ui, doing);
        return;
    }
    if (copy_is_due(ui)) {
        start_copy(ui);
    }
    if (ui->view == VIEW_RUN && copy && copy->state == ROW_DONE) {
        wizard_step(ui, VIEW_CHECK);
    }
}
