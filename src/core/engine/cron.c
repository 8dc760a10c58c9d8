/* SPDX-License-Identifier: PostgreSQL */
#include "engine/cron.h"

#include "base/child.h"
#include "engine/enforce.h"
#include "repo/catalogue.h"
#include "repo/lock.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

struct turn {
    const struct task *t;
    const struct cron *what;
    const char *program;
    const struct server_cfg *srv;
    bool *due; /* NULL: retention is done at once */
    struct repo repo;
    struct arena a;
};

static bool start(struct turn *c, const char *verb, const char *backup_id, struct err *err)
{
    const char *argv[] = {c->program, "-c",         c->what->cfg->path, "-q",
                          verb,       c->srv->name, backup_id,          NULL};
    enum child_output output =
        c->what->output == CRON_CHILDREN_QUIET ? CHILD_QUIET : CHILD_KEEP_OUTPUT;
    pid_t pid;

    return child_detach(argv, output, &pid, err) || err_wrap(err, "start %s", verb);
}

/* Is there a file that archive-wal would take? A directory that cannot be read has one: then
 * archive-wal says why. Of .partial ones the newest is still being written. */
static bool waits(const char *path, size_t partials)
{
    struct dirent *d;
    DIR *dir = opendir(path);
    bool found = false;

    if (!dir) {
        return errno != ENOENT;
    }
    while (!found && (d = readdir(dir))) {
        struct str name = str_of(d->d_name);

        if (name.p[0] == '.' || str_ends(name, ".tmp")) {
            continue;
        }
        found = !str_ends(name, ".partial") || partials-- == 0;
    }
    closedir(dir);
    return found;
}

static bool start_archive(struct turn *c, struct err *err)
{
    if (!waits(c->repo.incoming_dir, 0) && !waits(c->repo.streaming_dir, 1)) {
        return true;
    }
    if (lock_is_held(&c->repo, LOCK_ARCHIVE_WAL, NULL)) {
        task_say(
            c->t, SAY_OUT,
            "Another archive-wal process is already running on server %s. Skipping to the next "
            "server",
            c->srv->name);
        return true;
    }
    task_say(c->t, SAY_OUT, "Starting WAL archiving for server %s", c->srv->name);
    return start(c, "archive-wal", NULL, err);
}

static bool start_receive(struct turn *c, struct err *err)
{
    pid_t pid = 0;
    bool runs = lock_is_held(&c->repo, LOCK_RECEIVE_WAL, &pid);

    if (!c->srv->streaming_archiver) {
        if (runs && pid > 1 && kill(pid, SIGINT) != 0 && errno != ESRCH) {
            return err_os(err, errno, "stop receive-wal", c->srv->name);
        }
        return true;
    }
    if (runs) {
        task_say(c->t, SAY_DEBUG, "receive-wal of %s runs already", c->srv->name);
        return true;
    }
    task_say(c->t, SAY_OUT, "Starting streaming archiver for server %s", c->srv->name);
    return start(c, "receive-wal", NULL, err);
}

/* The oldest backup that waits is looked after; the next one in the next turn. */
static bool start_check_backup(struct turn *c, const struct catalogue *all, struct err *err)
{
    for (size_t i = 0; i < all->n; i++) {
        const char *id = all->backup[i].id;
        if (all->backup[i].status != BACKUP_WAITING_FOR_WALS) {
            continue;
        }
        if (lock_is_held(&c->repo, id, NULL)) {
            return true;
        }
        task_say(c->t, SAY_OUT, "Starting check-backup for backup %s of server %s", id,
                 c->srv->name);
        return start(c, "check-backup", id, err);
    }
    return true;
}

static bool retention(struct turn *c, const struct catalogue *all, struct err *err)
{
    return c->due ? enforce_is_due(c->t, &c->repo, c->srv, all, c->due, err)
                  : enforce_retention(c->t, &c->repo, c->srv, all, ENFORCE_DO, err);
}

static bool locked_turn(struct turn *c, struct err *err)
{
    struct catalogue all;

    if (c->what->how == CRON_RETENTION) {
        return catalogue_load(&c->repo, &c->a, &all, err) && retention(c, &all, err);
    }
    return repo_make_dirs(&c->repo, err) && start_archive(c, err) && start_receive(c, err) &&
           catalogue_load(&c->repo, &c->a, &all, err) && start_check_backup(c, &all, err) &&
           retention(c, &all, err);
}

static bool tell(struct turn *c, struct err *err)
{
    struct catalogue all;

    return catalogue_load(&c->repo, &c->a, &all, err) &&
           enforce_retention(c->t, &c->repo, c->srv, &all, ENFORCE_DRY_RUN, err);
}

static bool serve(struct turn *c, struct err *err)
{
    const struct config *cfg = c->what->cfg;
    struct lock lock = LOCK_INIT;
    bool ok;

    if (!repo_of(&c->a, c->srv, cfg->barman_home, cfg->barman_lock_directory, &c->repo, err)) {
        return false;
    }
    if (c->what->how == CRON_DRY_RUN) {
        return tell(c, err);
    }
    if (!lock_take(&lock, &c->repo, LOCK_CRON, LOCK_TRY, err)) {
        if (err->code != ERR_BUSY) {
            return false;
        }
        task_say(c->t, SAY_OUT,
                 "Another cron process is already running on server %s. Skipping to "
                 "the next server",
                 c->srv->name);
        return true;
    }
    ok = locked_turn(c, err);
    lock_release(&lock);
    return ok;
}

static bool own_path(char out[PATH_CAP], struct err *err)
{
    ssize_t n = readlink("/proc/self/exe", out, PATH_CAP - 1);

    if (n <= 0) {
        return err_os(err, errno, "find the running program", "/proc/self/exe");
    }
    out[n] = '\0';
    return true;
}

/* false: told, too. */
static bool turn_of(struct turn *c, struct err *err)
{
    const struct server_cfg *srv = c->srv;
    struct err why = {0};
    char text[1536];
    bool ok;

    if (!srv->active || srv->disabled || server_cfg_passive(srv)) {
        task_say(c->t, SAY_OUT, "Skipping %s server '%s'",
                 !srv->active    ? "inactive"
                 : srv->disabled ? "temporarily disabled"
                                 : "passive",
                 srv->name);
        return true;
    }
    arena_init(&c->a, 0);
    ok = serve(c, &why);
    if (!ok) {
        task_say(c->t, SAY_ERROR, "%s: %s", srv->name, err_text(&why, text, sizeof text));
        *err = why;
    }
    arena_release(&c->a);
    return ok;
}

bool cron_run(const struct task *t, const struct cron *what, struct err *err)
{
    struct turn c = {.t = t, .what = what, .program = what->program};
    char path[PATH_CAP];
    size_t failed = 0;

    if (!c.program) {
        if (!own_path(path, err)) {
            return false;
        }
        c.program = path;
    }
    for (size_t i = 0; i < what->cfg->servers; i++) {
        const struct server_cfg *srv = &what->cfg->server[i];

        if (!task_go_on(t, err)) {
            return false;
        }
        if (what->only && what->only != srv) {
            continue;
        }
        c.srv = srv;
        c.due = what->due ? &what->due[i] : NULL;
        failed += !turn_of(&c, err);
    }
    if (what->how == CRON_DO && what->cfg->lock_directory_cleanup &&
        !lock_clean_up(what->cfg->barman_lock_directory, err)) {
        return false;
    }
    return failed == 0;
}
