/* SPDX-License-Identifier: PostgreSQL */
#include "backup_in.h"

#include "base/clock.h"
#include "base/fmt.h"
#include "delete.h"
#include "repo/pylit.h"
#include "wal/seg.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LIST_MAX ((size_t)256 * 1024) /* included_files as a Python list */

void engine_backup_defaults(const struct server_cfg *srv, struct engine_backup_options *out)
{
    *out = (struct engine_backup_options){
        .immediate_checkpoint = srv->immediate_checkpoint,
        .keepalive_s = srv->keepalive_interval < INT32_MAX ? (int)srv->keepalive_interval : 0,
        .check_timeout_s = srv->check_timeout,
        .checksums = DIGEST_CRC32C,
    };
    if (srv->bandwidth_limit > 0) {
        out->bwlimit_kib =
            srv->bandwidth_limit < UINT32_MAX ? (uint32_t)srv->bandwidth_limit : UINT32_MAX;
    }
    if (srv->basebackup_retry_times > 0) {
        out->retry_times = (unsigned)srv->basebackup_retry_times;
    }
    if (srv->basebackup_retry_sleep > 0) {
        out->retry_sleep_s = (unsigned)srv->basebackup_retry_sleep;
    }
}

static struct moment moment_at(int64_t us)
{
    struct stamp s = stamp_local(us);

    return (struct moment){s.us, s.offset_s, true};
}

/* ---- backup.info -------------------------------------------------------------------- */

static bool fill_included(struct backup_run *r, struct err *err)
{
    const struct pg_facts *f = &r->facts;
    struct names names = {NULL, f->included_files};
    struct sbuf b;
    char *mem;

    if (!f->included_files) {
        return true;
    }
    names.name = ARENA_ARRAY(&r->arena, names.n, const char *);
    mem = arena_alloc(&r->arena, LIST_MAX);
    if (!names.name || !mem) {
        return arena_err(&r->arena, err);
    }
    for (size_t i = 0; i < names.n; i++) {
        names.name[i] = f->included_file[i];
    }
    sbuf_init(&b, mem, LIST_MAX);
    pylit_put_list(&b, &names);
    r->b.included_files = mem;
    return sbuf_ok(&b) || err_set(err, ERR_FORMAT, "", r->srv->name, "too many include files");
}

static bool fill_info(struct backup_run *r, struct err *err)
{
    const struct pg_facts *f = &r->facts;
    struct backup *b = &r->b;

    b->status = hook_any(r->srv, HOOK_BACKUP) ? BACKUP_EMPTY : BACKUP_STARTED;
    b->server_name = r->srv->name;
    b->backup_name = r->what->options.name;
    b->mode = "postgres";
    b->compression = r->form.name;
    b->encryption = r->form.is_encrypted ? "gpg" : NULL;
    b->version = f->version;
    b->systemid = f->systemid;
    b->pgdata = f->data_directory;
    b->config_file = f->config_file;
    b->hba_file = f->hba_file;
    b->ident_file = f->ident_file;
    b->data_checksums = f->data_checksums;
    b->summarize_wal = f->summarize_wal;
    b->xlog_segment_size = f->wal_segment_size;
    b->timeline = f->tli;
    b->begin_time = moment_at(f->now_us);
    /* Where a tablespace lives inside PGDATA without a link it is a part of data/. */
    return backup_files_read(r, err) && fill_included(r, err) &&
           pg_tablespaces_read(r->sql, r->task, &r->arena, &b->tablespace, &b->tablespaces,
                               err) &&
           pg_size_read(r->sql, r->task, &b->cluster_size, err);
}

static void drop_in_place(struct backup_run *r, struct tablespace *own)
{
    size_t n = 0;

    for (size_t i = 0; i < r->b.tablespaces; i++) {
        if (r->b.tablespace[i].location && r->b.tablespace[i].location[0] == '/') {
            own[n++] = r->b.tablespace[i];
        }
    }
    r->b.tablespace = own;
    r->b.tablespaces = n;
}

