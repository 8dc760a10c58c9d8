/* SPDX-License-Identifier: PostgreSQL */
#include "engine/wal_note.h"

#include "base/clock.h"
#include "base/fmt.h"
#include "repo/wal_store.h"

#include <string.h>

#define NOTES_MAX (1u << 20)

static bool noted_before(struct str notes, const char *head)
{
    struct str line;

    while (str_line(&notes, &line)) {
        if (str_starts(line, head)) {
            return true;
        }
    }
    return false;
}

bool wal_note(const struct repo *r, enum note_kind kind, pg_tli tli, const pg_lsn range[2],
              bool *is_new, struct err *err)
{
    char path[PATH_CAP], head[96], line[256], from[FMT_CAP], to[FMT_CAP], when[STAMP_CAP];
    struct str notes = str_of("");
    struct err missing = {0};
    struct arena a;
    bool ok;

    *is_new = false;
    str_fmt(head, sizeof head, "%s\t%u\t%s\t", kind == NOTE_HOLE ? "hole" : "diverged", tli,
            fmt_lsn(range[0], from));
    if (!dir_make(r->own_dir, err) || !path_join(path, r->own_dir, "wal-notes", err)) {
        return false;
    }
    arena_init(&a, 2 * NOTES_MAX);
    ok = file_read(&a, path, NOTES_MAX, &notes, &missing) || missing.code == ERR_MISSING;
    if (!ok) {
        *err = missing;
    } else if (!noted_before(notes, head)) {
        stamp_iso(stamp_local(clock_wall_ns() / 1000), when);
        str_fmt(line, sizeof line, "%s%s\t%s\n", head, fmt_lsn(range[1], to), when);
        ok = file_append_line(path, line, err);
        *is_new = ok;
    }
    arena_release(&a);
    return ok;
}

/* ---- branches ----------------------------------------------------------------------- */

void wal_branch_init(struct wal_branch *b, const struct task *t, const struct repo *repo)
{
    *b = (struct wal_branch){.t = t, .repo = repo};
    arena_init(&b->a, 0);
}

void wal_branch_release(struct wal_branch *b)
{
    arena_release(&b->a);
}

void wal_branch_forget(struct wal_branch *b)
{
    arena_release(&b->a);
    arena_init(&b->a, 0);
    b->history = NULL;
    b->n = 0;
}

/* Those that cannot be read are told by others. */
static bool read_histories(struct wal_branch *b, struct err *err)
{
    struct names names;

    if (!dir_names(&b->a, b->repo->wals_dir, DIR_MAY_MISS, &names, err)) {
        return false;
    }
    b->history = ARENA_ARRAY(&b->a, names.n + 1, struct history);
    if (!b->history) {
        return arena_err(&b->a, err);
    }
    for (size_t i = 0; i < names.n; i++) {
        char path[PATH_CAP];
        struct err odd = {0};
        struct str text;
        pg_tli tli;

        if (wal_name_kind(str_of(names.name[i]), WAL_CASE_UPPER) == WAL_NAME_HISTORY &&
            wal_name_tli(str_of(names.name[i]), &tli) &&
            path_join(path, b->repo->wals_dir, names.name[i], &odd) &&
            wal_read_whole(b->repo, &b->a, path, HISTORY_MAX, &text, &odd) &&
            history_parse(&b->a, tli, text, &b->history[b->n], &odd)) {
            b->n++;
        }
        if (odd.code == ERR_MEMORY) {
            *err = odd;
            return false;
        }
    }
    return true;
}

static bool tell(struct wal_branch *b, const char *name, const struct history *child,
                 const pg_lsn range[2], struct err *err)
{
    pg_tli left_by = child->tli;
    char from[FMT_CAP];
    uint64_t tli;
    bool is_new;

    if (!str_hex_u64(str_n(name, 8), 8, &tli) ||
        !wal_note(b->repo, NOTE_DIVERGED, (pg_tli)tli, range, &is_new, err)) {
        return false;
    }
    b->told = (pg_tli)tli;
    for (size_t i = 0; i + 1 < child->n; i++) {
        left_by = child->entry[i].tli == (pg_tli)tli ? child->entry[i + 1].tli : left_by;
    }
    if (is_new) {
        task_say(
            b->t, SAY_WARN,
            "WAL file '%s' of server %s: timeline %u goes on behind %s, where timeline %u "
            "left it. It is kept as a branch of its own; stop the old primary if it is one "
            "(told once)",
            name, b->repo->server, (unsigned)tli, fmt_lsn(range[0], from), left_by);
    }
    return true;
}

bool wal_branch_take(struct wal_branch *b, const char *name, uint32_t seg_size, struct err *err)
{
    struct wal_seg seg;
    struct err odd;
    pg_lsn range[2];

    if (!wal_seg_size_ok(seg_size) || !wal_seg_parse(name, seg_size, &seg, &odd) ||
        seg.tli == b->told) {
        return true;
    }
    if (!b->history && !read_histories(b, err)) {
        return false;
    }
    range[1] = wal_seg_start(seg, seg_size) + seg_size;
    for (size_t i = 0; i < b->n; i++) {
        if (history_switch_of(&b->history[i], seg.tli, &range[0]) && range[1] > range[0]) {
            return tell(b, name, &b->history[i], range, err);
        }
    }
    return true;
}
