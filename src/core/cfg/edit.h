/* SPDX-License-Identifier: PostgreSQL */
/* edit.h - set one key of one section in the text of a configuration file, and leave the rest.
 *
 * The last line "key = ..." of a section of that name gives way to the new one, together with
 * its continuation lines; comments stay where they are, also between those. Without such a line
 * one is put behind the last line of the section, and without a section both at the end. It is
 * indented as what it replaces, or what follows it.
 *
 * Errors   ERR_FORMAT for a value with a line break, ERR_MEMORY.
 * Source   The grammar of ini.h.
 */
#ifndef CFG_EDIT_H
#define CFG_EDIT_H

#include "barkeep/arena.h"
#include "barkeep/str.h"

struct cfg_edit {
    const char *section, *key, *value;
};

MUST_CHECK bool cfg_edit(struct arena *a, struct str text, const struct cfg_edit *edit,
                         struct str *out, struct err *err);

#endif
