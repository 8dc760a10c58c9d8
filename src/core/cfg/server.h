/* SPDX-License-Identifier: PostgreSQL */
/* server.h - what the configuration says about one server, checked and frozen.
 *
 * Has one member for every option of option.def that a server can have, under exactly the
 * option's name (types: option.h), resolved through active model, server section, [barman] and
 * default. Besides:
 *
 *   directories  backup_, basebackups_, wals_, xlogdb_, incoming_wals_, streaming_wals_ and
 *                errors_directory are always set: absolute, "~" expanded. They need not exist.
 *   disabled     the configuration contradicts itself: message[] says how. Such a server can be
 *                looked at; commands that do something refuse it.
 *   source       for each option the place it comes from, "/etc/barman.conf:12" or "default".
 *
 * Ownership  All in the arena of config_load(); immutable.
 * Secrets    conninfo and its relatives hold passwords: never print them whole (redact(),
 *            base/log.h).
 */
#ifndef CFG_SERVER_H
#define CFG_SERVER_H

#include "barkeep/err.h"
#include "cfg/option.h"

struct server_cfg {
    const char *name;
    const char *config_path; /* of the first file, as in struct config */
    bool disabled;
    const char *const *message; /* why it is disabled */
    size_t messages;
    const char *active_model; /* NULL: none */
    bool archiver_forced;     /* neither archiver nor streaming_archiver was on */
    const char *source[OPTION_COUNT];
#define OPTION(name, scope, type, def, values, acts, text) OPTION_MEMBER_##type(name);
#include "cfg/option.def"
};

/* Connection strings with their fallbacks; NULL only when conninfo is missing too.
 *   streaming      streaming_conninfo, else conninfo
 *   wal            wal_conninfo, else wal_streaming_conninfo, else conninfo: questions about
 *                  the slot of receive-wal
 *   wal_streaming  wal_streaming_conninfo, else streaming: receive-wal */
const char *server_cfg_streaming_conninfo(const struct server_cfg *srv);
const char *server_cfg_wal_conninfo(const struct server_cfg *srv);
const char *server_cfg_wal_streaming_conninfo(const struct server_cfg *srv);

/* encryption = gpg */
bool server_cfg_encrypts(const struct server_cfg *srv);

/* A copy of another node's server (primary_ssh_command). */
bool server_cfg_passive(const struct server_cfg *srv);

/* What a verb is about to touch, for server_cfg_refusal(). */
enum cfg_use {
    CFG_USE_BACKUP,
    CFG_USE_RECEIVE,
    CFG_USE_ARCHIVE,
    CFG_USE_RESTORE,
    CFG_USE_DELETE
};

/* May this version do that with a server configured so? false and ERR_CONFIG where leaving a
 * setting unheeded would do harm: encryption of backups, a backup method it
 * does not have, a passive node. Ask before anything is touched. */
MUST_CHECK bool server_cfg_refusal(const struct server_cfg *srv, enum cfg_use use,
                                   struct err *err);

#endif
