/* SPDX-License-Identifier: PostgreSQL */
/* server_facts.h - everything that is configured of a server and that it says about itself, by
 * name: what show-servers and diagnose print.
 *
 * A fact is a value of the kind Barman has it in, since its kind decides how it is printed: on
 * the console as Python's str() does, in the document as its encoder does.
 *
 * Secrets  Texts went through redact(): no password comes out of here.
 * Order    server_fact_sort() by name; a later one of the same name replaces the earlier one.
 * Memory   The arena. Too many facts is a bug: FACTS_MAX is checked.
 * Source   Barman 3.17, show-servers and diagnose.
 */
#ifndef ENGINE_SERVER_FACTS_H
#define ENGINE_SERVER_FACTS_H

#include "barkeep/task.h"
#include "cfg/config.h"
#include "repo/repo.h"

#define FACTS_MAX 320 /* two more are left free for callers */

enum server_fact_kind {
    FACT_NONE,
    FACT_TEXT,
    FACT_NUMBER,
    FACT_TRUTH,   /* number is 0 or 1 */
    FACT_DECIMAL, /* text: Python's Decimal; real: the same */
    FACT_SPAN,    /* number: seconds */
    FACT_STAMP,   /* number: microseconds since 1970 */
    FACT_LIST,    /* list */
    FACT_SET,     /* text: "word,word"; class: "BackupOptions" */
    FACT_SLOT,    /* list: name, "t" or "f", restart_lsn ("": none) */
};

struct server_fact {
    const char *key;
    enum server_fact_kind kind;
    const char *text, *class;
    int64_t number;
    double real;
    const char *const *list;
    size_t listed;
    const char *source; /* of configuration: the file, or "default" */
};

struct server_facts {
    struct server_fact fact[FACTS_MAX];
    size_t n;
};

void server_fact_sort(struct server_facts *f);

/* Options of the server, its name. */
MUST_CHECK bool facts_of_config(const struct server_cfg *srv, struct arena *a,
                                struct server_facts *out, struct err *err);
/* Options of [barman]. */
MUST_CHECK bool facts_of_globals(const struct config *cfg, struct arena *a,
                                 struct server_facts *out, struct err *err);

/* What the server says. One that is not reachable is no failure: its facts are FACT_NONE,
 * connection_error says why. Nothing for a passive server. */
MUST_CHECK bool facts_of_server(const struct task *t, const struct server_cfg *srv,
                                struct arena *a, struct server_facts *out, struct err *err);

/* last_backup_maximum_age as a sentence with the age of the newest backup. */
MUST_CHECK bool facts_of_age(const struct repo *r, const struct server_cfg *srv,
                             struct arena *a, struct server_facts *out, struct err *err);

#define FACT_CAP 8192
/* As Python's str() has it. Returns out. */
const char *server_fact_str(const struct server_fact *f, char *out, size_t cap);

#endif
