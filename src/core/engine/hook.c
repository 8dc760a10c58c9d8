/* SPDX-License-Identifier: PostgreSQL */
#include "engine/hook.h"

#include "base/child.h"
#include "base/clock.h"
#include "base/fmt.h"
#include "cfg/server.h"
#include "repo/backup_info.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define PAUSE_MS       3000
#define LONG_PAUSE_MS  60000
#define LONG_EVERY     6
#define LAST_RITES_S   60 /* for the scripts after an operation that was cancelled */
#define OWN_ENV        9
#define USUAL_PATH     "/usr/local/bin:/usr/bin:/bin"
#define STATUS_UNKNOWN (-1)

extern char **environ;

enum phase { PHASE_PRE, PHASE_POST };
enum again { AGAIN_NEVER, AGAIN_UNTIL_GOOD }; /* plain script, retry script */

static const char *const phase_name[] = {"pre", "post"};

#define SCRIPTS(x)                                                                             \
    {                                                                                          \
        {OPTION_pre_##x##_script, OPTION_pre_##x##_retry_script},                              \
            {OPTION_post_##x##_script, OPTION_post_##x##_retry_script},                        \
    }

static const struct {
    const char *name;
    enum option_id script[2][2]; /* by phase and again */
} kind[] = {
    [HOOK_BACKUP] = {"backup", SCRIPTS(backup)},
    [HOOK_ARCHIVE] = {"archive", SCRIPTS(archive)},
    [HOOK_DELETE] = {"delete", SCRIPTS(delete)},
    [HOOK_WAL_DELETE] = {"wal_delete", SCRIPTS(wal_delete)},
    [HOOK_RECOVERY] = {"recovery", SCRIPTS(recovery)},
};

struct run { /* one script */
    const struct hook *h;
    enum phase phase;
    enum again again;
    const char *script;
    const char *option; /* its name in the configuration */
    const char *error;
    int cancel_fd;
    int64_t limit_s; /* 0: none */
};

static const char *script_of(const struct server_cfg *srv, enum option_id id)
{
    const char *script;

    memcpy(&script, (const char *)srv + option_table[id].offset, sizeof script);
    return script && *script ? script : NULL;
}

bool hook_any(const struct server_cfg *srv, enum hook_what what)
{
    for (int i = 0; srv && i < 4; i++) {
        if (script_of(srv, kind[what].script[i / 2][i % 2])) {
            return true;
        }
    }
    return false;
}

void hook_init(struct hook *h, const struct task *task, const struct server_cfg *srv,
               enum hook_what what)
{
    *h = (struct hook){.task = task,
                       .srv = srv,
                       .what = what,
                       .pause_ms = PAUSE_MS,
                       .long_pause_ms = LONG_PAUSE_MS};
}

/* ---- the environment ----------------------------------------------------------------- */

void hook_env_add(struct hook *h, const char *name, const char *value)
{
    if (h->envs < HOOK_ENV_MAX) {
        h->env[h->envs++] = (struct hook_env){name, value};
    }
}

bool hook_env_backup(struct hook *h, struct arena *a, const struct repo *r,
                     const struct backup *b, struct err *err)
{
    const struct backup *previous, *next;
    char dir[PATH_CAP], info[PATH_CAP];
    struct catalogue all;

    h->envs = 0;
    if (!hook_any(h->srv, h->what)) {
        return true;
    }
    if (!catalogue_look(r, a, &all, err) || !repo_backup_dir(r, b->id, dir, err) ||
        !repo_info_path(r, b->id, info, err)) {
        return false;
    }
    previous = catalogue_previous(&all, b->id);
    next = catalogue_next(&all, b->id);
    h->error = b->error;
    hook_env_add(h, "BARMAN_BACKUP_DIR", arena_strdup(a, dir));
    hook_env_add(h, "BARMAN_BACKUP_INFO_PATH", arena_strdup(a, info));
    hook_env_add(h, "BARMAN_BACKUP_ID", b->id);
    hook_env_add(h, "BARMAN_PREVIOUS_ID", previous ? previous->id : "");
    hook_env_add(h, "BARMAN_NEXT_ID", next ? next->id : "");
    hook_env_add(h, "BARMAN_STATUS", backup_status_name(b->status));
    return !a->failed || arena_err(a, err);
}

bool hook_env_wal(struct hook *h, struct arena *a, const struct wal_file *wal, const char *file,
                  struct err *err)
{
    char time[FMT_CAP];

    h->envs = 0;
    if (!hook_any(h->srv, h->what)) {
        return true;
    }
    hook_env_add(h, "BARMAN_SEGMENT", arena_strdup(a, wal->name));
    hook_env_add(h, "BARMAN_FILE", arena_strdup(a, file));
    hook_env_add(h, "BARMAN_SIZE", arena_fmt(a, "%" PRIu64, wal->size));
    hook_env_add(h, "BARMAN_TIMESTAMP", arena_strdup(a, fmt_py_float(wal->mtime, time)));
    hook_env_add(h, "BARMAN_COMPRESSION", arena_strdup(a, wal->compression));
    return !a->failed || arena_err(a, err);
}

static void put_env(struct arena *a, const char **list, size_t *n, const char *name,
                    const char *value)
{
    list[(*n)++] = arena_fmt(a, "%s=%s", name, value ? value : "");
}

/* Does one of ours bear that name? */
static bool is_ours(const char *const *list, size_t n, const char *inherited)
{
    size_t len = strcspn(inherited, "=");

    for (size_t i = 0; i < n; i++) {
        if (list[i] && strncmp(list[i], inherited, len) == 0 && list[i][len] == '=') {
            return true;
        }
    }
    return false;
}

static const char *path_of(const struct server_cfg *srv, struct arena *a)
{
    const char *path = getenv("PATH");

    path = path ? path : USUAL_PATH;
    return srv->path_prefix ? arena_fmt(a, "%s:%s", srv->path_prefix, path) : path;
}

static const char *const *environment(const struct run *run, struct arena *a)
{
    const struct hook *h = run->h;
    size_t n = 0, own, inherited = 0;
    const char **list;

    while (environ[inherited]) {
        inherited++;
    }
    list = ARENA_ARRAY(a, inherited + HOOK_ENV_MAX + OWN_ENV + 2, const char *);
    if (!list) {
        return NULL;
    }
    put_env(a, list, &n, "PATH", path_of(h->srv, a));
    put_env(a, list, &n, "BARMAN_VERSION", HOOK_BARMAN_VERSION);
    put_env(a, list, &n, "BARKEEP_VERSION", BARKEEP_VERSION);
    put_env(a, list, &n, "BARMAN_SERVER", h->srv->name);
    put_env(a, list, &n, "BARMAN_CONFIGURATION", h->srv->config_path);
    put_env(a, list, &n, "BARMAN_HOOK",
            arena_fmt(a, "%s_%sscript", kind[h->what].name, run->again ? "retry_" : ""));
    put_env(a, list, &n, "BARMAN_PHASE", phase_name[run->phase]);
    put_env(a, list, &n, "BARMAN_RETRY", run->again ? "1" : "0");
    put_env(a, list, &n, "BARMAN_ERROR", run->error);
    for (size_t i = 0; i < h->envs; i++) {
        put_env(a, list, &n, h->env[i].name, h->env[i].value);
    }
    own = n;
    for (size_t i = 0; i < inherited; i++) {
        if (!is_ours(list, own, environ[i])) {
            list[n++] = environ[i];
        }
    }
    list[n] = NULL;
    return a->failed ? NULL : list;
}

/* ---- one script ---------------------------------------------------------------------- */

static void heard(void *ctx, struct str line)
{
    const struct run *run = ctx;

    task_say(run->h->task, SAY_LOG, "%s: %.*s", run->option, (int)line.n, line.p);
}

static int64_t deadline(const struct run *run)
{
    int64_t by = run->limit_s > 0 ? clock_mono_ns() + run->limit_s * NS_PER_S : 0;
    int64_t whole = run->phase == PHASE_PRE ? run->h->task->deadline_ns : 0;

    if (!by || (whole && whole < by)) {
        return whole;
    }
    return by;
}

/* Its exit status; STATUS_UNKNOWN when it has none. false: not to be tried again. */
static bool attempt(struct run *run, int *status, struct err *err)
{
    const char *argv[] = {"/bin/sh", "-c", run->script, NULL};
    struct child_spec spec = {.argv = argv,
                              .line = heard,
                              .line_ctx = run,
                              .deadline_ns = deadline(run),
                              .cancel_fd = run->cancel_fd};
    struct child_end end = {.status = STATUS_UNKNOWN};
    struct err why = {0};
    char text[512];
    struct arena a;
    bool ok;

    arena_init(&a, 0);
    task_say(run->h->task, SAY_LOG, "running %s: %s", run->option, run->script);
    spec.env = environment(run, &a);
    ok = spec.env ? child_run(&spec, &end, &why) : arena_err(&a, &why);
    arena_release(&a);
    *status = ok ? 0 : end.status > 0 && why.code == ERR_IO ? end.status : STATUS_UNKNOWN;
    if (ok) {
        task_say(run->h->task, SAY_LOG, "%s ended with exit status 0", run->option);
        return true;
    }
    task_say(run->h->task, SAY_LOG, "%s failed: %s", run->option,
             err_text(&why, text, sizeof text));
    if (why.code == ERR_CANCEL || why.code == ERR_MEMORY) {
        *err = why;
        return false;
    }
    return true;
}

static bool is_final(int status)
{
    return status == 0 || status == HOOK_ABORT_CONTINUE || status == HOOK_ABORT_STOP;
}

/* Until it is content; false: cancelled. */
static bool repeat(struct run *run, int *status, struct err *err)
{
    const struct hook *h = run->h;

    for (unsigned failed = 1;; failed++) {
        struct progress p = {.phase = "hook"};

        str_fmt(p.what, sizeof p.what, "%s, attempt %u", run->option, failed);
        task_progress(h->task, &p);
        if (!attempt(run, status, err)) {
            return false;
        }
        if (is_final(*status) || run->again == AGAIN_NEVER) {
            return true;
        }
        if (!task_rest(h->task, failed % LONG_EVERY ? h->pause_ms : h->long_pause_ms, err)) {
            return false;
        }
    }
}

static bool run_script(const struct hook *h, enum phase phase, enum again again,
                       const char *error, struct err *err)
{
    enum option_id id = kind[h->what].script[phase][again];
    struct run run = {.h = h,
                      .phase = phase,
                      .again = again,
                      .script = script_of(h->srv, id),
                      .option = option_table[id].name,
                      .error = error,
                      .cancel_fd = h->task->cancel_fd,
                      .limit_s = h->srv->hook_timeout};
    int status = 0;
    struct err over;

    if (!run.script) {
        return true;
    }
    if (phase == PHASE_POST && !task_go_on(h->task, &over)) {
        run.cancel_fd = -1;
        run.limit_s =
            run.limit_s > 0 && run.limit_s < LAST_RITES_S ? run.limit_s : LAST_RITES_S;
        return attempt(&run, &status, err);
    }
    if (!repeat(&run, &status, err)) {
        return false;
    }
    if (again == AGAIN_NEVER || status != HOOK_ABORT_STOP) {
        return true;
    }
    return err_set(err, ERR_HOOK, "Look at what it wrote to the log.", run.script,
                   "%s ended with exit status %d: stop", run.option, status);
}

/* ---- public -------------------------------------------------------------------------- */

bool hook_before(const struct hook *h, struct err *err)
{
    return !hook_any(h->srv, h->what) ||
           (run_script(h, PHASE_PRE, AGAIN_NEVER, h->error, err) &&
            run_script(h, PHASE_PRE, AGAIN_UNTIL_GOOD, h->error, err));
}

void hook_after(const struct hook *h, const char *error)
{
    struct err why;
    char text[512];

    if (!hook_any(h->srv, h->what)) {
        return;
    }
    error = error ? error : h->error;
    if (!run_script(h, PHASE_POST, AGAIN_UNTIL_GOOD, error, &why)) {
        task_say(h->task, SAY_WARN, "ignored, the operation has ended: %s",
                 err_text(&why, text, sizeof text));
    }
    if (!run_script(h, PHASE_POST, AGAIN_NEVER, error, &why)) {
        task_say(h->task, SAY_WARN, "%s", err_text(&why, text, sizeof text));
    }
}

void hook_after_err(const struct hook *h, bool ok, const struct err *err)
{
    char text[1536];

    if (hook_any(h->srv, h->what)) {
        hook_after(h, ok ? NULL : err_text(err, text, sizeof text));
    }
}
