/* SPDX-License-Identifier: PostgreSQL */
/* log.h - one line, one event, into a file, never to the terminal.
 *
 * Format   Barman's default: "2026-11-22 13:43:59,813 [4711] barkeep INFO: text", or what
 *          log_layout() was given (log_layout.h).
 * Levels   error: someone must act; warning: we coped; info: a job began, ended, chose; debug.
 * Rotation The file is opened again when its name points to another file.
 * Threads  Any thread may call log_line(); each line is one write().
 * Secrets  What is logged went through no password case: connection strings are printed by one
 *          function that leaves them out; redact() is the second net for foreign text.
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include "barkeep/err.h"

enum log_level { LOG_DEBUG = 10, LOG_INFO = 20, LOG_WARNING = 30, LOG_ERROR = 40 };

/* Once each, before there are threads. ERR_CONFIG: it is no layout; the default stays. */
MUST_CHECK bool log_layout(const char *layout, struct err *err);
/* Instead of a file. Not where something is drawn on the terminal. */
void log_to_stderr(enum log_level least);
/* path NULL: only the recent lines are kept. A missing directory is made. A file that cannot be
 * opened is an error; the log then goes nowhere. */
bool log_open(const char *path, enum log_level least, struct err *err);

void log_line(enum log_level level, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

void log_dump_recent(int fd); /* the last lines, for bug_stop() */

/* Cover what follows "password=", "secret=" and the like, and "scheme://user:pw@", in place
 * with "*REDACTED*"; out[cap] gets the covered text, cut if it does not fit. */
const char *redact(const char *text, char *out, size_t cap);

#endif
