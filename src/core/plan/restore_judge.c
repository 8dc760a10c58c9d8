/* SPDX-License-Identifier: PostgreSQL */
/* restore_judge.c - the sentences of a restore's plan: one function a group of checks. */
#include "base/fmt.h"
#include "plan/backup.h"
#include "plan/restore.h"

#include <inttypes.h>
#include <string.h>

#define OLDEST_VERSION 120000 /* recovery.signal; before it, recovery.conf */
#define FIRST_MANIFEST 130000 /* what is streamed has one from then on */
#define MARK_CAP       160

struct judge {
    struct arena *a;
    const struct restore_facts *f;
    struct restore_checks *out;
};

__attribute__((format(printf, 5, 6))) static void add(struct judge *j, const char *id,
                                                      enum verdict verdict, const char *hint,
                                                      const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    restore_check_add(j->out, id, verdict, arena_vfmt(j->a, fmt, ap), hint);
    va_end(ap);
}

static const char *mark_text(const struct wal_mark *m, char out[MARK_CAP])
{
    char when[STAMP_CAP], lsn[FMT_CAP];

    if (!m->known) {
        str_copy(out, MARK_CAP, "none");
    } else {
        str_fmt(out, MARK_CAP, "%s (transaction %" PRIu32 ", LSN %s)",
                stamp_iso((struct stamp){m->us, 0}, when), m->xid, fmt_lsn(m->start, lsn));
    }
    return out;
}

static bool is_complete(const struct judge *j)
{
    enum backup_status s = j->f->backup->status;

    return s == BACKUP_DONE || s == BACKUP_WAITING_FOR_WALS ||
           (s == BACKUP_FAILED && j->f->corrupt_files && j->f->accepts_corruption);
}

static void warn_of_backup(struct judge *j)
{
    const struct backup *b = j->f->backup;

    if (j->f->corrupt_files && j->f->accepts_corruption) {
        add(j, "backup", VERDICT_WARN, "",
            "damaged pages in %" PRIu64 " file%s are restored as they are, the first is '%s'",
            j->f->corrupt_files, j->f->corrupt_files == 1 ? "" : "s", j->f->corrupt_first);
    }
    if (b->status == BACKUP_WAITING_FOR_WALS) {
        add(j, "backup", VERDICT_WARN, "",
            "backup %s was still waiting for its last WAL when it was last looked at", b->id);
    }
    if (j->f->no_manifest && backup_type_of(b) == BACKUP_FULL && b->version >= FIRST_MANIFEST) {
        add(j, "backup", VERDICT_WARN, "",
            "backup %s has lost its backup_manifest: no file is held against its checksum, and "
            "one that is missing is not noticed",
            b->id);
    }
}

/* Of a kind that is not restored here. */
static void refuse_kind(struct judge *j, const char *kind)
{
    const char *hint = "Restore another backup: list-backups shows them.";

    if (j->f->full) {
        hint = arena_fmt(j->a,
                         "Restore %s, the full backup before it: with --dry-run it tells how "
                         "far WAL leads from there.",
                         j->f->full);
    }
    add(j, "backup", VERDICT_REFUSED, hint, "backup %s is %s", j->f->backup->id, kind);
}

static void judge_backup(struct judge *j)
{
    const struct backup *b = j->f->backup;
    const char *hint = "Restore another backup: list-backups shows them.";
    bool is_snapshot = b->mode && str_starts(str_of(b->mode), "snapshot");

    if (b->status == BACKUP_FAILED && j->f->corrupt_files && !j->f->accepts_corruption) {
        add(j, "backup", VERDICT_REFUSED,
            "Restore another backup, or give --accept-corruption to have it all the same.",
            "backup %s holds damaged pages in %" PRIu64 " file%s, the first is '%s'", b->id,
            j->f->corrupt_files, j->f->corrupt_files == 1 ? "" : "s", j->f->corrupt_first);
    } else if (!is_complete(j)) {
        add(j, "backup", VERDICT_REFUSED, hint, "backup %s is not complete", b->id);
    } else if (b->parent_backup_id) {
        refuse_kind(j, "incremental");
    } else if (is_snapshot) {
        refuse_kind(j, "a disk snapshot");
    } else if (b->version && b->version < OLDEST_VERSION) {
        add(j, "backup", VERDICT_REFUSED, hint, "backup %s is of a PostgreSQL before 12",
            b->id);
    } else if (j->f->tree_fault) {
        add(j, "backup", VERDICT_REFUSED, hint, "backup %s is damaged: %s", b->id,
            j->f->tree_fault);
    } else {
        add(j, "backup", VERDICT_OK, "", "backup %s, %s", b->id, j->f->choice);
    }
    warn_of_backup(j);
}

