/* SPDX-License-Identifier: PostgreSQL */
/* pty.h - a program on a pseudo terminal whose other end is libvterm, for what tmux is too coarse
 * for: the bytes sent, the exact colours of a cell, the place of the cursor.
 *
 * Every wait has a deadline of PTY_MS; a test that fails leaves no process: the child gets SIGHUP
 * when this end closes, and SIGKILL from pty_end().
 */
#ifndef TESTS_UI_PTY_H
#define TESTS_UI_PTY_H

#include "harness.h"

#include "base/clock.h"

#include <errno.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>
#include <vterm.h>

#define PTY_MS 10000

struct pty {
    int fd, cols, rows;
    pid_t pid;
    VTerm *vt;
    VTermScreen *screen;
    size_t bytes; /* that came, all in all */
    char raw[1 << 20];
};

static struct pty pty;

static inline void pty_start(int cols, int rows, const char *const *env,
                             const char *const *argv)
{
    struct winsize size = {.ws_col = (unsigned short)cols, .ws_row = (unsigned short)rows};

    memset(&pty, 0, sizeof pty);
    pty.cols = cols;
    pty.rows = rows;
    pty.vt = vterm_new(rows, cols);
    vterm_set_utf8(pty.vt, 1);
    pty.screen = vterm_obtain_screen(pty.vt);
    vterm_screen_enable_altscreen(pty.screen, 1);
    vterm_screen_reset(pty.screen, 1);
    pty.pid = forkpty(&pty.fd, NULL, NULL, &size);
    assert_true(pty.pid >= 0);
    if (pty.pid == 0) {
        execve(argv[0], (char *const *)(uintptr_t)argv, (char *const *)(uintptr_t)env);
        _exit(126);
    }
}

/* What comes within ms; false: nothing did. */
static inline bool pty_read(int ms)
{
    struct pollfd fd = {.fd = pty.fd, .events = POLLIN};
    char mem[65536];
    ssize_t n;

    if (poll(&fd, 1, ms) <= 0) {
        return false;
    }
    n = read(pty.fd, mem, sizeof mem);
    if (n <= 0) {
        return false;
    }
    if (pty.bytes + (size_t)n <= sizeof pty.raw) {
        memcpy(pty.raw + pty.bytes, mem, (size_t)n);
    }
    pty.bytes += (size_t)n;
    vterm_input_write(pty.vt, mem, (size_t)n);
    return true;
}

/* Until nothing came for ms. */
static inline void pty_settle(int ms)
{
    int64_t until = clock_mono_ns() + PTY_MS * NS_PER_MS;

    while (pty_read(ms)) {
        if (clock_mono_ns() > until) {
            fail_msg("it never becomes quiet");
        }
    }
}

static inline VTermScreenCell pty_cell(int col, int row)
{
    VTermScreenCell cell;

    memset(&cell, 0, sizeof cell);
    vterm_screen_get_cell(pty.screen, (VTermPos){.row = row, .col = col}, &cell);
    return cell;
}

/* A row in UTF-8. */
static inline const char *pty_row(int row)
{
    static char text[2048];
    VTermRect rect = {
        .start_row = row, .end_row = row + 1, .start_col = 0, .end_col = pty.cols};
    size_t n = vterm_screen_get_text(pty.screen, text, sizeof text - 1, rect);

    text[n] = '\0';
    return text;
}

/* Column of a text that is all ASCII up to its end; -1: not there. */
static inline int pty_find(const char *text, int *row)
{
    for (*row = 0; *row < pty.rows; ++*row) {
        for (int col = 0; col < pty.cols; col++) {
            int i = 0;
            while (text[i] &&
                   pty_cell(col + i, *row).chars[0] == (uint32_t)(unsigned char)text[i]) {
                i++;
            }
            if (!text[i]) {
                return col;
            }
        }
    }
    return -1;
}

static inline void pty_wait(const char *text)
{
    int64_t until = clock_mono_ns() + PTY_MS * NS_PER_MS;
    int row;

    while (pty_find(text, &row) < 0) {
        pty_read(50);
        if (clock_mono_ns() > until) {
            for (int i = 0; i < pty.rows; i++) {
                print_message("%s\n", pty_row(i));
            }
            fail_msg("never saw '%s'", text);
        }
    }
}

static inline void pty_send(const char *bytes)
{
    size_t n = strlen(bytes);

    assert_int_equal(write(pty.fd, bytes, n), n);
}

static inline void pty_resize(int cols, int rows)
{
    struct winsize size = {.ws_col = (unsigned short)cols, .ws_row = (unsigned short)rows};

    pty.cols = cols;
    pty.rows = rows;
    vterm_set_size(pty.vt, rows, cols);
    assert_int_equal(ioctl(pty.fd, TIOCSWINSZ, &size), 0);
}

/* The wait status; the child must end by itself within ms. */
static inline int pty_end(int ms)
{
    int64_t until = clock_mono_ns() + ms * NS_PER_MS;
    int status = -1;

    while (waitpid(pty.pid, &status, WNOHANG) == 0) {
        if (pty.fd >= 0) {
            pty_read(20);
        }
        usleep(1000);
        if (clock_mono_ns() > until) {
            kill(pty.pid, SIGKILL);
            waitpid(pty.pid, &status, 0);
            status = -1;
            break;
        }
    }
    if (pty.fd >= 0) {
        close(pty.fd);
    }
    vterm_free(pty.vt);
    return status;
}

/* This end goes away, as a terminal does whose window is closed. */
static inline void pty_hang_up(void)
{
    close(pty.fd);
    pty.fd = -1;
}

#endif
