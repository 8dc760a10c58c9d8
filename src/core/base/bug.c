/* SPDX-License-Identifier: PostgreSQL */
#include "bug.h"

#include "log.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static void (*bug_hook)(void);

void bug_set_hook(void (*restore_terminal)(void))
{
    bug_hook = restore_terminal;
}

void bug_stop(const char *file, int line, const char *cond)
{
    if (bug_hook) {
        bug_hook();
    }
    dprintf(STDERR_FILENO, "barkeep: internal error at %s:%d: %s\n", file, line, cond);
    log_dump_recent(STDERR_FILENO);
    abort();
}
