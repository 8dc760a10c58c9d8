/* SPDX-License-Identifier: PostgreSQL */
/* config_change.h - the verbs config-switch and config-update: other values of options, while
 * barkeep and its crons run.
 *
 * config-switch   The name of the active model lies in backup_directory/.active-model.auto and is
 *                 read at every start.
 * config-update   [{"scope": "server", "server_name": "main", "KEY": "VALUE", ...},
 *                  {"scope": "model", "model_name": "m", "cluster": "main", ...}]
 *                 Everything is checked first. Then the changes go to the queue, a JSON list of
 *                 {"section", "changes_set": [{"key", "value", "config_file"}]}, and are worked
 *                 off one section after the other: each file is replaced in one step with the
 *                 mode it has, then the queue. What an interrupted run left is done again by the
 *                 next one or by cron; a change made twice is one change.
 * Where           In the file that has the key in that section; one that only has a default, or
 *                 comes from [barman], goes to barman_home/.barman.auto.conf.
 * Lock            LOCK_FILE_CONFIG_UPDATE, not waited for (ERR_BUSY).
 * Then            receive-wal of the servers concerned is stopped and, with streaming_archiver,
 *                 started again.
 * Secrets         Values may hold passwords: messages go through the task's redaction.
 * Source          Barman 3.17, config-switch and config-update.
 */
#ifndef ENGINE_CONFIG_CHANGE_H
#define ENGINE_CONFIG_CHANGE_H

#include "barkeep/task.h"
#include "cfg/config.h"

struct config_change {
    const struct config *cfg;
    const char *program;     /* absolute path of the running binary */
    const char *config_path; /* as it was named; NULL: searched for */
    struct arena *a;
};

/* model NULL: none. Says what changes. */
MUST_CHECK bool config_switch(const struct task *t, const struct config_change *what,
                              const struct server_cfg *srv, const char *model, struct err *err);

MUST_CHECK bool config_update(const struct task *t, const struct config_change *what,
                              struct str json, struct err *err);

/* For cron, before it looks at a server: what waits in the queue. Somebody else at it is no
 * failure. The caller's configuration is then an old one; the next turn reads the new one. */
MUST_CHECK bool config_update_left_over(const struct task *t, const struct config_change *what,
                                        struct err *err);

/* Stop receive-wal of that server and, if it should run, start it again. A receiver that does not
 * stop is told as a warning. */
MUST_CHECK bool config_restart(const struct task *t, const struct config_change *what,
                               const struct server_cfg *srv, struct err *err);

#endif
