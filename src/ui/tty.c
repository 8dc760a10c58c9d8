/* SPDX-License-Identifier: PostgreSQL */
#include "ui/tty.h"

#include "barkeep/str.h"
#include "base/bug.h"
#include "base/sys.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

static const int told[] = {SIGWINCH, SIGTSTP, SIGCONT, SIGTERM, SIGHUP, SIGINT};
static const int fatal[] = {SIGSEGV, SIGBUS, SIGABRT, SIGFPE, SIGILL, SIGQUIT};
#define TOLD  (sizeof told / sizeof told[0])
#define FATAL (sizeof fatal / sizeof fatal[0])

#define CRASH_STACK 65536

static struct {
    bool is_open;
    struct termios before;
    int pipe[2];
    struct sigaction told_before[TOLD], fatal_before[FATAL], pipe_before;
    char reset[TTY_RESET_CAP];
    size_t reset_len;
} tty = {.pipe = {-1, -1}};

static char crash_stack[CRASH_STACK];
static volatile sig_atomic_t is_rescued;

/* ---- crash: only calls that a signal handler may make ---- */

void tty_rescue(void)
{
    sigset_t output, mask;

    if (is_rescued || !tty.is_open) {
        return;
    }
    is_rescued = 1;
    if (tty.reset_len && write(STDOUT_FILENO, tty.reset, tty.reset_len) < 0) {
        /* nothing else can be done about it; the modes still can */
    }
    /* in the background, setting modes stops the process unless this signal is blocked */
    sigemptyset(&output);
    sigaddset(&output, SIGTTOU);
    sigprocmask(SIG_BLOCK, &output, &mask);
    tcsetattr(STDIN_FILENO, TCSANOW, &tty.before);
    sigprocmask(SIG_SETMASK, &mask, NULL);
}

static void on_fatal(int signo)
{
    int os = errno;

    tty_rescue();
    for (size_t i = 0; i < FATAL; i++) {
        if (fatal[i] == signo) {
            sigaction(signo, &tty.fatal_before[i], NULL);
        }
    }
    raise(signo); /* blocked here: it comes when this handler returns */
    errno = os;
}

static void on_told(int signo)
{
    int os = errno;
    unsigned char byte = (unsigned char)signo;

    if (write(tty.pipe[1], &byte, 1) < 0) {
        /* full: 64 KiB of signals wait to be seen already */
    }
    errno = os;
}

/* ---- signals ---- */

static bool make_pipe(struct err *err)
{
    if (pipe(tty.pipe) != 0) {
        tty.pipe[0] = tty.pipe[1] = -1;
        return err_os(err, errno, "make a pipe", "");
    }
    for (int i = 0; i < 2; i++) {
        BUG_IF(fcntl(tty.pipe[i], F_SETFD, FD_CLOEXEC) != 0 ||
               fcntl(tty.pipe[i], F_SETFL, O_NONBLOCK) != 0);
    }
    return true;
}

static void take_signals(void)
{
    struct sigaction tell = {.sa_handler = on_told, .sa_flags = SA_RESTART};
    struct sigaction crash = {.sa_handler = on_fatal, .sa_flags = SA_ONSTACK};
    struct sigaction ignore = {.sa_handler = SIG_IGN};
    stack_t stack = {.ss_sp = crash_stack, .ss_size = sizeof crash_stack};

    sigaltstack(&stack, NULL);
    sigfillset(&crash.sa_mask);
    for (size_t i = 0; i < TOLD; i++) {
        sigaction(told[i], &tell, &tty.told_before[i]);
    }
    for (size_t i = 0; i < FATAL; i++) {
        sigaction(fatal[i], &crash, &tty.fatal_before[i]);
    }
    sigaction(SIGPIPE, &ignore, &tty.pipe_before);
}

static void give_signals_back(void)
{
    for (size_t i = 0; i < TOLD; i++) {
        sigaction(told[i], &tty.told_before[i], NULL);
    }
    for (size_t i = 0; i < FATAL; i++) {
        sigaction(fatal[i], &tty.fatal_before[i], NULL);
    }
    sigaction(SIGPIPE, &tty.pipe_before, NULL);
}

bool tty_open(struct err *err)
{
    BUG_IF(tty.is_open);
    if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO)) {
        return err_set(err, ERR_USAGE, "Use 'barkeep status' where there is none.", "",
                       "standard input or output is no terminal");
    }
    if (tcgetattr(STDIN_FILENO, &tty.before) != 0) {
        return err_os(err, errno, "read the modes of the terminal", "");
    }
    if (!make_pipe(err)) {
        return false;
    }
    tty.reset_len = 0;
    is_rescued = 0;
    tty.is_open = true;
    take_signals();
    bug_set_hook(tty_rescue);
    return true;
}

void tty_close(void)
{
    if (!tty.is_open) {
        return;
    }
    tty_before();
    bug_set_hook(NULL);
    give_signals_back();
    tty.is_open = false;
    for (int i = 0; i < 2; i++) {
        close(tty.pipe[i]);
        tty.pipe[i] = -1;
    }
}

void tty_set_reset(const char *bytes)
{
    size_t n = strlen(bytes);

    BUG_IF(n >= sizeof tty.reset);
    tty.reset_len = 0;
    memcpy(tty.reset, bytes, n);
    tty.reset_len = n;
}

int tty_signal_fd(void)
{
    return tty.pipe[0];
}

