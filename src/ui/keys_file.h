/* SPDX-License-Identifier: PostgreSQL */
/* keys_file.h - a user's own keys: ~/.config/barkeep/keys.ini.
 *
 *     backup = b F        at most four; the keys of the table are gone then
 *     wal    = none       no key; the command stays
 *
 * Keys      a character, or Up Down Left Right PgUp PgDn Home End Del Backspace Tab Shift-Tab
 *           Enter Esc Space Semicolon, or Ctrl- and a letter. themes/keys.ini lists the acts with
 *           the keys they have.
 * Errors    ERR_FORMAT with file and line: an unknown act or key, one key for two acts (also when
 *           the other has it by default). The map is then as it was.
 */
#ifndef UI_KEYS_FILE_H
#define UI_KEYS_FILE_H

#include "barkeep/err.h"
#include "barkeep/str.h"
#include "ui/key.h"

const char *keys_act_name(enum act act); /* as the file names it; NULL: ACT_NONE */

MUST_CHECK bool keys_parse(struct str text, const char *what, struct key_map *map,
                           struct err *err);
/* A file that is not there changes nothing. */
MUST_CHECK bool keys_load(struct key_map *map, struct err *err);

#endif
