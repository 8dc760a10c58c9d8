/* SPDX-License-Identifier: PostgreSQL */
/* place.h - where a user's own files are.
 *
 *     $XDG_CONFIG_HOME, else ~/.config        /barkeep/keys.ini, themes/NAME.ini   read
 *     $XDG_STATE_HOME, else ~/.local/state    /barkeep/ui.ini, copied, screen-...  written
 *
 * A variable that is not an absolute path is as good as none, as the XDG specification has it.
 * Errors  ERR_MISSING: no home directory; ERR_FORMAT: the path is too long.
 */
#ifndef UI_PLACE_H
#define UI_PLACE_H

#include "barkeep/err.h"
#include "base/file.h"

MUST_CHECK bool place_config(char out[PATH_CAP], const char *name, struct err *err);
MUST_CHECK bool place_state(char out[PATH_CAP], const char *name, struct err *err);
/* Makes the directory, too. */
MUST_CHECK bool place_state_made(char out[PATH_CAP], const char *name, struct err *err);

#endif
