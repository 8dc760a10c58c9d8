/* SPDX-License-Identifier: PostgreSQL */
#include "engine/verify_backup.h"

#include "base/fmt.h"
#include "cfg/server.h"
#include "engine/backup_form.h"
#include "engine/path_set.h"
#include "engine/repo_of.h"
#include "engine/restore_run.h"
#include "engine/verify_pack.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

_Static_assert(TREE_BATCH_FILES <= 64, "a batch has one bit a file");

struct verifying {
    const struct task *task;
    struct restore_run *r; /* for its tree and its WAL; nothing is restored */
    struct verify_result *out;
    struct progress progress;
};

__attribute__((format(printf, 2, 3))) static void fault(struct verifying *v, const char *fmt,
                                                        ...)
{
    char text[2048];
    struct sbuf b;
    va_list ap;

    sbuf_init(&b, text, sizeof text);
    va_start(ap, fmt);
    sbuf_vfmt(&b, fmt, ap);
    va_end(ap);
    v->out->faults++;
    task_say(v->task, SAY_OUT, "%s", text);
}

/* What a restore or the server may have put there, and the manifest cannot list. */
static bool may_be_extra(const char *rel)
{
    static const char *const fine[] = {"backup_manifest", "postgresql.auto.conf",
                                       "recovery.signal", "standby.signal"};

    for (size_t i = 0; i < sizeof fine / sizeof fine[0]; i++) {
        if (strcmp(rel, fine[i]) == 0) {
            return true;
        }
    }
    return str_starts(str_of(rel), "pg_wal/");
}

static void say_survey(void *ctx, const char *path, const char *what)
{
    fault(ctx, "\"%s\" %s", path, what);
}

static int next_batch(void *ctx, void *piece, struct err *err)
{
    struct verifying *v = ctx;

    return tree_feed_next(v->r->feed, piece, err);
}

/* Threads work on batches side by side, and only done() may speak: a bit says what was found.
 * Files that are missing or have another size were told by the survey. */
static bool check_batch(void *ctx, void *piece, struct err *err)
{
    const struct verifying *v = ctx;
    struct tree_batch *b = piece;
    struct tree_file file;
    uint32_t at = 0;

    for (uint64_t bit = 1; tree_batch_take(&v->r->tree, b, &at, &file); bit <<= 1) {
        char from[PATH_CAP];
        struct copy_file check = {.from = from, .sized = true};
        struct err why = {0};
        uint64_t size;

        check.size = file.size;
        check.kind = file.kind;
        check.sum = file.sum;
        if (!path_join(from, file.space->from, file.rel, err)) {
            return false;
        }
        if (!file.listed || file_kind(from, &size) != FILE_REGULAR || size != file.size) {
            continue;
        }
        if (!copy_check(&check, &why)) {
            b->bad |= why.code == ERR_FORMAT ? bit : 0;
            b->unreadable |= why.code != ERR_FORMAT ? bit : 0;
        }
    }
    return true;
}

static void batch_done(void *ctx, const void *piece)
{
    struct verifying *v = ctx;
    const struct tree_batch *b = piece;
    struct tree_file file;
    uint32_t at = 0;

    for (uint64_t bit = 1; tree_batch_take(&v->r->tree, b, &at, &file); bit <<= 1) {
        char prefix[32] = "";

        if (file.space->oid) {
            str_fmt(prefix, sizeof prefix, "pg_tblspc/%" PRIu32 "/", file.space->oid);
        }
        if (!file.listed && (prefix[0] || !may_be_extra(file.rel))) {
            fault(v, "\"%s%s\" is present on disk but not in the manifest", prefix, file.rel);
        }
        if (b->bad & bit) {
            fault(v, "checksum mismatch for file \"%s%s\"", prefix, file.rel);
        }
        if (b->unreadable & bit) {
            fault(v, "\"%s%s\" cannot be read", prefix, file.rel);
        }
    }
    v->progress.done += b->bytes;
    task_progress(v->task, &v->progress);
}

