/* SPDX-License-Identifier: PostgreSQL */
#include "plan/restore.h"

#include "base/fmt.h"
#include "plan/backup.h"

#include <inttypes.h>
#include <string.h>

void restore_check_add(struct restore_checks *c, const char *id, enum verdict verdict,
                       const char *sentence, const char *hint)
{
    bool is_full = c->n == RESTORE_CHECKS_MAX;
    struct restore_check *at = &c->check[is_full ? c->n - 1 : c->n++];

    c->refused += verdict == VERDICT_REFUSED;
    if (is_full && verdict <= at->verdict) {
        return;
    }
    *at = (struct restore_check){
        .id = id,
        .verdict = verdict,
        .sentence = sentence ? sentence : "out of memory",
        .hint = hint ? hint : "",
    };
}

/* The others need what is not done here: a chain put together, a disk. A full backup before them
 * and WAL lead to the same place. */
static bool can_be_restored(const struct backup *b)
{
    return backup_copy_done(b) && !b->parent_backup_id && backup_type_of(b) != BACKUP_SNAPSHOT;
}

/* With what the earliest usable backup would allow. */
static bool none_before(const struct backup *first, const struct target *t, struct err *err)
{
    char hint[sizeof err->hint], end[FMT_CAP];

    if (!first) {
        str_fmt(hint, sizeof hint, "Look at list-backups: there is no complete full backup%s.",
                t->line == LINE_DEFAULT ? "" : " of that timeline");
    } else if (t->kind == TARGET_LSN) {
        str_fmt(hint, sizeof hint,
                "Choose a target behind %s, where the earliest backup, %s, ends.",
                fmt_lsn(first->end_xlog, end), first->id);
    } else {
        stamp_iso((struct stamp){first->end_time.us, first->end_time.offset_s}, end);
        str_fmt(hint, sizeof hint,
                "Choose a target after %s, when the earliest backup, %s, ends.", end,
                first->id);
    }
    return err_set(err, ERR_MISSING, hint, "",
                   "Cannot find any candidate backup for recovery.");
}

static const char *choice_text(const struct target *t)
{
    switch (t->kind) {
    case TARGET_TIME:
    case TARGET_LSN:
        return "the newest full one that ends before the target";
    default:
        return t->line == LINE_DEFAULT ? "the newest full one"
                                       : "the newest full one of that timeline";
    }
}

bool restore_choose(const struct backup *backup, size_t n, const struct target *t,
                    pg_tli latest, struct restore_choice *out, struct err *err)
{
    pg_tli line = t->line == LINE_NUMBER ? t->tli : t->line == LINE_LATEST ? latest : 0;
    const struct backup *first = NULL, *best = NULL;

    if (t->kind == TARGET_XID || t->kind == TARGET_NAME || t->kind == TARGET_IMMEDIATE ||
        t->line == LINE_CURRENT) {
        return err_set(err, ERR_FORMAT, "Name the backup: list-backups shows them.", "auto",
                       "which backup cannot be told from this target");
    }
    for (size_t i = 0; i < n; i++) {
        if (!can_be_restored(&backup[i]) || (line && backup[i].timeline != line)) {
            continue;
        }
        first = first ? first : &backup[i];
        if (target_follows(t, &backup[i])) {
            best = &backup[i];
        }
    }
    if (!best) {
        return none_before(first, t, err);
    }
    *out = (struct restore_choice){best, choice_text(t)};
    return true;
}

#define CHOICES_MAX 64

/* "timeline 2 (left 1 at 0/5000000); timeline 3 (...)": those a person may choose from. */
static const char *futures(struct arena *a, const struct timeline_choice *choice, size_t n)
{
    char text[1500], lsn[FMT_CAP];
    struct sbuf b;

    sbuf_init(&b, text, sizeof text);
    for (size_t i = 0; i < n; i++) {
        if (!choice[i].is_reachable || !choice[i].is_leaf) {
            continue;
        }
        sbuf_fmt(&b, "%stimeline %" PRIu32, b.len ? ", " : "", choice[i].tli);
        if (choice[i].parent) {
            sbuf_fmt(&b, " (left %" PRIu32 " at %s)", choice[i].parent,
                     fmt_lsn(choice[i].begin, lsn));
        }
    }
    return arena_strdup(a, text);
}

static bool refuse_err(struct arena *a, struct restore_checks *checks, const char *id,
                       const struct err *err)
{
    char text[1600];

    restore_check_add(checks, id, VERDICT_REFUSED,
                      arena_strdup(a, err_text(err, text, sizeof text)),
                      arena_strdup(a, err->hint));
    return false;
}

static struct timeline_want want_of(const struct target *t, enum wal_mode mode)
{
    switch (t->line) {
    case LINE_CURRENT:
        return (struct timeline_want){TIMELINE_CURRENT, 0};
    case LINE_LATEST:
        return (struct timeline_want){TIMELINE_LATEST, 0};
    case LINE_NUMBER:
        return (struct timeline_want){TIMELINE_NUMBER, t->tli};
    case LINE_DEFAULT:
        break;
    }
    if (mode == WAL_MODE_INTO_PGDATA || t->kind == TARGET_IMMEDIATE) {
        return (struct timeline_want){TIMELINE_CURRENT, 0};
    }
    return (struct timeline_want){TIMELINE_LATEST, 0};
}

bool restore_line(struct arena *a, const struct timelines *known,
                  const struct timeline_base *base, const struct target *t, enum wal_mode mode,
                  struct restore_checks *checks, pg_tli *out)
{
    struct timeline_choice choice[CHOICES_MAX];
    struct timeline_want want = want_of(t, mode);
    struct err err = {0};
    pg_tli tli;
    size_t n;

    if (!timeline_resolve(known, &want, base, &tli, &err) ||
        !timeline_check(known, tli, base, &err)) {
        return refuse_err(a, checks, "timeline", &err);
    }
    n = timeline_choices(known, base, choice, CHOICES_MAX);
    n = n < CHOICES_MAX ? n : CHOICES_MAX;
    if (want.kind == TIMELINE_LATEST && timeline_branches(choice, n) > 1) {
        restore_check_add(
            checks, "timeline", VERDICT_REFUSED,
            arena_fmt(a, "the backup has several futures: %s", futures(a, choice, n)),
            "Choose one with --target-tli and its number.");
        return false;
    }
    *out = tli;
    if (t->line == LINE_DEFAULT && want.kind == TIMELINE_CURRENT &&
        t->kind != TARGET_IMMEDIATE && n > 1) {
        restore_check_add(checks, "timeline", VERDICT_WARN,
                          arena_fmt(a,
                                    "recovery stays on timeline %" PRIu32
                                    " and leaves out what came later on: %s",
                                    tli, futures(a, choice, n)),
                          "Give --target-tli latest to follow the server to its end.");
        return true;
    }
    restore_check_add(checks, "timeline", VERDICT_OK,
                      tli == base->tli
                          ? arena_fmt(a, "timeline %" PRIu32 ", the backup's own", tli)
                          : arena_fmt(a, "timeline %" PRIu32 ", which descends from %" PRIu32,
                                      tli, base->tli),
                      "");
    return true;
}
