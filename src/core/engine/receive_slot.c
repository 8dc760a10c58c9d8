/* SPDX-License-Identifier: PostgreSQL */
#include "base/clock.h"
#include "base/file.h"
#include "base/fmt.h"
#include "engine/receive.h"
#include "repo/catalogue.h"
#include "repo/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#define STOP_TRIES 10 /* seconds */
/* Then SIGTERM: a shell without job control starts what stands before '&' with SIGINT ignored. */
#define STOP_TERM_TRIES 2
/* One that a script started in its background ignores SIGINT. Tenths of a second. */
#define TERM_AFTER 20

/* ---- connecting --------------------------------------------------------------------- */

static bool check_identity(struct receive *rx, struct err *err)
{
    struct identity kept, now = {0};

    if (!identity_load(rx->repo, &kept, err)) {
        return false;
    }
    str_copy(now.systemid, sizeof now.systemid, rx->ident.systemid);
    str_copy(now.version, sizeof now.version, kept.version);
    if (!identity_check(&kept, &now, err)) {
        return false;
    }
    if (rx->systemid[0] && strcmp(rx->systemid, rx->ident.systemid) != 0) {
        return err_set(err, ERR_UNSAFE, "Look what conninfo leads to now.", rx->srv->name,
                       "another cluster answers: system identifier %s instead of %s",
                       rx->ident.systemid, rx->systemid);
    }
    str_copy(rx->systemid, sizeof rx->systemid, rx->ident.systemid);
    return true;
}

bool receive_connect(struct receive *rx, struct err *err)
{
    const char *conninfo = server_cfg_wal_streaming_conninfo(rx->srv);
    const struct pg_target target = {.conninfo = conninfo,
                                     .application_name = rx->srv->streaming_archiver_name,
                                     .mode = PG_REPLICATION};

    if (!conninfo) {
        return err_set(err, ERR_CONFIG, "Set streaming_conninfo.", rx->srv->name,
                       "no connection string for streaming");
    }
    rx->pg = pg_open(rx->t, &target, err);
    return rx->pg && pg_ident_read(rx->pg, rx->t, &rx->ident, err) && check_identity(rx, err) &&
           pg_segment_size_read(rx->pg, rx->t, &rx->seg_size, err);
}

bool receive_slot_ask(const struct receive *rx, struct pg_slot *out)
{
    const struct pg_target target = {.conninfo = server_cfg_wal_conninfo(rx->srv),
                                     .application_name = "barkeep"};
    struct err ignored;
    struct pg *pg;
    bool ok;

    pg = target.conninfo ? pg_open(rx->t, &target, &ignored) : NULL;
    ok = pg && pg_slot_read(pg, rx->t, rx->srv->slot_name, out, &ignored);
    pg_close(pg);
    return ok;
}

bool receive_slot_place(struct receive *rx, pg_lsn *lsn, pg_tli *tli, struct err *err)
{
    struct wal_slot_place place = {0};
    struct pg_slot slot;

    if (pg_version(rx->pg) >= 150000) {
        if (!wal_slot_place_read(rx->pg, rx->t, rx->srv->slot_name, &place, err)) {
            return false;
        }
    } else if (receive_slot_ask(rx, &slot)) {
        place.exists = slot.use != SLOT_MISSING;
        place.restart = slot.restart_lsn;
    } else {
        place.exists = true; /* START_REPLICATION will tell */
    }
    *lsn = place.restart;
    *tli = place.tli;
    return place.exists || err_set(err, ERR_MISSING, "Run receive-wal --create-slot.",
                                   rx->srv->slot_name, "the replication slot does not exist");
}

/* ---- --create-slot, --drop-slot ----------------------------------------------------- */

bool receive_slot_create(struct receive *rx, enum receive_do how, struct err *err)
{
    const char *name = rx->srv->slot_name;

    task_say(rx->t, SAY_OUT, "Creating physical replication slot '%s' on server '%s'", name,
             rx->srv->name);
    if (wal_slot_create(rx->pg, rx->t, name, err)) {
        task_say(rx->t, SAY_OUT, "Replication slot '%s' created", name);
        return true;
    }
    if (err->code == ERR_BUSY && how == RECEIVE_CREATE_SLOT_IF_MISSING) {
        task_say(
            rx->t, SAY_OUT,
            "Replication slot '%s' already exists and --if-not-exists was specified. Skipping "
            "creation",
            name);
        return true;
    }
    return false;
}

bool receive_slot_drop(struct receive *rx, struct err *err)
{
    const char *name = rx->srv->slot_name;

    task_say(rx->t, SAY_OUT, "Dropping physical replication slot '%s' on server '%s'", name,
             rx->srv->name);
    if (!wal_slot_drop(rx->pg, rx->t, name, err)) {
        return false;
    }
    task_say(rx->t, SAY_OUT, "Replication slot '%s' dropped", name);
    return true;
}

/* ---- --stop ------------------------------------------------------------------------- */

