/* SPDX-License-Identifier: PostgreSQL */
/* list-processes, terminate-process, lock-directory-cleanup. */
#include "session.h"

#include "base/clock.h"
#include "base/doc.h"
#include "engine/processes.h"
#include "repo/lock.h"

#include <string.h>

#define STOP_WAIT_S 10

void run_list_processes(struct session *s, const struct server_cfg *srv)
{
    struct processes list;
    struct repo repo;
    struct err err;
    struct doc *all;

    if (!session_repo(s, srv, &repo)) {
        return;
    }
    if (!processes_list(&repo, &s->arena, &list, &err)) {
        session_fail(s, &err);
        return;
    }
    if (s->console.doc) {
        all = doc_array(s->console.doc, srv->name);
        for (size_t i = 0; i < list.n; i++) {
            struct doc *one = doc_add_object(all);

            doc_int(one, "pid", list.process[i].pid);
            doc_text(one, "name", list.process[i].task);
        }
        return;
    }
    console_say(&s->console, SAY_OUT,
                list.n ? "Active subprocesses for server %s:"
                       : "No active subprocesses found for server %s.",
                srv->name);
    for (size_t i = 0; i < list.n; i++) {
        console_say(&s->console, SAY_OUT, "%ld %s", (long)list.process[i].pid,
                    list.process[i].task);
    }
}

/* The first of that task, as Barman does; there is more than one of sync-backup only. */
void run_terminate_process(struct session *s, const struct server_cfg *srv)
{
    const char *task = s->args.operand[1];
    struct processes list;
    struct repo repo;
    struct err err;

    if (!session_repo(s, srv, &repo)) {
        return;
    }
    if (!processes_list(&repo, &s->arena, &list, &err)) {
        session_fail(s, &err);
        return;
    }
    for (size_t i = 0; i < list.n; i++) {
        const struct process *p = &list.process[i];

        if (strcmp(p->task, task) != 0) {
            continue;
        }
        if (process_stop(&repo, p, STOP_WAIT_S * NS_PER_S, &err)) {
            console_say(&s->console, SAY_OUT, "Stopped process %s(%ld)", p->task, (long)p->pid);
        } else if (err.code == ERR_TIMEOUT) {
            console_say(&s->console, SAY_ERROR, "Cannot terminate process %s(%ld)", p->task,
                        (long)p->pid);
        } else {
            session_fail(s, &err);
        }
        return;
    }
    console_say(&s->console, SAY_ERROR,
                "Termination of %s failed: no such process for server %s", task, srv->name);
}

void run_lock_directory_cleanup(struct session *s, const struct server_cfg *srv)
{
    struct err err;

    (void)srv;
    if (!lock_clean_up(s->cfg->barman_lock_directory, &err)) {
        session_fail(s, &err);
    }
}
