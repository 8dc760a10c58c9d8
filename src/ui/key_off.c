/* SPDX-License-Identifier: PostgreSQL */
/* key_off.c - why a key does not work right now, in words that tell what would make it work. */
#include "ui/ui.h"
#include "ui/wizard.h"

#include <string.h>

static bool is_running(const struct job_row *job)
{
    return job && (job->state == ROW_RUNNING || job->state == ROW_NEW);
}

static const char *off_server(const struct ui *ui)
{
    return ui->server[0] ? NULL : "no server is configured";
}

static const char *off_backup(const struct ui *ui)
{
    const struct snapshot *s = ui_snapshot(ui);

    if (s && s->live.state == LIVE_OFF) {
        return "the configuration says that this server is not active";
    }
    if (s && s->kept_why) {
        return "what is kept of this server cannot be read: see the first row";
    }
    return off_server(ui);
}

static const char *off_restore(const struct ui *ui)
{
    const struct snapshot *s = ui_snapshot(ui);

    if (!s || s->is_saved) {
        return "what is kept of this server is still being read";
    }
    if (s->kept_why) {
        return "what is kept of this server cannot be read: see the first row";
    }
    return snapshot_good_backup(s) ? NULL
                                   : "no backup of this server is complete yet; b takes one";
}

static const char *off_selected_backup(const struct ui *ui)
{
    if (ui->view == VIEW_OVERVIEW && ui->pane != PANE_BACKUPS) {
        return "select a backup first: 2 goes to the backups";
    }
    return ui_backup_row(ui) ? NULL : "no backup is selected";
}

static const char *off_pane(const struct ui *ui)
{
    return ui->view == VIEW_OVERVIEW && ui->pane != PANE_JOBS
               ? "select a job first: 4 goes to the jobs"
               : NULL;
}

static const char *off_cancel(const struct ui *ui)
{
    if (off_pane(ui)) {
        return off_pane(ui);
    }
    return is_running(ui_job_row(ui)) ? NULL : "the selected line is not a running job";
}

static const char *off_log(const struct ui *ui)
{
    if (off_pane(ui)) {
        return off_pane(ui);
    }
    return ui_job_row(ui) ? NULL : "no job is selected";
}

static const char *off_hits(const struct ui *ui)
{
    return ui->find[0] ? NULL : "nothing is searched for; / does";
}

static enum copy_phase phase_of(const struct ui *ui)
{
    const struct answer *a = ui->model.answer[ASK_COPY];

    return a && !a->has_failed ? a->copy.phase : COPY_ABSENT;
}

static const char *off_copy_verb(const struct ui *ui)
{
    if (ui->wizard.words.where != WHERE_COPY) {
        return "that is for a copy beside production";
    }
    return ui->wizard.doing != WIZARD_NO_JOB ? "another job of this copy runs" : NULL;
}

static const char *off_delete(const struct ui *ui)
{
    return ui->view == VIEW_CHECK ? off_copy_verb(ui) : off_selected_backup(ui);
}

static const char *off_psql(const struct ui *ui)
{
    enum copy_phase phase = phase_of(ui);

    if (phase == COPY_FAILED || phase == COPY_STOPPED) {
        return "the server of the copy does not run";
    }
    return phase == COPY_PAUSED || phase == COPY_OPEN ? NULL
                                                      : "the copy does not answer queries yet";
}

static const char *off_promote(const struct ui *ui)
{
    enum copy_phase phase = phase_of(ui);

    if (off_copy_verb(ui)) {
        return off_copy_verb(ui);
    }
    if (phase == COPY_OPEN) {
        return "the copy is writable already";
    }
    if (phase == COPY_FAILED || phase == COPY_STOPPED) {
        return "the server of the copy does not run";
    }
    return phase == COPY_PAUSED ? NULL : "the copy has not reached its target yet";
}

/* A moment that cannot be had has neighbours that can. */
static const char *off_near(const struct ui *ui, int64_t us)
{
    const struct answer *a = ui->model.answer[ASK_MOMENT];

    if (!a || a->has_failed || a->moment.can_restore) {
        return "the target can be restored as it is";
    }
    return us ? NULL : "there is none on that side";
}

