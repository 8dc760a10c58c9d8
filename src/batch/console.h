/* SPDX-License-Identifier: PostgreSQL */
/* console.h - what a command prints, in Barman's form.
 *
 *     SAY_OUT     stdout, as it is; not with --quiet
 *     SAY_WARN    stderr "WARNING: ..." and the log
 *     SAY_ERROR   stderr "ERROR: ..." and the log; the command will end with status 1
 *     SAY_LOG     the log
 *     SAY_DEBUG   the log, and with --debug stderr "DEBUG: ..."
 *
 * Every line goes through redact(); control characters other than tabs become '?', since names
 * and messages come from outside and a terminal obeys what it is sent.
 *
 * With a document (-f json) nothing is printed as lines: they are collected, redacted but not
 * tamed, in its arrays _INFO, _WARNING, _ERROR, _HINT and (--debug) _DEBUG, and the document is
 * printed once, by console_close(). With --quiet not even that.
 *
 * The progress line is one line on stderr, drawn again in place ten times a second, erased
 * before anything else is printed and at the end. Only on a terminal, never with --batch or
 * --quiet.
 */
#ifndef BATCH_CONSOLE_H
#define BATCH_CONSOLE_H

#include "barkeep/task.h"

#include <stdio.h>

struct console {
    FILE *out, *err;
    bool color, quiet, debug;
    bool draws;      /* the progress line may be drawn */
    bool asks;       /* there is a person who can answer */
    bool drawn;      /* it stands there now */
    bool failed;     /* an error was said */
    struct doc *doc; /* with -f json: what is printed at the end; NULL: lines, as they come */
    bool raw;        /* bytes of a file went to out: no document behind them */
    int64_t drawn_ns;
};

enum console_color { COLOR_AUTO, COLOR_ALWAYS, COLOR_NEVER };

/* Looks which of stdin, stdout and stderr are terminals. */
void console_init(struct console *c, enum console_color color);

void console_say(struct console *c, enum say kind, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
void console_say_all(struct console *c, enum say kind, const char *const *text, size_t n);
/* The same, as a sink of tasks; ctx is the console. */
void console_sink(void *ctx, enum say kind, const char *line);
/* Only printed: a job logs what it says itself. */
void console_print(void *ctx, enum say kind, const char *line);
/* Text and hint of a failure. */
void console_err(struct console *c, const struct err *err);

/* "<tab>LABEL: OK (hint)" with the word in green or, FAILED, in red; hint may be NULL. In the
 * document: {server: {label: {"status": "OK", "hint": ""}}}, the label in lower case, with '_'
 * for blanks and dashes and without dots. */
enum console_status { RESULT_FAILED, RESULT_OK };
void console_result(struct console *c, const char *server, const char *label,
                    enum console_status status, const char *hint);

/* Print what was collected and flush; false: stdout did not take it, which was told. */
bool console_close(struct console *c);

void console_progress(void *ctx, const struct progress *p);
void console_erase(struct console *c);

/* The line for a terminal of that width: phase, done of total, speed, time left; what does not
 * fit is left out from the right. */
void progress_text(const struct progress *p, int width, char *out, size_t cap);

/* Ask on stderr, read a line of stdin: is it exactly that word? */
bool console_confirm(struct console *c, const char *question, const char *word);

#endif
