/* SPDX-License-Identifier: PostgreSQL */
/* copy_refused.h - settings that a copy brings along and the server here does not take.
 *
 * Foreseen  before the restore, for its plan: the server itself is asked, without starting it.
 * Taken out when the copy does not start for one of them.
 * Words     the server's own: "unrecognized configuration parameter "x" ...", "invalid value for
 *           parameter "x": ...", "syntax error in file "..." line 3, ...".
 */
#ifndef ENGINE_COPY_REFUSED_H
#define ENGINE_COPY_REFUSED_H

#include "barkeep/arena.h"
#include "barkeep/str.h"
#include "barkeep/task.h"

/* Settings of a file that this server does not take, by its own words: the same text with those
 * lines commented out, as restore does it. told: the first of them. false: there is none, or it is one of recovery's own. */
bool copy_conf_without(struct arena *a, struct str text, const char *wrong, struct str *out,
                       const char **told);
/* The same in the copy's postgresql.auto.conf. ERR_MISSING: there is none. */
MUST_CHECK bool copy_take_out(const struct task *t, struct arena *a, const char *dest,
                              const char *wrong, struct err *err);
/* What it names, for a person: "'work_memory'", "line 3"; NULL: nothing that can be taken out. */
const char *copy_conf_refused(struct arena *a, const char *wrong);

/* What the server in that directory would refuse in a configuration file, asked of itself without
 * starting it: names as above, with commas, and how many. NULL: nothing, or it could not be
 * asked (*asked false). */
const char *copy_foresee(const struct task *t, struct arena *a, const char *binaries,
                         struct str conf, size_t *n, bool *asked);

#endif