static bool begin(struct backup_run *r, struct err *err)
{
    struct tablespace *own;

    if (!backup_choose_id(r, err) || !fill_info(r, err)) {
        return false;
    }
    if (r->b.tablespaces) {
        own = ARENA_ARRAY(&r->arena, r->b.tablespaces, struct tablespace);
        if (!own) {
            return arena_err(&r->arena, err);
        }
        drop_in_place(r, own);
    }
    if (!dir_make(r->dir, err) || !backup_info_save(r->repo, &r->b, err)) {
        return false;
    }
    backup_take_ballast(r);
    str_copy(r->what->result.id, sizeof r->what->result.id, r->b.id);
    r->what->result.status = BACKUP_STARTED;
    task_say(r->task, SAY_OUT, "Starting backup using postgres method for server %s in %s",
             r->srv->name, r->dir);
    return true;
}

static void say_position(const struct backup_run *r, const char *what, pg_lsn lsn,
                         const char *wal)
{
    char text[FMT_CAP];

    task_say(r->task, SAY_OUT, "Backup %s at LSN: %s (%s, %08X)", what, fmt_lsn(lsn, text), wal,
             (unsigned)(lsn % r->b.xlog_segment_size));
}

bool backup_began(struct backup_run *r, pg_lsn lsn, pg_tli tli, struct err *err)
{
    struct backup *b = &r->b;
    char name[WAL_NAME_CAP];

    wal_seg_name(wal_seg_at(tli, lsn, b->xlog_segment_size), b->xlog_segment_size, name);
    b->timeline = tli;
    b->begin_xlog = lsn;
    b->begin_offset = (uint32_t)(lsn % b->xlog_segment_size);
    b->begin_wal = arena_strdup(&r->arena, name);
    if (!b->begin_wal) {
        return arena_err(&r->arena, err);
    }
    if (!backup_info_save(r->repo, b, err)) {
        return false;
    }
    say_position(r, "start", lsn, name);
    task_say(r->task, SAY_OUT, "Starting backup copy via pg_basebackup for %s", b->id);
    r->began_ns = clock_mono_ns();
    return true;
}

static const struct tablespace *space_of(const struct tablespace *list, size_t n, uint32_t oid)
{
    for (size_t i = 0; i < n; i++) {
        if (list[i].oid == oid) {
            return &list[i];
        }
    }
    return NULL;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct tablespace *)a)->name, ((const struct tablespace *)b)->name);
}

/* Its checkpoint may take minutes, in which tablespaces come and go. Who came and cannot be asked
 * for its name has its number. */
bool backup_sends(struct backup_run *r, const struct base_backup_archive *list, size_t n,
                  struct err *err)
{
    struct tablespace *own = ARENA_ARRAY(&r->arena, n + 1, struct tablespace);
    const struct tablespace *known, *now = NULL;
    bool has_asked = false;
    size_t spaces = 0, nows = 0;
    struct err ignored;

    for (size_t i = 0; own && i < n; i++) {
        if (!list[i].location || list[i].location[0] != '/') {
            continue;
        }
        known = space_of(r->b.tablespace, r->b.tablespaces, list[i].oid);
        if (!known && !has_asked) {
            has_asked = true;
            if (!backup_sql_open(r, &ignored) ||
                !pg_tablespaces_read(r->sql, r->task, &r->arena, &now, &nows, &ignored)) {
                nows = 0;
            }
        }
        known = known ? known : space_of(now, nows, list[i].oid);
        own[spaces++] = (struct tablespace){
            .name = known ? known->name : arena_fmt(&r->arena, "%u", (unsigned)list[i].oid),
            .oid = list[i].oid,
            .location = arena_strdup(&r->arena, list[i].location),
        };
    }
    if (r->arena.failed) {
        return arena_err(&r->arena, err);
    }
    qsort(own, spaces, sizeof *own, by_name);
    r->b.tablespace = own;
    r->b.tablespaces = spaces;
    return true;
}

/* ---- the copy, as often as allowed -------------------------------------------------- */

static bool worth_again(const struct err *err)
{
    return err->code == ERR_CONNECT || err->code == ERR_QUERY || err->code == ERR_IO;
}

