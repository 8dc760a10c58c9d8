/* SPDX-License-Identifier: PostgreSQL */
#include "archive_wal.h"

#include "arrival.h"
#include "base/log.h"
#include "hook.h"
#include "repo/wal_check.h"
#include "wal/seg.h"
#include "wal_note.h"

#include <string.h>
#include <unistd.h>

#define DRY_MESSAGE "\tno file found"

/* What could be packed but not recognised or unpacked again is not packed. */
static bool custom_ok(const struct codec_custom *c, struct err *err)
{
    const char *lacks = !c || !c->pack  ? "custom_compression_filter"
                        : !c->unpack    ? "custom_decompression_filter"
                        : !c->magic_len ? "custom_compression_magic"
                                        : NULL;

    return !lacks || err_set(err, ERR_CONFIG, "Set it; the magic is 0x and hexadecimal digits.",
                             "", "custom compression without a usable %s", lacks);
}

bool archive_wal_of(const struct repo *r, const struct server_cfg *srv, struct archive_wal *out,
                    struct err *err)
{
    const char *codec = srv->compression;
    enum codec_kind pack = CODEC_NONE;

    if (codec && !codec_of_name(codec, &pack)) {
        return err_set(err, ERR_CONFIG, "", codec, "unknown compression");
    }
    if (pack == CODEC_CUSTOM && !custom_ok(r->custom, err)) {
        return false;
    }
    if (server_cfg_encrypts(srv) && !srv->encryption_key_id) {
        return err_set(err, ERR_CONFIG, "Set it to the key that encrypts.", srv->name,
                       "encryption without encryption_key_id");
    }
    if (server_cfg_encrypts(srv) && r->layout == LAYOUT_LEGACY) {
        return err_set(err, ERR_CONFIG,
                       "Convert it with 'barkeep convert-layout SERVER current'.", srv->name,
                       "encryption in a catalogue of the old layout, which has no "
                       "place to note it");
    }
    *out = (struct archive_wal){
        .repo = r,
        .store = {.pack = pack,
                  .level = codec_level(pack, srv->compression_level),
                  .seal = server_cfg_encrypts(srv) ? WAL_SEALED : WAL_UNSEALED},
        .from = (srv->streaming_archiver ? (unsigned)ARCHIVE_STREAMING : 0) |
                (srv->archiver ? (unsigned)ARCHIVE_INCOMING : 0),
        .streaming_batch = srv->streaming_archiver_batch_size > 0
                               ? (uint64_t)srv->streaming_archiver_batch_size
                               : 0,
        .incoming_batch = srv->archiver_batch_size > 0 ? (uint64_t)srv->archiver_batch_size : 0,
        .talk = ARCHIVE_SAYS_ALL,
        .srv = srv,
    };
    return wal_rules_of(r, &out->store.rules, err);
}

/* Files that are packed side by side before they get their names one after the other. */
#define AHEAD_MAX 32
#define ROOMS_MAX 16
struct ahead {
    struct wal_prepared *item[AHEAD_MAX];
    size_t from, n; /* which of run->wals */
    size_t next;
    struct wal_room *room[ROOMS_MAX]; /* one for each that packs */
    struct wal_room *spare[ROOMS_MAX];
    size_t rooms, spares;
};

struct ahead_piece {
    size_t i; /* from ahead.from on */
    struct wal_room *room;
};

struct run {
    struct ahead ahead;
    const struct task *t;
    const struct archive_wal *what;
    struct archive_result *result;
    struct wal_store *store;
    struct arrival arrival;
    struct wal_branch branch;
    const char *dir;
    const char *source; /* as Barman calls it */
    struct names wals;  /* to be archived, in order */
    struct names unknown;
    size_t listed;
    const char *trouble; /* with the last file, for the scripts after it; NULL: none */
    char trouble_text[2048];
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
    if (!added->ours[0]) {
        task_say(run->t, SAY_ERROR,
                 "WAL file '%s' is archived already, encrypted: without "
                 "encryption_passphrase_command it cannot be told whether this is the same; "
                 "moved to '%s'",
                 name, added->moved_to);
        return;
    }
    if (wal_name_kind(str_of(name), WAL_CASE_UPPER) == WAL_NAME_HISTORY) {
        task_say(
            run->t, SAY_ERROR,
            "split brain: two servers have made timeline %.8s, and each archives here; the "
            "second one's history is refused. Stop the one that is not to go on",
            name);
    }
    task_say(run->t, SAY_ERROR,
             "WAL file '%s' differs from the archived one (archived SHA-256 %s, offered %s): "
             "moved to '%s'",
             name, added->ours, added->theirs, added->moved_to);
}

/* What is to be told of a file that is kept now. */
static bool tell_arrival(struct run *run, const char *name, const struct wal_added *added,
                         struct err *err)
{
    uint32_t seg_size = run->what->store.rules.seg_size;
    char dest[PATH_CAP];

