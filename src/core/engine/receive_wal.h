/* SPDX-License-Identifier: PostgreSQL */
/* receive_wal.h - the verb receive-wal: WAL as it is written, until told to stop.
 *
 *     server -> reader (this thread, owns the connection) -> lane -> writer -> streaming/
 *                 ^ durable position <------- mark ------------'        '-> wals/
 *
 *     streaming/<segment>.partial    what is being received, always of full segment size
 *     streaming/<segment>            complete, synced; moved to wals/ at once when it can be
 *     streaming/<tli>.history        durable before any WAL of that timeline is asked for
 *     .barkeep/wal-notes             holes and divergences, one a line (receive.h)
 *
 * Durable  The server is told a position only after fdatasync. A server that waits for us
 *          (synchronous_standby_names) is answered as soon as what it sent is synced; any other
 *          within 200 ms or 2 MB, and its socket is read every 5 ms: a status it asks for comes as
 *          late. Who waits is read when the connection is made; that a server begins to wait
 *          later shows in how it falls silent until answered; it is asked then, over another
 *          connection (receive_pace.c). Neither the writer nor a stalled disk keeps the reader
 *          from answering: it never waits for the lane, it stops reading at 4 MB not yet synced.
 * Start    The newest segment on the youngest timeline of the server's own history that lies in
 *          streaming/ or wals/: after it when complete, at its start when partial (its bytes
 *          come again and must be the same). Without any: the slot's restart_lsn, else the
 *          server's position, at the start of the segment. A fresh process tells that start as
 *          durable until what the partial segment holds has come again.
 * Trouble  Waits and tries again (1 s to 30 s, with jitter): connection lost or refused,
 *          nothing heard for 30 s, slot in use (its pid is told), disk full, a standby
 *          that is behind us. Stops: another cluster (system identifier or history), slot
 *          missing or invalidated, WAL already removed (the hole is written down once),
 *          data not at the expected place, other bytes than before, a failed fsync (the
 *          file is set aside in errors/). WAL of the old timeline beyond the switch is
 *          kept, and told as a divergence.
 * Ends     A cancelled task: the rest is synced, the server told, true. Lock: receive-wal
 *          for its whole life, ERR_BUSY. Says Barman's console lines; what goes wrong on
 *          the way with SAY_WARN, a changed reason once.
 */
#ifndef ENGINE_RECEIVE_WAL_H
#define ENGINE_RECEIVE_WAL_H

#include "barkeep/task.h"
#include "engine/repo_of.h"

enum receive_do {
    RECEIVE_RUN,
    RECEIVE_CREATE_SLOT,
    RECEIVE_CREATE_SLOT_IF_MISSING,
    RECEIVE_DROP_SLOT,
    RECEIVE_STOP,  /* SIGINT, then SIGTERM to the receiver that runs; up to 10 s */
    RECEIVE_RESET, /* go on at the slot's position, leaving what lies between */
};

struct receive_wal {
    const struct repo *repo;
    const struct server_cfg *srv;
    enum receive_do what;
    uint32_t silence_ms; /* nothing heard for so long: reconnect; 0: 30 000 */
};

MUST_CHECK bool receive_wal(const struct task *t, const struct receive_wal *what,
                            struct err *err);

#endif
