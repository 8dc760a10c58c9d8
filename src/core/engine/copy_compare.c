/* SPDX-License-Identifier: PostgreSQL */
/* copy_compare.c - rows in a started copy beside rows in production now. */
#include "engine/copy_in.h"

#include "base/clock.h"
#include "cfg/server.h"

#include <inttypes.h>
#include <string.h>

#define CONNECT_S   15
#define ANSWER_S    15  /* beyond the time a count may take */
#define COPY_COUNTS 300 /* seconds for one count in the copy, when nothing is said */

enum side { SIDE_COPY, SIDE_LIVE };

struct comparing {
    const struct task *t;
    struct arena *a;
    const struct copy_compare *what;
    struct pg *pg[2];
    struct table_count *table;
    size_t tables;
};

/* ---- connections -------------------------------------------------------------------------- */

static struct task within(const struct task *t, int64_t seconds)
{
    struct task near = *t;
    int64_t by = clock_mono_ns() + seconds * NS_PER_S;

    near.deadline_ns = near.deadline_ns && near.deadline_ns < by ? near.deadline_ns : by;
    return near;
}

static int64_t timeout_of(const struct comparing *c)
{
    return c->what->timeout_s > 0 ? c->what->timeout_s : COPY_COUNTS;
}

/* Nothing can be written, a count ends by itself, and where a policy would hide rows the server
 * says so instead of counting fewer. */
static bool calm(const struct comparing *c, struct pg *pg, struct err *err)
{
    struct task near = within(c->t, CONNECT_S);
    char sql[128];

    str_fmt(sql, sizeof sql, "SET statement_timeout = %" PRId64, timeout_of(c) * 1000);
    return pg_query(pg, &near, "SET default_transaction_read_only = on", NULL, NULL, err) &&
           pg_query(pg, &near, "SET row_security = off", NULL, NULL, err) &&
           pg_query(pg, &near, sql, NULL, NULL, err);
}

static bool open_copy(struct comparing *c, struct err *err)
{
    struct copy_pid_file pid;
    struct copy_home h;

    if (!copy_home_ours(c->a, c->what->destination, &h, err)) {
        return false;
    }
    if (copy_runs(c->a, &h, &pid) != COPY_RUNS_OURS || !pid.is_ready) {
        return err_set(err, ERR_UNSAFE, "Start it with start-copy first.", c->what->destination,
                       "the copy does not run, or cannot be asked yet");
    }
    c->pg[SIDE_COPY] = copy_connect(c->t, c->a, &h,
                                    c->what->database     ? c->what->database
                                    : h.facts.database[0] ? h.facts.database
                                                          : NULL,
                                    err);
    return c->pg[SIDE_COPY] && calm(c, c->pg[SIDE_COPY], err);
}

/* Production may be what is lost: then the copy is counted alone. */
static bool open_live(struct comparing *c, const char *database, struct answer_compare *out,
                      struct err *err)
{
    struct task near = within(c->t, CONNECT_S);
    struct pg_target target = {.conninfo = c->what->srv->conninfo, .database = database};
    char text[1600];
    struct err why = {0};

    if (!target.conninfo) {
        out->live_why = "no conninfo";
        return true;
    }
    c->pg[SIDE_LIVE] = pg_open(&near, &target, &why);
    if (c->pg[SIDE_LIVE] && calm(c, c->pg[SIDE_LIVE], &why)) {
        return true;
    }
    if (why.code == ERR_CANCEL || why.code == ERR_MEMORY) {
        *err = why;
        return false;
    }
    pg_close(c->pg[SIDE_LIVE]);
    c->pg[SIDE_LIVE] = NULL;
    out->live_why = arena_strdup(c->a, err_text(&why, text, sizeof text));
    return out->live_why || arena_err(c->a, err);
}

