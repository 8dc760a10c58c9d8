/* SPDX-License-Identifier: PostgreSQL */
/* config_queue.h - changes of the configuration as JSON: what config-update is given, and the
 * queue file.
 *
 *     [{"scope": "server", "server_name": "main", "slot_name": "b"}]          given
 *     [{"section": "main", "changes_set":
 *       [{"key": "slot_name", "value": "b", "config_file": "/etc/barman.conf"}]}]   queued
 *
 * Values are texts; numbers, true and false are taken as the text they are. Everything lives in
 * the arena.
 *
 * Errors  ERR_FORMAT for a document of another form.
 */
#ifndef ENGINE_CONFIG_QUEUE_H
#define ENGINE_CONFIG_QUEUE_H

#include "barkeep/arena.h"
#include "barkeep/str.h"
#include "barkeep/task.h"

#define CONFIG_QUEUE_MAX ((size_t)1 << 20)

struct config_item {
    const char *key, *value; /* value NULL: null */
    const char *file;        /* NULL before it is known */
    struct config_item *next;
};

struct config_set {
    const char *section; /* NULL before it is known */
    struct config_item *item;
    struct config_set *next;
};

MUST_CHECK bool config_set_add(struct arena *a, struct config_set *set, const char *key,
                               const char *value, struct err *err);

/* What config-update is given: all members of each object become items. */
MUST_CHECK bool config_update_parse(struct arena *a, struct str json, struct config_set **out,
                                    struct err *err);
MUST_CHECK bool config_queue_parse(struct arena *a, struct str json, struct config_set **out,
                                   struct err *err);

/* A queue that is missing or empty is an empty list; a malformed one is moved to
 * <path>.malformed and told as a warning. */
MUST_CHECK bool config_queue_load(const struct task *t, const char *path, struct arena *a,
                                  struct config_set **out, struct err *err);
/* Durably, in one step. */
MUST_CHECK bool config_queue_save(const char *path, const struct config_set *first,
                                  struct err *err);

#endif