static bool copy_again(struct backup_run *r, struct err *err)
{
    const struct engine_backup_options *o = &r->what->options;
    unsigned left = o->retry_times;
    struct err said = {0};
    char why[512];

    while (!backup_copy(r, &said)) {
        if (!left || !worth_again(&said)) {
            *err = said;
            return false;
        }
        left--;
        task_say(r->task, SAY_WARN, "the copy failed, %s; it is tried again in %u s",
                 err_text(&said, why, sizeof why), o->retry_sleep_s);
        for (unsigned i = 0; i < o->retry_sleep_s; i++) {
            if (!backup_nap(r, 1000, err)) {
                return false;
            }
        }
        /* In the old layout the facts lie in there too. */
        if (!tree_remove(r->dir, err) || !backup_info_save(r->repo, &r->b, err)) {
            return false;
        }
        said = (struct err){0};
    }
    return true;
}

/* ---- after the copy ----------------------------------------------------------------- */

static bool switch_on(struct backup_run *r, struct pg *sql, struct err *err)
{
    uint32_t size = r->b.xlog_segment_size;
    pg_lsn next = (wal_seg_of_end(1, r->b.end_xlog, size).no + 1) * size;
    char lsn[FMT_CAP];
    const char *params[] = {fmt_lsn(next, lsn), NULL};

    return pg_query(sql, r->task,
                    "SELECT CASE WHEN pg_catalog.pg_current_wal_insert_lsn() < $1::pg_lsn "
                    "THEN pg_catalog.pg_switch_wal() END",
                    params, NULL, err);
}

/* The server switches WAL itself at the end of a backup on a primary, but only tells so by
 * where it is now: ask for it where it did not happen. A standby cannot: its primary is asked
 * when primary_conninfo leads to it. */
static bool switch_wal(struct backup_run *r, struct err *err)
{
    return !r->facts.in_recovery ? switch_on(r, r->sql, err)
                                 : backup_switch_primary(r, PRIMARY_SWITCHES, err);
}

bool backup_switch_primary(struct backup_run *r, enum primary_how how, struct err *err)
{
    const struct pg_target primary = {.conninfo = r->srv->primary_conninfo};
    struct pg *sql;
    bool ok;

    if (!primary.conninfo) {
        return true;
    }
    sql = pg_open(r->task, &primary, err);
    if (sql && how == PRIMARY_CHECKPOINTS) {
        ok = pg_query(sql, r->task, "CHECKPOINT", NULL, NULL, err) &&
             pg_query(sql, r->task, "SELECT pg_catalog.pg_switch_wal()", NULL, NULL, err);
    } else {
        ok = sql && switch_on(r, sql, err);
    }
    pg_close(sql);
    return ok || err_wrap(err, "switch WAL on the primary");
}

/* WAL from before the first backup serves nobody. */
static void purge_before(struct backup_run *r)
{
    struct err said = {0};
    char why[512];

    task_say(r->task, SAY_OUT, "This is the first backup for server %s", r->srv->name);
    if (r->srv->worm_mode) {
        task_say(r->task, SAY_OUT, "'worm_mode' is enabled, skip purging of unused WAL files.");
    } else if (!wal_purge_before(r->task, r->repo, r->srv, r->b.id, &said)) {
        task_say(r->task, SAY_WARN, "WAL before the first backup is not removed: %s",
                 err_text(&said, why, sizeof why));
    }
}

static void read_end_time(struct backup_run *r)
{
    struct pg_rows rows = {0};
    struct err said = {0};
    uint64_t us;

    r->b.end_time = moment_at(clock_wall_ns() / 1000);
    if (!r->sql ||
        !pg_query(r->sql, r->task,
                  "SELECT (extract(epoch FROM pg_catalog.clock_timestamp()) * 1000000)::bigint",
                  NULL, &rows, &said)) {
        return;
    }
    if (pg_u64(&rows, 0, 0, &us) && us < INT64_MAX) {
        r->b.end_time = moment_at((int64_t)us);
    }
    pg_rows_clear(&rows);
}

