/* SPDX-License-Identifier: PostgreSQL */
#include "engine/verify_pack.h"

#include "engine/kept_pack.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define FAULTS_MAX 100 /* told of one archive */

struct found {
    char text[FAULTS_MAX][512];
    uint64_t n;
};

struct piece {
    size_t at;
    struct found *found; /* of the heap; done() frees it */
};

struct verifying {
    const struct verify_pack *v;
    size_t next;
    struct progress progress;
};

static struct found *found_new(struct err *err)
{
    struct found *f = calloc(1, sizeof *f);

    if (!f) {
        err_set(err, ERR_MEMORY, "", "", "out of memory");
    }
    return f;
}

static void found_free(struct found *f)
{
    free(f);
}

static int next_archive(void *ctx, void *piece, struct err *err)
{
    struct verifying *all = ctx;
    struct piece p = {all->next, NULL};

    if (all->next == all->v->tree->archives) {
        return 0;
    }
    p.found = found_new(err);
    if (!p.found) {
        return -1;
    }
    all->next++;
    memcpy(piece, &p, sizeof p);
    return 1;
}

static void note(void *ctx, const char *path, enum sums_fault fault)
{
    static const char *const after[] = {
        [SUMS_SIZE] = " has another size than the manifest says",
        [SUMS_SUM] = "",
        [SUMS_EXTRA] = " is present in the archive but not in the manifest",
        [SUMS_MISSING] = " is present in the manifest but not in the archive",
    };
    struct found *f = ctx;

    if (f->n < FAULTS_MAX) {
        str_fmt(f->text[f->n], sizeof f->text[0], "%s\"%.400s\"%s",
                fault == SUMS_SUM ? "checksum mismatch for file " : "", path, after[fault]);
    }
    f->n++;
}

/* Damage is a fault of the backup; what only keeps us from looking (no room for what is noted on
 * the way, no passphrase, no library) is an error. */
static bool is_fault(const struct err *why)
{
    switch (why->code) {
    case ERR_CANCEL:
    case ERR_CONFIG:
    case ERR_MEMORY:
    case ERR_TIMEOUT:
        return false;
    default:
        return why->os != ENOSPC && why->os != EDQUOT && why->os != EROFS;
    }
}

static bool read_archive(void *ctx, void *item, struct err *err)
{
    const struct verifying *all = ctx;
    const struct kept_tree *tree = all->v->tree;
    struct piece p;
    struct kept_pack_read read = {
        .task = all->v->task,
        .gpg = all->v->gpg,
        .list = tree->archive,
        .n = tree->archives,
        .manifest = tree->manifest,
        .checksums = tree->checksums,
        .spool = all->v->spool,
        .fault = note,
    };
    struct err why = {0};

    memcpy(&p, item, sizeof p);
    read.at = p.at;
    read.events.ctx = p.found;
    if (kept_pack_read(&read, &why)) {
        return true;
    }
    if (!is_fault(&why)) {
        *err = why;
        found_free(p.found);
        return false;
    }
    if (p.found->n < FAULTS_MAX) {
        err_text(&why, p.found->text[p.found->n], sizeof p.found->text[0]);
    }
    p.found->n++;
    return true;
}

static void archive_done(void *ctx, const void *item)
{
    struct verifying *all = ctx;
    const struct verify_pack *v = all->v;
    char text[128];
    struct piece p;

    memcpy(&p, item, sizeof p);
    for (uint64_t i = 0; i < p.found->n && i < FAULTS_MAX; i++) {
        v->fault(v->ctx, p.found->text[i]);
    }
    if (p.found->n > FAULTS_MAX) {
        str_fmt(text, sizeof text, "%" PRIu64 " more faults in %.60s", p.found->n - FAULTS_MAX,
                v->tree->archive[p.at].name);
        v->fault(v->ctx, text);
    }
    found_free(p.found);
    all->progress.done += v->tree->archive[p.at].size;
    task_progress(v->task, &all->progress);
}

bool verify_pack(const struct verify_pack *v, struct err *err)
{
    struct verifying all = {.v = v, .progress = {.phase = "verify"}};
    const struct pool_spec pool = {
        .piece_size = sizeof(struct piece),
        .jobs = v->jobs,
        .ctx = &all,
        .next = next_archive,
        .work = read_archive,
        .done = archive_done,
    };

    for (size_t i = 0; i < v->tree->archives; i++) {
        all.progress.total += v->tree->archive[i].size;
    }
    return pool_run(v->task, &pool, err);
}
