/* SPDX-License-Identifier: PostgreSQL */
#include "engine/switch_wal.h"

#include "base/clock.h"
#include "engine/archive_wal.h"
#include "pg/facts.h"
#include "wal/seg.h"

#include <string.h>

#define LOOK_MS 100

/* pg_switch_wal() answers where the switch record ended, or, when there was nothing to close,
 * the boundary it stands on. The name is made of that position: the server's own name function
 * takes a boundary for one segment up to version 16, and for the next one from 17 on. closed
 * "": no segment was closed. */
static bool switched(struct pg *pg, const struct task *t, const struct pg_facts *facts,
                     char closed[WAL_NAME_CAP], struct err *err)
{
    uint32_t seg_size = facts->wal_segment_size;
    struct pg_rows r;
    pg_lsn end = 0;
    bool ok;

    if (!pg_query(pg, t, "SELECT pg_catalog.pg_switch_wal()", NULL, &r, err)) {
        return false;
    }
    ok = r.rows == 1 && pg_lsn_at(&r, 0, 0, &end) && facts->tli && wal_seg_size_ok(seg_size);
    pg_rows_clear(&r);
    closed[0] = '\0';
    if (ok && end % seg_size != 0) {
        wal_seg_name(wal_seg_at(facts->tli, end, seg_size), seg_size, closed);
    }
    return ok || err_set(err, ERR_QUERY, "", "", "the server does not tell where it switched");
}

static bool archive_now(const struct task *t, const struct switch_wal *what, struct err *err)
{
    struct archive_result result;
    struct archive_wal archive;

    if (!archive_wal_of(what->repo, what->srv, &archive, err)) {
        return false;
    }
    archive.talk = ARCHIVE_SAYS_FILES;
    return archive_wal(t, &archive, &result, err) || err->code == ERR_BUSY;
}

/* closed "": any new file will do. */
static bool wait_archived(const struct task *t, const struct switch_wal *what, pg_tli tli,
                          const char *closed, struct err *err)
{
    int64_t until = clock_mono_ns() + what->archive_timeout_s * NS_PER_S;
    char most[48] = "";
    char first[WAL_FILE_NAME_CAP], now[WAL_FILE_NAME_CAP];
    const char *name = what->srv->name;

    if (!wal_newest(what->repo, tli, first, err)) {
        return false;
    }
    if (what->archive_timeout_s) {
        str_fmt(most, sizeof most, " (max: %d seconds)", (int)what->archive_timeout_s);
    }
    if (closed[0]) {
        task_say(t, SAY_OUT, "Waiting for the WAL file %s from server '%s'%s", closed, name,
                 most);
    } else {
        task_say(t, SAY_OUT, "Waiting for a WAL file from server '%s' to be archived%s", name,
                 most);
    }
    for (;;) {
        if (!archive_now(t, what, err) || !wal_newest(what->repo, tli, now, err)) {
            return false;
        }
        if (closed[0] ? strcmp(now, closed) >= 0 : strcmp(now, first) > 0) {
            return true;
        }
        if (what->archive_timeout_s && clock_mono_ns() > until) {
            break;
        }
        if (!task_rest(t, LOOK_MS, err)) {
            return false;
        }
    }
    if (!closed[0]) {
        task_say(t, SAY_OUT, "A WAL file has not been received in %d seconds",
                 (int)what->archive_timeout_s);
        return true;
    }
    return err_set(err, ERR_TIMEOUT, "Look whether receive-wal or archive_command works.",
                   closed, "the WAL file has not been received in %d seconds",
                   (int)what->archive_timeout_s);
}

static bool do_switch(struct pg *pg, const struct task *t, const struct switch_wal *what,
                      struct pg_facts *facts, char closed[WAL_NAME_CAP], struct err *err)
{
    if (what->force == SWITCH_AFTER_CHECKPOINT &&
        !pg_query(pg, t, "CHECKPOINT", NULL, NULL, err)) {
        return err_wrap(err, "force a checkpoint");
    }
    if (!switched(pg, t, facts, closed, err)) {
        return false;
    }
    if (closed[0]) {
        task_say(t, SAY_OUT, "The WAL file %s has been closed on server '%s'", closed,
                 what->srv->name);
    } else {
        task_say(t, SAY_OUT, "No switch required for server '%s'", what->srv->name);
    }
    return true;
}

bool switch_wal(const struct task *t, const struct switch_wal *what, struct err *err)
{
    const struct pg_target target = {.conninfo = what->srv->conninfo,
                                     .application_name = "barkeep"};
    char closed[WAL_NAME_CAP] = "";
    struct pg_facts facts;
    struct arena a;
    struct pg *pg;
    bool ok;

    if (!target.conninfo) {
        return err_set(err, ERR_CONFIG, "Set conninfo.", what->srv->name,
                       "no connection string");
    }
    arena_init(&a, 0);
    pg = pg_open(t, &target, err);
    ok = pg && pg_facts_read(pg, t, &a, &facts, err);
    if (ok && facts.in_recovery) {
        task_say(t, SAY_OUT, "No switch performed because server '%s' is a standby.",
                 what->srv->name);
    } else if (ok) {
        ok = do_switch(pg, t, what, &facts, closed, err);
    }
    pg_close(pg);
    if (!ok) { /* of all servers this one */
        err_wrap(err, "switch WAL of server '%s'", what->srv->name);
    }
    if (ok && what->archive == SWITCH_AND_ARCHIVE) {
        ok = wait_archived(t, what, facts.tli, closed, err);
    }
    arena_release(&a);
    return ok;
}