/* The copy is whole by now: a server that does not answer any more costs a warning each. */
static void ask_after_copy(struct backup_run *r)
{
    struct err said = {0};
    char why[512];

    if (!backup_sql_open(r, &said)) {
        task_say(r->task, SAY_WARN, "settings are not saved and WAL is not switched: %s",
                 err_text(&said, why, sizeof why));
        return;
    }
    if (!backup_settings_save(r, &said)) {
        task_say(r->task, SAY_WARN, "settings are not saved: %s",
                 err_text(&said, why, sizeof why));
    }
    said = (struct err){0};
    if (!switch_wal(r, &said)) {
        task_say(r->task, SAY_WARN, "WAL is not switched: %s",
                 err_text(&said, why, sizeof why));
    }
    read_end_time(r);
    pg_close(r->sql);
    r->sql = NULL;
}

static bool finish(struct backup_run *r, struct err *err)
{
    struct backup *b = &r->b;
    char size[FMT_CAP], stats[128], copy[FMT_CAP], total[FMT_CAP];

    b->copy_time = (double)(r->copied_ns - r->began_ns) / (double)NS_PER_S;
    task_say(r->task, SAY_OUT, "Copy done (time: %s)",
             fmt_duration(r->copied_ns - r->began_ns, size));
    task_say(r->task, SAY_OUT, "Finalising the backup.");
    b->end_time = moment_at(clock_wall_ns() / 1000);
    ask_after_copy(r);
    b->size = r->bytes;
    b->deduplicated_size = r->bytes;
    b->total_time = (double)(clock_mono_ns() - r->began_ns) / (double)NS_PER_S;
    str_fmt(stats, sizeof stats, "{'copy_time': %s, 'total_time': %s}",
            fmt_py_float(b->copy_time, copy), fmt_py_float(b->total_time, total));
    b->copy_stats = arena_strdup(&r->arena, stats);
    if (!b->copy_stats) {
        return arena_err(&r->arena, err);
    }
    b->status = r->corrupt_why[0] ? BACKUP_FAILED : BACKUP_WAITING_FOR_WALS;
    if (!backup_info_save(r->repo, b, err)) {
        return false;
    }
    r->what->result.size = b->size;
    r->what->result.status = b->status;
    if (r->is_first) {
        purge_before(r);
    }
    task_say(r->task, SAY_OUT, "Backup size: %s", fmt_size((int64_t)b->size, size));
    say_position(r, "end", b->end_xlog, b->end_wal);
    return true;
}

static void say_completed(const struct backup_run *r)
{
    char began[STAMP_CAP], span[FMT_CAP];
    const struct moment *m = &r->b.begin_time;

    stamp_iso(stamp_local(m->us), began);
    began[10 + strcspn(began + 10, "+-")] = '\0'; /* local time, without its offset */
    task_say(r->task, SAY_OUT, "Backup completed (start time: %s, elapsed time: %s)", began,
             fmt_duration((r->b.end_time.us - m->us) * 1000, span));
}

static void warn_waiting(const struct backup_run *r)
{
    if (r->b.status == BACKUP_WAITING_FOR_WALS) {
        task_say(
            r->task, SAY_WARN,
            "backup %s is complete but WAITING_FOR_WALS: not all WAL it needs to become "
            "consistent has been archived yet. That is usual; cron or check-backup makes it "
            "DONE when %s is there, and 'backup --wait' waits for it.",
            r->b.id, r->b.end_wal);
    }
}

/* ---- the whole ---------------------------------------------------------------------- */

/* A backup that was begun and is not good is FAILED, and says why. */
static void save_failure(struct backup_run *r, const struct err *why)
{
    char text[1024];
    struct err said = {0};

    backup_drop_ballast(r);
    r->b.status = BACKUP_FAILED;
    r->b.error = arena_strdup(&r->arena, err_text(why, text, sizeof text));
    r->b.end_time = moment_at(clock_wall_ns() / 1000);
    r->what->result.status = BACKUP_FAILED;
    if (!backup_info_save(r->repo, &r->b, &said)) {
        task_say(r->task, SAY_WARN, "backup %s stays STARTED: %s", r->b.id,
                 err_text(&said, text, sizeof text));
    }
}

/* Scripts see a backup of status EMPTY. */
static bool scripts_before(struct backup_run *r, struct err *err)
{
    hook_init(&r->hook, r->task, r->srv, HOOK_BACKUP);
    if (r->b.status != BACKUP_EMPTY) {
        return true;
    }
    if (!hook_env_backup(&r->hook, &r->arena, r->repo, &r->b, err) ||
        !hook_before(&r->hook, err)) {
        return false;
    }
    r->b.status = BACKUP_STARTED;
    return backup_info_save(r->repo, &r->b, err);
}

