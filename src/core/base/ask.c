/* SPDX-License-Identifier: PostgreSQL */
#include "barkeep/ask.h"

#include "barkeep/road.h"

#include <stdlib.h>

struct ask *ask_new(const struct ask *ask)
{
    struct ask *copy = malloc(sizeof *copy);

    if (copy) {
        *copy = *ask;
    }
    return copy;
}

void ask_free(struct ask *ask)
{
    free(ask);
}

void answer_free(struct answer *a)
{
    if (a) {
        arena_release(&a->arena);
        free(a);
    }
}
