/* SPDX-License-Identifier: PostgreSQL */
/* path_set.h - which of a million paths were seen, in eight bytes each.
 *
 * Keeps 64-bit hashes only: two different paths are taken for one with a chance of about one in
 * ten million for a million paths.
 * Ownership  path_set_new() / path_set_free(). Adding fails only without memory.
 */
#ifndef ENGINE_PATH_SET_H
#define ENGINE_PATH_SET_H

#include "barkeep/err.h"

#include <stdint.h>

struct path_set;

struct path_set *path_set_new(struct err *err);
void path_set_free(struct path_set *s);
/* *fresh false: was there. */
MUST_CHECK bool path_set_add(struct path_set *s, const char *path, bool *fresh,
                             struct err *err);
bool path_set_has(const struct path_set *s, const char *path);

#endif
