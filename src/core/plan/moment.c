/* SPDX-License-Identifier: PostgreSQL */
#include "plan/moment.h"

#include "base/fmt.h"

#include <inttypes.h>

#define TEXT_CAP 600

static const char *const months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

const char *moment_time(const struct moment_facts *f, int64_t us, char out[MOMENT_TIME_CAP])
{
    int32_t east = f->offset(us);
    int32_t minutes = (east < 0 ? -east : east) / 60;
    struct civil c = civil_at(us, east);
    struct civil now = civil_at(f->now_us, east);
    int64_t part = us % US_PER_S;
    struct sbuf b;

    sbuf_init(&b, out, MOMENT_TIME_CAP);
    sbuf_fmt(&b, "%d %s ", c.day, months[(c.month + 11) % 12]);
    if (c.year != now.year) {
        sbuf_fmt(&b, "%d ", c.year);
    }
    sbuf_fmt(&b, "%02d:%02d:%02d.%03d %c%02d", c.hour, c.minute, c.second,
             (int)((part < 0 ? part + US_PER_S : part) / 1000), east < 0 ? '-' : '+',
             (int)(minutes / 60));
    if (minutes % 60) {
        sbuf_fmt(&b, ":%02d", (int)(minutes % 60));
    }
    return out;
}

struct mark moment_mark(const struct wal_mark *m)
{
    if (!m->known) {
        return (struct mark){.us = 0};
    }
    return (struct mark){.us = m->us, .lsn = m->start, .xid = m->xid, .is_proven = true};
}

/* "3 ms later"; clocks may step back. */
static void say_gap(struct sbuf *b, int64_t us)
{
    const char *way = us < 0 ? "earlier by its clock" : "later";
    int64_t n = us < 0 ? -us : us;
    char text[FMT_CAP];

    if (n < 1000) {
        sbuf_fmt(b, "%" PRId64 " us %s", n, way);
    } else if (n < 10 * US_PER_S) {
        sbuf_fmt(b, "%" PRId64 " ms %s", n / 1000, way);
    } else {
        sbuf_fmt(b, "%s %s", fmt_span(n * 1000, text), way);
    }
}

static void say_commit(struct sbuf *b, const struct moment_facts *f, pg_xid xid, int64_t us)
{
    char when[MOMENT_TIME_CAP];

    sbuf_fmt(b, "xid %" PRIu32 " (%s)", xid, moment_time(f, us, when));
}

/* A mark of an answer: a commit, or the end of a backup. */
static void say_mark(struct sbuf *b, const struct moment_facts *f, const struct mark *m)
{
    char when[MOMENT_TIME_CAP];

    if (m->xid) {
        say_commit(b, f, m->xid, m->us);
    } else {
        sbuf_fmt(b, "%s, where a backup ends", moment_time(f, m->us, when));
    }
}

/* "transaction 741", "restore point 'x'", "22 Aug 03:02:11.479 +02" */
static void say_target(struct sbuf *b, const struct moment_facts *f)
{
    const struct target *t = f->target;
    char text[FMT_CAP], when[MOMENT_TIME_CAP];

    switch (t->kind) {
    case TARGET_TIME:
        sbuf_add(b, moment_time(f, t->us, when));
        break;
    case TARGET_XID:
        sbuf_fmt(b, "transaction %" PRIu32, t->xid);
        break;
    case TARGET_LSN:
        sbuf_fmt(b, "LSN %s", fmt_lsn(t->lsn, text));
        break;
    case TARGET_NAME:
        sbuf_fmt(b, "restore point '%s'", t->name);
        break;
    case TARGET_IMMEDIATE:
        sbuf_add(b, "the end of the backup");
        break;
    case TARGET_END:
        sbuf_add(b, "the end of the WAL");
        break;
    }
}

/* --- one function a verdict: the sentence into b, the hint returned --- */

