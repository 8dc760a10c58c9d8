/* SPDX-License-Identifier: PostgreSQL */
#include "plan/restore_target.h"

#include "base/fmt.h"

#include <inttypes.h>
#include <string.h>

#define NAME_MAX_BYTES 63 /* MAXFNAMELEN - 1 of the restore point record */

/* Barman ends with 1 for these, and with 2 only for what its parser of options refuses. */
static bool refuse(struct err *err, const char *what, const char *why, const char *hint)
{
    return err_set(err, ERR_FORMAT, hint, what, "%s", why);
}

/* PostgreSQL compares with a wall clock in the server's zone; we fix the moment here and write
 * it out with its offset, so that nobody's zone matters any more. */
static bool read_time(const char *text, target_zone *zone, struct target *out, struct err *err)
{
    struct time_text read;
    struct stamp reading[2] = {{0, 0}, {0, 0}};
    char one[FMT_CAP], two[STAMP_CAP];

    if (!time_parse(str_trim(str_of(text)), &read)) {
        return refuse(err, text, "not a time",
                      "Write it as '2026-11-22 10:29:00+01:00', quoted for the shell.");
    }
    if (read.has_offset) {
        out->stamp = read.stamp;
        out->us = read.stamp.us;
        return true;
    }
    switch (zone(&read.civil, reading)) {
    case 2:
        reading[0].us += read.us;
        reading[1].us += read.us;
        return err_set(err, ERR_FORMAT, "Add the offset that is meant, as in these.", text,
                       "the clock showed this time twice: %s and %s",
                       stamp_iso(reading[0], one), stamp_iso(reading[1], two));
    case 0:
        return err_set(err, ERR_FORMAT, "Add an offset, or name a time that the clock showed.",
                       text, "the clock skipped this time: it went on at %s",
                       stamp_iso(reading[0], one));
    default:
        break;
    }
    reading[0].us += read.us;
    out->stamp = reading[0];
    out->us = reading[0].us;
    out->zone_assumed = true;
    return true;
}

static bool read_xid(const char *text, struct target *out, struct err *err)
{
    uint64_t xid;

    /* 0 to 2 are not transactions of anyone. */
    if (!str_u64(str_of(text), UINT32_MAX, &xid) || xid < 3) {
        return refuse(err, text, "not a transaction id",
                      "Give the number that pg_current_xact_id() shows, without its epoch.");
    }
    out->xid = (pg_xid)xid;
    return true;
}

static bool read_lsn(const char *text, struct target *out, struct err *err)
{
    struct str s = str_of(text);
    uint64_t high, low;

    if (!str_take_hex(&s, &high) || !str_take_char(&s, '/') || !str_take_hex(&s, &low) || s.n ||
        high > UINT32_MAX || low > UINT32_MAX) {
        return refuse(err, text, "not an LSN", "Write it as 4C/9A0000F8.");
    }
    out->lsn = high << 32 | low;
    return true;
}

static bool read_name(const char *text, struct target *out, struct err *err)
{
    size_t n = strlen(text);

    if (n == 0 || n > NAME_MAX_BYTES) {
        return refuse(err, text, "a restore point has a name of 1 to 63 bytes",
                      "Give the name that pg_create_restore_point() was called with.");
    }
    for (size_t i = 0; i < n; i++) {
        if ((unsigned char)text[i] < ' ') {
            return refuse(err, text, "a name with a control character",
                          "Use --target-lsn for the place of that restore point.");
        }
    }
    out->name = text;
    return true;
}

static bool read_line(const char *text, struct target *out, struct err *err)
{
    struct str s = str_of(text);
    uint64_t tli = 0;
    bool ok;

    out->line_word = text;
    if (str_eq(s, "current") || str_eq(s, "latest")) {
        out->line = str_eq(s, "latest") ? LINE_LATEST : LINE_CURRENT;
        return true;
    }
    if (str_take_lit(&s, "0x") || str_take_lit(&s, "0X")) {
        ok = str_hex_u64(s, 0, &tli);
    } else {
        ok = str_u64(s, UINT32_MAX, &tli);
    }
    if (!ok || tli == 0 || tli > UINT32_MAX) {
        return err_set(err, ERR_USAGE,
                       "Use current, latest, a number, or 0x and the digits of a file name.",
                       text, "not a timeline");
    }
    out->line = LINE_NUMBER;
    out->tli = (pg_tli)tli;
    return true;
}

