/* SPDX-License-Identifier: PostgreSQL */
#include "words.h"

#include "base/clock.h"

#include <string.h>

#define RATE_STEPS 3 /* of five minutes */

const char *word_type(enum backup_type type)
{
    static const char *const word[] = {
        [BACKUP_FULL] = "full",
        [BACKUP_INCREMENTAL] = "incr",
        [BACKUP_RSYNC] = "rsync",
        [BACKUP_SNAPSHOT] = "snap",
    };

    return word[type];
}

char letter_type(enum backup_type type)
{
    static const char letter[] = {
        [BACKUP_FULL] = 'F',
        [BACKUP_INCREMENTAL] = 'i',
        [BACKUP_RSYNC] = 'r',
        [BACKUP_SNAPSHOT] = 's',
    };

    return letter[type];
}

const char *word_version(int version, char out[FMT_CAP])
{
    if (version >= 100000) {
        (void)str_fmt(out, FMT_CAP, "%d.%d", version / 10000, version % 10000);
    } else if (version > 0) {
        (void)str_fmt(out, FMT_CAP, "%d.%d.%d", version / 10000, version / 100 % 100,
                      version % 100);
    } else {
        (void)str_copy(out, FMT_CAP, "-");
    }
    return out;
}

bool backup_is_good(const struct backup_row *b)
{
    return b->status == BACKUP_DONE || b->status == BACKUP_WAITING_FOR_WALS;
}

enum light light_backup(const struct backup_row *b)
{
    static const enum light light[] = {
        [BACKUP_EMPTY] = LIGHT_WAIT,  [BACKUP_STARTED] = LIGHT_RUN,
        [BACKUP_DONE] = LIGHT_OK,     [BACKUP_WAITING_FOR_WALS] = LIGHT_WAIT,
        [BACKUP_FAILED] = LIGHT_FAIL, [BACKUP_SYNCING] = LIGHT_RUN,
    };

    return b->is_corrupt && b->status == BACKUP_DONE ? LIGHT_WARN : light[b->status];
}

enum light light_job(const struct job_row *job)
{
    static const enum light light[] = {
        [ROW_NEW] = LIGHT_WAIT,    [ROW_RUNNING] = LIGHT_RUN,    [ROW_DONE] = LIGHT_OK,
        [ROW_FAILED] = LIGHT_FAIL, [ROW_CANCELLED] = LIGHT_WARN, [ROW_DIED] = LIGHT_FAIL,
    };

    return light[job->state];
}

bool job_runs(const struct job_row *job)
{
    return job->state == ROW_RUNNING || job->state == ROW_NEW;
}

const char *word_ago(int64_t us, int64_t now_us, char out[FMT_CAP])
{
    return fmt_span(now_us > us ? (now_us - us) * 1000 : 0, out);
}

const char *word_age(int64_t us, int64_t now_us, char out[FMT_CAP])
{
    static const struct {
        int64_t s;
        char unit;
    } units[] = {{86400, 'd'}, {3600, 'h'}, {60, 'm'}, {1, 's'}};
    int64_t s = now_us > us ? (now_us - us) / US_PER_S : 0;
    size_t i = 0;

    while (i < 3 && s < units[i].s) {
        i++;
    }
    (void)str_fmt(out, FMT_CAP, "%lld %c", (long long)(s / units[i].s), units[i].unit);
    return out;
}

const char *word_about(const struct mark *mark)
{
    return mark->is_proven ? "" : "about ";
}

bool snapshot_behind(const struct snapshot *s, int64_t now_us, int64_t *behind_us)
{
    const struct stretch *stretch = snapshot_newest_stretch(s);

    if (!stretch || stretch->to.us == 0 || s->live.state != LIVE_OK || s->is_saved) {
        return false;
    }
    *behind_us = now_us > stretch->to.us ? now_us - stretch->to.us : 0;
    if (stretch->is_open && s->live.flushed && s->live.flushed >= s->live.lsn) {
        *behind_us = 0;
    }
    return true;
}

bool snapshot_rate(const struct snapshot *s, uint64_t *per_minute)
{
    const struct wal_rate *rate = s->coverage ? &s->coverage->day : NULL;
    uint64_t sum = 0, running;

    if (!rate || rate->n <= RATE_STEPS || rate->step_us < US_PER_S) {
        return false;
    }
    for (size_t i = rate->n - 1 - RATE_STEPS; i < rate->n - 1; i++) {
        sum += rate->bytes[i];
    }
    running = rate->bytes[rate->n - 1];
    sum = sum / RATE_STEPS > running ? sum / RATE_STEPS : running;
    *per_minute = (uint64_t)((double)sum * 60e6 / (double)rate->step_us);
    return true;
}

size_t coverage_cuts(const struct coverage *c)
{
    size_t n = 0;

    for (size_t i = 0; i < c->holes; i++) {
        n += c->hole[i].hurts;
    }
    return n;
}

/* ---- the sentence ----------------------------------------------------------------------- */

static void add_behind(struct sbuf *b, const struct ui *ui, const struct snapshot *s)
{
    char span[FMT_CAP];
    const char *gap = ui->cols < 72 ? "  " : "   ";
    int64_t behind;

    if (s->is_saved) {
        sbuf_fmt(b, "%sas seen %s ago", gap, word_age(s->made_us, ui->model.now_us, span));
    } else if (s->live.state == LIVE_SILENT) {
        sbuf_fmt(b, "%sno answer for %s", gap,
                 word_age(s->live.since_us, ui->model.now_us, span));
    } else if (snapshot_behind(s, ui->model.now_us, &behind)) {
        sbuf_fmt(b, "%s%s behind", gap, fmt_span(behind * 1000, span));
    }
}

