/* SPDX-License-Identifier: PostgreSQL */
#include "pg/pulse.h"

#include "base/clock.h"
#include "wal/seg.h"

#include <stdlib.h>
#include <string.h>

struct pulse {
    struct pg *pg;
    char *conninfo, *slot, *application;
};

/* One row. $1: the slot, $2: the receiver's application_name. The timeline of a server in
 * production is the one it writes, not that of its last checkpoint. */
static const char pulse_sql[] =
    "SELECT pg_catalog.current_setting('server_version'), i.r,"
    " CASE WHEN i.r THEN pg_catalog.pg_last_wal_replay_lsn()"
    " ELSE pg_catalog.pg_current_wal_lsn() END,"
    " CASE WHEN i.r THEN pg_catalog.to_hex((SELECT timeline_id"
    " FROM pg_catalog.pg_control_checkpoint()))"
    " ELSE pg_catalog.substr(pg_catalog.pg_walfile_name(pg_catalog.pg_current_wal_lsn()), 1, 8)"
    " END,"
    " (pg_catalog.date_part('epoch', pg_catalog.clock_timestamp()) * 1000000)"
    "::pg_catalog.int8,"
    " (SELECT system_identifier FROM pg_catalog.pg_control_system()),"
    " pg_catalog.pg_size_bytes(pg_catalog.current_setting('wal_segment_size')),"
    " s.slot_name IS NOT NULL, COALESCE(s.active, false),"
    " COALESCE(s.wal_status = 'lost', false), s.restart_lsn,"
    " w.pid IS NOT NULL, w.flush_lsn, w.sync_state,"
    " a.archived_count IS NOT NULL,"
    " pg_catalog.current_setting('archive_mode') <> 'off'"
    " AND a.last_failed_time IS NOT NULL"
    " AND (a.last_archived_time IS NULL OR a.last_failed_time > a.last_archived_time)"
    " AND NOT COALESCE(a.last_failed_wal LIKE '%.history'"
    " AND pg_catalog.substr(a.last_failed_wal, 1, 8)"
    " <= pg_catalog.substr(a.last_archived_wal, 1, 8), false),"
    " (pg_catalog.date_part('epoch', a.last_failed_time) * 1000000)::pg_catalog.int8,"
    " a.last_failed_wal"
    " FROM (SELECT pg_catalog.pg_is_in_recovery() AS r) i"
    " CROSS JOIN pg_catalog.pg_stat_archiver a"
    " LEFT JOIN pg_catalog.pg_replication_slots s"
    " ON s.slot_name = $1::pg_catalog.name AND s.slot_type = 'physical'"
    " LEFT JOIN LATERAL (SELECT r.pid, r.flush_lsn, r.sync_state"
    " FROM pg_catalog.pg_stat_replication r"
    " WHERE r.pid = s.active_pid OR (r.application_name = $2 AND r.state = 'streaming')"
    " ORDER BY r.pid = s.active_pid DESC NULLS LAST LIMIT 1) w ON true";

enum {
    COL_VERSION,
    COL_RECOVERY,
    COL_LSN,
    COL_TLI,
    COL_NOW,
    COL_SYSTEMID,
    COL_SEG_SIZE,
    COL_HAS_SLOT,
    COL_SLOT_ACTIVE,
    COL_SLOT_LOST,
    COL_SLOT_LSN,
    COL_CONNECTED,
    COL_FLUSHED,
    COL_SYNC_STATE,
    COL_ARCHIVER_KNOWN,
    COL_ARCHIVER_FAILS,
    COL_FAILED_AT,
    COL_FAILED_WAL,
    COL_COUNT,
};

struct pulse *pulse_new(const char *conninfo, const char *slot, const char *application)
{
    struct pulse *p = calloc(1, sizeof *p);

    if (p) {
        p->conninfo = strdup(conninfo);
        p->slot = strdup(slot ? slot : "");
        p->application = strdup(application ? application : "");
        if (p->conninfo && p->slot && p->application) {
            return p;
        }
    }
    pulse_free(p);
    return NULL;
}

void pulse_free(struct pulse *p)
{
    if (p) {
        pg_close(p->pg);
        free(p->conninfo);
        free(p->slot);
        free(p->application);
        free(p);
    }
}

bool pulse_is_connected(const struct pulse *p)
{
    return p->pg && pg_is_open(p->pg);
}

static void text(const struct pg_rows *r, int col, char *out, size_t cap)
{
    const char *p = pg_text(r, 0, col);

    str_copy(out, cap, p ? p : "");
}

static int64_t micros(const struct pg_rows *r, int col)
{
    int64_t us;

    return str_i64(pg_bytes(r, 0, col), &us) ? us : 0;
}

static pg_lsn position(const struct pg_rows *r, int col)
{
    pg_lsn lsn;

    return pg_lsn_at(r, 0, col, &lsn) ? lsn : 0;
}

