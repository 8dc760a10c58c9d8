/* SPDX-License-Identifier: PostgreSQL */
#include "barkeep/snapshot.h"

#include <stdlib.h>

const char *light_word(enum light light)
{
    static const char *const word[] = {
#define X(name, text) text,
        LIGHT_LIST(X)
#undef X
    };

    return (size_t)light < sizeof word / sizeof word[0] ? word[light] : "????";
}

struct snapshot *snapshot_new(void)
{
    struct snapshot *s = calloc(1, sizeof *s);

    if (s) {
        arena_init(&s->arena, 0);
    }
    return s;
}

void snapshot_free(struct snapshot *s)
{
    if (s) {
        arena_release(&s->arena);
        free(s);
    }
}

const struct stretch *snapshot_newest_stretch(const struct snapshot *s)
{
    const struct coverage *c = s->coverage;
    const struct stretch *best = NULL;

    for (size_t i = 0; c && i < c->stretches; i++) {
        const struct stretch *one = &c->stretch[i];
        if (one->is_main && (!best || one->to.lsn >= best->to.lsn)) {
            best = one;
        }
    }
    return best;
}

const struct backup_row *snapshot_good_backup(const struct snapshot *s)
{
    for (size_t i = 0; i < s->backups; i++) { /* newest first */
        enum backup_status status = s->backup[i].status;
        if (status == BACKUP_DONE || status == BACKUP_WAITING_FOR_WALS) {
            return &s->backup[i];
        }
    }
    return NULL;
}
