/* SPDX-License-Identifier: PostgreSQL */
#include "convert_layout.h"

#include "repo/layout.h"
#include "repo/xlogdb.h"

#include <string.h>

struct run {
    const struct task *t;
    const struct convert_layout *what;
    struct repo to; /* the repository in the layout wanted */
    struct catalogue all;
    struct arena a;
    bool list;       /* the list of WAL moves */
    bool unfinished; /* an earlier conversion was interrupted */
    size_t backups;  /* that have something to move */
    size_t refused;
};

/* ---- before anything is written ----------------------------------------------------- */

static bool said_otherwise(const struct convert_layout *what, struct err *err)
{
    const char *says = what->srv->catalogue_layout;

    if (says && strcmp(says, layout_name(what->to)) != 0) {
        return err_set(err, ERR_CONFIG, "Change or remove that option first.",
                       what->srv->source[OPTION_catalogue_layout],
                       "catalogue_layout = %s: the next backup would be written in that layout",
                       says);
    }
    return true;
}

/* The keys that go to .barkeep/facts, as "cluster_size, data_checksums". */
static void say_beside(const struct run *r, const struct backup *b)
{
    const struct {
        const char *key;
        bool set;
    } key[] = {
        {"children_backup_ids", b->children_backup_ids != NULL},
        {"cluster_size", b->cluster_size != 0},
        {"data_checksums", b->data_checksums != NULL},
        {"encryption", b->encryption != NULL},
        {"summarize_wal", b->summarize_wal != NULL},
    };
    char text[160];
    struct sbuf list;

    sbuf_init(&list, text, sizeof text);
    for (size_t i = 0; i < sizeof key / sizeof key[0]; i++) {
        if (key[i].set) {
            sbuf_fmt(&list, "%s%s", list.len ? ", " : "", key[i].key);
        }
    }
    if (list.len) {
        task_say(r->t, SAY_OUT, "\t\tbeside, in .barkeep/facts: %s", text);
    }
}

static void say_backup(const struct run *r, const struct backup *b,
                       const struct layout_stray *stray)
{
    bool is_legacy = r->to.layout == LAYOUT_LEGACY;

    if (stray->info) {
        task_say(r->t, SAY_OUT,
                 is_legacy ? "\tbackup %s: meta/%s-backup.info becomes base/%s/backup.info"
                           : "\tbackup %s: base/%s/backup.info becomes meta/%s-backup.info",
                 b->id, b->id, b->id);
        if (is_legacy) {
            say_beside(r, b);
        }
    }
    if (stray->keep) {
        task_say(r->t, SAY_OUT, "\tbackup %s: its keep request", b->id);
    }
    if (stray->mark) {
        task_say(r->t, SAY_OUT, "\tbackup %s: the mark of an unfinished delete", b->id);
    }
}

static bool look_at_backup(struct run *r, const struct backup *b, struct err *err)
{
    struct layout_stray stray;
    struct err why = {0};
    char text[400];

    if (!layout_stray(&r->to, b->id, &stray, err)) {
        return false;
    }
    if (!stray.info && !stray.keep && !stray.mark) {
        return true;
    }
    r->backups++;
    if (stray.info && r->to.layout == LAYOUT_LEGACY && !backup_info_legacy_ok(b, &why)) {
        r->refused++;
        task_say(r->t, SAY_WARN, "%s", err_text(&why, text, sizeof text));
        return true;
    }
    say_backup(r, b, &stray);
    return true;
}

/* A line that says what four columns cannot. The first is told: there may be thousands. */
static bool look_at_lines(struct run *r, struct err *err)
{
    struct wal_file wal;
    struct err why = {0};
    struct xlogdb db;
    char text[400];
    int more;

    if (!xlogdb_open_from(&db, r->what->repo, 0, err)) {
        return false;
    }
    while ((more = xlogdb_next(&db, &wal, err)) > 0) {
        if (!xlogdb_legacy_ok(&wal, &why)) {
            r->refused++;
            task_say(r->t, SAY_WARN, "%s", err_text(&why, text, sizeof text));
            more = 0;
            break;
        }
    }
    xlogdb_close(&db);
    return more >= 0;
}