    if (added->fate == WAL_DUPLICATE) {
        return true;
    }
    if (wal_name_kind(str_of(name), WAL_CASE_UPPER) == WAL_NAME_HISTORY) {
        wal_branch_forget(&run->branch);
    }
    if (added->proven.is_walked) {
        seg_size = added->proven.seg_size;
    }
    return (!added->proven.is_walked ||
            (repo_wal_path(run->what->repo, name, dest, err) &&
             arrival_take(&run->arrival, dest, &added->proven, err))) &&
           wal_branch_take(&run->branch, name, seg_size, err);
}

/* A failure of one file (it is not what it should be) is told, and the next one tried; a
 * failure of the place stops everything. */
static bool archive_one(struct run *run, const char *name, struct wal_prepared *prepared,
                        bool *stored, struct err *err)
{
    char path[PATH_CAP];
    struct wal_added added;
    struct err one = {0};

    *stored = false;
    if (!path_join(path, run->dir, name, err)) {
        return false;
    }
    if (prepared ? !wal_store_take(run->store, prepared, &added, &one)
                 : !wal_store_add(run->store, path, &added, &one)) {
        if (one.code != ERR_FORMAT) {
            *err = one;
            return err_wrap(err, "archive WAL file %s", name);
        }
        run->trouble = err_text(&one, run->trouble_text, sizeof run->trouble_text);
        task_say(run->t, SAY_ERROR, "%s", run->trouble);
        run->result->refused++;
        return true;
    }
    task_say(run->t, SAY_OUT, "\t%s", name);
    *stored = true;
    if (added.fate == WAL_DUPLICATE) {
        run->result->duplicates++;
        run->trouble = "a different file of that name is archived already";
        say_duplicate(run, name, &added);
    } else if (added.fate == WAL_TWIN) {
        run->result->twins++;
        task_say(run->t, SAY_LOG, "WAL file '%s' was archived already, the same", name);
    } else {
        run->result->stored++;
        task_say(run->t, SAY_DEBUG, "archived WAL file '%s' from %s", name, run->source);
    }
    return tell_arrival(run, name, &added, err);
}

/* The scripts after, of what lies in the archive now. */
static void hooks_after(const struct run *run, struct hook *hook, struct arena *a,
                        const struct wal_file *before, const char *dest, const char *trouble)
{
    struct wal_file now = *before;
    struct err said = {0};

    if (file_kind(dest, NULL) == FILE_REGULAR &&
        !wal_file_of(run->what->repo, dest, &now, &said)) {
        now = *before;
    }
    if (hook_env_wal(hook, a, &now, dest, &said)) {
        hook_after(hook, trouble);
    }
}

