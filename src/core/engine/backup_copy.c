/* SPDX-License-Identifier: PostgreSQL */
#include "backup_in.h"
#include "backup_tree.h"

#include "base/clock.h"
#include "pg/base_backup.h"
#include "pg/conn.h"
#include "repo/corrupt.h"
#include "wal/label.h"

#include <string.h>

#define LANE_SLOTS    4 /* of 16 messages of 32 KiB: 2 MiB under way */
#define PROGRESS_STEP (NS_PER_S / 10)

struct copy {
    struct backup_run *r;
    struct tree *tree;
    struct task inline_task;
    struct task_sink sink;
    const struct task *beside; /* whose lane it is */
    struct lane *lane;
    size_t bufs; /* that are put together */
    struct progress progress;
    int64_t told_ns;
    struct corrupt_list corrupt;
    size_t begun;          /* archives */
    struct tree_item data; /* being filled */
};

static bool put_data(struct copy *c, struct err *err)
{
    if (c->data.bufs && !lane_put(c->beside, c->lane, &c->data, err)) {
        return false; /* and stream() frees what it holds */
    }
    c->data.bufs = 0;
    return true;
}

static bool put(struct copy *c, const struct tree_item *item, struct err *err)
{
    return put_data(c, err) && lane_put(c->beside, c->lane, item, err);
}

static bool on_start(void *ctx, pg_lsn lsn, pg_tli tli, struct err *err)
{
    struct copy *c = ctx;

    return backup_began(c->r, lsn, tli, err);
}

/* The list must outlive the connection's memory: the lane still looks at it afterwards. */
static bool on_archives(void *ctx, const struct base_backup_archive *list, size_t n,
                        struct err *err)
{
    struct copy *c = ctx;
    struct arena *a = &c->r->arena;
    struct base_backup_archive *own = ARENA_ARRAY(a, n, struct base_backup_archive);

    c->progress = (struct progress){.phase = "copy"};
    for (size_t i = 0; own && i < n; i++) {
        own[i] = list[i];
        if (list[i].location) {
            own[i].location = arena_strdup(a, list[i].location);
        }
        c->progress.total += list[i].size_bytes;
    }
    if (a->failed) {
        return arena_err(a, err);
    }
    return backup_sends(c->r, own, n, err) && tree_archives(c->tree, own, n, err);
}

static bool on_archive(void *ctx, const struct base_backup_archive *archive, struct err *err)
{
    struct copy *c = ctx;

    str_copy(c->progress.what, sizeof c->progress.what,
             archive->location ? archive->location : "data directory");
    return put(c, &(struct tree_item){.kind = TREE_ARCHIVE, .archive = c->begun++}, err);
}

static bool on_manifest(void *ctx, struct err *err)
{
    struct copy *c = ctx;

    str_copy(c->progress.what, sizeof c->progress.what, "backup_manifest");
    return put(c, &(struct tree_item){.kind = TREE_MANIFEST}, err);
}

static bool on_data(void *ctx, struct base_backup_buf buf, struct err *err)
{
    struct copy *c = ctx;
    int64_t now = clock_mono_ns();

    c->progress.done += buf.n;
    if (now - c->told_ns >= PROGRESS_STEP) {
        c->told_ns = now;
        backup_sql_rests(c->r);
        /* Only an estimate: the cluster may have grown since it was made. */
        if (c->progress.total && c->progress.done > c->progress.total) {
            c->progress.total = c->progress.done;
        }
        task_progress(c->r->task, &c->progress);
    }
    c->data.buf[c->data.bufs++] = buf;
    return c->data.bufs < c->bufs || put_data(c, err);
}

static bool on_archive_end(void *ctx, struct err *err)
{
    return put(ctx, &(struct tree_item){.kind = TREE_ARCHIVE_END}, err);
}

/* backup_label is what a restore begins with: it must say what the server said. */
static bool take_label(struct backup_run *r, const char *text, pg_lsn lsn, struct err *err)
{
    struct backup_label label;

    if (!backup_label_parse(&r->arena, str_of(text), &label, err)) {
        return err_wrap(err, "read the backup_label that was sent");
    }
    if (label.start != lsn) {
        return err_set(err, ERR_FORMAT, "", "backup_label",
                       "begins elsewhere than the server said");
    }
    r->b.backup_label = arena_strdup(&r->arena, text);
    return r->b.backup_label || arena_err(&r->arena, err);
}

static void tell_odd(const struct backup_run *r, const struct tree_result *t)
{
    for (uint64_t i = 0; i < t->odd && i < TREE_ODD_MAX; i++) {
        task_say(r->task, SAY_WARN, "'%s' is not a whole number of pages, copied as it is",
                 t->odd_name[i]);
    }
    if (t->odd > TREE_ODD_MAX) {
        task_say(r->task, SAY_WARN, "%llu more files are not a whole number of pages",
                 (unsigned long long)(t->odd - TREE_ODD_MAX));
    }
}

/* The damage is listed beside the copy; where no page was named, that there is some. */
static bool note_corrupt(struct copy *c, const char *text, struct err *err)
{
    if (text[0] == '\0' && c->corrupt.files) {
        c->r->corrupt_files = c->corrupt.files;
        return true;
    }
    return corrupt_list_add(&c->corrupt, text[0] ? text : c->r->corrupt_why, err);
}

