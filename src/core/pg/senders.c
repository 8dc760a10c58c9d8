/* SPDX-License-Identifier: PostgreSQL */
/* Who streams from a server: pg_stat_replication with the slots. */
#include "pg/facts.h"

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
            .pid = pg_number(&r, row, COL_PID),
            .application_name = pg_keep(a, &r, row, COL_APPLICATION),
            .user = pg_keep(a, &r, row, COL_USER),
            .client = pg_keep(a, &r, row, COL_CLIENT),
            .state = pg_keep(a, &r, row, COL_STATE),
            .sync_state = pg_keep(a, &r, row, COL_SYNC_STATE),
            .slot = pg_keep(a, &r, row, COL_SLOT),
            .host = pg_keep(a, &r, row, COL_HOST),
            .port = pg_keep(a, &r, row, COL_PORT),
            .started = pg_keep(a, &r, row, COL_STARTED),
            .xmin = pg_keep(a, &r, row, COL_XMIN),
            .sent = pg_position(&r, row, COL_SENT),
            .write = pg_position(&r, row, COL_WRITE),
            .flush = pg_position(&r, row, COL_FLUSH),
            .replay = pg_position(&r, row, COL_REPLAY),
            .sync_priority = pg_number(&r, row, COL_PRIORITY),
        };
    }
    *out = list;
    *n = (size_t)r.rows;
    pg_rows_clear(&r);
    return !a->failed || arena_err(a, err);
}
