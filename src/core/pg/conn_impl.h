/* SPDX-License-Identifier: PostgreSQL */
/* conn_impl.h - what a connection is made of; shared by conn.c and query.c only. */
#ifndef PG_CONN_IMPL_H
#define PG_CONN_IMPL_H

#include "pg/conn.h"
#include "pg/pq.h"

struct pg {
    PGconn *raw;
    bool down;        /* shut down by us, or lost */
    char sqlstate[6]; /* of the last failure the server told */
    void *notice_ctx;
    void (*notice)(void *ctx, const char *line);
    char shown[256]; /* the conninfo for people: `what` of our errors */
};

/* Wait until the socket is ready for one of the events, or fail and shut the connection down.
 * *ready gets what it is ready for. */
MUST_CHECK bool pg_wait(struct pg *pg, const struct task *t, short events, short *ready,
                        struct err *err);

/* Fill err from the connection's last message; false. */
bool pg_lost(struct pg *pg, struct err *err);

/* A message of libpq or the server as one line without a password: out[cap]. */
const char *pg_one_line(const char *message, char *out, size_t cap);

#endif
