/* SPDX-License-Identifier: PostgreSQL */
/* copy.h - a restored cluster, started harmlessly beside production to be looked at.
 *
 *     <dest>/                      what restore made; nothing of it is changed but by PostgreSQL
 *     <dest>/.barkeep-copy/        ours: facts, postgresql.conf, pg_hba.conf, pg_ident.conf, log
 *     /tmp/barkeep-XXXXXX/         its socket (short, mode 0700), named in facts
 *
 * Harmless  The server runs as the user we are (never root) with a configuration of our own:
 *           config_file, hba_file and ident_file point into .barkeep-copy, and what must hold
 *           stands on its command line, which no postgresql.auto.conf can overrule: archiving
 *           off, no listen address but the private socket (and 127.0.0.1 when a port is
 *           asked for), no preloaded libraries, no primary_conninfo, no synchronous standbys,
 *           no subscription or background workers, hot_standby on, ssl off, logging to our
 *           file, cluster_name "SRV RESTORED". max_connections and its relatives are what
 *           pg_control says at least. The recovery settings that restore wrote stay in force.
 *           A line of postgresql.auto.conf that no server of this build takes (an unknown
 *           setting, a locale or a value that it does not know) is commented out in the copy
 *           and told, as restore does with dangerous settings; never one of recovery's own.
 * Only      what restore made (.barman-recover.info), never a place that the server, or one of
 *           its backups, names as its own on this host, and no standby.
 * Marker    facts is written durably before the server is started; without it copy_stop,
 *           copy_promote and copy_drop refuse: they never touch a cluster that is not ours.
 *           facts holds server, backup, system id, socket, port, when.
 * Binaries  of exactly the major version: $BARKEEP_PG_BIN/<major>/bin or $BARKEEP_PG_BIN,
 *           /usr/lib/postgresql/<major>/bin, /usr/pgsql-<major>/bin, /usr/local/pgsql/bin,
 *           PATH; ERR_MISSING names the version and the places.
 * Waits     copy_start returns when the target is reached (paused or open) or the server gave
 *           up; progress is told in database time: done and total are microseconds from the
 *           end of the backup, what is "replayed to <time>". Cancel stops the server and
 *           leaves the files.
 * Reads     copy_look never changes anything.
 */
#ifndef ENGINE_COPY_H
#define ENGINE_COPY_H

#include "barkeep/ask.h"
#include "barkeep/task.h"

struct config;
struct server_cfg;

/* Directory of the server programs of that major version; NULL: not here. In the arena. */
const char *copy_binaries(struct arena *a, int major);

struct copy_start {
    const struct server_cfg *srv;
    const char *destination;
    unsigned port; /* TCP on 127.0.0.1 too; 0: socket only */
};
MUST_CHECK bool copy_start(const struct task *t, struct arena *a, const struct copy_start *what,
                           struct answer_copy *out, struct err *err);

MUST_CHECK bool copy_look(const struct task *t, struct arena *a, const char *destination,
                          struct answer_copy *out, struct err *err);

MUST_CHECK bool copy_promote(const struct task *t, struct arena *a, const char *destination,
                             struct answer_copy *out, struct err *err);
MUST_CHECK bool copy_stop(const struct task *t, const char *destination, struct err *err);
/* Stops it and removes it with its tablespaces. Refuses a directory without our facts, one that
 * is the server's live data directory, and one whose system id is not what facts says. */
MUST_CHECK bool copy_drop(const struct task *t, const struct server_cfg *srv,
                          const char *destination, struct err *err);

struct copy_compare {
    const struct server_cfg *srv;
    const char *destination;
    const char *database;     /* NULL: that of the conninfo */
    const char *const *table; /* schema.table; none: the largest ones, at most ASK_TABLES */
    size_t tables;
    int64_t timeout_s; /* for one count; then the estimate is shown */
};
/* Rows in the copy beside rows in production now. */
MUST_CHECK bool copy_compare(const struct task *t, struct arena *a,
                             const struct copy_compare *what, struct answer_compare *out,
                             struct err *err);

/* ASK_PLACE: what could stand in step "where". */
MUST_CHECK bool place_propose(const struct task *t, struct arena *a,
                              const struct config *config, const struct server_cfg *srv,
                              const struct restore_words *words, struct answer_place *out,
                              struct err *err);

#endif
