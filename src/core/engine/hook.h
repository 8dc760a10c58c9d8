/* SPDX-License-Identifier: PostgreSQL */
/* hook.h - the user's scripts before and after what a verb does.
 *
 *     pre_X_script  pre_X_retry_script  the operation  post_X_retry_script  post_X_script
 *
 * A plain script is run once; its exit status is only logged. A retry script is run until it
 * exits with 0, HOOK_ABORT_CONTINUE or HOOK_ABORT_STOP, with a pause of 3 s, after every sixth
 * failure of 60 s. HOOK_ABORT_STOP before the operation stops it (ERR_HOOK), after it it is a
 * warning. A script that runs longer than hook_timeout is stopped and counts as failed.
 *
 * Runs through /bin/sh with path_prefix before PATH; what it writes goes to the log, line by
 * line. Cancel of the task stops the script and the waiting. After a cancelled operation the
 * scripts of the end are still run, once, and a minute long at most: they are to be told.
 *
 * Environment  ours, and BARMAN_VERSION (of the Barman whose hooks these are), BARKEEP_VERSION,
 *              BARMAN_SERVER, BARMAN_CONFIGURATION, BARMAN_HOOK, BARMAN_PHASE, BARMAN_RETRY,
 *              BARMAN_ERROR (always), and the caller's.
 * Cost         Nothing is done when no script is configured: hook_any() first when the
 *              environment costs something to make.
 * Use          struct hook h; hook_init(); one of hook_env_...(); hook_before(); the operation;
 *              hook_after(). The struct is reused by a further hook_env_...().
 * Source       Barman 3.17, hook scripts.
 */
#ifndef ENGINE_HOOK_H
#define ENGINE_HOOK_H

#include "barkeep/arena.h"
#include "barkeep/model.h"
#include "barkeep/task.h"
#include "repo/catalogue.h"

struct server_cfg;

#define HOOK_BARMAN_VERSION "3.17.0"
#define HOOK_ABORT_CONTINUE 62
#define HOOK_ABORT_STOP     63

enum hook_what { HOOK_BACKUP, HOOK_ARCHIVE, HOOK_DELETE, HOOK_WAL_DELETE, HOOK_RECOVERY };

struct hook_env {             /* one variable more */
    const char *name, *value; /* value NULL: empty */
};

#define HOOK_ENV_MAX 16
struct hook {
    const struct task *task;
    const struct server_cfg *srv;
    enum hook_what what;
    struct hook_env env[HOOK_ENV_MAX]; /* of the operation */
    size_t envs;
    const char *error;           /* what BARMAN_ERROR says when the operation did not fail */
    int pause_ms, long_pause_ms; /* between the attempts: 3 s and 60 s; tests set less */
};

/* Is any script for this operation configured? */
bool hook_any(const struct server_cfg *srv, enum hook_what what);

void hook_init(struct hook *h, const struct task *task, const struct server_cfg *srv,
               enum hook_what what);

/* The variables every operation of that kind has, instead of those there are. Nothing is done
 * when hook_any() is false. Texts must outlive the hook; numbers are printed into the arena. */
MUST_CHECK bool hook_env_backup(struct hook *h, struct arena *a, const struct repo *r,
                                const struct backup *b, struct err *err);
/* file: its path now; wal: wal_file_of() it. */
MUST_CHECK bool hook_env_wal(struct hook *h, struct arena *a, const struct wal_file *wal,
                             const char *file, struct err *err);
void hook_env_add(struct hook *h, const char *name, const char *value);

/* Before: false with ERR_HOOK when a retry script said stop (or the task is cancelled).
 * After: error is why the operation failed, NULL: it did not; never fails. */
MUST_CHECK bool hook_before(const struct hook *h, struct err *err);
void hook_after(const struct hook *h, const char *error);
/* The same with the text of an err; ok: the operation did not fail. */
void hook_after_err(const struct hook *h, bool ok, const struct err *err);

#endif
