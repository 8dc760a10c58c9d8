/* SPDX-License-Identifier: PostgreSQL */
/* estimate-size, generate-manifest. */
#include "backup_doc.h"
#include "session.h"

#include "base/doc.h"
#include "base/fmt.h"
#include "engine/estimate.h"
#include "engine/generate_manifest.h"

#include <string.h>

/* ---- estimate-size -------------------------------------------------------------------- */

struct estimate_job {
    struct session *s;
    const struct repo *repo;
    const struct server_cfg *srv;
    struct estimate out;
};

static bool do_estimate(const struct task *task, void *arg, struct err *err)
{
    struct estimate_job *job = arg;

    return estimate_size(task, job->repo, job->srv, &job->s->arena, &job->out, err);
}

static void say_full(struct session *s, const struct estimate *e)
{
    char size[FMT_CAP], cluster[FMT_CAP];

    console_say(&s->console, SAY_OUT, "\tCluster size: %s",
                fmt_size((int64_t)e->cluster, cluster));
    for (size_t i = 0; i < e->spaces; i++) {
        console_say(&s->console, SAY_OUT, "\t\t%s: %s", e->space[i].name,
                    fmt_size((int64_t)e->space[i].bytes, size));
    }
    fmt_size((int64_t)e->full, size);
    if (e->like) {
        console_say(&s->console, SAY_OUT,
                    "\tFull backup: %s (%.1f%% of the cluster, as backup %s)", size,
                    e->share * 100, e->like);
    } else {
        console_say(&s->console, SAY_OUT,
                    "\tFull backup: %s (no backup of that kind to compare with)", size);
    }
}

static void say_wal(struct session *s, const struct estimate *e)
{
    char size[FMT_CAP], rate[FMT_CAP], span[FMT_CAP];

    fmt_size((int64_t)e->wal, size);
    fmt_size((int64_t)(e->wal_rate * 3600), rate);
    if (e->seconds > 0) {
        fmt_duration((int64_t)(e->seconds * 1e9), span);
        console_say(&s->console, SAY_OUT, "\tWAL during it: %s (%s/hour, time: %s)", size, rate,
                    span);
    } else {
        console_say(&s->console, SAY_OUT,
                    "\tWAL during it: %s (%s/hour, how long it takes is not known)", size,
                    rate);
    }
}

static void say_incremental(struct session *s, const struct estimate *e)
{
    char size[FMT_CAP];

    if (e->incremental_known) {
        console_say(&s->console, SAY_OUT, "\tIncremental backup: %s (on top of backup %s)",
                    fmt_size((int64_t)e->incremental, size), e->parent);
    } else {
        console_say(&s->console, SAY_OUT, "\tIncremental backup: cannot be told (%s)",
                    e->incremental_why);
    }
}

static void say_room(struct session *s, const struct estimate_room *room)
{
    char size[FMT_CAP], needs[FMT_CAP];

    if (room->known) {
        console_say(&s->console, SAY_OUT, "\tFree space: %s in %s, %s needed",
                    fmt_size((int64_t)room->free, size), room->path,
                    fmt_size((int64_t)room->needs, needs));
    }
}

static void doc_room(struct doc *list, const struct estimate_room *room)
{
    struct doc *d;

    if (room->known) {
        d = doc_add_object(list);
        doc_text(d, "path", room->path);
        doc_size(d, "free", (int64_t)room->free);
        doc_size(d, "needed", (int64_t)room->needs);
    }
}

static void fill_doc(struct doc *d, const struct estimate *e)
{
    struct doc *list = doc_array(d, "tablespaces");

    doc_size(d, "cluster_size", (int64_t)e->cluster);
    for (size_t i = 0; i < e->spaces; i++) {
        struct doc *one = doc_add_object(list);

        doc_text(one, "name", e->space[i].name);
        doc_text(one, "location", e->space[i].location);
        doc_int(one, "oid", e->space[i].oid);
        doc_size(one, "size", (int64_t)e->space[i].bytes);
    }
    doc_size(d, "full_backup", (int64_t)e->full);
    doc_text(d, "compared_with", e->like);
    doc_real(d, "share_of_cluster", e->share);
    if (e->seconds > 0) {
        doc_real(d, "copy_time_seconds", e->seconds);
    } else {
        doc_null(d, "copy_time_seconds");
    }
    doc_size(d, "wal", (int64_t)e->wal);
    doc_real(d, "wal_bytes_per_second", e->wal_rate);
    if (e->incremental_known) {
        doc_size(d, "incremental_backup", (int64_t)e->incremental);
        doc_text(d, "incremental_parent", e->parent);
    } else {
        doc_null(d, "incremental_backup");
        doc_text(d, "incremental_reason", e->incremental_why);
    }
    list = doc_array(d, "free_space");
    doc_room(list, &e->base);
    doc_room(list, &e->wals);
    doc_bool(d, "fits", e->fits);
}

void run_estimate_size(struct session *s, const struct server_cfg *srv)
{
    struct repo repo;
    struct estimate_job job = {.s = s, .repo = &repo, .srv = srv};
    struct session_verb verb = {SESSION_LOOKS, srv, do_estimate, &job};

    if (!session_repo(s, srv, &repo) || !session_job(s, &verb)) {
        return;
    }
    if (s->console.doc) {
        fill_doc(doc_object(s->console.doc, srv->name), &job.out);
    } else {
        console_say(&s->console, SAY_OUT, "Server %s:", srv->name);
        say_full(s, &job.out);
        say_wal(s, &job.out);
        say_incremental(s, &job.out);
        say_room(s, &job.out.base);
        say_room(s, &job.out.wals);
        console_say(&s->console, SAY_OUT, "\tFits: %s", job.out.fits ? "yes" : "no");
    }
    if (!job.out.fits) {
        s->status = s->status ? s->status : 1;
    }
}

/* ---- generate-manifest ------------------------------------------------------------------ */

struct manifest_job {
    struct generate_manifest what;
    const char *word; /* how the backup was named */
};

static bool do_manifest(const struct task *task, void *arg, struct err *err)
{
    const struct manifest_job *job = arg;

    if (!generate_manifest(task, &job->what, err)) {
        return false;
    }
    task_say(task, SAY_OUT,
             "Backup manifest for backup '%s' successfully generated for server %s", job->word,
             job->what.repo->server);
    return true;
}

void run_generate_manifest(struct session *s, const struct server_cfg *srv)
{
    struct repo repo;
    struct manifest_job job = {
        .what = {.repo = &repo, .jobs = (unsigned)srv->parallel_jobs},
        .word = s->args.operand[1],
    };
    struct session_verb verb = {SESSION_WRITES, srv, do_manifest, &job};

    job.what.backup = session_backup(s, srv, &repo);
    if (job.what.backup) {
        session_job(s, &verb);
    }
}
