/* SPDX-License-Identifier: PostgreSQL */
/* conn.h - one connection to a PostgreSQL server, ordinary or replication.
 *
 *     struct pg *pg = pg_open(t, &(struct pg_target){.conninfo = ...}, err);
 *     struct pg_rows r;
 *     if (pg_query(pg, t, "SELECT $1::int", (const char *[]){"1", NULL}, &r, err)) {
 *         ... pg_text(&r, 0, 0) ...
 *         pg_rows_clear(&r);
 *     }
 *     pg_close(pg);
 *
 * Waiting  Nothing here blocks but name look-up: every wait is a poll() on the socket and
 *          t->cancel_fd, to t->deadline_ns. Where a step needs a nearer deadline, pass a copy
 *          of the task with that deadline. libpq looks a host NAME up in the calling thread,
 *          for as long as the resolver takes; with a numeric host or a socket directory it
 *          does not.
 * Cancel   A cancelled or late query leaves the connection shut down (pg_is_open() is false):
 *          nothing can be asked of it any more. PQcancel() is not used, it would wait for
 *          a second connection to a server that may be gone; instead ordinary sessions of
 *          PostgreSQL 14+ look every second whether we are still there.
 * Errors   ERR_CONNECT when no connection or it was lost, ERR_QUERY when the server said no
 *          (its text on one line with the SQLSTATE, see pg_sqlstate()), ERR_CANCEL,
 *          ERR_TIMEOUT. No text holds a password.
 * Threads  One thread at a time owns a connection.
 * Source   PostgreSQL 13-18 documentation, chapters "libpq" and "Streaming Replication
 *          Protocol".
 */
#ifndef PG_CONN_H
#define PG_CONN_H

#include "barkeep/arena.h"
#include "barkeep/err.h"
#include "barkeep/model.h"
#include "barkeep/str.h"
#include "barkeep/task.h"

#include <stddef.h>
#include <stdint.h>

struct pg;        /* a connection */
struct pg_result; /* libpq's PGresult, only named here */

enum pg_mode { PG_ORDINARY, PG_REPLICATION };

struct pg_target {
    const char *conninfo;         /* keyword string or URI; service and passfile work */
    const char *application_name; /* forced; NULL: the conninfo's, else "barkeep" */
    enum pg_mode mode;            /* PG_REPLICATION adds replication=true (physical) */
    const char *database;         /* instead of the conninfo's; NULL: that one */
    int keepalive_s; /* TCP signs of life after so long without a byte; 0: 30; -1: none */
};

/* Loads libpq now. A process whose threads will each ask a server calls it before they start; what
 * is wrong is told by every pg_open() again. */
void pg_load(void);

/* Connected, authenticated, session prepared (empty search_path and no idle time-outs on an
 * ordinary one). Waits connect_timeout of the conninfo for each host, 30 s when it has none. */
MUST_CHECK struct pg *pg_open(const struct task *t, const struct pg_target *target,
                              struct err *err);
void pg_close(struct pg *pg); /* NULL is fine */

/* From now on what the server says beside its answers (warnings and notices, on one line) goes to
 * fn, in the thread that asks. Without it they are dropped. */
void pg_on_notice(struct pg *pg, void *ctx, void (*fn)(void *ctx, const char *line));

bool pg_is_open(const struct pg *pg);
int pg_version(const struct pg *pg);          /* 150020; major: / 10000 */
int pg_fd(const struct pg *pg);               /* for poll(); -1 when shut down */
const char *pg_sqlstate(const struct pg *pg); /* of the last ERR_QUERY: "42710", or "" */
const char *pg_server_text(const struct pg *pg, const char *name); /* parameter status */

/* Cut the connection so that a wait in progress ends at once; pg_close() must still follow. */
void pg_shutdown(struct pg *pg);

/* The conninfo for people: only host, port, user, dbname, service and the like are printed,
 * there is no case for a password. out[cap] always ends in NUL. Returns out. */
