/* SPDX-License-Identifier: PostgreSQL */
#include "cfg/option.h"

#include "cfg/config.h"

#include <string.h>

const struct option option_table[OPTION_COUNT] = {
#define OPTION(name, scope, type, def, values, acts, text)                                     \
    {#name,  scope,         OPTION_##type, def,                                                \
     values, OPTION_##acts, text,          offsetof(struct server_cfg, name)},
#include "cfg/option.def"
};

const struct option global_option_table[GLOBAL_COUNT] = {
#define GLOBAL_OPTION(name, scope, type, def, values, acts, text)                              \
    {#name,  scope,         OPTION_##type, def,                                                \
     values, OPTION_##acts, text,          offsetof(struct config, name)},
#include "cfg/option.def"
};

static const struct option *find(const struct option *table, size_t n, struct str name)
{
    for (size_t i = 0; i < n; i++) {
        if (str_eq_nocase(name, table[i].name)) {
            return &table[i];
        }
    }
    return NULL;
}

const struct option *option_find(struct str name)
{
    return find(option_table, OPTION_COUNT, name);
}

const struct option *global_option_find(struct str name)
{
    return find(global_option_table, GLOBAL_COUNT, name);
}

bool cfg_csv_has(const char *list, const char *word)
{
    struct str rest = str_of(list), head;

    while (str_split(&rest, ',', &head)) {
        if (str_eq(head, word)) {
            return true;
        }
    }
    return false;
}
