/* SPDX-License-Identifier: PostgreSQL */
#include "command.h"
#include "engine/convert_layout.h"
#include "session.h"

#include <string.h>

static bool do_convert(const struct task *task, void *arg, struct err *err)
{
    return convert_layout(task, arg, err);
}

void run_convert_layout(struct session *s, const struct server_cfg *srv)
{
    struct convert_layout what = {.srv = srv, .dry_run = arg_given(&s->args, "dry-run")};
    struct session_verb verb = {SESSION_WRITES, srv, do_convert, &what};
    const char *to = s->args.operand[1];
    struct repo repo;
    struct err err = {0};

    what.to = strcmp(to, layout_name(LAYOUT_LEGACY)) == 0 ? LAYOUT_LEGACY : LAYOUT_CURRENT;
    if (strcmp(to, layout_name(what.to)) != 0) {
        err_set(&err, ERR_USAGE, "Say 'current' or 'legacy'.", to, "not a layout");
        session_fail(s, &err);
        return;
    }
    if (!session_repo(s, srv, &repo)) {
        return;
    }
    what.repo = &repo;
    if (what.dry_run) {
        verb.kind = SESSION_KEEPS_HOUSE;
    }
    session_job(s, &verb);
}