/* --- WAL and target --------------------------------------------------------------------- */

static const char *fault_text(const struct judge *j)
{
    const struct wal_evidence *w = j->f->wal;
    char lsn[FMT_CAP];

    switch (w->fault) {
    case WAL_GAP:
        return w->resumes ? arena_fmt(j->a, "; segment %s is missing, WAL goes on at %s",
                                      w->where, fmt_lsn(w->resumes, lsn))
                          : arena_fmt(j->a, "; segment %s is missing", w->where);
    case WAL_CORRUPT:
        return arena_fmt(j->a, "; segment %s is damaged: %s", w->where, w->why);
    case WAL_LOCKED:
        return arena_fmt(j->a, "; segment %s cannot be decrypted: %s", w->where, w->why);
    case WAL_WELL:
        break;
    }
    return "";
}

static const char *stop_hint(const struct judge *j)
{
    const struct wal_mark *last = &j->f->wal->watch.last_commit;
    char lsn[FMT_CAP];

    if (!last->known || last->start < j->f->wal->watch.consistent) {
        return "Use --target-immediate, which stops at the end of the backup.";
    }
    return arena_fmt(j->a, "Give --target-lsn %s to stop at the last reachable commit.",
                     fmt_lsn(last->start, lsn));
}

static void refuse_unmet(struct judge *j)
{
    const struct wal_evidence *w = j->f->wal;
    const struct target *t = j->f->target;
    char last[MARK_CAP], from[FMT_CAP], to[FMT_CAP], what[TARGET_TEXT_CAP];
    const char *hint = stop_hint(j);

    mark_text(&w->watch.last_commit, last);
    fmt_lsn(w->watch.consistent, from);
    fmt_lsn(w->watch.end, to);
    target_text(t, what);
    if (w->elsewhere) {
        add(j, "target", VERDICT_REFUSED,
            arena_fmt(j->a, "Give --target-tli %" PRIu32 " to follow that timeline.",
                      w->elsewhere),
            "%s lies on timeline %" PRIu32 ", which this recovery does not follow", what,
            w->elsewhere);
        return;
    }
    switch (t->kind) {
    case TARGET_TIME:
        add(j, "target", VERDICT_REFUSED, hint,
            "nothing ends after %s: the last reachable commit is %s%s", what, last,
            fault_text(j));
        break;
    case TARGET_LSN:
        add(j, "target", VERDICT_REFUSED, hint,
            "%s is out of reach: from %s to %s can be reached, the last commit is %s%s", what,
            from, to, last, fault_text(j));
        break;
    default:
        add(j, "target", VERDICT_REFUSED, hint,
            "%s is not in the WAL from %s to %s: the last reachable commit is %s%s", what, from,
            to, last, fault_text(j));
        break;
    }
}

static void refuse_early(struct judge *j)
{
    const struct backup *b = j->f->backup;
    char what[TARGET_TEXT_CAP], when[STAMP_CAP], lsn[FMT_CAP];

    add(j, "target", VERDICT_REFUSED, "Restore an older backup, or 'auto'.",
        "%s lies before the end of backup %s: the earliest it reaches is %s (LSN %s)",
        target_text(j->f->target, what), b->id,
        stamp_iso((struct stamp){b->end_time.us, b->end_time.offset_s}, when),
        fmt_lsn(j->f->wal->watch.consistent, lsn));
}

static void warn_names(struct judge *j)
{
    static const char *const between[] = {"", ", not at ", ", "};
    const struct target_watch *w = &j->f->wal->watch;
    char text[1024], lsn[FMT_CAP], when[STAMP_CAP];
    struct sbuf b;

    sbuf_init(&b, text, sizeof text);
    for (size_t i = 0; i < w->names && i < TARGET_POINTS_MAX; i++) {
        sbuf_fmt(&b, "%sLSN %s at %s", between[i < 2 ? i : 2], fmt_lsn(w->named[i].start, lsn),
                 stamp_iso((struct stamp){w->named[i].us, 0}, when));
    }
    add(j, "target", VERDICT_WARN,
        w->names == 2 ? arena_fmt(j->a, "Give --target-lsn %s for the other one.",
                                  fmt_lsn(w->named[1].start, lsn))
                      : "Give --target-lsn for one of the others.",
        "restore point '%s' was made %zu times: PostgreSQL stops at the first, %s",
        j->f->target->name, w->names, text);
}

