/* SPDX-License-Identifier: PostgreSQL */
/* verify_pack.h - every member of the archives of a kept backup against its manifest, side by
 * side, by reading: nothing is unpacked to the disk.
 *
 * Says   nothing itself: each fault goes to fault(), one at a time, never from two threads.
 * Errors what keeps it from looking (memory, cancel); damage is a fault.
 */
#ifndef ENGINE_VERIFY_PACK_H
#define ENGINE_VERIFY_PACK_H

#include "barkeep/task.h"
#include "engine/kept_tree.h"
#include "repo/gpg.h"

struct verify_pack {
    const struct task *task;
    const struct kept_tree *tree; /* surveyed */
    const struct gpg *gpg;
    const char *spool; /* directory for spools */
    unsigned jobs;
    void *ctx;
    void (*fault)(void *ctx, const char *text);
};

MUST_CHECK bool verify_pack(const struct verify_pack *v, struct err *err);

#endif
