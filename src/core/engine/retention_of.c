/* SPDX-License-Identifier: PostgreSQL */
#include "engine/retention_of.h"

#include "base/clock.h"

void retention_settings(const struct server_cfg *srv, struct arena *a,
                        struct retention_state *out)
{
    struct err why;

    *out = (struct retention_state){.wal = {.kind = RETENTION_MAIN}};
    if (srv->retention_policy) {
        out->enforced = retention_parse(str_of(srv->retention_policy), &out->policy, &why);
        out->why = out->enforced ? NULL : arena_strdup(a, why.why);
    }
    if (srv->wal_retention_policy &&
        !retention_parse_wal(str_of(srv->wal_retention_policy), &out->wal, &why)) {
        out->wal = (struct retention){.kind = RETENTION_MAIN};
    }
}

bool retention_of(const struct repo *r, const struct server_cfg *srv, const struct catalogue *c,
                  struct arena *a, struct retention_state *out, struct err *err)
{
    struct retention_fate *fate = ARENA_ARRAY(a, c->n + 1, struct retention_fate);
    enum wal_role *role = ARENA_ARRAY(a, c->n + 1, enum wal_role);
    enum keep *keep = ARENA_ARRAY(a, c->n + 1, enum keep);
    struct retention_ask ask = {.backup = c->backup,
                                .keep = keep,
                                .n = c->n,
                                .minimum_redundancy = (uint64_t)srv->minimum_redundancy,
                                .now_us = clock_wall_ns() / 1000,
                                .before = clock_local_before};

    if (!fate || !role || !keep) {
        return arena_err(a, err);
    }
    for (size_t i = 0; i < c->n; i++) {
        if (!keep_read(r, c->backup[i].id, &keep[i], err)) {
            return false;
        }
    }
    retention_settings(srv, a, out);
    out->keep = keep;
    out->fate = fate;
    out->role = role;
    out->now_us = ask.now_us;
    if (out->enforced) {
        retention_report(&out->policy, &ask, fate);
    }
    wal_cleanup_roles(out->enforced ? &out->policy : NULL, fate, keep, c->n, role);
    return !a->failed || arena_err(a, err);
}

const char *retention_status(const struct server_cfg *srv, struct arena *a)
{
    char policy[RETENTION_CAP], wal[RETENTION_CAP];
    struct retention_state s;

    retention_settings(srv, a, &s);
    if (s.why) {
        return arena_fmt(a, "not enforced (%s)", s.why);
    }
    if (!s.enforced) {
        return "not enforced";
    }
    return arena_fmt(a, "enforced (mode: auto, retention: %s, WAL retention: %s)",
                     retention_print(&s.policy, policy), retention_print(&s.wal, wal));
}

struct wal_cleanup_ask retention_cleanup_ask(const struct catalogue *c,
                                             const struct retention_state *s)
{
    return (struct wal_cleanup_ask){c->backup, s->keep, s->role, c->n};
}
