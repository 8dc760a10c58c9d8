/* SPDX-License-Identifier: PostgreSQL */
#include "engine/replication.h"

bool replication_is_standby(const struct pg_sender *s)
{
    return s->replay != 0;
}

const char *replication_stage(const struct pg_sender *s, pg_lsn lsn)
{
    bool standby = replication_is_standby(s);

    if (standby && s->replay == lsn) {
        return "5/5 Hot standby (max)";
    }
    if (standby && s->flush == lsn) {
        return "4/5 2-safe";
    }
    if (s->write == lsn) {
        return standby ? "3/5 Remote write" : "3/3 Remote write";
    }
    if (s->sent == lsn) {
        return standby ? "2/5 WAL Sent (min)" : "2/3 WAL Sent (min)";
    }
    return standby ? "1/5 1-safe" : "1/3 1-safe";
}

static bool is_wanted(const struct pg_sender *s, enum replication_target target)
{
    return target == REPLICATION_ALL ||
           replication_is_standby(s) == (target == REPLICATION_STANDBYS);
}

static const char *conninfo_of(const struct server_cfg *srv, enum replication_source source,
                               struct err *err)
{
    const char *conninfo =
        source == REPLICATION_WAL_HOST ? server_cfg_wal_conninfo(srv) : srv->conninfo;

    if (!conninfo) {
        err_set(err, ERR_CONFIG, "Set conninfo of the server.", srv->name, "has no conninfo");
    }
    return conninfo;
}

bool replication_read(const struct task *t, const struct server_cfg *srv,
                      enum replication_source source, enum replication_target target,
                      struct arena *a, struct replication *out, struct err *err)
{
    const struct pg_target to = {.conninfo = conninfo_of(srv, source, err),
                                 .application_name = "barkeep"};
    const struct pg_sender *all = NULL;
    struct pg_sender *list;
    struct pg_facts facts;
    struct pg *pg;
    size_t n = 0;
    bool ok;

    *out = (struct replication){0};
    pg = to.conninfo ? pg_open(t, &to, err) : NULL;
    if (!pg) {
        return false;
    }
    ok = pg_facts_read(pg, t, a, &facts, err) && pg_senders_read(pg, t, a, &all, &n, err);
    if (ok && !facts.monitor_rights) {
        ok = err_set(err, ERR_QUERY, "GRANT pg_monitor to the user of conninfo.", srv->name,
                     "the user of the connection may not see who streams");
    }
    pg_close(pg);
    list = ok ? ARENA_ARRAY(a, n + 1, struct pg_sender) : NULL;
    for (size_t i = 0; list && i < n; i++) {
        if (is_wanted(&all[i], target)) {
            list[out->n++] = all[i];
        }
    }
    out->lsn = ok ? facts.lsn : 0;
    out->sender = list;
    return ok && (list || arena_err(a, err));
}
