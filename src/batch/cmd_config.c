/* SPDX-License-Identifier: PostgreSQL */
/* config-switch, config-update. */
#include "session.h"

#include "engine/config_change.h"

static struct config_change change_of(struct session *s)
{
    return (struct config_change){s->cfg, s->program, s->config_path, &s->arena};
}

const char *config_switch_lacks(const struct args *args)
{
    return args->operand[1] || arg_given(args, "reset")
               ? NULL
               : "Either a model name or '--reset' flag need to be given";
}

void run_config_switch(struct session *s, const struct server_cfg *srv)
{
    const char *model = s->args.operand[1];
    bool reset = arg_given(&s->args, "reset");
    struct config_change what = change_of(s);
    struct task_sink sink;
    struct task task = session_task(s, &sink);
    struct err err;

    if (!config_switch(&task, &what, srv, reset ? NULL : model, &err)) {
        session_fail(s, &err);
    }
}

void run_config_update(struct session *s, const struct server_cfg *srv)
{
    struct config_change what = change_of(s);
    struct task_sink sink;
    struct task task = session_task(s, &sink);
    struct err err;

    (void)srv;
    if (!config_update(&task, &what, str_of(s->args.operand[0]), &err)) {
        session_fail(s, &err);
    }
}
