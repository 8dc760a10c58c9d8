/* SPDX-License-Identifier: PostgreSQL */
/* copy_start.c - start a restored cluster harmlessly, and watch it replay to its target. */
#include "engine/copy_in.h"

#include "base/child.h"
#include "base/clock.h"
#include "cfg/server.h"
#include "engine/copy_refused.h"
#include "engine/restore_conf.h"
#include "repo/backup_info.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define LOOK_MS     100
#define ROUNDS_MAX  16 /* settings that the original raised while WAL was written */
#define SOCKET_PORT 5432

struct starting {
    const struct task *t;
    struct arena *a;
    const struct copy_start *what;
    struct copy_home home;
    struct copy_notes notes;
    struct copy_conf conf;
    const char *program;
    int64_t begin_us; /* end of the backup; 0: not known */
    pid_t pid;        /* our child; 0: it was there already */
    bool is_gone;
    struct pg *pg;
    struct copy_state state;
    struct copy_log log;
};

/* ---- may it be started? ------------------------------------------------------------------- */

static bool check_user(const struct copy_home *h, struct err *err)
{
    struct stat st;

    if (geteuid() == 0) {
        return err_set(err, ERR_UNSAFE,
                       "Run it as the user the directory belongs to, or set barman_user.",
                       h->dest, "PostgreSQL is never started as root");
    }
    if (stat(h->dest, &st) != 0) {
        return err_os(err, errno, "look at", h->dest);
    }
    return st.st_uid == geteuid() ||
           err_set(err, ERR_UNSAFE, "Run it as the user the directory belongs to.", h->dest,
                   "belongs to another user (uid %u)", (unsigned)st.st_uid);
}

static bool check_state(const struct starting *s, struct err *err)
{
    const struct copy_home *h = &s->home;
    char path[PATH_CAP];

    if (h->has_facts && h->facts.is_dropping) {
        return err_set(err, ERR_UNSAFE, "Give drop-copy again, which finishes it.", h->dest,
                       "a drop of this copy was interrupted");
    }
    if (h->is_unfinished) {
        return err_set(err, ERR_UNSAFE,
                       "Give the same restore command again, which finishes it.", h->dest,
                       "the restore has not ended");
    }
    if (!h->is_there) {
        return err_set(err, ERR_MISSING, "Restore a backup into it first.", h->dest,
                       "no data directory");
    }
    if (h->has_facts && strcmp(h->facts.server, s->what->srv->name) != 0) {
        return err_set(err, ERR_UNSAFE, "Name the server it was restored from.", h->dest,
                       "a copy of server '%s'", h->facts.server);
    }
    if (!path_join(path, h->dest, "standby.signal", err)) {
        return false;
    }
    return file_kind(path, NULL) == FILE_NONE ||
           err_set(err, ERR_UNSAFE, "Restore it without --standby-mode to look at it.", h->dest,
                   "a standby, which would replay for ever");
}

static bool check_live(struct starting *s, struct err *err)
{
    const char *what = "";

    return !copy_is_live(s->t, s->a, s->what->srv, &s->home, &what) ||
           err_set(err, ERR_UNSAFE,
                   "Start it by its own means; a copy lies in a directory of its own.", what,
                   "the place of server '%s' itself, not of a copy", s->what->srv->name);
}

static bool find_program(struct starting *s, struct err *err)
{
    const char *dir = copy_binaries(s->a, s->home.major);
    char hint[160];

    if (dir) {
        s->program = arena_fmt(s->a, "%s/postgres", dir);
        return s->program || arena_err(s->a, err);
    }
    str_fmt(hint, sizeof hint,
            "Install postgresql-%d (Debian, Ubuntu) or postgresql%d-server (RHEL), or set "
            "BARKEEP_PG_BIN to its directory.",
            s->home.major, s->home.major);
    return err_set(
        err, ERR_MISSING, hint, s->home.dest,
        "no programs of PostgreSQL %d in BARKEEP_PG_BIN, /usr/lib/postgresql/%d/bin, "
        "/usr/pgsql-%d/bin, /usr/local/pgsql/bin or PATH",
        s->home.major, s->home.major, s->home.major);
}

/* ---- what it is told ---------------------------------------------------------------------- */