int tty_signal(void)
{
    unsigned char byte = SIGCHLD;

    /* That a child has ended only wakes whoever waits for it; it may be read after the wait. */
    while (byte == SIGCHLD && read(tty.pipe[0], &byte, 1) == 1) {
    }
    return byte == SIGCHLD ? 0 : byte;
}

/* ---- modes ---- */

static void set_modes(const struct termios *modes)
{
    while (tcsetattr(STDIN_FILENO, TCSADRAIN, modes) != 0 && errno == EINTR) {
    }
}

void tty_keys(void)
{
    struct termios modes = tty.before;

    modes.c_iflag &= ~(tcflag_t)(IXON | IXOFF | ISTRIP | INLCR | IGNCR | ICRNL);
    modes.c_oflag &= ~(tcflag_t)(ONLCR | OCRNL);
    modes.c_lflag &= ~(tcflag_t)(ICANON | ECHO | ECHONL | IEXTEN);
    modes.c_lflag |= ISIG;
    modes.c_cc[VSUSP] = (cc_t)fpathconf(STDIN_FILENO, _PC_VDISABLE);
    modes.c_cc[VMIN] = 1;
    modes.c_cc[VTIME] = 0;
    set_modes(&modes);
}

void tty_before(void)
{
    set_modes(&tty.before);
}

bool tty_size(int *cols, int *rows)
{
    return sys_terminal_size(STDOUT_FILENO, cols, rows) == 0 && *cols > 0 && *rows > 0;
}

/* ---- bytes ---- */

size_t tty_read(void *to, size_t room, bool *is_lost)
{
    struct pollfd fd = {.fd = STDIN_FILENO, .events = POLLIN};
    ssize_t n;

    *is_lost = false;
    if (room == 0 || poll(&fd, 1, 0) <= 0) {
        return 0;
    }
    n = read(STDIN_FILENO, to, room);
    if (n > 0) {
        return (size_t)n;
    }
    /* The end of a terminal, or EIO: nobody is there any more. */
    *is_lost = n == 0 || (errno != EINTR && errno != EAGAIN);
    return 0;
}

bool tty_write(const char *bytes, size_t n)
{
    while (n) {
        ssize_t w = write(STDOUT_FILENO, bytes, n);
        if (w < 0 && errno == EINTR) {
            continue;
        }
        if (w < 0) {
            return false;
        }
        bytes += w;
        n -= (size_t)w;
    }
    return true;
}

/* ---- foreground ---- */

static void plain(int signo)
{
    struct sigaction action = {.sa_handler = SIG_DFL};

    sigaction(signo, &action, NULL);
}

static void tell_again(int signo)
{
    struct sigaction action = {.sa_handler = on_told, .sa_flags = SA_RESTART};

    sigaction(signo, &action, NULL);
}

void tty_stop(void)
{
    plain(SIGTSTP);
    kill(0, SIGTSTP); /* returns when a SIGCONT came, at once in an orphaned group */
    tell_again(SIGTSTP);
}

/* In the background this would stop us, were the signal not ignored. */
static void give_foreground(pid_t group)
{
    struct sigaction ignore = {.sa_handler = SIG_IGN}, before;

    sigaction(SIGTTOU, &ignore, &before);
    tcsetpgrp(STDIN_FILENO, group);
    sigaction(SIGTTOU, &before, NULL);
}

__attribute__((noreturn)) static void become(const char *const *argv)
{
    char *const *args;
    sigset_t none;

    setpgid(0, 0);
    give_foreground(getpid());
    for (int signo = 1; signo < 32; signo++) {
        plain(signo);
    }
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    memcpy(&args, &argv, sizeof argv); /* exec promises to leave them alone */
    execvp(argv[0], args);
    _exit(127);
}

/* One look at the child. true: *status is how it ended. */
static bool has_ended(pid_t child, int *status)
{
    pid_t got = waitpid(child, status, WUNTRACED | WNOHANG);

    if (got < 0 && errno != EINTR) {
        *status = 127 << 8;
        return true;
    }
    if (got != child) {
        return false;
    }
    if (WIFSTOPPED(*status)) { /* Ctrl-Z in it: back to the shell, all of us */
        give_foreground(getpgrp());
        tty_stop();
        give_foreground(child);
        kill(-child, SIGCONT);
        return false;
    }
    return true;
}

/* Waits, and passes on that we are to leave: that signal is told again afterwards. */
static int wait_for(pid_t child)
{
    struct pollfd fd = {.fd = tty.pipe[0], .events = POLLIN};
    int status = 0, leave = 0, signo;

    while (!has_ended(child, &status)) {
        poll(&fd, 1, 1000);
        while ((signo = tty_signal()) != 0) {
            if (signo == SIGTERM || signo == SIGHUP) {
                leave = signo;
                kill(-child, SIGHUP);
            }
        }
    }
    if (leave) {
        on_told(leave);
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int tty_run(const char *const *argv)
{
    struct sigaction before;
    pid_t child;
    int status;

    sigaction(SIGCHLD, NULL, &before);
    tell_again(SIGCHLD);
    child = fork();
    if (child < 0) {
        sigaction(SIGCHLD, &before, NULL);
        return 127;
    }
    if (child == 0) {
        become(argv);
    }
    setpgid(child, child); /* whoever comes first; the other one is refused */
    give_foreground(child);
    status = wait_for(child);
    give_foreground(getpgrp());
    sigaction(SIGCHLD, &before, NULL);
    return status;
}