const char *pg_show_conninfo(const char *conninfo, char *out, size_t cap);
/* One keyword of a conninfo ("dbname"), false when it has none or cannot be parsed. Refuses to
 * give a password. */
bool pg_conninfo_value(const char *conninfo, const char *keyword, char *out, size_t cap);

/* ---- rows --------------------------------------------------------------------------- */

struct pg_rows {
    struct pg_result *res;
    int rows, cols;
};

const char *pg_text(const struct pg_rows *r, int row, int col);        /* NULL for SQL NULL */
struct str pg_bytes(const struct pg_rows *r, int row, int col);        /* may hold NUL bytes */
bool pg_u64(const struct pg_rows *r, int row, int col, uint64_t *out); /* false: not a number */
bool pg_bool(const struct pg_rows *r, int row, int col);               /* 't' */
/* "16/B374D848"; false when it is not one. */
bool pg_lsn_at(const struct pg_rows *r, int row, int col, pg_lsn *out);
/* The same, 0 for what is none; and a copy of a text: NULL stays NULL, and out of memory is the
 * arena's flag, asked once at the end. */
uint64_t pg_number(const struct pg_rows *r, int row, int col);
pg_lsn pg_position(const struct pg_rows *r, int row, int col);
const char *pg_keep(struct arena *a, const struct pg_rows *r, int row, int col);
void pg_rows_clear(struct pg_rows *r); /* zeroed rows are fine */

/* ---- one query, one answer ---------------------------------------------------------- */

/* params: NULL-terminated, may be NULL; on a replication connection there can be none. The
 * rows of the last result are yours to clear; out may be NULL. */
MUST_CHECK bool pg_query(struct pg *pg, const struct task *t, const char *sql,
                         const char *const *params, struct pg_rows *out, struct err *err);

/* "text" as an SQL identifier or literal with its quotes, in the arena. */
MUST_CHECK const char *pg_quote_name(struct pg *pg, struct arena *a, const char *text,
                                     struct err *err);
MUST_CHECK const char *pg_quote_text(struct pg *pg, struct arena *a, const char *text,
                                     struct err *err);

/* ---- step by step: several results, COPY -------------------------------------------- */

enum pg_step {
    PG_STEP_FAILED, /* err is filled; go on with pg_next() until PG_STEP_END, or close */
    PG_STEP_ROWS,   /* *out holds them */
    PG_STEP_DONE,   /* a command without rows completed */
    PG_STEP_COPY_OUT,
    PG_STEP_COPY_IN,
    PG_STEP_COPY_BOTH,
    PG_STEP_END, /* no more results: the connection is idle */
};

MUST_CHECK bool pg_send(struct pg *pg, const struct task *t, const char *sql, struct err *err);
enum pg_step pg_next(struct pg *pg, const struct task *t, struct pg_rows *out, struct err *err);
/* Throw away what is left until PG_STEP_END; false when a result was a failure. */
MUST_CHECK bool pg_drain(struct pg *pg, const struct task *t, struct err *err);

/* COPY from the server. PG_COPY_DATA: *msg is one whole message, *n > 0 bytes, to be given back
 * with pg_copy_free() (any thread may). PG_COPY_NOTHING only from pg_copy_poll(): wait for
 * pg_fd() to become readable. PG_COPY_END: the copy ended, ask pg_next() how. */
enum pg_copy { PG_COPY_FAILED, PG_COPY_DATA, PG_COPY_NOTHING, PG_COPY_END };
enum pg_copy pg_copy_get(struct pg *pg, const struct task *t, char **msg, size_t *n,
                         struct err *err);                                        /* waits */
enum pg_copy pg_copy_poll(struct pg *pg, char **msg, size_t *n, struct err *err); /* no wait */
void pg_copy_free(char *msg);

/* COPY to the server, waiting for room. */
MUST_CHECK bool pg_copy_put(struct pg *pg, const struct task *t, const void *p, size_t n,
                            struct err *err);
MUST_CHECK bool pg_copy_end(struct pg *pg, const struct task *t, struct err *err);

#endif
