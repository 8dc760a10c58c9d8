/* SPDX-License-Identifier: PostgreSQL */
#include "archive_wal.h"
#include "backup_in.h"
#include "base/clock.h"

#include <poll.h>
#include <string.h>
#include <sys/stat.h>

#define REST_MAX (30 * NS_PER_S)

/* A server that has something to say to an idle client says good-bye. */
static bool is_fresh(const struct pg *pg, int64_t used_ns)
{
    struct pollfd fd = {.fd = pg ? pg_fd(pg) : -1, .events = POLLIN};

    return fd.fd >= 0 && clock_mono_ns() - used_ns < REST_MAX && poll(&fd, 1, 0) == 0;
}

bool backup_sql_open(struct backup_run *r, struct err *err)
{
    if (is_fresh(r->sql, r->asked_ns)) {
        return true;
    }
    pg_close(r->sql);
    r->sql = NULL;
    if (!r->srv->conninfo) {
        return err_set(err, ERR_CONFIG, "Set conninfo.", r->srv->name,
                       "has no connection string");
    }
    r->sql = pg_open(r->task, &(struct pg_target){.conninfo = r->srv->conninfo}, err);
    return r->sql != NULL;
}

void backup_sql_rests(struct backup_run *r)
{
    if (r->sql && clock_mono_ns() - r->asked_ns >= REST_MAX) {
        pg_close(r->sql);
        r->sql = NULL;
    }
}

static struct pg *replication_open(struct backup_run *r, struct err *err)
{
    const int keepalive_s = r->what->options.keepalive_s;
    const struct pg_target target = {.conninfo = server_cfg_streaming_conninfo(r->srv),
                                     .application_name = r->srv->streaming_backup_name,
                                     .mode = PG_REPLICATION,
                                     .keepalive_s = keepalive_s ? keepalive_s : -1};

    return pg_open(r->task, &target, err);
}

struct pg *backup_replication_take(struct backup_run *r, struct err *err)
{
    struct pg *pg = r->replication;

    r->replication = NULL;
    if (is_fresh(pg, r->looked_ns)) {
        return pg;
    }
    pg_close(pg);
    return replication_open(r, err);
}

/* Is the streaming half able to keep the WAL? why: what is in the way. */
static bool receiver_works(struct backup_run *r, const char **why, struct err *err)
{
    struct pg_slot slot;

    if (!lock_is_held(r->repo, LOCK_RECEIVE_WAL, NULL)) {
        *why = "receive-wal is not running";
        return true;
    }
    if (!r->srv->slot_name) {
        return true;
    }
    if (!pg_slot_read(r->sql, r->task, r->srv->slot_name, &slot, err)) {
        return false;
    }
    if (slot.use == SLOT_MISSING) {
        *why = "the replication slot of receive-wal does not exist";
    } else if (strcmp(slot.wal_status, "lost") == 0) {
        *why = "the replication slot of receive-wal has lost WAL";
    }
    return true;
}

static const char *archiver_trouble(const struct pg_facts *f)
{
    if (!f->archive_mode || strcmp(f->archive_mode, "off") == 0) {
        return "archive_mode is off on the server";
    }
    if (f->in_recovery && strcmp(f->archive_mode, "always") != 0) {
        return "archive_mode of this standby is not 'always'";
    }
    if ((!f->archive_command || !f->archive_command[0]) &&
        (!f->archive_library || !f->archive_library[0])) {
        return "archive_command is empty on the server";
    }
    if (f->archiver.known && !f->archiver.is_archiving) {
        return "the server's archiver fails";
    }
    return NULL;
}

/* WAL must arrive by one way at least, or the copy could never be made consistent. A second
 * way that is configured and broken is worth a warning only. */
static bool look_wal(struct backup_run *r, struct err *err)
{
    const char *stream = "streaming_archiver is off", *file = "archiver is off";

    if (r->srv->streaming_archiver) {
        stream = NULL;
        if (!receiver_works(r, &stream, err)) {
            return false;
        }
    }
    if (r->srv->archiver) {
        file = archiver_trouble(&r->facts);
    }
    if (stream && file) {
        return err_set(err, ERR_UNSAFE,
                       "Start receive-wal (cron does), or repair the archiver.", r->srv->name,
                       "nobody takes its WAL: %s, %s", stream, file);
    }
    if (r->srv->streaming_archiver && stream) {
        task_say(r->task, SAY_WARN, "WAL of server %s does not stream: %s", r->srv->name,
                 stream);
    }
    if (r->srv->archiver && file) {
        task_say(r->task, SAY_WARN, "WAL of server %s is not pushed: %s", r->srv->name, file);
    }
    return true;
}

