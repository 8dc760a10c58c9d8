/* SPDX-License-Identifier: PostgreSQL */
/* check_in.h - the groups of check's questions, for its own files only.
 *
 *   check.c         the order, the client programs that are built in, the receiver
 *   check_ask.c     connects and fills struct checking with what the servers said
 *   check_server.c  the lines about the server: from what was said, nothing is asked here
 *   check_kept.c    the lines about what is kept
 *   check_encryption.c  gpg, tried
 */
#ifndef ENGINE_CHECK_IN_H
#define ENGINE_CHECK_IN_H

#include "engine/check.h"
#include "pg/facts.h"

/* Who was asked, and what came back. Not asked: nothing is known, which is no failure. */
enum asked { ASKED_NOT, ASKED_FAILED, ASKED_OK };

struct check_sql { /* an ordinary connection */
    enum asked asked;
    const char *why; /* of ASKED_FAILED */
    struct pg_facts facts;
};

struct check_repl { /* a replication connection */
    enum asked asked;
    const char *why;
    struct pg_ident ident;
};

struct check_slot {
    enum asked asked;
    const char *why;
    struct pg_slot slot;
};

struct checking {
    const struct task *t;
    const struct repo *repo;
    const struct server_cfg *srv;
    const struct check_known *known;
    struct arena *a;
    struct check *out;
    int64_t now_ns; /* the wall clock */

    struct check_sql server, primary; /* conninfo, primary_conninfo */
    struct check_repl streaming;      /* streaming_conninfo */
    bool wal_apart;                   /* receive-wal streams from another host: */
    struct check_sql wal;             /* wal_conninfo */
    struct check_repl wal_streaming;  /* wal_streaming_conninfo */
    struct check_slot slot;           /* on the host receive-wal streams from */
};

void check_add(struct checking *c, const char *label, bool ok, const char *hint,
               enum check_weight weight);
const char *check_why(struct checking *c, const struct err *err); /* text in the arena */

void check_ask(struct checking *c);

void check_waiting(struct checking *c);    /* WAL archive, incoming and streaming directories */
void check_postgres(struct checking *c);   /* PostgreSQL ... replication slot */
void check_repository(struct checking *c); /* directories ... minimum redundancy */
void check_encryption(struct checking *c); /* does it encrypt? */
void check_identity(struct checking *c);
void check_archiver(struct checking *c);
void check_errors(struct checking *c);

#endif
