/* SPDX-License-Identifier: PostgreSQL */
/* barkeep - backup and recovery for PostgreSQL. Without a command, on a terminal: the console. */
#include "barkeep/err.h"
#include "base/sys.h"
#include "batch/session.h"
#include "ui/screen.h"
#include "workers/desk.h"
#include "workers/linger.h"

#include <stdio.h>
#include <stdlib.h>

static const char **names_of(struct session *s)
{
    const char **name = ARENA_ARRAY(&s->arena, s->cfg->servers + 1, const char *);

    for (size_t i = 0; name && i < s->cfg->servers; i++) {
        name[i] = s->cfg->server[i].name;
    }
    return name;
}

/* false: the terminal turned out to be one that cannot be drawn on, nothing was done. */
static bool show(struct session *s, struct desk *desk, const char *const *name)
{
    struct screen_setup setup = {
        .server = name,
        .servers = s->cfg->servers,
        .config_path = s->config_path,
        .home = s->cfg->barman_home,
        .program = s->program,
        .road = desk_end(desk),
        .notice = linger_notice(),
        .theme = arg_text(&s->args, "theme"),
        .symbols = arg_text(&s->args, "symbols"),
    };
    int status = screen_run(&setup);

    if (status >= 0) {
        s->status = status;
    }
    return status >= 0;
}

static void console(struct session *s)
{
    struct desk_spec spec;
    struct desk *desk;
    const char **name;
    struct err err;
    bool shown;

    if (!session_configure(s)) {
        return;
    }
    spec = (struct desk_spec){
        .config = s->cfg, .program = s->program, .config_path = s->config_path};
    name = names_of(s);
    desk = name ? desk_new(&spec, &err) : NULL;
    if (!desk) {
        if (!name) {
            arena_err(&s->arena, &err);
        }
        session_fail(s, &err);
        return;
    }
    shown = show(s, desk, name);
    desk_free(desk);
    if (!shown) {
        session_status(s);
    }
}

int main(int argc, char **argv)
{
    struct session s;
    int status;

    sys_keep_memory();
    if (!session_open(&s, argc, argv, &status)) {
        return status;
    }
    if (session_wants_console(&s)) {
        console(&s);
    } else if (session_wants_status(&s)) {
        session_status(&s);
    } else {
        session_run(&s);
    }
    return session_close(&s);
}
