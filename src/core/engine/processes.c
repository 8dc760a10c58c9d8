/* SPDX-License-Identifier: PostgreSQL */
#include "engine/processes.h"

#include "base/clock.h"
#include "base/log.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>

#define LOOK_MS 50

const char *process_task(const char *server, struct str file)
{
    static const char *const tasks[] = {"receive-wal", "backup", "cron", "archive-wal",
                                        "sync-wal"};
    static const char sync_backup[] = "-sync-backup";
    char id[BACKUP_ID_CAP];

    if (!str_take_char(&file, '.') || !str_take_lit(&file, server) ||
        !str_take_char(&file, '-') || !str_ends(file, ".lock")) {
        return NULL;
    }
    file.n -= strlen(".lock");
    for (size_t i = 0; i < sizeof tasks / sizeof tasks[0]; i++) {
        if (str_eq(file, tasks[i])) {
            return tasks[i];
        }
    }
    if (file.n == BACKUP_ID_LEN + strlen(sync_backup) && str_ends(file, sync_backup) &&
        str_fmt(id, sizeof id, "%.*s", BACKUP_ID_LEN, file.p) && backup_id_ok(id)) {
        return sync_backup + 1;
    }
    return NULL;
}

/* What stands between the server's name and ".lock". */
static bool lock_name(const char *server, const char *file, char out[PATH_CAP])
{
    size_t front = strlen(server) + 2, back = strlen(".lock");

    return str_fmt(out, PATH_CAP, "%.*s", (int)(strlen(file) - front - back), file + front);
}

bool processes_list(const struct repo *r, struct arena *a, struct processes *out,
                    struct err *err)
{
    struct process *list;
    struct names names;

    *out = (struct processes){0};
    if (!dir_names(a, r->lock_dir, DIR_MAY_MISS, &names, err)) {
        return false;
    }
    list = ARENA_ARRAY(a, names.n + 1, struct process);
    for (size_t i = 0; list && i < names.n; i++) {
        const char *task = process_task(r->server, str_of(names.name[i]));
        char name[PATH_CAP];
        pid_t pid;

        if (!task || !lock_name(r->server, names.name[i], name) ||
            !lock_is_held(r, name, &pid)) {
            continue;
        }
        if (pid <= 0) {
            log_line(LOG_WARNING, "no process number in lock file '%s/%s'", r->lock_dir,
                     names.name[i]);
            continue;
        }
        list[out->n++] = (struct process){pid, task};
    }
    out->process = list;
    return list ? true : arena_err(a, err);
}

static bool holds_still(const struct repo *r, const struct process *p)
{
    struct processes now;
    struct err ignored;
    struct arena a;
    bool still = false;

    arena_init(&a, 0);
    if (processes_list(r, &a, &now, &ignored)) {
        for (size_t i = 0; i < now.n; i++) {
            still = still ||
                    (now.process[i].pid == p->pid && strcmp(now.process[i].task, p->task) == 0);
        }
    }
    arena_release(&a);
    return still;
}

bool process_stop(const struct repo *r, const struct process *p, int64_t wait_ns,
                  struct err *err)
{
    int64_t end = clock_mono_ns() + wait_ns;

    if (!holds_still(r, p)) {
        return true;
    }
    log_line(LOG_INFO, "Sending SIGINT to PID %ld (%s of server %s)", (long)p->pid, p->task,
             r->server);
    if (kill(p->pid, SIGINT) != 0) {
        return errno == ESRCH || err_os(err, errno, "stop", p->task);
    }
    while (kill(p->pid, 0) == 0 && holds_still(r, p)) {
        if (clock_mono_ns() > end) {
            return err_set(err, ERR_TIMEOUT, "Look at what it waits for.", p->task,
                           "process %ld is still there", (long)p->pid);
        }
        (void)poll(NULL, 0, LOOK_MS);
    }
    return true;
}
