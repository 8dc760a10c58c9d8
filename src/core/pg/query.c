/* SPDX-License-Identifier: PostgreSQL */
#include "base/bug.h"
#include "pg/conn.h"
#include "pg/conn_impl.h"
#include "wal/seg.h"

#include <poll.h>
#include <string.h>

#define PARAMS_MAX 16

/* ---- rows --------------------------------------------------------------------------- */

const char *pg_text(const struct pg_rows *r, int row, int col)
{
    BUG_IF(row < 0 || col < 0 || row >= r->rows || col >= r->cols);
    return pq.getisnull(r->res, row, col) ? NULL : pq.getvalue(r->res, row, col);
}

struct str pg_bytes(const struct pg_rows *r, int row, int col)
{
    const char *p = pg_text(r, row, col);

    return p ? str_n(p, (size_t)pq.getlength(r->res, row, col)) : str_of("");
}

bool pg_u64(const struct pg_rows *r, int row, int col, uint64_t *out)
{
    return str_u64(pg_bytes(r, row, col), UINT64_MAX, out);
}

bool pg_bool(const struct pg_rows *r, int row, int col)
{
    return str_eq(pg_bytes(r, row, col), "t");
}

bool pg_lsn_at(const struct pg_rows *r, int row, int col, pg_lsn *out)
{
    return wal_lsn_parse(pg_bytes(r, row, col), out);
}

uint64_t pg_number(const struct pg_rows *r, int row, int col)
{
    uint64_t n = 0;

    return pg_u64(r, row, col, &n) ? n : 0;
}

pg_lsn pg_position(const struct pg_rows *r, int row, int col)
{
    pg_lsn lsn = 0;

    return pg_lsn_at(r, row, col, &lsn) ? lsn : 0;
}

const char *pg_keep(struct arena *a, const struct pg_rows *r, int row, int col)
{
    const char *text = pg_text(r, row, col);

    return text ? arena_strdup(a, text) : NULL;
}

void pg_rows_clear(struct pg_rows *r)
{
    if (r->res) {
        pq.clear(r->res);
    }
    *r = (struct pg_rows){0};
}

/* ---- sending and receiving ---------------------------------------------------------- */

/* Everything we queued goes out; input is read meanwhile, so that neither side waits for the
 * other with a full buffer. */
static bool flush_all(struct pg *pg, const struct task *t, struct err *err)
{
    for (;;) {
        int left = pq.flush(pg->raw);
        short ready;

        if (left < 0) {
            return pg_lost(pg, err);
        }
        if (left == 0) {
            return true;
        }
        if (!pg_wait(pg, t, POLLIN | POLLOUT, &ready, err)) {
            return false;
        }
        if ((ready & ~POLLOUT) && !pq.consumeInput(pg->raw)) {
            return pg_lost(pg, err);
        }
    }
}

static bool sendable(struct pg *pg, struct err *err)
{
    pg->sqlstate[0] = '\0';
    if (!pg_is_open(pg)) {
        return err_set(err, ERR_CONNECT, "", pg->shown, "the connection is closed");
    }
    return true;
}

bool pg_send(struct pg *pg, const struct task *t, const char *sql, struct err *err)
{
    if (!sendable(pg, err)) {
        return false;
    }
    if (!pq.sendQuery(pg->raw, sql)) {
        return pg_lost(pg, err);
    }
    return flush_all(pg, t, err);
}

static bool refused(struct pg *pg, PGresult *res, struct err *err)
{
    const char *state = pq.resultErrorField(res, PG_DIAG_SQLSTATE);
    const char *text = pq.resultErrorField(res, PG_DIAG_MESSAGE_PRIMARY);
    char line[256];

    str_copy(pg->sqlstate, sizeof pg->sqlstate, state ? state : "");
    pg_one_line(text ? text : pq.resultErrorMessage(res), line, 232);
    if (pq.status(pg->raw) == CONNECTION_BAD) {
        pg_shutdown(pg);
        return err_set(err, ERR_CONNECT, "Look whether the server runs and can be reached.",
                       pg->shown, "%s", line);
    }
    return err_set(err, ERR_QUERY, "", pg->shown, "%s (SQLSTATE %s)", line, pg->sqlstate);
}