static bool take_mode(struct backup_run *r, struct pg *pg, struct err *err)
{
    const char *mode = pg_show_setting(pg, r->task, &r->arena, "data_directory_mode", err);
    const char *block;
    uint64_t v;

    if (!mode) {
        return false;
    }
    r->mode = strcmp(mode, "0750") == 0 ? 0750 : 0700;
    block = pg_show_setting(pg, r->task, &r->arena, "block_size", err);
    if (!block) {
        return false;
    }
    r->block_size = str_u64(str_of(block), 32768, &v) && v ? (uint32_t)v : 8192;
    return true;
}

/* The replication side answers, and is the same cluster. */
static bool look_replication(struct backup_run *r, struct err *err)
{
    const struct pg_ident *ident = &r->ident;
    struct pg *pg = replication_open(r, err);

    r->replication = pg;
    if (!pg || !pg_ident_read(pg, r->task, &r->ident, err) || !take_mode(r, pg, err)) {
        return false;
    }
    if (r->facts.systemid && strcmp(r->facts.systemid, ident->systemid) != 0) {
        return err_set(err, ERR_UNSAFE,
                       "Make conninfo and streaming_conninfo lead to the same server.",
                       r->srv->name, "conninfo leads to cluster %s, streaming_conninfo to %s",
                       r->facts.systemid, ident->systemid);
    }
    return true;
}

static bool look_identity(struct backup_run *r, struct err *err)
{
    struct identity kept, now = {0};

    str_copy(now.systemid, sizeof now.systemid, r->ident.systemid);
    str_fmt(now.version, sizeof now.version, "%d", r->facts.version / 10000);
    if (!identity_load(r->repo, &kept, err) || !identity_check(&kept, &now, err)) {
        return false;
    }
    return kept.systemid[0] || identity_save(r->repo, &now, err);
}

/* Can everybody list it? All on the way must let them through. */
static bool is_open(const char *path)
{
    char part[PATH_CAP];
    struct stat st = {.st_mode = 0};

    for (size_t i = 1; i < PATH_CAP; i++) {
        if (path[i] != '/' && path[i] != '\0') {
            continue;
        }
        memcpy(part, path, i);
        part[i] = '\0';
        if (stat(part, &st) != 0 || !(st.st_mode & S_IXOTH)) {
            return false;
        }
        if (path[i] == '\0') {
            return (st.st_mode & S_IROTH) != 0;
        }
    }
    return false;
}

/* What we make is ours alone; what an older Barman made is what its umask left. */
static void warn_of_open_dirs(const struct backup_run *r)
{
    const char *const dir[] = {r->repo->base_dir, r->repo->wals_dir};

    for (size_t i = 0; i < sizeof dir / sizeof dir[0]; i++) {
        if (is_open(dir[i])) {
            task_say(r->task, SAY_WARN,
                     "directory '%s' is open to every user of this host: chmod -R go-rwx %s",
                     dir[i], r->repo->backup_dir);
            return;
        }
    }
}

bool backup_look(struct backup_run *r, struct err *err)
{
    if (!repo_make_dirs(r->repo, err) || !backup_sql_open(r, err) ||
        !pg_facts_read(r->sql, r->task, &r->arena, &r->facts, err)) {
        return false;
    }
    if (r->facts.version < 130000) {
        return err_set(err, ERR_CONFIG, "Upgrade the server.", r->srv->name,
                       "PostgreSQL %s is older than 13", r->facts.version_text);
    }
    if (!r->facts.data_directory || !r->facts.config_file) {
        return err_set(err, ERR_CONFIG,
                       "Grant the user of conninfo pg_read_all_settings, or run 'check'.",
                       r->srv->name, "its settings may not be read");
    }
    if (!backup_form_of(r->srv, r->facts.version, &r->form, err) ||
        !archive_wal_of(r->repo, r->srv, &(struct archive_wal){0}, err)) {
        return false;
    }
    r->form.gpg.cancel_fd = r->task->cancel_fd;
    warn_of_open_dirs(r);
    r->asked_ns = r->looked_ns = clock_mono_ns();
    return look_replication(r, err) && look_identity(r, err) && look_wal(r, err);
}