static bool read_notes(struct starting *s, struct err *err)
{
    struct backup info = {0};
    struct err ignored;
    struct str text;

    if (!copy_read_small(s->a, s->home.dest, ".barman-recover.info", &text, err)) {
        return false;
    }
    copy_notes_parse(s->a, text, &s->notes);
    if (!text.n || !backup_info_parse(s->a, text, ".barman-recover.info", &info, &ignored)) {
        return err_set(err, ERR_UNSAFE, "Name a directory that restore has made.", s->home.dest,
                       "not a restored cluster: it has no .barman-recover.info");
    }
    s->begin_us = info.end_time.known ? info.end_time.us : 0;
    return true;
}

/* Only what restore itself wrote is run at the end of recovery: an original that was a standby
 * may have a command of its own. */
static const char *end_command(struct starting *s, struct str conf)
{
    const char *value = copy_conf_value(s->a, conf, "recovery_end_command");
    char mem[PATH_CAP * 2];
    struct sbuf b;

    sbuf_init(&b, mem, sizeof mem);
    sbuf_add(&b, "rm -fr ");
    return value && s->notes.wal_dir && shell_quote(&b, str_of(s->notes.wal_dir)) &&
                   strcmp(value, mem) == 0
               ? value
               : "";
}

/* Settings of recovery that are in a file which our configuration takes the place of. */
static bool recovery_settings(struct starting *s, struct str conf, struct err *err)
{
    static const char *const keys[] = {
        "restore_command",        "recovery_target",           "recovery_target_time",
        "recovery_target_xid",    "recovery_target_lsn",       "recovery_target_name",
        "recovery_target_action", "recovery_target_inclusive", "recovery_target_timeline",
    };
    size_t cap = sizeof keys / sizeof keys[0];
    struct copy_setting *list = ARENA_ARRAY(s->a, cap, struct copy_setting);
    size_t n = 0;

    if (!list) {
        return arena_err(s->a, err);
    }
    for (size_t i = 0; i < cap; i++) {
        const char *value = copy_conf_value(s->a, conf, keys[i]);
        if (value) {
            list[n++] = (struct copy_setting){keys[i], value};
        }
    }
    s->conf.recovery = (struct copy_settings){list, n};
    return true;
}

static bool tell_recovery(struct starting *s, struct err *err)
{
    const char *own = s->notes.conf ? s->notes.conf : "postgresql.auto.conf";
    struct str conf;

    if (!copy_read_small(s->a, s->home.dest, own, &conf, err)) {
        return false;
    }
    s->conf.end_command = end_command(s, conf);
    return strcmp(own, "postgresql.auto.conf") == 0 || recovery_settings(s, conf, err);
}

/* A directory of ours that nobody else can enter: the name of a socket has little room. */
static bool make_socket_dir(struct starting *s, struct err *err)
{
    struct copy_facts *f = &s->home.facts;
    char path[] = "/tmp/barkeep-XXXXXX";
    struct stat st;

    if (f->socket_dir && lstat(f->socket_dir, &st) == 0 && S_ISDIR(st.st_mode) &&
        st.st_uid == geteuid() && (st.st_mode & 0777) == 0700) {
        return true;
    }
    if (!mkdtemp(path)) {
        return err_os(err, errno, "create a directory like", path);
    }
    f->socket_dir = arena_strdup(s->a, path);
    return f->socket_dir || arena_err(s->a, err);
}

static void add_user(struct starting *s, const char *conninfo)
{
    struct copy_facts *f = &s->home.facts;
    char user[256];
    const char *kept;

    if (!conninfo || f->users == COPY_USERS_MAX || strpbrk(conninfo, "\n\r") ||
        !pg_conninfo_value(conninfo, "user", user, sizeof user) || !user[0]) {
        return;
    }
    for (size_t i = 0; i < f->users; i++) {
        if (strcmp(f->user[i], user) == 0) {
            return;
        }
    }
    kept = arena_strdup(s->a, user);
    if (kept) {
        f->user[f->users++] = kept;
    }
}