static void scripts_after(struct backup_run *r, bool ok, const struct err *why)
{
    struct err said = {0};
    char text[1024];

    if (hook_env_backup(&r->hook, &r->arena, r->repo, &r->b, &said)) {
        hook_after_err(&r->hook, ok, why);
    } else {
        task_say(r->task, SAY_WARN, "post_backup scripts are not run: %s",
                 err_text(&said, text, sizeof text));
    }
}

static bool copy_and_finish(struct backup_run *r, struct err *err)
{
    r->action = "running pre-backup scripts";
    if (!scripts_before(r, err)) {
        return false;
    }
    r->action = "copying files";
    if (!copy_again(r, err)) {
        return false;
    }
    r->action = "finalising the backup";
    r->copied_ns = clock_mono_ns();
    if (!finish(r, err)) {
        return false;
    }
    /* All of it is there, and it is not what it should be. */
    return !r->corrupt_why[0] ||
           err_set(err, ERR_FORMAT,
                   "Look for the damaged pages in the server's log, with pg_amcheck too.",
                   r->srv->name, "the server found damaged pages: %s", r->corrupt_why);
}

/* The scripts are told of a backup that waits for WAL, unless we were told to wait ourselves. */
static bool after_finish(struct backup_run *r, struct err *err)
{
    bool wait = r->what->options.wait, ok;

    say_completed(r);
    ok = !wait || backup_wait_wal(r, err);
    if (wait) {
        scripts_after(r, ok, err);
    } else {
        scripts_after(r, true, NULL);
        ok = backup_bring_wal(r, err);
    }
    /* Only missing WAL makes a complete copy a bad one. */
    if (!ok && err->code == ERR_MISSING) {
        save_failure(r, err);
    }
    if (ok) {
        warn_waiting(r);
    }
    return ok;
}

/* Barman's word for whoever holds it, though delete takes this lock too. */
static bool take_lock(struct backup_run *r, struct err *err)
{
    struct err said = {0};

    if (lock_take(&r->lock, r->repo, LOCK_BACKUP, LOCK_TRY, &said)) {
        return true;
    }
    if (said.code == ERR_BUSY) {
        char hint[128];

        str_fmt(hint, sizeof hint, "Wait until it has ended: %s.", said.why);
        return err_set(err, ERR_BUSY, hint, "", "Another backup process is running");
    }
    *err = said;
    return err_wrap(err, "begin a backup of server %s", r->srv->name);
}

static bool run(struct backup_run *r, struct err *err)
{
    bool ok;

    if (!server_cfg_refusal(r->srv, CFG_USE_BACKUP, err)) {
        return false;
    }
    if (!take_lock(r, err)) {
        return false;
    }
    if (!backup_look(r, err)) {
        return err_wrap(err, "begin a backup of server %s", r->srv->name);
    }
    if (!backup_check(r, err)) {
        return false;
    }
    if (!begin(r, err)) {
        return err_wrap(err, "begin a backup of server %s", r->srv->name);
    }
    r->asked_ns = clock_mono_ns();
    ok = copy_and_finish(r, err);
    if (!ok) {
        save_failure(r, err);
        task_say(r->task, SAY_ERROR, "Backup failed %s.", r->action);
        scripts_after(r, false, err);
        return err_wrap(err, "back up server %s as %s", r->srv->name, r->b.id);
    }
    return after_finish(r, err);
}

bool engine_backup(const struct task *task, struct engine_backup *what, struct err *err)
{
    struct backup_run r = {
        .task = task,
        .what = what,
        .repo = what->repo,
        .srv = what->srv,
        .lock = LOCK_INIT,
        .ballast = -1,
    };
    bool ok;

    what->result = (struct engine_backup_result){.status = BACKUP_EMPTY};
    arena_init(&r.arena, (size_t)64 << 20);
    ok = run(&r, err);
    pg_close(r.sql);
    pg_close(r.replication);
    backup_drop_ballast(&r);
    lock_release(&r.lock);
    arena_release(&r.arena);
    return ok;
}
