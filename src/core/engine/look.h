/* SPDX-License-Identifier: PostgreSQL */
/* look.h - one server as the console shows it, looked at again and again at little cost.
 *
 *     look_new()   ->   look_live()   ask the server: one short query on a kept connection
 *                       look_kept()   read what changed on disk: catalogue, list of WAL
 *                       look_bounds() prove the ends of the stretches by walking WAL
 *                       look_snapshot() -> what is known now, as an immutable struct snapshot
 *
 * Order    look_new() of the first server before there are two threads: it loads libpq. The desk
 *          fills live.next_us of a snapshot, which nobody here knows.
 * Cost     look_live: one round trip; no connection per look. look_kept: a few stat() when
 *          nothing changed; then the backup.info files and the new lines of xlog.db. What is
 *          on the disk counts: a listed segment that is gone is missing. Files of old that lie
 *          in base/<id>/ only (backup.info, annotations) are read again when base/ changes.
 *          look_bounds: segments at the ends only, each once: what was proven is kept in
 *          <backup_dir>/.barkeep/bounds (formats.md), with the file's size and time. Of the
 *          segment being received only what was added, every 2 s at most.
 * Silence  A server that does not answer is no failure: live.why tells. What it said before
 *          stays.
 * Verdict  light, sentence and todo of the snapshot come from plan/verdict.h: pure.
 * Threads  A struct look belongs to one thread at a time.
 * Errors   Only memory; everything else is in the snapshot.
 */
#ifndef ENGINE_LOOK_H
#define ENGINE_LOOK_H

#include "barkeep/snapshot.h"
#include "barkeep/task.h"

struct config;
struct server_cfg;
struct look;

struct look *look_new(const struct config *config, uint32_t index, struct err *err);
void look_free(struct look *l);

/* true: something that a snapshot shows has changed (times of the last answer not counted). */
bool look_live(struct look *l, const struct task *t);
bool look_kept(struct look *l, const struct task *t);
bool look_bounds(struct look *l, const struct task *t);
bool look_is_silent(const struct look *l);

struct snapshot *look_snapshot(struct look *l, struct err *err);

#endif