static bool fill_facts(struct starting *s, struct err *err)
{
    const struct server_cfg *srv = s->what->srv;
    struct copy_facts *f = &s->home.facts;
    const char *backup = s->notes.backup_id ? s->notes.backup_id : "";
    char text[256];

    f->server = srv->name;
    f->backup = backup;
    f->sysid = s->home.control.sysid;
    f->major = s->home.major;
    f->port = s->what->port ? s->what->port : SOCKET_PORT;
    f->is_tcp = s->what->port != 0;
    f->users = 0;
    f->database = "";
    add_user(s, srv->conninfo);
    add_user(s, server_cfg_streaming_conninfo(srv));
    if (srv->conninfo && pg_conninfo_value(srv->conninfo, "dbname", text, sizeof text) &&
        !strpbrk(text, "\n\r")) {
        f->database = arena_strdup(s->a, text);
    }
    f->when = arena_strdup(s->a, stamp_iso(stamp_local(clock_wall_ns() / 1000), text));
    if (!f->when || !f->database) {
        return arena_err(s->a, err);
    }
    return make_socket_dir(s, err);
}

static void fill_conf(struct starting *s)
{
    const struct copy_home *h = &s->home;

    s->conf.major = h->major;
    s->conf.server = s->what->srv->name;
    s->conf.dest = h->dest;
    s->conf.dir = h->dir;
    s->conf.socket_dir = h->facts.socket_dir;
    s->conf.port = h->facts.port;
    s->conf.is_tcp = h->facts.is_tcp;
    s->conf.need = h->control.settings;
    s->conf.commit_timestamps = h->control.track_commit_timestamp;
    s->conf.seg_size = h->control.xlog_seg_size;
}

static bool put_file(const struct starting *s, const char *name, const char *text,
                     struct err *err)
{
    char path[PATH_CAP];

    if (!text) {
        return err_set(err, ERR_FORMAT, "Use paths without line breaks.", s->home.dest,
                       "a setting cannot be written");
    }
    return path_join(path, s->home.dir, name, err) && file_replace(path, str_of(text), err);
}

/* The facts before anything runs: whoever comes after a kill knows whose it is. */
static bool write_files(struct starting *s, struct err *err)
{
    struct copy_home *h = &s->home;
    char old[PATH_CAP];

    if (mkdir(h->dir, 0700) != 0 && errno != EEXIST) {
        return err_os(err, errno, "create", h->dir);
    }
    if (file_kind(h->dir, NULL) != FILE_DIR) {
        return err_set(err, ERR_UNSAFE, "Remove it.", h->dir, "not a directory of ours");
    }
    if (!copy_facts_save(s->a, h, err) || !dir_sync(h->dest, err) ||
        !put_file(s, "postgresql.conf", copy_conf_text(s->a, &s->conf), err) ||
        !put_file(s, "pg_hba.conf", copy_hba_text(s->conf.is_tcp), err) ||
        !put_file(s, "pg_ident.conf", "", err) || !path_join(old, h->dir, "log.1", err)) {
        return false;
    }
    return file_kind(h->log, NULL) == FILE_NONE || file_rename(h->log, old, err);
}

static bool launch(struct starting *s, struct err *err)
{
    const char *const *argv = copy_argv(s->a, s->program, &s->conf);
    int fd;
    bool ok;

    if (!argv) {
        return arena_err(s->a, err);
    }
    fd = open(s->home.log, O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0) {
        return err_os(err, errno, "create", s->home.log);
    }
    ok = child_detach_into(argv, fd, &s->pid, err);
    close(fd);
    s->is_gone = false;
    s->home.has_facts = true;
    return ok;
}

/* ---- watching ----------------------------------------------------------------------------- */

static bool runs(struct starting *s, bool *is_ready)
{
    struct copy_pid_file pid;

    *is_ready = false;
    if (s->pid && !s->is_gone) {
        s->is_gone = waitpid(s->pid, NULL, WNOHANG) == s->pid;
    }
    if (copy_runs(s->a, &s->home, &pid) == COPY_RUNS_OURS) {
        *is_ready = pid.is_ready && (!s->pid || pid.pid == s->pid);
        return s->pid ? !s->is_gone : true;
    }
    return s->pid && !s->is_gone; /* it has not written its postmaster.pid yet */
}

static struct stamp to_second(int64_t us)
{
    return stamp_local(us - us % US_PER_S);
}