static bool look_at_list(struct run *r, struct err *err)
{
    if (!layout_list_strays(&r->to, &r->list, err)) {
        return false;
    }
    if (!r->list) {
        return true;
    }
    task_say(r->t, SAY_OUT, "\tlist of WAL: %s",
             r->to.layout == LAYOUT_LEGACY ? "xlog.db, four columns"
                                           : "SERVER-xlog.db, five columns");
    return r->to.layout == LAYOUT_CURRENT || look_at_lines(r, err);
}

static bool look(struct run *r, struct err *err)
{
    enum catalogue_layout on_its_way;
    bool ok;

    r->unfinished = layout_converting(r->what->repo, &on_its_way);
    ok = catalogue_load(r->what->repo, &r->a, &r->all, err);
    for (size_t i = 0; ok && i < r->all.n; i++) {
        ok = look_at_backup(r, &r->all.backup[i], err);
    }
    if (!ok || !look_at_list(r, err)) {
        return false;
    }
    if (r->refused) {
        return err_set(err, ERR_UNSAFE,
                       "Delete what was named, or leave the server in the current layout.", "",
                       "server %s is not converted: an older Barman would misread it",
                       r->to.server);
    }
    return true;
}

/* ---- under the locks ---------------------------------------------------------------- */

static bool move_backup(const struct run *r, const char *id, struct err *err)
{
    struct backup b = {.id = ""};
    struct lock lock;
    struct arena a;
    bool ok;

    if (!lock_take(&lock, &r->to, id, LOCK_TRY, err)) {
        return err_wrap(err, "backup %s", id);
    }
    arena_init(&a, 0);
    ok = backup_info_load(&r->to, &a, id, &b, err) && layout_backup(&r->to, &b, err);
    arena_release(&a);
    lock_release_remove(&lock);
    return ok;
}

static bool move_all(struct run *r, struct err *err)
{
    struct xlogdb_rebuilt made;

    if (!layout_begin(&r->to, err)) {
        return false;
    }
    for (size_t i = 0; i < r->all.n; i++) {
        if (!task_go_on(r->t, err) || !move_backup(r, r->all.backup[i].id, err)) {
            return false;
        }
    }
    if (!xlogdb_convert(&r->to, err) || !layout_end(&r->to, err)) {
        return false;
    }
    /* Where there is no backup and no WAL an empty list is what tells. */
    return repo_find_layout(&r->to) == r->to.layout || xlogdb_rebuild(&r->to, &made, err);
}

static bool convert_locked(struct run *r, struct err *err)
{
    const struct convert_layout *what = r->what;
    const char *name = layout_name(what->to);

    if (!look(r, err)) {
        return false;
    }
    if (!r->backups && !r->list && !r->unfinished && repo_find_layout(&r->to) == what->to) {
        task_say(r->t, SAY_OUT, "\tnothing: it is in that layout");
        return true;
    }
    if (what->dry_run) {
        task_say(r->t, SAY_OUT, "Nothing was changed");
        return true;
    }
    if (!move_all(r, err)) {
        return err_wrap(err, "convert the catalogue of server %s", r->to.server);
    }
    task_say(r->t, SAY_OUT, "The catalogue of server %s is in the %s layout", r->to.server,
             name);
    return true;
}

bool convert_layout(const struct task *t, const struct convert_layout *what, struct err *err)
{
    static const char *const names[] = {LOCK_BACKUP, LOCK_CRON, LOCK_ARCHIVE_WAL};
    struct lock lock[3] = {LOCK_INIT, LOCK_INIT, LOCK_INIT};
    struct run r = {.t = t, .what = what, .to = *what->repo};
    bool ok = said_otherwise(what, err);

    r.to.layout = what->to;
    for (size_t i = 0; ok && i < 3; i++) {
        ok = lock_take(&lock[i], what->repo, names[i], LOCK_TRY, err) ||
             err_wrap(err, "convert the catalogue of server %s", what->repo->server);
    }
    if (ok) {
        task_say(t, SAY_OUT, "Converting the catalogue of server %s to the %s layout%s",
                 what->repo->server, layout_name(what->to),
                 what->dry_run ? " would change:" : "");
        arena_init(&r.a, 0);
        ok = convert_locked(&r, err);
        arena_release(&r.a);
    }
    for (size_t i = 0; i < 3; i++) {
        lock_release(&lock[i]);
    }
    return ok;
}
