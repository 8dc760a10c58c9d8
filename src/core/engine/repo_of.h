/* SPDX-License-Identifier: PostgreSQL */
/* repo_of.h - the places of a server's repository and the rules for its WAL, from what the
 * configuration says and from what is kept.
 */
#ifndef ENGINE_REPO_OF_H
#define ENGINE_REPO_OF_H

#include "barkeep/arena.h"
#include "barkeep/task.h"
#include "cfg/server.h"
#include "repo/catalogue.h"
#include "repo/wal_store.h"

/* The layout is what catalogue_layout says, or what is found.
 * home and lock_dir: barman_home and barman_lock_directory of the configuration. Strings of
 * *out belong to srv and the arena. */
MUST_CHECK bool repo_of(struct arena *a, const struct server_cfg *srv, const char *home,
                        const char *lock_dir, struct repo *out, struct err *err);

/* Segment size and identity, as far as identity.json and the newest backup tell them. */
MUST_CHECK bool wal_rules_of(const struct repo *r, struct wal_rules *out, struct err *err);

/* Warn of the backups that catalogue_look() left out, if any. */
void say_unread(const struct task *t, const struct catalogue *c);

#endif
