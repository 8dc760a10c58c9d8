/* SPDX-License-Identifier: PostgreSQL */
#include "pg/wal_stream.h"

#include "base/clock.h"
#include "base/fmt.h"
#include "base/get.h"
#include "wal/history.h"
#include "wal/seg.h"

#include <string.h>

#define DATA_HEAD     25
#define KEEPALIVE_LEN 18

/* ---- messages ----------------------------------------------------------------------- */

static bool decode_data(const char *p, size_t n, struct wal_msg *m, struct err *err)
{
    if (n < DATA_HEAD) {
        return err_set(err, ERR_FORMAT, "", "", "a WAL data message of only %zu bytes", n);
    }
    m->kind = WAL_MSG_DATA;
    m->start = get_be64(p + 1);
    m->server_end = get_be64(p + 9);
    m->sent_us = (int64_t)get_be64(p + 17);
    m->data = p + DATA_HEAD;
    m->n = n - DATA_HEAD;
    if (m->n > UINT64_MAX - m->start) {
        return err_set(err, ERR_FORMAT, "", "", "WAL data beyond the last position there is");
    }
    return true;
}

static bool decode_keepalive(const char *p, size_t n, struct wal_msg *m, struct err *err)
{
    if (n < KEEPALIVE_LEN) {
        return err_set(err, ERR_FORMAT, "", "", "a keepalive message of only %zu bytes", n);
    }
    m->kind = WAL_MSG_KEEPALIVE;
    m->server_end = get_be64(p + 1);
    m->sent_us = (int64_t)get_be64(p + 9);
    m->reply = p[17] != 0;
    return true;
}

bool wal_msg_decode(const char *p, size_t n, struct wal_msg *out, struct err *err)
{
    *out = (struct wal_msg){0};
    if (n == 0) {
        return err_set(err, ERR_FORMAT, "", "", "an empty replication message");
    }
    switch (p[0]) {
    case 'w':
        return decode_data(p, n, out, err);
    case 'k':
        return decode_keepalive(p, n, out, err);
    default:
        return err_set(err, ERR_FORMAT, "", "", "a replication message of unknown kind 0x%02x",
                       (unsigned)(unsigned char)p[0]);
    }
}

bool wal_msg_follows(const struct wal_msg *msg, pg_lsn expected, struct err *err)
{
    char got[FMT_CAP], want[FMT_CAP];

    return msg->start == expected || err_set(err, ERR_FORMAT, "Look into the server's log.", "",
                                             "the server sends WAL of %s where %s is expected",
                                             fmt_lsn(msg->start, got), fmt_lsn(expected, want));
}

/* What is written is not told before it is durable: a receiver has no use for the difference,
 * and remote_write would wait for less than it means. Applied is 0: nothing is ever applied
 * here. */
void wal_status_encode(uint8_t out[WAL_STATUS_LEN], pg_lsn durable, int64_t now_us,
                       enum wal_ask ask)
{
    out[0] = 'r';
    put_be64(out + 1, durable);
    put_be64(out + 9, durable);
    put_be64(out + 17, 0);
    put_be64(out + 25, (uint64_t)(now_us - PG_EPOCH_US));
    out[33] = ask == WAL_ASK_REPLY;
}

size_t wal_msg_in_segment(pg_lsn lsn, size_t n, uint32_t seg_size)
{
    uint64_t room = seg_size - lsn % seg_size;

    return n < room ? n : (size_t)room;
}

/* ---- streaming ---------------------------------------------------------------------- */

/* The row (next_tli, next_tli_startpos); clears it. */
static bool take_next(struct pg_rows *r, struct wal_next *next, struct err *err)
{
    uint64_t tli = 0;
    bool ok = r->rows == 1 && r->cols >= 2 && pg_u64(r, 0, 0, &tli) && tli > 0 &&
              tli <= UINT32_MAX && pg_lsn_at(r, 0, 1, &next->at);

    next->tli = (pg_tli)tli;
    pg_rows_clear(r);
    return ok ||
           err_set(err, ERR_FORMAT, "", "", "the next timeline told by the server is none");
}

