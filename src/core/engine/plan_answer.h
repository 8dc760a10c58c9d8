/* SPDX-License-Identifier: PostgreSQL */
/* plan_answer.h - the dry run of a restore as an answer for the screen (ASK_PLAN).
 *
 * The checks are those that `restore --dry-run` prints, in the same order and words, and behind
 * them what concerns the copy that is started then: its port, settings that the server here does
 * not take, libraries it goes without. A plan that does not hold is an answer; a failure is what
 * kept it from being made (no such backup, a time that is none).
 *
 * Reads  only.
 */
#ifndef ENGINE_PLAN_ANSWER_H
#define ENGINE_PLAN_ANSWER_H

#include "barkeep/ask.h"
#include "engine/restore.h"

/* who: config, server, program and config_path, as in restore_words_read(). */
MUST_CHECK bool engine_plan(const struct task *t, const struct restore_words *words,
                            const struct restore_request *who, struct arena *a,
                            struct answer_plan *out, struct err *err);

#endif
