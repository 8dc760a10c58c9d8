/* SPDX-License-Identifier: PostgreSQL */
/* tui_term - the terminal alone, for its tests: says what came, and runs a program on it.
 *
 *     tui_term [PROGRAM [ARGUMENT...]]
 *
 * Row 0 has the size, row 1 the last key in hexadecimal, row 2 what PROGRAM ended with. 'r' runs
 * it, 'q' ends, Ctrl-Z stops; signals end it as they end the console.
 */
#include "base/clock.h"
#include "ui/key.h"
#include "ui/term.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static struct theme theme;
static int key, pasted, ended = -1;

static void paint(void)
{
    struct grid *g;
    int cols, rows;

    term_size(&cols, &rows);
    g = grid_new(cols, rows, term_symbols());
    grid_fmt(g, 0, 0, cols, ROLE_BAR, "size %dx%d", cols, rows);
    grid_fmt(g, 0, 1, cols, ROLE_TEXT, "key %x pasted %d", (unsigned)key, pasted);
    grid_fmt(g, 0, 2, cols, ROLE_FAIL, "ended %d", ended);
    term_show(g);
    grid_free(g);
}

static int take_signals(void)
{
    enum term_signal what;
    int signo;

    while ((what = term_signal(&signo)) != TERM_NOTHING) {
        if (what == TERM_QUIT) {
            return 128 + signo;
        }
        if (what == TERM_STOP) {
            term_stop();
        }
    }
    return 0;
}

static bool take_keys(const char *const *argv)
{
    int k;

    while ((k = term_key()) != UI_KEY_NONE) {
        pasted += k & INPUT_PASTED ? 1 : 0;
        key = k & ~INPUT_PASTED;
        if (k == 'q') {
            return false;
        }
        if (k == UI_CTRL('Z')) {
            term_stop();
        }
        if (k == 'r' && argv[0]) {
            ended = term_run(argv);
        }
    }
    return true;
}

int main(int argc, char **argv)
{
    struct err err = {0};
    int status = 0;
    const char *program[16] = {NULL};

    for (int i = 1; i < argc && i < 16; i++) {
        program[i - 1] = argv[i];
    }
    term_locale();
    if (!theme_load("dark", &theme, &err) || !term_open(&theme, &err)) {
        fprintf(stderr, "tui_term: %s\n", err.why);
        return 1;
    }
    do {
        struct pollfd fd[2] = {{.fd = 0, .events = POLLIN},
                               {.fd = term_signal_fd(), .events = POLLIN}};
        int64_t due = term_due_ns();

        paint();
        poll(fd, 2, due == INT64_MAX ? -1 : INPUT_WAIT_MS);
        status = take_signals();
    } while (status == 0 && take_keys(program));
    term_close();
    return status;
}