static void say_progress(const struct starting *s)
{
    struct progress p = {0};
    char at[STAMP_CAP], to[STAMP_CAP];
    int64_t now = s->state.reached.us, until = s->notes.until_us;

    if (!s->pg || !s->state.reached.is_proven) {
        str_copy(p.phase, sizeof p.phase, s->pg ? "replay" : "start");
        str_copy(p.what, sizeof p.what, s->log.stage);
        task_progress(s->t, &p);
        return;
    }
    str_copy(p.phase, sizeof p.phase, "replay");
    if (until > s->begin_us && s->begin_us) {
        p.total = (uint64_t)(until - s->begin_us);
        p.done = now > s->begin_us ? (uint64_t)(now - s->begin_us) : 0;
        p.done = p.done < p.total ? p.done : p.total;
        str_fmt(p.what, sizeof p.what, "replayed to %s of %s", stamp_iso(to_second(now), at),
                stamp_iso(to_second(until), to));
    } else {
        str_fmt(p.what, sizeof p.what, "replayed to %s", stamp_iso(to_second(now), at));
    }
    task_progress(s->t, &p);
}

/* A connection that was lost is made again by and by; that is no failure while it runs. */
static bool ask(struct starting *s, struct err *err)
{
    struct err why = {0};

    if (!s->pg) {
        s->pg = copy_connect(s->t, s->a, &s->home, NULL, &why);
    }
    if (s->pg && copy_ask(s->pg, s->t, s->a, &s->state, &why)) {
        return true;
    }
    pg_close(s->pg);
    s->pg = NULL;
    if (why.code == ERR_CANCEL || why.code == ERR_MEMORY) {
        *err = why;
        return false;
    }
    return true;
}

enum turn { TURN_FAILED, TURN_WAIT, TURN_DONE, TURN_AGAIN };

static bool log_is_short(struct starting *s)
{
    copy_log_parse(s->a, copy_log_tail(s->a, &s->home), &s->log);
    return s->log.is_short;
}

static enum turn turn(struct starting *s, struct err *err)
{
    bool is_ready, is_up = runs(s, &is_ready);

    if (log_is_short(s)) {
        return TURN_AGAIN;
    }
    if (!is_up && s->log.shut_at_target) {
        return TURN_DONE;
    }
    if (!is_up) {
        copy_gave_up(&s->home, &s->log, err);
        return TURN_FAILED;
    }
    if (is_ready && !ask(s, err)) {
        return TURN_FAILED;
    }
    say_progress(s);
    /* It also pauses when a setting is too small, having said so: perhaps after we had looked. */
    if (s->pg && s->state.is_paused && log_is_short(s)) {
        return TURN_AGAIN;
    }
    return s->pg && (s->state.is_paused || !s->state.in_recovery) ? TURN_DONE : TURN_WAIT;
}

/* What a turn says lives until the next one; what the state needs is asked again. */
static enum turn watch(struct starting *s, struct err *err)
{
    for (;;) {
        struct arena_mark mark = arena_mark(s->a);
        enum turn how = task_go_on(s->t, err) ? turn(s, err) : TURN_FAILED;

        if (how != TURN_WAIT) {
            return how;
        }
        s->log = (struct copy_log){0};
        s->state.role = NULL;
        arena_reset(s->a, mark);
        if (!task_rest(s->t, LOOK_MS, err)) {
            return TURN_FAILED;
        }
    }
}

/* The original had raised a setting: pg_control knows it by now. */
static bool raise_needs(struct starting *s, struct err *err)
{
    const struct wal_settings before = s->home.control.settings;
    struct copy_facts facts = s->home.facts;
    const struct wal_settings *now = &s->home.control.settings;

    pg_close(s->pg);
    s->pg = NULL;
    if (!copy_halt(s->a, &s->home, err) ||
        !copy_home_open(s->a, s->what->destination, &s->home, err)) {
        return false;
    }
    s->home.facts = facts;
    if (memcmp(&before, now, sizeof before) == 0) {
        copy_log_parse(s->a, copy_log_tail(s->a, &s->home), &s->log);
        return copy_gave_up(&s->home, &s->log, err);
    }
    task_say(s->t, SAY_LOG, "the original had raised a setting: starting again with more");
    fill_conf(s);
    return true;
}