static void on_notice(void *ctx, const char *line)
{
    struct copy *c = ctx;
    struct err said = {0};
    char why[512];

    task_say(c->r->task, SAY_WARN, "the server says: %s", line);
    if (strchr(line, '"') && !note_corrupt(c, line, &said)) {
        task_say(c->r->task, SAY_WARN, "%s", err_text(&said, why, sizeof why));
    }
}

static bool take_end(struct copy *c, const struct base_backup_result *res, struct err *err)
{
    struct backup_run *r = c->r;
    const struct tree_result *t = tree_result(c->tree);
    struct wal_seg seg = wal_seg_of_end(res->end_tli, res->end_lsn, r->b.xlog_segment_size);
    char name[WAL_NAME_CAP];

    if (!take_label(r, t->label, res->start_lsn, err)) {
        return false;
    }
    tell_odd(r, t);
    wal_seg_name(seg, r->b.xlog_segment_size, name);
    r->b.end_xlog = res->end_lsn;
    r->b.end_wal = arena_strdup(&r->arena, name);
    r->b.end_offset = (uint32_t)(res->end_lsn % r->b.xlog_segment_size);
    r->bytes = t->bytes;
    if (!r->b.end_wal) {
        return arena_err(&r->arena, err);
    }
    if (res->corrupt) { /* the copy is whole all the same: copy_and_finish() goes on */
        r->what->result.corrupt = true;
        str_copy(r->corrupt_why, sizeof r->corrupt_why, res->corrupt_why);
        return note_corrupt(c, "", err) && corrupt_list_end(&c->corrupt, err);
    }
    corrupt_list_drop(&c->corrupt);
    return true;
}

/* A plain copy is taken apart where it arrives, while it is warm: large files are written beside
 * it anyway (repo/direct.h). What packs, unpacks, sums at length or waits for the disk after each
 * file gets a thread of its own. */
static void choose_place(struct copy *c)
{
    const struct backup_run *r = c->r;
    bool is_cheap = !r->form.is_tar && !r->form.by_server && !tree_syncs_each(c->tree) &&
                    (r->what->options.checksums == DIGEST_CRC32C ||
                     r->what->options.checksums == DIGEST_NONE);

    c->inline_task = task_serial(NULL, NULL, &c->sink);
    c->beside = is_cheap ? &c->inline_task : r->task;
    c->bufs = is_cheap ? 1 : TREE_BUFS;
}

/* The receiving end runs here, the other one where choose_place() said. */
static bool stream(struct copy *c, struct pg *pg, struct base_backup *run, struct err *err)
{
    const struct task *task = c->r->task;
    const struct lane_spec spec = {
        .name = "backup-write",
        .item_size = sizeof(struct tree_item),
        .slots = LANE_SLOTS,
        .ctx = c->tree,
        .consume = tree_consume,
        .drop = tree_drop,
    };

    choose_place(c);
    c->lane = lane_open(c->beside, &spec, err);
    if (!c->lane) {
        return false;
    }
    if (!base_backup_run(task, pg, run, err)) {
        tree_drop(c->tree, &c->data); /* what was not taken */
        lane_fail(c->beside, c->lane);
        return false;
    }
    str_copy(c->progress.phase, sizeof c->progress.phase, "waiting for disk");
    c->progress.total = c->progress.done;
    task_progress(task, &c->progress);
    return lane_close(c->beside, c->lane, err) && tree_commit(c->tree, err);
}

static bool copy_with(struct copy *c, struct pg *pg, struct err *err)
{
    struct backup_run *r = c->r;
    const struct engine_backup_options *o = &r->what->options;
    const struct backup_form *form = &r->form;
    char label[128];
    struct base_backup run = {
        .spec = {.label = label,
                 .checkpoint = o->immediate_checkpoint ? CHECKPOINT_FAST : CHECKPOINT_SPREAD,
                 .max_rate_kib = o->bwlimit_kib,
                 .checksums = o->checksums,
                 .tablespace_map = form->is_tar},
        .sink = {c, on_start, on_archives, on_archive, on_manifest, on_data, on_archive_end},
    };
    const struct tree_spec tree = {
        r->dir, o->checksums, r->mode, r->block_size, base_backup_has_trailers(pg_version(pg)),
        form,   r->task};

    if (form->by_server) {
        run.spec.compression = codec_name(form->codec);
        run.spec.suffix = backup_form_suffix(form->codec, false);
        run.spec.has_level = form->level != FORM_LEVEL_UNSET;
        run.spec.level = form->level;
        run.spec.workers = form->workers;
    }
    str_fmt(label, sizeof label, "Barman backup %s %s", r->srv->name, r->b.id);
    c->tree = tree_new(&tree, err);
    return c->tree && stream(c, pg, &run, err) && take_end(c, &run.result, err);
}

bool backup_copy(struct backup_run *r, struct err *err)
{
    struct copy c = {.r = r, .data.kind = TREE_DATA};
    struct pg *pg = backup_replication_take(r, err);
    bool ok;

    if (!pg) {
        return false;
    }
    corrupt_list_init(&c.corrupt, r->dir);
    pg_on_notice(pg, &c, on_notice);
    ok = copy_with(&c, pg, err);
    corrupt_list_release(&c.corrupt);
    tree_free(c.tree);
    pg_close(pg);
    return ok;
}
