/* SPDX-License-Identifier: PostgreSQL */
/* check_in.h - the groups of check's questions, for its own files only: check.c (the order),
 * check_server.c (what the server answers), check_kept.c (what is kept).
 */
#ifndef ENGINE_CHECK_IN_H
#define ENGINE_CHECK_IN_H

#include "engine/check.h"
#include "pg/facts.h"

struct checking {
    const struct task *t;
    const struct repo *repo;
    const struct server_cfg *srv;
    struct arena *a;
    struct check *out;
    struct pg_facts facts;
    bool has_facts;
    struct pg_ident ident;
    bool has_ident;
};

void check_add(struct checking *c, const char *label, bool ok, const char *hint,
               enum check_weight weight);
const char *check_why(struct checking *c, const struct err *err); /* text in the arena */

void check_waiting(struct checking *c);    /* WAL archive, incoming and streaming directories */
void check_postgres(struct checking *c);   /* PostgreSQL ... replication slot */
void check_repository(struct checking *c); /* directories ... minimum redundancy */
void check_identity(struct checking *c);
void check_archiver(struct checking *c);
void check_errors(struct checking *c);

#endif