static void take(const struct pg *pg, const struct pg_rows *r, struct pulse_answer *out)
{
    struct str version = pg_bytes(r, 0, COL_VERSION), number = str_of("");
    uint64_t n;

    out->version = pg_version(pg);
    (void)str_split(&version, ' ', &number); /* "15.18 (Debian 15.18-0+deb12u1)" */
    str_fmt(out->version_text, sizeof out->version_text, "%.*s", (int)number.n, number.p);
    text(r, COL_SYSTEMID, out->systemid, sizeof out->systemid);
    out->in_recovery = pg_bool(r, 0, COL_RECOVERY);
    if (str_hex_u64(pg_bytes(r, 0, COL_TLI), 0, &n) && n <= UINT32_MAX) {
        out->tli = (pg_tli)n;
    }
    out->lsn = position(r, COL_LSN);
    out->now_us = micros(r, COL_NOW);
    if (pg_u64(r, 0, COL_SEG_SIZE, &n) && wal_seg_size_ok(n)) {
        out->seg_size = (uint32_t)n;
    }
    out->has_slot = pg_bool(r, 0, COL_HAS_SLOT);
    out->slot_active = pg_bool(r, 0, COL_SLOT_ACTIVE);
    out->slot_lost = pg_bool(r, 0, COL_SLOT_LOST);
    out->slot_lsn = position(r, COL_SLOT_LSN);
    out->is_connected = pg_bool(r, 0, COL_CONNECTED) || out->slot_active;
    out->flushed = position(r, COL_FLUSHED);
    if (out->flushed == 0 && out->slot_active) {
        out->flushed = out->slot_lsn;
    }
    text(r, COL_SYNC_STATE, out->sync_state, sizeof out->sync_state);
    out->archiver_known = pg_bool(r, 0, COL_ARCHIVER_KNOWN);
    out->archiver_fails = pg_bool(r, 0, COL_ARCHIVER_FAILS);
    out->archiver_failed_us = micros(r, COL_FAILED_AT);
    text(r, COL_FAILED_WAL, out->archiver_failed_wal, sizeof out->archiver_failed_wal);
}

/* The task with a nearer end. *ours: the end is ours. */
static struct task nearer(const struct task *t, int64_t seconds, bool *ours)
{
    struct task near = *t;
    int64_t by = clock_mono_ns() + seconds * NS_PER_S;

    *ours = !t->deadline_ns || by < t->deadline_ns;
    if (*ours) {
        near.deadline_ns = by;
    }
    return near;
}

/* ERR_TIMEOUT, unlike a connection that was lost. */
static bool late(bool ours, const char *what, int64_t seconds, struct err *err)
{
    if (ours && err->code == ERR_TIMEOUT) {
        err_set(err, ERR_TIMEOUT, "Look whether the server runs and can be reached.", "",
                "%s within %d s", what, (int)seconds);
    }
    return false;
}

static bool ask(struct pulse *p, const struct task *t, struct pulse_answer *out,
                struct err *err)
{
    const char *const params[] = {p->slot, p->application, NULL};
    struct pg_rows r = {0};
    bool ours, ok;
    struct task near = nearer(t, PULSE_ANSWER_S, &ours);

    if (!pg_query(p->pg, &near, pulse_sql, params, &r, err)) {
        return late(ours, "no answer", PULSE_ANSWER_S, err);
    }
    ok = r.rows == 1 && r.cols == COL_COUNT;
    if (ok) {
        take(p->pg, &r, out);
    } else {
        err_set(err, ERR_QUERY, "", "", "the server tells nothing about itself");
    }
    pg_rows_clear(&r);
    return ok;
}

static bool connect_anew(struct pulse *p, const struct task *t, struct err *err)
{
    struct pg_target target = {.conninfo = p->conninfo, .application_name = "barkeep"};
    bool ours;
    struct task near = nearer(t, PULSE_CONNECT_S, &ours);

    pg_close(p->pg);
    p->pg = pg_open(&near, &target, err);
    return p->pg || late(ours, "no connection", PULSE_CONNECT_S, err);
}

bool pulse_read(struct pulse *p, const struct task *t, struct pulse_answer *out,
                struct err *err)
{
    struct pulse_answer answer = {0};
    bool was_connected = pulse_is_connected(p);

    if (!was_connected && !connect_anew(p, t, err)) {
        return false;
    }
    if (!ask(p, t, &answer, err)) {
        /* A server that was started anew since the last look is there at the second try. */
        bool lost = was_connected && err->code == ERR_CONNECT;
        pg_close(p->pg);
        p->pg = NULL;
        if (!lost || !connect_anew(p, t, err) || !ask(p, t, &answer, err)) {
            return false;
        }
    }
    *out = answer;
    return true;
}
