/* SPDX-License-Identifier: PostgreSQL */
/* Any bytes as a configuration file: read, then every entry expanded and parsed as every option
 * that bears its name, and as each type at least once. */
#include "cfg/config.h"
#include "cfg/value.h"

static void parse_entry(struct arena *a, const struct value_scope *scope,
                        const struct ini_entry *e)
{
    const struct option *o = option_find(str_of(e->key));
    const char *text;
    union {
        const char *text;
        bool on;
        int64_t number;
    } member;

    value_expand(a, scope, e->value, &text);
    if (o) {
        value_parse(a, o, text, &member);
        return;
    }
    value_parse(a, &option_table[OPTION_check_timeout], text, &member);
    value_parse(a, &option_table[OPTION_recovery_options], text, &member);
    value_parse(a, &option_table[OPTION_last_backup_maximum_age], text, &member);
    value_parse(a, &option_table[OPTION_last_backup_minimum_size], text, &member);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ini ini = {0};
    struct arena a;
    struct err err;

    arena_init(&a, (size_t)64 << 20);
    if (ini_read_text(&a, &ini, "fuzz.conf", str_n((const char *)data, size), NULL, &err)) {
        for (struct ini_section *s = ini.section; s; s = s->next) {
            struct value_scope scope = {s, ini_section(&ini, "DEFAULT"),
                                        ini_section(&ini, "barman")};
            for (struct ini_entry *e = s->entry; e; e = e->next) {
                parse_entry(&a, &scope, e);
            }
        }
    }
    arena_release(&a);
    return 0;
}