static bool run(struct starting *s, struct err *err)
{
    for (int round = 0; round < ROUNDS_MAX; round++) {
        struct err why = {0}, no = {0};
        enum turn how;

        if (!write_files(s, err) || !launch(s, err)) {
            return false;
        }
        how = watch(s, &why);
        if (how == TURN_FAILED && s->log.is_conf &&
            copy_take_out(s->t, s->a, s->home.dest, s->log.wrong, &no)) {
            continue; /* a setting that this host's server does not take */
        }
        if (how != TURN_AGAIN) {
            *err = how == TURN_DONE ? *err : why;
            return how == TURN_DONE;
        }
        if (!raise_needs(s, err)) {
            return false;
        }
    }
    return err_set(err, ERR_IO, "", s->home.dest, "its settings rise without an end");
}

/* Cancelled, or cannot be followed: it does not go on behind our back. */
static void stop_quietly(struct starting *s)
{
    struct err ignored;
    bool is_ready;

    /* Until it has its postmaster.pid only its parent can stop it. */
    for (int i = 0; s->pid && i < 50 && runs(s, &is_ready); i++) {
        struct copy_pid_file pid;

        if (copy_runs(s->a, &s->home, &pid) == COPY_RUNS_OURS) {
            break;
        }
        poll(NULL, 0, LOOK_MS);
    }
    if (!copy_halt(s->a, &s->home, &ignored)) {
        char text[1600];
        task_say(s->t, SAY_WARN, "%s", err_text(&ignored, text, sizeof text));
    }
    if (s->home.facts.socket_dir) {
        rmdir(s->home.facts.socket_dir);
    }
}

static bool prepare(struct starting *s, struct err *err)
{
    if (!read_notes(s, err) || !find_program(s, err) || !tell_recovery(s, err) ||
        !fill_facts(s, err)) {
        return false;
    }
    fill_conf(s);
    return true;
}

static bool answer(struct starting *s, struct answer_copy *out, struct err *err)
{
    struct copy_pid_file pid = {0};

    if (copy_runs(s->a, &s->home, &pid) == COPY_RUNS_OURS) {
        out->pid = pid.pid;
        copy_fill(s->a, &s->home, &s->state, out);
    } else {
        copy_fill(s->a, &s->home, NULL, out);
        out->phase = COPY_STOPPED;
        out->sentence = "came to its target and shut down";
    }
    return !s->a->failed || arena_err(s->a, err);
}

bool copy_start(const struct task *t, struct arena *a, const struct copy_start *what,
                struct answer_copy *out, struct err *err)
{
    struct starting s = {.t = t, .a = a, .what = what};
    struct copy_pid_file pid;
    enum copy_runs who;
    bool ok;

    *out = (struct answer_copy){0};
    if (!copy_home_open(a, what->destination, &s.home, err) || !check_state(&s, err) ||
        !check_user(&s.home, err)) {
        return false;
    }
    who = copy_runs(a, &s.home, &pid);
    if (who == COPY_RUNS_UNKNOWN) {
        return err_set(err, ERR_BUSY, "See why its postmaster.pid cannot be read.", s.home.dest,
                       "it cannot be told whether a server runs there");
    }
    if (who == COPY_RUNS_OTHER) {
        return err_set(
            err, ERR_BUSY, "Stop it first, by the means it was started with.", s.home.dest,
            "process %" PRId64 " runs there, which start-copy did not start", pid.pid);
    }
    if (!copy_spaces(a, s.home.dest, &s.home.facts.space, &s.home.facts.spaces, err) ||
        !check_live(&s, err)) {
        return false;
    }
    if (who == COPY_RUNS_OURS) { /* somebody else began it: its way is followed */
        ok = read_notes(&s, err) && watch(&s, err) == TURN_DONE;
    } else {
        ok = prepare(&s, err) && run(&s, err);
        if (!ok) {
            struct err kept = *err;
            pg_close(s.pg);
            s.pg = NULL;
            stop_quietly(&s);
            *err = kept;
        }
    }
    ok = ok && answer(&s, out, err);
    pg_close(s.pg);
    return ok || err_wrap(err, "start the copy in '%s'", what->destination);
}
