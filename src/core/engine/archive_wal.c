/* SPDX-License-Identifier: PostgreSQL */
#include "archive_wal.h"

#include "base/log.h"
#include "wal/seg.h"

#include <string.h>

#define DRY_MESSAGE "\tno file found"

bool archive_wal_of(const struct repo *r, const struct server_cfg *srv, struct archive_wal *out,
                    struct err *err)
{
    const char *codec = server_cfg_compression(srv);

    *out = (struct archive_wal){
        .repo = r,
        .store = {.pack = codec && strcmp(codec, "gzip") == 0 ? CODEC_GZIP : CODEC_NONE,
                  .level = server_cfg_gzip_level(srv)},
        .from = (srv->streaming_archiver ? (unsigned)ARCHIVE_STREAMING : 0) |
                (srv->archiver ? (unsigned)ARCHIVE_INCOMING : 0),
        .streaming_batch = srv->streaming_archiver_batch_size > 0
                               ? (uint64_t)srv->streaming_archiver_batch_size
                               : 0,
        .incoming_batch = srv->archiver_batch_size > 0 ? (uint64_t)srv->archiver_batch_size : 0,
        .talk = ARCHIVE_SAYS_ALL,
    };
    return wal_rules_of(r, &out->store.rules, err);
}

struct run {
    const struct task *t;
    const struct archive_wal *what;
    struct archive_result *result;
    struct wal_store *store;
    const char *dir;
    const char *source; /* as Barman calls it */
    struct names wals;  /* to be archived, in order */
    struct names unknown;
    size_t listed;
};

/* The last of several .partial files is the one being written; the receiver left the others
 * when it went to another timeline, and nobody will complete them. */
static const char *live_partial(const struct names *all)
{
    for (size_t i = all->n; i-- > 0;) {
        if (wal_name_kind(str_of(all->name[i]), WAL_CASE_UPPER) == WAL_NAME_PARTIAL) {
            return all->name[i];
        }
    }
    return NULL;
}

/* Sort what lies there into WAL, strangers, and what is none of our business yet. */
static bool look(struct run *run, struct arena *a, enum archive_from from, struct err *err)
{
    const char *live;
    struct names all;

    if (!dir_names(a, run->dir, DIR_MAY_MISS, &all, err)) {
        return false;
    }
    run->wals = (struct names){ARENA_ARRAY(a, all.n + 1, const char *), 0};
    run->unknown = (struct names){ARENA_ARRAY(a, all.n + 1, const char *), 0};
    if (!run->wals.name || !run->unknown.name) {
        return arena_err(a, err);
    }
    live = from == ARCHIVE_STREAMING ? live_partial(&all) : NULL;
    for (size_t i = 0; i < all.n; i++) {
        const char *name = all.name[i];

        if (name[0] == '.' || str_ends(str_of(name), ".tmp") || name == live) {
            continue;
        }
        if (wal_name_kind(str_of(name), WAL_CASE_UPPER) == WAL_NAME_OTHER) {
            run->unknown.name[run->unknown.n++] = name;
        } else {
            run->wals.name[run->wals.n++] = name;
        }
    }
    run->listed = run->wals.n;
    return true;
}

static void say_header(const struct run *run, uint64_t batch)
{
    const char *server = run->what->repo->server;

    if (batch && run->listed > batch) {
        task_say(run->t, SAY_OUT, "Processing xlog segments from %s for %s (batch size: %llu)",
                 run->source, server, (unsigned long long)batch);
    } else {
        task_say(run->t, SAY_OUT, "Processing xlog segments from %s for %s", run->source,
                 server);
    }
}

static void say_duplicate(const struct run *run, const char *name,
                          const struct wal_added *added)
{
    task_say(run->t, SAY_OUT,
             "\tError: %s is already present in server %s. File moved to errors directory.",
             name, run->what->repo->server);
    task_say(run->t, SAY_ERROR,
             "WAL file '%s' differs from the archived one (archived SHA-256 %s, offered %s): "
             "moved to '%s'",
             name, added->ours, added->theirs, added->moved_to);
}

/* A failure of one file (it is not what it should be) is told, and the next one tried; a
 * failure of the place stops everything. */