static bool database_of(struct comparing *c, const char **out, struct err *err)
{
    struct pg_rows rows = {0};
    bool ok = pg_query(c->pg[SIDE_COPY], c->t, "SELECT pg_catalog.current_database()", NULL,
                       &rows, err);

    *out = ok ? arena_strdup(c->a, pg_text(&rows, 0, 0)) : NULL;
    pg_rows_clear(&rows);
    return *out || (ok && arena_err(c->a, err));
}

/* ---- which tables ------------------------------------------------------------------------- */

static bool list_largest(struct comparing *c, struct err *err)
{
    struct pg_rows rows = {0};
    bool ok = pg_query(
        c->pg[SIDE_COPY], c->t,
        "SELECT n.nspname || '.' || c.relname FROM pg_catalog.pg_class c"
        " JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace"
        " WHERE c.relkind IN ('r', 'm') AND c.relpersistence = 'p'"
        " AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'"
        " ORDER BY c.relpages DESC, pg_catalog.pg_relation_size(c.oid) DESC, 1 LIMIT 16",
        NULL, &rows, err);

    for (int i = 0; ok && i < rows.rows && c->tables < ASK_TABLES; i++) {
        c->table[c->tables].name = arena_strdup(c->a, pg_text(&rows, i, 0));
        ok = c->table[c->tables++].name || arena_err(c->a, err);
    }
    pg_rows_clear(&rows);
    return ok;
}

static bool list_named(struct comparing *c, struct err *err)
{
    if (c->what->tables > ASK_TABLES) {
        return err_set(err, ERR_USAGE, "Name fewer tables at a time.", "",
                       "more than %d tables", ASK_TABLES);
    }
    for (size_t i = 0; i < c->what->tables; i++) {
        c->table[c->tables].name = arena_strdup(c->a, c->what->table[i]);
        if (!c->table[c->tables++].name) {
            return arena_err(c->a, err);
        }
    }
    return true;
}

/* ---- counting ----------------------------------------------------------------------------- */

struct found { /* a table on one side */
    const char *quoted;
    uint64_t rows; /* reltuples */
    bool has_rows;
};

static const char *quoted_name(struct pg *pg, struct arena *a, const char *schema,
                               const char *table, struct err *err)
{
    const char *x = pg_quote_name(pg, a, schema, err);
    const char *y = x ? pg_quote_name(pg, a, table, err) : NULL;
    const char *both = y ? arena_fmt(a, "%s.%s", x, y) : NULL;

    if (y && !both) {
        arena_err(a, err);
    }
    return both;
}

/* The name is compared as a whole, so that a dot in it means nothing; without a schema it is
 * looked for in public. */
static bool find_table(const struct comparing *c, struct pg *pg, const char *name,
                       struct found *out, struct err *err)
{
    struct task near = within(c->t, ANSWER_S);
    struct pg_rows rows = {0};
    bool ok = pg_query(pg, &near,
                       "SELECT n.nspname, c.relname, c.reltuples::bigint"
                       " FROM pg_catalog.pg_class c"
                       " JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace"
                       " WHERE c.relkind IN ('r', 'm', 'p')"
                       " AND (n.nspname || '.' || c.relname = $1"
                       " OR (n.nspname = 'public' AND c.relname = $1))"
                       " ORDER BY n.nspname || '.' || c.relname = $1 DESC, c.oid LIMIT 1",
                       (const char *const[]){name, NULL}, &rows, err);

    *out = (struct found){0};
    if (ok && rows.rows == 0) {
        ok = err_set(err, ERR_MISSING, "", name, "there is no such table");
    } else if (ok) {
        out->quoted = quoted_name(pg, c->a, pg_text(&rows, 0, 0), pg_text(&rows, 0, 1), err);
        out->has_rows = pg_u64(&rows, 0, 2, &out->rows);
        ok = out->quoted != NULL;
    }
    pg_rows_clear(&rows);
    return ok;
}

