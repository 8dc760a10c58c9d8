/* SPDX-License-Identifier: PostgreSQL */
/* restore_options.h - options of Barman's restore that mean nothing, or nothing good, here.
 *
 * Refused  what would do another thing than asked: onto another host, over what is there, from
 *          the disks of a cloud. Barman's words where it refuses too. Status 1.
 * Told     what changes nothing, since nothing is staged, combined or copied by rsync: a warning.
 */
#ifndef BATCH_RESTORE_OPTIONS_H
#define BATCH_RESTORE_OPTIONS_H

#include "session.h"

/* false: the reason was told. */
bool restore_options_ok(struct session *s, const struct server_cfg *srv);

#endif