static bool archive_one(struct run *run, const char *name, bool *stored, struct err *err)
{
    char path[PATH_CAP], text[2048];
    struct wal_added added;
    struct err one = {0};

    *stored = false;
    if (!path_join(path, run->dir, name, err)) {
        return false;
    }
    if (!wal_store_add(run->store, path, &added, &one)) {
        if (one.code != ERR_FORMAT) {
            *err = one;
            return err_wrap(err, "archive WAL file %s", name);
        }
        task_say(run->t, SAY_ERROR, "%s", err_text(&one, text, sizeof text));
        run->result->refused++;
        return true;
    }
    task_say(run->t, SAY_OUT, "\t%s", name);
    *stored = true;
    if (added.fate == WAL_DUPLICATE) {
        run->result->duplicates++;
        say_duplicate(run, name, &added);
    } else if (added.fate == WAL_TWIN) {
        run->result->twins++;
        task_say(run->t, SAY_LOG, "WAL file '%s' was archived already, the same", name);
    } else {
        run->result->stored++;
        task_say(run->t, SAY_DEBUG, "archived WAL file '%s' from %s", name, run->source);
    }
    return true;
}

static bool set_unknown_aside(struct run *run, struct err *err)
{
    if (run->unknown.n == 0) {
        return true;
    }
    task_say(run->t, SAY_OUT,
             "Some unknown objects have been found while processing xlog segments for %s. "
             "Objects moved to errors directory:",
             run->what->repo->server);
    for (size_t i = 0; i < run->unknown.n; i++) {
        char path[PATH_CAP], moved[PATH_CAP];

        task_say(run->t, SAY_OUT, "\t%s", run->unknown.name[i]);
        if (!path_join(path, run->dir, run->unknown.name[i], err) ||
            !wal_store_set_aside(run->what->repo, path, "unknown", moved, err)) {
            return false;
        }
        task_say(run->t, SAY_LOG, "moved unexpected file '%s' to '%s'", path, moved);
        run->result->unknown++;
    }
    return true;
}

static bool archive_listed(struct run *run, uint64_t batch, struct err *err)
{
    uint64_t done = 0;
    bool ok = true;

    for (size_t i = 0; ok && i < run->wals.n && (batch == 0 || done < batch); i++) {
        bool stored = false;

        ok = task_go_on(run->t, err) && archive_one(run, run->wals.name[i], &stored, err);
        done += stored;
    }
    if (!ok) {
        struct err second = {0};
        char text[1024];

        /* What was taken in before is archived; if that cannot be finished either, the sources
         * are still there. */
        if (!wal_store_flush(run->store, &second)) {
            task_say(run->t, SAY_LOG, "%s", err_text(&second, text, sizeof text));
        }
        return false;
    }
    return wal_store_flush(run->store, err);
}

static bool archive_dir(struct run *run, enum archive_from from, struct err *err)
{
    const struct archive_wal *what = run->what;
    uint64_t batch = from == ARCHIVE_STREAMING ? what->streaming_batch : what->incoming_batch;
    struct arena a;
    bool ok;

    run->dir = from == ARCHIVE_STREAMING ? what->repo->streaming_dir : what->repo->incoming_dir;
    run->source = from == ARCHIVE_STREAMING ? "streaming" : "file archival";
    arena_init(&a, 0);
    run->store = NULL;
    ok = look(run, &a, from, err);
    if (ok && (what->talk == ARCHIVE_SAYS_ALL || run->wals.n > 0)) {
        say_header(run, batch);
    }
    if (ok && run->wals.n > 0) {
        run->store = wal_store_new(what->repo, &what->store, err);
        ok = run->store && archive_listed(run, batch, err);
    } else if (ok && what->talk == ARCHIVE_SAYS_ALL) {
        task_say(run->t, SAY_OUT, DRY_MESSAGE);
    }
    wal_store_free(run->store);
    ok = ok && set_unknown_aside(run, err);
    arena_release(&a);
    return ok;
}

bool archive_wal(const struct task *t, const struct archive_wal *what,
                 struct archive_result *result, struct err *err)
{
    struct run run = {.t = t, .what = what, .result = result};
    struct lock lock;
    bool ok = true;

    *result = (struct archive_result){0};
    if (!lock_take(&lock, what->repo, LOCK_ARCHIVE_WAL, LOCK_TRY, err)) {
        return false;
    }
    if (what->from & ARCHIVE_STREAMING) {
        ok = archive_dir(&run, ARCHIVE_STREAMING, err);
    }
    if (ok && what->from & ARCHIVE_INCOMING) {
        ok = archive_dir(&run, ARCHIVE_INCOMING, err);
    }
    lock_release(&lock);
    return ok;
}