/* One that is listed was told by the survey. */
static void say_odd(void *ctx, const char *path)
{
    struct verifying *v = ctx;

    if (!path_set_has(v->r->tree.listed, path)) {
        fault(v, "\"%s\" is not a regular file or directory", path);
    }
}

static void say_packed(void *ctx, const char *text)
{
    fault(ctx, "%s", text);
}

/* On a read-only disk what is noted on the way goes elsewhere. */
static bool find_spool(const struct repo *r, const char **out, struct err *err)
{
    const char *tmp = getenv("TMPDIR");
    struct err why = {0};

    *out = r->own_dir;
    if (dir_make(r->own_dir, &why) && (access(r->own_dir, W_OK) == 0 || errno != EROFS)) {
        return true;
    }
    if (why.code != ERR_NONE && why.os != EROFS) {
        *err = why;
        return false;
    }
    *out = tmp && *tmp ? tmp : "/tmp";
    return true;
}

static bool verify_archives(struct verifying *v, const struct verify_request *q, unsigned jobs,
                            struct err *err)
{
    struct restore_run *r = v->r;
    struct gpg gpg = backup_form_gpg(q->server, v->task->cancel_fd);
    struct verify_pack pack = {.task = v->task,
                               .tree = &r->tree,
                               .gpg = &gpg,
                               .jobs = jobs,
                               .ctx = v,
                               .fault = say_packed};

    return find_spool(&r->repo, &pack.spool, err) && verify_pack(&pack, err);
}

/* Is it the backup that backup.info tells of? The data may be good and another cluster's. */
static void verify_owner(struct verifying *v)
{
    const char *ours = v->r->backup->systemid;
    uint64_t told;

    if (v->r->tree.systemid && ours && str_u64(str_of(ours), UINT64_MAX, &told) &&
        told != v->r->tree.systemid) {
        fault(v,
              "\"backup_manifest\" is of a cluster with the system identifier %" PRIu64
              ", backup.info of one with %s",
              v->r->tree.systemid, ours);
    }
}

static bool verify_files(struct verifying *v, const struct verify_request *q, unsigned jobs,
                         struct err *err)
{
    struct restore_run *r = v->r;
    struct tree_faults faults = {v, say_survey};
    struct feed_spec feed = {FEED_ALL | FEED_EVERY, v, NULL, say_odd};
    struct pool_spec pool = {
        .piece_size = sizeof(struct tree_batch),
        .jobs = jobs,
        .ctx = v,
        .next = next_batch,
        .work = check_batch,
        .done = batch_done,
    };

    if (!kept_tree_open(r->a, &r->repo, r->backup, &r->tree, err)) {
        return false;
    }
    if (backup_is_orphan(&r->repo, r->backup)) {
        return err_set(err, ERR_MISSING, "Restore another one, and delete this one.",
                       r->backup->id, "nothing is left of the backup but its backup.info");
    }
    if (!r->tree.manifest) {
        return err_set(err, ERR_MISSING, "Take backups with method postgres to have one.",
                       r->backup->id, "the backup has no backup_manifest to verify it with");
    }
    if (!kept_tree_survey(&r->tree, r->a, &faults, err)) {
        return false;
    }
    verify_owner(v);
    v->out->files = r->tree.files;
    v->out->bytes = r->tree.bytes;
    if (r->tree.archives) {
        return verify_archives(v, q, jobs, err);
    }
    v->progress = (struct progress){.phase = "verify", .total = r->tree.bytes};
    r->feed = tree_feed_new(&r->tree, &feed, err);
    return r->feed && pool_run(v->task, &pool, err);
}

