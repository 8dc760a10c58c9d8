/* SPDX-License-Identifier: PostgreSQL */
/* restore_in_place.c - a restore into the place of the original: what stands there is renamed
 * to <path>.before-YYYYMMDDTHHMMSS, PGDATA and each tablespace, and never deleted.
 *
 *     <PGDATA>.barkeep-in-place     written before the first rename, removed when the restore
 *                                   has ended: server, and a line `move FROM <tab> TO` for each
 *
 * A run that finds it does the renames that are still to be done, under the same names, and
 * goes on; so whoever comes after a kill sees in it which directory is which. */
#include "base/clock.h"
#include "cfg/server.h"
#include "engine/restore_run.h"
#include "wal/control.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define NOTE_FIRST "barkeep in place 1"
#define NOTE_MAX   ((size_t)8 * 1024 * 1024)
#define STAMP_LEN  16

__attribute__((format(printf, 3, 4))) static void refuse(struct restore_run *r,
                                                         const char *hint, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    restore_check_add(&r->checks, "in-place", VERDICT_REFUSED, arena_vfmt(r->a, fmt, ap), hint);
    va_end(ap);
}

static bool exists(const char *path)
{
    return file_kind(path, NULL) != FILE_NONE;
}

/* ---- the note ----------------------------------------------------------------------------- */

static const char *note_path(const struct restore_run *r)
{
    return arena_fmt(r->a, "%s.barkeep-in-place", r->dest);
}

static bool bad_note(const char *path, struct err *err)
{
    return err_set(err, ERR_FORMAT,
                   "Look which directory beside it is the old one, then remove this file.",
                   path, "not the note of a restore in place of this server");
}

static bool read_move(struct restore_run *r, struct str line, struct restore_move *m)
{
    struct str from;

    if (!str_take_lit(&line, "move /") || !str_split(&line, '\t', &from) ||
        !str_starts(line, "/")) {
        return false;
    }
    m->from = arena_fmt(r->a, "/%.*s", (int)from.n, from.p);
    m->to = arena_strndup(r->a, line.p, line.n);
    m->is_done = m->from && m->to && exists(m->to);
    return m->from && m->to;
}

static bool read_note(struct restore_run *r, struct err *err)
{
    const char *path = note_path(r);
    struct str text, line;
    struct err why = {0};

    if (!path) {
        return arena_err(r->a, err);
    }
    if (!file_read(r->a, path, NOTE_MAX, &text, &why)) {
        *err = why.code == ERR_MISSING ? *err : why;
        return why.code == ERR_MISSING;
    }
    if (!str_line(&text, &line) || !str_eq(line, NOTE_FIRST) || !str_line(&text, &line) ||
        !str_take_lit(&line, "server ") || !str_eq(line, r->req->server->name)) {
        return bad_note(path, err);
    }
    while (str_line(&text, &line)) {
        if (r->moves == r->places || !read_move(r, line, &r->move[r->moves++])) {
            return r->a->failed ? arena_err(r->a, err) : bad_note(path, err);
        }
    }
    return true;
}

static void put_note(struct sbuf *b, const void *what)
{
    const struct restore_run *r = what;

    sbuf_fmt(b, NOTE_FIRST "\nserver %s\n", r->req->server->name);
    for (size_t i = 0; i < r->moves; i++) {
        sbuf_fmt(b, "move %s\t%s\n", r->move[i].from, r->move[i].to);
    }
}

static bool write_note(struct restore_run *r, struct err *err)
{
    const char *path = note_path(r);

    return path
               ? file_print(path, 1024 + (r->moves + 1) * (2 * PATH_CAP + 16), put_note, r, err)
               : arena_err(r->a, err);
}

/* ---- may it be set aside? ----------------------------------------------------------------- */

static bool judge_directory(struct restore_run *r, const char *path)
{
    char parent[PATH_CAP];
    struct stat st, up;

    path_dir(path, parent);
    if (lstat(path, &st) != 0 || stat(parent, &up) != 0) {
        refuse(r, "Look at its file system.", "'%s' cannot be looked at: %s", path,
               strerror(errno));
        return false;
    }
    if (st.st_dev != up.st_dev) {
        refuse(r, "Restore beside it and move, or use --tablespace for a tablespace.",
               "'%s' is a mount point, which cannot be renamed", path);
    } else if (access(parent, W_OK | X_OK) != 0) {
        refuse(r, "Restore beside it and move, or let this user write there.",
               "'%s' cannot be renamed: '%s' cannot be written by this user", path, parent);
    } else if (geteuid() != 0 && st.st_uid != geteuid()) {
        refuse(r, "Run barkeep as that user, or restore beside it.",
               "'%s' belongs to another user (uid %u)", path, (unsigned)st.st_uid);
    } else {
        return true;
    }
    return false;
}