static enum light cannot(const struct snapshot *s, struct sbuf *b)
{
    const struct backup_row *good = snapshot_good_backup(s);

    if (s->backups == 0) {
        sbuf_fmt(b, "CANNOT RESTORE   no backup of %s yet; b takes the first one", s->server);
    } else if (!good) {
        sbuf_fmt(b, "CANNOT RESTORE   no backup of %s is complete; b takes one", s->server);
    } else {
        sbuf_fmt(b, "CANNOT RESTORE   WAL that backup %s needs is missing", good->id);
    }
    return LIGHT_FAIL;
}

const char *words_bound(const struct ui *ui, int64_t us, char out[WHEN_CAP])
{
    if (ui->cols >= 100) {
        return when_exact(us, ui->model.now_us, out);
    }
    when_short(us, ui->model.now_us, out);
    if (ui->cols < 72 && strncmp(out, "today ", 6) == 0) {
        out[11] = '\0';
    }
    return out;
}

/* The newest hole that cuts, and how many there are. */
static void add_holes(struct sbuf *b, const struct ui *ui, const struct coverage *c)
{
    const char *gap = ui->cols < 72 ? "  " : "   ";
    const struct hole *newest = NULL;
    size_t cuts = coverage_cuts(c);
    char from[WHEN_CAP], to[WHEN_CAP];

    for (size_t i = 0; i < c->holes; i++) {
        newest = c->hole[i].hurts && c->hole[i].to_us ? &c->hole[i] : newest;
    }
    if (cuts) {
        sbuf_fmt(b, "%s%zu hole%s", gap, cuts, cuts == 1 ? "" : "s");
    }
    if (cuts && newest && ui->cols >= 120) {
        sbuf_fmt(b, ": nothing from %s to %s", words_bound(ui, newest->from_us, from),
                 words_bound(ui, newest->to_us, to));
    }
}

enum light words_restorable(const struct ui *ui, char *out, size_t cap)
{
    const struct snapshot *s = ui_snapshot(ui);
    const struct stretch *stretch = s ? snapshot_newest_stretch(s) : NULL;
    char from[WHEN_CAP], to[WHEN_CAP];
    struct sbuf b;

    sbuf_init(&b, out, cap);
    if (ui->model.servers == 0) {
        sbuf_add(&b, "NOTHING TO WATCH   the configuration names no server");
        return LIGHT_WARN;
    }
    if (s && s->kept_why) {
        sbuf_fmt(&b, "CANNOT RESTORE   %s", s->kept_why);
        return LIGHT_FAIL;
    }
    if (!s || !s->coverage) {
        sbuf_fmt(&b, "READING   what is kept of %s is being looked at", ui->server);
        return LIGHT_WAIT;
    }
    if (!stretch) {
        return cannot(s, &b);
    }
    sbuf_fmt(&b, "CAN RESTORE%s%s%s %s %s%s", ui->cols < 72 ? " " : "   ",
             word_about(&stretch->from), words_bound(ui, stretch->from.us, from),
             symbol_text(ui->symbols, SYM_TO), word_about(&stretch->to),
             words_bound(ui, stretch->to.us, to));
    add_behind(&b, ui, s);
    add_holes(&b, ui, s->coverage);
    if (s->is_saved || s->light == LIGHT_UNKNOWN) {
        return LIGHT_UNKNOWN;
    }
    return s->light == LIGHT_FAIL ? LIGHT_WARN : LIGHT_OK;
}

/* ---- progress --------------------------------------------------------------------------- */

int percent_of(const struct progress *p)
{
    if (p->total == 0) {
        return -1;
    }
    return p->done >= p->total ? 100 : (int)((double)p->done * 100 / (double)p->total);
}

/* Then it is told in microseconds of database time, not in bytes. */
static bool is_replay(const struct progress *p)
{
    return strcmp(p->phase, "replay") == 0;
}

const char *word_done(const struct progress *p, char out[FMT_CAP])
{
    char done[FMT_CAP], total[FMT_CAP];
    size_t n;

    if (is_replay(p)) {
        fmt_span((int64_t)p->done * 1000, done);
        fmt_span((int64_t)p->total * 1000, total);
        (void)str_fmt(out, FMT_CAP, p->total ? "%.14s of %.14s" : "%.0s%.0s", done, total);
        return out;
    }
    fmt_bytes(p->done, done);
    if (p->total == 0) {
        return memcpy(out, done, FMT_CAP);
    }
    fmt_bytes(p->total, total);
    n = strlen(done);
    if (n > 2 && done[n - 1] == total[strlen(total) - 1]) {
        done[n - 2] = '\0'; /* one unit is enough for both */
    }
    (void)str_fmt(out, FMT_CAP, "%.20s/%.20s", done, total);
    return out;
}

const char *word_rate(const struct progress *p, char out[FMT_CAP])
{
    char rate[FMT_CAP];

    if (is_replay(p)) {
        unsigned long long tenths = p->per_sec / (US_PER_S / 10);

        if (tenths < 100) {
            (void)str_fmt(out, FMT_CAP, "%llu.%llu x real time", tenths / 10, tenths % 10);
        } else {
            (void)str_fmt(out, FMT_CAP, "%llu x real time", tenths / 10);
        }
    } else {
        (void)str_fmt(out, FMT_CAP, "%.20s/s", fmt_bytes(p->per_sec, rate));
    }
    return out;
}

const char *word_left(const struct progress *p, char out[FMT_CAP])
{
    char span[FMT_CAP];

    if (p->total <= p->done || p->per_sec == 0) {
        out[0] = '\0';
        return out;
    }
    fmt_span((int64_t)((double)(p->total - p->done) / (double)p->per_sec * 1e9), span);
    (void)str_fmt(out, FMT_CAP, "%.20s left", span);
    return out;
}
