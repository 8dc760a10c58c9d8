/* SPDX-License-Identifier: PostgreSQL */
/* put-wal: what barman-wal-archive calls over SSH. */
#include "session.h"

#include "engine/put_wal.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A refusal is told in Barman's words, whatever else the error says. */
static bool do_put(const struct task *task, void *arg, struct err *err)
{
    struct put_wal *what = arg;

    return (wal_rules_of(what->repo, &what->rules, err) && put_wal(task, what, err)) ||
           what->refusal[0];
}

void run_put_wal(struct session *s, const struct server_cfg *srv)
{
    struct repo repo;
    struct put_wal what = {.repo = &repo, .fd = STDIN_FILENO, .host = session_ssh_host(s)};
    struct session_verb verb = {SESSION_KEEPS_HOUSE, srv, do_put, &what};

    if (arg_given(&s->args, "test")) {
        console_say(&s->console, SAY_OUT, "Ready to accept WAL files for the server %s",
                    srv->name);
        return;
    }
    if (session_repo(s, srv, &repo) && session_job(s, &verb) && what.refusal[0]) {
        console_say(&s->console, SAY_ERROR, "%s", what.refusal);
    }
}
