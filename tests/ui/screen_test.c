/* SPDX-License-Identifier: PostgreSQL */
/* The console as the bytes it sends: the real loop on a pseudo terminal, seen by libvterm. */
#include "pty.h"

#include "ui/theme.h"

static char home[64], state_home[80];

static const char *const plain_env[] = {
    "PATH=/usr/bin:/bin",
    "TERM=xterm-256color",
    "LC_ALL=C.UTF-8",
    "TZ=Europe/Berlin",
    "BARKEEP_NOW=1787361165",
    home,
    state_home,
    NULL,
};

static void start(const char *what)
{
    const char *argv[] = {TUI_CONSOLE, what, NULL};

    pty_start(80, 24, plain_env, argv);
}

static void quit(void)
{
    int64_t until = clock_mono_ns() + 300 * NS_PER_MS;
    int status;

    pty_send("q");
    while (clock_mono_ns() < until && pty_read(50)) {
    }
    pty_send("y"); /* if it asked */
    status = pty_end(5000);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

static void is_silent_when_nothing_changes(void **state)
{
    size_t before;

    (void)state;
    start("servers=5");
    pty_wait("db-003");
    pty_settle(500);
    before = pty.bytes;
    pty_settle(2500); /* over two ticks of the clock */
    assert_int_equal(pty.bytes - before, 0);
    quit();
}

/* Thirty a second, as a held key repeats. Each is answered; none costs a whole screen. */
static void a_held_key_is_cheap_and_answered(void **state)
{
    size_t before, sent = 0;
    int64_t slowest = 0;

    (void)state;
    start("servers=200");
    pty_wait("db-003");
    pty_settle(500);
    before = pty.bytes;
    for (int i = 0; i < 30; i++) {
        int64_t began = clock_mono_ns();

        pty_send("j");
        assert_true(pty_read(1000));
        slowest = clock_mono_ns() - began > slowest ? clock_mono_ns() - began : slowest;
        pty_settle(20);
    }
    sent = pty.bytes - before;
    assert_true(sent > 0);
    assert_in_range(sent, 1, 65535);
    assert_in_range(slowest / NS_PER_MS, 0, 500); /* the bench holds it to 50 ms */
    quit();
}

static void keys_come_through_a_flood_of_news(void **state)
{
    int64_t began;
    size_t before;

    (void)state;
    start("flood");
    pty_wait("orders-db1");
    began = clock_mono_ns();
    pty_send("?");
    pty_wait("HELP");
    assert_in_range((clock_mono_ns() - began) / NS_PER_MS, 0, 1000);
    pty_send("\033");
    before = pty.bytes;
    began = clock_mono_ns(); /* twenty paints a second, each of some rows */
    while (clock_mono_ns() - began < NS_PER_S) {
        pty_read(20);
    }
    assert_in_range(pty.bytes - before, 0, 65536);
    quit();
}

static void colours_are_those_of_the_theme(void **state)
{
    VTermScreenCell cell;
    int row, col;

    (void)state;
    start("theme=dark");
    pty_wait("FAIL");
    pty_settle(300);
    col = pty_find("FAIL   billing-db1", &row);
    cell = pty_cell(col, row);
    assert_true(VTERM_COLOR_IS_INDEXED(&cell.fg));
    assert_int_equal(cell.fg.indexed.idx, 210);
    assert_true(VTERM_COLOR_IS_DEFAULT_BG(&cell.bg));
    cell = pty_cell(0, 0);
    assert_int_equal(cell.bg.indexed.idx, 237);
    quit();
}

static bool has_bytes(const char *bytes)
{
    size_t n = strlen(bytes), end = pty.bytes < sizeof pty.raw ? pty.bytes : sizeof pty.raw;

    for (size_t i = 0; i + n <= end; i++) {
        if (memcmp(pty.raw + i, bytes, n) == 0) {
            return true;
        }
    }
    return false;
}

/* What names contain is shown, never obeyed. */
static void hostile_names_stay_text(void **state)
{
    (void)state;
    start("hostile");
    pty_wait("0evil?]0;pwned");
    pty_settle(300);
    pty_send("jk!");
    pty_settle(300);
    assert_false(has_bytes("\033]0;"));
    assert_false(has_bytes("\033[2J\033[31m"));
    assert_false(has_bytes("\xe2\x80\xae"));
    assert_false(has_bytes("\xff"));
    assert_false(has_bytes("\xc2\x9b"));
    quit();
}

static void wide_names_do_not_shift_a_line(void **state)
{
    int row = 0, col = 0;

    (void)state;
    start("theme=dark");
    pty_wait("orders-db1");
    pty_settle(300);
    for (int i = 0; i < 80 * 24 && !col; i++) {
        if (pty_cell(i % 80, i / 80).chars[0] == 0x6771) {
            col = i % 80;
            row = i / 80;
        }
    }
    assert_true(col > 0);
    assert_int_equal(pty_cell(col, row).width, 2);
    assert_int_equal(pty_cell(col + 2, row).chars[0], 0x4eac);
    assert_int_equal(pty_cell(col + 4, row).chars[0], '-');
    assert_int_equal(pty_cell(col + 6, row).chars[0], 'b');
    quit();
}

/* A paste is text for a line that is being typed, and otherwise nothing: 'D' in it deletes not,
 * 'q' quits not. */
static void a_paste_is_no_key(void **state)
{
    int row;

    (void)state;
    start("servers=5");
    pty_wait("db-003");
    assert_true(has_bytes("\033[?2004h"));
    pty_send("\033[200~?qqDy\r\033[201~");
    pty_wait("paste");
    assert_int_equal(pty_find("HELP", &row), -1);
    pty_send("/");
    pty_settle(100);
    pty_send("\033[200~db-003\r\n\033[201~");
    pty_wait("db-003");
    pty_send("\033");
    pty_settle(100);
    quit();
    assert_true(has_bytes("\033[?2004l"));
}

static void a_closed_window_ends_it(void **state)
{
    int status;

    (void)state;
    start("servers=5");
    pty_wait("db-003");
    pty_hang_up();
    status = pty_end(3000);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 128 + SIGHUP);
}

