/* SPDX-License-Identifier: PostgreSQL */
/* place_propose.c - what could stand in the step "where" of a restore. Reads only; the plan of
 * the restore checks it all again, exactly. */
#include "engine/copy_in.h"

#include "base/clock.h"
#include "base/sys.h"
#include "cfg/config.h"
#include "engine/repo_of.h"
#include "plan/restore.h"
#include "repo/xlogdb.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define TRIES 100 /* names that are taken already */

struct proposing {
    const struct task *t;
    struct arena *a;
    const struct config *config;
    const struct server_cfg *srv;
    const struct restore_words *words;
    struct repo repo;
    const struct backup *backup;
    const char *live; /* data_directory that the server says now, or the backup said */
    bool is_local;
    struct answer_place *out;
};

static void stands(struct proposing *p, const char *hint, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* The first thing that stands in the way is told. */
static void stands(struct proposing *p, const char *hint, const char *fmt, ...)
{
    va_list ap;

    if (p->out->sentence[0]) {
        return;
    }
    va_start(ap, fmt);
    p->out->sentence = arena_vfmt(p->a, fmt, ap);
    va_end(ap);
    p->out->hint = hint;
    if (!p->out->sentence) {
        p->out->sentence = "";
    }
}

/* ---- which backup, how much --------------------------------------------------------------- */

static bool fits_goal(const struct backup *b, const struct goal *g)
{
    struct time_text when;

    return g->kind != GOAL_TIME || !time_parse(str_of(g->text), &when) || !when.has_offset ||
           !b->end_time.known || b->end_time.us <= when.stamp.us;
}

static bool choose(struct proposing *p, struct err *err)
{
    struct catalogue c;

    if (!catalogue_look(&p->repo, p->a, &c, err)) {
        return false;
    }
    if (p->words->backup[0] && strcmp(p->words->backup, "auto") != 0) {
        return catalogue_resolve(&c, p->srv->name, p->words->backup, &p->backup, err);
    }
    for (size_t i = c.n; i-- > 0 && !p->backup;) {
        if (backup_copy_done(&c.backup[i]) && fits_goal(&c.backup[i], &p->words->goal)) {
            p->backup = &c.backup[i];
        }
    }
    return p->backup || err_set(err, ERR_MISSING, "Take a backup, or choose a later moment.",
                                p->srv->name, "there is no backup to begin with");
}

/* A file behind the one that holds the target: a file ends with what was written last. */
static bool is_behind(const struct proposing *p, const struct wal_file *f, pg_lsn lsn,
                      int64_t us)
{
    uint32_t size = p->backup->xlog_segment_size;
    struct wal_seg seg;
    struct err odd;

    if (us) {
        return (int64_t)(f->mtime * 1e6) > us;
    }
    return lsn && wal_seg_parse(f->name, size, &seg, &odd) && wal_seg_start(seg, size) > lsn;
}

/* The WAL since it began, up to the target where that is a time or an LSN; else all of it. */
static uint64_t wal_bytes(struct proposing *p)
{
    const struct goal *g = &p->words->goal;
    const char *begin = p->backup->begin_wal;
    struct time_text when;
    int64_t us = g->kind == GOAL_TIME && time_parse(str_of(g->text), &when) && when.has_offset
                     ? when.stamp.us
                     : 0;
    uint64_t n = 0, behind = 0;
    pg_lsn lsn = 0;
    struct wal_file f;
    struct xlogdb db;
    struct err ignored;

    if (!begin || !xlogdb_open(&db, &p->repo, &ignored)) {
        return 0;
    }
    if (g->kind == GOAL_LSN && !wal_lsn_parse(str_of(g->text), &lsn)) {
        lsn = 0;
    }
    while (xlogdb_next(&db, &f, &ignored) > 0) {
        if (strlen(f.name) == WAL_NAME_LEN && strcmp(f.name, begin) >= 0) {
            n++;
            behind += is_behind(p, &f, lsn, us);
        }
    }
    xlogdb_close(&db);
    n -= behind > 1 ? behind - 1 : 0; /* the first of them holds the target */
    return n * p->backup->xlog_segment_size;
}

static uint64_t need_of(struct proposing *p)
{
    const struct backup *b = p->backup;

    return (b->cluster_size > b->size ? b->cluster_size : b->size) + wal_bytes(p);
}

static bool room_of(const char *dir, uint64_t *bytes)
{
    struct statvfs vfs;

    if (statvfs(dir, &vfs) != 0) {
        return false;
    }
    *bytes = (uint64_t)vfs.f_bavail * vfs.f_frsize;
    return true;
}

/* ---- a new directory ---------------------------------------------------------------------- */

static void parent_of(const char *path, char out[PATH_CAP])
{
    char real[PATH_CAP];

    path_dir(sys_real_path(path, real) == 0 ? real : path, out);
}

/* A writable parent with room; else a writable one. */
static bool choose_parent(struct proposing *p, char out[PATH_CAP])
{
    char place[3][PATH_CAP];
    size_t n = 0;
    bool found = false;

    if (p->live && p->is_local) {
        parent_of(p->live, place[n++]);
    }
    parent_of(p->config->barman_home, place[n++]);
    str_copy(place[n++], PATH_CAP, p->config->barman_home);
    for (size_t i = 0; i < n; i++) {
        uint64_t have;

        if (access(place[i], W_OK | X_OK) != 0 || !room_of(place[i], &have)) {
            continue;
        }
        if (!found || have >= p->out->need) {
            str_copy(out, PATH_CAP, place[i]);
            p->out->have = have;
            found = true;
        }
        if (have >= p->out->need) {
            return true;
        }
    }
    return found;
}

/* The moment wanted is in the name, where it is a time; otherwise now. */
static int64_t moment_of(const struct proposing *p)
{
    struct time_text when;

    if (p->words->goal.kind == GOAL_TIME && time_parse(str_of(p->words->goal.text), &when) &&
        when.has_offset) {
        return when.stamp.us;
    }
    return clock_wall_ns() / 1000;
}

static bool is_free(const char *path)
{
    struct stat st;

    return lstat(path, &st) != 0 && errno == ENOENT;
}

static bool propose_new(struct proposing *p, struct err *err)
{
    int64_t us = moment_of(p);
    struct civil c = civil_at(us, clock_local_offset(us));
    char parent[PATH_CAP], path[PATH_CAP] = "";
    bool is_new = false;

    if (!choose_parent(p, parent)) {
        stands(p, "Name a directory whose parent this user may write into.",
               "nothing beside production or the repository can be written by this user");
        return true;
    }
    for (int i = 1; i <= TRIES && !is_new; i++) {
        char more[16] = "";

        if (i > 1) {
            str_fmt(more, sizeof more, "-%d", i);
        }
        is_new = str_fmt(path, sizeof path, "%s/restore-%s-%02d%02d-%02d%02d%s",
                         strcmp(parent, "/") == 0 ? "" : parent, p->srv->name, c.month, c.day,
                         c.hour, c.minute, more) &&
                 is_free(path);
    }
    p->out->destination = arena_strdup(p->a, is_new ? path : "");
    if (p->out->have < p->out->need) {
        stands(p, "Make room, or name a directory on a larger file system.",
               "the file system of '%s' has less free than is needed", parent);
    }
    return p->out->destination || arena_err(p->a, err);
}

static bool propose_moves(struct proposing *p, struct err *err)
{
    const struct backup *b = p->backup;

    for (size_t i = 0; i < b->tablespaces && p->out->destination[0]; i++) {
        struct tablespace_move *m = &p->out->move[p->out->moves];
        char *name;

        if (p->out->moves == ASK_MOVES_MAX ||
            !str_copy(m->name, sizeof m->name, b->tablespace[i].name) ||
            !str_fmt(m->location, sizeof m->location, "%s.%s", p->out->destination, m->name)) {
            stands(p, "Restore with --tablespace on the command line.",
                   "tablespace '%s' cannot be placed here", b->tablespace[i].name);
            return true;
        }
        name = m->location + strlen(p->out->destination) + 1;
        for (; *name; name++) {
            *name = *name == '/' ? '_' : *name;
        }
        if (!is_free(m->location)) {
            stands(p, "Choose another directory for it.", "'%s' exists", m->location);
        }
        p->out->moves++;
    }
    return !p->a->failed || arena_err(p->a, err);
}

/* ---- in place ----------------------------------------------------------------------------- */

static bool live_process(struct proposing *p, int64_t *pid)
{
    char path[PATH_CAP];
    struct copy_pid_file file;
    struct str text;
    struct err ignored;

    if (!path_join(path, p->live, "postmaster.pid", &ignored) ||
        !file_read(p->a, path, 65536, &text, &ignored) || !copy_pid_file_parse(text, &file) ||
        !copy_pid_lives(file.pid)) {
        return false;
    }
    *pid = file.pid;
    return true;
}

static void judge_in_place(struct proposing *p)
{
    char parent[PATH_CAP];
    struct stat st, up;
    int64_t pid;

    if (!p->live || !p->is_local || stat(p->live, &st) != 0) {
        stands(p, "Restore into a new directory, or run barkeep on the server's host.",
               "the data directory of the server is not on this host");
        return;
    }
    parent_of(p->live, parent);
    (void)room_of(parent, &p->out->have);
    if (live_process(p, &pid)) {
        stands(p, "Stop that server first: it cannot be replaced while it runs.",
               "a server runs on '%s': process %" PRId64, p->live, pid);
    }
    if (st.st_uid != geteuid() && geteuid() != 0) {
        stands(p, "Run barkeep as that user, or restore into a new directory.",
               "'%s' belongs to another user (uid %u)", p->live, (unsigned)st.st_uid);
    }
    if (access(parent, W_OK | X_OK) != 0) {
        stands(p, "Restore beside it and move, or let this user write there.",
               "'%s' cannot be written by this user", parent);
    }
    if (stat(parent, &up) == 0 && up.st_dev != st.st_dev) {
        stands(p, "Restore beside it and move what is in it.", "'%s' is a mount point",
               p->live);
    }
    if (p->out->have < p->out->need) {
        stands(p, "Make room, or restore into a directory on another file system.",
               "the old and the new data do not both fit on the file system of '%s'", p->live);
    }
}

static bool propose_in_place(struct proposing *p, struct err *err)
{
    p->out->destination = p->live ? p->live : "";
    judge_in_place(p);
    return !p->a->failed || arena_err(p->a, err);
}

/* ---- all of it ---------------------------------------------------------------------------- */

static void judge_start(struct proposing *p)
{
    char hint[160];

    if (p->words->where != WHERE_COPY) {
        return;
    }
    if (geteuid() == 0) {
        stands(p, "Set barman_user to an ordinary user, or choose 'files only'.",
               "a copy is never started as root");
    }
    if (!p->out->binaries) {
        int major = p->out->version / 10000;

        str_fmt(
            hint, sizeof hint,
            "Install postgresql-%d (Debian, Ubuntu) or postgresql%d-server (RHEL), or choose "
            "'files only'.",
            major, major);
        stands(p, arena_strdup(p->a, hint), "no programs of PostgreSQL %d on this host", major);
    }
}

static void look_at_live(struct proposing *p)
{
    p->is_local = copy_is_local(p->srv->conninfo);
    p->live = copy_live_directory(p->t, p->a, p->srv->conninfo);
    p->live = p->live ? p->live : p->backup->pgdata;
    if (p->live && p->is_local && file_kind(p->live, NULL) != FILE_NONE) {
        p->out->live_directory = p->live;
    }
}

bool place_propose(const struct task *t, struct arena *a, const struct config *config,
                   const struct server_cfg *srv, const struct restore_words *words,
                   struct answer_place *out, struct err *err)
{
    struct proposing p = {
        .t = t, .a = a, .config = config, .srv = srv, .words = words, .out = out};

    *out = (struct answer_place){.sentence = "", .hint = "", .destination = ""};
    if (!repo_of(a, srv, config->barman_home, config->barman_lock_directory, &p.repo, err) ||
        !choose(&p, err)) {
        return false;
    }
    out->version = p.backup->version;
    out->need = need_of(&p);
    out->binaries = copy_binaries(a, out->version / 10000);
    look_at_live(&p);
    if (words->where == WHERE_IN_PLACE) {
        return propose_in_place(&p, err);
    }
    if (!propose_new(&p, err) || !propose_moves(&p, err)) {
        return false;
    }
    judge_start(&p);
    return !a->failed || arena_err(a, err);
}
