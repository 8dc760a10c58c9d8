/* SPDX-License-Identifier: PostgreSQL */
#include "plan/verdict.h"

#include "base/clock.h"
#include "base/fmt.h"

#include <inttypes.h>
#include <string.h>

#define MINUTE_US  (INT64_C(60) * US_PER_S)
#define BEHIND_US  (5 * MINUTE_US)  /* WAL this late is told */
#define WAITING_US (10 * MINUTE_US) /* cron comes every minute */

/* What a rule has to say. */
struct saying {
    const struct verdict_facts *f;
    struct sbuf sentence, todo;
};

/* ---- words -------------------------------------------------------------------------- */

static const char *const weekday[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
static const char *const month[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                    "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

/* "10:29:07" of today, "Fri 22:58" of the last six days, "22 Nov 10:29" before that. */
static void add_time(struct sbuf *b, const struct verdict_facts *f, int64_t us)
{
    struct civil c = civil_at(us, f->offset(us));
    struct civil now = civil_at(f->now_us, f->offset(f->now_us));

    if (us <= 0) {
        sbuf_add(b, "an unknown time");
    } else if (c.year == now.year && c.month == now.month && c.day == now.day) {
        sbuf_fmt(b, "%02d:%02d:%02d", c.hour, c.minute, c.second);
    } else if (us < f->now_us && f->now_us - us < 6 * 24 * 60 * MINUTE_US) {
        sbuf_fmt(b, "%s %02d:%02d", weekday[c.weekday], c.hour, c.minute);
    } else {
        sbuf_fmt(b, "%d %s %04d %02d:%02d", c.day, month[c.month - 1], c.year, c.hour,
                 c.minute);
    }
}

static void add_span(struct sbuf *b, int64_t us)
{
    char text[FMT_CAP];

    sbuf_add(b, fmt_span(us > INT64_MAX / 1000 ? INT64_MAX : us * 1000, text));
}

__attribute__((format(printf, 2, 3))) static bool say(struct saying *s, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    sbuf_vfmt(&s->sentence, fmt, ap);
    va_end(ap);
    return true;
}

__attribute__((format(printf, 2, 3))) static bool advise(struct saying *s, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    sbuf_vfmt(&s->todo, fmt, ap);
    va_end(ap);
    return true;
}

/* ---- facts that several rules ask for ----------------------------------------------- */

static bool answers(const struct verdict_facts *f)
{
    return f->live->state == LIVE_OK;
}

static bool is_off(const struct verdict_facts *f)
{
    return f->live->state == LIVE_OFF;
}

static bool has_copy(const struct backup_row *b)
{
    return b->status == BACKUP_DONE || b->status == BACKUP_WAITING_FOR_WALS;
}

static const struct backup_row *newest_good(const struct verdict_facts *f)
{
    for (size_t i = 0; i < f->backups; i++) {
        if (has_copy(&f->backup[i])) {
            return &f->backup[i];
        }
    }
    return NULL;
}

static const struct stretch *newest_stretch(const struct verdict_facts *f)
{
    const struct stretch *best = NULL;

    for (size_t i = 0; f->coverage && i < f->coverage->stretches; i++) {
        const struct stretch *s = &f->coverage->stretch[i];
        if (s->is_main && (!best || s->to.lsn >= best->to.lsn)) {
            best = s;
        }
    }
    return best;
}

/* The last hole that hurts, if no backup has ended behind it (or if one has). */
static const struct hole *last_hole(const struct verdict_facts *f, bool is_over)
{
    const struct hole *found = NULL;

    for (size_t i = 0; f->coverage && i < f->coverage->holes; i++) {
        const struct hole *h = &f->coverage->hole[i];
        if (h->hurts && (h->to_us != 0) == is_over) {
            found = h;
        }
    }
    return found;
}

static bool fails_to_archive(const struct verdict_facts *f)
{
    return answers(f) && f->live->archiver_known && f->live->archiver_fails;
}

static const char *what_is_missing(const struct hole *h)
{
    return h->why == HOLE_CORRUPT ? "is damaged" : "is missing";
}

/* ---- the rules ---------------------------------------------------------------------- */

static bool disabled(struct saying *s)
{
    return s->f->disabled &&
           say(s, "the configuration contradicts itself: %s", s->f->disabled) &&
           advise(s, "correct the configuration file, then start the console anew");
}

static bool off(struct saying *s)
{
    return is_off(s->f) &&
           say(s, "not looked after: %s", s->f->live->why ? s->f->live->why : "");
}

static bool unreadable(struct saying *s)
{
    return s->f->kept_why && say(s, "what is kept cannot be read: %s", s->f->kept_why) &&
           advise(s, "%s",
                  s->f->kept_todo && s->f->kept_todo[0]
                      ? s->f->kept_todo
                      : "look at owner and mode of the server's directories");
}

static bool other_cluster(struct saying *s)
{
    const struct verdict_facts *f = s->f;

    return answers(f) && f->live->systemid && f->live->systemid[0] && f->systemid &&
           f->systemid[0] && strcmp(f->live->systemid, f->systemid) != 0 &&
           say(s, "the server is another cluster: system id %s, what is kept is of %s",
               f->live->systemid, f->systemid) &&
           advise(s, "correct conninfo, or give the new cluster a section of its own");
}

static bool archiver_fails(struct saying *s)
{
    const struct verdict_facts *f = s->f;

    if (!fails_to_archive(f) || !f->archives) {
        return false;
    }
    say(s, "archive_command fails since ");
    add_time(&s->sentence, f, f->live->archiver_failed_us);
    if (f->live->archiver_failed_wal && f->live->archiver_failed_wal[0]) {
        say(s, " (last %s)", f->live->archiver_failed_wal);
    }
    return advise(s, "look in the server's log why; it keeps its WAL until it works again");
}

static bool slot_lost(struct saying *s)
{
    const struct verdict_facts *f = s->f;

    return f->slot && answers(f) && f->live->has_slot && f->live->slot_lost &&
           say(s, "replication slot '%s' is lost: the server has removed WAL it was to keep",
               f->slot) &&
           advise(s,
                  "run receive-wal --drop-slot %s, receive-wal --create-slot %s, then take a "
                  "backup: 'b'",
                  f->server, f->server);
}

static bool slot_missing(struct saying *s)
{
    const struct verdict_facts *f = s->f;

    return f->slot && f->streams && answers(f) && !f->live->has_slot &&
           say(s, "replication slot '%s' does not exist", f->slot) &&
           advise(s, "run receive-wal --create-slot %s", f->server);
}

static bool receiver_down(struct saying *s)
{
    const struct verdict_facts *f = s->f;
    bool has_slot = f->slot && answers(f) && f->live->has_slot;

    if (!f->streams || f->is_receiving || is_off(f)) {
        return false;
    }
    say(s, "receive-wal does not run, %s",
        has_slot ? "WAL is kept by the slot only" : "WAL is not received");
    return advise(s, "run cron, which starts it: a job of the system calls it every minute");
}

static bool cannot_restore(struct saying *s)
{
    const struct verdict_facts *f = s->f;
    const struct backup_row *b = newest_good(f);

    return f->coverage && b && b->status == BACKUP_DONE && !newest_stretch(f) &&
           say(s, "nothing can be restored: WAL of backup %s is not there", b->id) &&
           advise(s, "take a backup now: 'b'");
}

static bool open_hole(struct saying *s)
{
    const struct verdict_facts *f = s->f;
    const struct hole *h = last_hole(f, false);

    if (!h) {
        return false;
    }
    say(s, "nothing can be restored since ");
    add_time(&s->sentence, f, h->from_us);
    say(s, ": %s %s", h->first, what_is_missing(h));
    return advise(s, "take a backup now: 'b'; put the file back if it is anywhere else");
}

static bool backup_old(struct saying *s)
{
    const struct verdict_facts *f = s->f;
    const struct backup_row *b = newest_good(f);
    int64_t limit_s = f->limits.backup_age_s, age_us;

    if (limit_s == VERDICT_UNSET || !f->coverage) {
        return false;
    }
    if (!b) {
        say(s, "no backup yet, and one every ");
    } else {
        age_us = f->now_us - (b->end.known ? b->end.us : 0);
        if (age_us / US_PER_S <= limit_s) {
            return false;
        }
        say(s, "last backup is ");
        add_span(&s->sentence, age_us);
        say(s, " old, limit ");
    }
    add_span(&s->sentence, limit_s > INT64_MAX / US_PER_S ? INT64_MAX : limit_s * US_PER_S);
    say(s, "%s", b ? "" : " is wanted");
    return advise(s, "take a backup: 'b'");
}

static bool backup_small(struct saying *s)
{
    const struct verdict_facts *f = s->f;
    const struct backup_row *b = newest_good(f);
    char size[FMT_CAP], limit[FMT_CAP];

    return f->limits.backup_size_bytes != VERDICT_UNSET && b &&
           b->size < (uint64_t)f->limits.backup_size_bytes &&
           say(s, "last backup has %s, at least %s is wanted", fmt_bytes(b->size, size),
               fmt_bytes((uint64_t)f->limits.backup_size_bytes, limit)) &&
           advise(s, "look at backup %s and at what the server has lost", b->id);
}

static bool too_few(struct saying *s)
{
    const struct verdict_facts *f = s->f;
    int64_t full = 0;

    for (size_t i = 0; i < f->backups; i++) {
        full += f->backup[i].status == BACKUP_DONE && !f->backup[i].parent;
    }
    return f->coverage && f->limits.redundancy > full &&
           say(s, "%" PRId64 " full backups, at least %" PRId64 " are wanted", full,
               f->limits.redundancy) &&
           advise(s, "take a backup: 'b'");
}

static bool wal_old(struct saying *s)
{
    const struct verdict_facts *f = s->f;
    int64_t limit_s = f->limits.wal_age_s, age_us;

    if (limit_s == VERDICT_UNSET || !f->coverage || !newest_good(f)) {
        return false;
    }
    age_us = f->now_us - f->coverage->last_wal_us;
    if (age_us / US_PER_S <= limit_s) {
        return false;
    }
    say(s, "last archived WAL is ");
    add_span(&s->sentence, age_us);
    say(s, " old, limit ");
    add_span(&s->sentence, limit_s > INT64_MAX / US_PER_S ? INT64_MAX : limit_s * US_PER_S);
    return advise(s, "see whether cron runs; switch-wal --force --archive %s brings a file",
                  f->server);
}

static bool too_many_wait(struct saying *s)
{
    const struct verdict_facts *f = s->f;

    return f->limits.waiting_files != VERDICT_UNSET && f->coverage &&
           f->coverage->waiting > (uint64_t)f->limits.waiting_files &&
           say(s, "%" PRIu64 " WAL files wait to be archived, limit %" PRId64,
               f->coverage->waiting, f->limits.waiting_files) &&
           advise(s, "see whether cron runs, or run archive-wal %s", f->server);
}

static bool silent(struct saying *s)
{
    const struct verdict_facts *f = s->f;

    if (f->live->state != LIVE_SILENT) {
        return false;
    }
    say(s, "no answer for ");
    add_span(&s->sentence, f->now_us > f->live->since_us ? f->now_us - f->live->since_us : 0);
    if (f->live->why && f->live->why[0]) {
        say(s, ": %s", f->live->why);
    }
    return advise(s, "look whether the server runs and can be reached");
}

static bool unread(struct saying *s)
{
    const struct verdict_facts *f = s->f;

    return f->unread &&
           say(s, "%zu backup%s cannot be read%s%s", f->unread, f->unread == 1 ? "" : "s",
               f->unread_why ? ": " : "", f->unread_why ? f->unread_why : "") &&
           advise(s, "look at the file; other backups are not touched by it");
}

static bool no_backup(struct saying *s)
{
    const struct verdict_facts *f = s->f;

    return f->coverage && !newest_good(f) && !f->is_backing_up &&
           !(f->backups && f->backup[0].status == BACKUP_FAILED) && !is_off(f) &&
           say(s, "no backup yet") && advise(s, "press 'b' for the first backup");
}

static bool backup_failed(struct saying *s)
{
    const struct backup_row *b = s->f->backups ? &s->f->backup[0] : NULL;

    return b && b->status == BACKUP_FAILED &&
           say(s, "last backup failed: %s", b->error && b->error[0] ? b->error : b->id) &&
           advise(s, "remove the reason, then try again: 'b'");
}

static bool backup_broken_off(struct saying *s)
{
    const struct backup_row *b = s->f->backups ? &s->f->backup[0] : NULL;

    return b && (b->status == BACKUP_STARTED || b->status == BACKUP_EMPTY) &&
           !s->f->is_backing_up && say(s, "backup %s was broken off", b->id) &&
           advise(s, "take a new one: 'b'; delete what is left of it: 'D'");
}

static bool backup_waits(struct saying *s)
{
    const struct verdict_facts *f = s->f;
    const struct backup_row *b = newest_good(f);
    const struct stretch *n = newest_stretch(f);

    /* Its WAL may be in what is being received: then only the archiving is left to do. */
    return b && b->status == BACKUP_WAITING_FOR_WALS &&
           say(s, "backup %s waits for WAL%s", b->id,
               n && n->to.lsn >= b->end_lsn ? " to be archived" : "") &&
           advise(s, "switch-wal --force --archive %s brings it, or wait for the next segment",
                  f->server);
}

static bool backup_corrupt(struct saying *s)
{
    const struct backup_row *b = newest_good(s->f);

    return b && b->is_corrupt && say(s, "the server found damaged pages in backup %s", b->id) &&
           advise(s, "look for them with pg_amcheck on the server; keep the older backups");
}

static bool old_hole(struct saying *s)
{
    const struct verdict_facts *f = s->f;
    const struct hole *h = last_hole(f, true);

    if (!h) {
        return false;
    }
    say(s, "hole before ");
    add_time(&s->sentence, f, h->to_us);
    say(s, ": nothing since ");
    add_time(&s->sentence, f, h->from_us);
    say(s, ", %s %s", h->first, what_is_missing(h));
    return advise(s, "put the file back if it is anywhere else");
}

static bool not_connected(struct saying *s)
{
    const struct verdict_facts *f = s->f;

    return f->streams && f->is_receiving && f->slot && answers(f) && f->live->flushed == 0 &&
           say(s, "receive-wal runs but is not connected to the server") &&
           advise(s, "look in the log what it says; it tries again by itself");
}

static bool streams_late(struct saying *s)
{
    const struct verdict_facts *f = s->f;
    const struct stretch *n = newest_stretch(f);
    uint64_t bytes;
    char text[FMT_CAP];

    if (!answers(f) || !f->streams || !n || !f->live->flushed ||
        f->live->lsn <= f->live->flushed) {
        return false;
    }
    bytes = f->live->lsn - f->live->flushed;
    if (bytes < f->coverage->seg_size || f->live->now_us - n->to.us < BEHIND_US) {
        return false;
    }
    say(s, "behind by ");
    add_span(&s->sentence, f->live->now_us - n->to.us);
    return say(s, ": %s of WAL not received yet", fmt_bytes(bytes, text)) &&
           advise(s, "look at the network and at the disk here");
}

static bool archives_late(struct saying *s)
{
    const struct verdict_facts *f = s->f;
    const struct stretch *n = newest_stretch(f);

    /* One segment is always being filled, one may be on its way. */
    if (!answers(f) || f->streams || !n ||
        f->live->lsn / f->coverage->seg_size < n->to.lsn / f->coverage->seg_size + 2 ||
        f->live->now_us - f->coverage->last_wal_us < BEHIND_US) {
        return false;
    }
    say(s, "behind by ");
    add_span(&s->sentence, f->live->now_us - n->to.us);
    return say(s, ": WAL does not arrive") &&
           advise(s, "look at archive_command and archive_mode of the server");
}

static bool waits_long(struct saying *s)
{
    const struct verdict_facts *f = s->f;

    if (!f->coverage || !f->coverage->waiting ||
        f->now_us - f->coverage->waiting_since_us < WAITING_US) {
        return false;
    }
    say(s, "%" PRIu64 " WAL file%s to be archived since ", f->coverage->waiting,
        f->coverage->waiting == 1 ? " waits" : "s wait");
    add_time(&s->sentence, f, f->coverage->waiting_since_us);
    return advise(s, "see whether cron runs, or run archive-wal %s", f->server);
}

static bool foreign_archiver(struct saying *s)
{
    const struct verdict_facts *f = s->f;

    return fails_to_archive(f) && !f->archives &&
           say(s, "the server's own archive_command fails: it keeps all its WAL") &&
           advise(s, "look in the server's log why, before its disk is full");
}

static bool backing_up(struct saying *s)
{
    return s->f->is_backing_up && say(s, "a backup runs");
}

static bool not_asked(struct saying *s)
{
    return (s->f->live->state == LIVE_NOT_ASKED || !s->f->coverage) &&
           say(s, "not looked at yet");
}

static const struct rule {
    enum light light;
    bool (*holds)(struct saying *s); /* true: and has said so */
} rules[] = {
    {LIGHT_FAIL, disabled},
    {LIGHT_FAIL, unreadable},
    {LIGHT_FAIL, other_cluster},
    {LIGHT_FAIL, open_hole},
    {LIGHT_FAIL, cannot_restore},
    {LIGHT_FAIL, archiver_fails},
    {LIGHT_FAIL, slot_lost},
    {LIGHT_FAIL, slot_missing},
    {LIGHT_FAIL, receiver_down},
    {LIGHT_FAIL, backup_old},
    {LIGHT_FAIL, backup_small},
    {LIGHT_FAIL, too_few},
    {LIGHT_FAIL, wal_old},
    {LIGHT_FAIL, too_many_wait},
    {LIGHT_UNKNOWN, silent},
    {LIGHT_WARN, unread},
    {LIGHT_WARN, no_backup},
    {LIGHT_WARN, backup_failed},
    {LIGHT_WARN, backup_broken_off},
    {LIGHT_WARN, backup_corrupt},
    {LIGHT_WARN, backup_waits},
    {LIGHT_WARN, not_connected},
    {LIGHT_WARN, streams_late},
    {LIGHT_WARN, archives_late},
    {LIGHT_WARN, waits_long},
    {LIGHT_WARN, foreign_archiver},
    {LIGHT_WARN, old_hole},
    {LIGHT_RUN, backing_up},
    {LIGHT_WAIT, off},
    {LIGHT_WAIT, not_asked},
};

bool verdict_make(struct arena *a, const struct verdict_facts *f, struct verdict *out,
                  struct err *err)
{
    char sentence[512], todo[256];
    struct saying s = {.f = f};

    out->light = LIGHT_OK;
    sbuf_init(&s.sentence, sentence, sizeof sentence);
    sbuf_init(&s.todo, todo, sizeof todo);
    for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++) {
        if (rules[i].holds(&s)) {
            out->light = rules[i].light;
            break;
        }
    }
    out->sentence = arena_strdup(a, sentence);
    out->todo = arena_strdup(a, todo);
    return (out->sentence && out->todo) || arena_err(a, err);
}
