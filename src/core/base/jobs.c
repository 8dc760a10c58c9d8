/* SPDX-License-Identifier: PostgreSQL */
#include "barkeep/jobs.h"

#include <stdlib.h>

void job_table_free(struct job_table *t)
{
    if (t) {
        arena_release(&t->arena);
        free(t);
    }
}
