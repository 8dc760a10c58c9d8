/* SPDX-License-Identifier: PostgreSQL */
/* restore_words.h - a restore as a screen says it, turned into what the engine takes.
 *
 * Texts of the result stay where the words are, or in the arena.
 */
#ifndef ENGINE_RESTORE_WORDS_H
#define ENGINE_RESTORE_WORDS_H

#include "barkeep/ask.h"
#include "engine/restore.h"

/* The target options that a goal stands for. */
struct target_words goal_words(const struct goal *goal, struct arena *a);

/* who: config, server, program and config_path are taken from it, the rest from the words.
 * ERR_USAGE when a word is missing that every restore needs. */
MUST_CHECK bool restore_words_read(struct arena *a, const struct restore_words *words,
                                   const struct restore_request *who,
                                   struct restore_request *out, struct err *err);

#endif
