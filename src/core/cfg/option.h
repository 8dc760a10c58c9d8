/* SPDX-License-Identifier: PostgreSQL */
/* option.h - the rows of option.def as an array, and what their types are in C.
 *
 *     STR ENUM CSV PATH   const char *; NULL: unset
 *     BOOL                bool
 *     INT                 int64_t; CFG_UNSET: unset
 *     SPAN                int64_t seconds; CFG_UNSET: unset
 *     SIZE                int64_t bytes; CFG_UNSET: unset
 *
 * A CSV is kept in its canonical form "word,word" without blanks: ask cfg_csv_has().
 */
#ifndef CFG_OPTION_H
#define CFG_OPTION_H

#include "barkeep/str.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CFG_UNSET INT64_MIN

#define OPTION_MEMBER_STR(name)  const char *name
#define OPTION_MEMBER_ENUM(name) const char *name
#define OPTION_MEMBER_CSV(name)  const char *name
#define OPTION_MEMBER_PATH(name) const char *name
#define OPTION_MEMBER_BOOL(name) bool name
#define OPTION_MEMBER_INT(name)  int64_t name
#define OPTION_MEMBER_SPAN(name) int64_t name
#define OPTION_MEMBER_SIZE(name) int64_t name

/* OPTION_archiver: index of an option of servers in option_table and server_cfg.source;
 * GLOBAL_barman_home: likewise in global_option_table. */
enum option_id {
#define OPTION(name, scope, type, def, values, acts, text) OPTION_##name,
#include "cfg/option.def"
    OPTION_COUNT,
};

enum global_option_id {
#define GLOBAL_OPTION(name, scope, type, def, values, acts, text) GLOBAL_##name,
#include "cfg/option.def"
    GLOBAL_COUNT,
};

enum option_type {
    OPTION_STR,
    OPTION_ENUM,
    OPTION_CSV,
    OPTION_PATH,
    OPTION_BOOL,
    OPTION_INT,
    OPTION_SPAN,
    OPTION_SIZE,
};

enum option_acts { OPTION_NOW, OPTION_LATER };

struct option {
    const char *name;
    const char *scope; /* letters G, S, M */
    enum option_type type;
    const char *def;    /* NULL: unset */
    const char *values; /* see option.def */
    enum option_acts acts;
    const char *text; /* one line for people */
    size_t offset;    /* of the member in struct server_cfg or struct config */
};

extern const struct option option_table[OPTION_COUNT];
extern const struct option global_option_table[GLOBAL_COUNT];

/* The row of that name (any case), or NULL. */
const struct option *option_find(struct str name);
const struct option *global_option_find(struct str name);

/* Is word one of a CSV member's? list may be NULL. */
bool cfg_csv_has(const char *list, const char *word);

#endif
