/* SPDX-License-Identifier: PostgreSQL */
#include "engine/check_in.h"

#include <string.h>

static enum asked answer(struct checking *c, bool ok, const struct err *why, const char **text)
{
    *text = ok ? NULL : check_why(c, why);
    return ok ? ASKED_OK : ASKED_FAILED;
}

/* The connection stays open for the slot when `keep` is given. */
static void ask_sql(struct checking *c, const char *conninfo, struct check_sql *out,
                    struct pg **keep)
{
    const struct pg_target target = {.conninfo = conninfo, .application_name = "barkeep"};
    struct err why;
    struct pg *pg = pg_open(c->t, &target, &why);
    bool ok = pg && pg_facts_read(pg, c->t, c->a, &out->facts, &why);

    out->asked = answer(c, ok, &why, &out->why);
    if (ok && keep) {
        *keep = pg;
    } else {
        pg_close(pg);
    }
}

static void ask_replication(struct checking *c, const char *conninfo, struct check_repl *out)
{
    const struct pg_target target = {
        .conninfo = conninfo, .application_name = "barman_streaming", .mode = PG_REPLICATION};
    struct err why;
    struct pg *pg = pg_open(c->t, &target, &why);
    bool ok = pg && pg_ident_read(pg, c->t, &out->ident, &why);

    out->asked = answer(c, ok, &why, &out->why);
    pg_close(pg);
}

static void ask_slot(struct checking *c, struct pg *pg, const struct check_sql *host)
{
    struct err why;
    bool ok;

    if (!c->srv->slot_name) {
        return;
    }
    if (!pg) {
        c->slot.asked = ASKED_FAILED;
        c->slot.why = host->why;
        return;
    }
    ok = pg_slot_read(pg, c->t, c->srv->slot_name, &c->slot.slot, &why);
    c->slot.asked = answer(c, ok, &why, &c->slot.why);
}

static bool streams(const struct server_cfg *srv)
{
    return srv->streaming_archiver ||
           (srv->backup_method && strcmp(srv->backup_method, "postgres") == 0);
}

static bool wal_is_apart(const struct server_cfg *srv)
{
    return strcmp(server_cfg_wal_conninfo(srv), srv->conninfo) != 0 ||
           strcmp(server_cfg_wal_streaming_conninfo(srv), server_cfg_streaming_conninfo(srv)) !=
               0;
}

static void ask_server(struct checking *c, struct pg **keep)
{
    if (!c->known) {
        ask_sql(c, c->srv->conninfo, &c->server, keep);
        return;
    }
    c->server.asked = ASKED_OK;
    c->server.facts = *c->known->facts;
    *keep = c->known->sql;
}

static void ask_streaming(struct checking *c)
{
    if (!streams(c->srv)) {
        return;
    }
    if (!c->known) {
        ask_replication(c, server_cfg_streaming_conninfo(c->srv), &c->streaming);
        return;
    }
    c->streaming.asked = ASKED_OK;
    c->streaming.ident = *c->known->ident;
}

void check_ask(struct checking *c)
{
    const struct server_cfg *srv = c->srv;
    struct pg *pg = NULL, *wal = NULL;

    if (server_cfg_passive(srv) || !srv->conninfo) {
        return;
    }
    ask_server(c, &pg);
    if (pg) { /* else nothing of it would be told */
        ask_streaming(c);
    }
    if (pg && srv->primary_conninfo) {
        ask_sql(c, srv->primary_conninfo, &c->primary, NULL);
    }
    c->wal_apart = wal_is_apart(srv);
    if (c->wal_apart) {
        ask_sql(c, server_cfg_wal_conninfo(srv), &c->wal, &wal);
        ask_replication(c, server_cfg_wal_streaming_conninfo(srv), &c->wal_streaming);
    }
    if (pg || c->wal_apart) {
        ask_slot(c, c->wal_apart ? wal : pg, &c->wal);
    }
    pg_close(wal);
    if (!c->known) {
        pg_close(pg);
    }
}
