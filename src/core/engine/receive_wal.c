/* SPDX-License-Identifier: PostgreSQL */
#include "engine/receive_wal.h"

#include "base/clock.h"
#include "base/fmt.h"
#include "base/log.h"
#include "engine/archive_wal.h"
#include "engine/receive.h"
#include "repo/lock.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#define TURN_MAX        ((size_t)8 << 20) /* texts of one connection: histories */
#define SILENCE_MS      30000
#define STATUS_MS       10000
#define WAIT_FIRST_MS   1000
#define WAIT_LONGEST_MS 30000

enum verdict { TRY_AGAIN, TRY_NOW, GIVE_UP };

/* ---- one turn: from connecting to the end of that connection ------------------------ */

static bool read_pace(struct receive *rx, struct err *err)
{
    const char *names, *timeout, *read_only;
    struct str text;
    uint64_t n, ms = STATUS_MS;

    names = pg_show_setting(rx->pg, rx->t, &rx->turn, "synchronous_standby_names", err);
    timeout =
        names ? pg_show_setting(rx->pg, rx->t, &rx->turn, "wal_sender_timeout", err) : NULL;
    if (!timeout) {
        return false;
    }
    read_only = pg_show_setting(rx->pg, rx->t, &rx->turn, "transaction_read_only", err);
    if (!read_only) {
        return false;
    }
    rx->is_standby = strcmp(read_only, "on") == 0;
    rx->is_prompt = pace_is_named(rx->srv, names);
    text = str_of(timeout);
    if (str_take_u64(&text, UINT32_MAX, &n) && n > 0) {
        n *= str_eq(text, "ms") ? 1 : str_eq(text, "s") ? 1000 : 60000;
        ms = n / 3 < ms ? n / 3 : ms;
    }
    rx->status_ns = (int64_t)(ms < 100 ? 100 : ms) * NS_PER_MS;
    if (rx->status_ns > rx->silence_ns / 3) {
        rx->status_ns = rx->silence_ns / 3;
    }
    return true;
}

/* No ordinary connection comes about: from 15 on the replication connection can tell whether the
 * slot is there; before, START_REPLICATION will. */
static bool slot_unseen(struct receive *rx, struct err *err)
{
    struct wal_slot_place place;

    if (strcmp(rx->srv->create_slot, "auto") != 0 || pg_version(rx->pg) < 150000) {
        return true;
    }
    return wal_slot_place_read(rx->pg, rx->t, rx->srv->slot_name, &place, err) &&
           (place.exists || receive_slot_create(rx, RECEIVE_CREATE_SLOT_IF_MISSING, err));
}

/* Fails with what a slot that cannot be used means; false also when it is in use. */
static bool slot_is_fit(struct receive *rx, struct err *err)
{
    struct pg_slot slot;

    rx->slot_from = UINT64_MAX;
    if (!receive_slot_ask(rx, &slot)) {
        return slot_unseen(rx, err);
    }
    if (slot.use == SLOT_MISSING && strcmp(rx->srv->create_slot, "auto") == 0) {
        return receive_slot_create(rx, RECEIVE_CREATE_SLOT_IF_MISSING, err);
    }
    if (slot.use == SLOT_MISSING) {
        rx->trouble = WAL_SLOT_MISSING;
        return err_set(err, ERR_MISSING, "", slot.name, "the replication slot does not exist");
    }
    if (slot.invalidation[0]) {
        rx->trouble = WAL_SLOT_LOST;
        return err_set(err, ERR_MISSING, "", slot.name,
                       "the replication slot is invalidated: %s", slot.invalidation);
    }
    if (slot.use == SLOT_ACTIVE) {
        rx->trouble = WAL_SLOT_BUSY;
        return err_set(err, ERR_BUSY, "Stop the other receiver.", slot.name,
                       "the replication slot is in use by the server's process %" PRIu64,
                       slot.active_pid);
    }
    rx->slot_from = slot.restart_lsn;
    return true;
}

/* What was made durable beyond the place where the server left that timeline is not the WAL
 * that commits wait for now. */
static void forget_other_way(struct receive *rx)
{
    pg_lsn fork;

    if (history_switch_of(&rx->history, rx->start.tli, &fork) && rx->durable > fork) {
        rx->durable = fork;
    }
}

