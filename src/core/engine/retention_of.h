/* SPDX-License-Identifier: PostgreSQL */
/* retention_of.h - what a server's policies say of its backups, now.
 *
 * Enforced  retention_policy is set and understood. Otherwise every verdict is RETENTION_NONE
 *           and nothing goes by itself; `why` tells it when the text is not understood.
 * WAL       wal_retention_policy that is not understood counts as MAIN, with a warning when the
 *           configuration is read: more stays then.
 * Ownership Everything lives in the arena.
 */
#ifndef ENGINE_RETENTION_OF_H
#define ENGINE_RETENTION_OF_H

#include "barkeep/arena.h"
#include "cfg/server.h"
#include "plan/retention.h"
#include "plan/wal_cleanup.h"
#include "repo/catalogue.h"

struct retention_state {
    bool enforced;
    const char *why;              /* set, but not understood; NULL */
    struct retention policy, wal; /* policy: when enforced */
    const enum keep *keep;        /* [i] of catalogue.backup[i], like the others */
    const struct retention_fate *fate;
    const enum wal_role *role;
    int64_t now_us;
};

/* Of the configuration alone. */
void retention_settings(const struct server_cfg *srv, struct arena *a,
                        struct retention_state *out);

/* The same and the verdicts. Keep marks are read in any case. */
MUST_CHECK bool retention_of(const struct repo *r, const struct server_cfg *srv,
                             const struct catalogue *c, struct arena *a,
                             struct retention_state *out, struct err *err);

/* "enforced (mode: auto, retention: REDUNDANCY 2, WAL retention: MAIN)", "not enforced". */
const char *retention_status(const struct server_cfg *srv, struct arena *a);

/* For plan/wal_cleanup.h. */
struct wal_cleanup_ask retention_cleanup_ask(const struct catalogue *c,
                                             const struct retention_state *s);

#endif