static enum pg_step step_of(struct pg *pg, PGresult *res, struct pg_rows *out, struct err *err)
{
    enum pg_step step = PG_STEP_FAILED;

    switch (pq.resultStatus(res)) {
    case PGRES_TUPLES_OK:
        if (out) {
            *out = (struct pg_rows){res, pq.ntuples(res), pq.nfields(res)};
            return PG_STEP_ROWS;
        }
        step = PG_STEP_ROWS;
        break;
    case PGRES_COMMAND_OK:
    case PGRES_EMPTY_QUERY:
        step = PG_STEP_DONE;
        break;
    case PGRES_COPY_OUT:
        step = PG_STEP_COPY_OUT;
        break;
    case PGRES_COPY_IN:
        step = PG_STEP_COPY_IN;
        break;
    case PGRES_COPY_BOTH:
        step = PG_STEP_COPY_BOTH;
        break;
    default:
        refused(pg, res, err);
        break;
    }
    pq.clear(res);
    return step;
}

enum pg_step pg_next(struct pg *pg, const struct task *t, struct pg_rows *out, struct err *err)
{
    PGresult *res;
    short ready;

    while (!pg->down && pq.isBusy(pg->raw)) {
        if (!pg_wait(pg, t, POLLIN, &ready, err)) {
            return PG_STEP_FAILED;
        }
        if (!pq.consumeInput(pg->raw)) {
            break; /* PQgetResult() tells what the server said before it went away */
        }
    }
    if (pg->down) {
        err_set(err, ERR_CONNECT, "", pg->shown, "the connection is closed");
        return PG_STEP_FAILED;
    }
    res = pq.getResult(pg->raw);
    return res ? step_of(pg, res, out, err) : PG_STEP_END;
}

bool pg_drain(struct pg *pg, const struct task *t, struct err *err)
{
    bool ok = true;

    for (;;) {
        struct err other;
        enum pg_step step = pg_next(pg, t, NULL, ok ? err : &other);

        if (step == PG_STEP_END) {
            return ok;
        }
        if (step >= PG_STEP_COPY_OUT && step <= PG_STEP_COPY_BOTH) {
            pg_shutdown(pg); /* nobody here speaks for this copy */
            return ok ? err_set(err, ERR_QUERY, "", pg->shown, "an unexpected copy") : false;
        }
        ok = ok && step != PG_STEP_FAILED;
        if (pg->down) {
            return ok ? err_set(err, ERR_CONNECT, "", pg->shown, "the connection was lost")
                      : false;
        }
    }
}

/* ---- one query, one answer ---------------------------------------------------------- */

static bool send_with(struct pg *pg, const struct task *t, const char *sql,
                      const char *const *params, struct err *err)
{
    int n = 0;

    if (!params) {
        return pg_send(pg, t, sql, err);
    }
    while (params[n]) {
        n++;
    }
    BUG_IF(n > PARAMS_MAX);
    if (!sendable(pg, err)) {
        return false;
    }
    if (!pq.sendQueryParams(pg->raw, sql, n, NULL, params, NULL, NULL, 0)) {
        return pg_lost(pg, err);
    }
    return flush_all(pg, t, err);
}

bool pg_query(struct pg *pg, const struct task *t, const char *sql, const char *const *params,
              struct pg_rows *out, struct err *err)
{
    struct pg_rows rows = {0};
    bool ok = send_with(pg, t, sql, params, err);

    while (ok) {
        struct pg_rows next = {0};
        enum pg_step step = pg_next(pg, t, &next, err);

        if (step == PG_STEP_END) {
            break;
        }
        if (step == PG_STEP_ROWS) {
            pg_rows_clear(&rows);
            rows = next;
        } else if (step != PG_STEP_DONE) {
            struct err other;
            if (step != PG_STEP_FAILED) {
                pg_shutdown(pg);
                err_set(err, ERR_QUERY, "", pg->shown, "the answer is a copy, not rows");
            }
            if (pg_is_open(pg) && !pg_drain(pg, t, &other)) {
                pg_shutdown(pg);
            }
            ok = false;
        }
    }
    if (!ok || !out) {
        pg_rows_clear(&rows);
    }
    if (out) {
        *out = rows;
    }
    return ok;
}

