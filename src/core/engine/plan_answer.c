/* SPDX-License-Identifier: PostgreSQL */
#include "engine/plan_answer.h"

#include "engine/restore_words.h"
#include "plan/restore.h"

static enum plan_verdict verdict_of(enum verdict v)
{
    switch (v) {
    case VERDICT_OK:
        return PLAN_OK;
    case VERDICT_WARN:
        return PLAN_WARN;
    case VERDICT_REFUSED:
        break;
    }
    return PLAN_REFUSED;
}

bool engine_plan(const struct task *t, const struct restore_words *words,
                 const struct restore_request *who, struct arena *a, struct answer_plan *out,
                 struct err *err)
{
    struct restore_request *request = ARENA_NEW(a, struct restore_request);
    struct restore_result *result = ARENA_NEW(a, struct restore_result);
    struct plan_line *line;

    if (!request || !result) {
        return arena_err(a, err);
    }
    if (!restore_words_read(a, words, who, request, err)) {
        return false;
    }
    request->dry_run = true;
    request->is_silent = true;
    if (!engine_restore(t, a, request, result, err)) {
        return false;
    }
    line = ARENA_ARRAY(a, result->checks + 1, struct plan_line);
    for (size_t i = 0; line && i < result->checks; i++) {
        const struct restore_check *c = &result->check[i];
        line[i] = (struct plan_line){c->id, verdict_of(c->verdict), c->sentence, c->hint};
    }
    *out = (struct answer_plan){
        .holds = result->holds,
        .line = line,
        .lines = result->checks,
        .backup_id = result->backup_id,
        .tli = result->tli,
        .bytes = result->bytes,
        .segments = result->segments,
        .replay_from_us = result->replay_from_us,
        .replay_to_us = result->replay_to_us,
    };
    return !a->failed || arena_err(a, err);
}
