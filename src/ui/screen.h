/* SPDX-License-Identifier: PostgreSQL */
/* screen.h - the console as a program: its loop.
 *
 * One poll() on the keyboard, the road, signals and a timer. Take all keys, take all news, then
 * paint once, at most 20 times a second (a key is answered at once), and not at all when no cell
 * changed.
 *
 * State    ~/.local/state/barkeep/ui.ini ($XDG_STATE_HOME): theme, sort, filters, last server,
 *          the wizard's answers (offered again for an hour). Written at exit, on SIGTERM and
 *          SIGHUP. Deleting it is harmless.
 * Paste    goes into a line that is being typed, and nowhere else: nothing in it is a key, and a
 *          dialog that asks for a name does not take it.
 */
#ifndef UI_SCREEN_H
#define UI_SCREEN_H

#include "barkeep/road.h"

struct screen_setup {
    const char *const *server; /* names, in the order of the configuration */
    size_t servers;
    const char *config_path; /* NULL: default search */
    const char *home;        /* barman_home */
    const char *program;
    struct road_end road;
    const char *notice;  /* shown at first ("log in again after logout ..."); NULL */
    const char *theme;   /* its name; NULL: as last time, else dark */
    const char *symbols; /* "block", "ascii"; NULL: by the locale */
};

/* Exit status: 0; 128 + n after SIGTERM, SIGHUP or SIGINT (a lost terminal is SIGHUP); 1 when
 * there is no memory for it. Without a terminal that can address its cursor: -1, and nothing was
 * done. */
int screen_run(const struct screen_setup *setup);

#endif