/* After the copy, or instead of it: perhaps a row with the next timeline, then completions. */
static bool read_next(struct pg *pg, const struct task *t, struct wal_next *next,
                      struct err *err)
{
    *next = (struct wal_next){0};
    for (;;) {
        struct pg_rows r = {0};

        switch (pg_next(pg, t, &r, err)) {
        case PG_STEP_END:
            return true;
        case PG_STEP_DONE:
            break;
        case PG_STEP_ROWS:
            if (!take_next(&r, next, err)) {
                return false;
            }
            break;
        case PG_STEP_FAILED:
            return false;
        default:
            return err_set(err, ERR_FORMAT, "", "", "an unexpected copy after WAL streaming");
        }
    }
}

enum wal_started wal_stream_start(struct pg *pg, const struct task *t,
                                  const struct wal_start *start, struct wal_next *next,
                                  struct err *err)
{
    char sql[256], slot[80] = "";
    enum pg_step step;
    struct pg_rows r = {0};

    if (start->slot) {
        str_fmt(slot, sizeof slot, "SLOT \"%s\" ", start->slot);
    }
    str_fmt(sql, sizeof sql, "START_REPLICATION %sPHYSICAL %X/%X TIMELINE %u", slot,
            (unsigned)(start->at >> 32), (unsigned)start->at, start->tli);
    if (!pg_send(pg, t, sql, err)) {
        return WAL_START_FAILED;
    }
    step = pg_next(pg, t, &r, err);
    if (step == PG_STEP_COPY_BOTH) {
        return WAL_START_COPY;
    }
    if (step == PG_STEP_ROWS) { /* the timeline ends exactly where we wanted to start */
        bool ok = take_next(&r, next, err) && pg_drain(pg, t, err);
        return ok ? WAL_START_END : WAL_START_FAILED;
    }
    if (step != PG_STEP_FAILED) {
        err_set(err, ERR_FORMAT, "", "", "an unexpected answer to START_REPLICATION");
    }
    return WAL_START_FAILED;
}

bool wal_stream_end(struct pg *pg, const struct task *t, struct wal_next *next, struct err *err)
{
    struct err lost;

    /* After an error inside the copy there is no copy to end: the error is what counts. */
    (void)!pg_copy_end(pg, t, &lost);
    return read_next(pg, t, next, err);
}

enum wal_trouble wal_trouble_of(const struct err *err, const char *sqlstate,
                                const struct wal_start *start)
{
    static const struct {
        const char *begins; /* an SQLSTATE or a class of them */
        enum wal_trouble is;
    } known[] = {
        {"58P01", WAL_REMOVED},      /* undefined_file */
        {"42704", WAL_SLOT_MISSING}, /* undefined_object */
        {"55006", WAL_SLOT_BUSY},    /* object_in_use */
        {"55000", WAL_SLOT_LOST},    /* object_not_in_prerequisite_state */
        {"57P0", WAL_LINK},          /* shut down, crashed, starting up */
        {"08", WAL_LINK},            /* connection exceptions */
        {"53", WAL_LINK},            /* too many connections, out of memory ... */
    };

    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        if (str_starts(str_of(sqlstate), known[i].begins)) {
            return known[i].is;
        }
    }
    if (err->code == ERR_CONNECT || err->code == ERR_TIMEOUT) {
        return WAL_LINK;
    }
    return start->at > start->flushed ? WAL_AHEAD : WAL_REFUSED;
}

bool wal_status_send(struct pg *pg, const struct task *t, pg_lsn durable, enum wal_ask ask,
                     struct err *err)
{
    uint8_t msg[WAL_STATUS_LEN];

    wal_status_encode(msg, durable, clock_wall_ns() / 1000, ask);
    return pg_copy_put(pg, t, msg, sizeof msg, err);
}

bool wal_history_fetch(struct pg *pg, const struct task *t, struct arena *a, pg_tli tli,
                       struct str *out, struct err *err)
{
    char sql[64], name[WAL_HISTORY_NAME_CAP];
    struct pg_rows r;
    struct str text;
    bool ok;

