/* SPDX-License-Identifier: PostgreSQL */
/* load.h - what the pieces of config_load() share while it runs.
 *
 * config.c reads the files, resolve.c gives members their values, check.c looks for
 * contradictions. An arena that fails is noticed once, at the end of config_load().
 */
#ifndef CFG_LOAD_H
#define CFG_LOAD_H

#include "cfg/config.h"
#include "cfg/ini.h"
#include "cfg/value.h"

/* A section with its entries sorted out by option. */
struct load_section {
    struct ini_section *ini;
    const struct ini_entry *option[OPTION_COUNT];
    bool is_model;
};

struct load {
    struct arena *a;
    struct config *cfg;
    struct cfg_messages *warnings;
    struct err *err;
    struct ini ini;
    struct load_section barman, defaults; /* .ini NULL when there is none */
    struct load_section *section;         /* servers and models */
    size_t sections;
};

/* A line that is not already there. */
void messages_add(struct arena *a, struct cfg_messages *m, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

void resolve_globals(struct load *l);
void resolve_index(struct load *l); /* fills the sections from l->ini */
MUST_CHECK bool resolve_models(struct load *l);
void resolve_server(struct load *l, const struct load_section *section, struct server_cfg *srv,
                    struct cfg_messages *messages);
void resolve_unknown(struct load *l); /* warnings about what no option is; last */

/* Absolute, "~" and "~/" replaced by $HOME. */
const char *resolve_path(struct load *l, const char *path);

/* The reasons to disable a server that lie in its own options. */
void check_server(struct load *l, struct server_cfg *srv, struct cfg_messages *messages);
/* Equal directories: of one server into its messages, of two into cfg->conflicts. */
void check_paths(struct load *l, const struct server_cfg *srv, struct cfg_messages *messages);

#endif
