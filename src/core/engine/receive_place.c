/* SPDX-License-Identifier: PostgreSQL */
#include "base/clock.h"
#include "base/file.h"
#include "base/fmt.h"
#include "engine/receive.h"

#include <inttypes.h>
#include <string.h>

/* ---- what we have ------------------------------------------------------------------- */

/* Where to go on after that file: after a complete segment, at the start of a partial one. */
static bool after(const char *name, uint32_t seg_size, pg_tli *tli, pg_lsn *at)
{
    enum wal_name_kind kind = wal_name_kind(str_of(name), WAL_CASE_UPPER);
    char plain[WAL_NAME_CAP];
    struct wal_seg seg;
    struct err ignored;

    if (kind != WAL_NAME_SEGMENT && kind != WAL_NAME_PARTIAL) {
        return false;
    }
    memcpy(plain, name, WAL_NAME_LEN);
    plain[WAL_NAME_LEN] = '\0';
    if (!wal_seg_parse(plain, seg_size, &seg, &ignored)) {
        return false;
    }
    *tli = seg.tli;
    *at = wal_seg_start(seg, seg_size) + (kind == WAL_NAME_SEGMENT ? seg_size : 0);
    return true;
}

/* The furthest of one timeline, in streaming/ or in the archive; false: nothing there. */
static bool newest_of(struct receive *rx, const struct names *names, pg_tli tli, pg_lsn *at,
                      bool *found, struct err *err)
{
    char archived[WAL_FILE_NAME_CAP];
    pg_tli of;
    pg_lsn to;

    *found = false;
    *at = 0;
    for (size_t i = 0; i < names->n; i++) {
        if (after(names->name[i], rx->seg_size, &of, &to) && of == tli && to >= *at) {
            *at = to;
            *found = true;
        }
    }
    if (!wal_newest(rx->repo, tli, archived, err)) {
        return false;
    }
    if (archived[0] && after(archived, rx->seg_size, &of, &to) && to >= *at) {
        *at = to;
        *found = true;
    }
    return true;
}

static void say_diverged(struct receive *rx, pg_tli tli, const pg_lsn range[2])
{
    char from[FMT_CAP], to[FMT_CAP];
    struct err ignored;

    fmt_lsn(range[0], from);
    fmt_lsn(range[1], to);
    if (!place_note(rx, NOTE_DIVERGED, tli, range, &ignored)) {
        task_say(rx->t, SAY_LOG, "%s: the divergence could not be noted", rx->srv->name);
    }
    task_say(
        rx->t, SAY_WARN,
        "%s: WAL of timeline %u from %s to %s was received, but the server has gone another "
        "way from %s on; both are kept",
        rx->srv->name, tli, from, to, from);
}

/* From an ancestor's newest file to where the server's way leads on. */
static void past_switch(struct receive *rx, const struct history *h, size_t i, pg_tli *tli,
                        pg_lsn *at)
{
    pg_lsn end = h->entry[i].end;
    pg_lsn range[2] = {end, *at};

    if (*at <= end) {
        return;
    }
    /* The switch's own segment may be complete as the old timeline wrote it: not yet strange
     * when the switch is where that segment ended. */
    say_diverged(rx, *tli, range);
    *tli = h->entry[i + 1].tli;
    *at = end - end % rx->seg_size;
}

bool place_find(struct receive *rx, pg_tli *tli, pg_lsn *at, struct err *err)
{
    struct arena_mark mark = arena_mark(&rx->turn);
    const struct history *h = &rx->history;
    struct names names;
    bool found = false;

    *tli = 0;
    if (!dir_names(&rx->turn, rx->repo->streaming_dir, DIR_MAY_MISS, &names, err)) {
        return false;
    }
    for (size_t i = h->n; i-- > 0 && !found;) {
        if (!newest_of(rx, &names, h->entry[i].tli, at, &found, err)) {
            return false;
        }
        if (found) {
            *tli = h->entry[i].tli;
            if (i + 1 < h->n) {
                past_switch(rx, h, i, tli, at);
            }
        }
    }
    arena_reset(&rx->turn, mark);
    return true;
}

/* ---- histories ---------------------------------------------------------------------- */

/* The same file, kept already: the bytes must be the same. */
static bool compare_history(struct receive *rx, const struct wal_found *kept, struct str text,
                            struct err *err)
{
    struct str ours;

    if (!wal_read_whole(rx->repo, &rx->turn, kept->path, HISTORY_MAX, &ours, err)) {
        return false;
    }
    if (ours.n == text.n && memcmp(ours.p, text.p, text.n) == 0) {
        return true;
    }
    return err_set(err, ERR_UNSAFE, "Find out which of the two servers is the right one.",
                   kept->path, "the server has another history of this timeline");
}

bool place_history(struct receive *rx, pg_tli tli, struct history *out, struct err *err)
{
    char name[WAL_HISTORY_NAME_CAP], path[PATH_CAP];
    struct wal_found kept;
    struct err missing;
    struct str text;

    if (tli == 1) {
        return !out || history_alone(&rx->turn, 1, out, err);
    }
    wal_history_name(tli, name);
    if (!wal_history_fetch(rx->pg, rx->t, &rx->turn, tli, &text, err) ||
        (out && !history_parse(&rx->turn, tli, text, out, err))) {
        return false;
    }
    if (wal_find(rx->repo, name, WAL_WHOLE, &kept, &missing)) {
        return compare_history(rx, &kept, text, err);
    }
    if (missing.code != ERR_MISSING) {
        *err = missing;
        return false;
    }
    if (!path_join(path, rx->repo->streaming_dir, name, err) ||
        !file_replace(path, text, err)) {
        return false;
    }
    return archiver_offer(rx->t, &rx->archiver, name, err);
}

/* ---- notes -------------------------------------------------------------------------- */

bool place_note(const struct receive *rx, enum note_kind kind, pg_tli tli,
                const pg_lsn range[2], struct err *err)
{
    bool is_new;

    return wal_note(rx->repo, kind, tli, range, &is_new, err);
}