/* Where this turn starts: what we have, else the slot, else the server's position. */
static bool find_start(struct receive *rx, struct err *err)
{
    pg_lsn at = 0;
    pg_tli tli = 0;

    if (!place_find(rx, &tli, &at, err)) {
        return false;
    }
    rx->start = (struct wal_start){
        .slot = rx->srv->slot_name, .at = at, .tli = tli, .flushed = rx->ident.flushed};
    if (!slot_is_fit(rx, err)) {
        return false;
    }
    if (tli == 0) {
        if (!receive_slot_place(rx, &at, &tli, err)) {
            rx->trouble = WAL_SLOT_MISSING;
            return false;
        }
        rx->slot_from = 0; /* the start is the slot's own, or what the server writes now */
        at = at ? at : rx->ident.flushed;
        rx->start.tli = tli ? tli : history_owner(&rx->history, at);
        rx->start.at = at - at % rx->seg_size;
    }
    forget_other_way(rx);
    return true;
}

/* What the old timeline's file holds beyond the switch is another way the server did not go. */
static bool leave_timeline(struct receive *rx, const struct wal_next *next, struct err *err)
{
    pg_lsn range[2] = {next->at,
                       rx->sink.written - rx->sink.written % rx->seg_size + rx->seg_size};
    char at[FMT_CAP];
    bool more = sink_has_more(&rx->sink);

    sink_release(&rx->sink);
    task_say(rx->t, SAY_OUT, "%s: switched to timeline %u at %s", rx->srv->name, next->tli,
             fmt_lsn(next->at, at));
    if (more && !place_note(rx, NOTE_DIVERGED, rx->start.tli, range, err)) {
        return false;
    }
    if (more) {
        task_say(
            rx->t, SAY_WARN,
            "%s: more of timeline %u was received than the server went on from; '%s' is kept",
            rx->srv->name, rx->start.tli, rx->sink.path);
    }
    if (!place_history(rx, next->tli, NULL, err)) {
        return false;
    }
    if (rx->durable > next->at) {
        rx->durable = next->at;
    }
    rx->start.tli = next->tli;
    rx->start.at = next->at - next->at % rx->seg_size;
    return true;
}

static bool begin_turn(struct receive *rx, struct err *err)
{
    if (!receive_connect(rx, err)) {
        rx->trouble =
            err->code == ERR_CONNECT || err->code == ERR_TIMEOUT ? WAL_LINK : WAL_FINE;
        return false;
    }
    rx->how.store.rules.seg_size = rx->seg_size;
    rx->how.store.rules.major = (unsigned)pg_version(rx->pg) / 10000;
    if (!str_u64(str_of(rx->ident.systemid), UINT64_MAX, &rx->how.store.rules.systemid)) {
        return err_set(err, ERR_FORMAT, "", rx->ident.systemid, "not a system identifier");
    }
    rx->sink.seg_size = rx->seg_size;
    return read_pace(rx, err) && place_history(rx, rx->ident.tli, &rx->history, err) &&
           find_start(rx, err);
}

/* true: cancelled, all is well. */
static bool one_turn(struct receive *rx, struct err *err)
{
    struct arena_mark mark = arena_mark(&rx->turn);
    enum feed_end end = FEED_FAILED;

    rx->trouble = WAL_FINE;
    rx->was_streaming = false;
    if (begin_turn(rx, err)) {
        for (;;) {
            struct wal_next next = {0};
            end = feed_run(rx, &next, err);
            if (end != FEED_SWITCHED) {
                break;
            }
            if (!leave_timeline(rx, &next, err)) {
                end = FEED_FAILED;
                break;
            }
        }
    }
    sink_release(&rx->sink);
    pg_close(rx->pg);
    rx->pg = NULL;
    arena_reset(&rx->turn, mark);
    return end == FEED_CANCELLED;
}

/* ---- what to do about a failure ----------------------------------------------------- */