/* Two points of one name: by it only the first can be had. */
static const char *say_names(struct arena *a, const struct moment_facts *f)
{
    char when[MOMENT_TIME_CAP], lsn[FMT_CAP], text[TEXT_CAP];
    struct sbuf b;

    if (f->names < 2 || !f->named) {
        return "";
    }
    sbuf_init(&b, text, sizeof text);
    sbuf_fmt(&b, "'%s' was made %zu times: by its name the server stops at that of %s. ",
             f->target->name, f->names, moment_time(f, f->named[0].us, when));
    sbuf_fmt(&b, "For that of %s choose it in the list, or type lsn %s",
             moment_time(f, f->named[1].us, when), fmt_lsn(f->named[1].start, lsn));
    sbuf_add(&b, f->names > 2 ? "; so for those behind it." : ".");
    return arena_strdup(a, text);
}

static const char *say_well(struct sbuf *b, struct arena *a, const struct moment_facts *f)
{
    const struct wal_mark *next = f->lost.known ? &f->lost : NULL;

    if (f->target->kind == TARGET_END) {
        sbuf_add(b, f->before.known ? "goes to the end of the WAL: the last commit is "
                                    : "goes to the end of the WAL, no commit is in it");
    } else {
        sbuf_add(b, f->before.known ? "stops after " : "stops before anything is committed");
    }
    if (f->before.known) {
        say_commit(b, f, f->before.xid, f->before.us);
    }
    if (f->target->kind == TARGET_TIME && f->stop_is_abort) {
        sbuf_fmt(b, ", at xid %" PRIu32 " that was rolled back", f->stop.xid);
        next = &f->stop;
    } else if (next) {
        sbuf_fmt(b, ", before xid %" PRIu32, next->xid);
    } else if (f->target->kind != TARGET_END) {
        sbuf_add(b, "; nothing is committed behind it");
    }
    if (next && f->before.known) {
        sbuf_add(b, ", ");
        say_gap(b, next->us - f->before.us);
    }
    return say_names(a, f);
}

static const char *nearest_hint(struct arena *a, const struct moment_facts *f)
{
    char text[TEXT_CAP];
    struct sbuf b;

    sbuf_init(&b, text, sizeof text);
    if (f->below.us && f->above.us) {
        sbuf_add(&b, "Choose ");
        say_mark(&b, f, &f->below);
        sbuf_add(&b, ", or earlier; or ");
        say_mark(&b, f, &f->above);
        sbuf_add(&b, ", or later.");
    } else if (f->below.us) {
        sbuf_add(&b, "Choose ");
        say_mark(&b, f, &f->below);
        sbuf_add(&b, ", or earlier.");
    } else if (f->above.us) {
        sbuf_add(&b, "Choose ");
        say_mark(&b, f, &f->above);
        sbuf_add(&b, ", or later.");
    } else {
        sbuf_add(&b, "Take a backup: nothing can be restored yet.");
    }
    return arena_strdup(a, text);
}

static const char *say_before(struct sbuf *b, struct arena *a, const struct moment_facts *f)
{
    say_target(b, f);
    sbuf_add(b, " lies before the oldest backup that can be restored");
    if (f->above.us) {
        char when[MOMENT_TIME_CAP];

        sbuf_fmt(b, ", which ends at %s", moment_time(f, f->above.us, when));
    }
    return nearest_hint(a, f);
}

static const char *say_hole(struct sbuf *b, struct arena *a, const struct moment_facts *f)
{
    say_target(b, f);
    if (f->fault == WAL_CORRUPT || f->fault == WAL_LOCKED) {
        sbuf_fmt(b, " lies behind segment %s, which %s: %s", f->where,
                 f->fault == WAL_LOCKED ? "cannot be decrypted" : "is damaged", f->why);
    } else if (f->missing > 1) {
        sbuf_fmt(b, " lies behind %" PRIu64 " missing segments, %s to %s", f->missing, f->where,
                 f->to);
    } else {
        sbuf_fmt(b, " lies behind segment %s, which is missing", f->where);
    }
    return nearest_hint(a, f);
}