static bool read_action(const char *text, struct target *out, struct err *err)
{
    if (strcmp(text, "pause") != 0 && strcmp(text, "shutdown") != 0 &&
        strcmp(text, "promote") != 0) {
        return err_set(err, ERR_USAGE, "Use pause, shutdown or promote.", text,
                       "not a target action");
    }
    if (out->kind == TARGET_END) {
        return refuse(err, "--target-action", "there is no target to act upon",
                      "Name a target, or leave --target-action out.");
    }
    out->action = text;
    return true;
}

/* The kind first: at most one of the five. */
static bool read_kind(const struct target_words *words, struct target *out, struct err *err)
{
    const char *word[] = {words->time, words->xid, words->lsn, words->name, words->immediate};
    static const enum target_kind kind[] = {TARGET_TIME, TARGET_XID, TARGET_LSN, TARGET_NAME,
                                            TARGET_IMMEDIATE};
    int n = 0;

    for (size_t i = 0; i < sizeof word / sizeof word[0]; i++) {
        if (word[i]) {
            out->kind = kind[i];
            n++;
        }
    }
    if (n > 1) {
        return refuse(err, "", "more than one recovery target was given",
                      "Keep one of the --target options.");
    }
    return true;
}

bool target_read(const struct target_words *words, target_zone *zone, struct target *out,
                 struct err *err)
{
    bool ok = true;

    memset(out, 0, sizeof *out);
    out->side = words->side;
    if (!read_kind(words, out, err)) {
        return false;
    }
    switch (out->kind) {
    case TARGET_TIME:
        ok = read_time(words->time, zone, out, err);
        break;
    case TARGET_XID:
        ok = read_xid(words->xid, out, err);
        break;
    case TARGET_LSN:
        ok = read_lsn(words->lsn, out, err);
        break;
    case TARGET_NAME:
        ok = read_name(words->name, out, err);
        break;
    case TARGET_END:
    case TARGET_IMMEDIATE:
        break;
    }
    if (ok && words->timeline) {
        ok = read_line(words->timeline, out, err);
    }
    if (ok && words->action) {
        ok = read_action(words->action, out, err);
    }
    return ok;
}

bool target_follows(const struct target *t, const struct backup *b)
{
    switch (t->kind) {
    case TARGET_TIME:
        return b->end_time.known && b->end_time.us <= t->us;
    case TARGET_LSN:
        return b->end_xlog <= t->lsn;
    default:
        return true;
    }
}

bool target_is_pitr(const struct target *t)
{
    return t->kind != TARGET_END || t->line != LINE_DEFAULT;
}

const char *target_text(const struct target *t, char out[TARGET_TEXT_CAP])
{
    const char *side = t->side == TARGET_EXCLUSIVE ? ", exclusive" : "";
    char one[FMT_CAP], two[STAMP_CAP];

    switch (t->kind) {
    case TARGET_END:
        str_copy(out, TARGET_TEXT_CAP, "the end of the WAL");
        break;
    case TARGET_TIME:
        if (t->stamp.offset_s == 0) {
            str_fmt(out, TARGET_TEXT_CAP, "time %s%s", stamp_iso(t->stamp, one), side);
        } else {
            str_fmt(out, TARGET_TEXT_CAP, "time %s (%s)%s", stamp_iso(t->stamp, one),
                    stamp_iso((struct stamp){t->us, 0}, two), side);
        }
        break;
    case TARGET_XID:
        str_fmt(out, TARGET_TEXT_CAP, "transaction %" PRIu32 "%s", t->xid, side);
        break;
    case TARGET_LSN:
        str_fmt(out, TARGET_TEXT_CAP, "LSN %s%s", fmt_lsn(t->lsn, one), side);
        break;
    case TARGET_NAME:
        str_fmt(out, TARGET_TEXT_CAP, "restore point '%s'", t->name);
        break;
    case TARGET_IMMEDIATE:
        str_copy(out, TARGET_TEXT_CAP, "the end of the backup");
        break;
    }
    return out;
}

void target_watch_init(struct target_watch *w, const struct target *t, pg_lsn begin, pg_lsn end)
{
    memset(w, 0, sizeof *w);
    w->target = t;
    w->begin = begin;
    w->consistent = end;
}

static struct wal_mark mark_of(const struct wal_event *e)
{
    return (struct wal_mark){
        .known = true,
        .start = e->rec.start,
        .end = e->rec.end,
        .tli = e->rec.tli,
        .xid = e->xid,
        .us = e->time_us,
    };
}