static void note_hole(struct receive *rx, struct err *err)
{
    pg_lsn to = rx->ident.flushed - rx->ident.flushed % rx->seg_size;
    pg_lsn range[2] = {rx->start.at, to > rx->start.at ? to : rx->start.at};
    char from[FMT_CAP], until[FMT_CAP], was[sizeof err->why];
    struct err ignored;

    if (rx->start.tli == 0) {
        return;
    }
    if (!place_note(rx, NOTE_HOLE, rx->start.tli, range, &ignored)) {
        task_say(rx->t, SAY_LOG, "%s: the hole could not be noted", rx->srv->name);
    }
    str_copy(was, sizeof was, err->why);
    str_fmt(err->why, sizeof err->why, "%.150s; WAL from %s on is lost, up to %s at worst", was,
            fmt_lsn(range[0], from), fmt_lsn(range[1], until));
}

/* A standby that is promoted below the position it has sent says so once about the segment it
 * would have sent next; asked anew it goes on from the switch. Said twice, it is a hole. */
static bool is_removed_again(struct receive *rx)
{
    bool again = rx->removed.at == rx->start.at && rx->removed.tli == rx->start.tli;

    rx->removed = rx->start;
    return again;
}

static enum verdict judge_trouble(struct receive *rx, struct err *err)
{
    switch (rx->trouble) {
    case WAL_LINK:
    case WAL_SLOT_BUSY:
        return TRY_AGAIN;
    case WAL_REMOVED:
        if (!is_removed_again(rx)) {
            return TRY_AGAIN;
        }
        note_hole(rx, err);
        str_copy(err->hint, sizeof err->hint,
                 "Run receive-wal --reset to go on after the hole, then take a backup.");
        err->code = ERR_MISSING;
        return GIVE_UP;
    case WAL_SLOT_MISSING:
    case WAL_SLOT_LOST:
        note_hole(rx, err);
        str_copy(
            err->hint, sizeof err->hint,
            rx->trouble == WAL_SLOT_MISSING
                ? "Run receive-wal --create-slot, then take a backup."
                : "Run receive-wal --drop-slot, --create-slot and --reset; take a backup.");
        return GIVE_UP;
    case WAL_AHEAD:
        /* A standby that lags will come to where we are; a primary there has lost WAL. */
        if (rx->is_standby) {
            return TRY_AGAIN;
        }
        err->code = ERR_UNSAFE;
        str_copy(err->hint, sizeof err->hint,
                 "Find out whether the server was put back to an older state.");
        return GIVE_UP;
    case WAL_FINE:
    case WAL_REFUSED:
        break;
    }
    return GIVE_UP;
}

/* The file goes to errors/: it is kept, and the segment begins anew. */
static enum verdict set_aside(struct receive *rx, struct err *err)
{
    const char *why = rx->sink.is_diverged ? "diverged" : "unsynced";
    pg_lsn range[2] = {rx->sink.written, rx->sink.old_end};
    char moved[PATH_CAP];
    struct err other;

    if (!wal_store_set_aside(rx->repo, rx->sink.path, why, moved, &other)) {
        *err = other;
        return GIVE_UP;
    }
    task_say(rx->t, SAY_WARN, "%s: '%s' was moved to '%s'", rx->srv->name, rx->sink.path,
             moved);
    if (rx->sink.is_unsynced) {
        return GIVE_UP;
    }
    if (!place_note(rx, NOTE_DIVERGED, rx->sink.tli, range, &other)) {
        *err = other;
        return GIVE_UP;
    }
    rx->durable = 0;
    rx->sink.is_diverged = false; /* dealt with, should the next turn not come to a sink */
    return TRY_NOW;
}

static enum verdict judge(struct receive *rx, struct err *err)
{
    if (rx->sink.is_diverged || rx->sink.is_unsynced) {
        return set_aside(rx, err);
    }
    if (err->os == ENOSPC || err->os == EDQUOT) {
        return TRY_AGAIN;
    }
    return judge_trouble(rx, err);
}

/* ---- waiting ------------------------------------------------------------------------ */

/* Half to the whole of the time, so that many receivers do not all come at once. */
static int jitter(int ms)
{
    uint64_t x = (uint64_t)clock_mono_ns() ^ (uint64_t)getpid() << 20;

    x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    return ms / 2 + (int)((x >> 33) % (uint64_t)(ms / 2 + 1));
}

