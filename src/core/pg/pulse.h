/* SPDX-License-Identifier: PostgreSQL */
/* pulse.h - what a console wants to know of a server every few seconds: one statement, one round
 * trip on a connection that is kept.
 *
 *     struct pulse *p = pulse_new(conninfo, slot, application);
 *     if (pulse_read(p, t, &answer, &err)) { ... }       connects when it is not connected
 *     pulse_free(p);
 *
 * Rights   None are needed but to connect. Without pg_monitor the receiver's own line in
 *          pg_stat_replication is hidden when it runs as another user; its slot tells then how
 *          far it is (restart_lsn of a physical slot is what was acknowledged).
 * Waiting  At most PULSE_CONNECT_S to connect and PULSE_ANSWER_S for the answer, less when the
 *          task's deadline is nearer; ends at once on cancel. Host names are looked up by libpq
 *          for as long as that takes (conn.h).
 * Errors   As conn.h; a failure closes the connection and the next call connects anew. No text
 *          holds a password.
 * Load     The session is named `barkeep`, has an empty search_path, and asks nothing that
 *          costs the server more than a microsecond or two of views in memory.
 * Source   PostgreSQL 13-18: pg_stat_archiver, pg_replication_slots, pg_stat_replication,
 *          pg_control_*.
 */
#ifndef PG_PULSE_H
#define PG_PULSE_H

#include "pg/conn.h"

#define PULSE_CONNECT_S 5
#define PULSE_ANSWER_S  5

struct pulse_answer {      /* "" and 0: not told */
    int version;           /* 150018 */
    char version_text[24]; /* "15.18" */
    char systemid[24];
    bool in_recovery;
    pg_tli tli;
    pg_lsn lsn; /* written, or replayed */
    int64_t now_us;
    uint32_t seg_size;

    bool has_slot, slot_active, slot_lost;
    pg_lsn slot_lsn;
    bool is_connected; /* our receiver */
    pg_lsn flushed;
    char sync_state[16];

    bool archiver_known, archiver_fails;
    int64_t archiver_failed_us;
    char archiver_failed_wal[WAL_FILE_NAME_CAP];
};

struct pulse;

/* Texts are copied; slot and application may be NULL. NULL: out of memory. */
struct pulse *pulse_new(const char *conninfo, const char *slot, const char *application);
void pulse_free(struct pulse *p); /* NULL is fine */

MUST_CHECK bool pulse_read(struct pulse *p, const struct task *t, struct pulse_answer *out,
                           struct err *err);
bool pulse_is_connected(const struct pulse *p);

#endif