static bool count_rows(const struct comparing *c, struct pg *pg, const struct found *table,
                       int64_t *out, struct err *err)
{
    struct task near = within(c->t, timeout_of(c) + ANSWER_S);
    const char *sql = arena_fmt(c->a, "SELECT pg_catalog.count(*) FROM %s", table->quoted);
    struct pg_rows rows = {0};
    uint64_t n;
    bool ok = sql ? pg_query(pg, &near, sql, NULL, &rows, err) : arena_err(c->a, err);

    if (ok && !pg_u64(&rows, 0, 0, &n)) {
        ok = err_set(err, ERR_QUERY, "", table->quoted, "answered with no number");
    } else if (ok) {
        *out = (int64_t)n;
    }
    pg_rows_clear(&rows);
    return ok;
}

static const char *const where[] = {"in the copy", "in production"};

/* No count: the estimate, or why there is none. */
static void say_why_not(struct comparing *c, enum side side, struct table_count *row,
                        const struct found *table, const struct err *why)
{
    bool is_late = why->code == ERR_TIMEOUT ||
                   (why->code == ERR_QUERY && strcmp(pg_sqlstate(c->pg[side]), "57014") == 0);
    const char *text = why->why;

    if (is_late && table->has_rows) {
        *(side == SIDE_COPY ? &row->copy : &row->live) = (int64_t)table->rows;
        *(side == SIDE_COPY ? &row->copy_is_estimate : &row->live_is_estimate) = true;
        return;
    }
    if (is_late) {
        text = arena_fmt(c->a, "no count in %" PRId64 " s, and no estimate", timeout_of(c));
    }
    row->why = arena_fmt(c->a, "%s%s%s: %s", row->why ? row->why : "", row->why ? "; " : "",
                         where[side], text ? text : "");
}

/* One side of one table; false only when the whole comparison cannot go on. */
static bool count_side(struct comparing *c, enum side side, struct table_count *row,
                       struct err *err)
{
    int64_t *n = side == SIDE_COPY ? &row->copy : &row->live;
    struct pg *pg = c->pg[side];
    struct found table = {0};
    struct err why = {0};

    *n = -1;
    if (!pg) {
        return true;
    }
    if (!pg_is_open(pg)) {
        err_set(&why, ERR_CONNECT, "", "", "the connection was lost");
    } else if (find_table(c, pg, row->name, &table, &why) &&
               count_rows(c, pg, &table, n, &why)) {
        return true;
    }
    if (why.code == ERR_CANCEL || why.code == ERR_MEMORY || !task_go_on(c->t, &why)) {
        *err = why;
        return false;
    }
    say_why_not(c, side, row, &table, &why);
    return !c->a->failed || arena_err(c->a, err);
}

static bool count_all(struct comparing *c, struct err *err)
{
    struct progress p = {.phase = "count", .total = 0};

    for (size_t i = 0; i < c->tables; i++) {
        str_copy(p.what, sizeof p.what, c->table[i].name);
        task_progress(c->t, &p);
        if (!task_go_on(c->t, err) || !count_side(c, SIDE_COPY, &c->table[i], err) ||
            !count_side(c, SIDE_LIVE, &c->table[i], err)) {
            return false;
        }
    }
    return true;
}

bool copy_compare(const struct task *t, struct arena *a, const struct copy_compare *what,
                  struct answer_compare *out, struct err *err)
{
    struct comparing c = {.t = t, .a = a, .what = what};
    bool ok;

    *out = (struct answer_compare){0};
    c.table = ARENA_ARRAY(a, ASK_TABLES, struct table_count);
    if (!c.table) {
        return arena_err(a, err);
    }
    ok = open_copy(&c, err) && database_of(&c, &out->database, err) &&
         open_live(&c, out->database, out, err) &&
         (what->tables ? list_named(&c, err) : list_largest(&c, err)) && count_all(&c, err);
    pg_close(c.pg[SIDE_COPY]);
    pg_close(c.pg[SIDE_LIVE]);
    out->table = c.table;
    out->tables = c.tables;
    return ok || err_wrap(err, "compare the copy in '%s'", what->destination);
}
