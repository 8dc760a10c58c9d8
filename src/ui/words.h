/* SPDX-License-Identifier: PostgreSQL */
/* words.h - facts of a snapshot in the words of the screen: lights, types, spans, "about".
 *
 * Pure. A text that needs memory is written into out and returned.
 */
#ifndef UI_WORDS_H
#define UI_WORDS_H

#include "base/fmt.h"
#include "ui/ui.h"

const char *word_type(enum backup_type type);             /* full, incr, rsync, snap */
char letter_type(enum backup_type type);                  /* F i r s, on an axis */
const char *word_version(int version, char out[FMT_CAP]); /* 170006: "17.6" */
enum light light_backup(const struct backup_row *b);
enum light light_job(const struct job_row *job);
bool job_runs(const struct job_row *job);
bool backup_is_good(const struct backup_row *b);

/* "11 m": how long ago; "0 s" for what is in the future. */
const char *word_ago(int64_t us, int64_t now_us, char out[FMT_CAP]);

/* The same in one unit: "9 h". */
const char *word_age(int64_t us, int64_t now_us, char out[FMT_CAP]);

/* How far what can be restored is behind the server; false: not known. With a receiver that has
 * acknowledged all the server wrote it is nothing. */
bool snapshot_behind(const struct snapshot *s, int64_t now_us, int64_t *behind_us);
/* Bytes a minute over the last full quarter of an hour, or more where the five minutes that run
 * have had more already; false: not known. */
bool snapshot_rate(const struct snapshot *s, uint64_t *per_minute);
/* Holes that cut what can be restored. */
size_t coverage_cuts(const struct coverage *c);

/* "4C/71E3A5F0" and, of a moment, "about " where it is not proven. */
const char *word_about(const struct mark *mark);

/* A moment with as many seconds as the screen has room for. */
const char *words_bound(const struct ui *ui, int64_t us, char out[WHEN_CAP]);
/* The one sentence about the selected server. */
enum light words_restorable(const struct ui *ui, char *out, size_t cap);
/* "412/614 G", "18.2 M"; of a replay database time: "12m 04s of 58m 10s" */
const char *word_done(const struct progress *p, char out[FMT_CAP]);
/* "384 M/s"; of a replay "64 x real time" */
const char *word_rate(const struct progress *p, char out[FMT_CAP]);
/* "9m 10s left"; "" when nobody knows. */
const char *word_left(const struct progress *p, char out[FMT_CAP]);
int percent_of(const struct progress *p); /* -1: not known */

#endif
