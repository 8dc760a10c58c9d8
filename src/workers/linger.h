/* SPDX-License-Identifier: PostgreSQL */
/* linger.h - do jobs end when the user logs out?
 *
 * With KillUserProcesses=yes systemd-logind ends what a login session started, jobs in sessions
 * of their own among them. Source: logind.conf(5), and systemd's rule for drop-ins: a file of
 * the same name in /etc wins over /run over /usr/lib, then all by name, the last word wins.
 */
#ifndef WORKERS_LINGER_H
#define WORKERS_LINGER_H

#include <stdbool.h>

/* root: "" for the system's own files. Does logind end the processes of that user? */
bool linger_kills(const char *root, const char *user);

/* A sentence for whoever opens the console, in static memory; NULL: nothing to say. */
const char *linger_notice(void);

#endif
