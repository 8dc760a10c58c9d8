/* SPDX-License-Identifier: PostgreSQL */
#include "engine/config_change.h"

#include "base/child.h"
#include "base/clock.h"
#include "engine/processes.h"
#include "engine/repo_of.h"
#include "engine/server_facts.h"
#include "repo/mount.h"

#include <string.h>

#define ACTIVE_MODEL_FILE ".active-model.auto"
#define STOP_WAIT_S       10

bool config_restart(const struct task *t, const struct config_change *what,
                    const struct server_cfg *srv, struct err *err)
{
    const struct config *cfg = what->cfg;
    const char *argv[] = {what->program, "-c", cfg->path, "-q", "receive-wal", srv->name, NULL};
    struct process p = {.task = "receive-wal"};
    struct err why = {0};
    struct repo repo;
    pid_t pid;

    if (!repo_of(what->a, srv, cfg->barman_home, cfg->barman_lock_directory, &repo, err)) {
        return false;
    }
    if (lock_is_held(&repo, LOCK_RECEIVE_WAL, &p.pid) && p.pid > 1) {
        if (!process_stop(&repo, &p, STOP_WAIT_S * NS_PER_S, &why)) {
            task_say(t, SAY_WARN, "Cannot terminate process %s(%ld)", p.task, (long)p.pid);
            return true;
        }
        task_say(t, SAY_OUT, "Stopped process %s(%ld)", p.task, (long)p.pid);
    }
    if (!srv->streaming_archiver || !srv->active || srv->disabled || server_cfg_passive(srv)) {
        return true;
    }
    task_say(t, SAY_OUT, "Starting streaming archiver for server %s", srv->name);
    return child_detach(argv, CHILD_QUIET, &pid, err) || err_wrap(err, "start receive-wal");
}

/* The model is noted in the server's directory. */
static bool is_mounted(const struct config_change *what, const struct server_cfg *srv,
                       struct err *err)
{
    const struct config *cfg = what->cfg;
    struct repo repo;

    return repo_of(what->a, srv, cfg->barman_home, cfg->barman_lock_directory, &repo, err) &&
           repo_mounted(&repo, err);
}

static bool write_model(const struct server_cfg *srv, const char *model, struct err *err)
{
    char path[PATH_CAP];

    if (!path_join(path, srv->backup_directory, ACTIVE_MODEL_FILE, err)) {
        return false;
    }
    if (!model) {
        return file_kind(srv->backup_directory, NULL) != FILE_DIR || file_remove(path, err);
    }
    return dir_make(srv->backup_directory, err) && file_replace(path, str_of(model), err);
}

static bool facts_read(const struct config_change *what, const struct server_cfg *srv,
                       struct server_facts **out, struct err *err)
{
    *out = ARENA_NEW(what->a, struct server_facts);
    if (!*out) {
        return arena_err(what->a, err);
    }
    if (!facts_of_config(srv, what->a, *out, err)) {
        return false;
    }
    server_fact_sort(*out);
    return true;
}

/* Both lists have the same keys in the same order. */
static bool say_changes(const struct task *t, const struct config_change *what,
                        const struct server_cfg *before, const struct server_cfg *after,
                        struct err *err)
{
    struct server_facts *old, *new;
    char from[FACT_CAP], to[FACT_CAP];

    if (!facts_read(what, before, &old, err) || !facts_read(what, after, &new, err)) {
        return false;
    }
    for (size_t i = 0; i < old->n && i < new->n; i++) {
        if (strcmp(old->fact[i].key, "disabled") != 0 &&
            strcmp(server_fact_str(&old->fact[i], from, sizeof from),
                   server_fact_str(&new->fact[i], to, sizeof to)) != 0) {
            task_say(t, SAY_OUT,
                     "Changing value of option '%s' for server '%s' from '%s' to '%s' through "
                     "the model '%s'",
                     old->fact[i].key, before->name, from, to, after->active_model);
        }
    }
    return true;
}

static bool may_switch(const struct config_change *what, const struct server_cfg *srv,
                       const char *model, struct err *err)
{
    const struct cfg_model *m = config_model(what->cfg, model);

    if (!m) {
        return err_set(err, ERR_CONFIG, "Look at the sections with 'model = true'.", "",
                       "Unknown model '%s'", model);
    }
    if (strcmp(m->cluster, srv->cluster) != 0) {
        return err_set(err, ERR_CONFIG, "Use a model of the server's cluster.", "",
                       "Model '%s' has 'cluster=%s', which is not compatible with 'cluster=%s' "
                       "from server '%s'",
                       m->name, m->cluster, srv->cluster, srv->name);
    }
    return true;
}

/* With the model's name on disk, the configuration is read as every later process will. */
static bool take_effect(const struct task *t, const struct config_change *what,
                        const struct server_cfg *srv, const char *model, struct err *err)
{
    struct config_change now = *what;
    struct cfg_messages ignored = {0};
    const struct server_cfg *after;

    now.cfg = config_load(what->a, what->config_path, &ignored, err);
    if (!now.cfg) {
        return false;
    }
    after = config_server(now.cfg, srv->name);
    if (!after) {
        return err_set(err, ERR_CONFIG, "Run the command again.", srv->name,
                       "the server's section is gone");
    }
    if (model && !say_changes(t, what, srv, after, err)) {
        return false;
    }
    for (size_t i = 0; i < after->messages; i++) {
        task_say(t, SAY_WARN, "%s", after->message[i]);
    }
    return config_restart(t, &now, after, err);
}

bool config_switch(const struct task *t, const struct config_change *what,
                   const struct server_cfg *srv, const char *model, struct err *err)
{
    if (model && !may_switch(what, srv, model, err)) {
        return false;
    }
    if (!model) {
        task_say(t, SAY_OUT, "Resetting the active model for the server %s", srv->name);
    } else if (srv->active_model && strcmp(srv->active_model, model) == 0) {
        task_say(t, SAY_OUT, "Model '%s' is already active for server '%s', skipping...", model,
                 srv->name);
        return config_restart(t, what, srv, err);
    } else {
        task_say(t, SAY_OUT, "Applying model '%s' to server '%s'", model, srv->name);
    }
    return is_mounted(what, srv, err) && write_model(srv, model, err) &&
           take_effect(t, what, srv, model, err);
}