static bool archive_hooked(struct run *run, const char *name, bool *stored, struct err *err)
{
    char from[PATH_CAP], dest[PATH_CAP], text[2048];
    struct err said = {0};
    struct wal_file wal;
    struct hook hook;
    struct arena a;
    bool ok;

    if (!path_join(from, run->dir, name, err) ||
        !repo_wal_path(run->what->repo, name, dest, err)) {
        return false;
    }
    if (!wal_file_of(run->what->repo, from, &wal, &said)) {
        return archive_one(run, name, NULL, stored,
                           err); /* which tells why it cannot be read */
    }
    arena_init(&a, 0);
    run->trouble = NULL;
    hook_init(&hook, run->t, run->what->srv, HOOK_ARCHIVE);
    ok = hook_env_wal(&hook, &a, &wal, from, err) && hook_before(&hook, err) &&
         archive_one(run, name, NULL, stored, err) && wal_store_flush(run->store, err);
    hooks_after(run, &hook, &a, &wal, dest,
                ok ? run->trouble : err_text(err, text, sizeof text));
    arena_release(&a);
    return ok;
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

static int ahead_next(void *ctx, void *piece, struct err *err)
{
    struct ahead *ahead = &((struct run *)ctx)->ahead;
    struct ahead_piece next = {.i = ahead->next};

    (void)err;
    if (ahead->next == ahead->n) {
        return 0;
    }
    next.room = ahead->spare[--ahead->spares];
    memcpy(piece, &next, sizeof next);
    ahead->next++;
    return 1;
}

static void ahead_done(void *ctx, const void *piece)
{
    struct ahead *ahead = &((struct run *)ctx)->ahead;
    struct ahead_piece done;

    memcpy(&done, piece, sizeof done);
    ahead->spare[ahead->spares++] = done.room;
}

/* What is wrong with the file comes out when it is its turn; but the next ones are not given to
 * a custom command that hangs. */
static bool ahead_work(void *ctx, void *piece, struct err *err)
{
    const struct run *run = ctx;
    const struct err *why;
    struct ahead_piece at;
    char path[PATH_CAP];

    memcpy(&at, piece, sizeof at);
    if (!path_join(path, run->dir, run->wals.name[run->ahead.from + at.i], err)) {
        return false;
    }
    wal_store_prepare(run->store, path, at.room, run->ahead.item[at.i]);
    why = wal_prepared_err(run->ahead.item[at.i]);
    if (why->code == ERR_TIMEOUT || why->code == ERR_CANCEL) {
        *err = *why;
        return false;
    }
    return true;
}

/* One more than there are cores: somebody always waits for the disk. */
static bool ahead_rooms(struct ahead *ahead, struct err *err)
{
    long cpus = sysconf(_SC_NPROCESSORS_ONLN);
    size_t want = cpus < 1 ? 2 : cpus < ROOMS_MAX ? (size_t)cpus + 1 : ROOMS_MAX;

    while (ahead->rooms < want && (ahead->room[ahead->rooms] = wal_room_new(err)) != NULL) {
        ahead->rooms++;
    }
    for (size_t i = 0; i < ahead->rooms; i++) {
        ahead->spare[i] = ahead->room[i];
    }
    ahead->spares = ahead->rooms;
    return ahead->rooms == want;
}

/* The next n files, from the i-th on. */
static bool look_ahead(struct run *run, size_t i, size_t n, struct err *err)
{
    struct pool_spec pool = {
        .piece_size = sizeof(struct ahead_piece),
        .ctx = run,
        .next = ahead_next,
        .work = ahead_work,
        .done = ahead_done,
    };

    if (!ahead_rooms(&run->ahead, err)) {
        return false;
    }
    pool.jobs = (unsigned)run->ahead.rooms;
    run->ahead.from = i;
    run->ahead.n = n;
    run->ahead.next = 0;
    for (size_t k = 0; k < n; k++) {
        if (!run->ahead.item[k] && !(run->ahead.item[k] = wal_prepared_new(err))) {
            return false;
        }
    }
    return pool_run(run->t, &pool, err);
}

static void ahead_release(struct run *run)
{
    for (size_t k = 0; k < AHEAD_MAX; k++) {
        wal_prepared_free(run->ahead.item[k]);
        run->ahead.item[k] = NULL;
    }
    while (run->ahead.rooms > 0) {
        wal_room_free(run->ahead.room[--run->ahead.rooms]);
    }
}

/* Packing and encrypting take long: they are done side by side. */
static bool archive_next(struct run *run, size_t i, uint64_t most, bool *stored,
                         struct err *err)
{
    const struct wal_store_options *store = &run->what->store;
    struct ahead *ahead = &run->ahead;

    if (store->pack == CODEC_NONE && store->seal == WAL_UNSEALED) {
        return archive_one(run, run->wals.name[i], NULL, stored, err);
    }
    if (i >= ahead->from + ahead->n) {
        size_t n = run->wals.n - i < AHEAD_MAX ? run->wals.n - i : AHEAD_MAX;

        n = most && most < n ? (size_t)most : n;
        if (!look_ahead(run, i, n, err)) {
            return false;
        }
    }
    return archive_one(run, run->wals.name[i], ahead->item[i - ahead->from], stored, err);
}

static bool archive_listed(struct run *run, uint64_t batch, struct err *err)
{
    bool hooked = hook_any(run->what->srv, HOOK_ARCHIVE), ok = true;
    uint64_t done = 0;

    for (size_t i = 0; ok && i < run->wals.n && (batch == 0 || done < batch); i++) {
        bool stored = false;

        ok = task_go_on(run->t, err) &&
             (hooked ? archive_hooked(run, run->wals.name[i], &stored, err)
                     : archive_next(run, i, batch ? batch - done : 0, &stored, err));
        done += stored;
    }
    if (!ok && err->code == ERR_HOOK) {
        char text[1024];

        task_say(run->t, SAY_WARN, "archiving from %s ends here: %s", run->source,
                 err_text(err, text, sizeof text));
        return true;
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
    run->ahead = (struct ahead){.n = 0};
    ok = look(run, &a, from, err);
    if (ok && (what->talk == ARCHIVE_SAYS_ALL || run->wals.n > 0)) {
        say_header(run, batch);
    }
    if (ok && run->wals.n > 0) {
        struct wal_store_options store = what->store;

        store.task = run->t;
        run->store = wal_store_new(what->repo, &store, err);
        ok = run->store && archive_listed(run, batch, err);
    } else if (ok && what->talk == ARCHIVE_SAYS_ALL) {
        task_say(run->t, SAY_OUT, DRY_MESSAGE);
    }
    ahead_release(run);
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
    ok = arrival_open(&run.arrival, t, what->repo, err);
    wal_branch_init(&run.branch, t, what->repo);
    if (ok && what->from & ARCHIVE_STREAMING) {
        ok = archive_dir(&run, ARCHIVE_STREAMING, err);
    }
    if (ok && what->from & ARCHIVE_INCOMING) {
        ok = archive_dir(&run, ARCHIVE_INCOMING, err);
    }
    arrival_save(&run.arrival);
    wal_branch_release(&run.branch);
    lock_release(&lock);
    return ok;
}