static const char *off_below(const struct ui *ui)
{
    const struct answer *a = ui->model.answer[ASK_MOMENT];

    return off_near(ui, a && !a->has_failed ? a->moment.below.us : 0);
}

static const char *off_above(const struct ui *ui)
{
    const struct answer *a = ui->model.answer[ASK_MOMENT];

    return off_near(ui, a && !a->has_failed ? a->moment.above.us : 0);
}

static const char *off_side(const struct ui *ui)
{
    const struct goal *goal = &ui->wizard.words.goal;
    static const char *const why[] = {
        [GOAL_LATEST] = "there is nothing behind the end of the WAL",
        [GOAL_NAME] = "a restore point is a point: there is no commit in it",
        [GOAL_IMMEDIATE] = "the end of the backup is a point",
        [GOAL_TIME] = NULL,
        [GOAL_XID] = NULL,
        [GOAL_LSN] = NULL,
    };

    return why[goal->kind == GOAL_LSN && goal->point[0] ? GOAL_NAME : goal->kind];
}

static const char *off_choose(const struct ui *ui)
{
    return ui->view == VIEW_CHECK ? off_copy_verb(ui) : NULL;
}

static const char *off_back(const struct ui *ui)
{
    if (ui->view == VIEW_OVERVIEW &&
        (ui->pane != PANE_SERVERS || ui->is_zoomed || ui->list[ui->pane].filter[0])) {
        return NULL;
    }
    if (ui->view == VIEW_OVERVIEW) {
        return "this is the first screen; q quits";
    }
    return ui->backs ? NULL : "this is the first screen; q quits";
}

static const char *off_open(const struct ui *ui)
{
    switch (ui->view) {
    case VIEW_BACKUP:
        return "there is nothing to open here";
    case VIEW_JOBS:
        return ui->log_has_focus ? "the log is open; Tab goes to the list of jobs" : NULL;
    case VIEW_WHEN:
        return when_off(ui);
    case VIEW_PLAN:
        return plan_off(ui);
    case VIEW_RUN:
        return run_off(ui);
    case VIEW_CHECK:
        return check_off(ui);
    default:
        return NULL;
    }
}

static const char *off_filter(const struct ui *ui)
{
    bool nothing = ui->view == VIEW_WAL || (ui->view == VIEW_OVERVIEW && ui->pane == PANE_WAL);

    return nothing ? "there is no list to filter here" : NULL;
}

static const char *off_sort(const struct ui *ui)
{
    return ui->pane == PANE_SERVERS || ui->pane == PANE_BACKUPS
               ? NULL
               : "only servers and backups can be sorted";
}

static const struct {
    enum act act;
    const char *(*off)(const struct ui *ui);
} rule[] = {
    {ACT_BACKUP, off_backup},    {ACT_RESTORE, off_restore}, {ACT_VERIFY, off_selected_backup},
    {ACT_DELETE, off_delete},    {ACT_CANCEL, off_cancel},   {ACT_LOG, off_log},
    {ACT_WAL, off_server},       {ACT_REFRESH, off_server},  {ACT_NEXT_HIT, off_hits},
    {ACT_PREV_HIT, off_hits},    {ACT_ONLY_HITS, off_hits},  {ACT_PSQL, off_psql},
    {ACT_PROMOTE, off_promote},  {ACT_BACK, off_back},       {ACT_NEAR_BELOW, off_below},
    {ACT_NEAR_ABOVE, off_above}, {ACT_SIDE, off_side},       {ACT_CHOOSE, off_choose},
    {ACT_OPEN, off_open},        {ACT_FILTER, off_filter},   {ACT_SORT, off_sort},
    {ACT_REVERSE, off_sort},
};

const char *key_off(const struct ui *ui, enum act act)
{
    for (size_t i = 0; i < sizeof rule / sizeof rule[0]; i++) {
        if (rule[i].act == act) {
            return rule[i].off(ui);
        }
    }
    return NULL;
}

const char *ui_key_label(const struct ui *ui, enum act act)
{
    const struct key_entry *e = key_entry_of(act);

    if (IN(ui->view) & IN_WIZARD) {
        const char *label = wizard_key_label(ui, act);

        return label ? label : e ? e->label : "";
    }
    if (act == ACT_FILTER && ui->view == VIEW_JOBS) {
        return "find";
    }
    return e ? e->label : "";
}
