/* SPDX-License-Identifier: PostgreSQL */
/* server_facts_in.h - how the two files of server_facts.h add facts. key must stay alive; texts
 * are copied without passwords. Setting a key again replaces it. */
#ifndef ENGINE_SERVER_FACTS_IN_H
#define ENGINE_SERVER_FACTS_IN_H

#include "engine/server_facts.h"

struct server_fact *server_fact_add(struct server_facts *f, const char *key,
                                    enum server_fact_kind kind);
struct server_fact *server_fact_text(struct server_facts *f, struct arena *a, const char *key,
                                     const char *text);
struct server_fact *server_fact_number(struct server_facts *f, const char *key, int64_t n);
struct server_fact *server_fact_truth(struct server_facts *f, const char *key, bool is);

/* "ANY 2 (a, "b c")", "FIRST 1 (a)", "a, b" -> the names, in the arena. */
struct server_fact *server_fact_names(struct server_facts *f, struct arena *a, const char *key,
                                      const char *text);

#endif
