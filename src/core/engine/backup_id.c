/* SPDX-License-Identifier: PostgreSQL */
#include "backup_in.h"

#include "base/clock.h"

#include <stdio.h>
#include <string.h>

/* The moment an id names, read as if it were UTC: ids are only compared and counted on. */
static bool id_us(const char *id, int64_t *us)
{
    struct str s = str_of(id);
    struct civil c = {0};
    unsigned v[6];

    for (int i = 0; i < 6; i++) {
        if ((i == 3 && !str_take_char(&s, 'T')) || !str_take_digits(&s, i ? 2 : 4, &v[i])) {
            return false;
        }
    }
    c = (struct civil){(int)v[0], (int)v[1], (int)v[2], (int)v[3], (int)v[4], (int)v[5], 0};
    return s.n == 0 && civil_us(&c, 0, us);
}

static void id_text(int64_t us, char out[BACKUP_ID_CAP])
{
    struct civil c = civil_at(us, 0);

    snprintf(out, BACKUP_ID_CAP, "%04d%02d%02dT%02d%02d%02d", c.year % 10000, c.month % 100,
             c.day % 100, c.hour % 100, c.minute % 100, c.second % 100);
}

/* The newest id there is, of the catalogue and of directories without a backup.info. */
static bool newest_id(struct backup_run *r, const struct catalogue *c, char out[BACKUP_ID_CAP],
                      struct err *err)
{
    struct names names;

    out[0] = '\0';
    if (c->n) {
        str_copy(out, BACKUP_ID_CAP, c->backup[c->n - 1].id);
    }
    if (!dir_names(&r->arena, r->repo->base_dir, DIR_MAY_MISS, &names, err)) {
        return false;
    }
    for (size_t i = 0; i < names.n; i++) {
        if (backup_id_ok(names.name[i]) && strcmp(names.name[i], out) > 0) {
            str_copy(out, BACKUP_ID_CAP, names.name[i]);
        }
    }
    return true;
}

/* Local time, but always after the newest id: two backups in one second, an hour repeated when
 * summer ends or a clock set back must neither share an id nor change their order. */
bool backup_choose_id(struct backup_run *r, struct err *err)
{
    struct stamp now = stamp_local(clock_wall_ns() / 1000);
    int64_t us = now.us + (int64_t)now.offset_s * US_PER_S, last;
    struct catalogue c;
    char newest[BACKUP_ID_CAP];

    if (!catalogue_load(r->repo, &r->arena, &c, err) || !newest_id(r, &c, newest, err)) {
        return false;
    }
    r->is_first = true;
    for (size_t i = 0; i < c.n; i++) {
        r->is_first = r->is_first && !backup_copy_done(&c.backup[i]);
    }
    id_text(us, r->b.id);
    if (newest[0] && strcmp(r->b.id, newest) <= 0) {
        if (!id_us(newest, &last)) {
            return err_set(err, ERR_FORMAT, "Move that directory away.", newest,
                           "the newest backup has an id that is no time");
        }
        id_text(last + US_PER_S, r->b.id);
    }
    return repo_backup_dir(r->repo, r->b.id, r->dir, err);
}
