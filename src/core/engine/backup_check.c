/* SPDX-License-Identifier: PostgreSQL */
#include "backup_in.h"

#include "check.h"
#include "switch_wal.h"

#include <string.h>

#define ARCHIVE_TIMEOUT_S 10 /* Barman: a third of check_timeout */

static void not_said(void *self, enum say kind, const char *line)
{
    (void)self;
    (void)kind;
    (void)line;
}

/* An archive that is empty because nothing was ever sent: have a first file sent, as Barman
 * does. Not for the receiver, whose own lines tell. */
static bool first_file_comes(struct backup_run *r)
{
    const int64_t limit = r->what->options.check_timeout_s;
    const struct switch_wal what = {
        .repo = r->repo,
        .srv = r->srv,
        .force = SWITCH_AFTER_CHECKPOINT,
        .archive = SWITCH_AND_ARCHIVE,
        .archive_timeout_s = limit > 3 ? limit / 3 : ARCHIVE_TIMEOUT_S,
    };
    struct task_ops ops = *r->task->ops;
    struct task quiet = *r->task;
    struct err why = {0};
    char text[512];

    ops.say = not_said;
    quiet.ops = &ops;
    if (switch_wal(&quiet, &what, &why)) {
        return true;
    }
    task_say(r->task, SAY_LOG, "no first WAL file came: %s", err_text(&why, text, sizeof text));
    return false;
}

static bool is_well(struct backup_run *r, const struct check_line *l)
{
    return l->ok || l->weight != CHECK_CRITICAL ||
           (strcmp(l->label, "WAL archive") == 0 && first_file_comes(r));
}

bool backup_check(struct backup_run *r, struct err *err)
{
    const struct check_known known = {r->sql, &r->facts, &r->ident};
    const struct check_what what = {.repo = r->repo,
                                    .srv = r->srv,
                                    .timeout_s = r->what->options.check_timeout_s,
                                    .known = &known};
    struct check *check = ARENA_NEW(&r->arena, struct check);
    const struct check_line *first = NULL;
    char hint[160];

    if (!check) {
        return arena_err(&r->arena, err);
    }
    if (!check_run(r->task, &what, &r->arena, check, err)) {
        return false;
    }
    for (size_t i = 0; i < check->n; i++) {
        const struct check_line *l = &check->line[i];

        if (is_well(r, l)) {
            continue;
        }
        first = first ? first : l;
        task_say(r->task, SAY_LOG, "check '%s' failed for server '%s': %s", l->label,
                 r->srv->name, l->hint ? l->hint : "no hint");
    }
    if (!first) {
        return true;
    }
    str_fmt(hint, sizeof hint, "Repair what check calls '%s'%s%.90s.", first->label,
            first->hint ? ": " : "", first->hint ? first->hint : "");
    return err_set(err, ERR_UNSAFE, hint, "",
                   "Impossible to start the backup. Check the log for more details, or run "
                   "'barman check %s'",
                   r->srv->name);
}
