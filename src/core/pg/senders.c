/* SPDX-License-Identifier: PostgreSQL */
/* Who streams from a server: pg_stat_replication with the slots. */
#include "pg/facts.h"

static const char *keep(struct arena *a, const struct pg_rows *r, int row, int col)
{
    const char *text = pg_text(r, row, col);

    return text ? arena_strdup(a, text) : NULL;
}

static uint64_t number(const struct pg_rows *r, int row, int col)
{
    uint64_t n = 0;

    return pg_u64(r, row, col, &n) ? n : 0;
}

static pg_lsn position(const struct pg_rows *r, int row, int col)
{
    pg_lsn lsn = 0;

    return pg_lsn_at(r, row, col, &lsn) ? lsn : 0;
}

enum { /* columns of senders_sql */
       COL_PID,
       COL_APPLICATION,
       COL_USER,
       COL_CLIENT,
       COL_STATE,
       COL_SYNC_STATE,
       COL_SLOT,
       COL_SENT,
       COL_WRITE,
       COL_FLUSH,
       COL_REPLAY,
       COL_PRIORITY,
       COL_HOST,
       COL_PORT,
       COL_STARTED,
       COL_XMIN,
};

static const char senders_sql[] =
    "SELECT s.pid, s.application_name, s.usename,"
    " COALESCE(pg_catalog.host(s.client_addr), s.client_hostname), s.state, s.sync_state,"
    " l.slot_name, s.sent_lsn, s.write_lsn, s.flush_lsn, s.replay_lsn, s.sync_priority,"
    " s.client_hostname, s.client_port, s.backend_start, s.backend_xmin"
    " FROM pg_catalog.pg_stat_replication s"
    " LEFT JOIN pg_catalog.pg_replication_slots l ON l.active_pid = s.pid"
    " WHERE l.slot_type IS NULL OR l.slot_type = 'physical'"
    " ORDER BY s.sync_state DESC, s.sync_priority, s.pid";

bool pg_senders_read(struct pg *pg, const struct task *t, struct arena *a,
                     const struct pg_sender **out, size_t *n, struct err *err)
{
    struct pg_sender *list;
    struct pg_rows r;

    if (!pg_query(pg, t, senders_sql, NULL, &r, err)) {
        return err_wrap(err, "read who streams from the server");
    }
    list = ARENA_ARRAY(a, (size_t)r.rows + 1, struct pg_sender);
    for (int row = 0; list && row < r.rows; row++) {
        list[row] = (struct pg_sender){
            .pid = number(&r, row, COL_PID),
            .application_name = keep(a, &r, row, COL_APPLICATION),
            .user = keep(a, &r, row, COL_USER),
            .client = keep(a, &r, row, COL_CLIENT),
            .state = keep(a, &r, row, COL_STATE),
            .sync_state = keep(a, &r, row, COL_SYNC_STATE),
            .slot = keep(a, &r, row, COL_SLOT),
            .host = keep(a, &r, row, COL_HOST),
            .port = keep(a, &r, row, COL_PORT),
            .started = keep(a, &r, row, COL_STARTED),
            .xmin = keep(a, &r, row, COL_XMIN),
            .sent = position(&r, row, COL_SENT),
            .write = position(&r, row, COL_WRITE),
            .flush = position(&r, row, COL_FLUSH),
            .replay = position(&r, row, COL_REPLAY),
            .sync_priority = number(&r, row, COL_PRIORITY),
        };
    }
    *out = list;
    *n = (size_t)r.rows;
    pg_rows_clear(&r);
    return !a->failed || arena_err(a, err);
}