    wal_history_name(tli, name);
    str_fmt(sql, sizeof sql, "TIMELINE_HISTORY %u", tli);
    if (!pg_query(pg, t, sql, NULL, &r, err)) {
        return err_wrap(err, "fetch the history of timeline %u", tli);
    }
    ok = r.rows == 1 && r.cols == 2 && str_eq(pg_bytes(&r, 0, 0), name);
    if (!ok) {
        err_set(err, ERR_FORMAT, "", name, "the server answers with another history");
    } else {
        text = pg_bytes(&r, 0, 1);
        ok = text.n <= HISTORY_MAX;
        if (!ok) {
            err_set(err, ERR_FORMAT, "", name, "a history of %zu bytes", text.n);
        } else {
            const char *kept = arena_strndup(a, text.p, text.n);
            ok = kept || arena_err(a, err);
            *out = str_n(kept, text.n);
        }
    }
    pg_rows_clear(&r);
    return ok;
}

/* ---- slots -------------------------------------------------------------------------- */

bool wal_slot_name_ok(const char *name)
{
    size_t n = strlen(name);

    return n >= 1 && n <= 63 && strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_") == n;
}

static bool slot_name_check(const char *name, struct err *err)
{
    return wal_slot_name_ok(name) ||
           err_set(err, ERR_CONFIG, "Use lower-case letters, digits and '_' in slot_name.",
                   name, "not a name of a replication slot");
}

bool wal_slot_create(struct pg *pg, const struct task *t, const char *name, struct err *err)
{
    char sql[160];

    if (!slot_name_check(name, err)) {
        return false;
    }
    str_fmt(sql, sizeof sql, "CREATE_REPLICATION_SLOT \"%s\" PHYSICAL %s", name,
            pg_version(pg) >= 150000 ? "(RESERVE_WAL)" : "RESERVE_WAL");
    if (pg_query(pg, t, sql, NULL, NULL, err)) {
        return true;
    }
    if (strcmp(pg_sqlstate(pg), "42710") == 0) {
        return err_set(err, ERR_BUSY, "", "", "Replication slot '%s' already exists", name);
    }
    return err_wrap(err, "create replication slot %s", name);
}

bool wal_slot_drop(struct pg *pg, const struct task *t, const char *name, struct err *err)
{
    char sql[128];

    if (!slot_name_check(name, err)) {
        return false;
    }
    str_fmt(sql, sizeof sql, "DROP_REPLICATION_SLOT \"%s\"", name);
    if (pg_query(pg, t, sql, NULL, NULL, err)) {
        return true;
    }
    if (strcmp(pg_sqlstate(pg), "42704") == 0) {
        return err_set(err, ERR_MISSING, "", name, "the replication slot does not exist");
    }
    if (strcmp(pg_sqlstate(pg), "55006") == 0) {
        return err_set(err, ERR_BUSY, "Stop what streams from it first.", name,
                       "the replication slot is in use");
    }
    return err_wrap(err, "drop replication slot %s", name);
}

bool wal_slot_place_read(struct pg *pg, const struct task *t, const char *name,
                         struct wal_slot_place *out, struct err *err)
{
    char sql[128];
    struct pg_rows r;
    uint64_t tli;

    if (!slot_name_check(name, err)) {
        return false;
    }
    *out = (struct wal_slot_place){0};
    str_fmt(sql, sizeof sql, "READ_REPLICATION_SLOT \"%s\"", name);
    if (!pg_query(pg, t, sql, NULL, &r, err)) {
        return err_wrap(err, "read replication slot %s", name);
    }
    if (r.rows == 1 && r.cols == 3 && pg_text(&r, 0, 0)) {
        out->exists = true;
        if (pg_lsn_at(&r, 0, 1, &out->restart) && pg_u64(&r, 0, 2, &tli) && tli <= UINT32_MAX) {
            out->tli = (pg_tli)tli;
        }
    }
    pg_rows_clear(&r);
    return true;
}
