/* SPDX-License-Identifier: PostgreSQL */
/* tty.h - the terminal as a device: its modes, its signals, and what runs in its foreground.
 *
 * Signals  WINCH, TSTP, CONT, TERM, HUP, INT and PIPE's silence: a handler writes one byte into
 *          a pipe that poll() watches; what they mean is the loop's business.
 * Crash    SEGV, BUS, ABRT, FPE, ILL, QUIT, and BUG_IF: the handler write()s a text prepared
 *          beforehand, sets the modes that were there before us, and lets the signal do what it
 *          did before. Nothing else: it may have come in the middle of anything. It has a stack
 *          of its own.
 * State    One terminal a process, so it is static. Only the screen's thread calls.
 */
#ifndef UI_TTY_H
#define UI_TTY_H

#include "barkeep/err.h"

#include <stddef.h>

#define TTY_RESET_CAP 256

/* Remember the modes, take the signals. false: stdin or stdout is no terminal. */
MUST_CHECK bool tty_open(struct err *err);
/* Modes and signals as they were. */
void tty_close(void);

/* What gives the terminal back when sent, for the crash: at most TTY_RESET_CAP - 1 bytes. */
void tty_set_reset(const char *bytes);
void tty_rescue(void); /* what the crash handlers do, and nothing when it was done */

/* Modes for keys: no echo, no lines, no Ctrl-S. Ctrl-C stays a signal. Ctrl-Z is a key: as a signal
 * it would stop a script around us at once, whose shell then takes the terminal before we have
 * given it back. */
void tty_keys(void);
void tty_before(void); /* as they were before tty_open() */

int tty_signal_fd(void);
int tty_signal(void); /* the next one that came, 0 none */

bool tty_size(int *cols, int *rows);                   /* false: the terminal does not say */
size_t tty_read(void *to, size_t room, bool *is_lost); /* never waits */
bool tty_write(const char *bytes, size_t n);

/* Stop the process group, as Ctrl-Z does; returns when it goes on. */
void tty_stop(void);
/* Run a program in the foreground in a process group of its own, with plain signals; one that
 * stops itself stops us, too. Its exit status, 128 + signal, or 127: could not be run. */
int tty_run(const char *const *argv);

#endif
