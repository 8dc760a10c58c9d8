/* SPDX-License-Identifier: PostgreSQL */
/* Configuration files that are changed: what config-update sets is what is read afterwards, and a
 * restored file that was made harmless once has nothing to be changed any more. */
#include "base/bug.h"
#include "cfg/edit.h"
#include "cfg/ini.h"
#include "engine/restore_conf.h"

#include <string.h>

static void edit(struct arena *a, struct str text)
{
    const struct cfg_edit what = {"main", "slot_name", "a b"};
    const struct ini_entry *entry;
    const struct ini_section *section;
    struct ini ini = {0}, before = {0};
    struct str once, twice;
    struct err err = {0};

    if (!ini_read_text(a, &before, "x.conf", text, NULL, &err) ||
        !cfg_edit(a, text, &what, &once, &err)) {
        return;
    }
    BUG_IF(!ini_read_text(a, &ini, "x.conf", once, NULL, &err));
    section = ini_section(&ini, "main");
    entry = section ? ini_entry(section, str_of("slot_name")) : NULL;
    BUG_IF(!entry || strcmp(entry->value, "a b") != 0);
    BUG_IF(!cfg_edit(a, once, &what, &twice, &err));
    BUG_IF(once.n != twice.n || memcmp(once.p, twice.p, once.n) != 0);
}

static void mangle(struct arena *a, struct str text)
{
    struct conf_report first = {0}, second = {0};
    struct str once, twice;
    struct err err = {0};

    if (conf_mangle(a, "postgresql.conf", CONF_OF_PGDATA, text, &first, &once, &err)) {
        BUG_IF(!conf_mangle(a, "postgresql.conf", CONF_OF_PGDATA, once, &second, &twice, &err));
        BUG_IF(second.changes > first.changes || first.warnings != second.warnings);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str text = str_n((const char *)data, size);
    struct arena a;

    arena_init(&a, 1 << 26);
    edit(&a, text);
    mangle(&a, text);
    arena_release(&a);
    return 0;
}