/* It is renamed and not lost, so a damaged cluster may be; a strange one may not. */
static void judge_cluster(struct restore_run *r, const char *path)
{
    char file[PATH_CAP];
    struct control control;
    struct err why = {0};
    struct str text;
    uint64_t sysid;

    if (!path_join(file, path, "PG_VERSION", &why) || file_kind(file, NULL) != FILE_REGULAR) {
        refuse(r, "Look what is there.", "'%s' is not a data directory", path);
        return;
    }
    if (!path_join(file, path, "global/pg_control", &why) ||
        !file_read(r->a, file, 65536, &text, &why) ||
        !control_parse(text.p, text.n, file, &control, &why)) {
        restore_check_add(
            &r->checks, "in-place", VERDICT_WARN,
            arena_fmt(r->a, "whose cluster '%s' is cannot be told: %s", path, why.why), "");
        return;
    }
    if (r->backup->systemid && str_u64(str_of(r->backup->systemid), UINT64_MAX, &sysid) &&
        sysid != control.sysid) {
        refuse(r, "Look what is there; restore into a directory of its own.",
               "'%s' is another cluster: its system id is %" PRIu64 ", the backup's %" PRIu64,
               path, control.sysid, sysid);
    }
    if (path_join(file, path, "pg_wal", &why) && file_kind(file, NULL) == FILE_LINK) {
        restore_check_add(
            &r->checks, "in-place", VERDICT_WARN,
            arena_fmt(r->a, "'%s' is a link: the new one is a directory in PGDATA", file), "");
    }
}

/* Where the old cluster is now. */
static const char *old_cluster(const struct restore_run *r)
{
    for (size_t i = 0; i < r->moves; i++) {
        if (strcmp(r->move[i].from, r->dest) == 0 && r->move[i].is_done) {
            return r->move[i].to;
        }
    }
    return r->dest;
}

/* A tablespace is set aside only when the old cluster's own link leads to it. */
static void judge_space(struct restore_run *r, const char *path)
{
    const char *real;
    char link[PATH_CAP];
    struct err ignored;

    for (size_t i = 1; i < r->tree.spaces; i++) {
        const struct tree_space *space = &r->tree.space[i];

        if (strcmp(space->to, path) == 0 &&
            str_fmt(link, sizeof link, "%s/pg_tblspc/%" PRIu32, old_cluster(r), space->oid) &&
            restore_resolve(r->a, link, &real, &ignored) && strcmp(real, path) == 0) {
            return;
        }
    }
    refuse(r, "Give --tablespace NAME:LOCATION with an empty directory.",
           "'%s' is not empty, and no tablespace of the cluster that is set aside", path);
}

/* ---- which --------------------------------------------------------------------------------- */

static struct restore_move *move_of(const struct restore_run *r, const char *path)
{
    for (size_t i = 0; i < r->moves; i++) {
        if (strcmp(r->move[i].from, path) == 0) {
            return &r->move[i];
        }
    }
    return NULL;
}

static const char *stamp_name(char out[STAMP_LEN])
{
    int64_t us = clock_wall_ns() / 1000;
    struct civil c = civil_at(us, clock_local_offset(us));

    str_fmt(out, STAMP_LEN, "%04d%02d%02dT%02d%02d%02d", c.year, c.month, c.day, c.hour,
            c.minute, c.second);
    return out;
}

static bool plan_move(struct restore_run *r, struct restore_place *p, const char *stamp,
                      struct err *err)
{
    struct restore_move *m = move_of(r, p->path);