static bool run(struct receive *rx, struct err *err)
{
    char text[1536], said[sizeof text] = "";
    int wait_ms = WAIT_FIRST_MS;
    struct err stop;

    task_say(rx->t, SAY_OUT, "Starting receive-wal for server %s", rx->srv->name);
    while (!one_turn(rx, err)) {
        enum verdict verdict;

        if (!task_go_on(rx->t, &stop)) {
            return true;
        }
        verdict = judge(rx, err);
        if (verdict == GIVE_UP) {
            return err_wrap(err, "receive WAL of %s", rx->srv->name);
        }
        err_text(err, text, sizeof text);
        task_say(rx->t, rx->was_streaming || strcmp(text, said) != 0 ? SAY_WARN : SAY_DEBUG,
                 "%s: %s", rx->srv->name, text);
        str_copy(said, sizeof said, text);
        wait_ms = rx->was_streaming ? WAIT_FIRST_MS : wait_ms;
        if (verdict == TRY_AGAIN && !task_rest(rx->t, jitter(wait_ms), &stop)) {
            return true;
        }
        wait_ms = wait_ms * 2 > WAIT_LONGEST_MS ? WAIT_LONGEST_MS : wait_ms * 2;
    }
    task_say(rx->t, SAY_OUT, "%s: receive-wal ends", rx->srv->name);
    return true;
}

/* ---- the verb ----------------------------------------------------------------------- */

static bool run_locked(struct receive *rx, struct err *err)
{
    struct err stop;
    bool ok;

    if (!repo_make_dirs(rx->repo, err) || !archive_wal_of(rx->repo, rx->srv, &rx->how, err) ||
        !pace_open(rx, err)) {
        return false;
    }
    if (!archiver_open(rx, err)) {
        pace_close(rx);
        return false;
    }
    rx->sink.archiver = &rx->archiver;
    ok = run(rx, err);
    pace_close(rx);
    if (!ok || !task_go_on(rx->t, &stop)) {
        lane_fail(rx->t, rx->archiver.lane); /* what waits is left to archive-wal */
        return ok;
    }
    return lane_close(rx->t, rx->archiver.lane, err);
}

static bool reset_connected(struct receive *rx, struct err *err)
{
    return repo_make_dirs(rx->repo, err) && receive_connect(rx, err) && receive_reset(rx, err);
}

static bool with_lock(struct receive *rx, bool (*verb)(struct receive *, struct err *),
                      struct err *err)
{
    struct lock lock = LOCK_INIT;
    bool ok;

    if (!lock_take(&lock, rx->repo, LOCK_RECEIVE_WAL, LOCK_TRY, err)) {
        if (err->code == ERR_BUSY) {
            err_set(err, ERR_BUSY, "", "",
                    verb == reset_connected
                        ? "Unable to reset the status of receive-wal for server %s. Process is "
                          "still running"
                        : "Another receive-wal process is already running for server %s.",
                    rx->srv->name);
        }
        return false;
    }
    ok = verb(rx, err);
    lock_release(&lock);
    return ok;
}

static bool dispatch(struct receive *rx, enum receive_do what, struct err *err)
{
    if (what == RECEIVE_STOP) {
        return receive_stop(rx, err);
    }
    if (!rx->srv->slot_name || !rx->srv->slot_name[0]) {
        return err_set(err, ERR_CONFIG, "Set slot_name, for instance to 'barman'.",
                       rx->srv->name, "no slot_name is set");
    }
    switch (what) {
    case RECEIVE_RUN:
        return with_lock(rx, run_locked, err);
    case RECEIVE_RESET:
        return with_lock(rx, reset_connected, err);
    case RECEIVE_DROP_SLOT:
        return receive_connect(rx, err) && receive_slot_drop(rx, err);
    case RECEIVE_CREATE_SLOT:
    case RECEIVE_CREATE_SLOT_IF_MISSING:
        return receive_connect(rx, err) && receive_slot_create(rx, what, err);
    case RECEIVE_STOP:
        break;
    }
    return true;
}

bool receive_wal(const struct task *t, const struct receive_wal *what, struct err *err)
{
    struct receive rx = {
        .t = t,
        .repo = what->repo,
        .srv = what->srv,
        .silence_ns = (int64_t)(what->silence_ms ? what->silence_ms : SILENCE_MS) * NS_PER_MS,
        .sink = {.t = t, .repo = what->repo, .fd = -1},
    };
    bool ok;

    arena_init(&rx.turn, TURN_MAX);
    ok = dispatch(&rx, what->what, err);
    pg_close(rx.pg);
    arena_release(&rx.turn);
    return ok;
}