static const struct signal_row {
    const char *label;
    int signo, exits; /* 0: dies by it */
} signals[] = {
    {"SIGTERM", SIGTERM, 143}, {"SIGHUP", SIGHUP, 129}, {"SIGINT", SIGINT, 130},
    {"SIGSEGV", SIGSEGV, 0},   {"SIGABRT", SIGABRT, 0}, {"SIGBUS", SIGBUS, 0},
    {"SIGFPE", SIGFPE, 0},     {"SIGQUIT", SIGQUIT, 0},
};

/* The last screen of whoever started it is back, the cursor shown, pastes are plain again. */
static void signal_row(void **state)
{
    const struct signal_row *r = *state;
    int status, row;

    start("servers=5");
    pty_wait("db-003");
    kill(pty.pid, r->signo);
    pty_settle(300);
    assert_int_equal(pty_find("db-003", &row), -1);
    assert_true(has_bytes("\033[?1049l"));
    assert_true(has_bytes("\033[?2004l"));
    status = pty_end(3000);
    if (r->exits) {
        assert_true(WIFEXITED(status));
        assert_int_equal(WEXITSTATUS(status), r->exits);
    } else if (WIFSIGNALED(status)) { /* a sanitizer makes an exit status of it */
        assert_int_equal(WTERMSIG(status), r->signo);
    }
}

static void a_size_of_one_cell_and_back(void **state)
{
    static const int sizes[][2] = {{1, 1},     {2, 1},   {44, 7}, {1, 24},
                                   {300, 100}, {60, 16}, {80, 24}};

    (void)state;
    start("servers=5");
    pty_wait("db-003");
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        pty_resize(sizes[i][0], sizes[i][1]);
        pty_settle(100);
    }
    pty_wait("db-003");
    quit();
}

static int make_home(void **state)
{
    static char dir[] = "/tmp/screen_test.XXXXXX";

    (void)state;
    assert_non_null(mkdtemp(dir));
    snprintf(home, sizeof home, "HOME=%s", dir);
    snprintf(state_home, sizeof state_home, "XDG_STATE_HOME=%s/state", dir);
    return 0;
}

static int remove_home(void **state)
{
    char command[128];

    (void)state;
    snprintf(command, sizeof command, "rm -rf %s", home + strlen("HOME="));
    return system(command);
}

int main(int argc, char **argv)
{
    static struct harness h;

    if (argc > 1) {
        cmocka_set_test_filter(argv[1]);
    }
    ROWS(signals, signal_row);
    ONE(is_silent_when_nothing_changes);
    ONE(a_held_key_is_cheap_and_answered);
    ONE(keys_come_through_a_flood_of_news);
    ONE(colours_are_those_of_the_theme);
    ONE(hostile_names_stay_text);
    ONE(wide_names_do_not_shift_a_line);
    ONE(a_paste_is_no_key);
    ONE(a_closed_window_ends_it);
    ONE(a_size_of_one_cell_and_back);
    return _cmocka_run_group_tests(argv[0], h.test, h.n, make_home, remove_home);
}