static bool ends_transaction(const struct wal_event *e)
{
    return e->kind == WAL_EVENT_COMMIT || e->kind == WAL_EVENT_ABORT;
}

static bool is_named(const struct target *t, const struct wal_event *e)
{
    return t->kind == TARGET_NAME && e->kind == WAL_EVENT_RESTORE_POINT &&
           strcmp(e->name, t->name) == 0;
}

/* Would the server stop at this record? */
static bool stops(const struct target *t, const struct wal_event *e)
{
    switch (t->kind) {
    case TARGET_TIME:
        return ends_transaction(e) &&
               (t->side == TARGET_EXCLUSIVE ? e->time_us >= t->us : e->time_us > t->us);
    case TARGET_XID:
        return ends_transaction(e) && e->xid == t->xid;
    case TARGET_NAME:
        return is_named(t, e);
    case TARGET_LSN: /* any record: target_watch_reach() */
    case TARGET_END:
    case TARGET_IMMEDIATE:
        break;
    }
    return false;
}

/* Does the server replay the record it stops at? */
static bool stops_after(const struct target *t)
{
    return t->kind == TARGET_NAME ||
           (t->side == TARGET_INCLUSIVE && (t->kind == TARGET_XID || t->kind == TARGET_LSN));
}

static void remember(struct target_watch *w, const struct wal_event *e)
{
    if (e->rec.end > w->end) {
        w->end = e->rec.end;
    }
    if (e->kind == WAL_EVENT_COMMIT) {
        w->last_commit = mark_of(e);
        if (!w->first_commit.known && e->rec.start >= w->consistent) {
            w->first_commit = mark_of(e);
        }
    }
    if (e->kind == WAL_EVENT_BACKUP_END && e->lsn == w->begin && e->rec.end < w->consistent) {
        w->consistent = e->rec.end;
    }
}

static void stop_at(struct target_watch *w, struct wal_mark at)
{
    w->stop = at;
    w->stop_too_early =
        stops_after(w->target) ? at.end < w->consistent : at.start < w->consistent;
}

static enum watch_answer enough(const struct target_watch *w)
{
    if (w->target->kind == TARGET_IMMEDIATE) {
        return w->end >= w->consistent ? WATCH_ENOUGH : WATCH_ON;
    }
    /* A second restore point of the same name may follow: the person should know. */
    return w->stop.known && w->target->kind != TARGET_NAME ? WATCH_ENOUGH : WATCH_ON;
}

/* Would the server replay this record? stopping: it is the one it stops at. */
static bool is_replayed(const struct target_watch *w, const struct wal_event *e, bool stopping)
{
    const struct target *t = w->target;

    if (w->stop.known) {
        return stopping && stops_after(t);
    }
    if (t->kind == TARGET_LSN && e->rec.start >= t->lsn) {
        /* Only the first record there can be it, and most records are not told. */
        return t->side == TARGET_INCLUSIVE && e->rec.prev < t->lsn;
    }
    return true;
}

bool target_watch_replays(const struct target_watch *w, const struct wal_event *e)
{
    return is_replayed(w, e, false);
}

enum watch_answer target_watch_feed(struct target_watch *w, const struct wal_event *e)
{
    bool stopping = !w->stop.known && stops(w->target, e);

    if (stopping) {
        stop_at(w, mark_of(e));
        w->stop_is_abort = w->target->kind == TARGET_XID && e->kind == WAL_EVENT_ABORT;
    }
    if (is_named(w->target, e)) {
        if (w->names < TARGET_POINTS_MAX) {
            w->named[w->names] = mark_of(e);
        }
        w->names++;
    }
    if (is_replayed(w, e, stopping)) {
        remember(w, e);
    } else if (w->target->kind == TARGET_NAME && e->rec.end > w->end) {
        w->end = e->rec.end; /* read on for another point of the same name */
    }
    return target_watch_reach(w, e->rec.start, e->rec.end);
}

enum watch_answer target_watch_reach(struct target_watch *w, pg_lsn start, pg_lsn end)
{
    if (w->target->kind == TARGET_LSN && !w->stop.known && start >= w->target->lsn) {
        stop_at(w, (struct wal_mark){.known = true, .start = start, .end = end});
    }
    if (!w->stop.known && end > w->end) {
        w->end = end;
    }
    return enough(w);
}