bool receive_stop(struct receive *rx, struct err *err)
{
    pid_t pid = 0;

    if (!lock_is_held(rx->repo, LOCK_RECEIVE_WAL, &pid) || pid <= 1) {
        return err_set(err, ERR_MISSING, "", "",
                       "Termination of receive-wal failed: no such process for server %s",
                       rx->srv->name);
    }
    for (int i = 0; i < STOP_TRIES * 10; i++) {
        int signo = i == 0 ? SIGINT : i == STOP_TERM_TRIES * 10 ? SIGTERM : 0;

        if (signo && kill(pid, signo) != 0 && errno != ESRCH) {
            return err_os(err, errno, "stop receive-wal", rx->srv->name);
        }
        if (!lock_is_held(rx->repo, LOCK_RECEIVE_WAL, NULL)) {
            task_say(rx->t, SAY_OUT, "Stopped process receive-wal(%d)", (int)pid);
            return true;
        }
        if (i == TERM_AFTER && kill(pid, SIGTERM) != 0 && errno != ESRCH) {
            return err_os(err, errno, "stop receive-wal", rx->srv->name);
        }
        if (!task_rest(rx->t, 100, err)) {
            return false;
        }
    }
    return err_set(err, ERR_TIMEOUT, "Look whether its disk answers.", rx->srv->name,
                   "receive-wal (pid %d) does not stop", (int)pid);
}

/* ---- --reset ------------------------------------------------------------------------ */

/* The newest segment or partial in streaming/, "" when there is none. */
static bool newest_file(struct receive *rx, char out[WAL_FILE_NAME_CAP], struct err *err)
{
    struct names names;

    out[0] = '\0';
    if (!dir_names(&rx->turn, rx->repo->streaming_dir, DIR_MAY_MISS, &names, err)) {
        return false;
    }
    for (size_t i = 0; i < names.n; i++) {
        enum wal_name_kind kind = wal_name_kind(str_of(names.name[i]), WAL_CASE_UPPER);
        if (kind == WAL_NAME_SEGMENT || kind == WAL_NAME_PARTIAL) {
            str_copy(out, WAL_FILE_NAME_CAP, names.name[i]);
        }
    }
    return true;
}

/* Only an empty one: one with WAL in it holds the last commits before the hole. */
static bool drop_empty(struct receive *rx, const char *newest, struct err *err)
{
    char path[PATH_CAP];
    uint64_t size;

    if (!str_ends(str_of(newest), ".partial")) {
        return true;
    }
    if (!path_join(path, rx->repo->streaming_dir, newest, err)) {
        return false;
    }
    if (file_kind(path, &size) != FILE_REGULAR || size > 0) {
        return true;
    }
    task_say(rx->t, SAY_OUT, "Removing status file %s", path);
    return file_remove(path, err);
}

static bool make_status_file(struct receive *rx, const char *segment, struct err *err)
{
    char path[PATH_CAP], name[WAL_FILE_NAME_CAP];
    int fd;

    str_fmt(name, sizeof name, "%s.partial", segment);
    if (!path_join(path, rx->repo->streaming_dir, name, err)) {
        return false;
    }
    task_say(rx->t, SAY_OUT, "Creating status file %s", path);
    fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0) {
        return err_os(err, errno, "create", path);
    }
    close(fd);
    return dir_sync(rx->repo->streaming_dir, err);
}

/* What lies between our newest file and the target will never come. */
static bool note_skipped(struct receive *rx, pg_lsn target, struct err *err)
{
    pg_lsn range[2] = {0, target};
    pg_tli tli;

    if (!place_history(rx, rx->ident.tli, &rx->history, err) ||
        !place_find(rx, &tli, &range[0], err)) {
        return false;
    }
    return tli == 0 || range[0] >= target || place_note(rx, NOTE_HOLE, tli, range, err);
}

bool receive_reset(struct receive *rx, struct err *err)
{
    char newest[WAL_FILE_NAME_CAP], target[WAL_NAME_CAP], current[WAL_NAME_CAP];
    pg_lsn at;
    pg_tli tli;

    task_say(rx->t, SAY_OUT, "Resetting receive-wal directory status");
    if (!newest_file(rx, newest, err) || !receive_slot_place(rx, &at, &tli, err)) {
        return false;
    }
    if (at == 0) {
        at = rx->ident.flushed;
        tli = rx->ident.tli;
    }
    tli = tli ? tli : rx->ident.tli;
    wal_seg_name(wal_seg_at(tli, at, rx->seg_size), rx->seg_size, target);
    wal_seg_name(wal_seg_at(rx->ident.tli, rx->ident.flushed, rx->seg_size), rx->seg_size,
                 current);
    if (newest[0] && strncmp(newest, target, WAL_NAME_LEN) == 0) {
        task_say(rx->t, SAY_OUT, "Nothing to do. Position of receive-wal is aligned.");
        return true;
    }
    if (newest[0] && strncmp(newest, current, WAL_NAME_LEN) > 0) {
        return err_set(err, ERR_UNSAFE, "Look what conninfo leads to.", newest,
                       "the streaming directory is ahead of the server, which writes %s",
                       current);
    }
    return note_skipped(rx, at - at % rx->seg_size, err) && drop_empty(rx, newest, err) &&
           make_status_file(rx, target, err);
}