static const char *say_beyond(struct sbuf *b, const struct moment_facts *f)
{
    if (f->target->kind == TARGET_TIME) {
        sbuf_add(b, "nothing ends after ");
        say_target(b, f);
        sbuf_add(b, ", so the server would never stop");
    } else {
        say_target(b, f);
        sbuf_add(b, " lies behind all that was received");
    }
    if (f->below.us) {
        sbuf_add(b, "; the last commit received is ");
        say_mark(b, f, &f->below);
        return "Choose latest, which ends with that commit.";
    }
    sbuf_add(b, "; no commit was received since the backup");
    return "Choose latest, or the end of the backup.";
}

static const char *say_unseen(struct sbuf *b, const struct moment_facts *f)
{
    pg_xid xid = f->target->xid;

    say_target(b, f);
    if (f->target->kind == TARGET_XID && f->xid_from && (int32_t)(xid - f->xid_from) < 0) {
        sbuf_fmt(b, " began before the oldest backup, whose first new one is %" PRIu32,
                 (pg_xid)f->xid_from);
        return "Choose a transaction that ended behind that backup.";
    }
    if (f->target->kind == TARGET_XID && f->xid_to && (int32_t)(xid - f->xid_to) >= 0) {
        sbuf_fmt(b, " is not in the WAL: transactions have come as far as %" PRIu32,
                 (pg_xid)(f->xid_to - 1));
        return "Look at the number again, or wait until its WAL is received.";
    }
    sbuf_add(b, " is nowhere in the WAL that is kept");
    if (f->has_holes) {
        sbuf_add(b, "; segments are missing in it");
    }
    return f->target->kind == TARGET_XID ? "Look at the number again: one that only read, or "
                                           "is still running, has no end."
                                         : "Choose one from the list of restore points.";
}

static const char *say_verdict(struct sbuf *b, struct arena *a, const struct moment_facts *f)
{
    switch (f->verdict) {
    case MOMENT_WELL:
        return say_well(b, a, f);
    case MOMENT_NO_BACKUP:
        sbuf_add(b, "there is no complete backup that can be restored");
        return "Take a backup, or look at list-backups.";
    case MOMENT_REFUSED:
        sbuf_add(b, f->refusal ? f->refusal->sentence : "no timeline leads there");
        return f->refusal ? f->refusal->hint : "";
    case MOMENT_BEFORE:
        return say_before(b, a, f);
    case MOMENT_HOLE:
        return say_hole(b, a, f);
    case MOMENT_BEYOND:
        return say_beyond(b, f);
    case MOMENT_UNSEEN:
        return say_unseen(b, f);
    case MOMENT_ABORTED:
        say_target(b, f);
        sbuf_add(b, " was rolled back: nothing of it was ever there");
        return nearest_hint(a, f);
    case MOMENT_ELSEWHERE:
        say_target(b, f);
        sbuf_fmt(b, " lies on timeline %" PRIu32 ", which this recovery does not follow",
                 f->elsewhere);
        return arena_fmt(a, "Choose timeline %" PRIu32 ".", f->elsewhere);
    }
    return "";
}

bool moment_say(struct arena *a, const struct moment_facts *f, struct answer_moment *out,
                struct err *err)
{
    char text[TEXT_CAP];
    struct sbuf b;

    sbuf_init(&b, text, sizeof text);
    *out = (struct answer_moment){.can_restore = f->verdict == MOMENT_WELL, .tli = f->tli};
    out->hint = say_verdict(&b, a, f);
    out->sentence = arena_strdup(a, text);
    if (out->can_restore && f->backup) {
        str_copy(out->backup_id, sizeof out->backup_id, f->backup->id);
    }
    if (out->can_restore) {
        out->before = moment_mark(&f->before);
        if (f->target->kind == TARGET_NAME) {
            out->point = moment_mark(&f->stop);
        }
        out->stop =
            moment_mark(f->target->kind == TARGET_TIME && !f->lost.known ? &f->stop : &f->lost);
    } else {
        out->below = f->below;
        out->above = f->above;
    }
    return (out->hint && out->sentence && !a->failed) || arena_err(a, err);
}