/* The backup itself is consistent by now. */
static void judge_target(struct judge *j)
{
    const struct wal_evidence *w = j->f->wal;
    const struct target *t = j->f->target;
    const struct moment *end = &j->f->backup->end_time;
    char what[TARGET_TEXT_CAP], mark[MARK_CAP];

    target_text(t, what);
    if ((t->kind == TARGET_TIME && end->known && t->us < end->us) || w->watch.stop_too_early) {
        refuse_early(j);
    } else if (t->kind == TARGET_END && w->fault != WAL_WELL) {
        add(j, "target", VERDICT_REFUSED, stop_hint(j),
            "recovery would end early: the last reachable commit is %s%s",
            mark_text(&w->watch.last_commit, mark), fault_text(j));
    } else if (t->kind == TARGET_END || t->kind == TARGET_IMMEDIATE) {
        bool any = w->watch.last_commit.known;

        add(j, "target", VERDICT_OK, "", "%s; %s%s", what,
            any ? "the last commit in it is " : "no commit is in it",
            any ? mark_text(&w->watch.last_commit, mark) : "");
    } else if (!w->watch.stop.known) {
        refuse_unmet(j);
    } else if (w->watch.stop_is_abort) {
        add(j, "target", VERDICT_REFUSED, "Choose a transaction that committed.",
            "%s was rolled back at %s", what, mark_text(&w->watch.stop, mark));
    } else {
        add(j, "target", VERDICT_OK, "", "%s can be reached; the last commit that stays is %s",
            what, mark_text(&w->watch.last_commit, mark));
    }
    if (w->watch.names > 1) {
        warn_names(j);
    }
    if (t->zone_assumed) {
        add(j, "target", VERDICT_WARN, "",
            "the target time has no offset: the local zone is assumed, %s", what);
    }
}

static void judge_wal(struct judge *j)
{
    const struct wal_evidence *w = j->f->wal;
    char from[FMT_CAP], to[FMT_CAP];

    if (w->watch.end < w->watch.consistent) {
        add(j, "wal", VERDICT_REFUSED,
            w->fault == WAL_LOCKED
                ? "Bring the key, and let encryption_passphrase_command print its passphrase."
                : "Bring the missing WAL into the archive, or restore another backup.",
            "the WAL ends at %s, before the backup is consistent at %s%s",
            fmt_lsn(w->watch.end, to), fmt_lsn(w->watch.consistent, from), fault_text(j));
        return;
    }
    add(j, "wal", VERDICT_OK, "", "%zu segments, every record sound from %s to %s%s",
        w->segments, fmt_lsn(w->watch.begin, from), fmt_lsn(w->watch.end, to),
        w->uses_partial ? "; the last one is unfinished, from the receiver" : "");
    if (j->f->is_followed && w->uses_partial) {
        add(j, "wal", VERDICT_WARN, "Leave out --standby-mode to recover all of it.",
            "the last segment is unfinished, and a standby does not fetch it: it has it from "
            "its "
            "primary, or waits");
    }
    judge_target(j);
}

/* --- destinations ------------------------------------------------------------------------ */

static void judge_place(struct judge *j, const struct restore_place *p)
{
    const char *other = "Choose an empty directory.";

    switch (p->state) {
    case PLACE_FREE:
        add(j, "destination", VERDICT_OK, "", "%s: '%s' is free", p->role, p->path);
        break;
    case PLACE_RESUME:
        add(j, "destination", VERDICT_OK, "", "%s: '%s' holds this restore, unfinished",
            p->role, p->path);
        break;
    case PLACE_ASIDE:
        add(j, "destination", VERDICT_OK, "", "%s: '%s' will be set aside as '%s'", p->role,
            p->path, p->found);
        break;
    case PLACE_FULL:
        add(j, "destination", VERDICT_REFUSED, other, "%s: '%s' is not empty: '%s' is there",
            p->role, p->path, p->found);
        break;
    case PLACE_OTHER_PLAN:
        add(j, "destination", VERDICT_REFUSED, "Empty it, or give the same options again.",
            "%s: '%s' holds another unfinished restore: %s", p->role, p->path, p->found);
        break;
    case PLACE_STARTED:
        add(j, "destination", VERDICT_REFUSED, other,
            "%s: '%s' was restored, and changed since", p->role, p->path);
        break;
    case PLACE_RUNNING:
        add(j, "destination", VERDICT_REFUSED, "Stop that server, or choose another directory.",
            "%s: a server is running on '%s': %s", p->role, p->path, p->found);
        break;
    case PLACE_UNUSABLE:
        add(j, "destination", VERDICT_REFUSED,
            "Name a directory that this user may write into.", "%s: '%s' cannot be used: %s",
            p->role, p->path, p->found);
        break;
    case PLACE_SOURCE:
        add(j, "destination", VERDICT_REFUSED, "Choose a directory outside the repository.",
            "%s: '%s' lies in the repository, '%s'", p->role, p->path, p->found);
        break;
    case PLACE_CLUSTER:
        add(j, "destination", VERDICT_REFUSED, "Choose a directory outside of it.",
            "%s: '%s' lies in the data directory '%s'", p->role, p->path, p->found);
        break;
    }
}