    if (m && m->is_done) {
        return true; /* what is there now is not the old one */
    }
    if (!m) {
        m = &r->move[r->moves++];
        m->from = p->path;
        m->to = arena_fmt(r->a, "%s.before-%s", p->path, stamp);
        m->is_done = false;
        if (!m->to) {
            return arena_err(r->a, err);
        }
        if (exists(m->to)) {
            refuse(r, "Give the command again.", "'%s' exists", m->to);
        }
    }
    if (judge_directory(r, p->path)) {
        if (p == &r->place[0]) {
            judge_cluster(r, p->path);
        } else {
            judge_space(r, p->path);
        }
    }
    p->state = PLACE_ASIDE;
    p->found = m->to;
    return true;
}

static bool is_its_place(struct restore_run *r)
{
    const char *real = NULL;
    struct err ignored;

    if (!r->backup->pgdata || !restore_resolve(r->a, r->backup->pgdata, &real, &ignored)) {
        real = NULL;
    }
    if (real && strcmp(real, r->dest) == 0) {
        return true;
    }
    refuse(r, "Name that directory, or leave out --in-place.",
           "'%s' is not where the backup comes from: that is '%s'", r->dest,
           r->backup->pgdata ? r->backup->pgdata : "not known");
    return false;
}

/* Root restores for the owner of what was set aside. */
static void keep_owner(struct restore_run *r)
{
    const struct restore_move *m = move_of(r, r->dest);
    struct stat st;

    if (geteuid() == 0 && m && m->is_done && stat(m->to, &st) == 0) {
        r->root_without_owner = st.st_uid == 0;
        r->rules.owner = (struct copy_owner){true, st.st_uid, st.st_gid};
    }
}

bool restore_in_place_look(struct restore_run *r, struct err *err)
{
    char stamp[STAMP_LEN];

    if (!r->req->in_place) {
        return true;
    }
    r->move = ARENA_ARRAY(r->a, 2 * r->places + 1, struct restore_move);
    if (!r->move) {
        return arena_err(r->a, err);
    }
    if (!is_its_place(r)) {
        return true; /* among the checks */
    }
    if (!read_note(r, err)) {
        return false;
    }
    stamp_name(stamp);
    for (size_t i = 0; i < r->places; i++) {
        struct restore_place *p = &r->place[i];
        bool is_staging = str_eq(str_of(p->role), "staging directory");

        if (p->state == PLACE_FULL && !is_staging && !plan_move(r, p, stamp, err)) {
            return false;
        }
    }
    keep_owner(r);
    return true;
}

/* ---- doing it ------------------------------------------------------------------------------ */

bool restore_set_aside(struct restore_run *r, struct err *err)
{
    size_t open = 0;

    for (size_t i = 0; i < r->moves; i++) {
        open += !r->move[i].is_done && exists(r->move[i].from);
    }
    if (!open) {
        return true;
    }
    if (!write_note(r, err)) {
        return false;
    }
    for (size_t i = 0; i < r->moves; i++) {
        struct restore_move *m = &r->move[i];

        if (m->is_done || !exists(m->from)) {
            continue;
        }
        /* The plan took its time: somebody may have started it. */
        if (strcmp(m->from, r->dest) == 0 && restore_place_runs(r, &r->place[0])) {
            return err_set(err, ERR_UNSAFE, "Stop that server first.", m->from,
                           "a server is running there: %s", r->place[0].found);
        }
        task_say(r->task, SAY_OUT, "Setting '%s' aside as '%s'", m->from, m->to);
        if (!file_rename(m->from, m->to, err)) {
            return false;
        }
        m->is_done = true;
    }
    return true;
}

void restore_say_way_back(const struct restore_run *r)
{
    bool any = false;

    for (size_t i = 0; i < r->moves; i++) {
        const struct restore_move *m = &r->move[i];

        if (!m->is_done) {
            continue;
        }
        if (!any) {
            task_say(r->task, SAY_OUT, "%s", "");
            task_say(r->task, SAY_OUT,
                     "The old data was renamed and is complete. To go back, with no server "
                     "running:");
        }
        any = true;
        if (exists(m->from)) {
            task_say(r->task, SAY_OUT, "    mv '%s' '%s.restored'", m->from, m->from);
        }
        task_say(r->task, SAY_OUT, "    mv '%s' '%s'", m->to, m->from);
    }
}

bool restore_in_place_end(struct restore_run *r, struct err *err)
{
    const char *path = r->req->in_place ? note_path(r) : NULL;

    if (!r->req->in_place) {
        return true;
    }
    return path ? file_remove(path, err) : arena_err(r->a, err);
}