static bool wal_fault(struct verifying *v, struct err *err)
{
    const struct wal_evidence *w = &v->r->wal;
    const char *what = w->fault == WAL_GAP ? ": missing segment " : ": damaged segment ";
    char end[FMT_CAP], need[FMT_CAP];

    if (w->fault == WAL_LOCKED) { /* which is no damage */
        return err_set(err, ERR_CONFIG,
                       "Bring the key, and let "
                       "encryption_passphrase_command print its passphrase.",
                       w->where, "%s", w->why);
    }
    fmt_lsn(w->watch.end, end);
    fmt_lsn(w->watch.consistent, need);
    fault(v, "the WAL ends at %s, before the backup is consistent at %s%s%s", end, need,
          w->fault == WAL_WELL ? "" : what, w->fault == WAL_WELL ? "" : w->where);
    return true;
}

/* From the start of the backup to where it is consistent, every record. */
static bool verify_wal(struct verifying *v, struct err *err)
{
    struct restore_run *r = v->r;
    const struct backup *b = r->backup;
    struct timeline_base base = {b->timeline, b->begin_xlog, b->end_xlog};
    struct history_spare *spare = ARENA_NEW(r->a, struct history_spare);

    r->target.kind = TARGET_IMMEDIATE;
    r->seg_size = b->xlog_segment_size;
    if (!spare) {
        return arena_err(r->a, err);
    }
    if (!wal_seg_size_ok(r->seg_size) || !b->begin_xlog || !b->end_xlog) {
        fault(v, "the backup does not say which WAL it needs");
        return true;
    }
    if (!restore_load_lines(r, err)) {
        return false;
    }
    if (!restore_line(r->a, &r->kept.lines, &base, &r->target, WAL_MODE_INTO_PGDATA, &r->checks,
                      &r->line)) {
        fault(v, "%s", r->checks.check[r->checks.n - 1].sentence);
        return true;
    }
    r->route = timeline_history(&r->kept.lines, r->line, spare);
    if (!r->route || !restore_walk(r, err)) {
        return r->route ? false : err_set(err, ERR_MISSING, "", b->id, "no history");
    }
    return r->wal.watch.end >= r->wal.watch.consistent || wal_fault(v, err);
}

static bool verify(struct verifying *v, const struct verify_request *q, struct err *err)
{
    struct restore_run *r = v->r;
    int64_t configured = q->server->parallel_jobs;
    unsigned jobs = q->jobs                               ? q->jobs
                    : configured > 2 && configured < 1000 ? (unsigned)configured
                                                          : 2;
    struct catalogue c;

    if (!repo_of(r->a, q->server, NULL, NULL, &r->repo, err) ||
        !catalogue_look(&r->repo, r->a, &c, err) ||
        !catalogue_resolve(&c, q->server->name, q->backup_id, &r->backup, err)) {
        return false;
    }
    say_unread(v->task, &c);
    task_say(v->task, SAY_OUT, "Verifying backup '%s' on server '%s'", q->backup_id,
             q->server->name);
    if (!backup_copy_done(r->backup)) {
        return err_set(err, ERR_MISSING, "Verify a complete one: list-backups shows them.",
                       r->backup->id, "the backup is not complete");
    }
    if (!verify_files(v, q, jobs, err) || !verify_wal(v, err)) {
        return false;
    }
    if (v->out->faults) {
        return err_set(err, ERR_FORMAT, "Take a new backup; restore an older one if need be.",
                       r->backup->id, "%" PRIu64 " fault%s found", v->out->faults,
                       v->out->faults == 1 ? "" : "s");
    }
    task_say(v->task, SAY_OUT, "backup successfully verified");
    return true;
}

bool engine_verify_backup(const struct task *task, const struct verify_request *request,
                          struct verify_result *out, struct err *err)
{
    struct verifying v = {.task = task, .out = out};
    struct arena a;
    bool ok, chosen;

    *out = (struct verify_result){0};
    arena_init(&a, 0);
    v.r = ARENA_NEW(&a, struct restore_run);
    if (v.r) {
        v.r->task = task;
        v.r->lock = LOCK_INIT;
        v.r->a = &a;
        ok = verify(&v, request, err);
        chosen = v.r->backup != NULL;
        restore_run_release(v.r);
    } else {
        ok = chosen = arena_err(&a, err);
    }
    arena_release(&a);
    return ok || (chosen && err_wrap(err, "verify"));
}
