/* SPDX-License-Identifier: PostgreSQL */
/* config.h - Barman's configuration files, read once and frozen.
 *
 * Order       the file named, else $BARMAN_CONFIG_FILE, else the first there is of
 *             ~/.barman.conf, /etc/barman.conf, /etc/barman/barman.conf; then *.conf of
 *             configuration_files_directory in byte order; then
 *             barman_home/.barman.auto.conf. Later wins, section by section and key by key.
 *             Only the first file may set [barman].
 * Precedence  of one option of a server: active model (backup_directory/.active-model.auto),
 *             server section, [barman] where the option may stand there, default.
 * Values      one pair of quotes around the whole is taken off; "None" and "" mean unset and
 *             end the search for texts; %(key)s is replaced by that key of the same section,
 *             of DEFAULT, or of [barman]; %% (and %%%% of old files) is a percent sign.
 * Warnings    unknown options, bad values, and apart (`unheeded`) what this version knows but
 *             does not act on: each with file and line, never with the value, which may be a
 *             password.
 * Errors      ERR_CONFIG: no file, a file that cannot be read, a line that is none
 *             (file:line), no barman_home, an included file that sets [barman], a server
 *             called "all".
 * Source      Barman 3.17, documentation and observed behaviour; Python's configparser.
 */
#ifndef CFG_CONFIG_H
#define CFG_CONFIG_H

#include "barkeep/arena.h"
#include "cfg/server.h"

/* A file of more bytes, or a value of more, is ERR_CONFIG. */
#define CFG_FILE_MAX  ((size_t)4 << 20)
#define CFG_VALUE_MAX ((size_t)64 << 10)

struct cfg_messages {
    const char **text;
    size_t n, cap;
};

struct cfg_model_option {
    const char *name;
    const char *text;   /* NULL: unset. It may be a password: redact() */
    const char *source; /* "file:line" */
};

struct cfg_model {
    const char *name;
    const char *cluster;
    const struct cfg_model_option *option; /* those the section has */
    size_t options;
};

struct config {
    const char *path;                /* the first file, absolute */
    const struct server_cfg *server; /* by name */
    size_t servers;
    const struct cfg_model *model; /* by name */
    size_t models;
    struct cfg_messages conflicts; /* between servers: every command but a look must stop */
    struct cfg_messages misfits;   /* active models of another cluster, which are not applied */
    struct cfg_messages unheeded;  /* options this version knows and does not act on */
    const struct ini *ini;         /* the sections as they were read; for config_entry() */
    const char *source[GLOBAL_COUNT];
#define GLOBAL_OPTION(name, scope, type, def, values, acts, text) OPTION_MEMBER_##type(name);
#include "cfg/option.def"
};

/* path NULL: the search list. Warnings are added to *warnings (start with {0}) also when it
 * fails. The directories of the result are absolute and always set, log_file may be NULL. */
MUST_CHECK const struct config *config_load(struct arena *a, const char *path,
                                            struct cfg_messages *warnings, struct err *err);

/* NULL: there is none of that name. */
const struct server_cfg *config_server(const struct config *cfg, const char *name);

const struct cfg_model *config_model(const struct config *cfg, const char *name);

/* What the files say of a key in that very section: *where is "file:line" and *text what stands
 * there, quotes and all. false: nothing. */
bool config_entry(const struct config *cfg, const char *section, const char *key,
                  const char **where, const char **text);

/* Would that text do for the option? */
bool config_value_ok(const struct option *option, const char *text);

/* The queue of config-update: config_changes_queue, or cfg_changes.queue in barman_home. */
const char *config_queue(const struct config *cfg, struct arena *a);

/* log_level as a number of base/log.h. */
int config_log_level(const struct config *cfg);

#endif
