/* SPDX-License-Identifier: PostgreSQL */
/* replication.h - the verb replication-status: who streams from a server, and how far behind.
 *
 * A client that tells what it has replayed is a standby, one that does not a WAL streamer
 * (receive-wal, pg_receivewal). Clients of logical slots are not told.
 *
 * Errors  Those of the connection; ERR_CONFIG for the WAL host of a server that has none.
 * Source  Barman 3.17, replication-status.
 */
#ifndef ENGINE_REPLICATION_H
#define ENGINE_REPLICATION_H

#include "cfg/server.h"
#include "pg/facts.h"

enum replication_target { REPLICATION_ALL, REPLICATION_STANDBYS, REPLICATION_STREAMERS };
enum replication_source { REPLICATION_BACKUP_HOST, REPLICATION_WAL_HOST };

struct replication {
    pg_lsn lsn; /* written, or replayed in recovery; 0: the server does not tell */
    const struct pg_sender *sender;
    size_t n;
};

MUST_CHECK bool replication_read(const struct task *t, const struct server_cfg *srv,
                                 enum replication_source source, enum replication_target target,
                                 struct arena *a, struct replication *out, struct err *err);

bool replication_is_standby(const struct pg_sender *s);
/* "5/5 Hot standby (max)" and so on down to "1/5 1-safe" or "1/3 1-safe". */
const char *replication_stage(const struct pg_sender *s, pg_lsn lsn);

#endif
