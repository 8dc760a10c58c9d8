/* SPDX-License-Identifier: PostgreSQL */
/* backup.h - what follows from the facts of one backup. Pure. */
#ifndef PLAN_BACKUP_H
#define PLAN_BACKUP_H

#include "barkeep/model.h"

/* DONE or WAITING_FOR_WALS: the copy itself is complete. */
bool backup_copy_done(const struct backup *b);

/* What REDUNDANCY and minimum_redundancy count: DONE, and no growth of another one. */
bool backup_counts(const struct backup *b);

enum backup_type backup_type_of(const struct backup *b);
const char *backup_type_name(enum backup_type type); /* "full", "incremental", ... */

#endif
