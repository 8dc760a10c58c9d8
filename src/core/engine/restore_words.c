/* SPDX-License-Identifier: PostgreSQL */
#include "engine/restore_words.h"

#include <inttypes.h>

struct target_words goal_words(const struct goal *goal, struct arena *a)
{
    struct target_words w = {.side = goal->is_exclusive ? TARGET_EXCLUSIVE : TARGET_INCLUSIVE};

    switch (goal->kind) {
    case GOAL_TIME:
        w.time = goal->text;
        break;
    case GOAL_XID:
        w.xid = goal->text;
        break;
    case GOAL_LSN:
        w.lsn = goal->text;
        break;
    case GOAL_NAME:
        w.name = goal->text;
        break;
    case GOAL_IMMEDIATE:
        w.immediate = "immediate";
        break;
    case GOAL_LATEST:
        break;
    }
    if (goal->tli) {
        w.timeline = arena_fmt(a, "%" PRIu32, goal->tli);
    }
    /* The end of the WAL is no target: nothing is done there but to go on. */
    w.action = goal->action[0] && goal->kind != GOAL_LATEST ? goal->action : NULL;
    return w;
}

static bool check_words(const struct restore_words *w, struct err *err)
{
    if (!w->backup[0]) {
        return err_set(err, ERR_USAGE, "Name a backup, or auto.", "", "no backup is named");
    }
    if (!w->destination[0]) {
        return err_set(err, ERR_USAGE, "Name a directory.", "", "no destination is named");
    }
    if (w->moves > ASK_MOVES_MAX) {
        return err_set(err, ERR_USAGE, "Use the command line for more.", "",
                       "more than %d tablespaces", ASK_MOVES_MAX);
    }
    return true;
}

bool restore_words_read(struct arena *a, const struct restore_words *words,
                        const struct restore_request *who, struct restore_request *out,
                        struct err *err)
{
    struct relocation *move;

    if (!check_words(words, err)) {
        return false;
    }
    move = ARENA_ARRAY(a, words->moves + 1, struct relocation);
    *out = (struct restore_request){
        .config = who->config,
        .server = who->server,
        .program = who->program,
        .config_path = who->config_path,
        .backup_id = words->backup,
        .destination = words->destination,
        .target = goal_words(&words->goal, a),
        .relocation = move,
        .relocations = words->moves,
        .jobs = words->jobs,
        .in_place = words->where == WHERE_IN_PLACE,
    };
    for (size_t i = 0; move && i < words->moves; i++) {
        move[i] = (struct relocation){words->move[i].name, words->move[i].location};
    }
    return !a->failed || arena_err(a, err);
}
