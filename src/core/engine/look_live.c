/* SPDX-License-Identifier: PostgreSQL */
#include "base/clock.h"
#include "engine/look_in.h"
#include "repo/lock.h"

#include <string.h>

static bool same_server(const struct pulse_answer *x, const struct pulse_answer *y)
{
    return x->version == y->version && strcmp(x->version_text, y->version_text) == 0 &&
           strcmp(x->systemid, y->systemid) == 0 && x->in_recovery == y->in_recovery &&
           x->tli == y->tli && x->lsn == y->lsn && x->archiver_known == y->archiver_known &&
           x->archiver_fails == y->archiver_fails &&
           x->archiver_failed_us == y->archiver_failed_us &&
           strcmp(x->archiver_failed_wal, y->archiver_failed_wal) == 0;
}

static bool same_receiver(const struct pulse_answer *x, const struct pulse_answer *y)
{
    return x->has_slot == y->has_slot && x->slot_active == y->slot_active &&
           x->slot_lost == y->slot_lost && x->slot_lsn == y->slot_lsn &&
           x->is_connected == y->is_connected && x->flushed == y->flushed &&
           strcmp(x->sync_state, y->sync_state) == 0;
}

static bool look_locks(struct look *l)
{
    bool receives = lock_is_held(&l->repo, LOCK_RECEIVE_WAL, NULL);
    bool backs_up = lock_is_held(&l->repo, LOCK_BACKUP, NULL);
    bool changed = receives != l->is_receiving || backs_up != l->is_backing_up;

    l->is_receiving = receives;
    l->is_backing_up = backs_up;
    return changed;
}

/* Without libpq's question behind its answer: "... Connection refused Is the server running on
 * that host and accepting TCP/IP connections?" */
static void take_why(const char *why, char *out, size_t cap)
{
    char *question;

    str_copy(out, cap, why);
    question = strstr(out, " Is the server running");
    if (question) {
        *question = '\0';
    }
}

bool look_live(struct look *l, const struct task *t)
{
    struct pulse_answer answer;
    bool changed = look_locks(l);
    int64_t now_us = clock_wall_ns() / 1000;
    char why[sizeof l->why];
    struct err err = {0};

    if (!l->pulse) {
        return changed;
    }
    if (pulse_read(l->pulse, t, &answer, &err)) {
        changed = changed || l->state != LIVE_OK || !same_server(&answer, &l->answer) ||
                  !same_receiver(&answer, &l->answer);
        l->answer = answer;
        l->state = LIVE_OK;
        l->answered_us = clock_wall_ns() / 1000;
        l->why[0] = '\0';
        return changed;
    }
    if (err.code == ERR_CANCEL) {
        return changed;
    }
    if (l->state != LIVE_SILENT) {
        l->state = LIVE_SILENT;
        l->since_us = l->answered_us ? l->answered_us : now_us;
        changed = true;
    }
    take_why(err.why, why, sizeof why);
    changed = changed || strcmp(l->why, why) != 0;
    str_copy(l->why, sizeof l->why, why);
    return changed;
}

bool look_is_silent(const struct look *l)
{
    return l->state == LIVE_SILENT;
}

static const char *text(struct arena *a, const char *s)
{
    return s && s[0] ? arena_strdup(a, s) : NULL;
}

void look_live_fill(const struct look *l, struct arena *a, struct live *out)
{
    const struct pulse_answer *p = &l->answer;

    *out = (struct live){
        .state = l->state,
        .answered_us = l->answered_us,
        .since_us = l->state == LIVE_SILENT ? l->since_us : 0,
        .why = l->state == LIVE_OFF ? text(a, l->off_why) : text(a, l->why),
        .address = text(a, l->address),
        .version_text = text(a, p->version_text),
        .systemid = text(a, p->systemid),
        .version = p->version,
        .in_recovery = p->in_recovery,
        .tli = p->tli,
        .lsn = p->lsn,
        .now_us = p->now_us,
        .flushed = p->is_connected ? p->flushed : 0,
        .sync_state = p->is_connected ? text(a, p->sync_state) : NULL,
        .has_slot = p->has_slot,
        .slot_lost = p->slot_lost,
        .slot_lsn = p->slot_lsn,
        .archiver_known = p->archiver_known,
        .archiver_fails = p->archiver_fails,
        .archiver_failed_us = p->archiver_failed_us,
        .archiver_failed_wal = text(a, p->archiver_failed_wal),
    };
}