/* Is `in` the directory `dir`, or below it? */
static bool is_within(const char *in, const char *dir)
{
    size_t n = strlen(dir);

    return strncmp(in, dir, n) == 0 && (in[n] == '\0' || in[n] == '/' || strcmp(dir, "/") == 0);
}

/* Whoever filled the places says what may lie inside PGDATA: a directory that the backup has
 * nothing of its own in. */
static void judge_overlap(struct judge *j)
{
    const struct restore_place *p = j->f->place;

    for (size_t i = 0; i < j->f->places; i++) {
        for (size_t k = i + 1; k < j->f->places; k++) {
            if (strcmp(p[i].path, p[k].path) == 0) {
                add(j, "destination", VERDICT_REFUSED, "Give each its own directory.",
                    "%s and %s have the same destination, '%s'", p[i].role, p[k].role,
                    p[i].path);
            } else if (is_within(p[i].path, p[k].path) ||
                       (is_within(p[k].path, p[i].path) && !(i == 0 && p[k].may_nest))) {
                add(j, "destination", VERDICT_REFUSED, "Give each its own directory.",
                    "%s ('%s') and %s ('%s') lie one inside the other", p[i].role, p[i].path,
                    p[k].role, p[k].path);
            }
        }
    }
}

/* One that is created and dropped again and again is told once. */
static bool is_told(const struct restore_facts *f, const struct restore_made *m)
{
    for (const struct restore_made *old = f->made; old < m; old++) {
        if (old->state != MADE_PLACED && strcmp(old->location, m->location) == 0) {
            return true;
        }
    }
    return false;
}

static void judge_made(struct judge *j, const struct restore_made *m)
{
    char lsn[FMT_CAP];

    if (is_told(j->f, m)) {
        return;
    }
    fmt_lsn(m->at, lsn);
    switch (m->state) {
    case MADE_PLACED:
        break;
    case MADE_FREE:
        add(j, "destination", VERDICT_WARN, "",
            "tablespace %" PRIu32 " is created in the WAL, at LSN %s: PostgreSQL will put it "
            "into '%s'",
            m->oid, lsn, m->location);
        break;
    case MADE_ABSENT:
        add(j, "destination", VERDICT_WARN,
            "Make that directory, empty and the server's user's own, before the start.",
            "tablespace %" PRIu32 " is created in the WAL, at LSN %s, in '%s', which is not "
            "there: PostgreSQL will stop at it",
            m->oid, lsn, m->location);
        break;
    case MADE_TAKEN:
        add(j, "destination", VERDICT_REFUSED,
            arena_fmt(j->a,
                      "Restore a later backup, on another host, or to before it: --target-lsn "
                      "%s --exclusive.",
                      lsn),
            "tablespace %" PRIu32
            " is created in the WAL, at LSN %s, and PostgreSQL would write "
            "into '%s', where '%s' is",
            m->oid, lsn, m->location, m->found);
        break;
    }
}

static void judge_space(struct judge *j)
{
    char need[FMT_CAP], have[FMT_CAP], left[FMT_CAP];

    for (size_t i = 0; i < j->f->volumes; i++) {
        const struct restore_volume *v = &j->f->volume[i];
        char beside[FMT_CAP + 64] = "";
        bool fits = v->need <= v->have;

        (void)fmt_size((int64_t)(v->have - v->left), have);
        (void)fmt_size((int64_t)v->need, need);
        if (v->left) {
            (void)str_fmt(beside, sizeof beside, " beside %s that this restore has left there",
                          fmt_size((int64_t)v->left, left));
        }
        add(j, "space", fits ? VERDICT_OK : VERDICT_REFUSED,
            fits ? "" : "Make room, or choose a larger file system.",
            "the file system of '%s' has %s free%s; %s needed%s", v->path, have, beside, need,
            v->left ? " in all" : "");
    }
}

bool restore_judge(struct arena *a, const struct restore_facts *f, struct restore_checks *out)
{
    struct judge j = {a, f, out};

    judge_backup(&j);
    if (f->line) {
        judge_wal(&j);
    }
    for (size_t i = 0; i < f->places; i++) {
        judge_place(&j, &f->place[i]);
    }
    judge_overlap(&j);
    for (size_t i = 0; i < f->mades; i++) {
        judge_made(&j, &f->made[i]);
    }
    judge_space(&j);
    if (f->root_without_owner) {
        add(&j, "owner", VERDICT_REFUSED,
            "Run as the server's user, or give the destination's parent to it.",
            "the cluster would belong to root, and PostgreSQL does not start as root");
    }
    return out->refused == 0;
}