static const char *quoted(struct pg *pg, struct arena *a, char *text, struct err *err)
{
    const char *kept;

    if (!text) {
        err_set(err, ERR_FORMAT, "", pg->shown, "a name cannot be quoted: broken characters");
        return NULL;
    }
    kept = arena_strdup(a, text);
    pq.freemem(text);
    if (!kept) {
        arena_err(a, err);
    }
    return kept;
}

const char *pg_quote_name(struct pg *pg, struct arena *a, const char *text, struct err *err)
{
    return quoted(pg, a, pq.escapeIdentifier(pg->raw, text, strlen(text)), err);
}

const char *pg_quote_text(struct pg *pg, struct arena *a, const char *text, struct err *err)
{
    return quoted(pg, a, pq.escapeLiteral(pg->raw, text, strlen(text)), err);
}

/* ---- copy --------------------------------------------------------------------------- */

/* What libpq already holds. */
static enum pg_copy copy_held(struct pg *pg, char **msg, size_t *n, struct err *err)
{
    int got = pq.getCopyData(pg->raw, msg, 1);

    if (got > 0) {
        *n = (size_t)got;
        return PG_COPY_DATA;
    }
    if (got == 0) {
        return PG_COPY_NOTHING;
    }
    if (got == -1) {
        return PG_COPY_END;
    }
    pg_lost(pg, err);
    return PG_COPY_FAILED;
}

enum pg_copy pg_copy_poll(struct pg *pg, char **msg, size_t *n, struct err *err)
{
    enum pg_copy got;

    if (pg->down) {
        err_set(err, ERR_CONNECT, "", pg->shown, "the connection is closed");
        return PG_COPY_FAILED;
    }
    got = copy_held(pg, msg, n, err);
    if (got != PG_COPY_NOTHING) {
        return got;
    }
    if (!pq.consumeInput(pg->raw)) {
        pg_lost(pg, err);
        return PG_COPY_FAILED;
    }
    return copy_held(pg, msg, n, err);
}

enum pg_copy pg_copy_get(struct pg *pg, const struct task *t, char **msg, size_t *n,
                         struct err *err)
{
    for (;;) {
        enum pg_copy got = pg_copy_poll(pg, msg, n, err);
        short ready;

        if (got != PG_COPY_NOTHING) {
            return got;
        }
        if (!pg_wait(pg, t, POLLIN, &ready, err)) {
            return PG_COPY_FAILED;
        }
    }
}

void pg_copy_free(char *msg)
{
    if (msg) {
        pq.freemem(msg);
    }
}

bool pg_copy_put(struct pg *pg, const struct task *t, const void *p, size_t n, struct err *err)
{
    BUG_IF(n > INT32_MAX);
    for (;;) {
        int put;

        if (!pg_is_open(pg)) {
            return err_set(err, ERR_CONNECT, "", pg->shown, "the connection is closed");
        }
        put = pq.putCopyData(pg->raw, p, (int)n);
        if (put < 0) {
            return pg_lost(pg, err);
        }
        if (!flush_all(pg, t, err)) {
            return false;
        }
        if (put > 0) {
            return true;
        }
    }
}

bool pg_copy_end(struct pg *pg, const struct task *t, struct err *err)
{
    for (;;) {
        int put;

        if (!pg_is_open(pg)) {
            return err_set(err, ERR_CONNECT, "", pg->shown, "the connection is closed");
        }
        put = pq.putCopyEnd(pg->raw, NULL);
        if (put < 0) { /* the server ended it with an error, which pg_next() tells */
            return err_set(err, ERR_QUERY, "", pg->shown, "no copy is in progress");
        }
        if (!flush_all(pg, t, err)) {
            return false;
        }
        if (put > 0) {
            return true;
        }
    }
}
