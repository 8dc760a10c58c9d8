/* SPDX-License-Identifier: PostgreSQL */
#include "backup_in.h"

#include "archive_wal.h"
#include "base/clock.h"
#include "check_backup.h"

#include <inttypes.h>

#define WAIT_STEP_MS 200

bool backup_nap(const struct backup_run *r, int ms, struct err *err)
{
    return task_rest(r->task, ms, err);
}

/* Bring in what has arrived; whoever else is at it does the same. */
static bool take_wal(struct backup_run *r, struct err *err)
{
    struct archive_wal job;
    struct archive_result result = {0};
    struct err said = {0};

    if (!archive_wal_of(r->repo, r->srv, &job, err)) {
        return false;
    }
    job.talk = ARCHIVE_SAYS_FILES;
    if (archive_wal(r->task, &job, &result, &said) || said.code == ERR_BUSY) {
        return true;
    }
    *err = said;
    return false;
}

static bool judge_wal(struct backup_run *r, struct err *err)
{
    char missing[WAL_FILE_NAME_CAP] = "";
    enum backup_status now;

    if (!check_backup_wals(r->repo, &r->b, &now, missing, err)) {
        return false;
    }
    if (now == r->b.status) {
        return true;
    }
    if (now == BACKUP_FAILED) {
        return err_set(err, ERR_MISSING, "Take another backup.", missing,
                       "a WAL segment this backup needs is missing from the archive");
    }
    r->b.status = now;
    r->what->result.status = now;
    return backup_info_save(r->repo, &r->b, err);
}

/* primary_checkpoint_timeout: an idle primary is made to write something, once. */
static bool push_primary(struct backup_run *r, int64_t *at_ns, struct err *err)
{
    struct err said = {0};
    char why[512];

    if (*at_ns == 0 || clock_mono_ns() < *at_ns) {
        return true;
    }
    *at_ns = 0;
    task_say(r->task, SAY_WARN,
             "WAL file %s has not arrived in %" PRId64
             " seconds: a checkpoint is forced on the "
             "primary",
             r->b.end_wal, r->srv->primary_checkpoint_timeout);
    if (backup_switch_primary(r, PRIMARY_CHECKPOINTS, &said)) {
        return true;
    }
    if (said.code == ERR_CANCEL) {
        *err = said;
        return false;
    }
    task_say(r->task, SAY_WARN, "%s", err_text(&said, why, sizeof why));
    return true;
}

bool backup_wait_wal(struct backup_run *r, struct err *err)
{
    const struct engine_backup_options *o = &r->what->options;
    bool of_standby = r->facts.in_recovery && r->srv->primary_conninfo;
    int64_t until = clock_mono_ns() + (int64_t)o->wait_timeout_s * NS_PER_S;
    int64_t push = of_standby && r->srv->primary_checkpoint_timeout
                       ? clock_mono_ns() + r->srv->primary_checkpoint_timeout * NS_PER_S
                       : 0;

    if (o->wait_timeout_s) {
        task_say(r->task, SAY_OUT,
                 "Waiting for the WAL file %s from server '%s' (max: %u seconds)", r->b.end_wal,
                 r->srv->name, o->wait_timeout_s);
    } else {
        task_say(r->task, SAY_OUT, "Waiting for the WAL file %s from server '%s'", r->b.end_wal,
                 r->srv->name);
    }
    task_progress(r->task, &(struct progress){.phase = "waiting for WAL"});
    while (r->b.status != BACKUP_DONE) {
        if (!take_wal(r, err) || !judge_wal(r, err)) {
            return false;
        }
        if (r->b.status != BACKUP_DONE && o->wait_timeout_s && clock_mono_ns() > until) {
            return err_set(err, ERR_TIMEOUT,
                           "Look whether WAL arrives; check-backup completes the backup later.",
                           r->b.end_wal, "did not arrive in %u seconds", o->wait_timeout_s);
        }
        if (r->b.status != BACKUP_DONE &&
            (!push_primary(r, &push, err) || !backup_nap(r, WAIT_STEP_MS, err))) {
            return false;
        }
    }
    return true;
}

bool backup_bring_wal(struct backup_run *r, struct err *err)
{
    struct err said = {0};
    char why[512];

    if (take_wal(r, &said)) {
        return judge_wal(r, err);
    }
    if (said.code == ERR_CANCEL) {
        *err = said;
        return false;
    }
    task_say(r->task, SAY_WARN, "WAL is not archived: %s", err_text(&said, why, sizeof why));
    return judge_wal(r, err);
}
