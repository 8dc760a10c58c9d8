/* SPDX-License-Identifier: PostgreSQL */
/* user.h - everything runs as barman_user, so that no file ends up belonging to somebody else.
 *
 * root becomes that user for good (groups, gid, uid, HOME); that user stays; anybody else is
 * told whom to be. Errors: ERR_CONFIG.
 */
#ifndef BATCH_USER_H
#define BATCH_USER_H

#include "barkeep/err.h"

MUST_CHECK bool user_switch(const char *name, struct err *err);

#endif
